"""JSON as text that may be wrong: each member dropped, of another type, doubled or changed, and the same bytes otherwise written.

A document is kept as it was written: an object is the list of its members in order, so that a name can stand there twice,
and a number keeps its digits. `mutants(document)` gives (place, what was done, bytes).
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator

# What a value of one type is replaced by.
OTHER_TYPES = {"null": None, "number": 1, "text": "x", "true": True, "list": [], "object": {}}


class Members(list):
    """An object: its members in order, each a name and a value."""


class Raw(str):
    """A value that is written as it stands."""


def parse(text: bytes | str) -> object:
    return json.loads(text, object_pairs_hook=Members, parse_int=Raw, parse_float=Raw)


def render(value: object) -> str:
    if isinstance(value, Members):
        return "{" + ",".join(f"{name if isinstance(name, Raw) else json.dumps(name, ensure_ascii=False)}:{render(inner)}" for name, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(render, value)) + "]"
    return value if isinstance(value, Raw) else json.dumps(value, ensure_ascii=False)


def walk(value: object, place: tuple = ()) -> Iterator[tuple[tuple, object]]:
    yield place, value
    if isinstance(value, Members):
        for number, (_, inner) in enumerate(value):
            yield from walk(inner, (*place, number))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from walk(inner, (*place, number))


def at(value: object, place: tuple) -> object:
    for number in place:
        value = value[number][1] if isinstance(value, Members) else value[number]
    return value


def name_of(document: object, place: tuple) -> str:
    words, value = [], document
    for number in place:
        if isinstance(value, Members):
            words.append(str(value[number][0]))
            value = value[number][1]
        else:
            words.append(str(number))
            value = value[number]
    return "/".join(words) or "whole"


def spliced(value: object, place: tuple, instead: list) -> object:
    """The document with the entry at `place` replaced by these entries: members (name, value), or elements."""
    number, *rest = place
    copy = type(value)(value)
    if not rest:
        copy[number : number + 1] = instead
    elif isinstance(value, Members):
        copy[number] = (value[number][0], spliced(value[number][1], tuple(rest), instead))
    else:
        copy[number] = spliced(value[number], tuple(rest), instead)
    return copy


def replaced(document: object, place: tuple, value: object) -> object:
    if not place:
        return value
    parent = at(document, place[:-1])
    entry = (parent[place[-1]][0], value) if isinstance(parent, Members) else value
    return spliced(document, place, [entry])


def find(document: object, *names: object) -> tuple:
    """The place of a value by the names of members and the numbers of elements; KeyError where there is none."""
    place, value = (), document
    for name in names:
        if isinstance(value, Members):
            number = next((number for number, (found, _) in enumerate(value) if found == name), None)
            if number is None:
                raise KeyError(name)
            value = value[number][1]
        elif isinstance(value, list) and isinstance(name, int) and name < len(value):
            number, value = name, value[name]
        else:
            raise KeyError(name)
        place = (*place, number)
    return place


def decoded(text: str) -> bytes | None:
    """What standard base64 holds; None where the text is none, or so short that it may be a word."""
    if len(text) < 12 or len(text) % 4:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def trailing_bits(text: str) -> str | None:
    """The same bytes in base64 that sets a bit which no byte uses."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bare = text.rstrip("=")
    if bare == text:
        return None
    return bare[:-1] + alphabet[alphabet.index(bare[-1]) ^ 1] + "=" * (len(text) - len(bare))


def flips(content: bytes) -> Iterator[tuple[str, bytes]]:
    for name, where in (("first bit", 0), ("middle bit", len(content) // 2), ("last bit", len(content) - 1)):
        changed = bytearray(content)
        changed[where] ^= 1
        yield name, bytes(changed)
    yield "byte less", content[:-1]
    yield "byte more", content + b"\0"


def texts(text: str) -> Iterator[tuple[str, object]]:
    """What can be done to a string."""
    yield "emptied", ""
    yield "a letter more", text + "x"
    yield "a space more", text + " "
    yield "a newline more", text + "\n"
    yield "a null more", text + "\0"
    if text:
        yield "a letter less", text[:-1]
        yield "upper case", text.upper()
        yield "in a list", [text]
        yield "escaped", Raw('"' + "".join(f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else letter for letter in text) + '"')
    if text.lstrip("-").isdigit():
        yield "as a number", Raw(text)
        yield "one more", str(int(text) + 1)
        yield "zero", "0"
        yield "negative", f"-{text}"
        yield "with a plus", f"+{text}"
        yield "with a leading zero", f"0{text}"
        yield "with a fraction", Raw(f"{text}.0")
        yield "with an exponent", Raw(f"{text}e0")
        yield "as text with an exponent", f"{text}e0"
        yield "above 32 bits", str(int(text) + 2**32)
        yield "above 64 bits", str(int(text) + 2**64)
        return
    content = decoded(text)
    if content is not None:
        for name, changed in flips(content):
            yield name, encoded(changed)
        yield "without padding", text.rstrip("=")
        yield "URL-safe", text.replace("+", "-").replace("/", "_")
        yield "with line feeds", "\n".join(text[start : start + 64] for start in range(0, len(text), 64)) + "\n"
        yield "with a space inside", text[:4] + " " + text[4:]
        if (bits := trailing_bits(text)) is not None:
            yield "with unused bits", bits
    elif text:
        yield "another letter", text[:-1] + ("x" if text[-1] != "x" else "y")
    if "\n" in text.strip():
        yield from notes(text)


def notes(text: str) -> Iterator[tuple[str, object]]:
    """What can be done to the lines of a signed note."""
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1]):
        without = lines[:number] + lines[number + 1 :]
        yield f"line {number} dropped", "\n".join(without)
        yield f"line {number} doubled", "\n".join([*lines[: number + 1], *lines[number:]])
        yield f"line {number} longer", "\n".join([*lines[:number], f"{line} x", *lines[number + 1 :]])
    yield "with CRLF", text.replace("\n", "\r\n")
    yield "without its last newline", text.rstrip("\n")
    yield "with an extension line", text.replace("\n\n", "\nextension\n\n", 1)
    signature = next((line for line in lines if line.startswith("\u2014 ")), None)
    if signature:
        name, _, packed = signature[2:].rpartition(" ")
        content = base64.b64decode(packed)
        changed = f"\u2014 {name} {encoded(bytes([content[0] ^ 1]) + content[1:])}"
        yield "with a signature of an unknown key", text + changed + "\n"
        yield "with a signature of an unknown key before", text.replace(signature, changed + "\n" + signature, 1)
        yield "with the key's number changed", text.replace(signature, changed)
        yield "with the signature changed", text.replace(signature, f"\u2014 {name} {encoded(content[:-1] + bytes([content[-1] ^ 1]))}")
        yield "with the signature twice, once changed", text + f"\u2014 {name} {encoded(content[:-1] + bytes([content[-1] ^ 1]))}\n"
        yield "with another name", text.replace(signature, f"\u2014 {name}x {packed}")
        yield "with a short dash", text.replace("\u2014", "-")


def values(value: object) -> Iterator[tuple[str, object]]:
    """What can be done to a value in its place, beside giving it another type."""
    if isinstance(value, Members):
        yield "emptied", Members()
        yield "unknown member added", Members([*value, ("unknown", "x")])
        yield "unknown null added", Members([*value, ("unknown", None)])
        yield "reversed", Members(reversed(value))
    elif isinstance(value, list):
        yield "emptied", []
        yield "null added", [*value, None]
        if value:
            yield "first doubled", [value[0], *value]
            yield "last dropped", value[:-1]
            yield "nested", [value]
        if len(value) > 1:
            yield "reversed", value[::-1]
    elif isinstance(value, str) and not isinstance(value, Raw):
        yield from texts(value)
    elif isinstance(value, Raw):
        yield "one more", Raw(str(int(value) + 1))
        yield "as text", str(value)
        yield "with a fraction", Raw(f"{value}.0")


def kind_of(value: object) -> str:
    if isinstance(value, Members):
        return "object"
    if isinstance(value, Raw):
        return "number"
    return {list: "list", str: "text", bool: "true", type(None): "null"}[type(value)]


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def entries(document: object, place: tuple) -> Iterator[tuple[str, list]]:
    """What can be done to a member or an element as such."""
    parent, value = at(document, place[:-1]), at(document, place)
    yield "dropped", []
    if not isinstance(parent, Members):
        yield "doubled", [value, value]
        return
    name = parent[place[-1]][0]
    yield "doubled", [(name, value), (name, value)]
    other = next((changed for _, changed in values(value)), None)
    yield "doubled, the first changed", [(name, other), (name, value)]
    yield "doubled, the last changed", [(name, value), (name, other)]
    yield "doubled, the first null", [(name, None), (name, value)]
    yield "renamed", [(f"{name}x", value)]
    yield "in upper case", [(name.upper(), value)]
    yield "name escaped", [(Raw('"' + f"\\u{ord(name[0]):04x}{name[1:]}" + '"'), value)]
    if snake(name) != name:
        yield "in snake_case", [(snake(name), value)]
        yield "also in snake_case", [(name, value), (snake(name), value)]


def mutants(document: object) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Every place, what is done there, and the text that it makes, written when it is asked for."""

    def text(changed: object) -> Callable[[], bytes]:
        return lambda: render(changed).encode()

    def entry(place: tuple, instead: list) -> Callable[[], bytes]:
        return lambda: render(spliced(document, place, instead)).encode()

    def value_at(place: tuple, other: object) -> Callable[[], bytes]:
        return lambda: render(replaced(document, place, other)).encode()

    for place, value in walk(document):
        if not place:
            for way, changed in values(value):
                yield "whole", way, text(changed)
            continue
        where = name_of(document, place)
        for way, instead in entries(document, place):
            yield where, way, entry(place, instead)
        for way, other in OTHER_TYPES.items():
            if way != kind_of(value):
                yield where, f"made {way}", value_at(place, other)
        for way, changed in values(value):
            yield where, way, value_at(place, changed)


def layouts(text: bytes) -> Iterator[tuple[str, bytes]]:
    """The whole text otherwise written, or cut."""
    document = parse(text)
    plain = render(document).encode()
    yield "as it is", text
    yield "compact", plain
    yield "spread", json.dumps(json.loads(text), indent=2).encode()
    yield "sorted", json.dumps(json.loads(text), sort_keys=True).encode()
    yield "tabs and newlines", plain.replace(b'":', b'"\t:\r\n')
    yield "a newline after", plain + b"\n"
    yield "spaces before", b"  \n" + plain
    yield "with a byte order mark", b"\xef\xbb\xbf" + plain
    yield "in UTF-16", plain.decode().encode("utf-16")
    yield "with text after", plain + b"x"
    yield "twice", plain + plain
    yield "with a null after", plain + b"\0"
    yield "with a comma after the last member", plain[:-1] + b",}"
    yield "with a comment", b"/* */" + plain
    yield "in single quotes", plain.replace(b'"', b"'")
    yield "in a list", b"[" + plain + b"]"
    yield "as text", json.dumps(plain.decode()).encode()
    yield "empty", b""
    for part in (1, 2, 3):
        yield f"cut after {part} quarters", plain[: len(plain) * part // 4]
    yield "cut before its end", plain[:-1]
