//! The report: nine checks, the verdict, and what the verdict does not establish.
//!
//! A check holds facts; its sentence is written when it is asked for, so that a judgement that nobody reads costs no formatting.
//! The JSON form is a public format, `schemas/verdict.schema.json`.

mod certified;
mod entries;
mod witnesses;

use std::fmt;
use std::sync::Arc;

use airtight_keys::public::KeyId;
use airtight_keys::verifier::{HashFunction, KeyKind};
use airtight_log::digest::{Hash, LeafIndex, TreeSize};
use jiff::Timestamp;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::trust::Validity;

use super::Refusal;
use super::anchor::Anchored;
use super::artifact::{About, MatchedSubject};
use super::certificate::Identity;
use super::certified::Certified;
use super::revocation::Covering;
use super::timestamp::{Timestamps, VerifiedTimestamp};
use super::verified::{InLog, Verified, VerifiedEntry};
use super::witness::Witnesses;

use self::certified::ShownCertified;
use self::entries::{ShownEntry, ShownUnjudged};
use self::witnesses::ShownWitnesses;

/// The names of the nine steps.
const NAMES: [&str; 9] = [
    "bundle",
    "signature",
    "statement and artifact",
    "log entry",
    "checkpoint",
    "witnesses",
    "inclusion",
    "key validity and time",
    "receipts and timestamps",
];

const SIGNED_BY_ITS_WORD: &str = "when it was signed: the time is the log's own word";
const LOGGED_BY_ITS_WORD: &str = "when it was logged: the time is the log's own word";
const SIGNED_UNKNOWN: &str = "when it was signed or logged: there is no signed time";
const SIGNED_UNKNOWN_UNLOGGED: &str = "when it was signed: no log and no time stamp says";
const LOGGED_NOWHERE: &str = "when it was logged, if it ever was: the only word on time is a time stamp's";
const LOGGED_UNKNOWN: &str = "when it was logged: the log signs for no time";

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// What there is holds, and is weaker than a policy asks.
    Weaker,
    /// No policy asked for it, or an earlier step had refused.
    NotAsked,
}

impl Outcome {
    /// The word in the JSON form and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Weaker => "weaker",
            Outcome::NotAsked => "not asked",
        }
    }
}

/// One numbered check.
#[derive(Debug, Clone)]
pub struct Check {
    /// 1 to 9.
    pub step: u8,
    /// What was checked.
    pub name: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// What was found; its `Display` is a sentence.
    pub fact: Fact,
}

/// What a check found.
#[derive(Debug, Clone)]
pub enum Fact {
    /// Step 1.
    Shape {
        /// The length of the bundle's text, bytes.
        len: usize,
        /// How many log entries there are.
        entries: usize,
        /// How many of them have a promise of their log alone.
        promised: usize,
    },
    /// Step 2.
    Signed {
        /// The kind of the key that signed.
        kind: KeyKind,
        /// The key that signed.
        key_id: KeyId,
        /// Whom a certificate names as its holder.
        identity: Option<Box<Identity>>,
    },
    /// Step 3, for an envelope.
    Statement {
        /// The predicate type.
        predicate_type: Arc<str>,
        /// How many subjects there are.
        subjects: usize,
        /// How many of them were matched.
        matched: usize,
    },
    /// Step 3, for a signature over the artifact itself.
    Message,
    /// Steps 4 to 8, where there is not one entry: what was found of each.
    Each(Vec<Fact>),
    /// Steps 5 and 7: the log's promise was accepted in place of a proof.
    PromiseAlone,
    /// Steps 4, 5 and 7: no log was asked for, and no entry was judged.
    NoEntry {
        /// How many entries there are of logs that the trusted root does not name.
        not_judged: usize,
    },
    /// Step 8: no log was asked for, so no log's key was judged, and a plain key needs no time.
    KeyTimeless,
    /// Step 4: an entry of a log that the trusted root does not name.
    EntryNotJudged {
        /// The log's id.
        log_id: KeyId,
    },
    /// Step 4.
    Entry {
        /// Kind and version of the entry.
        kind: &'static str,
        /// Whether the text that `envelopeHash` covers was found again.
        envelope_reproduced: bool,
    },
    /// Step 5.
    Checkpoint {
        /// The first line of the checkpoint.
        origin: String,
        /// The tree size.
        size: TreeSize,
    },
    /// Step 6.
    WitnessesNotAsked,
    /// Step 6, where a policy names witnesses.
    Witnessed(Box<Witnesses>),
    /// Step 7.
    Included {
        /// The leaf's index in the tree.
        index: LeafIndex,
        /// How many hashes the proof has.
        hashes: usize,
    },
    /// Step 8.
    Time {
        /// The time that the log signed for, seconds since the epoch.
        time: Option<u64>,
        /// When the log's key was valid.
        validity: Validity,
    },
    /// Step 8, for a certificate.
    Certified {
        /// The time that the log of each entry signed for, seconds since the epoch.
        logged: Vec<Option<u64>>,
        /// What the certificate establishes.
        certified: Box<Certified>,
        /// At how many times it was judged.
        times: usize,
    },
    /// Step 8, where a time stamp that would prove the certificate's time does not hold.
    TimeWaits,
    /// Step 9.
    Outside {
        /// The anchor that was given.
        anchored: Option<Box<Anchored>>,
        /// The time stamps that the bundle holds.
        timestamps: Timestamps,
    },
    /// The step that refused.
    Refused(Box<Refusal>),
    /// A step after the one that refused.
    NotReached,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Shape { len, entries, promised } => shape(*len, *entries, *promised, f),
            Fact::Each(facts) => facts
                .iter()
                .enumerate()
                .try_for_each(|(place, fact)| write!(f, "{}{fact}", if place == 0 { "" } else { "; " })),
            Fact::PromiseAlone => f.write_str("not proven: the log's promise to enter it was accepted"),
            Fact::NoEntry { not_judged: 0 } => f.write_str("no log was asked for, and there is no entry"),
            Fact::NoEntry { .. } => {
                f.write_str("no log was asked for, and there is no entry of a log of the trusted root")
            }
            Fact::KeyTimeless => {
                f.write_str("no log signed for a time, and a key by itself has no time at which it ends")
            }
            Fact::EntryNotJudged { log_id } => {
                write!(f, "an entry of log {log_id}, which the trusted root does not name, was not judged")
            }
            Fact::Signed { kind, key_id, identity: None } => write!(f, "by {kind} key {key_id}"),
            Fact::Signed { kind, key_id, identity: Some(identity) } => {
                write!(f, "by {kind} key {key_id}, whose certificate names {:?}", identity.name.text())?;
                identity.issuer.as_ref().map_or(Ok(()), |issuer| write!(f, " by the word of {issuer:?}"))
            }
            Fact::Statement { predicate_type, subjects, matched } => {
                write!(f, "{predicate_type}; {matched} of {subjects} subjects matched")
            }
            Fact::Message => f.write_str("a signature over the artifact itself, without a statement"),
            Fact::Entry { kind, envelope_reproduced: true } => write!(f, "{kind}, equal to this envelope and key"),
            Fact::Entry { kind, envelope_reproduced: false } => {
                write!(f, "{kind}, equal to this envelope and key; the text its envelopeHash covers is unknown")
            }
            Fact::Checkpoint { origin, size } => write!(f, "{origin:?}, tree size {size}, signed by the log's key"),
            Fact::WitnessesNotAsked => f.write_str("no policy asks for witnesses"),
            Fact::Witnessed(found) => witnesses::said(found, f),
            Fact::Included { index, hashes } => write!(f, "leaf index {index}, proof of {hashes} hashes"),
            Fact::Time { time: Some(time), validity } => {
                write!(f, "the log signed for {}, its key is valid from {}", At(*time), At(validity.start))?;
                validity.end.map_or(Ok(()), |end| write!(f, " to {}", At(end)))
            }
            Fact::Time { time: None, .. } => f.write_str("the log signed for no time"),
            Fact::Certified { logged, certified, times } => {
                let Certified { authority, not_before, not_after, ct_logs, .. } = &**certified;
                for time in logged {
                    match time {
                        Some(time) => write!(f, "the log signed for {}; ", At(*time))?,
                        None => f.write_str("the log signed for no time; ")?,
                    }
                }
                write!(f, "the certificate is {authority:?}'s, valid from {} to {}", At(*not_before), At(*not_after))?;
                write!(f, ", as at {times} proven times; promised by {} transparency logs", ct_logs.len())
            }
            Fact::TimeWaits => f.write_str("the certificate's time would be a time stamp's, and that does not hold"),
            Fact::Outside { anchored: None, timestamps } if timestamps.verified.is_empty() => {
                f.write_str("no policy asks for any")?;
                match timestamps.not_counted {
                    0 => Ok(()),
                    count => write!(f, "; {count} present, of no authority of the trusted root"),
                }
            }
            Fact::Outside { anchored, timestamps } => outside(anchored.as_deref(), timestamps, f),
            Fact::Refused(refusal) => f.write_str(&refusal.said()),
            Fact::NotReached => f.write_str("an earlier step refused"),
        }
    }
}

fn shape(len: usize, entries: usize, promised: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{len} bytes: one signature, ")?;
    match entries {
        0 => return f.write_str("no log entry"),
        1 => f.write_str("one log entry ")?,
        count => write!(f, "{count} log entries ")?,
    }
    match promised {
        0 => f.write_str("with proof and checkpoint"),
        count if count == entries => f.write_str("with the log's promise and no proof"),
        count => write!(f, "with proof and checkpoint, but {count} with the log's promise alone"),
    }
}

fn outside(anchored: Option<&Anchored>, timestamps: &Timestamps, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut before = "";
    if let Some(Anchored { size, log_index, origin, integrated_time, .. }) = anchored {
        write!(f, "the first {size} entries are anchored in {origin:?}, entry {log_index} there")?;
        integrated_time.map_or(Ok(()), |time| write!(f, ", which it signed for {}", At(time)))?;
        before = "; ";
    }
    for VerifiedTimestamp { not_after, authority, .. } in &timestamps.verified {
        write!(f, "{before}signed not after {} by {authority:?}", At(*not_after))?;
        before = "; ";
    }
    match timestamps.not_counted {
        0 => Ok(()),
        count => write!(f, "{before}{count} present, of no authority of the trusted root"),
    }
}

/// Seconds since the epoch, shown as RFC 3339.
struct At(u64);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
            Some(time) => time.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Report {
    checks: Vec<Check>,
    verdict: Option<Result<Verified, Refusal>>,
}

impl Report {
    pub(super) fn begin() -> Report {
        Report { checks: Vec::with_capacity(NAMES.len()), verdict: None }
    }

    pub(super) fn pass(&mut self, step: u8, fact: Fact) {
        self.push(step, Outcome::Passed, fact);
    }

    pub(super) fn skip(&mut self, step: u8, fact: Fact) {
        self.push(step, Outcome::NotAsked, fact);
    }

    /// Says step 9: passed where an anchor or a time stamp was verified.
    pub(super) fn last(&mut self, verified: &Verified) {
        let (anchored, timestamps) = (verified.anchored.clone().map(Box::new), verified.timestamps.clone());
        let is_asked = anchored.is_some() || !timestamps.verified.is_empty();
        let outcome = if is_asked { Outcome::Passed } else { Outcome::NotAsked };
        self.push(9, outcome, Fact::Outside { anchored, timestamps });
    }

    /// Says a step whose facts hold, and may be weaker than asked.
    pub(super) fn weigh(&mut self, step: u8, fact: Fact, is_enough: bool) {
        self.push(step, if is_enough { Outcome::Passed } else { Outcome::Weaker }, fact);
    }

    fn push(&mut self, step: u8, outcome: Outcome, fact: Fact) {
        self.checks.push(Check { step, name: NAMES[usize::from(step) - 1], outcome, fact });
    }

    /// Says the same of another artifact that step 3 found.
    pub(super) fn turn_to(&mut self, about: About) {
        let third = self.checks.get_mut(2).expect("invariant: what has ended after step 3 has three checks");
        third.fact = about.fact();
        if let Some(Ok(verified)) = &mut self.verdict {
            verified.about = about;
        }
    }

    pub(super) fn end(mut self, verified: Verified) -> Report {
        self.verdict = Some(Ok(verified));
        self
    }

    pub(super) fn refuse(mut self, refusal: Refusal) -> Report {
        self.push(refusal.step(), Outcome::Failed, Fact::Refused(Box::new(refusal.clone())));
        for step in refusal.step() + 1..=9 {
            self.push(step, Outcome::NotAsked, Fact::NotReached);
        }
        self.verdict = Some(Err(refusal));
        self
    }

    /// Returns the nine checks in their order.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Returns what was verified.
    ///
    /// # Errors
    ///
    /// The refusal, where the answer is no.
    pub fn verdict(&self) -> Result<&Verified, &Refusal> {
        self.verdict.as_ref().expect("invariant: verify hands out a report only when it has ended").as_ref()
    }

    /// Gives what was verified away.
    ///
    /// # Errors
    ///
    /// The refusal, where the answer is no.
    pub fn into_verdict(self) -> Result<Verified, Refusal> {
        self.verdict.expect("invariant: verify hands out a report only when it has ended")
    }

    /// Lists what a verdict of yes does not establish; empty where the answer is no.
    pub fn not_established(&self) -> Vec<&'static str> {
        let Ok(verified) = self.verdict() else { return Vec::new() };
        let (about, is_unlogged) = (&verified.about, verified.logged() == InLog::NotAsked);
        let mut list = vec![
            "that what the signer says is true: a signature shows who said it",
            match &verified.witnesses {
                None if is_unlogged => "that it is in any log: none was asked for, and nothing here shows it",
                None => "that the log shows everybody the same tree: no witness was asked for",
                Some(witnesses) if witnesses.is_quorum => {
                    "that the witnesses are independent of the log and of each other: the policy says who counts"
                }
                Some(_) => "that the log shows everybody the same tree: too few of the witnesses have cosigned",
            },
        ];
        let mut add = |is_so: bool, sentence| {
            if is_so {
                list.push(sentence);
            }
        };
        add(about.as_stated, "that anything you have is what it is about: no artifact was asked about");
        if let Some(certified) = &verified.certified {
            add(!certified.name_asked, "that someone you expected signed: any identity was accepted");
            add(!certified.issuer_asked, "that someone you believe vouched for the signer: any issuer was accepted");
            add(
                certified.ct_logs.is_empty(),
                "that the certificate was made public: no promise of a log was asked for",
            );
            let lists = certified.revocation.as_deref();
            let is_one = |asked: fn(&Covering) -> bool| lists.unwrap_or_default().iter().any(asked);
            add(lists.is_none(), "that the certificate was not revoked: no revocation list was asked for");
            add(is_one(|list| list.is_ended), "what newer revocation lists say: one that was given has ended");
            add(
                is_one(|list| list.revoked_later.is_some()),
                "that the certificate is still good: it was revoked after the signature was there",
            );
        }
        let is_among = |asked: fn(&VerifiedEntry) -> bool| verified.entries().iter().any(asked);
        let time = is_among(|entry| entry.integrated_time().is_some());
        add(
            verified.logged() == InLog::Promised,
            "that the entry is in its log: the log's promise to enter it was accepted, not a proof",
        );
        add(
            !verified.unjudged.is_empty(),
            "what the entries say whose logs the trusted root does not name: they were not judged",
        );
        match &verified.anchored {
            // Said above, in the place of witnesses.
            None if is_unlogged => {}
            None if verified.entries().len() > 1 => add(true, "that the entries are in any log but these"),
            None => add(true, "that the entry is in any log but this one"),
            Some(anchored) => {
                add(true, "that the entry itself is in the other log: its place below the anchor is");
                add(anchored.integrated_time.is_none(), "when it was anchored: the other log signs for no time");
            }
        }
        let stamped = !verified.timestamps.verified.is_empty();
        add(stamped, "when it was signed: a time stamp shows that it was not later");
        add(time, if stamped { LOGGED_BY_ITS_WORD } else { SIGNED_BY_ITS_WORD });
        let unknown = match (stamped, is_unlogged) {
            (true, false) => LOGGED_UNKNOWN,
            (false, false) => SIGNED_UNKNOWN,
            (true, true) => LOGGED_NOWHERE,
            (false, true) => SIGNED_UNKNOWN_UNLOGGED,
        };
        add(!time, unknown);
        let ended = is_among(|entry| entry.integrated_time().is_none() && entry.key_ended);
        add(ended, "that it was logged before the log's key ended");
        add(verified.timestamps.not_counted > 0, "what the time stamps say that were not counted");
        add(!verified.type_asked && about.predicate_type.is_some(), "that the statement is of a type you expected");
        add(!about.schema_checked, "that the predicate fits the schema of its type");
        add(about.is_part, "anything about the other parts: this statement covers one of several");
        add(about.digests_unused, "what the subjects' digests of other algorithms say: they were not compared");
        add(about.symlinks_unstated, "where the symbolic links point: the statement does not say");
        add(is_among(|entry| !entry.leaf.envelope_reproduced), "in which exact text the envelope was logged");
        list
    }
}

/// Writes the format of `schemas/verdict.schema.json`.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("Report", 5)?;
        object.serialize_field("verified", &self.verdict().is_ok())?;
        object.serialize_field("refusal", &self.verdict().err().map(ShownRefusal))?;
        let checks: Vec<ShownCheck<'_>> = self.checks.iter().map(ShownCheck).collect();
        object.serialize_field("checks", &checks)?;
        object.serialize_field("facts", &self.verdict().ok().map(ShownVerified))?;
        object.serialize_field("not_established", &self.not_established())?;
        object.end()
    }
}

struct ShownRefusal<'a>(&'a Refusal);

impl Serialize for ShownRefusal<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("Refusal", 3)?;
        object.serialize_field("step", &self.0.step())?;
        object.serialize_field("code", self.0.code())?;
        object.serialize_field("said", &self.0.said())?;
        object.end()
    }
}

struct ShownCheck<'a>(&'a Check);

impl Serialize for ShownCheck<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("Check", 4)?;
        object.serialize_field("step", &self.0.step)?;
        object.serialize_field("name", self.0.name)?;
        object.serialize_field("outcome", self.0.outcome.name())?;
        object.serialize_field("said", &self.0.fact.to_string())?;
        object.end()
    }
}

struct ShownVerified<'a>(&'a Verified);

impl Serialize for ShownVerified<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let verified = self.0;
        let proven = verified.checkpoint();
        let mut object = to.serialize_struct("Facts", 19)?;
        object.serialize_field("signer", &verified.signer.to_string())?;
        object.serialize_field("certificate", &verified.certified.as_ref().map(ShownCertified))?;
        object.serialize_field("predicate_type", &verified.predicate_type())?;
        let subjects: Vec<ShownSubject<'_>> = verified.matched().iter().map(ShownSubject).collect();
        object.serialize_field("subjects", &subjects)?;
        object.serialize_field("entry_kind", &verified.entry_kind())?;
        object.serialize_field("log_id", &verified.log_id().map(KeyId::to_string))?;
        object.serialize_field("log_index", &verified.log_index().map(LeafIndex::get))?;
        object.serialize_field("leaf_index", &verified.leaf_index().map(LeafIndex::get))?;
        object.serialize_field("leaf_hash", &verified.leaf_hash().map(Hash::to_hex))?;
        object.serialize_field("origin", &proven.map(|checkpoint| checkpoint.origin()))?;
        object.serialize_field("tree_size", &proven.map(|checkpoint| checkpoint.size().get()))?;
        object.serialize_field("root_hash", &proven.map(|checkpoint| checkpoint.root().to_hex()))?;
        object.serialize_field("integrated_time", &verified.integrated_time())?;
        let entries: Vec<ShownEntry<'_>> = verified.entries().iter().map(ShownEntry).collect();
        object.serialize_field("entries", &entries)?;
        let unjudged: Vec<ShownUnjudged<'_>> = verified.unjudged().iter().map(ShownUnjudged).collect();
        object.serialize_field("entries_not_judged", &unjudged)?;
        object.serialize_field("witnesses", &verified.witnesses.as_ref().map(ShownWitnesses))?;
        object.serialize_field("anchor", &verified.anchored.as_ref().map(ShownAnchored))?;
        let timestamps: Vec<ShownTimestamp<'_>> = verified.timestamps.verified.iter().map(ShownTimestamp).collect();
        object.serialize_field("timestamps", &timestamps)?;
        object.serialize_field("timestamps_not_counted", &verified.timestamps.not_counted)?;
        object.end()
    }
}

struct ShownAnchored<'a>(&'a Anchored);

impl Serialize for ShownAnchored<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Anchored { size, target, log_id, log_index, origin, uuid, integrated_time } = self.0;
        let mut object = to.serialize_struct("Anchored", 7)?;
        object.serialize_field("size", &size.get())?;
        object.serialize_field("target", target)?;
        object.serialize_field("log_id", &log_id.to_string())?;
        object.serialize_field("log_index", &log_index.get())?;
        object.serialize_field("origin", origin)?;
        object.serialize_field("uuid", uuid)?;
        object.serialize_field("integrated_time", integrated_time)?;
        object.end()
    }
}

struct ShownTimestamp<'a>(&'a VerifiedTimestamp);

impl Serialize for ShownTimestamp<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("VerifiedTimestamp", 2)?;
        object.serialize_field("not_after", &self.0.not_after)?;
        object.serialize_field("authority", &self.0.authority)?;
        object.end()
    }
}

struct ShownSubject<'a>(&'a MatchedSubject);

impl Serialize for ShownSubject<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let MatchedSubject { name, digests } = self.0;
        let of = |algorithm| digests.of(algorithm).map(|digest| hex::encode(digest.as_bytes()));
        let mut object = to.serialize_struct("Subject", 4)?;
        object.serialize_field("name", name)?;
        object.serialize_field("sha256", &of(HashFunction::Sha256))?;
        for (member, algorithm) in [("sha384", HashFunction::Sha384), ("sha512", HashFunction::Sha512)] {
            match of(algorithm) {
                Some(digest) => object.serialize_field(member, &digest)?,
                None => object.skip_field(member)?,
            }
        }
        object.end()
    }
}
