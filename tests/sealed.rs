//! What never opens a socket, and what a build without client sockets says.
//!
//! The system calls are seen by `strace`; where that is not installed the test says so and holds the rest.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A trusted root and a signing config of a log that is not there; its key is nobody's.
const TRUSTED_ROOT: &str = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{"baseUrl":"http://rekor.example","hashAlgorithm":"SHA2_256","publicKey":{"rawBytes":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==","keyDetails":"PKIX_ECDSA_P256_SHA_256","validFor":{"start":"2024-01-01T00:00:00Z"}},"logId":{"keyId":"KAh2f3qgWf1tGSvdPb5DMgFYk8uXpQaQRc6a4PSm3aU="}}],"certificateAuthorities":[],"ctlogs":[],"timestampAuthorities":[]}"#;
const SIGNING_CONFIG: &str = r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":[],"oidcUrls":[],"rekorTlogUrls":[{"url":"http://127.0.0.1:9","majorApiVersion":1,"validFor":{"start":"2024-01-01T00:00:00Z"},"operator":"nobody"}],"rekorTlogConfig":{"selector":"ANY"},"tsaUrls":[],"tsaConfig":{"selector":"ANY"}}"#;

struct Stage(tempfile::TempDir);

impl Stage {
    /// A site with an entry that waits for a target.
    fn new() -> Stage {
        let stage = Stage(tempfile::tempdir().unwrap());
        for (name, text) in [("thing", "a thing\n"), ("sc.json", SIGNING_CONFIG), ("tr.json", TRUSTED_ROOT)] {
            fs::write(stage.path().join(name), text).unwrap();
        }
        for words in [
            "init --origin log.example --no-passphrase",
            "attest thing",
            "sync target add there --signing-config sc.json --trusted-root tr.json",
            "sync enable --note because",
        ] {
            let done = stage.command(words).output().unwrap();
            assert!(done.status.success(), "{words}: {}", said(&done));
        }
        stage
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airtight"));
        command.args(words.split_whitespace()).current_dir(self.path()).env_remove("AIRTIGHT_HOME");
        command
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The calls by which a program speaks to a network, as `strace` writes them.
fn network_calls(stage: &Stage, words: &str) -> Vec<String> {
    let trace = stage.path().join("trace");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-e", "trace=%network", "-o"]).arg(&trace);
    let program = stage.command(words);
    traced.arg(program.get_program()).args(program.get_args()).current_dir(stage.path());
    traced.output().unwrap();
    let text = fs::read_to_string(&trace).unwrap();
    text.lines().filter(|line| !line.contains("+++ exited")).map(str::to_owned).collect()
}

fn has_strace() -> bool {
    Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output().is_ok_and(|done| done.status.success())
}

#[test]
fn what_works_inside_opens_no_socket() {
    if !has_strace() {
        use std::io::Write;
        let _ = std::io::stderr().write_all(b"sealed: no strace here, no system call was looked at\n");
        return;
    }
    let stage = Stage::new();
    for words in [
        "attest thing",
        "verify thing --key .airtight/keys/signer.pub --trusted-root .airtight/trusted_root.json",
        "sync status",
        "sync plan",
        "sync plan --show 1",
        "sync export --out outbox",
        "sync export --mode anchor --out anchor.tar",
        "sync import outbox",
        "sync hold 1 --note wait",
        "sync release 1",
        "sync disable --note enough",
        "log fsck",
    ] {
        assert_eq!(network_calls(&stage, words), Vec::<String>::new(), "{words}");
    }
}

#[cfg(feature = "net")]
#[test]
fn the_look_at_system_calls_sees_a_socket_where_there_is_one() {
    if !has_strace() {
        return;
    }
    let (stage, trace) = (Stage::new(), "trace");
    let mut traced = Command::new("strace");
    let program = stage.command("sync push");
    traced.args(["-f", "-qq", "-D", "-e", "trace=%network", "-o", trace]).arg(program.get_program());
    let mut push = traced.args(program.get_args()).current_dir(stage.path()).spawn().unwrap();
    // With -D the child is the program itself; it would go on trying for a minute.
    loop {
        let text = fs::read_to_string(stage.path().join(trace)).unwrap_or_default();
        if text.contains("socket(") {
            break;
        }
        assert!(push.try_wait().unwrap().is_none(), "push ended without a socket: {text}");
        std::thread::yield_now();
    }
    push.kill().unwrap();
    push.wait().unwrap();
}

#[cfg(not(feature = "net"))]
#[test]
fn a_build_without_client_sockets_says_what_to_use_instead() {
    let stage = Stage::new();
    let done = stage.command("sync export --out outbox").output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    for (words, instead) in [
        ("sync upload outbox --out receipts", "copy outbox to a host with a full build"),
        ("sync push", "airtight sync export"),
        ("sync push --watch 1h", "airtight sync export"),
        ("sync anchor", "airtight sync export --mode anchor"),
    ] {
        let done = stage.command(words).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{words}: {}", said(&done));
        assert!(said(&done).contains("error[net_left_out]"), "{words}: {}", said(&done));
        assert!(said(&done).contains("  next: ") && said(&done).contains(instead), "{words}: {}", said(&done));
        assert!(!stage.path().join("receipts").exists());
    }
}
