//! A command that did not do what was asked: its exit code, its stable code, its sentence, and what to do next.
//!
//! The libraries say what is the case, with both sides. What to do about it is said here, for only the face knows the
//! commands. For a person:
//!
//! ```text
//! error[key_readable_by_others]: .airtight/keys/signer.key has mode 0644, and a private key is for its owner alone (0600)
//!   next: chmod 600 .airtight/keys/signer.key
//! ```
//!
//! With `--json` the same as one line, also on standard error, for standard output is data alone:
//!
//! ```text
//! {"error":{"code":"key_readable_by_others","message":"…","next":"chmod 600 .airtight/keys/signer.key"}}
//! ```

use std::io;

use airtight::config::ConfigError;
use airtight::keyring::{KeyNameError, KeyringError};
use airtight::statement::PredicateType;
use airtight::statement::kept::KeptError;
use serde::Serialize;

use crate::exit::Exit;

mod pack;
pub mod site;
pub mod sync;
mod target;

/// Why a command stopped.
#[derive(Debug)]
pub struct Failure {
    /// The exit code of the process.
    pub exit: Exit,
    /// The stable code: snake case, the same in text, JSON and docs.
    pub code: &'static str,
    /// What is the case; one sentence, lower case, no full stop.
    pub message: String,
    /// What to do next, best a command.
    pub next: Option<String>,
}

#[derive(Serialize)]
struct Rendered<'f> {
    error: RenderedError<'f>,
}

#[derive(Serialize)]
struct RenderedError<'f> {
    code: &'f str,
    message: &'f str,
    next: Option<&'f str>,
}

/// Says that nothing that was kept comes out of an entry: it keeps nothing, or another program wrote it badly.
pub fn kept(index: u64, error: &KeptError) -> Failure {
    let message = format!("entry {index}: {error}");
    match error {
        KeptError::OtherType { .. } => Failure::new(Exit::NotFound, "kept_nothing", message)
            .next(format!("see what was kept with `airtight log list --type {}`", PredicateType::KEPT_BUNDLE)),
        _ => Failure::new(Exit::LogUnfit, error.code(), message)
            .next("take the bytes as the payload has them: airtight log entry N --payload"),
    }
}

impl Failure {
    /// Returns a failure without advice.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Failure {
        Failure { exit, code, message: message.into(), next: None }
    }

    /// Returns what the operating system refused: exit 4 for what is not there, else 10. A full disk has one code wherever
    /// a site meets it; what to do next follows from the kind.
    pub fn by_system(code: &'static str, message: impl Into<String>, source: &io::Error) -> Failure {
        let refused = |code, next| Failure::new(Exit::MachineRefused, code, message).next(next);
        match source.kind() {
            io::ErrorKind::NotFound => {
                Failure { exit: Exit::NotFound, ..refused(code, "check the path, and that nothing was moved away") }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                refused("disk_full", "make room, then run the same command again")
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                refused(code, "run as the owner of the file, or let yourself read and write there")
            }
            _ => refused(code, "see what the system's log says of the disk, then run the same command again"),
        }
    }

    /// Adds what to do next.
    pub fn next(mut self, next: impl Into<String>) -> Failure {
        self.next = Some(next.into());
        self
    }

    /// Returns the text for standard error, with its last newline.
    pub fn render(&self, json: bool) -> String {
        let Failure { code, message, next, .. } = self;
        if json {
            let error = RenderedError { code, message, next: next.as_deref() };
            let line = serde_json::to_string(&Rendered { error }).expect("invariant: three texts are always JSON");
            return line + "\n";
        }
        match next {
            Some(next) => format!("error[{code}]: {message}\n  next: {next}\n"),
            None => format!("error[{code}]: {message}\n"),
        }
    }
}

impl From<KeyNameError> for Failure {
    fn from(error: KeyNameError) -> Failure {
        Failure::new(Exit::Usage, "key_name_refused", error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        let failure = |exit| Failure::new(exit, error.code(), error.to_string());
        match &error {
            ConfigError::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Failure::new(Exit::NotFound, "no_site", error.to_string())
                    .next("make a site with `airtight init --origin NAME`, or name one with --home DIR")
            }
            ConfigError::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                Failure::new(Exit::Usage, "site_exists", error.to_string())
                    .next("use the site that is there, or name another directory with --home DIR")
            }
            ConfigError::NotEditable { wanted } => Failure::new(Exit::Usage, "config_not_editable", error.to_string())
                .next(format!(
                    "write `RekorEnabled: {wanted}` into airtight.yaml by hand, below `Provenance:`, and run this again"
                )),
            ConfigError::File { source, .. } => Failure::by_system(error.code(), error.to_string(), source),
            ConfigError::TooLarge { .. }
            | ConfigError::NotText { .. }
            | ConfigError::Shape(_)
            | ConfigError::Value { .. } => {
                failure(Exit::Malformed).next("mend airtight.yaml; docs/operator.md shows a whole one")
            }
        }
    }
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Failure {
        use KeyringError as E;
        let (code, message) = (error.code(), error.to_string());
        let failure = |exit| Failure::new(exit, code, message.clone());
        match error {
            E::NotFound { .. } => failure(Exit::NotFound).next("see the keys there are with `airtight key list`"),
            E::PrivateMissing { name, .. } => failure(Exit::NotFound)
                .next(format!("put {name}.key back from your backup, or use another key with --key NAME")),
            E::PublicMissing { name, path } => {
                let private = path.with_extension("key");
                failure(Exit::NotFound).next(format!(
                    "if an interrupted command left `{name}` behind, remove {}; if you lost the public half: openssl pkey -in {} -pubout -out {}",
                    private.display(),
                    private.display(),
                    path.display()
                ))
            }
            E::Taken { .. } => failure(Exit::Usage).next("choose another name; a key is never overwritten"),
            E::ReadableByOthers { path, .. } => {
                failure(Exit::MachineRefused).next(format!("chmod 600 {}", path.display()))
            }
            E::PairMismatch { name, .. } => failure(Exit::Malformed)
                .next(format!("put back the file of `{name}` that was changed, from your backup")),
            E::Algorithm { wanted, .. } => {
                failure(Exit::Usage).next(format!("make it with --algorithm {}", short(wanted)))
            }
            E::Role { .. } => failure(Exit::Usage).next("see the roles of the keys with `airtight key list`"),
            E::Shared(_) => failure(Exit::Malformed)
                .next("keep one key for one role; make another with `airtight key generate NAME`"),
            E::Passphrase(source) => match source.downcast::<Failure>() {
                Ok(own) => *own,
                Err(_) => failure(Exit::Usage),
            },
            E::PassphraseEmpty => failure(Exit::Usage).next("give a passphrase, or say --no-passphrase"),
            E::OtherPassphrase { .. } => {
                failure(Exit::MachineRefused).next("give the passphrase of the site's other keys")
            }
            E::PrivateKey { .. } | E::Cosign { .. } if code == "passphrase_wrong" => {
                failure(Exit::MachineRefused).next("give the passphrase that this key was written with")
            }
            E::File { source, .. } => Failure::by_system(code, message, &source),
            E::Random(_) => failure(Exit::MachineRefused).next("run again when the system has randomness to give"),
            E::TooLarge { .. } | E::PublicKey { .. } | E::PrivateKey { .. } | E::Cosign { .. } => {
                failure(Exit::Malformed)
            }
            E::Write(_) => failure(Exit::Internal),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, into: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        into.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

fn short(algorithm: airtight_keys::public::Algorithm) -> &'static str {
    match algorithm {
        airtight_keys::public::Algorithm::P256 => "p256",
        airtight_keys::public::Algorithm::Ed25519 => "ed25519",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_two_lines_for_a_person_and_one_for_a_program() {
        let failure = Failure::new(Exit::NotFound, "key_not_found", "there is no key `x`").next("airtight key list");
        assert_eq!(failure.render(false), "error[key_not_found]: there is no key `x`\n  next: airtight key list\n");
        assert_eq!(
            failure.render(true),
            "{\"error\":{\"code\":\"key_not_found\",\"message\":\"there is no key `x`\",\"next\":\"airtight key list\"}}\n"
        );
        let bare = Failure::new(Exit::Internal, "x", "y");
        assert_eq!(bare.render(false), "error[x]: y\n");
        assert_eq!(bare.render(true), "{\"error\":{\"code\":\"x\",\"message\":\"y\",\"next\":null}}\n");
    }

    #[test]
    fn what_the_system_refuses_has_advice_and_a_full_disk_one_code() {
        for (kind, exit, code) in [
            (io::ErrorKind::NotFound, Exit::NotFound, "key_file_unreadable"),
            (io::ErrorKind::StorageFull, Exit::MachineRefused, "disk_full"),
            (io::ErrorKind::ReadOnlyFilesystem, Exit::MachineRefused, "key_file_unreadable"),
            (io::ErrorKind::Other, Exit::MachineRefused, "key_file_unreadable"),
        ] {
            let failure = Failure::from(KeyringError::File { path: "signer.key".into(), source: kind.into() });
            assert_eq!((failure.exit, failure.code), (exit, code));
            assert!(failure.next.is_some());
        }
    }

    #[test]
    fn a_refusal_of_the_face_comes_back_whole_through_the_keyring() {
        let own = Failure::new(Exit::Interrupted, "interrupted", "no passphrase was typed");
        let back = Failure::from(KeyringError::Passphrase(Box::new(own)));
        assert_eq!((back.exit, back.code), (Exit::Interrupted, "interrupted"));
    }
}
