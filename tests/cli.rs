//! Holds the command line to its transcripts: `tests/cli/*.txt`, each a session that a person could have had.
//!
//! The form of a transcript stands in `transcript/mod.rs`. Each file has a stage of its own, and its commands are run there one
//! after the other. `COMMANDS=print cargo test --test cli` prints what was met, in the same form, to be read and copied.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]
#![allow(clippy::print_stdout, reason = "what was met is printed where it is asked for")]

mod transcript;

use std::fs;
use std::path::Path;

use transcript::{Stage, Step, Streams, conclude, fits, line_fits, parse, play};

#[test]
fn every_transcript_is_what_happens() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut transcripts: Vec<_> = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    transcripts.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    transcripts.sort();
    assert!(!transcripts.is_empty());
    let (mut wrong, mut met) = (String::new(), String::new());
    for path in transcripts {
        let name = path.file_name().unwrap().to_string_lossy();
        let steps = parse(&fs::read_to_string(&path).unwrap(), 1);
        wrong.push_str(&play(&Stage::new(), &name, &steps, Streams::Apart, &mut met));
    }
    conclude(&wrong, &met);
}

#[test]
fn a_transcript_is_read_as_it_is_drawn() {
    let steps = parse("# head\n\n$ one\nout\n# out too\n! err\n!\n? 3\n\n# between\n$ two\n> more\n\n", 1);
    let one = Step {
        line: 3,
        command: "one".into(),
        stdout: vec!["out".into(), "# out too".into()],
        stderr: vec!["err".into()],
        exit: 3,
    };
    let two = Step { line: 11, command: "two\nmore".into(), ..Step::default() };
    assert_eq!(steps, [one, two]);
}

#[test]
fn a_pattern_fits_what_it_says_and_nothing_else() {
    for (pattern, line, wanted) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a[..]", "ab", true),
        ("[..]b", "ab", true),
        ("[..]b", "abc", false),
        ("a[..]c[..]e", "abcde", true),
        ("a[..]d[..]c", "abcd", false),
        ("aa[..]aa", "aaa", false),
        ("[..]", "", true),
    ] {
        assert_eq!(line_fits(pattern, line), wanted, "{pattern} {line}");
    }
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert!(fits(&lines("a ... d"), &lines("a b c d")));
    assert!(!fits(&lines("a ... d"), &lines("a b c")));
    assert!(!fits(&lines("a"), &lines("a b")));
}
