"""Exports the log of a site as tiles at growing sizes, and lets Tessera's fsck read them; run by run.sh, with no network.

    tiles.py --airtight BINARY --clients CACHE --work DIR

fsck's exit code means nothing (it is 0 on every failure), and with one worker it hangs on a bad tile: so it gets eight, a
time limit, and the only yes is its own sentence "Successfully fsck'd". That it can say no is shown at one size: a flipped
byte in a tile of hashes, in a bundle of entries and in the checkpoint, and another log's key.
"""

import argparse
import base64
import shutil
import subprocess
import sys
from pathlib import Path

from run import Site, statement, write

# One entry, the edges of a tile, and the first size with a third level.
SIZES = (1, 255, 256, 257, 65_537)
ALTERED_SIZE = 257
TIMEOUT_S = 120


def fsck(binary: Path, tiles: Path, vkey: Path) -> tuple[bool, str]:
    command = [binary, "-N", "8", f"--storage_url=file://{tiles}/", f"--public_key={vkey}", "--ui=false"]
    try:
        done = subprocess.run(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False, f"no end within {TIMEOUT_S} s"
    said = done.stdout.decode(errors="replace")
    return "Successfully fsck'd" in said, said.strip()


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))


def flip_signature(checkpoint: Path) -> None:
    """Flips a bit of the last signature, in its bytes: a letter flipped in base64 may be none of base64."""
    note, _, signature = checkpoint.read_text(encoding="utf-8").rstrip("\n").rpartition(" ")
    content = bytearray(base64.b64decode(signature, validate=True))
    content[-8] ^= 1
    checkpoint.write_text(f"{note} {base64.b64encode(content).decode()}\n", encoding="utf-8")


def first_file(folder: Path) -> Path:
    return min(path for path in folder.rglob("*") if path.is_file())


def altered(tiles: Path, work: Path) -> list[tuple[str, Path, str]]:
    """Copies of an export, each with one flipped byte, and what fsck is to say of it."""
    changes = [
        ("a hash in a tile", lambda copy: flip(first_file(copy / "tile" / "0"), 5), "failed: tile/0/000"),
        ("a byte of an entry", lambda copy: flip(first_file(copy / "tile" / "entries"), 40), "failed: tile/"),
        ("a byte of the checkpoint's signature", lambda copy: flip_signature(copy / "checkpoint"), "invalid signature"),
    ]
    out = []
    for number, (name, change, reason) in enumerate(changes):
        copy = work / f"altered-{number}"
        shutil.copytree(tiles, copy)
        change(copy)
        out.append((name, copy, reason))
    return out


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("airtight", "clients", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    work = options.work.resolve() / "tiles"
    binary, tool = options.airtight.resolve(), options.clients.resolve() / "fsck" / "fsck"
    site = Site(binary, work, "tiles.example", "p256")
    vkey = write(work / "log.vkey", site.run("log", "vkey"))
    stranger = Site(binary, work / "other", "tiles.example", "p256")
    other_vkey = write(work / "other.vkey", stranger.run("log", "vkey"))

    passed = failed = 0

    def expect(name: str, tiles: Path, key: Path, reason: str | None = None) -> None:
        """A yes, or a no that gives this reason."""
        nonlocal passed, failed
        yes, said = fsck(tool, tiles, key)
        right = yes if reason is None else not yes and reason in said
        passed, failed = passed + right, failed + (not right)
        print(f"{name:60}  {'yes' if yes else 'no'}{'' if right else '!'}")
        if not right:
            print("SURPRISE " + "\n".join(line[:200] for line in said.splitlines()))

    print(f"\n{'tiles read by Tessera':60}  fsck")
    size = 1  # entry 0 is the site's first decision
    for wanted in SIZES:
        batch = b"".join(statement(number) for number in range(size, wanted))
        if batch:
            site.run("attest", "--batch", "-", "--json", stdin=batch)
        size = wanted
        tiles = work / f"size-{wanted}"
        site.run("log", "export", "--tiles", tiles)
        exported = (tiles / "checkpoint").read_text().split("\n")[1]
        if exported != str(wanted):
            print(f"SURPRISE the checkpoint exported at size {wanted} says {exported}")
            failed += 1
        expect(f"size {wanted}", tiles, vkey)
        if wanted == ALTERED_SIZE:
            for name, copy, reason in altered(tiles, work):
                expect(f"size {wanted}, altered: {name}", copy, vkey, reason)
            expect(f"size {wanted}, another log's key", tiles, other_vkey, "no verifiable signatures")
    print(f"\ntiles: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
