//! Why an attestation was not made, or not proven.

use airtight_keys::envelope::EnvelopeSignError;
use airtight_keys::sign::SignError;
use airtight_log::digest::TreeSize;
use airtight_log::store::{Fault, HeadFit, OpenError};
use std::io;
use std::path::PathBuf;

use super::RecoverRefusal;
use crate::config::ConfigError;
use crate::disposition::ControlPredicateError;
use crate::keyring::KeyringError;
use crate::statement::StatementError;

/// Why an act on a site was refused or did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// There is no site in the directory.
    #[error("there is no site in {}", home.display())]
    NoSite {
        /// Where it was looked for.
        home: PathBuf,
    },
    /// A site, or something else, lies there already.
    #[error("{} is not empty", home.display())]
    SiteExists {
        /// Where.
        home: PathBuf,
    },
    /// Settings and log say different things of one site.
    #[error("airtight.yaml says {member} {config}, and the log says {log}")]
    Identity {
        /// The member of `Log:`.
        member: &'static str,
        /// In the file.
        config: String,
        /// In the database.
        log: String,
    },
    /// A new epoch was begun and is not there yet.
    #[error("a new epoch of the log in {} was begun and not brought to its end", home.display())]
    AdoptUnfinished {
        /// The site.
        home: PathBuf,
    },
    /// Something lies where the closed log would go.
    #[error("{} is there already, where the log to be closed would go", directory.display())]
    EpochExists {
        /// Where.
        directory: PathBuf,
    },
    /// The origin cannot name a log.
    #[error("the origin cannot name a log: {said}")]
    Origin {
        /// What was wrong with it.
        said: String,
    },
    /// The clock lies more than a day before the last entry.
    #[error("the clock says {now}, and the last entry was integrated at {last}")]
    ClockBack {
        /// Seconds since the epoch.
        now: u64,
        /// Seconds since the epoch.
        last: u64,
    },
    /// No such entry.
    #[error("entry {index} is not in a log of size {size}")]
    NotFound {
        /// The index asked for.
        index: u64,
        /// The log's size.
        size: TreeSize,
    },
    /// No released checkpoint covers the entry yet.
    #[error("no released checkpoint covers entry {index} yet")]
    Uncovered {
        /// The index.
        index: u64,
    },
    /// Only the leaf of the entry is kept.
    #[error("of entry {index} only the leaf is kept, and a bundle needs the envelope")]
    LeafOnly {
        /// The index.
        index: u64,
    },
    /// The log cannot be brought back from what was given.
    #[error(transparent)]
    Recover(#[from] RecoverRefusal),
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Reading the lines of a batch.
    #[error("reading the batch: {0}")]
    Input(io::Error),
    /// Writing the answers of a batch.
    #[error("writing the answers: {0}")]
    Output(io::Error),
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A control entry's predicate.
    #[error(transparent)]
    Control(#[from] ControlPredicateError),
    /// The signer refused.
    #[error(transparent)]
    Envelope(#[from] EnvelopeSignError),
    /// The log key refused.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The log did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl AttestError {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSite { .. } => "no_site",
            Self::SiteExists { .. } => "site_exists",
            Self::Identity { .. } => "identity_mismatch",
            Self::AdoptUnfinished { .. } => "adopt_unfinished",
            Self::EpochExists { .. } => "epoch_exists",
            Self::Origin { .. } => "origin_refused",
            Self::ClockBack { .. } => "clock_back",
            Self::NotFound { .. } => "entry_not_found",
            Self::Uncovered { .. } => "entry_uncovered",
            Self::LeafOnly { .. } => "leaf_only",
            Self::Recover(refusal) => refusal.code(),
            Self::Io { .. } => "file_refused",
            Self::Input(_) => "input_unreadable",
            Self::Output(_) => "output_unwritable",
            Self::Config(error) => error.code(),
            Self::Keyring(error) => error.code(),
            Self::Statement(error) => error.code(),
            Self::Control(_) => "control_refused",
            Self::Envelope(_) | Self::Sign(_) => "signing_refused",
            Self::Open(error) => open_code(error),
            Self::Fault(fault) => fault_code(fault),
        }
    }
}

/// Returns the stable code of a log that did not open.
pub fn open_code(error: &OpenError) -> &'static str {
    match error {
        OpenError::Missing { .. } => "log_missing",
        OpenError::Exists { .. } => "log_exists",
        OpenError::NotALog { .. } => "not_a_log",
        OpenError::Schema { .. } => "schema_unknown",
        OpenError::Identity { .. } => "log_damaged",
        OpenError::Fault(fault) => fault_code(fault),
    }
}

/// Returns the stable code of a store's failure.
pub fn fault_code(fault: &Fault) -> &'static str {
    match fault {
        fault if fault.is_disk_full() => "disk_full",
        Fault::Io { .. } | Fault::Sqlite { .. } => "store_unusable",
        Fault::OutcomeUnknown { .. } => "outcome_unknown",
        Fault::Poisoned => "store_poisoned",
        Fault::Locked(_) => "log_locked",
        Fault::ReadOnly { .. } => "log_read_only",
        Fault::HeadMisfit(misfit) => misfit_code(misfit),
        Fault::Damaged(_) => "log_damaged",
        Fault::WrongLogKey { .. } => "wrong_log_key",
        Fault::Sign(_) => "signing_refused",
        Fault::Full { .. } => "log_full",
    }
}

/// Returns the stable code of a head that does not fit.
pub fn misfit_code(misfit: &HeadFit) -> &'static str {
    match misfit {
        HeadFit::Fits { .. } => "head_fits",
        HeadFit::Behind { .. } => "log_behind_head",
        HeadFit::Differs { .. } => "log_differs_from_head",
        HeadFit::Missing { .. } => "head_missing",
        HeadFit::Damaged { .. } => "head_damaged",
        HeadFit::OfAnotherLog { .. } => "head_of_another_log",
    }
}
