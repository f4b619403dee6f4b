//! What an artifact is known by, or said to be: its digests, in the algorithms that statements and message signatures use.
//!
//! ```text
//! sha256:<64 hex>   sha384:<96 hex>   sha512:<128 hex>        lowercase
//! ```
//!
//! Whoever has the artifact can know all of them; whoever has a list knows one. Two sets are compared in what both have, and never in less: one
//! digest that differs makes them different, whatever the others say.
//!
//! Source: in-toto attestation v1, DigestSet; protobuf-specs `HashAlgorithm`.

use std::fmt;
use std::str::FromStr;

use airtight_keys::verifier::HashFunction;
use airtight_log::digest::Sha256Digest;
use airtight_log::entry::ContentDigest;

/// The algorithms, in the order in which a set is shown.
pub const ALGORITHMS: [HashFunction; 3] = [HashFunction::Sha256, HashFunction::Sha384, HashFunction::Sha512];

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestTextError {
    /// It does not begin with the name of an algorithm and a colon.
    #[error("{found:?} begins with none of sha256:, sha384: and sha512:")]
    Algorithm {
        /// Its beginning.
        found: String,
    },
    /// What follows is not the hex of a digest of that algorithm.
    #[error(
        "a {algorithm} digest has {expected} lowercase hex digits, and this is {len} characters or others than these"
    )]
    Hex {
        /// The algorithm.
        algorithm: &'static str,
        /// How many digits there must be.
        expected: usize,
        /// How many characters there are.
        len: usize,
    },
}

/// Digests of one artifact, at most one of each algorithm. It may be empty: a subject of a statement may have none that is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digests {
    sha256: Option<Sha256Digest>,
    sha384: Option<[u8; 48]>,
    sha512: Option<[u8; 64]>,
}

impl Digests {
    /// Adds a digest; one of the same algorithm is replaced.
    pub fn with(self, digest: ContentDigest) -> Digests {
        match digest {
            ContentDigest::Sha256(bytes) => Digests { sha256: Some(Sha256Digest::from_bytes(bytes)), ..self },
            ContentDigest::Sha384(bytes) => Digests { sha384: Some(bytes), ..self },
            ContentDigest::Sha512(bytes) => Digests { sha512: Some(bytes), ..self },
        }
    }

    /// Returns the digest of an algorithm.
    pub fn of(&self, algorithm: HashFunction) -> Option<ContentDigest> {
        match algorithm {
            HashFunction::Sha256 => self.sha256.map(|digest| ContentDigest::Sha256(*digest.as_bytes())),
            HashFunction::Sha384 => self.sha384.map(ContentDigest::Sha384),
            HashFunction::Sha512 => self.sha512.map(ContentDigest::Sha512),
        }
    }

    /// Returns the SHA-256.
    pub fn sha256(&self) -> Option<&Sha256Digest> {
        self.sha256.as_ref()
    }

    /// Returns all digests, in the order of [`ALGORITHMS`].
    pub fn iter(&self) -> impl Iterator<Item = ContentDigest> {
        ALGORITHMS.into_iter().filter_map(|algorithm| self.of(algorithm))
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Compares two sets in what both have: `None` where that is nothing, else whether all of it is equal.
    pub fn agrees(&self, other: &Digests) -> Option<bool> {
        let mut both = ALGORITHMS.into_iter().filter_map(|algorithm| Some((self.of(algorithm)?, other.of(algorithm)?)));
        let first = both.next()?;
        Some(std::iter::once(first).chain(both).all(|(ours, theirs)| ours == theirs))
    }
}

impl From<Sha256Digest> for Digests {
    fn from(sha256: Sha256Digest) -> Digests {
        Digests { sha256: Some(sha256), ..Digests::default() }
    }
}

impl From<ContentDigest> for Digests {
    fn from(digest: ContentDigest) -> Digests {
        Digests::default().with(digest)
    }
}

impl FromStr for Digests {
    type Err = DigestTextError;

    /// Reads one digest with its algorithm.
    fn from_str(text: &str) -> Result<Digests, DigestTextError> {
        let named = text
            .split_once(':')
            .and_then(|(name, hex)| Some((ALGORITHMS.into_iter().find(|algorithm| algorithm.name() == name)?, hex)));
        let Some((algorithm, hex)) = named else {
            return Err(DigestTextError::Algorithm { found: text.chars().take(16).collect() });
        };
        let (len, expected) = (hex.chars().count(), 2 * algorithm.len());
        let digest = digest_of_hex(algorithm, hex);
        digest.map(Digests::from).ok_or(DigestTextError::Hex { algorithm: algorithm.name(), expected, len })
    }
}

/// Writes the first digest with its algorithm, or `no digest`.
impl fmt::Display for Digests {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.iter().next() {
            Some(digest) => to.write_str(&text_of(&digest)),
            None => to.write_str("no digest"),
        }
    }
}

/// Returns the algorithm of a digest.
pub fn algorithm_of(digest: &ContentDigest) -> HashFunction {
    match digest {
        ContentDigest::Sha256(_) => HashFunction::Sha256,
        ContentDigest::Sha384(_) => HashFunction::Sha384,
        ContentDigest::Sha512(_) => HashFunction::Sha512,
    }
}

/// Writes a digest with its algorithm: `sha512:` and hex.
pub fn text_of(digest: &ContentDigest) -> String {
    format!("{}:{}", algorithm_of(digest).name(), hex::encode(digest.as_bytes()))
}

/// Takes bytes for a digest, where there are as many as the algorithm makes.
pub fn digest_of(algorithm: HashFunction, bytes: &[u8]) -> Option<ContentDigest> {
    match algorithm {
        HashFunction::Sha256 => bytes.try_into().ok().map(ContentDigest::Sha256),
        HashFunction::Sha384 => bytes.try_into().ok().map(ContentDigest::Sha384),
        HashFunction::Sha512 => bytes.try_into().ok().map(ContentDigest::Sha512),
    }
}

/// Reads the lowercase hex of a digest.
pub fn digest_of_hex(algorithm: HashFunction, text: &str) -> Option<ContentDigest> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != algorithm.len() || !rest.is_empty() {
        return None;
    }
    // On the stack: a statement may have a thousand subjects.
    let mut bytes = [0; 64];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    digest_of(algorithm, &bytes[..pairs.len()])
}

#[cfg(test)]
mod tests {
    use airtight_log::digest::sha256;

    use super::*;

    #[test]
    fn a_digest_is_read_in_its_one_spelling_and_written_so() {
        for (name, len) in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
            let text = format!("{name}:{}", "0a".repeat(len / 2));
            assert_eq!(text.parse::<Digests>().unwrap().to_string(), text);
            let spelt = [text.to_uppercase(), text.replace("0a", "0A"), format!("{text}0"), text.replacen("0a", "", 1)];
            for other in spelt.iter().chain([&text.replace("0a", "0g"), &text.replace(':', "")]) {
                assert!(other.parse::<Digests>().is_err(), "{other}");
            }
        }
        assert!(matches!("md5:00".parse::<Digests>(), Err(DigestTextError::Algorithm { .. })));
    }

    #[test]
    fn sets_are_compared_in_all_that_both_have() {
        let (one, two) = (Digests::from(sha256(b"1")), ContentDigest::Sha512([2; 64]));
        assert_eq!(one.agrees(&Digests::from(two)), None);
        assert_eq!(one.agrees(&one.with(two)), Some(true));
        assert_eq!(one.with(two).agrees(&one.with(ContentDigest::Sha512([3; 64]))), Some(false));
        assert_eq!(Digests::from(sha256(b"2")).with(two).agrees(&one.with(two)), Some(false));
        assert_eq!(Digests::default().agrees(&one), None);
    }
}
