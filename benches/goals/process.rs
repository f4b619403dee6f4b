//! G6 and G6b: the command line from its start to its exit, alone and beside other clients.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign, SoftKey};

use super::clock::{median, wall_us};
use super::table::{Row, Table};

/// Starts of each command, in turn.
const STARTS: usize = 200;
/// Starts of the slower clients.
const SLOW_STARTS: usize = 30;

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
    let bundle = ["--bundle", "app.sigstore.json", "--key", key, "--trusted-root", root];
    let cosign = ["verify-blob-attestation", "--type", "https://airtight.dev/artifact/v1"];
    let other = |variable: &str, before: &[&str]| {
        let client = std::env::var_os(variable)?;
        let times: Vec<f64> = (0..SLOW_STARTS)
            .map(|_| {
                let mut command = Command::new(&client);
                command.current_dir(&folder).args(before).args(bundle).arg("app");
                wall_us(|| quiet(command)).0
            })
            .collect();
        Some(median(&times) / whole)
    };
    let found = other("AIRTIGHT_COSIGN", &cosign);
    table.set(Row {
        goal: "G6b cosign",
        what: "the same beside cosign 3.1.3: p50 of cosign / p50 of airtight".to_owned(),
        target: "≥ 40",
        here: found.map_or("not measured here: AIRTIGHT_COSIGN names no client".to_owned(), |times| {
            format!("{times:.0} times; {linked}")
        }),
        met: found.map(|times| times >= 40.0),
    });
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
