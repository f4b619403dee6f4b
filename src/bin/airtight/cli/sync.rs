//! What can be said about sending: `airtight sync …`.

use std::path::PathBuf;

use airtight::config::Budget;
use clap::{Args, Subcommand};

use self::decide::{DisableArgs, EnableArgs, HoldArgs, ReleaseArgs, SkipArgs};
use self::target::TargetCommand;

pub mod carry;
pub mod decide;
pub mod target;

/// `airtight sync`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum SyncCommand {
    /// Name, list and remove the logs that entries can go to
    #[command(subcommand)]
    Target(TargetCommand),

    /// Permit sending: set RekorEnabled, and log the decision
    #[command(after_help = "\
A permission, for export to a courier as well, and not a statement about the
network. Nothing is sent by it.

Example:
  $ airtight sync enable --note 'agreed with the data owner on 3 May'
  $ airtight sync enable --target public --from 1200")]
    Enable(EnableArgs),

    /// Permit nothing any more: unset RekorEnabled, and log the decision
    #[command(after_help = "\
Example:
  $ airtight sync disable --note 'until the contract is renewed'
  $ airtight sync disable --target public --reason trust_root_stale")]
    Disable(DisableArgs),

    /// Count where all entries stand towards each target
    #[command(after_help = "\
Example:
  $ airtight sync status
  $ airtight sync status --json")]
    Status,

    /// Keep single entries here for good, or until they are released
    #[command(after_help = "\
Example:
  $ airtight sync skip 12 40-90 --reason policy_private --note 'names of people'")]
    Skip(SkipArgs),

    /// Keep single entries here until somebody releases them
    #[command(after_help = "\
Example:
  $ airtight sync hold 12 --note 'asked the customer'")]
    Hold(HoldArgs),

    /// Let entries go that were held, skipped or refused by the other log
    #[command(after_help = "\
Example:
  $ airtight sync release 12 --note 'the customer agreed'")]
    Release(ReleaseArgs),

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
  $ airtight sync push --timestamp https://timestamp.example/api/v1/timestamp

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
