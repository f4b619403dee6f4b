"""A Sigstore of our own in one file: authority, transparency log of certificates, log of entries, time stamp authority.

All keys are here, so a field of a certificate, of a promise in it, of a time stamp, of a checkpoint or of an entry can be changed and
everything that signs or logs it is made again: what then refuses is the check of that very field, and no broken signature in
front of it. The keys are fixtures, derived from their names; they sign with RFC 6979 nonces, so the same change gives the same bytes.

    Recipe().seed(NAME)              # a good bundle, with its trusted root and question
    replace(Recipe(), …).seed(NAME)  # one that differs in one thing
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from der import Instead, Part, encode, oid, parse, tlv
from members import encoded
from seeds import Seed

# 2026-01-01T00:00:00Z: what the log signs for, in seconds since the epoch.
TIME = 1767225600
# How long the signer's certificate is valid, before and after that time.
BEFORE_S, AFTER_S = 60, 540
NAME = "https://others.example/o/r/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.others.example"
ORIGIN = "log.others.example"
TREE = 1193050959916656506
ARTIFACT = b"an artifact of tests/others\n"
PREDICATE = "https://slsa.dev/provenance/v1"
START = "2025-01-01T00:00:00Z"
SCTS, SIGNED_SCT = "1.3.6.1.4.1.11129.2.4.2", 4
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ECDSA_SHA256, ECDSA_SHA384 = (tlv(0x30, oid(f"1.2.840.10045.4.3.{last}")) for last in (2, 3))


class Key:
    """A P-256 key that its name makes."""

    curve, hash, algorithm = ec.SECP256R1(), hashes.SHA256(), ECDSA_SHA256

    def __init__(self, name: str):
        secret = int.from_bytes(hashlib.sha256(f"airtight tests/others {name}".encode()).digest()) % P256_ORDER
        self.private = ec.derive_private_key(secret, self.curve)
        self.spki = self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.id = hashlib.sha256(self.spki).digest()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message, ec.ECDSA(self.hash, deterministic_signing=True))

    @property
    def pem(self) -> bytes:
        return pem("PUBLIC KEY", self.spki)


class LargerKey(Key):
    """The same on P-384, as the authorities of public Sigstore have."""

    curve, hash, algorithm = ec.SECP384R1(), hashes.SHA384(), ECDSA_SHA384


class LargerStamper(Key):
    """One on P-384 over SHA-256, as the time stamp authority of public Sigstore has."""

    curve = ec.SECP384R1()


ROOT, CA, CT, LOG, SIGNER, STAMPS_ROOT, STAMPER = map(
    Key, ("root", "authority", "transparency", "log", "signer", "stamps root", "stamper")
)


def pem(label: str, der: bytes) -> bytes:
    text = encoded(der)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def utc(seconds: int) -> bytes:
    return tlv(0x17, datetime.fromtimestamp(seconds, UTC).strftime("%y%m%d%H%M%SZ").encode())


def generalized(seconds: int) -> bytes:
    return tlv(0x18, datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%SZ").encode())


def iso(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds" if seconds % 1 else "seconds")
    return text.replace("+00:00", "Z")


def utf8(text: str) -> bytes:
    return tlv(0x0C, text.encode())


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def named(common: str) -> bytes:
    return sequence(tlv(0x31, sequence(oid("2.5.4.3"), utf8(common))))


SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"))


def extension(id: str, value: bytes, critical: bool = False) -> bytes:
    return sequence(oid(id), tlv(1, b"\xff") if critical else b"", tlv(4, value))


def key_id(key: Key) -> bytes:
    point = 2 * (key.curve.key_size // 8) + 1
    return hashlib.sha1(key.spki[-point:]).digest()


@dataclass(frozen=True)
class Draft:
    """A certificate before it is signed."""

    issuer: str
    subject: bytes
    valid: tuple[int, int]
    key: Key
    extensions: tuple[bytes, ...]
    by: Key

    @property
    def serial(self) -> bytes:
        return tlv(2, b"\x07" + self.key.id[:7])

    def tbs(self) -> bytes:
        return sequence(
            tlv(0xA0, tlv(2, b"\x02")), self.serial, self.by.algorithm, named(self.issuer),
            sequence(utc(self.valid[0]), utc(self.valid[1])), self.subject, self.key.spki,
            tlv(0xA3, sequence(*self.extensions)),
        )  # fmt: skip

    def signed(self) -> bytes:
        return signed(self.tbs(), self.by)

    def extended(self, *more: bytes, drop: tuple[str, ...] = ()) -> "Draft":
        """With more extensions and fewer. The last stays so: in the signer's it is the place of the promises."""
        *kept, last = (one for one in self.extensions if not any(oid(name) in one for name in drop))
        return replace(self, extensions=(*kept, *more, last))


def signed(tbs: bytes, by: Key) -> bytes:
    return sequence(tbs, by.algorithm, tlv(3, b"\0", by.sign(tbs)))


LONG = (TIME - 30 * 86_400, TIME + 3650 * 86_400)
ABOVE = (extension("2.5.29.15", tlv(3, b"\x01\x06"), True),)


def issued(above: str, key: Key, by: Key, usage: str) -> tuple[bytes, ...]:
    return (
        extension("2.5.29.19", sequence(tlv(1, b"\xff"), tlv(2, b"\0")), True), *ABOVE,
        extension("2.5.29.37", sequence(oid(usage))),
        extension("2.5.29.14", tlv(4, key_id(key))), extension("2.5.29.35", sequence(tlv(0x80, key_id(by)))),
    )  # fmt: skip


def self_issued(key: Key) -> tuple[bytes, ...]:
    return (extension("2.5.29.19", sequence(tlv(1, b"\xff")), True), *ABOVE, extension("2.5.29.14", tlv(4, key_id(key))))


CODE_SIGNING, TIME_STAMPING = "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.8"
ROOT_CERTIFICATE = Draft("others root", named("others root"), LONG, ROOT, self_issued(ROOT), ROOT)
CA_CERTIFICATE = Draft(
    "others root", named("others authority"), LONG, CA, issued("others root", CA, ROOT, CODE_SIGNING), ROOT
)
LARGER_ROOT, LARGER_CA, LARGER_STAMPS_ROOT = map(LargerKey, ("larger root", "larger authority", "larger stamps root"))
LARGER_STAMPER = LargerStamper("larger stamper")
STAMPS_CERTIFICATE = Draft("others stamps", named("others stamps"), LONG, STAMPS_ROOT, self_issued(STAMPS_ROOT), STAMPS_ROOT)


def stamping(key: Key, root: Key) -> Draft:
    return Draft(
        "others stamps", named("others stamper"), LONG, key,
        (
            extension("2.5.29.15", tlv(3, b"\x07\x80"), True), extension("2.5.29.37", sequence(oid(TIME_STAMPING)), True),
            extension("2.5.29.14", tlv(4, key_id(key))), extension("2.5.29.35", sequence(tlv(0x80, key_id(root)))),
        ), root,
    )  # fmt: skip


STAMPER_CERTIFICATE = stamping(STAMPER, STAMPS_ROOT)


def vector(content: bytes) -> bytes:
    return len(content).to_bytes(2) + content


@dataclass(frozen=True)
class Promise:
    """What a log of certificates signs, and how it stands in the certificate; each may be wrong."""

    log: Key = CT
    log_id: bytes | None = None
    version: bytes = b"\0"
    signature_type: bytes = b"\0"
    entry_type: bytes = b"\0\1"
    milliseconds: int = (TIME - 30) * 1000
    extensions: bytes = b""
    algorithm: bytes = b"\x04\x03"
    # The issuer whose key is signed for.
    issuer: Key = CA
    after: bytes = b""
    change: Callable[[bytes], bytes] = staticmethod(lambda signature: signature)

    def stands(self, tbs: bytes) -> bytes:
        time = self.milliseconds.to_bytes(8)
        said = self.version + self.signature_type + time + self.entry_type + self.issuer.id
        signature = self.change(self.log.sign(said + len(tbs).to_bytes(3) + tbs + vector(self.extensions)))
        log_id = self.log.id if self.log_id is None else self.log_id
        return self.version + log_id + time + vector(self.extensions) + self.algorithm + vector(signature) + self.after


@dataclass(frozen=True)
class Recipe:
    """All that a bundle is made of. A `change` is given each part of a structure by its own name, and is signed over."""

    artifact: bytes = ARTIFACT
    v2: bool = False
    message: bool = False
    promise: bool = True
    stamps: int = 0
    time: int = TIME
    valid: tuple[int, int] = (TIME - BEFORE_S, TIME + AFTER_S)
    signer: Callable[[Draft], Draft] = staticmethod(lambda draft: draft)
    leaf: Callable[[Part], Instead] = staticmethod(lambda tbs: {})
    promises: tuple[Promise, ...] = (Promise(),)
    listed: Callable[[bytes], bytes] = staticmethod(lambda content: content)
    certificate: Callable[[bytes], bytes] = staticmethod(lambda certificate: certificate)
    stamped: int = TIME + 1
    stamp_content: Callable[[Part], Instead] = staticmethod(lambda content: {})
    stamp_attributes: Callable[[Part], Instead] = staticmethod(lambda attributes: {})
    stamp: Callable[[bytes], bytes] = staticmethod(lambda stamp: stamp)
    stamp_certificate: bool = True
    checkpoint: Callable[[str], str] = staticmethod(lambda text: text)
    body: Callable[[dict], object] = staticmethod(lambda body: body)
    said: Callable[[dict], object] = staticmethod(lambda statement: statement)
    root: Callable[[dict], object] = staticmethod(lambda root: root)
    set: Callable[[dict], dict] = staticmethod(lambda signed: signed)
    bundle: Callable[[dict], object] = staticmethod(lambda bundle: bundle)
    signature: Callable[[bytes], bytes] = staticmethod(lambda signature: signature)
    # Who signs the bundle, and the log that has it.
    key: Key = SIGNER
    log: Key = LOG
    origin: str = ORIGIN
    # The key of the authority, which signs what is below it.
    authority: Key = CA
    ca: Draft = CA_CERTIFICATE
    above: Draft = ROOT_CERTIFICATE
    stamper: Draft = STAMPER_CERTIFICATE
    stamps_root: Draft = STAMPS_CERTIFICATE
    identity: str = field(default=NAME)
    issuer: str = field(default=ISSUER)

    def draft(self) -> Draft:
        return self.signer(Draft(
            "others authority", sequence(), self.valid, self.key,
            (
                extension("2.5.29.15", tlv(3, b"\x07\x80"), True), extension("2.5.29.37", sequence(oid(CODE_SIGNING))),
                extension("2.5.29.14", tlv(4, key_id(self.key))), extension("2.5.29.35", sequence(tlv(0x80, key_id(self.authority)))),
                extension("2.5.29.17", sequence(tlv(0x86, NAME.encode())), True),
                extension("1.3.6.1.4.1.57264.1.1", ISSUER.encode()), extension("1.3.6.1.4.1.57264.1.8", utf8(ISSUER)),
                extension("1.3.6.1.4.1.57264.1.12", utf8("https://others.example/o/r")), extension(SCTS, b""),
            ), self.authority,
        ))  # fmt: skip

    def leaf_certificate(self) -> bytes:
        tbs = parse(self.draft().tbs())
        scts = tbs.parts[-1].parts[0].parts[-1]
        changed = self.leaf(tbs)
        without = encode(tbs, {**changed, id(scts): lambda part, whole: b""})
        content = self.listed(vector(b"".join(vector(one.stands(without)) for one in self.promises)))
        held = extension(SCTS, tlv(4, content)) if self.promises else b""
        return self.certificate(signed(encode(tbs, {id(scts): lambda part, whole: held, **changed}), self.authority))

    def time_stamp(self, signature: bytes) -> bytes:
        content = parse(sequence(
            tlv(2, b"\1"), oid("1.3.6.1.4.1.57264.2"), sequence(SHA256, tlv(4, hashlib.sha256(signature).digest())),
            tlv(2, b"\x11\x22"), generalized(self.stamped), sequence(tlv(2, b"\1")), tlv(2, b"\x33\x44"),
        ))  # fmt: skip
        said = encode(content, self.stamp_content(content))
        certificate = self.stamper.signed()
        attributes = parse(tlv(
            0x31, sequence(oid("1.2.840.113549.1.9.3"), tlv(0x31, oid("1.2.840.113549.1.9.16.1.4"))),
            sequence(oid("1.2.840.113549.1.9.4"), tlv(0x31, tlv(4, hashlib.sha256(said).digest()))),
            sequence(oid("1.2.840.113549.1.9.16.2.47"), tlv(0x31, sequence(sequence(sequence(tlv(4, hashlib.sha256(certificate).digest())))))),
        ))  # fmt: skip
        over = encode(attributes, self.stamp_attributes(attributes))
        signer = sequence(
            tlv(2, b"\1"), sequence(named(self.stamper.issuer), self.stamper.serial), SHA256, tlv(0xA0, over_content(over)),
            self.stamper.key.algorithm, tlv(4, self.stamper.key.sign(over)),
        )  # fmt: skip
        signed_data = sequence(
            tlv(2, b"\3"), tlv(0x31, SHA256), sequence(oid("1.2.840.113549.1.9.16.1.4"), tlv(0xA0, tlv(4, said))),
            tlv(0xA0, certificate) if self.stamp_certificate else b"", tlv(0x31, signer),
        )  # fmt: skip
        token = sequence(oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed_data))
        return self.stamp(sequence(sequence(tlv(2, b"\0")), token))

    def statement(self) -> bytes:
        digest = hashlib.sha256(self.artifact).hexdigest()
        return json_or_bytes(self.said({
            "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "artifact", "digest": {"sha256": digest}}],
            "predicateType": PREDICATE, "predicate": {"buildDefinition": {}},
        }))  # fmt: skip

    def seed(self, name: str) -> Seed:
        certificate = self.leaf_certificate()
        payload, kind = self.statement(), "application/vnd.in-toto+json"
        pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        message = self.artifact if self.message else pae
        signature = self.signature(self.key.sign(message))
        if self.message:
            digest = {"algorithm": "SHA2_256", "digest": encoded(hashlib.sha256(self.artifact).digest())}
            content = {"messageSignature": {"messageDigest": digest, "signature": encoded(signature)}}
        else:
            envelope = {"payload": encoded(payload), "payloadType": kind, "signatures": [{"sig": encoded(signature)}]}
            content = {"dsseEnvelope": envelope}
        body = json_or_bytes(self.body(self.entry(message, payload, content, signature, certificate)))
        bundle = {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": encoded(certificate)}, "tlogEntries": [self.logged(body)]},
            **content,
        }
        if self.stamps:
            stamp = {"signedTimestamp": encoded(self.time_stamp(signature))}
            bundle["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [stamp] * self.stamps}
        return Seed(
            name, json_or_bytes(self.bundle(bundle)), json_or_bytes(self.root(self.trusted())), self.artifact, None,
            self.identity, self.issuer,
        )  # fmt: skip

    def entry(self, message: bytes, payload: bytes, content: dict, signature: bytes, certificate: bytes) -> dict:
        """What the log has of it."""
        digest = hashlib.sha256(message).digest()
        if self.v2:
            by = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": encoded(certificate)}}
            spec = {
                "data": {"algorithm": "SHA2_256", "digest": encoded(digest)},
                "signature": {"content": encoded(signature), "verifier": by},
            }  # fmt: skip
            return {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": spec}}
        by = encoded(pem("CERTIFICATE", certificate))
        if self.message:
            spec = {
                "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
                "signature": {"content": encoded(signature), "publicKey": {"content": by}},
            }  # fmt: skip
            return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}
        envelope = hashlib.sha256(compact(content["dsseEnvelope"])).hexdigest()
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": envelope},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": encoded(signature), "verifier": by}],
        }  # fmt: skip
        return {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}

    def logged(self, body: bytes) -> dict:
        index, size = 5, 7
        leaves = [hashlib.sha256(b"\0leaf %d" % number).digest() for number in range(size)]
        leaves[index] = hashlib.sha256(b"\0" + body).digest()
        proof, top = path(leaves, index)
        origin = self.origin if self.v2 else f"{self.origin} - {TREE}"
        text = self.checkpoint(f"{origin}\n{size}\n{encoded(top)}\n")
        note = f"{text}\n\u2014 {self.origin} {encoded(self.log.id[:4] + self.log.sign(text.encode()))}\n"
        kind = {"kind": "hashedrekord" if self.v2 or self.message else "dsse", "version": "0.0.2" if self.v2 else "0.0.1"}
        entry = {"logIndex": str(index), "logId": {"keyId": encoded(self.log.id)}, "kindVersion": kind}
        if self.promise and not self.v2:
            said = self.set({"body": encoded(body), "integratedTime": self.time, "logID": self.log.id.hex(), "logIndex": index})
            entry["integratedTime"] = str(self.time)
            entry["inclusionPromise"] = {"signedEntryTimestamp": encoded(self.log.sign(compact(said)))}
        entry["inclusionProof"] = {
            "logIndex": str(index), "rootHash": encoded(top), "treeSize": str(size), "hashes": list(map(encoded, proof)),
            "checkpoint": {"envelope": note},
        }  # fmt: skip
        return {**entry, "canonicalizedBody": encoded(body)}

    def trusted(self) -> dict:
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [trusted_log(f"https://{ORIGIN}", LOG)], "ctlogs": [trusted_log("https://ct.others.example", CT)],
            "certificateAuthorities": [trusted_authority("ca", self.ca, self.above)],
            "timestampAuthorities": [trusted_authority("tsa", self.stamper, self.stamps_root)],
        }  # fmt: skip


def trusted_log(url: str, key: Key, **window: str) -> dict:
    return {
        "baseUrl": url, "hashAlgorithm": "SHA2_256", "logId": {"keyId": encoded(key.id)},
        "publicKey": {"rawBytes": encoded(key.spki), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": {"start": START, **window}},
    }  # fmt: skip


def trusted_authority(name: str, *chain: Draft) -> dict:
    certificates = [{"rawBytes": encoded(one.signed())} for one in chain]
    return {
        "subject": {"organization": "others", "commonName": name}, "uri": f"https://{name}.others.example",
        "certChain": {"certificates": certificates}, "validFor": {"start": START},
    }  # fmt: skip


def over_content(whole: bytes) -> bytes:
    """What is in it, without tag and length: signed attributes stand under another tag than they are signed under."""
    if len(whole) < 2:
        return b""
    return whole[2 + (whole[1] & 0x7F if whole[1] & 0x80 else 0) :]


def compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def json_or_bytes(document: object) -> bytes:
    return document if isinstance(document, bytes) else compact(document)


def path(leaves: list[bytes], index: int) -> tuple[list[bytes], bytes]:
    """The inclusion proof of a leaf, and the root (RFC 6962 §2.1)."""
    if len(leaves) == 1:
        return [], leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    (left, left_top), (right, right_top) = path(leaves[:split], index), path(leaves[split:], index - split)
    proof = [*left, right_top] if index < split else [*right, left_top]
    return proof, hashlib.sha256(b"\1" + left_top + right_top).digest()


def public() -> Recipe:
    """A bundle as public Sigstore's trusted root and signing config of 2026 have it: authorities on P-384, and a time stamp."""
    root, ca, above = LARGER_ROOT, LARGER_CA, "others root"
    stamps_root, stamps = LARGER_STAMPS_ROOT, "others stamps"
    return Recipe(
        authority=ca, promises=(Promise(issuer=ca),), stamps=1,
        ca=Draft(above, named("others authority"), LONG, ca, issued(above, ca, root, CODE_SIGNING), root),
        above=Draft(above, named(above), LONG, root, self_issued(root), root), stamper=stamping(LARGER_STAMPER, stamps_root),
        stamps_root=Draft(stamps, named(stamps), LONG, stamps_root, self_issued(stamps_root), stamps_root),
    )  # fmt: skip


# A case of one of the rooms that name their own: what it is made from (of KINDS), kind, place, way, and what differs in the recipe.
Case = tuple[str, str, str, str, dict]

# The kinds of bundles that are made; each is accepted by all clients that know its kind.
KINDS = {
    "dsse": Recipe(),
    "dsse-stamped": Recipe(stamps=1),
    "message": Recipe(message=True),
    "v2-dsse": Recipe(v2=True, stamps=1),
    "v2-message": Recipe(v2=True, message=True, stamps=1, stamp_certificate=False),
}
