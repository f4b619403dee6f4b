//! The exit codes, all of them, and what each means to a script.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done, or verified |
//! | 1 | refused: a verdict of no |
//! | 2 | usage: the command line asks for what cannot be |
//! | 3 | verified, but weaker than the policy asks |
//! | 4 | not found |
//! | 5 | input malformed; in a batch: some line was refused |
//! | 6 | the log or its head does not fit: rollback, fork, corruption |
//! | 7 | trust or time is stale |
//! | 8 | sealed-mode violation |
//! | 9 | some of a batch remains: run again to continue |
//! | 10 | the machine refused: locked, full, unwritable, wrong passphrase |
//! | 70 | internal: a fault of airtight |
//! | 130 | interrupted |
//!
//! 130 is what a shell makes of SIGINT: nothing catches the signal, so nothing runs after it. The same code is given back
//! where the interruption arrived as a key at a prompt.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or verified.
    Done = 0,
    /// A verdict of no.
    Refused = 1,
    /// The command line asks for what cannot be.
    Usage = 2,
    /// Verified, but weaker than the policy asks.
    Weaker = 3,
    /// Not found.
    NotFound = 4,
    /// Input malformed; in a batch: some line was refused.
    Malformed = 5,
    /// The log or its head does not fit.
    LogUnfit = 6,
    /// Trust or time is stale.
    Stale = 7,
    /// A socket was asked for in sealed mode.
    Sealed = 8,
    /// Some of a batch remains.
    Remaining = 9,
    /// The machine refused.
    MachineRefused = 10,
    /// A fault of airtight.
    Internal = 70,
    /// Interrupted by the person at the terminal.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_head_of_this_file_is_the_set() {
        let rows: Vec<u8> = include_str!("exit.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | "))
            .filter_map(|row| row.split(" | ").next()?.parse().ok())
            .collect();
        let set = [
            Exit::Done,
            Exit::Refused,
            Exit::Usage,
            Exit::Weaker,
            Exit::NotFound,
            Exit::Malformed,
            Exit::LogUnfit,
            Exit::Stale,
            Exit::Sealed,
            Exit::Remaining,
            Exit::MachineRefused,
            Exit::Internal,
            Exit::Interrupted,
        ];
        assert_eq!(rows, set.map(|exit| exit as u8));
    }
}
