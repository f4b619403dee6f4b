//! What comes home: each answer verified, and what holds said in the log.
//!
//! ```text
//! answer  → is it of an entry of ours?   → is it this entry's, by the target's log?   → receipt   (receipt.rs)
//! receipts, a thousand at a time         → one transparency-receipts entry each, with the receipts' texts beside it
//! the receipt of a checkpoint of ours    → a transparency-anchor entry
//! refusals of the other log              → transparency-exception entries, where whoever asked it is believed
//! ```
//!
//! An answer that does not hold counts for nothing and keeps no other from counting. What the log holds already is passed
//! over, so packs may come in any order, twice, in parts and late. But where the text of a receipt was lost, the log being
//! brought back from elsewhere, the entry that speaks of it is said again: it is no new entry, and the text is kept again.

use std::collections::BTreeMap;

use airtight_log::digest::{Hash, LeafIndex};
use airtight_log::store::{Snapshot, StoredEntry};

use super::anchor::{OwnCheckpoint, verify_answer};
use super::kept;
use super::receipt::{Answered, ReceiptRefusal, VerifiedReceipt};
use super::target::Target;
use crate::attest::{AttestError, Control, Site, SiteKeys, standings};
use crate::disposition::{
    ControlPredicateError, ROWS_MAX, ReceiptRow, SkipReason, TransparencyAnchor, TransparencyException,
    TransparencyReceipts,
};
use crate::pack::error::PackError;
use crate::pack::receipts::{Outcome, ReceiptLine};
use crate::statement::ParsedStatement;

/// Why an import stopped. What was said in the log before stays said.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The site refused.
    #[error(transparent)]
    Site(#[from] AttestError),
    /// The pack cannot be read on.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// An upgraded bundle could not be written.
    #[error("the bundle of entry {index} was not written: {source}")]
    Bundle {
        /// Which entry.
        index: u64,
        /// What the system said.
        source: std::io::Error,
    },
}

impl From<airtight_log::store::Fault> for ImportError {
    fn from(fault: airtight_log::store::Fault) -> ImportError {
        ImportError::Site(fault.into())
    }
}

/// Why one answer does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerRefusal {
    /// The log has no such entry.
    #[error("entry {index} of this log is not the leaf {leaf_hash}")]
    NoSuchLeaf {
        /// The index that the answer names.
        index: u64,
        /// The leaf hash that it names.
        leaf_hash: Hash,
    },
    /// It is one of the site's own entries, which are never sent.
    #[error("entry {index} is a control entry, and none is ever sent")]
    ControlEntry {
        /// Which.
        index: u64,
    },
    /// The receipt does not hold.
    #[error("the receipt of entry {index} does not hold: {refusal}")]
    Receipt {
        /// Which.
        index: u64,
        /// What does not hold.
        refusal: ReceiptRefusal,
    },
}

impl AnswerRefusal {
    /// The code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            AnswerRefusal::NoSuchLeaf { .. } => "receipt_no_such_leaf",
            AnswerRefusal::ControlEntry { .. } => "receipt_of_control_entry",
            AnswerRefusal::Receipt { refusal, .. } => refusal.code(),
        }
    }
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// Receipts that the log did not know.
    pub receipts: u64,
    /// Answers for entries and checkpoints that it knew to be there.
    pub known: u64,
    /// Checkpoints that the other log has and this one did not know of, by their size.
    pub anchors: Vec<u64>,
    /// What the other log refused, by its status.
    pub rejected: BTreeMap<u16, u64>,
    /// Entries that stand as `rejected_by_log` since.
    pub exceptions: u64,
    /// Answers that do not count, in the order of the pack; at most [`REFUSALS_KEPT`] of them.
    pub refusals: Vec<AnswerRefusal>,
    /// How many answers do not count.
    pub refused: u64,
    /// The entries of this log whose receipt does not hold: the other log may have them all the same.
    pub doubted: Vec<u64>,
}

/// How many refusals are told in full.
pub const REFUSALS_KEPT: usize = 1_000;

/// How an import goes.
pub struct Terms<'a> {
    /// Under whose keys.
    pub keys: &'a SiteKeys,
    /// Whose answers these are said to be.
    pub target: &'a Target,
    /// Whether a refusal by the other log is believed: by whoever asked it himself.
    pub believes_refusals: bool,
    /// Now, in seconds since the epoch.
    pub now: u64,
    /// Who holds the lock meanwhile.
    pub holder: &'a str,
}

/// Takes answers in. Each upgraded bundle of a receipt, new or known, is handed to `bundle` with its entry's statement.
///
/// # Errors
/// [`ImportError`].
pub fn import(
    site: &mut Site,
    lines: &mut impl Iterator<Item = Result<ReceiptLine, PackError>>,
    terms: &Terms<'_>,
    bundle: &mut dyn FnMut(&StoredEntry, &VerifiedReceipt) -> std::io::Result<()>,
) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    loop {
        let page: Vec<ReceiptLine> = lines.by_ref().take(ROWS_MAX).collect::<Result<_, _>>()?;
        if page.is_empty() {
            return Ok(imported);
        }
        let mut found = judge(site, page, terms, bundle, &mut imported)?;
        let again = said_again(site, std::mem::take(&mut found.lost), terms)?;
        let controls = [again, controls(terms, found, &mut imported)].concat();
        if !controls.is_empty() {
            site.say(&controls, terms.keys, terms.now, terms.holder)?;
        }
    }
}

/// What a page of answers comes to.
#[derive(Default)]
struct Found {
    receipts: BTreeMap<LeafIndex, VerifiedReceipt>,
    anchors: BTreeMap<u64, VerifiedReceipt>,
    rejected: BTreeMap<u16, Vec<u64>>,
    /// Receipts that the log speaks of and whose texts are not kept, by the entry that speaks of them.
    lost: BTreeMap<LeafIndex, Vec<(LeafIndex, VerifiedReceipt)>>,
}

/// What an answer is about.
enum About {
    Entry(Box<StoredEntry>),
    /// A checkpoint of ours, and the entry that says that it is anchored.
    Checkpoint(Box<OwnCheckpoint>, Option<u64>),
}

/// The first receipt of an entry. It holds, whatever proof a later answer brings: its bundle keeps its bytes.
enum First {
    /// The one in hand.
    This,
    /// One that came before.
    Given(Box<VerifiedReceipt>),
    /// One that this entry speaks of, and whose text is not kept or does not hold any more.
    Lost(LeafIndex),
}

impl First {
    fn given(&self) -> Option<&VerifiedReceipt> {
        if let First::Given(receipt) = self { Some(receipt) } else { None }
    }
}

fn first_receipt(
    snapshot: &mut Snapshot<'_>,
    terms: &Terms<'_>,
    entry: &StoredEntry,
    found: &Found,
) -> Result<First, ImportError> {
    let Some(sent) = snapshot.sent(terms.target.name.as_str(), entry.index)? else {
        let before = found.receipts.get(&entry.index).cloned();
        return Ok(before.map_or(First::This, |receipt| First::Given(Box::new(receipt))));
    };
    let kept = kept::receipt(snapshot, terms.target, entry.index, terms.now);
    Ok(kept.map_or(First::Lost(sent.entry), |receipt| First::Given(Box::new(receipt))))
}

/// Judges a page of answers.
fn judge(
    site: &mut Site,
    page: Vec<ReceiptLine>,
    terms: &Terms<'_>,
    bundle: &mut dyn FnMut(&StoredEntry, &VerifiedReceipt) -> std::io::Result<()>,
    imported: &mut Imported,
) -> Result<Found, ImportError> {
    let Terms { target, now, .. } = terms;
    let name = target.name.as_str();
    let mut found = Found::default();
    // The newest checkpoint may lie in the head file alone, which is read here.
    site.store_mut().head_fit()?;
    let mut snapshot = site.store_mut().read()?;
    for line in page {
        let read = |answer: &str| Answered::read(answer.as_bytes(), target.api);
        let index = line.index;
        let refused = |refusal| AnswerRefusal::Receipt { index, refusal };
        match (about(&mut snapshot, &line, name)?, line.outcome) {
            (Err(refusal), _) => imported.refuse(refusal),
            (Ok(About::Checkpoint(checkpoint, said_at)), Outcome::Answered { answer, .. }) => {
                match read(answer.get()).and_then(|answered| verify_answer(&answered, &checkpoint, target, *now)) {
                    Ok(receipt) => match said_at.and_then(|said_at| LeafIndex::new(said_at).ok()) {
                        Some(said_at) => {
                            imported.known += 1;
                            if snapshot.receipt(name, said_at)?.is_none() {
                                found.lost.entry(said_at).or_default().push((said_at, receipt));
                            }
                        }
                        None => drop(found.anchors.insert(checkpoint.size().get(), receipt)),
                    },
                    Err(refusal) => imported.refuse(refused(refusal)),
                }
            }
            (Ok(About::Entry(entry)), Outcome::Answered { answer, .. }) => {
                match read(answer.get()).and_then(|answered| answered.verify(&entry, target, *now)) {
                    Ok(receipt) => {
                        let first = first_receipt(&mut snapshot, terms, &entry, &found)?;
                        let given = first.given().unwrap_or(&receipt);
                        bundle(&entry, given).map_err(|source| ImportError::Bundle { index, source })?;
                        imported.known += u64::from(!matches!(first, First::This));
                        match first {
                            First::This => drop(found.receipts.insert(entry.index, receipt)),
                            First::Lost(said_at) => {
                                found.lost.entry(said_at).or_default().push((entry.index, receipt));
                            }
                            First::Given(_) => {}
                        }
                    }
                    Err(refusal) => imported.refuse(refused(refusal)),
                }
            }
            (Ok(About::Entry(entry)), Outcome::Refused { status, .. }) => {
                *imported.rejected.entry(status).or_default() += 1;
                let is_known = snapshot.sent(name, entry.index)?.is_some();
                let is_said = snapshot.exempt(name, entry.index)?.is_some_and(|exempt| exempt.reason.is_some());
                if terms.believes_refusals && !is_known && !is_said {
                    found.rejected.entry(status).or_default().push(index);
                }
            }
            (Ok(About::Checkpoint(..)), Outcome::Refused { status, .. }) => {
                *imported.rejected.entry(status).or_default() += 1;
            }
        }
    }
    Ok(found)
}

/// Finds what an answer is about: an entry by its leaf hash, or a released checkpoint by its root.
fn about(
    snapshot: &mut Snapshot<'_>,
    line: &ReceiptLine,
    target: &str,
) -> Result<Result<About, AnswerRefusal>, ImportError> {
    let (index, leaf_hash) = (line.index, line.leaf_hash);
    let no_such = AnswerRefusal::NoSuchLeaf { index, leaf_hash };
    let Some(found) = LeafIndex::new(index).ok().filter(|index| snapshot.size().holds(*index)) else {
        return Ok(Err(no_such));
    };
    // The root over one entry is that entry's leaf. No checkpoint over entry 0 alone is anchored, for a target is named later.
    if snapshot.leaf_hash(found)? != leaf_hash {
        return Ok(checkpoint(snapshot, found, &leaf_hash, target)?.ok_or(no_such));
    }
    let entry = snapshot.entry(found)?;
    Ok(if entry.is_control { Err(AnswerRefusal::ControlEntry { index }) } else { Ok(About::Entry(Box::new(entry))) })
}

/// Finds the released checkpoint over all entries up to this one, where it has this root.
fn checkpoint(
    snapshot: &mut Snapshot<'_>,
    last: LeafIndex,
    root: &Hash,
    target: &str,
) -> Result<Option<About>, ImportError> {
    let size = last.size_to_hold();
    if snapshot.root_at(size)? != *root {
        return Ok(None);
    }
    let Some(released) = snapshot.checkpoint_at(size)? else { return Ok(None) };
    let own = OwnCheckpoint::open(&released.v1, snapshot.identity());
    let own = own.expect("invariant: a released checkpoint over an entry, verified just now");
    let standings = standings(snapshot)?;
    let known = standings.anchors(target).find(|(_, anchor)| anchor.size == size.get());
    Ok(Some(About::Checkpoint(Box::new(own), known.map(|(said_at, _)| said_at))))
}

/// Makes the entries that speak of receipts once more, with the texts that were lost. Where it cannot be the same entry,
/// another key having signed it, or another text was meant, nothing is said.
fn said_again(
    site: &mut Site,
    lost: BTreeMap<LeafIndex, Vec<(LeafIndex, VerifiedReceipt)>>,
    terms: &Terms<'_>,
) -> Result<Vec<Control>, ImportError> {
    let mut controls = Vec::new();
    let mut snapshot = site.store_mut().read()?;
    for (said_at, receipts) in lost {
        if snapshot.signer_of(said_at)? != *terms.keys.signer.public().key_id() {
            continue;
        }
        let entry = snapshot.entry(said_at)?;
        let Some((_, envelope)) = &entry.envelope else { continue };
        let Ok(statement) = ParsedStatement::parse(envelope.payload_unverified()) else { continue };
        let predicate = statement.predicate().unwrap_or_default();
        if let Ok(said) = serde_json::from_str::<TransparencyReceipts>(predicate) {
            let is_meant = |index: LeafIndex, receipt: &VerifiedReceipt| {
                let sha256 = receipt.receipt().sha256().hex();
                said.rows().iter().any(|row| row.index == index.get() && row.sha256 == sha256)
            };
            let texts = receipts.into_iter().filter(|(index, receipt)| is_meant(*index, receipt));
            let texts: Vec<_> = texts.map(|(index, receipt)| (index, receipt.receipt().text())).collect();
            if !texts.is_empty() {
                controls.push(Control::Receipts(said, texts));
            }
        } else if let Ok(said) = serde_json::from_str::<TransparencyAnchor>(predicate) {
            let meant = receipts.into_iter().map(|(_, receipt)| receipt.receipt().clone());
            let meant = meant.into_iter().find(|receipt| receipt.sha256().hex() == said.sha256);
            controls.extend(meant.map(|receipt| Control::Anchor(said, receipt.text())));
        }
    }
    Ok(controls)
}

/// Makes what is to be said in the log.
fn controls(terms: &Terms<'_>, found: Found, imported: &mut Imported) -> Vec<Control> {
    let Found { receipts, anchors, rejected, .. } = found;
    let invariant = |error: ControlPredicateError| unreachable!("invariant: rows of one page, ascending: {error}");
    let (name, api_version) = (terms.target.name.as_str(), terms.target.api);
    let log_id = terms.target.log_id().to_string();
    let mut controls = Vec::new();
    if !receipts.is_empty() {
        imported.receipts += receipts.len() as u64;
        let row = |(index, verified): (&LeafIndex, &VerifiedReceipt)| ReceiptRow {
            index: index.get(),
            rekor_uuid: verified.uuid().to_owned(),
            log_index: verified.log_index().get(),
            integrated_time: verified.integrated_time(),
            sha256: verified.receipt().sha256().hex(),
        };
        let rows = receipts.iter().map(row).collect();
        let said = TransparencyReceipts::new(name, api_version, &log_id, rows).unwrap_or_else(invariant);
        let texts = receipts.into_iter().map(|(index, verified)| (index, verified.receipt().text())).collect();
        controls.push(Control::Receipts(said, texts));
    }
    for (size, verified) in anchors {
        imported.anchors.push(size);
        let said = TransparencyAnchor {
            target: name.to_owned(),
            api_version,
            log_id: log_id.clone(),
            size,
            rekor_uuid: verified.uuid().to_owned(),
            log_index: verified.log_index().get(),
            integrated_time: verified.integrated_time(),
            sha256: verified.receipt().sha256().hex(),
        };
        controls.push(Control::Anchor(said, verified.receipt().text()));
    }
    for (status, mut indexes) in rejected {
        indexes.sort_unstable();
        indexes.dedup();
        imported.exceptions += indexes.len() as u64;
        let reason = if status == 413 { SkipReason::EntryTooLarge } else { SkipReason::RejectedByLog };
        let said = TransparencyException::new(name, Some(reason), Some(status), None, indexes);
        controls.push(Control::Exception(said.unwrap_or_else(|error| unreachable!("invariant: ascending: {error}"))));
    }
    controls
}

impl Imported {
    fn refuse(&mut self, refusal: AnswerRefusal) {
        self.refused += 1;
        if let AnswerRefusal::Receipt { index, .. } = &refusal {
            self.doubted.push(*index);
        }
        if self.refusals.len() < REFUSALS_KEPT {
            self.refusals.push(refusal);
        }
    }
}
