//! What settings and key files refuse, and what to do about it.

use std::io;

use airtight::config::ConfigError;
use airtight::keyring::{KeyNameError, KeyringError};

use super::Failure;
use crate::exit::Exit;

impl From<KeyNameError> for Failure {
    fn from(error: KeyNameError) -> Failure {
        Failure::new(Exit::Usage, "key_name_refused", error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        let failure = |exit| Failure::new(exit, error.code(), error.to_string());
        match &error {
            ConfigError::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Failure::new(Exit::NotFound, "no_site", error.to_string())
                    .next("make a site with `airtight init --origin NAME`, or name one with --home DIR")
            }
            ConfigError::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                Failure::new(Exit::Usage, "site_exists", error.to_string())
                    .next("use the site that is there, or name another directory with --home DIR")
            }
            ConfigError::NotEditable { wanted } => Failure::new(Exit::Usage, "config_not_editable", error.to_string())
                .next(format!(
                    "write `RekorEnabled: {wanted}` into airtight.yaml by hand, below `Provenance:`, and run this again"
                )),
            ConfigError::File { source, .. } => Failure::by_system(error.code(), error.to_string(), source),
            ConfigError::TooLarge { .. }
            | ConfigError::NotText { .. }
            | ConfigError::Shape(_)
            | ConfigError::Value { .. } => {
                failure(Exit::Malformed).next("mend airtight.yaml; docs/operator.md shows a whole one")
            }
        }
    }
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Failure {
        use KeyringError as E;
        let (code, message) = (error.code(), error.to_string());
        let failure = |exit| Failure::new(exit, code, message.clone());
        match error {
            E::NotFound { .. } => failure(Exit::NotFound).next("see the keys there are with `airtight key list`"),
            E::PrivateMissing { name, .. } => failure(Exit::NotFound)
                .next(format!("put {name}.key back from your backup, or use another key with --key NAME")),
            E::PublicMissing { name, path } => {
                let private = path.with_extension("key");
                failure(Exit::NotFound).next(format!(
                    "if an interrupted command left `{name}` behind, remove {}; if you lost the public half: openssl pkey -in {} -pubout -out {}",
                    private.display(),
                    private.display(),
                    path.display()
                ))
            }
            E::Taken { .. } => failure(Exit::Usage).next("choose another name; a key is never overwritten"),
            E::ReadableByOthers { path, .. } => {
                failure(Exit::MachineRefused).next(format!("chmod 600 {}", path.display()))
            }
            E::PairMismatch { name, .. } => failure(Exit::Malformed)
                .next(format!("put back the file of `{name}` that was changed, from your backup")),
            E::Algorithm { wanted, .. } => {
                failure(Exit::Usage).next(format!("make it with --algorithm {}", short(wanted)))
            }
            E::Role { .. } => failure(Exit::Usage).next("see the roles of the keys with `airtight key list`"),
            E::Shared(_) => failure(Exit::Malformed)
                .next("keep one key for one role; make another with `airtight key generate NAME`"),
            E::Passphrase(source) => match source.downcast::<Failure>() {
                Ok(own) => *own,
                Err(_) => failure(Exit::Usage),
            },
            E::PassphraseEmpty => failure(Exit::Usage).next("give a passphrase, or say --no-passphrase"),
            E::OtherPassphrase { .. } => {
                failure(Exit::MachineRefused).next("give the passphrase of the site's other keys")
            }
            E::PrivateKey { .. } | E::Cosign { .. } if code == "passphrase_wrong" => {
                failure(Exit::MachineRefused).next("give the passphrase that this key was written with")
            }
            E::File { source, .. } => Failure::by_system(code, message, &source),
            E::Random(_) => failure(Exit::MachineRefused).next("run again when the system has randomness to give"),
            E::TooLarge { .. } | E::PublicKey { .. } | E::PrivateKey { .. } | E::Cosign { .. } => {
                failure(Exit::Malformed)
            }
            E::Write(_) => failure(Exit::Internal),
        }
    }
}

fn short(algorithm: airtight_keys::public::Algorithm) -> &'static str {
    match algorithm {
        airtight_keys::public::Algorithm::P256 => "p256",
        airtight_keys::public::Algorithm::Ed25519 => "ed25519",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_has_advice_and_a_full_disk_one_code() {
        for (kind, exit, code) in [
            (io::ErrorKind::NotFound, Exit::NotFound, "key_file_unreadable"),
            (io::ErrorKind::StorageFull, Exit::MachineRefused, "disk_full"),
            (io::ErrorKind::ReadOnlyFilesystem, Exit::MachineRefused, "key_file_unreadable"),
            (io::ErrorKind::Other, Exit::MachineRefused, "key_file_unreadable"),
        ] {
            let failure = Failure::from(KeyringError::File { path: "signer.key".into(), source: kind.into() });
            assert_eq!((failure.exit, failure.code), (exit, code));
            assert!(failure.next.is_some());
        }
    }

    #[test]
    fn a_refusal_of_the_face_comes_back_whole_through_the_keyring() {
        let own = Failure::new(Exit::Interrupted, "interrupted", "no passphrase was typed");
        let back = Failure::from(KeyringError::Passphrase(Box::new(own)));
        assert_eq!((back.exit, back.code), (Exit::Interrupted, "interrupted"));
    }
}
