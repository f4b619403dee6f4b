//! Bundles that are signed with certificates: a root, an authority below it, a certificate for each bundle with the promise of a certificate
//! transparency log, an entry with the log's promise under a checkpoint of its own.

use std::path::Path;

use airtight_keys::public::Algorithm;
use airtight_log::digest::sha256;

use super::forge::certified::{Draft, Issuer, LargerKey, World};
use super::forge::{Recipe, TIME, key};

/// Root and authority of the bundles.
#[derive(Clone, Copy)]
pub enum Authority {
    /// On P-256, as everything below them.
    P256,
    /// On P-384, as those of public Sigstore are.
    P384,
}

impl Authority {
    fn keys(self) -> [Box<dyn Issuer>; 2] {
        match self {
            Self::P256 => {
                [Box::new(key(Algorithm::P256, "root of the bench")), Box::new(key(Algorithm::P256, "authority"))]
            }
            Self::P384 => [Box::new(LargerKey::new(1)), Box::new(LargerKey::new(2))],
        }
    }
}

/// P-256 signatures that are asked once for each bundle: of the envelope, the two promises, the checkpoint. That of the certificate is the authority's.
pub const CHECKS: usize = 4;

/// Writes artifacts, their bundles and the trusted root.
pub fn write(folder: &Path, root: &Path, bundles: usize, authority: Authority) {
    let [highest, between] = authority.keys();
    let mut world = World::under(between);
    let below = Draft::authority("forge authority", "bench root", &world.ca).signed(&highest);
    let above = Draft::authority("bench root", "bench root", &highest).signed(&highest);
    world.trust(&[below, above]);
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
