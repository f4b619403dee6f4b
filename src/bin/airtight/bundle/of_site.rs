//! `airtight bundle get` and `airtight trust export`: what an entry's bundle is, and whom to trust for it.

use airtight::attest::AttestError;
use airtight::durable::{self, Mode};
use airtight::statement::kept::Kept;
use airtight::sync::kept;
use airtight_log::store::Access;

use crate::cli::bundle::{GetArgs, TrustCommand};
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::invocation::Invocation;
use crate::log::index_in;
use crate::sync::target_of;
use crate::verify::trusted_root;

/// Prints the bundle of an entry: this log's, another log's, this log's under an anchor; or what others signed and the entry keeps.
pub fn get(args: &GetArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site_to_judge()?;
    if args.kept {
        let mut snapshot = site.store_mut().read()?;
        let index = index_in(&snapshot, args.index)?;
        let entry = snapshot.entry(index)?;
        let (_, envelope) = entry.envelope.ok_or(AttestError::LeafOnly { index: index.get() })?;
        let kept = Kept::of(envelope.payload_unverified()).map_err(|error| failure::kept(index.get(), &error))?;
        call.output.bytes(&kept.content);
        call.output.say(format_args!("entry {index}: {}, {} bytes, {}", kept.name, kept.content.len(), kept.sha256));
        return Ok(Exit::Done);
    }
    if let Some(name) = &args.receipt {
        let target = target_of(&mut site, Some(name), call)?;
        let mut snapshot = site.store_mut().read()?;
        let index = index_in(&snapshot, args.index)?;
        let receipt = kept::receipt(&mut snapshot, &target, index, call.now()?)?;
        call.output.bytes(receipt.bundle().as_bytes());
        call.output.say(format_args!("entry {index}: {name}: logged as {}", receipt.uuid()));
        return Ok(Exit::Done);
    }
    let log = site.keyring().load_log(&mut call.passphrase.unlock())?;
    let proven = if args.with_anchor {
        let target = target_of(&mut site, args.target.as_deref(), call)?;
        let (index, (text, size)) = {
            let mut snapshot = site.store_mut().read()?;
            let index = index_in(&snapshot, args.index)?;
            (index, kept::anchor(&mut snapshot, &target, index, call.now()?)?)
        };
        if let Some(path) = &args.anchor_out {
            durable::replace(path, text.as_bytes(), Mode::Public).map_err(|error| {
                Failure::by_system("output_unwritable", format!("{}: {error}", path.display()), &error)
            })?;
        }
        site.bundle_at(index, size, &log)?
    } else {
        site.bundle(args.index, &log)?
    };
    call.output.bytes(proven.bundle.as_bytes());
    for disposition in &proven.dispositions {
        call.output.say(format_args!("entry {}: {disposition}", proven.index));
    }
    Ok(Exit::Done)
}

/// Runs one command about trusted roots.
///
/// # Errors
/// `trusted_root_malformed`, `trusted_root_conflict`, and what the site refuses.
pub fn trust(command: &TrustCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    let TrustCommand::Export(args) = command;
    let site = call.open_site(Access::Read)?;
    let mut root = site.trusted_root();
    if let Some(path) = &args.with {
        root.merge(&trusted_root(path)?).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            Failure::new(Exit::Malformed, "trusted_root_conflict", message)
        })?;
    }
    call.output.bytes(root.render().as_bytes());
    Ok(Exit::Done)
}
