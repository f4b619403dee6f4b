"""What every scenario stands on: its folder, its sizes, its servers, its sites, and the words for a surprise."""

import json
import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lies import Liar
from proxy import Proxy
from servers import Authority, RekorV1, RekorV2, Server

# How long one command may take before it counts as hanging; an upload of 10,000 entries takes minutes.
TIMEOUT_S = 1800
# Exit codes as `airtight --help` has them; 70 is a fault of airtight, and always a surprise here.
EXITS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}


class Surprise(Exception):
    """Something that must not happen; its text says what, and what was expected."""


def expect(holds: object, said: str) -> None:
    if not holds:
        raise Surprise(said)


def note(said: str) -> None:
    print(f"         {said}", flush=True)


@dataclass(frozen=True)
class Answer:
    exit: int
    out: bytes
    words: str

    @property
    def code(self) -> str | None:
        """The refusal as standard error names it, in words or with --json; or a verdict's."""
        found = re.search(r"^error\[([a-z0-9_]+)\]: ", self.words, re.MULTILINE)
        if found is not None:
            return found[1]
        lines = [line for line in self.words.splitlines() if line.startswith('{"error":')]
        if lines:
            return json.loads(lines[-1])["error"]["code"]
        verdict = json.loads(self.out) if self.out.startswith(b'{"verified":') else {}
        return verdict["refusal"]["code"] if verdict.get("refusal") else None

    @property
    def json(self) -> dict:
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"exit {self.exit}, standard error: {self.words.strip()[-2000:]}"


class Run:
    """One scenario's turn."""

    def __init__(self, airtight: Path, cache: Path, folder: Path, seed: str, share: bool):
        self.airtight, self.cache, self.folder, self.share = airtight, cache, folder, share
        self.random = random.Random(seed)
        self.started: list = []
        folder.mkdir(parents=True)

    def size(self, full: int, share: int) -> int:
        return share if self.share else full

    def has(self, command: str) -> bool:
        words = [str(self.airtight), *command.split(), "--help"]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    def start(self, server):
        """Starts it, and has it stopped when the scenario ends."""
        self.started.append(server)
        server.start()
        return server

    def rekor(self, api: int, name: str = "", **options: object) -> RekorV1 | RekorV2:
        kind = {1: RekorV1, 2: RekorV2}[api]
        return self.start(kind(self.cache, self.folder / (name or f"rekor-v{api}"), **options))

    def authority(self) -> Authority:
        return self.start(Authority(self.cache, self.folder / "authority"))

    def proxy(self, rekor: Server, port: int = 14000, **rates: float) -> Proxy:
        """A proxy in front of it that has the log's own key to lie with."""
        liar = Liar(rekor, self.folder / f"liar-{port}-v{rekor.api}")
        return self.start(Proxy(port, rekor.url, rates, f"{self.random.random()}", liar))

    def load(self, rekor: Server, entries: int, parallel: int) -> dict:
        """What the bare load generator has to say, having posted so many to it."""
        words = [self.cache / "rekor-peers" / "load", "--api", str(rekor.api), "--url", rekor.url]
        words += ["--entries", str(entries), "--parallel", str(parallel)]
        done = subprocess.run(words, capture_output=True, check=False, timeout=TIMEOUT_S)
        expect(done.returncode == 0, f"load: {done.stdout.decode()} {done.stderr.decode()[-500:]}")
        return json.loads(done.stdout)

    def stop(self) -> None:
        for server in reversed(self.started):
            server.stop()
        self.started.clear()
