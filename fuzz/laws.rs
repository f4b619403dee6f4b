//! What holds for any bytes whatsoever: one law for each format that is read from outside, and no panic in any of them.
//!
//! The fuzz targets and `tests/robustness.rs` call the same functions. A law is more than "it does not crash": what was read
//! is written again and compared, and where two readers judge one text, the stricter one must not be the laxer.

use std::sync::OnceLock;

use airtight::bundle::homes::housed;
use airtight::bundle::token::Token;
use airtight::bundle::{BUNDLE_LEN_MAX, Bundle};
use airtight::config::Config;
use airtight::config::targets::TargetName;
use airtight::policy::times::{Clock, ProvenTime};
use airtight::policy::{self, Attestation, EntryIn, Signatory, Standing};
use airtight::statement::{ParsedStatement, Statement};
use airtight::sync::receipt::{Answered, Receipt};
use airtight::sync::target::Target;
use airtight::trust::TrustedRoot;
use airtight::verify::anchor::Anchor;
use airtight::verify::identity::IdentityRule;
use airtight::verify::timestamp::check;
use airtight::verify::{Input, Policy, Subject, verify, verify_anchored};
use airtight_keys::cosignature::cosignature_line;
use airtight_keys::envelope::Envelope;
use airtight_keys::note::{self as notes, NoteStyle, NoteVerifier, SignedNote};
use airtight_keys::public::{Algorithm, KeyId, PublicKey};
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_keys::strict_json::{self, Limits, check_standard_base64, standard_base64, to_standard_base64};
use airtight_keys::verifier::VerifierKey;
use airtight_log::checkpoint::{Checkpoint, SignedCheckpoint};
use airtight_log::digest::{LeafIndex, Sha256Digest, sha256};
use airtight_log::entry::{Body, dsse_body, set_message};
use airtight_log::quorum::WitnessPolicy;
use airtight_log::store::{Content, HeadRead};
use airtight_log::tree::leaf_hash;
use serde_json::Value;

/// More than any input of a fuzzer has.
const LIMITS: Limits = Limits::bytes(1 << 20);

/// A law: it panics where it is broken.
pub type Law = fn(&[u8]);

/// Every law by the name of its target and its corpus.
pub const LAWS: [(&str, Law); 20] = [
    ("anchor", anchor),
    ("answer", answer),
    ("body", body),
    ("bundle", bundle),
    ("certificate", certificate),
    ("checkpoint", checkpoint),
    ("envelope", envelope),
    ("homes", homes),
    ("json", json),
    ("key", key),
    ("note", note),
    ("policy", policy),
    ("quorum", quorum),
    ("row", row),
    ("settings", settings),
    ("signing_config", signing_config),
    ("slot", slot),
    ("statement", statement),
    ("timestamp", timestamp),
    ("trusted_root", trusted_root),
];

/// A JSON text that passes the strict scan is read by serde_json too, as an object.
pub fn json(data: &[u8]) {
    let scanned = strict_json::check(data, LIMITS);
    let read = serde_json::from_slice::<serde_json::Value>(data);
    match (scanned, read) {
        // A number beyond f64 is JSON, and serde_json does not hold it.
        (Ok(()), Err(error)) => assert!(error.to_string().starts_with("number out of range"), "{error}"),
        (Ok(()), Ok(value)) => assert!(value.is_object()),
        (Err(refused), _) => assert!(!refused.to_string().is_empty()),
    }
}

/// An envelope that was read is written in bytes that are read as the same envelope, and written so again.
pub fn envelope(data: &[u8]) {
    let Ok(read) = Envelope::parse(data, LIMITS) else { return };
    let written = read.to_json();
    let again = Envelope::parse(written.as_bytes(), LIMITS).expect("what we write we read");
    assert_eq!(read, again);
    assert_eq!(written, again.to_json());
    assert_eq!(standard_base64(read.payload_base64_unverified()).as_deref(), Ok(read.payload_unverified()));
    let _ = read.verify(&[&world().key], 1);
}

/// A statement that was read has a predicate that is strict JSON, and a ready one keeps its bytes.
pub fn statement(data: &[u8]) {
    let Ok(read) = ParsedStatement::parse(data) else { return };
    strict_json::check(data, LIMITS).expect("a statement is strict JSON");
    if let Some(predicate) = read.predicate() {
        strict_json::check(predicate.as_bytes(), LIMITS).expect("a predicate is strict JSON");
    }
    assert!(!read.subjects().is_empty());
    if let Ok(ready) = Statement::ready(data.to_vec()) {
        assert_eq!(ready.bytes(), data);
    }
}

/// A note that was read is printed in its own bytes.
pub fn note(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = SignedNote::parse(text) {
        assert_eq!(read.to_string(), text);
        let _ = read.verify(&world().verifiers);
    }
    if let Ok(verifier) = NoteVerifier::parse_vkey(text) {
        assert_eq!(verifier.to_string(), text);
    }
}

/// A checkpoint that was read is printed in its own bytes, signed or not.
pub fn checkpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = SignedCheckpoint::parse(text) {
        assert_eq!(read.to_string(), text);
    }
    if let Ok(read) = Checkpoint::parse(text) {
        assert_eq!(read.text(), text);
        if let Some((host, tree_id)) = read.v1_parts() {
            assert_eq!(format!("{host} - {tree_id}"), read.origin());
        }
    }
}

/// The body of a log's entry that was read is written in its own bytes.
pub fn body(data: &[u8]) {
    if let Ok(read) = Body::parse(data) {
        assert_eq!(read.render(), data);
    }
}

/// A trusted root that was read is written in a text that is read as the same, and written so again.
pub fn trusted_root(data: &[u8]) {
    let Ok(read) = TrustedRoot::parse(data) else { return };
    let written = read.render();
    let mut again = TrustedRoot::parse(written.as_bytes()).expect("what we write we read");
    assert_eq!(again.render(), written);
    assert_eq!(read.logs().len(), again.logs().len());
    again.merge(&read).expect("a root and itself name the same logs");
    assert_eq!(again.logs().len(), read.logs().len());
    for log in read.logs() {
        assert!(log.host().is_none_or(|host| log.base_url().contains(host)));
    }
}

/// A bundle is judged without a panic; one that is read is strict JSON; one that is verified has a good proof of itself.
pub fn bundle(data: &[u8]) {
    let world = world();
    let report = verify(&Input {
        bundle: data,
        subject: Subject::Digest(world.artifact),
        keys: std::slice::from_ref(&world.key),
        trusted_root: &world.trusted_root,
        policy: &Policy::default(),
        now: world.now,
    });
    assert_eq!(report.checks().len(), 9);
    assert!(serde_json::to_string(&report).is_ok_and(|text| !text.is_empty()));
    let Ok(read) = Bundle::parse(data) else {
        assert_eq!(report.verdict().map(|_| ()).map_err(|refusal| refusal.step()), Err(1));
        return;
    };
    strict_json::check(data, LIMITS).expect("a bundle is strict JSON");
    for entry in read.entries() {
        assert_eq!(to_standard_base64(&entry.body()), entry.body_base64);
    }
    if let Ok(verified) = report.verdict() {
        assert_eq!(verified.entries().len() + verified.unjudged().len(), read.entries().len());
        for entry in verified.entries() {
            let (index, checkpoint) = (entry.leaf_index().expect("proven"), entry.checkpoint().expect("proven"));
            assert!(checkpoint.size().holds(index));
        }
    }
}

/// A certificate is judged without a panic, in a bundle that is good in all else; none holds but the one that the authority made.
///
/// The log's entry, its tree of one leaf and both signatures of the log are made anew over each certificate, so that a changed
/// one comes as far as its path, its promises and its names.
pub fn certificate(data: &[u8]) {
    let world = certified();
    let report = world.judge(world.bundle_with(data).as_bytes());
    assert_eq!(report.checks().len(), 9);
    assert_eq!(report.verdict().is_ok(), data == world.made, "{:?}", report.verdict().err());
    if let Err(refusal) = report.verdict() {
        // The key of another certificate has not signed; nothing else of the bundle is wrong.
        assert!(matches!(refusal.step(), 1 | 2 | 4 | 8), "step {}: {refusal}", refusal.step());
    }
}

/// What a file of bundles holds is strict JSON, and stands in the file or is of PyPI; a bundle is itself and alone.
pub fn homes(data: &[u8]) {
    let found = housed(data);
    if Bundle::parse(data).is_ok() {
        let found = found.as_ref().expect("a bundle is one of its homes");
        assert!(matches!(&found[..], [one] if one.place.is_empty() && one.text.as_bytes() == data));
    }
    let Ok(found) = found else { return };
    let file = std::str::from_utf8(data).expect("what holds bundles is text");
    assert!(!found.is_empty());
    for one in found {
        strict_json::check(one.text.as_bytes(), Limits::bytes(BUNDLE_LEN_MAX))
            .expect("what is taken out is strict JSON");
        assert!(file.contains(one.text.as_ref()) || file.contains("\"envelope\""), "{}: not in the file", one.place);
        let _ = Bundle::parse(one.text.as_bytes());
    }
}

/// A policy that was read says what it asks, asks for something, and is met by no attestation at all in nothing.
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let world = world();
    let mut key_file = |path: &str| match path.len() % 2 {
        0 => Ok(world.key.spki_pem().to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let read = match policy::Policy::parse(text, &mut key_file) {
        Ok(read) => read,
        Err(refused) => return assert!(!refused.code().is_empty() && !refused.to_string().is_empty()),
    };
    assert!(read.required().count() > 0 && !read.explain().is_empty());
    assert!(read.keys_missing(&read.keys()).len() <= read.keys_missing(&[]).len());
    let met = |attestations: &[Attestation<'_>]| {
        let findings = read.judge(attestations, world.now);
        assert!(findings.len() >= read.required().count());
        findings.iter().filter(|finding| finding.standing != Standing::Refused).count()
    };
    assert_eq!(met(&[]), 0);
    let log_id = KeyId::from_bytes(*world.trusted_root.logs()[0].id());
    let signed = Attestation {
        label: "app.sigstore.json",
        signatory: Signatory::Key(*world.key.key_id()),
        predicate_type: Some("https://airtight.dev/artifact/v1"),
        subject_names: vec!["app"],
        statement: Some(br#"{"subject":[{"name":"app"}],"predicate":{"kind":"file","size":4096}}"#),
        entries: vec![EntryIn { log_id, leaf_index: Some(3) }],
        times: vec![ProvenTime { by: Clock::Log(log_id), earliest: world.now - 60, latest: world.now - 60 }],
        is_witnessed: false,
        anchored_in: None,
    };
    let _ = met(std::slice::from_ref(&signed));
}

/// A policy of witnesses that was read is read as the same without its comments and odd spaces; one more cosignature never turns
/// its yes to a no, no cosignature at all is a yes only where none is asked for, and everybody's is one always.
pub fn quorum(data: &[u8]) {
    let read = match WitnessPolicy::parse(data) {
        Ok(read) => read,
        Err(refused) => return assert!(!refused.to_string().is_empty()),
    };
    let said = read.to_string();
    assert!(!said.is_empty());
    let spaced = |line: &[u8]| {
        let words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(&b' ')
    };
    let mut lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(spaced).collect();
    lines.retain(|line| !line.is_empty() && !line.starts_with(b"#"));
    assert_eq!(WitnessPolicy::parse(&lines.join(&b'\n')).as_ref(), Ok(&read));

    assert!(!read.is_about(None) || world().verifiers.iter().all(|log| read.is_about(Some(log))));
    let found = cosigned().each_ref().map(|note| read.witnessed(note).expect("each line holds"));
    for (set, fewer) in found.iter().enumerate() {
        for more in (0..3).map(|witness| &found[set | 1 << witness]) {
            assert!(more.is_quorum || !fewer.is_quorum, "set {set} is a quorum of {said}, and one more undoes it");
            assert!(fewer.by.iter().all(|one| more.by.contains(one)));
        }
    }
    assert!(found[0].by.is_empty());
    assert_eq!(found[0].is_quorum, said == "no witness");
    assert!(found[7].is_quorum || found[7].by.len() < read.witnesses());
}

/// An anchor that was read is written in a text that is read as the same; whatever it is, it is followed without a panic.
pub fn anchor(data: &[u8]) {
    let world = world();
    let report = verify_anchored(
        &Input {
            bundle: world.bundle,
            subject: Subject::Digest(world.artifact),
            keys: std::slice::from_ref(&world.key),
            trusted_root: &world.trusted_root,
            policy: &Policy::default(),
            now: world.now,
        },
        data,
    );
    let read = Anchor::parse(data);
    match report.verdict() {
        Ok(verified) => assert!(read.is_ok() && verified.anchored().is_some()),
        Err(refusal) => assert_eq!(refusal.step(), 9),
    }
    if let Ok(read) = read {
        let written = read.render().expect("what was read is written");
        assert_eq!(Anchor::parse(written.as_bytes()), Ok(read));
    }
}

/// A receipt out of any answer is kept in a text that is read as the same.
pub fn answer(data: &[u8]) {
    for answered in [Answered::of_v1(data), Answered::of_v2(data)].into_iter().flatten() {
        strict_json::check(data, LIMITS).expect("an answer is strict JSON");
        let kept = answered.receipt.text();
        assert_eq!(Receipt::parse(&kept), Ok(answered.receipt));
        assert!(!answered.body.is_empty());
    }
}

/// A signing config that is read names a log by http or https, and is read as the same at the moment before it ends.
pub fn signing_config(data: &[u8]) {
    let (world, name) = (world(), TargetName::new("x").expect("a name"));
    let root = world.trusted_root.render();
    let read = |now| Target::read(name.clone(), data, root.as_bytes(), 0, now);
    let Ok(target) = read(world.now) else { return };
    assert!(target.url.starts_with("http://") || target.url.starts_with("https://"));
    if target.check_open(world.now).is_ok()
        && let Some(end) = target.ends
    {
        assert!(target.check_open(end).is_ok() && target.check_open(end.saturating_add(1)).is_err() || end == u64::MAX);
    }
}

/// A time stamp that is read is not before its own time; and whatever is read, no bytes are a token over what nobody stamped.
pub fn timestamp(data: &[u8]) {
    static ROOT: OnceLock<TrustedRoot> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let pems = [
            include_str!("../tests/timestamps/tsa.pem"),
            include_str!("../tests/timestamps/between.pem"),
            include_str!("../tests/timestamps/root.pem"),
        ];
        let body = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        let certificates = pems.map(|pem| format!(r#"{{"rawBytes":"{}"}}"#, body(pem))).join(",");
        let authority = format!(r#"{{"uri":"u","certChain":{{"certificates":[{certificates}]}}}}"#);
        let media_type = airtight::trust::MEDIA_TYPE;
        let text = format!(r#"{{"mediaType":"{media_type}","tlogs":[],"timestampAuthorities":[{authority}]}}"#);
        TrustedRoot::parse(text.as_bytes()).expect("a trusted root")
    });
    let Ok(token) = Token::parse(data) else { return };
    assert!(token.not_after >= token.time);
    assert!(!matches!(check(&token, b"what nobody stamped", root, u64::MAX), Ok(Some(_))));
}

/// Settings with the permission turned over are the settings with that one word changed, or are refused.
pub fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(read) = Config::parse(text) else { return };
    assert_eq!(Config::parse(&read.render()).ok().as_ref(), Some(&read), "what is written is read back");
    let was = read.signals.provenance.rekor_enabled;
    let Ok(turned) = Config::with_rekor_enabled(text, !was) else { return };
    let mut wanted = read;
    wanted.signals.provenance.rekor_enabled = !was;
    assert_eq!(Config::parse(&turned).ok(), Some(wanted));
    let words = |text: &str| text.matches(if was { "true" } else { "false" }).count();
    assert_eq!(words(text), words(&turned) + 1);
    assert_eq!(Config::with_rekor_enabled(&turned, was).ok().as_deref(), Some(text));
}

/// A key that was read is written in its one form, and read as the same.
pub fn key(data: &[u8]) {
    if let Ok(key) = PublicKey::from_spki_der(data) {
        assert_eq!(key.spki_der(), data);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(key) = PublicKey::from_spki_pem(text) {
        assert_eq!(PublicKey::from_spki_pem(key.spki_pem()).as_ref(), Ok(&key));
    }
    let decoded = standard_base64(text);
    assert_eq!(decoded.as_ref().map(Vec::len).ok(), check_standard_base64(text).ok());
    if let Ok(bytes) = decoded {
        assert_eq!(to_standard_base64(&bytes), text);
    }
}

/// A stored row gives its content back or is damage. The first byte is the form.
pub fn row(data: &[u8]) {
    let Some((form, row)) = data.split_first() else { return };
    match Content::of_row(i64::from(*form), row) {
        Ok(Content::Envelope(text)) => {
            Envelope::parse(text.as_bytes(), Limits::bytes(96 << 20)).expect("what a row gives back is an envelope");
        }
        Ok(Content::Leaf(_)) => assert_eq!(*form, 0),
        Err(damage) => assert!(!damage.to_string().is_empty()),
    }
}

/// A head file gives back two notes that stand in it, or is damage.
pub fn slot(data: &[u8]) {
    if let HeadRead::Found(notes) = HeadRead::of(data) {
        let both = notes.c2sp + &notes.v1;
        assert!(data.windows(both.len().max(1)).any(|window| window == both.as_bytes()));
    }
}

/// What bundles and notes are judged with: the key, the log and the artifact of the vector that the seeds are made from.
struct World {
    key: VerifierKey,
    verifiers: Vec<NoteVerifier>,
    trusted_root: TrustedRoot,
    artifact: Sha256Digest,
    bundle: &'static [u8],
    now: u64,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let root = include_bytes!("../tests/vectors/verified-dsse-p256/trusted_root.json");
        let v2 = include_bytes!("../tests/vectors/verified-dsse-hashedrekord-002/trusted_root.json");
        let mut trusted_root = TrustedRoot::parse(root).expect("the vector's root");
        let v1 = include_bytes!("../tests/vectors/verified-anchored-v1/trusted_root.json");
        for other in [&v2[..], v1] {
            trusted_root.merge(&TrustedRoot::parse(other).expect("the vector's root")).expect("other logs");
        }
        let pem = include_str!("../tests/vectors/verified-dsse-p256/key.pub");
        let named = |log: &airtight::trust::TrustedLog| {
            let host = log.host().expect("the vector's log has a host");
            let key = log.key().as_public().expect("a key of ours");
            NoteVerifier::ed25519(host, key).or_else(|_| NoteVerifier::ecdsa(host, key)).expect("a name")
        };
        World {
            key: VerifierKey::from_spki_pem(pem).expect("the vector's key"),
            verifiers: trusted_root.logs().iter().map(named).collect(),
            trusted_root,
            artifact: sha256(include_bytes!("../tests/vectors/verified-dsse-p256/artifact")),
            bundle: include_bytes!("../tests/vectors/verified-anchored-v1/bundle.sigstore.json"),
            now: 1_769_904_000,
        }
    })
}

/// A checkpoint that each set of three witnesses has cosigned: witness `n` stands where bit `n` of the place is set, and a stranger below all.
fn cosigned() -> &'static [SignedNote; 8] {
    static COSIGNED: OnceLock<[SignedNote; 8]> = OnceLock::new();
    COSIGNED.get_or_init(|| {
        let text = "log.example\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n";
        let line = |name: &str, label: &str, time| {
            let secret = sha256(format!("airtight vectors: {label}").as_bytes());
            let key = SoftKey::from_secret(Algorithm::Ed25519, secret.as_bytes()).expect("a key");
            cosignature_line(text, name, &key, time).expect("a cosignature")
        };
        let witnesses = [1, 2, 3].map(|n| line(&format!("w{n}.example/witness"), &format!("witness {n}"), 1 + n));
        let stranger = line("w9.example/witness", "witness 9", 9);
        std::array::from_fn(|set| {
            let of_set = witnesses.iter().enumerate().filter(|(witness, _)| set >> witness & 1 == 1);
            let lines: String = of_set.map(|(_, line)| line.as_str()).collect();
            SignedNote::parse(&format!("{text}\n{lines}{stranger}")).expect("a note")
        })
    })
}

/// What certificates are judged with: an authority, its transparency log, a log, and a bundle that is good under them
/// (`tests/certified/`, which `tests/certificates.rs` makes).
struct Certified {
    trusted_root: TrustedRoot,
    artifact: Sha256Digest,
    bundle: Value,
    log: SoftKey,
    /// The one certificate of the authority that its transparency log has promised.
    made: &'static [u8],
}

fn certified() -> &'static Certified {
    static CERTIFIED: OnceLock<Certified> = OnceLock::new();
    CERTIFIED.get_or_init(|| {
        let root = include_bytes!("../tests/certified/trusted_root.json");
        let secret = sha256(b"airtight vectors: log, Rekor v1 style");
        Certified {
            trusted_root: TrustedRoot::parse(root).expect("the root of the fixture"),
            artifact: world().artifact,
            bundle: serde_json::from_slice(include_bytes!("../tests/certified/bundle.sigstore.json")).expect("JSON"),
            log: SoftKey::from_secret(Algorithm::P256, secret.as_bytes()).expect("a key"),
            made: include_bytes!("../tests/certified/workflow.der"),
        }
    })
}

impl Certified {
    /// Writes the bundle of the fixture with another certificate, entered in a log of this entry alone.
    fn bundle_with(&self, certificate: &[u8]) -> String {
        let mut bundle = self.bundle.clone();
        let said =
            |path: &str| bundle.pointer(path).and_then(Value::as_str).expect("a member of the fixture").to_owned();
        let envelope = bundle["dsseEnvelope"].to_string();
        let [payload, signature] = ["/dsseEnvelope/payload", "/dsseEnvelope/signatures/0/sig"]
            .map(|path| standard_base64(&said(path)).expect("base64 of the fixture"));
        let time: u64 = said("/verificationMaterial/tlogEntries/0/integratedTime").parse().expect("a time");
        let text = to_standard_base64(certificate);
        let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
        let body = dsse_body(&sha256(envelope.as_bytes()), &sha256(&payload), &signature, &pem);
        let root = leaf_hash(&body);
        let checkpoint = format!("log.example - 1193046\n1\n{}\n", to_standard_base64(root.as_bytes()));
        let note = notes::sign(&checkpoint, "log.example", &self.log, NoteStyle::EcdsaSpki).expect("a note");
        let index = LeafIndex::new(0).expect("an index");
        let promise = self.log.sign(&set_message(&body, time, self.log.public().key_id(), index)).expect("a signature");
        bundle["verificationMaterial"]["certificate"]["rawBytes"] = text.into();
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry["logIndex"] = "0".into();
        entry["canonicalizedBody"] = to_standard_base64(&body).into();
        entry["inclusionPromise"]["signedEntryTimestamp"] = to_standard_base64(&promise).into();
        entry["inclusionProof"] = serde_json::json!({
            "logIndex": "0",
            "rootHash": to_standard_base64(root.as_bytes()),
            "treeSize": "1",
            "hashes": [],
            "checkpoint": {"envelope": note},
        });
        bundle.to_string()
    }

    fn judge(&self, bundle: &[u8]) -> airtight::verify::Report {
        verify(&Input {
            bundle,
            subject: Subject::Digest(self.artifact),
            keys: &[],
            trusted_root: &self.trusted_root,
            policy: &Policy { identity: Some(IdentityRule::default()), ..Policy::default() },
            now: world().now,
        })
    }
}
