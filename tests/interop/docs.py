"""Runs the commands of the pages that need other people's tools; run by run.sh, with no network.

    docs.py --airtight BINARY --clients CACHE --work DIR

Of README.md and docs/*.md the blocks marked `sh` are run that stand under a heading which names a tool of TOOLS: with each
of its versions, after the page's own `console` commands above it, in a folder of the page's own where LICENSE lies. A block passes when
the shell ends with 0 and says what the tool says in case of a yes. (tests/docs.rs runs the `console` blocks for what they show.)
"""

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The word in the heading, the folders of the cache that have a version of the tool, and its yes.
TOOLS = {"cosign": (("cosign3", "cosign2"), "Verified OK"), "Tessera": (("fsck",), "Successfully fsck'd")}
TIMEOUT_S = 120


@dataclass
class Block:
    language: str
    heading: str
    lines: list[str]

    def commands(self) -> str:
        """The commands of a console block, without what they answer."""
        if self.language == "sh":
            return "\n".join(self.lines)
        found = []
        for line in self.lines:
            if line.startswith("$ "):
                found.append(line[2:])
            elif line.startswith("> ") and found:
                found[-1] += "\n" + line[2:]
        # Each in a shell of its own, as in the test; some are shown in order to fail.
        return "\n".join(f"( {command}\n) || true" for command in found)


def blocks(page: str) -> list[Block]:
    found, heading, current = [], "", None
    for line in page.splitlines():
        if line.startswith("```"):
            if current is None:
                current = Block((line[3:].split() or [""])[0], heading, [])
            else:
                found.append(current)
                current = None
        elif current is not None:
            current.lines.append(line)
        elif line.startswith("#"):
            heading = line
    return found


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def run(page: Path, tool: str, version: Path, airtight: Path, work: Path) -> list[str]:
    """Plays a page up to its last block for the tool; returns what was wrong with each of those blocks, "" for nothing."""
    stage, bin_ = work / "stage", work / "bin"
    stage.mkdir(parents=True)
    bin_.mkdir()
    shutil.copy(ROOT / "LICENSE", stage)
    script(bin_ / "airtight", f"exec '{airtight}' \"$@\"")
    script(bin_ / "cargo", 'shift 4\nexec airtight "$@"')
    env = {"PATH": f"{bin_}:{version}:{os.environ['PATH']}", "HOME": str(work), "LC_ALL": "C.UTF-8"}
    answers = []
    for block in blocks(page.read_text(encoding="utf-8")):
        is_asked = block.language == "sh" and tool in block.heading
        if not is_asked and block.language != "console":
            continue
        command = ["sh", "-ec" if is_asked else "-c", block.commands()]
        done = subprocess.run(
            command, cwd=stage, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
        said = done.stdout.decode(errors="replace").strip()
        if is_asked:
            is_yes = done.returncode == 0 and TOOLS[tool][1] in said
            answers.append("" if is_yes else f"exit code {done.returncode}: {said}")
    return answers


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("airtight", "clients", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    airtight, cache, work = options.airtight.resolve(), options.clients.resolve(), options.work.resolve() / "docs"
    passed = failed = 0
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for tool, (versions, _) in TOOLS.items():
            asked = [b for b in blocks(page.read_text(encoding="utf-8")) if b.language == "sh" and tool in b.heading]
            for version in versions if asked else ():
                for number, wrong in enumerate(run(page, tool, cache / version, airtight, work / page.stem / version)):
                    print(f"{page.name}: {tool} ({version}), block {number + 1}: {wrong or 'yes'}")
                    passed, failed = passed + (not wrong), failed + bool(wrong)
    if passed + failed == 0:
        print("no page shows a command of another tool")
        failed = 1
    print(f"docs: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
