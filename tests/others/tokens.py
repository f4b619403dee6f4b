"""Time stamps: what the authority signs, the structure around it, and the certificates that it carries.

In "v2-dsse" a stamp is all that proves a time; in "dsse-stamped" it stands beside the log's, and a client may pass over one that
does not hold. What is signed is signed again; what stands around it is signed by nobody.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from certificates import FULCIO, directory, uri
from der import Instead, Part, encode, oid, parse, tlv
from world import (
    AFTER_S, BEFORE_S, CA_CERTIFICATE, CODE_SIGNING, ECDSA_SHA256, LARGER_STAMPER, LONG, SHA256, STAMPER, STAMPER_CERTIFICATE, STAMPS_CERTIFICATE, STAMPS_ROOT, TIME, TIME_STAMPING,
    Case, Key, extension, generalized, named, sequence, signed, stamping, utc, utf8,
)  # fmt: skip

NULL = b"\5\0"
SIGNING_TIME = "1.2.840.113549.1.9.5"
POLICY, IMPRINT, SERIAL, WHEN, ACCURACY, NONCE = 1, 2, 3, 4, 5, 6


def content(number: int, value: bytes) -> dict:
    """Another part of what is signed."""
    return {"stamp_content": lambda whole: {id(whole.parts[number]): lambda part, rest: value}}


def behind(number: int, more: bytes) -> dict:
    """One part more of what is signed."""
    return {"stamp_content": lambda whole: {id(whole.parts[number]): lambda part, rest: rest(part) + more}}


def contents() -> Iterator[tuple[str, dict]]:
    yield "version 2", content(0, tlv(2, b"\2"))
    for way, value in {
        "half a second": b"20260101000001.5Z", "a zero behind half a second": b"20260101000001.50Z", "a fraction of zero": b"20260101000001.0Z", "no digit behind the point": b"20260101000001.Z", "a comma": b"20260101000001,5Z", "nine digits": b"20260101000001.123456789Z", "twelve digits": b"20260101000001.123456789012Z",
        "no seconds": b"202601010000Z", "an offset": b"20260101000001+0000", "no zone": b"20260101000001", "a leap second": b"20251231235960Z", "hour 24": b"20251231240000Z", "a 30th of February": b"20260230000000Z", "a sign": b"+0260101000001Z", "a space": b"20260101 00001Z",
    }.items():  # fmt: skip
        yield f"time with {way}", content(WHEN, tlv(0x18, value))
    yield "time in two digits of the year", content(WHEN, utc(TIME + 1))
    begin, end = TIME - BEFORE_S, TIME + AFTER_S
    for way, time in {"a second before the certificate": begin - 1, "at its begin": begin, "at its end": end, "a second after it": end + 1, "a day before": TIME - 86_400}.items():
        yield f"time {way}", content(WHEN, generalized(time))
    for way, value in {
        "a second in milliseconds": tlv(0x80, b"\x03\xe8"), "999 milliseconds": tlv(0x80, b"\x03\xe7"), "no milliseconds": tlv(0x80, b"\0"), "a microsecond": tlv(0x81, b"\1"), "less than nothing": tlv(2, b"\xff"), "eight bytes": tlv(2, b"\x7f" * 8), "nine bytes": tlv(2, b"\x7f" * 9),
        "all up to the end": tlv(2, b"\x02\x1b"), "a second more": tlv(2, b"\x02\x1c"), "nothing": b"", "parts out of order": tlv(0x80, b"\1") + tlv(2, b"\1"), "seconds twice": tlv(2, b"\1") * 2,
    }.items():  # fmt: skip
        yield f"accuracy of {way}", content(ACCURACY, sequence(value))
    for name, number in (("serial", SERIAL), ("nonce", NONCE)):
        for way, value in {"negative": b"\xff", "of 0": b"\0", "of 100 bytes": b"\1" * 100, "padded": b"\0\1"}.items():
            yield f"{name} {way}", content(number, tlv(2, value))
    yield "ordering", behind(ACCURACY, tlv(1, b"\xff"))
    yield "no ordering in words", behind(ACCURACY, tlv(1, b"\0"))
    yield "ordering in another byte", behind(ACCURACY, tlv(1, b"\1"))
    for way, value in {"its own name": tlv(0xA4, named("others stamper")), "another name": tlv(0xA4, named("evil")), "no name": NULL, "a URI": uri("https://tsa.others.example")}.items():
        yield f"authority by {way}", behind(NONCE, tlv(0xA0, value))
    yield "authority by bare bytes", behind(NONCE, tlv(0x80, b"x"))
    one, two = extension("1.2.3.4", b"x"), extension("1.2.3.4", b"y")
    for way, value in {"one": (one,), "a critical one": (extension("1.2.3.4", b"x", True),), "none": (), "one twice": (one, two)}.items():
        yield f"extensions: {way}", behind(NONCE, tlv(0xA1, *value))
    for way, value in {"null": NULL, "text": utf8("x"), "an empty sequence": sequence()}.items():
        algorithm = sequence(oid("2.16.840.1.101.3.4.2.1"), value)
        yield f"hash with {way} behind it", {"stamp_content": lambda whole, algorithm=algorithm: {id(whole.parts[IMPRINT].parts[0]): lambda part, rest: algorithm}}


def attribute(id: str, *values: bytes) -> bytes:
    return sequence(oid(id), tlv(0x31, *values))


def edges() -> Iterator[tuple[str, int]]:
    """The ends of the validity of the certificate that signs time stamps, and a second beside each."""
    for end, time in zip(("begin", "end"), LONG, strict=True):
        for by in (-1, 0, 1):
            yield f"{by:+} s of the {end}", time + by


def attributes() -> Iterator[tuple[str, dict]]:
    """More of what the authority signs."""
    for way, more in {
        "signing time": (attribute(SIGNING_TIME, utc(TIME)),), "signing time in four digits of the year": (attribute(SIGNING_TIME, generalized(TIME)),),
        "signing time in words": (attribute(SIGNING_TIME, utf8("x")),), "two signing times": (attribute(SIGNING_TIME, utc(TIME)), attribute(SIGNING_TIME, utc(TIME + 1))), "signing time of two values": (attribute(SIGNING_TIME, utc(TIME), utc(TIME + 1)),), "signing time of none": (attribute(SIGNING_TIME),),
        **{f"signing time {when}": (attribute(SIGNING_TIME, utc(time)),) for when, time in edges()},
        "unknown": (attribute("1.2.3.4", utf8("x")),), "unknown of no values": (attribute("1.2.3.4"),), "another algorithm's protection": (attribute("1.2.840.113549.1.9.52", sequence(SHA256, tlv(0xA1, oid("1.2.3.4")))),),
        "another certificate, by SHA-1": (attribute("1.2.840.113549.1.9.16.2.12", sequence(sequence(sequence(tlv(4, bytes(20)))))),), "another certificate, a second time": (attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(tlv(4, bytes(32)))))),),
        "another digest, a second time": (attribute("1.2.840.113549.1.9.4", tlv(4, bytes(32))),), "another content, a second time": (attribute("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.7.1")),),
    }.items():  # fmt: skip
        for place, where in (("after", lambda own, more: (*own, *more)), ("in order", lambda own, more: sorted((*own, *more)))):
            yield f"{way} {place}", {"stamp_attributes": lambda whole, more=more, where=where: {id(whole): lambda part, rest: tlv(0x31, *where(tuple(map(rest, part.parts)), more))}}


def framed(change: Callable[[Part], Instead]) -> dict:
    """Changes around what is signed; the signed data is given: version, algorithms, content, certificates, signers."""

    def stamp(response: bytes) -> bytes:
        whole = parse(response)
        return encode(whole, change(whole.parts[1].parts[1].parts[0]))

    return {"stamp": stamp}


def frames() -> Iterator[tuple[str, dict]]:
    VERSION, ALGORITHMS, CERTIFICATES, SIGNERS = 0, 1, 3, 4

    def put(number: int, value: Callable[[list[bytes]], bytes]) -> dict:
        return framed(lambda data: {id(data.parts[number]): lambda part, rest: value([rest(one) for one in part.parts or ()])})

    def signer(*more: bytes) -> dict:
        return framed(lambda data: {id(data.parts[SIGNERS].parts[0]): lambda part, rest: sequence(*map(rest, part.parts), *more)})

    for number in (1, 4, 99):
        yield f"version {number}", put(VERSION, lambda own, number=number: tlv(2, bytes([number])))
    yield "no algorithms", put(ALGORITHMS, lambda own: tlv(0x31))
    yield "another algorithm", put(ALGORITHMS, lambda own: tlv(0x31, sequence(oid("2.16.840.1.101.3.4.2.3"))))
    yield "the algorithm twice", put(ALGORITHMS, lambda own: tlv(0x31, *own * 2))
    yield "the algorithm with null", put(ALGORITHMS, lambda own: tlv(0x31, sequence(oid("2.16.840.1.101.3.4.2.1"), NULL)))
    yield "unsigned attributes", signer(tlv(0xA1, attribute("1.2.3.4", utf8("x"))))
    yield "no unsigned attributes in words", signer(tlv(0xA1))
    yield "a part more of the signer", signer(NULL)
    for way, value in {"none": tlv(0xA1), "no list": tlv(0xA1, sequence(NULL))}.items():
        yield f"revocation lists: {way}", framed(lambda data, value=value: {id(data.parts[CERTIFICATES]): lambda part, rest: rest(part) + value})
    yield "two signers", put(SIGNERS, lambda own: tlv(0x31, *own * 2))
    yield "no signers", put(SIGNERS, lambda own: tlv(0x31))
    for way, status in {
        "granted with changes": sequence(tlv(2, b"\1")), "refused": sequence(tlv(2, b"\2")), "negative": sequence(tlv(2, b"\xff")), "granted in words": sequence(tlv(2, b"\0"), sequence(utf8("granted"))), "granted in no words": sequence(tlv(2, b"\0"), sequence()), "granted, and why not": sequence(tlv(2, b"\0"), tlv(3, b"\7\x80")), "granted, and text": sequence(tlv(2, b"\0"), utf8("x")),
        "empty": sequence(),
    }.items():  # fmt: skip
        yield f"status {way}", {"stamp": lambda response, status=status: encode(whole := parse(response), {id(whole.parts[0]): lambda part, rest: status})}
    yield "a byte after", {"stamp": lambda response: response + b"\0"}
    yield "a part after", {"stamp": lambda response: sequence(encode(parse(response).parts[0]), encode(parse(response).parts[1]), NULL)}
    yield "the token alone", {"stamp": lambda response: encode(parse(response).parts[1])}
    yield "no token", {"stamp": lambda response: sequence(encode(parse(response).parts[0]))}


def carried() -> Iterator[tuple[str, dict]]:
    """What a time stamp carries of certificates: nobody signs which, and a careless reader takes one of them for the signer's."""

    def put(held: Callable[[list[bytes]], list[bytes]]) -> dict:
        return framed(lambda data: {id(data.parts[3]): lambda part, rest: tlv(0xA0, *held([rest(one) for one in part.parts]))})

    evil, serial = Key("evil"), tlv(2, b"\x09")

    def forged(key: Key, issuer: str, number: bytes = serial, subject: str = "others stamps", *more: bytes) -> bytes:
        extensions = [tlv(0xA3, sequence(*more))] if more else []
        return signed(sequence(tlv(0xA0, tlv(2, b"\2")), number, ECDSA_SHA256, named(issuer), sequence(utc(LONG[0]), utc(LONG[1])), named(subject), key.spki, *extensions), evil)

    yield "none", put(lambda own: [])
    yield "twice the same", put(lambda own: own * 2)
    for way, one in {
        "the root's": STAMPS_CERTIFICATE.signed(), "another authority's": CA_CERTIFICATE.signed(), "no certificate": sequence(NULL), "bytes": tlv(4, b"x"), "one of attributes": tlv(0xA1, sequence()),
        "the root's key by another, under the signer's number": forged(STAMPS_ROOT, "others stamps", STAMPER_CERTIFICATE.serial), "the root's key by another": forged(STAMPS_ROOT, "somebody"), "the root's key, its own number, wrongly signed": forged(STAMPS_ROOT, "others stamps", STAMPS_CERTIFICATE.serial),
        "the root's name, another key": forged(evil, "others stamps"), "the signer's key by another": forged(STAMPER, "somebody", serial, "others stamper"), "another key under the signer's number": forged(evil, "others stamps", STAMPER_CERTIFICATE.serial, "others stamper"),
        "the root's key with an unknown critical extension": forged(STAMPS_ROOT, "somebody", serial, "others stamps", extension("1.2.3.4", b"x", True)), "the root's key with an extension that is none": forged(STAMPS_ROOT, "somebody", serial, "others stamps", extension("1.3.6.1.5.5.7.1.1", b"x")), "the root's key under a negative number": forged(STAMPS_ROOT, "somebody", tlv(2, b"\xff")),
    }.items():  # fmt: skip
        yield f"{way} before", put(lambda own, one=one: [one, *own])
        yield f"{way} after", put(lambda own, one=one: [*own, one])


def authorities() -> Iterator[tuple[str, dict]]:
    """The certificate that signs time stamps."""
    usage, purpose = "2.5.29.15", "2.5.29.37"
    own = STAMPER_CERTIFICATE
    for way, ids in {"and code signing": (TIME_STAMPING, CODE_SIGNING), "any": ("2.5.29.37.0",), "twice": (TIME_STAMPING, TIME_STAMPING), "code signing": (CODE_SIGNING,), "none": ()}.items():
        yield f"for {way}", {"stamper": own.extended(extension(purpose, sequence(*map(oid, ids)), True), drop=(purpose,))}
    yield "for time stamping, not critical", {"stamper": own.extended(extension(purpose, sequence(oid(TIME_STAMPING))), drop=(purpose,))}
    for way, bits in {"agreement": b"\x03\x08", "certificates too": b"\x02\x84", "commitment": b"\x06\x40", "commitment too": b"\x06\xc0", "nothing": b"\0"}.items():
        yield f"used for {way}", {"stamper": own.extended(extension(usage, tlv(3, bits), True), drop=(usage,))}
    yield "with a name beside", {"stamper": own.extended(extension("2.5.29.17", sequence(uri("https://tsa.others.example"))))}
    yield "with an issuer of Fulcio's bare", {"stamper": own.extended(extension(f"{FULCIO}.8", b"xx"))}
    yield "with authority access of nothing", {"stamper": own.extended(extension("1.3.6.1.5.5.7.1.1", sequence()))}
    yield "with names constrained above", {"stamps_root": STAMPS_CERTIFICATE.extended(extension("2.5.29.30", sequence(tlv(0xA0, sequence(directory(named("others stamper"))))), True))}
    yield "as an authority", {"stamper": own.extended(extension("2.5.29.19", sequence(tlv(1, b"\xff")), True))}
    yield "on P-384 over SHA-256", {"stamper": stamping(LARGER_STAMPER, STAMPS_ROOT)}


def validities() -> Iterator[tuple[str, dict]]:
    for way, valid in {"now ended": (TIME - 86_400, TIME + 60), "ended before": (TIME - 86_400, TIME), "ended with it": (TIME - 86_400, TIME + 1), "begun with it": (TIME + 1, TIME + 86_400)}.items():
        yield f"validity {way}", {"stamper": replace(STAMPER_CERTIFICATE, valid=valid)}


def cases() -> Iterator[Case]:
    for base in ("v2-dsse", "dsse-stamped"):
        for kind, place, found in (
            ("token's content", "content", contents), ("token's content", "attributes", attributes), ("token's content", "authority", validities), ("token's frame", "frame", frames), ("token's frame", "certificates", carried), ("token's frame", "authority", authorities),
        ):  # fmt: skip
            for way, changed in found():
                yield base, kind, place, way, changed
