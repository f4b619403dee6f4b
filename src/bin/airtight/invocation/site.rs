//! What a call has of its site: the directory, opened; its keyring; randomness, and the clock for what goes on for long.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use airtight::attest::{Site, fault_code, misfit_code};
use airtight::keyring::Keyring;
use airtight_keys::sign::{Random, RandomUnavailable};
use airtight_log::store::{Access, HeadFit};

use super::Invocation;
use crate::exit::Exit;
use crate::failure::Failure;

/// The operating system's randomness.
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), RandomUnavailable> {
        getrandom::fill(into).map_err(|error| RandomUnavailable { reason: error.to_string() })
    }
}

impl Invocation {
    /// Returns the keyring of the site.
    pub fn keyring(&self) -> Keyring {
        Keyring::of_site(&self.home)
    }

    /// Returns the clock, for commands that go on for long.
    pub fn clock(&self) -> impl Fn() -> Option<u64> + use<> {
        let fixed = self.now;
        move || fixed.or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs()))
    }

    /// Opens the site. Every command opens it here, and so every command says what a person must know of it: that
    /// settings and log differ about sending, and to a command that only reads, that the log does not fit its head (a
    /// command that writes is refused then).
    ///
    /// # Errors
    /// `no_site`, and the codes of settings and log.
    pub fn open_site(&mut self, access: Access) -> Result<Site, Failure> {
        let mut site = Site::open(&self.home, access)?;
        if access == Access::Read {
            match site.store_mut().head_fit() {
                Ok(HeadFit::Fits { .. }) => {}
                Ok(misfit) => self.warn(misfit_code(&misfit), &misfit),
                Err(fault) => self.warn(fault_code(&fault), &fault),
            }
        }
        self.warn_of_decision(&mut site, access)?;
        Ok(site)
    }

    /// Opens the site for a command that has more to say of a head that does not fit than a warning.
    ///
    /// # Errors
    /// As [`Invocation::open_site`].
    pub fn open_site_to_judge(&mut self) -> Result<Site, Failure> {
        let mut site = Site::open(&self.home, Access::Read)?;
        self.warn_of_decision(&mut site, Access::Read)?;
        Ok(site)
    }

    fn warn_of_decision(&mut self, site: &mut Site, access: Access) -> Result<(), Failure> {
        match site.permission() {
            Ok(permission) => {
                if let Some(difference) = permission.difference() {
                    self.warn("decision_differs", &difference);
                }
            }
            // Nothing is signed over a log whose own entries are damaged.
            Err(error) if access == Access::Write => return Err(error.into()),
            Err(error) => {
                let words = format!("the log's decisions cannot be read, so nothing is sent: {error}");
                self.warn(error.code(), &words);
            }
        }
        Ok(())
    }

    /// Says what another writer is told of this process, so that it can be waited for or ended.
    pub fn holder(&self, command: &str) -> String {
        format!("process {}, airtight {command}", std::process::id())
    }

    /// Refuses a site directory that is not there, before anything is made in a place that was only misspelt.
    ///
    /// # Errors
    /// `no_site`.
    pub fn require_home(&self) -> Result<&Path, Failure> {
        if self.home.is_dir() {
            return Ok(&self.home);
        }
        let message = format!("there is no site directory {}", self.home.display());
        Err(Failure::new(Exit::NotFound, "no_site", message)
            .next("make a site with `airtight init --origin NAME`, or name one with --home DIR"))
    }
}
