//! What can be said about the log: `airtight log …`.

use std::path::PathBuf;
use std::str::FromStr;

use airtight::statement::PredicateType;
use airtight_log::digest::Sha256Digest;
use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;

/// `airtight log`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum LogCommand {
    /// Show the log: origin, size, root, last checkpoint, and whether they fit
    #[command(after_help = "\
Exit code 6 where the log and its head do not fit: nothing is signed then.

Example:
  $ airtight log show")]
    Show,

    /// List entries, oldest first
    #[command(after_help = "\
Example:
  $ airtight log list --type spdxjson --limit 20
  $ airtight log list --subject sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --json")]
    List(ListArgs),

    /// Show everything about an entry
    #[command(after_help = "\
--payload, --envelope and --leaf print the exact bytes and nothing else, no
line feed added: SHA-256 over a zero byte and the leaf is the leaf hash.

Example:
  $ airtight log entry 12
  $ airtight log entry 12 --payload > statement.json
  $ { printf '\\0'; airtight log entry 12 --leaf; } | sha256sum")]
    Entry(EntryArgs),

    /// Prove that an entry is in the tree, as C2SP tlog-proof
    #[command(after_help = "\
The proof is under the first checkpoint that was released over the entry, the
one in its bundle, or under the one released at --size. For a size at which no
checkpoint was released there is an unsigned proof, with --json alone.

Example:
  $ airtight log prove 12 > 12.tlog-proof
  $ airtight log prove 12 --size 4096 --json")]
    Prove(ProveArgs),

    /// Prove that a tree is the beginning of another
    #[command(after_help = "\
Two lines `tree SIZE ROOT`, an empty line, and the hashes of the consistency
proof (RFC 9162, section 2.1.4), one a line, all in base64.

Example:
  $ airtight log consistency 256 4096")]
    Consistency(ConsistencyArgs),

    /// Print the last released checkpoint, as signed note
    #[command(after_help = "\
Example:
  $ airtight log checkpoint > checkpoint
  $ airtight log checkpoint --v1")]
    Checkpoint(CheckpointArgs),

    /// Print the log's verifier key, as C2SP vkey
    #[command(after_help = "\
Example:
  $ airtight log vkey")]
    Vkey,

    /// Rebuild everything from the envelopes and name the first thing that does not fit
    #[command(after_help = "\
Example:
  $ airtight log fsck")]
    Fsck,

    /// Write the log as C2SP tlog-tiles
    #[command(after_help = "\
What is written may be published as it is: tiles, entry bundles (the leaves,
not the envelopes) and the checkpoint. Run it again to go on: files that are
there with the same bytes are kept, and one with other bytes is refused.
DIR/airtight/integrated holds the time of each commit, for `log recover`.

Example:
  $ airtight log export --tiles public
  $ airtight log export --tiles public-4096 --size 4096")]
    Export(ExportArgs),

    /// Copy the database while it is in use
    #[command(after_help = "\
The copy is log/log.db of a site. One that was put back meets a newer head:
`airtight log recover` brings it level.

Example:
  $ airtight log backup /mnt/other/log.db")]
    Backup(BackupArgs),

    /// Bring back what the log or its head lost, from exported tiles or bundles
    #[command(after_help = "\
DIR holds what `log export --tiles` wrote, or *.sigstore.json, or both. Lost
entries are taken only if all of them together give the root that was signed;
a lost head is made again from the newest checkpoint that left this site.
Bundles bring whole entries back, tiles only their leaves.

Example:
  $ airtight log recover --from public
  $ airtight log recover --from bundles")]
    Recover(RecoverArgs),

    /// Begin a new log whose entry 0 commits to what is known of the old
    #[command(after_help = "\
The old log moves to log-1/ (log-2/, ...) with its head and is only read from
then on. The new one is called NAME/2 (NAME/3, ...) and has the same keys. Use
it where `recover` cannot help. If it is interrupted, run it again.

Example:
  $ airtight log adopt --new-epoch --note 'the disk of the old host failed'")]
    Adopt(AdoptArgs),
}

/// `airtight log list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only entries about this content
    #[arg(long, value_name = "sha256:HEX")]
    pub subject: Option<Sha256Digest>,

    /// Only entries of this predicate type: a short name or a URI
    #[arg(long = "type", value_name = "TYPE", value_parser = PredicateType::parse)]
    pub predicate_type: Option<PredicateType>,

    /// Only entries signed by this key: a name of the keyring or a key id
    #[arg(long, value_name = "KEY")]
    pub signer: Option<String>,

    /// Only entries logged at or after this moment, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,

    /// Only entries logged before this moment, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,

    /// Begin at this leaf index
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub from: u64,

    /// At most so many entries
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub limit: u64,
}

/// The first whole second that is not before a moment, since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub u64);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        let moment: Timestamp = text.parse().map_err(|_| "it is not a moment like 2026-11-21T03:00:00Z".to_owned())?;
        // jiff rounds towards zero: behind the epoch that is down, before it up, and there was no log then.
        let seconds = moment.as_second() + i64::from(moment.subsec_nanosecond() > 0);
        Ok(Moment(u64::try_from(seconds).unwrap_or(0)))
    }
}

/// `airtight log entry`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("bytes"))]
pub struct EntryArgs {
    /// The leaf index, 0-based
    #[arg(value_name = "N")]
    pub index: u64,

    /// Print the payload that was signed, byte for byte
    #[arg(long, group = "bytes")]
    pub payload: bool,

    /// Print the envelope, byte for byte
    #[arg(long, group = "bytes")]
    pub envelope: bool,

    /// Print the leaf, byte for byte
    #[arg(long, group = "bytes")]
    pub leaf: bool,
}

/// `airtight log checkpoint`.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    /// In the rendering of Rekor v1, which bundles carry, instead of C2SP's
    #[arg(long)]
    pub v1: bool,
}

/// `airtight log prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// The leaf index, 0-based
    #[arg(value_name = "N")]
    pub index: u64,

    /// The size of the tree; where it is left out, that of the first released checkpoint over the entry
    #[arg(long, value_name = "S")]
    pub size: Option<u64>,
}

/// `airtight log consistency`.
#[derive(Debug, Args)]
pub struct ConsistencyArgs {
    /// The size of the smaller tree, from 1
    #[arg(value_name = "A")]
    pub old_size: u64,

    /// The size of the larger tree
    #[arg(value_name = "B")]
    pub new_size: u64,
}

/// `airtight log export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The directory to write; tiles that are there already are kept
    #[arg(long, value_name = "DIR")]
    pub tiles: PathBuf,

    /// The log as it was at this size, at which a checkpoint was released; where it is left out, the last one
    #[arg(long, value_name = "S")]
    pub size: Option<u64>,
}

/// `airtight log backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The copy; a file that is there is never written over
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `airtight log recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// A directory of tiles that was exported, or of bundles
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
}

/// `airtight log adopt`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("act").required(true))]
pub struct AdoptArgs {
    /// Begin a new epoch: a new tree with the same keys, and the origin with the epoch's number
    #[arg(long, group = "act")]
    pub new_epoch: bool,

    /// Why, in your words; it is logged
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_first_second_that_is_not_before_it() {
        for (text, seconds) in [
            ("2026-11-21T03:00:00Z", 1_795_230_000),
            ("2026-11-21T04:00:00+01:00", 1_795_230_000),
            ("2026-11-21T03:00:00.000000001Z", 1_795_230_001),
            ("1969-12-31T00:00:00Z", 0),
        ] {
            assert_eq!(text.parse(), Ok(Moment(seconds)), "{text}");
        }
        for text in ["", "2026-11-21", "yesterday", "1795230000"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
