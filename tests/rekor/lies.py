"""What a Rekor may answer that is not so. Each lie takes a true answer to a POST (v1 also to a GET) and gives a false one.

    index        another place in the log, in the answer alone or in the proof as well (v1: then under a true promise)
    root         another root, in the answer, or under a checkpoint that the log's own key signs
    key          a checkpoint (v1: and a promise) signed with a stranger's key, under the log's name or the stranger's
    entry        the whole true answer for another entry
    time         v1: a time ten years ahead, mostly signed by the log; v2: a time, which v2 never gives, signed by nobody

The liar has the log's own private key: a log that lies under its own signature is what a client must live with, and what
only its own checks can notice.
"""

import base64
import copy
import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from entries import canonical
from servers import Server, call, key_pair, standard

KINDS = ("index", "root", "key", "entry", "time")
TEN_YEARS_S = 10 * 365 * 86_400


@dataclass
class Key:
    """A log's private key, and the identity that its signatures go under."""

    private: Path
    log_id: bytes
    is_ed25519: bool

    def sign(self, message: bytes) -> bytes:
        if not self.is_ed25519:
            return call("openssl", "dgst", "-sha256", "-sign", self.private, stdin=message)
        with TemporaryDirectory(dir=self.private.parent) as folder:
            said = Path(folder) / "message"
            said.write_bytes(message)
            return call("openssl", "pkeyutl", "-sign", "-inkey", self.private, "-rawin", "-in", said)

    def seal(self, text: str, name: str) -> str:
        """A signed note of one signature."""
        return f"{text}\n— {name} {standard(self.log_id[:4] + self.sign(text.encode()))}\n"


class Liar:
    def __init__(self, server: Server, folder: Path):
        is_ed25519 = len(server.public) == 44
        folder.mkdir(parents=True)
        private, public = key_pair(folder, *(("ED25519",) if is_ed25519 else ("EC", "P-256")))
        self.api, self.hostname = server.api, server.hostname
        self.own = Key(server.key, server.log_id, is_ed25519)
        named = self.hostname.encode() + b"\n\x01" + public[-32:] if is_ed25519 else public
        self.stranger = Key(private, hashlib.sha256(named).digest(), is_ed25519)
        # One true answer, to hand out for another entry.
        self.other: dict | None = None

    def lie(self, kind: str, answer: dict, dice: random.Random) -> dict | None:
        """The false answer; none where there is nothing to lie with yet."""
        if kind == "entry":
            other, self.other = self.other, copy.deepcopy(answer)
            # The second of two answers for one entry would be true.
            return None if other is None or leaf_of(self.api, other) == leaf_of(self.api, answer) else other
        false = copy.deepcopy(answer)
        (self.lie_v1 if self.api == 1 else self.lie_v2)(kind, false, dice)
        return false

    def lie_v1(self, kind: str, answer: dict, dice: random.Random) -> None:
        (entry,) = answer.values()
        proof, key = entry["verification"]["inclusionProof"], self.own
        if kind == "index":
            # An index of the answer alone, promised by the log, would be no lie: the tree may be one of several shards.
            entry["logIndex"] += 1
            if dice.randrange(2):
                return
            proof["logIndex"] += 1
        elif kind == "root":
            false = dice.randbytes(32)
            proof["rootHash"] = false.hex()
            if dice.randrange(2):
                proof["checkpoint"] = self.checkpoint(proof["checkpoint"], false, key)
        elif kind == "key":
            key = self.disguised(dice)
            entry["logID"] = key.log_id.hex()
            proof["checkpoint"] = self.checkpoint(proof["checkpoint"], bytes.fromhex(proof["rootHash"]), key)
        else:
            entry["integratedTime"] += TEN_YEARS_S
            if dice.randrange(4) == 0:
                return
        said = {name: entry[name] for name in ("body", "integratedTime", "logID", "logIndex")}
        entry["verification"]["signedEntryTimestamp"] = standard(key.sign(canonical(said)))

    def lie_v2(self, kind: str, answer: dict, dice: random.Random) -> None:
        proof = answer["inclusionProof"]
        note = proof["checkpoint"]["envelope"]
        if kind == "index":
            answer["logIndex"] = str(int(answer["logIndex"]) + 1)
            proof["logIndex"] = str(int(proof["logIndex"]) + dice.randrange(2))
        elif kind == "root":
            false = dice.randbytes(32)
            proof["rootHash"] = standard(false)
            if dice.randrange(2):
                proof["checkpoint"]["envelope"] = self.checkpoint(note, false, self.own)
        elif kind == "key":
            key = self.disguised(dice)
            answer["logId"]["keyId"] = standard(key.log_id)
            root = base64.b64decode(proof["rootHash"])
            proof["checkpoint"]["envelope"] = self.checkpoint(note, root, key)
        else:
            answer["integratedTime"] = str(2_000_000_000 + TEN_YEARS_S)

    def disguised(self, dice: random.Random) -> Key:
        """The stranger's key, half the time under the log's own identity."""
        log_id = (self.own if dice.randrange(2) else self.stranger).log_id
        return Key(self.stranger.private, log_id, self.stranger.is_ed25519)

    def checkpoint(self, note: str, root: bytes, key: Key) -> str:
        origin, size = note.split("\n")[:2]
        return key.seal(f"{origin}\n{size}\n{standard(root)}\n", self.hostname)


def leaf_of(api: int, answer: dict) -> str:
    if api == 1:
        (entry,) = answer.values()
        return entry["body"]
    return answer["canonicalizedBody"]


def parse(body: bytes) -> dict | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
