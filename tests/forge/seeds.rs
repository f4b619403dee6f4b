//! The first inputs of each fuzz corpus: good ones of every form, small, made from the same recipes as the vectors.

use airtight_keys::cosignature::CosignatureVerifier;
use airtight_keys::envelope::Envelope;
use airtight_keys::note::{self, NoteVerifier};
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::{Limits, standard_base64, to_standard_base64};
use airtight_log::digest::sha256;
use airtight_log::store::Preparer;
use airtight_log::tree::leaf_hash;

use super::anchors::{Anchoring, rekor_v1, rekor_v2};
use super::cases::witnessed::{policy, witness};
use super::json::quoted;
use super::{Log, Recipe, Signed, TREE_ID, trusted_root, trusted_rsa};

/// Every seed: the corpus, the file, the bytes.
pub fn all() -> Vec<(&'static str, String, Vec<u8>)> {
    let recipes = [
        ("dsse-p256", Recipe::file()),
        ("dsse-ed25519", Recipe::file_ed25519()),
        ("dsse-without-promise", Recipe { promise: false, ..Recipe::file() }),
        ("dsse-v2", Recipe::file().in_v2()),
        ("message-v1", Recipe::message()),
        ("message-v2", Recipe::message().in_v2()),
    ];
    let mut seeds = Vec::new();
    let mut put = |corpus, file: &str, bytes: &[u8]| seeds.push((corpus, file.to_owned(), bytes.to_vec()));
    for (name, recipe) in &recipes {
        let mut scene = recipe.make();
        put("bundle", name, &scene.bundle_text());
        put("json", name, scene.bundle.render_with(" ").as_bytes());
        put("body", name, &recipe.body());
        let note = scene.entry().at("/inclusionProof/checkpoint/envelope").said();
        put("note", name, note.as_bytes());
        put("checkpoint", name, note.as_bytes());
        put("checkpoint", &format!("{name}-text"), (note.split("\n\n").next().unwrap().to_owned() + "\n").as_bytes());
        put("trusted_root", name, scene.root.render().as_bytes());
        if let Signed::Payload(payload) = &recipe.signed {
            put("envelope", name, recipe.envelope_text().as_bytes());
            put("statement", name, payload.as_bytes());
            for (file, row) in rows(name, recipe) {
                put("row", &file, &row);
            }
        }
        let public = recipe.signer.public();
        put("key", &format!("{name}.pem"), public.spki_pem().as_bytes());
        put("key", &format!("{name}.der"), public.spki_der());
        put("key", &format!("{name}.base64"), to_standard_base64(public.spki_der()).as_bytes());
    }
    let all_logs = [Log::v1().trusted(), trusted_rsa("rsa.example"), Log::v2().trusted()];
    put("trusted_root", "three-logs", trusted_root(&all_logs).render().as_bytes());
    let (v1, v2) = (Log::v1(), Log::v2());
    let vkeys = [NoteVerifier::ecdsa(v1.name, v1.key.public()), NoteVerifier::ed25519(v2.name, v2.key.public())];
    for (number, vkey) in vkeys.into_iter().enumerate() {
        put("note", &format!("vkey-{number}"), vkey.unwrap().to_string().as_bytes());
    }
    for (name, rekor) in [("v1", rekor_v1()), ("v2", rekor_v2())] {
        let scene = Anchoring::in_log(rekor).make(&Recipe::file());
        put("anchor", name, scene.anchor.unwrap().render().as_bytes());
    }
    put("answer", "v1", v1_answer(&Recipe::file()).as_bytes());
    put("answer", "v2", Recipe::file().in_v2().make().entry().render().as_bytes());
    put("signing_config", "three-logs", SIGNING_CONFIG.as_bytes());
    put("signing_config", "loopback", SIGNING_CONFIG.replace("log2.example/x/", "127.0.0.1:3000").as_bytes());
    put("settings", "whole", SETTINGS.as_bytes());
    put("settings", "least", "Log: {Origin: a, TreeId: 1, Created: \"2026-11-21T03:00:00Z\", Epoch: 1}\n".as_bytes());
    put("slot", "one", &slot(1));
    put("slot", "two", &[slot(1), slot(2)].concat());
    // By OpenSSL, so these are as they were made.
    put("timestamp", "plain.tsr", include_bytes!("../timestamps/plain.tsr"));
    put("timestamp", "exact.tsr", include_bytes!("../timestamps/exact.tsr"));
    put("timestamp", "rejected.tsr", include_bytes!("../timestamps/rejected.tsr"));
    // By the authority of tests/certificates.rs.
    put("certificate", "workflow.der", include_bytes!("../certified/workflow.der"));
    put("certificate", "person.der", include_bytes!("../certified/person.der"));
    let certified = include_str!("../certified/bundle.sigstore.json").trim_end();
    put("bundle", "certified", certified.as_bytes());
    let good = Recipe::file().make().bundle.render();
    put("homes", "bundle", good.as_bytes());
    put("homes", "lines", format!("{good}\n{certified}\n").as_bytes());
    let npm =
        format!(r#"{{"attestations":[{{"predicateType":"https://slsa.dev/provenance/v1","bundle":{certified}}}]}}"#);
    put("homes", "npm", npm.as_bytes());
    let attestation = pypi(certified);
    put("homes", "pypi-attestation", attestation.as_bytes());
    let document =
        format!(r#"{{"version":1,"attestation_bundles":[{{"publisher":{{}},"attestations":[{attestation}]}}]}}"#);
    put("homes", "pypi", document.as_bytes());
    put("homes", "cosign", br#"{"base64Signature":"AAAA","cert":"","rekorBundle":{"SignedEntryTimestamp":"AAAA"}}"#);
    put("policy", "whole", POLICY.as_bytes());
    put(
        "policy",
        "least",
        b"policy: 1\nkeys: { a: { file: ab } }\nrequire:\n  - { name: x, by: [a], type: [\"https://x.example/y\"] }\n",
    );
    put("quorum", "two-of-three", policy().as_bytes());
    put("quorum", "houses", houses().as_bytes());
    put("quorum", "none", b"quorum none\n");
    seeds
}

/// Witnesses of two houses: one of two here, and there one whose signatures nobody here checks or one of ours.
fn houses() -> String {
    let vkey = |number| {
        let (name, key) = witness(number);
        CosignatureVerifier::new(&name, key.public()).unwrap()
    };
    let name = "w4.example/witness";
    let material = [0x06; 1 + 1312];
    let key_id = note::key_id(name, material[0], &material[1..]);
    let ml_dsa = format!("{name}+{}+{}", hex::encode(key_id), to_standard_base64(&material));
    format!(
        "witness\tA1 {}\nwitness A2 {}  https://w2.example/\n\n# another house\nwitness B1 {ml_dsa}\nwitness B2 {}\n\
         group A any A1 A2\ngroup B 1 B1 B2\ngroup both all A B\nquorum both\n",
        vkey(1),
        vkey(2),
        vkey(3)
    )
}

/// The bundle of a certificate as PyPI hands it out.
fn pypi(bundle: &str) -> String {
    let bundle: serde_json::Value = serde_json::from_str(bundle).unwrap();
    let (material, envelope) = (&bundle["verificationMaterial"], &bundle["dsseEnvelope"]);
    format!(
        r#"{{"version":1,"verification_material":{{"certificate":{},"transparency_entries":{}}},"envelope":{{"statement":{},"signature":{}}}}}"#,
        material["certificate"]["rawBytes"],
        material["tlogEntries"],
        envelope["payload"],
        envelope["signatures"][0]["sig"]
    )
}

const POLICY: &str = r#"
policy: 1
title: "What a release of pump must come with"
keys:
  builder:
    file: keys/builder.pub
    valid: { from: "2026-01-01T00:00:00Z", until: "2027-01-01T00:00:00Z" }
  lab: { id: "0af0e6cf4c63ac0fe2e0bb3d3a7a7d3ba6a92ee2b2d0f1c2c6b7f1e1d8a29a10" }
identities:
  ci:
    subject: "https://github.com/o/r/.github/workflows/release.yml@refs/heads/main"
    issuer: "https://token.actions.githubusercontent.com"
logs:
  site: { id: "2808767f7aa059fd6d192bdd3dbe6332015893cb97a5069045ce9ae0f4a6dda5" }
  rekor: { id: "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d", public: true }
require:
  - name: provenance
    by: [builder, ci]
    signers: 1
    type: ["https://slsa.dev/provenance/v1"]
    subject: ["pump-*.bin"]
    fields:
      - { at: /predicate/buildDefinition/buildType, equals: "https://forge.example/build/v1" }
      - { at: /predicate/kind, one_of: ["file", 7, null] }
      - { at: /predicate/ref, matches: "refs/tags/v*" }
      - { at: /predicate/run }
    logged_in: [site]
    publicly_logged: true
    not_before: "2026-01-01T00:00:00Z"
    not_after: "2027-01-01T00:00:00Z"
    max_age_days: 30
  - name: test
    by: [lab]
    type: ["https://in-toto.io/attestation/test-result/v0.1"]
links:
  - { one: provenance, at: /subject/0/digest, other: test, other_at: /predicate/tested/digest }
"#;

const SIGNING_CONFIG: &str = r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":[],"rekorTlogUrls":[{"url":"https://log.example","majorApiVersion":1,"validFor":{"start":"2025-01-01T00:00:00Z"},"operator":"a"},{"url":"https://log2.example/x/","majorApiVersion":2,"validFor":{"start":"2026-01-01T00:00:00Z","end":"2026-07-01T00:00:00.5Z"},"operator":"b"},{"url":"https://log3.example","majorApiVersion":3,"validFor":{"start":"2026-01-01T00:00:00Z"}}],"rekorTlogConfig":{"selector":"ANY"},"tsaUrls":[],"tsaConfig":{}}"#;

const SETTINGS: &str = "\
# settings
Signals:
  Provenance:
    Enabled: true
    RekorEnabled: false # RekorEnabled: true
  Signing: {KeyId: \"signer\"}
Log:
  Origin: \"log.example\"
  TreeId: 7
  Created: \"2026-11-21T03:00:00Z\"
  Epoch: 1
Sync: {Budget: \"500/h\", Interval: 90s, Timeout: 30, MaxRequestBytes: 3500000}
";

/// What a Rekor v1 answers, where its log is that of a recipe.
fn v1_answer(recipe: &Recipe) -> String {
    let mut scene = recipe.make();
    let mut said = |path: &str| scene.entry().at(path).said();
    let hex_of = |base64: &str| hex::encode(standard_base64(base64).unwrap());
    let body = said("/canonicalizedBody");
    let hashes: Vec<String> =
        (0..3).map(|at| format!("\"{}\"", hex_of(&said(&format!("/inclusionProof/hashes/{at}"))))).collect();
    format!(
        r#"{{"{TREE_ID:016x}{}":{{"body":"{body}","integratedTime":{},"logID":"{}","logIndex":{},"verification":{{"inclusionProof":{{"checkpoint":{},"hashes":[{}],"logIndex":{},"rootHash":"{}","treeSize":{}}},"signedEntryTimestamp":"{}"}}}}}}"#,
        leaf_hash(&recipe.body()),
        said("/integratedTime"),
        hex_of(&said("/logId/keyId")),
        said("/logIndex"),
        quoted(&said("/inclusionProof/checkpoint/envelope")),
        hashes.join(","),
        said("/inclusionProof/logIndex"),
        hex_of(&said("/inclusionProof/rootHash")),
        said("/inclusionProof/treeSize"),
        said("/inclusionPromise/signedEntryTimestamp"),
    )
}

/// A row of each form, its form in front.
fn rows(name: &str, recipe: &Recipe) -> Vec<(String, Vec<u8>)> {
    let (preparer, public) = (Preparer::default(), recipe.signer.public());
    let mut worker = preparer.worker();
    let mut out = Vec::new();
    let spaced = recipe.envelope_text().replace("\":", "\": ");
    for text in [recipe.envelope_text(), spaced] {
        let envelope = Envelope::parse(text.as_bytes(), Limits::bytes(1 << 20)).unwrap();
        out.push(worker.envelope(&text, &envelope, public).unwrap());
    }
    out.push(worker.leaf(&recipe.body(), public));
    let named = |prepared: &airtight_log::store::Prepared| {
        let (form, row) = prepared.row();
        (format!("{name}-form-{form}"), [&[u8::try_from(form).unwrap()], row].concat())
    };
    out.iter().map(named).collect()
}

/// A slot of a head file, written by the page and not by the store.
fn slot(sequence: u64) -> Vec<u8> {
    let note = |recipe: Recipe| recipe.make().entry().at("/inclusionProof/checkpoint/envelope").said();
    let notes = note(Recipe::file().in_v2()) + &note(Recipe::file());
    let counts = format!("airtight head v1\nsequence {sequence}\nlength {}\n", notes.len());
    let digest = sha256((counts.clone() + &notes).as_bytes());
    let mut slot = format!("{counts}digest {}\n{notes}", digest.hex()).into_bytes();
    slot.resize(4096, b'\n');
    slot
}
