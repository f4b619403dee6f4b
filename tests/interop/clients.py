"""The clients that are asked, each as a command and as the way to read its answer.

An answer is yes, no, or broken: broken is any end that is neither (a usage error, a file not found, a crash, a time-out),
so that a client that could not even look is never counted as one that refused.
"""

import base64
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 60
# What cosign says with the exit code of a refusal, though it has judged nothing.
COSIGN_BROKEN = ("unknown flag", "no such file", "unknown shorthand", "accepts 1 arg", "flag needs an argument")
# cosign 3 says this of any bundle that it cannot parse.
COSIGN_NOT_PARSED = "only supported with --new-bundle-format"


@dataclass(frozen=True)
class Question:
    """One bundle, with everything that a verifier is handed beside it."""

    bundle: Path
    key: Path
    trusted_root: Path
    artifact: Path
    type: str
    # The bundle has all its members; if not, "cannot be parsed" is an answer too.
    whole: bool = True


@dataclass(frozen=True)
class Answer:
    verdict: str  # "yes", "no" or "broken"
    reason: str


def call(command: list, env: dict, stdin: bytes | None = None) -> tuple[int, str]:
    try:
        done = subprocess.run(
            [str(word) for word in command], input=stdin if stdin is not None else b"", env=env, timeout=TIMEOUT_S,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return 255, f"{type(error).__name__}: {error}"
    return done.returncode, done.stdout.decode(errors="replace").strip()


def by_exit_code(code: int, said: str, no: tuple[int, ...] = (1,)) -> Answer:
    verdict = "yes" if code == 0 else "no" if code in no else "broken"
    return Answer(verdict, said if code in (0, *no) else f"exit code {code}: {said}")


class Cosign:
    def __init__(self, name: str, binary: Path):
        self.name, self.binary = name, binary

    def ask(self, q: Question, env: dict) -> Answer:
        code, said = call(
            [self.binary, "verify-blob-attestation", "--bundle", q.bundle, "--key", q.key, "--trusted-root",
             q.trusted_root, "--type", q.type, q.artifact], env,
        )  # fmt: skip
        if code == 0:
            return Answer("yes" if "Verified OK" in said else "broken", said)
        unparsed = COSIGN_NOT_PARSED in said and q.whole
        if code != 1 or unparsed or any(words in said for words in COSIGN_BROKEN):
            return Answer("broken", f"exit code {code}: {said}")
        return Answer("no", said)


class Library:
    """A small program of ours over a library of others: BUNDLE KEY TRUSTED_ROOT ARTIFACT, exit code 0, 1 or 2."""

    def __init__(self, name: str, *command: Path):
        self.name, self.command = name, command

    def ask(self, q: Question, env: dict) -> Answer:
        return by_exit_code(*call([*self.command, q.bundle, q.key, q.trusted_root, q.artifact], env))


class OpenSsl:
    """No client at all: the signature over the PAE, and the digest of the artifact. It knows of no log."""

    name = "openssl"

    def ask(self, q: Question, env: dict) -> Answer:
        envelope = json.loads(q.bundle.read_bytes())["dsseEnvelope"]
        payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
        pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        message, signature = q.bundle.with_suffix(".pae"), q.bundle.with_suffix(".sig")
        message.write_bytes(pae)
        signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        _, about = call(["openssl", "pkey", "-pubin", "-in", q.key, "-noout", "-text"], env)
        if "ED25519" in about:
            verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", q.key, "-rawin", "-in", message, "-sigfile", signature]
        else:
            verify = ["openssl", "dgst", "-sha256", "-verify", q.key, "-signature", signature, message]
        answer = by_exit_code(*call(verify, env))
        if answer.verdict == "yes":
            digest = hashlib.sha256(q.artifact.read_bytes()).hexdigest()
            if digest not in [subject["digest"]["sha256"] for subject in json.loads(payload)["subject"]]:
                return Answer("no", "no subject of the statement is the artifact")
        return answer


class Airtight:
    """Ourselves, from outside: no site, no home directory."""

    name = "airtight"

    def __init__(self, binary: Path):
        self.binary = binary

    def ask(self, q: Question, env: dict) -> Answer:
        # 1 is a verdict of no, 5 a bundle that is not one.
        return by_exit_code(
            *call(
                [self.binary, "verify", q.artifact, "--bundle", q.bundle, "--key", q.key, "--trusted-root",
                 q.trusted_root, "--type", q.type], env,
            ),
            no=(1,) if q.whole else (1, 5),
        )  # fmt: skip
