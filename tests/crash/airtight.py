"""The command line as these scripts use it, and the database read beside it, by another SQLite.

What a site holds is asked twice: `log fsck` rebuilds everything from the rows with airtight's own code, and
`leaf_hashes` reads tiles and tail as log/src/store/strata.rs draws them, so that "the same bytes" rests on two readers.
"""

import base64
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# DESIGN and `airtight --help`: what an exit code can be. 70 is a fault of airtight, and always a surprise here.
EXITS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
# How long a command that should take milliseconds may take before it counts as hanging.
TIMEOUT_S = 300
# The moment of every command: a second that no clock has changes no test.
NOW = 1_800_000_000
# Tile ids of stratum 0 end here; a tile holds sixteen leaf hashes and their interior nodes.
STRATUM = 1 << 48
LEAVES_LEN = 16 * 32


class Surprise(Exception):
    """Something that must not happen; its text says what, and what was expected."""


def expect(holds: bool, said: str) -> None:
    if not holds:
        raise Surprise(said)


@dataclass(frozen=True)
class Answer:
    exit: int
    out: bytes
    words: str

    @property
    def error(self) -> dict:
        """The refusal as standard error names it, in words or with --json; empty where it names none."""
        found = re.search(r"^error\[([a-z0-9_]+)\]: (.+)(?:\n  next: (.+))?", self.words, re.MULTILINE)
        if found is not None:
            return {"code": found[1], "message": found[2], "next": found[3]}
        lines = [line for line in self.words.splitlines() if line.startswith('{"error":')]
        return json.loads(lines[-1])["error"] if lines else {}

    @property
    def code(self) -> str | None:
        return self.error.get("code")

    @property
    def is_advised(self) -> bool:
        """Whether the person is told what is the case and what to do next."""
        return bool(self.error.get("message") and self.error.get("next"))

    def __str__(self) -> str:
        return f"exit {self.exit}, standard error: {self.words.strip()}"


class Site:
    """One site, made and asked through the command line."""

    def __init__(self, binary: Path, home: Path):
        self.binary, self.home, self.now = binary, home, NOW

    @property
    def database(self) -> Path:
        return self.home / "log" / "log.db"

    def command(self, *words: object) -> list[str]:
        return [str(self.binary), "--home", str(self.home), "--now", str(self.now), *map(str, words)]

    def ask(self, *words: object, stdin: bytes = b"", before: list[str] = []) -> Answer:
        done = subprocess.run(
            [*before, *self.command(*words)], input=stdin, capture_output=True, check=False, timeout=TIMEOUT_S
        )
        return Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def do(self, *words: object, stdin: bytes = b"") -> bytes:
        answer = self.ask(*words, stdin=stdin)
        expect(answer.exit == 0, f"{' '.join(map(str, words))}: {answer}")
        return answer.out

    def init(self, signer: str = "p256") -> None:
        self.do("init", "--origin", "log.example/crash", "--signer", signer, "--no-passphrase")

    def fsck(self) -> None:
        answer = self.ask("log", "fsck")
        expect(answer.exit == 0, f"log fsck: {answer}")

    def leaf_hashes(self) -> list[bytes]:
        """Every leaf hash of the tree, by index."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            database.execute("BEGIN")
            size, tail = database.execute("SELECT size, tail FROM state").fetchone()
            rows = database.execute("SELECT hashes FROM tile WHERE id < ? ORDER BY id", (STRATUM,)).fetchall()
        database.close()
        hashes = b"".join(row[0][:LEAVES_LEN] for row in rows)
        rest = size % 16
        if rest:
            expect(tail[0] == rest, f"the tail of a tree of {size} holds {tail[0]} leaves")
            hashes += tail[1 : 1 + 32 * rest]
        expect(len(hashes) == 32 * size, f"{len(hashes) // 32} leaf hashes in a tree of {size}")
        return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]

    def check_bundle(self, bundle: bytes, payload: bytes) -> None:
        """The bundle holds exactly this payload, and verifies."""
        sealed = base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"])
        expect(sealed == payload, f"the bundle's payload is {sealed[:200]!r}, not {payload[:200]!r}")
        statement = json.loads(payload)
        digest = statement["subject"][0]["digest"]["sha256"]
        path = self.home.parent / "asked.sigstore.json"
        path.write_bytes(bundle)
        keys = ["--key", self.home / "keys" / "signer.pub", "--trusted-root", self.home / "trusted_root.json"]
        words = ["verify", f"sha256:{digest}", "--bundle", path, "--type", statement["predicateType"], *keys]
        answer = self.ask(*words)
        expect(answer.exit == 0, f"verify: {answer}\n{answer.out.decode(errors='replace')}")


def statement(number: int, filling: int = 0) -> bytes:
    """A statement of its own for each number; `filling` bytes are added to its predicate."""
    predicate = {"number": number, "filling": hashlib.shake_256(number.to_bytes(8)).hexdigest(filling // 2)}
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": f"part-{number}", "digest": {"sha256": hashlib.sha256(number.to_bytes(8)).hexdigest()}}],
        "predicateType": f"https://example.com/kind-{number % 3}/v1",
        "predicate": predicate,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def finish(name: str, passed: int, surprises: list[str]) -> int:
    """Prints what the gate counts, and gives the script's exit code."""
    for said in surprises:
        print(f"SURPRISE {said}")
    print(f"{name}: {passed} passed, {len(surprises)} failed", flush=True)
    return 1 if surprises else 0


def note(said: str) -> None:
    print(said, flush=True)


sys.dont_write_bytecode = True
