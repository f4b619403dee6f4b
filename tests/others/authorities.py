"""The certificates of authorities, needed or not: the extensions they may have, and the names they allow below them.

The trusted root holds them, so nothing signs them that could refuse first. A constraint on names is asked with names of each
kind: the signer's own, an address, a name of Fulcio's, and URIs that a host is read from in one way or another.
"""

from collections.abc import Iterator
from dataclasses import replace

import certificates
from certificates import FULCIO, address, alternative, called, directory, dns, email, other_extensions, other_name, uri
from der import oid, tlv
from world import (
    CA_CERTIFICATE, LONG, NAME, ROOT_CERTIFICATE, SCTS, STAMPER_CERTIFICATE, STAMPS_CERTIFICATE,
    Case, Draft, Key, Promise, extension, named, self_issued, sequence, trusted_authority, utf8, vector,
)  # fmt: skip

CONSTRAINTS = "2.5.29.30"


def constrained(allowed: tuple[bytes, ...] = (), refused: tuple[bytes, ...] = (), critical: bool = True) -> bytes:
    trees = [tlv(tag, *map(sequence, names)) for tag, names in ((0xA0, allowed), (0xA1, refused)) if names]
    return extension(CONSTRAINTS, sequence(*trees), critical)


def constraints() -> Iterator[tuple[str, bytes]]:
    """Constraints that the signer's own name is held to."""
    for way, name in {
        "its host": uri("others.example"), "hosts below its host": uri(".others.example"), "hosts below its domain": uri(".example"), "its domain": uri("example"), "another host": uri("evil.example"), "its host in another case": uri("OTHERS.example"), "its host and a port": uri("others.example:80"),
        "no URI": uri(""), "an IP address as a URI": uri("1.2.3.4"), "its whole name": uri(NAME), "its host as a DNS name": dns(b"others.example"), "a DNS name": dns(b"x.example"), "a DNS name with a dot behind": dns(b"x."), "an address": email("x.example"), "no address": email("a@b@c"),
        "a directory name": directory(named("x")), "every directory name": directory(sequence()), "every IP address": address(bytes(8)), "an IP address with a mask of holes": address(b"\1\2\3\4\xff\0\xff\0"), "an IP address without a mask": address(b"\1\2\3\4"), "another kind of name": other_name(utf8("x"), "1.2.3.4"), "Fulcio's kind of name": other_name(utf8("bob")),
        "a registered identifier": tlv(0x88, b"\x2a\3"), "a name from the second level": uri("others.example") + tlv(0x80, b"\1"),
    }.items():  # fmt: skip
        yield f"allows {way}", constrained((name,))
        yield f"refuses {way}", constrained((), (name,))
    for way, name in {"its host": uri("others.example"), "another host": uri("evil.example"), "a DNS name": dns(b"x"), "a directory name": directory(named("x"))}.items():
        yield f"allows {way}, not critical", constrained((name,), critical=False)
    yield "allows and refuses its host", constrained((uri("others.example"),), (uri("others.example"),))
    yield "allows two hosts", constrained((uri("evil.example"), uri("others.example")))
    yield "says nothing", extension(CONSTRAINTS, sequence(), True)
    yield "says nothing, not critical", extension(CONSTRAINTS, sequence())
    yield "says it bare", extension(CONSTRAINTS, b"xx", True)
    yield "allows an empty list", extension(CONSTRAINTS, sequence(tlv(0xA0)), True)


def under_constraints() -> Iterator[tuple[str, dict]]:
    """Other names of the signer, each below constraints that may meet them."""
    held = {
        "allows a host": constrained((uri("others.example"),)), "allows another host": constrained((uri("evil.example"),)), "refuses another host": constrained((), (uri("evil.example"),)), "allows an address's host": constrained((email("x.example"),)),
        "refuses a DNS name": constrained((), (dns(b"others.example"),)),
    }  # fmt: skip
    asked = {
        "an address": called("a@b.example", email("a@b.example")), "a name of Fulcio's": called("bob", other_name(utf8("bob"))), "a URI without a host": called("urn:x", uri("urn:x")),
    }  # fmt: skip
    for way, host in {"of an IP address": "1.2.3.4", "in another case": "OTHERS.example", "below the host": "a.others.example", "with a port": "others.example:80", "with a user": "a@others.example", "of an IPv6 address": "[2001:db8::1]"}.items():
        asked[f"a URI {way}"] = called(f"https://{host}/", uri(f"https://{host}/"))
    for way, one in held.items():
        for name, changed in asked.items():
            yield f"{way}, above {name}", {**changed, "ca": CA_CERTIFICATE.extended(one)}
    for way, one in {
        "allows its host": constrained((email("b.example"),)), "allows hosts below its domain": constrained((email(".example"),)), "allows it": constrained((email("a@b.example"),)), "allows another in its host": constrained((email("c@b.example"),)), "allows another host": constrained((email("c.example"),)),
        "refuses its host": constrained((), (email("b.example"),)), "refuses it": constrained((), (email("a@b.example"),)), "refuses another host": constrained((), (email("c.example"),)),
    }.items():  # fmt: skip
        for text in ("a@b.example", "A@B.example", "noat"):
            yield f"{way}, above the address {text}", {**called(text, email(text)), "ca": CA_CERTIFICATE.extended(one)}


def above() -> Iterator[tuple[str, bytes]]:
    """Extensions of an authority."""
    yield from other_extensions()
    for way, one in {"good": (uri("https://x/"),), "empty": ()}.items():
        yield f"names {way}", alternative(*one, critical=False)
    yield "names good, critical", alternative(uri("https://x/"))
    yield "names bare", extension(certificates.ALTERNATIVE, b"xx")
    yield "an issuer bare", extension(f"{FULCIO}.8", b"xx")


def lengths() -> Iterator[tuple[str, dict]]:
    """How long a path an authority allows below it."""
    basic = "2.5.29.19"
    for way, value in {"0": tlv(2, b"\0"), "1": tlv(2, b"\1"), "less than none": tlv(2, b"\xff"), "nine bytes": tlv(2, b"\x7f" * 9), "a name": oid("1.2.3"), "two numbers": tlv(2, b"\1") * 2}.items():
        one = extension(basic, sequence(tlv(1, b"\xff"), value), True)
        for member, draft in (("ca", CA_CERTIFICATE), ("above", ROOT_CERTIFICATE)):
            yield f"{member} with a length of {way}", {member: draft.extended(one, drop=(basic,))}


def unneeded() -> Iterator[tuple[str, str, dict]]:
    """An authority beside the one that is needed: nobody is issued under it, and it is read all the same."""
    key, identifier = Key("an authority beside"), "2.5.29.14"
    own = Draft("beside", named("beside"), LONG, key, self_issued(key), key)
    for way, draft in {
        "good": own, "of two same extensions": own.extended(extension(identifier, tlv(4, b"\1"))), "of a name that is no text": replace(own, subject=sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x16, b"\xe4"))))), **{
            f"with {what}": own.extended(one, drop=(identifier,)) for what, one in {
                "information access of nothing": extension("1.3.6.1.5.5.7.1.1", sequence()), "an identifier with a byte after": extension(identifier, tlv(4, b"\1\0")[:3] + b"\1\0"), "a constraint on a name with a dot behind": constrained((dns(b"x."),), critical=False), "a constraint on an address that is none": constrained((email("a@b@c"),), critical=False),
                "a constraint on an IP address as a URI": constrained((uri("1.2.3.4"),), critical=False), "a constraint on a URI": constrained((uri(".x.example"),)), "a policy twice": extension("2.5.29.32", sequence(*[sequence(oid("1.2.3"))] * 2)), "an unknown critical extension": extension("1.2.3.4", b"x", True),
                "a demand for policies": extension("2.5.29.36", sequence(tlv(0x80, b"\0")), True), "a usage that is none": extension("2.5.29.37", tlv(4, b"x")), "a URI that is none": alternative(uri("https://[::1"), critical=False),
            }.items()
        },
    }.items():  # fmt: skip
        beside = trusted_authority("beside", draft)
        for member in ("certificateAuthorities", "timestampAuthorities"):
            yield member, way, {"root": lambda root, member=member, beside=beside: {**root, member: [*root[member], beside]}}


def cases() -> Iterator[Case]:
    for member, draft in (("ca", CA_CERTIFICATE), ("above", ROOT_CERTIFICATE)):
        for way, one in above():
            yield "dsse", "authority's extension", member, way, {member: draft.extended(one)}
        for way, one in constraints():
            yield "dsse", "name constraint", member, way, {member: draft.extended(one)}
    for way, value in {
        "bare": b"xx", "of bytes": tlv(4, b"xx"), "of an empty list": tlv(4, vector(b"")), "of an empty one": tlv(4, vector(vector(b""))), "of one that is none": tlv(4, vector(vector(b"xx"))), "of one": tlv(4, vector(vector(Promise().stands(b"")))),
    }.items():  # fmt: skip
        one = extension(SCTS, value)
        yield "dsse", "authority's extension", "ca", f"promises {way}", {"ca": CA_CERTIFICATE.extended(one)}
        yield "dsse", "authority's extension", "above", f"promises {way}", {"above": ROOT_CERTIFICATE.extended(one)}
    for base, member, draft in (
        ("dsse", "ca", CA_CERTIFICATE), ("dsse", "above", ROOT_CERTIFICATE), ("dsse-stamped", "stamper", STAMPER_CERTIFICATE), ("dsse-stamped", "stamps_root", STAMPS_CERTIFICATE),
    ):  # fmt: skip
        for way, name in {
            "a URI": uri("https://x.example/"), "a URI that is none": uri("https://[::1"), "a URI in Latin-1": uri(b"http://\xff"), "a URI in upper case": uri("HTTPS://X/#"), "a relative URI": uri("a"), "no URI": uri(""), "an address": email("a@x.example"), "an address in Latin-1": email(b"\xe4@x"),
            "a DNS name": dns(b"x.example"), "a DNS name in Latin-1": dns(b"\xe4"), "an IP address": address(b"\x0a\0\0\1"), "an IP address of 5 bytes": address(b"\1\2\3\4\5"), "a directory name": directory(named("x")),
        }.items():  # fmt: skip
            yield base, "authority's extension", member, f"is called {way}", {member: draft.extended(alternative(name, critical=False))}
    for member, way, changed in unneeded():
        yield "dsse", "authority beside", member, way, changed
    for way, changed in lengths():
        yield "dsse", "authority's extension", "path", way, changed
    for way, changed in under_constraints():
        yield "dsse", "name constraint", "ca", way, changed
