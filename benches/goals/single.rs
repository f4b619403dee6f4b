//! G1 and G1b: one attestation at a time, each durable before it is answered.

use std::path::Path;
use std::time::Duration;

use airtight_keys::envelope::{IN_TOTO_PAYLOAD_TYPE, pae};
use airtight_keys::public::Algorithm;
use airtight_log::store::Prepared;

use super::clock::{Spread, cpu_of, median, spread, wall_us};
use super::corpus::{self, payload};
use super::raw::RawFile;
use super::site::{BenchSite, NOW};
use super::table::{Row, Table};

/// Operations of one window.
const OPERATIONS: u64 = 300;
/// Windows that are taken.
const WINDOWS: u64 = 13;
/// Windows that count: the ones in which the raw operation was fastest, for in the others the machine was measured.
const COUNTED: usize = 9;

/// The p50 of both in one window, in microseconds.
#[derive(Clone, Copy)]
struct Window {
    raw: f64,
    ours: f64,
}

/// Keeps the windows that count.
fn counted(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_by(|a, b| a.raw.total_cmp(&b.raw));
    windows.truncate(COUNTED);
    windows
}

fn p50s(windows: &[Window]) -> (f64, f64) {
    let (raw, ours): (Vec<f64>, Vec<f64>) = windows.iter().map(|window| (window.raw, window.ours)).unzip();
    (median(&raw), median(&ours))
}

/// Entries in the log before the first window: a dictionary is trained, and the index has runs.
const BEFORE: u64 = 10_000;

/// G1: sign, append, release, prove, render, against a program that only signs four times and syncs twice.
pub fn attest(scratch: &Path, table: &mut Table) {
    let mut site = BenchSite::create(&scratch.join("single"));
    super::batch::fill(&mut site, BEFORE);
    let mut files = [RawFile::preallocated(&scratch.join("wal")), RawFile::preallocated(&scratch.join("head"))];
    let (mut windows, mut bare_cpu, mut our_cpu) = (Vec::new(), 0.0, 0.0);
    for window in 0..WINDOWS {
        let (mut bare, mut attested) = (Vec::new(), Vec::new());
        for number in window * OPERATIONS..(window + 1) * OPERATIONS {
            let message = pae(IN_TOTO_PAYLOAD_TYPE, &payload(2, number));
            let (cpu, (time, ())) = cpu_of(|| wall_us(|| bare_program(&site, &message, &mut files)));
            bare.push(time);
            bare_cpu += cpu;
            let statement = vec![corpus::statement(3, number)];
            let (cpu, (time, proven)) =
                cpu_of(|| wall_us(|| site.site.attest(statement, &site.keys, NOW, "bench").unwrap()));
            assert!(proven[0].new && proven[0].bundle.len() > 2_000);
            attested.push(time);
            our_cpu += cpu;
        }
        windows.push(Window { raw: median(&bare), ours: median(&attested) });
    }
    let windows = counted(windows);
    let (bare, ours) = p50s(&windows);
    let operations = (WINDOWS * OPERATIONS) as f64;
    let ratios: Vec<f64> = windows.iter().map(|window| window.raw / window.ours).collect();
    let Spread { median: ratio, least, most } = spread(&ratios);
    table.set(Row {
        goal: "G1",
        what: "one attestation, durable, bundle made: rate / rate of a bare program that makes the same four signatures and two \
               overwrite+fdatasync"
            .to_owned(),
        target: "≥ 0.8",
        here: format!(
            "{ratio:.2} ({least:.2}–{most:.2}); p50 {ours:.0} µs, bare {bare:.0} µs; CPU {:.0} µs, bare {:.0} µs",
            our_cpu / operations,
            bare_cpu / operations
        ),
        met: Some(ratio >= 0.8),
    });
}

/// Makes the four signatures of an attestation, and the two syncs.
fn bare_program(site: &BenchSite, message: &[u8], files: &mut [RawFile; 2]) {
    let log = &site.keys.log;
    let mut signed = site.keys.signer.sign(message).unwrap().len();
    files[0].overwrite();
    signed += log.p256().sign(&message[..100]).unwrap().len();
    signed += log.ed25519().sign(&message[..90]).unwrap().len();
    files[1].overwrite();
    signed += log.p256().sign(message).unwrap().len();
    assert!(signed > 250);
}

/// G1b: one commit of one entry that is prepared already.
pub fn commit(scratch: &Path, table: &mut Table) {
    let mut site = BenchSite::create(&scratch.join("commit"));
    super::batch::fill(&mut site, BEFORE);
    let (mut growing, mut preallocated) =
        (RawFile::growing(&scratch.join("growing")), RawFile::preallocated(&scratch.join("preallocated")));
    let (mut against_append, mut against_overwrite) = (Vec::new(), Vec::new());
    for window in 0..WINDOWS {
        let prepared: Vec<Prepared> = prepare(&mut site, window);
        let (mut commit, mut append, mut overwrite) = (Vec::new(), Vec::new(), Vec::new());
        let mut writer = site.site.store_mut().writer("bench", Duration::ZERO).unwrap();
        for one in &prepared {
            append.push(wall_us(|| growing.append()).0);
            overwrite.push(wall_us(|| preallocated.overwrite()).0);
            let (time, done) = wall_us(|| writer.append(std::slice::from_ref(one), NOW).unwrap());
            assert!(done[0].new);
            commit.push(time);
        }
        against_append.push(Window { raw: median(&append), ours: median(&commit) });
        against_overwrite.push(Window { raw: median(&overwrite), ours: median(&commit) });
    }
    let rows = [
        ("G1b append", "a file that grows by 4 KiB", "≤ 0.75", 0.75, against_append),
        ("G1b overwrite", "4 KiB written over a file's own", "≤ 1.5", 1.5, against_overwrite),
    ];
    for (goal, what, target, most_allowed, windows) in rows {
        let windows = counted(windows);
        let (raw, ours) = p50s(&windows);
        let ratios: Vec<f64> = windows.iter().map(|window| window.ours / window.raw).collect();
        let Spread { median: ratio, least, most } = spread(&ratios);
        table.set(Row {
            goal,
            what: format!("commit of one entry, p50 / p50 of write+fdatasync of {what}"),
            target,
            here: format!("{ratio:.2} ({least:.2}–{most:.2}); p50 {ours:.0} µs, raw {raw:.0} µs"),
            met: Some(ratio <= most_allowed),
        });
    }
}

fn prepare(site: &mut BenchSite, window: u64) -> Vec<Prepared> {
    let preparer = site.site.store_mut().preparer().unwrap();
    let mut worker = preparer.worker();
    (0..OPERATIONS)
        .map(|number| {
            let envelope = corpus::envelope(Algorithm::P256, 4, window * OPERATIONS + number);
            worker.rendered(&envelope, site.keys.signer.public()).unwrap()
        })
        .collect()
}
