//! `airtight timestamp …`: time stamps through files, from an authority that only the site reaches.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use airtight::attest::Site;
use airtight::bundle::token::TOKEN_LEN_MAX;
use airtight::durable::{self, Mode};
use airtight::sync::kept::{self, KeptError};
use airtight::sync::target::Target;
use airtight::sync::timestamp::{accept, request, signature};
use airtight_log::digest::LeafIndex;
use airtight_log::store::{Access, Snapshot};
use serde::Serialize;

use crate::artifacts::unreadable;
use crate::cli::timestamp::{ImportArgs, RequestArgs, TimestampCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::log::index_in;
use crate::sync::import::bundle_name;
use crate::sync::permission::require_permission;
use crate::sync::target_of;

/// How many entries are read, and tokens kept, at once.
pub const PAGE: usize = 1_000;
/// How many refusals are told.
const REFUSALS_MAX: usize = 1_000;

/// What was written, as `--json` shows it.
#[derive(Serialize)]
struct RequestReport {
    log_id: String,
    target: String,
    requests: u64,
    /// Entries of which only the leaf is kept: there is no signature to stamp.
    leaf_only: u64,
}

/// What was taken in, as `--json` shows it.
#[derive(Serialize)]
struct ImportReport {
    log_id: String,
    target: String,
    timestamps: u64,
    refused: u64,
    refusals: Vec<Refused>,
}

/// An answer that does not count.
#[derive(Serialize)]
struct Refused {
    file: String,
    code: &'static str,
    message: String,
}

/// Runs one command about time stamps.
///
/// # Errors
/// The codes of targets and of the log; `receipt_not_found`, `timestamp_authority_unknown`. What does not hold of answers is
/// in the report, and makes the exit code 1.
pub fn run(command: &TimestampCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    match command {
        TimestampCommand::Request(args) => write(args, call),
        TimestampCommand::Import(args) => import(args, call),
    }
}

/// Refuses a target whose trusted root names no time stamp authority: no answer could count.
///
/// # Errors
/// `timestamp_authority_unknown`.
pub fn require_authority(target: &Target) -> Result<(), Failure> {
    if !target.trusted_root.authorities().is_empty() {
        return Ok(());
    }
    let message = format!("the trusted root of {} names no time stamp authority", target.name);
    Err(Failure::new(Exit::Usage, "timestamp_authority_unknown", message)
        .next("name the target again with a trusted root that has it in timestampAuthorities"))
}

fn write(args: &RequestArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Read)?;
    let target = target_of(&mut site, args.target.as_deref(), call)?;
    require_permission(&mut site, target.name.as_str())?;
    require_authority(&target)?;
    fs::create_dir_all(&args.out).map_err(|error| unwritable(&args.out, &error))?;
    let log_id = site.store().identity().log_id().to_string();
    let mut report = RequestReport { log_id, target: target.name.to_string(), requests: 0, leaf_only: 0 };
    let mut snapshot = site.store_mut().read()?;
    if args.indexes.is_empty() {
        let mut from = 0;
        loop {
            let page = snapshot.unstamped(target.name.as_str(), from, PAGE)?;
            let Some(last) = page.last() else { break };
            from = last.get() + 1;
            for index in page {
                write_one(&mut snapshot, &target, index, &args.out, &mut report)?;
            }
        }
    }
    for stretch in &args.indexes {
        index_in(&snapshot, stretch.last)?;
        for number in stretch.first..=stretch.last {
            let index = index_in(&snapshot, number)?;
            if snapshot.sent(target.name.as_str(), index)?.is_some() {
                write_one(&mut snapshot, &target, index, &args.out, &mut report)?;
            } else if stretch.is_one() {
                return Err(KeptError::NoReceipt { index: number, target: target.name.to_string() }.into());
            }
        }
    }
    if call.output.is_json() {
        call.output.json(&report);
    } else {
        let RequestReport { target, requests, leaf_only, .. } = &report;
        call.output.line(format_args!("{target}: {requests} requests in {}", args.out.display()));
        if *leaf_only > 0 {
            call.output.say(format_args!("of {leaf_only} entries only the leaf is kept, and no signature to stamp"));
        }
        call.output.say(format_args!("answer each as INDEX.{target}.tsr, then: airtight timestamp import DIR"));
    }
    Ok(Exit::Done)
}

fn write_one(
    snapshot: &mut Snapshot<'_>,
    target: &Target,
    index: LeafIndex,
    out: &Path,
    report: &mut RequestReport,
) -> Result<(), Failure> {
    let entry = snapshot.entry(index)?;
    let Some(signature) = signature(&entry) else {
        report.leaf_only += 1;
        return Ok(());
    };
    // Without a nonce: nobody here would remember it, and a token of the same signature from before is as good.
    let path = out.join(format!("{index}.{}.tsq", target.name));
    durable::replace(&path, &request(signature, None), Mode::Public).map_err(|error| unwritable(&path, &error))?;
    report.requests += 1;
    Ok(())
}

fn import(args: &ImportArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Write)?;
    let target = target_of(&mut site, args.target.as_deref(), call)?;
    require_authority(&target)?;
    let log_id = site.store().identity().log_id().to_string();
    let mut report =
        ImportReport { log_id, target: target.name.to_string(), timestamps: 0, refused: 0, refusals: Vec::new() };
    let now = call.now()?;
    for page in answers(&args.from)?.chunks(PAGE) {
        let mut tokens = Vec::new();
        let mut snapshot = site.store_mut().read()?;
        for path in page {
            match token(&mut snapshot, &target, path, now)? {
                Ok(token) => tokens.push(token),
                Err((code, message)) => {
                    report.refused += 1;
                    if report.refusals.len() < REFUSALS_MAX {
                        report.refusals.push(Refused { file: path.display().to_string(), code, message });
                    }
                }
            }
        }
        drop(snapshot);
        report.timestamps += keep(&mut site, &target, &tokens, args.bundles.as_deref(), call)?;
    }
    let exit = if report.refused > 0 { Exit::Refused } else { Exit::Done };
    if call.output.is_json() {
        call.output.json(&report);
        return Ok(exit);
    }
    let ImportReport { target, timestamps, refused, refusals, .. } = &report;
    call.output.line(format_args!("{target}: {timestamps} time stamps verified and kept"));
    if *refused > 0 {
        call.output.line(format_args!("{target}: {refused} answers that do not hold"));
    }
    for Refused { file, code, message } in refusals.iter().take(10) {
        call.output.say(format_args!("refused[{code}]: {file}: {message}"));
    }
    Ok(exit)
}

/// Lists the answers: of a directory, those that end with .tsr.
fn answers(from: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in from {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
        let paths = paths.map_err(|error| unreadable(path, &error))?;
        found.extend(paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "tsr")));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

type Judged = Result<(LeafIndex, Vec<u8>), (&'static str, String)>;

/// Reads an answer and verifies it for the entry that its name begins with.
fn token(snapshot: &mut Snapshot<'_>, target: &Target, path: &Path, now: u64) -> Result<Judged, Failure> {
    let mut answer = Vec::new();
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(TOKEN_LEN_MAX as u64 + 1).read_to_end(&mut answer).map_err(|error| unreadable(path, &error))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let digits = name.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let index = digits.parse().ok().and_then(|index| index_in(snapshot, index).ok());
    let Some(index) = index else {
        let message = format!("{name:?} does not begin with the index of an entry of this log");
        return Ok(Err(("timestamp_file_name", message)));
    };
    if snapshot.sent(target.name.as_str(), index)?.is_none() {
        let error = KeptError::NoReceipt { index: index.get(), target: target.name.to_string() };
        return Ok(Err((error.code(), error.to_string())));
    }
    let entry = snapshot.entry(index)?;
    let Some(signature) = signature(&entry) else {
        return Ok(Err(("leaf_only", format!("of entry {index} only the leaf is kept, and no signature to stamp"))));
    };
    let accepted = accept(&answer, signature, None, target, now);
    Ok(accepted.map(|_| (index, answer)).map_err(|refusal| (refusal.code(), refusal.to_string())))
}

/// Keeps tokens that were verified, and writes the upgraded bundles with them where these are wanted; gives how many.
///
/// # Errors
/// The log's own, and `output_unwritable`.
pub fn keep(
    site: &mut Site,
    target: &Target,
    tokens: &[(LeafIndex, Vec<u8>)],
    bundles: Option<&Path>,
    call: &Invocation,
) -> Result<u64, Failure> {
    if tokens.is_empty() {
        return Ok(0);
    }
    let kept = site.keep_timestamps(target.name.as_str(), tokens, &call.holder("timestamp"))?;
    let Some(directory) = bundles else { return Ok(kept) };
    fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
    let mut snapshot = site.store_mut().read()?;
    for (index, _) in tokens {
        let receipt = kept::receipt(&mut snapshot, target, *index, call.now()?)?;
        let path = directory.join(bundle_name(&snapshot.entry(*index)?, target.name.as_str()));
        let written = durable::replace(&path, receipt.bundle().as_bytes(), Mode::Public);
        written.map_err(|error| unwritable(&path, &error))?;
    }
    Ok(kept)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::by_system("output_unwritable", format!("{}: {error}", path.display()), error)
}
