//! What can be said about checking: `airtight verify`, and the protocol of sigstore-conformance.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

/// Judge a bundle: no site, no network, no database
#[derive(Debug, Args)]
#[command(after_help = "\
Exit 0 where every check passed, 1 where one refused; the report names each
check and ends with what the result does not establish. Of many artifacts at
once the worst counts; an artifact without a bundle, or a bundle without an
artifact, is exit 4; what holds, but weaker than a policy asks, is exit 3.

Example:
  $ airtight verify release.tar.gz --key signer.pub --trusted-root trusted_root.json
  $ airtight verify sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \\
      --bundle test.sigstore.json --key signer.pub --trusted-root trusted_root.json
  $ airtight verify notes.txt --anchor notes.txt.anchor.json --key signer.pub --trusted-root both.json
  $ airtight verify --dir release --key signer.pub --trusted-root trusted_root.json
  $ airtight verify --manifest SHA256SUMS --bundles bundles --key signer.pub \\
      --trusted-root trusted_root.json
  $ airtight verify release.tar.gz --bundles bundles --policy release.policy.yaml \\
      --trusted-root trusted_root.json
  $ airtight verify tool.tar.gz --bundle tool.sigstore.json --trusted-root public.json \\
      --certificate-identity https://github.com/o/r/.github/workflows/release.yml@refs/heads/main \\
      --certificate-oidc-issuer https://token.actions.githubusercontent.com

GitHub's bundles of private repositories are in no log; a time stamp says when:
  $ airtight verify tool.tar.gz --bundle tool.jsonl --trusted-root github.json \\
      --log-threshold 0 --timestamp-threshold 1 --sct-threshold 0 \\
      --certificate-identity https://github.com/o/r/.github/workflows/release.yml@refs/heads/main \\
      --certificate-oidc-issuer https://token.actions.githubusercontent.com")]
#[command(group = ArgGroup::new("asked").args(["artifact", "dir", "manifest"]).required(true))]
pub struct VerifyArgs {
    /// The artifact: a file, a directory, or sha256:HEX; sha384:HEX or sha512:HEX where a bundle states these
    #[arg(value_name = "ARTIFACT")]
    pub artifact: Option<PathBuf>,

    /// Every file below DIR, each with its bundles; the bundles are the files named *.sigstore.json, and those that hold some
    #[arg(long, value_name = "DIR", conflicts_with_all = ["bundle", "anchor"])]
    pub dir: Option<PathBuf>,

    /// Every artifact of a list as sha256sum, sha384sum or sha512sum writes it; its digests are asked about, and no artifact is read
    #[arg(long, value_name = "SHA256SUMS", conflicts_with_all = ["bundle", "anchor"])]
    pub manifest: Option<PathBuf>,

    /// Where bundles lie: all of ARTIFACT's there; with --dir besides those in DIR; with --manifest in place of its own directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["bundle", "anchor"])]
    pub bundles: Option<PathBuf>,

    /// The bundle, or a document that holds some; where it is left out, ARTIFACT.sigstore.json. More than one: the parts of a directory
    #[arg(long, value_name = "FILE")]
    pub bundle: Vec<PathBuf>,

    /// An anchor file: follow it from the entry down to another log, which the trusted root must name too
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    pub anchor: Option<PathBuf>,

    /// Who must have cosigned the checkpoint: a C2SP tlog-policy; without their quorum it is weaker than asked
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    pub witness_policy: Option<PathBuf>,

    #[command(flatten)]
    pub by: JudgeArgs,
}

/// What bundles are judged by, whichever command judges them.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// A public key that may have signed it, SubjectPublicKeyInfo PEM; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,

    /// The logs that are trusted, and their keys
    #[arg(long, value_name = "FILE", env = "AIRTIGHT_TRUSTED_ROOT", hide_env_values = true)]
    pub trusted_root: PathBuf,

    /// What is asked of all attestations of an artifact together; its keys need no --key
    #[arg(long, value_name = "FILE", conflicts_with = "predicate_type")]
    pub policy: Option<PathBuf>,

    /// The predicate type it must have: a short name or a URI
    #[arg(long = "type", value_name = "TYPE")]
    pub predicate_type: Option<String>,

    /// How many distinct logs of the trusted root must have an entry; every entry of such a log must hold in any case. 0 takes a bundle without one [default: 1, or 0 under a policy with `unlogged: true`]
    #[arg(long, value_name = "N")]
    pub log_threshold: Option<usize>,

    /// How many distinct time stamp authorities of the trusted root must have made a time stamp
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub timestamp_threshold: usize,

    /// Accept a log's promise in place of an inclusion proof, in a bundle of v0.1; the verdict says so
    #[arg(long)]
    pub accept_promise: bool,

    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// Whom a certificate must name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Bundles signed with a certificate")]
pub struct IdentityArgs {
    /// The identity in the certificate, byte for byte: a URI or an email address
    #[arg(long, value_name = "ID", conflicts_with_all = ["key", "certificate_identity_regexp", "any_identity"])]
    pub certificate_identity: Option<String>,

    /// An expression that the whole identity must match
    #[arg(long, value_name = "REGEX", conflicts_with_all = ["key", "any_identity"])]
    pub certificate_identity_regexp: Option<String>,

    /// Who vouched for the identity, byte for byte
    #[arg(long, value_name = "URL", conflicts_with_all = ["key", "certificate_oidc_issuer_regexp", "any_identity"])]
    pub certificate_oidc_issuer: Option<String>,

    /// An expression that the whole issuer must match
    #[arg(long, value_name = "REGEX", conflicts_with_all = ["key", "any_identity"])]
    pub certificate_oidc_issuer_regexp: Option<String>,

    /// Accept a certificate for anyone, vouched for by anyone; the verdict says so
    #[arg(long, conflicts_with = "key")]
    pub any_identity: bool,

    /// A claim that the certificate must make, as source-repository=https://github.com/o/r; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "key")]
    pub claim: Vec<String>,

    /// How many transparency logs of the trusted root must have promised to have the certificate
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "key")]
    pub sct_threshold: usize,

    /// A revocation list, DER or PEM; where one is given, every certificate below the root must be covered. May be given more than once
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub crl: Vec<PathBuf>,
}

/// `airtight conformance`: the command line that sigstore-conformance calls.
#[derive(Debug, Subcommand)]
pub enum ConformanceCommand {
    /// Sign a file into a bundle
    #[command(after_help = "\
Example:
  $ airtight conformance sign-bundle --identity-token T --bundle B a.txt")]
    SignBundle(SignBundleArgs),

    /// Verify a bundle
    #[command(after_help = "\
Example:
  $ airtight conformance verify-bundle --bundle B --key K.pub a.txt")]
    VerifyBundle(VerifyBundleArgs),
}

/// `airtight conformance sign-bundle`, as the protocol has it.
#[derive(Debug, Args)]
pub struct SignBundleArgs {
    /// Use the staging instance
    #[arg(long)]
    pub staging: bool,
    /// Make a DSSE envelope around an in-toto statement
    #[arg(long)]
    pub in_toto: bool,
    /// The identity token
    #[arg(long, value_name = "TOKEN")]
    pub identity_token: String,
    /// The bundle to write
    #[arg(long, value_name = "FILE")]
    pub bundle: PathBuf,
    /// The trusted root
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// The signing config
    #[arg(long, value_name = "FILE")]
    pub signing_config: Option<PathBuf>,
    /// The file to sign
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `airtight conformance verify-bundle`, as the protocol has it.
#[derive(Debug, Args)]
pub struct VerifyBundleArgs {
    /// Use the staging instance
    #[arg(long)]
    pub staging: bool,
    /// The bundle to judge
    #[arg(long, value_name = "FILE")]
    pub bundle: PathBuf,
    /// The public key that signed it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["certificate_identity", "certificate_oidc_issuer"])]
    pub key: Option<PathBuf>,
    /// The identity in the certificate
    #[arg(long, value_name = "ID")]
    pub certificate_identity: Option<String>,
    /// The issuer in the certificate
    #[arg(long, value_name = "URL")]
    pub certificate_oidc_issuer: Option<String>,
    /// The trusted root
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// A path, or sha256:HEX, sha384:HEX or sha512:HEX
    #[arg(value_name = "FILE_OR_DIGEST")]
    pub artifact: PathBuf,
}
