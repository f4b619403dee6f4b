//! What can be said about time stamps that come by files: `airtight timestamp …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::sync::decide::Stretch;

/// `airtight timestamp`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum TimestampCommand {
    /// Write requests for an authority of your own, one file an entry
    #[command(after_help = "\
Each is a query of RFC 3161, as `openssl ts -reply -queryfile` reads it. Give the
answers the same names, with .tsr at the end.

Example:
  $ airtight timestamp request --out queries           # of all that have none
  $ airtight timestamp request 12 40-90 --out queries --target public")]
    Request(RequestArgs),

    /// Take the answers in: verify each, and keep what holds for the upgraded bundles
    #[command(after_help = "\
Example:
  $ airtight timestamp import answers --bundles public
  $ airtight timestamp import 12.public.tsr")]
    Import(ImportArgs),
}

/// `airtight timestamp request`.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// Leaf indexes, 0-based, or stretches of them; every entry with a receipt and no time stamp, where none is given
    #[arg(value_name = "INDEX")]
    pub indexes: Vec<Stretch>,

    /// Where the requests go: a directory, made where there is none
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Whose upgraded bundles; may be left out where there is one target
    #[arg(long, value_name = "T")]
    pub target: Option<String>,
}

/// `airtight timestamp import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Answers, whose names begin with the leaf index and end with .tsr; of a directory, all such
    #[arg(value_name = "DIR|FILE", required = true)]
    pub from: Vec<PathBuf>,

    /// Whose upgraded bundles; may be left out where there is one target
    #[arg(long, value_name = "T")]
    pub target: Option<String>,

    /// Write the upgraded bundle with each time stamp into DIR, as INDEX-NAME.TARGET.sigstore.json
    #[arg(long, value_name = "DIR")]
    pub bundles: Option<PathBuf>,
}
