//! Bundles that are signed with certificates, as public Sigstore makes them: a root, an authority below it, a certificate for each bundle with the
//! promise of a certificate transparency log, an entry with the log's promise under a checkpoint of its own.

use std::path::Path;

use airtight_keys::public::Algorithm;
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::to_standard_base64 as base64;
use airtight_log::digest::sha256;
use serde_json::json;

use super::forge::certified::{Draft, World, tlv};
use super::forge::{Recipe, TIME, key};

/// Signatures of a bundle that are asked once for each: of the envelope, the certificate, the two promises, the checkpoint.
pub const CHECKS: usize = 5;

/// Writes artifacts, their bundles and the trusted root.
pub fn write(folder: &Path, root: &Path, bundles: usize) {
    let mut world = World::new();
    let above = key(Algorithm::P256, "root of the bench");
    let authority = |subject, issuer, spki: &[u8]| Draft {
        issuer,
        subject: Some(subject),
        valid: (TIME - 86_400, TIME + 86_400),
        spki: spki.to_vec(),
        extensions: vec![
            ("2.5.29.19", true, tlv(0x30, &[&tlv(1, &[&[0xff]])])),
            ("2.5.29.15", true, tlv(3, &[&[1, 0x06]])),
        ],
    };
    let between = authority("forge authority", "bench root", world.ca.public().spki_der()).signed(&above);
    let above = authority("bench root", "bench root", above.public().spki_der()).signed(&above);
    world.root["certificateAuthorities"][0]["certChain"]["certificates"] =
        json!([{ "rawBytes": base64(&between) }, { "rawBytes": base64(&above) }]);
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
        std::fs::write(folder.join(&name), artifact).unwrap();
        std::fs::write(folder.join(format!("{name}.sigstore.json")), bundle).unwrap();
    }
}
