"""One system call fails, or the process dies at it: each one in turn, of three commands.

    inject.py --airtight BINARY --work DIR [--reads] [--seed N] [--share N]

`airtight attest FILE` in a site, `airtight attest --init FILE` where there is none, and `airtight import BUNDLE` of a bundle
of others (a folder of tests/vectors) in a site are run once under strace to count their calls. Then, for the i-th call of each kind, the command is run in a fresh copy with that call answered EIO, once
more with ENOSPC, once more with SIGKILL at it; with --reads, calls that only read are answered EIO as well. With --share N
only every N-th of these is run, chosen by the seed.

Afterwards, each time:

* the exit code is one that the documentation knows, and another than 0 comes with a code and with what to do next;
* exit 0 means that it is done: the entry is in the log and the bundle verifies, or the kept bytes come back;
* the site opens, `log fsck` is clean and every entry that was acknowledged before lies where it lay; of `--init` there
  is a whole site or none;
* a command that failed (and was not killed) leaves no temporary file behind;
* the same command, undisturbed, succeeds, and tells the truth about whether the entry was in the log already.
"""

import argparse
import collections
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from airtight import EXITS, Answer, Site, Surprise, expect, finish, note

WRITING = (
    "write", "pwrite64", "writev", "fsync", "fdatasync", "openat", "rename", "renameat", "renameat2", "link", "linkat",
    "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "ftruncate", "fallocate", "fchmod", "flock",
)  # fmt: skip
# What only reads cannot fill a disk, and dying there is dying before the next call that writes.
READING = ("read", "pread64", "getdents64", "fcntl")
# Opened by the dynamic loader; whatever fails before airtight begins is said by the loader.
LOADER = re.compile(r'\(AT_FDCWD, "[^"]*(ld\.so\.cache|\.so(\.\d+)*)"')
SITE_FILES = (
    "airtight.yaml", "head.note", "trusted_root.json", "log/log.db", "keys/signer.key", "keys/signer.pub",
    "keys/log.key", "keys/log.pub", "keys/log-ed25519.key", "keys/log-ed25519.pub",
)  # fmt: skip


# A bundle that others made, with its key and trusted root.
OTHERS = Path(__file__).resolve().parent.parent / "vectors" / "verified-dsse-p256"


@dataclass(frozen=True)
class Injury:
    command: str  # "attest", "init" or "import"
    call: str
    which: int  # from 1
    how: str  # "EIO", "ENOSPC" or "SIGKILL"
    line: str  # what strace shows of the call in an undisturbed run

    def __str__(self) -> str:
        return f"{self.command}: {self.how} at {self.call} {self.which} {self.line[:120]}"

    def strace(self, trace: Path) -> list[str]:
        what = "signal=SIGKILL" if self.how == "SIGKILL" else f"error={self.how}"
        inject = f"inject={self.call}:{what}:when={self.which}"
        return ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={self.call}", "-e", inject]


class Bench:
    """A directory of its own for one run: the site or the place for one, the file, the bundle."""

    def __init__(self, binary: Path, directory: Path, command: str, pattern: Path | None):
        self.directory, self.command = directory, command
        if pattern is None:
            directory.mkdir(parents=True)
        else:
            shutil.copytree(pattern, directory)
        self.file, self.site = directory / "file", Site(binary, directory / "site")
        self.bundle = directory / "out" / "file.sigstore.json"
        if pattern is None:
            self.file.write_bytes(b"attested while something fails\n")
            self.bundle.parent.mkdir()

    def words(self) -> list[object]:
        if self.command == "import":
            by = ["--key", OTHERS / "key.pub", "--trusted-root", OTHERS / "trusted_root.json"]
            return ["--json", "import", OTHERS / "bundle.sigstore.json", *by]
        first = ["--init", "--no-passphrase"] if self.command == "init" else []
        return ["--json", "attest", *first, self.file, "--out", self.bundle.parent]

    def run(self, before: list[str] = []) -> Answer:
        return self.site.ask(*self.words(), before=before)

    def is_made(self) -> bool:
        return self.site.home.is_dir() and any(self.site.home.iterdir())

    def check_site(self) -> list[bytes]:
        missing = [name for name in SITE_FILES if not (self.site.home / name).is_file()]
        expect(not missing, f"a site without {', '.join(missing)}")
        self.site.fsck()
        return self.site.leaf_hashes()

    def check_bundle(self, index: int) -> None:
        if self.command == "import":
            kept = self.site.do("bundle", "get", index, "--kept")
            expect(kept == (OTHERS / "bundle.sigstore.json").read_bytes(), "other bytes were kept than were given")
            return
        keys = ["--key", self.site.home / "keys" / "signer.pub", "--trusted-root", self.site.home / "trusted_root.json"]
        answer = self.site.ask("verify", self.file, "--bundle", self.bundle, *keys)
        expect(answer.exit == 0, f"verify: {answer}\n{answer.out.decode(errors='replace')}")

    def leftovers(self) -> list[str]:
        known = {"file", "site", "out", "trace"}
        names = [path.name for path in self.directory.iterdir() if path.name not in known]
        inside = [self.bundle.parent, self.site.home, self.site.home / "keys"]
        return names + [p.name for d in inside if d.is_dir() for p in d.iterdir() if p.name.startswith(".airtight")]


def judge(injury: Injury, bench: Bench, before: list[bytes]) -> str:
    """Runs an injured command and everything after it; says how it ended."""
    trace = bench.directory / "trace"
    answer = bench.run(injury.strace(trace))
    traced = trace.read_text(errors="replace")
    killed = answer.exit == -signal.SIGKILL
    expect(killed if injury.how == "SIGKILL" else "(INJECTED)" in traced, f"nothing was injected: {answer}")
    expect(killed or answer.exit in EXITS, f"no documented end: {answer}")
    end = "killed" if killed else "done all the same"
    if answer.exit not in (0, -signal.SIGKILL):
        expect(answer.code is not None and answer.is_advised, f"a failure without code or advice: {answer}")
        end = f"exit {answer.exit}, {answer.code}"
    # What a call to take a file away does not take away stays.
    if not killed and injury.call not in ("unlink", "unlinkat", "rmdir"):
        expect(not bench.leftovers(), f"{answer}\nleft behind: {bench.leftovers()}")
    there = bench.is_made()
    expect(there or (injury.command == "init" and answer.exit != 0), f"there is no site: {answer}")
    after = bench.check_site() if there else []
    first = max(len(before), 1)
    expect(after[: len(before)] == before, "an acknowledged entry is gone, or another lies there")
    expect(not there or len(after) in (first, first + 1), f"a log of {len(after)}")
    if answer.exit == 0:
        expect(len(after) == first + 1, f"exit 0, and no entry: {answer}")
        bench.check_bundle(first)
    again = bench.run()
    expect(again.exit == 0, f"{answer}\nrepeated: {again}")
    report = json.loads(again.out)
    expect(report["leaf_index"] == first, f"repeated: {report}")
    expect(report["new"] == (len(after) <= first), f"{answer}\nrepeated: new is {report['new']} in a log of {len(after)}")
    bench.check_bundle(first)
    last = bench.check_site()
    expect(len(last) == first + 1 and last[: len(after)] == after, f"a log of {len(last)} after repeating")
    return f"{injury.how}: {end}"


def count(bench: Bench, calls: tuple[str, ...]) -> list[Injury]:
    """The calls of an undisturbed run, each with every way to fail."""
    trace = bench.directory / "trace"
    answer = bench.run(["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={','.join((*WRITING, *READING))}"])
    expect(answer.exit == 0, f"undisturbed: {answer}")
    counts: dict[str, int] = {}
    injuries, threads, is_begun = [], set(), False
    for line in trace.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+) +(\w+)(\(.*)", line)
        if found is None:
            continue
        threads.add(found[1])
        call = found[2]
        counts[call] = counts.get(call, 0) + 1
        is_begun = is_begun or (call == "openat" and not LOADER.match(found[3]))
        if is_begun and call in calls:
            hows = ("EIO", "ENOSPC", "SIGKILL") if call in WRITING else ("EIO",)
            injuries += [Injury(bench.command, call, counts[call], how, found[3]) for how in hows]
    # strace counts the calls of each thread by itself.
    expect(len(threads) == 1, f"{len(threads)} threads")
    note(f"  {bench.command}: " + ", ".join(f"{call} {n}" for call, n in sorted(counts.items())))
    return injuries


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--airtight", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--reads", action="store_true")
    options = parser.parse_args()
    binary, work = options.airtight.resolve(), options.work.resolve()
    note(f"inject: seed {options.seed}, one of {options.share}")

    calls = (*WRITING, *READING) if options.reads else WRITING
    patterns, injuries, before = {}, [], {"init": []}
    for command in ("attest", "init", "import"):
        pattern = Bench(binary, work / f"pattern-{command}", command, None)
        if command != "init":
            pattern.site.init()
            earlier = pattern.directory / "out" / "earlier"
            for number in range(20):
                earlier.write_bytes(b"earlier %d\n" % number)
                pattern.site.do("attest", earlier, "--out", pattern.directory / "out", "--force")
            before[command] = pattern.site.leaf_hashes()
        patterns[command] = pattern.directory
        injuries += count(Bench(binary, work / f"count-{command}", command, pattern.directory), calls)
    chosen = random.Random(options.seed).sample(injuries, len(injuries) // options.share)

    ends: collections.Counter[str] = collections.Counter()

    def run(number: int) -> str | None:
        injury, directory = chosen[number], work / f"run-{number}"
        bench = Bench(binary, directory, injury.command, patterns[injury.command])
        try:
            ends[judge(injury, bench, before[injury.command])] += 1
        except Surprise as surprise:
            return f"{injury}\n  {surprise}\n  in {directory}"
        except (ValueError, KeyError, IndexError, OSError, subprocess.TimeoutExpired) as error:
            return f"{injury}\n  {type(error).__name__}: {error}\n  in {directory}"
        shutil.rmtree(directory)
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        surprises = [said for said in pool.map(run, range(len(chosen))) if said is not None]
    for end, times in sorted(ends.items()):
        note(f"  {times:5}  {end}")
    if options.share == 1 and not ends["EIO: exit 10, outcome_unknown"]:
        surprises.append("no COMMIT that met EIO was called of unknown outcome")
    note(f"  {len(chosen)} of {len(injuries)} injuries")
    return finish("inject", len(chosen) - len(surprises), surprises)


if __name__ == "__main__":
    sys.exit(main())
