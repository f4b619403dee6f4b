"""What the signer's payload says: the digests of its subjects, the subjects, and a text that two readers may read as two statements.

The signer signs each of them and the log has it, so that only what reads a statement stands between it and a yes. What differs
from the good statement is given as a change of the whole (`said` of world.Recipe), of the first subject, or of its text.
"""

import hashlib
import json
from collections.abc import Callable, Iterator

from members import encoded
from world import ARTIFACT, Case, compact

Said = Callable[[dict], object]
SHA256, SHA384, SHA512 = (hashlib.new(name, ARTIFACT).hexdigest() for name in ("sha256", "sha384", "sha512"))
OTHER = {"name": "artifact", "digest": {"sha256": "00" * 32}}


def whole(**members: object) -> Said:
    return lambda statement: {**statement, **members}


def first(**members: object) -> Said:
    """Other members of the only subject."""
    return lambda statement: {**statement, "subject": [{**statement["subject"][0], **members}]}


def beside(digests: dict) -> Said:
    """More digests of the only subject."""
    return first(digest={"sha256": SHA256, **digests})


def subjects(put: Callable[[dict], list]) -> Said:
    """Other subjects, made from the only one."""
    return lambda statement: {**statement, "subject": put(statement["subject"][0])}


def text(old: str, new: str) -> Said:
    return lambda statement: compact(statement).decode().replace(old, new, 1).encode()


def predicate(new: str) -> Said:
    """Other members in the predicate, as text."""
    return text('"buildDefinition":{}', new)


def around(before: bytes, after: bytes = b"") -> Said:
    return lambda statement: before + compact(statement) + after


def digests() -> Iterator[tuple[str, Said]]:
    # The names that a reader may take for a digest that it knows, and what has no name.
    for bits, names in {
        512: ("sha512", "SHA512", "Sha512", "sha-512", "SHA-512", "sha2_512", "SHA2_512", "sha2-512", " sha512", "sha3_512"), 384: ("sha384", "SHA2_384"),
        256: ("SHA256", "Sha256", "sha-256", "SHA2_256", "sha512_256", "sha3_256", "SHA3_256", "blake2s"), 224: ("sha224", "sha512_224"),
        160: ("sha1", "gitCommit", "SHA1"), 128: ("md5",), 8: ("HASH_ALGORITHM_UNSPECIFIED", ""),
    }.items():  # fmt: skip
        for name in names:
            yield f"{name!r} of another artifact beside", beside({name: "0" * (bits // 4)})
    yield "sha512 of the artifact beside", beside({"sha512": SHA512})
    yield "sha512 in upper case beside", beside({"sha512": SHA512.upper()})
    yield "sha512 cut short beside", beside({"sha512": SHA512[:-2]})
    yield "sha512 with a newline beside", beside({"sha512": SHA512 + "\n"})
    yield "SHA-512 of the artifact beside", beside({"SHA-512": SHA512})
    yield "sha512 alone", first(digest={"sha512": SHA512})
    yield "sha384 alone", first(digest={"sha384": SHA384})
    yield "sha512 under the name sha256", first(digest={"sha256": SHA512})
    yield "SHA-256 for a name", first(digest={"SHA-256": SHA256})
    yield "SHA2_256 for a name", first(digest={"SHA2_256": SHA256})
    yield "in base64", first(digest={"sha256": encoded(bytes.fromhex(SHA256))})
    yield "with its name before it", first(digest={"sha256": f"sha256:{SHA256}"})
    for name in ("sha1", "unknown"):
        for way, value in {"no hex": "zz", "empty": "", "in upper case": "AB" * 20, "a number": 5, "null": None, "a list": ["00"]}.items():
            yield f"{name} {way} beside", beside({name: value})


def of_subjects() -> Iterator[tuple[str, Said]]:
    right, longer = {"sha256": SHA256}, {"sha512": "00" * 64}
    for way, one in {
        "another artifact of the same name": OTHER, "one without a digest": {"name": "other"}, "one with no digests": {"name": "other", "digest": {}}, "an empty one": {},
        "one of sha512 alone": {"name": "other", "digest": longer}, "one of sha1 alone": {"name": "other", "digest": {"sha1": "00" * 20}},
        "one whose sha512 is another's": {"name": "other", "digest": {**right, **longer}},
        "one of the artifact's sha512 and another sha256": {"name": "other", "digest": {"sha256": "00" * 32, "sha512": SHA512}},
        "one of the artifact's sha512": {"name": "other", "digest": {"sha512": SHA512}}, "null": None,
        "one that is known by its address": {"uri": "https://others.example/artifact"},
    }.items():  # fmt: skip
        yield f"{way} after", subjects(lambda good, one=one: [good, one])
        yield f"{way} before", subjects(lambda good, one=one: [one, good])
    yield "itself after", subjects(lambda good: [good, good])
    yield "none", subjects(lambda good: [])
    for member in ("name", "uri", "downloadLocation", "mediaType"):
        for way, value in {"null": None, "a number": 3, "empty": "", "of two lines": "a\nb"}.items():
            yield f"{member} {way}", first(**{member: value})
    for way, value in {"in base64": "AAAA", "in URL-safe base64": "_-8=", "in no base64": "!!!", "without padding": "AA", "null": None, "a number": 5}.items():
        yield f"content {way}", first(content=value)
    for way, value in {"a number": 5, "a list": [], "null": None, "text": "x", "an object": {"x": 1}}.items():
        yield f"annotations {way}", first(annotations=value)
    yield "media_type", first(media_type="x")
    yield "a name of half a surrogate pair", text('"name":"artifact"', '"name":"\\ud800"')


def texts() -> Iterator[tuple[str, Said]]:
    for way, new in {
        "too large a number": '"x":1e400', "too small a number": '"x":-1e400', "the least number": '"x":1e-400', "thirty digits": '"x":123456789012345678901234567890', "minus zero": '"x":-0',
        "a leading zero": '"x":01', "no digit after the point": '"x":1.', "a plus": '"x":+1', "no number": '"x":NaN', "white space": '"x": 1 ', "60 levels": '"x":' + '{"a":' * 60 + "1" + "}" * 60,
        "an escaped null": '"x\\u0000":"\\u0000"', "empty names": '"":{"":1}', "a type of protobuf's": '"@type":"x"', "one name in two spellings": '"a":1,"\\u0061":2',
        "noncharacters": '"x":"\\uffff\\ufffe"', "a raw DEL": '"x":"\x7f"', "a raw control character": '"x":"\x01"', "half a surrogate pair": '"x":"\\ud800"', "the halves the wrong way round": '"x":"\\udc00\\ud800"',
        "another escape": '"x":"\\x41"', "single quotes": "'x':1", "a comma at the end": '"x":1,', "a comment": '/**/"x":1',
        "a member that stands for text": '"x":{"$serde_json::private::RawValue":"PASS"}', "a member that stands for a number": '"x":{"$serde_json::private::Number":"5"}',
    }.items():  # fmt: skip
        yield f"{way} in the predicate", predicate(new)
    yield "bytes that are no UTF-8", lambda statement: compact(statement).replace(b"buildDefinition", b"build\xff")
    yield "surrogates as bytes", lambda statement: compact(statement).replace(b"buildDefinition", b"build\xed\xa0\x80")
    yield "escaped slashes", text("https://in", "https:\\/\\/in")
    yield "a byte order mark", around(b"\xef\xbb\xbf")
    yield "white space around", around(b"\n\n", b"\n \t\r\n")
    yield "a form feed after", around(b"", b"\x0c")
    yield "a null after", around(b"", b"\0")
    yield "the statement twice", lambda statement: compact(statement) * 2
    yield "the statement in a list", around(b"[", b"]")
    yield "the statement as text", lambda statement: json.dumps(compact(statement).decode()).encode()
    for version in ("v0.1", "v1.1", "v1/", "V1", ""):
        yield f"_type of {version!r}", whole(_type=f"https://in-toto.io/Statement/{version}")
    for member, other in (("_type", "type"), ("_type", "_Type"), ("subject", "Subject"), ("predicate", "Predicate"), ("predicateType", "predicate_type")):
        yield f"{other} for {member}", text(f'"{member}":', f'"{other}":')
        yield f"{other} beside {member}", text(f'"{member}":', f'"{other}":null,"{member}":')
    yield "no predicate", text('"predicate":{"buildDefinition":{}},', "")
    yield "predicate null", whole(predicate=None)
    yield "predicate a list", whole(predicate=[])
    yield "predicate text", whole(predicate="x")


def cases() -> Iterator[Case]:
    for kind, place, found in (("statement's digest", "digest", digests), ("statement's digest", "subject", of_subjects), ("statement's text", "text", texts)):
        for way, said in found():
            yield "dsse", kind, place, way, {"said": said}
