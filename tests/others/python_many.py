"""Judges a list of bundles offline with sigstore-python, and says yes or no of each.

    PYTHON python_many.py < QUESTIONS > ANSWERS

Questions and answers are as in ../interop/sigstore-go/many/main.go: a line of JSON each, and `yes`, `no` or `broken` with the
reason after a tab. PYTHON is that of the environment that holds the package. It knows no bundle that a key signed, so `key`
is `broken`. For a DSSE bundle it leaves the comparison of subject and artifact to its caller, so that comparison is made
here, after the library has said yes, on the bytes that it has verified.
"""

import hashlib
import json
import sys
from pathlib import Path

from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

verifiers: dict[str, object] = {}


def verifier_of(path: str) -> Verifier:
    """A trusted root is named by many questions: it is read once."""
    if path not in verifiers:
        try:
            verifiers[path] = Verifier(trusted_root=TrustedRoot.from_file(path))
        except Exception as error:
            verifiers[path] = error
    found = verifiers[path]
    if isinstance(found, Exception):
        raise found
    return found


def check(asked: dict, text: bytes, artifact: bytes) -> None:
    verifier = verifier_of(asked["root"])
    bundle = Bundle.from_json(text)
    policy = Identity(identity=asked["identity"], issuer=asked["issuer"])
    if bundle._dsse_envelope is None:
        verifier.verify_artifact(artifact, bundle, policy)
        return
    _, payload = verifier.verify_dsse(bundle, policy)
    digest = hashlib.sha256(artifact).hexdigest()
    if not any(subject["digest"]["sha256"] == digest for subject in json.loads(payload)["subject"]):
        raise ValueError("no subject of the statement is the artifact")


def judge(asked: dict) -> tuple[str, str]:
    if asked["key"]:
        return "broken", "a bundle that a key signed"
    try:
        text, artifact = Path(asked["bundle"]).read_bytes(), Path(asked["artifact"]).read_bytes()
    except OSError as error:
        return "broken", str(error)
    try:
        check(asked, text, artifact)
    except BaseException as error:  # PyO3's panics are no Exceptions.
        if isinstance(error, KeyboardInterrupt):
            raise
        return "no", f"{type(error).__name__}: {error}"
    return "yes", ""


def main() -> None:
    for line in sys.stdin:
        verdict, reason = judge(json.loads(line))
        print(verdict, " ".join(reason.split())[:2000], sep="\t")


if __name__ == "__main__":
    main()
