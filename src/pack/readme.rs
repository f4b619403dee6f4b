//! What a pack says to whoever carries it: plain words, the same for the same manifest.

use super::outbox::OutboxManifest;
use super::receipts::ReceiptsManifest;

/// Returns README.txt of an outbox pack.
pub(super) fn outbox(manifest: &OutboxManifest) -> String {
    let OutboxManifest { origin, target, entries, first, last, volume, volumes, .. } = manifest;
    format!(
        "airtight: an outbox pack, volume {volume} of {volumes}

{entries} entries ({first} to {last}) of the log {origin}, as requests to the
transparency log {name} at {url} (Rekor v{version}).

What stands in requests.ndjson becomes public when it is sent: read it before.
There is no key and no secret in this pack. It may be carried by anybody; what
comes back is verified.

On a host that reaches the log, with airtight installed:

    sha256sum -c SHA256SUMS
    airtight sync upload THIS-DIRECTORY --out RECEIPTS

Interrupted, run it again with the same names: nothing is sent twice. Carry
RECEIPTS back.
",
        name = target.name,
        url = target.url,
        version = target.api_version,
    )
}

/// Returns README.txt of a receipts pack.
pub(super) fn receipts(manifest: &ReceiptsManifest) -> String {
    let ReceiptsManifest { target, entries, answered, refused, remaining, .. } = manifest;
    let next = if *remaining == 0 {
        "All is answered. Carry this directory back."
    } else {
        "Some remain: run `airtight sync upload` again with the same names. What is\nanswered may be carried back before that."
    };
    format!(
        "airtight: a receipts pack

Answers of the transparency log {name} at {url} (Rekor v{version}) to
{entries} requests: {answered} were taken, {refused} refused, {remaining} remain.

{next} Inside, with airtight installed:

    sha256sum -c SHA256SUMS
    airtight sync import THIS-DIRECTORY

Every answer is verified there under the log's own key before it counts.
",
        name = target.name,
        url = target.url,
        version = target.api_version,
    )
}
