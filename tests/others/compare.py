"""Asks airtight and four clients of others about every mutant, and puts each disagreement into a class that has a reason.

    compare.py --airtight BINARY --clients CACHE --work DIR [--of-each N] [--of-rooms N] [--only NAME,NAME] [--worlds] [--kinds KIND,KIND] [--write | --check]

Every mutant is put to all that know its kind of bundle, as the same files. What airtight accepts and sigstore-go refuses is a
surprise, always. So is a disagreement that no class of classes.py explains, an answer that is neither yes nor no, and a good bundle that is refused. Exit
code 1: a surprise. `--of-each` takes so many mutants of each kind of each seed, `--of-rooms` of each kind that a room names; `--write` writes the table of docs/DIFFERENCES.md, `--check` asks that every class found there has its row.
"""

import argparse
import hashlib
import json
import os
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import ask
import classes
import mutants
import seeds


class Files:
    """The mutants as files: one for each different content, so that a trusted root is parsed once by whoever keeps it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.known: set[Path] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes, ending: str) -> Path:
        name = hashlib.sha256(content).hexdigest()
        path = self.folder / name[:2] / f"{name}.{ending}"
        if path not in self.known:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            self.known.add(path)
        return path

    def question(self, mutant: mutants.Mutant, type: str | None) -> ask.Question:
        seed = mutant.make()
        return ask.Question(
            mutant.name, self.put(seed.bundle, "json"), self.put(seed.root, "root"), self.put(seed.artifact, "bin"),
            self.put(seed.key, "pub") if seed.key else None, seed.identity, seed.issuer, type,
        )  # fmt: skip


def all_seeds() -> list[seeds.Seed]:
    found = list(seeds.ours())
    shared = os.environ.get("AIRTIGHT_SHARED")
    if shared:
        found += list(seeds.shared(Path(shared)))
    else:
        print("AIRTIGHT_SHARED is not set: bundles of other people's making are passed over")
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("airtight", "clients", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--of-each", type=int, default=1_000_000)
    parser.add_argument("--of-rooms", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="ask these clients alone, for a look")
    parser.add_argument("--worlds", action="store_true", help="mutants of our own worlds alone, for a look")
    parser.add_argument("--kinds", default="", help="mutants of these kinds alone, for a look")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()

    foreign = [] if args.worlds else all_seeds()
    every = chain(mutants.worlds(), mutants.foreign(foreign))
    kinds = args.kinds.split(",") if args.kinds else None
    asked = mutants.some((one for one in every if kinds is None or one.kind in kinds), args.of_each, args.of_rooms)
    files = Files(args.work / "mutants")
    types = {seed.name: seed.type for seed in [*foreign, *mutants.world_seeds()]}
    questions = [files.question(mutant, types[mutant.seed]) for mutant in asked]
    home = args.work / "others-home"
    home.mkdir(exist_ok=True)
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    clients = ask.all_of(args.airtight, args.clients)
    if args.only:
        clients = {name: client for name, client in clients.items() if name in args.only.split(",")}

    answers: dict[str, dict[str, ask.Answer]] = {question.name: {} for question in questions}

    def put(name: str) -> str:
        mine = [question for question in questions if clients[name].takes(question)]
        for question, answer in zip(mine, clients[name].ask_all(mine, env), strict=True):
            answers[question.name][name] = answer
        return name

    # Those that are one process each run beside each other; cosign takes all cores by itself.
    alone = [name for name, client in clients.items() if isinstance(client, ask.Command)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(put, [name for name in clients if name not in alone]))
    for name in alone:
        put(name)
    with open(args.work / "answers.jsonl", "w") as lines:
        for question in questions:
            said = {name: [answer.verdict, answer.reason] for name, answer in answers[question.name].items()}
            lines.write(json.dumps({"name": question.name, "bundle": str(question.bundle), "root": str(question.root), **said}) + "\n")
    return report(asked, answers, args)


def report(asked: list[mutants.Mutant], answers: dict, args: argparse.Namespace) -> int:
    found: dict[str, Counter] = defaultdict(Counter)
    surprises: list[str] = []
    agreed = Counter()
    for mutant in asked:
        said = dict(answers[mutant.name])
        ours = said.pop("airtight")
        if ours.verdict == "broken":
            surprises.append(f"{mutant.name}: airtight {ours.reason}")
            continue
        for name, theirs in said.items():
            if theirs.verdict == "broken":
                surprises.append(f"{mutant.name}: {name} {theirs.reason[:300]}")
            elif theirs.verdict == ours.verdict:
                agreed[name] += 1
            elif (named := classes.explain(mutant, name, ours, theirs)) is None:
                surprises.append(f"{mutant.name}: airtight {ours.verdict} ({ours.reason}), {name} {theirs.verdict} ({theirs.reason[:300]})")
            else:
                found[named][name] += 1
    for surprise in surprises[:200]:
        print(f"  SURPRISE  {surprise}")
    kinds = Counter(mutant.kind for mutant in asked)
    print(f"{len(asked)} bundles: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    for name, count in agreed.items():
        others = sum(by[name] for by in found.values())
        print(f"{name}: {count} times the same verdict, {others} times another, each in a class")
    failed = len(surprises)
    if args.write:
        classes.write(len(asked), agreed, found)
    if args.check:
        for missing in classes.missing(found):
            print(f"  SURPRISE  {missing}")
            failed += 1
    print(f"others: {len(asked) - len(surprises)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
