"""The signer's certificate: its names, its subject, its fields and its extensions.

The authority signs each of them, and the log of certificates promises it, so that only what reads the certificate stands between
it and a yes. Where the name is another, the question asks for that one: what is looked for is a name that one client takes and
another does not, or that two read as two.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from der import Instead, Part, oid, tlv
from world import (
    AFTER_S, BEFORE_S, CA, CODE_SIGNING, ISSUER, NAME, SIGNER, TIME, TIME_STAMPING,
    Case, extension, generalized, key_id, named, sequence, utc, utf8,
)  # fmt: skip

ALTERNATIVE, USAGE, PURPOSE, KEY_ID, ABOVE_ID = "2.5.29.17", "2.5.29.15", "2.5.29.37", "2.5.29.14", "2.5.29.35"
FULCIO = "1.3.6.1.4.1.57264.1"
NULL = b"\5\0"

# URIs that Go writes as they are, and ones that it writes otherwise or does not read.
URIS = (
    "https://x.example/a%2Fb/%c3%a4/[x]?q=%20&r=?#f", "https://u:p@x.example:8080/", "https://[2001:db8::1]:443/a", "https://[::ffff:1.2.3.4]/a", "https://[fe80::1%25en0]/",
    "https://[::1", "https://a_b.example/a", "https://a~b.example/", "https://~/", "https://_/", "https://-x/", "https://x-/", "https://x.example./a", "https://*/a", "https://127.0.0.1/",
    "https://x y/", "https://x/%zz", "https://x/%", "https://x/%2", "https://x/%41", "HTTPS://x/", "https://X.example/", "https://x/\nevil", "https://x/\tevil", "https://x.example:port/a", "https://x:0/", "https://x:99999999/", "https://x:/",
    "https://x.example/a?q=1#f", "https://x.example/a#", "https://x.example/a?", "https://x.example?q", "https://x.example#f", "https://x/a#f/g?h", "https://x/a#%41", "https://x/a#[x]", "https://x/?#f",
    "https://x.example/a;b=1,c!$&'()*+", "https://x.example/@", "https://x.example/a:b", "https://x/a[", "https://x/]", "https://x/*", "https://x/.", "https://x/../a", "https://x/./a", "https://x//", "https://h//a", 'https://x/"a"', "https://x/<a>", "https://x/\\a", "https://x/a^b",
    "https://u@x/", "https://:p@x/", "https://u:@x/", "https://@x/", "https://u:p:q@x/", "https://", "https:///a", "//x/a", "/a", "foo/bar", "a", "?q", "#f",
    "spiffe://x.example/a", "file:///a", "mailto:a@b.example", "urn:uuid:0000", "x:y", "x:/y", "x:////a", "x:a%20b", "x:a/b:c", "x:@", "x:?q", "x:a?q#f", "x:#f", "x:y#", "x.y+z-1:a", "1x:a", "*:a", ":a",
)  # fmt: skip


def uri(text: str | bytes) -> bytes:
    return tlv(0x86, text.encode() if isinstance(text, str) else text)


def email(text: str | bytes) -> bytes:
    return tlv(0x81, text.encode() if isinstance(text, str) else text)


def other_name(value: bytes, id: str = f"{FULCIO}.7") -> bytes:
    return tlv(0xA0, oid(id), tlv(0xA0, value))


def dns(text: bytes) -> bytes:
    return tlv(0x82, text)


def address(octets: bytes) -> bytes:
    return tlv(0x87, octets)


def directory(name: bytes) -> bytes:
    return tlv(0xA4, name)


def alternative(*names: bytes, critical: bool = True, after: bytes = b"") -> bytes:
    return extension(ALTERNATIVE, sequence(*names) + after, critical)


def instead(id: str, *more: bytes) -> dict:
    """Other extensions in the place of one of the signer's; none there, where no other is given."""
    return {"signer": lambda draft: draft.extended(*more, drop=(id,))}


def beside(*more: bytes) -> dict:
    """More extensions of the signer's."""
    return {"signer": lambda draft: draft.extended(*more)}


def called(identity: str, *names: bytes) -> dict:
    """Other names, and the question asks for `identity`."""
    return {**instead(ALTERNATIVE, alternative(*names)), "identity": identity}


def names() -> Iterator[tuple[str, dict]]:
    for text in URIS:
        yield f"URI {text!r}", called(text, uri(text))
    for length in (70, 300, 3000):
        yield f"URI with a host of {length}", called(text := f"https://{'a' * length}/", uri(text))
    yield "URI in upper case, asked for in lower", called("https://x/", uri("HTTPS://x/"))
    yield "URI with an escape, asked for without", called("https://x/A", uri("https://x/%41"))
    yield "URI with an empty fragment, asked for without", called("https://x.example/a", uri("https://x.example/a#"))
    yield "URI with a null, asked for up to it", called("https://x/", uri("https://x/\0evil"))
    yield "URI in Latin-1", called("https://x/ä", uri("https://x/ä".encode("latin-1")))
    yield "URI in UTF-8", called("https://x/ä", uri("https://x/ä"))
    for text in ("a@b.example", "noat", "@b.example", "a@", "a@b@c.example", "a b@c.example", '"a b"@c.example', "a@b.example.", "ä@b.example", "A <a@b.example>", "a@b.example\n"):
        yield f"address {text!r}", called(text, email(text))
    yield "address in another case than asked for", called("a@b.example", email("A@B.example"))
    yield "address with a null, asked for up to it", called("a@b.example", email("a@b.example\0.evil"))
    for way, value in {
        "UTF-8": utf8("bob"), "IA5": tlv(0x16, b"bob"), "printable": tlv(0x13, b"bob"), "an octet string": tlv(4, b"bob"), "two values": utf8("bob") + utf8("eve"), "no UTF-8": tlv(0x0C, b"bob\xff"),
        "a null in it": utf8("bob\0x"), "a sequence": sequence(utf8("bob")),
    }.items():  # fmt: skip
        yield f"name of Fulcio's as {way}", called("bob", other_name(value))
    yield "name of Fulcio's of two lines", called("bob\n\x1b[31mevil", other_name(utf8("bob\n\x1b[31mevil")))
    yield "another name than Fulcio's", called("bob", other_name(utf8("bob"), f"{FULCIO}.9"))
    yield "DNS name", called("x.example", dns(b"x.example"))
    yield "IP address", called("127.0.0.1", address(b"\x7f\0\0\1"))
    yield "IP address of 5 bytes beside", called(NAME, uri(NAME), address(b"\x7f\0\0\1\1"))
    good = uri(NAME)
    for way, other in {
        "another URI": uri("https://evil.example/"), "an address": email("a@b.example"), "a DNS name": dns(b"x.example"), "an IP address": address(b"\x7f\0\0\1"), "a directory name": directory(named("x")),
        "a name of Fulcio's": other_name(utf8("bob")), "a registered identifier": tlv(0x88, b"\x2a\3"), "an X.400 address": tlv(0xA3), "a name of no known kind": tlv(0x89, b"x"),
    }.items():  # fmt: skip
        yield f"{way} beside", called(NAME, good, other)
        yield f"{way} before", called(NAME, other, good)
    yield "the same beside", called(NAME, good, good)
    yield "not critical", instead(ALTERNATIVE, alternative(good, critical=False))
    yield "with bytes after", instead(ALTERNATIVE, alternative(good, after=b"\0\0"))
    yield "in two extensions", beside(alternative(uri("https://evil.example/")))
    yield "none of an empty extension", instead(ALTERNATIVE, alternative())
    yield "none", instead(ALTERNATIVE)


def issuers() -> Iterator[tuple[str, dict]]:
    old, new = f"{FULCIO}.1", f"{FULCIO}.8"
    yield "in the older extension alone", instead(new)
    yield "in the newer extension alone", instead(old)
    yield "in neither", {"signer": lambda draft: draft.extended(drop=(old, new))}
    for way, value in {
        "another": utf8("https://other"), "as IA5": tlv(0x16, ISSUER.encode()), "as printable": tlv(0x13, ISSUER.encode()), "as bare text": ISSUER.encode(), "with a byte after": utf8(ISSUER) + b"\0",
        "empty": utf8(""), "no UTF-8": tlv(0x0C, ISSUER.encode() + b"\xff"), "with a null": utf8(ISSUER + "\0"), "in two strings": utf8(ISSUER) * 2, "with a long length": b"\x0c\x81" + bytes([len(ISSUER)]) + ISSUER.encode(),
    }.items():  # fmt: skip
        yield f"{way} in the newer extension", instead(new, extension(new, value))
    for way, value in {"another": b"https://other", "empty": b"", "a string": utf8(ISSUER), "no UTF-8": b"\xff\xfe", "with a null": ISSUER.encode() + b"\0"}.items():
        yield f"{way} in the older extension", instead(old, extension(old, value))
    yield "in a critical extension", instead(new, extension(new, utf8(ISSUER), True))
    for number, value in {
        3: (b"\xff\xfe", b"", b"abc"), 7: (b"zz", utf8("bob")), 9: (b"abc", tlv(0x13, b"abc"), utf8("")), 10: (tlv(0x0C, b"\xff"),), 15: (tlv(2, b"\5"), utf8("5")), 23: (b"zz", utf8("x")), 24: (b"zz", b""), 99: (b"zz",),
    }.items():  # fmt: skip
        for one in value:
            yield f"and claim {number} of {one!r}", beside(extension(f"{FULCIO}.{number}", one))


def subjects() -> Iterator[tuple[str, bytes]]:
    def attribute(tag: int, value: bytes, id: str = "2.5.4.3") -> bytes:
        return sequence(tlv(0x31, sequence(oid(id), tlv(tag, value))))

    for name, tag, values in (
        ("UTF8String", 0x0C, (b"x", b"\xff", b"")), ("PrintableString", 0x13, (b"x", b"a@b", b"*&", b"_", b"\xe4")), ("T61String", 0x14, (b"x\xe4",)), ("BMPString", 0x1E, (b"\0x", b"x", b"\xd8\0", b"\0x\0\0")),
        ("NumericString", 0x12, (b"12", b"ab")), ("IA5String", 0x16, (b"x", b"\xff")), ("UniversalString", 0x1C, (b"\0\0\0x",)), ("VisibleString", 0x1A, (b"x",)), ("INTEGER", 2, (b"\5",)), ("NULL", 5, (b"",)),
        ("OCTET STRING", 4, (b"x",)), ("SEQUENCE", 0x30, (b"",)), ("BOOLEAN", 1, (b"\xff", b"\5")), ("BIT STRING", 3, (b"\0x",)), ("OBJECT IDENTIFIER", 6, (b"\x2a\3\4",)), ("no universal type", 0x80, (b"x",)),
        ("GeneralizedTime", 0x18, (b"20260101000000Z",)), ("UTCTime", 0x17, (b"x",)),
    ):  # fmt: skip
        for value in values:
            yield f"{name} {value!r}", attribute(tag, value)
    one, two = (sequence(oid("2.5.4.3"), utf8(text)) for text in "ab")
    yield "an empty set", sequence(tlv(0x31))
    yield "two sets", sequence(tlv(0x31, one), tlv(0x31, two))
    yield "two in a set", sequence(tlv(0x31, one, two))
    yield "two in a set out of order", sequence(tlv(0x31, two, one))
    yield "a value and more", sequence(tlv(0x31, sequence(oid("2.5.4.3"), utf8("a"), NULL)))
    yield "no value", sequence(tlv(0x31, sequence(oid("2.5.4.3"))))
    yield "a type of two bytes", attribute(0x0C, b"x", "1.2.3")
    yield "a country of three letters", attribute(0x13, b"ABC", "2.5.4.6")
    yield "an address", attribute(0x16, b"a@b", "1.2.840.113549.1.9.1")
    yield "the issuer's", named("others authority")


def fields() -> Iterator[tuple[str, Callable[[Part], Instead]]]:
    def put(number: int, value: bytes) -> Callable[[Part], Instead]:
        return lambda tbs: {id(tbs.parts[number]): lambda part, whole: value}

    for way, value in {"negative": b"\xff", "0": b"\0", "of 20 bytes": b"\1" * 20, "of 21 bytes": b"\1" * 21, "of 200 bytes": b"\1" * 200, "padded": b"\0\1"}.items():
        yield f"serial {way}", put(1, tlv(2, value))
    for number, value in {"1": b"", "1 in words": tlv(0xA0, tlv(2, b"\0")), "2": tlv(0xA0, tlv(2, b"\1")), "4": tlv(0xA0, tlv(2, b"\3"))}.items():
        yield f"version {number}", put(0, value)
    yield "unique identifiers", lambda tbs: {id(tbs.parts[6]): lambda part, whole: whole(part) + tlv(0x81, b"\0x") + tlv(0x82, b"\0y")}
    begin, end = TIME - BEFORE_S, TIME + AFTER_S
    for way, (first, last) in {
        "as GeneralizedTime before 2050": (generalized(begin), generalized(end)), "without seconds": (tlv(0x17, b"2512312359Z"), tlv(0x17, b"2601010009Z")), "without a zone": (tlv(0x17, b"251231235900"), utc(end)),
        "in another zone": (tlv(0x17, b"260101005900+0100"), utc(end)), "the wrong way round": (utc(end), utc(begin)), "of one second": (utc(TIME), utc(TIME)), "to 9999": (utc(begin), tlv(0x18, b"99991231235959Z")), "from 1950": (tlv(0x17, b"500101000000Z"), utc(end)),
        "from the year 0": (tlv(0x18, b"00000101000000Z"), utc(end)), "with a fraction": (utc(begin), tlv(0x18, b"20260101000900.5Z")), "with a leap second": (tlv(0x17, b"251231235860Z"), utc(end)), "to a 30th of February": (utc(begin), tlv(0x17, b"260230000000Z")),
    }.items():  # fmt: skip
        yield f"validity {way}", put(4, sequence(first, last))


def other_extensions() -> Iterator[tuple[str, bytes]]:
    """Extensions that a certificate may have beside its own: each whole and in forms that no parser need take."""
    access, place = oid("1.3.6.1.5.5.7.48.2"), uri("http://x/")
    policy, points = sequence(oid(f"{FULCIO}.99.1")), lambda *inner: sequence(sequence(*inner))
    for id, name, values in (
        ("1.2.3.4", "unknown", {"bare": b"xx", "empty": b""}),
        ("1.3.6.1.5.5.7.1.1", "authority access", {"good": points(access, place), "empty": sequence(), "bare": b"xx", "of no URI": points(access, uri("http://[x")), "of Latin-1": points(access, uri(b"http://\xff")), "with more": points(access, place, NULL)}),
        ("1.3.6.1.5.5.7.1.11", "subject access", {"good": points(oid("1.3.6.1.5.5.7.48.5"), place), "empty": sequence(), "bare": b"xx"}),
        ("2.5.29.31", "revocation points", {"good": points(tlv(0xA0, tlv(0xA0, place))), "empty": sequence(), "of an empty one": points(), "bare": b"xx", "of Latin-1": points(tlv(0xA0, tlv(0xA0, uri(b"http://\xff")))), "of no URI": points(tlv(0xA0, tlv(0xA0, uri("http://[x")))),
            "relative": points(tlv(0xA0, tlv(0xA1, sequence(oid("2.5.4.3"), utf8("x"))))), "of reasons": points(tlv(0x81, b"\1\6")), "with more": points(tlv(0xA0, tlv(0xA0, place)), NULL)}),
        ("2.5.29.32", "policies", {"good": sequence(policy), "any": points(oid("2.5.29.32.0")), "of a short name": points(oid("1.2.3")), "of two": sequence(policy, sequence(oid("2.23.140.1.2.1"))), "twice the same": sequence(policy, policy), "empty": sequence(), "bare": b"xx", "with more": points(oid(f"{FULCIO}.99.1"), NULL),
            "qualified": points(oid(f"{FULCIO}.99.1"), points(oid("1.3.6.1.5.5.7.2.1"), tlv(0x16, b"http://x")))}),
        ("2.5.29.33", "policy mappings", {"good": points(oid(f"{FULCIO}.99.1"), oid(f"{FULCIO}.99.2")), "of any": points(oid("2.5.29.32.0"), oid(f"{FULCIO}.99.2")), "empty": sequence(), "bare": b"xx"}),
        ("2.5.29.36", "policy constraints", {"of 0": sequence(tlv(0x80, b"\0")), "of 5": sequence(tlv(0x80, b"\5")), "on mappings": sequence(tlv(0x81, b"\0")), "negative": sequence(tlv(0x80, b"\xff")), "large": sequence(tlv(0x80, b"\x7f" * 9)), "out of order": sequence(tlv(0x81, b"\0"), tlv(0x80, b"\0")), "empty": sequence(), "bare": b"xx"}),
        ("2.5.29.54", "any policy inhibited", {"at 0": tlv(2, b"\0"), "at less": tlv(2, b"\xff"), "bare": b"xx"}),
        ("2.5.29.18", "issuer's names", {"good": sequence(place), "bare": b"xx"}), ("2.5.29.46", "freshest list", {"bare": b"xx"}), ("2.5.29.9", "subject's attributes", {"bare": b"xx"}), ("2.5.29.16", "key's period", {"bare": b"xx"}),
        ("1.3.6.1.5.5.7.1.7", "address blocks", {"good": points(tlv(4, b"\0\1"), NULL), "bare": b"xx"}), ("1.3.6.1.5.5.7.1.8", "system numbers", {"good": sequence(tlv(0xA0, NULL)), "bare": b"xx"}), ("1.3.6.1.5.5.7.1.3", "statements of quality", {"bare": b"xx"}),
        ("1.3.6.1.5.5.7.1.24", "features of TLS", {"bare": b"xx"}), ("1.3.6.1.5.5.7.48.1.5", "no revocation of a responder", {"good": NULL}), ("2.16.840.1.113730.1.1", "Netscape's type", {"bare": b"xx"}), ("1.3.6.1.4.1.11129.2.4.3", "poison", {"good": NULL, "bare": b"xx"}),
    ):  # fmt: skip
        for way, value in values.items():
            yield f"{name} {way}", extension(id, value)
        first = next(iter(values.values()))
        yield f"{name} {next(iter(values))}, critical", extension(id, first, True)


def extensions() -> Iterator[tuple[str, dict]]:
    for way, one in other_extensions():
        yield way, beside(one)
    purposes = {"any": ("2.5.29.37.0",), "and time stamping": (CODE_SIGNING, TIME_STAMPING), "twice": (CODE_SIGNING, CODE_SIGNING), "and a short one": (CODE_SIGNING, "1.2.3"), "none": ()}
    for way, ids in purposes.items():
        yield f"purpose {way}", instead(PURPOSE, extension(PURPOSE, sequence(*map(oid, ids))))
    yield "purpose critical", instead(PURPOSE, extension(PURPOSE, sequence(oid(CODE_SIGNING)), True))
    for way, bits in {"of authorities too": b"\x02\x84", "of nothing": b"\0", "of nine bits": b"\x07\x80\x80", "of encipherment": b"\x05\x20", "with unused bits set": b"\x07\x81", "not the shortest": b"\x06\x80", "without bytes": b""}.items():
        yield f"usage {way}", instead(USAGE, extension(USAGE, tlv(3, bits), True))
    for way, value in {"no authority": sequence(), "no authority in words": sequence(tlv(1, b"\0")), "an authority": sequence(tlv(1, b"\xff")), "true in another byte": sequence(tlv(1, b"\1")), "a length for none": sequence(tlv(2, b"\0")), "a negative length": sequence(tlv(2, b"\xff"))}.items():
        yield f"constraints of {way}", beside(extension("2.5.29.19", value, True))
    above = sequence(tlv(0x80, key_id(CA)))
    for way, value in {
        "critical": above, "of another key": sequence(tlv(0x80, bytes(20))), "and name and serial": sequence(tlv(0x80, key_id(CA)), tlv(0xA1, directory(named("others root"))), tlv(0x82, b"\5")), "a name without a serial": sequence(tlv(0xA1, directory(named("others root")))), "empty": sequence(),
        "with more": sequence(tlv(0x80, b"x"), NULL),
    }.items():  # fmt: skip
        yield f"authority's key {way}", instead(ABOVE_ID, extension(ABOVE_ID, value, way == "critical"))
    yield "own key critical", instead(KEY_ID, extension(KEY_ID, tlv(4, key_id(SIGNER)), True))
    yield "own key empty", instead(KEY_ID, extension(KEY_ID, tlv(4, b"")))
    yield "names constrained", beside(extension("2.5.29.30", sequence(tlv(0xA0, sequence(dns(b"x")))), True))


def cases() -> Iterator[Case]:
    for kind, place, found in (("signer's name", "name", names), ("signer's name", "issuer", issuers), ("signer's extension", "extension", extensions)):
        for way, changed in found():
            yield "dsse", kind, place, way, changed
    for way, subject in subjects():
        yield "dsse", "signer's field", "subject", way, {"signer": lambda draft, subject=subject: replace(draft, subject=subject)}
    for way, leaf in fields():
        yield "dsse", "signer's field", "field", way, {"leaf": leaf}
