//! SHA-256 values and positions in a log, each a type of its own, so that none can be taken for another.
//!
//! | type | what it is | written as |
//! |---|---|---|
//! | [`struct@Hash`] | the hash of a node of the tree, a root, or a leaf (RFC 6962 §2.1) | base64 in notes and proofs, hex in Rekor's API |
//! | [`Sha256Digest`] | the SHA-256 of some content: an artifact, an envelope, a payload | `sha256:` and 64 lowercase hex digits |
//! | [`LeafIndex`] | the position of an entry in the log, 0-based, below 2^48 | decimal |
//! | [`TreeSize`] | how many entries a tree has, 0 to 2^48 | decimal |
//!
//! A [`struct@Hash`] has a prefix byte under it (0x00 before a leaf, 0x01 before a node), a [`Sha256Digest`] has none:
//! equal bytes in the two types would mean different things, hence two types.
//!
//! Every text form has one spelling only: hex is lowercase, base64 is RFC 4648 §4 with padding and zero trailing
//! bits, decimals have no sign and no leading zero.
//!
//! The limit 2^48 is the widest range in which an index survives every JSON reader (2^53), SQLite (2^63 - 1) and
//! Rekor (2^63 - 1) with room to spare; at a million entries a second it lasts for nine years.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The largest number of entries a tree may have: 2^48.
pub const TREE_SIZE_MAX: u64 = 1 << 48;

/// The number of characters of 32 bytes in base64 with padding.
const HASH_BASE64_LEN: usize = 44;

/// Returns the SHA-256 digest of `content`, without any prefix.
pub fn sha256(content: &[u8]) -> Sha256Digest {
    Sha256Digest(Sha256::digest(content).into())
}

/// A hash of the tree: of a leaf, of a node, or of the root. 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Takes 32 bytes as a hash; any value is possible.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Takes a slice as a hash.
    ///
    /// # Errors
    /// [`DigestError::Length`] if it is not 32 bytes long.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DigestError> {
        match <[u8; 32]>::try_from(bytes) {
            Ok(bytes) => Ok(Self(bytes)),
            Err(_) => Err(DigestError::Length { len: bytes.len() }),
        }
    }

    /// Reads the base64 form of notes, checkpoints and bundles: 44 characters, RFC 4648 §4.
    ///
    /// # Errors
    /// [`DigestError::Base64`] if the text is not canonical base64, [`DigestError::Length`] if it is of another length.
    pub fn from_base64(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0u8; 36];
        if text.len() > HASH_BASE64_LEN {
            return Err(DigestError::Base64 { text: shortened(text) });
        }
        match STANDARD.decode_slice(text, &mut bytes) {
            Ok(len) => Self::from_slice(&bytes[..len]),
            Err(_) => Err(DigestError::Base64 { text: shortened(text) }),
        }
    }

    /// Reads 64 lowercase hex digits.
    ///
    /// # Errors
    /// [`DigestError::Hex`] if the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, DigestError> {
        hex_bytes(text).map(Self)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the base64 form, 44 characters.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Returns the 64 lowercase hex digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// Writes 64 lowercase hex digits.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(")?;
        write_hex(f, &self.0)?;
        f.write_str(")")
    }
}

/// The SHA-256 digest of some content, without prefix. 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// Takes 32 bytes as a digest; any value is possible.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 lowercase hex digits, without `sha256:` before them.
    ///
    /// # Errors
    /// [`DigestError::Hex`] if the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, DigestError> {
        hex_bytes(text).map(Self)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the 64 lowercase hex digits, without `sha256:` before them.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// Reads `sha256:` and 64 lowercase hex digits.
impl FromStr for Sha256Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        match text.strip_prefix("sha256:") {
            Some(digits) => Self::from_hex(digits),
            None => Err(DigestError::Algorithm { text: shortened(text) }),
        }
    }
}

/// Writes `sha256:` and 64 lowercase hex digits.
impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

/// The position of an entry in its log: 0-based, below 2^48.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u64);

impl LeafIndex {
    /// The first entry of a log.
    pub const ZERO: Self = Self(0);

    /// Takes a number as an index.
    ///
    /// # Errors
    /// [`PositionError::IndexTooLarge`] from 2^48 on.
    pub const fn new(index: u64) -> Result<Self, PositionError> {
        if index < TREE_SIZE_MAX { Ok(Self(index)) } else { Err(PositionError::IndexTooLarge { index }) }
    }

    /// Returns the index as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the size of the smallest tree that holds this entry: one more than the index.
    pub const fn size_to_hold(self) -> TreeSize {
        TreeSize(self.0 + 1)
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads the canonical decimal form.
impl FromStr for LeafIndex {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        Self::new(decimal(text)?)
    }
}

/// The number of entries in a tree: 0 to 2^48.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(u64);

impl TreeSize {
    /// The tree without entries.
    pub const ZERO: Self = Self(0);

    /// Takes a number as a size.
    ///
    /// # Errors
    /// [`PositionError::SizeTooLarge`] above 2^48.
    pub const fn new(size: u64) -> Result<Self, PositionError> {
        if size <= TREE_SIZE_MAX { Ok(Self(size)) } else { Err(PositionError::SizeTooLarge { size }) }
    }

    /// Returns the size as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Says whether a tree of this size holds the entry at `index`.
    pub const fn holds(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }

    /// Returns the index of the last entry, or `None` if there is none.
    pub const fn last(self) -> Option<LeafIndex> {
        match self.0 {
            0 => None,
            size => Some(LeafIndex(size - 1)),
        }
    }

    /// Returns the index that the next entry will have, or `None` if the log is full.
    pub const fn next_index(self) -> Option<LeafIndex> {
        if self.0 < TREE_SIZE_MAX { Some(LeafIndex(self.0)) } else { None }
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads the canonical decimal form.
impl FromStr for TreeSize {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        Self::new(decimal(text)?)
    }
}

/// Why some text or bytes are no hash and no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The number of bytes is not that of SHA-256.
    #[error("a SHA-256 value has 32 bytes, not {len}")]
    Length {
        /// The length found, in bytes.
        len: usize,
    },
    /// The text is not 64 lowercase hex digits.
    #[error("{text:?} is not 64 lowercase hex digits")]
    Hex {
        /// The text found, shortened.
        text: String,
    },
    /// The text is not the canonical base64 form of 32 bytes.
    #[error("{text:?} is not 32 bytes in canonical base64")]
    Base64 {
        /// The text found, shortened.
        text: String,
    },
    /// The text names another algorithm, or none.
    #[error("{text:?} does not begin with sha256:")]
    Algorithm {
        /// The text found, shortened.
        text: String,
    },
}

/// Why a number or a text is no position in a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// The index is 2^48 or above.
    #[error("leaf index {index} is not below {TREE_SIZE_MAX}")]
    IndexTooLarge {
        /// The index found.
        index: u64,
    },
    /// The size is above 2^48.
    #[error("tree size {size} is above {TREE_SIZE_MAX}")]
    SizeTooLarge {
        /// The size found.
        size: u64,
    },
    /// The text is not a canonical decimal number of at most 64 bits.
    #[error("{text:?} is not a decimal number without sign and leading zeros")]
    NotDecimal {
        /// The text found, shortened.
        text: String,
    },
}

/// Reads digits only, no leading zero but in "0" itself: the one spelling that `Display` gives back.
fn decimal(text: &str) -> Result<u64, PositionError> {
    let canonical = match text.as_bytes() {
        [] => false,
        [b'0', _, ..] => false,
        digits => digits.iter().all(u8::is_ascii_digit),
    };
    match text.parse() {
        Ok(number) if canonical => Ok(number),
        _ => Err(PositionError::NotDecimal { text: shortened(text) }),
    }
}

fn hex_bytes(text: &str) -> Result<[u8; 32], DigestError> {
    let lowercase = !text.bytes().any(|c| c.is_ascii_uppercase());
    let bytes = lowercase.then(|| hex_of_any_case(text.as_bytes())).flatten();
    bytes.ok_or_else(|| DigestError::Hex { text: shortened(text) })
}

/// Reads 64 hex digits. The `hex` crate looks for the first wrong one, which costs 0.3 µs a digest: every statement has some.
pub(crate) fn hex_of_any_case(digits: &[u8]) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = digits.try_into().ok()?;
    let (mut bytes, mut wrong) = ([0; 32], 0);
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let [high, low] = pair.map(|digit| HEX_DIGIT[usize::from(digit)]);
        wrong |= high | low;
        *byte = high << 4 | low & 0x0f;
    }
    (wrong < 0x10).then_some(bytes)
}

/// The value of each byte as a hex digit; 0xff where it is none.
const HEX_DIGIT: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        values[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8; 32]) -> fmt::Result {
    let mut digits = [0u8; 64];
    hex::encode_to_slice(bytes, &mut digits).map_err(|_| fmt::Error)?;
    f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
}

/// Keeps an error message small when the text comes from a stranger.
fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_written_as_it_is_read() {
        let digest: Sha256Digest = format!("sha256:{ABC}").parse().unwrap();
        assert_eq!(digest, sha256(b"abc"));
        assert_eq!(digest.to_string(), format!("sha256:{ABC}"));
        assert_eq!(digest.hex(), ABC);
    }

    #[test]
    fn a_digest_of_another_spelling_is_refused() {
        assert!(matches!(ABC.parse::<Sha256Digest>(), Err(DigestError::Algorithm { .. })));
        assert!(matches!(format!("sha512:{ABC}").parse::<Sha256Digest>(), Err(DigestError::Algorithm { .. })));
        assert!(matches!(Sha256Digest::from_hex(&ABC.to_uppercase()), Err(DigestError::Hex { .. })));
        assert!(matches!(Sha256Digest::from_hex(&ABC[1..]), Err(DigestError::Hex { .. })));
        assert!(matches!(Sha256Digest::from_hex(""), Err(DigestError::Hex { .. })));
    }

    #[test]
    fn a_hash_has_one_base64_form() {
        let hash = Hash::from_hex(ABC).unwrap();
        let text = hash.to_base64();
        assert_eq!(Hash::from_base64(&text), Ok(hash));
        // The last character before the padding carries two bits that must be zero.
        let (head, tail) = text.split_at(42);
        let next = char::from(tail.as_bytes()[0] + 1);
        assert!(matches!(Hash::from_base64(&format!("{head}{next}=")), Err(DigestError::Base64 { .. })));
        assert!(matches!(Hash::from_base64(&text[..43]), Err(DigestError::Base64 { .. })));
        assert!(matches!(Hash::from_base64(&text.replace('=', "==")), Err(DigestError::Base64 { .. })));
    }

    #[test]
    fn a_hash_of_another_length_is_refused() {
        assert_eq!(Hash::from_base64("AAAA"), Err(DigestError::Length { len: 3 }));
        assert_eq!(Hash::from_base64(&STANDARD.encode([0; 33])), Err(DigestError::Length { len: 33 }));
        assert_eq!(Hash::from_slice(&[0; 12]), Err(DigestError::Length { len: 12 }));
        assert_eq!(Hash::from_base64(""), Err(DigestError::Length { len: 0 }));
    }

    #[test]
    fn positions_are_bounded_by_two_to_the_48th() {
        assert_eq!(TreeSize::new(TREE_SIZE_MAX).unwrap().get(), TREE_SIZE_MAX);
        assert_eq!(TreeSize::new(TREE_SIZE_MAX + 1), Err(PositionError::SizeTooLarge { size: TREE_SIZE_MAX + 1 }));
        assert_eq!(LeafIndex::new(TREE_SIZE_MAX), Err(PositionError::IndexTooLarge { index: TREE_SIZE_MAX }));
        assert_eq!(LeafIndex::new(TREE_SIZE_MAX - 1).unwrap().size_to_hold().get(), TREE_SIZE_MAX);
        assert_eq!(TreeSize::new(TREE_SIZE_MAX).unwrap().next_index(), None);
        assert_eq!(TreeSize::ZERO.next_index(), Some(LeafIndex::ZERO));
        assert_eq!(TreeSize::ZERO.last(), None);
    }

    #[test]
    fn a_decimal_has_one_spelling() {
        assert_eq!("0".parse::<TreeSize>(), Ok(TreeSize::ZERO));
        assert_eq!("70000".parse::<TreeSize>().unwrap().to_string(), "70000");
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "٣", "18446744073709551616"] {
            assert_eq!(text.parse::<TreeSize>(), Err(PositionError::NotDecimal { text: text.into() }), "{text:?}");
        }
    }

    #[test]
    fn an_error_does_not_repeat_a_megabyte() {
        let text = "x".repeat(1 << 20);
        assert!(Sha256Digest::from_hex(&text).unwrap_err().to_string().len() < 200);
    }
}
