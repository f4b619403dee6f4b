//! What can be said about sending: `airtight sync …`.

use std::path::PathBuf;

use airtight::config::Budget;
use clap::{Args, Subcommand};

pub mod carry;

/// `airtight sync`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum SyncCommand {
    /// Carry an outbox pack to its log and bring the answers: no site, no keys
    #[command(after_help = "\
Example:
  $ airtight sync upload outbox --out receipts
  $ airtight sync upload outbox.tar --out receipts --parallel 8 --budget 300/h

Run it again with the same two names to go on where it stopped. A proxy is taken
from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.")]
    Upload(UploadArgs),

    /// Say what would become public, before it does
    #[command(after_help = "\
Example:
  $ airtight sync plan
  $ airtight sync plan --show 12
  $ airtight sync plan --approve-by reviewer

Nothing leaves: it asks for no permission and opens no socket.")]
    Plan(carry::PlanArgs),

    /// Write what waits into an outbox pack, for a courier
    #[command(after_help = "\
Example:
  $ airtight sync export --out outbox
  $ airtight sync export --out outbox.tar --volume-size 4700000000")]
    Export(carry::ExportArgs),

    /// Take a receipts pack in: verify each answer, and log what holds
    #[command(after_help = "\
Example:
  $ airtight sync import receipts --bundles public")]
    Import(carry::ImportArgs),

    /// Export, upload and import in one, on a host with a network
    #[command(after_help = "\
Example:
  $ airtight sync push --bundles public
  $ airtight sync push --watch 1h

Run it again to go on where it stopped. A proxy is taken from HTTPS_PROXY,
HTTP_PROXY and NO_PROXY.")]
    Push(carry::PushArgs),

    /// Send one checkpoint, which covers every entry below it
    #[command(after_help = "\
Example:
  $ airtight sync anchor --out log.anchor.json
  $ airtight sync export --mode anchor --out outbox      # by a courier")]
    Anchor(carry::AnchorArgs),
}

/// `airtight sync upload`.
#[derive(Debug, Args)]
pub struct UploadArgs {
    /// The outbox pack, a directory or a .tar
    #[arg(value_name = "PACK")]
    pub pack: PathBuf,

    /// Where the receipts pack goes: a directory, made or gone on with
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    #[command(flatten)]
    pub way: WayArgs,
}

/// How requests get to a log.
#[derive(Debug, Args)]
pub struct WayArgs {
    /// The log's address, in place of the one that is on the way
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// Where the tiles of a Rekor v2 are read, in place of URL/api/v2
    #[arg(long, value_name = "URL")]
    pub tiles: Option<String>,

    /// How many requests are under way at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub parallel: u16,

    /// How many requests are made in any hour, like 500/h, or none
    #[arg(long, value_name = "N/h")]
    pub budget: Option<Budget>,

    /// How long one request may take, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=600))]
    pub timeout: Option<u32>,

    /// How long a Rekor v2 is given to show what it took, in seconds, before that is sent again
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub settle: u32,

    /// Further certificate authorities, as PEM
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}
