"""Puts many questions to each client, all the same: bundle, trusted root, artifact, and the key or the name in the certificate.

sigstore-go, sigstore-js and sigstore-python judge the whole list in one process each, by small programs of ours over their
libraries; cosign and airtight are called once for each. An answer is yes, no, or broken: broken is any end that is neither,
so that a client that could not even look is never counted as one that refused.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

from clients import COSIGN_BROKEN, call  # noqa: E402


@dataclass(frozen=True)
class Question:
    """One case, as files."""

    name: str
    bundle: Path
    root: Path
    artifact: Path
    key: Path | None
    identity: str
    issuer: str
    type: str | None

    def line(self) -> str:
        return json.dumps({
            "bundle": str(self.bundle), "root": str(self.root), "artifact": str(self.artifact),
            "key": str(self.key or ""), "identity": self.identity, "issuer": self.issuer,
        })  # fmt: skip

    @property
    def who(self) -> list:
        if self.key:
            return ["--key", self.key]
        return ["--certificate-identity", self.identity, "--certificate-oidc-issuer", self.issuer]


@dataclass(frozen=True)
class Answer:
    verdict: str  # "yes", "no" or "broken"
    reason: str


class Library:
    """A program of ours over a library: a line of JSON for each question, a line for each answer."""

    def __init__(self, name: str, *command: object, keys: bool = True):
        self.name, self.command, self.keys = name, [str(word) for word in command], keys

    def takes(self, question: Question) -> bool:
        return self.keys or question.key is None

    def ask_all(self, questions: list[Question], env: dict) -> list[Answer]:
        if not questions:
            return []
        text = "".join(f"{question.line()}\n" for question in questions)
        done = subprocess.run(
            self.command, input=text.encode(), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
        )
        lines = done.stdout.decode(errors="replace").removesuffix("\n").split("\n")
        if done.returncode != 0 or len(lines) != len(questions):
            said = done.stderr.decode(errors="replace")[-2000:]
            raise RuntimeError(f"{self.name}: {len(lines)} answers to {len(questions)} questions, exit {done.returncode}: {said}")
        return [Answer(*line.partition("\t")[::2]) for line in lines]


class Command:
    """A command that is called once for each question, on all cores."""

    def __init__(self, name: str, ask: Callable[[Question, dict], Answer]):
        self.name, self.ask = name, ask

    def takes(self, question: Question) -> bool:
        return True

    def ask_all(self, questions: list[Question], env: dict) -> list[Answer]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda question: self.ask(question, env), questions))


def cosign(binary: Path) -> Command:
    def ask(q: Question, env: dict) -> Answer:
        command = [binary, "verify-blob" if q.type is None else "verify-blob-attestation", "--bundle", q.bundle]
        command += [*q.who, "--trusted-root", q.root, *([] if q.type is None else ["--type", q.type]), q.artifact]
        code, said = call(command, env)
        if code == 0:
            return Answer("yes" if "Verified OK" in said else "broken", said)
        # It says of any bundle that it cannot parse that it is none of the new format.
        broken = code != 1 or any(words in said for words in COSIGN_BROKEN)
        return Answer("broken" if broken else "no", said)

    return Command("cosign 3.1.3", ask)


def airtight(binary: Path) -> Command:
    def ask(q: Question, env: dict) -> Answer:
        command = [binary, "--json", "verify", q.artifact, "--bundle", q.bundle, *q.who, "--trusted-root", q.root]
        code, said = call(command, env)
        if code == 0:
            return Answer("yes", "verified")
        lines = [line for line in said.splitlines() if line.startswith("{")]
        try:
            found = json.loads(lines[-1])
            refusal = found["error"] if "error" in found else found["refusal"]
            return Answer("no" if code in (1, 5) else "broken", refusal["code"])
        except (IndexError, ValueError, KeyError, TypeError):
            return Answer("broken", f"exit code {code}: {said[-500:]}")

    return Command("airtight", ask)


def all_of(binary: Path, cache: Path) -> dict[str, Command | Library]:
    """Every program that is asked, airtight first."""
    python = cache / "python" / "v" / "bin" / "python"
    return {
        "airtight": airtight(binary),
        "sigstore-go": Library("sigstore-go", cache / "sigstore-go" / "many"),
        "cosign": cosign(cache / "cosign3" / "cosign"),
        "sigstore-js": Library("sigstore-js", cache / "js4" / "node", HERE.parent / "interop/js/many.cjs", cache / "js4"),
        "sigstore-python": Library("sigstore-python", python, HERE / "python_many.py", keys=False),
    }
