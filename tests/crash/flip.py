"""One flipped byte: in every column of every table, and anywhere in the closed database file.

    flip.py --airtight BINARY --work DIR [--seed N] [--rows 4] [--offsets 300]

A site is made in which every table has rows. Then, each time in a fresh copy of its database, one byte is changed: through
SQL in ROWS rows of each column, and in the file at OFFSETS random places. `log fsck` must name it. Where fsck of a changed
file is clean the byte was free space: every table, the schema and the numbers in the header read as before.

Whatever `bundle get`, `log prove` and `attest` then do, they do right or refuse with a code: an entry's bundle has the
bytes that it had before; a proof leads to the root that it led to; a statement that is in the log keeps its index; and a
checkpoint that is signed after the change is one over the leaves that were there and the new one, computed here.
"""

import argparse
import base64
import collections
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from airtight import LEAVES_LEN, STRATUM, Answer, Site, Surprise, expect, finish, note, statement

# Enough for a dictionary, for a run of the index and for fresh commits after it; see log/src/store/runs.rs.
SINGLE, TOGETHER, AFTER = 80, 1_300, 5
# A statement that is not in the log.
NEW = 1_000_000
# Where an entry of a new site stands.
NOT_SENT = [{"target": "default", "rekorUuid": None, "skipReason": "rekor_disabled"}]
# Rows that only another log's answers make; log/tests/sent.rs changes them by hand.
FILLED_BY_RECEIPTS = {"sent", "receipt", "timestamp"}
# Entries that are held back, so that the tables of exceptions have rows.
HELD = (50, 51, 60)
# What says that log, database or head is not what it was.
UNFIT = 6


@dataclass(frozen=True)
class Flip:
    """A change of one byte, as SQL or at an offset of the file; with the entry that it may hurt."""

    what: str
    table: str | None
    sql: str | None
    values: tuple
    offset: int
    mask: int
    index: int


def mth(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962 §2.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + mth(leaves[:left]) + mth(leaves[left:])).digest()


class Original:
    """The site as it was, and what it answered."""

    def __init__(self, binary: Path, directory: Path):
        self.directory, self.site = directory, Site(binary, directory / "site")
        directory.mkdir(parents=True)
        self.site.init("p256")
        # Every commit its own transaction and second, so that `fresh`, `integrated` and `checkpoint` have many rows.
        for number in range(SINGLE):
            self.log(number, number + 1)
        self.log(SINGLE, SINGLE + TOGETHER)
        for number in range(SINGLE + TOGETHER, SINGLE + TOGETHER + AFTER):
            self.log(number, number + 1)
        self.lock, self.known = threading.Lock(), {}
        for index in (0, 1, 40, SINGLE, SINGLE + 700, SINGLE + TOGETHER, SINGLE + TOGETHER + AFTER):
            self.bundle(index)
        self.keep_timestamps()
        self.site.do("sync", "hold", *HELD, "--note", "not yet")
        self.site.fsck()
        self.leaves = self.site.leaf_hashes()
        self.dump = dump(self.site.database)

    def bundle(self, index: int) -> bytes:
        with self.lock:
            if index not in self.known:
                self.known[index] = self.site.do("bundle", "get", index)
            return self.known[index]

    def log(self, first: int, end: int) -> None:
        self.site.now += 1
        lines = b"".join(statement(number) + b"\n" for number in range(first, end))
        self.site.do("attest", "--batch", "-", stdin=lines)

    def keep_timestamps(self) -> None:
        """Fills the one table that is empty until a log key retires."""
        with sqlite3.connect(self.site.database) as database:
            for index, bundle in self.known.items():
                entry = json.loads(bundle)["verificationMaterial"]["tlogEntries"][0]
                promise = base64.b64decode(entry["inclusionPromise"]["signedEntryTimestamp"])
                database.execute("INSERT INTO entry_timestamp (idx, signature) VALUES (?, ?)", (index, promise))
        database.close()

    def flips(self, chance: random.Random, rows: int, offsets: int) -> list[Flip]:
        flips = []
        database = sqlite3.connect(f"file:{self.site.database}?mode=ro", uri=True)
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            columns = [row[1:3] for row in database.execute(f"PRAGMA table_info({table})")]
            key = key_of(database, table)
            ids = list(database.execute(f"SELECT {key} FROM {table} ORDER BY {key}"))
            expect(bool(ids) or table in FILLED_BY_RECEIPTS, f"table {table} is empty")
            if not ids:
                continue
            for column, kind in columns:
                some = {ids[0], ids[-1], *chance.sample(ids, min(len(ids), rows))}
                for row in sorted(some)[:rows]:
                    query = f"SELECT {column} FROM {table} WHERE {where(key)}"
                    flips += self.flip_of(chance, table, column, kind, row, key, database.execute(query, row).fetchone()[0])
        database.close()
        size = self.site.database.stat().st_size
        for offset in sorted(chance.sample(range(size), offsets)):
            mask = 1 << chance.randrange(8)
            flips.append(Flip(f"offset {offset} ^ {mask:#x}", None, None, (), offset, mask, chance.randrange(len(self.leaves))))
        return flips

    def flip_of(
        self, chance: random.Random, table: str, column: str, kind: str, row: tuple, key: str, value: object
    ) -> list[Flip]:
        if value is None:
            return []
        if kind == "INTEGER":
            bit = chance.randrange(max(1, value.bit_length()))
            changed, place, at = value ^ 1 << bit, f"bit {bit}", 0
        else:
            raw = bytearray(value.encode() if kind == "TEXT" else value)
            if not raw:
                return []
            at = chance.randrange(len(raw))
            raw[at] ^= 1 << chance.randrange(7 if kind == "TEXT" else 8)
            changed, place = bytes(raw), f"byte {at} of {len(raw)}"
        cast = "CAST(? AS TEXT)" if kind == "TEXT" else "?"
        sql = f"UPDATE {table} SET {column} = {cast} WHERE {where(key)}"
        rowid = row[-1]
        index = chance.randrange(len(self.leaves))
        # The entry that the row is about, where it is about one.
        if table in ("entry", "entry_timestamp", "integrated", "fresh", "exempt"):
            index = rowid
        elif table == "tile" and rowid < STRATUM:
            index = rowid * 16 + (at // 32 if column == "hashes" and at < LEAVES_LEN else 0)
        return [Flip(f"{table}.{column} of row {rowid}, {place}", table, sql, (changed, *row), 0, 0, index)]


def key_of(database: sqlite3.Connection, table: str) -> str:
    """The columns that name a row of a table."""
    key = [(at, name) for _, name, _, _, _, at in database.execute(f"PRAGMA table_info({table})") if at]
    return ", ".join(name for _, name in sorted(key)) if len(key) > 1 else "rowid"


def where(key: str) -> str:
    return " AND ".join(f"{name} = ?" for name in key.split(", "))


def dump(database: Path) -> str:
    """A digest over everything that a reader of the database can see."""
    seen = hashlib.sha256()
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.text_factory = bytes
    for pragma in ("application_id", "user_version", "page_size", "encoding"):
        seen.update(repr(connection.execute(f"PRAGMA {pragma}").fetchall()).encode())
    schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()
    seen.update(repr(schema).encode())
    for kind, name, _, _ in schema:
        if kind == b"table":
            connection.text_factory = str
            key = key_of(connection, name.decode())
            connection.text_factory = bytes
            for row in connection.execute(f"SELECT {key}, * FROM {name.decode()} ORDER BY {key}"):
                seen.update(repr(row).encode())
    connection.close()
    return seen.hexdigest()


class Copy:
    """A copy of the site in which one byte is flipped."""

    def __init__(self, original: Original, directory: Path, flip: Flip):
        self.original, self.flip, self.directory = original, flip, directory
        shutil.copytree(original.directory, directory)
        self.site = Site(original.site.binary, directory / "site")
        self.site.now = original.site.now + 1
        self.refusals: collections.Counter[str] = collections.Counter()

    def change(self) -> bool:
        """Flips the byte; says whether the database let it."""
        if self.flip.sql is None:
            with open(self.site.database, "r+b") as file:
                file.seek(self.flip.offset)
                byte = file.read(1)[0]
                file.seek(self.flip.offset)
                file.write(bytes([byte ^ self.flip.mask]))
            return True
        database = sqlite3.connect(self.site.database)
        try:
            with database:
                database.execute("PRAGMA ignore_check_constraints = 1")
                database.execute(self.flip.sql, self.flip.values)
        except sqlite3.IntegrityError:
            return False
        finally:
            database.close()
        return True

    def check_fsck(self) -> bool:
        """Whether fsck named the change; if not, nothing that can be read may have changed."""
        answer = self.site.ask("log", "fsck")
        if answer.exit != 0:
            self.refused("log fsck", answer)
            return True
        expect(self.flip.sql is None, "log fsck is clean")
        try:
            same = dump(self.site.database) == self.original.dump
        except sqlite3.Error as error:
            raise Surprise(f"log fsck is clean, and another SQLite says {error}") from error
        expect(same, "log fsck is clean, and the tables do not read as before")
        return False

    def refused(self, command: str, answer: Answer) -> None:
        expect(answer.exit == UNFIT and answer.code is not None and answer.is_advised, f"{command}: {answer}")
        self.refusals[f"{command.split(' of ')[0]}: exit {answer.exit}, {answer.code}"] += 1

    def check_reading(self) -> None:
        for index in {self.flip.index, len(self.original.leaves) - 1}:
            answer = self.site.ask("bundle", "get", index)
            if answer.exit == 0:
                expect(answer.out == self.original.bundle(index), f"bundle get {index}: other bytes than before")
            else:
                self.refused("bundle get", answer)
            answer = self.site.ask("--json", "log", "prove", index)
            if answer.exit == 0:
                self.check_proof(index, json.loads(answer.out))
            else:
                self.refused("log prove", answer)

    def check_proof(self, index: int, proof: dict) -> None:
        leaves = self.original.leaves
        expect(proof["leaf_hash"] == leaves[index].hex(), f"log prove {index}: leaf hash {proof['leaf_hash']}")
        expect(proof["root_hash"] == mth(leaves[: proof["tree_size"]]).hex(), f"log prove {index}: {proof}")

    def check_attesting(self) -> None:
        """What is in the log keeps its index; what is not gets the next one, under a tree of what is there."""
        leaves = list(self.original.leaves)
        # The first and the last entry are the log's own.
        known = self.flip.index if 0 < self.flip.index < len(leaves) - 1 else 1
        for number, index in ((known - 1, known), (NEW, len(leaves))):
            path = self.directory / f"{number}.json"
            path.write_bytes(statement(number))
            answer = self.site.ask("--json", "attest", "--statement", path, "--out", self.directory / f"out-{number}")
            if answer.exit != 0:
                self.refused(f"attest {'new' if number == NEW else 'known'}", answer)
                continue
            report = json.loads(answer.out)
            expect(report["leaf_index"] == index, f"attest: entry {index} answers as {report}")
            expect(report["new"] == (number == NEW), f"attest: {report}")
            # A row of `exempt` that was moved is missed by fsck, and by whatever sends: until then its entry is shown as if
            # it were not held.
            held = [NOT_SENT[0] | {"skipReason": "operator_hold"}]
            standings = [held, NOT_SENT] if index in HELD else [NOT_SENT]
            expect(report["dispositions"] in standings, f"attest: {report['dispositions']}")
            bundle = Path(report["bundle"]).read_bytes()
            if number == NEW:
                leaves.append(bytes.fromhex(report["leaf_hash"]))
                proof = json.loads(bundle)["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
                expect(int(proof["treeSize"]) == len(leaves), f"attest: a proof for a tree of {proof['treeSize']}")
                expect(base64.b64decode(proof["rootHash"]) == mth(leaves), "attest: a root over other leaves was signed")
                self.site.check_bundle(bundle, statement(number))
            else:
                expect(bundle == self.original.bundle(index), f"attest: entry {index} has another bundle than before")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--airtight", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--offsets", type=int, default=300)
    options = parser.parse_args()
    work = options.work.resolve()
    note(f"flip: seed {options.seed}, {options.rows} rows of each column, {options.offsets} offsets")
    original = Original(options.airtight.resolve(), work / "original")
    flips = original.flips(random.Random(options.seed), options.rows, options.offsets)
    tally: collections.Counter[str] = collections.Counter()

    def run(number: int) -> str | None:
        flip, directory = flips[number], work / f"flip-{number}"
        copy = Copy(original, directory, flip)
        kind = "by SQL" if flip.sql else "in the file"
        try:
            if copy.change():
                tally[f"flipped {kind}: {'named by fsck' if copy.check_fsck() else 'free space, all reads as before'}"] += 1
                copy.check_reading()
                copy.check_attesting()
            else:
                tally[f"flipped {kind}: refused by a constraint"] += 1
        except Surprise as surprise:
            return f"{flip.what}\n  {surprise}\n  in {directory}"
        except (ValueError, KeyError, IndexError, OSError, subprocess.TimeoutExpired) as error:
            return f"{flip.what}\n  {type(error).__name__}: {error}\n  in {directory}"
        finally:
            tally.update(copy.refusals)
        shutil.rmtree(directory)
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        surprises = [said for said in pool.map(run, range(len(flips))) if said is not None]
    for what, count in sorted(tally.items()):
        note(f"  {count:5}  {what}")
    return finish("flip", len(flips) - len(surprises), surprises)


if __name__ == "__main__":
    sys.exit(main())
