//! `airtight sync export`: what waits becomes a pack that a courier carries out.

use airtight::attest::{Control, Site, standings};
use airtight::config::progress;
use airtight::disposition::{PlanMode, SkipReason, TransparencyException};
use airtight::pack::PackTarget;
use airtight::pack::error::PackError;
use airtight::pack::outbox::{OutboxHeading, OutboxWriter, WrittenVolume};
use airtight::sync::approval::{Approved, approvals};
use airtight::sync::export::{Left, Selection, line, requests};
use airtight::sync::request::Request;
use airtight::sync::target::Target;
use airtight_log::store::{Access, Fault};
use serde::Serialize;

use crate::cli::sync::carry::{ExportArgs, Mode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::progress::Progress;

/// What was exported, as `--json` shows it.
#[derive(Serialize)]
struct ExportReport {
    log_id: String,
    target: String,
    entries: u64,
    first: Option<u64>,
    last: Option<u64>,
    set: Option<String>,
    volumes: Vec<VolumeReport>,
    left: LeftReport,
}

#[derive(Serialize)]
struct VolumeReport {
    path: String,
    entries: u64,
    bytes: u64,
}

/// What waits and is not in the pack.
#[derive(Serialize)]
pub struct LeftReport {
    /// Entries of which only the leaf is kept.
    pub leaf_only: u64,
    /// Entries that are too large for the other log.
    pub entry_too_large: u64,
    /// Entries that no approved plan holds.
    pub unapproved: u64,
    /// Whether more waits than was asked for.
    pub more: bool,
}

impl LeftReport {
    /// Counts what is left.
    pub fn of(left: &Left) -> LeftReport {
        LeftReport {
            leaf_only: left.leaf_only,
            entry_too_large: left.too_large.len() as u64,
            unapproved: left.unapproved,
            more: left.is_cut,
        }
    }

    /// Says what is left, in words.
    pub fn say(&self, call: &mut Invocation) {
        for (count, words) in [
            (self.leaf_only, "kept as a leaf alone, without the envelope that would be sent"),
            (self.entry_too_large, "too large for the other log (Sync.MaxRequestBytes)"),
            (self.unapproved, "in no approved plan; see `airtight sync plan --approve-by KEY`"),
        ] {
            if count > 0 {
                call.output.say(format_args!("left: {count} entries, {words}"));
            }
        }
        if self.more {
            call.output.say("more waits: run it again once these have their receipts");
        }
    }
}

/// What an export wrote.
pub struct Written {
    /// The volumes; none where nothing waits.
    pub volumes: Vec<WrittenVolume>,
    /// What is left.
    pub left: Left,
}

/// Why an export stopped.
enum Stopped {
    Log(Fault),
    Pack(PackError),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Stopped {
        Stopped::Log(fault)
    }
}

/// Runs `airtight sync export`.
///
/// # Errors
/// `rekor_disabled`, the codes of targets, packs and the log.
pub fn run(args: &ExportArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Read)?;
    let target = super::target_to_send(&mut site, args.target.as_deref(), call)?;
    let limit = args.limit.unwrap_or(u64::MAX);
    let written = match args.mode {
        Mode::Entries => write(&mut site, &target, limit, &args.out, args.volume_size)?,
        Mode::Anchor => super::anchor::write(&mut site, &target, &args.out)?,
    };
    except_too_large(&mut site, &target, &written.left, call)?;
    if args.mode == Mode::Entries {
        note(&target, &written.volumes, call)?;
    }
    let heads: Vec<_> = written.volumes.iter().map(|volume| &volume.manifest).collect();
    let report = ExportReport {
        log_id: site.store().identity().log_id().to_string(),
        target: target.name.to_string(),
        entries: heads.iter().map(|manifest| manifest.entries).sum(),
        first: heads.first().map(|manifest| manifest.first),
        last: heads.last().map(|manifest| manifest.last),
        set: heads.first().map(|manifest| manifest.set.clone()),
        volumes: written
            .volumes
            .iter()
            .map(|volume| VolumeReport {
                path: volume.path.display().to_string(),
                entries: volume.manifest.entries,
                bytes: volume.manifest.bytes,
            })
            .collect(),
        left: LeftReport::of(&written.left),
    };
    if call.output.is_json() {
        call.output.json(&report);
        return Ok(Exit::Done);
    }
    for VolumeReport { path, entries, bytes } in &report.volumes {
        call.output.line(format_args!("{path}: {entries} entries, {bytes} bytes"));
    }
    report.left.say(call);
    match report.volumes.first() {
        None => call.output.say(format_args!("nothing waits for {}, and no pack was written", target.name)),
        Some(first) => call.output.say(format_args!(
            "carry it to a host with a network, and there: airtight sync upload {} --out receipts",
            first.path
        )),
    }
    Ok(Exit::Done)
}

/// Writes down what went out; nothing hangs on it, and a home that cannot be written is no reason to refuse.
fn note(target: &Target, volumes: &[WrittenVolume], call: &Invocation) -> Result<(), Failure> {
    let (Some(first), Some(last)) = (volumes.first(), volumes.last()) else { return Ok(()) };
    let mut known = progress::read(&call.home, &target.name);
    known.exported = Some(progress::Exported {
        at: call.now()?,
        first: first.manifest.first,
        last: last.manifest.last,
        entries: volumes.iter().map(|volume| volume.manifest.entries).sum(),
        set: first.manifest.set.clone(),
    });
    let _ = progress::write(&call.home, &target.name, &known);
    Ok(())
}

/// Writes the pack of what waits; none where nothing does.
///
/// # Errors
/// The codes of packs and of the log.
pub fn write(
    site: &mut Site,
    target: &Target,
    limit: u64,
    out: &std::path::Path,
    volume_size: Option<u64>,
) -> Result<Written, Failure> {
    let approved = approved(site, target, PlanMode::Entries)?;
    let len_max = len_max(site);
    let mut writer = OutboxWriter::begin(out, heading(site, target), volume_size)?;
    let progress = Progress::of("entries");
    let mut snapshot = site.store_mut().read()?;
    let standings = standings(&mut snapshot)?;
    let waits = airtight::sync::status::counts(&snapshot, &standings, target.name.as_str())?;
    let of = waits.of(SkipReason::PendingUpload).min(limit);
    let selection = Selection { target, from: 0, limit, len_max, approved: approved.as_deref() };
    let mut done = 0;
    let mut take = |request: &Request| {
        done += 1;
        if done % 1024 == 0 {
            progress.at(done, of);
        }
        writer.push(&line(request)).map_err(Stopped::Pack)
    };
    let left = requests(&mut snapshot, &standings, &selection, &mut take).map_err(|stopped| match stopped {
        Stopped::Log(fault) => Failure::from(fault),
        Stopped::Pack(error) => Failure::from(error),
    })?;
    let volumes = if done == 0 { Vec::new() } else { writer.finish()? };
    Ok(Written { volumes, left })
}

/// Says whose entries a pack holds and where they are to go.
pub fn heading(site: &Site, target: &Target) -> OutboxHeading {
    let identity = site.store().identity();
    OutboxHeading {
        origin: identity.origin().to_owned(),
        log_id: identity.log_id().to_string(),
        target: PackTarget {
            name: target.name.to_string(),
            api_version: target.api.number(),
            url: target.url.clone(),
            log_id: target.log_id().to_string(),
        },
    }
}

/// Returns the plans that were approved, where the settings ask for approval.
///
/// # Errors
/// The codes of keys and of the log.
pub fn approved(site: &mut Site, target: &Target, mode: PlanMode) -> Result<Option<Vec<Approved>>, Failure> {
    if !site.config().sync.require_approval {
        return Ok(None);
    }
    let signer = *site.keyring().public(&site.default_signer()?)?.key_id();
    let mut snapshot = site.store_mut().read()?;
    Ok(Some(approvals(&mut snapshot, target, mode, &signer)?))
}

/// Returns the most bytes that one request may have.
pub fn len_max(site: &Site) -> usize {
    usize::try_from(site.config().sync.max_request_bytes).unwrap_or(usize::MAX)
}

/// Says in the log that entries are too large, so that they wait no longer. Nothing is asked for where there is none.
///
/// # Errors
/// The codes of keys and of the log.
pub fn except_too_large(site: &mut Site, target: &Target, left: &Left, call: &mut Invocation) -> Result<(), Failure> {
    if left.too_large.is_empty() {
        return Ok(());
    }
    let mut writable = call.open_site(Access::Write)?;
    let keys = writable.unlock(&site.default_signer()?, &mut call.passphrase.unlock())?;
    let indexes: Vec<u64> = left.too_large.iter().map(|(index, _)| *index).collect();
    for page in indexes.chunks(airtight::disposition::ROWS_MAX) {
        let reason = Some(SkipReason::EntryTooLarge);
        let exception = TransparencyException::new(target.name.as_str(), reason, None, None, page.to_vec());
        let exception = exception.expect("invariant: indexes of one list ascend");
        writable.say(&[Control::Exception(exception)], &keys, call.now()?, "sync export")?;
    }
    Ok(())
}
