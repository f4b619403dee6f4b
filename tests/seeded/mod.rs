//! What tests of whole sites share: a site that comes out the same each time, and statements about words.
#![allow(dead_code, reason = "each test takes what it needs of it")]

use std::path::PathBuf;

use airtight::attest::{NewSite, Site, SiteKeys};
use airtight::keyring::{KeyName, Keyring, Protection, Unlock};
use airtight::statement::{PredicateType, Statement, Subject};
use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Random, RandomUnavailable};
use airtight_log::digest::sha256;

/// The origin of every site here.
pub const ORIGIN: &str = "log.example/a";

/// A counter in place of randomness: the keys of a site are the same each time.
pub struct Counting(pub u8);

impl Random for Counting {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), RandomUnavailable> {
        for byte in into {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

/// A new site in a directory of its own, made at `now`.
pub fn site(signer: Algorithm, now: u64) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("site");
    let new = NewSite { origin: ORIGIN, signer, protection: Protection::Plain, note: None };
    Site::create(&home, &new, now, &mut Counting(0)).unwrap();
    (dir, home)
}

/// The keys of such a site.
pub fn keys_of(home: &std::path::Path) -> SiteKeys {
    let (keyring, mut unlock) = (Keyring::of_site(home), Unlock::new(|_| Err("no key is encrypted here".into())));
    let signer = keyring.load_signer(&KeyName::signer(), &mut unlock).unwrap();
    SiteKeys { signer, log: keyring.load_log(&mut unlock).unwrap() }
}

/// A statement about a file that holds its own name.
pub fn statement(name: &str) -> Statement {
    let subject = Subject { name: name.to_owned(), sha256: sha256(name.as_bytes()) };
    let predicate = format!(r#"{{"kind":"file","size":{}}}"#, name.len());
    Statement::new(&[subject], &PredicateType::artifact(), Some(&predicate)).unwrap()
}
