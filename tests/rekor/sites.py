"""Sites of airtight's, made and asked through the command line alone, with the network cut off wherever it may be."""

import json
import os
import subprocess
from pathlib import Path

from entries import canonical, statement
from scene import EXITS, TIMEOUT_S, Answer, Run, expect
from servers import Server

# What the target of every scenario is called.
TARGET = "rekor"


class Site:
    """A site with one signer. `words` of a command may not reach the network unless it is asked `online`."""

    def __init__(self, run: Run, name: str, signer: str = "p256"):
        self.run, self.folder, self.home = run, run.folder / name, run.folder / name / "home"
        self.folder.mkdir(parents=True)
        self.numbers: dict[int, int] = {}
        self.leaves: dict[int, bytes] = {}
        if signer:
            self.do("init", "--origin", f"log.example/{name}", "--signer", signer, "--no-passphrase")

    @property
    def key(self) -> Path:
        return self.home / "keys" / "signer.pub"

    def command(self, *words: object) -> list[str]:
        return [str(self.run.airtight), "--home", str(self.home), *map(str, words)]

    def env(self) -> dict:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder)}

    def ask(self, *words: object, stdin: bytes = b"", online: bool = False) -> Answer:
        cut_off = [] if online else ["unshare", "-rn", "--"]
        done = subprocess.run(
            [*cut_off, *self.command(*words)], input=stdin, capture_output=True, check=False, timeout=TIMEOUT_S, env=self.env()
        )
        answer = Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        expect(answer.exit in EXITS, f"{' '.join(map(str, words))}: {answer}")
        return answer

    def do(self, *words: object, stdin: bytes = b"", online: bool = False) -> Answer:
        answer = self.ask(*words, stdin=stdin, online=online)
        expect(answer.exit == 0, f"{' '.join(map(str, words))}: {answer}")
        return answer

    def attest(self, count: int) -> None:
        """Logs a statement of its own for each number from what was logged before."""
        first = len(self.numbers)
        lines = b"".join(canonical(statement(number)) + b"\n" for number in range(first, first + count))
        said = self.do("attest", "--batch", "-", "--json", stdin=lines).out.splitlines()
        for number, line in enumerate(map(json.loads, said), first):
            self.numbers[line["leaf_index"]] = number
            self.leaves[line["leaf_index"]] = bytes.fromhex(line["leaf_hash"])

    def copy(self, name: str) -> "Site":
        """The same site a second time, with the same keys and entries, as from a backup."""
        twin = Site(self.run, name, signer="")
        subprocess.run(["cp", "-a", self.home, twin.home], check=True)
        twin.numbers, twin.leaves = dict(self.numbers), dict(self.leaves)
        return twin

    def add_target(self, rekor: Server, url: str | None = None, trusted_root: Path | None = None) -> None:
        files = ["--signing-config", rekor.signing_config(url, f"{self.folder.name}.signing_config.json")]
        files += ["--trusted-root", trusted_root or rekor.trusted_root]
        self.do("sync", "target", "add", TARGET, *files)

    def enable(self) -> None:
        self.do("sync", "enable", "--note", "the cable is plugged in")

    def push(self, *words: object, parallel: int = 64) -> Answer:
        return self.ask(*push(*words, parallel=parallel), online=True)

    def standings(self) -> dict:
        """How many entries stand where for the target, as `sync status` counts them; what is not named is none."""
        return self.do("sync", "status", "--json").json["targets"][TARGET]

    def bundle(self, index: int) -> dict:
        """The upgraded bundle of an entry."""
        return self.do("bundle", "get", index, "--receipt", TARGET).json


def push(*words: object, parallel: int) -> list[object]:
    return ["sync", "push", "--target", TARGET, "--parallel", parallel, "--budget", "none", *words]
