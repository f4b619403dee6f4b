//! Signing: the trait that a software key and a token share, and the software key.
//!
//! ```text
//! ecdsa-p256   SHA-256(m), nonce by RFC 6979, s brought below n/2, ASN.1 DER: 70 to 72 bytes, mostly
//! ed25519      RFC 8032, pure: 64 bytes
//! ```
//!
//! Both are functions of key and message alone. That is a property of the log, not a nicety: the same statement by
//! the same key is the same leaf, so attesting twice appends nothing. A token may draw its nonce at random; it then
//! says so by [`Sign::is_deterministic`].
//!
//! Randomness is needed only to make a key (and to encrypt one), and is an argument: see [`Random`].

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey as Ed25519Secret};
use p256::ecdsa::{Signature as P256Signature, SigningKey as P256Secret};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::public::{Algorithm, PublicKey};

/// Draws allowed until a P-256 scalar is in range. One draw misses with probability 2^-32; a source that misses this
/// often is broken.
const DRAWS_MAX: usize = 16;

/// A source of randomness, handed in by the face. Tests hand in a seeded one.
pub trait Random {
    /// Fills the whole slice with bytes that nobody can predict.
    ///
    /// # Errors
    /// [`RandomUnavailable`] where the source has none to give; the slice then holds nothing of use.
    fn fill(&mut self, into: &mut [u8]) -> Result<(), RandomUnavailable>;
}

/// The source of randomness gave nothing, or nothing usable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no randomness: {reason}")]
pub struct RandomUnavailable {
    /// The source's words.
    pub reason: String,
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// The key could not produce a signature for this message.
    #[error("the {algorithm} key gave no signature: {cause}")]
    Refused {
        /// The algorithm of the key.
        algorithm: Algorithm,
        /// The backend's words.
        cause: String,
    },
    /// The device that holds the key did not answer.
    #[error("the device that holds the {algorithm} key is not there: {cause}")]
    Unavailable {
        /// The algorithm of the key.
        algorithm: Algorithm,
        /// The device's words.
        cause: String,
    },
}

/// A key that signs, wherever it lies.
///
/// The signature form is that of [`PublicKey::verify`]: ASN.1 DER with low `s` for P-256, 64 bytes for Ed25519.
pub trait Sign: Send + Sync {
    /// The public half.
    fn public(&self) -> &PublicKey;

    /// Signs a message; the implementation hashes where its algorithm asks for it.
    ///
    /// # Errors
    /// [`SignError`]: the key refused or is not there.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// True where the same message always gives the same signature.
    fn is_deterministic(&self) -> bool;
}

impl<S: Sign + ?Sized> Sign for Box<S> {
    fn public(&self) -> &PublicKey {
        (**self).public()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        (**self).sign(message)
    }

    fn is_deterministic(&self) -> bool {
        (**self).is_deterministic()
    }
}

/// Why secret bytes are no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretError {
    /// The scalar is zero or not below the group order.
    #[error("the secret scalar of this {algorithm} key is out of range")]
    OutOfRange {
        /// The algorithm that was asked for.
        algorithm: Algorithm,
    },
}

enum Secret {
    // Both wipe themselves when dropped (`ZeroizeOnDrop`).
    P256(P256Secret),
    Ed25519(Ed25519Secret),
}

/// A private key in memory. Wiped when dropped; its `Debug` shows the public half.
pub struct SoftKey {
    secret: Secret,
    public: PublicKey,
}

impl SoftKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`RandomUnavailable`], also where the source repeats values that are no key.
    pub fn generate(algorithm: Algorithm, random: &mut dyn Random) -> Result<Self, RandomUnavailable> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        for _ in 0..DRAWS_MAX {
            random.fill(bytes.as_mut())?;
            // 32 zeros are a source that fills nothing; no honest one ever gives them.
            if bytes.iter().all(|&byte| byte == 0) {
                continue;
            }
            if let Ok(key) = Self::from_secret(algorithm, &bytes) {
                return Ok(key);
            }
        }
        Err(RandomUnavailable { reason: format!("{DRAWS_MAX} draws gave no usable {algorithm} key") })
    }

    /// Builds a key from its secret: the big-endian scalar of P-256, the seed of Ed25519 (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// [`SecretError::OutOfRange`] for a P-256 scalar that is zero or not below the order; a seed is always good.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8; 32]) -> Result<Self, SecretError> {
        let out_of_range = || SecretError::OutOfRange { algorithm };
        let (secret, public) = match algorithm {
            Algorithm::P256 => {
                let secret = P256Secret::from_slice(secret).map_err(|_| out_of_range())?;
                let point = secret.verifying_key().to_sec1_point(false);
                (Secret::P256(secret), PublicKey::from_p256_point(point.as_bytes()))
            }
            Algorithm::Ed25519 => {
                let secret = Ed25519Secret::from_bytes(secret);
                let point = secret.verifying_key().to_bytes();
                (Secret::Ed25519(secret), PublicKey::from_ed25519_bytes(&point))
            }
        };
        Ok(Self { secret, public: public.map_err(|_| out_of_range())? })
    }

    /// The secret itself, for the rooms that write key files. 32 bytes, as [`from_secret`](Self::from_secret) reads.
    #[cfg(feature = "key-files")]
    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        match &self.secret {
            Secret::P256(secret) => Zeroizing::new(secret.to_bytes().into()),
            Secret::Ed25519(secret) => Zeroizing::new(secret.to_bytes()),
        }
    }
}

impl Sign for SoftKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let refused = |error: p256::ecdsa::Error| SignError::Refused {
            algorithm: self.public.algorithm(),
            cause: error.to_string(),
        };
        match &self.secret {
            Secret::P256(secret) => {
                let signature: P256Signature = secret.try_sign(message).map_err(refused)?;
                // p256 0.14 leaves s as it falls; two valid forms of one signature would be two leaves.
                Ok(signature.normalize_s().to_der().as_bytes().to_vec())
            }
            Secret::Ed25519(secret) => Ok(secret.try_sign(message).map_err(refused)?.to_bytes().to_vec()),
        }
    }

    fn is_deterministic(&self) -> bool {
        true
    }
}

impl fmt::Debug for SoftKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "SoftKey({} {}, secret not shown)", self.public.algorithm(), self.public.key_id())
    }
}

#[cfg(test)]
pub(crate) mod tests;
