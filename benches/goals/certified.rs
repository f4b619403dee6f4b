//! Bundles that are signed with certificates: a root, an authority below it, a certificate for each bundle with the promise of a certificate
//! transparency log, an entry with the log's promise under a checkpoint of its own; and a time stamp, where public Sigstore's clients have one made.

use std::path::Path;

use airtight_keys::public::Algorithm;
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};
use airtight_log::digest::sha256;
use serde_json::{Value, json};

use super::forge::certified::{
    Draft, EKU, Issuer, KEY_USAGE, LargerKey, World, ecdsa_sha256, generalized_time, name, oid, tlv,
};
use super::forge::{Recipe, TIME, key};

/// P-256 signatures that are asked once for each bundle: of the envelope, the two promises, the checkpoint. That of the certificate is the authority's.
pub const CHECKS: usize = 4;

/// Whose bundles they are.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Everything on P-256, no time stamp.
    P256,
    /// As public Sigstore's trusted root and signing config of 2026 have it: root and authority on P-384, and a time stamp by an authority on P-384.
    Public,
}

impl Kind {
    fn keys(self) -> [Box<dyn Issuer>; 2] {
        match self {
            Self::P256 => {
                [Box::new(key(Algorithm::P256, "root of the bench")), Box::new(key(Algorithm::P256, "authority"))]
            }
            Self::Public => [Box::new(LargerKey::new(1)), Box::new(LargerKey::new(2))],
        }
    }
}

/// Writes artifacts, their bundles and the trusted root.
pub fn write(folder: &Path, root: &Path, bundles: usize, kind: Kind) {
    let [highest, between] = kind.keys();
    let mut world = World::under(between);
    let below = Draft::authority("forge authority", "bench root", &world.ca).signed(&highest);
    let above = Draft::authority("bench root", "bench root", &highest).signed(&highest);
    world.trust(&[below, above]);
    let stamping = Stamping::new();
    if matches!(kind, Kind::Public) {
        world.root["timestampAuthorities"] = json!([stamping.trusted()]);
    }
    std::fs::write(root, world.root.to_string()).unwrap();
    for number in 0..bundles {
        let (name, artifact) = (format!("part-{number:04}"), format!("part {number}\n"));
        // A certificate of its own for each: its promise has another time.
        world.promised = Some((TIME - 30) * 1000 + number as u64 % 1000);
        let digest = sha256(artifact.as_bytes()).hex();
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{name}","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{{}}}}"#
        );
        let bundle = world.bundle_of(Recipe::envelope(&statement));
        let bundle = if matches!(kind, Kind::Public) { stamping.stamped(&bundle) } else { bundle };
        std::fs::write(folder.join(&name), artifact).unwrap();
        std::fs::write(folder.join(format!("{name}.sigstore.json")), bundle).unwrap();
    }
}

/// A time stamp authority on P-384.
struct Stamping {
    root: Vec<u8>,
    certificate: Vec<u8>,
    key: LargerKey,
}

impl Stamping {
    fn new() -> Stamping {
        let (root_key, key) = (LargerKey::new(4), LargerKey::new(5));
        let usage = tlv(0x30, &[&oid("1.3.6.1.5.5.7.3.8")]);
        let signer = Draft::authority("bench stamps", "bench stamps root", &key);
        let signer = Draft { extensions: vec![(KEY_USAGE, true, tlv(3, &[&[7, 0x80]])), (EKU, true, usage)], ..signer };
        let root = Draft::authority("bench stamps root", "bench stamps root", &root_key).signed(&root_key);
        Stamping { root, certificate: signer.signed(&root_key), key }
    }

    /// An element of `timestampAuthorities`.
    fn trusted(&self) -> Value {
        let chain = [&self.certificate, &self.root].map(|der| json!({ "rawBytes": base64(der) }));
        json!({
            "uri": "https://stamps.bench.example",
            "certChain": { "certificates": chain },
            "validFor": { "start": "2026-01-01T00:00:00Z" },
        })
    }

    /// The bundle with a time stamp of its signature.
    fn stamped(&self, bundle: &str) -> String {
        let signature: Value = serde_json::from_str(bundle).unwrap();
        let signature = signature["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap().to_owned();
        let token = self.token(&standard_base64(&signature).unwrap());
        let stamps = json!({ "rfc3161Timestamps": [{ "signedTimestamp": base64(&token) }] });
        let material = r#""verificationMaterial":{"#;
        bundle.replacen(material, &format!("{material}\"timestampVerificationData\":{stamps},"), 1)
    }

    /// A `TimeStampResp` (RFC 3161 §2.4.2) without the authority's certificate.
    fn token(&self, signature: &[u8]) -> Vec<u8> {
        let (tst_info, small) = (oid("1.2.840.113549.1.9.16.1.4"), |number: u8| tlv(2, &[&[number]]));
        let by_sha256 = tlv(0x30, &[&oid("2.16.840.1.101.3.4.2.1")]);
        let octets = |bytes: &[u8]| tlv(4, &[bytes]);
        let imprint = tlv(0x30, &[&by_sha256, &octets(sha256(signature).as_bytes())]);
        let policy = oid("1.3.6.1.4.1.57264.2");
        let content = tlv(0x30, &[&small(1), &policy, &imprint, &small(7), &generalized_time(TIME)]);
        let attribute = |id: &str, value: &[u8]| tlv(0x30, &[&oid(id), &tlv(0x31, &[value])]);
        let named = tlv(0x30, &[&tlv(0x30, &[&tlv(0x30, &[&octets(sha256(&self.certificate).as_bytes())])])]);
        let attributes = [
            attribute("1.2.840.113549.1.9.3", &tst_info),
            attribute("1.2.840.113549.1.9.4", &octets(sha256(&content).as_bytes())),
            attribute("1.2.840.113549.1.9.16.2.47", &named),
        ]
        .concat();
        let signer = tlv(0x30, &[&name("bench stamps root"), &tlv(2, &[&[7, 1, 2, 3]])]);
        let signed = octets(&self.key.over_sha256(&tlv(0x31, &[&attributes])));
        let signer = tlv(0x30, &[&small(1), &signer, &by_sha256, &tlv(0xa0, &[&attributes]), &ecdsa_sha256(), &signed]);
        let content = tlv(0x30, &[&tst_info, &tlv(0xa0, &[&octets(&content)])]);
        let data = tlv(0x30, &[&small(3), &tlv(0x31, &[&by_sha256]), &content, &tlv(0x31, &[&signer])]);
        let token = tlv(0x30, &[&oid("1.2.840.113549.1.7.2"), &tlv(0xa0, &[&data])]);
        tlv(0x30, &[&tlv(0x30, &[&small(0)]), &token])
    }
}
