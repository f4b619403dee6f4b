//! What is said when a target refuses: for each code its exit, and what to do next.

use std::io;

use airtight::config::targets::{TargetFilesError, TargetNameError};
use airtight::sync::target::TargetError;
use airtight::sync::targets::TargetRefusal;

use super::Failure;
use crate::exit::Exit;

/// How a target is made or mended.
const ADD: &str = "airtight sync target add NAME --signing-config SC.json --trusted-root TR.json";

impl From<TargetRefusal> for Failure {
    fn from(refusal: TargetRefusal) -> Failure {
        let (code, message) = (refusal.code(), refusal.to_string());
        let failure = |exit| Failure::new(exit, code, message.clone());
        match refusal {
            TargetRefusal::Unknown { known, .. } if known.is_empty() => failure(Exit::NotFound).next(ADD),
            TargetRefusal::Unknown { .. } => failure(Exit::NotFound).next("see them with `airtight sync target list`"),
            TargetRefusal::FilesDiffer { name, .. } => failure(Exit::Malformed)
                .next(format!("nothing goes there until you say again what it is: {}", ADD.replace("NAME", &name))),
            TargetRefusal::Files(error) => error.into(),
            TargetRefusal::Target(error) => error.into(),
            TargetRefusal::Log(error) => error.into(),
        }
    }
}

impl From<TargetNameError> for Failure {
    fn from(error: TargetNameError) -> Failure {
        Failure::new(Exit::Usage, "target_name_refused", error.to_string())
            .next("choose a name like public or rekor-2026")
    }
}

impl From<TargetFilesError> for Failure {
    fn from(error: TargetFilesError) -> Failure {
        let (code, message) = (error.code(), error.to_string());
        let failure = |exit| Failure::new(exit, code, message.clone());
        match &error {
            TargetFilesError::NotFound { .. } => failure(Exit::NotFound).next(ADD),
            TargetFilesError::TooLarge { .. } => {
                failure(Exit::Malformed).next("give the files as Sigstore publishes them; they have some kilobytes")
            }
            TargetFilesError::File { source, .. } => match source.kind() {
                // A place that is not there is the machine's fault here: nobody named it.
                io::ErrorKind::NotFound => failure(Exit::MachineRefused).next("check that nothing was moved away"),
                _ => Failure::by_system(code, message, source),
            },
        }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Failure {
        let failure = |exit| Failure::new(exit, error.code(), error.to_string());
        match &error {
            TargetError::SigningConfig(_) => failure(Exit::Malformed)
                .next("give Sigstore's signing_config.v0.2.json of that log with --signing-config"),
            TargetError::TrustedRoot(_) => {
                failure(Exit::Malformed).next("give Sigstore's trusted_root.json of that log with --trusted-root")
            }
            TargetError::NoUrl | TargetError::ApiUnsupported { .. } => {
                failure(Exit::Usage).next("give the signing config of a log that speaks Rekor v1 or v2")
            }
            TargetError::LogUnknown { .. } | TargetError::LogKey { .. } | TargetError::LogUrl { .. } => {
                failure(Exit::Usage)
                    .next("give the trusted root that belongs to this signing config: both are published together")
            }
            TargetError::OwnKey { .. } => {
                failure(Exit::Usage).next("name another log: one that this site holds the key of is no witness of it")
            }
            TargetError::NotStarted { .. } => {
                failure(Exit::Stale).next("add it again when it has begun, or check the clock of this machine")
            }
            TargetError::Ended { .. } => failure(Exit::Stale)
                .next(format!("fetch the newest signing config and trusted root, and name its successor: {ADD}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_refuses_has_the_exit_of_its_kind_and_says_what_to_do() {
        let unknown = |known: &[&str]| TargetRefusal::Unknown {
            name: "x".into(),
            known: known.iter().map(|name| (*name).to_owned()).collect(),
        };
        let differ = TargetRefusal::FilesDiffer {
            name: "public".into(),
            entry: 4,
            what: "a trusted root of SHA-256",
            said: "0a".into(),
            found: "none".into(),
        };
        let file = |kind: io::ErrorKind| TargetFilesError::File { path: "targets/x".into(), source: kind.into() };
        let ended = TargetError::Ended { url: "https://a.example".into(), end: 1, now: 2 };
        for (failure, exit, code) in [
            (Failure::from(unknown(&[])), Exit::NotFound, "target_unknown"),
            (Failure::from(unknown(&["public"])), Exit::NotFound, "target_unknown"),
            (Failure::from(differ), Exit::Malformed, "target_files_differ"),
            (file(io::ErrorKind::NotFound).into(), Exit::MachineRefused, "target_unreadable"),
            (file(io::ErrorKind::StorageFull).into(), Exit::MachineRefused, "disk_full"),
            (TargetError::NoUrl.into(), Exit::Usage, "target_no_url"),
            (ended.into(), Exit::Stale, "target_ended"),
        ] {
            assert_eq!((failure.exit, failure.code), (exit, code));
            assert!(failure.next.is_some(), "{code}");
        }
    }
}
