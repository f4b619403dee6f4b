//! `airtight log show`, `checkpoint`, `vkey`: what the log is, and the last thing that it said.

use airtight::attest::misfit_code;
use airtight_log::store::HeadFit;
use serde::Serialize;

use super::moment;
use crate::cli::log::CheckpointArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::failure::site::misfit_advice;
use crate::invocation::Invocation;

/// The log, as `--json` shows it.
#[derive(Serialize)]
struct LogReport<'r> {
    origin: &'r str,
    /// A text: JSON readers lose digits of numbers above 2^53.
    tree_id: String,
    epoch: u32,
    log_id: String,
    vkey: String,
    created: u64,
    tree_size: u64,
    root_hash: String,
    last_integrated_time: Option<u64>,
    head: HeadReport,
    rekor_permitted: bool,
}

#[derive(Serialize)]
struct HeadReport {
    /// `head_fits`, or the code of what does not.
    code: &'static str,
    message: String,
    path: String,
    /// The size of the last released checkpoint, where the head file gives one.
    tree_size: Option<u64>,
    next: Option<String>,
}

/// Runs `airtight log show`.
///
/// # Errors
/// The codes of the site; a log that is damaged where this reads.
pub fn show(call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site_to_judge()?;
    let fit = site.store_mut().head_fit()?;
    let rekor_permitted = site.permission().is_ok_and(|permission| permission.is_given_somewhere());
    let signed = site.store_mut().head_checkpoint()?.ok().map(|head| head.size.get());
    let (epoch, created) = (site.config().log.epoch, site.store().created());
    let path = site.config().log.head_note_path(site.home()).display().to_string();
    let mut snapshot = site.store_mut().read()?;
    let size = snapshot.size();
    let root = snapshot.root_at(size)?;
    let last = size.last().map(|last| snapshot.integrated_time(last)).transpose()?;
    let identity = snapshot.identity();
    let fits = matches!(fit, HeadFit::Fits { .. });
    let report = LogReport {
        origin: identity.origin(),
        tree_id: identity.tree_id().to_string(),
        epoch,
        log_id: identity.log_id().to_string(),
        vkey: identity.vkey(),
        created,
        tree_size: size.get(),
        root_hash: root.to_hex(),
        last_integrated_time: last,
        head: HeadReport {
            code: misfit_code(&fit),
            message: fit.to_string(),
            path,
            tree_size: signed,
            next: (!fits).then(|| misfit_advice(&fit)),
        },
        rekor_permitted,
    };
    if call.output.is_json() {
        call.output.json(&report);
    } else {
        words(&report, call);
    }
    Ok(if fits { Exit::Done } else { Exit::LogUnfit })
}

fn words(report: &LogReport<'_>, call: &mut Invocation) {
    let output = &mut call.output;
    output.line(format_args!("origin:     {}", report.origin));
    output.line(format_args!("tree id:    {}", report.tree_id));
    output.line(format_args!("epoch:      {}", report.epoch));
    output.line(format_args!("log id:     {}", report.log_id));
    output.line(format_args!("vkey:       {}", report.vkey));
    output.line(format_args!("created:    {}", moment(report.created)));
    output.line(format_args!("size:       {}", report.tree_size));
    output.line(format_args!("root:       {}", report.root_hash));
    if let Some(last) = report.last_integrated_time {
        output.line(format_args!("last entry: {}", moment(last)));
    }
    output.line(format_args!("head:       {}: {}", report.head.code, report.head.message));
    output.line(format_args!("rekor:      {}", if report.rekor_permitted { "permitted" } else { "not permitted" }));
    if let Some(next) = &report.head.next {
        output.say(format_args!("nothing is signed while log and head do not fit\n  next: {next}"));
    }
}

/// A checkpoint, as `--json` shows it.
#[derive(Serialize)]
struct CheckpointReport<'r> {
    log_id: String,
    tree_size: u64,
    root_hash: String,
    rendering: &'static str,
    checkpoint: &'r str,
}

/// Runs `airtight log checkpoint`.
///
/// # Errors
/// `checkpoint_not_found` where neither the head file nor the database holds one.
pub fn checkpoint(args: &CheckpointArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(airtight_log::store::Access::Read)?;
    let log_id = site.store().identity().log_id().to_string();
    let released = match site.store_mut().head_checkpoint()? {
        Ok(released) => released,
        Err(_) => {
            let mut snapshot = site.store_mut().read()?;
            let size = snapshot.size();
            let newest = snapshot.checkpoint_up_to(size)?.ok_or_else(|| {
                let message = "neither the head file nor the database holds a released checkpoint";
                Failure::new(Exit::NotFound, "checkpoint_not_found", message)
            })?;
            call.output.say(format_args!("the newest checkpoint in the database; a newer one may have been released"));
            newest
        }
    };
    let (rendering, checkpoint) = if args.v1 { ("v1", &released.v1) } else { ("c2sp", &released.c2sp) };
    if call.output.is_json() {
        let (tree_size, root_hash) = (released.size.get(), released.root.to_hex());
        call.output.json(&CheckpointReport { log_id, tree_size, root_hash, rendering, checkpoint });
    } else {
        call.output.bytes(checkpoint.as_bytes());
    }
    Ok(Exit::Done)
}

/// Runs `airtight log vkey`.
///
/// # Errors
/// The codes of the site.
pub fn vkey(call: &mut Invocation) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct VkeyReport<'r> {
        log_id: String,
        origin: &'r str,
        vkey: String,
    }
    let site = call.open_site(airtight_log::store::Access::Read)?;
    let identity = site.store().identity();
    let vkey = identity.vkey();
    if call.output.is_json() {
        let (log_id, origin) = (identity.log_id().to_string(), identity.origin());
        call.output.json(&VkeyReport { log_id, origin, vkey });
    } else {
        call.output.line(vkey);
    }
    Ok(Exit::Done)
}
