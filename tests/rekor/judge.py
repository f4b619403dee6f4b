"""What is looked at after every upload: the log holds each entry once and nothing else, and every receipt is true."""

import base64
import json
from collections import Counter
from pathlib import Path

from entries import Signer, canonical, leaf, request, statement
from receipts import Receipt
from scene import expect, note
from servers import Server, ask
from sites import TARGET, Site

# Of so many receipts OpenSSL is asked about the signatures; it takes some milliseconds for each.
SIGNATURES_MAX = 40


def all_logged(site: Site, rekor: Server, bundles: Path) -> None:
    """Every entry of the site is in the log once, has a true receipt there, and counts as logged."""
    leaves = settled_leaves(site, rekor)
    found = upgraded(site, bundles)
    expected = {}
    for at, (index, number) in enumerate(site.numbers.items()):
        bundle = found[index]
        expected[index] = expected_leaf(site, rekor, index, number, bundle["dsseEnvelope"])
        (entry,) = bundle["verificationMaterial"]["tlogEntries"]
        faults = Receipt(entry).faults(expected[index], leaves, rekor, signatures=at < SIGNATURES_MAX)
        expect(not faults, f"the receipt of entry {index}: {faults}")
    once(rekor, leaves, list(expected.values()))
    standings = site.standings()
    expect(standings.get("logged") == len(site.numbers), f"sync status says {standings}, {len(site.numbers)} are logged")
    expect(not standings.get("pending_upload"), f"sync status says {standings}, none is pending")
    site.do("log", "fsck")


# How often an entry of our own is posted to see the end of a log.
MARKERS_MAX = 10


def settled_leaves(site: Site, rekor: Server) -> list[bytes]:
    """The leaves of the log, once nothing that it was ever sent is still on its way into it; markers of ours among them."""
    if rekor.api == 1:
        # Trillian's queue is a table, and it is asked until it is empty.
        return rekor.leaf_hashes()
    # The queue of Rekor v2 is in its memory, first in, first out: an entry behind all others says when they are in. One that
    # comes into a batch with a request whose client is gone is answered 499, and may be in the log all the same.
    tried = []
    for _ in range(MARKERS_MAX):
        last = Signer(site.folder / f"last-{len(list(site.folder.iterdir()))}").request(0, 2)
        tried.append(leaf(last))
        answer = ask(f"{rekor.url}/api/v2/log/entries", json.dumps(last).encode())
        if answer.status != 499:
            break
    expect(answer.status == 201, f"the last entry: {answer.status} {answer.body!r}")
    leaves = rekor.leaf_hashes()
    expect(leaves[-1] == tried[-1], "the log's last entry is not the one that was posted last")
    rekor.markers += [marker for marker in tried if marker in leaves]
    return leaves


def once(rekor: Server, leaves: list[bytes], expected: list[bytes]) -> None:
    """The log holds these, each once, and nothing else but our markers."""
    there, wanted = Counter(leaves), Counter(expected + rekor.markers)
    twice = sum(count - 1 for count in there.values())
    expect(not twice, f"{twice} duplicates in a log of {len(leaves)}")
    expect(not wanted - there, f"{len(wanted - there)} of {len(expected)} entries are not in the log")
    expect(not there - wanted, f"{len(there - wanted)} entries are in the log that nobody should have sent")


def expected_leaf(site: Site, rekor: Server, index: int, number: int, envelope: dict) -> bytes:
    """What the log must hold for this envelope, whose payload must be the statement that was attested."""
    payload = canonical(statement(number))
    expect(base64.b64decode(envelope["payload"]) == payload, f"entry {index} has another payload")
    (signature,) = envelope["signatures"]
    asked = request(rekor.api, payload, signature["sig"], site.key.read_bytes())
    if rekor.api == 1:
        expect(leaf(asked) == site.leaves[index], f"our leaf of entry {index} is not what Rekor v1 makes of it")
    return leaf(asked)


def upgraded(site: Site, bundles: Path) -> dict[int, dict]:
    """The upgraded bundles by index: from the folder, and those that a kill kept from it from `bundle get`."""
    found = {}
    for path in bundles.glob(f"*.{TARGET}.sigstore.json"):
        index = int(path.name.partition("-")[0])
        name = f"{index}-{statement(site.numbers[index])['subject'][0]['name']}.{TARGET}.sigstore.json"
        expect(path.name == name, f"a bundle is called {path.name}, not {name}")
        found[index] = json.loads(path.read_bytes())
    absent = set(site.numbers) - set(found)
    if absent:
        note(f"{len(absent)} of {len(site.numbers)} bundles are not in the folder and were asked for")
    return found | {index: site.bundle(index) for index in absent}
