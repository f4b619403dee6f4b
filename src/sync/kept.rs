//! What the site keeps of other logs, given out again: the upgraded bundle of an entry, and the anchor above it.
//!
//! Receipts are kept as texts beside the log. Each is verified again before it is given out, under the target's trusted
//! root: a flipped byte, or a trusted root that was changed, is refused here and not by whoever gets the file.

use airtight_log::digest::{LeafIndex, TreeSize};
use airtight_log::store::Snapshot;

use super::anchor::{NotAnAnchor, OwnCheckpoint, anchor_of, verify_kept, with_proof};
use super::receipt::{Receipt, ReceiptRefusal, VerifiedReceipt};
use super::target::Target;
use super::targets::earlier;
use crate::attest::{AttestError, standings};
use crate::disposition::TransparencyAnchor;
use crate::verify::anchor::{Anchor, AnchorRefusal};

/// Why nothing is given out.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] AttestError),
    /// The log says nothing of a receipt.
    #[error("entry {index} has no receipt of {target}")]
    NoReceipt {
        /// Which entry.
        index: u64,
        /// The name of the target.
        target: String,
    },
    /// No checkpoint above the entry is anchored.
    #[error("no checkpoint above entry {index} is anchored at {target}")]
    NoAnchor {
        /// Which entry.
        index: u64,
        /// The name of the target.
        target: String,
    },
    /// The log speaks of a receipt, and it is not kept: the log was brought back from elsewhere.
    #[error("the receipt of entry {index} by {target} is in the log, and its text is not kept")]
    Gone {
        /// Which entry, or the anchor's own.
        index: u64,
        /// The name of the target.
        target: String,
    },
    /// The kept receipt does not hold any more.
    #[error("the kept receipt of entry {index} does not hold: {refusal}")]
    Receipt {
        /// Which entry, or the anchor's own.
        index: u64,
        /// What does not hold.
        refusal: ReceiptRefusal,
    },
    /// The checkpoint that was anchored cannot be anchored.
    #[error("the anchored checkpoint is none: {0}")]
    Checkpoint(#[from] NotAnAnchor),
    /// The anchor file cannot be made.
    #[error("the anchor file cannot be made: {0}")]
    Anchor(#[from] AnchorRefusal),
}

impl From<airtight_log::store::Fault> for KeptError {
    fn from(fault: airtight_log::store::Fault) -> KeptError {
        KeptError::Log(fault.into())
    }
}

impl KeptError {
    /// The code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            KeptError::Log(error) => error.code(),
            KeptError::NoReceipt { .. } => "receipt_not_found",
            KeptError::NoAnchor { .. } => "anchor_not_found",
            KeptError::Gone { .. } => "receipt_not_kept",
            KeptError::Receipt { refusal, .. } => refusal.code(),
            KeptError::Checkpoint(error) => error.code(),
            KeptError::Anchor(error) => error.code(),
        }
    }
}

/// Gives the receipt of an entry, verified again, with the upgraded bundle; the time stamp in it where one is kept that holds
/// under the trusted root of today.
///
/// # Errors
/// [`KeptError`].
pub fn receipt(
    snapshot: &mut Snapshot<'_>,
    target: &Target,
    index: LeafIndex,
    now: u64,
) -> Result<VerifiedReceipt, KeptError> {
    let name = target.name.as_str();
    if snapshot.sent(name, index)?.is_none() {
        return Err(KeptError::NoReceipt { index: index.get(), target: name.to_owned() });
    }
    let kept = read(snapshot, name, index)?;
    let entry = snapshot.entry(index)?;
    let target = &of_receipt(snapshot, target, &kept)?;
    if let Some(token) = snapshot.timestamp(name, index)?
        && let Ok(stamped) = kept.verify_stamped(&entry, target, &[&token], now)
        && !stamped.timestamps().verified.is_empty()
    {
        return Ok(stamped);
    }
    kept.verify(&entry, target, now).map_err(|refusal| KeptError::Receipt { index: index.get(), refusal })
}

/// Gives the text of the anchor file of one entry, under the first anchor above it, with its proof; and the size of the
/// checkpoint that is anchored there.
///
/// # Errors
/// [`KeptError`].
pub fn anchor(
    snapshot: &mut Snapshot<'_>,
    target: &Target,
    index: LeafIndex,
    now: u64,
) -> Result<(String, TreeSize), KeptError> {
    let name = target.name.as_str();
    let standings = standings(snapshot)?;
    let above = standings.anchors(name).filter(|(_, anchor)| anchor.size > index.get());
    let first = above.min_by_key(|(_, anchor)| anchor.size);
    let none = || KeptError::NoAnchor { index: index.get(), target: name.to_owned() };
    let (said_at, said) = first.map(|(at, said)| (at, said.clone())).ok_or_else(none)?;
    let (checkpoint, anchor) = verified(snapshot, target, said_at, &said, now)?;
    let hashes = snapshot.prove(index, checkpoint.size(), checkpoint.root())?;
    let text = with_proof(&anchor, index, &hashes)?;
    Ok((text, checkpoint.size()))
}

/// Gives the text of the anchor file of a checkpoint of this size, without a proof for an entry.
///
/// # Errors
/// [`KeptError`].
pub fn anchor_at(snapshot: &mut Snapshot<'_>, target: &Target, size: u64, now: u64) -> Result<String, KeptError> {
    let name = target.name.as_str();
    let standings = standings(snapshot)?;
    let none = || KeptError::NoAnchor { index: size.saturating_sub(1), target: name.to_owned() };
    let found = standings.anchors(name).find(|(_, anchor)| anchor.size == size);
    let (said_at, said) = found.map(|(at, said)| (at, said.clone())).ok_or_else(none)?;
    let (_, anchor) = verified(snapshot, target, said_at, &said, now)?;
    Ok(anchor.render()?)
}

/// Gives the text of the anchor file of the largest checkpoint that is anchored there, without a proof for an entry.
///
/// # Errors
/// [`KeptError`].
pub fn newest_anchor(snapshot: &mut Snapshot<'_>, target: &Target, now: u64) -> Result<String, KeptError> {
    let standings = standings(snapshot)?;
    let largest = standings.anchors(target.name.as_str()).map(|(_, anchor)| anchor.size).max();
    anchor_at(snapshot, target, largest.unwrap_or(0), now)
}

/// Verifies a kept anchor again, and makes the anchor without a proof for an entry.
fn verified(
    snapshot: &mut Snapshot<'_>,
    target: &Target,
    said_at: u64,
    said: &TransparencyAnchor,
    now: u64,
) -> Result<(OwnCheckpoint, Anchor), KeptError> {
    let name = target.name.as_str();
    let gone = || KeptError::Gone { index: said_at, target: name.to_owned() };
    let at = LeafIndex::new(said_at).map_err(|_| gone())?;
    let kept = read(snapshot, name, at)?;
    let size = TreeSize::new(said.size).map_err(|_| gone())?;
    let released = snapshot.checkpoint_at(size)?.ok_or_else(gone)?;
    let checkpoint = OwnCheckpoint::open(&released.v1, snapshot.identity())?;
    let target = &of_receipt(snapshot, target, &kept)?;
    let verified = verify_kept(&kept, &checkpoint, target, now);
    let verified = verified.map_err(|refusal| KeptError::Receipt { index: said_at, refusal })?;
    let anchor = anchor_of(&verified, &checkpoint, target);
    Ok((checkpoint, anchor))
}

/// Returns the target with the log that a receipt is by, where that is an earlier log of its name.
fn of_receipt(snapshot: &mut Snapshot<'_>, target: &Target, kept: &Receipt) -> Result<Target, KeptError> {
    let earlier = if *kept.log_id() == target.log_id() { None } else { earlier(snapshot, target, kept.log_id())? };
    Ok(earlier.unwrap_or_else(|| target.clone()))
}

fn read(snapshot: &Snapshot<'_>, target: &str, index: LeafIndex) -> Result<Receipt, KeptError> {
    let gone = || KeptError::Gone { index: index.get(), target: target.to_owned() };
    let text = snapshot.receipt(target, index)?.ok_or_else(gone)?;
    Receipt::parse(&text).map_err(|refusal| KeptError::Receipt { index: index.get(), refusal })
}
