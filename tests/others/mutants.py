"""Every mutant, by name: what it was made from, what kind of change it is, where, and what was done there.

    NAME = SEED " | " KIND " | " PLACE " | " WAY

The same seeds give the same mutants in the same order; nothing is drawn at random. `some` takes a part of them, so many of each
kind of each seed, by the hash of the names: the same part for the same number, and each kind in it.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice

import authorities
import bodies
import certificates
import der
import members
import several
import signer_keys
import statements
import tokens
import world
from members import encoded
from seeds import Seed
from world import AFTER_S, BEFORE_S, CT, LOG, P256_ORDER, TIME, Key, Promise, Recipe, iso

CERTIFICATE = ("verificationMaterial", "certificate", "rawBytes")
CHAIN = ("verificationMaterial", "x509CertificateChain", "certificates", 0, "rawBytes")
STAMP = ("verificationMaterial", "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp")
BODY = ("verificationMaterial", "tlogEntries", 0, "canonicalizedBody")
PAYLOAD = ("dsseEnvelope", "payload")
# The rooms that name their own cases.
ROOMS = (statements, certificates, authorities, signer_keys, several, tokens, bodies)


@dataclass(frozen=True)
class Mutant:
    """One change. It is made when it is asked for: most are never taken."""

    name: str
    make: Callable[[], Seed]
    # Whether a room of its own names it.
    room: bool = False

    @property
    def seed(self) -> str:
        return self.name.split(" | ")[0]

    @property
    def stratum(self) -> str:
        return self.name.split(" | ", 2)[0] + " | " + self.kind

    @property
    def kind(self) -> str:
        return self.name.split(" | ")[1]

    @property
    def place(self) -> str:
        return self.name.split(" | ")[2]

    @property
    def way(self) -> str:
        return self.name.split(" | ")[3]


def mutant(seed: Seed, kind: str, place: str, way: str, bundle: Callable[[], bytes]) -> Mutant:
    return Mutant(f"{seed.name} | {kind} | {place} | {way}", lambda: seed.with_bundle(bundle()))


def changed_text(seed: Seed) -> Iterator[Mutant]:
    """Changes to the bundle's text: its members and its layout."""
    document = members.parse(seed.bundle)
    for way, text in members.layouts(seed.bundle):
        yield mutant(seed, "layout", "whole", way, lambda text=text: text)
    for place, way, text in members.mutants(document):
        yield mutant(seed, "member", place, way, text)


def within(seed: Seed, kind: str, names: tuple) -> Iterator[tuple[bytes, Callable[[str, str, Callable[[], bytes]], Mutant]]]:
    """What stands in base64 at a place of the bundle, with how to put another in its place; nothing where the bundle has none."""
    document = members.parse(seed.bundle)
    try:
        place = members.find(document, *names)
    except KeyError:
        return
    content = members.decoded(members.at(document, place))

    def put(where: str, way: str, changed: Callable[[], bytes]) -> Mutant:
        whole = lambda: members.render(members.replaced(document, place, encoded(changed()))).encode()  # noqa: E731
        return mutant(seed, kind, where, way, whole)

    yield content, put


def changed_inside(seed: Seed) -> Iterator[Mutant]:
    """Changes to what the bundle carries in DER or JSON, with nothing made again: signatures and proofs stand in the way of most."""
    for kind, names in (("certificate", CERTIFICATE), ("certificate", CHAIN), ("time stamp", STAMP)):
        for content, put in within(seed, kind, names):
            part = der.parse(content)
            for place, way, instead in der.changes(part):
                yield put(place, way, lambda part=part, instead=instead: der.encode(part, instead))
    for kind, names in (("body", BODY), ("statement", PAYLOAD)):
        for content, put in within(seed, kind, names):
            for place, way, text in members.mutants(members.parse(content)):
                yield put(place, way, text)


def times_of(seed: Seed) -> list[int]:
    """Every time that stands in the bundle, in seconds: the log's, of certificates and of time stamps, and near a promise's."""
    times = {int(found) for found in re.findall(rb'"integratedTime":\s*"?(\d+)', seed.bundle) if int(found)}
    for names in (CERTIFICATE, CHAIN, STAMP):
        for content, _ in within(seed, "", names):
            for _, part in der.places(der.parse(content)):
                text = part.content.decode(errors="replace").removesuffix("Z") if part.parts is None else ""
                form = {0x17: "%y%m%d%H%M%S", 0x18: "%Y%m%d%H%M%S"}.get(part.tag)
                if form and text.isdigit():
                    times.add(int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()))
    return sorted(times)


def windows_of(one: dict) -> dict:
    """The object of a trusted root's element that has its `validFor`."""
    return one["publicKey"] if "publicKey" in one else one


def windows(seed: Seed) -> Iterator[Mutant]:
    """The validity windows of the trusted root, their edges moved onto each time of the bundle and a second beside it."""
    for member in ("tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"):
        if not json.loads(seed.root).get(member):
            continue

        def put(way: str, window: object, member: str = member) -> Mutant:
            root = json.loads(seed.root)
            for one in root[member]:
                holder = windows_of(one)
                holder.pop("validFor", None)
                if window is not None:
                    holder["validFor"] = window
            return Mutant(f"{seed.name} | window | {member} | {way}", lambda: replace(seed, root=world.compact(root)))

        start, late = "2015-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
        yield put("without a window", None)
        yield put("of nothing", {})
        yield put("without a start", {"end": late})
        yield put("start in the future", {"start": late})
        yield put("end in the past", {"start": start, "end": "2015-01-02T00:00:00Z"})
        yield put("end before start", {"start": late, "end": start})
        yield put("start empty", {"start": ""})
        yield put("start no time", {"start": "2015-13-01T00:00:00Z"})
        yield put("start null", {"start": None, "end": late})
        yield put("end null", {"start": start, "end": None})
        for time in times_of(seed):
            for by in (-1, 0, 1):
                yield put(f"starts {by:+} s of {time}", {"start": iso(time + by)})
                yield put(f"ends {by:+} s of {time}", {"start": start, "end": iso(time + by)})
            yield put(f"ends at {time} in another zone", {"start": start, "end": iso(time).replace("Z", "+00:00")})
            yield put(f"starts half a second after {time}", {"start": iso(time + 0.5)})
            yield put(f"ends half a second before {time}", {"start": start, "end": iso(time - 0.5)})


def nth_change(part: der.Part, number: int) -> der.Instead:
    return next(islice(der.changes(part), number, None))[2]


def each_field(kind: str, example: der.Part, recipe: Callable[[Callable], Recipe], base: str) -> Iterator[Mutant]:
    """A change of each part of a structure that is then signed."""
    for number, (place, way, _) in enumerate(der.changes(example)):
        name = f"world/{base} | {kind} | {place} | {way}"
        change = lambda part, number=number: nth_change(part, number)  # noqa: E731
        yield Mutant(name, lambda change=change: recipe(change).seed(f"world/{base}"))


def signed_fields() -> Iterator[Mutant]:
    """Every field of certificate, time stamp and entry, with all that signs or logs it made again."""
    base = Recipe()
    tbs = der.parse(base.draft().tbs())
    yield from each_field("signed certificate", tbs, lambda change: Recipe(leaf=change), "dsse")
    for name, stamped in (("dsse-stamped", Recipe(stamps=1)), ("v2-message", world.KINDS["v2-message"])):
        held = {}

        def keep(key: str, held: dict = held) -> Callable[[der.Part], der.Instead]:
            return lambda part: held.setdefault(key, part) and {}

        replace(stamped, stamp_content=keep("content"), stamp_attributes=keep("attributes")).seed("")
        for key, kind in (("content", "signed time stamp"), ("attributes", "signed time stamp's attributes")):
            put = lambda change, key=key, stamped=stamped: replace(stamped, **{f"stamp_{key}": change})  # noqa: E731
            yield from each_field(kind, held[key], put, name)
    for name, recipe in world.KINDS.items():
        bodies = []
        replace(recipe, body=lambda body, bodies=bodies: bodies.append(body) or body).seed("")
        for place, way, text in members.mutants(members.parse(world.compact(bodies[0]))):
            make = lambda recipe=recipe, text=text, name=name: replace(recipe, body=lambda body: text()).seed(f"world/{name}")  # noqa: E731
            yield Mutant(f"world/{name} | logged body | {place} | {way}", make)


def high_s(signature: bytes) -> bytes:
    part = der.parse(signature)
    s = P256_ORDER - int.from_bytes(part.parts[1].content)
    return der.tlv(0x30, der.encode(part.parts[0]), der.tlv(2, s.to_bytes(33).lstrip(b"\0") if s >> 255 == 0 else s.to_bytes(33)))


def promises() -> Iterator[tuple[str, dict]]:
    other = Key("another")
    one = Promise()
    yield "none", {"promises": ()}
    yield "twice", {"promises": (one, one)}
    yield "of two times", {"promises": (one, replace(one, milliseconds=one.milliseconds + 1))}
    for way, changed in {
        "of another version": {"version": b"\1"}, "of another log": {"log": other}, "by another key": {"log_id": CT.id, "log": other},
        "signed for a tree head": {"signature_type": b"\1"}, "signed for a certificate": {"entry_type": b"\0\0"},
        "with extensions": {"extensions": b"\0\0\0\0\5"}, "for RSA": {"algorithm": b"\4\1"}, "for SHA-384": {"algorithm": b"\5\3"},
        "for no hash": {"algorithm": b"\0\3"}, "of another issuer": {"issuer": other}, "with a byte after": {"after": b"\0"},
        "by high s": {"change": high_s}, "by an empty signature": {"change": lambda signature: b""},
        "with a byte after the signature": {"change": lambda signature: signature + b"\0"},
        "of 1970": {"milliseconds": 0}, "of the largest time": {"milliseconds": 2**64 - 1}, "of the year 2090": {"milliseconds": 3786912000000},
        "a millisecond before its log": {"milliseconds": 1735689600000 - 1}, "with its log": {"milliseconds": 1735689600000},
        "after the certificate": {"milliseconds": (TIME + AFTER_S + 1) * 1000}, "before the certificate": {"milliseconds": (TIME - BEFORE_S - 1) * 1000},
    }.items():  # fmt: skip
        wrong = replace(one, **changed)
        yield way, {"promises": (wrong,)}
        yield f"{way}, beside one that holds", {"promises": (one, wrong)}
        yield f"{way}, before one that holds", {"promises": (wrong, one)}
    for way, listed in {
        "with a byte after": lambda content: content + b"\0", "of one length less": lambda content: (len(content) - 3).to_bytes(2) + content[2:],
        "of one length more": lambda content: (len(content) - 1).to_bytes(2) + content[2:], "emptied": lambda content: b"\0\0",
        "of nothing": lambda content: b"", "with an empty promise": lambda content: len(content).to_bytes(2) + content[2:] + b"\0\0",
    }.items():  # fmt: skip
        yield f"list {way}", {"listed": listed}


def checkpoints() -> Iterator[tuple[str, Callable[[str], str]]]:
    def line(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
        def changed(text: str) -> str:
            lines = text.split("\n")
            lines[number] = change(lines[number])
            return "\n".join(lines)

        return changed

    yield "another origin", line(0, lambda origin: origin.replace("log.", "another."))
    yield "another tree", line(0, lambda origin: origin + "1")
    yield "a number for an origin", line(0, lambda origin: origin + " - 1")
    yield "an empty origin", line(0, lambda origin: "")
    yield "a space after the origin", line(0, lambda origin: origin + " ")
    yield "another size", line(1, lambda size: "8")
    yield "size 0", line(1, lambda size: "0")
    yield "a leading zero", line(1, lambda size: "0" + size)
    yield "a plus", line(1, lambda size: "+" + size)
    yield "a space after the size", line(1, lambda size: size + " ")
    yield "another root", line(2, lambda root: encoded(bytes(32)))
    yield "a root of 31 bytes", line(2, lambda root: encoded(members.decoded(root)[:31]))
    yield "a root without padding", line(2, lambda root: root.rstrip("="))
    yield "a root with unused bits", line(2, lambda root: members.trailing_bits(root) or root)
    yield "an extension", lambda text: text + "extension\n"
    yield "an old time line", lambda text: text + "Timestamp: 1767225600000000000\n"
    yield "an empty line", lambda text: text + "\n"
    yield "no root", lambda text: "\n".join(text.split("\n")[:2]) + "\n"
    yield "CRLF", lambda text: text.replace("\n", "\r\n")


def promised(signed: dict, **changed: object) -> dict:
    return {**signed, **changed}


def above() -> Iterator[tuple[str, dict]]:
    """The certificates of the authorities."""

    def extended(*more: bytes, drop: tuple[str, ...] = ()) -> Callable[[world.Draft], world.Draft]:
        return lambda draft: draft.extended(*more, drop=drop)

    constraints, usage, purpose = "2.5.29.19", "2.5.29.15", "2.5.29.37"
    critical = world.extension("1.2.3.4", b"\5\0", True)
    name_constraint = world.extension("2.5.29.30", der.tlv(0x30, der.tlv(0xA0, der.tlv(0x30, der.tlv(0x86, b"x.example")))), True)
    for way, change in {
        "without basic constraints": extended(drop=(constraints,)), "without key usage": extended(drop=(usage,)),
        "without extended usage": extended(drop=(purpose,)), "of another usage": extended(world.extension(purpose, world.sequence(der.oid("1.3.6.1.5.5.7.3.1"))), drop=(purpose,)),
        "with an unknown critical extension": extended(critical), "with a name constraint": extended(name_constraint),
        "not for signing": extended(world.extension(usage, der.tlv(3, b"\7\x80"), True), drop=(usage,)),
        "no authority": extended(world.extension(constraints, world.sequence(), True), drop=(constraints,)),
        "of no names": lambda draft: replace(draft, subject=world.sequence()), "of another name": lambda draft: replace(draft, subject=world.named("another")),
        "ended before": lambda draft: replace(draft, valid=(draft.valid[0], TIME - 1)), "ends with the time": lambda draft: replace(draft, valid=(draft.valid[0], TIME)),
        "ends within the signer's": lambda draft: replace(draft, valid=(draft.valid[0], TIME + 100)),
        "begins after": lambda draft: replace(draft, valid=(TIME + 2, draft.valid[1])), "begins within the signer's": lambda draft: replace(draft, valid=(TIME - 10, draft.valid[1])),
        "by another key": lambda draft: replace(draft, by=Key("another")),
    }.items():  # fmt: skip
        for member in ("ca", "above", "stamper", "stamps_root"):
            yield f"{member} {way}", {member: change(getattr(Recipe(), member))}


def forged() -> Iterator[Mutant]:
    """Whole worlds that differ in one thing."""

    def made(kind: str, place: str, way: str, recipe: Recipe, base: str) -> Mutant:
        return Mutant(f"world/{base} | {kind} | {place} | {way}", lambda: recipe.seed(f"world/{base}"))

    for base, recipe in world.KINDS.items():
        for way, changed in promises():
            yield made("promise", "sct", way, replace(recipe, **changed), base)
        for way, change in checkpoints():
            yield made("signed checkpoint", "text", way, replace(recipe, checkpoint=change), base)
        for way, changed in above():
            yield made("authority", "certificate", way, replace(recipe, **changed), base)
        for way, change in {
            "high s": high_s, "with a byte after": lambda one: one + b"\0", "without its last byte": lambda one: one[:-1],
            "long length": lambda one: one[:1] + b"\x81" + one[1:], "of zeros": lambda one: der.tlv(0x30, b"\2\1\0\2\1\0"), "empty": lambda one: b"",
            "padded integer": lambda one: padded(one), "as fixed length": lambda one: fixed(one),
        }.items():  # fmt: skip
            yield made("signature", "signer's", way, replace(recipe, signature=change), base)
        for name, time in edges():
            if not recipe.v2:
                yield made("time", "log", name, replace(recipe, time=time), base)
            if recipe.stamps:
                yield made("time", "time stamp", name, replace(recipe, stamped=time), base)
        for way, (identity, issuer) in {
            "another case": (world.NAME.upper(), world.ISSUER), "a prefix": (world.NAME[:-1], world.ISSUER), "longer": (world.NAME + "x", world.ISSUER),
            "any letter": (world.NAME.replace("release.yml", "release?yml"), world.ISSUER), "issuer with a slash": (world.NAME, world.ISSUER + "/"),
            "issuer in another case": (world.NAME, world.ISSUER.upper()), "the wrong way round": (world.ISSUER, world.NAME),
        }.items():  # fmt: skip
            yield made("question", "who", way, replace(recipe, identity=identity, issuer=issuer), base)
        if recipe.stamps:
            yield made("stamps", "count", "twice the same", replace(recipe, stamps=2), base)
            yield made("stamps", "count", "33 of the same", replace(recipe, stamps=33), base)
            yield made("stamps", "certificate", "other than before", replace(recipe, stamp_certificate=not recipe.stamp_certificate), base)
        if recipe.v2:
            continue
        for way, changed in {
            "another time": {"integratedTime": TIME + 1}, "another index": {"logIndex": 6}, "a string for the time": {"integratedTime": str(TIME)},
            "another log": {"logID": CT.id.hex()}, "upper case": {"logID": LOG.id.hex().upper()}, "another body": {"body": "e30="}, "one member more": {"more": 1},
        }.items():  # fmt: skip
            yield made("entry timestamp", "signed", way, replace(recipe, set=lambda said, changed=changed: promised(said, **changed)), base)
        yield made("entry timestamp", "signed", "none", replace(recipe, promise=False), base)


def padded(signature: bytes) -> bytes:
    part = der.parse(signature)
    return der.tlv(0x30, der.tlv(2, b"\0" + part.parts[0].content), der.encode(part.parts[1]))


def fixed(signature: bytes) -> bytes:
    part = der.parse(signature)
    return b"".join(int.from_bytes(one.content).to_bytes(32) for one in part.parts)


def edges() -> Iterator[tuple[str, int]]:
    for name, time in (("begin", TIME - BEFORE_S), ("end", TIME + AFTER_S)):
        for by in (-1, 0, 1):
            yield f"{by:+} s of the certificate's {name}", time + by
    yield "0", 0
    yield "in the future", 3786912000


def foreign(seeds: Iterable[Seed]) -> Iterator[Mutant]:
    for seed in seeds:
        yield from changed_text(seed)
        yield from changed_inside(seed)
        yield from windows(seed)


def named() -> Iterator[Mutant]:
    """Whole worlds that differ in what a room of their own names: several things at once, or forms that a parser meets."""
    for base, kind, place, way, changed in chain.from_iterable(room.cases() for room in ROOMS):
        recipe = replace(world.KINDS[base], **changed)
        yield Mutant(f"world/{base} | {kind} | {place} | {way}", lambda recipe=recipe, base=base: recipe.seed(f"world/{base}"), True)


def trusted() -> Iterator[Mutant]:
    """The trusted root: each of its members, and each field of its certificates, that of an authority which nobody needs among them."""
    spare = Key("an authority beside")
    draft = world.Draft("beside", world.named("beside"), world.LONG, spare, world.self_issued(spare), spare)
    for base in ("dsse-stamped", "v2-dsse"):
        seed = world.KINDS[base].seed(f"world/{base}")
        for place, way, text in members.mutants(members.parse(seed.root)):
            yield Mutant(f"{seed.name} | root's member | {place} | {way}", lambda seed=seed, text=text: replace(seed, root=text()))
        root = json.loads(seed.root)
        for member in ("certificateAuthorities", "timestampAuthorities"):
            root[member].append(world.trusted_authority("beside", draft))
            for number, authority in enumerate(root[member]):
                for place, one in enumerate(authority["certChain"]["certificates"]):
                    yield from fields_of(seed, root, one, f"{member}[{number}][{place}]")


def fields_of(seed: Seed, root: dict, certificate: dict, where: str) -> Iterator[Mutant]:
    """Each change of a certificate that stands in a trusted root; nothing signs it there."""
    content = members.decoded(certificate["rawBytes"])
    for number, (place, way, _) in enumerate(der.changes(der.parse(content))):

        def make(number: int = number) -> Seed:
            part = der.parse(content)
            changed = {"rawBytes": encoded(der.encode(part, nth_change(part, number)))}
            text = world.compact(root).replace(world.compact(certificate), world.compact(changed))
            return replace(seed, root=text)

        yield Mutant(f"{seed.name} | authority's field | {where}.{place} | {way}", make)


def world_seeds() -> list[Seed]:
    return [recipe.seed(f"world/{name}") for name, recipe in world.KINDS.items()]


def worlds() -> Iterator[Mutant]:
    yield from foreign(world_seeds())
    yield from signed_fields()
    yield from trusted()
    yield from forged()
    yield from named()


def some(all_of_them: Iterable[Mutant], of_each: int, of_rooms: int) -> list[Mutant]:
    """At most so many of each kind of each seed, four times as many where all is signed again, and `of_rooms` of what a room names; and every seed as it is."""
    strata: dict[str, list[tuple[bytes, int, Mutant]]] = {}
    for number, one in enumerate(all_of_them):
        first = b"" if one.way == "as it is" else hashlib.sha256(one.name.encode()).digest()
        strata.setdefault(one.stratum, []).append((first, number, one))
    taken = []
    for stratum, entries in strata.items():
        count = of_rooms if entries[0][2].room else of_each * (4 if stratum.startswith("world/") else 1)
        taken += sorted(entries, key=lambda entry: entry[:2])[:count]
    return [one for _, _, one in sorted(taken, key=lambda entry: entry[1])]
