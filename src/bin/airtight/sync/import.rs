//! `airtight sync import`: a receipts pack comes home, and what holds of it is said in the log.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use airtight::attest::{Site, SiteKeys};
use airtight::config::progress;
use airtight::durable::{self, Mode};
use airtight::pack::receipts::ReceiptsPack;
use airtight::statement::ParsedStatement;
use airtight::sync::import::{AnswerRefusal, Imported, Terms, import};
use airtight::sync::kept;
use airtight::sync::receipt::VerifiedReceipt;
use airtight::sync::target::Target;
use airtight::sync::targets::earlier;
use airtight_keys::public::KeyId;
use airtight_log::digest::Hash;
use airtight_log::store::{Access, StoredEntry};
use serde::Serialize;

use crate::cli::sync::carry::ImportArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// What was taken in, as `--json` shows it.
#[derive(Serialize)]
pub struct ImportReport {
    log_id: String,
    target: String,
    receipts: u64,
    known: u64,
    /// Tree sizes of this log whose checkpoints the other log has.
    anchors: Vec<u64>,
    rejected: Vec<Rejected>,
    exceptions: u64,
    refused: u64,
    refusals: Vec<Refused>,
    remaining: u64,
}

#[derive(Serialize)]
struct Rejected {
    status: u16,
    entries: u64,
}

#[derive(Serialize)]
struct Refused {
    code: &'static str,
    message: String,
}

/// What `sync status` calls those of a pack that came home without an answer: why, the courier's host knows.
const UNANSWERED: &str = "unanswered";
/// How many refusals are said one by one to a person.
const REFUSALS_SAID: usize = 10;

/// Runs `airtight sync import`.
///
/// # Errors
/// The codes of packs, targets, keys and the log. Answers that do not hold are in the report, and make the exit code 1.
pub fn run(args: &ImportArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Write)?;
    let mut pack = ReceiptsPack::open(&args.receipts)?;
    pack.check_site(&site.store().identity().log_id().to_string())?;
    let manifest = pack.manifest().clone();
    let target = super::target_of(&mut site, Some(&manifest.target.name), call)?;
    let keys = site.unlock(&site.default_signer()?, &mut call.passphrase.unlock())?;
    let taken = take_in(&mut site, &mut pack, &target, &keys, args.accept_refusals, args.bundles.as_deref(), call)?;
    let mut known = progress::read(&call.home, &target.name);
    let remaining =
        if manifest.remaining == 0 { BTreeMap::new() } else { [(UNANSWERED.to_owned(), manifest.remaining)].into() };
    let answered = taken.receipts + taken.known;
    known.upload = Some(progress::Uploaded { at: call.now()?, answered, remaining });
    // Nothing hangs on it.
    let _ = progress::write(&call.home, &target.name, &known);
    if let Some(path) = &args.anchor_out {
        let text = kept::newest_anchor(&mut site.store_mut().read()?, &target, call.now()?)?;
        durable::replace(path, text.as_bytes(), Mode::Public).map_err(|error| unwritable(path, &error))?;
    }
    let log_id = site.store().identity().log_id().to_string();
    Ok(show(ImportReport::of(log_id, &target, &taken, manifest.remaining), call))
}

/// Takes in the answers of a pack of this site, and writes the upgraded bundles where they are wanted.
///
/// # Errors
/// As [`run`].
pub fn take_in(
    site: &mut Site,
    pack: &mut ReceiptsPack,
    target: &Target,
    keys: &SiteKeys,
    believes_refusals: bool,
    bundles: Option<&Path>,
    call: &Invocation,
) -> Result<Imported, Failure> {
    if let Some(directory) = bundles {
        fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
    }
    let earlier = earlier_log(site, pack, target)?;
    let target = earlier.as_ref().unwrap_or(target);
    let terms = Terms { keys, target, believes_refusals, now: call.now()?, holder: "sync import" };
    let mut lines = pack.lines()?;
    let mut bundle = |entry: &StoredEntry, receipt: &VerifiedReceipt| match bundles {
        Some(directory) => {
            let path = directory.join(bundle_name(entry, target.name.as_str()));
            durable::replace(&path, receipt.bundle().as_bytes(), Mode::Public)
        }
        None => Ok(()),
    };
    Ok(import(site, &mut lines, &terms, &mut bundle)?)
}

/// Gives the target with the log that a pack was made for, where another has taken its place since.
fn earlier_log(site: &mut Site, pack: &ReceiptsPack, target: &Target) -> Result<Option<Target>, Failure> {
    let asked = Hash::from_hex(&pack.manifest().target.log_id).map(|id| KeyId::from_bytes(*id.as_bytes()));
    let asked = asked.expect("invariant: a manifest that was read has a log id");
    if asked == target.log_id() {
        return Ok(None);
    }
    Ok(earlier(&mut site.store_mut().read()?, target, &asked)?)
}

/// Names the upgraded bundle of an entry: its index, its first subject without what a file name cannot hold, the target.
pub fn bundle_name(entry: &StoredEntry, target: &str) -> PathBuf {
    let statement =
        entry.envelope.as_ref().and_then(|(_, envelope)| ParsedStatement::parse(envelope.payload_unverified()).ok());
    let subject = statement.as_ref().and_then(|statement| statement.subjects().first());
    let name = subject.map(|subject| subject.name()).unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-+".contains(c) { c } else { '_' }).take(80).collect();
    let plain = if plain.is_empty() { "entry".to_owned() } else { plain };
    PathBuf::from(format!("{}-{plain}.{target}.sigstore.json", entry.index))
}

impl ImportReport {
    /// Puts together what was taken in.
    pub fn of(log_id: String, target: &Target, taken: &Imported, remaining: u64) -> ImportReport {
        let refused = |refusal: &AnswerRefusal| Refused { code: refusal.code(), message: refusal.to_string() };
        ImportReport {
            log_id,
            target: target.name.to_string(),
            receipts: taken.receipts,
            known: taken.known,
            anchors: taken.anchors.clone(),
            rejected: taken
                .rejected
                .iter()
                .map(|(status, entries)| Rejected { status: *status, entries: *entries })
                .collect(),
            exceptions: taken.exceptions,
            refused: taken.refused,
            refusals: taken.refusals.iter().map(refused).collect(),
            remaining,
        }
    }

    /// Returns the name of the target.
    #[cfg(feature = "net")]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Says what was taken in.
    pub fn words(&self, call: &mut Invocation) {
        let ImportReport { target, receipts, known, refused, .. } = self;
        call.output.line(format_args!("{target}: {receipts} receipts verified and logged, {known} known before"));
        for size in &self.anchors {
            call.output
                .line(format_args!("{target}: an anchor verified and logged: it covers the first {size} entries"));
        }
        for Rejected { status, entries } in &self.rejected {
            call.output.line(format_args!("{target}: {entries} entries that the log refused with status {status}"));
        }
        if !self.rejected.is_empty() && self.exceptions == 0 {
            call.output.say("a refusal cannot be verified, so these wait on; --accept-refusals believes the courier");
        }
        if *refused > 0 {
            call.output.line(format_args!("{target}: {refused} answers that do not hold"));
        }
        for Refused { code, message } in self.refusals.iter().take(REFUSALS_SAID) {
            call.output.say(format_args!("refused[{code}]: {message}"));
        }
    }
}

/// Shows what was taken in.
fn show(report: ImportReport, call: &mut Invocation) -> Exit {
    let exit = if report.refused > 0 { Exit::Refused } else { Exit::Done };
    if call.output.is_json() {
        call.output.json(&report);
        return exit;
    }
    report.words(call);
    if report.remaining > 0 {
        let words = "entries of the pack have no answer yet; later receipts may be imported as well";
        call.output.say(format_args!("{} {words}", report.remaining));
    }
    exit
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::by_system("output_unwritable", format!("{}: {error}", path.display()), error)
}
