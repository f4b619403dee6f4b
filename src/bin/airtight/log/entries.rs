//! `airtight log list` and `entry`: what was logged, when, by whom, about what, and where it stands towards Rekor.

use std::collections::BTreeMap;

use airtight::attest::{AttestError, dispositions, standings};
use airtight::disposition::{Disposition, Standings};
use airtight::keyring::{KeyName, Keyring};
use airtight::statement::ParsedStatement;
use airtight::statement::kept::{Kept, KeptQuestion, KeptVerdict};
use airtight_keys::public::KeyId;
use airtight_log::digest::LeafIndex;
use airtight_log::entry::{Body, uuid};
use airtight_log::store::{Access, Filter, PAGE_MAX, Snapshot, StoredEntry};
use serde::Serialize;

use super::{index_in, moment, shown};
use crate::cli::log::{EntryArgs, ListArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// A subject, as `--json` shows it.
#[derive(Serialize)]
struct SubjectReport {
    name: String,
    sha256: Option<String>,
}

/// What every entry says of itself.
#[derive(Serialize)]
struct EntryReport {
    log_id: String,
    leaf_index: u64,
    leaf_hash: String,
    entry_id: String,
    integrated_time: u64,
    /// Nothing where only the leaf is kept, or where the payload is no statement.
    predicate_type: Option<String>,
    subjects: Vec<SubjectReport>,
    signer_key_id: String,
    /// The name of that key in this site's keyring.
    signer: Option<String>,
    dispositions: Vec<Disposition>,
}

/// What is said of one entry beyond that.
#[derive(Serialize)]
struct WholeEntryReport {
    #[serde(flatten)]
    entry: EntryReport,
    kind: &'static str,
    version: &'static str,
    leaf_len: usize,
    payload_type: Option<String>,
    payload_len: Option<usize>,
    envelope_len: Option<usize>,
    /// The first released checkpoint over the entry: the one in its bundle.
    tree_size: Option<u64>,
    /// What others signed and this entry keeps.
    kept: Option<KeptReport>,
}

/// What is said of a file that was kept, without its bytes.
#[derive(Serialize)]
struct KeptReport {
    name: String,
    size: u64,
    sha256: String,
    asked: KeptQuestion,
    verdicts: Vec<KeptVerdict>,
    met: Vec<String>,
}

/// What turns entries into reports.
struct Reader {
    names: BTreeMap<KeyId, KeyName>,
    standings: Standings,
}

impl Reader {
    fn new(keyring: &Keyring, snapshot: &mut Snapshot<'_>, call: &mut Invocation) -> Result<Reader, Failure> {
        // A keyring that cannot be listed takes the names away and nothing else.
        let names = match keyring.list() {
            Ok(keys) => keys.into_iter().map(|entry| (*entry.key_id(), entry.name)).collect(),
            Err(error) => {
                call.warn(error.code(), &format_args!("keys are shown by their id: {error}"));
                BTreeMap::new()
            }
        };
        Ok(Reader { names, standings: standings(snapshot)? })
    }

    fn report(&self, snapshot: &mut Snapshot<'_>, entry: &StoredEntry) -> Result<EntryReport, Failure> {
        let identity = snapshot.identity();
        let (log_id, entry_id) = (identity.log_id().to_string(), uuid(identity.tree_id(), &entry.leaf_hash));
        let payload = entry.envelope.as_ref().map(|(_, envelope)| envelope.payload_unverified());
        let statement = payload.and_then(|payload| ParsedStatement::parse(payload).ok());
        let subjects = statement.iter().flat_map(|statement| statement.subjects()).map(|subject| SubjectReport {
            name: subject.name().to_owned(),
            sha256: subject.sha256().map(|digest| digest.hex()),
        });
        Ok(EntryReport {
            log_id,
            leaf_index: entry.index.get(),
            leaf_hash: entry.leaf_hash.to_hex(),
            entry_id,
            integrated_time: entry.integrated_time,
            predicate_type: statement.as_ref().map(|statement| statement.predicate_type().to_owned()),
            subjects: subjects.collect(),
            signer_key_id: entry.verifier.key_id().to_string(),
            signer: self.names.get(entry.verifier.key_id()).map(KeyName::to_string),
            dispositions: dispositions(snapshot, &self.standings, entry)?,
        })
    }
}

impl EntryReport {
    fn signer(&self) -> &str {
        self.signer.as_deref().unwrap_or(&self.signer_key_id)
    }

    fn row(&self) -> [String; 6] {
        let subject = match (self.subjects.first(), self.subjects.len()) {
            (None, _) => "-".to_owned(),
            (Some(first), 1) => shown(&first.name),
            (Some(first), all) => format!("{} (and {} more)", shown(&first.name), all - 1),
        };
        [
            self.leaf_index.to_string(),
            moment(self.integrated_time),
            self.predicate_type.as_deref().map_or_else(|| "-".to_owned(), shown),
            subject,
            self.signer().to_owned(),
            self.dispositions.iter().map(Disposition::to_string).collect::<Vec<_>>().join("\n"),
        ]
    }
}

/// Runs `airtight log list`.
///
/// # Errors
/// `key_not_found` for a signer's name that the keyring does not have; the codes of the site and its log.
pub fn list(args: &ListArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Read)?;
    let keyring = site.keyring().clone();
    let filter = Filter {
        subject: args.subject,
        predicate_type: args.predicate_type.as_ref().map(|kind| kind.uri().to_owned()),
        signer: args.signer.as_deref().map(|signer| key_id(signer, &keyring)).transpose()?,
        since: args.since.map(|since| since.0),
        until: args.until.map(|until| until.0.saturating_sub(1)),
    };
    let mut snapshot = site.store_mut().read()?;
    let reader = Reader::new(&keyring, &mut snapshot, call)?;
    let (mut rows, mut left) = (Vec::new(), args.limit);
    // Before 1970 there was no log: nothing is earlier than second 0.
    let nothing = args.until.is_some_and(|until| until.0 == 0);
    let mut next = LeafIndex::new(args.from).ok().filter(|_| !nothing);
    while let Some(from) = next.filter(|_| left > 0 && !call.output.is_reader_gone()) {
        let (page, after) = snapshot.list(&filter, from, u32::try_from(left).unwrap_or(PAGE_MAX).min(PAGE_MAX))?;
        left -= page.len() as u64;
        next = after;
        for index in page {
            let entry = snapshot.entry(index)?;
            let report = reader.report(&mut snapshot, &entry)?;
            if call.output.is_json() {
                call.output.json(&report);
            } else {
                rows.push(report.row());
            }
        }
    }
    if !rows.is_empty() {
        call.output.table(["INDEX", "INTEGRATED", "TYPE", "SUBJECT", "SIGNER", "STANDING"], rows);
    } else if left == args.limit {
        call.output.say("no such entries");
    }
    if let Some(next) = next.filter(|_| left == 0) {
        call.output.say(format_args!("there may be more: --from {next}"));
    }
    Ok(Exit::Done)
}

/// Reads a signer as the name of a key or as a key id.
fn key_id(signer: &str, keyring: &Keyring) -> Result<KeyId, Failure> {
    match signer.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(*keyring.public(&signer.parse()?)?.key_id()),
    }
}

/// Runs `airtight log entry`.
///
/// # Errors
/// `entry_not_found`, `leaf_only`, `log_damaged` where the entry's row, tile or time is.
pub fn entry(args: &EntryArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Read)?;
    let keyring = site.keyring().clone();
    let mut snapshot = site.store_mut().read()?;
    let index = index_in(&snapshot, args.index)?;
    let entry = snapshot.entry(index)?;
    if args.payload || args.envelope {
        let (text, envelope) = entry.envelope.as_ref().ok_or(AttestError::LeafOnly { index: index.get() })?;
        call.output.bytes(if args.payload { envelope.payload_unverified() } else { text.as_bytes() });
        return Ok(Exit::Done);
    }
    if args.leaf {
        call.output.bytes(&entry.body);
        return Ok(Exit::Done);
    }
    let report = Reader::new(&keyring, &mut snapshot, call)?.report(&mut snapshot, &entry)?;
    let (kind, version) = Body::parse(&entry.body).map_or(("unknown", ""), |body| (body.kind(), body.version()));
    let envelope = entry.envelope.as_ref();
    let report = WholeEntryReport {
        entry: report,
        kind,
        version,
        leaf_len: entry.body.len(),
        payload_type: envelope.map(|(_, envelope)| envelope.payload_type().to_owned()),
        payload_len: envelope.map(|(_, envelope)| envelope.payload_unverified().len()),
        envelope_len: envelope.map(|(text, _)| text.len()),
        tree_size: snapshot.checkpoint_covering(index.size_to_hold())?.map(|checkpoint| checkpoint.size.get()),
        kept: envelope.and_then(|(_, envelope)| Kept::of(envelope.payload_unverified()).ok()).map(|kept| KeptReport {
            name: kept.name,
            size: kept.said.size(),
            sha256: kept.sha256.hex(),
            asked: kept.said.asked,
            verdicts: kept.said.verdicts,
            met: kept.said.met,
        }),
    };
    if call.output.is_json() {
        call.output.json(&report);
    } else {
        words(&report, call);
    }
    Ok(Exit::Done)
}

fn words(report: &WholeEntryReport, call: &mut Invocation) {
    let WholeEntryReport { entry, .. } = report;
    let output = &mut call.output;
    output.line(format_args!("entry:      {}", entry.leaf_index));
    output.line(format_args!("log id:     {}", entry.log_id));
    output.line(format_args!("leaf hash:  {}", entry.leaf_hash));
    output.line(format_args!("entry id:   {}", entry.entry_id));
    output.line(format_args!("integrated: {} (claimed)", moment(entry.integrated_time)));
    output.line(format_args!("kind:       {} {}, {} bytes", report.kind, report.version, report.leaf_len));
    match (&report.payload_type, report.payload_len, report.envelope_len) {
        (Some(payload_type), Some(payload), Some(envelope)) => {
            output.line(format_args!("payload:    {}, {payload} bytes", shown(payload_type)));
            output.line(format_args!("envelope:   {envelope} bytes"));
        }
        _ => output.line("envelope:   not kept, only the leaf is"),
    }
    if let Some(predicate_type) = &entry.predicate_type {
        output.line(format_args!("predicate:  {}", shown(predicate_type)));
    }
    for subject in &entry.subjects {
        let digest = subject.sha256.as_deref().unwrap_or("no sha256");
        output.line(format_args!("subject:    {digest}  {}", shown(&subject.name)));
    }
    if let Some(kept) = &report.kept {
        let count = kept.verdicts.len();
        output.line(format_args!("keeps:      {} bytes: airtight bundle get {} --kept", kept.size, entry.leaf_index));
        output.line(format_args!("judged:     {count} verified under the trusted root {}", kept.asked.trusted_root));
        if let Some(policy) = &kept.asked.policy {
            output.line(format_args!("policy:     {policy}, met: {}", kept.met.join(", ")));
        }
    }
    let name = entry.signer.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    output.line(format_args!("signer:     {}{name}", entry.signer_key_id));
    for disposition in &entry.dispositions {
        output.line(format_args!("standing:   {}", disposition));
    }
    match report.tree_size {
        Some(size) => output.line(format_args!("checkpoint: the first over it was released at size {size}")),
        None => output.line("checkpoint: none was released over it yet"),
    }
}
