"""What is done to a good bundle so that every client must refuse it, one change at a time.

Each alteration takes a copy of the bundle's JSON and changes it in place. The result still parses as a bundle unless
`whole` is False (a member is missing), so a client that refuses it has looked at what the bundle says.
"""

import base64
import copy
import json
from dataclasses import dataclass
from typing import Callable


def flip_base64(text: str, at: int = 0) -> str:
    """The same bytes with one bit of the byte `at` flipped, in base64 again."""
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return base64.b64encode(bytes(raw)).decode()


def entry(bundle: dict) -> dict:
    return bundle["verificationMaterial"]["tlogEntries"][0]


def proof(bundle: dict) -> dict:
    return entry(bundle)["inclusionProof"]


def one_more(number: str) -> str:
    return str(int(number) + 1)


def payload(bundle: dict) -> None:
    """A payload that is a valid statement over the same artifact, but not the one that was signed."""
    envelope = bundle["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement.setdefault("predicate", {})["altered"] = True
    envelope["payload"] = base64.b64encode(json.dumps(statement, separators=(",", ":")).encode()).decode()


def signature(bundle: dict) -> None:
    signed = bundle["dsseEnvelope"]["signatures"][0]
    signed["sig"] = flip_base64(signed["sig"], -1)


def proof_hash(bundle: dict) -> None:
    proof(bundle)["hashes"][0] = flip_base64(proof(bundle)["hashes"][0])


def proof_short(bundle: dict) -> None:
    proof(bundle)["hashes"].pop()


def proof_index(bundle: dict) -> None:
    proof(bundle)["logIndex"] = one_more(proof(bundle)["logIndex"])


def root_hash(bundle: dict) -> None:
    proof(bundle)["rootHash"] = flip_base64(proof(bundle)["rootHash"])


def checkpoint_line(bundle: dict, line: int, change: Callable[[str], str]) -> None:
    lines = proof(bundle)["checkpoint"]["envelope"].split("\n")
    lines[line] = change(lines[line])
    proof(bundle)["checkpoint"]["envelope"] = "\n".join(lines)


def checkpoint_size(bundle: dict) -> None:
    checkpoint_line(bundle, 1, one_more)


def checkpoint_root(bundle: dict) -> None:
    checkpoint_line(bundle, 2, flip_base64)


def checkpoint_and_root(bundle: dict) -> None:
    """The checkpoint and the proof agree with each other, so only the signature can tell."""
    checkpoint_root(bundle)
    root_hash(bundle)


def checkpoint_signature(bundle: dict) -> None:
    def change(line: str) -> str:
        head, signed = line.rsplit(" ", 1)
        return f"{head} {flip_base64(signed, -1)}"

    checkpoint_line(bundle, 4, change)


def body(bundle: dict) -> None:
    """A leaf that names another payload."""
    leaf = json.loads(base64.b64decode(entry(bundle)["canonicalizedBody"]))
    digest = leaf["spec"]["payloadHash"]["value"]
    leaf["spec"]["payloadHash"]["value"] = ("0" if digest[0] != "0" else "1") + digest[1:]
    text = json.dumps(leaf, separators=(",", ":"), sort_keys=True)
    entry(bundle)["canonicalizedBody"] = base64.b64encode(text.encode()).decode()


def timestamp(bundle: dict) -> None:
    promise = entry(bundle)["inclusionPromise"]
    promise["signedEntryTimestamp"] = flip_base64(promise["signedEntryTimestamp"], -1)


def integrated_time(bundle: dict) -> None:
    entry(bundle)["integratedTime"] = one_more(entry(bundle)["integratedTime"])


def log_index(bundle: dict) -> None:
    entry(bundle)["logIndex"] = one_more(entry(bundle)["logIndex"])


def no_proof(bundle: dict) -> None:
    del entry(bundle)["inclusionProof"]


def no_entry(bundle: dict) -> None:
    del bundle["verificationMaterial"]["tlogEntries"]


@dataclass(frozen=True)
class Alteration:
    """One change: what a person calls it, how it is made, and what it touches."""

    name: str
    change: Callable[[dict], None]
    # The signature over the payload is touched, so a client that knows nothing of logs must refuse as well.
    signed: bool = False
    # The bundle is still whole; if not, a client may refuse it as malformed.
    whole: bool = True
    # Clients (by the first word of their name) that never read what was changed, and so accept. Known, and held to.
    overlooked_by: tuple[str, ...] = ()

    def of(self, bundle: dict) -> dict:
        altered = copy.deepcopy(bundle)
        self.change(altered)
        assert altered != bundle, f"{self.name} changed nothing"
        return altered


ALTERATIONS = [
    Alteration("altered payload", payload, signed=True),
    Alteration("altered signature", signature, signed=True),
    Alteration("altered proof: a hash", proof_hash),
    Alteration("altered proof: one hash short", proof_short),
    Alteration("altered proof: its index", proof_index),
    # sigstore-js climbs from the leaf to the root of the signed checkpoint, and leaves the proof's own copy unread.
    Alteration("altered proof: its root", root_hash, overlooked_by=("js",)),
    Alteration("altered checkpoint: size", checkpoint_size),
    Alteration("altered checkpoint: root", checkpoint_root),
    Alteration("altered checkpoint: root, there and in the proof", checkpoint_and_root),
    Alteration("altered checkpoint: signature", checkpoint_signature),
    Alteration("altered leaf", body),
    Alteration("altered timestamp", timestamp),
    Alteration("altered integrated time", integrated_time),
    Alteration("altered log index", log_index),
    Alteration("no proof", no_proof, whole=False),
    Alteration("no entry", no_entry, whole=False),
]
