//! What is said when a site, its log or its head refuses: for each code its exit, and what to do next.
//!
//! | what | exit |
//! |---|---|
//! | database and head do not fit, damage, files of two logs | 6, and nothing was signed |
//! | the clock lies before the last entry | 7 |
//! | no site, no log, no such entry | 4 |
//! | a statement that cannot be attested | 5 |
//! | locked, full, read-only, unreadable, outcome unknown | 10 |

use airtight::attest::{AttestError, RecoverRefusal, fault_code, open_code};
use airtight::statement::StatementError;
use airtight_log::store::{Fault, HeadFit, OpenError};

use super::Failure;
use crate::exit::Exit;

/// What every interrupted attestation allows.
const AGAIN: &str = "run the same command again: what is in the log already answers with the index it has";
/// How a new log is begun where nothing brings the old one back.
const ADOPT: &str = "airtight log adopt --new-epoch --note TEXT";

impl From<AttestError> for Failure {
    fn from(error: AttestError) -> Failure {
        use AttestError as E;
        let (code, message) = (error.code(), error.to_string());
        let failure = |exit| Failure::new(exit, code, message.clone());
        match error {
            E::Config(error) => error.into(),
            E::Keyring(error) => error.into(),
            E::Open(error) => error.into(),
            E::Fault(fault) => fault.into(),
            E::NoSite { .. } => failure(Exit::NotFound)
                .next("make a site with `airtight init --origin NAME`, or name one with --home DIR"),
            E::SiteExists { .. } => {
                failure(Exit::Usage).next("use the site that is there, or name another directory with --home DIR")
            }
            E::Identity { .. } => {
                failure(Exit::LogUnfit).next("put airtight.yaml and log/ of one site together again, from your backup")
            }
            E::AdoptUnfinished { .. } => failure(Exit::LogUnfit).next(format!("bring it to its end: {ADOPT}")),
            E::EpochExists { .. } => failure(Exit::Usage).next("move it away; a closed log is never written over"),
            E::Origin { .. } => failure(Exit::Usage).next("a name that you own is best, like log.site.example"),
            E::ClockBack { .. } => {
                failure(Exit::Stale).next("set the clock of this machine; nothing was signed with the time it shows")
            }
            E::NotFound { .. } => failure(Exit::NotFound).next("see what the log holds with `airtight log list`"),
            E::Uncovered { .. } => failure(Exit::NotFound)
                .next("attest once more: every attestation releases a checkpoint over the whole log"),
            E::LeafOnly { .. } => failure(Exit::NotFound).next("prove the leaf alone: airtight log prove N"),
            E::Recover(refusal) => failure(Exit::LogUnfit).next(recover_advice(&refusal)),
            E::Statement(error) => error.into(),
            E::Control(_) => failure(Exit::Usage).next("say it shorter or otherwise; nothing was changed"),
            E::Io { source, .. } | E::Input(source) | E::Output(source) => Failure::by_system(code, message, &source),
            E::Envelope(_) | E::Sign(_) => failure(Exit::MachineRefused).next(AGAIN),
        }
    }
}

impl From<StatementError> for Failure {
    fn from(error: StatementError) -> Failure {
        let failure = Failure::new(Exit::Malformed, error.code(), error.to_string());
        match error {
            StatementError::TooManySubjects { .. } => failure.next("make as many statements as it takes with --split"),
            StatementError::NoSubject => {
                failure.next("name a file, or a directory that holds one; a ready statement needs a subject as well")
            }
            StatementError::SubjectTwice { .. } => failure.next("rename one, or attest them apart"),
            StatementError::NoSha256 { .. } => failure.next("give subjects their sha256 as `sha256sum` prints it"),
            StatementError::Digest { .. } => {
                failure.next("give subjects their digests as `sha256sum`, `sha384sum` and `sha512sum` print them")
            }
            StatementError::TooLarge { .. } => {
                failure.next("attest the file that it describes, and hand the rest over beside it")
            }
            StatementError::ControlType { .. } => failure.next("choose a predicate type of your own"),
            StatementError::PredicateType { .. } => failure.next("give a URI, like https://example.com/part/v1"),
            StatementError::Json(_)
            | StatementError::Predicate(_)
            | StatementError::Shape(_)
            | StatementError::Type { .. } => {
                failure.next("mend what is named, or have it made by airtight: airtight attest PATH")
            }
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        let (code, message) = (open_code(&error), error.to_string());
        let failure = |exit| Failure::new(exit, code, message);
        match error {
            OpenError::Fault(fault) => fault.into(),
            OpenError::Missing { .. } => failure(Exit::NotFound).next(format!(
                "put log/log.db back from your backup and run `airtight log recover --from DIR`; without one: {ADOPT}"
            )),
            OpenError::Exists { .. } => {
                failure(Exit::Usage).next("a log is never written over: name another directory")
            }
            OpenError::NotALog { .. } => {
                failure(Exit::LogUnfit).next(format!("put log/log.db back from your backup; without one: {ADOPT}"))
            }
            OpenError::Schema { .. } => failure(Exit::LogUnfit).next("use the airtight that wrote it, or a newer one"),
            OpenError::Identity { .. } => failure(Exit::LogUnfit).next(damage_advice()),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let (code, message) = (fault_code(&fault), fault.to_string());
        let failure = |exit| Failure::new(exit, code, message.clone());
        match &fault {
            Fault::OutcomeUnknown { .. } => failure(Exit::MachineRefused).next(AGAIN),
            fault if fault.is_disk_full() => failure(Exit::MachineRefused).next(format!("make room, then {AGAIN}")),
            Fault::Io { source, .. } => Failure::by_system(code, message, source),
            Fault::Sqlite { .. } => failure(Exit::MachineRefused).next(format!(
                "check that you may write in the log's directory, and what the system's log says of the disk; then {AGAIN}"
            )),
            Fault::Poisoned | Fault::Sign(_) => failure(Exit::MachineRefused).next(AGAIN),
            Fault::Full { .. } => failure(Exit::MachineRefused).next(format!("begin the next epoch: {ADOPT}")),
            Fault::Locked(_) => {
                failure(Exit::MachineRefused).next("wait for that process to end, or end it; then again")
            }
            Fault::ReadOnly { directory } => {
                failure(Exit::MachineRefused).next(format!("make {} writable for you", directory.display()))
            }
            Fault::HeadMisfit(misfit) => failure(Exit::LogUnfit).next(misfit_advice(misfit)),
            Fault::Damaged(_) => failure(Exit::LogUnfit).next(damage_advice()),
            Fault::WrongLogKey { .. } => failure(Exit::LogUnfit)
                .next("put keys/log.key and keys/log-ed25519.key of this log back from your backup"),
        }
    }
}

/// Says what to do about a head that does not fit; the same words wherever it is met.
pub fn misfit_advice(misfit: &HeadFit) -> String {
    match misfit {
        HeadFit::Fits { .. } => "nothing: they fit".to_owned(),
        HeadFit::Behind { .. } => format!(
            "bring the lost entries back from exported tiles or bundles: airtight log recover --from DIR; if nobody has them: {ADOPT}"
        ),
        HeadFit::Differs { .. } => {
            format!("keep the log and its head as evidence and put the right database back; if there is none: {ADOPT}")
        }
        HeadFit::Missing { path } | HeadFit::Damaged { path } => format!(
            "put {} back, or make it again from the newest checkpoint that left this site: airtight log recover --from DIR; if there is none: {ADOPT}",
            path.display()
        ),
        HeadFit::OfAnotherLog { path, .. } => {
            format!("put the {} of this log back, or this log's database; if there is none: {ADOPT}", path.display())
        }
    }
}

fn recover_advice(refusal: &RecoverRefusal) -> String {
    use RecoverRefusal as R;
    let gather = "put the tiles and the bundles that you can find of this log into one directory, and run it again";
    match refusal {
        R::NoCheckpoint { .. } => format!("nothing was written; {gather}; if there is none: {ADOPT}"),
        R::Missing { .. } | R::TimeUnknown { .. } => {
            format!("nothing was written; {gather}; if nobody has them: {ADOPT}")
        }
        R::TimesDiffer { .. } | R::TimeOrder { .. } => {
            "nothing was written; airtight/integrated was changed: take another copy of the export".to_owned()
        }
        R::Forked { .. } => {
            format!(
                "nothing was written; keep both as evidence and put the right database back; if there is none: {ADOPT}"
            )
        }
        R::OtherTree { .. } | R::Twice { .. } => {
            "nothing was written; what was given was changed, or is another log's: take another copy".to_owned()
        }
    }
}

fn damage_advice() -> String {
    format!(
        "see how far it goes with `airtight log fsck`; put the database back from your backup and run `airtight log recover --from DIR`; without one: {ADOPT}"
    )
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use airtight_log::digest::{Hash, TreeSize};
    use airtight_log::store::Damage;

    use super::*;

    fn misfits() -> [(HeadFit, &'static str); 5] {
        let (path, hash) = (PathBuf::from("head.note"), Hash::from_bytes([0; 32]));
        [
            (HeadFit::Missing { path: path.clone() }, "head_missing"),
            (HeadFit::Damaged { path: path.clone() }, "head_damaged"),
            (HeadFit::Behind { size: 1, signed: 2 }, "log_behind_head"),
            (HeadFit::Differs { signed: 2, computed: hash, root: hash }, "log_differs_from_head"),
            (HeadFit::OfAnotherLog { path, found: "b".into(), expected: "a".into() }, "head_of_another_log"),
        ]
    }

    #[test]
    fn each_way_in_which_log_and_head_do_not_fit_is_exit_6_with_its_own_code_and_advice() {
        for (misfit, code) in misfits() {
            let failure = Failure::from(AttestError::from(Fault::HeadMisfit(Box::new(misfit))));
            assert_eq!((failure.exit, failure.code), (Exit::LogUnfit, code));
            assert!(failure.next.unwrap().contains(ADOPT), "{code}");
        }
    }

    #[test]
    fn what_a_site_refuses_has_the_exit_code_of_its_kind() {
        let size = TreeSize::new(3).unwrap();
        let io = |kind: io::ErrorKind| Fault::Io { path: "log.db".into(), source: kind.into() };
        for (error, exit, code) in [
            (AttestError::NoSite { home: "x".into() }, Exit::NotFound, "no_site"),
            (AttestError::SiteExists { home: "x".into() }, Exit::Usage, "site_exists"),
            (AttestError::NotFound { index: 3, size }, Exit::NotFound, "entry_not_found"),
            (AttestError::ClockBack { now: 1, last: 2 }, Exit::Stale, "clock_back"),
            (OpenError::Missing { path: "x".into() }.into(), Exit::NotFound, "log_missing"),
            (OpenError::Identity { said: "x".into() }.into(), Exit::LogUnfit, "log_damaged"),
            (Fault::Damaged(Damage::EntryMissing { index: 1, size: 3 }).into(), Exit::LogUnfit, "log_damaged"),
            (Fault::Locked("x".into()).into(), Exit::MachineRefused, "log_locked"),
            (Fault::ReadOnly { directory: "x".into() }.into(), Exit::MachineRefused, "log_read_only"),
            (io(io::ErrorKind::StorageFull).into(), Exit::MachineRefused, "disk_full"),
            (io(io::ErrorKind::PermissionDenied).into(), Exit::MachineRefused, "store_unusable"),
        ] {
            let failure = Failure::from(error);
            assert_eq!((failure.exit, failure.code), (exit, code));
        }
    }
}
