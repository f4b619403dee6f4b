//! The questions before anything leaves: is it permitted, by the settings and by the log, and is all still held back that is?

use airtight::attest::Site;

use crate::exit::Exit;
use crate::failure::Failure;

/// Refuses where entries may not be sent to a target. It is asked before anything is written that could leave, for a pack in
/// a courier's hand has left.
///
/// # Errors
/// `rekor_disabled`, exit 1, with both sides; what reading the log's decisions and exceptions refuses.
pub fn require_permission(site: &mut Site, target: &str) -> Result<(), Failure> {
    if let Some(refused) = site.permission()?.refused(target) {
        return Err(Failure::new(Exit::Refused, "rekor_disabled", refused.to_string())
            .next("if it is to leave: airtight sync enable --note WHY"));
    }
    Ok(site.check_exceptions()?)
}
