//! Verifies one key-signed bundle offline with the sigstore-verify crate, and says nothing but yes or no.
//!
//! ```text
//! sigstore_rust BUNDLE KEY.pub TRUSTED_ROOT ARTIFACT
//! ```
//!
//! Exit code 0: verified. 1: refused, with the crate's reason on stderr. 2: usage, or an input that cannot be read, so that
//! a missing file is never taken for a refusal. Its cryptography is aws-lc's, not what airtight signs with. tests/interop
//! builds it and asks it beside the other clients.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, DerPublicKey};
use sigstore_verify::{PublicKeyVerificationPolicy, verify};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, key, trusted_root, artifact] = &words[..] else {
        eprintln!("usage: sigstore_rust BUNDLE KEY.pub TRUSTED_ROOT ARTIFACT");
        return ExitCode::from(2);
    };
    let inputs =
        [bundle, key, trusted_root, artifact].map(|path| fs::read(path).map_err(|error| format!("{path}: {error}")));
    let [Ok(bundle), Ok(key), Ok(trusted_root), Ok(artifact)] = &inputs else {
        eprintln!("{inputs:?}");
        return ExitCode::from(2);
    };
    match judge(bundle, key, trusted_root, artifact) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(1)
        }
    }
}

fn judge(bundle: &[u8], key: &[u8], trusted_root: &[u8], artifact: &[u8]) -> Result<(), Box<dyn Error>> {
    let key = DerPublicKey::from_pem(std::str::from_utf8(key)?)?;
    let trusted_root = TrustedRoot::from_json(std::str::from_utf8(trusted_root)?)?;
    let bundle = Bundle::from_json(std::str::from_utf8(bundle)?)?;
    verify(artifact, &bundle, &PublicKeyVerificationPolicy::new(key), &trusted_root)?;
    Ok(())
}
