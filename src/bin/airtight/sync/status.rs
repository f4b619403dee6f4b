//! `airtight sync status`: where all entries stand towards each target, counted, and how far the pending ones are.
//!
//! The counts follow from the log alone and add up to its size, for each target. What stands beside them under `progress` is
//! what this machine remembers of packs; it may be missing at any time, and nothing is decided by it.

use std::collections::BTreeMap;

use airtight::attest::{Site, standings};
use airtight::config::progress::{self, Progress};
use airtight::config::targets::TargetName;
use airtight::disposition::{Permission, SkipReason};
use airtight::sync::status::{Counts, counts, pending};
use airtight_log::store::Access;
use serde::Serialize;

use super::target::{TargetReport, reports};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::log::moment;

/// The reasons that have a member of their own, there even where it is 0.
const COUNTED: [SkipReason; 3] = [SkipReason::PendingUpload, SkipReason::CoveredByAnchor, SkipReason::ControlEntry];

/// Where all entries stand, as `--json` shows it.
#[derive(Serialize)]
struct StatusReport {
    log_id: String,
    size: u64,
    /// What the settings say.
    rekor_enabled: bool,
    targets: BTreeMap<String, TargetStatus>,
    oldest_pending: Option<Oldest>,
}

/// Where all entries stand towards one target.
#[derive(Serialize)]
struct TargetStatus {
    /// Whether something may leave: settings and log both permit it.
    enabled: bool,
    logged: u64,
    pending_upload: u64,
    covered_by_anchor: u64,
    control_entry: u64,
    /// Every other reason that there is.
    skipped: BTreeMap<&'static str, u64>,
    oldest_pending: Option<Oldest>,
    url: Option<String>,
    /// The last second at which it takes entries, where one is known.
    ends: Option<u64>,
    /// What is known of the way of the pending; proven by nothing.
    progress: Progress,
}

/// The first entry that waits.
#[derive(Clone, Copy, Serialize)]
struct Oldest {
    leaf_index: u64,
    integrated_time: u64,
}

/// Runs `airtight sync status`.
///
/// # Errors
/// The codes of the site and its log.
pub fn run(call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Read)?;
    let now = call.now()?;
    let reports = reports(&mut site, now, call)?;
    let report = status(&mut site, &reports)?;
    if call.output.is_json() {
        call.output.json(&report);
    } else {
        words(&report, call);
    }
    Ok(Exit::Done)
}

fn status(site: &mut Site, reports: &[TargetReport]) -> Result<StatusReport, Failure> {
    let rekor_enabled = site.config().signals.provenance.rekor_enabled;
    let home = site.home().to_owned();
    let mut snapshot = site.store_mut().read()?;
    let standings = standings(&mut snapshot)?;
    let permission = Permission::of(rekor_enabled, &standings);
    let mut targets = BTreeMap::new();
    for target in standings.targets() {
        let counts = counts(&snapshot, &standings, target)?;
        let first = match counts.of(SkipReason::PendingUpload) {
            0 => None,
            _ => pending(&snapshot, &standings, target, 0, 1)?.first().copied(),
        };
        let oldest_pending = match first {
            None => None,
            Some(index) => Some(Oldest { leaf_index: index.get(), integrated_time: snapshot.integrated_time(index)? }),
        };
        let known = reports.iter().find(|report| report.name() == target);
        let status = TargetStatus {
            enabled: permission.is_given(target),
            logged: counts.logged,
            pending_upload: counts.of(SkipReason::PendingUpload),
            covered_by_anchor: counts.of(SkipReason::CoveredByAnchor),
            control_entry: counts.of(SkipReason::ControlEntry),
            skipped: skipped(&counts),
            oldest_pending,
            url: known.map(|report| report.url().to_owned()),
            ends: known.and_then(TargetReport::ends),
            progress: TargetName::new(target).map(|name| progress::read(&home, &name)).unwrap_or_default(),
        };
        targets.insert(target.to_owned(), status);
    }
    let oldest_pending = targets.values().filter_map(|status| status.oldest_pending).min_by_key(|one| one.leaf_index);
    let log_id = snapshot.identity().log_id().to_string();
    Ok(StatusReport { log_id, size: snapshot.size().get(), rekor_enabled, targets, oldest_pending })
}

fn skipped(counts: &Counts) -> BTreeMap<&'static str, u64> {
    let others = counts.reasons.iter().filter(|(reason, count)| !COUNTED.contains(reason) && **count > 0);
    others.map(|(reason, count)| (reason.as_str(), *count)).collect()
}

fn words(report: &StatusReport, call: &mut Invocation) {
    let output = &mut call.output;
    let rows = report.targets.iter().map(|(name, status)| {
        let skipped: Vec<String> = status.skipped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        [
            name.clone(),
            if status.enabled { "yes" } else { "no" }.to_owned(),
            status.logged.to_string(),
            status.pending_upload.to_string(),
            status.covered_by_anchor.to_string(),
            status.control_entry.to_string(),
            if skipped.is_empty() { "-".to_owned() } else { skipped.join(", ") },
        ]
    });
    output.table(["TARGET", "ENABLED", "LOGGED", "PENDING", "COVERED", "CONTROL", "SKIPPED"], rows);
    output.line(format_args!("entries: {}, each counted once for each target", report.size));
    match report.oldest_pending {
        None => output.line("pending: none"),
        Some(Oldest { leaf_index, integrated_time }) => {
            output.line(format_args!(
                "pending: the oldest is entry {leaf_index}, integrated {}",
                moment(integrated_time)
            ));
        }
    }
    for (name, TargetStatus { progress, .. }) in &report.targets {
        if let Some(pack) = &progress.exported {
            output.line(format_args!(
                "{name}: {} handed out in a pack at {}, from entry {} to {}",
                pack.entries,
                moment(pack.at),
                pack.first,
                pack.last
            ));
        }
        if let Some(pack) = &progress.upload {
            let remaining: Vec<String> =
                pack.remaining.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            let remaining = if remaining.is_empty() { "none remained".to_owned() } else { remaining.join(", ") };
            output.line(format_args!(
                "{name}: {} answered in a pack of {}; {remaining}",
                pack.answered,
                moment(pack.at)
            ));
        }
    }
}
