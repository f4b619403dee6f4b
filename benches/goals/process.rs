//! G6, G6b and G12: the command line from its start to its exit, alone, beside other clients, and with many bundles.

use std::collections::HashSet;
use std::io::{Write, pipe};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign, SoftKey};

use super::certified;
use super::clock::{Spread, median, spread, wall_us};
use super::forge;
use super::table::{Row, Table};

/// Starts of each command, in turn.
const STARTS: usize = 200;
/// Starts of the slower clients.
const SLOW_STARTS: usize = 30;
/// How many bundles `verify --dir` is given, and how often.
const MANY: usize = 1_000;
const ROUNDS: usize = 9;

/// Another client, and how many times of our time it is to take.
struct Peer {
    goal: &'static str,
    name: &'static str,
    target: &'static str,
    least: f64,
    /// The variable that names its program.
    variable: &'static str,
}

/// Names the statically linked binary, where there is one.
pub fn binary() -> Option<PathBuf> {
    std::env::var_os("AIRTIGHT_STATIC").map(PathBuf::from)
}

/// G6 and G6b.
pub fn verification(scratch: &Path, table: &mut Table) {
    let named = binary();
    let linked = if named.is_some() { "static (glibc, crt-static)" } else { "dynamic" };
    let airtight = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_airtight")));
    let folder = scratch.join("process");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("app"), b"an artifact\n").unwrap();
    let ours = |arguments: &[&str]| {
        let mut command = Command::new(&airtight);
        command.current_dir(&folder).args(arguments);
        command
    };
    quiet(ours(&["attest", "--init", "--origin", "bench.example/p", "--no-passphrase", "app"]));
    let (key, root) = (".airtight/keys/signer.pub", ".airtight/trusted_root.json");
    let verify = ["verify", "app", "--key", key, "--trusted-root", root];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        times[0].push(wall_us(|| quiet(ours(&["--version"]))).0);
        times[1].push(wall_us(|| quiet(ours(&verify))).0);
    }
    let [nothing, whole] = times.map(|times| median(&times));
    let raw = 3.0 * raw_verification();
    let ratio = whole / (nothing + raw);
    table.set(Row {
        goal: "G6",
        what: "`airtight verify` of a P-256 bundle, start to exit: p50 / p50 of a do-nothing start of the same binary and its three raw verifications".to_owned(),
        target: "≤ 2.0",
        here: format!("{ratio:.2}; p50 {whole:.0} µs, nothing {nothing:.0} µs, raw {raw:.0} µs; {linked}"),
        met: Some(ratio <= 2.0),
    });
    let (peaks, own): (Vec<f64>, Vec<f64>) =
        (0..9).map(|_| memory_kib(ours(&[&["--json"], &verify[..]].concat()))).unzip();
    let (peak, own) = (median(&peaks) / 1024.0, median(&own) / 1024.0);
    table.set(Row {
        goal: "G6 memory",
        what: "the same: most memory at once (VmHWM), from its start until it says its verdict".to_owned(),
        target: "≤ 3 MiB",
        here: format!("{peak:.1} MiB, {own:.1} of it its own and the rest pages of the binary's file; {linked}"),
        met: Some(peak <= 3.0),
    });
    let other = |arguments: &[&str], client: &Path| {
        let mut command = Command::new(client);
        command.current_dir(&folder).args(arguments);
        command
    };
    let bundle = "app.sigstore.json";
    let cosign = ["verify-blob-attestation", "--type", "https://airtight.dev/artifact/v1", "--bundle", bundle];
    let cosign = [&cosign[..], &["--key", key, "--trusted-root", root, "app"]].concat();
    let sigstore_go = [bundle, key, root, "app"];
    let peers = [
        Peer { goal: "G6b cosign", name: "cosign 3.1.3", target: "≥ 40", least: 40.0, variable: "AIRTIGHT_COSIGN" },
        Peer {
            goal: "G6b sigstore-go",
            name: "sigstore-go (tests/interop)",
            target: "≥ 20",
            least: 20.0,
            variable: "AIRTIGHT_SIGSTORE_GO",
        },
    ];
    for (Peer { goal, name, target, least, variable }, arguments) in peers.into_iter().zip([&cosign[..], &sigstore_go])
    {
        let found = client(variable).map(|client| {
            let (mut theirs, mut ratios) = (Vec::new(), Vec::new());
            for _ in 0..SLOW_STARTS {
                let (their, ()) = wall_us(|| quiet(other(arguments, &client)));
                let (our, ()) = wall_us(|| quiet(ours(&verify)));
                theirs.push(their);
                ratios.push(their / our);
            }
            (median(&ratios), median(&theirs))
        });
        table.set(Row {
            goal,
            what: format!("the same beside {name}, in turn: time of the other / time of airtight, median of the pairs"),
            target,
            here: found.map_or(format!("not measured here: there is no client, and {variable} names none"), |found| {
                format!("{:.0} times; {:.1} ms; {linked}", found.0, found.1 / 1e3)
            }),
            met: found.map(|found| found.0 >= least),
        });
    }
}

/// G12: many bundles in one process.
pub fn many(scratch: &Path, table: &mut Table) {
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
    beside_raw("G12", &what, checks, &folder, &verify, table);
}

/// G12, with certificates in place of a key.
pub fn many_certified(scratch: &Path, table: &mut Table) {
    let airtight = binary().unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_airtight")));
    let (folder, root) = (scratch.join("certified"), scratch.join("certified-root.json"));
    std::fs::create_dir_all(&folder).unwrap();
    certified::write(&folder, &root, MANY);
    let verify = || {
        let mut command = Command::new(&airtight);
        command.current_dir(&folder).args([&format!("--now={}", forge::NOW), "verify", "--dir", "."]);
        command.args(["--certificate-identity", forge::certified::NAME]);
        command.args(["--certificate-oidc-issuer", forge::certified::ISSUER]).arg("--trusted-root").arg(&root);
        command
    };
    // The certificate of the authority between root and signers is one for all.
    let checks = certified::CHECKS * MANY + 1;
    let what = format!(
        "{MANY} bundles with certificates (P-256: each certificate, its promise, signature, entry's promise, checkpoint)"
    );
    beside_raw("G12 certificates", &what, checks, &folder, &verify, table);
}

/// Times the judgement of [`MANY`] bundles and as many raw verifications as they need in turn, these alone and behind a start of the binary that does
/// nothing and a reading of every file; and writes the row.
fn beside_raw(goal: &str, what: &str, checks: usize, folder: &Path, verify: &dyn Fn() -> Command, table: &mut Table) {
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let cores = std::thread::available_parallelism().unwrap().get();
    let raw = RawChecks::new(checks);
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
            "{ratio:.2} ({least:.2}–{most:.2}), {:.2} where a start and the reading of every file stand beside them; {:.0} µs a bundle, {checks} verifications; {:.1} MiB, {:.1} of it its own",
            median(&with_files),
            median(&times),
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

/// P-256 signatures over distinct messages, as those of many bundles are: a processor learns the way through one that is verified again and again.
struct RawChecks {
    keys: Vec<SoftKey>,
    signed: Vec<([u8; 860], Vec<u8>)>,
}

impl RawChecks {
    /// Signs so many messages, by a few keys in turn.
    fn new(checks: usize) -> RawChecks {
        let keys: Vec<SoftKey> =
            (1..=4).map(|secret| SoftKey::from_secret(Algorithm::P256, &[secret; 32]).unwrap()).collect();
        let signed = |number: usize| {
            let mut message = [9; 860];
            message[..8].copy_from_slice(&number.to_le_bytes());
            let signature = keys[number % keys.len()].sign(&message).unwrap();
            (message, signature)
        };
        let signed = (0..checks).map(signed).collect();
        RawChecks { keys, signed }
    }

    /// Verifies each once, on so many threads.
    fn verify(&self, threads: usize) {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || {
                    for (number, (message, signature)) in self.signed.iter().enumerate().skip(thread).step_by(threads) {
                        self.keys[number % self.keys.len()].public().verify(message, signature).unwrap();
                    }
                });
            }
        });
    }
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

/// Finds another client: where the variable says, else where tests/interop/install.sh puts it.
fn client(variable: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(PathBuf::from(named));
    }
    let below = |variable: &str, rest: &str| std::env::var_os(variable).map(|folder| PathBuf::from(folder).join(rest));
    let cache = below("AIRTIGHT_INTEROP_CACHE", "")
        .or_else(|| below("XDG_CACHE_HOME", "airtight-interop"))
        .or_else(|| below("HOME", ".cache/airtight-interop"))?;
    let client = cache.join(if variable == "AIRTIGHT_COSIGN" { "cosign3/cosign" } else { "sigstore-go/sigstore-go" });
    client.is_file().then_some(client)
}

/// Runs a command up to where it writes to its standard output, a pipe that is full; returns its VmHWM and its
/// RssAnon there, in KiB.
fn memory_kib(mut command: Command) -> (f64, f64) {
    let (mut reader, mut writer) = pipe().unwrap();
    // The capacity of a pipe that nobody changed (pipe(7)).
    writer.write_all(&[b' '; 1 << 16]).unwrap();
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(writer).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let value = |name: &str| {
        let text = std::fs::read_to_string(&status).unwrap();
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    let (mut peak, mut asleep) = (String::new(), 0);
    while asleep < 5 {
        std::thread::sleep(Duration::from_millis(4));
        let now = value("VmHWM:");
        asleep = if value("State:").starts_with('S') && now == peak { asleep + 1 } else { 0 };
        peak = now;
    }
    let own = value("RssAnon:");
    // Now the writing end is the child's alone.
    drop(command);
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    assert!(child.wait().unwrap().success());
    let kib = |text: String| text.trim_end_matches(" kB").parse().unwrap();
    (kib(peak), kib(own))
}

/// Runs a command that must succeed; its words go nowhere.
fn quiet(mut command: Command) {
    let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(done.unwrap().success(), "{command:?}");
}

/// Times one raw P-256 verification, in microseconds.
fn raw_verification() -> f64 {
    let key = SoftKey::from_secret(Algorithm::P256, &[7; 32]).unwrap();
    let message = [9; 860];
    let signature = key.sign(&message).unwrap();
    let times: Vec<f64> = (0..200).map(|_| wall_us(|| key.public().verify(&message, &signature).unwrap()).0).collect();
    median(&times)
}
