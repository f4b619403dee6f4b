//! What can be said about bundles and trusted roots: `airtight bundle …`, `airtight trust …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `airtight bundle`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum BundleCommand {
    /// Show what a bundle says; nothing of it is verified
    #[command(after_help = "\
Example:
  $ airtight bundle inspect release.tar.gz.sigstore.json")]
    Inspect(InspectArgs),

    #[cfg(feature = "site")]
    /// Print the bundle of an entry, the same bytes each time
    #[command(after_help = "\
Example:
  $ airtight bundle get 12 > release.tar.gz.sigstore.json
  $ airtight bundle get 12 --receipt public > release.tar.gz.public.sigstore.json
  $ airtight bundle get 12 --with-anchor --anchor-out log.anchor.json > anchored.sigstore.json
  $ airtight bundle get 12 --kept > tool.sigstore.json")]
    Get(GetArgs),
}

/// `airtight bundle inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[cfg(feature = "site")]
/// `airtight bundle get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// The leaf index, 0-based
    #[arg(value_name = "N")]
    pub index: u64,

    /// The bytes that `airtight import` kept in this entry, as they were handed over
    #[arg(long, conflicts_with_all = ["receipt", "with_anchor"])]
    pub kept: bool,

    /// The upgraded bundle, with the receipt of this target in place of this log's proof
    #[arg(long, value_name = "TARGET", conflicts_with = "with_anchor")]
    pub receipt: Option<String>,

    /// The bundle under the first anchored checkpoint above the entry, for `verify --anchor`
    #[arg(long)]
    pub with_anchor: bool,

    /// Write the anchor file, with the proof for this entry, to FILE
    #[arg(long, value_name = "FILE", requires = "with_anchor")]
    pub anchor_out: Option<PathBuf>,

    /// Whose anchor; may be left out where there is one target
    #[arg(long, value_name = "TARGET", requires = "with_anchor")]
    pub target: Option<String>,
}

#[cfg(feature = "site")]
/// `airtight trust`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum TrustCommand {
    /// Print the trusted_root.json that verifies this site's bundles
    #[command(after_help = "\
Example:
  $ airtight trust export > trusted_root.json
  $ airtight trust export --with public-good.json > both.json")]
    Export(TrustExportArgs),
}

#[cfg(feature = "site")]
/// `airtight trust export`.
#[derive(Debug, Args)]
pub struct TrustExportArgs {
    /// Add the logs of another trusted root
    #[arg(long, value_name = "FILE")]
    pub with: Option<PathBuf>,
}
