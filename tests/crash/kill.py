"""SIGKILL at random moments of a batch, again and again, until everything is in the log once.

    kill.py --airtight BINARY --work DIR [--seed N] [--kills 1000] [--lines 100000] [--pace 600]

A batch of LINES statements is sent to `airtight attest --batch -`. The process is killed, the site is looked at, the
batch is sent again from a line at or before the first that had no answer, and so on. When a batch is complete before
KILLS kills, the next one begins in a new site. PACE is about how many lines a kill lets pass.

The moment of a kill is chosen by what happened, not by a clock: after so many answers, then at once, or after some
microseconds, or after so many changes of `log.db-wal`. Input comes as a file (full chunks, the next one being signed
while one is written) or through a pipe in pieces (small commits, each with its checkpoint and its `head.note`).

After each kill: `log fsck` is clean, and with it the head fits; every leaf hash that was ever answered lies at its
index; no leaf hash lies at two; `new` was the truth; one entry gives a bundle that verifies and holds its line, and an
older one the bytes it gave before. In the end the whole batch is sent once more and answers the same, all of it known.
"""

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from airtight import Site, Surprise, expect, finish, note, statement


class Batch:
    """The statements, as a file and as lines."""

    def __init__(self, path: Path, count: int):
        self.path, self.offsets, at = path, [], 0
        with open(path, "wb") as file:
            for number in range(count):
                # One in some hundred fills several database pages.
                line = statement(number, 20_000 if number % 499 == 7 else number % 200) + b"\n"
                self.offsets.append(at)
                at += file.write(line)
        self.offsets.append(at)
        self.file = open(path, "rb")  # noqa: SIM115

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def lines(self, first: int, end: int) -> bytes:
        return os.pread(self.file.fileno(), self.offsets[end] - self.offsets[first], self.offsets[first])


@dataclass(frozen=True)
class Moment:
    """When a process is killed: after `answers` answers, and then `changes` of the WAL or `delay_us` later."""

    answers: int
    changes: int
    delay_us: int
    piped: bool

    @staticmethod
    def chosen(chance: random.Random, pace: int) -> "Moment":
        piped = chance.random() < (0.75 if pace < 1_500 else 0.3)
        answers = 0 if chance.random() < 0.15 else chance.randrange(2 * pace if piped else pace)
        kind = chance.randrange(4)
        changes = chance.randrange(1, 12) if kind == 0 else 0
        # A commit takes some 4 ms, signing a chunk some 100 ms, opening some 5 ms.
        delay_us = chance.randrange([0, 3_000, 20_000, 120_000][kind] + 1)
        return Moment(answers, changes, delay_us, piped)

    def kind(self) -> str:
        then = "a change of the WAL" if self.changes else "a delay" if self.delay_us else "at once"
        return f"{'pipe' if self.piped else 'file'}, {'before an answer' if not self.answers else 'after answers'}, {then}"


class Run:
    """One process that reads the batch from a line on."""

    def __init__(self, site: Site, batch: Batch, first: int, piped: bool, chance: random.Random):
        self.batch, self.first, self.out, self.lines = batch, first, bytearray(), 0
        command = site.command("attest", "--batch", "-")
        with open(batch.path, "rb", buffering=0) as file:
            file.seek(batch.offsets[first])
            stdin = subprocess.PIPE if piped else file
            words = open(site.home.parent / "words", "w+b")  # noqa: SIM115
            self.process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=words, bufsize=0)
            self.words = words
        self.threads = [threading.Thread(target=self.read)]
        if piped:
            sizes = [chance.choice([1, 1, 2, 17, 64, 300, 1_100]) for _ in range(64)]
            self.threads.append(threading.Thread(target=self.feed, args=(sizes, chance.random() < 0.7)))
        for thread in self.threads:
            thread.start()

    def read(self) -> None:
        while some := self.process.stdout.read(1 << 16):
            self.out += some
            self.lines += some.count(b"\n")

    def feed(self, sizes: list[int], waiting: bool) -> None:
        """Writes pieces of whole lines; where it waits, each one only when the one before was answered."""
        at = self.first
        try:
            while at < len(self.batch):
                end = min(at + sizes[at % len(sizes)], len(self.batch))
                self.process.stdin.write(self.batch.lines(at, end))
                at = end
                while waiting and self.lines < at - self.first and self.process.poll() is None:
                    os.sched_yield()
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def kill(self, moment: Moment, wal: Path) -> bool:
        """Kills the process at its moment; says whether it was still there."""
        alive = lambda: self.process.poll() is None  # noqa: E731
        while self.lines < moment.answers and alive():
            os.sched_yield()
        state, changes = stat(wal), 0
        while changes < moment.changes and alive():
            now = stat(wal)
            changes, state = changes + (now != state), now
        until = time.perf_counter_ns() + 1_000 * moment.delay_us
        while time.perf_counter_ns() < until and alive():
            pass
        self.process.send_signal(signal.SIGKILL)
        return self.end() == -signal.SIGKILL

    def end(self) -> int:
        code = self.process.wait()
        for thread in self.threads:
            thread.join()
        return code

    def answers(self) -> list[dict]:
        """The whole lines that arrived; a last line without its end is no answer."""
        whole = self.out[: self.out.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines()]


def stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)


class Witnessed:
    """One site, and everything it has ever acknowledged."""

    def __init__(self, binary: Path, directory: Path, batch: Batch, chance: random.Random):
        directory.mkdir(parents=True)
        self.site, self.batch, self.chance = Site(binary, directory / "site"), batch, chance
        self.site.init()
        self.hashes: list[bytes] = []
        self.bundles: dict[int, bytes] = {}
        self.size = 1
        self.tally: collections.Counter[str] = collections.Counter()

    def send(self, moment: Moment | None, first: int | None = None) -> bool:
        """Sends the batch, all of it or until the kill; takes the answers down; says whether it was killed."""
        if first is None:
            back = self.chance.choice([0, 0, self.chance.randrange(60), self.chance.randrange(3_000)])
            first = max(0, len(self.hashes) - back)
        run = Run(self.site, self.batch, first, moment is not None and moment.piped, self.chance)
        if moment is None:
            code, killed = run.end(), False
        else:
            killed = run.kill(moment, self.site.database.with_name("log.db-wal"))
            code = run.process.returncode
        run.words.seek(0)
        words = run.words.read().decode()
        run.words.close()
        expect(killed or code == 0, f"the batch ended by itself with exit {code}: {words}")
        for answer in run.answers():
            self.take(first + answer["line"] - 1, answer)
        return killed

    def take(self, line: int, answer: dict) -> None:
        expect("error" not in answer, f"line {line}: {answer}")
        expect(line <= len(self.hashes), f"line {line} answered before line {len(self.hashes)}")
        # Lines are logged in order, after entry 0.
        index, leaf_hash = answer["leaf_index"], bytes.fromhex(answer["leaf_hash"])
        expect(index == line + 1, f"line {line} answered with index {index}")
        if line == len(self.hashes):
            self.hashes.append(leaf_hash)
            expect(answer["new"] == (index >= self.size), f"line {line}: new is {answer['new']} in a log of {self.size}")
        else:
            expect(self.hashes[line] == leaf_hash, f"line {line} had another leaf hash: {answer}")
            expect(not answer["new"], f"line {line} was acknowledged, and is new again: {answer}")

    def look(self) -> None:
        """Everything that must hold after a kill."""
        self.site.fsck()
        stored = self.site.leaf_hashes()
        expect(stored[1 : 1 + len(self.hashes)] == self.hashes, "an acknowledged entry is gone, or another lies there")
        expect(len(set(stored)) == len(stored), "a leaf hash lies at two indexes")
        self.tally["committed and not yet answered"] += len(stored) - 1 > len(self.hashes)
        self.size = len(stored)
        self.ask_for_bundles()

    def ask_for_bundles(self) -> None:
        if not self.hashes:
            return
        line = self.chance.randrange(len(self.hashes))
        answer = self.site.ask("bundle", "get", line + 1)
        if answer.exit == 4:
            expect(answer.code == "entry_uncovered", f"bundle get {line + 1}: {answer}")
            self.tally["acknowledged and not yet covered"] += 1
        else:
            expect(answer.exit == 0, f"bundle get {line + 1}: {answer}")
            self.site.check_bundle(answer.out, self.batch.lines(line, line + 1).rstrip(b"\n"))
            self.bundles.setdefault(line, answer.out)
        line, before = self.chance.choice(list(self.bundles.items()) or [(0, None)])
        if before is not None:
            expect(self.site.do("bundle", "get", line + 1) == before, f"entry {line + 1} has another bundle than before")

    def is_complete(self) -> bool:
        return len(self.hashes) == len(self.batch)

    def close(self) -> None:
        """The batch finishes; sent once more it is all known; nothing more and nothing less is in the log."""
        if not self.is_complete():
            self.send(None)
        self.look()
        expect(self.size == len(self.batch) + 1, f"a log of {self.size} for a batch of {len(self.batch)}")
        self.send(None, first=0)
        self.look()
        expect(self.size == len(self.batch) + 1, f"a log of {self.size} after sending all again")
        expect(self.is_complete(), f"{len(self.hashes)} of {len(self.batch)} lines were answered")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--airtight", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--pace", type=int, default=600)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    note(f"kill: seed {options.seed}, {options.kills} kills, batches of {options.lines}")
    options.work.mkdir(parents=True, exist_ok=True)
    batch = Batch(options.work / "batch.ndjson", options.lines)
    tally: collections.Counter[str] = collections.Counter()
    surprises, kills, batches = [], 0, 0
    witnessed = None
    try:
        while kills < options.kills:
            batches += 1
            witnessed = Witnessed(options.airtight.resolve(), options.work / f"site-{batches}", batch, chance)
            while kills < options.kills and not witnessed.is_complete():
                moment = Moment.chosen(chance, options.pace)
                if witnessed.send(moment):
                    kills += 1
                    tally[f"killed: {moment.kind()}"] += 1
                    witnessed.look()
                    if kills % 50 == 0:
                        note(f"  {kills} kills, batch {batches}: {len(witnessed.hashes)} lines answered")
            witnessed.close()
            tally += witnessed.tally
    except Surprise as surprise:
        surprises.append(f"batch {batches}, kill {kills}: {surprise}")
    for what, count in sorted(tally.items()):
        note(f"  {count:5}  {what}")
    note(f"  {batches:5}  batches of {options.lines} finished, each sent once more and all known")
    return finish("kill", kills + batches - len(surprises), surprises)


if __name__ == "__main__":
    sys.exit(main())
