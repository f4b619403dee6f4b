//! What can be said about sending: `airtight sync …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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

    /// The log's address, in place of the one the pack names
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// How many requests are under way at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub parallel: u16,

    /// How many requests an hour, as N/h
    #[arg(long, value_name = "N/h")]
    pub budget: Option<String>,

    /// How long one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,

    /// A further certificate authority, as PEM
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}
