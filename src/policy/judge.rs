//! Holds a set of verified attestations of one artifact to a policy: a finding for each requirement and each link, by name.
//!
//! A requirement is met by attestations of `signers` distinct signers, each of which fits everything that is asked. Distinct is who holds another key,
//! or another subject or issuer in a certificate; and each name in `by` stands for one of them, so that an expression which fits many holders counts
//! once, and a holder whom two names fit counts once. Who and what come first: where
//! too few attestations fit those, the requirement is refused, and the finding says why the nearest one does not. Where enough fit those, and too
//! few of them lie where they should or are as fresh as they should, the requirement is weaker than asked. A link is judged over the attestations
//! that fit who and what; where only such as are weaker than asked make it hold, so is the link.

use std::fmt;

use airtight_keys::public::KeyId;
use serde_json::Value;

use super::read::same;
use super::shortfall::Shortfall;
use super::times::{self, Clock, ProvenTime, at};
use super::{Asked, Field, Named, Policy, Requirement, Signer, Valid};

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// An attestation that was verified, as far as policies ask.
#[derive(Debug, Clone)]
pub struct Attestation<'a> {
    /// What the finding calls it, for example the name of its file.
    pub label: &'a str,
    /// Who signed.
    pub signatory: Signatory<'a>,
    /// The predicate type; `None` for a signature over the artifact itself.
    pub predicate_type: Option<&'a str>,
    /// The names that the statement gives the artifact.
    pub subject_names: Vec<&'a str>,
    /// The statement's bytes.
    pub statement: Option<&'a [u8]>,
    /// The entries that were judged; none where no log was asked for and none is there.
    pub entries: Vec<EntryIn>,
    /// Every time that somebody vouches for.
    pub times: Vec<ProvenTime<'a>>,
    /// Whether the quorum of the policy's witnesses has cosigned a checkpoint that one of the entries is under.
    pub is_witnessed: bool,
    /// The log that its log is anchored in, where an anchor was followed.
    pub anchored_in: Option<KeyId>,
}

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryIn {
    /// The log.
    pub log_id: KeyId,
    /// The index there; `None` where its inclusion was not proven.
    pub leaf_index: Option<u64>,
}

/// Who signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatory<'a> {
    /// A plain key.
    Key(KeyId),
    /// The holder of a certificate.
    Identity {
        /// The subject alternative name.
        subject: &'a str,
        /// Who vouched for it; `None` where the certificate does not say.
        issuer: Option<&'a str>,
        /// What else the certificate says of the holder ([`super::identity::CLAIMS`]).
        claims: &'a [(&'static str, String)],
    },
}

/// How a requirement stands; the greater the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is met.
    Met,
    /// What there is holds, and is weaker than asked.
    Weaker,
    /// It is not met.
    Refused,
}

impl Standing {
    /// The word in JSON and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Met => "met",
            Standing::Weaker => "weaker",
            Standing::Refused => "refused",
        }
    }
}

/// What was found of one requirement or link.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The requirement's name; of a link both, `ONE = OTHER`.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// The attestations that count for it.
    pub by: Vec<Counted>,
    /// Why it is not met, of the attestation that comes nearest.
    pub shortfall: Option<Shortfall>,
}

/// An attestation that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// What the caller calls it.
    pub label: String,
    /// The signer's name in the policy.
    pub signer: String,
    /// The times that it was held to, where any was asked for: `2026-01-02T00:00:35Z by the word of site`.
    pub times: Vec<String>,
}

/// An attestation that fits who and what.
pub(super) struct Fit<'s, 'a> {
    attestation: &'s Attestation<'a>,
    pub(super) statement: &'s Value,
    /// Who may have signed it, at least one: places in [`Policy::signers`].
    signers: Vec<usize>,
    /// Where or how fresh it falls short.
    pub(super) weaker: Option<Shortfall>,
}

impl Policy {
    /// Judges the attestations of one artifact together: a finding for each requirement in the order of the file, then one for each link.
    /// `now` is in seconds since the epoch.
    pub fn judge(&self, attestations: &[Attestation<'_>], now: u64) -> Vec<Finding> {
        let needed = !self.links.is_empty() || self.require.iter().any(|requirement| !requirement.fields.is_empty());
        let parsed = |attestation: &Attestation<'_>| {
            // Held to a depth and scanned for doubled members when it was verified.
            let statement = attestation.statement.filter(|_| needed);
            statement.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or(Value::Null)
        };
        let statements: Vec<Value> = attestations.iter().map(parsed).collect();
        let (mut findings, mut fits) = (Vec::new(), Vec::new());
        for requirement in &self.require {
            let (finding, fit) = self.judge_one(requirement, attestations, &statements, now);
            findings.push(finding);
            fits.push(fit);
        }
        findings.extend(self.links.iter().map(|link| self.judge_link(link, &fits)));
        findings
    }

    fn judge_one<'s, 'a>(
        &self,
        requirement: &Requirement,
        attestations: &'s [Attestation<'a>],
        statements: &'s [Value],
        now: u64,
    ) -> (Finding, Vec<Fit<'s, 'a>>) {
        let mut fits: Vec<Fit<'s, 'a>> = Vec::new();
        let mut nearest: Option<Shortfall> = None;
        for (attestation, statement) in attestations.iter().zip(statements) {
            match self.who_and_what(requirement, attestation, statement) {
                Ok(signers) => {
                    let weaker = self.where_and_when(requirement, attestation, now).err();
                    fits.push(Fit { attestation, statement, signers, weaker });
                }
                Err(Some(shortfall)) if nearest.as_ref().is_none_or(|known| known.place() < shortfall.place()) => {
                    nearest = Some(shortfall);
                }
                Err(_) => {}
            }
        }
        let whole: Vec<&Fit<'_, '_>> = fits.iter().filter(|fit| fit.weaker.is_none()).collect();
        let (held, enough) = (self.distinct(&fits.iter().collect::<Vec<_>>()), requirement.signers);
        let (standing, shortfall, counted) = if self.distinct(&whole).len() >= enough {
            (Standing::Met, None, whole)
        } else if held.len() >= enough {
            let weakest = fits.iter().find_map(|fit| fit.weaker.clone());
            (Standing::Weaker, weakest, fits.iter().collect())
        } else if held.is_empty() {
            let types = requirement.types.join(" or ");
            (Standing::Refused, Some(nearest.unwrap_or(Shortfall::Missing { types })), Vec::new())
        } else {
            let names: Vec<&str> = held.iter().map(|signer| self.signers[*signer].name.as_str()).collect();
            let names = names.join(", ");
            let shortfall = Shortfall::Threshold { found: held.len(), wanted: enough, names };
            (Standing::Refused, Some(shortfall), fits.iter().collect())
        };
        let by = counted.iter().map(|fit| self.counted(fit, requirement.is_timed()));
        let finding = Finding { name: requirement.name.clone(), standing, by: by.collect(), shortfall };
        (finding, fits)
    }

    /// Returns the distinct signers, by their places: as many pairs of one holder and one name as there can be.
    fn distinct(&self, fits: &[&Fit<'_, '_>]) -> Vec<usize> {
        let mut holders: Vec<(Signatory<'_>, Vec<usize>)> = Vec::new();
        for fit in fits {
            let signatory = fit.attestation.signatory;
            let known = holders.iter().position(|(known, _)| known.is_same_holder(&signatory)).unwrap_or_else(|| {
                holders.push((signatory, Vec::new()));
                holders.len() - 1
            });
            holders[known].1.extend(fit.signers.iter().map(|place| self.first_same(*place)));
        }
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for holder in 0..holders.len() {
            pair(holder, &holders, &mut taken, &mut Vec::new());
        }
        taken.into_iter().map(|(place, _)| place).collect()
    }

    /// Returns the first name that stands for the same signer as this one.
    fn first_same(&self, place: usize) -> usize {
        (0..place).find(|other| same(&self.signers, place, *other)).unwrap_or(place)
    }

    /// Says which attestation counts, by whom, and where times were asked for, by which.
    pub(super) fn counted(&self, fit: &Fit<'_, '_>, is_timed: bool) -> Counted {
        let Fit { attestation, signers, .. } = fit;
        let timed = |place: &usize| matches!(&self.signers[*place].is, Signer::Key { valid: Valid::Times { .. }, .. });
        let is_timed = is_timed || signers.first().is_some_and(timed);
        let times = attestation.times.iter().filter(|_| is_timed);
        Counted {
            label: attestation.label.to_owned(),
            signer: signers.first().map(|place| self.signers[*place].name.clone()).unwrap_or_default(),
            times: times.map(|time| self.said_time(time, time.earliest)).collect(),
        }
    }

    /// Says one end of a proven time, and whose word it is.
    fn said_time(&self, time: &ProvenTime<'_>, end: u64) -> String {
        match time.by {
            Clock::Log(id) => format!("{} by the word of {}", at(end), self.log_name(&id)),
            Clock::Authority(name) => format!("{} by a time stamp of {name:?}", at(end)),
        }
    }

    /// Returns who may have signed; no shortfall where the attestation is of another type and nobody's business.
    fn who_and_what(
        &self,
        requirement: &Requirement,
        attestation: &Attestation<'_>,
        statement: &Value,
    ) -> Result<Vec<usize>, Option<Shortfall>> {
        let label = || attestation.label.to_owned();
        if !attestation.predicate_type.is_some_and(|found| requirement.types.iter().any(|wanted| wanted == found)) {
            return Err(None);
        }
        let is_by = |place: &&usize| is_signer(&self.signers[**place].is, &attestation.signatory);
        let mut by = requirement.by.iter().filter(is_by).peekable();
        if by.peek().is_none() {
            let wanted: Vec<&str> = requirement.by.iter().map(|place| self.signers[*place].name.as_str()).collect();
            let (found, wanted) = (self.name_of(&attestation.signatory), wanted.join(" or "));
            return Err(Some(Shortfall::Signer { label: label(), found, wanted }));
        }
        // One key may stand there under two names, each with the part of its life that it answers for.
        let (mut signers, mut not_valid) = (Vec::new(), None);
        for place in by {
            match self.is_valid(*place, attestation) {
                Ok(()) => signers.push(*place),
                Err(shortfall) => not_valid = Some(shortfall),
            }
        }
        if signers.is_empty() {
            return Err(not_valid);
        }
        let names = &attestation.subject_names;
        if !requirement.subject.is_empty()
            && !requirement.subject.iter().any(|pattern| names.iter().any(|name| pattern.fits(name)))
        {
            let wanted: Vec<String> =
                requirement.subject.iter().map(|pattern| format!("{:?}", pattern.to_string())).collect();
            let (found, wanted) = (format!("{:?}", names.join(", ")), wanted.join(" or "));
            return Err(Some(Shortfall::Subject { label: label(), found, wanted }));
        }
        for Field { at, asked } in &requirement.fields {
            let found = statement.pointer(at);
            if !found.is_some_and(|found| asked.fits(found)) {
                let found = found.map_or_else(|| "nothing".to_owned(), shown);
                let (at, wanted) = (at.clone(), asked.to_string());
                return Err(Some(Shortfall::Field { label: label(), at, found, wanted }));
            }
        }
        Ok(signers)
    }

    fn is_valid(&self, signer: usize, attestation: &Attestation<'_>) -> Result<(), Shortfall> {
        let Named { name, is } = &self.signers[signer];
        let Signer::Key { valid, .. } = is else { return Ok(()) };
        let (counts, found) = match valid {
            Valid::Always => return Ok(()),
            Valid::Entries { log, first, last } => {
                let id = self.logs[*log].is.id;
                let is_among = |index: u64| index >= *first && last.is_none_or(|last| index <= last);
                let mut there = attestation.entries.iter().filter(|entry| entry.log_id == id).peekable();
                // Every entry of that log, and at least one: a second one elsewhere in it shows no more than the first.
                if there.peek().is_some() && there.all(|entry| entry.leaf_index.is_some_and(is_among)) {
                    return Ok(());
                }
                let found = attestation.entries.iter().map(|EntryIn { log_id, leaf_index }| {
                    let index = leaf_index.map_or_else(|| "no".to_owned(), |index| index.to_string());
                    format!("entry {index} of {}", self.log_name(log_id))
                });
                let found = if attestation.entries.is_empty() {
                    "in no log".to_owned()
                } else {
                    found.collect::<Vec<_>>().join(" and ")
                };
                (valid.said(&self.logs), found)
            }
            Valid::Times { from, until } => match times::ends(&attestation.times) {
                Some((first, _)) if from.is_some_and(|from| first.earliest < from) => {
                    (valid.said(&self.logs), format!("of {}", self.said_time(first, first.earliest)))
                }
                Some((_, last)) if until.is_some_and(|until| last.latest > until) => {
                    (valid.said(&self.logs), format!("of {}", self.said_time(last, last.latest)))
                }
                Some(_) => return Ok(()),
                None => (valid.said(&self.logs), "without a proven time".to_owned()),
            },
        };
        Err(Shortfall::KeyNotValid { label: attestation.label.to_owned(), signer: name.clone(), counts, found })
    }

    fn where_and_when(
        &self,
        requirement: &Requirement,
        attestation: &Attestation<'_>,
        now: u64,
    ) -> Result<(), Shortfall> {
        let label = || attestation.label.to_owned();
        let own = || attestation.entries.iter().map(|entry| entry.log_id);
        let logs = || own().chain(attestation.anchored_in);
        let own_names = || own().map(|id| self.log_name(&id)).collect::<Vec<_>>().join(" and ");
        if attestation.entries.is_empty() && !requirement.unlogged {
            return Err(Shortfall::Unlogged { label: label() });
        }
        if !requirement.logged_in.is_empty()
            && !requirement.logged_in.iter().any(|log| logs().any(|id| id == self.logs[*log].is.id))
        {
            let wanted: Vec<&str> = requirement.logged_in.iter().map(|log| self.logs[*log].name.as_str()).collect();
            let (found, wanted) = (own_names(), wanted.join(" or "));
            return Err(Shortfall::OtherLog { label: label(), found, wanted });
        }
        let is_public = |id: KeyId| self.logs.iter().any(|log| log.is.is_public && log.is.id == id);
        if requirement.publicly_logged && !logs().any(is_public) {
            return Err(Shortfall::NotPublic { label: label(), found: own_names() });
        }
        if let Some(wanted) = self.witnesses.as_ref().filter(|_| !attestation.is_witnessed) {
            return Err(Shortfall::NotWitnessed { label: label(), wanted: wanted.to_string() });
        }
        if !requirement.is_timed() {
            return Ok(());
        }
        let Requirement { not_before, not_after, max_age_days, .. } = requirement;
        let Some((first, last)) = times::ends(&attestation.times) else {
            return Err(Shortfall::TimeUnproven { label: label() });
        };
        let found = self.said_time(first, first.earliest);
        if let Some(wanted) = not_before.filter(|wanted| first.earliest < *wanted) {
            return Err(Shortfall::TooEarly { label: label(), found, wanted: at(wanted) });
        }
        if let Some(wanted) = not_after.filter(|wanted| last.latest > *wanted) {
            let found = self.said_time(last, last.latest);
            return Err(Shortfall::TooLate { label: label(), found, wanted: at(wanted) });
        }
        let age = now.saturating_sub(first.earliest);
        match max_age_days {
            Some(wanted) if age > u64::from(*wanted) * DAY_S => {
                Err(Shortfall::TooOld { label: label(), found, days: age / DAY_S, wanted: *wanted })
            }
            _ => Ok(()),
        }
    }

    fn name_of(&self, signatory: &Signatory<'_>) -> String {
        let known = self.signers.iter().find(|signer| is_signer(&signer.is, signatory));
        match (known, signatory) {
            (Some(known), _) => known.name.clone(),
            (None, Signatory::Key(id)) => format!("key {id}"),
            (None, Signatory::Identity { subject, issuer, .. }) => {
                format!("{subject:?} by the word of {:?}", issuer.unwrap_or_default())
            }
        }
    }

    fn log_name(&self, id: &KeyId) -> String {
        let known = self.logs.iter().find(|log| log.is.id == *id);
        known.map_or_else(|| format!("log {id}"), |log| log.name.clone())
    }
}

impl Signatory<'_> {
    /// Tells whether one holder signed both: by one key, or under one subject that one issuer vouched for.
    fn is_same_holder(&self, other: &Signatory<'_>) -> bool {
        match (self, other) {
            (Signatory::Key(one), Signatory::Key(other)) => one == other,
            (Signatory::Identity { subject, issuer, .. }, Signatory::Identity { subject: other, issuer: by, .. }) => {
                subject == other && issuer == by
            }
            _ => false,
        }
    }
}

/// Finds a name for a holder, where need be by giving those who have one another (Kuhn's way to a largest matching). `taken` pairs names with
/// holders, `asked` are the names that were tried.
fn pair(
    holder: usize,
    holders: &[(Signatory<'_>, Vec<usize>)],
    taken: &mut Vec<(usize, usize)>,
    asked: &mut Vec<usize>,
) -> bool {
    for place in &holders[holder].1 {
        if asked.contains(place) {
            continue;
        }
        asked.push(*place);
        let held = taken.iter().position(|(name, _)| name == place);
        match held {
            None => taken.push((*place, holder)),
            Some(at) if pair(taken[at].1, holders, taken, asked) => taken[at].1 = holder,
            Some(_) => continue,
        }
        return true;
    }
    false
}

fn is_signer(signer: &Signer, signatory: &Signatory<'_>) -> bool {
    match (signer, signatory) {
        (Signer::Key { id, .. }, Signatory::Key(found)) => id == found,
        (Signer::Identity(rule), Signatory::Identity { subject, issuer, claims }) => {
            rule.check(subject, *issuer, claims).is_ok()
        }
        _ => false,
    }
}

impl Requirement {
    /// Tells whether it asks for a proven time.
    fn is_timed(&self) -> bool {
        self.not_before.is_some() || self.not_after.is_some() || self.max_age_days.is_some()
    }
}

impl Asked {
    fn fits(&self, found: &Value) -> bool {
        match self {
            Asked::Present => !found.is_null(),
            Asked::Equals(value) => found == value,
            Asked::OneOf(values) => values.contains(found),
            Asked::Matches(pattern) => found.as_str().is_some_and(|found| pattern.fits(found)),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asked::Present => f.write_str("something"),
            Asked::Equals(value) => write!(f, "{value}"),
            Asked::OneOf(values) => {
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                f.write_str(&values.join(" or "))
            }
            Asked::Matches(pattern) => write!(f, "a text like {:?}", pattern.to_string()),
        }
    }
}

impl Valid {
    /// Says where or when a key counts, to go on from `counts`.
    pub(super) fn said(&self, logs: &[Named<super::Log>]) -> String {
        match self {
            Valid::Always => "always".to_owned(),
            Valid::Entries { log, first, last: Some(last) } => {
                format!("in entries {first} to {last} of {}", logs[*log].name)
            }
            Valid::Entries { log, first, last: None } => format!("from entry {first} of {} on", logs[*log].name),
            Valid::Times { from: Some(from), until: Some(until) } => format!("from {} to {}", at(*from), at(*until)),
            Valid::Times { from: Some(from), until: None } => format!("from {} on", at(*from)),
            Valid::Times { from: None, until: Some(until) } => format!("up to {}", at(*until)),
            Valid::Times { from: None, until: None } => "always".to_owned(),
        }
    }
}

/// Shows a value of a statement, cut off where it is long.
pub(super) fn shown(value: &Value) -> String {
    const CHARS_MAX: usize = 200;
    let text = value.to_string();
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
