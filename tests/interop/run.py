"""Makes sites and bundles with airtight, and asks the clients of others; run by run.sh, with no network.

For each key algorithm a site is made, some things are attested in it, and each client is asked to accept every good
bundle and to refuse the last one after each change of alterations.py, with another artifact, under another key, and under
a trusted root that does not name the log. Any answer but the expected one is a surprise; one surprise fails the run.

    run.py --airtight BINARY --clients CACHE --rust SIGSTORE_RUST --work DIR

Everything is left in DIR: the bundles, and `reasons.tsv` with the words of every client to every question.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from alterations import ALTERATIONS
from clients import Airtight, Answer, Cosign, Library, OpenSsl, Question

ARTIFACT_TYPE = "https://airtight.dev/artifact/v1"
# One more than a tile, so that the last bundle's proof climbs over a tile's edge.
BATCH = 257


@dataclass(frozen=True)
class Case:
    name: str
    question: Question
    accept: bool
    # Whether a client that knows nothing of logs can tell.
    without_log: bool = True
    # Clients that are known to accept it all the same, by the first word of their names.
    overlooked_by: tuple[str, ...] = ()

    def expected(self, client: str) -> str:
        return "yes" if self.accept or client.split()[0] in self.overlooked_by else "no"


class Site:
    """A site of airtight's, made through its command line alone."""

    def __init__(self, binary: Path, work: Path, origin: str, algorithm: str):
        self.binary, self.work, self.home = binary, work, work / "site"
        work.mkdir(parents=True)
        self.run("init", "--origin", origin, "--signer", algorithm, "--no-passphrase")
        self.key = work / "signer.pub"
        self.key.write_bytes(self.run("key", "export", "--public", "signer"))
        self.trusted_root = work / "trusted_root.json"
        self.trusted_root.write_bytes(self.run("trust", "export"))

    def run(self, *words: object, stdin: bytes = b"") -> bytes:
        command = [str(self.binary), "--home", str(self.home), *map(str, words)]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
        return done.stdout

    def attest(self, path: Path, *options: object, kind: str = ARTIFACT_TYPE, artifact: Path | None = None) -> Question:
        self.run("attest", path, "--out", self.work, *options)
        bundle = self.work / f"{path.name}.sigstore.json"
        return Question(bundle, self.key, self.trusted_root, artifact or path, kind)


def statement(number: int) -> bytes:
    subject = {"name": f"part-{number}", "digest": {"sha256": f"{number:064x}"}}
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"number": number},
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def good_cases(site: Site) -> list[Case]:
    """Bundles that every client must accept; the last one is the one that is altered."""
    files = site.work / "artifacts"
    first = site.attest(write(files / "firmware.bin", b"\x7fELF firmware\n" * 100))
    for number in range(3):
        write(files / "release" / f"part-{number}.txt", b"part %d\n" % number)
    folder = site.attest(files / "release", artifact=files / "release" / "part-1.txt")
    predicate = write(files / "provenance.json", b'{"buildDefinition":{"buildType":"https://example.com/b"}}\n')
    built = write(files / "built.tar", b"built\n")
    provenance = site.attest(built, "--predicate", predicate, "--type", "slsaprovenance1", kind="slsaprovenance1")
    site.run("attest", "--batch", "-", "--json", stdin=b"".join(statement(number) for number in range(BATCH)))
    deep = site.attest(write(files / "late.txt", b"attested after a tile was full\n"))
    named = {"a file": first, "a file of a directory": folder, "a SLSA predicate": provenance, "a late entry": deep}
    return [Case(name, question, accept=True) for name, question in named.items()]


def bad_cases(site: Site, other: Site, good: Question) -> list[Case]:
    bad = site.work / "altered"
    bundle = json.loads(good.bundle.read_bytes())
    root = json.loads(good.trusted_root.read_bytes())
    stranger = write(bad / "other_root.json", json.dumps({**root, "tlogs": []}).encode())
    cases = [
        Case("wrong artifact", replace(good, artifact=write(bad / "wrong.txt", b"another artifact\n")), False),
        Case("wrong key", replace(good, key=other.key), False),
        Case("another site's trusted root", replace(good, trusted_root=other.trusted_root), False, without_log=False),
        Case("a trusted root without a log", replace(good, trusted_root=stranger), False, without_log=False),
    ]
    for number, alteration in enumerate(ALTERATIONS):
        path = write(bad / f"{number:02}.sigstore.json", json.dumps(alteration.of(bundle)).encode())
        question = replace(good, bundle=path, whole=alteration.whole)
        cases.append(Case(alteration.name, question, False, alteration.signed, alteration.overlooked_by))
    return cases


def ask_all(cases: list[Case], clients: list, env: dict) -> list[tuple[Case, dict[str, Answer]]]:
    rows = []
    for case in cases:
        asked = [c for c in clients if case.without_log or not isinstance(c, OpenSsl)]
        rows.append((case, {client.name: client.ask(case.question, env) for client in asked}))
    return rows


def print_table(title: str, rows: list, clients: list) -> tuple[int, int]:
    """Prints one row a case; returns how many answers were the expected ones, and how many were not."""
    width = max(len(case.name) for case, _ in rows)
    print(f"\n{title}\n{'':{width}}  " + "  ".join(client.name for client in clients))
    passed = failed = 0
    for case, answers in rows:
        cells = []
        for client in clients:
            answer = answers.get(client.name)
            cell = "-" if answer is None else answer.verdict
            if answer is not None and answer.verdict == case.expected(client.name):
                passed += 1
                cell += "*" if cell == "yes" and not case.accept else ""
            elif answer is not None:
                failed += 1
                cell += "!"
            cells.append(f"{cell:{len(client.name)}}")
        print(f"{case.name:{width}}  " + "  ".join(cells).rstrip())
    print("* known: this client does not read what was changed (alterations.py says why)")
    for case, answers in rows:
        for name, answer in answers.items():
            if answer.verdict != case.expected(name):
                print(f"SURPRISE {title}, {case.name}, {name}: {answer.verdict}: {answer.reason}")
    return passed, failed


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("airtight", "clients", "rust", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    binary, cache, work = options.airtight.resolve(), options.clients.resolve(), options.work.resolve()
    script = Path(__file__).resolve().parent / "js" / "verify.cjs"
    clients = [
        Cosign("cosign 3.1.3", cache / "cosign3" / "cosign"),
        Cosign("cosign 2.6.5", cache / "cosign2" / "cosign"),
        Library("sigstore-go", cache / "sigstore-go" / "sigstore-go"),
        Library("js 3.1.1", cache / "js3" / "node", script, cache / "js3"),
        Library("js 4.1.3", cache / "js4" / "node", script, cache / "js4"),
        Library("sigstore-rust", options.rust.resolve()),
        OpenSsl(),
        Airtight(binary),
    ]
    # No home and no settings: what a client needs is what it is handed.
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": str(work)}
    passed = failed = 0
    with open(work / "reasons.tsv", "w", encoding="utf-8") as reasons:
        for algorithm in ("p256", "ed25519"):
            site = Site(binary, work / algorithm, "interop.example", algorithm)
            other = Site(binary, work / f"{algorithm}-other", "other.example", algorithm)
            good = good_cases(site)
            rows = ask_all(good + bad_cases(site, other, good[-1].question), clients, env)
            counts = print_table(f"signer {algorithm}", rows, clients)
            passed, failed = passed + counts[0], failed + counts[1]
            for case, answers in rows:
                for name, answer in answers.items():
                    words = " ".join(answer.reason.split())
                    reasons.write(f"{algorithm}\t{case.name}\t{name}\t{answer.verdict}\t{words}\n")
    print(f"\nclients: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
