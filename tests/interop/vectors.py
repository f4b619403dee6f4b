"""Asks both cosigns, sigstore-go and airtight's own command line about every folder of tests/vectors; run by run.sh, with no network.

A vector that expects `verified` must be verified by all but those that the folder's `refused-by` names: cosign cannot be told the
hash of a plain key. sigstore-go is told, and verifies every one of them. One that expects a refusal must be refused by airtight with that very
code, and by each cosign unless the folder's `accepted-by` names it; where no log is asked for, by sigstore-go too, which is asked
as `gh attestation verify` asks it. So nothing is verified by us that they refuse, and where
we are stricter it is written down.

    vectors.py --airtight BINARY --clients CACHE --work DIR [--write]

Passed over are folders whose question these programs cannot be asked: no key or several and no certificate, a directory given as
a list of digests, a threshold of keys, of logs above 1 or (but for sigstore-go) of time stamps above 1, witnesses, another time
than today, a second line that is an object (our command line reads a file of two bundles). With --write the answers are printed as the lists of tests/forge/cases/lenient.rs instead of being
compared.
"""

import argparse
import base64
import json
import os
import sys
from pathlib import Path

from clients import COSIGN_BROKEN, call

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
ARTIFACT_TYPE = "https://airtight.dev/artifact/v1"
# The time that most vectors are judged at; the clocks of the clients are past it.
NOW = "1769904000"
COSIGNS = {"cosign 3.1.3": "cosign3", "cosign 2.6.5": "cosign2"}
SIGSTORE_GO = "sigstore-go 1.3.0"


def count(folder: Path, name: str, otherwise: int) -> int:
    return int((folder / name).read_text()) if (folder / name).exists() else otherwise


def identity(folder: Path) -> list[str]:
    """Whom a certificate must name, and who must have vouched; nothing where a key is believed."""
    return (folder / "identity").read_text().splitlines() if (folder / "identity").exists() else []


def who(folder: Path) -> list:
    named = identity(folder)
    if not named:
        return ["--key", folder / "key.pub"]
    return ["--certificate-identity", named[0], "--certificate-oidc-issuer", named[1]]


def askable(folder: Path) -> bool:
    keys = folder / "key.pub"
    return (
        (folder / "artifact").exists()
        and (bool(identity(folder)) or keys.exists() and keys.read_text().count("BEGIN PUBLIC KEY") == 1)
        and not (folder / "threshold").exists()
        and count(folder, "log-threshold", 1) < 2
        and (folder / "bundle.sigstore.json").read_bytes().count(b"\n{") == 0
        and not (folder / "witness-policy").exists()
        and (folder / "now").read_text().strip() == NOW
    )


def wanted_type(folder: Path) -> str:
    """The type that is asked for, or else the one that the statement states: cosign must be given one."""
    if (folder / "type").exists():
        return (folder / "type").read_text().strip()
    try:
        payload = json.loads((folder / "bundle.sigstore.json").read_bytes())["dsseEnvelope"]["payload"]
        return json.loads(base64.b64decode(payload))["predicateType"]
    except (ValueError, KeyError, TypeError):
        return ARTIFACT_TYPE


def is_message(folder: Path) -> bool:
    return b'"messageSignature":{' in (folder / "bundle.sigstore.json").read_bytes()


def ask_cosign(binary: Path, folder: Path, env: dict) -> str:
    given = ["--bundle", folder / "bundle.sigstore.json", *who(folder), "--trusted-root", folder / "trusted_root.json"]
    if count(folder, "log-threshold", 1) == 0:
        given += ["--insecure-ignore-tlog"]
    if count(folder, "sct-threshold", 1) == 0:
        given += ["--insecure-ignore-sct"]
    # Without a log a certificate's time can be a time stamp's only.
    if count(folder, "timestamp-threshold", 0) or count(folder, "log-threshold", 1) == 0 and identity(folder):
        given += ["--use-signed-timestamps"]
    if is_message(folder):
        command = [binary, "verify-blob", *given, folder / "artifact"]
    else:
        if (folder / "signature-hash").exists():
            given += ["--signature-digest-algorithm", (folder / "signature-hash").read_text().strip()]
        command = [binary, "verify-blob-attestation", *given, "--type", wanted_type(folder), folder / "artifact"]
    code, said = call(command, env)
    if code == 0:
        return "yes" if "Verified OK" in said else f"broken: {said}"
    # A bundle that cannot be parsed is refused with these words by cosign 3; most vectors of step 1 are such.
    return "no" if code == 1 and not any(words in said for words in COSIGN_BROKEN) else f"broken: exit code {code}: {said}"


def ask_airtight(binary: Path, folder: Path, env: dict) -> str:
    """The code of the refusal, or `verified`."""
    asked = ["--type", (folder / "type").read_text().strip()] if (folder / "type").exists() else []
    asked += ["--anchor", folder / "anchor.json"] if (folder / "anchor.json").exists() else []
    for name in ("log-threshold", "timestamp-threshold", "sct-threshold"):
        asked += [f"--{name}", str(count(folder, name, 0))] if (folder / name).exists() else []
    asked += ["--accept-promise"] if (folder / "accept-promise").exists() else []
    command = [binary, "--json", "verify", folder / "artifact", "--bundle", folder / "bundle.sigstore.json", *who(folder)]
    code, said = call([*command, "--trusted-root", folder / "trusted_root.json", *asked], env)
    try:
        start = said.index("{")
        report, _ = json.JSONDecoder().raw_decode(said[start:])
        verdict = "verified" if report["verified"] else report["refusal"]["code"]
    except (ValueError, KeyError, TypeError):
        return f"broken: exit code {code}: {said}"
    fits = code == 0 if verdict == "verified" else code in (1, 5)
    return verdict if fits else f"broken: exit code {code} with {verdict}"


def ask_sigstore_go(many: Path, folders: list[Path], env: dict) -> dict[str, str]:
    """What the library says of each folder, all in one process; unlike cosign it is told the hash of a key."""
    def question(folder: Path) -> str:
        named = identity(folder) or ["", ""]
        return json.dumps({
            "bundle": str(folder / "bundle.sigstore.json"), "root": str(folder / "trusted_root.json"),
            "artifact": str(folder / "artifact"), "key": "" if identity(folder) else str(folder / "key.pub"),
            "hash": (folder / "signature-hash").read_text().strip() if (folder / "signature-hash").exists() else "",
            "identity": named[0], "issuer": named[1], "logs": count(folder, "log-threshold", 1),
            "scts": count(folder, "sct-threshold", 1), "timestamps": count(folder, "timestamp-threshold", 0),
        })  # fmt: skip

    lines = [question(folder) for folder in folders]
    code, said = call([many], env, "".join(f"{line}\n" for line in lines).encode())
    answers = [line for line in said.splitlines() if line.partition("\t")[0] in ("yes", "no", "broken")]
    if code != 0 or len(answers) != len(folders):
        raise RuntimeError(f"sigstore-go: {len(answers)} answers to {len(folders)} questions, exit {code}: {said[-2000:]}")
    return {folder.name: answer.strip() for folder, answer in zip(folders, answers, strict=True)}


def print_lists(accepted: dict[str, list[str]]) -> None:
    both = list(COSIGNS)
    for name, clients in (("ALL", [*both, SIGSTORE_GO]), ("BOTH", both), ("COSIGN_2", both[1:]), ("COSIGN_3", both[:1])):
        print(f"const {name}: &[&str] = &[")
        for folder in sorted(folder for folder, by in accepted.items() if by == clients):
            print(f'    "{folder}",')
        print("];\n")


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("airtight", "clients", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    home = args.work / "vectors-home"
    home.mkdir(parents=True, exist_ok=True)
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    asked, passed, surprises, accepted = 0, 0, [], {}
    folders = sorted(folder for folder in VECTORS.iterdir() if folder.is_dir())
    good = [folder for folder in filter(askable, folders) if (folder / "expect").read_text().strip() == "verified"]
    unlogged = [folder for folder in filter(askable, folders) if count(folder, "log-threshold", 1) == 0]
    put = sorted({*good, *unlogged})
    of_sigstore_go = ask_sigstore_go(args.clients / "sigstore-go" / "many", put, env)
    for folder in filter(askable, folders):
        asked += 1
        expect = (folder / "expect").read_text().strip()
        by = (folder / "accepted-by").read_text().splitlines() if (folder / "accepted-by").exists() else []
        refused = (folder / "refused-by").read_text().splitlines() if (folder / "refused-by").exists() else []
        answers = {"airtight": (expect, ask_airtight(args.airtight, folder, env))}
        # verify-blob knows of no type.
        unasked = is_message(folder) and (folder / "type").exists() or count(folder, "timestamp-threshold", 0) > 1
        cosigns = {} if unasked else COSIGNS
        for client, tool in cosigns.items():
            expected = "yes" if expect == "verified" and client not in refused or client in by else "no"
            answers[client] = (expected, ask_cosign(args.clients / tool / "cosign", folder, env))
        if folder in put:
            expected = "yes" if expect == "verified" or SIGSTORE_GO in by else "no"
            answers[SIGSTORE_GO] = (expected, of_sigstore_go[folder.name].partition("\t")[0])
        if expect != "verified":
            accepted[folder.name] = [client for client, (_, answer) in answers.items() if client != "airtight" and answer == "yes"]
        for client, (expected, found) in answers.items():
            if found == expected:
                passed += 1
            else:
                surprises.append(f"{folder.name}: {client} says {found}, expected {expected}")
    if args.write:
        print_lists(accepted)
        return 0
    for surprise in surprises:
        print(f"  SURPRISE  {surprise}")
    print(f"{asked} of {len(folders)} vectors were put to {1 + len(COSIGNS)} programs, and {len(put)} to sigstore-go: the good ones, and those without a log")
    print(f"vectors: {passed} passed, {len(surprises)} failed")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
