"""One entry in Rekor over a checkpoint of ours, and every entry below it proven down to Rekor, from files alone."""

import base64
import copy
import json
from pathlib import Path

from judge import settled_leaves
from scene import Run, expect, note
from servers import Server
from sites import TARGET, Site
from uploads import ready

# What the site calls the other log, and where it was: nothing is proven by it, and `verify` says so.
LABELS = {("target", "name"), ("target", "url")}


def anchor(run: Run) -> None:
    """One upload covers all entries; each is verified offline down to Rekor, and each altered joint is refused."""
    for api in (1, 2):
        count = run.size(100_000, 500)
        site, rekor = ready(run, api, count)
        file = site.folder / "anchor.json"
        answer = site.ask("sync", "anchor", "--target", TARGET, "--out", file, online=True)
        expect(answer.exit == 0, f"sync anchor: {answer}")
        leaves = settled_leaves(site, rekor)
        made = len(leaves) - len(rekor.markers)
        expect(made == 1, f"an anchor made {made} entries")
        standings = site.standings()
        expect(standings.get("covered_by_anchor") == count, f"sync status says {standings}, {count} are covered")
        indexes = run.random.sample(sorted(site.numbers), 20) + [min(site.numbers), max(site.numbers)]
        trusted = both_logs(site, rekor)
        for index in indexes:
            bundle = json.loads(site.do("bundle", "get", index, "--with-anchor").out)
            answer = verify(site, index, bundle, trusted, file)
            expect(answer.exit == 0, f"v{api}: entry {index} under its anchor: {answer}")
        altered(site, indexes[0], trusted, file)
        note(f"v{api}: {count} entries below one")
        rekor.stop()


def both_logs(site: Site, rekor: Server) -> Path:
    """The joints from the entry to the site's own root rest on its key, those from there on Rekor's."""
    own, theirs = (json.loads(path.read_text()) for path in (site.home / "trusted_root.json", rekor.trusted_root))
    return rekor.write_json("both.json", own | {"tlogs": own["tlogs"] + theirs["tlogs"]})


def verify(site: Site, index: int, bundle: dict, trusted: Path, file: Path):
    """Offline, with no site: a bundle, keys and the anchor are all there is."""
    path = site.folder / "asked.sigstore.json"
    path.write_text(json.dumps(bundle))
    (subject,) = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))["subject"]
    words = ["verify", f"sha256:{subject['digest']['sha256']}", "--bundle", path, "--key", site.key]
    return site.ask(*words, "--type", "https://example.com/part/v1", "--trusted-root", trusted, "--anchor", file, "--json")


def altered(site: Site, index: int, trusted: Path, file: Path) -> None:
    """One change at each joint: envelope to leaf, leaf to our root, our root to Rekor's entry, that entry to Rekor's root."""
    good = json.loads(site.do("bundle", "get", index, "--with-anchor").out)
    codes = {}
    for joint, at in (
        ("envelope", ("dsseEnvelope", "signatures", 0, "sig")),
        ("leaf", ("verificationMaterial", "tlogEntries", 0, "canonicalizedBody")),
        ("our root", ("verificationMaterial", "tlogEntries", 0, "inclusionProof", "hashes", 0)),
        ("our checkpoint", ("verificationMaterial", "tlogEntries", 0, "inclusionProof", "rootHash")),
    ):
        answer = verify(site, index, changed(good, at), trusted, file)
        expect(answer.exit in (1, 5) and answer.code, f"{joint} altered: {answer}")
        codes[joint] = answer.code
    text = file.read_text()
    anchor = json.loads(text)
    for at in strings(anchor):
        if at in LABELS:
            continue
        file.write_text(json.dumps(changed(anchor, at)))
        answer = verify(site, index, good, trusted, file)
        joint = "anchor " + "/".join(map(str, at))
        expect(answer.exit in (1, 5) and answer.code, f"{joint} altered: {answer}")
        codes[joint] = answer.code
    file.write_text(text)
    expect(verify(site, index, good, trusted, file).exit == 0, "the anchor as it was is refused")
    for joint, code in codes.items():
        note(f"{joint}: {code}")
    expect(len(set(codes.values())) >= 4, f"four joints have {len(set(codes.values()))} codes")


def strings(value: object, at: tuple = ()) -> list[tuple]:
    """Where every string of a document lies."""
    if isinstance(value, str):
        return [at] if value else []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, member in members for found in strings(member, (*at, name))]


def changed(document: dict, at: tuple) -> dict:
    """The document with one character in the middle of one string changed to another of its kind."""
    document = copy.deepcopy(document)
    place = document
    for name in at[:-1]:
        place = place[name]
    text = place[at[-1]]
    middle = len(text) // 2
    other = next(one for one in "1a2b" if one != text[middle])
    place[at[-1]] = text[:middle] + other + text[middle + 1 :]
    return document
