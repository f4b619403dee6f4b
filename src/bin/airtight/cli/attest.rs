//! What can be said about making attestations: `airtight attest`.

use std::path::PathBuf;

use airtight::keyring::KeyName;
use clap::{ArgGroup, Args};

use super::site::NewSiteArgs;

/// Sign files, directories or ready statements, and log them
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("input").required(true).args(["paths", "statement", "batch"]))]
#[command(after_help = "\
Each PATH is a statement and a bundle of its own; a directory is one statement
with every file in it a subject. The bundle is NAME.sigstore.json.

Example:
  $ airtight attest release.tar.gz
  $ airtight attest --together dist/app dist/app.sbom.json --out bundles
  $ airtight attest app --predicate app.spdx.json --type spdxjson
  $ airtight attest --batch statements.ndjson --json")]
pub struct AttestArgs {
    /// Files and directories
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Sign this in-toto Statement v1, its bytes as they are; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["predicate", "predicate_type", "together", "split"])]
    pub statement: Option<PathBuf>,

    /// Sign one statement a line and answer each with one line once it is durable; `-` reads standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["predicate", "predicate_type", "together", "split", "out", "tlog_proof", "force"]
    )]
    pub batch: Option<PathBuf>,

    /// Make the site first, where there is none
    #[arg(long)]
    pub init: bool,

    /// With --init: the name of the log; where it is left out, the host's name and eight random hex digits
    #[arg(long, value_name = "NAME", requires = "init")]
    pub origin: Option<String>,

    #[command(flatten)]
    pub keys: NewSiteArgs,

    /// Where bundles go
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,

    /// One statement over all paths
    #[arg(long)]
    pub together: bool,

    /// Where there are more than 1,024 subjects, make as many statements as it takes
    #[arg(long)]
    pub split: bool,

    /// Write the C2SP NAME.tlog-proof as well
    #[arg(long)]
    pub tlog_proof: bool,

    /// Write over a bundle of another content
    #[arg(long)]
    pub force: bool,

    /// The predicate, a JSON object
    #[arg(long, value_name = "FILE", requires = "predicate_type")]
    pub predicate: Option<PathBuf>,

    /// The predicate's type: a short name as cosign has it (slsaprovenance1, spdxjson, …) or a URI
    #[arg(long = "type", value_name = "TYPE", requires = "predicate")]
    pub predicate_type: Option<String>,

    /// The signing key; where it is left out, the one the settings name
    #[arg(long, value_name = "NAME")]
    pub key: Option<KeyName>,
}
