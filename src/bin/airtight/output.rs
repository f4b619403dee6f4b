//! The two ways out: data to standard output, words to standard error.
//!
//! A reader that went away (`airtight log list | head -1`) is no error: what is written after that is dropped, nothing is
//! said, and the command ends with the exit code it has earned. A verdict of no stays a verdict of no. Any other error of
//! standard output (a full disk behind `>`) is kept and makes the command fail, for its data is not whole.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::exit::Exit;
use crate::failure::Failure;

/// Lines that are handed to the system at once, where there are many.
const AT_ONCE: usize = 256;

/// Standard output and standard error of one command.
pub struct Output {
    json: bool,
    data: Box<dyn Write>,
    words: Box<dyn Write>,
    lost: Lost,
}

/// What became of the data.
enum Lost {
    Nothing,
    ReaderGone,
    Refused(io::Error),
}

impl Output {
    /// Returns the process's own standard streams.
    pub fn of_process(json: bool) -> Output {
        Output { json, data: Box::new(io::stdout()), words: Box::new(io::stderr()), lost: Lost::Nothing }
    }

    /// Tells whether data is to be JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Writes one line of data. What would steer a terminal, or begin another line, is shown by its number ([`plain`]).
    pub fn line(&mut self, line: impl std::fmt::Display) {
        self.bytes(format!("{}\n", plain(&line.to_string(), false)).as_bytes());
    }

    /// Writes data as it is.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if matches!(self.lost, Lost::Nothing)
            && let Err(error) = self.data.write_all(bytes)
        {
            self.lose(error);
        }
    }

    /// Writes one JSON value on a line of its own.
    pub fn json(&mut self, value: &impl Serialize) {
        let mut line =
            serde_json::to_vec(value).expect("invariant: the face serializes texts, numbers and lists of them");
        line.push(b'\n');
        self.bytes(&line);
    }

    /// Writes JSON values, each on a line of its own; many at a time are handed to the system.
    pub fn json_lines(&mut self, values: &[impl Serialize]) {
        for values in values.chunks(AT_ONCE) {
            let mut lines = Vec::new();
            for value in values {
                serde_json::to_writer(&mut lines, value)
                    .expect("invariant: the face serializes texts, numbers and lists of them");
                lines.push(b'\n');
            }
            self.bytes(&lines);
        }
    }

    /// Writes a table: a row of headings, columns two spaces apart, no line drawn, nothing cut off.
    pub fn table<const COLUMNS: usize>(
        &mut self,
        headings: [&str; COLUMNS],
        rows: impl IntoIterator<Item = [String; COLUMNS]>,
    ) {
        let shown = |cell: String| match plain(&cell, false) {
            Cow::Owned(shown) => shown,
            Cow::Borrowed(_) => cell,
        };
        let rows: Vec<[String; COLUMNS]> = rows.into_iter().map(|row| row.map(shown)).collect();
        let mut widths = headings.map(UnicodeWidthStr::width);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let mut lines = String::new();
        push_row(&mut lines, &widths, &headings);
        for rows in rows.chunks(AT_ONCE) {
            for row in rows {
                push_row(&mut lines, &widths, &row.each_ref().map(String::as_str));
            }
            self.bytes(lines.as_bytes());
            lines.clear();
        }
        self.bytes(lines.as_bytes());
    }

    /// Says something to the person; with `--json` too, for it is no data.
    pub fn say(&mut self, words: impl std::fmt::Display) {
        // Nobody can be told that standard error is gone.
        let _ = writeln!(self.words, "{}", plain(&words.to_string(), true));
    }

    /// Hands what was written to the system, so that a program that reads along has it.
    pub fn flush(&mut self) {
        if matches!(self.lost, Lost::Nothing)
            && let Err(error) = self.data.flush()
        {
            self.lose(error);
        }
    }

    /// Tells whether nobody reads any more; a long command may stop then.
    #[cfg(any(feature = "site", test))]
    pub fn is_reader_gone(&self) -> bool {
        matches!(self.lost, Lost::ReaderGone)
    }

    /// Ends the output.
    ///
    /// # Errors
    /// `output_unwritable` where standard output refused data for another reason than that nobody reads it.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.flush();
        match std::mem::replace(&mut self.lost, Lost::Nothing) {
            Lost::Refused(error) => Err(Failure::new(
                Exit::MachineRefused,
                "output_unwritable",
                format!("standard output does not take the data: {error}"),
            )
            .next("make room there or name another file, then run the same command again")),
            Lost::Nothing | Lost::ReaderGone => Ok(()),
        }
    }

    /// Says a failure, in words or as JSON.
    pub fn fail(&mut self, failure: &Failure) {
        let text = failure.render(self.json);
        let text = if self.json { text.into() } else { plain(&text, true) };
        let _ = self.words.write_all(text.as_bytes());
    }

    fn lose(&mut self, error: io::Error) {
        self.lost = match error.kind() {
            io::ErrorKind::BrokenPipe => Lost::ReaderGone,
            _ => Lost::Refused(error),
        };
    }
}

/// Shows by its number, like `\u{1b}`, each character that a terminal obeys instead of showing it: control characters, and those that turn the
/// direction of writing. Names of files and texts of bundles are chosen by others, and a verdict must not be overwritten by one.
fn plain(text: &str, may_have_lines: bool) -> Cow<'_, str> {
    let obeyed = |c: char| match c {
        '\n' => !may_have_lines,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    };
    let is_simple = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_simple || !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let shown = |mut to: String, c: char| {
        if obeyed(c) {
            to.extend(c.escape_unicode())
        } else {
            to.push(c)
        }
        to
    };
    Cow::Owned(text.chars().fold(String::with_capacity(text.len() + 16), shown))
}

/// Writes the line of a row: cells to the left, and nothing behind the last that has something in it.
fn push_row(lines: &mut String, widths: &[usize], row: &[&str]) {
    let begin = lines.len();
    for (width, cell) in widths.iter().zip(row) {
        lines.push_str(cell);
        lines.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
    }
    lines.truncate(begin + lines[begin..].trim_end().len());
    lines.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_by_its_number() {
        for (text, in_a_line, in_words) in [
            ("pump-1.0.bin, \u{e9}\u{4e2d}", "pump-1.0.bin, \u{e9}\u{4e2d}", "pump-1.0.bin, \u{e9}\u{4e2d}"),
            ("a\u{1b}[2Kb", "a\\u{1b}[2Kb", "a\\u{1b}[2Kb"),
            ("a\nverified: b", "a\\u{a}verified: b", "a\nverified: b"),
            ("a\rb\u{7f}\u{9b}1m", "a\\u{d}b\\u{7f}\\u{9b}1m", "a\\u{d}b\\u{7f}\\u{9b}1m"),
            ("a\u{202e}nib", "a\\u{202e}nib", "a\\u{202e}nib"),
        ] {
            assert_eq!((&*plain(text, false), &*plain(text, true)), (in_a_line, in_words));
        }
    }

    #[test]
    fn columns_stand_two_spaces_apart_by_what_a_terminal_shows() {
        let rows = |count: usize| {
            let long = [["a", "", ""], ["\u{4e2d}\u{6587}\u{e9}", "b", "c"], ["", "e\n", "f "]];
            long.into_iter().cycle().take(count).map(|row| row.map(str::to_owned)).collect::<Vec<_>>()
        };
        let table = |count: usize| {
            let (file, path) = tempfile::NamedTempFile::new().unwrap().into_parts();
            let mut output =
                Output { json: false, data: Box::new(file), words: Box::new(io::sink()), lost: Lost::Nothing };
            output.table(["ONE", "2", "THREE"], rows(count));
            output.finish().unwrap();
            std::fs::read_to_string(path).unwrap()
        };
        assert_eq!(table(0), "ONE  2  THREE\n");
        let three = "a\n\u{4e2d}\u{6587}\u{e9}  b       c\n       e\\u{a}  f\n";
        assert_eq!(table(3), format!("ONE    2       THREE\n{three}"));
        assert_eq!(table(999), format!("ONE    2       THREE\n{}", three.repeat(333)));
    }

    struct Refusing(io::ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn onto(kind: io::ErrorKind) -> Output {
        Output { json: false, data: Box::new(Refusing(kind)), words: Box::new(io::sink()), lost: Lost::Nothing }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let mut output = onto(io::ErrorKind::BrokenPipe);
        output.line("x");
        assert!(output.is_reader_gone());
        output.line("y");
        assert!(output.finish().is_ok());
    }

    #[test]
    fn a_full_disk_behind_standard_output_is_one() {
        let mut output = onto(io::ErrorKind::StorageFull);
        output.line("x");
        assert!(!output.is_reader_gone());
        assert_eq!(output.finish().unwrap_err().code, "output_unwritable");
    }
}
