//! `airtight sync …`: what goes to a public log, how it gets there, and what comes home.
//!
//! | file | commands | writes |
//! |---|---|---|
//! | `sync/target` | `target add`, `list`, `remove` | a target's files, a target entry |
//! | `sync/decide` | `enable`, `disable` | `RekorEnabled`, a decision |
//! | `sync/except` | `skip`, `hold`, `release` | exception entries |
//! | `sync/status` | `status` | nothing |
//! | `sync/upload` | `upload` | a receipts pack |
//! | `sync/plan` | `plan` | an approval in the log, where somebody gives it |
//! | `sync/export` | `export` | an outbox pack |
//! | `sync/import` | `import` | receipts in the log, upgraded bundles |
//! | `sync/push` | `push` | the three in a row |
//! | `sync/stamp` | `push --timestamp` | time stamps beside the receipts |
//! | `sync/anchor` | `anchor`, and the mode `anchor` of plan and export | an anchor in the log |
//! | `sync/permission` | asked by every command after which something could leave | nothing |
//! | `sync/way` | what all that send share: transport, proxy, clock, progress | |

mod anchor;
mod decide;
mod except;
mod export;
pub mod import;
pub mod permission;
mod plan;
mod push;
#[cfg(feature = "net")]
mod stamp;
mod status;
mod target;
mod upload;
#[cfg(feature = "net")]
mod way;

use airtight::attest::{Site, standings};
use airtight::sync::target::Target;
use airtight::sync::targets;

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
        SyncCommand::Target(noun) => target::run(noun, call),
        SyncCommand::Enable(args) => decide::enable(args, call),
        SyncCommand::Disable(args) => decide::disable(args, call),
        SyncCommand::Status => status::run(call),
        SyncCommand::Skip(args) => except::skip(args, call),
        SyncCommand::Hold(args) => except::hold(args, call),
        SyncCommand::Release(args) => except::release(args, call),
        SyncCommand::Upload(args) => upload::run(args, call),
        SyncCommand::Plan(args) => plan::run(args, call),
        SyncCommand::Export(args) => export::run(args, call),
        SyncCommand::Import(args) => import::run(args, call),
        SyncCommand::Push(args) => push::run(args, call),
        SyncCommand::Anchor(args) => anchor::run(args, call),
    }
}

/// Names the target that a command is about: the one that was asked for, or the only one there is.
///
/// # Errors
/// `target_unknown`, `target_ambiguous`.
fn chosen(site: &mut Site, asked: Option<&str>) -> Result<String, Failure> {
    let standings = standings(&mut site.store_mut().read()?)?;
    if let Some(name) = asked {
        return Ok(targets::find(&standings, name)?.said.name.clone());
    }
    let names: Vec<&str> = standings.named().map(|named| named.said.name.as_str()).collect();
    match names[..] {
        [name] => Ok(name.to_owned()),
        [] => {
            Err(targets::find(&standings, "").map_or_else(Failure::from, |_| unreachable!("invariant: none is named")))
        }
        _ => Err(Failure::new(Exit::Usage, "target_ambiguous", format!("there are the targets {}", names.join(", ")))
            .next("name one with --target NAME")),
    }
}

/// Gives the target that a command is about, its files compared with what the log says, and warns of its age.
///
/// # Errors
/// As [`chosen`], and the codes of targets.
pub fn target_of(site: &mut Site, asked: Option<&str>, call: &mut Invocation) -> Result<Target, Failure> {
    let name = chosen(site, asked)?;
    let target = targets::load(site, &name)?;
    let now = call.now()?;
    if target.is_aged(now) {
        let days = target.age(now) / 86_400;
        call.warn("target_aged", &format_args!("what is known of {name} is {days} days old; look for newer files"));
    }
    Ok(target)
}

/// Gives the target, once it is sure that entries may be sent there now.
///
/// # Errors
/// `rekor_disabled`, `target_ended`, and as [`target_of`].
fn target_to_send(site: &mut Site, asked: Option<&str>, call: &mut Invocation) -> Result<Target, Failure> {
    let target = target_of(site, asked, call)?;
    permission::require_permission(site, target.name.as_str())?;
    target.check_open(call.now()?)?;
    Ok(target)
}

/// Says that this build cannot send.
#[cfg(not(feature = "net"))]
fn net_left_out(next: String) -> Failure {
    Failure::new(Exit::Usage, "net_left_out", "this build of airtight has no client sockets").next(next)
}
