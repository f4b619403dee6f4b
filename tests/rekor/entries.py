"""What becomes of an envelope in each Rekor, derived here a second time, without airtight and without a Rekor.

`leaf` takes the body of a POST and gives the leaf that the log must hold for it: v1 dsse 0.0.1, v2 hashedrekord 0.0.2, both
JSON with sorted members, no spaces and nothing outside ASCII, for which that is what RFC 8785 asks. `Signer` makes requests
of its own, signed by OpenSSL, for what no site is needed for.
"""

import base64
import hashlib
import json
from pathlib import Path

from servers import call, key_pair, leaf_hash, standard

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def canonical(document: dict) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def body(request: dict) -> bytes:
    """The canonical body that a Rekor makes of this request."""
    if "hashedRekordRequestV002" in request:
        asked = request["hashedRekordRequestV002"]
        spec = {"data": {"algorithm": "SHA2_256", "digest": asked["digest"]}, "signature": asked["signature"]}
        return canonical({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": spec}})
    if request["kind"] != "dsse":
        raise ValueError(f"an entry of kind {request['kind']} is not ours")
    content = request["spec"]["proposedContent"]
    envelope = json.loads(content["envelope"])
    signatures = [
        {"signature": signature["sig"], "verifier": verifier}
        for signature, verifier in zip(envelope["signatures"], content["verifiers"], strict=True)
    ]
    spec = {
        "envelopeHash": sha256(content["envelope"].encode()),
        "payloadHash": sha256(base64.b64decode(envelope["payload"], validate=True)),
        "signatures": sorted(signatures, key=lambda row: row["signature"]),
    }
    return canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})


def leaf(request: dict) -> bytes:
    return leaf_hash(body(request))


def sha256(content: bytes) -> dict:
    return {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}


def pae(payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


class Signer:
    """A P-256 key and what it says."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True)
        self.key, self.public = key_pair(folder, "EC", "P-256")
        self.pem = (folder / "log.pub").read_bytes()

    def request(self, number: int, api: int) -> dict:
        payload = canonical(statement(number))
        signature = call("openssl", "dgst", "-sha256", "-sign", self.key, stdin=pae(payload))
        return request(api, payload, standard(signature), self.pem)


def request(api: int, payload: bytes, signature: str, pem: bytes) -> dict:
    """The body of the POST for an envelope of one signature (base64); its text is pinned: no spaces, members in this order."""
    if api == 2:
        public = "".join(pem.decode().splitlines()[1:-1])
        verifier = {"publicKey": {"rawBytes": public}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
        digest = standard(hashlib.sha256(pae(payload)).digest())
        return {"hashedRekordRequestV002": {"digest": digest, "signature": {"content": signature, "verifier": verifier}}}
    sealed = {"payload": standard(payload), "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": signature}]}
    content = {"envelope": json.dumps(sealed, separators=(",", ":")), "verifiers": [standard(pem)]}
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}}


def statement(number: int) -> dict:
    """A statement of its own for each number."""
    digest = hashlib.sha256(number.to_bytes(8)).hexdigest()
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": f"part-{number}", "digest": {"sha256": digest}}],
        "predicateType": "https://example.com/part/v1",
        "predicate": {"number": number},
    }
