//! A new site, up to its log: what it is called, what its settings are, which keys it has.
//!
//! The steps are apart, because the settings come last: `airtight.yaml` is what makes a directory a site, so an `init` that
//! was interrupted is run again, and keeps the keys that the first run made.
//!
//! ```text
//! draft      name, tree ID and settings, in memory; refuses a directory that is a site
//! make_keys  DIR, DIR/keys: signer, log, log-ed25519, each kept where it is there already
//! (the log, its first decision, trusted_root.json)
//! Config::write_new
//! ```

use std::fs;
use std::path::Path;

use airtight::config::{self, Config, Created, LogSettings, SigningAlgorithm};
use airtight::keyring::{KeyEntry, KeyName, Keyring, KeyringError};
use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Random, RandomUnavailable};

use crate::cli::site::{NewSiteArgs, RekorPermission};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::{Invocation, OsRandom};
use crate::key::under_passphrase;

/// The file where Linux shows the host's name.
const HOST_NAME_FILE: &str = "/proc/sys/kernel/hostname";

/// Returns the settings of a new site; nothing is written.
///
/// # Errors
/// `site_exists` where the directory has settings already, `origin_refused`, `clock_unusable`, `randomness_unavailable`.
pub fn draft(origin: &str, args: &NewSiteArgs, call: &Invocation) -> Result<Config, Failure> {
    let settings = call.home.join(config::FILE_NAME);
    if fs::symlink_metadata(&settings).is_ok() {
        let message = format!("{} is a site already: {} is there", call.home.display(), settings.display());
        return Err(Failure::new(Exit::Usage, "site_exists", message)
            .next("use the site that is there, or name another directory with --home DIR"));
    }
    if !config::is_origin(origin) {
        let message =
            format!("`{origin}` is not the name of a log: 1 to 255 bytes without spaces, control characters and `+`");
        return Err(Failure::new(Exit::Usage, "origin_refused", message)
            .next("a name that you own is best, like log.site.example"));
    }
    let created = Created::from_seconds(call.now()?).ok_or_else(|| {
        Failure::new(Exit::Stale, "clock_unusable", "the clock of this machine stands after the year 9999")
            .next("set the clock")
    })?;
    let tree_id = new_tree_id(&mut OsRandom).map_err(KeyringError::from)?;
    let log = LogSettings { origin: origin.into(), tree_id, head_note: "head.note".into(), created, epoch: 1 };
    let algorithm = match Algorithm::from(args.signer) {
        Algorithm::P256 => SigningAlgorithm::EcdsaP256Sha256,
        Algorithm::Ed25519 => SigningAlgorithm::Ed25519,
    };
    let RekorPermission::Off = args.rekor;
    Ok(Config::new(log, algorithm)?)
}

/// Makes the site directory and the keys that are not there yet; returns all three, the signer first.
///
/// A signer that was imported before may be of another algorithm than was asked for: it is kept, and the settings are made to
/// name it.
///
/// # Errors
/// `site_unwritable`; the codes of the keyring and of the passphrase.
pub fn make_keys(config: &mut Config, args: &NewSiteArgs, call: &Invocation) -> Result<Vec<KeyEntry>, Failure> {
    make_home(&call.home)?;
    let wanted = [
        (KeyName::signer(), Algorithm::from(args.signer)),
        (KeyName::log(), Algorithm::P256),
        (KeyName::log_ed25519(), Algorithm::Ed25519),
    ];
    let present = call.keyring().list()?;
    let is_present = |name: &KeyName| present.iter().any(|entry| entry.name == *name);
    if !wanted.iter().all(|(name, _)| is_present(name)) {
        under_passphrase(args.no_passphrase, call, |keyring: &Keyring, protection| {
            for (name, algorithm) in wanted.iter().filter(|(name, _)| !is_present(name)) {
                keyring.generate(name, *algorithm, protection, &mut OsRandom)?;
            }
            Ok(())
        })?;
    }
    let entries = wanted.iter().map(|(name, _)| call.keyring().entry(name)).collect::<Result<Vec<_>, _>>()?;
    config.signals.signing.algorithm = match entries[0].algorithm() {
        Algorithm::P256 => SigningAlgorithm::EcdsaP256Sha256,
        Algorithm::Ed25519 => SigningAlgorithm::Ed25519,
    };
    Ok(entries)
}

/// Returns the origin of a site that was given none: the host's name and eight random hex digits.
///
/// # Errors
/// `randomness_unavailable`.
pub fn origin_of_host() -> Result<String, Failure> {
    let mut tail = [0; 4];
    OsRandom.fill(&mut tail).map_err(KeyringError::from)?;
    let host = fs::read_to_string(HOST_NAME_FILE).unwrap_or_default();
    Ok(format!("{}-{}", host_label(&host), hex::encode(tail)))
}

/// Returns what of a host's name can stand in an origin; `site` where nothing of it can.
fn host_label(host: &str) -> String {
    let is_kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let label: String = host.chars().filter(is_kept).take(100).collect::<String>().to_ascii_lowercase();
    if label.is_empty() { "site".into() } else { label }
}

/// Returns a tree ID: 1 to 2^63 - 1.
fn new_tree_id(random: &mut dyn Random) -> Result<u64, RandomUnavailable> {
    let mut bytes = [0; 8];
    random.fill(&mut bytes)?;
    Ok((u64::from_be_bytes(bytes) & config::TREE_ID_MAX).max(1))
}

fn make_home(home: &Path) -> Result<(), Failure> {
    fs::create_dir_all(home).map_err(|error| {
        let message = format!("{}: {error}", home.display());
        Failure::new(Exit::MachineRefused, "site_unwritable", message)
            .next("name a directory you may write with --home DIR")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Globals;
    use crate::cli::key::AlgorithmName;

    fn call(home: &Path) -> Invocation {
        Invocation::new(Globals { home: home.into(), json: false, passphrase_file: None, now: Some(1_795_230_000) })
    }

    const ARGS: NewSiteArgs =
        NewSiteArgs { signer: AlgorithmName::P256, no_passphrase: true, rekor: RekorPermission::Off };

    #[test]
    fn a_draft_says_when_and_who_and_does_not_send() {
        let home = tempfile::tempdir().unwrap();
        let config = draft("log.site.example", &ARGS, &call(home.path())).unwrap();
        assert_eq!(config.log.origin, "log.site.example");
        assert_eq!(config.log.created.to_string(), "2026-11-21T03:00:00Z");
        assert!(!config.signals.provenance.rekor_enabled);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing is written");
    }

    #[test]
    fn a_directory_that_is_a_site_and_a_name_that_is_none_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let call = call(home.path());
        for origin in ["", "a b", "a+b", "a\nb"] {
            assert_eq!(draft(origin, &ARGS, &call).unwrap_err().code, "origin_refused");
        }
        draft("log.site.example", &ARGS, &call).unwrap().write_new(home.path()).unwrap();
        assert_eq!(draft("log.site.example", &ARGS, &call).unwrap_err().code, "site_exists");
    }

    #[test]
    fn an_interrupted_init_keeps_the_keys_it_made() {
        let home = tempfile::tempdir().unwrap();
        let call = call(&home.path().join("new/site"));
        let mut config = draft("log.site.example", &ARGS, &call).unwrap();
        let first = make_keys(&mut config, &ARGS, &call).unwrap();
        assert_eq!(first.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["signer", "log", "log-ed25519"]);
        assert_eq!(make_keys(&mut config, &ARGS, &call).unwrap(), first);
    }

    #[test]
    fn a_signer_that_was_there_before_rules_over_the_algorithm_asked_for() {
        let home = tempfile::tempdir().unwrap();
        let call = call(home.path());
        let protection = airtight::keyring::Protection::Plain;
        call.keyring().generate(&KeyName::signer(), Algorithm::Ed25519, protection, &mut OsRandom).unwrap();
        let mut config = draft("log.site.example", &ARGS, &call).unwrap();
        make_keys(&mut config, &ARGS, &call).unwrap();
        assert_eq!(config.signals.signing.algorithm, SigningAlgorithm::Ed25519);
    }

    #[test]
    fn the_origin_of_a_host_is_one() {
        assert_eq!(host_label("Build-7.Example\n"), "build-7.example");
        assert_eq!(host_label("\n"), "site");
        let origin = origin_of_host().unwrap();
        assert!(config::is_origin(&origin), "{origin}");
        assert_ne!(origin, origin_of_host().unwrap());
    }
}
