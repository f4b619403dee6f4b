//! `airtight sync skip`, `hold` and `release`: single entries that are kept back, and let go.
//!
//! Each is one signed statement of at most 1,000 entries, or several. Without `--target` it is about every target, those
//! included that are named later: what is private before there is a target stays so. What stands so already is left out.
//!
//! An entry that another log holds cannot be kept back any more, and whoever asks for it has to know: it is refused, and
//! nothing is logged. So is a control entry that is named by itself, for none is ever sent; within a stretch they are passed
//! over.

use std::collections::BTreeSet;

use airtight::attest::{AttestError, Control, standings};
use airtight::disposition::{ROWS_MAX, SkipReason, Standings, TARGET_DEFAULT, TransparencyException};
use airtight::sync::targets;
use airtight_log::digest::LeafIndex;
use airtight_log::store::{Access, Fault, Snapshot};
use serde::Serialize;

use crate::cli::sync::decide::{EntriesArgs, HoldArgs, ReleaseArgs, SkipArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::log::index_in;

/// What was said of single entries, as `--json` shows it.
#[derive(Serialize)]
struct ExceptionReport<'r> {
    log_id: String,
    target: &'r str,
    /// Nothing where they are released.
    reason: Option<SkipReason>,
    /// The entries that say so, new ones.
    leaf_indexes: Vec<u64>,
    /// Of how many entries.
    entries: u64,
    /// How many stood so already.
    unchanged: u64,
    /// How many control entries were passed over.
    control_entries: u64,
}

/// Runs `airtight sync skip`.
///
/// # Errors
/// `entry_not_found`, `entry_is_control`, `already_logged`, `target_unknown`; the codes of the site and its keys.
pub fn skip(args: &SkipArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    except(&args.entries, Some(args.reason), call)
}

/// Runs `airtight sync hold`.
///
/// # Errors
/// As [`skip`].
pub fn hold(args: &HoldArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    except(&args.entries, Some(args.reason), call)
}

/// Runs `airtight sync release`.
///
/// # Errors
/// As [`skip`].
pub fn release(args: &ReleaseArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    except(&args.entries, None, call)
}

fn except(args: &EntriesArgs, reason: Option<SkipReason>, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Write)?;
    let target = args.target.as_deref().unwrap_or(TARGET_DEFAULT);
    let (indexes, mut report) = {
        let mut snapshot = site.store_mut().read()?;
        let standings = standings(&mut snapshot)?;
        if target != TARGET_DEFAULT {
            targets::find(&standings, target)?;
        }
        let mut report = ExceptionReport {
            log_id: snapshot.identity().log_id().to_string(),
            target,
            reason,
            leaf_indexes: Vec::new(),
            entries: 0,
            unchanged: 0,
            control_entries: 0,
        };
        (choose(&snapshot, &standings, args, &mut report)?, report)
    };
    report.entries = indexes.len() as u64;
    if !indexes.is_empty() {
        let said = indexes.chunks(ROWS_MAX).map(|indexes| {
            TransparencyException::new(target, reason, None, args.note.as_deref(), indexes.to_vec())
                .map(Control::Exception)
                .map_err(AttestError::Control)
        });
        let said = said.collect::<Result<Vec<Control>, AttestError>>()?;
        let keys = site.unlock(&site.default_signer()?, &mut call.passphrase.unlock())?;
        report.leaf_indexes = site.say(&said, &keys, call.now()?, &call.holder("sync"))?;
    }
    show(&report, call);
    Ok(Exit::Done)
}

/// Lists the entries that something new is to be said of, in the order of the log.
fn choose(
    snapshot: &Snapshot<'_>,
    standings: &Standings,
    args: &EntriesArgs,
    report: &mut ExceptionReport<'_>,
) -> Result<Vec<u64>, Failure> {
    // Each target that the word is about; `default` stands for those that are named later.
    let mut towards: Vec<&str> = vec![report.target];
    if report.target == TARGET_DEFAULT {
        towards.extend(standings.named().map(|target| &*target.said.name));
    }
    let (mut chosen, mut passed_over, mut unchanged) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for stretch in &args.indexes {
        index_in(snapshot, stretch.last)?;
        for number in stretch.first..=stretch.last {
            let index = index_in(snapshot, number)?;
            if snapshot.is_control(index)? {
                if stretch.is_one() {
                    let message = format!("entry {number} is a control entry, and none is ever sent");
                    return Err(
                        Failure::new(Exit::Usage, "entry_is_control", message).next("leave it out; nothing was logged")
                    );
                }
                passed_over.insert(number);
                continue;
            }
            if report.reason.is_some() {
                refuse_logged(snapshot, &towards, index)?;
            }
            let stands_so = |target: &&str| -> Result<bool, Fault> {
                let met = snapshot.exempt(target, index)?.and_then(|exempt| exempt.reason);
                Ok(met.as_deref() == report.reason.map(SkipReason::as_str))
            };
            let stand_so = towards.iter().map(stands_so).collect::<Result<Vec<bool>, Fault>>()?;
            if stand_so.into_iter().all(|stands_so| stands_so) {
                unchanged.insert(number);
            } else {
                chosen.insert(number);
            }
        }
    }
    (report.control_entries, report.unchanged) = (passed_over.len() as u64, unchanged.len() as u64);
    Ok(chosen.into_iter().collect())
}

/// Refuses an entry that another log holds.
fn refuse_logged(snapshot: &Snapshot<'_>, towards: &[&str], index: LeafIndex) -> Result<(), Failure> {
    for target in towards {
        if let Some(sent) = snapshot.sent(target, index)? {
            let message = format!("{target} holds entry {index} already, as {}", sent.uuid);
            return Err(Failure::new(Exit::Refused, "already_logged", message)
                .next("it is public and stays so; leave it out, or name the other target with --target T"));
        }
    }
    Ok(())
}

fn show(report: &ExceptionReport<'_>, call: &mut Invocation) {
    if call.output.is_json() {
        call.output.json(report);
        return;
    }
    let output = &mut call.output;
    let towards = if report.target == TARGET_DEFAULT { "every target" } else { report.target };
    if report.entries > 0 {
        let entries = counted(report.entries, "entry", "entries");
        match report.reason {
            Some(reason) => output.line(format_args!("{entries} kept from {towards}: {reason}")),
            None => output.line(format_args!("{entries} released for {towards}")),
        }
        let logged: Vec<String> = report.leaf_indexes.iter().map(u64::to_string).collect();
        output.line(format_args!("logged: entry {}", logged.join(", ")));
    } else {
        output.line("nothing was logged");
    }
    if report.unchanged > 0 {
        output.say(format_args!("{} stood so already", counted(report.unchanged, "entry", "entries")));
    }
    if report.control_entries > 0 {
        let passed_over = counted(report.control_entries, "control entry", "control entries");
        output.say(format_args!("{passed_over} passed over: none is ever sent"));
    }
}

fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
