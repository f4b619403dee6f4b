//! `airtight sync push --timestamp`: asks an authority for a time stamp of each upgraded bundle that has none.

use std::path::Path;

use airtight::attest::Site;
use airtight::sync::target::Target;
use airtight::sync::timestamp::ask::{Question, ask};
use airtight::sync::timestamp::signature;
use airtight_log::digest::LeafIndex;
use serde::Serialize;

use super::way::{ProcessPowers, Remaining, transport};
use crate::cli::sync::WayArgs;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::timestamp::{PAGE, keep};

/// What was asked and answered, as `--json` shows it.
#[derive(Default, Serialize)]
pub struct Stamped {
    /// Time stamps that were verified and kept.
    pub timestamps: u64,
    /// Answers that do not hold: no further one was asked for.
    pub refused: u64,
    refusals: Vec<Refused>,
    /// How many upgraded bundles have none yet.
    pub remaining: u64,
    waiting: Vec<Remaining>,
}

#[derive(Serialize)]
struct Refused {
    code: &'static str,
    message: String,
}

/// Asks for a time stamp of each upgraded bundle of a target that has none. What was answered is kept a page at a time.
///
/// # Errors
/// The codes of the transport and of the log. An authority that cannot be reached is in the report.
pub fn stamp(
    site: &mut Site,
    target: &Target,
    url: &str,
    (way, bundles): (&WayArgs, Option<&Path>),
    call: &Invocation,
) -> Result<Stamped, Failure> {
    let http = transport(url, way.timeout.unwrap_or(site.config().sync.timeout), way)?;
    let question = Question { url, target, parallel: way.parallel, now: call.now()? };
    let (mut stamped, mut from, mut is_over) = (Stamped::default(), 0, false);
    loop {
        let mut signatures: Vec<(LeafIndex, Vec<u8>)> = Vec::new();
        {
            let mut snapshot = site.store_mut().read()?;
            let page = snapshot.unstamped(target.name.as_str(), from, PAGE)?;
            let Some(last) = page.last() else { break };
            from = last.get() + 1;
            if is_over {
                stamped.remaining += page.len() as u64;
                continue;
            }
            for index in page {
                // Of one whose leaf alone is kept, there is no signature and no upgraded bundle.
                if let Some(signature) = signature(&snapshot.entry(index)?) {
                    signatures.push((index, signature.to_vec()));
                }
            }
        }
        let asked = ask(&question, &signatures, (&http, &ProcessPowers));
        stamped.timestamps += keep(site, target, &asked.tokens, bundles, call)?;
        stamped.remaining += asked.remaining;
        stamped.refused += asked.refused.len() as u64;
        stamped.refusals.extend(
            asked
                .refused
                .iter()
                .map(|(index, refusal)| Refused { code: refusal.code(), message: format!("entry {index}: {refusal}") }),
        );
        is_over = asked.stop.is_some() || !asked.refused.is_empty();
        if let Some(stop) = asked.stop {
            stamped.waiting.push(Remaining { reason: stop.reason.code(), entries: 0, met: Some(stop.said) });
        }
    }
    for waiting in &mut stamped.waiting {
        waiting.entries = stamped.remaining;
    }
    Ok(stamped)
}

impl Stamped {
    /// Says it.
    pub fn words(&self, target: &str, call: &mut Invocation) {
        call.output.line(format_args!("{target}: {} time stamps verified and kept", self.timestamps));
        for Refused { code, message } in &self.refusals {
            call.output.say(format_args!("refused[{code}]: {message}"));
        }
        for Remaining { reason, entries, met } in &self.waiting {
            let met = met.as_deref().unwrap_or_default();
            call.output.line(format_args!("{entries} remain without a time stamp, {reason}: {met}"));
        }
    }
}
