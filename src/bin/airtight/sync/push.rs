//! `airtight sync push`: export, upload and import in a row, on a host with a network.
//!
//! ```text
//! sync/NAME/outbox      what is on its way, at most 5,000 entries at once
//! sync/NAME/receipts    the answers, and the journal of the upload
//! sync/NAME/spent.json  requests made in the last hour, for the budget
//! sync/NAME/doubted.json  entries whose receipt did not hold: before they are posted again, a v2 log is searched for them
//! ```
//!
//! The two directories are packs like a courier's. A push that was killed finds them and goes on: nothing that was answered
//! is asked again, and what was under way is looked for before it is posted again. They go away once all is said in the log:
//! the outbox first, so that receipts without an outbox are known to be in the log.

use crate::cli::sync::carry::PushArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// Runs `airtight sync push`.
///
/// # Errors
/// `net_left_out` in a build that has no client sockets.
#[cfg(not(feature = "net"))]
pub fn run(_args: &PushArgs, _call: &mut Invocation) -> Result<Exit, Failure> {
    Err(super::net_left_out("write a pack for a courier: airtight sync export --out outbox".to_owned()))
}

#[cfg(feature = "net")]
pub use self::net::{anchor, run};

#[cfg(feature = "net")]
mod net {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    use airtight::attest::{Site, SiteKeys, standings};
    use airtight::config::progress;
    use airtight::durable::{self, Mode};
    use airtight::pack::journal::{Indexes, JOURNAL, Journal, UploadFolder};
    use airtight::pack::outbox::OutboxPack;
    use airtight::pack::receipts::{ReceiptLine, ReceiptsPack};
    use airtight::sync::import::Imported;
    use airtight::sync::kept;
    use airtight::sync::status::pending;
    use airtight::sync::target::Target;
    use airtight::sync::upload::transport::Powers;
    use airtight::sync::upload::{Options, Report, UploadError, upload};
    use airtight_log::digest::{Hash, LeafIndex};
    use airtight_log::store::Access;
    use serde::Serialize;

    use super::*;
    use crate::cli::sync::WayArgs;
    use crate::cli::sync::carry::AnchorArgs;
    use crate::sync::import::{ImportReport, take_in};
    use crate::sync::stamp::{Stamped, stamp};
    use crate::sync::way::{ProcessPowers, Remaining, again, bar, remaining, transport};
    use crate::sync::{anchor as anchors, chosen, export, permission, target_to_send};
    use crate::timestamp::require_authority;

    /// How many entries go out before their receipts are logged.
    const CHUNK: u64 = 5_000;
    /// The entries whose receipt did not hold.
    const DOUBTED: &str = "doubted.json";
    /// How many minutes a budget by the hour looks back.
    const MINUTES: u64 = 61;

    /// A push, as `--json` shows it.
    #[derive(Serialize)]
    struct PushReport {
        log_id: String,
        targets: Vec<TargetReport>,
    }

    /// What became of one target.
    #[derive(Serialize)]
    struct TargetReport {
        #[serde(flatten)]
        imported: ImportReport,
        taken: u64,
        had: u64,
        waiting: Vec<Remaining>,
        again: Option<String>,
        /// Nothing where none were asked for.
        timestamps: Option<Stamped>,
    }

    /// One target on its way.
    struct Push<'a> {
        site: &'a mut Site,
        keys: &'a SiteKeys,
        target: &'a Target,
        way: &'a WayArgs,
        bundles: Option<&'a Path>,
        work: PathBuf,
        /// Whether anchors are carried, and not entries.
        is_anchor: bool,
    }

    /// What a target's rounds came to.
    #[derive(Default)]
    struct Carried {
        imported: Imported,
        report: Report,
        remaining: u64,
    }

    /// Runs `airtight sync push`.
    ///
    /// # Errors
    /// `rekor_disabled`, the codes of targets, keys, packs and the log.
    pub fn run(args: &PushArgs, call: &mut Invocation) -> Result<Exit, Failure> {
        let mut site = call.open_site(Access::Write)?;
        let first = names(&mut site, args.target.as_deref())?;
        // Asked before the passphrase is: where nothing may leave, nobody need type one.
        for name in &first {
            let target = target_to_send(&mut site, Some(name), call)?;
            if args.timestamp.is_some() {
                require_authority(&target)?;
            }
        }
        let keys = site.unlock(&site.default_signer()?, &mut call.passphrase.unlock())?;
        let Some(watch) = args.watch else { return once(args, &mut site, &keys, call) };
        let interval = watch.unwrap_or(site.config().sync.interval);
        drop(site);
        loop {
            let round = call.open_site(Access::Write).and_then(|mut site| once(args, &mut site, &keys, call));
            if let Err(failure) = round {
                call.output.say(failure.render(call.output.is_json()).trim_end());
            }
            ProcessPowers.sleep_ms(interval.seconds().saturating_mul(1000));
        }
    }

    /// Names the targets of a push: the one that was asked for, or all that entries may be sent to.
    fn names(site: &mut Site, asked: Option<&str>) -> Result<Vec<String>, Failure> {
        if asked.is_some() {
            return Ok(vec![chosen(site, asked)?]);
        }
        let permission = site.permission()?;
        let standings = standings(&mut site.store_mut().read()?)?;
        let named: Vec<String> = standings.named().map(|named| named.said.name.clone()).collect();
        let permitted: Vec<String> = named.iter().filter(|name| permission.is_given(name)).cloned().collect();
        match (permitted.is_empty(), named.first()) {
            (false, _) => Ok(permitted),
            (true, Some(name)) => Ok(vec![name.clone()]),
            (true, None) => Ok(vec![chosen(site, None)?]),
        }
    }

    /// Pushes to each target once.
    fn once(args: &PushArgs, site: &mut Site, keys: &SiteKeys, call: &mut Invocation) -> Result<Exit, Failure> {
        let (mut targets, mut exit) = (Vec::new(), Exit::Done);
        for name in names(site, args.target.as_deref())? {
            let target = target_to_send(site, Some(&name), call)?;
            let mut push = Push {
                work: call.home.join("sync").join(&name),
                site,
                keys,
                target: &target,
                way: &args.way,
                bundles: args.bundles.as_deref(),
                is_anchor: false,
            };
            let carried = push.entries(call)?;
            exit = worse(exit, &carried);
            let mut report = report_of(site, &target, &carried);
            if let Some(url) = &args.timestamp {
                let stamped = stamp(site, &target, url, (&args.way, args.bundles.as_deref()), call)?;
                exit = match exit {
                    _ if stamped.refused > 0 => Exit::Refused,
                    Exit::Done if stamped.remaining > 0 => Exit::Remaining,
                    exit => exit,
                };
                report.timestamps = Some(stamped);
            }
            targets.push(report);
        }
        let report = PushReport { log_id: site.store().identity().log_id().to_string(), targets };
        if call.output.is_json() {
            call.output.json(&report);
        } else {
            report.targets.iter().for_each(|target| words(target, call));
        }
        Ok(exit)
    }

    /// Runs `airtight sync anchor`.
    ///
    /// # Errors
    /// As [`run`]; `plan_not_approved`.
    pub fn anchor(args: &AnchorArgs, call: &mut Invocation) -> Result<Exit, Failure> {
        let mut site = call.open_site(Access::Write)?;
        let target = target_to_send(&mut site, args.target.as_deref(), call)?;
        let keys = site.unlock(&site.default_signer()?, &mut call.passphrase.unlock())?;
        let work = call.home.join("sync").join(target.name.as_str()).join("anchor");
        let mut push = Push {
            work,
            site: &mut site,
            keys: &keys,
            target: &target,
            way: &args.way,
            bundles: None,
            is_anchor: true,
        };
        let outbox = push.work.join("outbox");
        if !there(&outbox)? {
            make(&push.work)?;
            anchors::write(push.site, &target, &outbox)?;
        }
        let size = OutboxPack::open(&outbox)?.manifest().last + 1;
        let mut carried = Carried::default();
        push.carry(&mut carried, call)?;
        let exit = worse(Exit::Done, &carried);
        if let (Exit::Done, Some(path)) = (exit, &args.out) {
            let text = kept::anchor_at(&mut site.store_mut().read()?, &target, size, call.now()?)?;
            durable::replace(path, text.as_bytes(), Mode::Public).map_err(|error| {
                Failure::by_system("output_unwritable", format!("{}: {error}", path.display()), &error)
            })?;
        }
        let log_id = site.store().identity().log_id().to_string();
        let report = PushReport { log_id, targets: vec![report_of(&site, &target, &carried)] };
        if call.output.is_json() {
            call.output.json(&report);
        } else {
            report.targets.iter().for_each(|target| words(target, call));
            if exit == Exit::Done {
                call.output.line(format_args!("{}: the first {size} entries are covered", target.name));
            }
        }
        Ok(exit)
    }

    fn worse(exit: Exit, carried: &Carried) -> Exit {
        match carried {
            _ if carried.imported.refused > 0 || exit == Exit::Refused => Exit::Refused,
            _ if carried.remaining > 0 => Exit::Remaining,
            _ => exit,
        }
    }

    fn report_of(site: &Site, target: &Target, carried: &Carried) -> TargetReport {
        let log_id = site.store().identity().log_id().to_string();
        TargetReport {
            imported: ImportReport::of(log_id, target, &carried.imported, carried.remaining),
            taken: carried.report.taken,
            had: carried.report.known,
            waiting: remaining(&carried.report),
            again: again(&carried.report),
            timestamps: None,
        }
    }

    fn words(report: &TargetReport, call: &mut Invocation) {
        report.imported.words(call);
        for Remaining { reason, entries, met } in &report.waiting {
            let met = met.as_deref().unwrap_or_default();
            call.output.line(format_args!("{entries} remain, {reason}: {met}"));
        }
        if let Some(again) = &report.again {
            call.output.say(format_args!("run the same command again after {again}"));
        }
        if let Some(stamped) = &report.timestamps {
            stamped.words(report.imported.target(), call);
        }
    }

    impl Push<'_> {
        /// Carries what waits, chunk by chunk, until nothing does or something must wait.
        fn entries(&mut self, call: &mut Invocation) -> Result<Carried, Failure> {
            let mut carried = Carried::default();
            loop {
                // A decision that came meanwhile holds from the next chunk on.
                permission::require_permission(self.site, self.target.name.as_str())?;
                let outbox = self.work.join("outbox");
                if !there(&outbox)? {
                    discard(&self.work.join("receipts"))?;
                    make(&self.work)?;
                    let written = export::write(self.site, self.target, CHUNK, &outbox, None)?;
                    export::except_too_large(self.site, self.target, &written.left, call)?;
                    if written.volumes.is_empty() {
                        return Ok(carried);
                    }
                }
                self.carry(&mut carried, call)?;
                if carried.remaining > 0 || carried.imported.refused > 0 {
                    return Ok(carried);
                }
            }
        }

        /// Carries the outbox that lies there and takes the answers in.
        fn carry(&mut self, carried: &mut Carried, call: &mut Invocation) -> Result<(), Failure> {
            let (outbox, receipts) = (self.work.join("outbox"), self.work.join("receipts"));
            let mut pack = OutboxPack::open(&outbox)?;
            let manifest = pack.manifest().clone();
            let is_for_target = manifest.target.log_id == self.target.log_id().to_string();
            let mut since = None;
            if is_for_target {
                let still = self.still_pending(manifest.first, manifest.last)?;
                let (folder, mut resumed) = UploadFolder::open(&receipts, &pack)?;
                let spent = Spent::read(&self.work);
                resumed.spent.extend(spent.minutes());
                let doubted = Doubted::read(&self.work);
                for index in doubted.indexes.iter().filter(|index| !resumed.settled.contains(**index)) {
                    resumed.in_flight.entry(*index).or_insert(doubted.tree_size);
                }
                let journal = Spending { folder: &folder, spent: Mutex::new(spent) };
                let url = self.way.url.clone().unwrap_or_else(|| self.target.url.clone());
                let sync = &self.site.config().sync;
                let options = Options {
                    api: self.target.api,
                    tiles: self.way.tiles.clone(),
                    log_id: Hash::from_bytes(*self.target.log_id().as_bytes()),
                    parallel: self.way.parallel,
                    per_hour: self.way.budget.unwrap_or(sync.budget).per_hour().map(u64::from),
                    settle_ms: u64::from(self.way.settle) * 1000,
                    url,
                };
                let http = transport(&options.url, self.way.timeout.unwrap_or(sync.timeout), self.way)?;
                let done = {
                    let bar = bar();
                    // What was held back since the pack was written stays here.
                    let goes = |index: u64| self.is_anchor || still.contains(index);
                    let lines = pack.lines()?.filter(|line| line.as_ref().map_or(true, |line| goes(line.index)));
                    upload(&options, lines, manifest.entries, &resumed, &journal, (&http, &ProcessPowers), &bar)
                };
                since = doubted.tree_size.into_iter().chain(first_tree_size(&receipts)).min();
                let written = folder.finish();
                journal.spent.into_inner().unwrap_or_default().write(&self.work);
                let report = done.map_err(|error| match error {
                    UploadError::Pack(error) => Failure::from(error),
                    UploadError::Journal(source) => {
                        Failure::by_system("pack_unwritable", format!("{}: {source}", receipts.display()), &source)
                    }
                })?;
                written?;
                carried.remaining = report.remaining_sum();
                add(&mut carried.report, report);
            }
            if there(&receipts)? {
                let mut answers = ReceiptsPack::open(&receipts)?;
                answers.check_site(&self.site.store().identity().log_id().to_string())?;
                let taken =
                    take_in(self.site, &mut answers, self.target, self.keys, is_for_target, self.bundles, call)?;
                self.note(&taken, carried, call)?;
                self.doubt(since, &taken.doubted)?;
                sum(&mut carried.imported, taken);
            }
            if carried.remaining == 0 {
                discard(&outbox)?;
                discard(&receipts)?;
            }
            Ok(())
        }

        /// Lists what waits of a stretch of entries.
        fn still_pending(&mut self, first: u64, last: u64) -> Result<Indexes, Failure> {
            let mut snapshot = self.site.store_mut().read()?;
            let standings = standings(&mut snapshot)?;
            let (mut still, mut from) = (Indexes::default(), first);
            while from <= last {
                let page = pending(&snapshot, &standings, self.target.name.as_str(), from, 4_096)?;
                let Some(end) = page.last() else { break };
                for index in &page {
                    still.insert(index.get());
                }
                from = end.get() + 1;
            }
            Ok(still)
        }

        /// Writes down which entries are doubted: those of this round, and those of earlier ones without a receipt yet.
        fn doubt(&mut self, since: Option<u64>, doubted: &[u64]) -> Result<(), Failure> {
            let before = Doubted::read(&self.work);
            let snapshot = self.site.store_mut().read()?;
            let mut indexes = doubted.to_vec();
            for index in before.indexes {
                let is_logged = match LeafIndex::new(index) {
                    Ok(at) => snapshot.sent(self.target.name.as_str(), at)?.is_some(),
                    Err(_) => true,
                };
                if !is_logged && !indexes.contains(&index) {
                    indexes.push(index);
                }
            }
            let tree_size = since.into_iter().chain(before.tree_size).min();
            Doubted { tree_size, indexes }.write(&self.work)
        }

        /// Writes down how far the target is; nothing hangs on it.
        fn note(&self, taken: &Imported, carried: &Carried, call: &Invocation) -> Result<(), Failure> {
            let mut known = progress::read(&call.home, &self.target.name);
            known.upload = Some(progress::Uploaded {
                at: call.now()?,
                answered: taken.receipts + taken.known,
                remaining: carried
                    .report
                    .remaining
                    .iter()
                    .map(|(why, count)| (why.code().to_owned(), *count))
                    .collect(),
            });
            let _ = progress::write(&call.home, &self.target.name, &known);
            Ok(())
        }
    }

    /// Adds what a later round came to; what remains is the later round's word.
    fn add(all: &mut Report, round: Report) {
        all.taken += round.taken;
        all.known += round.known;
        all.refused += round.refused;
        (all.remaining, all.met, all.stop) = (round.remaining, round.met, round.stop);
    }

    fn sum(all: &mut Imported, round: Imported) {
        all.receipts += round.receipts;
        all.known += round.known;
        all.exceptions += round.exceptions;
        all.refused += round.refused;
        all.doubted.extend(round.doubted);
        all.anchors.extend(round.anchors);
        all.refusals.extend(round.refusals);
        for (status, count) in round.rejected {
            *all.rejected.entry(status).or_default() += count;
        }
    }

    /// Entries whose receipt did not hold. The log may have taken them, and a Rekor v2 may have forgotten that it did.
    #[derive(Default, Serialize, serde::Deserialize)]
    struct Doubted {
        /// The size that the other log had before they were first posted; nothing is known of Rekor v1, which knows its leaves.
        tree_size: Option<u64>,
        indexes: Vec<u64>,
    }

    impl Doubted {
        fn read(work: &Path) -> Doubted {
            let text = fs::read(work.join(DOUBTED)).unwrap_or_default();
            serde_json::from_slice(&text).unwrap_or_default()
        }

        /// Writes them down before anything of the upload goes away; no file is left where there are none.
        fn write(&self, work: &Path) -> Result<(), Failure> {
            let path = work.join(DOUBTED);
            if self.indexes.is_empty() {
                return match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(&path, &error)),
                    _ => Ok(()),
                };
            }
            let text = serde_json::to_vec(self).expect("invariant: numbers are always JSON");
            durable::replace(&path, &text, Mode::Public).map_err(|error| refused(&path, &error))
        }
    }

    /// Reads the size that the other log had before the first posting of an upload, from its journal.
    fn first_tree_size(receipts: &Path) -> Option<u64> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Line {
            tree_size: u64,
        }
        let text = fs::read_to_string(receipts.join(JOURNAL)).ok()?;
        text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()).map(|line| line.tree_size).min()
    }

    /// The requests of the last hour, by minute since 1970.
    #[derive(Default, Serialize, serde::Deserialize)]
    #[serde(transparent)]
    struct Spent(BTreeMap<u64, u64>);

    impl Spent {
        /// Reads what is known; a file that is not there or not of this form is as good as none.
        fn read(work: &Path) -> Spent {
            let text = fs::read(work.join("spent.json")).unwrap_or_default();
            serde_json::from_slice(&text).unwrap_or_default()
        }

        fn minutes(&self) -> BTreeMap<u64, u64> {
            self.0.clone()
        }

        /// Keeps the last hour. Where that fails the budget begins anew, and nothing else.
        fn write(mut self, work: &Path) {
            if let Some(last) = self.0.keys().last().copied() {
                self.0.retain(|minute, _| minute + MINUTES > last);
            }
            let text = serde_json::to_vec(&self).unwrap_or_default();
            let _ = durable::replace(&work.join("spent.json"), &text, Mode::Public);
        }
    }

    /// The journal of an upload, and what it spends.
    struct Spending<'f> {
        folder: &'f UploadFolder,
        spent: Mutex<Spent>,
    }

    impl Journal for Spending<'_> {
        fn posting(&self, indexes: &[u64]) -> io::Result<()> {
            self.folder.posting(indexes)
        }

        fn tree_size(&self, size: u64) -> io::Result<()> {
            self.folder.tree_size(size)
        }

        fn spent(&self, minute: u64, requests: u64) -> io::Result<()> {
            if let Ok(mut spent) = self.spent.lock() {
                spent.0.insert(minute, requests);
            }
            self.folder.spent(minute, requests)
        }

        fn receipt(&self, line: &ReceiptLine) -> io::Result<()> {
            self.folder.receipt(line)
        }
    }

    fn there(path: &Path) -> Result<bool, Failure> {
        durable::is_there(path).map_err(|error| refused(path, &error))
    }

    fn make(path: &Path) -> Result<(), Failure> {
        fs::create_dir_all(path).map_err(|error| refused(path, &error))
    }

    /// Takes a directory away, if it is there.
    fn discard(path: &Path) -> Result<(), Failure> {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(path, &error)),
            _ => Ok(()),
        }
    }

    fn refused(path: &Path, error: &io::Error) -> Failure {
        Failure::by_system("pack_unwritable", format!("{}: {error}", path.display()), error)
    }
}
