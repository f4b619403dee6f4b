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

    /// Print the bundle of an entry, the same bytes each time
    #[command(after_help = "\
Example:
  $ airtight bundle get 12 > release.tar.gz.sigstore.json")]
    Get(GetArgs),
}

/// `airtight bundle inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `airtight bundle get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// The leaf index, 0-based
    #[arg(value_name = "N")]
    pub index: u64,
}

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

/// `airtight trust export`.
#[derive(Debug, Args)]
pub struct TrustExportArgs {
    /// Add the logs of another trusted root
    #[arg(long, value_name = "FILE")]
    pub with: Option<PathBuf>,
}
