//! `airtight log …`: shows the log, proves from it, checks it, hands it over, and brings it back.
//!
//! | file | commands | writes |
//! |---|---|---|
//! | `log/show` | `show`, `checkpoint`, `vkey` | nothing |
//! | `log/entries` | `list`, `entry` | nothing |
//! | `log/prove` | `prove`, `consistency` | nothing |
//! | `log/check` | `fsck`, `backup` | a copy |
//! | `log/export` | `export` | tiles |
//! | `log/recover` | `recover` | what was lost |
//! | `log/adopt` | `adopt` | a new log |
//!
//! The commands that write nothing work on a medium that cannot be written, and on a log that does not fit its head: they
//! say so on standard error, and end with the exit code of what they were asked for. `show` and `fsck` are asked whether it
//! fits, so they end with 6. Every proof is checked before it is printed.
//!
//! In JSON, hashes and key ids are lowercase hex; whatever has an index also has the `log_id` that it is an index in.

mod adopt;
mod check;
mod entries;
mod export;
mod prove;
mod recover;
mod show;

use airtight::attest::AttestError;
use airtight_log::digest::{LeafIndex, TreeSize};
use airtight_log::store::Snapshot;
use jiff::Timestamp;

use crate::cli::log::LogCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// Runs one command about the log.
///
/// # Errors
/// The codes of the site and its log; each command adds its own.
pub fn run(command: &LogCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    match command {
        LogCommand::Show => show::show(call),
        LogCommand::List(args) => entries::list(args, call),
        LogCommand::Entry(args) => entries::entry(args, call),
        LogCommand::Prove(args) => prove::inclusion(args, call),
        LogCommand::Consistency(args) => prove::consistency(args, call),
        LogCommand::Checkpoint(args) => show::checkpoint(args, call),
        LogCommand::Vkey => show::vkey(call),
        LogCommand::Fsck => check::fsck(call),
        LogCommand::Backup(args) => check::backup(args, call),
        LogCommand::Export(args) => export::export(args, call),
        LogCommand::Recover(args) => recover::recover(args, call),
        LogCommand::Adopt(args) => adopt::adopt(args, call),
    }
}

/// Returns an index that the log has.
pub fn index_in(snapshot: &Snapshot<'_>, index: u64) -> Result<LeafIndex, Failure> {
    let found = LeafIndex::new(index).ok().filter(|found| snapshot.size().holds(*found));
    Ok(found.ok_or(AttestError::NotFound { index, size: snapshot.size() })?)
}

/// Returns a size that the log has reached.
fn size_in(snapshot: &Snapshot<'_>, size: u64) -> Result<TreeSize, Failure> {
    TreeSize::new(size).ok().filter(|reached| *reached <= snapshot.size()).ok_or_else(|| {
        let message = format!("the log has {} entries and never had {size}", snapshot.size());
        Failure::new(Exit::NotFound, "tree_size_not_reached", message).next("see the size with `airtight log show`")
    })
}

/// Says that no checkpoint was released at a size, and which one comes next.
fn not_released(snapshot: &mut Snapshot<'_>, size: TreeSize) -> Result<Failure, Failure> {
    let next = snapshot.checkpoint_covering(size)?;
    let failure =
        Failure::new(Exit::NotFound, "checkpoint_not_found", format!("no checkpoint was released at size {size}"));
    Ok(match next {
        Some(next) => failure.next(format!("the next one was released at size {}", next.size)),
        None => failure.next("attest once more: every attestation releases a checkpoint over the whole log"),
    })
}

/// Writes seconds since the epoch as RFC 3339 in UTC.
pub fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    moment.map_or_else(|| format!("{seconds} s after 1970"), |moment| moment.to_string())
}

/// Writes what others chose so that a terminal shows it and does nothing else.
pub fn shown(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped: Box<dyn Iterator<Item = char>> =
                if c.is_control() || is_bidi(c) { Box::new(c.escape_unicode()) } else { Box::new(std::iter::once(c)) };
            escaped
        })
        .collect()
}

/// Tells whether a character turns the direction of the text around it, and so can show a name as another.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_moves_no_cursor_and_turns_no_line_around() {
        assert_eq!(shown("größe (1).txt"), "größe (1).txt");
        assert_eq!(shown("a\x1b[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\u{a}c\\u{202e}d");
    }

    #[test]
    fn a_moment_is_written_in_utc() {
        assert_eq!(moment(1_795_230_000), "2026-11-21T03:00:00Z");
        assert_eq!(moment(u64::MAX), "18446744073709551615 s after 1970");
    }
}
