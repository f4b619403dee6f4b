//! G12: many bundles in one process, beside the raw verifications that they need.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use airtight_keys::public::Algorithm;
use airtight_keys::sign::SoftKey;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, EcdsaVerificationAlgorithm, UnparsedPublicKey};

use super::certified::{CHECKS, Kind, write};
use super::clock::{Spread, median, spread, wall_us};
use super::forge;
use super::forge::certified::{Issuer, LargerKey};
use super::process::{binary, memory_kib, quiet};
use super::table::{Row, Table};

/// How many bundles `verify --dir` is given, and how often.
const MANY: usize = 1_000;
const ROUNDS: usize = 9;

/// G12, with a key.
pub fn keyed(scratch: &Path, table: &mut Table) {
    let named = binary();
    let airtight = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_airtight")));
    let folder = scratch.join("many");
    std::fs::create_dir_all(&folder).unwrap();
    let artifacts: Vec<String> = (0..MANY).map(|number| format!("part-{number:04}")).collect();
    for artifact in &artifacts {
        std::fs::write(folder.join(artifact), format!("{artifact}\n")).unwrap();
    }
    let home = scratch.join("many-home");
    let ours = |arguments: &[&str]| {
        let mut command = Command::new(&airtight);
        command.current_dir(&folder).env("AIRTIGHT_HOME", &home).args(arguments);
        command
    };
    let mut attest = ours(&["attest", "--init", "--origin", "bench.example/m", "--no-passphrase"]);
    quiet({
        attest.args(&artifacts);
        attest
    });
    let (key, root) = (home.join("keys/signer.pub"), home.join("trusted_root.json"));
    let checkpoints: HashSet<String> = artifacts.iter().map(|artifact| checkpoint_of(&folder, artifact)).collect();
    // Of each bundle the envelope's signature and the log's promise, of each checkpoint its own.
    let checks = 2 * MANY + checkpoints.len();
    let verify = || {
        let mut command = ours(&["verify", "--dir", ".", "--key"]);
        command.arg(&key).arg("--trusted-root").arg(&root);
        command
    };
    let what = format!("{MANY} P-256 bundles");
    beside_raw("G12", &what, &RawChecks::new(checks, 0), &folder, &verify, table);
}

/// G12, with certificates in place of a key.
pub fn certified(scratch: &Path, table: &mut Table) {
    let asked = "each certificate, its promise, signature, entry's promise, checkpoint";
    for (goal, kind, what) in [
        (
            "G12 public",
            Kind::Public,
            format!("as public Sigstore's (authorities on P-384, the rest P-256: {asked}, time stamp)"),
        ),
        ("G12 certificates", Kind::P256, format!("all on P-256 ({asked})")),
    ] {
        let airtight = binary().unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_airtight")));
        let (folder, root) = (scratch.join(goal), scratch.join(format!("{goal} root.json")));
        std::fs::create_dir_all(&folder).unwrap();
        write(&folder, &root, MANY, kind);
        let verify = || {
            let mut command = Command::new(&airtight);
            command.current_dir(&folder).args([&format!("--now={}", forge::NOW), "verify", "--dir", "."]);
            command.args(["--certificate-identity", forge::certified::NAME]);
            command.args(["--certificate-oidc-issuer", forge::certified::ISSUER]).arg("--trusted-root").arg(&root);
            command
        };
        // The certificates of authorities, below the one root or the two, are asked once for all.
        let checks = match kind {
            Kind::P256 => RawChecks::new((CHECKS + 1) * MANY + 1, 0),
            Kind::Public => RawChecks::new(CHECKS * MANY, 2 * MANY + 2),
        };
        beside_raw(goal, &format!("{MANY} bundles with certificates, {what}"), &checks, &folder, &verify, table);
    }
}

/// Times the judgement of [`MANY`] bundles and as many raw verifications as they need in turn, these alone and behind a start of the binary that does
/// nothing and a reading of every file; and writes the row.
fn beside_raw(
    goal: &'static str,
    what: &str,
    raw: &RawChecks,
    folder: &Path,
    verify: &dyn Fn() -> Command,
    table: &mut Table,
) {
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let cores = std::thread::available_parallelism().unwrap().get();
    let (mut times, mut ratios, mut with_files) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms both.
    for round in 0..=ROUNDS {
        let (alone, ()) = wall_us(|| raw.verify(cores));
        let (whole, ()) = wall_us(|| quiet(verify()));
        let (reading, ()) = wall_us(|| {
            let mut nothing = Command::new(verify().get_program());
            nothing.arg("--version");
            quiet(nothing);
            read_all(&files, cores);
        });
        if round > 0 {
            times.push(whole / MANY as f64);
            ratios.push(alone / whole);
            with_files.push((alone + reading) / whole);
        }
    }
    let Spread { median: ratio, least, most } = spread(&ratios);
    let (peak, own) = {
        let mut command = verify();
        command.arg("--json");
        memory_kib(command)
    };
    table.set(Row {
        goal,
        what: format!(
            "`airtight verify --dir` of {what}, start to exit, {cores} cores: rate / rate of the raw signature verifications they need on as many threads"
        ),
        target: "≥ 0.9",
        here: format!(
            "{ratio:.2} ({least:.2}–{most:.2}), {:.2} where a start and the reading of every file stand beside them; {:.0} µs a bundle, {} verifications; {:.1} MiB, {:.1} of it its own",
            median(&with_files),
            median(&times),
            raw.signed.len(),
            peak / 1024.0,
            own / 1024.0
        ),
        met: Some(ratio >= 0.9),
    });
}

/// Reads the text of a bundle's checkpoint.
fn checkpoint_of(folder: &Path, artifact: &str) -> String {
    let text = std::fs::read(folder.join(format!("{artifact}.sigstore.json"))).unwrap();
    let bundle: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let proof = &bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
    proof["checkpoint"]["envelope"].as_str().unwrap().to_owned()
}

/// Signatures over distinct messages, as those of many bundles are: a processor learns the way through one that is verified again and again.
struct RawChecks {
    signed: Vec<Signed>,
}

struct Signed {
    message: [u8; 860],
    signature: Vec<u8>,
    /// Of the library that verifies in the product.
    key: UnparsedPublicKey<Vec<u8>>,
}

impl RawChecks {
    /// Signs so many messages by a few keys on P-256, and so many by one on P-384, mixed as they are in bundles.
    fn new(smaller: usize, larger: usize) -> RawChecks {
        let keys: Vec<SoftKey> =
            (1..=4).map(|secret| SoftKey::from_secret(Algorithm::P256, &[secret; 32]).unwrap()).collect();
        let larger_key = LargerKey::new(3);
        let signed = |number: usize| {
            let mut message = [9; 860];
            message[..8].copy_from_slice(&number.to_le_bytes());
            // Every so many of them is a larger one.
            let all = smaller + larger;
            if (number + 1) * larger / all == number * larger / all {
                let key = &keys[number % keys.len()];
                let (signature, key) = (key.signature(&message), point(&ECDSA_P256_SHA256_ASN1, &key.spki()));
                Signed { message, signature, key }
            } else {
                let key = point(&ECDSA_P384_SHA384_ASN1, &larger_key.spki());
                Signed { message, signature: larger_key.signature(&message), key }
            }
        };
        RawChecks { signed: (0..smaller + larger).map(signed).collect() }
    }

    /// Verifies each once, on so many threads.
    fn verify(&self, threads: usize) {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || {
                    for Signed { message, signature, key } in self.signed.iter().skip(thread).step_by(threads) {
                        key.verify(message, signature).unwrap();
                    }
                });
            }
        });
    }
}

/// Reads the point that ends a SubjectPublicKeyInfo: 4 and two coordinates.
fn point(algorithm: &'static EcdsaVerificationAlgorithm, spki: &[u8]) -> UnparsedPublicKey<Vec<u8>> {
    let len = if std::ptr::eq(algorithm, &ECDSA_P256_SHA256_ASN1) { 65 } else { 97 };
    UnparsedPublicKey::new(algorithm, spki[spki.len() - len..].to_vec())
}

/// Reads each file once, on so many threads.
fn read_all(files: &[PathBuf], threads: usize) {
    std::thread::scope(|scope| {
        for share in files.chunks(files.len().div_ceil(threads)) {
            scope.spawn(move || {
                for file in share {
                    std::hint::black_box(std::fs::read(file).unwrap());
                }
            });
        }
    });
}
