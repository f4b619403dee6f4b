//! Private key files in PEM: PKCS#8, plain or encrypted, and what OpenSSL writes besides.
//!
//! ```text
//! label                    read   written   what
//! PRIVATE KEY              yes    yes       PKCS#8 v1 of P-256 or Ed25519; v2 with its public key is read too
//! ENCRYPTED PRIVATE KEY    yes    yes       the same in PBES2; written: scrypt N=2^14 r=8 p=1, AES-256-CBC
//!                                           read: scrypt or PBKDF2 (HMAC-SHA-2), AES in CBC or GCM
//! EC PRIVATE KEY           yes    no        SEC1 with its curve named; an EC PARAMETERS block before it is skipped
//! ```
//!
//! OpenSSL 3.0 reads both written forms. It refuses scrypt above 32 MiB, hence N=2^14 (16 MiB), and it does not read
//! PKCS#8 v2, hence v1 for Ed25519. Salt and IV are drawn from the [`Random`] that is handed in.
//!
//! A file holds one private key; text outside its block is ignored (RFC 7468 §2). Where the file carries the public
//! half, it must be that of the private one. The old encryption inside `EC PRIVATE KEY` (`Proc-Type: 4,ENCRYPTED`) is
//! one round of MD5 and is named, not read. A file that asks for more work than [`SCRYPT_WORK_MAX`] or
//! [`PBKDF2_ROUNDS_MAX`] is refused before it gets it.
//!
//! Wrong passphrases: AES-CBC does not authenticate, so a wrong passphrase is seen by its padding, or by the DER below
//! it. Both are told as one.
//!
//! Sources: RFC 5958, RFC 8018 (PBES2), RFC 7914 §7 (scrypt), RFC 8410, RFC 5915, RFC 7468.

use std::fmt;

use ed25519_dalek::pkcs8::KeypairBytes;
use p256::SecretKey as P256Secret;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::{LineEnding, decode};
use pkcs8::der::{self, Decode, Reader, SecretDocument, SliceReader, TagMode, TagNumber};
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::{EncodePrivateKey, EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::public::Algorithm;
use crate::sign::{Random, RandomUnavailable, Sign, SoftKey};

/// The longest key file that is read, in bytes. Ours have fewer than 500.
pub const KEY_FILE_LEN_MAX: usize = 64 * 1024;

/// The most work of scrypt that a file may ask for: N·r·p. 2^21 is N=2^18 with r=8: 256 MiB and about a second.
pub const SCRYPT_WORK_MAX: u64 = 1 << 21;

/// The most rounds of PBKDF2 that a file may ask for: a few seconds.
pub const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;

/// What is written: N=2^14, r=8, p=1 need 16 MiB; OpenSSL 3.0 refuses to spend more than 32.
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;
const SALT_LEN: usize = 16;

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const SEC1: &str = "EC PRIVATE KEY";
const SEC1_PARAMETERS: &str = "EC PARAMETERS";

const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ID_PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A passphrase. Wiped when dropped, never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a passphrase; it may be empty where a format allows that.
    pub fn new(passphrase: String) -> Self {
        Self(Zeroizing::new(passphrase))
    }

    /// True where it has no character at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Passphrase(not shown)")
    }
}

/// Why a text gives no private key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PemError {
    /// The text is longer than [`KEY_FILE_LEN_MAX`].
    #[error("the key file is {len} bytes long, at most {max} are read")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// There is no private key in the text, or more than one.
    #[error("the text holds {count} PEM blocks, one private key was expected")]
    NotOneKey {
        /// How many blocks it holds, parameters not counted.
        count: usize,
    },
    /// The block is something else: a public key, a certificate, a key of cosign.
    #[error("the PEM block is labelled {found:?}, which is no private key that is read here")]
    Label {
        /// The label.
        found: String,
    },
    /// The block is not PEM.
    #[error("the PEM block is damaged: {cause}")]
    Pem {
        /// What is wrong with it.
        cause: String,
    },
    /// The key is encrypted the old way, by one round of MD5.
    #[error("the key is encrypted the old way (Proc-Type: 4,ENCRYPTED), which is not read")]
    LegacyEncryption,
    /// The key is encrypted and no passphrase was given.
    #[error("the key is encrypted and no passphrase was given")]
    PassphraseNeeded,
    /// The passphrase does not open the key (or the file is damaged inside; CBC cannot tell).
    #[error("the passphrase does not open the key")]
    PassphraseWrong,
    /// The file asks for more work to derive its key than is given to any file.
    #[error("deriving this key by {kdf} costs {cost}, at most {max} is spent")]
    CostTooHigh {
        /// `scrypt` or `pbkdf2`.
        kdf: &'static str,
        /// N·r·p of scrypt, rounds of PBKDF2.
        cost: u64,
        /// The limit.
        max: u64,
    },
    /// The encryption is of a kind that is not read.
    #[error("the key is encrypted in a way that is not read: {cause}")]
    Encryption {
        /// What it is.
        cause: String,
    },
    /// The DER inside is not that of a private key.
    #[error("the private key is not well-formed: {cause}")]
    Der {
        /// What is wrong with it.
        cause: String,
    },
    /// The key is of an algorithm or on a curve that is not used here.
    #[error("a key of algorithm {oid} is not used here, ecdsa-p256 and ed25519 are")]
    Algorithm {
        /// The object identifier of the algorithm, or of the curve.
        oid: String,
    },
    /// The secret is out of range, or the public half in the file belongs to another key.
    #[error("the secret of this {algorithm} key is out of range or does not fit the public half beside it")]
    Secret {
        /// The algorithm that the file names.
        algorithm: Algorithm,
    },
}

/// Why no key file was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PemWriteError {
    /// No salt or IV could be drawn.
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
    /// An empty passphrase protects nothing and OpenSSL cannot ask for it.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The encoder refused.
    #[error("the key could not be encoded: {cause}")]
    Encode {
        /// Its words.
        cause: String,
    },
}

/// True where the text holds a private key that only a passphrase opens. Nothing else is checked.
pub fn is_encrypted(text: &str) -> bool {
    blocks(text).iter().any(|block| block.label == ENCRYPTED)
}

/// Writes a private key as PKCS#8 PEM, encrypted where a passphrase is given. Lines of 64, `\n`, one at the end too.
///
/// `random` is asked only where a passphrase is given.
///
/// # Errors
/// [`PemWriteError`]: no randomness, or an empty passphrase.
pub fn to_pem(
    key: &SoftKey,
    passphrase: Option<&Passphrase>,
    random: &mut dyn Random,
) -> Result<Zeroizing<String>, PemWriteError> {
    let plain = to_pkcs8_der(key);
    let (label, document) = match passphrase {
        None => (PLAIN, plain),
        Some(passphrase) => (ENCRYPTED, encrypted(&plain, passphrase, random)?),
    };
    document.to_pem(label, LineEnding::LF).map_err(|error| PemWriteError::Encode { cause: error.to_string() })
}

/// Reads a private key from PEM. A passphrase that is not needed is not looked at.
///
/// # Errors
/// [`PemError`], a variant per fact.
pub fn from_pem(text: &str, passphrase: Option<&Passphrase>) -> Result<SoftKey, PemError> {
    if text.len() > KEY_FILE_LEN_MAX {
        return Err(PemError::TooLarge { len: text.len(), max: KEY_FILE_LEN_MAX });
    }
    let found: Vec<Block<'_>> = blocks(text).into_iter().filter(|block| block.label != SEC1_PARAMETERS).collect();
    let [block] = found.as_slice() else { return Err(PemError::NotOneKey { count: found.len() }) };
    match block.label {
        PLAIN => from_pkcs8_der(&block.decode()?),
        ENCRYPTED => {
            let der = block.decode()?;
            let passphrase = passphrase.ok_or(PemError::PassphraseNeeded)?;
            decrypted(&der, passphrase)
        }
        SEC1 if block.text.contains("Proc-Type:") => Err(PemError::LegacyEncryption),
        SEC1 => from_sec1_der(&block.decode()?),
        label => Err(PemError::Label { found: label.to_owned() }),
    }
}

/// The key as PKCS#8 v1 DER. The P-256 form carries the public half, as OpenSSL's does.
pub(crate) fn to_pkcs8_der(key: &SoftKey) -> SecretDocument {
    let secret = key.secret_bytes();
    match key.public().algorithm() {
        Algorithm::P256 => P256Secret::from_slice(secret.as_ref())
            .expect("invariant: a SoftKey holds a scalar that is in range")
            .to_pkcs8_der(),
        Algorithm::Ed25519 => KeypairBytes { secret_key: *secret, public_key: None }.to_pkcs8_der(),
    }
    .expect("invariant: 32 bytes in a fixed shape always encode")
}

/// Reads PKCS#8 DER, v1 or v2.
pub(crate) fn from_pkcs8_der(der: &[u8]) -> Result<SoftKey, PemError> {
    let info = PrivateKeyInfoRef::try_from(der).map_err(|error| PemError::Der { cause: error.to_string() })?;
    let algorithm = if info.algorithm.oid == ID_ED25519 {
        Algorithm::Ed25519
    } else if info.algorithm.oid == ID_EC_PUBLIC_KEY {
        let curve = info.algorithm.parameters_oid().map_err(|error| PemError::Der { cause: error.to_string() })?;
        if curve != ID_PRIME256V1 {
            return Err(PemError::Algorithm { oid: curve.to_string() });
        }
        Algorithm::P256
    } else {
        return Err(PemError::Algorithm { oid: info.algorithm.oid.to_string() });
    };
    let wrong = || PemError::Secret { algorithm };
    let secret = match algorithm {
        Algorithm::P256 => p256_bytes(&P256Secret::try_from(info).map_err(|_| wrong())?),
        Algorithm::Ed25519 => {
            let pair = KeypairBytes::try_from(info).map_err(|error| PemError::Der { cause: error.to_string() })?;
            // Fails where the public half of a v2 file belongs to another key.
            let key = ed25519_dalek::SigningKey::try_from(&pair).map_err(|_| wrong())?;
            Zeroizing::new(key.to_bytes())
        }
    };
    SoftKey::from_secret(algorithm, &secret).map_err(|_| wrong())
}

fn from_sec1_der(der: &[u8]) -> Result<SoftKey, PemError> {
    // Without its curve, 32 bytes could be a key of any curve of that size.
    let curve = sec1_curve(der).map_err(|error| PemError::Der { cause: error.to_string() })?;
    if curve != ID_PRIME256V1 {
        return Err(PemError::Algorithm { oid: curve.to_string() });
    }
    let wrong = PemError::Secret { algorithm: Algorithm::P256 };
    let secret = P256Secret::from_sec1_der(der).map_err(|_| wrong.clone())?;
    SoftKey::from_secret(Algorithm::P256, &p256_bytes(&secret)).map_err(|_| wrong)
}

/// The named curve of an ECPrivateKey: `SEQUENCE { 1, OCTET STRING, [0] OID, [1] … }` (RFC 5915 §3).
fn sec1_curve(der: &[u8]) -> Result<ObjectIdentifier, der::Error> {
    let mut reader = SliceReader::new(der)?;
    reader.sequence(|inner| {
        u8::decode(inner)?;
        <&OctetStringRef>::decode(inner)?;
        let curve = inner.context_specific::<ObjectIdentifier>(TagNumber(0), TagMode::Explicit)?;
        inner.read_slice(inner.remaining_len())?;
        curve.ok_or_else(|| der::Tag::ObjectIdentifier.value_error().into())
    })
}

fn p256_bytes(secret: &P256Secret) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(secret.to_bytes().into())
}

fn encrypted(
    plain: &SecretDocument,
    passphrase: &Passphrase,
    random: &mut dyn Random,
) -> Result<SecretDocument, PemWriteError> {
    if passphrase.is_empty() {
        return Err(PemWriteError::EmptyPassphrase);
    }
    let (mut salt, mut iv) = ([0; SALT_LEN], [0; 16]);
    random.fill(&mut salt)?;
    random.fill(&mut iv)?;
    let work = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P).expect("invariant: constants in range");
    let encode = |cause: String| PemWriteError::Encode { cause };
    let parameters =
        Parameters::generate_scrypt_aes256cbc(work, &salt, iv).map_err(|error| encode(error.to_string()))?;
    PrivateKeyInfoRef::try_from(plain.as_bytes())
        .and_then(|info| info.encrypt_with_params(parameters, passphrase.as_bytes()))
        .map_err(|error| encode(error.to_string()))
}

fn decrypted(der: &[u8], passphrase: &Passphrase) -> Result<SoftKey, PemError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| PemError::Der { cause: error.to_string() })?;
    let Some(parameters) = info.encryption_algorithm.pbes2() else {
        return Err(PemError::Encryption { cause: "PBES1".to_owned() });
    };
    let (kdf, cost, max) = match &parameters.kdf {
        Kdf::Scrypt(scrypt) => {
            let cost = u64::from(scrypt.block_size) * u64::from(scrypt.parallelization);
            ("scrypt", scrypt.cost_parameter.saturating_mul(cost), SCRYPT_WORK_MAX)
        }
        Kdf::Pbkdf2(pbkdf2) => ("pbkdf2", u64::from(pbkdf2.iteration_count), u64::from(PBKDF2_ROUNDS_MAX)),
        _ => return Err(PemError::Encryption { cause: format!("key derivation {}", parameters.kdf.oid()) }),
    };
    if cost > max {
        return Err(PemError::CostTooHigh { kdf, cost, max });
    }
    let plain = info.decrypt(passphrase.as_bytes()).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) | pkcs8::Error::Asn1(_) => {
            PemError::PassphraseWrong
        }
        other => PemError::Encryption { cause: other.to_string() },
    })?;
    match from_pkcs8_der(plain.as_bytes()) {
        Err(PemError::Der { .. }) => Err(PemError::PassphraseWrong),
        other => other,
    }
}

/// One PEM block of a text, from its BEGIN line to its END line.
pub(crate) struct Block<'t> {
    pub(crate) label: &'t str,
    pub(crate) text: &'t str,
}

impl Block<'_> {
    /// The bytes inside, in a buffer that is wiped.
    pub(crate) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        // base64 is longer than what it says, so nothing is reallocated and left behind unwiped.
        let mut buffer = Zeroizing::new(vec![0; self.text.len()]);
        let len = decode(self.text.as_bytes(), &mut buffer)
            .map(|(_, bytes)| bytes.len())
            .map_err(|error| PemError::Pem { cause: error.to_string() })?;
        buffer.truncate(len);
        Ok(buffer)
    }
}

/// The PEM blocks of a text, whatever stands around them.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    const BEGIN: &str = "-----BEGIN ";
    const DASHES: &str = "-----";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(BEGIN) {
        let block = &rest[begin..];
        let after_begin = &block[BEGIN.len()..];
        let Some(label) = after_begin.find(DASHES).map(|end| &after_begin[..end]) else { break };
        let end_line = format!("-----END {label}-----");
        let end = block.find(&end_line).map_or(block.len(), |end| end + end_line.len());
        found.push(Block { label, text: &block[..end] });
        rest = &block[end..];
    }
    found
}

#[cfg(test)]
mod tests;
