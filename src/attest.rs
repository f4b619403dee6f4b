//! From a statement to a bundle: signed, logged, proven, in one act.
//!
//! ```text
//! Statement            its bytes are the truth from here on                           statement
//!   → Envelope         one signature over the PAE                                     keys::envelope
//!   → Prepared         leaf = the Rekor v1 dsse 0.0.1 body; its hash                  log::entry, log::store
//!   → append           one transaction, one sync: the index is durable                log::store
//!   → release          read back, consistent with the last head, signed, durable      log::store
//!   → prove            inclusion proof under the first checkpoint that covers it      log::store
//!   → bundle           envelope + leaf + proof + checkpoint + entry timestamp         bundle
//! ```
//!
//! Signatures are deterministic, so the same statement by the same key is the same leaf: nothing is appended, and the
//! first bundle comes back, byte for byte. `site` opens and makes sites, `batch` attests lines as they come, `keep` takes in
//! what others signed, `recover` brings a log back from what left the site before (`material`, `integrated`), `epoch`
//! closes a log that nothing brings back and begins another.

mod batch;
mod control;
mod epoch;
mod error;
mod integrated;
mod keep;
mod material;
mod recover;
mod site;

use std::time::Duration;

use airtight_keys::envelope::{Envelope, IN_TOTO_PAYLOAD_TYPE};
use airtight_keys::role::{LogKey, SignerKey};
use airtight_log::digest::{Hash, LeafIndex, TreeSize};
use airtight_log::entry::{set_message, uuid};
use airtight_log::store::{
    Appended, Fault, HeadFit, Prepared, ReleasedCheckpoint, Snapshot, StoredEntry, Worker, Writer,
};
use serde::de::DeserializeOwned;

pub use self::batch::{Answer, BATCH_LINES, BatchReport};
pub use self::control::Control;
pub use self::epoch::{ADOPTING, Adopted, Found};
pub use self::error::{AttestError, fault_code, misfit_code, open_code};
pub use self::integrated::{INTEGRATED_LEN_MAX, INTEGRATED_PATH, IntegratedTimes, IntegratedTimesError};
pub use self::keep::Keeping;
pub use self::material::{Material, MaterialRefusal};
pub use self::recover::{RecoverRefusal, Recovered};
pub use self::site::{NewSite, Site, SiteKeys};

use self::control::Decided;
use crate::bundle::{Receipt, render};
use crate::disposition::{Disposition, EntryFacts, Permission, SkipReason, Standings};
use crate::statement::Statement;

/// How long a writer waits for another one before it names the holder.
pub const LOCK_WAIT: Duration = Duration::from_secs(30);
/// How far the clock may lie before the last entry: a day. Beyond it somebody must look at the clock first.
pub const CLOCK_BACK_MAX_S: u64 = 86_400;

/// An entry with what proves it.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Its number in the log.
    pub index: LeafIndex,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// Whether this act put it into the log.
    pub new: bool,
    /// The size of the tree that the proof is for.
    pub size: TreeSize,
    /// What the log claims as the time of the commit, in seconds since the epoch.
    pub integrated_time: u64,
    /// Where the entry stands towards each target.
    pub dispositions: Vec<Disposition>,
    /// The id that Rekor v1's API gives the entry: 80 hex digits.
    pub entry_id: String,
    /// The Sigstore bundle: one line and a line feed.
    pub bundle: String,
    /// The same proof as a C2SP `.tlog-proof`.
    pub tlog_proof: String,
}

impl Site {
    /// Attests statements: signs each, appends them in one transaction, releases a checkpoint and proves each.
    ///
    /// # Errors
    /// [`AttestError`]. After [`Fault::OutcomeUnknown`] attest again: what is in the log already answers with its index.
    pub fn attest(
        &mut self,
        statements: Vec<Statement>,
        keys: &SiteKeys,
        now: u64,
        holder: &str,
    ) -> Result<Vec<Proven>, AttestError> {
        let Self { store, decided, .. } = self;
        let worker = store.worker()?;
        let prepared = statements
            .into_iter()
            .map(|statement| sign(statement, &keys.signer, worker))
            .collect::<Result<Vec<_>, _>>()?;
        let mut writer = store.writer(holder, LOCK_WAIT)?;
        check_clock(&writer, now)?;
        let appended = writer.append(&prepared, now)?;
        settle(writer, decided, &appended, keys)
    }

    /// Gives the bundle of an entry: the same bytes each time, under the first released checkpoint that covers it.
    ///
    /// # Errors
    /// [`AttestError::NotFound`], [`AttestError::Uncovered`], [`AttestError::LeafOnly`], or a [`Fault`]:
    /// [`Fault::HeadMisfit`] too, for the entry timestamp in a bundle is a signature of the log's key.
    pub fn bundle(&mut self, index: u64, log: &LogKey) -> Result<Proven, AttestError> {
        // Also reads the newest checkpoint, which may lie in the head file alone.
        match self.store_mut().head_fit()? {
            HeadFit::Fits { .. } => {}
            misfit => return Err(Fault::HeadMisfit(Box::new(misfit)).into()),
        }
        let mut snapshot = self.store_mut().read()?;
        let found = LeafIndex::new(index).ok().filter(|index| snapshot.size().holds(*index));
        let found = found.ok_or(AttestError::NotFound { index, size: snapshot.size() })?;
        let checkpoint = first_covering(&mut snapshot, found)?;
        let standings = standings(&mut snapshot)?;
        prove(&mut snapshot, found, false, &checkpoint, &standings, log)
    }

    /// Gives the bundle of an entry under the checkpoint that was released at a size: the same bytes each time, and the proof
    /// is for that tree.
    ///
    /// # Errors
    /// As [`Site::bundle`]; [`AttestError::Uncovered`] where no checkpoint of that size was released, or it lies below.
    pub fn bundle_at(&mut self, index: LeafIndex, size: TreeSize, log: &LogKey) -> Result<Proven, AttestError> {
        match self.store_mut().head_fit()? {
            HeadFit::Fits { .. } => {}
            misfit => return Err(Fault::HeadMisfit(Box::new(misfit)).into()),
        }
        let mut snapshot = self.store_mut().read()?;
        let released = snapshot.checkpoint_at(size)?.filter(|released| released.size.holds(index));
        let released = released.ok_or(AttestError::Uncovered { index: index.get() })?;
        let standings = standings(&mut snapshot)?;
        prove(&mut snapshot, index, false, &released, &standings, log)
    }

    /// Says whether entries may be sent, and whether settings and log agree on it.
    ///
    /// # Errors
    /// [`Fault`] where the log's decisions cannot be read.
    pub fn permission(&mut self) -> Result<Permission, AttestError> {
        let rekor_enabled = self.config().signals.provenance.rekor_enabled;
        Ok(Permission::of(rekor_enabled, &standings(&mut self.store_mut().read()?)?))
    }

    /// Makes sure that the exceptions that entries are looked up in are those of the log.
    ///
    /// # Errors
    /// [`Fault`] where they are not.
    pub fn check_exceptions(&mut self) -> Result<(), AttestError> {
        Ok(self.store_mut().read()?.check_exceptions()?)
    }

    /// Logs what the site has to say about itself or about other logs, in one transaction under one checkpoint; gives the
    /// leaf index of each. What the log says already keeps its index; but a decision, a target or an exception that the log
    /// said before and then otherwise is said again, for the last word holds.
    ///
    /// # Errors
    /// [`AttestError`], as with [`Site::attest`].
    pub fn say(
        &mut self,
        controls: &[Control],
        keys: &SiteKeys,
        now: u64,
        holder: &str,
    ) -> Result<Vec<u64>, AttestError> {
        let identity = self.store.identity().clone();
        let mut writer = self.store.writer(holder, LOCK_WAIT)?;
        check_clock(&writer, now)?;
        let mut worker = writer.preparer()?.worker();
        let mut snapshot = writer.read()?;
        let mut prepare = |control: &Control| -> Result<Prepared, AttestError> {
            Ok(control.accompany(sign(control.statement(&identity)?, &keys.signer, &mut worker)?))
        };
        let mut prepared = Vec::with_capacity(controls.len());
        for control in controls {
            prepared.push(last_word(control, &mut snapshot, &mut prepare)?);
        }
        drop(snapshot);
        let appended = writer.append(&prepared, now)?;
        writer.release(&keys.log)?;
        Ok(appended.iter().map(|entry| entry.index.get()).collect())
    }
}

/// Covers entries with a checkpoint and proves each, while the lock is still held.
fn settle(
    mut writer: Writer<'_>,
    decided: &mut Decided,
    appended: &[Appended],
    keys: &SiteKeys,
) -> Result<Vec<Proven>, AttestError> {
    // What is new lies above every earlier checkpoint, so the one that is released now is the first to cover it.
    let mut released = None;
    if appended.iter().any(|entry| entry.new) {
        released = Some(writer.release(&keys.log)?);
    } else if !is_covered(&mut writer.read()?, appended)? {
        // A crash after an earlier append left entries that no checkpoint covers yet.
        writer.release(&keys.log)?;
    }
    let mut snapshot = writer.read()?;
    let standings = decided.at(&mut snapshot)?;
    let prove = |entry: &Appended| {
        let covering = released.as_ref().filter(|_| entry.new);
        let checkpoint = covering.map_or_else(|| first_covering(&mut snapshot, entry.index), |one| Ok(one.clone()))?;
        prove(&mut snapshot, entry.index, entry.new, &checkpoint, standings, &keys.log)
    };
    appended.iter().map(prove).collect()
}

/// Prepares a control entry so that it is the last word of its kind. The same words may stand in the log already: as the last
/// word, and then nothing is new; or with others after them, and then they are said again, `after` the last.
fn last_word(
    control: &Control,
    snapshot: &mut Snapshot<'_>,
    prepare: &mut impl FnMut(&Control) -> Result<Prepared, AttestError>,
) -> Result<Prepared, AttestError> {
    let said = prepare(control)?;
    let of_type = snapshot.control(control.predicate_type())?;
    let found = snapshot.find_leaf(said.leaf_hash())?;
    let Some(again) = of_type.last().and_then(|last| control.again(last.get())) else { return Ok(said) };
    if found.is_none() || found.as_ref() == of_type.last() {
        return Ok(said);
    }
    // The last word may itself be these words said again.
    if let [.., before, last] = &of_type[..]
        && let Some(said) = control.again(before.get()).as_ref().map(&mut *prepare).transpose()?
        && snapshot.find_leaf(said.leaf_hash())?.as_ref() == Some(last)
    {
        return Ok(said);
    }
    prepare(&again)
}

/// Signs a statement and makes its leaf.
fn sign(statement: Statement, signer: &SignerKey, worker: &mut Worker) -> Result<Prepared, AttestError> {
    let (payload, predicate_type, subjects) = statement.into_parts();
    let envelope = Envelope::sign(IN_TOTO_PAYLOAD_TYPE, payload, signer)?;
    let prepared = worker.rendered_of(&envelope, signer.public(), predicate_type, subjects);
    Ok(prepared.expect("invariant: signed once just now"))
}

/// Refuses a clock that lies more than a day before the last entry.
fn check_clock(writer: &Writer<'_>, now: u64) -> Result<(), AttestError> {
    match writer.last_time() {
        Some(last) if now + CLOCK_BACK_MAX_S < last => Err(AttestError::ClockBack { now, last }),
        _ => Ok(()),
    }
}

/// Reads what the log says about whole stretches of entries: its decisions, targets and anchors.
///
/// # Errors
/// [`Fault`].
pub fn standings(snapshot: &mut Snapshot<'_>) -> Result<Standings, AttestError> {
    control::standings(snapshot)
}

/// Reads the control entries of one type, each with its leaf index, in the order of the log.
///
/// # Errors
/// [`Fault`].
pub fn said<T: DeserializeOwned>(
    snapshot: &mut Snapshot<'_>,
    predicate_type: &'static str,
) -> Result<Vec<(u64, T)>, AttestError> {
    control::said(snapshot, predicate_type)
}

/// Says where an entry stands towards each target.
///
/// # Errors
/// [`Fault`].
pub fn dispositions(
    snapshot: &Snapshot<'_>,
    standings: &Standings,
    entry: &StoredEntry,
) -> Result<Vec<Disposition>, AttestError> {
    standings.targets().into_iter().map(|target| disposition(snapshot, standings, entry, target)).collect()
}

/// Says where an entry stands towards one target.
///
/// # Errors
/// [`Fault`].
pub fn disposition(
    snapshot: &Snapshot<'_>,
    standings: &Standings,
    entry: &StoredEntry,
    target: &str,
) -> Result<Disposition, AttestError> {
    let exception = snapshot.exempt(target, entry.index)?.and_then(|exempt| exempt.reason);
    let facts = EntryFacts {
        index: entry.index.get(),
        is_control: entry.is_control,
        algorithm: entry.verifier.algorithm(),
        rekor_uuid: snapshot.sent(target, entry.index)?.map(|sent| sent.uuid),
        // Another program's word for a reason still says that somebody holds the entry back.
        exception: exception.map(|reason| reason.parse().unwrap_or(SkipReason::OperatorHold)),
    };
    Ok(standings.standing(target, &facts))
}

/// Says whether released checkpoints cover all of these entries.
fn is_covered(snapshot: &mut Snapshot<'_>, entries: &[Appended]) -> Result<bool, AttestError> {
    let size = entries.iter().map(|entry| entry.index.size_to_hold()).max();
    Ok(size.map(|size| snapshot.checkpoint_covering(size)).transpose()?.is_none_or(|found| found.is_some()))
}

/// Gives the first released checkpoint that covers an entry.
fn first_covering(snapshot: &mut Snapshot<'_>, index: LeafIndex) -> Result<ReleasedCheckpoint, AttestError> {
    let checkpoint = snapshot.checkpoint_covering(index.size_to_hold())?;
    checkpoint.ok_or(AttestError::Uncovered { index: index.get() })
}

/// Makes bundle and proof of one entry under a checkpoint.
fn prove(
    snapshot: &mut Snapshot<'_>,
    index: LeafIndex,
    new: bool,
    checkpoint: &ReleasedCheckpoint,
    standings: &Standings,
    log: &LogKey,
) -> Result<Proven, AttestError> {
    let identity = snapshot.identity().clone();
    if log.public() != identity.keys() {
        return Err(Fault::WrongLogKey { origin: identity.origin().to_owned() }.into());
    }
    let entry = snapshot.entry(index)?;
    let hashes = snapshot.prove(index, checkpoint.size, &checkpoint.root)?;
    let dispositions = dispositions(snapshot, standings, &entry)?;
    let (_, envelope) = entry.envelope.as_ref().ok_or(AttestError::LeafOnly { index: index.get() })?;
    let promise = log.p256().sign(&set_message(&entry.body, entry.integrated_time, identity.log_id(), index))?;
    let receipt = Receipt {
        log_id: identity.log_id(),
        log_index: index,
        index,
        kind_version: ("dsse", "0.0.1"),
        promise: Some((entry.integrated_time, &promise)),
        size: checkpoint.size,
        root: checkpoint.root,
        hashes: &hashes,
        checkpoint: &checkpoint.v1,
        body: &entry.body,
    };
    Ok(Proven {
        index,
        leaf_hash: entry.leaf_hash,
        new,
        size: checkpoint.size,
        integrated_time: entry.integrated_time,
        dispositions,
        entry_id: uuid(identity.tree_id(), &entry.leaf_hash),
        bundle: render(envelope, &entry.verifier, &receipt),
        tlog_proof: tlog_proof(index, &hashes, checkpoint),
    })
}

/// Writes a C2SP tlog-proof: index, hashes from the leaf's sibling up, and the checkpoint verbatim.
pub fn tlog_proof(index: LeafIndex, hashes: &[Hash], checkpoint: &ReleasedCheckpoint) -> String {
    let lines: String = hashes.iter().map(|hash| format!("{}\n", hash.to_base64())).collect();
    format!("c2sp.org/tlog-proof@v1\nindex {index}\n{lines}\n{}", checkpoint.c2sp)
}
