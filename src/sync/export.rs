//! What leaves: the requests of the entries that wait, in the order of the log, one after the other.
//!
//! Nothing here asks whether anything may leave: that is a permission ([`crate::disposition::Permission`]), which whoever
//! calls asks for first. What waits is computed from the log alone, so a plan, an export and a push over the same log give
//! the same bytes; and since a receipt takes an entry off the list, doing it again sends nothing twice.

use airtight_log::store::{Fault, Snapshot};
use serde_json::value::RawValue;

use super::approval::Approved;
use super::request::{Request, Unsendable};
use super::status::pending;
use super::target::Target;
use crate::disposition::Standings;
use crate::pack::outbox::RequestLine;

/// How many entries are looked up at once.
const PAGE: usize = 4_096;

/// Which of the waiting entries.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Where they go.
    pub target: &'a Target,
    /// The first leaf index that is looked at.
    pub from: u64,
    /// How many requests, at most.
    pub limit: u64,
    /// The most bytes that one may have.
    pub len_max: usize,
    /// The plans that were approved, where only they may leave.
    pub approved: Option<&'a [Approved]>,
}

/// What waits and did not become a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Entries of which only the leaf is kept.
    pub leaf_only: u64,
    /// Entries whose request is too large, with its length in bytes.
    pub too_large: Vec<(u64, usize)>,
    /// Entries that no approved plan holds.
    pub unapproved: u64,
    /// Whether the limit was reached before the end of what waits.
    pub is_cut: bool,
}

/// Hands each request to `take`.
///
/// # Errors
/// [`Fault`] where the log cannot be read, and whatever `take` says.
pub fn requests<E: From<Fault>>(
    snapshot: &mut Snapshot<'_>,
    standings: &Standings,
    selection: &Selection<'_>,
    take: &mut dyn FnMut(&Request) -> Result<(), E>,
) -> Result<Left, E> {
    let (mut left, mut from, mut taken) = (Left::default(), selection.from, 0);
    let target = selection.target.name.as_str();
    loop {
        let page = pending(snapshot, standings, target, from, PAGE)?;
        let Some(last) = page.last() else { return Ok(left) };
        from = last.get() + 1;
        for index in &page {
            if let Some(plans) = selection.approved {
                let signer = snapshot.signer_of(*index)?;
                if !plans.iter().any(|plan| plan.lets(index.get(), &signer)) {
                    left.unapproved += 1;
                    continue;
                }
            }
            if taken == selection.limit {
                left.is_cut = true;
                return Ok(left);
            }
            let entry = snapshot.entry(*index)?;
            match Request::of(&entry, selection.target.api, selection.len_max) {
                Ok(request) => {
                    take(&request)?;
                    taken += 1;
                }
                Err(Unsendable::TooLarge { len, .. }) => left.too_large.push((index.get(), len)),
                Err(Unsendable::LeafOnly { .. }) => left.leaf_only += 1,
                // Neither waits: the standing says so before anybody comes here.
                Err(Unsendable::ControlEntry { .. } | Unsendable::UnsupportedKey { .. }) => {}
            }
        }
    }
}

/// Returns a request as a pack holds it.
pub fn line(request: &Request) -> RequestLine {
    let body = RawValue::from_string(request.body.clone());
    RequestLine {
        index: request.index.get(),
        leaf_hash: request.leaf_hash,
        expected: request.expected,
        request: body.expect("invariant: a request is one JSON text"),
    }
}
