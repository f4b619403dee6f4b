//! What can be said about keys: `airtight key …`.

use std::path::PathBuf;

use airtight::keyring::KeyName;
use airtight_keys::public::Algorithm;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

/// `airtight key`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum KeyCommand {
    /// Make a key; its name is its role
    #[command(after_help = "\
`log`, `log-ed25519`, `witness` and `witness-…` name the keys of the log and
of witnesses; every other name is a signer. A key is encrypted under the
site's passphrase unless --no-passphrase is said.

Example:
  $ airtight key generate release-2026
  $ airtight key generate witness --no-passphrase")]
    Generate(GenerateArgs),

    /// List the keys of the site
    #[command(after_help = "\
Example:
  $ airtight key list
  $ airtight key list --json")]
    List,

    /// Show a key: role, algorithm, key id, what it can do
    #[command(after_help = "\
Example:
  $ airtight key show signer")]
    Show(ShowArgs),

    /// Take a private key that was made elsewhere
    #[command(after_help = "\
Reads PKCS#8 and SEC1 PEM, plain or encrypted (OpenSSL), and cosign's
encrypted keys. The key is written anew as a key of this site; the file it
came from stays as it is.

Example:
  $ airtight key import cosign.key --name release-2026")]
    Import(ImportArgs),

    /// Print a public key, or a private one as cosign reads it
    #[command(after_help = "\
Example:
  $ airtight key export --public > signer.pub
  $ airtight key export --public log > log.pub
  $ airtight key export --cosign release-2026 > cosign.key")]
    Export(ExportArgs),

    /// Say what a kind of key can and cannot do outside
    #[command(after_help = "\
Example:
  $ airtight key capabilities
  $ airtight key capabilities signer")]
    Capabilities(CapabilitiesArgs),
}

/// `airtight key generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// The key's name
    #[arg(value_name = "NAME", default_value = "signer")]
    pub name: KeyName,

    /// The algorithm; where it is left out, the one its role asks for, and p256 for a signer
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    pub algorithm: Option<AlgorithmName>,

    /// Write the private key in the clear; its file mode is all that guards it
    #[arg(long)]
    pub no_passphrase: bool,
}

/// `airtight key show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The key's name
    #[arg(value_name = "NAME")]
    pub name: KeyName,
}

/// `airtight key import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The private key
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The name it is to have here
    #[arg(long, value_name = "NAME", default_value = "signer")]
    pub name: KeyName,

    /// Read the passphrase of FILE from the first line of this file; where it is left out, FILE has the site's passphrase
    #[arg(long, value_name = "FILE")]
    pub import_passphrase_file: Option<PathBuf>,

    /// Write the private key in the clear; its file mode is all that guards it
    #[arg(long)]
    pub no_passphrase: bool,
}

/// `airtight key export`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("form").required(true))]
pub struct ExportArgs {
    /// The key's name
    #[arg(value_name = "NAME", default_value = "signer")]
    pub name: KeyName,

    /// The public key, as SubjectPublicKeyInfo PEM
    #[arg(long, group = "form")]
    pub public: bool,

    /// The private key, encrypted, as cosign reads it
    #[arg(long, group = "form")]
    pub cosign: bool,
}

/// `airtight key capabilities`.
#[derive(Debug, Args)]
pub struct CapabilitiesArgs {
    /// A key of the site; where it is left out, every algorithm
    #[arg(value_name = "NAME")]
    pub name: Option<KeyName>,
}

/// An algorithm as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AlgorithmName {
    /// ECDSA over P-256 with SHA-256
    P256,
    /// Ed25519
    Ed25519,
}

impl From<AlgorithmName> for Algorithm {
    fn from(name: AlgorithmName) -> Algorithm {
        match name {
            AlgorithmName::P256 => Algorithm::P256,
            AlgorithmName::Ed25519 => Algorithm::Ed25519,
        }
    }
}
