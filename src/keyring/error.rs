//! Why the keyring refuses, one variant a fact.

use std::io;
use std::path::PathBuf;

use airtight_keys::cosign::CosignError;
use airtight_keys::pem::{PemError, PemWriteError};
use airtight_keys::public::{Algorithm, KeyId, PublicKeyError};
use airtight_keys::role::RoleError;
use airtight_keys::sign::RandomUnavailable;

use super::KeyName;

/// The caller's own reason for not having a passphrase.
pub type PassphraseRefusal = Box<dyn std::error::Error + Send + Sync>;

/// Why a key was not made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no key of this name.
    #[error("there is no key `{name}` in {}", directory.display())]
    NotFound {
        /// The name asked for.
        name: KeyName,
        /// The directory of the keyring.
        directory: PathBuf,
    },
    /// The public half lies there and the private one does not.
    #[error("{} is not there, only the public half of `{name}` is", path.display())]
    PrivateMissing {
        /// The key.
        name: KeyName,
        /// The file that is missing.
        path: PathBuf,
    },
    /// The private half lies there and the public one does not.
    #[error("{} is not there, only the private half of `{name}` is", path.display())]
    PublicMissing {
        /// The key.
        name: KeyName,
        /// The file that is missing.
        path: PathBuf,
    },
    /// The name is taken.
    #[error("there is a key `{name}` already: {}", path.display())]
    Taken {
        /// The name.
        name: KeyName,
        /// The file that has it.
        path: PathBuf,
    },
    /// Others than the owner can read a private key.
    #[error("{} has mode {mode:04o}, and a private key is for its owner alone (0600)", path.display())]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The two halves are of different keys.
    #[error("`{name}.key` is the key {private} and `{name}.pub` is {public}")]
    PairMismatch {
        /// The name.
        name: KeyName,
        /// The key id of the private half.
        private: KeyId,
        /// The key id in the file of the public half.
        public: KeyId,
    },
    /// The name asks for another algorithm.
    #[error("a key named `{name}` must be {wanted}, and this one is {met}")]
    Algorithm {
        /// The name.
        name: KeyName,
        /// The algorithm of that name.
        wanted: Algorithm,
        /// The algorithm met.
        met: Algorithm,
    },
    /// A key of this name has another role than it was asked for.
    #[error("`{name}` is a {role} key, and a {wanted} key was asked for")]
    Role {
        /// The name.
        name: KeyName,
        /// Its role.
        role: airtight_keys::role::Role,
        /// The role asked for.
        wanted: airtight_keys::role::Role,
    },
    /// One key stands under two names.
    #[error(transparent)]
    Shared(#[from] RoleError),
    /// A file is too large for a key.
    #[error("{} is larger than {max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        max: u64,
    },
    /// A public key file holds none.
    #[error("{}: {source}", path.display())]
    PublicKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PublicKeyError,
    },
    /// A private key file holds none, or does not open.
    #[error("{}: {source}", path.display())]
    PrivateKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PemError,
    },
    /// A private key file of cosign holds none, or does not open.
    #[error("{}: {source}", path.display())]
    Cosign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CosignError,
    },
    /// The passphrase does not open another key of the site: one passphrase is for all of them.
    #[error("the passphrase does not open `{name}`, and one passphrase unlocks all keys of a site")]
    OtherPassphrase {
        /// A key that is encrypted under another one.
        name: KeyName,
    },
    /// A passphrase is needed and the caller has none.
    #[error("{0}")]
    Passphrase(PassphraseRefusal),
    /// A new passphrase is empty.
    #[error("the passphrase is empty")]
    PassphraseEmpty,
    /// The private key cannot be written as PEM.
    #[error(transparent)]
    Write(#[from] PemWriteError),
    /// There is no randomness for a key.
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
    /// The system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl KeyringError {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            KeyringError::NotFound { .. } => "key_not_found",
            KeyringError::PrivateMissing { .. } => "key_private_missing",
            KeyringError::PublicMissing { .. } => "key_public_missing",
            KeyringError::Taken { .. } => "key_exists",
            KeyringError::ReadableByOthers { .. } => "key_readable_by_others",
            KeyringError::PairMismatch { .. } => "key_pair_mismatch",
            KeyringError::Algorithm { .. } => "key_algorithm_refused",
            KeyringError::Role { .. } => "key_role_refused",
            KeyringError::Shared(_) => "key_shared",
            KeyringError::TooLarge { .. } => "key_file_too_large",
            KeyringError::PublicKey { .. } => "key_public_malformed",
            KeyringError::PrivateKey { source: PemError::PassphraseWrong, .. }
            | KeyringError::Cosign { source: CosignError::PassphraseWrong, .. }
            | KeyringError::OtherPassphrase { .. } => "passphrase_wrong",
            KeyringError::PrivateKey { .. } | KeyringError::Cosign { .. } => "key_private_malformed",
            KeyringError::Passphrase(_) => "passphrase_required",
            KeyringError::PassphraseEmpty => "passphrase_empty",
            KeyringError::Write(_) => "key_unwritable",
            KeyringError::Random(_) => "randomness_unavailable",
            KeyringError::File { .. } => "key_file_unreadable",
        }
    }
}
