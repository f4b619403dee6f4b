"""The signer's key and signature: other curves and hashes, the same key otherwise written, and numbers that are near the right ones.

The certificate has the key, and log and bundle what it made. RSA is not here: no name makes a key of it.
"""

from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from der import oid, tlv
from world import P256_ORDER, Case, Key, key_id, sequence

NULL = b"\5\0"


def curve(name: str, of: ec.EllipticCurve, over: hashes.HashAlgorithm) -> Key:
    return type(name, (Key,), {"curve": of, "hash": over})(f"signer on {name}")


class Edwards(Key):
    """An Ed25519 key."""

    def __init__(self, name: str):
        self.private = ed25519.Ed25519PrivateKey.from_private_bytes(Key(name).id)
        self.spki = self.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.id = key_id(self)

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


class Written(Key):
    """The signer's key in another form."""

    def __init__(self, form: Callable[[bytes, bytes], bytes]):
        super().__init__("signer")
        algorithm = self.spki[2:23]
        self.spki = form(algorithm, self.spki[-64:])


def keys() -> Iterator[tuple[str, Key, str]]:
    """Keys with what the log has for their details."""
    sha256, sha384, sha512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
    for name, of, hash, details in (
        ("P-256 over SHA-512", ec.SECP256R1(), sha512, "P256_SHA_256"), ("P-384", ec.SECP384R1(), sha384, "P384_SHA_384"), ("P-384 over SHA-256", ec.SECP384R1(), sha256, "P384_SHA_256"), ("P-384 over SHA-512", ec.SECP384R1(), sha512, "P384_SHA_384"),
        ("P-521", ec.SECP521R1(), sha512, "P521_SHA_512"), ("P-521 over SHA-256", ec.SECP521R1(), sha256, "P521_SHA_256"), ("P-521 over SHA-384", ec.SECP521R1(), sha384, "P521_SHA_512"), ("secp256k1", ec.SECP256K1(), sha256, "P256_SHA_256"), ("Brainpool", ec.BrainpoolP384R1(), sha384, "P384_SHA_384"),
    ):  # fmt: skip
        yield name, curve(name, of, hash), f"PKIX_ECDSA_{details}"
    yield "Ed25519", Edwards("signer"), "PKIX_ED25519_PH"
    for way, form in {
        "compressed": lambda algorithm, point: sequence(algorithm, tlv(3, b"\0", bytes([2 + (point[-1] & 1)]), point[:32])), "hybrid": lambda algorithm, point: sequence(algorithm, tlv(3, b"\0", bytes([6 + (point[-1] & 1)]), point)),
        "with unused bits": lambda algorithm, point: sequence(algorithm, tlv(3, b"\1\4", point[:-1], bytes([point[-1] & 0xFE]))), "off the curve": lambda algorithm, point: sequence(algorithm, tlv(3, b"\0\4", point[:-1], bytes([point[-1] ^ 1]))),
        "with a null behind its curve": lambda algorithm, point: sequence(sequence(algorithm[2:], NULL), tlv(3, b"\0\4", point)), "for agreement alone": lambda algorithm, point: sequence(sequence(oid("1.3.132.1.12"), algorithm[11:]), tlv(3, b"\0\4", point)),
        "with its curve in full": lambda algorithm, point: sequence(sequence(algorithm[2:11], sequence(tlv(2, b"\1"))), tlv(3, b"\0\4", point)), "of no curve": lambda algorithm, point: sequence(sequence(algorithm[2:11]), tlv(3, b"\0\4", point)), "with a byte more": lambda algorithm, point: sequence(algorithm, tlv(3, b"\0\4", point, b"\0")),
    }.items():  # fmt: skip
        yield f"P-256 {way}", Written(form), "PKIX_ECDSA_P256_SHA_256"


def with_details(details: str) -> Callable[[dict], dict]:
    def changed(body: dict) -> dict:
        if record := body["spec"].get("hashedRekordV002"):
            record["signature"]["verifier"]["keyDetails"] = details
        return body

    return changed


def integer(number: int) -> bytes:
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1))


def signatures() -> Iterator[tuple[str, Callable[[int, int], bytes]]]:
    yield "r more by the order", lambda r, s: sequence(integer(r + P256_ORDER), integer(s))
    yield "s more by the order", lambda r, s: sequence(integer(r), integer(s + P256_ORDER))
    yield "s negative", lambda r, s: sequence(integer(r), tlv(2, (2**264 - s).to_bytes(33)))
    yield "s and r", lambda r, s: sequence(integer(s), integer(r))
    yield "r of zero", lambda r, s: sequence(integer(0), integer(s))
    yield "both padded twice", lambda r, s: sequence(tlv(2, bytes(2), r.to_bytes(32)), tlv(2, bytes(2), s.to_bytes(32)))
    yield "a third part", lambda r, s: sequence(integer(r), integer(s), NULL)
    yield "a bit string of it", lambda r, s: tlv(3, b"\0", sequence(integer(r), integer(s)))
    yield "indefinite", lambda r, s: b"\x30\x80" + integer(r) + integer(s) + bytes(2)


def cases() -> Iterator[Case]:
    for base in ("dsse", "v2-message"):
        for way, key, details in keys():
            yield base, "signer's key", "key", way, {"key": key, "body": with_details(details)}
        for way, form in signatures():
            yield base, "signer's key", "signature", way, {"signature": lambda signature, form=form: form(*decode_dss_signature(signature))}
