//! Roles: a key signs statements, or heads of a log, or other logs' heads, and never two of these.
//!
//! ```text
//! SignerKey    signs envelopes                             one key
//! LogKey       signs checkpoints and entry timestamps      two keys: P-256 for bundles, Ed25519 for tiles and witnesses
//! WitnessKey   cosigns checkpoints of other logs           one key
//! ```
//!
//! Were one key both signer and log, a checkpoint could be shown as a signed statement of the site or the reverse, and
//! whoever holds the signer could fork the log. The types keep roles apart in the source; [`refuse_shared`] keeps the
//! keys apart in a site.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::public::{Algorithm, KeyId, PublicKey};
use crate::sign::{Sign, SignError};

/// What a key of a site may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Envelopes.
    Signer,
    /// Checkpoints and signed entry timestamps of the site's own log.
    Log,
    /// Cosignatures over the checkpoints of other logs.
    Witness,
}

impl Role {
    /// `signer`, `log` or `witness`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signer => "signer",
            Self::Log => "log",
            Self::Witness => "witness",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(self.name())
    }
}

/// Why keys do not fit their roles.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RoleError {
    /// One key stands in two roles.
    #[error("the key {key_id} is both {first} and {second}")]
    Shared {
        /// The role, or the name, that has it first.
        first: String,
        /// The role, or the name, that has it again.
        second: String,
        /// The key.
        key_id: KeyId,
    },
    /// A place asks for one algorithm and was given a key of the other.
    #[error("the log's {expected} key was given a key of {found}")]
    Algorithm {
        /// What the place asks for.
        expected: Algorithm,
        /// What was given.
        found: Algorithm,
    },
}

/// Refuses one key in two places. Each pair is a role, or a key's name, and its key id.
///
/// # Errors
/// [`RoleError::Shared`] for the first pair of places that share a key.
pub fn refuse_shared(keys: &[(&str, &KeyId)]) -> Result<(), RoleError> {
    for (index, (second, key_id)) in keys.iter().enumerate() {
        if let Some((first, _)) = keys[..index].iter().find(|(_, earlier)| earlier == key_id) {
            return Err(RoleError::Shared {
                first: (*first).to_owned(),
                second: (*second).to_owned(),
                key_id: **key_id,
            });
        }
    }
    Ok(())
}

/// A key that signs envelopes.
pub struct SignerKey(Box<dyn Sign>);

impl SignerKey {
    /// Gives a key the role of signer.
    pub fn new(key: impl Sign + 'static) -> Self {
        Self(Box::new(key))
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        self.0.public()
    }

    /// Signs a message.
    ///
    /// # Errors
    /// [`SignError`] of the key.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.0.sign(message)
    }

    /// True where the same message always gives the same signature.
    pub fn is_deterministic(&self) -> bool {
        self.0.is_deterministic()
    }
}

/// A key that cosigns checkpoints of other logs.
pub struct WitnessKey(Box<dyn Sign>);

impl WitnessKey {
    /// Gives a key the role of witness.
    pub fn new(key: impl Sign + 'static) -> Self {
        Self(Box::new(key))
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        self.0.public()
    }

    /// Signs a message.
    ///
    /// # Errors
    /// [`SignError`] of the key.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.0.sign(message)
    }
}

/// The two keys of a log: P-256 signs the Rekor v1 rendering and the entry timestamps, Ed25519 the C2SP rendering.
pub struct LogKey {
    p256: Box<dyn Sign>,
    ed25519: Box<dyn Sign>,
    public: LogPublicKey,
}

impl LogKey {
    /// Gives two keys the role of one log.
    ///
    /// # Errors
    /// [`RoleError::Algorithm`] where one is of the wrong algorithm.
    pub fn new(p256: impl Sign + 'static, ed25519: impl Sign + 'static) -> Result<Self, RoleError> {
        let public = LogPublicKey::new(p256.public().clone(), ed25519.public().clone())?;
        Ok(Self { p256: Box::new(p256), ed25519: Box::new(ed25519), public })
    }

    /// The key of the Rekor v1 rendering, of entry timestamps and of the log id.
    pub fn p256(&self) -> &dyn Sign {
        self.p256.as_ref()
    }

    /// The key of the C2SP rendering.
    pub fn ed25519(&self) -> &dyn Sign {
        self.ed25519.as_ref()
    }

    /// Both public halves.
    pub fn public(&self) -> &LogPublicKey {
        &self.public
    }
}

/// The two public keys of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPublicKey {
    /// Named by `trusted_root.json`; its key id is the log id.
    pub p256: PublicKey,
    /// Named by the vkey.
    pub ed25519: PublicKey,
}

impl LogPublicKey {
    /// Pairs the public keys of one log.
    ///
    /// # Errors
    /// [`RoleError::Algorithm`] where one is of the wrong algorithm.
    pub fn new(p256: PublicKey, ed25519: PublicKey) -> Result<Self, RoleError> {
        for (key, expected) in [(&p256, Algorithm::P256), (&ed25519, Algorithm::Ed25519)] {
            if key.algorithm() != expected {
                return Err(RoleError::Algorithm { expected, found: key.algorithm() });
            }
        }
        Ok(Self { p256, ed25519 })
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "SignerKey({:?})", self.public())
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "WitnessKey({:?})", self.public())
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "LogKey({:?}, {:?})", self.public.p256, self.public.ed25519)
    }
}

#[cfg(test)]
mod tests {
    use super::{LogKey, LogPublicKey, RoleError, SignerKey, WitnessKey, refuse_shared};
    use crate::public::Algorithm;
    use crate::sign::{Sign, SoftKey};

    fn key(algorithm: Algorithm, seed: u8) -> SoftKey {
        SoftKey::from_secret(algorithm, &[seed; 32]).unwrap()
    }

    #[test]
    fn one_key_in_two_roles_is_refused() {
        let (a, b) = (key(Algorithm::P256, 1), key(Algorithm::Ed25519, 2));
        let (a, b) = (a.public().key_id(), b.public().key_id());
        assert_eq!(refuse_shared(&[("signer", a), ("log", b)]), Ok(()));
        assert_eq!(
            refuse_shared(&[("signer", a), ("log", b), ("witness", a)]),
            Err(RoleError::Shared { first: "signer".to_owned(), second: "witness".to_owned(), key_id: *a })
        );
        assert_eq!(
            refuse_shared(&[("log", b), ("witness", b)]),
            Err(RoleError::Shared { first: "log".to_owned(), second: "witness".to_owned(), key_id: *b })
        );
    }

    #[test]
    fn a_log_has_one_key_of_each_algorithm() {
        let log = LogKey::new(key(Algorithm::P256, 1), key(Algorithm::Ed25519, 2)).unwrap();
        assert_eq!(log.p256().public(), &log.public().p256);
        assert_eq!(log.ed25519().public(), &log.public().ed25519);
        let swapped = LogKey::new(key(Algorithm::Ed25519, 1), key(Algorithm::Ed25519, 2)).map(|_| ());
        assert_eq!(swapped, Err(RoleError::Algorithm { expected: Algorithm::P256, found: Algorithm::Ed25519 }));
        let twice = key(Algorithm::P256, 1).public().clone();
        assert_eq!(
            LogPublicKey::new(twice.clone(), twice),
            Err(RoleError::Algorithm { expected: Algorithm::Ed25519, found: Algorithm::P256 })
        );
    }

    #[test]
    fn a_role_signs_as_its_key_does() {
        let plain = key(Algorithm::P256, 3);
        let expected = plain.sign(b"m").unwrap();
        let signer = SignerKey::new(key(Algorithm::P256, 3));
        let witness = WitnessKey::new(key(Algorithm::P256, 3));
        assert_eq!(signer.sign(b"m").unwrap(), expected);
        assert_eq!(witness.sign(b"m").unwrap(), expected);
        assert!(signer.is_deterministic());
        assert_eq!(signer.public(), witness.public());
    }
}
