//! The question before anything leaves: is it permitted, by the settings and by the log?

use airtight::attest::Site;

use crate::exit::Exit;
use crate::failure::Failure;

/// Refuses where entries may not be sent to a target. It is asked before anything is written that could leave, for a pack in
/// a courier's hand has left.
///
/// # Errors
/// `rekor_disabled`, exit 1, with both sides; what reading the log's decisions refuses.
pub fn require_permission(site: &mut Site, target: &str) -> Result<(), Failure> {
    match site.permission()?.refused(target) {
        None => Ok(()),
        Some(refused) => Err(Failure::new(Exit::Refused, "rekor_disabled", refused.to_string())
            .next("if it is to leave: airtight sync enable --note WHY")),
    }
}
