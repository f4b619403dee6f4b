//! Bundles that are signed with certificates of an authority of our own making: authority, transparency log, certificate and revocation lists, written
//! byte by byte, so that each can be wrong in one thing.

use airtight::trust::{Crl, TrustedRoot};
use airtight::verify::identity::{Expression, IdentityRule, Pattern};
use airtight::verify::{Input, Memory, Policy, Report, Subject, verify_among};
use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_keys::strict_json::to_standard_base64 as base64;
use airtight_log::digest::sha256;
use airtight_log::entry::dsse_body;
use der::asn1::ObjectIdentifier;
use p384::ecdsa::signature::Signer;
use p384::ecdsa::signature::hazmat::PrehashSigner as _;
use p384::ecdsa::{Signature, SigningKey};
use p384::pkcs8::EncodePublicKey;
use serde_json::{Value, json};

use super::{ARTIFACT, NOW, Recipe, Signed, TIME, key, verdict};

pub const NAME: &str = "https://forge.example/o/r/.github/workflows/release.yml@refs/heads/main";
pub const ISSUER: &str = "https://token.forge.example";
pub const REPOSITORY: &str = "https://forge.example/o/r";
pub const SAN: &str = "2.5.29.17";
pub const KEY_USAGE: &str = "2.5.29.15";
pub const CONSTRAINTS: &str = "2.5.29.19";
pub const EKU: &str = "2.5.29.37";
pub const SCT: &str = "1.3.6.1.4.1.11129.2.4.2";

pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        len @ 0..=127 => out.push(len as u8),
        len @ 128..=255 => out.extend([0x81, len as u8]),
        len => out.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    [out, content].concat()
}

pub fn oid(text: &str) -> Vec<u8> {
    tlv(6, &[ObjectIdentifier::new_unwrap(text).as_bytes()])
}

pub fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0c, &[text.as_bytes()])
}

pub fn name(common: &str) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&oid("2.5.4.3"), &utf8(common)])])])
}

pub fn time(seconds: u64) -> Vec<u8> {
    let at = jiff::Timestamp::from_second(seconds as i64).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    tlv(0x17, &[at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes()])
}

/// The same with the year in full.
pub fn generalized_time(seconds: u64) -> Vec<u8> {
    let at = jiff::Timestamp::from_second(seconds as i64).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    tlv(0x18, &[at.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes()])
}

pub type Extension = (&'static str, bool, Vec<u8>);

/// A key that certificates are signed with.
pub trait Issuer {
    /// SubjectPublicKeyInfo, DER.
    fn spki(&self) -> Vec<u8>;

    /// AlgorithmIdentifier of its signatures, DER.
    fn algorithm(&self) -> Vec<u8>;

    fn signature(&self, message: &[u8]) -> Vec<u8>;
}

impl Issuer for SoftKey {
    fn spki(&self) -> Vec<u8> {
        self.public().spki_der().to_vec()
    }

    fn algorithm(&self) -> Vec<u8> {
        ecdsa_sha256()
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        self.sign(message).unwrap()
    }
}

/// A key on P-384 over SHA-384, as the authorities of public Sigstore have them.
pub struct LargerKey(SigningKey);

impl LargerKey {
    /// One of tests and benches; another secret makes another.
    pub fn new(secret: u8) -> LargerKey {
        LargerKey(SigningKey::from_slice(&[secret; 48]).unwrap())
    }

    /// Signs over SHA-256, as public Sigstore's time stamp authority does with such a key.
    pub fn over_sha256(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign_prehash(sha256(message).as_bytes()).unwrap();
        signature.to_der().as_bytes().to_vec()
    }
}

impl Issuer for LargerKey {
    fn spki(&self) -> Vec<u8> {
        self.0.verifying_key().to_public_key_der().unwrap().into_vec()
    }

    fn algorithm(&self) -> Vec<u8> {
        tlv(0x30, &[&oid("1.2.840.10045.4.3.3")])
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        Signer::<Signature>::sign(&self.0, message).to_der().as_bytes().to_vec()
    }
}

impl<T: Issuer + ?Sized> Issuer for Box<T> {
    fn spki(&self) -> Vec<u8> {
        (**self).spki()
    }

    fn algorithm(&self) -> Vec<u8> {
        (**self).algorithm()
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        (**self).signature(message)
    }
}

/// A certificate before it is signed.
#[derive(Clone)]
pub struct Draft {
    pub issuer: &'static str,
    pub subject: Option<&'static str>,
    pub valid: (u64, u64),
    pub spki: Vec<u8>,
    pub extensions: Vec<Extension>,
    /// The bytes behind the extensions, inside their list.
    pub rest: Vec<u8>,
}

impl Draft {
    /// The certificate of an authority that may issue.
    pub fn authority(subject: &'static str, issuer: &'static str, key: &impl Issuer) -> Draft {
        Draft {
            issuer,
            subject: Some(subject),
            valid: (TIME - 86_400, TIME + 86_400),
            spki: key.spki(),
            extensions: vec![
                (CONSTRAINTS, true, tlv(0x30, &[&tlv(1, &[&[0xff]])])),
                (KEY_USAGE, true, tlv(3, &[&[1, 0x06]])),
            ],
            rest: Vec::new(),
        }
    }

    /// What such a key signs.
    pub fn tbs(&self, by: &impl Issuer) -> Vec<u8> {
        let one = |(id, critical, value): &Extension| {
            let critical = if *critical { tlv(1, &[&[0xff]]) } else { Vec::new() };
            tlv(0x30, &[&oid(id), &critical, &tlv(4, &[value])])
        };
        let extensions: Vec<u8> = self.extensions.iter().flat_map(one).collect();
        tlv(
            0x30,
            &[
                &tlv(0xa0, &[&tlv(2, &[&[2]])]),
                &tlv(2, &[&[7, 1, 2, 3]]),
                &by.algorithm(),
                &name(self.issuer),
                &tlv(0x30, &[&time(self.valid.0), &time(self.valid.1)]),
                &self.subject.map_or_else(|| tlv(0x30, &[]), name),
                &self.spki,
                &tlv(0xa3, &[&tlv(0x30, &[&extensions, &self.rest])]),
            ],
        )
    }

    pub fn signed(&self, by: &impl Issuer) -> Vec<u8> {
        let tbs = self.tbs(by);
        tlv(0x30, &[&tbs, &by.algorithm(), &tlv(3, &[&[0], &by.signature(&tbs)])])
    }

    pub fn drop(mut self, id: &str) -> Draft {
        self.extensions.retain(|(found, ..)| *found != id);
        self
    }

    pub fn put(self, id: &'static str, critical: bool, value: Vec<u8>) -> Draft {
        let mut draft = self.drop(id);
        draft.extensions.push((id, critical, value));
        draft
    }
}

pub fn ecdsa_sha256() -> Vec<u8> {
    tlv(0x30, &[&oid("1.2.840.10045.4.3.2")])
}

/// All that a bundle is made of, each to be changed before [`World::bundle`].
pub struct World {
    pub ca: Box<dyn Issuer>,
    pub ct: SoftKey,
    pub signer: &'static str,
    pub draft: Draft,
    /// Milliseconds of the promise; nothing for a certificate without one.
    pub promised: Option<u64>,
    /// Changes the list of promises.
    pub list: fn(Vec<u8>) -> Vec<u8>,
    pub recipe: Recipe,
    pub root: Value,
    pub rule: Option<IdentityRule>,
    pub identities: Vec<(String, IdentityRule)>,
    pub scts: usize,
    /// Files of revocation lists, where they are asked for.
    pub crls: Option<Vec<Vec<u8>>>,
}

pub fn exactly(text: &str) -> Option<Pattern> {
    Some(Pattern::Exactly(text.to_owned()))
}

pub fn matching(said: &str) -> Option<Pattern> {
    Some(Pattern::Matching(Expression::new(said).unwrap()))
}

pub fn uri(text: &str) -> Vec<u8> {
    tlv(0x86, &[text.as_bytes()])
}

impl World {
    pub fn new() -> World {
        World::under(Box::new(key(Algorithm::P256, "authority")))
    }

    /// The same below an authority with another key.
    pub fn under(ca: Box<dyn Issuer>) -> World {
        let ct = key(Algorithm::P256, "transparency");
        let recipe = Recipe::file();
        let signer = "certified";
        let usage = tlv(0x30, &[&oid("1.3.6.1.5.5.7.3.3")]);
        let draft = Draft {
            issuer: "forge authority",
            subject: None,
            valid: (TIME - 60, TIME + 540),
            spki: key(Algorithm::P256, signer).public().spki_der().to_vec(),
            extensions: vec![
                (KEY_USAGE, true, tlv(3, &[&[7, 0x80]])),
                (EKU, false, usage),
                (SAN, true, tlv(0x30, &[&uri(NAME)])),
                ("1.3.6.1.4.1.57264.1.1", false, ISSUER.as_bytes().to_vec()),
                ("1.3.6.1.4.1.57264.1.8", false, utf8(ISSUER)),
                ("1.3.6.1.4.1.57264.1.12", false, utf8(REPOSITORY)),
            ],
            rest: Vec::new(),
        };
        let above = Draft::authority("forge authority", "forge authority", &ca);
        let mut root: Value = serde_json::from_str(&recipe.make().root.render()).unwrap();
        root["certificateAuthorities"] = json!([{
            "uri": "https://ca.forge.example",
            "certChain": {"certificates": [{"rawBytes": base64(&above.signed(&ca))}]},
            "validFor": {"start": "2026-01-01T00:00:00Z"},
        }]);
        root["ctlogs"] = json!([{
            "baseUrl": "https://ct.forge.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {"rawBytes": base64(ct.public().spki_der()), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                          "validFor": {"start": "2026-01-01T00:00:00Z"}},
            "logId": {"keyId": ct.public().key_id().to_base64()},
        }]);
        let rule = IdentityRule { name: exactly(NAME), issuer: exactly(ISSUER), claims: Vec::new() };
        let promised = Some((TIME - 30) * 1000);
        World {
            ca,
            ct,
            signer,
            draft,
            promised,
            list: |list| list,
            recipe,
            root,
            rule: Some(rule),
            identities: Vec::new(),
            scts: 1,
            crls: None,
        }
    }

    /// Names the certificates of the authority in the trusted root, its root last.
    pub fn trust(&mut self, chain: &[Vec<u8>]) {
        let chain: Vec<Value> = chain.iter().map(|der| json!({ "rawBytes": base64(der) })).collect();
        self.root["certificateAuthorities"][0]["certChain"]["certificates"] = json!(chain);
    }

    pub fn certificate(&self) -> Vec<u8> {
        let Some(milliseconds) = self.promised else { return self.draft.signed(&self.ca) };
        let tbs = self.draft.clone().drop(SCT).tbs(&self.ca);
        let issuer = sha256(&self.ca.spki());
        let len = (tbs.len() as u32).to_be_bytes();
        let head: [&[u8]; 4] = [&[0, 0], &milliseconds.to_be_bytes(), &[0, 1], issuer.as_bytes()];
        let signature = self.ct.sign(&[&head.concat(), &len[1..], &tbs[..], &[0, 0]].concat()).unwrap();
        let log_id = self.ct.public().key_id();
        let parts: [&[u8]; 6] =
            [&[0], log_id.as_bytes(), &milliseconds.to_be_bytes(), &[0, 0, 4, 3], &vector(&signature), &[]];
        let list = (self.list)(vector(&vector(&parts.concat())));
        self.draft.clone().put(SCT, false, tlv(4, &[&list])).signed(&self.ca)
    }

    pub fn bundle(&self) -> String {
        self.bundle_of(Recipe::file())
    }

    /// The bundle of another statement, which the recipe has as its payload.
    pub fn bundle_of(&self, recipe: Recipe) -> String {
        let recipe = Recipe { signer: key(Algorithm::P256, self.signer), ..recipe };
        let recipe = Recipe { time: self.recipe.time, promise: self.recipe.promise, ..recipe };
        let certificate = self.certificate();
        let Signed::Payload(payload) = &recipe.signed else { unreachable!() };
        let pem = pem(&certificate);
        let envelope = sha256(recipe.envelope_text().as_bytes());
        let logged = dsse_body(&envelope, &sha256(payload.as_bytes()), &recipe.signature(), &pem);
        let hint = format!("\"publicKey\":{{\"hint\":\"{}\"}}", recipe.public().key_id().to_base64());
        let scene = Recipe { logged: Some(logged), ..recipe }.make();
        let named = format!("\"certificate\":{{\"rawBytes\":\"{}\"}}", base64(&certificate));
        scene.bundle.render().replace(&hint, &named)
    }

    pub fn judge(&self, bundle: &[u8]) -> Report {
        self.judge_among(bundle, &Memory::default())
    }

    pub fn judge_among(&self, bundle: &[u8], memory: &Memory) -> Report {
        let trusted_root = TrustedRoot::parse(self.root.to_string().as_bytes()).unwrap();
        let subject = Subject::Digest(sha256(ARTIFACT));
        let (identity, identities) = (self.rule.clone(), self.identities.clone());
        let read = |files: &Vec<Vec<u8>>| files.iter().flat_map(|file| Crl::parse(file).unwrap()).collect();
        let crls = self.crls.as_ref().map(read);
        let policy = Policy { identity, identities, scts: self.scts, crls, ..Policy::default() };
        let input = Input { bundle, subject, keys: &[], trusted_root: &trusted_root, policy: &policy, now: NOW };
        verify_among(&input, memory)
    }

    pub fn code(&self) -> (&'static str, u8) {
        verdict(&self.judge(self.bundle().as_bytes()))
    }
}

pub fn vector(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

pub fn pem(der: &[u8]) -> String {
    let text = base64(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

pub fn changed(change: impl FnOnce(&mut World)) -> (&'static str, u8) {
    let mut world = World::new();
    change(&mut world);
    world.code()
}

/// A world whose draft is another.
pub fn drafted(change: impl FnOnce(Draft) -> Draft) -> (&'static str, u8) {
    changed(|world| world.draft = change(world.draft.clone()))
}

/// A revocation list before it is signed.
#[derive(Clone)]
pub struct List {
    pub issuer: &'static str,
    pub updates: (u64, u64),
    /// Serial numbers with the time and the reason.
    pub revoked: Vec<(&'static [u8], u64, Option<u8>)>,
    /// Since when it says that all of them were invalid.
    pub invalid_since: Option<u64>,
    pub extensions: Vec<Extension>,
    /// The bytes behind the extensions, inside their list.
    pub rest: Vec<u8>,
}

pub const SERIAL: &[u8] = &[7, 1, 2, 3];

impl List {
    /// The authority's, made after the signature; it revokes nothing.
    pub fn new() -> List {
        let number = ("2.5.29.20", false, tlv(2, &[&[9]]));
        List {
            issuer: "forge authority",
            updates: (TIME + 600, NOW + 600),
            revoked: Vec::new(),
            invalid_since: None,
            extensions: vec![number],
            rest: Vec::new(),
        }
    }

    pub fn revoking(since: u64, reason: Option<u8>) -> List {
        List { revoked: vec![(&[1], TIME - 9, None), (SERIAL, since, reason)], ..List::new() }
    }

    pub fn signed(&self, by: &impl Issuer) -> Vec<u8> {
        let extension = |(id, critical, value): &Extension| {
            let critical = if *critical { tlv(1, &[&[0xff]]) } else { Vec::new() };
            tlv(0x30, &[&oid(id), &critical, &tlv(4, &[value])])
        };
        let entry = |(serial, since, reason): &(&[u8], u64, Option<u8>)| {
            let reason = reason.map(|reason| extension(&("2.5.29.21", false, tlv(10, &[&[reason]]))));
            let invalid = self.invalid_since.map(|at| extension(&("2.5.29.24", false, generalized_time(at))));
            let said = [reason.unwrap_or_default(), invalid.unwrap_or_default()].concat();
            let said = if said.is_empty() { Vec::new() } else { tlv(0x30, &[&said]) };
            tlv(0x30, &[&tlv(2, &[serial]), &time(*since), &said])
        };
        let entries: Vec<u8> = self.revoked.iter().flat_map(entry).collect();
        let entries = if entries.is_empty() { Vec::new() } else { tlv(0x30, &[&entries]) };
        let extensions: Vec<u8> = self.extensions.iter().flat_map(extension).collect();
        let tbs = tlv(
            0x30,
            &[
                &tlv(2, &[&[1]]),
                &by.algorithm(),
                &name(self.issuer),
                &time(self.updates.0),
                &time(self.updates.1),
                &entries,
                &tlv(0xa0, &[&tlv(0x30, &[&extensions, &self.rest])]),
            ],
        );
        tlv(0x30, &[&tbs, &by.algorithm(), &tlv(3, &[&[0], &by.signature(&tbs)])])
    }
}
