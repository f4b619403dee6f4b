"""What an authority of our own issues now: a certificate with its promise, and an envelope and a message signed under it, as JSON.

    PYTHON issue.py SECONDS

It is valid from a minute before SECONDS to nine after; the keys are those of world.py. Run by tests/rekor, whose Python has no cryptography.
"""

import base64
import hashlib
import json
import sys

from members import encoded
from world import ARTIFACT, CT, ISSUER, NAME, SIGNER, START, Promise, Recipe, pem


def main() -> None:
    now = int(sys.argv[1])
    recipe = Recipe(valid=(now - 60, now + 540), promises=(Promise(milliseconds=now * 1000),))
    certificate = recipe.leaf_certificate()
    trusted = recipe.trusted()
    payload, kind = recipe.statement(), "application/vnd.in-toto+json"
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    json.dump({
        "certificate": encoded(certificate), "pem": base64.b64encode(pem("CERTIFICATE", certificate)).decode(),
        "identity": NAME, "issuer": ISSUER, "artifact": encoded(ARTIFACT), "digest": encoded(hashlib.sha256(ARTIFACT).digest()),
        "envelope": {"payload": encoded(payload), "payloadType": kind, "signatures": [{"sig": encoded(SIGNER.sign(pae))}]},
        "message": encoded(SIGNER.sign(ARTIFACT)), "type": json.loads(payload)["predicateType"], "start": START, "ct": encoded(CT.id),
        "ctlogs": trusted["ctlogs"], "certificateAuthorities": trusted["certificateAuthorities"],
    }, sys.stdout)  # fmt: skip


if __name__ == "__main__":
    main()
