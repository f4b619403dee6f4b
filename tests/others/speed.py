"""Times airtight beside sigstore-go, sigstore-js and sigstore-python on bundles with certificates, in turns, in one run.

    PYTHON speed.py --airtight BINARY --clients CACHE [--rounds N] [--bundles N] [--p256]

The bundles are as public Sigstore's clients make them: authorities on P-384, all other keys on P-256, and a time stamp; with --p256
all keys are on P-256, and there is none. One bundle, each client as a process of its own that judges it and ends: the median and the range of N rounds, each round
asking all of them in turn. Many bundles (of distinct artifacts, promises and entries): `airtight verify --dir`, on all cores and on one, and each
library's own loop in one process; with the peak of resident memory. Figures of a busy machine say nothing. PYTHON is that of
the environment that tests/interop/install.sh made for sigstore-python: CACHE/python/v/bin/python.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import ask


def timed(command: list, env: dict, stdin: bytes = b"", cores: set[int] | None = None) -> tuple[float, float, bytes]:
    """Seconds, the peak of resident memory in MB, and what it wrote."""
    held = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    with tempfile.TemporaryFile() as question, tempfile.TemporaryFile() as answer:
        question.write(stdin)
        question.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command], stdin=question, stdout=answer, stderr=subprocess.DEVNULL, env=env, preexec_fn=held
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        answer.seek(0)
        if process.returncode != 0:
            sys.exit(f"{command[0]}: exit code {process.returncode}")
        return seconds, used.ru_maxrss / 1024, answer.read()


def write(folder: Path, count: int, smaller: bool) -> None:
    """Writes the bundles, in a process of its own: a child's peak counts what its parent held when it was made, so the parent stays small."""
    from world import TIME, Recipe, public

    kind = Recipe() if smaller else public()
    for number in range(count):
        recipe = replace(kind, artifact=b"artifact %d\n" % number, time=TIME + number % 500)
        seed = recipe.seed(f"f{number:05}")
        artifact, bundle, root = folder / "dir" / seed.name, folder / "dir" / f"{seed.name}.sigstore.json", folder / "root.json"
        artifact.write_bytes(seed.artifact)
        bundle.write_bytes(seed.bundle)
        root.write_bytes(seed.root)
        print(json.dumps([str(bundle), str(root), str(artifact), seed.identity, seed.issuer, seed.type]))


def questions_of(folder: Path, count: int, smaller: bool) -> list[ask.Question]:
    words = [sys.executable, __file__, "--write", folder, "--bundles", str(count), *["--p256"] * smaller]
    lines = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    found = []
    for bundle, root, artifact, identity, issuer, type in map(json.loads, lines):
        found.append(ask.Question(bundle, Path(bundle), Path(root), Path(artifact), None, identity, issuer, type))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--airtight", type=Path)
    parser.add_argument("--clients", type=Path)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--bundles", type=int, default=1000)
    parser.add_argument("--p256", action="store_true")
    args = parser.parse_args()
    if args.write:
        return write(args.write, args.bundles, args.p256)
    clients = ask.all_of(args.airtight, args.clients)
    libraries = {name: client for name, client in clients.items() if isinstance(client, ask.Library)}
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "dir").mkdir()
        env = {"HOME": work, "PATH": os.environ["PATH"]}
        questions = questions_of(folder, args.bundles, args.p256)
        one = questions[0]
        ours = [args.airtight, "verify", one.artifact, "--bundle", one.bundle, *one.who, "--trusted-root", one.root]
        commands = {"airtight": (ours, b"")} | {name: (client.command, f"{one.line()}\n".encode()) for name, client in libraries.items()}
        taken: dict[str, list] = {name: [] for name in commands}
        for _ in range(args.rounds):
            for name, (command, stdin) in commands.items():
                taken[name].append(timed(command, env, stdin)[:2])
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peaks below {own:.0f} MB are this script's own")
        print(f"one bundle, a process each, {args.rounds} rounds in turns: ms (least, most), peak MB")
        for name, found in taken.items():
            times = [1000 * seconds for seconds, _ in found]
            print(f"  {name:16} {statistics.median(times):8.1f} ({min(times):.1f}, {max(times):.1f})  {max(peak for _, peak in found):6.0f}")
        print(f"{args.bundles} bundles: us a bundle, peak MB")
        many = [args.airtight, "verify", "--dir", folder / "dir", *one.who, "--trusted-root", one.root]
        for name, cores in (("airtight --dir, all cores", None), ("airtight --dir, one core", {min(os.sched_getaffinity(0))})):
            seconds, peak, _ = timed(many, env, cores=cores)
            print(f"  {name:28} {1e6 * seconds / args.bundles:8.0f}  {peak:6.0f}")
        text = "".join(f"{question.line()}\n" for question in questions).encode()
        for name, client in libraries.items():
            seconds, peak, answers = timed(client.command, env, text)
            if any(not line.startswith(b"yes") for line in answers.splitlines()):
                sys.exit(f"{name} refuses one: {answers[:300]!r}")
            print(f"  {name:28} {1e6 * seconds / args.bundles:8.0f}  {peak:6.0f}")


if __name__ == "__main__":
    main()
