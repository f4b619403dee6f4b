//! A site: one directory with settings, keys and a log, opened together or made together.

use std::path::{Path, PathBuf};

use airtight_keys::public::Algorithm;
use airtight_keys::role::{LogKey, SignerKey};
use airtight_keys::sign::Random;
use airtight_log::checkpoint::{LogIdentity, TreeId};
use airtight_log::digest::LeafIndex;
use airtight_log::store::{Access, Fault, Store};

use super::control::{Control, Decided};
use super::epoch::{ADOPTING, base_origin};
use super::{AttestError, LOCK_WAIT, check_clock, sign};
use crate::config::{Config, Created, LogSettings, SigningAlgorithm};
use crate::disposition::{KeyAnnouncement, Sending, SkipReason, TARGET_DEFAULT, TransparencyDecision};
use crate::durable;
use crate::keyring::{KeyEntry, KeyName, Keyring, Protection, Unlock};
use crate::statement::Statement;
use crate::trust::TrustedRoot;

/// Where the log lies in a site.
pub const LOG_DIRECTORY: &str = "log";

/// What an auditor is handed, beside the signers' public keys.
pub const TRUSTED_ROOT: &str = "trusted_root.json";

/// An open site.
pub struct Site {
    home: PathBuf,
    config: Config,
    keyring: Keyring,
    pub(super) store: Store,
    pub(super) decided: Decided,
}

/// The unlocked keys of a site: what attesting needs.
pub struct SiteKeys {
    /// Signs statements.
    pub signer: SignerKey,
    /// Signs checkpoints and entry timestamps.
    pub log: LogKey,
}

/// What a new site is made of.
pub struct NewSite<'a> {
    /// The log's name.
    pub origin: &'a str,
    /// The signer's algorithm.
    pub signer: Algorithm,
    /// How the private keys are written.
    pub protection: Protection<'a>,
    /// What the first decision notes.
    pub note: Option<&'a str>,
}

impl Site {
    /// Opens a site and its log, and compares what the settings and the log say of each other.
    ///
    /// # Errors
    /// [`AttestError::NoSite`], [`AttestError::Identity`], [`AttestError::AdoptUnfinished`], and what settings and log
    /// have to say.
    pub fn open(home: &Path, access: Access) -> Result<Self, AttestError> {
        let opened = Self::open_log(home, access);
        // Only now: whoever begins an epoch sees this process's open database, or is seen here.
        match durable::is_there(&home.join(ADOPTING)) {
            Ok(true) => Err(AttestError::AdoptUnfinished { home: home.to_owned() }),
            _ => opened,
        }
    }

    /// Reads the settings of a site.
    pub(super) fn settings(home: &Path) -> Result<Config, AttestError> {
        match Config::load(home) {
            Err(crate::config::ConfigError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(AttestError::NoSite { home: home.to_owned() })
            }
            other => Ok(other?),
        }
    }

    fn open_log(home: &Path, access: Access) -> Result<Self, AttestError> {
        let config = Self::settings(home)?;
        let head = config.log.head_note_path(home);
        let store = Store::open(&home.join(LOG_DIRECTORY), &head, access)?;
        let differs = |member, config: &dyn ToString, log: &dyn ToString| AttestError::Identity {
            member,
            config: config.to_string(),
            log: log.to_string(),
        };
        let identity = store.identity();
        if config.log.origin != identity.origin() {
            return Err(differs("Log.Origin", &config.log.origin, &identity.origin()));
        }
        if config.log.tree_id != identity.tree_id().get() {
            return Err(differs("Log.TreeId", &config.log.tree_id, &identity.tree_id()));
        }
        Ok(Self { home: home.to_owned(), keyring: Keyring::of_site(home), config, store, decided: Decided::default() })
    }

    /// Makes a site: three keys, settings, a log whose entry 0 is the first decision. It is built beside `home` and
    /// moved there in one step, so that there is a whole site or none.
    ///
    /// # Errors
    /// [`AttestError::SiteExists`] where `home` is not empty; [`AttestError::Origin`]; the machine's refusals.
    pub fn create(home: &Path, new: &NewSite<'_>, now: u64, random: &mut dyn Random) -> Result<(), AttestError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| AttestError::Io { path, source }
        };
        if !durable::is_vacant(home).map_err(io(home))? {
            return Err(AttestError::SiteExists { home: home.to_owned() });
        }
        let stage = durable::Stage::beside(home).map_err(io(home))?;
        build(stage.path(), new, now, random)?;
        stage.publish(home).map_err(io(home))
    }

    /// Gives the site's directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Gives the settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Gives the keyring.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Gives the trusted root that verifies this site's bundles.
    pub fn trusted_root(&self) -> TrustedRoot {
        // The keys are those of every epoch, so the trusted root is as well.
        let base = base_origin(&self.config.log.origin, self.config.log.epoch);
        trusted_root(base, self.store.identity(), self.store.created())
    }

    /// Gives the log for reading its identity.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Gives the log.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Keeps time stamps of entries that a target has, each of which was verified; gives how many.
    ///
    /// # Errors
    /// The log's own.
    pub fn keep_timestamps(
        &mut self,
        target: &str,
        tokens: &[(LeafIndex, Vec<u8>)],
        holder: &str,
    ) -> Result<u64, AttestError> {
        Ok(self.store.writer(holder, LOCK_WAIT)?.keep_timestamps(target, tokens)?)
    }

    /// Names the signer that is used where none is asked for: the settings' `Signing.KeyId`, if the keyring has it.
    ///
    /// # Errors
    /// [`AttestError::Keyring`] for a name that is no key name.
    pub fn default_signer(&self) -> Result<KeyName, AttestError> {
        let name = self.config.signals.signing.key_id.parse();
        Ok(name.unwrap_or_else(|_| KeyName::signer()))
    }

    /// Unlocks what attesting needs; the passphrase is asked for once, if a key is encrypted.
    ///
    /// # Errors
    /// [`AttestError::Keyring`]; [`Fault::WrongLogKey`] where the keyring's log key is another log's, before an entry is
    /// appended that could not be proven.
    pub fn unlock(&self, signer: &KeyName, unlock: &mut Unlock<'_>) -> Result<SiteKeys, AttestError> {
        let identity = self.store.identity();
        let keys = SiteKeys { signer: self.keyring.load_signer(signer, unlock)?, log: self.keyring.load_log(unlock)? };
        if keys.log.public() != identity.keys() {
            return Err(Fault::WrongLogKey { origin: identity.origin().to_owned() }.into());
        }
        Ok(keys)
    }

    /// Makes sure, before something is done that is to be attested, that an attestation would not be refused now: the lock
    /// can be had, log and head fit, and the clock does not lie before the last entry.
    ///
    /// # Errors
    /// [`AttestError::ClockBack`], or a [`Fault`].
    pub fn check_ready(&mut self, now: u64, holder: &str) -> Result<(), AttestError> {
        check_clock(&self.store.writer(holder, LOCK_WAIT)?, now)
    }

    /// Logs a new key: its name, role and what it can do.
    ///
    /// # Errors
    /// [`AttestError`].
    pub fn announce_key(
        &mut self,
        key: &KeyEntry,
        keys: &SiteKeys,
        now: u64,
        holder: &str,
    ) -> Result<u64, AttestError> {
        let announcement = KeyAnnouncement::new(key.name.as_str(), key.role(), key.algorithm(), key.key_id());
        Ok(self.say(&[Control::Key(announcement)], keys, now, holder)?[0])
    }
}

/// Builds a site in an empty directory.
fn build(home: &Path, new: &NewSite<'_>, now: u64, random: &mut dyn Random) -> Result<(), AttestError> {
    let keyring = Keyring::of_site(home);
    keyring.generate(&KeyName::signer(), new.signer, new.protection, random)?;
    keyring.generate(&KeyName::log(), Algorithm::P256, new.protection, random)?;
    keyring.generate(&KeyName::log_ed25519(), Algorithm::Ed25519, new.protection, random)?;
    let tree_id = new_tree_id(random)?;
    let log = LogSettings {
        origin: new.origin.to_owned(),
        tree_id,
        head_note: PathBuf::from("head.note"),
        created: Created::from_seconds(now).ok_or(AttestError::ClockBack { now, last: 0 })?,
        epoch: 1,
    };
    let algorithm = match new.signer {
        Algorithm::P256 => SigningAlgorithm::EcdsaP256Sha256,
        Algorithm::Ed25519 => SigningAlgorithm::Ed25519,
    };
    let mut config = Config::new(log, algorithm)?;
    config.signals.signing.key_id = KeyName::signer().as_str().to_owned();
    let refused = |error: airtight_log::checkpoint::IdentityError| AttestError::Origin { said: error.to_string() };
    let id = TreeId::new(tree_id).map_err(refused)?;
    let identity = LogIdentity::new(new.origin, id, keyring.log_public()?).map_err(refused)?;
    // Written just now, so no passphrase need be asked for: it is at hand.
    let mut unlock = Unlock::of(new.protection);
    let keys =
        SiteKeys { signer: keyring.load_signer(&KeyName::signer(), &mut unlock)?, log: keyring.load_log(&mut unlock)? };
    let disabled = Sending::NotEnabled(SkipReason::RekorDisabled);
    let first = TransparencyDecision::new(TARGET_DEFAULT, disabled, 0, new.note)?;
    let first = vec![Control::Decision(first).statement(&identity)?];
    let head = config.log.head_note_path(home);
    begin_log(&home.join(LOG_DIRECTORY), &head, &identity, now, first, &keys, now)?;
    let path = home.join(TRUSTED_ROOT);
    durable::create_new(&path, trusted_root(new.origin, &identity, now).render().as_bytes(), durable::Mode::Public)
        .map_err(|source| AttestError::Io { path, source })?;
    config.write_new(home)?;
    Ok(())
}

/// Makes a log in a new directory, with these entries and a checkpoint over them.
pub(super) fn begin_log(
    directory: &Path,
    head: &Path,
    identity: &LogIdentity,
    created: u64,
    statements: Vec<Statement>,
    keys: &SiteKeys,
    now: u64,
) -> Result<(), AttestError> {
    durable::make_directory(directory).map_err(|source| AttestError::Io { path: directory.to_owned(), source })?;
    let mut store = Store::create(directory, identity, created, head)?;
    let worker = store.worker()?;
    let prepared = statements.into_iter().map(|statement| sign(statement, &keys.signer, worker));
    let prepared = prepared.collect::<Result<Vec<_>, _>>()?;
    let mut writer = store.writer_unchecked("the first entries", LOCK_WAIT)?;
    writer.append(&prepared, now)?;
    writer.release(&keys.log)?;
    Ok(())
}

/// Draws a tree id: positive, 63 bits, never 0.
pub(super) fn new_tree_id(random: &mut dyn Random) -> Result<u64, AttestError> {
    let mut bytes = [0; 8];
    random.fill(&mut bytes).map_err(|error| AttestError::Keyring(error.into()))?;
    Ok((u64::from_be_bytes(bytes) >> 1).max(1))
}

fn trusted_root(base_origin: &str, identity: &LogIdentity, created: u64) -> TrustedRoot {
    TrustedRoot::of_log(&format!("https://{base_origin}"), &identity.keys().p256, created)
}
