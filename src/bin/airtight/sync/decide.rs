//! `airtight sync enable` and `disable`: the permission to send, in the settings and in the log.
//!
//! Entries may be sent only where both permit it, so between the two steps nothing may be: the settings are changed first
//! either way. A `disable` needs no key for that step, and so stops everything even where the passphrase is not at hand; an
//! `enable` asks first whether the decision could be logged at all.
//!
//! What is decided already is not logged again. A decision without `--target` is about every target, those included that
//! are named later.

use airtight::attest::{AttestError, Control, Site, standings};
use airtight::config::Config;
use airtight::disposition::{Basis, Decision, Sending, SkipReason, Standings, TARGET_DEFAULT, TransparencyDecision};
use airtight::sync::targets;
use airtight_log::digest::TreeSize;
use airtight_log::store::Access;
use serde::Serialize;

use crate::cli::sync::decide::{DisableArgs, EnableArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// A decision, as `--json` shows it.
#[derive(Serialize)]
struct DecisionReport<'r> {
    log_id: String,
    target: &'r str,
    enabled: bool,
    reason: Option<SkipReason>,
    from: u64,
    /// The entry that says so.
    leaf_index: u64,
    /// Whether this command logged it.
    new: bool,
    /// What the settings say now.
    rekor_enabled: bool,
    /// Whether this command changed them.
    settings_changed: bool,
}

/// What is to be decided.
struct Wanted<'a> {
    target: &'a str,
    sending: Sending,
    /// Whether this very reason is asked for.
    is_reason_asked: bool,
    from: Option<u64>,
    note: Option<&'a str>,
}

/// Runs `airtight sync enable`.
///
/// # Errors
/// `target_unknown`, `entry_not_found` for a `--from` beyond the log, `config_not_editable`; the codes of the site and its keys.
pub fn enable(args: &EnableArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Write)?;
    let wanted = Wanted {
        target: args.target.as_deref().unwrap_or(TARGET_DEFAULT),
        sending: Sending::Enabled,
        is_reason_asked: false,
        from: args.from,
        note: args.note.as_deref(),
    };
    decide(&mut site, &wanted, call)
}

/// Runs `airtight sync disable`.
///
/// # Errors
/// As [`enable`].
pub fn disable(args: &DisableArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Write)?;
    let wanted = Wanted {
        target: args.target.as_deref().unwrap_or(TARGET_DEFAULT),
        sending: Sending::NotEnabled(args.reason.unwrap_or(SkipReason::RekorDisabled)),
        is_reason_asked: args.reason.is_some(),
        from: args.from,
        note: args.note.as_deref(),
    };
    decide(&mut site, &wanted, call)
}

fn decide(site: &mut Site, wanted: &Wanted<'_>, call: &mut Invocation) -> Result<Exit, Failure> {
    let (standings, size) = {
        let mut snapshot = site.store_mut().read()?;
        (standings(&mut snapshot)?, snapshot.size())
    };
    if wanted.target != TARGET_DEFAULT {
        targets::find(&standings, wanted.target)?;
    }
    if let Some(index) = wanted.from.filter(|from| *from > size.get()) {
        return Err(AttestError::NotFound { index, size }.into());
    }
    let decision = TransparencyDecision::new(wanted.target, wanted.sending, wanted.from.unwrap_or(0), wanted.note)
        .map_err(AttestError::Control)?;
    let in_force = wanted.in_force(&standings, size);
    let settings = wanted.settings(&standings);
    // Whatever would keep the decision from being logged keeps the settings from being opened.
    let keys = match (in_force, settings) {
        (None, Some(true)) => {
            let keys = unlock(site, call)?;
            site.check_ready(call.now()?, &call.holder("sync"))?;
            Some(keys)
        }
        _ => None,
    };
    let before = site.config().signals.provenance.rekor_enabled;
    let settings_changed = settings.map_or(Ok(false), |enabled| Config::set_rekor_enabled(site.home(), enabled));
    if wanted.sending == Sending::Enabled
        && let Err(error) = settings_changed
    {
        return Err(error.into());
    }
    let (last, new) = match in_force {
        Some(last) => (last, false),
        None => {
            let keys = keys.map_or_else(|| unlock(site, call), Ok)?;
            let said = site.say(&[Control::Decision(decision.clone())], &keys, call.now()?, &call.holder("sync"))?;
            (decision.at(said[0]), true)
        }
    };
    // A `disable` that cannot change the settings is logged all the same, for that alone stops everything.
    let settings_changed = settings_changed?;
    let report = DecisionReport {
        log_id: site.store().identity().log_id().to_string(),
        target: wanted.target,
        enabled: last.sending == Sending::Enabled,
        reason: match last.sending {
            Sending::Enabled => None,
            Sending::NotEnabled(reason) => Some(reason),
        },
        from: last.from,
        leaf_index: last.index,
        new,
        rekor_enabled: settings.unwrap_or(before),
        settings_changed,
    };
    show(&report, standings.named().next().is_some(), call);
    Ok(Exit::Done)
}

fn unlock(site: &Site, call: &Invocation) -> Result<airtight::attest::SiteKeys, Failure> {
    Ok(site.unlock(&site.default_signer()?, &mut call.passphrase.unlock())?)
}

impl Wanted<'_> {
    /// Returns the decision that says already what is wanted, of every target that it is wanted of.
    fn in_force(&self, standings: &Standings, size: TreeSize) -> Option<Decision> {
        let mut about = vec![self.target];
        if self.target == TARGET_DEFAULT {
            about.extend(standings.named().map(|target| &*target.said.name));
        }
        let holds =
            |target: &&str| standings.last_decision(target).is_some_and(|last| self.is(last, standings, target, size));
        let last = standings.last_decision(self.target);
        last.filter(|_| about.iter().all(holds))
    }

    fn is(&self, last: Decision, standings: &Standings, target: &str, size: TreeSize) -> bool {
        let from_fits = self.from.is_none_or(|from| from == last.from);
        match (self.sending, last.sending) {
            // Enabled from a later entry on, it stays so: nobody asked for those before.
            (Sending::Enabled, Sending::Enabled) => from_fits,
            (Sending::NotEnabled(reason), Sending::NotEnabled(met)) if self.is_reason_asked || self.from.is_some() => {
                reason == met && self.from.unwrap_or(0) == last.from
            }
            (Sending::NotEnabled(_), Sending::NotEnabled(_)) => {
                standings.stretches(target, size.get()).iter().all(|(_, basis)| *basis != Basis::Permitted)
            }
            _ => false,
        }
    }

    /// Returns what the settings are to say; nothing where they stay as they are.
    fn settings(&self, standings: &Standings) -> Option<bool> {
        let is_enabled =
            |target: &str| standings.last_decision(target).is_some_and(|last| last.sending == Sending::Enabled);
        match self.sending {
            Sending::Enabled => Some(true),
            Sending::NotEnabled(_) if self.target == TARGET_DEFAULT => Some(false),
            Sending::NotEnabled(_) => {
                let others = standings.targets().into_iter().filter(|target| *target != self.target);
                (!others.into_iter().any(is_enabled)).then_some(false)
            }
        }
    }
}

fn show(report: &DecisionReport<'_>, has_targets: bool, call: &mut Invocation) {
    if call.output.is_json() {
        call.output.json(report);
        return;
    }
    let is_every = report.target == TARGET_DEFAULT;
    let output = &mut call.output;
    let again = if report.new { "" } else { " (was there already)" };
    match report.reason {
        None => {
            let towards = if is_every { "every target" } else { report.target };
            output.line(format_args!("decision: sending to {towards} is enabled, from entry {} on", report.from));
        }
        Some(reason) => {
            let towards = if is_every { "any target" } else { report.target };
            output
                .line(format_args!("decision: nothing is sent to {towards}, from entry {} on: {reason}", report.from));
        }
    }
    output.line(format_args!("logged:   entry {}{again}", report.leaf_index));
    let again = if report.settings_changed { "" } else { " (was so already)" };
    output.line(format_args!("settings: RekorEnabled: {}{again}", report.rekor_enabled));
    if report.enabled && report.rekor_enabled && !has_targets {
        output.say(
            "there is no target yet: airtight sync target add NAME --signing-config SC.json --trusted-root TR.json",
        );
    }
}
