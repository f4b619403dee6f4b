//! `airtight bundle …`: what a bundle says; and, in `bundle/of_site.rs`, what an entry's bundle is, and whom to trust for it.

use airtight::bundle::homes::{self, HomeError, Housed};
use airtight::bundle::{Bundle, Content, LogEntry, Signer};
use airtight::statement::digests::{Digests, text_of};
use airtight::statement::{ParsedStatement, ParsedSubject};
use airtight_keys::verifier::HashFunction;
use airtight_log::digest::sha256;
use serde::Serialize;

use crate::artifacts;
use crate::cli::bundle::BundleCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

#[cfg(feature = "site")]
mod of_site;

#[cfg(feature = "site")]
pub use of_site::trust;

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
    log_id: Option<String>,
    log_index: Option<u64>,
    leaf_index: Option<u64>,
    kind: Option<String>,
    version: Option<String>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    sha384: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha512: Option<String>,
    /// For a person: the SHA-256, or what there is in its place.
    #[serde(skip)]
    shown: String,
}

impl InspectedSubject {
    fn of(name: String, digests: &Digests) -> InspectedSubject {
        let of = |algorithm| digests.of(algorithm).map(|digest| hex::encode(digest.as_bytes()));
        let sha256 = of(HashFunction::Sha256);
        let other = digests.iter().next().map_or_else(|| "no sha256".to_owned(), |digest| text_of(&digest));
        let shown = sha256.clone().unwrap_or(other);
        InspectedSubject { name, sha256, sha384: of(HashFunction::Sha384), sha512: of(HashFunction::Sha512), shown }
    }
}

/// Runs one command about bundles.
///
/// # Errors
/// `bundle_malformed` with the code of the shape, `entry_not_found`, and what the site refuses.
pub fn run(command: &BundleCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    match command {
        BundleCommand::Inspect(args) => {
            let text = artifacts::bundle_text(&args.file).map_err(|error| artifacts::unreadable(&args.file, &error))?;
            let found = match homes::housed(&text) {
                Ok(found) => {
                    found.into_iter().map(|Housed { place, text }| (place, text.into_owned().into_bytes())).collect()
                }
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
        #[cfg(feature = "site")]
        BundleCommand::Get(args) => of_site::get(args, call),
    }
}

fn inspect(bundle: &Bundle<'_>, call: &mut Invocation) {
    let (entry, others) = match bundle.entries() {
        [] => (None, &[][..]),
        [first, others @ ..] => (Some(first), others),
    };
    let proof = entry.and_then(|entry| entry.proof.as_ref());
    let (mut payload_type, mut predicate_type, mut subjects) = (None, None, Vec::new());
    let content = match bundle.content() {
        Content::Envelope { envelope, .. } => {
            payload_type = Some(envelope.payload_type().to_owned());
            if let Ok(statement) = ParsedStatement::parse(envelope.payload_unverified()) {
                predicate_type = Some(statement.predicate_type().to_owned());
                let of =
                    |subject: &ParsedSubject<'_>| InspectedSubject::of(subject.name().to_owned(), subject.digests());
                subjects.extend(statement.subjects().iter().map(of));
            }
            "dsseEnvelope"
        }
        Content::Message { digest, .. } => {
            subjects.push(InspectedSubject::of(String::new(), &Digests::from(*digest)));
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
        log_id: entry.map(|entry| hex::encode(entry.log_id)),
        log_index: entry.map(|entry| entry.log_index.get()),
        leaf_index: proof.map(|proof| proof.log_index.get()),
        kind: entry.map(|entry| entry.kind.clone().into_owned()),
        version: entry.map(|entry| entry.version.clone().into_owned()),
        integrated_time: entry.and_then(|entry| entry.integrated_time),
        tree_size: proof.map(|proof| proof.tree_size.get()),
        root_hash: proof.map(|proof| proof.root_hash.to_hex()),
        checkpoint: proof.map(|proof| proof.checkpoint.clone().into_owned()),
        other_entries: others.iter().map(InspectedEntry::of).collect(),
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
        output.line(format_args!("subject:    {}  {}", subject.shown, subject.name));
    }
    match &inspection.certificate {
        Some(digest) => output.line(format_args!("signer:     a certificate, sha256 {digest}")),
        None => output.line(format_args!("hint:       {}", inspection.hint)),
    }
    match entry {
        None => output.line("entry:      none, of no log"),
        Some(entry) => {
            output.line(format_args!("log id:     {}", hex::encode(entry.log_id)));
            let index = proof.map_or(entry.log_index, |proof| proof.log_index);
            output.line(format_args!("entry:      {} {} at index {index}", entry.kind, entry.version));
            match proof {
                Some(proof) => {
                    output.line(format_args!("tree:       size {}, root {}", proof.tree_size, proof.root_hash));
                }
                None => output.line("tree:       no proof, only the log's promise"),
            }
        }
    }
    if let Some(origin) = inspection.checkpoint.as_ref().and_then(|checkpoint| checkpoint.lines().next()) {
        output.line(format_args!("checkpoint: {origin}"));
    }
    for InspectedEntry { log_id, log_index, kind, version, .. } in &inspection.other_entries {
        output.line(format_args!("entry too:  {kind} {version} at index {log_index} of log {log_id}"));
    }
    output.say("judge it with `airtight verify`");
}
