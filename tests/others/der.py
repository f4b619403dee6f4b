"""DER as a tree whose parts can be changed one at a time, and written again with lengths that fit.

A part is a tag and either its content or the parts in it. What an OCTET STRING or a BIT STRING holds is read as parts too,
where it is DER to its last byte: the extensions of a certificate and the content of a time stamp are packed that way.

    encode(part, {id(inner): change})   # the bytes, with `change` in the place of one part; every length around it fits
    changes(part)                       # (place, what was done, instead) for each single change of each part
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

OID, NULL, OCTET_STRING, BIT_STRING, UTF8, SEQUENCE, SET = 0x06, 0x05, 0x04, 0x03, 0x0C, 0x30, 0x31

# A change is given the part and how to encode what is in it, so that what was changed below it stays changed.
Encode = Callable[["Part"], bytes]
Instead = dict[int, Callable[["Part", Encode], bytes]]


@dataclass
class Part:
    tag: int
    content: bytes = b""
    parts: list["Part"] | None = None
    # What stands before the parts: the count of unused bits of a BIT STRING.
    prefix: bytes = field(default=b"")


class NotDer(ValueError):
    """Bytes that are no DER to their end."""


def head(content: bytes, at: int) -> tuple[int, int, int]:
    """The tag at `at`, where its content starts, and where it ends."""
    if at + 2 > len(content) or content[at] & 0x1F == 0x1F:
        raise NotDer(f"no part at {at}")
    tag, length, at = content[at], content[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or at + octets > len(content) or content[at] == 0:
            raise NotDer(f"no length at {at}")
        length, at = int.from_bytes(content[at : at + octets]), at + octets
        if length < 0x80:
            raise NotDer(f"a long length for a short one at {at}")
    if at + length > len(content):
        raise NotDer(f"a part that ends after {len(content)}")
    return tag, at, at + length


def parse(content: bytes) -> Part:
    parts = parse_all(content)
    if len(parts) != 1:
        raise NotDer(f"{len(parts)} parts")
    return parts[0]


def parse_all(content: bytes) -> list[Part]:
    parts, at = [], 0
    while at < len(content):
        tag, start, at = head(content, at)
        inner = content[start:at]
        if tag & 0x20:
            parts.append(Part(tag, parts=parse_all(inner)))
            continue
        prefix = b"\0" if tag == BIT_STRING and inner[:1] == b"\0" else b""
        try:
            packed = parse_all(inner[len(prefix) :]) if tag in (OCTET_STRING, BIT_STRING) and len(inner) > 2 else None
        except NotDer:
            packed = None
        parts.append(Part(tag, parts=packed, prefix=prefix) if packed else Part(tag, inner))
    return parts


def encode(part: Part, instead: Instead | None = None) -> bytes:
    instead = instead or {}

    def written(one: Part) -> bytes:
        if id(one) in instead:
            return instead[id(one)](one, whole)
        return whole(one)

    def whole(one: Part) -> bytes:
        return tlv(one.tag, inside(one, written))

    return written(part)


def inside(part: Part, written: Encode) -> bytes:
    return part.content if part.parts is None else part.prefix + b"".join(map(written, part.parts))


def length_of(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag: int, *content: bytes) -> bytes:
    whole = b"".join(content)
    return bytes([tag]) + length_of(len(whole)) + whole


def oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    content = bytearray()
    for number in (40 * first + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | number & 0x7F)
        content += bytes(reversed(septets))
    return tlv(OID, bytes(content))


def oid_text(content: bytes) -> str:
    numbers, number = [], 0
    for septet in content:
        number = number << 7 | septet & 0x7F
        if not septet & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2) if numbers else 0
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]])) if numbers else ""


def places(part: Part, place: str = "") -> Iterator[tuple[str, Part]]:
    """Every part, outer before inner. A place is its path by numbers, with the identifier that the part begins with, if any."""
    named = part.parts and part.parts[0].tag == OID and part.parts[0].parts is None
    here = f"{place}[{oid_text(part.parts[0].content)}]" if named else place
    yield here, part
    for number, inner in enumerate(part.parts or []):
        yield from places(inner, f"{here}.{number}" if here else str(number))


def split(encoded: bytes) -> tuple[bytes, bytes]:
    """Tag and content of what `encode` wrote."""
    _, start, _ = head(encoded, 0)
    return encoded[:1], encoded[start:]


def long_length(part: Part, whole: Encode) -> bytes:
    tag, content = split(whole(part))
    octets = length_of(len(content))
    more = octets[1:] if len(octets) > 1 else octets
    return tag + bytes([0x80 | len(more) + 1]) + b"\0" + more + content


def indefinite(part: Part, whole: Encode) -> bytes:
    tag, content = split(whole(part))
    return tag + b"\x80" + content + b"\0\0"


def with_content(change: Callable[[bytes], bytes]) -> Callable[[Part, Encode], bytes]:
    def changed(part: Part, whole: Encode) -> bytes:
        tag, content = split(whole(part))
        return tlv(tag[0], change(content))

    return changed


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def other_tag(part: Part, whole: Encode) -> bytes:
    tag, content = split(whole(part))
    return tlv(OCTET_STRING if tag[0] != OCTET_STRING else UTF8, content)


def reversed_parts(part: Part, whole: Encode) -> bytes:
    return tlv(part.tag, part.prefix, *map(whole, reversed(part.parts)))


def ways(part: Part) -> Iterator[tuple[str, Callable[[Part, Encode], bytes]]]:
    """What can be done to one part alone."""
    yield "dropped", lambda part, whole: b""
    yield "doubled", lambda part, whole: whole(part) * 2
    yield "other tag", other_tag
    yield "long length", long_length
    yield "longer", with_content(lambda content: content + b"\0")
    if part.parts is None:
        if part.content:
            yield "emptied", with_content(lambda content: b"")
            yield "first changed", with_content(lambda content: flipped(content, 0))
            yield "last changed", with_content(lambda content: flipped(content, -1))
            yield "shorter", with_content(lambda content: content[:-1])
        return
    yield "emptied", with_content(lambda content: part.prefix)
    yield "with null", with_content(lambda content: content + b"\x05\0")
    if part.tag & 0x20:
        yield "indefinite", indefinite
    if len(part.parts) > 1:
        yield "reversed", reversed_parts


def changes(part: Part) -> Iterator[tuple[str, str, Instead]]:
    for place, inner in places(part):
        for way, change in ways(inner):
            yield place or "whole", way, {id(inner): change}
