//! Holds what commands answer with `--json`, and the predicates that are ours, to the schemas in `schemas/`.
//!
//! Each answer is one a command gave just now, and each schema is asked about at least one. So that a schema is not merely
//! one that accepts everything, each accepted answer is asked about again without each of its members, and with one more.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod forge;
mod played;
mod transcript;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use airtight::pack::PackTarget;
use airtight::pack::outbox::{OutboxHeading, OutboxWriter, RequestLine};
use airtight::pack::receipts::{Outcome, ReceiptLine};
use airtight_log::digest::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonschema::Validator;
use played::{Played, answered, authority, carry, serve};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use transcript::{Stage, Step, Streams};

/// Where an answer is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// Each line of standard output.
    Data,
    /// Each line of standard error.
    Words,
    /// The predicate of the bundle on standard output.
    Predicate,
}

/// What is asked, in this order, on one stage: the schema, where the answer is, the command.
const ASKED: &[(&str, From, &str)] = &[
    ("error", From::Words, "airtight --json attest LICENSE"),
    ("error", From::Words, "airtight --json no-such-command"),
    ("init", From::Data, "airtight --json init --origin log.site.example --no-passphrase"),
    ("error", From::Words, "airtight --json init --origin log.site.example --no-passphrase"),
    ("attest", From::Data, "airtight --json attest LICENSE"),
    ("attest", From::Data, "airtight --json attest LICENSE"),
    ("attest", From::Data, "airtight --json attest --statement statement.json"),
    ("attest", From::Data, "airtight --json attest folder LICENSE --out bundles"),
    ("batch-answer", From::Data, "printf '%s\\nnone\\n' \"$(cat statement.json)\" | airtight attest --batch -"),
    ("inspection", From::Data, "airtight --json bundle inspect LICENSE.sigstore.json"),
    (
        "verdict",
        From::Data,
        "airtight --json verify LICENSE --key .airtight/keys/signer.pub --trusted-root .airtight/trusted_root.json",
    ),
    (
        "verdict",
        From::Data,
        "airtight --json verify LICENSE --key .airtight/keys/log.pub --trusted-root .airtight/trusted_root.json",
    ),
    (
        "verdict",
        From::Data,
        "airtight --json verify folder --bundle bundles/folder.sigstore.json --key .airtight/keys/signer.pub --trusted-root .airtight/trusted_root.json",
    ),
    (
        "verdict",
        From::Data,
        "cat LICENSE.sigstore.json bundles/folder.sigstore.json > two.jsonl; airtight --json verify LICENSE --bundle two.jsonl --key .airtight/keys/signer.pub --trusted-root .airtight/trusted_root.json",
    ),
    (
        "verify-many",
        From::Data,
        "mkdir -p many; cp folder/a LICENSE LICENSE.sigstore.json many; airtight --json verify --dir many --bundles bundles --key .airtight/keys/signer.pub --trusted-root .airtight/trusted_root.json",
    ),
    (
        "verify-many",
        From::Data,
        "printf 'policy: 1\\nkeys: { site: { file: .airtight/keys/signer.pub } }\\nrequire: [{ name: a, by: [site], type: [\"https://airtight.dev/artifact/v1\"], max_age_days: 1 }]\\n' > p.yaml; airtight --json verify --dir many --bundles bundles --policy p.yaml --trusted-root .airtight/trusted_root.json",
    ),
    (
        "policy-answer",
        From::Data,
        "printf 'policy: 1\\nkeys: { site: { id: 0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c } }\\nrequire: [{ name: a, by: [site], type: [\"https://airtight.dev/artifact/v1\"] }]\\n' > q.yaml; airtight --json policy check q.yaml; airtight --json policy explain q.yaml",
    ),
    (
        "verify-many",
        From::Data,
        "echo changed > many/LICENSE; airtight --json verify --dir many --key .airtight/keys/signer.pub --trusted-root .airtight/trusted_root.json",
    ),
    ("key", From::Data, "airtight --json key generate release --no-passphrase"),
    ("key.v1", From::Predicate, "airtight bundle get 4"),
    ("key", From::Data, "airtight --json key show log-ed25519"),
    ("key", From::Data, "airtight --json key list"),
    ("key-capabilities", From::Data, "airtight --json key capabilities"),
    ("key-capabilities", From::Data, "airtight --json key capabilities signer"),
    ("demo", From::Data, "airtight --json demo"),
    ("log-show", From::Data, "airtight --json log show"),
    ("log-list", From::Data, "airtight --json log list"),
    ("log-entry", From::Data, "airtight --json log entry 0"),
    ("log-entry", From::Data, "airtight --json log entry 2"),
    ("log-prove", From::Data, "airtight --json log prove 1"),
    ("log-prove", From::Data, "airtight --json log prove 0 --size 2"),
    ("log-consistency", From::Data, "airtight --json log consistency 1 3"),
    ("log-checkpoint", From::Data, "airtight --json log checkpoint"),
    ("log-checkpoint", From::Data, "airtight --json log checkpoint --v1"),
    ("log-vkey", From::Data, "airtight --json log vkey"),
    ("log-fsck", From::Data, "airtight --json log fsck"),
    ("log-backup", From::Data, "airtight --json log backup backup.db"),
    ("attest", From::Data, "airtight --json attest folder/a"),
    ("log-export", From::Data, "airtight --json log export --tiles public"),
    ("error", From::Words, "airtight --json log prove 99"),
    (
        "log-show",
        From::Data,
        "cp backup.db .airtight/log/log.db; rm -f .airtight/log/log.db-*; airtight --json log show",
    ),
    ("log-recover", From::Data, "airtight --json log recover --from public"),
    ("log-show", From::Data, "mv .airtight/head.note gone; airtight --json log show; mv gone .airtight/head.note"),
    ("log-entry", From::Data, "airtight --json log entry 5"),
    ("init", From::Data, "airtight --json --home other init --origin rekor.example --no-passphrase"),
    ("sync-status", From::Data, "airtight --json sync status"),
    ("sync-decision", From::Data, "airtight --json sync enable --note 'a test'"),
    ("sync-decision", From::Data, "airtight --json sync disable --reason air_gapped"),
    ("sync-decision", From::Data, "airtight --json sync enable"),
    (
        "sync-target-change",
        From::Data,
        "airtight --home other trust export > root.json; airtight --json sync target add public --signing-config config.json --trusted-root root.json",
    ),
    ("sync-target", From::Data, "airtight --json sync target list"),
    ("transparency-target.v1", From::Predicate, "airtight bundle get 9"),
    ("sync-exception", From::Data, "airtight --json sync hold 1-2 --note 'a test'"),
    ("transparency-exception.v1", From::Predicate, "airtight bundle get 10"),
    ("sync-exception", From::Data, "airtight --json sync release 0-1"),
    ("sync-exception", From::Data, "airtight --json sync skip 1 --reason not_selected"),
    (
        "sync-status",
        From::Data,
        "mkdir .airtight/sync; echo '{\"exported\":{\"at\":1,\"first\":1,\"last\":2,\"entries\":2,\"set\":\"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c\"},\"upload\":{\"at\":2,\"answered\":1,\"remaining\":{\"unreachable\":1}}}' > .airtight/sync/public.progress.json; airtight --json sync status",
    ),
    ("sync-target-change", From::Data, "airtight --json sync target remove public"),
    ("sync-upload", From::Data, "airtight --json sync upload outbox --out receipts --url $(cat url)"),
    ("outbox-manifest", From::Data, "tr -d '\\n' < outbox/manifest.json"),
    ("outbox-line", From::Data, "cat outbox/requests.ndjson"),
    ("receipts-manifest", From::Data, "tr -d '\\n' < receipts/manifest.json"),
    ("receipts-line", From::Data, "cat receipts/receipts.ndjson answered.ndjson"),
    ("log-adopt", From::Data, "airtight --json log adopt --new-epoch --note 'a test'"),
    ("epoch.v1", From::Predicate, "airtight bundle get 0"),
    ("transparency-decision.v1", From::Predicate, "airtight bundle get 1"),
    (
        "import",
        From::Data,
        "airtight --json import statement.json LICENSE.sigstore.json --artifact LICENSE --key .airtight/keys/signer.pub --trusted-root .airtight/trusted_root.json",
    ),
    (
        "import",
        From::Data,
        "airtight --json import LICENSE.sigstore.json --policy p.yaml --trusted-root .airtight/trusted_root.json",
    ),
    ("log-entry", From::Data, "airtight --json log entry 3"),
    ("kept-bundle.v1", From::Predicate, "airtight bundle get 2"),
    ("kept-bundle.v1", From::Predicate, "airtight bundle get 3"),
    ("artifact.v1", From::Predicate, "cat LICENSE.sigstore.json"),
    ("artifact.v1", From::Predicate, "cat bundles/folder.sigstore.json"),
];

/// What is asked on the same stage of a site of its own, `sent`, whose target is a log that is played beside. A line without a
/// schema is done by the courier, who brings a true answer, a false one and a refusal.
const SENT: &[(&str, &str)] = &[
    ("init", "init --origin sent.example --no-passphrase"),
    ("attest", "attest LICENSE statement.json folder/a --out sent-bundles"),
    ("sync-target-change", "sync target add public --signing-config sent.json --trusted-root sent-root.json"),
    ("sync-plan", "sync plan"),
    ("sync-decision", "sync enable"),
    ("sync-plan-anchor", "sync plan --mode anchor"),
    ("key", "key generate reviewer --no-passphrase"),
    ("sync-plan", "sync plan --approve-by reviewer"),
    ("sync-plan-anchor", "sync plan --mode anchor --approve-by reviewer"),
    ("sync-export", "sync export --out sent-outbox"),
    ("", "sent-outbox sent-receipts"),
    ("sync-import", "sync import sent-receipts --accept-refusals"),
    ("sync-push", "sync push"),
    ("timestamp-request", "timestamp request --out sent-queries"),
    ("timestamp-import", "timestamp import sent-queries LICENSE"),
    ("sync-push", "sync push --timestamp http://127.0.0.1:1/api/v1/timestamp --timeout 1"),
    ("sync-export", "sync export --out sent-more"),
    ("sync-push", "sync anchor"),
];

fn schemas() -> BTreeMap<String, Validator> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_name().unwrap().to_str().unwrap().strip_suffix(".schema.json") else { continue };
        let schema: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(schema["$id"], json!(format!("https://airtight.dev/schemas/{name}.schema.json")));
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        found.insert(name.to_owned(), jsonschema::draft202012::new(&schema).unwrap());
    }
    found
}

fn stage() -> Stage {
    let stage = Stage::new();
    let statement = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"valve","digest":{"sha256":"4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"}}],"predicateType":"https://example.com/inspection/v1"}"#;
    let config = r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogUrls":[{"url":"https://rekor.example","majorApiVersion":1,"validFor":{"start":"2026-01-01T00:00:00Z"},"operator":"rekor.example"}]}"#;
    fs::write(stage.path().join("config.json"), config).unwrap();
    fs::write(stage.path().join("LICENSE"), "a licence\n").unwrap();
    fs::write(stage.path().join("statement.json"), statement).unwrap();
    fs::create_dir(stage.path().join("folder")).unwrap();
    fs::write(stage.path().join("folder/a"), "a\n").unwrap();
    std::os::unix::fs::symlink("a", stage.path().join("folder/b")).unwrap();
    put_pack(&stage);
    stage
}

/// Puts an outbox pack of two entries on the stage, the address of a log that refuses the first and is frozen then, and a line
/// of receipts with an answer.
fn put_pack(stage: &Stage) {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let target = PackTarget {
        name: "public".into(),
        api_version: 1,
        url: "https://log.example".into(),
        log_id: "0c".repeat(32),
    };
    let heading = OutboxHeading { origin: "log.site.example".into(), log_id: "0a".repeat(32), target };
    let mut writer = OutboxWriter::begin(&stage.path().join("outbox"), heading, None).unwrap();
    let leaf_hash = Hash::from_bytes([7; 32]);
    for index in [1, 2] {
        writer.push(&RequestLine { index, leaf_hash, expected: leaf_hash, request: raw("{\"a\":1}") }).unwrap();
    }
    writer.finish().unwrap();
    let outcome = Outcome::Answered { status: 201, answer: raw("{\"b\":2}") };
    fs::write(stage.path().join("answered.ndjson"), ReceiptLine { index: 1, leaf_hash, outcome }.render()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    fs::write(stage.path().join("url"), format!("http://{}", listener.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        for status in ["400 No", "405 Frozen"].into_iter().chain(std::iter::repeat("405 Frozen")) {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut request = [0; 4096];
            let mut read = 0;
            while !request[..read].ends_with(b"{\"a\":1}") {
                read += stream.read(&mut request[read..]).unwrap();
            }
            write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno").unwrap();
        }
    });
}

/// Returns the values that a command answered with.
fn answers(stage: &Stage, from: From, command: &str) -> Vec<Value> {
    let step = Step { command: command.to_owned(), ..Step::default() };
    let met = stage.run(&step, Streams::Apart);
    let lines = if from == From::Words { met.stderr } else { met.stdout };
    let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{command}: {error}: {line}"));
    let values: Vec<Value> = lines.iter().map(parse).collect();
    assert!(!values.is_empty(), "{command} said nothing");
    if from != From::Predicate {
        return values;
    }
    let payload = values[0]["dsseEnvelope"]["payload"].as_str().unwrap();
    let statement: Value = serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap();
    vec![statement["predicate"].clone()]
}

/// An answer with one member less or more, at each place where it has an object.
fn altered(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut pointers = vec![String::new()];
    while let Some(pointer) = pointers.pop() {
        match value.pointer(&pointer).unwrap() {
            Value::Object(members) => {
                for name in members.keys() {
                    let mut without = value.clone();
                    without.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(name);
                    // What may be absent: the artifact of a ready statement, the name of an algorithm's capabilities,
                    // the links of a directory that has none, what a statement is said again after.
                    // What is not there counts nothing.
                    let counts = ["/skipped", "/remaining", "/searchable", "/cannot_go"]
                        .iter()
                        .any(|counts| pointer.ends_with(counts));
                    if !["artifact", "name", "symlinks", "after", "stands_at"].contains(&name.as_str()) && !counts {
                        found.push(without);
                    }
                    // What is carried for others has the shape that they give it.
                    if !["request", "answer", "verdict"].contains(&name.as_str()) {
                        pointers.push(format!("{pointer}/{name}"));
                    }
                }
                let mut more = value.clone();
                more.pointer_mut(&pointer).unwrap()["surplus"] = json!(1);
                // Why something remains is for whoever carried it to say.
                if !pointer.ends_with("/remaining") {
                    found.push(more);
                }
            }
            Value::Array(items) => pointers.extend((0..items.len()).map(|at| format!("{pointer}/{at}"))),
            _ => {}
        }
    }
    found
}

/// What a site says in its log about other logs: no command answers with it.
fn said() -> Vec<(&'static str, Value)> {
    use airtight::disposition::{
        ApiVersion, PlanMode, ReceiptRow, SkipReason, TransparencyAnchor, TransparencyApproval, TransparencyException,
        TransparencyReceipts, TransparencyTarget,
    };
    let (id, uuid, target) = ("0c".repeat(32), "0a".repeat(40), "public".to_owned());
    let row =
        ReceiptRow { index: 3, rekor_uuid: uuid.clone(), log_index: 9, integrated_time: Some(7), sha256: id.clone() };
    let receipts = TransparencyReceipts::new(&target, ApiVersion::V1, &id, vec![row]).unwrap();
    let exception =
        TransparencyException::new(&target, Some(SkipReason::OperatorHold), None, Some("wait"), vec![4]).unwrap();
    let named = TransparencyTarget {
        name: target.clone(),
        api_version: ApiVersion::V2,
        url: "https://rekor.example".into(),
        log_id: id.clone(),
        signing_config_sha256: id.clone(),
        trusted_root_sha256: id.clone(),
        as_of: "2026-11-21T03:00:00Z".into(),
        removed: false,
        after: None,
    };
    let anchor = TransparencyAnchor {
        target: target.clone(),
        api_version: ApiVersion::V1,
        log_id: id.clone(),
        size: 5,
        rekor_uuid: uuid,
        log_index: 1,
        integrated_time: None,
        sha256: id.clone(),
    };
    let approval = TransparencyApproval {
        target,
        log_id: id.clone(),
        mode: PlanMode::Entries,
        plan_sha256: id,
        entries: 2,
        ranges: vec![[1, 3]],
    };
    vec![
        ("kept-bundle.v1", kept()),
        ("transparency-receipts.v1", json!(receipts)),
        ("transparency-exception.v1", json!(exception)),
        ("transparency-exception.v1", json!(exception.again(9))),
        ("transparency-target.v1", json!(named)),
        ("transparency-anchor.v1", json!(anchor)),
        ("transparency-approval.v1", json!(approval)),
    ]
}

/// What is said of a kept bundle that was signed with a certificate, and asked about in every way there is.
fn kept() -> Value {
    use airtight::statement::kept::{KeptBundle, KeptIdentity, KeptPattern, KeptQuestion, KeptVerdict};
    let id = "0c".repeat(32);
    let identity = KeptIdentity {
        name: Some(KeptPattern::Exactly("a@b.example".into())),
        issuer: Some(KeptPattern::Matching("https://.*".into())),
        claims: vec![("build-trigger".into(), "push".into())],
    };
    let asked = KeptQuestion {
        trusted_root: id.clone(),
        policy: Some(id.clone()),
        keys: vec![id.clone()],
        identity: Some(identity),
        logs: 2,
        timestamps: 1,
        ct_logs: 1,
        crls: vec![id.clone()],
        accept_promise: true,
        witnesses: None,
        predicate_type: Some("https://a.example/b".into()),
        artifact: Some(id),
    };
    let verdict = RawValue::from_string("{}".into()).unwrap();
    let verdicts = vec![KeptVerdict { place: "line 2".into(), verdict }];
    json!(KeptBundle::new(asked, verdicts, vec!["origin".into()], b"content").unwrap())
}

/// Asks everything of [`SENT`].
fn send(stage: &Stage, schemas: &BTreeMap<String, Validator>, asked: &mut BTreeSet<&'static str>) {
    let rekor = Arc::new(Mutex::new(Played::v1()));
    rekor.lock().unwrap().url = format!("http://127.0.0.1:{}", serve(&rekor));
    fs::write(stage.path().join("sent.json"), rekor.lock().unwrap().signing_config(None)).unwrap();
    let trusted_root = authority::with_authority(&rekor.lock().unwrap().trusted_root());
    fs::write(stage.path().join("sent-root.json"), trusted_root).unwrap();
    for (name, words) in SENT {
        if name.is_empty() {
            let (outbox, receipts) = words.split_once(' ').unwrap();
            carry(&stage.path().join(outbox), &stage.path().join(receipts), |line| match line.index {
                1 => Some(rekor.lock().unwrap().honest(line)),
                2 => Some(Outcome::Refused { status: 400, message: "no".to_owned() }),
                _ => Some(answered(201, &rekor.lock().unwrap().entry(0))),
            });
            continue;
        }
        let schema = &schemas[*name];
        for value in answers(stage, From::Data, &format!("airtight --json --home sent {words}")) {
            assert!(schema.is_valid(&value), "{words}: {:?}\n{value}", schema.validate(&value).err());
            for other in altered(&value) {
                assert!(!schema.is_valid(&other), "{name} accepts {other}");
            }
        }
        asked.insert(name);
    }
}

#[test]
fn what_commands_answer_is_what_the_schemas_say() {
    let (schemas, stage) = (schemas(), stage());
    let mut asked = BTreeSet::new();
    for (name, from, command) in ASKED {
        let schema = &schemas[*name];
        for value in answers(&stage, *from, command) {
            if let Err(error) = schema.validate(&value) {
                panic!("{command}: {error}\n{value}");
            }
            for other in altered(&value) {
                assert!(!schema.is_valid(&other), "{name} accepts {other}");
            }
        }
        asked.insert(*name);
    }
    send(&stage, &schemas, &mut asked);
    for (name, value) in said() {
        let schema = &schemas[name];
        assert!(schema.is_valid(&value), "{name}: {value}");
        for other in altered(&value) {
            assert!(!schema.is_valid(&other), "{name} accepts {other}");
        }
        asked.insert(name);
    }
    // Its member `receipt` is another format's; tests/sync_anchor.rs asks about the rest.
    asked.insert("anchor.v1");
    // A file that people write: tests/policy.rs.
    asked.insert("policy");
    assert_eq!(asked, schemas.keys().map(String::as_str).collect(), "each schema is asked about");
}
