//! `airtight init`, and the site that `attest --init` makes first.

use std::fs;

use airtight::attest::{NewSite, Site};
use airtight::config;
use airtight::keyring::{KeyName, KeyringError, Protection};
use airtight_keys::public::Algorithm;
use airtight_keys::sign::Random;
use serde::Serialize;

use crate::cli::site::{InitArgs, NewSiteArgs, RekorPermission};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::{Invocation, OsRandom};

/// The file where Linux shows the host's name.
const HOST_NAME_FILE: &str = "/proc/sys/kernel/hostname";

#[derive(Serialize)]
struct InitReport<'r> {
    home: String,
    origin: &'r str,
    log_id: String,
    vkey: String,
    signer: String,
    signer_key_id: String,
    leaf_index: u64,
}

/// Runs `airtight init`.
///
/// # Errors
/// As [`make`].
pub fn run(args: &InitArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    make(&args.origin, &args.keys, call)?;
    let site = Site::open(&call.home, airtight_log::store::Access::Read)?;
    let identity = site.store().identity();
    let signer = site.keyring().public(&KeyName::signer())?;
    if call.output.is_json() {
        call.output.json(&InitReport {
            home: call.home.display().to_string(),
            origin: identity.origin(),
            log_id: identity.log_id().to_string(),
            vkey: identity.vkey(),
            signer: signer.algorithm().name().to_owned(),
            signer_key_id: signer.key_id().to_string(),
            leaf_index: 0,
        });
    } else {
        call.output.line(format_args!("site:    {}", call.home.display()));
        call.output.line(format_args!("origin:  {}", identity.origin()));
        call.output.line(format_args!("log id:  {}", identity.log_id()));
        call.output.line(format_args!("vkey:    {}", identity.vkey()));
        call.output.line(format_args!("signer:  {} {}", signer.algorithm(), signer.key_id()));
        call.output.line("entry 0: from here on, not sent to Rekor: rekor_disabled");
    }
    call.output.say(format_args!("this signer: {}", signer.algorithm().capabilities()));
    call.output
        .say(format_args!("hand your auditors {0}/keys/signer.pub and {0}/trusted_root.json", call.home.display()));
    Ok(Exit::Done)
}

/// Makes a site.
///
/// # Errors
/// `site_exists`, `origin_refused`, the codes of the passphrase, and what the machine refuses.
pub fn make(origin: &str, args: &NewSiteArgs, call: &Invocation) -> Result<(), Failure> {
    let RekorPermission::Off = args.rekor;
    if !config::is_origin(origin) {
        let message =
            format!("{origin:?} cannot name a log: 1 to 255 bytes without spaces, control characters and `+`");
        return Err(Failure::new(Exit::Usage, "origin_refused", message)
            .next("a name that you own is best, like log.site.example"));
    }
    let now = call.now()?;
    let passphrase = if args.no_passphrase { None } else { Some(call.passphrase.chosen()?) };
    let protection = passphrase.as_ref().map_or(Protection::Plain, Protection::Passphrase);
    let new = NewSite { origin, signer: Algorithm::from(args.signer), protection, note: None };
    Ok(Site::create(&call.home, &new, now, &mut OsRandom)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_host_is_one() {
        assert_eq!(host_label("Build-7.Example\n"), "build-7.example");
        assert_eq!(host_label("\n"), "site");
        let origin = origin_of_host().unwrap();
        assert!(config::is_origin(&origin), "{origin}");
        assert_ne!(origin, origin_of_host().unwrap());
    }
}
