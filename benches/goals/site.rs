//! A site to measure on: made with seeded keys, opened for writing.

use std::path::{Path, PathBuf};

use airtight::attest::{NewSite, Site, SiteKeys};
use airtight::keyring::{KeyName, Protection, Unlock};
use airtight_keys::public::Algorithm;
use airtight_log::store::Access;

use super::corpus::Seeded;

/// The log's second at which everything happens.
pub const NOW: u64 = 1_800_000_000;

/// A site with what belongs to it.
pub struct BenchSite {
    pub home: PathBuf,
    pub site: Site,
    pub keys: SiteKeys,
}

impl BenchSite {
    /// Makes one whose signer is P-256, as new sites have it.
    pub fn create(home: &Path) -> Self {
        Self::with_signer(home, Algorithm::P256)
    }

    /// Makes one with a signer of this algorithm.
    pub fn with_signer(home: &Path, signer: Algorithm) -> Self {
        let new = NewSite { origin: "log.example/bench", signer, protection: Protection::Plain, note: None };
        Site::create(home, &new, NOW, &mut Seeded(7)).unwrap();
        let site = Site::open(home, Access::Write).unwrap();
        let keys = site.unlock(&KeyName::signer(), &mut Unlock::new(|_| Err("no key is encrypted".into()))).unwrap();
        Self { home: home.to_owned(), site, keys }
    }
}
