//! Holds the laws of `fuzz/laws.rs` over the kept corpora, and over some thousand changes of each: a short, repeatable run of
//! what `just fuzz` does for hours.
//!
//! The changes come from a generator with a fixed seed, so a failure is the same failure on every machine; it prints the
//! input. `AIRTIGHT_FUZZ_SEED` and `AIRTIGHT_FUZZ_RUNS` choose another seed, and how many changes of each corpus.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may read files")]

mod forge;
#[path = "../fuzz/laws.rs"]
mod laws;

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use laws::{LAWS, Law};

/// Changes of each corpus in the gate.
const RUNS: usize = 10_000;

/// Pieces that mean something to one reader or another.
const PIECES: [&[u8]; 40] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\n",
    b"\r\n",
    b"\n\n",
    b" ",
    b"\0",
    b"\x80",
    b"\xff",
    b"null",
    b"true",
    b"0",
    b"-",
    b"1e999",
    b"9223372036854775808",
    b"281474976710656",
    b"=",
    b"==",
    b"AAAA",
    b"+",
    b"/",
    b"{\"a\":{}}",
    b"\"a\":\"\",",
    b"[[[[[[[[[[[[[[[[",
    b"https://x",
    b"\xe2\x80\x94 ",
    b" - 1",
    b"keyid",
    b"sha256",
    b"\x30\x80",
    b"\x28\xb5\x2f\xfd",
    b"\xff\xff\xff\xff\x0f",
];

/// Numbers without end from a seed (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() >> 16) as usize % end }
    }
}

/// Changes an input in one of eight ways.
fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], numbers: &mut Numbers) {
    let at = numbers.below(input.len() + 1);
    let end = (at + 1 + numbers.below(16)).min(input.len());
    match numbers.below(8) {
        0 if at < input.len() => input[at] ^= 1 << numbers.below(8),
        1 if at < input.len() => input[at] = numbers.next() as u8,
        2 if at < end => drop(input.drain(at..end)),
        3 if at < end => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        4 => drop(input.splice(at..at, PIECES[numbers.below(PIECES.len())].iter().copied())),
        5 if at < end => drop(input.splice(at..end, PIECES[numbers.below(PIECES.len())].iter().copied())),
        6 => input.truncate(at),
        _ => {
            // The end of another input after the beginning of this one.
            let other = &corpus[numbers.below(corpus.len())];
            let from = numbers.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    if name == "bundle" {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
        let folders = fs::read_dir(vectors).unwrap().map(|entry| entry.unwrap().path().join("bundle.sigstore.json"));
        files.extend(folders.filter(|file| fs::metadata(file).is_ok_and(|found| found.len() < 16_384)));
    }
    files.sort();
    files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn hold(name: &str, law: Law, input: &[u8], from: &str) {
    let kept = catch_unwind(|| law(input)).is_ok();
    assert!(kept, "{name}: the law is broken {from} by {input:02x?}\n{}", String::from_utf8_lossy(input));
}

fn robust(name: &str) {
    let law = LAWS.iter().find(|(law, _)| *law == name).unwrap().1;
    let files = corpus(name);
    assert!(files.len() >= 2, "{name} has a corpus");
    for (file, input) in &files {
        hold(name, law, input, &format!("in {}", file.display()));
    }
    let inputs: Vec<Vec<u8>> = files.into_iter().map(|(_, input)| input).collect();
    let (seed, runs) = (setting("AIRTIGHT_FUZZ_SEED", 1), setting("AIRTIGHT_FUZZ_RUNS", RUNS as u64));
    let mut numbers = Numbers(seed ^ 0x9e37_79b9_7f4a_7c15);
    println!("{name}: {} inputs, {runs} changes, seed {seed}", inputs.len());
    for run in 0..runs {
        let mut input = inputs[numbers.below(inputs.len())].clone();
        for _ in 0..=numbers.below(4) {
            change(&mut input, &inputs, &mut numbers);
        }
        hold(name, law, &input, &format!("in run {run} of seed {seed}"));
    }
}

macro_rules! robust {
    ($($test:ident $name:literal)*) => { $( #[test] fn $test() { robust($name); } )* };
}

robust! {
    any_bytes_are_an_anchor_or_are_refused "anchor"
    any_bytes_are_an_answer_or_are_refused "answer"
    any_bytes_are_a_body_or_are_refused "body"
    any_bytes_are_a_bundle_or_are_refused "bundle"
    any_bytes_are_a_certificate_or_are_refused "certificate"
    any_bytes_are_a_checkpoint_or_are_refused "checkpoint"
    any_bytes_are_an_envelope_or_are_refused "envelope"
    any_bytes_hold_bundles_or_are_refused "homes"
    any_bytes_are_strict_json_or_are_refused "json"
    any_bytes_are_a_key_or_are_refused "key"
    any_bytes_are_a_note_or_are_refused "note"
    any_bytes_are_a_policy_or_are_refused "policy"
    any_bytes_are_a_quorum_or_are_refused "quorum"
    any_bytes_are_a_row_or_are_damage "row"
    any_bytes_are_settings_or_are_refused "settings"
    any_bytes_are_a_signing_config_or_are_refused "signing_config"
    any_bytes_are_a_head_or_are_damage "slot"
    any_bytes_are_a_statement_or_are_refused "statement"
    any_bytes_are_a_time_stamp_or_are_refused "timestamp"
    any_bytes_are_a_trusted_root_or_are_refused "trusted_root"
}

#[test]
fn every_law_has_a_target_a_corpus_and_its_seeds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let names: BTreeSet<&str> = LAWS.iter().map(|(name, _)| *name).collect();
    for name in &names {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} is no target");
        let target = fs::read_to_string(fuzz.join(format!("targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("laws::{name}(data)")), "{name} holds another law");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), names.len());
    for (name, file, seed) in forge::seeds::all() {
        assert!(names.contains(name), "{name} is no law");
        let kept = fs::read(fuzz.join("corpus").join(name).join(&file)).unwrap_or_default();
        assert!(kept == seed, "fuzz/corpus/{name}/{file}: run `just vectors`");
    }
}
