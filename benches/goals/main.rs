//! Measures what this build does against its goals, and writes the table of docs/PERFORMANCE.md.
//!
//! ```text
//! just bench                 every row that fits a coffee break, logs of up to a million entries
//! just bench G5 G9           some rows only
//! just bench G9 100000       and a large log of another size, a power of ten
//! just bench-large           the rows that need a log of ten million entries: 18 GB of disk (the raw log takes 14), ten minutes and more
//! ```
//!
//! A goal is a ratio to something raw that is timed in the same process, the two taken in turn, because a shared machine
//! drifts: a raw `fdatasync` may cost three times of what it cost a minute ago, and so does everything above it. A row is
//! the median of at least five windows. What needs the disk is timed by the wall, what needs the processor by the
//! process's CPU time, which leaves out what other machines on the same host took away. Rows that were not asked for stay
//! as they are.
//!
//! `AIRTIGHT_COSIGN` and `AIRTIGHT_SIGSTORE_GO` name the other clients of row G6b, which are else looked for where
//! tests/interop/install.sh puts them; `AIRTIGHT_STATIC` names the statically linked binary of G4b, G6 and G6b, which
//! `just bench` builds. Data goes below cargo's target directory and is removed.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark is free of the ban list of clippy.toml"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to whoever runs it")]

mod batch;
mod certified;
mod clock;
mod corpus;
#[path = "../../tests/forge/mod.rs"]
mod forge;
mod many;
mod process;
mod proof;
mod raw;
mod single;
mod site;
mod table;

use std::path::Path;

use self::site::BenchSite;
use self::table::Table;

/// Entries of the large log of a usual run.
const LARGE: u64 = 1_000_000;
/// Entries of the log that `just bench-large` builds.
const HUGE: u64 = 10_000_000;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let (numbers, asked): (Vec<String>, Vec<String>) =
        asked.into_iter().partition(|asked| asked.parse::<u64>().is_ok());
    let large_size = numbers.first().map_or(LARGE, |number| number.parse().unwrap());
    let wants = |row: &str| asked.is_empty() || asked.iter().any(|asked| asked.eq_ignore_ascii_case(row));
    let mut table = Table::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PERFORMANCE.md"));
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("goals");
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch).unwrap();

    if asked.iter().any(|asked| asked == "large") {
        let mut large = BenchSite::create(&scratch.join("huge"));
        batch::appends(&mut large, &mut table, &[HUGE / 100, HUGE]);
        proof::warm(&mut large, &mut table, &scratch);
        proof::cold(&mut large, &mut table);
    } else {
        if wants("G1") {
            single::attest(&scratch, &mut table);
        }
        if wants("G1b") {
            single::commit(&scratch, &mut table);
        }
        if wants("G3") {
            batch::sign_and_append(&scratch, &mut table);
        }
        if wants("G12") {
            many::keyed(&scratch, &mut table);
            many::certified(&scratch, &mut table);
        }
        if ["G2", "G4", "G4b", "G5", "G6", "G6b", "G7", "G9"].iter().any(|row| wants(row)) {
            let mut large = BenchSite::create(&scratch.join("large"));
            if wants("G2") || wants("G7") {
                batch::appends(&mut large, &mut table, &[large_size / 10, large_size]);
            } else {
                batch::fill(&mut large, large_size);
            }
            if wants("G7") {
                batch::bytes(&mut large, &mut table);
            }
            if wants("G9") {
                batch::audit(&mut large, &mut table);
            }
            if wants("G4") {
                proof::warm(&mut large, &mut table, &scratch);
            }
            if wants("G4b") {
                proof::cold(&mut large, &mut table);
            }
            if wants("G5") {
                proof::verification(&mut large, &mut table);
            }
            if wants("G6") || wants("G6b") {
                process::verification(&scratch, &mut table);
            }
        }
    }
    std::fs::remove_dir_all(&scratch).unwrap();
    table.write();
}
