//! A new epoch: the old log is closed as it was found, and a new one begins that commits to what is known of it.
//!
//! ```text
//! .airtight/log/       →  .airtight/log-1/          the old log, with its head.note; read-only from now on
//! origin NAME          →  NAME/2                    another name, so that no checkpoint of one can stand for the other
//! entry 0              =  epoch/v1                  origin, tree id, last checkpoint, size and root of the old, as found
//! entry 1              =  transparency-decision/v1  the last one of the old, or a stricter one
//! ```
//!
//! The keys stay, and with them log id, `created` and trusted root: bundles of both epochs verify with what auditors have.
//! The vkey has the new name in it.
//!
//! # What a crash leaves, at each step
//!
//! | | step | after a crash |
//! |---|---|---|
//! | 1 | lock the old log; nobody else may have its database open | the old site |
//! | 2 | build the new log, head and settings in `adopting-new/` | the old site |
//! | 3 | give that directory the name `adopting/` | no command but `adopt`; it throws `adopting/` away and begins anew |
//! | 4 | rename `log/` to `log-1/` | no command but `adopt`; it goes on from here |
//! | 5 | copy the old head to `log-1/head.note` | the same |
//! | 6 | write the new head over the old; take write permission from the files in `log-1/` | the same |
//! | 7 | rename `adopting/log/` to `log/` | the same |
//! | 8 | replace `airtight.yaml` | the same |
//! | 9 | take `adopting/` away | the new site |
//!
//! [`Site::open`](super::Site::open) refuses while `adopting/` is there, and looks for it after it has opened the database.
//! So at step 4 either the database is seen to be open and nothing is moved, or nobody can open it any more.

use std::path::{Path, PathBuf};

use airtight_keys::sign::Random;
use airtight_log::checkpoint::{LogIdentity, TreeId};
use airtight_log::digest::{Hash, TreeSize};
use airtight_log::store::{Access, Fault, ReleasedCheckpoint, Snapshot, Store, WriterLock};

use super::site::{LOG_DIRECTORY, begin_log, new_tree_id};
use super::{
    AttestError, CLOCK_BACK_MAX_S, Control, LOCK_WAIT, Site, SiteKeys, fault_code, misfit_code, open_code, standings,
};
use crate::config::{Config, FILE_NAME, LogSettings};
use crate::disposition::{
    Epoch, EpochPredecessor, Permission, Sending, SkipReason, Standings, TARGET_DEFAULT, TransparencyDecision,
};
use crate::durable;
use crate::statement::Statement;

/// The directory that is there while an epoch begins.
pub const ADOPTING: &str = "adopting";
/// What it is called while it is built; one that an interrupted run left is thrown away by the next.
const BUILDING: &str = "adopting-new";
/// What it is called while it is thrown away.
const DISCARDED: &str = "adopting-discarded";
/// The name of the head file within `adopting/` and within a closed epoch.
const HEAD_NAME: &str = "head.note";

/// A new epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Its number.
    pub epoch: u32,
    /// The new log's origin.
    pub origin: String,
    /// Where the old log lies now.
    pub closed: PathBuf,
    /// What was found of the old log; nothing where an earlier run had found it already and this one only went on.
    pub found: Option<Found>,
}

/// What was found of a log that is being closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The code of its state: `log_behind_head`, `log_missing`, `head_fits`, …
    pub reason: &'static str,
    /// The entries of its database and their root, where it could be read.
    pub head: Option<(TreeSize, Hash)>,
    /// Its last released checkpoint, where one is known.
    pub last: Option<ReleasedCheckpoint>,
    /// When its last entry was integrated, where that is known.
    last_time: Option<u64>,
    standings: Standings,
}

impl Site {
    /// Closes the log of the site in `home` and begins a new epoch, or goes on where an earlier run was interrupted.
    /// `keys` is called once, before anything is changed.
    ///
    /// # Errors
    /// [`AttestError::NoSite`], [`AttestError::EpochExists`], [`AttestError::Origin`], [`AttestError::ClockBack`], a note
    /// that is too long; [`Fault::Locked`] where another process has the log open. The old site is untouched then.
    pub fn adopt(
        home: &Path,
        note: &str,
        keys: &mut dyn FnMut(&Config) -> Result<SiteKeys, AttestError>,
        now: u64,
        random: &mut dyn Random,
        holder: &str,
    ) -> Result<Adopted, AttestError> {
        let old = Self::settings(home)?;
        let adopting = home.join(ADOPTING);
        let directory = home.join(LOG_DIRECTORY);
        let _lock = match is_there(&directory)? {
            true => Some(WriterLock::take(&directory.join("log.lock"), holder, LOCK_WAIT).map_err(Fault::from)?),
            false => None,
        };
        let unchanged = Self::settings(home)? == old;
        for left in [BUILDING, DISCARDED].map(|name| home.join(name)) {
            durable::remove_directory(&left, FILE_NAME).map_err(io(&left))?;
        }
        if is_there(&adopting)? {
            match staged(&adopting)? {
                // Its settings go last but one (step 9): everything before was done.
                None => return finish(home, &Self::settings(home)?, None),
                Some(new) if is_there(&closed_directory(home, &new))? => return finish(home, &new, None),
                Some(_) => discard(home)?,
            }
        }
        if !unchanged {
            let waited = "another `log adopt` ended while this one waited";
            return Err(Fault::Locked(waited.to_owned()).into());
        }
        let keys = keys(&old)?;
        let new = next_settings(&old, random)?;
        let closed = closed_directory(home, &new);
        if is_there(&closed)? {
            return Err(AttestError::EpochExists { directory: closed });
        }
        let found = find(&old, home, &keys)?;
        if let Some(last) = found.last_time.filter(|last| now + CLOCK_BACK_MAX_S < *last) {
            return Err(AttestError::ClockBack { now, last });
        }
        let identity = identity_of(&new, &keys)?;
        let statements = statements(&identity, &old, &found, note)?;
        // Folding the old database into one file changes it: only now, when nothing but the machine can refuse any more.
        seal(&old, home)?;
        build(&adopting, &new, &identity, statements, &keys, now)?;
        if let Err(locked) = seal(&old, home) {
            discard(home)?;
            return Err(locked);
        }
        finish(home, &new, Some(found))
    }
}

/// Names the settings of the next epoch.
fn next_settings(old: &Config, random: &mut dyn Random) -> Result<Config, AttestError> {
    let epoch = old.log.epoch + 1;
    let origin = format!("{}/{epoch}", base_origin(&old.log.origin, old.log.epoch));
    let mut new = old.clone();
    new.log = LogSettings { origin, epoch, tree_id: new_tree_id(random)?, ..old.log.clone() };
    // What could not be read back is refused before anything is built.
    Config::parse(&new.render()).map_err(|error| AttestError::Origin { said: error.to_string() })
}

/// Returns an origin without the number of its epoch.
pub(super) fn base_origin(origin: &str, epoch: u32) -> &str {
    let numbered = if epoch > 1 { origin.strip_suffix(&format!("/{epoch}")) } else { None };
    numbered.unwrap_or(origin)
}

/// Returns where the epoch before these settings lies once it is closed.
fn closed_directory(home: &Path, new: &Config) -> PathBuf {
    home.join(format!("{LOG_DIRECTORY}-{}", new.log.epoch - 1))
}

/// Folds the old database into one file, where it can be opened at all; refuses where somebody else has it open.
fn seal(old: &Config, home: &Path) -> Result<(), AttestError> {
    match Store::open(&home.join(LOG_DIRECTORY), &old.log.head_note_path(home), Access::Write).map(Store::seal) {
        Ok(Err(Fault::Locked(said))) => Err(Fault::Locked(said).into()),
        // A database that does not open, or is damaged, is kept as it is: it is evidence.
        _ => Ok(()),
    }
}

/// Finds what is known of the old log. Nothing here refuses: the less is known, the more there is reason to adopt.
fn find(old: &Config, home: &Path, keys: &SiteKeys) -> Result<Found, AttestError> {
    let head_path = old.log.head_note_path(home);
    let identity = identity_of(old, keys)?;
    let last = ReleasedCheckpoint::of_head_file(&head_path, &identity);
    let mut found = Found { reason: "log_missing", head: None, last, last_time: None, standings: Standings::default() };
    let mut store = match Store::open(&home.join(LOG_DIRECTORY), &head_path, Access::Read) {
        Ok(store) if *store.identity() == identity => store,
        Ok(_) => {
            found.reason = "identity_mismatch";
            return Ok(found);
        }
        Err(error) => {
            found.reason = open_code(&error);
            return Ok(found);
        }
    };
    match store.head_fit() {
        Ok(fit) => found.reason = misfit_code(&fit),
        Err(fault) => found.reason = fault_code(&fault),
    }
    if let Ok(mut snapshot) = store.read() {
        look_into(&mut snapshot, &mut found);
    }
    Ok(found)
}

/// Reads what can be read of the old database.
fn look_into(snapshot: &mut Snapshot<'_>, found: &mut Found) {
    let size = snapshot.size();
    found.head = snapshot.root_at(size).ok().map(|root| (size, root));
    found.last_time = size.last().and_then(|last| snapshot.integrated_time(last).ok());
    found.standings = standings(snapshot).unwrap_or_default();
    if found.last.is_none() {
        found.last = snapshot.checkpoint_up_to(size).ok().flatten();
    }
}

fn identity_of(settings: &Config, keys: &SiteKeys) -> Result<LogIdentity, AttestError> {
    let refused = |error: airtight_log::checkpoint::IdentityError| AttestError::Origin { said: error.to_string() };
    let tree_id = TreeId::new(settings.log.tree_id).map_err(refused)?;
    LogIdentity::new(&settings.log.origin, tree_id, keys.log.public().clone()).map_err(refused)
}

/// Makes the new log's first statements: what is known of the old one, and what may be sent.
fn statements(identity: &LogIdentity, old: &Config, found: &Found, note: &str) -> Result<Vec<Statement>, AttestError> {
    let predecessor = EpochPredecessor {
        origin: old.log.origin.clone(),
        tree_id: old.log.tree_id.to_string(),
        last_checkpoint: found.last.as_ref().map(|last| last.c2sp.clone()),
        size: found.head.map(|(size, _)| size.get()),
        root: found.head.map(|(_, root)| root.to_base64()),
    };
    let epoch = Epoch::new(predecessor, found.reason, Some(note))?;
    let permission = Permission::of(old.signals.provenance.rekor_enabled, &found.standings);
    let sending = |target: &str| match permission.is_given(target) {
        true => Sending::Enabled,
        false => Sending::NotEnabled(reason(&found.standings, target)),
    };
    // The old targets go on, each as it was permitted; nothing is permitted towards a later one.
    let mut controls = vec![Control::Epoch(epoch)];
    let first = TransparencyDecision::new(TARGET_DEFAULT, sending(TARGET_DEFAULT), 0, None)?;
    controls.push(Control::Decision(first));
    for named in found.standings.named() {
        let target = &named.said.name;
        controls.push(Control::Target(named.said.clone()));
        controls.push(Control::Decision(TransparencyDecision::new(target, sending(target), 0, None)?));
    }
    controls.iter().map(|control| control.statement(identity)).collect()
}

/// Builds the new log, its head and its settings, and gives them the name `adopting/` in one step.
fn build(
    adopting: &Path,
    new: &Config,
    identity: &LogIdentity,
    statements: Vec<Statement>,
    keys: &SiteKeys,
    now: u64,
) -> Result<(), AttestError> {
    let stage = adopting.with_file_name(BUILDING);
    durable::make_directory(&stage).map_err(io(&stage))?;
    let (log, head) = (stage.join(LOG_DIRECTORY), stage.join(HEAD_NAME));
    begin_log(&log, &head, identity, new.log.created.seconds(), statements, keys, now)?;
    new.write_new(&stage)?;
    durable::rename(&stage, adopting).map_err(io(adopting))
}

/// Returns why nothing may be sent from the new log: what the old one said last, else that it is disabled.
fn reason(standings: &Standings, target: &str) -> SkipReason {
    match standings.last_decision(target).map(|decision| decision.sending) {
        Some(Sending::NotEnabled(reason)) => reason,
        Some(Sending::Enabled) | None => SkipReason::RekorDisabled,
    }
}

/// Reads the settings in `adopting/`; nothing where they were taken away already, which is the last thing but one.
fn staged(adopting: &Path) -> Result<Option<Config>, AttestError> {
    if is_there(&adopting.join(FILE_NAME))? { Ok(Some(Config::load(adopting)?)) } else { Ok(None) }
}

/// Steps 4 to 9: each is done unless it was done before.
fn finish(home: &Path, new: &Config, found: Option<Found>) -> Result<Adopted, AttestError> {
    let (adopting, closed, log) = (home.join(ADOPTING), closed_directory(home, new), home.join(LOG_DIRECTORY));
    let (staged_log, staged_head) = (adopting.join(LOG_DIRECTORY), adopting.join(HEAD_NAME));
    if is_there(&staged_log)? {
        if !is_there(&closed)? {
            match is_there(&log)? {
                true => durable::rename(&log, &closed).map_err(io(&log))?,
                false => durable::make_directory(&closed).map_err(io(&closed))?,
            }
        }
        let (head, kept) = (new.log.head_note_path(home), closed.join(HEAD_NAME));
        let new_head = durable::read_whole(&staged_head).map_err(io(&staged_head))?.unwrap_or_default();
        let old_head = durable::read_whole(&head).map_err(io(&head))?;
        if let Some(old_head) = old_head.filter(|old_head| *old_head != new_head)
            && !is_there(&kept)?
        {
            durable::create_new(&kept, &old_head, durable::Mode::Public).map_err(io(&kept))?;
        }
        durable::replace(&head, &new_head, durable::Mode::Public).map_err(io(&head))?;
        durable::make_read_only(&closed).map_err(io(&closed))?;
        durable::rename(&staged_log, &log).map_err(io(&log))?;
    }
    if Config::load(home)?.log.tree_id != new.log.tree_id {
        new.replace(home)?;
    }
    durable::remove_directory(&adopting, FILE_NAME).map_err(io(&adopting))?;
    Ok(Adopted { epoch: new.log.epoch, origin: new.log.origin.clone(), closed, found })
}

/// Throws away an epoch that was built and not begun. It loses its name in one step: an `adopting/` that has lost a part
/// of itself is always one whose work is done.
fn discard(home: &Path) -> Result<(), AttestError> {
    let (adopting, discarded) = (home.join(ADOPTING), home.join(DISCARDED));
    durable::rename(&adopting, &discarded).map_err(io(&adopting))?;
    durable::remove_directory(&discarded, FILE_NAME).map_err(io(&discarded))
}

fn is_there(path: &Path) -> Result<bool, AttestError> {
    durable::is_there(path).map_err(io(path))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> AttestError {
    let path = path.to_owned();
    move |source| AttestError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_its_number_behind_the_name_once() {
        assert_eq!(base_origin("log.site.example", 1), "log.site.example");
        assert_eq!(base_origin("log.site.example/2", 2), "log.site.example");
        assert_eq!(base_origin("log.site.example/1", 1), "log.site.example/1", "a name of its own");
        assert_eq!(base_origin("log.site.example/12", 2), "log.site.example/12");
    }
}
