//! G2, G3, G7 and G9: many entries at a time, what they take on disk, and the audit of them all.

use std::io::Cursor;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use airtight_keys::envelope::{Envelope, IN_TOTO_PAYLOAD_TYPE, pae};
use airtight_keys::public::Algorithm;
use airtight_log::digest::{LeafIndex, sha256};
use airtight_log::store::{Prepared, Worker};
use airtight_log::tree::leaf_hash;

use super::clock::{Spread, cpu_of, median, spread, wall_us};
use super::corpus::{self, ENVELOPE_LEN, payload};
use super::raw::{Frontier, RawLog};
use super::site::{BenchSite, NOW};
use super::table::{Row, Table};

/// Entries of one transaction.
const BATCH: u64 = 1_000;
/// Batches whose input is made ready at once.
const SHARE: u64 = 20;

/// Fills a log with envelopes under an Ed25519 signature, and releases a checkpoint over them.
pub fn fill(site: &mut BenchSite, entries: u64) {
    for batch in 0..entries.div_ceil(BATCH) {
        let envelopes = envelopes(batch);
        append(site, &envelopes);
    }
    release(site);
}

fn envelopes(batch: u64) -> Vec<Envelope> {
    (batch * BATCH..(batch + 1) * BATCH).map(|number| corpus::envelope(Algorithm::Ed25519, 1, number)).collect()
}

fn append(site: &mut BenchSite, envelopes: &[Envelope]) {
    let verifier = site.keys.signer.public();
    let worker = site.site.store_mut().worker().unwrap();
    let prepared: Vec<Prepared> =
        envelopes.iter().map(|envelope| worker.rendered(envelope, verifier).unwrap()).collect();
    let mut writer = site.site.store_mut().writer("bench", Duration::ZERO).unwrap();
    let done = writer.append(&prepared, NOW).unwrap();
    assert!(done.iter().all(|done| done.new));
}

fn release(site: &mut BenchSite) {
    site.site.store_mut().writer("bench", Duration::ZERO).unwrap().release(&site.keys.log).unwrap();
}

/// Appends batches that another thread prepares meanwhile, as `attest --batch` does.
fn append_beside(site: &mut BenchSite, share: &[Vec<Envelope>], worker: &mut Option<Worker>) {
    let preparer = site.site.store_mut().preparer().unwrap();
    let kept = worker.take().filter(|worker| worker.is_of(&preparer));
    let worker = worker.insert(kept.unwrap_or_else(|| preparer.worker()));
    let verifier = site.keys.signer.public().clone();
    let (sender, receiver) = sync_channel::<Vec<Prepared>>(2);
    thread::scope(|scope| {
        scope.spawn(move || {
            for envelopes in share {
                let prepared = envelopes.iter().map(|envelope| worker.rendered(envelope, &verifier).unwrap()).collect();
                sender.send(prepared).unwrap();
            }
        });
        for prepared in receiver {
            let mut writer = site.site.store_mut().writer("bench", Duration::ZERO).unwrap();
            assert!(writer.append(&prepared, NOW).unwrap().iter().all(|done| done.new));
        }
    });
}

/// What a series of shares took.
#[derive(Default)]
struct Taken {
    raw_us: Vec<f64>,
    our_us: Vec<f64>,
    raw_cpu: f64,
    our_cpu: f64,
}

impl Taken {
    /// Gives a share to the raw log and to ours.
    fn share(&mut self, share: &[Vec<Envelope>], raw: &mut RawLog, ours: &mut dyn FnMut(&[Vec<Envelope>])) {
        let texts: Vec<Vec<String>> =
            share.iter().map(|envelopes| envelopes.iter().map(Envelope::to_json).collect()).collect();
        assert!(texts.iter().flatten().all(|text| text.len() == ENVELOPE_LEN));
        let (cpu, (time, ())) = cpu_of(|| wall_us(|| texts.iter().for_each(|batch| raw.append(batch))));
        self.raw_us.push(time);
        self.raw_cpu += cpu;
        let (cpu, (time, ())) = cpu_of(|| wall_us(|| ours(share)));
        self.our_us.push(time);
        self.our_cpu += cpu;
    }

    fn ratio(&self) -> f64 {
        self.raw_us.iter().sum::<f64>() / self.our_us.iter().sum::<f64>()
    }
}

/// G2: batches of envelopes that are signed already, durable batch by batch, up to each of `sizes`; the raw log gets the
/// same batches in turn.
pub fn appends(site: &mut BenchSite, table: &mut Table, sizes: &[u64]) {
    let alone = one_thread(&site.home.with_extension("alone"), sizes[0].min(100_000));
    let mut raw = RawLog::create(&site.home.with_extension("raw"));
    let (mut taken, mut batch, mut worker) = (Taken::default(), 0, None);
    for &size in sizes {
        while batch < size / BATCH {
            // The first batches stand alone: after them there is a dictionary.
            let until = if batch < 2 { batch + 1 } else { (batch / SHARE + 1) * SHARE };
            let share: Vec<Vec<Envelope>> = (batch..until).map(envelopes).collect();
            taken.share(&share, &mut raw, &mut |share| append_beside(site, share, &mut worker));
            batch = until;
        }
        let ratio = taken.ratio();
        let median = median(&taken.raw_us.iter().zip(&taken.our_us).map(|(raw, ours)| raw / ours).collect::<Vec<_>>());
        let entries = (batch * BATCH) as f64;
        let rate = |times: &[f64]| entries / times.iter().sum::<f64>() * 1e6;
        let name = format!("G2 10^{}", size.ilog10());
        table.set(Row {
            goal: &name,
            what: format!(
                "batches of 1,000, signed before: leaf hash, tree, both indexes, durable, from an empty log to 10^{} \
                 entries, prepared on a second thread; rate / rate of a raw file with leaf hash, tree and one fdatasync a \
                 batch",
                size.ilog10()
            ),
            target: "≥ 0.6",
            here: format!(
                "{ratio:.2} (median share {median:.2}; one thread {alone:.2}); {:.0} entries/s, raw {:.0}; CPU {:.1} µs an \
                 entry, raw {:.1}",
                rate(&taken.our_us),
                rate(&taken.raw_us),
                taken.our_cpu / entries,
                taken.raw_cpu / entries
            ),
            met: Some(ratio >= 0.6),
        });
    }
    release(site);
}

/// The same with one thread.
fn one_thread(home: &Path, size: u64) -> f64 {
    let mut site = BenchSite::create(home);
    let mut raw = RawLog::create(&home.with_extension("alone.raw"));
    let mut taken = Taken::default();
    for batch in 0..size / BATCH {
        taken.share(&[envelopes(batch)], &mut raw, &mut |share| append(&mut site, &share[0]));
    }
    taken.ratio()
}

/// G7: bytes on disk.
pub fn bytes(site: &mut BenchSite, table: &mut Table) {
    let entries = site.site.store_mut().read().unwrap().size().get();
    let len = std::fs::metadata(site.home.join("log/log.db")).unwrap().len();
    let each = len as f64 / entries as f64;
    table.set(Row {
        goal: "G7",
        what: format!(
            "bytes of log.db an entry, at {entries} entries, tree and both indexes in it; envelopes of {ENVELOPE_LEN} B"
        ),
        target: "≤ 350 B",
        here: format!("{each:.0} B ({:.2} of the envelope)", each / ENVELOPE_LEN as f64),
        met: Some(each <= 350.0),
    });
}

/// G9: the audit of a whole log against hashing alone.
pub fn audit(site: &mut BenchSite, table: &mut Table) {
    let entries = site.site.store_mut().read().unwrap().size().get();
    let verifier = site.keys.signer.public().clone();
    // What is hashed: each entry's envelope, payload and leaf, and the tree over the leaves. Made ready in memory.
    let sample: Vec<(String, Vec<u8>, Vec<u8>)> = (0..BATCH)
        .map(|number| {
            let envelope = corpus::envelope(Algorithm::Ed25519, 1, number);
            let body = airtight_log::entry::Entry::of(&envelope, &verifier).unwrap().into_body();
            (envelope.to_json(), envelope.payload_unverified().to_vec(), body)
        })
        .collect();
    let (mut ratios, mut audits, mut hashings, mut one_hashings, mut cpus) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..5 {
        let rounds = entries / BATCH;
        let (hashing, ()) = wall_us(|| {
            let mut frontier = Frontier::default();
            for _ in 0..rounds {
                for (text, payload, body) in &sample {
                    std::hint::black_box((sha256(text.as_bytes()), sha256(payload)));
                    frontier.push(leaf_hash(body));
                }
            }
            std::hint::black_box(frontier.root());
        });
        let (one_hashing, ()) = wall_us(|| {
            let mut frontier = Frontier::default();
            for _ in 0..rounds {
                sample.iter().for_each(|(text, _, _)| frontier.push(leaf_hash(text.as_bytes())));
            }
            std::hint::black_box(frontier.root());
        });
        let (cpu, (audit, report)) = cpu_of(|| wall_us(|| site.site.store_mut().fsck(2, &mut |_, _| {}).unwrap()));
        assert_eq!(report.entries, entries);
        ratios.push(audit / hashing);
        audits.push(audit);
        hashings.push(hashing);
        one_hashings.push(one_hashing);
        cpus.push(cpu);
    }
    let Spread { median: ratio, least, most } = spread(&ratios);
    let each = |times: &[f64]| median(times) / entries as f64;
    table.set(Row {
        goal: "G9",
        what: format!(
            "`log fsck` of {entries} entries / pure hashing, one thread, of what the audit must hash (envelope, payload, leaf, \
             tree)"
        ),
        target: "≤ 1.5×",
        here: format!(
            "{ratio:.2}× ({least:.2}–{most:.2}); {:.2} µs an entry ({:.2} µs CPU), hashing {:.2} µs; {:.1}× of hashing each \
             envelope once ({:.2} µs)",
            each(&audits),
            each(&cpus),
            each(&hashings),
            median(&audits) / median(&one_hashings),
            each(&one_hashings),
        ),
        met: Some(ratio <= 1.5),
    });
}

/// Lines of one window of G3.
const LINES: u64 = 20_000;

/// G3: `attest --batch`, by CPU time, against signing alone.
pub fn sign_and_append(scratch: &Path, table: &mut Table) {
    for (goal, algorithm) in [("G3 P-256", Algorithm::P256), ("G3 Ed25519", Algorithm::Ed25519)] {
        let mut site = BenchSite::with_signer(&scratch.join(algorithm.name()), algorithm);
        let (mut beyond, mut attested, mut signed) = (Vec::new(), Vec::new(), Vec::new());
        // The first window trains the dictionary and is not counted.
        for window in 0..10 {
            let payloads: Vec<Vec<u8>> = (window * LINES..(window + 1) * LINES).map(|n| payload(5, n)).collect();
            let mut lines = payloads.join(&b'\n');
            lines.push(b'\n');
            let messages: Vec<Vec<u8>> = payloads.iter().map(|payload| pae(IN_TOTO_PAYLOAD_TYPE, payload)).collect();
            let signing =
                || messages.iter().map(|message| site.keys.signer.sign(message).unwrap().len()).sum::<usize>();
            let (before, _) = cpu_of(signing);
            let (cpu, report) = cpu_of(|| {
                site.site
                    .attest_batch(&mut Cursor::new(&lines), &site.keys, 2, &|| NOW, "bench", &mut |_| Ok(()))
                    .unwrap()
            });
            assert_eq!(report.new, LINES);
            let (after, _) =
                cpu_of(|| messages.iter().map(|message| site.keys.signer.sign(message).unwrap().len()).sum::<usize>());
            if window > 0 {
                let (raw, ours) = ((before + after) / 2.0 / LINES as f64, cpu / LINES as f64);
                beyond.push(ours - raw);
                attested.push(ours);
                signed.push(raw);
            }
        }
        assert!(site.site.store_mut().read().unwrap().leaf_hash(LeafIndex::new(1).unwrap()).is_ok());
        let Spread { median: more, least, most } = spread(&beyond);
        table.set(Row {
            goal,
            what: format!(
                "`attest --batch`, two threads, CPU an attestation beyond signing alone ({}); the line read, checked, logged, \
                 a checkpoint at the end",
                algorithm.name()
            ),
            target: "≤ 6 µs",
            here: format!(
                "{more:.1} µs ({least:.1}–{most:.1}); {:.1} µs, signing {:.1} µs",
                median(&attested),
                median(&signed)
            ),
            met: Some(more <= 6.0),
        });
    }
}
