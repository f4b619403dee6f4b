//! G6 and G6b: the command line from its start to its exit, alone and beside other clients.

use std::io::{Write, pipe};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign, SoftKey};

use super::clock::{median, wall_us};
use super::table::{Row, Table};

/// Starts of each command, in turn.
const STARTS: usize = 200;
/// Starts of the slower clients.
const SLOW_STARTS: usize = 30;

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
pub fn memory_kib(mut command: Command) -> (f64, f64) {
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
pub fn quiet(mut command: Command) {
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
