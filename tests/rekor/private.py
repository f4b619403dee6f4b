"""A private Sigstore: our own authority and certificate log, a timestamp-server, both Rekors. Its bundles hold under its own trusted root alone."""

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from scene import Run, expect, note
from servers import Reply, ask, standard

OTHERS = Path(__file__).resolve().parent.parent / "others"
sys.path.append(str(OTHERS))

from ask import Question, all_of  # noqa: E402

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def private(run: Run) -> None:
    """Bundles of a private Sigstore: accepted under its trusted root, refused under another, with the reason that is missing."""
    python = run.cache / "python" / "v" / "bin" / "python"
    said = subprocess.run([python, OTHERS / "issue.py", str(int(time.time()))], capture_output=True, check=True).stdout
    issued = json.loads(said)
    # The authority first: both it and rekor-server want one port for metrics, and only rekor-server goes on without.
    authority, v1, v2 = run.authority(), run.rekor(1), run.rekor(2)
    entries = {"dsse under Rekor v1": (logged_v1(v1, issued), False), "message under Rekor v2": (logged_v2(v2, issued), True)}
    root = {
        **json.loads(v1.trusted_root.read_text()), "ctlogs": issued["ctlogs"],
        "certificateAuthorities": issued["certificateAuthorities"], "timestampAuthorities": [authority.trusted],
    }  # fmt: skip
    root["tlogs"] += json.loads(v2.trusted_root.read_text())["tlogs"]
    bundles = {}
    for name, (entry, is_message) in entries.items():
        signature = issued["message"] if is_message else issued["envelope"]["signatures"][0]["sig"]
        material = {"certificate": {"rawBytes": issued["certificate"]}, "tlogEntries": [entry]}
        if is_message:
            stamp = stamped(run, authority.url, base64.b64decode(signature))
            material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": standard(stamp)}]}
            digest = {"algorithm": "SHA2_256", "digest": issued["digest"]}
            content = {"messageSignature": {"messageDigest": digest, "signature": signature}}
        else:
            content = {"dsseEnvelope": issued["envelope"]}
        bundles[name] = ({"mediaType": MEDIA_TYPE, "verificationMaterial": material, **content}, is_message)
    accepted(run, issued, bundles, root)
    refused(run, issued, bundles, root)
    foreign(run, issued, bundles, root)


def logged_v1(rekor, issued: dict) -> dict:
    proposed = {"envelope": json.dumps(issued["envelope"], separators=(",", ":")), "verifiers": [issued["pem"]]}
    request = {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": proposed}}
    answer = posted(ask(f"{rekor.url}/api/v1/log/entries", json.dumps(request).encode()))
    (entry,) = answer.values()
    proof = entry["verification"]["inclusionProof"]
    return {
        "logIndex": str(entry["logIndex"]), "logId": {"keyId": standard(bytes.fromhex(entry["logID"]))},
        "kindVersion": {"kind": "dsse", "version": "0.0.1"}, "integratedTime": str(entry["integratedTime"]),
        "inclusionPromise": {"signedEntryTimestamp": entry["verification"]["signedEntryTimestamp"]},
        "inclusionProof": {
            "logIndex": str(proof["logIndex"]), "rootHash": standard(bytes.fromhex(proof["rootHash"])),
            "treeSize": str(proof["treeSize"]), "hashes": [standard(bytes.fromhex(one)) for one in proof["hashes"]],
            "checkpoint": {"envelope": proof["checkpoint"]},
        },
        "canonicalizedBody": entry["body"],
    }  # fmt: skip


def logged_v2(rekor, issued: dict) -> dict:
    by = {"x509Certificate": {"rawBytes": issued["certificate"]}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    said = {"digest": issued["digest"], "signature": {"content": issued["message"], "verifier": by}}
    return posted(ask(f"{rekor.url}/api/v2/log/entries", json.dumps({"hashedRekordRequestV002": said}).encode()))


def posted(reply: Reply) -> dict:
    expect(reply.status == 201, f"the log answers {reply.status}: {reply.body[:500]!r}")
    return json.loads(reply.body)


def stamped(run: Run, url: str, signature: bytes) -> bytes:
    signed, query = run.folder / "signed", run.folder / "query"
    signed.write_bytes(signature)
    subprocess.run(["openssl", "ts", "-query", "-data", signed, "-sha256", "-cert", "-out", query], capture_output=True, check=True)
    reply = ask(f"{url}/api/v1/timestamp", query.read_bytes(), "application/timestamp-query")
    expect(reply.status in (200, 201), f"the authority answers {reply.status}")
    return reply.body


def question(run: Run, issued: dict, name: str, bundle: dict, is_message: bool, root: dict) -> Question:
    def put(ending: str, content: bytes) -> Path:
        path = run.folder / f"{name.replace(' ', '-')}.{ending}"
        path.write_bytes(content)
        return path

    return Question(
        name, put("json", json.dumps(bundle).encode()), put("root", json.dumps(root).encode()),
        put("bin", base64.b64decode(issued["artifact"])), None, issued["identity"], issued["issuer"],
        None if is_message else issued["type"],
    )  # fmt: skip


def accepted(run: Run, issued: dict, bundles: dict, root: dict) -> None:
    env = {"HOME": str(run.folder), "PATH": os.environ["PATH"]}
    clients = all_of(run.airtight, run.cache)
    questions = [question(run, issued, name, *made, root) for name, made in bundles.items()]
    for name, client in clients.items():
        for asked, answer in zip(questions, client.ask_all(questions, env), strict=True):
            expect(answer.verdict == "yes", f"{asked.name}: {name} says {answer.verdict}: {answer.reason}")
    note(f"{len(questions)} bundles under their own trusted root: accepted by {', '.join(clients)}")


def judged(run: Run, asked: Question) -> tuple[str, str]:
    """The code of the refusal, and what is said to a person."""
    words = [run.airtight, "verify", asked.artifact, "--bundle", asked.bundle, *asked.who, "--trusted-root", asked.root]
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    text = done.stdout.decode()
    expect(done.returncode == 1 and "refused at step" in text, f"{asked.name}: exit {done.returncode}: {text} {done.stderr.decode()}")
    return text.rpartition("(")[2].split(")")[0], text


def refused(run: Run, issued: dict, bundles: dict, root: dict) -> None:
    """Each part of the trusted root taken away, and another's in its place, refuses with the name of that part."""
    strange = json.loads(subprocess.run(
        [run.cache / "python" / "v" / "bin" / "python", "-c", STRANGE], cwd=OTHERS, capture_output=True, check=True).stdout)  # fmt: skip
    (v1, v2) = bundles
    for member, name, code, words in (
        ("tlogs", v1, "log_unknown", "is none of the 1 logs of the trusted root"),
        ("tlogs", v2, "log_unknown", "is none of the 1 logs of the trusted root"),
        ("certificateAuthorities", v1, "certificate_authority_unknown", "is in the chain of none of the 1 authorities of the trusted root"),
        ("certificateAuthorities", v2, "certificate_authority_unknown", "is in the chain of none of the 1 authorities of the trusted root"),
        ("ctlogs", v1, "sct_log_unknown", "of 1 promises in the certificate, 0 are of logs of the trusted root"),
        ("timestampAuthorities", v2, "certificate_time_unproven", "no log signed for a time and no time stamp holds"),
    ):
        asked = question(run, issued, name, *bundles[name], {**root, member: strange[member]})
        found, text = judged(run, asked)
        expect(found == code and words in text, f"{name} without its {member}: {text}")
    note("with another's log, authority, certificate log or time stamp authority in the trusted root: refused by its name")


# A trusted root of the same form whose keys and names are all another's.
STRANGE = """
import json, world
from dataclasses import replace
from world import Key, named
other = Key('a strange authority')
recipe = world.Recipe(ca=replace(world.CA_CERTIFICATE, subject=named('strange'), key=other), above=world.Draft('strange root', named('strange root'), world.LONG, other, world.self_issued(other), other))
root = recipe.trusted()
for log in root['tlogs'] + root['ctlogs']:
    log['publicKey']['rawBytes'], log['logId']['keyId'] = world.encoded(other.spki), world.encoded(other.id)
print(json.dumps(root))
"""


def foreign(run: Run, issued: dict, bundles: dict, root: dict) -> None:
    """The public instance's root, and its bundles, from AIRTIGHT_SHARED."""
    shared = os.environ.get("AIRTIGHT_SHARED")
    if not shared:
        note("AIRTIGHT_SHARED is not set: the public trusted root and public bundles are passed over")
        return
    vectors = Path(shared) / "vectors"
    public = json.loads((vectors / "sigstore-public/trusted_root.json").read_text())
    known = f"is none of the {len(public['tlogs'])} logs of the trusted root"
    for name, made in bundles.items():
        found, text = judged(run, question(run, issued, name, *made, public))
        expect((found, known in text) == ("log_unknown", True), f"{name} under the public root: {text}")
    cases = vectors / "sigstore-conformance/test/assets"
    counted = 0
    for case in ("happy-path-v0.3", "happy-path-intoto-in-dsse-v3", "rekor2-happy-path"):
        bundle = json.loads((cases / "bundle-verify" / case / "bundle.sigstore.json").read_text())
        theirs = {
            **issued, "artifact": standard((cases / "a.txt").read_bytes()), "issuer": "https://token.actions.githubusercontent.com",
            "identity": "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
            ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main",
        }  # fmt: skip
        found, text = judged(run, question(run, theirs, case, bundle, True, root))
        expect((found, "is none of the 2 logs of the trusted root" in text) == ("log_unknown", True), f"{case}: {text}")
        counted += 1
    note(f"{len(bundles)} private bundles under the public root and {counted} public ones under the private root: log_unknown, in words")
