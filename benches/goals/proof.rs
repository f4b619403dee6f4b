//! G4, G4b and G5: inclusion proofs from a warm and from a cold log, and the judgement of a bundle.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use airtight::trust::TrustedRoot;
use airtight::verify::{Input, Policy, Subject, verify};
use airtight_keys::envelope::{IN_TOTO_PAYLOAD_TYPE, pae};
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::{LeafIndex, sha256};
use airtight_log::proofs::verify_inclusion;
use airtight_log::store::{Access, Store};

use super::clock::{Spread, cpu_of, median, spread, wall_us};
use super::corpus::{self, Seeded};
use super::site::{BenchSite, NOW};
use super::table::{Row, Table};

/// Proofs of one window.
const PROOFS: u64 = 20_000;
/// Proofs that are checked.
const CHECKED: u64 = 205;
/// Windows of a row.
const WINDOWS: usize = 9;

/// Makes `count` proofs of random entries, each in a read transaction of its own; returns CPU microseconds a proof.
fn proofs(site: &mut BenchSite, count: u64, random: &mut Seeded) -> f64 {
    let store = site.site.store_mut();
    let size = store.read().unwrap().size().get();
    let (cpu, hashes) = cpu_of(|| {
        let mut hashes = 0;
        for _ in 0..count {
            let index = LeafIndex::new(random.below(size)).unwrap();
            let mut snapshot = store.read().unwrap();
            let size = snapshot.size();
            hashes += snapshot.inclusion(index, size).unwrap().len();
        }
        hashes
    });
    assert!(hashes > 0);
    cpu / count as f64
}

fn check(site: &mut BenchSite, random: &mut Seeded) {
    let mut snapshot = site.site.store_mut().read().unwrap();
    let size = snapshot.size();
    let root = snapshot.root_at(size).unwrap();
    for number in 0..CHECKED {
        let index = [0, size.get() - 1, size.get() / 2].get(number as usize).copied();
        let index = LeafIndex::new(index.unwrap_or_else(|| random.below(size.get()))).unwrap();
        let proof = snapshot.inclusion(index, size).unwrap();
        let leaf = snapshot.leaf_hash(index).unwrap();
        verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
    }
}

/// G4: proofs from a warm log, beside those of a log of 10^4.
pub fn warm(large: &mut BenchSite, table: &mut Table, scratch: &Path) {
    let mut small = BenchSite::create(&scratch.join("small"));
    super::batch::fill(&mut small, 10_000);
    let mut random = Seeded(11);
    check(&mut small, &mut random);
    check(large, &mut random);
    // Warm is what lies in memory: a log of gigabytes, and the raw file beside it, may have left it meanwhile.
    let mut database = File::open(large.home.join("log/log.db")).unwrap();
    std::io::copy(&mut database, &mut std::io::sink()).unwrap();
    let (mut ratios, mut larges, mut smalls) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms both.
    for window in 0..=WINDOWS {
        let (few, many) = (proofs(&mut small, PROOFS, &mut random), proofs(large, PROOFS, &mut random));
        if window > 0 {
            ratios.push(many / few);
            larges.push(many);
            smalls.push(few);
        }
    }
    let entries = large.site.store_mut().read().unwrap().size().get();
    let Spread { median: ratio, least, most } = spread(&ratios);
    let rate = 1e6 / median(&larges);
    let goal = format!("G4 10^{}", entries.ilog10());
    table.set(Row {
        goal: &goal,
        what: format!(
            "inclusion proof, warm, a read transaction each, at 10^{} entries: rate by CPU; cost / cost at 10^4",
            entries.ilog10()
        ),
        target: "≥ 80,000/s; ≤ 3× (both for 10^7)",
        here: format!(
            "{rate:.0}/s; {ratio:.2}× ({least:.2}–{most:.2}); {:.1} µs, at 10^4 {:.1} µs",
            median(&larges),
            median(&smalls)
        ),
        met: Some(rate >= 80_000.0 && ratio <= 3.0),
    });
}

/// Throws the log's pages out of the machine's memory.
fn chill(site: &BenchSite) {
    for name in ["log.db", "log.db-wal"] {
        if let Ok(file) = File::open(site.home.join("log").join(name)) {
            file.sync_all().unwrap();
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        }
    }
}

/// Counts the reading system calls of this process so far.
fn reads() -> u64 {
    let counts = std::fs::read_to_string("/proc/self/io").unwrap();
    counts.lines().find_map(|line| line.strip_prefix("syscr: ")).unwrap().parse().unwrap()
}

/// G4b: one proof by a process that has nothing in memory.
pub fn cold(site: &mut BenchSite, table: &mut Table) {
    let entries = site.site.store_mut().read().unwrap().size().get();
    let mut random = Seeded(13);
    let (mut inside, mut counts, mut outside) = (Vec::new(), Vec::new(), Vec::new());
    let directory = site.home.join("log");
    // Another connection would hold pages in its own memory, not in the machine's; the WAL is left as it is.
    for _ in 0..41 {
        let index = LeafIndex::new(random.below(entries)).unwrap();
        chill(site);
        // Reading the count is itself seen by the count: two calls.
        let before = reads();
        let (time, proof) = wall_us(|| {
            let mut store = Store::open(&directory, &site.home.join("head.note"), Access::Read).unwrap();
            let mut snapshot = store.read().unwrap();
            let size = snapshot.size();
            snapshot.inclusion(index, size).unwrap()
        });
        assert!(!proof.is_empty());
        counts.push((reads() - before).saturating_sub(2) as f64);
        inside.push(time);
        if let Some(binary) = super::process::binary() {
            chill(site);
            let mut command = Command::new(binary);
            command.args(["--json", "--home"]).arg(&site.home).args(["log", "prove", &index.get().to_string()]);
            let (time, out) = wall_us(|| command.output().unwrap());
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            outside.push(time);
        }
    }
    let goal = format!("G4b 10^{}", entries.ilog10());
    let (wall, pages) = (median(&inside) / 1e3, median(&counts));
    let process = if outside.is_empty() {
        "the whole process not measured here".to_owned()
    } else {
        format!("whole process {:.2} ms", median(&outside) / 1e3)
    };
    let time = if outside.is_empty() { wall } else { median(&outside) / 1e3 };
    table.set(Row {
        goal: &goal,
        what: format!(
            "inclusion proof, cold, at 10^{} entries: the log's pages thrown out of memory, opened, proven",
            entries.ilog10()
        ),
        target: "≤ 1.5 ms; ≤ 12 reads (both for 10^7)",
        here: format!("{process}; open and prove {wall:.2} ms, {pages:.0} reads"),
        met: Some(time <= 1.5 && pages <= 12.0),
    });
}

/// G5: the whole judgement of a bundle, against its three signatures alone.
pub fn verification(site: &mut BenchSite, table: &mut Table) {
    let number = 77;
    let proven = site.site.attest(vec![corpus::statement(6, number)], &site.keys, NOW, "bench").unwrap().remove(0);
    let payload = corpus::payload(6, number);
    let digest = artifact(&payload);
    let identity = site.site.store().identity().clone();
    let root = TrustedRoot::of_log("https://log.example/bench", &identity.keys().p256, NOW);
    let keys: [VerifierKey; 1] = [site.keys.signer.public().clone().into()];
    let input = Input {
        bundle: proven.bundle.as_bytes(),
        subject: Subject::Digest(digest),
        keys: &keys,
        trusted_root: &root,
        policy: &Policy::default(),
        now: NOW + 10,
    };
    // The same three kinds of signature by the same keys over messages of the same lengths.
    let message = pae(IN_TOTO_PAYLOAD_TYPE, &payload);
    let signature = site.keys.signer.sign(&message).unwrap();
    let log = site.keys.log.p256();
    let (note, promise) = (&message[..90], &message[..message.len().min(980)]);
    let (note_signature, promise_signature) = (log.sign(note).unwrap(), log.sign(promise).unwrap());
    let raw = || {
        keys[0].verify(&message, &signature).unwrap();
        identity.keys().p256.verify(note, &note_signature).unwrap();
        identity.keys().p256.verify(promise, &promise_signature).unwrap();
    };
    let judge = || assert!(verify(&input).verdict().is_ok());
    let (mut beyond, mut ratios, mut whole, mut raws) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..15 {
        // In turn, a few at a time, so that a change of the machine's pace meets both.
        let (mut judged, mut verified) = (0.0, 0.0);
        for _ in 0..60 {
            judged += cpu_of(|| (0..20).for_each(|_| judge())).0;
            verified += cpu_of(|| (0..20).for_each(|_| raw())).0;
        }
        let (judged, verified) = (judged / 1_200.0, verified / 1_200.0);
        beyond.push(judged - verified);
        ratios.push(verified / judged);
        whole.push(judged);
        raws.push(verified);
    }
    let Spread { median: more, least, most } = spread(&beyond);
    table.set(Row {
        goal: "G5 cost",
        what: format!(
            "full verification of a bundle ({} bytes, proof of 20 hashes, P-256) beyond its three raw signature verifications, CPU",
            proven.bundle.len()
        ),
        target: "≤ 6 µs",
        here: format!("{more:.1} µs ({least:.1}–{most:.1}); {:.1} µs, raw {:.1} µs", median(&whole), median(&raws)),
        met: Some(more <= 6.0),
    });
    let Spread { median: ratio, least, most } = spread(&ratios);
    table.set(Row {
        goal: "G5 rate",
        what: "the same as rates: full verification / three raw verifications".to_owned(),
        target: "≥ 0.9",
        here: format!("{ratio:.2} ({least:.2}–{most:.2})"),
        met: Some(ratio >= 0.9),
    });
}

/// Gives the digest of a payload's first subject.
fn artifact(payload: &[u8]) -> airtight_log::digest::Sha256Digest {
    let text = std::str::from_utf8(payload).unwrap();
    let (_, rest) = text.split_once(r#""sha256":""#).unwrap();
    airtight_log::digest::Sha256Digest::from_hex(&rest[..64]).unwrap_or_else(|_| sha256(payload))
}
