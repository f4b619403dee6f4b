//! What can be said about keeping: `airtight import`.

use std::path::PathBuf;

use airtight::keyring::KeyName;
use clap::Args;

use super::verify::JudgeArgs;

/// Keep bundles that others signed: judge each, and log its exact bytes with the verdict
#[derive(Debug, Args)]
#[command(after_help = "\
Each file is judged as `airtight verify` judges it, and becomes an entry of this
log where every bundle in it that was asked about holds. What is refused is not
kept, and the others are; the exit code is that of the worst. The same file kept
again in the same way is the same entry. `airtight bundle get N --kept` gives
the same bytes back.

Example:
  $ airtight import tool.sigstore.json --trusted-root public.json \\
      --certificate-identity https://github.com/o/r/.github/workflows/release.yml@refs/heads/main \\
      --certificate-oidc-issuer https://token.actions.githubusercontent.com
  $ airtight import vendor/*.sigstore.json --key vendor.pub --trusted-root vendor-root.json --json
  $ airtight import tool.sigstore.json --artifact tool.tar.gz --policy release.policy.yaml \\
      --trusted-root public.json")]
pub struct ImportArgs {
    /// The files: bundles, or documents that hold some
    #[arg(value_name = "BUNDLE", required = true)]
    pub bundles: Vec<PathBuf>,

    /// What they must be about: a file, or sha256:HEX, sha384:HEX or sha512:HEX; where it is left out, whatever each says it is about
    #[arg(long, value_name = "ARTIFACT")]
    pub artifact: Option<PathBuf>,

    /// Who must have cosigned the checkpoints: a C2SP tlog-policy; without their quorum a bundle is not kept, and it is exit 3
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    pub witness_policy: Option<PathBuf>,

    #[command(flatten)]
    pub by: JudgeArgs,

    /// The key that signs what is said of them; where it is left out, the one the settings name
    #[arg(long, value_name = "NAME")]
    pub signer: Option<KeyName>,
}
