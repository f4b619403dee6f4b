//! What can be said about the log: `airtight log …`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

/// `airtight log`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum LogCommand {
    /// Show the log: origin, size, root, last checkpoint
    #[command(after_help = "\
Example:
  $ airtight log show")]
    Show,

    /// List entries, oldest first
    #[command(after_help = "\
Example:
  $ airtight log list --type spdxjson --limit 20
  $ airtight log list --subject sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --json")]
    List(ListArgs),

    /// Show an entry
    #[command(after_help = "\
Example:
  $ airtight log entry 12 --json")]
    Entry(EntryArgs),

    /// Prove that an entry is in the tree
    #[command(after_help = "\
Example:
  $ airtight log prove 12
  $ airtight log prove 12 --size 4096 --json")]
    Prove(ProveArgs),

    /// Prove that a tree is the beginning of another
    #[command(after_help = "\
Example:
  $ airtight log consistency 256 4096")]
    Consistency(ConsistencyArgs),

    /// Print the last released checkpoint, as C2SP signed note
    #[command(after_help = "\
Example:
  $ airtight log checkpoint > checkpoint")]
    Checkpoint,

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
Example:
  $ airtight log export --tiles public")]
    Export(ExportArgs),

    /// Copy the database while it is in use
    #[command(after_help = "\
Example:
  $ airtight log backup /mnt/other/log.db")]
    Backup(BackupArgs),

    /// Bring a database that is behind its head level again, from tiles or bundles
    #[command(after_help = "\
Example:
  $ airtight log recover --from public
  $ airtight log recover --from bundles")]
    Recover(RecoverArgs),

    /// Begin a new log whose entry 0 commits to what is known of the old
    #[command(after_help = "\
Nothing of the old log can be signed after this. Use it where `recover` cannot
bring it level.

Example:
  $ airtight log adopt --new-epoch --note 'the disk of the old host failed'")]
    Adopt(AdoptArgs),
}

/// `airtight log list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only entries about this content
    #[arg(long, value_name = "sha256:HEX")]
    pub subject: Option<String>,

    /// Only entries of this predicate type: a short name or a URI
    #[arg(long = "type", value_name = "TYPE")]
    pub predicate_type: Option<String>,

    /// Only entries signed by this key: a name of the keyring or a key id
    #[arg(long, value_name = "KEY")]
    pub signer: Option<String>,

    /// Only entries logged at or after this moment, RFC 3339 in UTC
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Only entries logged before this moment, RFC 3339 in UTC
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Begin at this leaf index
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub from: u64,

    /// At most so many entries
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub limit: u64,
}

/// `airtight log entry`.
#[derive(Debug, Args)]
pub struct EntryArgs {
    /// The leaf index, 0-based
    #[arg(value_name = "N")]
    pub index: u64,
}

/// `airtight log prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// The leaf index, 0-based
    #[arg(value_name = "N")]
    pub index: u64,

    /// The size of the tree; where it is left out, that of the last released checkpoint
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
    /// Begin a new epoch: a new tree, with the same keys and origin
    #[arg(long, group = "act")]
    pub new_epoch: bool,

    /// Why, in your words; it is logged
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}
