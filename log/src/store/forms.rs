//! The forms of a stored row: how an entry is kept small and comes back byte for byte.
//!
//! ```text
//! form 0  leaf      varint len ‖ frame                        the leaf's body itself (redacted, or not a DSSE entry)
//! form 1  envelope  varint len ‖ frame                        the envelope's exact text
//! form 2  template  varint len ‖ u8 sig_len ‖ sig ‖ frame     the payload; our rendering of both is the envelope's text
//! ```
//!
//! `len` is the length before compression, `frame` a Zstandard frame without its magic number, checksum, content size
//! and dictionary id (all constant or stored here). Base64 defeats compression: the payload is kept decoded, and with a
//! dictionary trained on the log's first entries a statement of 980 bytes takes some 200. A form is frozen for ever; a
//! row that does not give its leaf hash back is damage, never a guess.

use std::sync::Arc;

use airtight_keys::envelope::{Envelope, EnvelopeError, EnvelopeSignature, IN_TOTO_PAYLOAD_TYPE};
use airtight_keys::public::PublicKey;
use airtight_keys::strict_json::Limits;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use super::facts::Facts;
use super::{CONTROL_TYPES, sent, sums};
use crate::digest::{Hash, LeafIndex, Sha256Digest};
use crate::entry::Entry;
use crate::tree::leaf_hash;

/// Level 1: with a dictionary, higher ones gain nothing on statements (139 bytes of 946 at levels 1 and 3) and cost a third
/// more and up.
const LEVEL: i32 = 1;
/// The four bytes with which every Zstandard frame begins.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The largest envelope or leaf that a row may hold: a statement of 64 MiB in base64, and room around it.
pub const CONTENT_LEN_MAX: usize = 96 << 20;

/// The longest text whose memory a worker keeps for the next one.
const TEXT_KEPT_MAX: usize = 1 << 20;

/// The limits under which an envelope's text was taken in, and is read again.
const LIMITS: Limits = Limits { bytes_max: CONTENT_LEN_MAX, depth_max: 64 };

/// How a row gives its leaf back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The leaf's body, verbatim.
    Leaf = 0,
    /// The envelope's text, verbatim.
    Envelope = 1,
    /// Payload and raw signature.
    Template = 2,
}

impl Form {
    /// Reads a stored form number.
    #[must_use]
    pub fn from_stored(form: i64) -> Option<Self> {
        match form {
            0 => Some(Self::Leaf),
            1 => Some(Self::Envelope),
            2 => Some(Self::Template),
            _ => None,
        }
    }
}

/// Why a stored row gives nothing back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowDamage {
    /// The row does not have the sum beside it.
    #[error("the row does not have the sum beside it")]
    Sum,
    /// The form number is none of ours.
    #[error("form {0} is none of 0, 1, 2")]
    Form(i64),
    /// The row ends early or claims an impossible length.
    #[error("a row of {len} bytes claims a content of {claimed}")]
    Length {
        /// Bytes of the row.
        len: usize,
        /// Bytes claimed.
        claimed: u64,
    },
    /// The frame does not decompress to the claimed length.
    #[error("the frame does not decompress to {claimed} bytes: {cause}")]
    Frame {
        /// Bytes claimed.
        claimed: usize,
        /// What the decompressor said.
        cause: String,
    },
    /// The row names a dictionary that is not there, or is none.
    #[error("dictionary {0} is not in the table, or cannot be used")]
    Dictionary(i64),
    /// The row names a signer that is not there.
    #[error("signer {0} is not in the table")]
    Signer(i64),
    /// The content is no envelope.
    #[error("the content is no envelope: {0}")]
    Envelope(String),
}

/// A dictionary of the log.
#[derive(Debug)]
pub struct Dictionary {
    /// Its number in the table, from 1.
    pub id: i64,
    /// Its bytes, under the digest beside them.
    pub bytes: Vec<u8>,
}

/// Makes entries ready to append, on any thread; see [`Preparer::worker`].
#[derive(Clone, Debug, Default)]
pub struct Preparer {
    dictionary: Option<Arc<Dictionary>>,
}

/// One thread's compressor.
pub struct Worker {
    compressor: Compressor<'static>,
    dictionary: i64,
    frame: Vec<u8>,
    text: String,
}

/// An entry ready to append: its leaf hash is computed and its row is made.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(crate) leaf_hash: Hash,
    pub(crate) form: Form,
    pub(crate) dictionary: i64,
    pub(crate) row: Vec<u8>,
    pub(crate) verifier: PublicKey,
    pub(crate) facts: Facts,
    /// The receipts that a control entry brings with it, by the index of what they are of, compressed.
    pub(crate) receipts: Vec<(u64, Vec<u8>)>,
}

impl Prepared {
    /// Adds the texts of the receipts that this control entry speaks of: kept in the same transaction. An anchor has one,
    /// under any index.
    #[must_use]
    pub fn with_receipts<'t>(mut self, receipts: impl IntoIterator<Item = (LeafIndex, &'t str)>) -> Self {
        self.receipts = receipts.into_iter().map(|(index, text)| (index.get(), sent::compressed(text))).collect();
        self
    }

    /// Gives the leaf hash under which the entry will be found.
    #[must_use]
    pub fn leaf_hash(&self) -> &Hash {
        &self.leaf_hash
    }

    /// Gives the row as it will be stored: the number of its form, and its bytes.
    #[must_use]
    pub fn row(&self) -> (i64, &[u8]) {
        (self.form as i64, &self.row)
    }
}

impl Preparer {
    pub(crate) fn new(dictionary: Option<Arc<Dictionary>>) -> Self {
        Self { dictionary }
    }

    /// Makes one thread's worker. Making one costs more than preparing a hundred entries: keep it.
    ///
    /// # Panics
    /// When the compression library cannot allocate its context.
    #[must_use]
    pub fn worker(&self) -> Worker {
        let dictionary = self.dictionary.as_ref().map_or(&[][..], |dictionary| &dictionary.bytes);
        let made = Compressor::with_dictionary(LEVEL, dictionary);
        let mut compressor = made.expect("invariant: a compression context can be allocated");
        for parameter in
            [CParameter::ContentSizeFlag(false), CParameter::ChecksumFlag(false), CParameter::DictIdFlag(false)]
        {
            compressor.set_parameter(parameter).expect("invariant: a frame parameter of this library");
        }
        Worker { compressor, dictionary: self.dictionary_id(), frame: Vec::new(), text: String::new() }
    }

    fn dictionary_id(&self) -> i64 {
        self.dictionary.as_ref().map_or(0, |dictionary| dictionary.id)
    }
}

impl Worker {
    /// Says whether this worker uses what `preparer` knows; another one is made where it does not.
    #[must_use]
    pub fn is_of(&self, preparer: &Preparer) -> bool {
        self.dictionary == preparer.dictionary_id()
    }

    /// Prepares a DSSE entry. `text` is the envelope's exact text, of which `envelope` is the reading.
    ///
    /// # Errors
    /// [`SignatureCount`], where the envelope has another number of signatures than the one that a leaf of ours names.
    pub fn envelope(
        &mut self,
        text: &str,
        envelope: &Envelope,
        verifier: &PublicKey,
    ) -> Result<Prepared, SignatureCount> {
        let is_ours = envelope.to_json() == text;
        self.entry(text, is_ours, envelope, verifier, None)
    }

    /// Prepares a DSSE entry whose exact text is our rendering of the envelope.
    ///
    /// # Errors
    /// As [`Worker::envelope`].
    pub fn rendered(&mut self, envelope: &Envelope, verifier: &PublicKey) -> Result<Prepared, SignatureCount> {
        self.render(envelope, verifier, None)
    }

    /// Prepares what [`Worker::rendered`] does, where the statement was read already: with the predicate type and the
    /// subjects' digests that [`Facts::of`] would find in it, and `log fsck` will.
    ///
    /// # Errors
    /// As [`Worker::envelope`].
    pub fn rendered_of(
        &mut self,
        envelope: &Envelope,
        verifier: &PublicKey,
        predicate_type: String,
        subjects: Vec<Sha256Digest>,
    ) -> Result<Prepared, SignatureCount> {
        // What a control entry says of single entries is read out of it below.
        if CONTROL_TYPES.contains(&predicate_type.as_str()) {
            return self.render(envelope, verifier, None);
        }
        let facts = Facts { predicate_type, subjects, marks: None };
        debug_assert_eq!(facts, Facts::of(envelope.payload_unverified()), "what is indexed is what fsck will find");
        self.render(envelope, verifier, Some(facts))
    }

    fn render(
        &mut self,
        envelope: &Envelope,
        verifier: &PublicKey,
        facts: Option<Facts>,
    ) -> Result<Prepared, SignatureCount> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        envelope.push_json(&mut text);
        let prepared = self.entry(&text, true, envelope, verifier, facts);
        if text.len() <= TEXT_KEPT_MAX {
            self.text = text;
        }
        prepared
    }

    fn entry(
        &mut self,
        text: &str,
        is_ours: bool,
        envelope: &Envelope,
        verifier: &PublicKey,
        facts: Option<Facts>,
    ) -> Result<Prepared, SignatureCount> {
        let entry = entry_of(text, envelope, verifier)?;
        let payload = envelope.payload_unverified();
        let is_template = is_ours && envelope.payload_type() == IN_TOTO_PAYLOAD_TYPE;
        let (form, row) = match envelope.signatures() {
            [one] if is_template && u8::try_from(one.signature.len()).is_ok() => {
                let mut row = varint(payload.len());
                row.push(u8::try_from(one.signature.len()).expect("invariant: checked in the guard"));
                row.extend_from_slice(&one.signature);
                (Form::Template, self.compress(row, payload))
            }
            _ => (Form::Envelope, self.compress(varint(text.len()), text.as_bytes())),
        };
        let facts = facts.unwrap_or_else(|| Facts::of(payload));
        let dictionary = self.dictionary;
        Ok(Prepared {
            leaf_hash: *entry.leaf_hash(),
            form,
            dictionary,
            row,
            verifier: verifier.clone(),
            facts,
            receipts: Vec::new(),
        })
    }

    /// Prepares an entry of which only the leaf's body is known (form 0): found again by its number and leaf hash alone.
    #[must_use]
    pub fn leaf(&mut self, body: &[u8], verifier: &PublicKey) -> Prepared {
        Prepared {
            leaf_hash: leaf_hash(body),
            form: Form::Leaf,
            dictionary: self.dictionary,
            row: self.compress(varint(body.len()), body),
            verifier: verifier.clone(),
            facts: Facts::default(),
            receipts: Vec::new(),
        }
    }

    fn compress(&mut self, mut row: Vec<u8>, content: &[u8]) -> Vec<u8> {
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(content.len()));
        let made = self.compressor.compress_to_buffer(content, &mut self.frame);
        made.expect("invariant: the bound of a frame is allocated");
        let frame = self.frame.strip_prefix(&MAGIC);
        row.extend_from_slice(frame.expect("invariant: every frame begins with the magic number"));
        row
    }
}

/// A row of `entry` as it lies in the table, its sum compared.
pub(crate) struct EntryRow<'r> {
    /// The form's number.
    pub form: i64,
    /// The number of the key that the body names.
    pub signer: i64,
    /// The number of the predicate type that the entry is filed under.
    pub predicate: i64,
    /// The number of the dictionary that the frame was made with; 0 for none.
    pub dictionary: i64,
    /// The row itself.
    pub body: &'r [u8],
}

impl<'r> EntryRow<'r> {
    /// Reads `form, signer, predicate, dictionary, body, sum`, the first of them in column `from` of a query.
    ///
    /// # Errors
    /// What the database says; inside, [`RowDamage::Sum`].
    pub(crate) fn read(row: &'r rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Result<Self, RowDamage>> {
        let body = row.get_ref(from + 4)?.as_blob()?;
        let (form, signer, predicate) = (row.get(from)?, row.get(from + 1)?, row.get(from + 2)?);
        let read = Self { form, signer, predicate, dictionary: row.get(from + 3)?, body };
        let sum: i64 = row.get(from + 5)?;
        Ok(if i64::from(read.sum()) == sum { Ok(read) } else { Err(RowDamage::Sum) })
    }

    /// Computes the sum that is stored beside the row.
    pub(crate) fn sum(&self) -> u8 {
        sums::of_entry(self.form, self.signer, self.predicate, self.dictionary, self.body)
    }
}

/// What a row holds, decompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The leaf's body.
    Leaf(Vec<u8>),
    /// The envelope's exact text.
    Envelope(String),
}

impl Content {
    /// Reads a row that was made without a dictionary; a store reads its own by way of a [`Snapshot`](super::Snapshot).
    ///
    /// # Errors
    /// [`RowDamage`], for whatever a flipped byte can do to a row.
    pub fn of_row(form: i64, row: &[u8]) -> Result<Self, RowDamage> {
        let mut restorer = Restorer::default();
        restorer.learn(0, &[])?;
        restorer.restore(form, 0, row).map(|(content, _)| content)
    }
}

/// Gives rows back; keeps a decompressor for each dictionary, for making one costs more than reading a hundred rows.
#[derive(Default)]
pub(crate) struct Restorer {
    /// By dictionary; 0 is none.
    known: Vec<(i64, Decompressor<'static>)>,
    framed: Vec<u8>,
}

impl Restorer {
    /// Says whether rows with this dictionary can be given back.
    pub(crate) fn knows(&self, dictionary: i64) -> bool {
        self.known.iter().any(|(known, _)| *known == dictionary)
    }

    /// Learns a dictionary; number 0 has no bytes.
    ///
    /// # Errors
    /// [`RowDamage::Dictionary`] where the bytes are none.
    pub(crate) fn learn(&mut self, dictionary: i64, bytes: &[u8]) -> Result<(), RowDamage> {
        let made = Decompressor::with_dictionary(bytes).map_err(|_| RowDamage::Dictionary(dictionary))?;
        self.known.push((dictionary, made));
        Ok(())
    }

    /// Gives back what a row holds; with [`Content::Envelope`] also the envelope as read.
    ///
    /// # Errors
    /// [`RowDamage`], for whatever a flipped byte can do to a row.
    pub(crate) fn restore(
        &mut self,
        form: i64,
        dictionary: i64,
        row: &[u8],
    ) -> Result<(Content, Option<Envelope>), RowDamage> {
        let form = Form::from_stored(form).ok_or(RowDamage::Form(form))?;
        let (claimed, rest) = read_varint(row).ok_or(RowDamage::Length { len: row.len(), claimed: 0 })?;
        let length = usize::try_from(claimed).ok().filter(|length| *length <= CONTENT_LEN_MAX);
        let length = length.ok_or(RowDamage::Length { len: row.len(), claimed })?;
        match form {
            Form::Leaf => Ok((Content::Leaf(self.decompress(length, rest, dictionary)?), None)),
            Form::Envelope => {
                let text = self.decompress(length, rest, dictionary)?;
                let text = String::from_utf8(text).map_err(|error| RowDamage::Envelope(error.to_string()))?;
                let envelope = Envelope::parse(text.as_bytes(), LIMITS);
                let envelope = envelope.map_err(|error| RowDamage::Envelope(error.to_string()))?;
                Ok((Content::Envelope(text), Some(envelope)))
            }
            Form::Template => {
                let split = rest.split_first().and_then(|(len, rest)| rest.split_at_checked(usize::from(*len)));
                let (signature, frame) = split.ok_or(RowDamage::Length { len: row.len(), claimed })?;
                let payload = self.decompress(length, frame, dictionary)?;
                let envelope = template(payload, signature.to_vec());
                let envelope = envelope.map_err(|error| RowDamage::Envelope(error.to_string()))?;
                Ok((Content::Envelope(envelope.to_json()), Some(envelope)))
            }
        }
    }

    fn decompress(&mut self, length: usize, frame: &[u8], dictionary: i64) -> Result<Vec<u8>, RowDamage> {
        let known = self.known.iter_mut().find(|(known, _)| *known == dictionary);
        let (_, decompressor) = known.ok_or(RowDamage::Dictionary(dictionary))?;
        self.framed.clear();
        self.framed.extend_from_slice(&MAGIC);
        self.framed.extend_from_slice(frame);
        let damage = |cause: String| RowDamage::Frame { claimed: length, cause };
        let content = decompressor.decompress(&self.framed, length).map_err(|error| damage(error.to_string()))?;
        if content.len() == length { Ok(content) } else { Err(damage(format!("{} bytes came out", content.len()))) }
    }
}

/// An envelope that is no leaf of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry is an envelope with one signature, and this one has {0}")]
pub struct SignatureCount(pub usize);

/// Makes the leaf of an envelope's exact text.
pub(crate) fn entry_of(text: &str, envelope: &Envelope, verifier: &PublicKey) -> Result<Entry, SignatureCount> {
    match envelope.signatures() {
        [one] => Ok(Entry::dsse(text, envelope.payload_unverified(), &one.signature, verifier)),
        other => Err(SignatureCount(other.len())),
    }
}

/// Makes the envelope of form 2.
fn template(payload: Vec<u8>, signature: Vec<u8>) -> Result<Envelope, EnvelopeError> {
    let signatures = vec![EnvelopeSignature { signature, keyid: None }];
    Envelope::from_parts(IN_TOTO_PAYLOAD_TYPE.to_owned(), payload, signatures)
}

/// Trains a dictionary on sample payloads.
pub(crate) fn train(samples: &[Vec<u8>], len_max: usize) -> Option<Vec<u8>> {
    zstd::dict::from_samples(samples, len_max).ok()
}

/// Writes a length, seven bits a byte, least first.
fn varint(length: usize) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(128), length as u64);
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Reads a length and what follows it.
fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (i, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}
