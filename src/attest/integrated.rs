//! `airtight/integrated`: when each commit of an exported log was integrated, beside its tiles.
//!
//! Tiles hold the leaves and say nothing of time, while every entry timestamp and every bundle of ours does. So an export
//! has this file, outside the names that C2SP tlog-tiles uses, and `airtight log recover` gives entries that come back from
//! tiles the times that they had. Text, one line a commit whose time differs from the one before:
//!
//! ```text
//! 0 1795230000␊          first entry of the commit, a space, seconds since the epoch; both decimal
//! 4 1795230020␊          entries 4 to 8 have this time
//! 9 1795230020␊          refused: the time of 4 goes on, so there is no such line
//! ```
//!
//! The first line is of entry 0; entries and times rise from line to line. The file covers the entries of the checkpoint
//! beside it. It is not signed: whoever can change it can change what a recovered log claims about time, but never make it
//! contradict a bundle that is at hand, nor the times that the database still has: those are compared.

use airtight_log::digest::LeafIndex;

/// Where the file lies in the directory of an export.
pub const INTEGRATED_PATH: &str = "airtight/integrated";

/// The largest file that is read: the times of twenty million commits.
pub const INTEGRATED_LEN_MAX: u64 = 512 << 20;

/// The times of a log's commits, as an export has them. Nothing is proven of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegratedTimes {
    /// (first entry, seconds since the epoch), both rising; the first is of entry 0.
    rows: Vec<(u64, u64)>,
}

/// A line that is none of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not `ENTRY SECONDS` with both above those of the line before, beginning at entry 0")]
pub struct IntegratedTimesError {
    /// The line, from 1.
    pub line: usize,
}

impl IntegratedTimes {
    /// Takes the times as the log gives them.
    pub fn of(times: &[(LeafIndex, u64)]) -> IntegratedTimes {
        let mut rows: Vec<(u64, u64)> = Vec::with_capacity(times.len());
        for (first, time) in times {
            if rows.last().is_none_or(|(_, last)| last != time) {
                rows.push((first.get(), *time));
            }
        }
        IntegratedTimes { rows }
    }

    /// Returns the file's text.
    pub fn render(&self) -> String {
        self.rows.iter().map(|(first, time)| format!("{first} {time}\n")).collect()
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// [`IntegratedTimesError`] with the first line that is not in its one spelling, or does not rise.
    pub fn parse(text: &str) -> Result<IntegratedTimes, IntegratedTimesError> {
        let mut rows: Vec<(u64, u64)> = Vec::new();
        for (line, content) in (1..).zip(text.split_inclusive('\n')) {
            let row = (|| {
                let (first, time) = content.strip_suffix('\n')?.split_once(' ')?;
                let row: (u64, u64) = (first.parse().ok()?, time.parse().ok()?);
                let rises = rows.last().map_or(row.0 == 0, |last| last.0 < row.0 && last.1 < row.1);
                (rises && format!("{} {}\n", row.0, row.1) == content).then_some(row)
            })();
            rows.push(row.ok_or(IntegratedTimesError { line })?);
        }
        Ok(IntegratedTimes { rows })
    }

    /// Returns the time of an entry, in seconds since the epoch; nothing where the file is empty.
    pub fn of_entry(&self, index: u64) -> Option<u64> {
        let after = self.rows.partition_point(|(first, _)| *first <= index);
        after.checked_sub(1).map(|at| self.rows[at].1)
    }

    /// Tells whether one of the two goes on where the other ends.
    pub fn continues(&self, other: &IntegratedTimes) -> bool {
        let both = self.rows.len().min(other.rows.len());
        self.rows[..both] == other.rows[..both]
    }

    /// Returns the number of lines.
    pub fn lines(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(i: u64) -> LeafIndex {
        LeafIndex::new(i).unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_each_entry_has_the_time_of_its_commit() {
        let times = [(0, 100), (4, 120), (6, 120), (9, 130)].map(|(first, time)| (index(first), time));
        let times = IntegratedTimes::of(&times);
        assert_eq!(times.render(), "0 100\n4 120\n9 130\n");
        assert_eq!(IntegratedTimes::parse(&times.render()).unwrap(), times);
        for (entry, time) in [(0, 100), (3, 100), (4, 120), (8, 120), (9, 130), (1_000, 130)] {
            assert_eq!(times.of_entry(entry), Some(time));
        }
        assert_eq!(IntegratedTimes::default().of_entry(0), None);
        let shorter = IntegratedTimes::parse("0 100\n4 120\n").unwrap();
        assert!(times.continues(&shorter) && shorter.continues(&times));
        assert!(!times.continues(&IntegratedTimes::parse("0 100\n5 120\n").unwrap()));
    }

    #[test]
    fn a_line_of_another_spelling_or_order_is_refused_by_its_number() {
        for (text, line) in [
            ("1 100\n", 1),
            ("0 100", 1),
            ("0  100\n", 1),
            ("00 100\n", 1),
            ("0 +100\n", 1),
            ("\n", 1),
            ("0 100\n0 120\n", 2),
            ("0 100\n4 100\n", 2),
            ("0 100\n4 90\n", 2),
            ("0 100\r\n", 1),
        ] {
            assert_eq!(IntegratedTimes::parse(text), Err(IntegratedTimesError { line }), "{text:?}");
        }
    }
}
