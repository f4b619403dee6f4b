//! The key files of a site: one directory, two files a key, the role in the name.
//!
//! ```text
//! keys/signer.key        PKCS#8 PEM, encrypted (PBES2, scrypt) unless asked otherwise, mode 0600
//! keys/signer.pub        SPKI PEM, mode 0644
//! keys/log.key           the log's P-256 key        → timestamps and checkpoints in bundles
//! keys/log-ed25519.key   the log's Ed25519 key      → checkpoints for tiles and witnesses
//! keys/witness.key       cosigns other logs; every other name is a signer (see `name`)
//! ```
//!
//! Laws, each with its code:
//!
//! * No file is ever overwritten (`key_exists`). A key appears whole: the private half first, then the public one, each through
//!   temp + fsync + rename + directory fsync. A crash between them leaves a private half that nothing has signed with yet.
//! * A private key that others than its owner can read is not used (`key_readable_by_others`); the mode is asked of the opened
//!   file, so it cannot be changed between the question and the reading.
//! * `NAME.pub` must be the public half of `NAME.key` (`key_pair_mismatch`): what is published must be what signs.
//! * One key under two names is refused when it is made, imported and loaded (`key_shared`): the names are roles.
//! * One passphrase unlocks all keys of a site (`passphrase_wrong` for another); it is asked for at most once (see [`Unlock`]).
//!
//! Where the private half lies elsewhere (a token, a retired key), `NAME.pub` may lie alone: it is listed and counts for
//! `key_shared`, and loading it is `key_private_missing`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use airtight_keys::cosign;
use airtight_keys::pem::{self, Passphrase, PemError};
use airtight_keys::public::{Algorithm, KeyId, PublicKey};
use airtight_keys::role::{LogKey, LogPublicKey, Role, SignerKey, WitnessKey, refuse_shared};
use airtight_keys::sign::{Random, Sign, SoftKey};
use zeroize::Zeroizing;

use crate::durable::{self, Mode};

pub use error::{KeyringError, PassphraseRefusal};
pub use name::{KeyName, KeyNameError, NAME_LEN_MAX};
pub use unlock::Unlock;

mod error;
mod name;
mod unlock;

/// The largest key file that is read, in bytes: twenty times an encrypted key.
pub const KEY_FILE_LEN_MAX: u64 = 16 * 1024;

/// The directory of key files in a site directory.
pub const DIRECTORY_NAME: &str = "keys";

/// The key files of one site.
#[derive(Clone, Debug)]
pub struct Keyring {
    directory: PathBuf,
}

/// A key as its files show it, with nothing unlocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// Its name.
    pub name: KeyName,
    /// Its public half.
    pub public: PublicKey,
    /// How its private half lies there.
    pub private: PrivateHalf,
}

/// How the private half of a key lies in the keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateHalf {
    /// Not there.
    Absent,
    /// In the clear.
    Plain,
    /// Under a passphrase.
    Encrypted,
}

/// How a new private key is to be written.
#[derive(Clone, Copy, Debug)]
pub enum Protection<'a> {
    /// In the clear; mode 0600 is all that guards it.
    Plain,
    /// Under the site's passphrase.
    Passphrase(&'a Passphrase),
}

impl KeyEntry {
    /// Returns what the key may sign.
    pub fn role(&self) -> Role {
        self.name.role()
    }

    /// Returns its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// Returns SHA-256 of its SPKI DER.
    pub fn key_id(&self) -> &KeyId {
        self.public.key_id()
    }
}

impl Keyring {
    /// Returns the keyring of the site directory `home`; nothing is read yet.
    pub fn of_site(home: &Path) -> Keyring {
        Keyring { directory: home.join(DIRECTORY_NAME) }
    }

    /// Returns the directory of the key files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the path of a private key file.
    pub fn private_path(&self, name: &KeyName) -> PathBuf {
        self.directory.join(format!("{name}.key"))
    }

    /// Returns the path of a public key file.
    pub fn public_path(&self, name: &KeyName) -> PathBuf {
        self.directory.join(format!("{name}.pub"))
    }

    /// Returns all keys, sorted by name; none where there is no directory yet. Other files there are passed over.
    ///
    /// # Errors
    /// [`KeyringError::PublicMissing`] for a private half alone, [`KeyringError::PublicKey`],
    /// [`KeyringError::ReadableByOthers`], [`KeyringError::TooLarge`], [`KeyringError::File`].
    pub fn list(&self) -> Result<Vec<KeyEntry>, KeyringError> {
        self.names()?.into_iter().map(|name| self.entry(&name)).collect()
    }

    /// Returns one key as its files show it.
    ///
    /// # Errors
    /// [`KeyringError::NotFound`], else as [`Keyring::list`].
    pub fn entry(&self, name: &KeyName) -> Result<KeyEntry, KeyringError> {
        let public = self.public(name)?;
        let private = match self.private_text(name) {
            Ok(text) if pem::is_encrypted(&text) => PrivateHalf::Encrypted,
            Ok(_) => PrivateHalf::Plain,
            Err(KeyringError::PrivateMissing { .. }) => PrivateHalf::Absent,
            Err(error) => return Err(error),
        };
        Ok(KeyEntry { name: name.clone(), public, private })
    }

    /// Returns the public half of a key.
    ///
    /// # Errors
    /// [`KeyringError::NotFound`], [`KeyringError::PublicMissing`], [`KeyringError::PublicKey`].
    pub fn public(&self, name: &KeyName) -> Result<PublicKey, KeyringError> {
        let path = self.public_path(name);
        let text = match read(&path, Mode::Public) {
            Ok(text) => text,
            Err(KeyringError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(if is_there(&self.private_path(name)) {
                    KeyringError::PublicMissing { name: name.clone(), path }
                } else {
                    KeyringError::NotFound { name: name.clone(), directory: self.directory.clone() }
                });
            }
            Err(error) => return Err(error),
        };
        PublicKey::from_spki_pem(&text).map_err(|source| KeyringError::PublicKey { path, source })
    }

    /// Returns the public halves of the log's two keys.
    ///
    /// # Errors
    /// As [`Keyring::public`]; [`KeyringError::Shared`] where an algorithm is the wrong one.
    pub fn log_public(&self) -> Result<LogPublicKey, KeyringError> {
        Ok(LogPublicKey::new(self.public(&KeyName::log())?, self.public(&KeyName::log_ed25519())?)?)
    }

    /// Loads a signing key.
    ///
    /// # Errors
    /// [`KeyringError::Role`] for the name of a log or witness key; each law of this room by its variant.
    pub fn load_signer(&self, name: &KeyName, unlock: &mut Unlock<'_>) -> Result<SignerKey, KeyringError> {
        Ok(SignerKey::new(self.load_in_role(name, Role::Signer, unlock)?))
    }

    /// Loads a witness key.
    ///
    /// # Errors
    /// As [`Keyring::load_signer`].
    pub fn load_witness(&self, name: &KeyName, unlock: &mut Unlock<'_>) -> Result<WitnessKey, KeyringError> {
        Ok(WitnessKey::new(self.load_in_role(name, Role::Witness, unlock)?))
    }

    /// Loads the log's two keys.
    ///
    /// # Errors
    /// As [`Keyring::load_signer`].
    pub fn load_log(&self, unlock: &mut Unlock<'_>) -> Result<LogKey, KeyringError> {
        let p256 = self.load_in_role(&KeyName::log(), Role::Log, unlock)?;
        let ed25519 = self.load_in_role(&KeyName::log_ed25519(), Role::Log, unlock)?;
        Ok(LogKey::new(p256, ed25519)?)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`KeyringError::Algorithm`], [`KeyringError::Taken`], [`KeyringError::OtherPassphrase`],
    /// [`KeyringError::PassphraseEmpty`]; nothing was written then.
    pub fn generate(
        &self,
        name: &KeyName,
        algorithm: Algorithm,
        protection: Protection<'_>,
        random: &mut dyn Random,
    ) -> Result<KeyEntry, KeyringError> {
        self.refuse_new(name, algorithm)?;
        self.import(name, &SoftKey::generate(algorithm, random)?, protection, random)
    }

    /// Takes a key that was made elsewhere.
    ///
    /// # Errors
    /// As [`Keyring::generate`]; [`KeyringError::Shared`] where the key stands here under another name.
    pub fn import(
        &self,
        name: &KeyName,
        key: &SoftKey,
        protection: Protection<'_>,
        random: &mut dyn Random,
    ) -> Result<KeyEntry, KeyringError> {
        let public = key.public();
        self.refuse_new(name, public.algorithm())?;
        let entries = self.list()?;
        refuse_shared_in(entries.iter().map(|entry| (&entry.name, entry.key_id())), name, public)?;
        let (passphrase, private) = match protection {
            Protection::Plain => (None, PrivateHalf::Plain),
            Protection::Passphrase(passphrase) => {
                self.refuse_other_passphrase(&entries, passphrase)?;
                (Some(passphrase), PrivateHalf::Encrypted)
            }
        };
        let text = Zeroizing::new(pem::to_pem(key, passphrase, random)?.to_string());
        self.create_directory()?;
        self.write_new(name, &self.private_path(name), text.as_bytes(), Mode::Private)?;
        let public_path = self.public_path(name);
        if let Err(error) = self.write_new(name, &public_path, public.spki_pem().as_bytes(), Mode::Public) {
            remove(&self.private_path(name));
            return Err(error);
        }
        Ok(KeyEntry { name: name.clone(), public: public.clone(), private })
    }

    /// Reads a private key that was made elsewhere: PKCS#8 and SEC1 PEM, plain or encrypted, and cosign's encrypted keys.
    ///
    /// The file's mode is not asked: it is not a file of this site.
    ///
    /// # Errors
    /// [`KeyringError::PrivateKey`], [`KeyringError::Cosign`], [`KeyringError::Passphrase`], [`KeyringError::File`].
    pub fn read_foreign(path: &Path, name: &KeyName, unlock: &mut Unlock<'_>) -> Result<SoftKey, KeyringError> {
        let text = read(path, Mode::Public)?;
        if cosign::is_cosign_key(&text) {
            let read = cosign::import(&text, unlock.passphrase(name)?);
            return read.map_err(|source| KeyringError::Cosign { path: path.into(), source });
        }
        open(path, &text, name, unlock)
    }

    /// Returns a key of the site as an encrypted private key of cosign (`ENCRYPTED SIGSTORE PRIVATE KEY`).
    ///
    /// # Errors
    /// [`KeyringError::PassphraseEmpty`]; as [`Keyring::load_signer`].
    pub fn export_cosign(
        &self,
        name: &KeyName,
        unlock: &mut Unlock<'_>,
        random: &mut dyn Random,
    ) -> Result<Zeroizing<String>, KeyringError> {
        let key = self.load(name, unlock)?;
        let passphrase = unlock.passphrase(name)?;
        refuse_empty(passphrase)?;
        Ok(Zeroizing::new(cosign::export(&key, passphrase, random)?))
    }

    fn load_in_role(&self, name: &KeyName, wanted: Role, unlock: &mut Unlock<'_>) -> Result<SoftKey, KeyringError> {
        let role = name.role();
        if role != wanted {
            return Err(KeyringError::Role { name: name.clone(), role, wanted });
        }
        self.load(name, unlock)
    }

    fn load(&self, name: &KeyName, unlock: &mut Unlock<'_>) -> Result<SoftKey, KeyringError> {
        let public = self.public(name)?;
        refuse_algorithm(name, public.algorithm())?;
        let publics = self.publics()?;
        refuse_shared_in(publics.iter().map(|(name, public)| (name, public.key_id())), name, &public)?;
        let path = self.private_path(name);
        let key = open(&path, &self.private_text(name)?, name, unlock)?;
        if key.public().key_id() != public.key_id() {
            let (private, public) = (*key.public().key_id(), *public.key_id());
            return Err(KeyringError::PairMismatch { name: name.clone(), private, public });
        }
        Ok(key)
    }

    /// Refuses a name that is taken, by either half, and an algorithm that the name does not allow.
    fn refuse_new(&self, name: &KeyName, algorithm: Algorithm) -> Result<(), KeyringError> {
        refuse_algorithm(name, algorithm)?;
        for path in [self.private_path(name), self.public_path(name)] {
            if is_there(&path) {
                return Err(KeyringError::Taken { name: name.clone(), path });
            }
        }
        Ok(())
    }

    /// Refuses a passphrase that does not open the encrypted keys of this site; one of them is tried.
    fn refuse_other_passphrase(&self, entries: &[KeyEntry], passphrase: &Passphrase) -> Result<(), KeyringError> {
        refuse_empty(passphrase)?;
        let Some(entry) = entries.iter().find(|entry| entry.private == PrivateHalf::Encrypted) else { return Ok(()) };
        match pem::from_pem(&self.private_text(&entry.name)?, Some(passphrase)) {
            Ok(_) => Ok(()),
            Err(PemError::PassphraseWrong) => Err(KeyringError::OtherPassphrase { name: entry.name.clone() }),
            Err(source) => Err(KeyringError::PrivateKey { path: self.private_path(&entry.name), source }),
        }
    }

    fn private_text(&self, name: &KeyName) -> Result<Zeroizing<String>, KeyringError> {
        let path = self.private_path(name);
        read(&path, Mode::Private).map_err(|error| match error {
            KeyringError::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                KeyringError::PrivateMissing { name: name.clone(), path }
            }
            error => error,
        })
    }

    /// Returns the names of all files that are halves of keys, sorted.
    #[expect(clippy::disallowed_methods, reason = "the keyring is a directory of files")]
    fn names(&self) -> Result<Vec<KeyName>, KeyringError> {
        let refused = |source| KeyringError::File { path: self.directory.clone(), source };
        let files = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(refused)?,
        };
        let mut names = Vec::new();
        for file in files {
            let file_name = file.map_err(refused)?.file_name();
            let stem = file_name.to_str().and_then(|name| name.strip_suffix(".pub").or(name.strip_suffix(".key")));
            names.extend(stem.and_then(|stem| stem.parse::<KeyName>().ok()));
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Returns every public half. A private half alone was never announced and cannot be compared: `list` names it.
    fn publics(&self) -> Result<Vec<(KeyName, PublicKey)>, KeyringError> {
        let mut publics = Vec::new();
        for name in self.names()? {
            match self.public(&name) {
                Ok(public) => publics.push((name, public)),
                Err(KeyringError::PublicMissing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(publics)
    }

    /// Makes the directory, for the owner alone, where it is not there. Its parent must be.
    #[expect(clippy::disallowed_methods, reason = "the keyring is a directory of files")]
    fn create_directory(&self) -> Result<(), KeyringError> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let refused = |source| KeyringError::File { path: self.directory.clone(), source };
        match builder.create(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(refused(error)),
            Ok(()) => match self.directory.parent() {
                Some(parent) => durable::sync_directory(parent).map_err(refused),
                None => Ok(()),
            },
        }
    }

    fn write_new(&self, name: &KeyName, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), KeyringError> {
        durable::create_new(path, bytes, mode).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyringError::Taken { name: name.clone(), path: path.into() },
            _ => KeyringError::File { path: path.into(), source },
        })
    }
}

fn refuse_algorithm(name: &KeyName, met: Algorithm) -> Result<(), KeyringError> {
    match name.algorithm_required() {
        Some(wanted) if wanted != met => Err(KeyringError::Algorithm { name: name.clone(), wanted, met }),
        _ => Ok(()),
    }
}

/// Refuses a key that stands under another name as well. Only this key is looked for: two other names that share a key
/// refuse their own loading, and do not stop a site that never uses them.
fn refuse_shared_in<'e>(
    entries: impl Iterator<Item = (&'e KeyName, &'e KeyId)>,
    name: &'e KeyName,
    public: &'e PublicKey,
) -> Result<(), KeyringError> {
    let others = entries.filter(|(other, key_id)| *other != name && *key_id == public.key_id());
    let mut places: Vec<(&str, &KeyId)> = others.map(|(other, key_id)| (other.as_str(), key_id)).collect();
    places.push((name.as_str(), public.key_id()));
    Ok(refuse_shared(&places)?)
}

fn refuse_empty(passphrase: &Passphrase) -> Result<(), KeyringError> {
    if passphrase.is_empty() { Err(KeyringError::PassphraseEmpty) } else { Ok(()) }
}

fn open(path: &Path, text: &str, name: &KeyName, unlock: &mut Unlock<'_>) -> Result<SoftKey, KeyringError> {
    let passphrase = if pem::is_encrypted(text) { Some(unlock.passphrase(name)?) } else { None };
    pem::from_pem(text, passphrase).map_err(|source| KeyringError::PrivateKey { path: path.into(), source })
}

/// Reads a key file; with [`Mode::Private`] only where nobody but its owner can.
#[expect(clippy::disallowed_methods, reason = "the keyring is a directory of files")]
fn read(path: &Path, mode: Mode) -> Result<Zeroizing<String>, KeyringError> {
    let refused = |source| KeyringError::File { path: path.into(), source };
    let file = File::open(path).map_err(refused)?;
    #[cfg(unix)]
    if mode == Mode::Private {
        let bits = std::os::unix::fs::MetadataExt::mode(&file.metadata().map_err(refused)?) & 0o7777;
        if bits & 0o077 != 0 {
            return Err(KeyringError::ReadableByOthers { path: path.into(), mode: bits });
        }
    }
    #[cfg(not(unix))]
    let _ = mode;
    // The whole capacity at once: a string that grows leaves its first half behind, unwiped.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_LEN_MAX as usize + 1));
    file.take(KEY_FILE_LEN_MAX + 1).read_to_string(&mut text).map_err(refused)?;
    if text.len() as u64 > KEY_FILE_LEN_MAX {
        return Err(KeyringError::TooLarge { path: path.into(), max: KEY_FILE_LEN_MAX });
    }
    Ok(text)
}

/// Tells whether a name is taken; a file that cannot be looked at takes it too.
#[expect(clippy::disallowed_methods, reason = "the keyring is a directory of files")]
fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// Removes a file that this call made. A failure leaves a private half alone, which `list` names.
#[expect(clippy::disallowed_methods, reason = "the keyring is a directory of files")]
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests;
