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

#[cfg(feature = "site")]
use std::io;

use airtight::statement::{PredicateType, UnknownPredicateType};
use serde::Serialize;

use crate::exit::Exit;

#[cfg(feature = "site")]
mod keys;
#[cfg(feature = "site")]
mod pack;
#[cfg(feature = "site")]
pub mod site;
#[cfg(feature = "site")]
pub mod sync;
#[cfg(feature = "site")]
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

#[cfg(feature = "site")]
/// Says that nothing that was kept comes out of an entry: it keeps nothing, or another program wrote it badly.
pub fn kept(index: u64, error: &airtight::statement::kept::KeptError) -> Failure {
    let message = format!("entry {index}: {error}");
    match error {
        airtight::statement::kept::KeptError::OtherType { .. } => Failure::new(Exit::NotFound, "kept_nothing", message)
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
    #[cfg(feature = "site")]
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

impl From<UnknownPredicateType> for Failure {
    fn from(error: UnknownPredicateType) -> Failure {
        let names: Vec<&str> = PredicateType::names().map(|(name, _)| name).collect();
        Failure::new(Exit::Usage, "predicate_type_unknown", error.to_string())
            .next(format!("give a URI, or one of {}", names.join(", ")))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, into: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        into.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

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
}
