//! `airtight log adopt --new-epoch`: closes the log as it was found, and begins another that commits to it.

use airtight::attest::{Adopted, AttestError, Site, SiteKeys};
use airtight::keyring::{KeyName, Keyring};
use serde::Serialize;

use crate::cli::log::AdoptArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::{Invocation, OsRandom};

/// A new epoch, as `--json` shows it.
#[derive(Serialize)]
struct AdoptReport<'r> {
    epoch: u32,
    origin: &'r str,
    log_id: String,
    vkey: String,
    leaf_index: u64,
    closed: String,
    /// What was found of the old log; nothing where this run only brought an earlier one to its end.
    reason: Option<&'static str>,
    old_tree_size: Option<u64>,
    old_root_hash: Option<String>,
    old_checkpoint: Option<&'r str>,
}

/// Runs `airtight log adopt`.
///
/// # Errors
/// `epoch_exists`, `log_locked`, `clock_back`, `control_refused` for a note that is too long, and the codes of the keys.
pub fn adopt(args: &AdoptArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let keyring = Keyring::of_site(&call.home);
    let passphrase = call.passphrase.clone();
    let mut keys = |settings: &airtight::config::Config| {
        let mut unlock = passphrase.unlock();
        let signer = settings.signals.signing.key_id.parse().unwrap_or_else(|_| KeyName::signer());
        let signer = keyring.load_signer(&signer, &mut unlock).map_err(AttestError::from)?;
        Ok(SiteKeys { signer, log: keyring.load_log(&mut unlock)? })
    };
    let now = call.now()?;
    let adopted = Site::adopt(&call.home, &args.note, &mut keys, now, &mut OsRandom, &call.holder("log adopt"))?;
    report(&adopted, call)?;
    Ok(Exit::Done)
}

fn report(adopted: &Adopted, call: &mut Invocation) -> Result<(), Failure> {
    let Adopted { epoch, origin, closed, found } = adopted;
    let site = call.open_site(airtight_log::store::Access::Read)?;
    let (log_id, vkey) = (site.store().identity().log_id().to_string(), site.store().identity().vkey());
    let head = found.as_ref().and_then(|found| found.head);
    let last = found.as_ref().and_then(|found| found.last.as_ref());
    if call.output.is_json() {
        call.output.json(&AdoptReport {
            epoch: *epoch,
            origin,
            log_id,
            vkey,
            leaf_index: 0,
            closed: closed.display().to_string(),
            reason: found.as_ref().map(|found| found.reason),
            old_tree_size: head.map(|(size, _)| size.get()),
            old_root_hash: head.map(|(_, root)| root.to_hex()),
            old_checkpoint: last.map(|last| last.c2sp.as_str()),
        });
        return Ok(());
    }
    let output = &mut call.output;
    output.line(format_args!("epoch:   {epoch}"));
    output.line(format_args!("origin:  {origin}"));
    output.line(format_args!("vkey:    {vkey}"));
    output.line(format_args!("closed:  {}, read-only from now on", closed.display()));
    match found {
        None => {
            output.say("an earlier run had found the old log and built the new one; this one brought it to its end")
        }
        Some(found) => {
            let size = |size: Option<u64>| size.map_or_else(|| "unknown".to_owned(), |size| size.to_string());
            output.line(format_args!(
                "entry 0: commits to the old log as found: {}, size {}, last checkpoint over {}",
                found.reason,
                size(head.map(|(size, _)| size.get())),
                size(last.map(|last| last.size.get()))
            ));
        }
    }
    output.say(
        "the keys and trusted_root.json are those of the old log; the vkey is new: hand it to whoever reads tiles",
    );
    Ok(())
}
