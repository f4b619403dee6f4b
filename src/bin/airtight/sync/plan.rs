//! `airtight sync plan`: what would become public, before it does; and the signature of whoever agrees to it.

use std::fs::File;
use std::io::{BufWriter, Write};

use airtight::attest::{Control, Site, SiteKeys, standings};
use airtight::disposition::{Persistence, PlanMode, SkipReason};
use airtight::sync::approval::approval;
use airtight::sync::export::{Selection, line};
use airtight::sync::plan::{Summary, Whole, summary, whole};
use airtight::sync::request::Request;
use airtight::sync::target::Target;
use airtight_log::digest::LeafIndex;
use airtight_log::store::{Access, Fault};
use serde::Serialize;

use super::export::{LeftReport, len_max};
use crate::cli::sync::carry::{Mode, PlanArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::log::index_in;

/// A plan, as `--json` shows it.
#[derive(Serialize)]
struct PlanReport {
    log_id: String,
    target: String,
    api_version: u8,
    url: String,
    mode: &'static str,
    permitted: bool,
    entries: u64,
    first: Option<u64>,
    /// How many requests the figures below were taken from.
    sampled: u64,
    bytes_about: u64,
    budget: String,
    seconds_at_budget: Option<u64>,
    keys: Vec<KeyReport>,
    /// Of the requests looked at, how many digests of each kind anybody can search for.
    searchable: std::collections::BTreeMap<&'static str, u64>,
    cannot_go: std::collections::BTreeMap<&'static str, u64>,
    /// What was read in full, where it was asked for.
    whole: Option<WholeReport>,
}

#[derive(Serialize)]
struct KeyReport {
    key_id: String,
    algorithm: &'static str,
}

/// A plan that was read in full.
#[derive(Serialize)]
struct WholeReport {
    entries: u64,
    bytes: u64,
    set: String,
    left: LeftReport,
    /// The leaf index of the approval.
    approval: Option<u64>,
}

/// Runs `airtight sync plan`. It asks for no permission, for nothing leaves.
///
/// # Errors
/// The codes of targets and of the log; `entry_not_sendable`, `approver_is_signer`, `output_exists`, `output_unwritable`.
pub fn run(args: &PlanArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let access = if args.approve_by.is_some() { Access::Write } else { Access::Read };
    let mut site = call.open_site(access)?;
    let target = super::target_of(&mut site, args.target.as_deref(), call)?;
    if args.mode == Mode::Anchor {
        return super::anchor::plan(args, &mut site, &target, call);
    }
    if let Some(index) = args.show {
        return show_request(&mut site, &target, index, call);
    }
    let permitted = site.permission()?.is_given(target.name.as_str());
    let budget = site.config().sync.budget;
    let len_max = len_max(&site);
    let at_a_glance = {
        let mut snapshot = site.store_mut().read()?;
        let standings = standings(&mut snapshot)?;
        summary(&mut snapshot, &standings, &target, len_max)?
    };
    let whole = match (&args.out, &args.approve_by) {
        (None, None) => None,
        _ => Some(read_whole(args, &mut site, &target, call)?),
    };
    let report = PlanReport {
        log_id: site.store().identity().log_id().to_string(),
        target: target.name.to_string(),
        api_version: target.api.number(),
        url: target.url.clone(),
        mode: "entries",
        permitted,
        entries: at_a_glance.pending(),
        first: at_a_glance.first,
        sampled: at_a_glance.sampled,
        bytes_about: at_a_glance.bytes_about(),
        budget: budget.to_string(),
        seconds_at_budget: budget.per_hour().map(|per_hour| at_a_glance.seconds_at(per_hour)),
        keys: at_a_glance
            .keys
            .iter()
            .map(|key| KeyReport { key_id: key.key_id().to_string(), algorithm: key.algorithm().name() })
            .collect(),
        searchable: at_a_glance.search.iter().map(|(kind, count)| (kind.name(), *count)).collect(),
        cannot_go: cannot_go(&at_a_glance),
        whole,
    };
    if call.output.is_json() {
        call.output.json(&report);
    } else {
        words(&report, call);
    }
    Ok(Exit::Done)
}

/// Returns what is kept here for good, by reason; the site's own entries are not named, for nobody would expect them to go.
fn cannot_go(summary: &Summary) -> std::collections::BTreeMap<&'static str, u64> {
    let is_final = |reason: &SkipReason| {
        reason.persistence() == Persistence::Final
            && !matches!(reason, SkipReason::ControlEntry | SkipReason::CoveredByAnchor)
    };
    summary
        .counts
        .reasons
        .iter()
        .filter(|(reason, _)| is_final(reason))
        .map(|(r, count)| (r.as_str(), *count))
        .collect()
}

/// Prints one request.
fn show_request(site: &mut Site, target: &Target, index: u64, call: &mut Invocation) -> Result<Exit, Failure> {
    let len_max = len_max(site);
    let mut snapshot = site.store_mut().read()?;
    let index: LeafIndex = index_in(&snapshot, index)?;
    let entry = snapshot.entry(index)?;
    let request = Request::of(&entry, target.api, len_max).map_err(|unsendable| {
        Failure::new(Exit::Refused, "entry_not_sendable", unsendable.to_string())
            .next(format!("see where it stands with `airtight log entry {index}`"))
    })?;
    call.output.bytes(format!("{}\n", request.body).as_bytes());
    for key in &request.search {
        call.output.say(format_args!("anybody can find it by: sha256:{} ({})", key.digest.hex(), key.of.name()));
    }
    Ok(Exit::Done)
}

/// Says why the requests cannot be written to a file.
pub fn unwritable(path: &std::path::Path, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        let message = format!("{} is there already", path.display());
        return Failure::new(Exit::Usage, "output_exists", message)
            .next("name a file that is not there yet with --out");
    }
    Failure::by_system("output_unwritable", format!("{}: {error}", path.display()), error)
}

enum Stopped {
    Log(Fault),
    File(std::io::Error),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Stopped {
        Stopped::Log(fault)
    }
}

/// Reads the plan in full, writes it where that is asked for, and signs it where somebody approves.
fn read_whole(
    args: &PlanArgs,
    site: &mut Site,
    target: &Target,
    call: &mut Invocation,
) -> Result<WholeReport, Failure> {
    let unwritable =
        |error: &std::io::Error| unwritable(args.out.as_deref().unwrap_or(std::path::Path::new("")), error);
    let approver = args.approve_by.as_deref().map(|key| approver(key, site, call)).transpose()?;
    let mut file = match &args.out {
        Some(path) => Some(BufWriter::new(File::create_new(path).map_err(|error| unwritable(&error))?)),
        None => None,
    };
    let selection = Selection { target, from: 0, limit: u64::MAX, len_max: len_max(site), approved: None };
    let plan: Whole = {
        let mut snapshot = site.store_mut().read()?;
        let standings = standings(&mut snapshot)?;
        let mut take = |request: &Request| match &mut file {
            Some(file) => {
                let mut text =
                    serde_json::to_vec(&line(request)).expect("invariant: a line is numbers, texts and JSON");
                text.push(b'\n');
                file.write_all(&text).map_err(Stopped::File)
            }
            None => Ok(()),
        };
        whole(&mut snapshot, &standings, &selection, &mut take).map_err(|stopped| match stopped {
            Stopped::Log(fault) => Failure::from(fault),
            Stopped::File(error) => unwritable(&error),
        })?
    };
    if let Some(mut file) = file {
        file.flush().map_err(|error| unwritable(&error))?;
    }
    let approved = match approver {
        Some(keys) if plan.entries > 0 => {
            let said = Control::Approval(approval(target, PlanMode::Entries, &plan));
            Some(site.say(&[said], &keys, call.now()?, "sync plan")?[0])
        }
        Some(_) => {
            call.output.say("nothing waits, and nothing was approved");
            None
        }
        None => None,
    };
    Ok(WholeReport {
        entries: plan.entries,
        bytes: plan.bytes,
        set: plan.set.hex(),
        left: LeftReport::of(&plan.left),
        approval: approved,
    })
}

/// Unlocks the key of whoever approves: another than the signer's.
///
/// # Errors
/// `approver_is_signer`, and the codes of keys.
pub fn approver(key: &str, site: &Site, call: &mut Invocation) -> Result<SiteKeys, Failure> {
    let (name, signer) = (key.parse()?, site.default_signer()?);
    if site.keyring().public(&name)?.key_id() == site.keyring().public(&signer)?.key_id() {
        let message = format!("`{key}` signs the attestations, and who makes them does not approve that they leave");
        return Err(Failure::new(Exit::Usage, "approver_is_signer", message)
            .next("make a key for whoever approves: airtight key generate NAME"));
    }
    Ok(site.unlock(&name, &mut call.passphrase.unlock())?)
}

fn words(report: &PlanReport, call: &mut Invocation) {
    let PlanReport { target, api_version, url, entries, .. } = report;
    let output = &mut call.output;
    output.line(format_args!("target:      {target}, Rekor v{api_version} at {url}"));
    output.line(format_args!("permitted:   {}", if report.permitted { "yes" } else { "no, nothing leaves" }));
    output.line(format_args!("entries:     {entries} wait, one request each"));
    if *entries > 0 {
        output.line(format_args!("size:        about {} bytes, from {} looked at", report.bytes_about, report.sampled));
    }
    if let Some(seconds) = report.seconds_at_budget {
        output.line(format_args!("time:        {} at {}", duration(seconds), report.budget));
    }
    for key in &report.keys {
        output.line(format_args!("linked by:   key {} ({})", key.key_id, key.algorithm));
    }
    for (kind, count) in &report.searchable {
        output.line(format_args!("searchable:  {kind}: {count} digests in {} requests", report.sampled));
    }
    for (reason, count) in &report.cannot_go {
        output.line(format_args!("cannot go:   {count} entries, {reason}"));
    }
    if let Some(whole) = &report.whole {
        output
            .line(format_args!("in full:     {} requests, {} bytes, sha256 {}", whole.entries, whole.bytes, whole.set));
        if let Some(index) = whole.approval {
            output.line(format_args!("approved:    by entry {index} of this log"));
        }
    }
    if let Some(whole) = &report.whole {
        whole.left.say(call);
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds.div_ceil(60)),
        7_200..=172_799 => format!("{} h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}
