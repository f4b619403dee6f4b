//! What can be said about targets: `airtight sync target …`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::cli::log::Moment;

/// `airtight sync target`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum TargetCommand {
    /// Name a log to send to, by the two files that Sigstore publishes of it
    #[command(after_help = "\
The signing config says where entries go, the trusted root which key the answers
are checked under. Both are kept as they are given, and the log says which they
are. A target of that name is replaced, and its receipts stay.

Example:
  $ airtight sync target add public --signing-config signing_config.v0.2.json --trusted-root trusted_root.json")]
    Add(TargetAddArgs),

    /// List the targets, how old their files are, and until when each takes entries
    #[command(after_help = "\
Example:
  $ airtight sync target list
  $ airtight sync target list --json")]
    List,

    /// Send nothing there any more; receipts that came from there stay
    #[command(after_help = "\
Example:
  $ airtight sync target remove public")]
    Remove(TargetRemoveArgs),
}

/// `airtight sync target add`.
#[derive(Debug, Args)]
pub struct TargetAddArgs {
    /// The target's name: 1 to 32 of a-z, 0-9 and -
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The Sigstore signing config (v0.2) that names the log's address
    #[arg(long, value_name = "SC.json")]
    pub signing_config: PathBuf,

    /// The Sigstore trusted root that holds the log's key
    #[arg(long, value_name = "TR.json")]
    pub trusted_root: PathBuf,

    /// When both were fetched, as a day or a moment in UTC; now where it is left out
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<AsOf>,
}

/// `airtight sync target remove`.
#[derive(Debug, Args)]
pub struct TargetRemoveArgs {
    /// The target's name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// The moment for which files are taken as current, in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf(pub u64);

impl FromStr for AsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<AsOf, String> {
        let moment = if text.len() == "2026-11-21".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let moment: Result<Moment, String> = moment.parse();
        moment
            .map(|moment| AsOf(moment.0))
            .map_err(|_| "it is no day like 2026-11-21 and no moment like 2026-11-21T03:00:00Z".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_first_second() {
        assert_eq!("2026-11-21".parse(), Ok(AsOf(1_795_219_200)));
        assert_eq!("2026-11-21T03:00:00Z".parse(), Ok(AsOf(1_795_230_000)));
        for text in ["", "2026-13-01", "21.11.2026", "yesterday"] {
            assert!(text.parse::<AsOf>().is_err(), "{text}");
        }
    }
}
