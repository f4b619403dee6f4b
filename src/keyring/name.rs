//! The name of a key, which is also its role.
//!
//! | name | role | algorithm |
//! |---|---|---|
//! | `log` | log: signed entry timestamps, checkpoints for bundles | P-256 |
//! | `log-ed25519` | log: checkpoints for tiles and witnesses | Ed25519 |
//! | `witness`, `witness-…` | witness: cosignatures | Ed25519 (C2SP tlog-cosignature) |
//! | every other name | signer: envelopes | P-256 or Ed25519 |
//!
//! A name is `[a-z0-9][a-z0-9._-]{0,63}`: it is a file name on every system, and no path.

use std::fmt;
use std::str::FromStr;

use airtight_keys::public::Algorithm;
use airtight_keys::role::Role;

/// The longest name, in bytes.
pub const NAME_LEN_MAX: usize = 64;

/// The name of a key in the keyring.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// A text that is not the name of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{met}` is not the name of a key: 1 to 64 of a-z, 0-9, `.`, `_` and `-`, the first a letter or a digit")]
pub struct KeyNameError {
    /// The text.
    pub met: String,
}

impl KeyName {
    /// Returns `signer`, the name of the site's first signing key.
    pub fn signer() -> KeyName {
        KeyName("signer".into())
    }

    /// Returns `log`, the name of the log's P-256 key.
    pub fn log() -> KeyName {
        KeyName("log".into())
    }

    /// Returns `log-ed25519`, the name of the log's Ed25519 key.
    pub fn log_ed25519() -> KeyName {
        KeyName("log-ed25519".into())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what a key of this name may sign.
    pub fn role(&self) -> Role {
        match self.as_str() {
            "log" | "log-ed25519" => Role::Log,
            "witness" => Role::Witness,
            name if name.starts_with("witness-") => Role::Witness,
            _ => Role::Signer,
        }
    }

    /// Returns the algorithm a key of this name must have; `None` where both will do.
    pub fn algorithm_required(&self) -> Option<Algorithm> {
        match (self.role(), self.as_str()) {
            (Role::Signer, _) => None,
            (Role::Log, "log") => Some(Algorithm::P256),
            (Role::Log | Role::Witness, _) => Some(Algorithm::Ed25519),
        }
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<KeyName, KeyNameError> {
        let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_later = |byte: u8| is_first(byte) || matches!(byte, b'.' | b'_' | b'-');
        let fits =
            text.len() <= NAME_LEN_MAX && text.bytes().next().is_some_and(is_first) && text.bytes().all(is_later);
        if fits { Ok(KeyName(text.into())) } else { Err(KeyNameError { met: text.into() }) }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        into.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_read_from_the_name() {
        for (name, role, algorithm) in [
            ("log", Role::Log, Some(Algorithm::P256)),
            ("log-ed25519", Role::Log, Some(Algorithm::Ed25519)),
            ("witness", Role::Witness, Some(Algorithm::Ed25519)),
            ("witness-2", Role::Witness, Some(Algorithm::Ed25519)),
            ("witnesses", Role::Signer, None),
            ("log-2", Role::Signer, None),
            ("signals-signer-2025-001", Role::Signer, None),
        ] {
            let name: KeyName = name.parse().unwrap();
            assert_eq!((name.role(), name.algorithm_required()), (role, algorithm), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_a_path_or_no_file_name_is_refused() {
        let long = "x".repeat(NAME_LEN_MAX + 1);
        for text in ["", ".", "..", ".key", "-x", "a/b", "a\\b", "A", "ä", "a b", "a\n", "a\0", long.as_str()] {
            assert_eq!(text.parse::<KeyName>(), Err(KeyNameError { met: text.into() }));
        }
        assert!(long[1..].parse::<KeyName>().is_ok());
    }
}
