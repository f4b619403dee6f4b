//! What can be said about what leaves and what comes home: `airtight sync plan`, `export`, `import`, `push`, `anchor`.

use std::path::PathBuf;

use airtight::config::Interval;
use clap::{Args, ValueEnum};

use super::WayArgs;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Each entry that waits
    Entries,
    /// One checkpoint, which covers every entry below it
    Anchor,
}

/// `airtight sync plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The target; may be left out where there is one
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,

    /// What would be sent
    #[arg(long, value_enum, default_value = "entries")]
    pub mode: Mode,

    /// Print the request of entry N, byte for byte
    #[arg(long, value_name = "N", conflicts_with = "out")]
    pub show: Option<u64>,

    /// Write every request to FILE, one a line, as a pack holds them
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Sign the digest of the plan into the log with this key, another than the signer
    #[arg(long, value_name = "KEY")]
    pub approve_by: Option<String>,
}

/// `airtight sync export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The target; may be left out where there is one
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,

    /// What is sent
    #[arg(long, value_enum, default_value = "entries")]
    pub mode: Mode,

    /// How many entries, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Where the outbox pack goes: a directory, or one file that ends with .tar
    #[arg(long, value_name = "DIR|FILE.tar")]
    pub out: PathBuf,

    /// Cut the pack in volumes of at most so many bytes
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(65_536..))]
    pub volume_size: Option<u64>,
}

/// `airtight sync import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The receipts pack, a directory or a .tar
    #[arg(value_name = "RECEIPTS")]
    pub receipts: PathBuf,

    /// Write the upgraded bundle of each receipt into DIR, as INDEX-NAME.TARGET.sigstore.json
    #[arg(long, value_name = "DIR")]
    pub bundles: Option<PathBuf>,

    /// Write the file of the newest anchor at the target to FILE, once the pack is taken in
    #[arg(long, value_name = "FILE")]
    pub anchor_out: Option<PathBuf>,

    /// Believe the courier where it says that the log refused an entry, and log that
    #[arg(long)]
    pub accept_refusals: bool,
}

/// `airtight sync push`.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The target; every target that entries may be sent to, where it is left out
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,

    /// Write the upgraded bundle of each receipt into DIR, as INDEX-NAME.TARGET.sigstore.json
    #[arg(long, value_name = "DIR")]
    pub bundles: Option<PathBuf>,

    /// Go on for ever, and look for something to send every INTERVAL (30s, 10m, 1h); without a value, Sync.Interval
    #[arg(long, value_name = "INTERVAL", num_args = 0..=1)]
    pub watch: Option<Option<Interval>>,

    /// Ask this authority (RFC 3161) for a time stamp of each upgraded bundle that has none
    #[arg(long, value_name = "URL")]
    pub timestamp: Option<String>,

    #[command(flatten)]
    pub way: WayArgs,
}

/// `airtight sync anchor`.
#[derive(Debug, Args)]
pub struct AnchorArgs {
    /// The target; may be left out where there is one
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,

    /// Write the anchor file to FILE
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub way: WayArgs,
}
