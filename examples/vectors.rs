//! Writes the folders of `tests/vectors/` and the seeds of `fuzz/corpus/` again: `cargo run --example vectors`. Fixed keys and times, so the same bytes each time.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "writes files of the repository"
)]

#[path = "../tests/forge/mod.rs"]
mod forge;

use std::fs;
use std::path::Path;

fn main() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    // A folder that no case names any more must not stay.
    for entry in fs::read_dir(&vectors).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    let cases = forge::cases::all();
    for case in &cases {
        let folder = vectors.join(&case.name);
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        for (name, content) in case.files() {
            fs::write(folder.join(name), content).unwrap();
        }
    }
    // Inputs that somebody kept by hand stay where they are.
    let seeds = forge::seeds::all();
    for (corpus, file, content) in &seeds {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), content).unwrap();
    }
    println!("{} cases, {} seeds", cases.len(), seeds.len());
}
