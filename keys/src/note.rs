//! Signed notes: a text that people can read, and signature lines below it.
//!
//! ```text
//! text                      UTF-8, ends in \n, may hold empty lines
//! (empty line)              the last one of the note separates text and signatures
//! — NAME BASE64             em dash U+2014, space, key name, space, base64(key id, 4 bytes ‖ signature)
//! …                         one line a signature, each ends in \n
//!
//! vkey   NAME+HEX8+BASE64   key name, key id, base64(type byte ‖ key)
//!
//! type   key in the vkey    key id                                        signature
//! 0x01   32 bytes           SHA-256(NAME ‖ 0x0A ‖ 0x01 ‖ key)[..4]        Ed25519 over the text, 64 bytes
//! 0x02   SPKI DER, P-256    SHA-256(SPKI DER)[..4], without name or type  ECDSA with SHA-256 over the text, ASN.1 DER
//! ```
//!
//! A signature line under a (name, key id) that the reader does not know is ignored: that is how witnesses are added
//! and how keys are changed. A line under a known one must verify, or the whole note is refused; and at least one known
//! line must be there. So a note cannot be stripped to a weaker statement without its reader seeing which keys are left.
//!
//! Limits: a note is at most [`NOTE_LEN_MAX`] bytes and [`NOTE_SIGNATURES_MAX`] lines. Only what we would print is
//! read: rendering a parsed note gives its very bytes. Stricter than Go's `sumdb/note`: a second line of a known key is
//! checked too, not dropped.
//!
//! Worked example, of the specification:
//!
//! ```text
//! example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
//!
//! This is an example message.
//!
//! — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
//! ```
//!
//! Sources: C2SP signed-note; golang.org/x/mod `sumdb/note`; transparency-dev/formats for type 0x02.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::public::{Algorithm, PublicKey, PublicKeyError};
use crate::sign::{Sign, SignError};
use crate::strict_json::{Base64Error, standard_base64, to_standard_base64};

/// The longest note in bytes: room for 16 post-quantum signatures of nearly 5 kB each (C2SP signed-note).
pub const NOTE_LEN_MAX: usize = 128 * 1024;

/// The most signature lines; Go's reader stops at the same number.
pub const NOTE_SIGNATURES_MAX: usize = 100;

const DASH: &str = "\u{2014} ";

/// How a key signs a note: the type byte of its vkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteStyle {
    /// Type 0x01: Ed25519 over the text.
    Ed25519,
    /// Type 0x02: ECDSA P-256 with SHA-256 over the text; the key id is that of the SPKI alone.
    EcdsaSpki,
}

impl NoteStyle {
    /// The algorithm that a key of this style has.
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::Ed25519 => Algorithm::Ed25519,
            Self::EcdsaSpki => Algorithm::P256,
        }
    }

    /// The type byte of a vkey.
    fn type_byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::EcdsaSpki => 0x02,
        }
    }

    fn key_id(self, name: &str, key: &PublicKey) -> [u8; 4] {
        let digest = match self {
            Self::Ed25519 => return key_id(name, self.type_byte(), key.raw()),
            Self::EcdsaSpki => Sha256::new().chain_update(key.spki_der()),
        }
        .finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

/// Why a text is no vkey, or a key fits no verifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VkeyError {
    /// The text is not `NAME+HEX8+BASE64`.
    #[error("a vkey is NAME+HEX8+BASE64")]
    Shape,
    /// The name is empty or holds white space, a control character or a `+`.
    #[error("{name:?} is no key name: it is empty or holds white space or a +")]
    Name {
        /// The name.
        name: String,
    },
    /// The third part is not canonical base64.
    #[error("the key of the vkey is not canonical base64: {0}")]
    Base64(#[from] Base64Error),
    /// The type byte is one that is not read here.
    #[error("a note key of type 0x{type_byte:02x} is not read here, 0x01 and 0x02 are")]
    Type {
        /// The type byte.
        type_byte: u8,
    },
    /// The key itself is not usable.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    /// The key is of another algorithm than the style.
    #[error("a note key of this style is {expected}, this key is {found}")]
    Algorithm {
        /// What the style asks for.
        expected: Algorithm,
        /// What the key is.
        found: Algorithm,
    },
    /// The key id in the text is not the one of its name and key.
    #[error("the vkey says key id {claimed}, its name and key give {computed}")]
    KeyId {
        /// As the text has it.
        claimed: String,
        /// As it is computed, 8 lowercase hex digits.
        computed: String,
    },
}

/// Who may have signed a note: a name and a public key. Its `Display` is the vkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    key_id: [u8; 4],
    style: NoteStyle,
    key: PublicKey,
}

impl NoteVerifier {
    /// Names an Ed25519 key (type 0x01).
    ///
    /// # Errors
    /// `Name`, or `Algorithm` for a P-256 key.
    pub fn ed25519(name: &str, key: &PublicKey) -> Result<Self, VkeyError> {
        Self::new(name, key, NoteStyle::Ed25519)
    }

    /// Names a P-256 key (type 0x02).
    ///
    /// # Errors
    /// `Name`, or `Algorithm` for an Ed25519 key.
    pub fn ecdsa(name: &str, key: &PublicKey) -> Result<Self, VkeyError> {
        Self::new(name, key, NoteStyle::EcdsaSpki)
    }

    fn new(name: &str, key: &PublicKey, style: NoteStyle) -> Result<Self, VkeyError> {
        if !is_key_name(name) {
            return Err(VkeyError::Name { name: name.to_owned() });
        }
        if key.algorithm() != style.algorithm() {
            return Err(VkeyError::Algorithm { expected: style.algorithm(), found: key.algorithm() });
        }
        Ok(Self { name: name.to_owned(), key_id: style.key_id(name, key), style, key: key.clone() })
    }

    /// Reads a vkey and computes its key id again.
    ///
    /// # Errors
    /// [`VkeyError`], a variant per rule.
    pub fn parse_vkey(vkey: &str) -> Result<Self, VkeyError> {
        let (name, claimed, material) = vkey_parts(vkey)?;
        let material = standard_base64(material)?;
        let verifier = match material.split_first() {
            Some((0x01, key)) => Self::ed25519(name, &PublicKey::from_ed25519_bytes(key)?)?,
            Some((0x02, key)) => Self::ecdsa(name, &PublicKey::from_spki_der(key)?)?,
            Some((&type_byte, _)) => return Err(VkeyError::Type { type_byte }),
            None => return Err(VkeyError::Shape),
        };
        check_key_id(claimed, &verifier.key_id)?;
        Ok(verifier)
    }

    /// The key name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that a signature line begins with.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// How this key signs.
    pub fn style(&self) -> NoteStyle {
        self.style
    }

    /// The public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    fn is_named_by(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name && self.key_id == signature.key_id
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match self.style {
            NoteStyle::Ed25519 => self.key.raw(),
            NoteStyle::EcdsaSpki => self.key.spki_der(),
        };
        let material = [&[self.style.type_byte()], key].concat();
        write!(to, "{}+{}+{}", self.name, hex::encode(self.key_id), to_standard_base64(&material))
    }
}

/// Splits `NAME+HEX8+BASE64`. Nothing is checked of the parts.
///
/// # Errors
/// [`VkeyError::Shape`].
pub fn vkey_parts(vkey: &str) -> Result<(&str, &str, &str), VkeyError> {
    let mut parts = vkey.splitn(3, '+');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(key_id), Some(material)) => Ok((name, key_id, material)),
        _ => Err(VkeyError::Shape),
    }
}

/// Computes the key id that most types of keys have: SHA-256 of name, line feed, type and key, cut to four bytes.
pub fn key_id(name: &str, type_byte: u8, key: &[u8]) -> [u8; 4] {
    let digest = Sha256::new().chain_update(name).chain_update([b'\n', type_byte]).chain_update(key).finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Compares the key id that a vkey says with that of its name and key.
///
/// # Errors
/// [`VkeyError::KeyId`].
pub fn check_key_id(claimed: &str, key_id: &[u8; 4]) -> Result<(), VkeyError> {
    let computed = hex::encode(key_id);
    if claimed == computed {
        Ok(())
    } else {
        Err(VkeyError::KeyId { claimed: claimed.chars().take(80).collect(), computed })
    }
}

/// Why a text is no signed note.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// The note is longer than [`NOTE_LEN_MAX`].
    #[error("the note is {len} bytes long, at most {max} are read")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// A control character other than a newline.
    #[error("the note has the control character 0x{byte:02x} at byte {at}")]
    ControlCharacter {
        /// The 0-based offset.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// The text does not end in a newline.
    #[error("the text of the note does not end in a newline")]
    TextEnd,
    /// There is no empty line, or nothing below it.
    #[error("the note has no signature lines below an empty line")]
    NoSignatures,
    /// There are more signature lines than are read.
    #[error("the note has {count} signature lines, at most {max} are read")]
    TooManySignatures {
        /// How many there are.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// A line below the empty one is not `— NAME BASE64`.
    #[error("signature line {index} is not \u{201c}\u{2014} NAME BASE64\u{201d}")]
    SignatureLine {
        /// 0-based.
        index: usize,
    },
    /// A signature line names no possible key.
    #[error("signature line {index}: {name:?} is no key name")]
    KeyName {
        /// 0-based.
        index: usize,
        /// The name.
        name: String,
    },
    /// A signature line's base64 is not canonical.
    #[error("signature line {index}: {cause}")]
    Base64 {
        /// 0-based.
        index: usize,
        /// What is wrong with it.
        cause: Base64Error,
    },
    /// A signature line holds no more than a key id.
    #[error("signature line {index} has {len} bytes, a key id of 4 and a signature were expected")]
    ShortSignature {
        /// 0-based.
        index: usize,
        /// The decoded length.
        len: usize,
    },
}

/// One signature line. Nothing is proven of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The key name.
    pub name: String,
    /// The key id.
    pub key_id: [u8; 4],
    /// The signature's bytes, at least one.
    pub signature: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    /// The line, with its newline.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&self.key_id[..], &self.signature].concat();
        writeln!(to, "{DASH}{} {}", self.name, to_standard_base64(&blob))
    }
}

/// A note that was parsed and not verified. Its `Display` gives its bytes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// Reads a signed note.
    ///
    /// # Errors
    /// [`NoteError`], a variant per rule.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_LEN_MAX {
            return Err(NoteError::TooLarge { len: note.len(), max: NOTE_LEN_MAX });
        }
        refuse_control_characters(note)?;
        let split = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let count = lines.split('\n').count();
        if count > NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures { count, max: NOTE_SIGNATURES_MAX });
        }
        let signatures = lines
            .split('\n')
            .enumerate()
            .map(|(index, line)| parse_signature_line(index, line))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, with its last newline. Nothing is proven of it.
    pub fn text_unverified(&self) -> &str {
        &self.text
    }

    /// The signature lines in their order, at least one.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Verifies the note: every line of a known verifier must be good, and there must be one.
    ///
    /// # Errors
    /// [`NoteRefusal`], a variant per fact.
    pub fn verify(&self, verifiers: &[NoteVerifier]) -> Result<VerifiedNote<'_>, NoteRefusal> {
        for (index, verifier) in verifiers.iter().enumerate() {
            let is_same = |earlier: &NoteVerifier| earlier.name == verifier.name && earlier.key_id == verifier.key_id;
            if verifiers[..index].iter().any(is_same) {
                return Err(NoteRefusal::AmbiguousVerifiers {
                    name: verifier.name.clone(),
                    key_id: hex::encode(verifier.key_id),
                });
            }
        }
        let mut signed_by = Vec::new();
        let mut known_lines = 0;
        for (index, signature) in self.signatures.iter().enumerate() {
            let Some(known) = verifiers.iter().position(|verifier| verifier.is_named_by(signature)) else { continue };
            if verifiers[known].key.verify(self.text.as_bytes(), &signature.signature).is_err() {
                return Err(NoteRefusal::BadSignature {
                    index,
                    name: signature.name.clone(),
                    key_id: hex::encode(signature.key_id),
                });
            }
            known_lines += 1;
            if !signed_by.contains(&known) {
                signed_by.push(known);
            }
        }
        if signed_by.is_empty() {
            return Err(NoteRefusal::NoKnownSignature {
                signatures: self.signatures.len(),
                verifiers: verifiers.len(),
            });
        }
        Ok(VerifiedNote { text: &self.text, signed_by, unknown_lines: self.signatures.len() - known_lines })
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text)?;
        to.write_char('\n')?;
        self.signatures.iter().try_for_each(|signature| write!(to, "{signature}"))
    }
}

/// Why a note is not verified.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteRefusal {
    /// A line under a known name and key id does not verify.
    #[error("signature line {index} is by {name} with key id {key_id} and does not verify")]
    BadSignature {
        /// 0-based.
        index: usize,
        /// The key name.
        name: String,
        /// 8 hex digits.
        key_id: String,
    },
    /// No line is by a known key.
    #[error("none of {signatures} signature lines is by one of {verifiers} known keys")]
    NoKnownSignature {
        /// How many lines there are.
        signatures: usize,
        /// How many keys were given.
        verifiers: usize,
    },
    /// Two of the given verifiers have one name and one key id, so that a line could mean either.
    #[error("two of the given keys are called {name} with key id {key_id}")]
    AmbiguousVerifiers {
        /// The key name.
        name: String,
        /// 8 hex digits.
        key_id: String,
    },
}

/// A note that at least one known key has signed, and no known line of which is bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedNote<'n> {
    text: &'n str,
    signed_by: Vec<usize>,
    unknown_lines: usize,
}

impl<'n> VerifiedNote<'n> {
    /// The signed text, with its last newline.
    pub fn text(&self) -> &'n str {
        self.text
    }

    /// Which of the given verifiers signed: their 0-based places in the list that was given, in the order of their
    /// first lines, none twice.
    pub fn signed_by(&self) -> &[usize] {
        &self.signed_by
    }

    /// How many lines are by keys that were not given.
    pub fn unknown_lines(&self) -> usize {
        self.unknown_lines
    }
}

/// Why no note was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteSignError {
    /// The text cannot stand in a note.
    #[error(transparent)]
    Text(#[from] NoteError),
    /// The name is no key name, or the key is not of the style's algorithm.
    #[error(transparent)]
    Verifier(#[from] VkeyError),
    /// The key gave no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Signs a text and returns the whole note. `text` ends in a newline.
///
/// # Errors
/// [`NoteSignError`]: a text without its newline or with a control character, a bad name, a key of another algorithm,
/// or the key's own refusal.
pub fn sign(text: &str, name: &str, key: &dyn Sign, style: NoteStyle) -> Result<String, NoteSignError> {
    let line = signature_line(text, name, key, style)?;
    Ok(format!("{text}\n{line}"))
}

/// Signs a text and returns only the signature line, with its newline, to be added to a note of the same text.
///
/// # Errors
/// As [`sign`].
pub fn signature_line(text: &str, name: &str, key: &dyn Sign, style: NoteStyle) -> Result<String, NoteSignError> {
    if !text.ends_with('\n') {
        return Err(NoteError::TextEnd.into());
    }
    refuse_control_characters(text)?;
    let verifier = NoteVerifier::new(name, key.public(), style)?;
    let signature = key.sign(text.as_bytes())?;
    Ok(NoteSignature { name: verifier.name, key_id: verifier.key_id, signature }.to_string())
}

fn parse_signature_line(index: usize, line: &str) -> Result<NoteSignature, NoteError> {
    let (name, blob) =
        line.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or(NoteError::SignatureLine { index })?;
    if !is_key_name(name) {
        return Err(NoteError::KeyName { index, name: name.to_owned() });
    }
    let blob = standard_base64(blob).map_err(|cause| NoteError::Base64 { index, cause })?;
    match blob.split_first_chunk::<4>() {
        Some((key_id, signature)) if !signature.is_empty() => {
            Ok(NoteSignature { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
        }
        _ => Err(NoteError::ShortSignature { index, len: blob.len() }),
    }
}

fn refuse_control_characters(text: &str) -> Result<(), NoteError> {
    match text.bytes().enumerate().find(|&(_, byte)| byte < 0x20 && byte != b'\n') {
        Some((at, byte)) => Err(NoteError::ControlCharacter { at, byte }),
        None => Ok(()),
    }
}

/// Non-empty, no Unicode white space, no `+`, no control character (C2SP signed-note).
pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(|c| c.is_whitespace() || c < ' ')
}

#[cfg(test)]
mod tests;
