//! `airtight log prove` and `consistency`: proofs from the log, each checked before it is printed.

use airtight::attest::{AttestError, tlog_proof};
use airtight_log::digest::Hash;
use airtight_log::proofs::{ProofError, verify_consistency};
use airtight_log::store::{Access, Damage, Fault};
use serde::Serialize;

use super::{index_in, not_released, size_in};
use crate::cli::log::{ConsistencyArgs, ProveArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// An inclusion proof, as `--json` shows it.
#[derive(Serialize)]
struct InclusionReport {
    log_id: String,
    leaf_index: u64,
    leaf_hash: String,
    tree_size: u64,
    root_hash: String,
    /// From the leaf's sibling up.
    hashes: Vec<String>,
    /// The C2SP checkpoint; nothing where none was released at this size, and then the proof proves nothing to others.
    checkpoint: Option<String>,
}

/// Runs `airtight log prove`.
///
/// # Errors
/// `entry_not_found`, `tree_size_not_reached`, `checkpoint_not_found`, `entry_uncovered`, `log_damaged`.
pub fn inclusion(args: &ProveArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Read)?;
    let mut snapshot = site.store_mut().read()?;
    let index = index_in(&snapshot, args.index)?;
    let (size, checkpoint) = match args.size {
        None => {
            let covering = snapshot.checkpoint_covering(index.size_to_hold())?;
            let covering = covering.ok_or(AttestError::Uncovered { index: args.index })?;
            (covering.size, Some(covering))
        }
        Some(size) => {
            let size = size_in(&snapshot, size)?;
            if !size.holds(index) {
                return Err(AttestError::NotFound { index: args.index, size }.into());
            }
            (size, snapshot.checkpoint_at(size)?)
        }
    };
    if checkpoint.is_none() && !call.output.is_json() {
        let failure = not_released(&mut snapshot, size)?;
        let next = failure.next.unwrap_or_default();
        return Err(Failure { next: Some(format!("{next}; --json gives a proof without a signature")), ..failure });
    }
    let root = snapshot.root_at(size)?;
    let hashes = snapshot.prove(index, size, &root)?;
    if !call.output.is_json() {
        let checkpoint = checkpoint.expect("invariant: refused above where there is none");
        call.output.bytes(tlog_proof(index, &hashes, &checkpoint).as_bytes());
        return Ok(Exit::Done);
    }
    if checkpoint.is_none() {
        call.output.say(format_args!("no checkpoint was released at size {size}: this proof is not signed"));
    }
    let report = InclusionReport {
        log_id: snapshot.identity().log_id().to_string(),
        leaf_index: index.get(),
        leaf_hash: snapshot.leaf_hash(index)?.to_hex(),
        tree_size: size.get(),
        root_hash: root.to_hex(),
        hashes: hashes.iter().map(Hash::to_hex).collect(),
        checkpoint: checkpoint.map(|checkpoint| checkpoint.c2sp),
    };
    call.output.json(&report);
    Ok(Exit::Done)
}

/// A consistency proof, as `--json` shows it.
#[derive(Serialize)]
struct ConsistencyReport {
    log_id: String,
    old_size: u64,
    old_root: String,
    new_size: u64,
    new_root: String,
    hashes: Vec<String>,
}

/// Runs `airtight log consistency`.
///
/// # Errors
/// `sizes_refused` for an old size of 0 or above the new one; `tree_size_not_reached`, `log_damaged`.
pub fn consistency(args: &ConsistencyArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let ConsistencyArgs { old_size, new_size } = *args;
    if old_size == 0 || old_size > new_size {
        let message =
            format!("a tree of {new_size} does not grow out of one of {old_size} in a way that can be proven");
        return Err(Failure::new(Exit::Usage, "sizes_refused", message).next("give 1 <= A <= B"));
    }
    let mut site = call.open_site(Access::Read)?;
    let mut snapshot = site.store_mut().read()?;
    let (old, new) = (size_in(&snapshot, old_size)?, size_in(&snapshot, new_size)?);
    let (old_root, new_root) = (snapshot.root_at(old)?, snapshot.root_at(new)?);
    let inconsistent = |said: String| Fault::from(Damage::Inconsistent { old: old_size, new: new_size, said });
    let hashes = snapshot.consistency(old, new).map_err(|error| match error {
        ProofError::Nodes(fault) => fault,
        other => inconsistent(other.to_string()),
    })?;
    verify_consistency(old, new, &old_root, &new_root, &hashes).map_err(|error| inconsistent(error.to_string()))?;
    if call.output.is_json() {
        call.output.json(&ConsistencyReport {
            log_id: snapshot.identity().log_id().to_string(),
            old_size,
            old_root: old_root.to_hex(),
            new_size,
            new_root: new_root.to_hex(),
            hashes: hashes.iter().map(Hash::to_hex).collect(),
        });
        return Ok(Exit::Done);
    }
    call.output.line(format_args!("tree {old} {}", old_root.to_base64()));
    call.output.line(format_args!("tree {new} {}", new_root.to_base64()));
    call.output.line("");
    for hash in &hashes {
        call.output.line(hash.to_base64());
    }
    Ok(Exit::Done)
}
