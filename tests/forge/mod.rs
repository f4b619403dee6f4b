//! Bundles out of fixed keys, fixed times and a small tree in memory, made piece by piece so that each piece can be made wrong.
//!
//! A [`Recipe`] says what is signed, by whom, and how which log entered it; [`Recipe::make`] does that and gives a [`Scene`]:
//! the bundle and everything that it is judged with, each still open to changes. Nothing here is random and nothing reads a
//! clock, so the same recipe is the same bytes on every machine. The bundle is written here a second time, not by the
//! library's own writer; a test compares the two.
//!
//! Every private key is SHA-256 of `airtight vectors: ` and its label: worth nothing, and anybody can make it again.
#![allow(dead_code, reason = "each test and the generator use a part of it")]

pub mod anchors;
#[allow(clippy::duplicate_mod, reason = "a test may play the authority besides")]
#[path = "../played/authority.rs"]
pub mod authority;
pub mod cases;
pub mod certified;
pub mod changes;
pub mod foreign;
pub mod foreign_logs;
pub mod json;
#[cfg(feature = "site")]
pub mod seeds;

use std::sync::Arc;

use airtight::statement::digests::{ALGORITHMS, Digests, digest_of};
use airtight::statement::{Subject, Symlink};
use airtight::trust::TrustedRoot;
use airtight::verify::identity::{IdentityRule, Pattern};
use airtight::verify::{self, Input, Outcome, Policy, Report, verify, verify_anchored};
use airtight_keys::envelope::{IN_TOTO_PAYLOAD_TYPE, pae};
use airtight_keys::note::{self, NoteStyle};
use airtight_keys::public::{Algorithm, KeyId};
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};
use airtight_keys::verifier::{HashFunction, VerifierKey};
use airtight_log::digest::{LeafIndex, Sha256Digest, TreeSize, sha256};
use airtight_log::entry::{Body, HashedRekord001, HashedRekord002, RekordVerifier, dsse_body, set_message};
use airtight_log::proofs::inclusion;
use airtight_log::quorum::WitnessPolicy;
use airtight_log::tree::{Forest, leaf_hash, root};

use self::foreign::Foreign;
use self::json::{Json, quoted};

/// 2026-01-01T00:00:00Z: from here on the logs' keys are valid.
pub const START: u64 = 1_767_225_600;
/// When the logs say that they took the entry: a day and some seconds later.
pub const TIME: u64 = START + 86_435;
/// 2026-02-01T00:00:00Z: when it is judged.
pub const NOW: u64 = 1_769_904_000;
/// What most cases are about.
pub const ARTIFACT: &[u8] = b"firmware 1.0\n";
/// The number of the first log's tree, 0x123456.
pub const TREE_ID: u64 = 1_193_046;

/// Makes the key of a label.
pub fn key(algorithm: Algorithm, label: &str) -> SoftKey {
    let secret = sha256(format!("airtight vectors: {label}").as_bytes());
    SoftKey::from_secret(algorithm, secret.as_bytes()).unwrap()
}

/// The key that signs where nothing else is said.
pub fn signer_p256() -> SoftKey {
    key(Algorithm::P256, "signer, P-256")
}

/// The same for Ed25519.
pub fn signer_ed25519() -> SoftKey {
    key(Algorithm::Ed25519, "signer, Ed25519")
}

/// A key that signed nothing.
pub fn stranger() -> SoftKey {
    key(Algorithm::P256, "stranger")
}

/// How a log names itself in its checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Rekor v1: `NAME - TREEID`.
    V1,
    /// C2SP: `NAME`.
    C2sp,
}

/// A log: its name, its key, its style.
pub struct Log {
    pub name: &'static str,
    pub key: SoftKey,
    pub style: Style,
}

impl Log {
    /// A log in the manner of Rekor v1, which is ours.
    pub fn v1() -> Log {
        Log { name: "log.example", key: key(Algorithm::P256, "log, Rekor v1 style"), style: Style::V1 }
    }

    /// A log in the manner of Rekor v2.
    pub fn v2() -> Log {
        Log { name: "log2.example", key: key(Algorithm::Ed25519, "log, Rekor v2 style"), style: Style::C2sp }
    }

    /// The id: SHA-256 of the key, or under an Ed25519 key of its name, a line feed, 0x01 and the key (C2SP signed-note).
    pub fn id(&self) -> KeyId {
        let public = self.key.public();
        match (self.style, public.algorithm()) {
            (Style::C2sp, Algorithm::Ed25519) => {
                let preimage = [self.name.as_bytes(), b"\n\x01", public.raw()].concat();
                KeyId::from_bytes(*sha256(&preimage).as_bytes())
            }
            _ => *public.key_id(),
        }
    }

    /// Signs a text as a note.
    pub fn sign(&self, text: &str) -> String {
        let style = match self.key.public().algorithm() {
            Algorithm::P256 => NoteStyle::EcdsaSpki,
            Algorithm::Ed25519 => NoteStyle::Ed25519,
        };
        note::sign(text, self.name, &self.key, style).unwrap()
    }

    /// The element of `tlogs` in a trusted root.
    pub fn trusted(&self) -> String {
        let public = self.key.public();
        format!(
            r#"{{"baseUrl":"https://{}","hashAlgorithm":"SHA2_256","publicKey":{{"rawBytes":"{}","keyDetails":"{}","validFor":{{"start":"2026-01-01T00:00:00Z"}}}},"logId":{{"keyId":"{}"}}}}"#,
            self.name,
            base64(public.spki_der()),
            public.algorithm().key_details(),
            self.id().to_base64(),
        )
    }
}

/// An RSA key of 2,048 bits, whose private half was thrown away: an element of `tlogs` that is not used here.
pub fn trusted_rsa(name: &str) -> String {
    const SPKI: &str = concat!(
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAo/VHwqjTUJi0G1Baz3V+LBsFWPQTkpmrozrlMdnD1fKiUHlz8sB7Jept",
        "pWvuGiJ8S2GGQMYMjsy7ocwElvAJfJZIbkQNFnKWOLjV4wEQAO+y09ELxRrX7tru/Vt2ciSHvhVqCaFeSzr4sg7OHnzVmWU4ImeZ",
        "590i61zcLUDVqg0TZ2YTHovGbcqwR93nJA4wIG7Un9boSn34WYTemtn0bkVu4OmamVTTv176SfFR2zlfqHj47JRNAlZRwHsyAyOD",
        "DsO+tDkcIysv2t63GsSQ2abNM0o0HZMLvlypPnDjSzMsmOaz3iRALVj0E59pzjCgVB0h3uyXtZp16xHACtk0kQIDAQAB",
    );
    let id = sha256(&standard_base64(SPKI).unwrap());
    format!(
        r#"{{"baseUrl":"https://{name}","hashAlgorithm":"SHA2_256","publicKey":{{"rawBytes":"{SPKI}","keyDetails":"PKIX_RSA_PKCS1V15_2048_SHA256","validFor":{{"start":"2026-01-01T00:00:00Z"}}}},"logId":{{"keyId":"{}"}}}}"#,
        base64(id.as_bytes()),
    )
}

/// A trusted root of these elements of `tlogs`.
pub fn trusted_root(logs: &[String]) -> Json {
    Json::parse(&format!(
        r#"{{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{}]}}"#,
        logs.join(",")
    ))
}

/// What is signed.
#[derive(Clone)]
pub enum Signed {
    /// This payload, in an envelope.
    Payload(String),
    /// The bytes themselves.
    Message(Vec<u8>),
}

/// What is made. Every field may be changed before [`Recipe::make`].
pub struct Recipe {
    pub signer: SoftKey,
    /// A signature that was made elsewhere, in place of the signer's.
    pub foreign: Option<Foreign>,
    pub payload_type: String,
    pub signed: Signed,
    /// `kindVersion`, and what [`Recipe::body`] makes.
    pub kind: (&'static str, &'static str),
    /// The leaf, where it is not the honest one.
    pub logged: Option<Vec<u8>>,
    pub log: Log,
    pub index: u64,
    pub size: u64,
    /// The entry's own `logIndex`, where it is not that of the proof.
    pub global_index: Option<u64>,
    pub time: u64,
    /// Whether there is a signed entry timestamp, and `integratedTime` with it.
    pub promise: bool,
    /// Changes the checkpoint's text before it is signed.
    pub checkpoint: fn(String) -> String,
}

impl Recipe {
    /// An envelope over this payload, in our own log.
    pub fn envelope(payload: &str) -> Recipe {
        Recipe {
            signer: signer_p256(),
            foreign: None,
            payload_type: IN_TOTO_PAYLOAD_TYPE.to_owned(),
            signed: Signed::Payload(payload.to_owned()),
            kind: ("dsse", "0.0.1"),
            logged: None,
            log: Log::v1(),
            index: 5,
            size: 7,
            global_index: None,
            time: TIME,
            promise: true,
            checkpoint: |text| text,
        }
    }

    /// Our default statement about [`ARTIFACT`].
    pub fn file() -> Recipe {
        Recipe::envelope(&file_statement())
    }

    /// The same by the Ed25519 key.
    pub fn file_ed25519() -> Recipe {
        Recipe { signer: signer_ed25519(), ..Recipe::file() }
    }

    /// A signature over [`ARTIFACT`] itself, in a log in the manner of Rekor v1.
    pub fn message() -> Recipe {
        Recipe { signed: Signed::Message(ARTIFACT.to_vec()), kind: ("hashedrekord", "0.0.1"), ..Recipe::file() }
    }

    /// The same recipe in a log in the manner of Rekor v2: `hashedrekord` 0.0.2, C2SP checkpoint, no time.
    pub fn in_v2(self) -> Recipe {
        Recipe { kind: ("hashedrekord", "0.0.2"), log: Log::v2(), promise: false, ..self }
    }

    /// The bytes that the signature covers.
    pub fn covered(&self) -> Vec<u8> {
        match &self.signed {
            Signed::Payload(payload) => pae(&self.payload_type, payload.as_bytes()),
            Signed::Message(message) => message.clone(),
        }
    }

    /// The signature.
    pub fn signature(&self) -> Vec<u8> {
        match &self.foreign {
            Some(foreign) => foreign.signature(),
            None => self.signer.sign(&self.covered()).unwrap(),
        }
    }

    /// What a log hashes with what was signed.
    pub fn hash(&self) -> HashFunction {
        self.foreign.map_or(HashFunction::Sha256, |foreign| foreign.hash)
    }

    /// The signer's public key.
    pub fn public(&self) -> VerifierKey {
        self.foreign.map_or_else(|| VerifierKey::from(self.signer.public().clone()), |foreign| foreign.key())
    }

    /// The envelope's text, as we post it.
    pub fn envelope_text(&self) -> String {
        let Signed::Payload(payload) = &self.signed else { panic!("no envelope") };
        format!(
            r#"{{"payload":"{}","payloadType":{},"signatures":[{{"sig":"{}"}}]}}"#,
            base64(payload.as_bytes()),
            quoted(&self.payload_type),
            base64(&self.signature())
        )
    }

    /// The leaf as an honest log makes it.
    pub fn body(&self) -> Vec<u8> {
        let (public, signature) = (self.public(), self.signature());
        let key_details = match self.foreign {
            Some(Foreign { key_details, .. }) => key_details,
            None => self.signer.public().algorithm().key_details(),
        };
        let digest = digest_of(self.hash(), &self.hash().hash(&self.covered())).unwrap();
        match self.kind {
            ("hashedrekord", "0.0.1") => Body::HashedRekord001(HashedRekord001 {
                digest,
                signature,
                public_key_pem: public.spki_pem().as_bytes().to_vec(),
            })
            .render(),
            ("hashedrekord", "0.0.2") => Body::HashedRekord002(HashedRekord002 {
                digest,
                signature,
                key_details: key_details.to_owned(),
                verifier: RekordVerifier::PublicKey(public.spki_der().to_vec()),
            })
            .render(),
            _ => {
                let Signed::Payload(payload) = &self.signed else { panic!("no envelope") };
                let envelope = sha256(self.envelope_text().as_bytes());
                dsse_body(&envelope, &sha256(payload.as_bytes()), &signature, public.spki_pem())
            }
        }
    }

    /// Signs, enters, proves, and puts everything beside it that is needed to judge.
    pub fn make(&self) -> Scene {
        let leaf = self.logged.clone().unwrap_or_else(|| self.body());
        let others = |n: u64| leaf_hash(format!("entry {n}").as_bytes());
        let leaves = (0..self.size).map(|n| if n == self.index { leaf_hash(&leaf) } else { others(n) });
        let mut forest: Forest = leaves.collect();
        let (index, size) = (LeafIndex::new(self.index).unwrap(), TreeSize::new(self.size).unwrap());
        let root = root(&mut forest, size).unwrap();
        let hashes = inclusion(&mut forest, index, size).unwrap();
        let first = match self.log.style {
            Style::V1 => format!("{} - {TREE_ID}", self.log.name),
            Style::C2sp => self.log.name.to_owned(),
        };
        let checkpoint = self.log.sign(&(self.checkpoint)(format!("{first}\n{}\n{}\n", self.size, root.to_base64())));
        let global = self.global_index.unwrap_or(self.index);
        let mut promise = String::new();
        if self.promise {
            let said = set_message(&leaf, self.time, &self.log.id(), LeafIndex::new(global).unwrap());
            promise = format!(
                r#""integratedTime":"{}","inclusionPromise":{{"signedEntryTimestamp":"{}"}},"#,
                self.time,
                base64(&self.log.key.sign(&said).unwrap())
            );
        }
        let content = match &self.signed {
            Signed::Payload(_) => format!(r#""dsseEnvelope":{}"#, self.envelope_text()),
            Signed::Message(message) => format!(
                r#""messageSignature":{{"messageDigest":{{"algorithm":"SHA2_{}","digest":"{}"}},"signature":"{}"}}"#,
                &self.hash().name()[3..],
                base64(&self.hash().hash(message)),
                base64(&self.signature())
            ),
        };
        let hashes: Vec<String> = hashes.iter().map(|hash| format!("\"{}\"", hash.to_base64())).collect();
        let bundle = format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{{"publicKey":{{"hint":"{}"}},"tlogEntries":[{{"logIndex":"{global}","logId":{{"keyId":"{}"}},"kindVersion":{{"kind":"{}","version":"{}"}},{promise}"inclusionProof":{{"logIndex":"{}","rootHash":"{}","treeSize":"{}","hashes":[{}],"checkpoint":{{"envelope":{}}}}},"canonicalizedBody":"{}"}}]}},{content}}}"#,
            self.public().key_id().to_base64(),
            self.log.id().to_base64(),
            self.kind.0,
            self.kind.1,
            self.index,
            root.to_base64(),
            self.size,
            hashes.join(","),
            quoted(&checkpoint),
            base64(&leaf),
        );
        Scene {
            bundle: Json::parse(&bundle),
            text: None,
            root: trusted_root(&[self.log.trusted()]),
            keys: vec![self.public().spki_pem().to_owned()],
            asked: Asked::Artifact(ARTIFACT.to_vec()),
            predicate_type: None,
            threshold: None,
            identity: None,
            logs: None,
            timestamps: None,
            scts: None,
            accept_promise: false,
            witness_policy: None,
            signature_hash: match self.foreign.map(|foreign| foreign.hash) {
                Some(HashFunction::Sha384) => Some("sha384"),
                Some(HashFunction::Sha512) => Some("sha512"),
                _ => None,
            },
            anchor: None,
            now: NOW,
        }
    }
}

/// A statement with our own predicate over these subjects (name, content) and this predicate.
pub fn statement(subjects: &[(&str, &[u8])], predicate: &str) -> String {
    let subjects: Vec<String> = subjects
        .iter()
        .map(|(name, content)| {
            format!(r#"{{"name":{},"digest":{{"sha256":"{}"}}}}"#, quoted(name), sha256(content).hex())
        })
        .collect();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],"predicateType":"https://airtight.dev/artifact/v1","predicate":{predicate}}}"#,
        subjects.join(",")
    )
}

/// Our default statement about [`ARTIFACT`].
pub fn file_statement() -> String {
    statement(&[("firmware-1.0.bin", ARTIFACT)], &format!(r#"{{"kind":"file","size":{}}}"#, ARTIFACT.len()))
}

/// What the question is about.
#[derive(Clone)]
pub enum Asked {
    /// One artifact.
    Artifact(Vec<u8>),
    /// One that is not at hand, by the digest that is known: `sha256:` and hex, or another algorithm's.
    Digest(String),
    /// The files of a directory by their digests, and its symbolic links.
    Files { files: Vec<Subject>, links: Vec<Symlink> },
}

/// A bundle, and everything that it is judged with.
#[derive(Clone)]
pub struct Scene {
    pub bundle: Json,
    /// The bundle's text, where it is not that of `bundle`.
    pub text: Option<Vec<u8>>,
    pub root: Json,
    /// SPKI PEM.
    pub keys: Vec<String>,
    pub asked: Asked,
    pub predicate_type: Option<String>,
    pub threshold: Option<usize>,
    /// Whom a certificate must name, and who must have vouched for it.
    pub identity: Option<(String, String)>,
    /// How many distinct logs must have an entry.
    pub logs: Option<usize>,
    /// How many distinct authorities must have made a time stamp.
    pub timestamps: Option<usize>,
    /// How many logs of certificates must have promised the certificate.
    pub scts: Option<usize>,
    /// Whether a log's promise is accepted in place of a proof.
    pub accept_promise: bool,
    /// Who must have cosigned the checkpoint.
    pub witness_policy: Option<String>,
    /// What other clients must be told that the key signs with.
    pub signature_hash: Option<&'static str>,
    /// An anchor file that is followed too.
    pub anchor: Option<Json>,
    pub now: u64,
}

impl Scene {
    /// The bundle's text: one line and a line feed.
    pub fn bundle_text(&self) -> Vec<u8> {
        self.text.clone().unwrap_or_else(|| (self.bundle.render() + "\n").into_bytes())
    }

    /// The first entry of a log.
    pub fn entry(&mut self) -> &mut Json {
        self.bundle.at("/verificationMaterial/tlogEntries/0")
    }

    /// Puts the entry of another scene behind ours, and its log into the trusted root.
    pub fn enter_too(&mut self, mut other: Scene) {
        self.bundle.at("/verificationMaterial/tlogEntries").elements().push(other.entry().clone());
        self.root.at("/tlogs").elements().push(other.root.at("/tlogs/0").clone());
    }

    /// Changes what the string at a path says.
    pub fn rewrite(&mut self, path: &str, change: impl FnOnce(String) -> String) {
        let value = self.bundle.at(path);
        *value = json::text(&change(value.said()));
    }

    /// Changes the string at a path inside the one entry of the log.
    pub fn rewrite_entry(&mut self, path: &str, change: impl FnOnce(String) -> String) {
        self.rewrite(&format!("/verificationMaterial/tlogEntries/0{path}"), change);
    }

    /// Judges a text in place of the bundle.
    pub fn judge(&self, bundle: &[u8]) -> Report {
        let keys: Vec<VerifierKey> = self.keys.iter().map(|pem| VerifierKey::from_spki_pem(pem).unwrap()).collect();
        let trusted_root = TrustedRoot::parse(self.root.render().as_bytes()).unwrap();
        self.judge_with(bundle, &keys, &trusted_root)
    }

    /// The same, with keys and trusted root that were read before.
    pub fn judge_with(&self, bundle: &[u8], keys: &[VerifierKey], trusted_root: &TrustedRoot) -> Report {
        let subject = match &self.asked {
            Asked::Artifact(artifact) => verify::Subject::Artifact(digests(artifact)),
            Asked::Digest(text) => verify::Subject::Artifact(text.parse().unwrap()),
            Asked::Files { files, links } => verify::Subject::Files { files, symlinks: links },
        };
        let mut policy = Policy { predicate_type: self.predicate_type.clone(), ..Policy::default() };
        if let Some(threshold) = self.threshold {
            policy.threshold = threshold.try_into().unwrap();
        }
        policy.identity = self.identity.as_ref().map(|(name, issuer)| IdentityRule {
            name: Some(Pattern::Exactly(name.clone())),
            issuer: Some(Pattern::Exactly(issuer.clone())),
            claims: Vec::new(),
        });
        policy.logs = self.logs.unwrap_or(policy.logs);
        policy.timestamps = self.timestamps.unwrap_or(policy.timestamps);
        policy.scts = self.scts.unwrap_or(policy.scts);
        policy.accept_promise = self.accept_promise;
        let witnesses = self.witness_policy.as_ref().map(|text| WitnessPolicy::parse(text.as_bytes()).unwrap());
        policy.witnesses = witnesses.map(Arc::new);
        let input = Input { bundle, subject, keys, trusted_root, policy: &policy, now: self.now };
        match &self.anchor {
            None => verify(&input),
            Some(anchor) => verify_anchored(&input, anchor.render().as_bytes()),
        }
    }
}

/// The code of the refusal with its step, or `verified` and 0; and holds the report to its own shape.
pub fn verdict(report: &Report) -> (&'static str, u8) {
    let checks = report.checks();
    assert_eq!(checks.iter().map(|check| check.step).collect::<Vec<_>>(), (1..=9).collect::<Vec<u8>>());
    let failed: Vec<u8> =
        checks.iter().filter(|check| check.outcome == Outcome::Failed).map(|check| check.step).collect();
    match report.verdict() {
        Ok(_) => {
            assert!(failed.is_empty());
            ("verified", 0)
        }
        Err(refusal) => {
            assert_eq!(failed, [refusal.step()]);
            (refusal.code(), refusal.step())
        }
    }
}

/// A file's name and digest.
pub fn subject(name: &str, content: &[u8]) -> Subject {
    Subject { name: name.to_owned(), sha256: digest(content) }
}

/// All digests of an artifact.
pub fn digests(content: &[u8]) -> Digests {
    let digest = |algorithm: HashFunction| digest_of(algorithm, &algorithm.hash(content)).unwrap();
    ALGORITHMS.into_iter().map(digest).fold(Digests::default(), Digests::with)
}

/// SHA-256.
pub fn digest(content: &[u8]) -> Sha256Digest {
    sha256(content)
}

/// The twin (r, n - s) of an ECDSA signature in DER: as good as the first to every verifier.
pub fn twin(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
        0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (r, s) = signature[4..].split_at(usize::from(signature[3]));
    let mut rest = ORDER;
    let mut borrow = false;
    for (place, digit) in rest.iter_mut().enumerate().rev() {
        let have = s[2..].len() + place;
        let taken = if have >= 32 { s[2 + have - 32] } else { 0 };
        let (less, under) = digit.overflowing_sub(taken);
        let (less, again) = less.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (less, under || again);
    }
    let mut s: Vec<u8> = rest.iter().copied().skip_while(|byte| *byte == 0).collect();
    if s[0] & 0x80 != 0 {
        s.insert(0, 0);
    }
    let mut out = vec![0x30, u8::try_from(r.len() + s.len() + 4).unwrap(), 0x02, u8::try_from(r.len()).unwrap()];
    out.extend_from_slice(r);
    out.extend([0x02, u8::try_from(s.len()).unwrap()]);
    out.extend(s);
    out
}
