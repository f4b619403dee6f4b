//! `airtight sync …`: what goes to a public log, how it gets there, and what comes home.
//!
//! | file | commands | writes |
//! |---|---|---|
//! | `sync/upload` | `upload` | a receipts pack |
//! | `sync/permission` | asked by every command after which something could leave | nothing |
//! | `sync/way` | what all that send share: transport, proxy, clock, progress | |

mod permission;
mod upload;
#[cfg(feature = "net")]
mod way;

use crate::cli::sync::SyncCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// Runs one command about sending.
///
/// # Errors
/// Each command has its own.
pub fn run(command: &SyncCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    match command {
        SyncCommand::Upload(args) => upload::run(args, call),
    }
}

/// Says that this build cannot send.
#[cfg(not(feature = "net"))]
fn net_left_out(next: String) -> Failure {
    Failure::new(Exit::Usage, "net_left_out", "this build of airtight has no client sockets").next(next)
}
