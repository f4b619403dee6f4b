//! Steps 4, 5, 7 and 8 for every entry of a bundle: which entries are judged, and that each of those holds in full.
//!
//! An entry whose log the trusted root names is judged, and one that does not hold refuses the bundle, whatever the others prove. An entry of another
//! log proves nothing here: it is named in the report and never counts. It must be of a kind and form that are read all the same, for sigstore-go refuses
//! a bundle with an entry that it cannot read, of whatever log. Where the trusted root names the log of no entry, the first is judged, and refused;
//! only where no log is asked for do such entries, or none, suffice, and then steps 4 to 7 say that nothing was proven by them.
//!
//! Logs are counted by their keys: two names of one key are one log.

use airtight_keys::public::KeyId;
use airtight_log::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use airtight_log::digest::LeafIndex;

use crate::bundle::{Bundle, LogEntry};
use crate::trust::TrustedLog;

use super::body::{self, Leaf};
use super::signer::SignedBy;
use super::witness::{self, Witnesses};
use super::{Fact, Input, Memory, Refusal, Report, log_proof};

/// An entry of a log that the trusted root does not name: nothing of it was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnjudgedEntry {
    /// The log's id.
    pub log_id: KeyId,
    /// The index over all shards that it states.
    pub log_index: LeafIndex,
    /// The kind and version that it states.
    pub kind: &'static str,
}

/// An entry that was found to be in a log of the trusted root, or to be promised.
pub(super) struct Logged<'b, 'a, 't> {
    pub(super) entry: &'b LogEntry<'a>,
    pub(super) leaf: Leaf,
    pub(super) log: &'t TrustedLog,
    /// `None` where the log's promise was accepted in place of a proof.
    pub(super) checkpoint: Option<VerifiedCheckpoint>,
}

/// What was found of all entries.
pub(super) struct Entries<'b, 'a, 't> {
    /// In the order of the bundle; empty only where no log is asked for.
    pub(super) logged: Vec<Logged<'b, 'a, 't>>,
    pub(super) unjudged: Vec<UnjudgedEntry>,
    /// `None` where no policy names witnesses.
    pub(super) witnesses: Option<Witnesses>,
}

/// Judges the entries by steps 4 to 7, and tells the report.
pub(super) fn check<'b, 'a, 't>(
    bundle: &'b Bundle<'a>,
    signer: &SignedBy,
    input: &Input<'t>,
    memory: &Memory,
    report: &mut Report,
) -> Result<Entries<'b, 'a, 't>, Refusal> {
    let (judged, strange) = sorted(bundle.entries(), input);
    let mut leaves = Vec::with_capacity(judged.len());
    for entry in &judged {
        leaves.push(body::check(entry, bundle.content(), signer)?);
    }
    let mut unjudged = Vec::with_capacity(strange.len());
    for entry in &strange {
        let kind = body::readable(entry)?.name();
        unjudged.push(UnjudgedEntry { log_id: KeyId::from_bytes(entry.log_id), log_index: entry.log_index, kind });
    }
    let of_leaf = |leaf: &Leaf| Fact::Entry { kind: leaf.kind.name(), envelope_reproduced: leaf.envelope_reproduced };
    let of_stranger = |entry: &UnjudgedEntry| Fact::EntryNotJudged { log_id: entry.log_id };
    let nothing = || Fact::NoEntry { not_judged: unjudged.len() };
    match leaves.is_empty() {
        false => report.pass(4, each(leaves.iter().map(of_leaf).chain(unjudged.iter().map(of_stranger)))),
        true => report.skip(4, each(std::iter::once(nothing()).chain(unjudged.iter().map(of_stranger)))),
    }

    let mut logged = Vec::with_capacity(judged.len());
    for (entry, leaf) in judged.into_iter().zip(leaves) {
        let log = log_proof::log(entry, leaf.kind, input.trusted_root)?;
        logged.push(Logged { entry, leaf, log, checkpoint: None });
    }
    check_threshold(&logged, input)?;
    for one in &mut logged {
        if let Some(proof) = &one.entry.proof {
            one.checkpoint = Some(log_proof::checkpoint_among(proof, one.leaf.kind, one.log, &memory.checkpoints)?);
        }
    }
    for proof in strange.iter().filter_map(|entry| entry.proof.as_ref()) {
        SignedCheckpoint::parse(&proof.checkpoint).map_err(|cause| Refusal::CheckpointMalformed { cause })?;
    }
    tell(report, 5, &logged, nothing, |_, checkpoint| Fact::Checkpoint {
        origin: checkpoint.origin().to_owned(),
        size: checkpoint.size(),
    });

    let witnesses = witness::check(&logged, input, report)?;

    for one in &logged {
        if let (Some(proof), Some(checkpoint)) = (&one.entry.proof, &one.checkpoint) {
            log_proof::inclusion(one.entry, proof, &one.leaf.hash, checkpoint)?;
        }
    }
    tell(report, 7, &logged, nothing, |one, _| match &one.entry.proof {
        Some(proof) => Fact::Included { index: proof.log_index, hashes: proof.hashes.len() },
        None => Fact::PromiseAlone,
    });
    Ok(Entries { logged, unjudged, witnesses })
}

/// Takes apart the entries that are judged and those that are not.
fn sorted<'b, 'a>(entries: &'b [LogEntry<'a>], input: &Input<'_>) -> (Vec<&'b LogEntry<'a>>, Vec<&'b LogEntry<'a>>) {
    let is_named = |entry: &&LogEntry<'_>| input.trusted_root.find(&entry.log_id).is_some();
    let (mut judged, mut strange): (Vec<_>, Vec<_>) = entries.iter().partition(is_named);
    if judged.is_empty() && input.policy.logs > 0 {
        judged.push(strange.remove(0));
    }
    (judged, strange)
}

fn check_threshold(logged: &[Logged<'_, '_, '_>], input: &Input<'_>) -> Result<(), Refusal> {
    let is_new = |(place, one): &(usize, &Logged<'_, '_, '_>)| {
        !logged[..*place].iter().any(|before| before.log.key() == one.log.key())
    };
    let logs = logged.iter().enumerate().filter(is_new).count();
    let wanted = input.policy.logs;
    if logs < wanted { Err(Refusal::LogThreshold { logs, wanted }) } else { Ok(()) }
}

/// Tells what a step found of each entry: passed, unless every entry is a promise alone, or there is none.
fn tell(
    report: &mut Report,
    step: u8,
    logged: &[Logged<'_, '_, '_>],
    nothing: impl Fn() -> Fact,
    found: impl Fn(&Logged<'_, '_, '_>, &VerifiedCheckpoint) -> Fact,
) {
    let of = |one: &Logged<'_, '_, '_>| {
        one.checkpoint.as_ref().map_or(Fact::PromiseAlone, |checkpoint| found(one, checkpoint))
    };
    let fact = if logged.is_empty() { nothing() } else { each(logged.iter().map(of)) };
    match logged.iter().any(|one| one.checkpoint.is_some()) {
        true => report.pass(step, fact),
        false => report.skip(step, fact),
    }
}

/// Makes one fact of what was found of each entry.
pub(super) fn each(facts: impl Iterator<Item = Fact>) -> Fact {
    let mut facts: Vec<Fact> = facts.collect();
    if facts.len() == 1 { facts.remove(0) } else { Fact::Each(facts) }
}
