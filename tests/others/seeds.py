"""The good bundles that mutants are made from, each with the question that is asked about it.

From the folder that AIRTIGHT_SHARED names, where it is set: the cases of sigstore-conformance that must pass, bundles of
real servers, and bundles that other people's programs made. From this repository: tests/vectors. And from world.py, which
makes its own authorities, so that a change can be signed again.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
ARTIFACT_TYPE = "https://airtight.dev/artifact/v1"
BEACON = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
    "extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
GITHUB = "https://token.actions.githubusercontent.com"
# Ours: one of each kind, and those that differ in what other clients look at.
OURS = (
    "dsse-p256", "dsse-ed25519", "dsse-without-promise", "dsse-hashedrekord-002", "message-hashedrekord-001", "message-hashedrekord-002",
    "first-entry", "last-of-257", "media-type-0.1", "media-type-0.2", "checkpoint-of-a-witness-too", "index-over-shards",
)  # fmt: skip


# The rows of sigstore-clients that every client accepts, or all but one; the others are refused as they are.
ROWS = (
    "A_dsse1_v1cp_SET_logEC_ec", "A_dsse1_v1cp_SET_logEC_ed", "A0_dsse1_v1cp_noSET_logEC_ec", "B_hr2_c2spcp_logED_ec",
    "B1_hr2_c2spcp_logEC_ec", "B2_hr2_c2spcp_cosig_logED_ec",
)  # fmt: skip


@dataclass(frozen=True)
class Seed:
    name: str
    bundle: bytes
    root: bytes
    artifact: bytes
    key: bytes | None = None
    identity: str = ""
    issuer: str = ""

    @property
    def type(self) -> str | None:
        """The predicate type, which cosign must be given; None for a signed message."""
        envelope = json.loads(self.bundle).get("dsseEnvelope")
        return json.loads(base64.b64decode(envelope["payload"]))["predicateType"] if envelope else None

    def with_bundle(self, bundle: bytes) -> "Seed":
        return replace(self, bundle=bundle)


def conformance(vectors: Path) -> Iterator[Seed]:
    assets = vectors / "sigstore-conformance/test/assets"
    for folder in sorted((assets / "bundle-verify").iterdir()):
        if not folder.is_dir() or folder.name.endswith("_fail"):
            continue

        def own(name: str, other: Path, folder: Path = folder) -> bytes:
            return (folder / name if (folder / name).exists() else other).read_bytes()

        def line(name: str, other: str, folder: Path = folder) -> str:
            return (folder / name).read_text().strip() if (folder / name).exists() else other

        key = (folder / "key.pub").read_bytes() if (folder / "key.pub").exists() else None
        named = {} if key else {"identity": line("identity", BEACON), "issuer": line("issuer", GITHUB)}
        root = own("trusted_root.json", vectors / "sigstore-public/trusted_root.json")
        yield Seed(
            f"conformance/{folder.name}", (folder / "bundle.sigstore.json").read_bytes(), root,
            own("artifact", assets / "a.txt"), key, **named,
        )  # fmt: skip


def clients(vectors: Path) -> Iterator[Seed]:
    out = vectors / "sigstore-clients/out"
    for name, key, root in json.loads((out / "index.json").read_text()):
        if name not in ROWS:
            continue
        yield Seed(
            f"clients/{name}", (out / f"{name}.json").read_bytes(), (out / root).read_bytes(),
            (out / "artifact").read_bytes(), (out / f"{key}.pub").read_bytes(),
        )  # fmt: skip
    outc = vectors / "sigstore-clients/outc"
    yield Seed(
        "clients/certificate", (outc / "cert_bundle.json").read_bytes(), (outc / "trusted_root.json").read_bytes(),
        (outc / "artifact").read_bytes(), None, "https://airgap.example/signers/build-01", "https://issuer.airgap.example",
    )  # fmt: skip


def live(vectors: Path) -> Iterator[Seed]:
    v1, v2 = vectors / "rekor-live/v1", vectors / "rekor-live/v2"
    for key in ("ec", "ed"):
        yield Seed(
            f"live/v1-{key}", (v1 / f"{key}.sigstore.json").read_bytes(), (v1 / "trusted_root.json").read_bytes(),
            (v1 / "artifact").read_bytes(), (v1 / f"{key}.pub").read_bytes(),
        )  # fmt: skip
    for name, root in (("attA", "trA"), ("attB", "trB"), ("sigA", "trA")):
        yield Seed(
            f"live/v2-{name}", (v2 / f"{name}.json").read_bytes(), (v2 / f"{root}.json").read_bytes(),
            (v2 / "artifact.txt").read_bytes(), (v2 / "signer.pub").read_bytes(),
        )  # fmt: skip


def ours() -> Iterator[Seed]:
    for name in OURS:
        folder = VECTORS / f"verified-{name}"
        yield Seed(
            f"vectors/{name}", (folder / "bundle.sigstore.json").read_bytes(), (folder / "trusted_root.json").read_bytes(),
            (folder / "artifact").read_bytes(), (folder / "key.pub").read_bytes(),
        )  # fmt: skip


def shared(folder: Path) -> Iterator[Seed]:
    vectors = folder / "vectors"
    yield from conformance(vectors)
    yield from clients(vectors)
    yield from live(vectors)
