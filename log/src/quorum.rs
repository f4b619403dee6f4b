//! Whom a checkpoint must be cosigned by: policies in the form of C2SP tlog-policy, read and applied.
//!
//! ```text
//! log VKEY [URL]                        a log that the policy is about; without any line, every log
//! witness NAME VKEY [URL]               a witness, by a name of this file
//! group NAME all|any|K MEMBER…          counts as a witness where so many of its members do
//! quorum NAME|none                      who must have cosigned; exactly one such line
//! # …                                   a comment; empty lines stand anywhere
//! ```
//!
//! Words are apart by spaces and tabs. A name stands for one thing, is defined above where it is used, and is a member of one group at most, so
//! that no witness counts twice. No key stands there twice, under whatever name. Names are bytes; nothing but tab and line feed is a control
//! character. Keys of logs are of type 0x01 and 0x02, of witnesses of type 0x04. One of type 0x06 (ML-DSA-44) is read and signs nothing that is
//! checked here: such a witness never counts, and such a log is none that a bundle is of.
//!
//! Limits: [`QUORUM_LEN_MAX`] bytes, and [`NAMES_MAX`] lines of each kind; the specification asks for 32 at the least.
//!
//! Worked example: two of three witnesses of one house, and one of another.
//!
//! ```text
//! witness X1 …
//! witness X2 …
//! witness X3 …
//! group X 2 X1 X2 X3
//! witness Y …
//! group both all X Y
//! quorum both
//! ```
//!
//! What a quorum does not show: that the witnesses are independent of the log and of each other. Whoever writes the file answers for that.
//!
//! Source: C2SP tlog-policy (commit 13027ee).

use std::fmt;

use airtight_keys::cosignature::{COSIGNATURE_TYPE, CosignatureRefusal, CosignatureVerifier};
use airtight_keys::note::{self, NoteVerifier, SignedNote, VkeyError};
use airtight_keys::strict_json::standard_base64;

/// The longest policy that is read, in bytes.
pub const QUORUM_LEN_MAX: usize = 1 << 20;

/// The most logs, witnesses and groups that are read, of each.
pub const NAMES_MAX: usize = 256;

/// The type byte of ML-DSA-44 keys, and the length of one.
const ML_DSA_44: (u8, usize) = (0x06, 1312);

/// A policy that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessPolicy {
    logs: Vec<Option<NoteVerifier>>,
    /// Witnesses and groups, each below those it counts.
    defined: Vec<Defined>,
    /// The place of the quorum; `None` where the file says `none`.
    quorum: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Defined {
    name: String,
    is: Is,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Is {
    /// A witness; without a verifier where its key is of a type that is not checked here.
    Witness(Option<CosignatureVerifier>),
    Group {
        threshold: usize,
        members: Vec<usize>,
    },
}

/// What witnesses say of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// Who has cosigned, by the policy's names, each with the earliest and the latest of its times, seconds since the epoch; in the file's order.
    pub by: Vec<Cosigned>,
    /// Whether they are those that the quorum asks for.
    pub is_quorum: bool,
}

/// A witness that has cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// Its name in the policy.
    pub name: String,
    /// The earliest of its times, seconds since the epoch.
    pub first: u64,
    /// The latest.
    pub last: u64,
}

/// Why a text is no policy; the line is counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessPolicyError {
    /// It is too long.
    #[error("the policy is {len} bytes, more than {QUORUM_LEN_MAX}")]
    TooLarge {
        /// Its length.
        len: usize,
    },
    /// A line is none of the four.
    #[error(
        "line {line} is none of `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME all|any|K MEMBER…` and `quorum NAME|none`"
    )]
    Line {
        /// The line.
        line: usize,
    },
    /// A control character.
    #[error("line {line} has the control character 0x{byte:02x}")]
    ControlCharacter {
        /// The line.
        line: usize,
        /// The character.
        byte: u8,
    },
    /// A key is none.
    #[error("line {line}: {cause}")]
    Key {
        /// The line.
        line: usize,
        /// What is wrong with it.
        cause: VkeyError,
    },
    /// A key is of a type that signs something else.
    #[error("line {line}: a key of type 0x{type_byte:02x} does not sign for a {of}")]
    KeyType {
        /// The line.
        line: usize,
        /// The type.
        type_byte: u8,
        /// `log` or `witness`.
        of: &'static str,
    },
    /// A key stands there twice.
    #[error("line {line} has a key that an earlier line has")]
    KeyTwice {
        /// The line.
        line: usize,
    },
    /// A name stands for two things, or is `none`.
    #[error("line {line}: {name:?} stands for something else already")]
    NameTwice {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A name that nothing above bears.
    #[error("line {line}: no line above defines {name:?}")]
    NameUnknown {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A name is a member of two groups, or of one twice.
    #[error("line {line}: {name:?} is a member of a group already")]
    MemberTwice {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A threshold is not one of the group's members.
    #[error("line {line}: {threshold} of {members} members cannot be asked for")]
    Threshold {
        /// The line.
        line: usize,
        /// What is asked for.
        threshold: String,
        /// How many members there are.
        members: usize,
    },
    /// There is not one quorum line.
    #[error("the policy has {count} quorum lines, one was expected")]
    Quorum {
        /// How many there are.
        count: usize,
    },
    /// There are more than are read.
    #[error("line {line} is one more than the {NAMES_MAX} of its kind that are read")]
    TooMany {
        /// The line.
        line: usize,
    },
}

/// What is known while a policy is read.
#[derive(Default)]
struct Reader {
    logs: Vec<Option<NoteVerifier>>,
    log_keys: Vec<Vec<u8>>,
    names: Vec<Vec<u8>>,
    defined: Vec<Defined>,
    witness_keys: Vec<Vec<u8>>,
    /// Whether each name is a member of a group.
    is_member: Vec<bool>,
    quorums: Vec<Option<usize>>,
}

impl WitnessPolicy {
    /// Reads a policy.
    ///
    /// # Errors
    /// The first [`WitnessPolicyError`] that is met.
    pub fn parse(text: &[u8]) -> Result<WitnessPolicy, WitnessPolicyError> {
        if text.len() > QUORUM_LEN_MAX {
            return Err(WitnessPolicyError::TooLarge { len: text.len() });
        }
        let mut reader = Reader::default();
        for (line, bytes) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            if let Some(byte) = bytes.iter().find(|byte| (**byte < b' ' && **byte != b'\t') || **byte == 0x7f) {
                return Err(WitnessPolicyError::ControlCharacter { line, byte: *byte });
            }
            let words: Vec<&[u8]> =
                bytes.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
            if words.first().is_some_and(|word| !word.starts_with(b"#")) {
                reader.line(line, &words)?;
            }
        }
        match reader.quorums[..] {
            [quorum] => Ok(WitnessPolicy { logs: reader.logs, defined: reader.defined, quorum }),
            _ => Err(WitnessPolicyError::Quorum { count: reader.quorums.len() }),
        }
    }

    /// Tells whether the policy is about a log: one of those that it names, or any where it names none. `None` is a log whose key is of a kind
    /// that no vkey is read of.
    pub fn is_about(&self, log: Option<&NoteVerifier>) -> bool {
        self.logs.is_empty() || self.logs.iter().flatten().any(|known| Some(known) == log)
    }

    /// Holds the cosignatures below a note to its text, and counts them.
    ///
    /// # Errors
    /// [`CosignatureRefusal`] for the first line of a known witness that does not hold, whether the quorum needs it or not.
    pub fn witnessed(&self, note: &SignedNote) -> Result<Witnessed, CosignatureRefusal> {
        let (mut by, mut counts) = (Vec::new(), Vec::with_capacity(self.defined.len()));
        for Defined { name, is } in &self.defined {
            counts.push(match is {
                Is::Witness(None) => false,
                Is::Witness(Some(witness)) => {
                    let times = witness.check(note)?;
                    let ends = times.iter().min().zip(times.iter().max());
                    by.extend(ends.map(|(first, last)| Cosigned { name: name.clone(), first: *first, last: *last }));
                    !times.is_empty()
                }
                Is::Group { threshold, members } => {
                    members.iter().filter(|member| counts[**member]).count() >= *threshold
                }
            });
        }
        Ok(Witnessed { by, is_quorum: self.quorum.is_none_or(|quorum| counts[quorum]) })
    }

    /// Returns how many witnesses the policy names.
    pub fn witnesses(&self) -> usize {
        self.defined.iter().filter(|defined| matches!(defined.is, Is::Witness(_))).count()
    }

    fn said(&self, place: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Is::Group { threshold, members } = &self.defined[place].is else {
            return f.write_str(&self.defined[place].name);
        };
        write!(f, "{threshold} of (")?;
        for (at, member) in members.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            self.said(*member, f)?;
        }
        f.write_str(")")
    }
}

/// The quorum in words: `2 of (X1, X2, X3)`.
impl fmt::Display for WitnessPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quorum {
            Some(quorum) => self.said(quorum, f),
            None => f.write_str("no witness"),
        }
    }
}

impl Reader {
    fn line(&mut self, line: usize, words: &[&[u8]]) -> Result<(), WitnessPolicyError> {
        match words {
            [b"log", vkey] | [b"log", vkey, _] => self.log(line, vkey),
            [b"witness", name, vkey] | [b"witness", name, vkey, _] => self.witness(line, name, vkey),
            [b"group", name, threshold, members @ ..] if !members.is_empty() => {
                self.group(line, name, threshold, members)
            }
            [b"quorum", b"none"] => {
                self.quorums.push(None);
                Ok(())
            }
            [b"quorum", name] => {
                let place = self.place(line, name)?;
                self.quorums.push(Some(place));
                Ok(())
            }
            _ => Err(WitnessPolicyError::Line { line }),
        }
    }

    fn log(&mut self, line: usize, vkey: &[u8]) -> Result<(), WitnessPolicyError> {
        let Key { text, type_byte, material } = Key::read(line, vkey)?;
        let of_key = |cause| WitnessPolicyError::Key { line, cause };
        let (log, key) = match type_byte {
            0x01 | 0x02 => {
                let log = NoteVerifier::parse_vkey(text).map_err(of_key)?;
                let key = log.key().spki_der().to_vec();
                (Some(log), key)
            }
            _ if type_byte == ML_DSA_44.0 => (None, material),
            _ => return Err(WitnessPolicyError::KeyType { line, type_byte, of: "log" }),
        };
        known_once(line, &mut self.log_keys, key)?;
        self.logs.push(log);
        if self.logs.len() > NAMES_MAX { Err(WitnessPolicyError::TooMany { line }) } else { Ok(()) }
    }

    fn witness(&mut self, line: usize, name: &[u8], vkey: &[u8]) -> Result<(), WitnessPolicyError> {
        let Key { text, type_byte, material } = Key::read(line, vkey)?;
        let of_key = |cause| WitnessPolicyError::Key { line, cause };
        let witness = match type_byte {
            COSIGNATURE_TYPE => Some(CosignatureVerifier::parse_vkey(text).map_err(of_key)?),
            _ if type_byte == ML_DSA_44.0 => None,
            _ => return Err(WitnessPolicyError::KeyType { line, type_byte, of: "witness" }),
        };
        known_once(line, &mut self.witness_keys, material)?;
        if self.witness_keys.len() > NAMES_MAX {
            return Err(WitnessPolicyError::TooMany { line });
        }
        self.define(line, name, Is::Witness(witness))
    }

    fn group(&mut self, line: usize, name: &[u8], threshold: &[u8], names: &[&[u8]]) -> Result<(), WitnessPolicyError> {
        let mut members = Vec::with_capacity(names.len());
        for member in names {
            let place = self.place(line, member)?;
            if std::mem::replace(&mut self.is_member[place], true) {
                return Err(WitnessPolicyError::MemberTwice { line, name: shown(member) });
            }
            members.push(place);
        }
        let count = members.len();
        let threshold = match threshold {
            b"all" => count,
            b"any" => 1,
            said => {
                // Decimal, in one spelling.
                let number = std::str::from_utf8(said).ok().and_then(|said| said.parse::<usize>().ok());
                let fits = |number: &usize| (1..=count).contains(number) && number.to_string().as_bytes() == said;
                number.filter(fits).ok_or_else(|| {
                    let threshold = shown(said);
                    WitnessPolicyError::Threshold { line, threshold, members: count }
                })?
            }
        };
        let groups = self.defined.iter().filter(|defined| matches!(defined.is, Is::Group { .. })).count();
        if groups == NAMES_MAX {
            return Err(WitnessPolicyError::TooMany { line });
        }
        self.define(line, name, Is::Group { threshold, members })
    }

    fn define(&mut self, line: usize, name: &[u8], is: Is) -> Result<(), WitnessPolicyError> {
        if name == b"none" || self.names.iter().any(|known| known == name) {
            return Err(WitnessPolicyError::NameTwice { line, name: shown(name) });
        }
        self.names.push(name.to_vec());
        self.is_member.push(false);
        self.defined.push(Defined { name: shown(name), is });
        Ok(())
    }

    fn place(&self, line: usize, name: &[u8]) -> Result<usize, WitnessPolicyError> {
        let place = self.names.iter().position(|known| known == name);
        place.ok_or_else(|| WitnessPolicyError::NameUnknown { line, name: shown(name) })
    }
}

/// A vkey of any type, taken apart, its key id compared for the types that are not read elsewhere.
struct Key<'v> {
    text: &'v str,
    type_byte: u8,
    material: Vec<u8>,
}

impl Key<'_> {
    fn read(line: usize, vkey: &[u8]) -> Result<Key<'_>, WitnessPolicyError> {
        let of_key = |cause| WitnessPolicyError::Key { line, cause };
        let text = std::str::from_utf8(vkey).map_err(|_| of_key(VkeyError::Shape))?;
        let (name, claimed, material) = note::vkey_parts(text).map_err(of_key)?;
        let bytes = standard_base64(material).map_err(|cause| of_key(cause.into()))?;
        let Some((&type_byte, material)) = bytes.split_first() else { return Err(of_key(VkeyError::Shape)) };
        if (type_byte, material.len()) == ML_DSA_44 {
            note::check_key_id(claimed, &note::key_id(name, type_byte, material)).map_err(of_key)?;
        } else if type_byte == ML_DSA_44.0 {
            return Err(of_key(VkeyError::Shape));
        }
        Ok(Key { text, type_byte, material: material.to_vec() })
    }
}

fn known_once(line: usize, known: &mut Vec<Vec<u8>>, key: Vec<u8>) -> Result<(), WitnessPolicyError> {
    if known.contains(&key) {
        return Err(WitnessPolicyError::KeyTwice { line });
    }
    known.push(key);
    Ok(())
}

/// A name for people; what is no UTF-8 in it is replaced.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests;
