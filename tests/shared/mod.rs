//! Vectors that others made: they lie in a folder that is not part of this repository, and `AIRTIGHT_SHARED` names it. Without it a test that reads
//! them prints a line and passes.
#![allow(dead_code, reason = "each test takes what it needs of it")]

use std::fs;
use std::path::{Path, PathBuf};

use airtight::trust::TrustedRoot;

/// Later than every time in the vectors, in seconds since the epoch.
pub const NOW: u64 = 1_800_000_000;

/// The folder of the vectors; a test without it says so by its name.
pub fn vectors(test: &str) -> Option<PathBuf> {
    match std::env::var_os("AIRTIGHT_SHARED") {
        Some(folder) => Some(PathBuf::from(folder).join("vectors")),
        None => {
            println!("{test}: not run, AIRTIGHT_SHARED is not set");
            None
        }
    }
}

/// Reads the trusted root of a vector.
pub fn root(path: impl AsRef<Path>) -> TrustedRoot {
    TrustedRoot::parse(&fs::read(path).unwrap()).unwrap()
}
