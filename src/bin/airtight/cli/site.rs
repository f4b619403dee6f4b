//! What can be said about a whole site: `airtight init`, `airtight demo`.

use clap::{Args, ValueEnum};

use super::key::AlgorithmName;

/// Make a site: its keys, its log, its settings
#[derive(Debug, Args)]
#[command(after_help = "\
Entry 0 of the new log is the first decision: from here on entries are not
sent to Rekor. The site appears whole or not at all.

Example:
  $ airtight init --origin log.site.example
  $ airtight --home /srv/site init --origin log.site.example --no-passphrase")]
pub struct InitArgs {
    /// The name of the log, as it will stand in every checkpoint; it cannot be changed later
    #[arg(long, value_name = "NAME")]
    pub origin: String,

    #[command(flatten)]
    pub keys: NewSiteArgs,
}

/// What can be said about the keys of a new site, by `init` and by `attest --init`.
#[derive(Debug, Args)]
pub struct NewSiteArgs {
    /// The algorithm of the signing key
    #[arg(long, value_enum, value_name = "ALGORITHM", default_value = "p256")]
    pub signer: AlgorithmName,

    /// Write the private keys in the clear; their file mode is all that guards them
    #[arg(long)]
    pub no_passphrase: bool,

    /// Whether entries may be sent to Rekor: a new site does not send
    #[arg(long, value_enum, value_name = "off", default_value = "off")]
    pub rekor: RekorPermission,
}

/// What a new site decides about Rekor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RekorPermission {
    /// Entries are not sent
    Off,
}

/// Attest a file, verify it, then change six things and see each refused
#[derive(Debug, Args)]
#[command(after_help = "\
Everything happens in a directory that is made for it and removed at the end.

Example:
  $ airtight demo")]
pub struct DemoArgs {}
