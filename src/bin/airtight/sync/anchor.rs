//! `airtight sync anchor`: one checkpoint goes out, and every entry below it is covered.

use std::io::Write as _;
use std::path::Path;

use airtight::attest::{Control, Site};
use airtight::disposition::{PlanMode, TransparencyApproval};
use airtight::pack::outbox::OutboxWriter;
use airtight::sync::anchor::OwnCheckpoint;
use airtight::sync::export::{Left, line};
use airtight::sync::request::Request;
use airtight::sync::target::Target;
use airtight_log::digest::{TreeSize, sha256};
use serde::Serialize;

use super::export::{Written, approved, heading};
use crate::cli::sync::carry::{AnchorArgs, PlanArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// The plan of an anchor, as `--json` shows it.
#[derive(Serialize)]
struct AnchorPlanReport {
    log_id: String,
    target: String,
    api_version: u8,
    url: String,
    mode: &'static str,
    permitted: bool,
    size: u64,
    root: String,
    bytes: u64,
    set: String,
    approval: Option<u64>,
}

/// Runs `airtight sync anchor`.
///
/// # Errors
/// `net_left_out` in a build that has no client sockets.
#[cfg(not(feature = "net"))]
pub fn run(_args: &AnchorArgs, _call: &mut Invocation) -> Result<Exit, Failure> {
    Err(super::net_left_out("write a pack for a courier: airtight sync export --mode anchor --out outbox".to_owned()))
}

/// Runs `airtight sync anchor`.
///
/// # Errors
/// `rekor_disabled`, the codes of targets, keys, packs and the log.
#[cfg(feature = "net")]
pub fn run(args: &AnchorArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    super::push::anchor(args, call)
}

/// Returns the checkpoint that an anchor is of: the last one released, or the largest that was approved where the settings
/// ask for approval.
fn checkpoint(site: &mut Site, target: &Target) -> Result<OwnCheckpoint, Failure> {
    let plans = approved(site, target, PlanMode::Anchor)?;
    let whole = site.store_mut().read()?.size();
    let Some(plans) = plans else { return newest(site, whole) };
    let last = plans.iter().flat_map(|plan| &plan.said.ranges).map(|[_, last]| *last).max();
    let size = last.and_then(|last| TreeSize::new(last + 1).ok()).filter(|size| *size <= whole);
    let size = size.ok_or_else(|| {
        Failure::new(Exit::Refused, "plan_not_approved", "no anchor of this log was approved")
            .next("airtight sync plan --mode anchor --approve-by KEY")
    })?;
    newest(site, size)
}

/// Returns the last checkpoint that was released over at most so many entries.
fn newest(site: &mut Site, size: TreeSize) -> Result<OwnCheckpoint, Failure> {
    // The newest may lie in the head file alone, which is read here; whether it fits is said elsewhere.
    site.store_mut().head_fit()?;
    let mut snapshot = site.store_mut().read()?;
    let released = snapshot.checkpoint_up_to(size)?.ok_or_else(|| {
        Failure::new(Exit::NotFound, "anchor_checkpoint_refused", "no checkpoint of this log was released yet")
            .next("attest something first")
    })?;
    OwnCheckpoint::open(&released.v1, snapshot.identity())
        .map_err(|error| Failure::new(Exit::LogUnfit, error.code(), error.to_string()).next("airtight log fsck"))
}

/// Writes the pack of an anchor.
///
/// # Errors
/// `plan_not_approved`, the codes of packs and of the log.
pub fn write(site: &mut Site, target: &Target, out: &Path) -> Result<Written, Failure> {
    let checkpoint = checkpoint(site, target)?;
    let mut writer = OutboxWriter::begin(out, heading(site, target), None)?;
    writer.push(&line(&Request::of_anchor(&checkpoint, target.api)))?;
    Ok(Written { volumes: writer.finish()?, left: Left::default() })
}

/// Shows what an anchor would make public, and signs it where somebody approves.
///
/// # Errors
/// `approver_is_signer`, the codes of keys and of the log.
pub fn plan(args: &PlanArgs, site: &mut Site, target: &Target, call: &mut Invocation) -> Result<Exit, Failure> {
    let whole = site.store_mut().read()?.size();
    let checkpoint = newest(site, whole)?;
    let request = Request::of_anchor(&checkpoint, target.api);
    if args.show.is_some() {
        call.output.bytes(format!("{}\n", request.body).as_bytes());
        return Ok(Exit::Done);
    }
    let mut text = serde_json::to_vec(&line(&request)).expect("invariant: a line is numbers, texts and JSON");
    text.push(b'\n');
    if let Some(path) = &args.out {
        std::fs::File::create_new(path)
            .and_then(|mut file| file.write_all(&text))
            .map_err(|error| super::plan::unwritable(path, &error))?;
    }
    let set = sha256(&text).hex();
    let size = checkpoint.size().get();
    let approval = match &args.approve_by {
        None => None,
        Some(key) => {
            let keys = super::plan::approver(key, site, call)?;
            let said = TransparencyApproval {
                target: target.name.to_string(),
                log_id: target.log_id().to_string(),
                mode: PlanMode::Anchor,
                plan_sha256: set.clone(),
                entries: 1,
                ranges: vec![[0, size - 1]],
            };
            Some(site.say(&[Control::Approval(said)], &keys, call.now()?, "sync plan")?[0])
        }
    };
    let report = AnchorPlanReport {
        log_id: site.store().identity().log_id().to_string(),
        target: target.name.to_string(),
        api_version: target.api.number(),
        url: target.url.clone(),
        mode: "anchor",
        permitted: site.permission()?.is_given(target.name.as_str()),
        size,
        root: checkpoint.root().to_hex(),
        bytes: text.len() as u64,
        set,
        approval,
    };
    if call.output.is_json() {
        call.output.json(&report);
        return Ok(Exit::Done);
    }
    let AnchorPlanReport { target, api_version, url, size, bytes, set, .. } = &report;
    call.output.line(format_args!("target:      {target}, Rekor v{api_version} at {url}"));
    call.output.line(format_args!("permitted:   {}", if report.permitted { "yes" } else { "no, nothing leaves" }));
    call.output.line(format_args!("anchor:      one request of {bytes} bytes covers the first {size} entries"));
    call.output.line("public:      the name, size and root of this log, and its P-256 key; no entry");
    call.output.line(format_args!("in full:     sha256 {set}"));
    if let Some(index) = report.approval {
        call.output.line(format_args!("approved:    by entry {index} of this log"));
    }
    Ok(Exit::Done)
}
