"""Several of what a bundle or a trusted root has one of: log entries, logs, authorities, promises, certificates in a chain.

Each client counts them in its own way: it takes the first, the last, each one, those it knows, or those that hold. The second log
is ours as well, so an entry of it holds or fails as we like.
"""

import json
from collections.abc import Callable, Iterator

from members import encoded
from world import (
    CA_CERTIFICATE, CT, LARGER_ROOT, LOG, LONG, ORIGIN, ROOT, ROOT_CERTIFICATE, START, STAMPS_CERTIFICATE, TIME,
    Case, Draft, Key, LargerKey, Promise, Recipe, iso, named, self_issued, trusted_authority, trusted_log,
)  # fmt: skip

SECOND, SECOND_ORIGIN = Key("second log"), "second.others.example"
FIRST_LOG, SECOND_LOG = trusted_log(f"https://{ORIGIN}", LOG), trusted_log(f"https://{SECOND_ORIGIN}", SECOND)
ONE, TWO = Recipe(), Recipe(log=SECOND, origin=SECOND_ORIGIN)
ONE_V2, TWO_V2 = Recipe(v2=True), Recipe(v2=True, log=SECOND, origin=SECOND_ORIGIN)
OTHER, OTHER_IN_TWO = Recipe(artifact=b"other"), Recipe(artifact=b"other", log=SECOND, origin=SECOND_ORIGIN)
MIDDLE, END = "2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z"
# What a log's key may be said to be and no client verifies by, or knows.
DETAILS = ("ML_DSA_65", "LMOTS_SHA256", "PKCS1_RSA_PSS", "PKIX_RSA_PSS_2048_SHA256", "PKIX_ECDSA_P256_SHA_2567", "")
Change = Callable[[dict], dict]


def entry(recipe: Recipe) -> dict:
    return json.loads(recipe.seed("").bundle)["verificationMaterial"]["tlogEntries"][0]


def without(*names: str) -> Change:
    return lambda one: {name: value for name, value in one.items() if name not in names}


def proof(**members: object) -> Change:
    return lambda one: {**one, "inclusionProof": {**one["inclusionProof"], **members}}


def put(**members: object) -> Change:
    return lambda one: {**one, **members}


def same(one: dict) -> dict:
    return one


def logged(*entries: tuple[Recipe, Change], logs: tuple[dict, ...] = (FIRST_LOG, SECOND_LOG)) -> dict:
    """These entries in the bundle, and these logs in the trusted root."""

    def bundle(whole: dict) -> dict:
        whole["verificationMaterial"]["tlogEntries"] = [change(entry(recipe)) for recipe, change in entries]
        return whole

    return {"bundle": bundle, "root": put(tlogs=list(logs))}


def entries() -> Iterator[tuple[str, dict]]:
    good, second = (ONE, same), (TWO, same)
    yield "of two logs", logged(good, second)
    yield "of two logs, the other first", logged(second, good)
    yield "of a log and an unknown one", logged(good, second, logs=(FIRST_LOG,))
    yield "of an unknown log and one", logged(second, good, logs=(FIRST_LOG,))
    yield "of an unknown log alone", logged(second, logs=(FIRST_LOG,))
    yield "of two generations", logged(good, (TWO_V2, same))
    yield "of two generations, the younger first", logged((TWO_V2, same), good)
    yield "of two generations in one log", logged(good, (ONE_V2, same))
    yield "of the younger generation alone", logged((TWO_V2, same))
    yield "twice the same", logged(good, good)
    yield "twice the same under another number", logged(good, (ONE, put(logIndex="6")))
    yield "one without a time, and one with it", logged((ONE, without("inclusionPromise", "integratedTime")), second)
    yield "of one log of another artifact", logged(good, (OTHER, same))
    yield "none", logged()
    null = encoded(bytes(8))
    for way, one in {
        "of another artifact": (OTHER_IN_TWO, same), "with another root in its proof": (TWO, proof(rootHash=encoded(bytes(32)))), "with no way to its root": (TWO, proof(hashes=[])), "with another promise": (TWO, put(inclusionPromise={"signedEntryTimestamp": null})),
        "with an empty promise": (TWO, put(inclusionPromise={})), "without a promise": (TWO, without("inclusionPromise", "integratedTime")), "with a time alone": (TWO, without("inclusionPromise")), "of another time": (TWO, put(integratedTime=str(TIME + 1))),
        "of another kind": (TWO, put(kindVersion={"kind": "hashedrekord", "version": "0.0.1"})), "of an unknown kind": (TWO, put(kindVersion={"kind": "x", "version": "0.0.1"})), "without a kind": (TWO, without("kindVersion")), "with another body": (TWO, put(canonicalizedBody=encoded(b"{}"))), "without a body": (TWO, without("canonicalizedBody")),
        "without a proof": (TWO, without("inclusionProof")), "without a checkpoint": (TWO, proof(checkpoint={})), "with the first log's checkpoint": (TWO, lambda one: proof(checkpoint=entry(ONE)["inclusionProof"]["checkpoint"])(one)), "under another number": (TWO, put(logIndex="6")), "without a log": (TWO, without("logId")),
        "with a name of 31 bytes for its log": (TWO, put(logId={"keyId": encoded(SECOND.id[:31])})), "signed for a time a year before": (Recipe(log=SECOND, origin=SECOND_ORIGIN, time=TIME - 365 * 86_400), same),
    }.items():  # fmt: skip
        yield f"and one {way}", logged((ONE, same), one)
        yield f"and one of an unknown log {way}", logged((ONE, same), one, logs=(FIRST_LOG,))
    for way, window in {"ended": {"end": MIDDLE}, "not yet begun": {"start": END}}.items():
        yield f"and one of a log {way}", logged(good, second, logs=(FIRST_LOG, trusted_log(f"https://{SECOND_ORIGIN}", SECOND, **window)))


def with_key(log: dict, **members: object) -> dict:
    return {**log, "publicKey": {**log["publicKey"], **members}}


def logs() -> Iterator[tuple[str, dict]]:
    """Logs of entries and of certificates in the trusted root."""
    url, name = f"https://{ORIGIN}", {"keyId": encoded(SECOND.id)}

    def ours(**window: str) -> dict:
        return trusted_log(url, LOG, **window)

    for way, found in {
        "one twice": [FIRST_LOG] * 2, "one in two windows that meet": [ours(end=MIDDLE), ours(start=MIDDLE)], "one in two windows that overlap": [ours(), ours(start=MIDDLE)], "one in two windows, the first ended": [ours(end=MIDDLE), ours()], "one in two windows, the last ended": [ours(), ours(end=MIDDLE)],
        "one that ends before it begins": [ours(start=END, end=MIDDLE)], "one of a single moment": [ours(start=iso(TIME), end=iso(TIME))], "one by two names": [FIRST_LOG, {**FIRST_LOG, "logId": name}], "one by two names, the other first": [{**FIRST_LOG, "logId": name}, FIRST_LOG],
        "two by one name": [FIRST_LOG, {**SECOND_LOG, "logId": FIRST_LOG["logId"]}], "two by one name, the other first": [{**SECOND_LOG, "logId": FIRST_LOG["logId"]}, FIRST_LOG], "two at one address": [FIRST_LOG, {**SECOND_LOG, "baseUrl": url}],
        "a broken key beside": [FIRST_LOG, with_key(SECOND_LOG, rawBytes="AAAA")], "no key beside": [FIRST_LOG, with_key(SECOND_LOG, rawBytes="")], "details by number": [with_key(FIRST_LOG, keyDetails=5)], "details by number beside": [FIRST_LOG, with_key(SECOND_LOG, keyDetails=5)],
        "other details": [with_key(FIRST_LOG, keyDetails="PKIX_ECDSA_P384_SHA_384")], "no details": [with_key(FIRST_LOG, keyDetails="PUBLIC_KEY_DETAILS_UNSPECIFIED")], "another hash": [{**FIRST_LOG, "hashAlgorithm": "SHA2_512"}], "an unknown member": [{**FIRST_LOG, "unknown": "x"}], "an operator": [{**FIRST_LOG, "operator": "x"}], "a checkpoint's key": [{**FIRST_LOG, "checkpointKeyId": FIRST_LOG["logId"]}], "none": [], "null": None,
    }.items():  # fmt: skip
        yield f"tlogs: {way}", {"root": put(tlogs=found)}
    for details in (*DETAILS, "PKIX_ECDSA_P384_SHA_256", "PKIX_ED25519_PH"):
        yield f"tlogs: details {details!r} beside", {"root": put(tlogs=[FIRST_LOG, with_key(SECOND_LOG, keyDetails=details)])}
    own = encoded(b"\7" * 32)
    yield "tlogs: a name that is not its key's", {"root": put(tlogs=[{**FIRST_LOG, "logId": {"keyId": own}}]), **logged((ONE, put(logId={"keyId": own})), logs=({**FIRST_LOG, "logId": {"keyId": own}},))}

    def promising(key: Key = CT, **window: str) -> dict:
        return trusted_log("https://ct.others.example", key, **window)

    for way, found in {
        "one twice": [promising()] * 2, "one in two windows, the first ended": [promising(end=MIDDLE), promising()], "one in two windows, the last ended": [promising(), promising(end=MIDDLE)], "one in two windows that meet": [promising(end=MIDDLE), promising(start=MIDDLE)],
        "another key by its name": [{**promising(SECOND), "logId": {"keyId": encoded(CT.id)}}], "its key by another name": [{**promising(), "logId": name}], "another beside": [promising(), promising(SECOND)], "another before": [promising(SECOND), promising()], "a broken key beside": [promising(), with_key(promising(SECOND), rawBytes="AAAA")], "none": [], "null": None,
    }.items():  # fmt: skip
        yield f"ctlogs: {way}", {"root": put(ctlogs=found)}
    for details in DETAILS:
        yield f"ctlogs: details {details!r} beside", {"root": put(ctlogs=[promising(), with_key(promising(SECOND), keyDetails=details)])}
    early, late, other = Promise(milliseconds=(TIME - 400 * 86_400) * 1000), Promise(milliseconds=(TIME + 3600) * 1000), Promise(log=SECOND)
    both = put(ctlogs=[promising(), promising(SECOND)])
    for way, promises in {"of two logs": (Promise(), other), "of two logs, one before its log": (Promise(), Promise(log=SECOND, milliseconds=0)), "of one log a year before": (early,), "of one log after the certificate": (late,), "of the second log alone": (other,)}.items():
        yield f"ctlogs: promises {way}", {"root": both, "promises": promises}
    for way, media in {"0.1 of now": "application/vnd.dev.sigstore.trustedroot.v0.1+json", "0.2": "application/vnd.dev.sigstore.trustedroot.v0.2+json", "0.3": "application/vnd.dev.sigstore.trustedroot.v0.3+json", "none": ""}.items():
        yield f"version {way}", {"root": put(mediaType=media)}
    yield "an unknown member", {"root": put(unknown=1)}
    yield "authorities null", {"root": put(timestampAuthorities=None)}


def authorities() -> Iterator[tuple[str, dict]]:
    ours = trusted_authority("ca", CA_CERTIFICATE, ROOT_CERTIFICATE)
    below, above = ours["certChain"]["certificates"]

    def of(*certificates: object) -> list:
        return [{**ours, "certChain": {"certificates": list(certificates)}}]

    def within(**window: str) -> dict:
        return {**ours, "validFor": {"start": START, **window}}

    larger = LargerKey("authority of another curve")
    stranger = trusted_authority("other", Draft("other", named("other"), LONG, larger, self_issued(larger), larger))
    namesake = trusted_authority("ca", Draft("others authority", named("others authority"), LONG, SECOND, self_issued(SECOND), SECOND))
    cross = trusted_authority("ca", CA_CERTIFICATE, Draft("larger root", named("others root"), LONG, ROOT, self_issued(ROOT), LARGER_ROOT), Draft("larger root", named("larger root"), LONG, LARGER_ROOT, self_issued(LARGER_ROOT), LARGER_ROOT))
    for way, found in {
        "one twice": [ours] * 2, "one twice, the first ended": [within(end=MIDDLE), ours], "one twice, the last ended": [ours, within(end=MIDDLE)], "one that ends before it begins": [within(start=END, end=MIDDLE)], "one of a single moment": [within(start=iso(TIME), end=iso(TIME))],
        "another beside": [ours, stranger], "another before": [stranger, ours], "another alone": [stranger], "one of the same name beside": [ours, namesake], "one of the same name before": [namesake, ours], "below a root of another": [cross], "below a root of another, and our own": [cross, ours],
        "the lower alone": of(below), "the root alone": of(above), "the wrong way round": of(above, below), "the root twice": of(below, above, above), "the lower twice": of(below, below, above), "a stranger above": of(below, stranger["certChain"]["certificates"][0]), "a stranger between": of(below, stranger["certChain"]["certificates"][0], above),
        "a broken one beside": [ours, {**ours, "certChain": {"certificates": [{"rawBytes": "AAAA"}]}}], "an empty chain beside": [ours, {**ours, "certChain": {"certificates": []}}], "no chain beside": [ours, without("certChain")(ours)], "no subject": [without("subject")(ours)], "no address": [without("uri")(ours)], "none": [],
    }.items():  # fmt: skip
        yield f"authorities: {way}", {"root": put(certificateAuthorities=found)}


def chains() -> Iterator[tuple[str, dict]]:
    """Chains of certificates in the bundles of old, and in those that must not have any."""
    leaf, lower, root, strange = None, CA_CERTIFICATE, ROOT_CERTIFICATE, STAMPS_CERTIFICATE
    for version in ("0.1", "0.2", "0.3"):
        for way, chain in {
            "the signer's": [leaf], "and the authority's": [leaf, lower], "and the root's": [leaf, lower, root], "the authority's first": [lower, leaf], "twice": [leaf, leaf], "and no certificate": [leaf, b"xx"], "and an empty one": [leaf, b""], "none": [], "nine times": [leaf] * 9, "and a strange root's": [leaf, strange],
            "and a strange root's after the authority's": [leaf, lower, strange], "the authority's alone": [lower],
        }.items():  # fmt: skip

            def bundle(whole: dict, version: str = version, chain: list = chain) -> dict:
                signer = whole["verificationMaterial"].pop("certificate")
                raw = [one if isinstance(one, bytes) else one.signed() for one in chain if one is not None]
                held = iter({"rawBytes": encoded(one)} for one in raw)
                whole["verificationMaterial"]["x509CertificateChain"] = {"certificates": [signer if one is None else next(held) for one in chain]}
                return {**whole, "mediaType": f"application/vnd.dev.sigstore.bundle+json;version={version}"}

            yield f"{version}: {way}", {"bundle": bundle}


def cases() -> Iterator[Case]:
    for kind, place, found in (("several in the bundle", "entries", entries), ("several in the root", "logs", logs), ("several in the root", "authorities", authorities), ("several in the bundle", "certificates", chains)):
        for way, changed in found():
            yield "dsse", kind, place, way, changed
