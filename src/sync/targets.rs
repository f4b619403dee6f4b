//! The targets of a site: those that its log names and did not remove, each with the files that the log says it has.
//!
//! ```text
//! target entry in the log   name, url, logId, and the SHA-256 of two files    →  what the site said, signed
//! targets/NAME/             the two files                                      →  read only if they have these digests
//! ```
//!
//! A file that was changed by hand is no way to another key: it is refused until somebody adds the target again, which the
//! log then says. Which of several logs the files mean was settled when the target was added, and stands in the entry, so the
//! answer does not change under a pack that is on its way. A log that ended is still read, for its receipts;
//! [`Target::check_open`] is asked before something is sent. Where a target was replaced, what its earlier log answered is
//! still taken and given out, as long as the present trusted root has that log's key ([`earlier`]).

use std::path::Path;

use airtight_keys::public::KeyId;
use airtight_log::checkpoint::LogIdentity;
use airtight_log::digest::sha256;
use airtight_log::store::Snapshot;
use jiff::Timestamp;

use super::target::{Target, TargetError};
use crate::attest::{AttestError, Site, said, standings};
use crate::config::targets::{self, TargetFiles, TargetFilesError, TargetName, TargetNameError};
use crate::disposition::{NamedTarget, Standings, TRANSPARENCY_TARGET_V1, TransparencyTarget};

/// Why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetRefusal {
    /// The log names no such target.
    #[error("the log names no target {name:?}; it names {}", known_words(known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that it names.
        known: Vec<String>,
    },
    /// What lies in the target's directory is not what the log says.
    #[error("entry {entry} says that target {name} has {what} {said}, and it has {found}")]
    FilesDiffer {
        /// The target.
        name: String,
        /// The entry that names it.
        entry: u64,
        /// `a signing config of SHA-256`, …
        what: &'static str,
        /// What the log says.
        said: String,
        /// What was found.
        found: String,
    },
    /// The files cannot be read.
    #[error(transparent)]
    Files(#[from] TargetFilesError),
    /// The files are no target.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] AttestError),
}

impl TargetRefusal {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            TargetRefusal::Unknown { .. } => "target_unknown",
            TargetRefusal::FilesDiffer { .. } => "target_files_differ",
            TargetRefusal::Files(error) => error.code(),
            TargetRefusal::Target(error) => error.code(),
            TargetRefusal::Log(error) => error.code(),
        }
    }
}

fn known_words(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// Gives a target of the site, its files compared with what the log says of them.
///
/// What success does not mean: that sending is permitted, or that the log still takes entries ([`Target::check_open`]).
///
/// # Errors
/// [`TargetRefusal`].
pub fn load(site: &mut Site, name: &str) -> Result<Target, TargetRefusal> {
    let standings = standings(&mut site.store_mut().read().map_err(AttestError::Fault)?)?;
    load_named(site.home(), site.store().identity(), find(&standings, name)?)
}

/// Finds what the log says of a target.
///
/// # Errors
/// [`TargetRefusal::Unknown`].
pub fn find<'s>(standings: &'s Standings, name: &str) -> Result<&'s NamedTarget, TargetRefusal> {
    standings.find(name).ok_or_else(|| TargetRefusal::Unknown {
        name: name.to_owned(),
        known: standings.named().map(|target| target.said.name.clone()).collect(),
    })
}

/// Gives a target that the log of the site in `home` names so.
///
/// # Errors
/// [`TargetRefusal`], but for `Unknown` and `Log`.
pub fn load_named(home: &Path, own: &LogIdentity, named: &NamedTarget) -> Result<Target, TargetRefusal> {
    let NamedTarget { index, said } = named;
    let differs = |what, said: &str, found: String| TargetRefusal::FilesDiffer {
        name: named.said.name.clone(),
        entry: *index,
        what,
        said: said.to_owned(),
        found,
    };
    let name = name_of(named)?;
    let files = match targets::read(home, &name) {
        Err(TargetFilesError::NotFound { .. }) => {
            return Err(differs("a signing config of SHA-256", &said.signing_config_sha256, "none".to_owned()));
        }
        files => files?,
    };
    for (what, said, found) in [
        ("a signing config of SHA-256", &said.signing_config_sha256, &files.signing_config),
        ("a trusted root of SHA-256", &said.trusted_root_sha256, &files.trusted_root),
    ] {
        let found = sha256(found).hex();
        if *said != found {
            return Err(differs(what, said, format!("one of {found}")));
        }
    }
    let as_of = as_of(said).ok_or_else(|| differs("the moment", &said.as_of, "none since 1970".to_owned()))?;
    let selected = (said.api_version, said.url.as_str(), said.log_id.as_str());
    let target = Target::read_selected(name, &files.signing_config, &files.trusted_root, as_of, selected)?;
    let no_such = || differs("the log of this id at", &said.url, "no such log".to_owned());
    let target = target.ok_or_else(no_such)?;
    target.refuse_own(own)?;
    Ok(target)
}

/// Gives a target as it was with an earlier log of its name, for the receipts that came from there. Nothing where the site
/// never named that log so, or where the present trusted root does not hold its key.
///
/// # Errors
/// [`AttestError`] where the log cannot be read.
pub fn earlier(snapshot: &mut Snapshot<'_>, target: &Target, log_id: &KeyId) -> Result<Option<Target>, AttestError> {
    let id = log_id.to_string();
    let all: Vec<(u64, TransparencyTarget)> = said(snapshot, TRANSPARENCY_TARGET_V1)?;
    let named = all.into_iter().rev().find(|(_, said)| said.name == target.name.as_str() && said.log_id == id);
    let found = named.and_then(|(_, said)| target.with_log(said.api_version, &said.url, log_id));
    Ok(found.filter(|found| found.refuse_own(snapshot.identity()).is_ok()))
}

/// Returns what the log is to say of a target with these files.
pub fn said_of(target: &Target, files: &TargetFiles) -> TransparencyTarget {
    let as_of = i64::try_from(target.as_of).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    TransparencyTarget {
        name: target.name.as_str().to_owned(),
        api_version: target.api,
        url: target.url.clone(),
        log_id: target.log_id().to_string(),
        signing_config_sha256: sha256(&files.signing_config).hex(),
        trusted_root_sha256: sha256(&files.trusted_root).hex(),
        as_of: as_of.unwrap_or(Timestamp::UNIX_EPOCH).to_string(),
        removed: false,
        after: None,
    }
}

/// Returns the moment for which a target's files were taken as current, in seconds since the epoch.
pub fn as_of(said: &TransparencyTarget) -> Option<u64> {
    said.as_of.parse::<Timestamp>().ok().and_then(|moment| u64::try_from(moment.as_second()).ok())
}

/// A name in the log that cannot be one on the disk is another program's, and names nothing.
fn name_of(named: &NamedTarget) -> Result<TargetName, TargetRefusal> {
    TargetName::new(&named.said.name)
        .map_err(|TargetNameError { met }| TargetRefusal::Unknown { name: met, known: Vec::new() })
}
