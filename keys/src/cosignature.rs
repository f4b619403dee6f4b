//! Cosignatures: what a witness signs below a checkpoint, after it saw that the log only grew.
//!
//! ```text
//! line     — NAME BASE64             base64(key id, 4 bytes ‖ time, 8 bytes, big-endian ‖ Ed25519 signature, 64 bytes)
//!
//! signed   cosignature/v1            the header
//!          time 1679315147           seconds since the epoch, decimal
//!          TEXT                      the whole text of the note, with its last newline
//!
//! vkey     NAME+HEX8+BASE64          base64(0x04 ‖ key, 32 bytes)
//! key id   SHA-256(NAME ‖ 0x0A ‖ 0x04 ‖ key)[..4]
//! ```
//!
//! It says: as of that time, the largest tree of this origin that I have seen, and that contains every other that I have seen, has this root.
//! It says nothing about the entries, and the time is the witness's word.
//!
//! A line under the name and key id of a known witness must hold, or the note is not what that witness signed; lines of others are ignored, as C2SP
//! signed-note has it. Cosignatures of type 0x06 (ML-DSA-44) are not read here. The time 0 is refused: it would say nothing.
//!
//! Source: C2SP tlog-cosignature, "Ed25519 signed message".

use std::fmt;

use thiserror::Error;

use crate::note::{self, NoteError, NoteSignError, NoteSignature, SignedNote, VkeyError};
use crate::public::{Algorithm, PublicKey};
use crate::sign::Sign;
use crate::strict_json::{standard_base64, to_standard_base64};

/// The type byte of a vkey that signs cosignatures with Ed25519.
pub const COSIGNATURE_TYPE: u8 = 0x04;

/// The latest time that the format can say.
const TIME_MAX: u64 = i64::MAX as u64;

/// Who may have cosigned: a name and an Ed25519 key. Its `Display` is the vkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignatureVerifier {
    name: String,
    key_id: [u8; 4],
    key: PublicKey,
}

impl CosignatureVerifier {
    /// Names a key.
    ///
    /// # Errors
    /// [`VkeyError::Name`], or [`VkeyError::Algorithm`] for a key that is not Ed25519.
    pub fn new(name: &str, key: &PublicKey) -> Result<Self, VkeyError> {
        if !note::is_key_name(name) {
            return Err(VkeyError::Name { name: name.to_owned() });
        }
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(VkeyError::Algorithm { expected: Algorithm::Ed25519, found: key.algorithm() });
        }
        let key_id = note::key_id(name, COSIGNATURE_TYPE, key.raw());
        Ok(Self { name: name.to_owned(), key_id, key: key.clone() })
    }

    /// Reads a vkey of type 0x04 and computes its key id again.
    ///
    /// # Errors
    /// [`VkeyError`], a variant per rule; [`VkeyError::Type`] for a key that signs something else.
    pub fn parse_vkey(vkey: &str) -> Result<Self, VkeyError> {
        let (name, claimed, material) = note::vkey_parts(vkey)?;
        let verifier = match standard_base64(material)?.split_first() {
            Some((&COSIGNATURE_TYPE, key)) => Self::new(name, &PublicKey::from_ed25519_bytes(key)?)?,
            Some((&type_byte, _)) => return Err(VkeyError::Type { type_byte }),
            None => return Err(VkeyError::Shape),
        };
        note::check_key_id(claimed, &verifier.key_id)?;
        Ok(verifier)
    }

    /// The name below a checkpoint.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Holds every line of this witness to the note's text, and returns their times in the order of the lines: none where it has not cosigned.
    ///
    /// # Errors
    /// [`CosignatureRefusal`] for the first line of its name and key id that does not hold.
    pub fn check(&self, note: &SignedNote) -> Result<Vec<u64>, CosignatureRefusal> {
        let lines = note.signatures().iter().enumerate();
        let own = lines.filter(|(_, line)| line.name == self.name && line.key_id == self.key_id);
        own.map(|(index, line)| self.time_of(index, line, note.text_unverified())).collect()
    }

    fn time_of(&self, index: usize, line: &NoteSignature, text: &str) -> Result<u64, CosignatureRefusal> {
        let name = || self.name.clone();
        let len = line.signature.len();
        let Some((time, signature)) = line.signature.split_first_chunk::<8>().filter(|_| len == 72) else {
            return Err(CosignatureRefusal::Length { index, name: name(), len });
        };
        let time = u64::from_be_bytes(*time);
        if time == 0 || time > TIME_MAX {
            return Err(CosignatureRefusal::Time { index, name: name(), time });
        }
        match self.key.verify(message(time, text).as_bytes(), signature) {
            Ok(()) => Ok(time),
            Err(_) => Err(CosignatureRefusal::Signature { index, name: name() }),
        }
    }
}

impl fmt::Display for CosignatureVerifier {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [&[COSIGNATURE_TYPE], self.key.raw()].concat();
        write!(to, "{}+{}+{}", self.name, hex::encode(self.key_id), to_standard_base64(&material))
    }
}

/// Why a line of a known witness does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CosignatureRefusal {
    /// It is not a time and a signature.
    #[error(
        "signature line {index}, of the witness {name}, has {len} bytes after its key id, and a cosignature has 72"
    )]
    Length {
        /// 0-based.
        index: usize,
        /// The witness.
        name: String,
        /// The length.
        len: usize,
    },
    /// The time says nothing.
    #[error("signature line {index}, of the witness {name}, has the time {time}, which no cosignature can have")]
    Time {
        /// 0-based.
        index: usize,
        /// The witness.
        name: String,
        /// The time.
        time: u64,
    },
    /// The witness did not sign this text at this time.
    #[error("signature line {index} is by the witness {name} and does not verify")]
    Signature {
        /// 0-based.
        index: usize,
        /// The witness.
        name: String,
    },
}

/// Cosigns a text at a time, seconds since the epoch, and returns the line with its newline, to be added to the note of that text.
///
/// Whoever calls this has seen that the tree only grew: nothing here looks.
///
/// # Errors
/// [`NoteSignError`]: a text that is none of a note, a bad name, a key that is not Ed25519, or the key's own refusal.
pub fn cosignature_line(text: &str, name: &str, key: &dyn Sign, time: u64) -> Result<String, NoteSignError> {
    if !text.ends_with('\n') {
        return Err(NoteError::TextEnd.into());
    }
    let verifier = CosignatureVerifier::new(name, key.public())?;
    let signature = [&time.to_be_bytes()[..], &key.sign(message(time, text).as_bytes())?].concat();
    Ok(NoteSignature { name: verifier.name, key_id: verifier.key_id, signature }.to_string())
}

fn message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::SoftKey;

    const TEXT: &str = "log.example\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n";

    fn key(seed: u8) -> SoftKey {
        SoftKey::from_secret(Algorithm::Ed25519, &[seed; 32]).unwrap()
    }

    fn noted(lines: &[String]) -> SignedNote {
        SignedNote::parse(&format!("{TEXT}\n{}", lines.concat())).unwrap()
    }

    fn line(name: &str, seed: u8, time: u64) -> String {
        cosignature_line(TEXT, name, &key(seed), time).unwrap()
    }

    #[test]
    fn a_cosignature_holds_for_its_witness_its_time_and_its_text() {
        let witness = CosignatureVerifier::new("w.example/1", key(1).public()).unwrap();
        assert_eq!(CosignatureVerifier::parse_vkey(&witness.to_string()).unwrap(), witness);
        let lines = [line("w.example/1", 1, 5), line("w.example/1", 2, 6), line("w.example/2", 1, 7)];
        assert_eq!(witness.check(&noted(&lines)), Ok(vec![5]));
        assert_eq!(witness.check(&noted(&lines[1..])), Ok(vec![]));
        let twice = [line("w.example/1", 1, 9), line("w.example/1", 1, 8)];
        assert_eq!(witness.check(&noted(&twice)), Ok(vec![9, 8]));
    }

    /// Made with another implementation of Ed25519, out of the seed 0x20 to 0x3f.
    #[test]
    fn a_cosignature_is_the_bytes_that_others_make() {
        let seed: [u8; 32] = std::array::from_fn(|at| 0x20 + at as u8);
        let key = SoftKey::from_secret(Algorithm::Ed25519, &seed).unwrap();
        let text = TEXT.replacen("log.example", "log.example/airgap/2026", 1);
        let line = cosignature_line(&text, "witness.example/w1", &key, 1_760_000_000).unwrap();
        assert_eq!(
            line,
            "\u{2014} witness.example/w1 IDJKvgAAAABo53gAGHYf1zlPRq8TOLOE6ASd4soh2oaWt/sDRZ2mEmgPu2vTUFqs9Z9tsQhWxuTPlMmhWOxXaMFINaaQ4uvVOm42BA==\n"
        );
        let witness = CosignatureVerifier::new("witness.example/w1", key.public()).unwrap();
        assert_eq!(witness.to_string(), "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X");
    }

    #[test]
    fn a_line_of_a_known_witness_that_does_not_hold_is_refused() {
        let witness = CosignatureVerifier::new("w", key(1).public()).unwrap();
        let of = |signature: Vec<u8>| {
            let line = NoteSignature { name: "w".to_owned(), key_id: witness.key_id, signature }.to_string();
            witness.check(&noted(&[line]))
        };
        let good = noted(&[line("w", 1, 5)]).signatures()[0].signature.clone();
        assert_eq!(of(good.clone()), Ok(vec![5]));
        for bit in 0..72 * 8 {
            let mut changed = good.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(of(changed).is_err(), "bit {bit}");
        }
        assert!(matches!(of(good[..71].to_vec()), Err(CosignatureRefusal::Length { len: 71, .. })));
        assert!(matches!(of([&good[..], &[0]].concat()), Err(CosignatureRefusal::Length { len: 73, .. })));
        let unsigned = |time: u64| of([&time.to_be_bytes()[..], &good[8..]].concat());
        assert!(matches!(unsigned(0), Err(CosignatureRefusal::Time { time: 0, .. })));
        assert!(matches!(unsigned(1 << 63), Err(CosignatureRefusal::Time { .. })));
        assert!(matches!(unsigned(6), Err(CosignatureRefusal::Signature { .. })));
        // A signature over the text alone is no cosignature, and one of other text none of this.
        let plain = [&5u64.to_be_bytes()[..], &key(1).sign(TEXT.as_bytes()).unwrap()].concat();
        assert!(matches!(of(plain), Err(CosignatureRefusal::Signature { .. })));
    }

    #[test]
    fn a_vkey_of_another_type_is_none_of_a_witness() {
        let note = crate::note::NoteVerifier::ed25519("w", key(1).public()).unwrap().to_string();
        assert!(matches!(CosignatureVerifier::parse_vkey(&note), Err(VkeyError::Type { type_byte: 1 })));
        let vkey = CosignatureVerifier::new("w", key(1).public()).unwrap().to_string();
        assert!(matches!(CosignatureVerifier::parse_vkey(&vkey.replacen('w', "v", 1)), Err(VkeyError::KeyId { .. })));
        let p256 = SoftKey::from_secret(Algorithm::P256, &[1; 32]).unwrap();
        assert!(matches!(CosignatureVerifier::new("w", p256.public()), Err(VkeyError::Algorithm { .. })));
    }
}
