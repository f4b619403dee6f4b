"""Receipts read without airtight: whether a proof leads from a leaf to a root, and a checkpoint to a key.

`Receipt.of_bundle` reads the one entry of an upgraded bundle. `Receipt.faults` says all that is wrong with it, given the
leaf that the log must hold, the log's own leaves, and the server whose key must have signed; nothing wrong is an empty list.
"""

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from entries import canonical
from servers import NotReady, Server, call, leaf_hash, standard


@dataclass(frozen=True)
class Receipt:
    """What a log answered for one leaf; `entry` is the TransparencyLogEntry as protojson has it."""

    entry: dict

    @staticmethod
    def of_bundle(path: Path) -> "Receipt":
        (entry,) = json.loads(path.read_bytes())["verificationMaterial"]["tlogEntries"]
        return Receipt(entry)

    @staticmethod
    def of_v1(answer: dict) -> "Receipt":
        """The LogEntry of Rekor v1, said in the words of a bundle."""
        kind = json.loads(base64.b64decode(answer["body"]))
        proof = answer["verification"]["inclusionProof"]
        return Receipt({
            "logIndex": str(answer["logIndex"]),
            "logId": {"keyId": standard(bytes.fromhex(answer["logID"]))},
            "kindVersion": {"kind": kind["kind"], "version": kind["apiVersion"]},
            "integratedTime": str(answer["integratedTime"]),
            "inclusionPromise": {"signedEntryTimestamp": answer["verification"]["signedEntryTimestamp"]},
            "inclusionProof": {
                "logIndex": str(proof["logIndex"]), "treeSize": str(proof["treeSize"]),
                "rootHash": standard(bytes.fromhex(proof["rootHash"])),
                "hashes": [standard(bytes.fromhex(one)) for one in proof["hashes"]],
                "checkpoint": {"envelope": proof["checkpoint"]},
            },
            "canonicalizedBody": answer["body"],
        })  # fmt: skip

    @property
    def index(self) -> int:
        return int(self.entry["inclusionProof"]["logIndex"])

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.entry["canonicalizedBody"], validate=True)

    def faults(self, leaf: bytes, leaves: list[bytes], server: Server, signatures: bool = True) -> list[str]:
        """`signatures` can be left out: OpenSSL is asked for each, which takes some milliseconds."""
        faults, proof = [], self.entry["inclusionProof"]
        size, root = int(proof["treeSize"]), base64.b64decode(proof["rootHash"])
        hashes = [base64.b64decode(text) for text in proof["hashes"]]
        if leaf_hash(self.body) != leaf:
            faults.append(f"its body has the leaf hash {leaf_hash(self.body).hex()}, not {leaf.hex()}")
        if not 0 <= self.index < len(leaves) or leaves[self.index] != leaf:
            faults.append(f"the log does not hold this leaf at {self.index}")
        if int(self.entry["logIndex"]) != self.index:
            faults.append(f"log index {self.entry['logIndex']}, but {self.index} in the proof; there is one tree only")
        if base64.b64decode(self.entry["logId"]["keyId"]) != server.log_id:
            faults.append("it names another log")
        if climb(leaf, self.index, size, hashes) != root:
            faults.append(f"the proof does not lead to {root.hex()}")
        faults += checkpoint_faults(proof["checkpoint"]["envelope"], size, root, server, signatures)
        return faults + time_faults(self.entry, server, signatures)


def climb(leaf: bytes, index: int, size: int, hashes: list[bytes]) -> bytes | None:
    """The root that the proof leads to; none where its length is wrong (RFC 9162 §2.1.3.2)."""
    if index >= size:
        return None
    node, last, at = leaf, size - 1, index
    for sibling in hashes:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = parent(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = parent(node, sibling)
        at, last = at >> 1, last >> 1
    return node if last == 0 else None


def parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, level by level: a node without a sibling moves up as it is."""
    if not leaves:
        return hashlib.sha256().digest()
    while len(leaves) > 1:
        pairs = [parent(*leaves[at : at + 2]) for at in range(0, len(leaves) - 1, 2)]
        leaves = pairs + leaves[len(leaves) - len(leaves) % 2 :]
    return leaves[0]


def checkpoint_faults(note: str, size: int, root: bytes, server: Server, signatures: bool) -> list[str]:
    text, _, signed = note.partition("\n\n")
    origin, said_size, said_root, *more = text.split("\n")
    faults = []
    if origin.partition(" - ")[0] != server.hostname or more:
        faults.append(f"the checkpoint is {text!r}")
    if int(said_size) != size or base64.b64decode(said_root) != root:
        faults.append(f"the checkpoint is of size {said_size} and root {said_root}")
    lines = [line.split(" ") for line in signed.splitlines() if line.startswith("— ")]
    ours = [base64.b64decode(line[2]) for line in lines if line[1] == server.hostname]
    if len(ours) != 1 or ours[0][:4] != server.log_id[:4]:
        faults.append("the checkpoint has no signature of this log")
    elif signatures and not verifies(server, (text + "\n").encode(), ours[0][4:]):
        faults.append("the log's signature under the checkpoint is wrong")
    return faults


def time_faults(entry: dict, server: Server, signatures: bool) -> list[str]:
    """v1 promises a time and signs it; v2 says nothing of time."""
    promise, seconds = entry.get("inclusionPromise"), int(entry.get("integratedTime") or 0)
    if server.api == 2:
        return ["a time that v2 never gives"] if promise or seconds else []
    if not promise or not 0 < seconds <= time.time() + 60:
        return [f"no time, or one that is to come: {seconds}"]
    said = canonical({
        "body": entry["canonicalizedBody"], "integratedTime": seconds, "logID": server.log_id.hex(),
        "logIndex": int(entry["logIndex"]),
    })  # fmt: skip
    right = not signatures or verifies(server, said, base64.b64decode(promise["signedEntryTimestamp"]))
    return [] if right else ["the signed entry timestamp is wrong"]


def verifies(server: Server, message: bytes, signature: bytes) -> bool:
    public = server.folder / "log.pub"
    with TemporaryDirectory(dir=server.folder) as folder:
        said, signed = Path(folder) / "message", Path(folder) / "signature"
        said.write_bytes(message)
        signed.write_bytes(signature)
        files = ["-in", said, "-sigfile", signed]
        digest = [] if len(server.public) == 44 else ["-digest", "sha256"]
        try:
            call("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", *digest, *files)
        except NotReady:
            return False
    return True
