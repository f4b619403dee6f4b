//! `airtight sync upload`: an outbox pack goes to its log, and a receipts pack comes of it.

use crate::cli::sync::UploadArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// Runs `airtight sync upload`.
///
/// # Errors
/// `net_left_out` in a build that has no client sockets.
pub fn run(args: &UploadArgs, _call: &mut Invocation) -> Result<Exit, Failure> {
    let pack = args.pack.display();
    Err(Failure::new(Exit::Usage, "net_left_out", "this build of airtight has no client sockets")
        .next(format!("copy {pack} to a host with a full build of airtight, and run the same command there")))
}
