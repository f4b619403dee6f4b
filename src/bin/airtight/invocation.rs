//! One call of the program: the site it is about, its output, and the powers it may use.
//!
//! The clock, randomness, the environment and the terminal enter the program here and in `passphrase`, nowhere else: a
//! command hands them down as arguments.

#[cfg(feature = "site")]
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::Globals;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
#[cfg(feature = "site")]
use crate::passphrase::PassphraseSource;

#[cfg(feature = "site")]
mod site;

#[cfg(feature = "site")]
pub use site::OsRandom;

/// What every command is given.
pub struct Invocation {
    #[cfg(feature = "site")]
    /// The site directory, whether it is there or not.
    pub home: PathBuf,
    /// Where data and words go.
    pub output: Output,
    #[cfg(feature = "site")]
    /// Where the passphrase comes from.
    pub passphrase: PassphraseSource,
    now: Option<u64>,
}

impl Invocation {
    /// Takes what the command line says about every command.
    pub fn new(globals: Globals) -> Invocation {
        Invocation {
            #[cfg(feature = "site")]
            home: globals.home,
            output: Output::of_process(globals.json),
            #[cfg(feature = "site")]
            passphrase: PassphraseSource::new(globals.passphrase_file),
            now: globals.now,
        }
    }

    /// Returns the moment that counts as now, in seconds since the epoch: `--now` where it was given, else the clock.
    ///
    /// # Errors
    /// `clock_unusable` where the clock stands before 1970.
    pub fn now(&self) -> Result<u64, Failure> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map(|since| since.as_secs()).map_err(|_| {
            Failure::new(Exit::Stale, "clock_unusable", "the clock of this machine stands before 1970")
                .next("set the clock")
        })
    }

    /// Says what does not stop the command and must be known all the same.
    pub fn warn(&mut self, code: &str, words: &dyn std::fmt::Display) {
        self.output.say(format_args!("warning[{code}]: {words}"));
    }
}
