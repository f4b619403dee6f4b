//! `airtight sync target`: the logs that entries can go to, each by the two files that Sigstore publishes of it.
//!
//! `add` writes the files first and the entry in the log last: a target counts only where both are there and fit, so a crash
//! between the two leaves none, or one that is refused until it is added again. `remove` goes the other way round.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use airtight::attest::{AttestError, Control, Site, standings};
use airtight::config::targets::{TargetFiles, TargetFilesError, TargetName};
use airtight::config::{progress, targets as files};
use airtight::disposition::{NamedTarget, TransparencyTarget};
use airtight::sync::target::Target;
use airtight::sync::targets::{self, TargetRefusal};
use airtight_log::store::Access;
use serde::Serialize;

use crate::cli::sync::target::{TargetAddArgs, TargetCommand, TargetRemoveArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::log::moment;

/// The most bytes of a file that are read; what is longer is refused by whoever parses it.
const READ_MAX: u64 = (8 << 20) + 1;

/// A target, as `--json` shows it.
#[derive(Serialize)]
pub struct TargetReport {
    log_id: String,
    /// The entry that names it.
    leaf_index: u64,
    name: String,
    api_version: u8,
    url: String,
    target_log_id: String,
    signing_config_sha256: String,
    trusted_root_sha256: String,
    /// When the files were fetched, in seconds since the epoch.
    as_of: Option<u64>,
    /// Whether that was so long ago that newer ones should be looked for.
    aged: bool,
    /// The last second at which the log takes entries, where one is known.
    ends: Option<u64>,
    ended: bool,
    /// The code of what keeps the target from being used.
    problem: Option<&'static str>,
}

/// A target that was added or removed, as `--json` shows it.
#[derive(Serialize)]
struct ChangeReport<'r> {
    log_id: String,
    /// The entry that says so; nothing where only files were left to take away.
    leaf_index: Option<u64>,
    new: bool,
    name: &'r str,
    removed: bool,
}

/// Runs one command about targets.
///
/// # Errors
/// Each command has its own.
pub fn run(command: &TargetCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    match command {
        TargetCommand::Add(args) => add(args, call),
        TargetCommand::List => list(call),
        TargetCommand::Remove(args) => remove(args, call),
    }
}

/// Reads what the log names, and each target's files; what cannot be used is said, and keeps nothing from being listed.
///
/// # Errors
/// The codes of the log.
pub fn reports(site: &mut Site, now: u64, call: &mut Invocation) -> Result<Vec<TargetReport>, Failure> {
    let standings = standings(&mut site.store_mut().read()?)?;
    let (home, identity) = (site.home(), site.store().identity());
    Ok(standings.named().map(|named| report(home, identity, named, now, call)).collect())
}

fn report(
    home: &Path,
    identity: &airtight_log::checkpoint::LogIdentity,
    named: &NamedTarget,
    now: u64,
    call: &mut Invocation,
) -> TargetReport {
    let NamedTarget { index, said } = named;
    let loaded = targets::load_named(home, identity, named);
    let mut problem = loaded.as_ref().err().map(TargetRefusal::code);
    let (mut ends, mut ended, mut aged) = (None, false, false);
    match &loaded {
        Err(refusal) => {
            let words = format_args!("{refusal}; nothing goes there until it is added again");
            call.warn(refusal.code(), &words);
        }
        Ok(target) => {
            ends = target.ends;
            if let Err(over) = target.check_open(now) {
                (ended, problem) = (true, Some(over.code()));
                call.warn(over.code(), &format_args!("{}: {over}", said.name));
            } else if target.is_aged(now) {
                aged = true;
                let days = target.age(now) / 86_400;
                call.warn(
                    "target_aged",
                    &format_args!("the files of {} are {days} days old: fetch newer ones", said.name),
                );
            }
        }
    }
    TargetReport {
        log_id: identity.log_id().to_string(),
        leaf_index: *index,
        name: said.name.clone(),
        api_version: said.api_version.number(),
        url: said.url.clone(),
        target_log_id: said.log_id.clone(),
        signing_config_sha256: said.signing_config_sha256.clone(),
        trusted_root_sha256: said.trusted_root_sha256.clone(),
        as_of: targets::as_of(said),
        aged,
        ends,
        ended,
        problem,
    }
}

impl TargetReport {
    /// Returns the target's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the last second at which it takes entries, where one is known.
    pub fn ends(&self) -> Option<u64> {
        self.ends
    }
}

fn list(call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Read)?;
    let now = call.now()?;
    let reports = reports(&mut site, now, call)?;
    if call.output.is_json() {
        for report in &reports {
            call.output.json(report);
        }
        return Ok(Exit::Done);
    }
    if reports.is_empty() {
        call.output.say("no targets; `airtight sync target add` names one");
        return Ok(Exit::Done);
    }
    let rows = reports.into_iter().map(|report| {
        let until = match (report.problem, report.ends) {
            (Some("target_ended"), Some(end)) => format!("ended {}", moment(end)),
            (Some(problem), _) => problem.to_owned(),
            (None, Some(end)) => moment(end),
            (None, None) => "-".to_owned(),
        };
        let as_of = report.as_of.map_or_else(|| "-".to_owned(), moment);
        [report.name, format!("v{}", report.api_version), report.url, as_of, until, report.target_log_id]
    });
    call.output.table(["NAME", "REKOR", "URL", "AS OF", "UNTIL", "LOG ID"], rows);
    Ok(Exit::Done)
}

fn add(args: &TargetAddArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let name = TargetName::new(&args.name)?;
    let now = call.now()?;
    let as_of = args.as_of.map_or(now, |as_of| as_of.0);
    if as_of > now {
        let message = format!("--as-of is {}, and it is {}", moment(as_of), moment(now));
        return Err(Failure::new(Exit::Usage, "usage", message).next("say when the two files were fetched"));
    }
    let given = TargetFiles { signing_config: read(&args.signing_config)?, trusted_root: read(&args.trusted_root)? };
    let mut site = call.open_site(Access::Write)?;
    let target = Target::read(name.clone(), &given.signing_config, &given.trusted_root, as_of, now)?;
    target.refuse_own(site.store().identity())?;
    target.check_open(now)?;
    let said = targets::said_of(&target, &given);
    let standings = standings(&mut site.store_mut().read()?)?;
    let before = standings.find(name.as_str());
    let is_other = |named: &&NamedTarget| named.said.name != said.name && named.said.log_id == said.log_id;
    if let Some(other) = standings.named().find(is_other) {
        let message = format!("the log {} is the target {} already", said.log_id, other.said.name);
        return Err(Failure::new(Exit::Usage, "target_log_twice", message)
            .next("use that one; one log under two names would be sent everything twice"));
    }
    let is_said = |before: &NamedTarget| {
        let same = TransparencyTarget { as_of: before.said.as_of.clone(), after: before.said.after, ..said.clone() };
        same == before.said && (args.as_of.is_none() || said.as_of == before.said.as_of)
    };
    let (index, new) = match before {
        Some(before) if is_said(before) => {
            if files::read(site.home(), &name).ok().as_ref() != Some(&given) {
                files::write(site.home(), &name, &given)?;
            }
            (before.index, false)
        }
        _ => {
            let keys = site.unlock(&site.default_signer()?, &mut call.passphrase.unlock())?;
            site.check_ready(now, &call.holder("sync"))?;
            files::write(site.home(), &name, &given)?;
            (site.say(&[Control::Target(said)], &keys, now, &call.holder("sync"))?[0], true)
        }
    };
    let log_id = site.store().identity().log_id().to_string();
    if call.output.is_json() {
        call.output.json(&ChangeReport { log_id, leaf_index: Some(index), new, name: name.as_str(), removed: false });
        return Ok(Exit::Done);
    }
    let output = &mut call.output;
    output.line(format_args!("target:  {name}"));
    output.line(format_args!("url:     {} (Rekor v{})", target.url, target.api));
    output.line(format_args!("log id:  {}", target.log_id()));
    let as_of = before.filter(|_| !new).and_then(|before| targets::as_of(&before.said)).unwrap_or(as_of);
    output.line(format_args!("as of:   {}", moment(as_of)));
    if let Some(end) = target.ends {
        output.line(format_args!("until:   {}", moment(end)));
    }
    let again = if new { "" } else { " (was there already)" };
    output.line(format_args!("logged:  entry {index}{again}"));
    if let Some(before) = before.filter(|before| new && before.said.log_id != target.log_id().to_string()) {
        output.say(format_args!("it was {} before; the receipts that came from there stay", before.said.url));
    }
    Ok(Exit::Done)
}

fn remove(args: &TargetRemoveArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let name = TargetName::new(&args.name)?;
    let mut site = call.open_site(Access::Write)?;
    let standings = standings(&mut site.store_mut().read()?)?;
    let logged = match targets::find(&standings, name.as_str()) {
        Ok(named) => {
            let said = TransparencyTarget { removed: true, after: None, ..named.said.clone() };
            let keys = site.unlock(&site.default_signer()?, &mut call.passphrase.unlock())?;
            Some(site.say(&[Control::Target(said)], &keys, call.now()?, &call.holder("sync"))?[0])
        }
        // A crash left files that no entry speaks of any more.
        Err(_) if files::list(site.home())?.contains(&name) => None,
        Err(refusal) => return Err(refusal.into()),
    };
    match files::remove(site.home(), &name) {
        Err(TargetFilesError::NotFound { .. }) => {}
        done => done?,
    }
    progress::forget(site.home(), &name)
        .map_err(|source| AttestError::Io { path: site.home().join(progress::DIRECTORY), source })?;
    let log_id = site.store().identity().log_id().to_string();
    if call.output.is_json() {
        let new = logged.is_some();
        call.output.json(&ChangeReport { log_id, leaf_index: logged, new, name: name.as_str(), removed: true });
        return Ok(Exit::Done);
    }
    call.output.line(format_args!("target:  {name}, removed; the receipts that came from there stay"));
    match logged {
        Some(index) => call.output.line(format_args!("logged:  entry {index}")),
        None => call.output.line("logged:  the log names no such target; its files were taken away"),
    }
    Ok(Exit::Done)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(READ_MAX).read_to_end(&mut bytes));
    read.map_err(|source| Failure::by_system("file_refused", format!("{}: {source}", path.display()), &source))?;
    Ok(bytes)
}
