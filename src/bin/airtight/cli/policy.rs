//! What can be said about policies: `airtight policy …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `airtight policy …`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Read a policy and say whether it is one
    #[command(after_help = "\
Example:
  $ airtight policy check release.policy.yaml")]
    Check(PolicyArgs),

    /// Say in sentences what a policy asks
    #[command(after_help = "\
Example:
  $ airtight policy explain release.policy.yaml")]
    Explain(PolicyArgs),
}

/// `airtight policy check` and `airtight policy explain`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// The policy
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
