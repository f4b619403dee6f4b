//! `airtight bundle …` and `airtight trust …`: what a bundle says, what an entry's bundle is, whom to trust for it.

use std::fs;

use airtight::attest::AttestError;
use airtight::bundle::homes::{self, HomeError, Housed};
use airtight::bundle::{Bundle, Content, LogEntry, Signer};
use airtight::durable::{self, Mode};
use airtight::statement::ParsedStatement;
use airtight::statement::kept::Kept;
use airtight::sync::kept;
use airtight_log::digest::sha256;
use airtight_log::store::Access;
use serde::Serialize;

use crate::artifacts;
use crate::cli::bundle::{BundleCommand, GetArgs, TrustCommand};
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::invocation::Invocation;
use crate::log::index_in;
use crate::sync::target_of;
use crate::verify::trusted_root;

/// What a bundle says of itself; nothing of it is verified.
#[derive(Serialize)]
struct Inspection {
    verified: bool,
    content: &'static str,
    payload_type: Option<String>,
    predicate_type: Option<String>,
    subjects: Vec<InspectedSubject>,
    hint: String,
    certificate: Option<String>,
    log_id: String,
    log_index: u64,
    leaf_index: Option<u64>,
    kind: String,
    version: String,
    integrated_time: Option<u64>,
    tree_size: Option<u64>,
    root_hash: Option<String>,
    checkpoint: Option<String>,
    other_entries: Vec<InspectedEntry>,
}

#[derive(Serialize)]
struct InspectedEntry {
    log_id: String,
    log_index: u64,
    kind: String,
    version: String,
    integrated_time: Option<u64>,
}

impl InspectedEntry {
    fn of(entry: &LogEntry<'_>) -> InspectedEntry {
        InspectedEntry {
            log_id: hex::encode(entry.log_id),
            log_index: entry.log_index.get(),
            kind: entry.kind.clone().into_owned(),
            version: entry.version.clone().into_owned(),
            integrated_time: entry.integrated_time,
        }
    }
}

#[derive(Serialize)]
struct InspectedSubject {
    name: String,
    sha256: Option<String>,
}

/// Runs one command about bundles.
///
/// # Errors
/// `bundle_malformed` with the code of the shape, `entry_not_found`, and what the site refuses.
pub fn run(command: &BundleCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    match command {
        BundleCommand::Inspect(args) => {
            let text = fs::read(&args.file).map_err(|error| artifacts::unreadable(&args.file, &error))?;
            let found = match homes::housed(&text) {
                Ok(found) => found.into_iter().map(|Housed { place, text }| (place, text.into_bytes())).collect(),
                // A bundle that is none is told by its own reader, with the code of its fault.
                Err(HomeError::NotJson(_)) => vec![(String::new(), text)],
                Err(error) => {
                    let message = format!("{}: {error}", args.file.display());
                    return Err(Failure::new(Exit::Malformed, error.code(), message));
                }
            };
            for (place, text) in found {
                let bundle = Bundle::parse(&text).map_err(|error| {
                    let place = if place.is_empty() { place.clone() } else { format!("{place}: ") };
                    let message = format!("{}: {place}{error}", args.file.display());
                    Failure::new(Exit::Malformed, error.code(), message)
                })?;
                if !place.is_empty() && !call.output.is_json() {
                    call.output.line(format_args!("{place}:"));
                }
                inspect(&bundle, call);
            }
            Ok(Exit::Done)
        }
        BundleCommand::Get(args) => get(args, call),
    }
}

/// Prints the bundle of an entry: this log's, another log's, this log's under an anchor; or what others signed and the entry keeps.
fn get(args: &GetArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site_to_judge()?;
    if args.kept {
        let mut snapshot = site.store_mut().read()?;
        let index = index_in(&snapshot, args.index)?;
        let entry = snapshot.entry(index)?;
        let (_, envelope) = entry.envelope.ok_or(AttestError::LeafOnly { index: index.get() })?;
        let kept = Kept::of(envelope.payload_unverified()).map_err(|error| failure::kept(index.get(), &error))?;
        call.output.bytes(&kept.content);
        call.output.say(format_args!("entry {index}: {}, {} bytes, {}", kept.name, kept.content.len(), kept.sha256));
        return Ok(Exit::Done);
    }
    if let Some(name) = &args.receipt {
        let target = target_of(&mut site, Some(name), call)?;
        let mut snapshot = site.store_mut().read()?;
        let index = index_in(&snapshot, args.index)?;
        let receipt = kept::receipt(&mut snapshot, &target, index, call.now()?)?;
        call.output.bytes(receipt.bundle().as_bytes());
        call.output.say(format_args!("entry {index}: {name}: logged as {}", receipt.uuid()));
        return Ok(Exit::Done);
    }
    let log = site.keyring().load_log(&mut call.passphrase.unlock())?;
    let proven = if args.with_anchor {
        let target = target_of(&mut site, args.target.as_deref(), call)?;
        let (index, (text, size)) = {
            let mut snapshot = site.store_mut().read()?;
            let index = index_in(&snapshot, args.index)?;
            (index, kept::anchor(&mut snapshot, &target, index, call.now()?)?)
        };
        if let Some(path) = &args.anchor_out {
            durable::replace(path, text.as_bytes(), Mode::Public).map_err(|error| {
                Failure::by_system("output_unwritable", format!("{}: {error}", path.display()), &error)
            })?;
        }
        site.bundle_at(index, size, &log)?
    } else {
        site.bundle(args.index, &log)?
    };
    call.output.bytes(proven.bundle.as_bytes());
    for disposition in &proven.dispositions {
        call.output.say(format_args!("entry {}: {disposition}", proven.index));
    }
    Ok(Exit::Done)
}

fn inspect(bundle: &Bundle<'_>, call: &mut Invocation) {
    let entry = bundle.entry();
    let (mut payload_type, mut predicate_type, mut subjects) = (None, None, Vec::new());
    let content = match bundle.content() {
        Content::Envelope { envelope, .. } => {
            payload_type = Some(envelope.payload_type().to_owned());
            if let Ok(statement) = ParsedStatement::parse(envelope.payload_unverified()) {
                predicate_type = Some(statement.predicate_type().to_owned());
                subjects.extend(statement.subjects().iter().map(|subject| InspectedSubject {
                    name: subject.name().to_owned(),
                    sha256: subject.sha256().map(|digest| digest.hex()),
                }));
            }
            "dsseEnvelope"
        }
        Content::Message { digest, .. } => {
            subjects.push(InspectedSubject { name: String::new(), sha256: Some(digest.hex()) });
            "messageSignature"
        }
    };
    let (hint, certificate) = match bundle.signer() {
        Signer::Key { hint } => (hint.clone().into_owned(), None),
        Signer::Certificate { leaf, .. } => (String::new(), Some(sha256(leaf).hex())),
    };
    let inspection = Inspection {
        verified: false,
        content,
        payload_type,
        predicate_type,
        subjects,
        hint,
        certificate,
        log_id: hex::encode(entry.log_id),
        log_index: entry.log_index.get(),
        leaf_index: entry.proof.as_ref().map(|proof| proof.log_index.get()),
        kind: entry.kind.clone().into_owned(),
        version: entry.version.clone().into_owned(),
        integrated_time: entry.integrated_time,
        tree_size: entry.proof.as_ref().map(|proof| proof.tree_size.get()),
        root_hash: entry.proof.as_ref().map(|proof| proof.root_hash.to_hex()),
        checkpoint: entry.proof.as_ref().map(|proof| proof.checkpoint.clone().into_owned()),
        other_entries: bundle.entries()[1..].iter().map(InspectedEntry::of).collect(),
    };
    if call.output.is_json() {
        call.output.json(&inspection);
        return;
    }
    let output = &mut call.output;
    output.line("UNVERIFIED: what the file says of itself");
    output.line(format_args!("content:    {}", inspection.content));
    for (label, value) in [("payload:   ", &inspection.payload_type), ("predicate: ", &inspection.predicate_type)] {
        if let Some(value) = value {
            output.line(format_args!("{label} {value}"));
        }
    }
    for subject in &inspection.subjects {
        let digest = subject.sha256.as_deref().unwrap_or("no sha256");
        output.line(format_args!("subject:    {digest}  {}", subject.name));
    }
    match &inspection.certificate {
        Some(digest) => output.line(format_args!("signer:     a certificate, sha256 {digest}")),
        None => output.line(format_args!("hint:       {}", inspection.hint)),
    }
    output.line(format_args!("log id:     {}", inspection.log_id));
    let index = inspection.leaf_index.unwrap_or(inspection.log_index);
    output.line(format_args!("entry:      {} {} at index {index}", inspection.kind, inspection.version));
    match (inspection.tree_size, &inspection.root_hash) {
        (Some(size), Some(root)) => output.line(format_args!("tree:       size {size}, root {root}")),
        _ => output.line("tree:       no proof, only the log's promise"),
    }
    if let Some(origin) = inspection.checkpoint.as_ref().and_then(|checkpoint| checkpoint.lines().next()) {
        output.line(format_args!("checkpoint: {origin}"));
    }
    for InspectedEntry { log_id, log_index, kind, version, .. } in &inspection.other_entries {
        output.line(format_args!("entry too:  {kind} {version} at index {log_index} of log {log_id}"));
    }
    output.say("judge it with `airtight verify`");
}

/// Runs one command about trusted roots.
///
/// # Errors
/// `trusted_root_malformed`, `trusted_root_conflict`, and what the site refuses.
pub fn trust(command: &TrustCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    let TrustCommand::Export(args) = command;
    let site = call.open_site(Access::Read)?;
    let mut root = site.trusted_root();
    if let Some(path) = &args.with {
        root.merge(&trusted_root(path)?).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            Failure::new(Exit::Malformed, "trusted_root_conflict", message)
        })?;
    }
    call.output.bytes(root.render().as_bytes());
    Ok(Exit::Done)
}
