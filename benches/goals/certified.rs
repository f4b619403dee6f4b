//! Bundles that are signed with certificates, as public Sigstore makes them: a root, an authority below it, a certificate for each bundle with the
//! promise of a certificate transparency log, an entry with the log's promise under a checkpoint of its own.

use std::path::Path;

use airtight_keys::public::Algorithm;
use airtight_log::digest::sha256;

use super::forge::certified::{Draft, World};
use super::forge::{Recipe, TIME, key};

/// Signatures of a bundle that are asked once for each: of the envelope, the certificate, the two promises, the checkpoint.
pub const CHECKS: usize = 5;

/// Writes artifacts, their bundles and the trusted root.
pub fn write(folder: &Path, root: &Path, bundles: usize) {
    let mut world = World::new();
    let above = key(Algorithm::P256, "root of the bench");
    let between = Draft::authority("forge authority", "bench root", &world.ca).signed(&above);
    let above = Draft::authority("bench root", "bench root", &above).signed(&above);
    world.trust(&[between, above]);
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
