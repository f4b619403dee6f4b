"""What the log has of a bundle, in forms that no log writes: the same members otherwise laid out, and the certificate otherwise packed.

`mutants.py` has the change of each single member; the log's tree and its promise are made over each of these, too.
"""

import json
from collections.abc import Callable, Iterator

from members import decoded, encoded
from world import CA_CERTIFICATE, SIGNER, Case, compact, pem

Body = Callable[[dict], object]


def text(old: str, new: str) -> Body:
    return lambda body: compact(body).decode().replace(old, new, 1).encode()


def layouts(kind: str) -> Iterator[tuple[str, Body]]:
    yield "white space", lambda body: json.dumps(body, sort_keys=True).encode()
    yield "lines", lambda body: json.dumps(body, sort_keys=True, indent=1).encode()
    yield "another order", lambda body: json.dumps(dict(reversed(body.items())), separators=(",", ":")).encode()
    yield "a newline after", lambda body: compact(body) + b"\n"
    yield "the body twice", lambda body: compact(body) * 2
    yield "an escaped name", text('"kind"', '"\\u006bind"')
    yield "an escaped value", text(f'"{kind}"', f'"\\u{ord(kind[0]):04x}{kind[1:]}"')
    yield "the kind twice", text('"kind":', f'"kind":"{kind}","kind":')
    yield "the kind twice, the first another", text('"kind":', '"kind":"x","kind":')
    yield "the kind in upper case beside", text('"kind":', '"KIND":"x","kind":')
    yield "the kind in upper case", text(f'"{kind}"', f'"{kind.upper()}"')
    yield "the spec twice, the first empty", text('"spec":', '"spec":{},"spec":')


def packed(place: Callable[[dict], dict], name: str) -> Iterator[tuple[str, Body]]:
    """The PEM of the certificate, as the body has it in base64."""
    for way, change in {
        "with CRLF": lambda text: text.replace(b"\n", b"\r\n"), "twice": lambda text: text * 2, "and the authority's": lambda text: text + pem("CERTIFICATE", CA_CERTIFICATE.signed()), "after the authority's": lambda text: pem("CERTIFICATE", CA_CERTIFICATE.signed()) + text,
        "as its key": lambda text: SIGNER.pem, "as DER": lambda text: decoded(b"".join(text.split(b"\n")[1:-2]).decode()), "in one line": lambda text: b"-----BEGIN CERTIFICATE-----\n" + b"".join(text.split(b"\n")[1:-2]) + b"\n-----END CERTIFICATE-----\n",
        "without its last newline": lambda text: text.rstrip(), "with words before": lambda text: b"words\n" + text, "with words after": lambda text: text + b"words\n", "with a header": lambda text: text.replace(b"-----\n", b"-----\nName: x\n\n", 1), "under another label": lambda text: text.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
    }.items():  # fmt: skip

        def changed(body: dict, change: Callable[[bytes], bytes] = change) -> dict:
            holder = place(body)
            holder[name] = encoded(change(decoded(holder[name])))
            return body

        yield f"certificate {way}", changed

    def unpadded(body: dict) -> dict:
        holder = place(body)
        holder[name] = holder[name].rstrip("=")
        return body

    yield "certificate without padding", unpadded


def cases() -> Iterator[Case]:
    for base, kind, place, name in (
        ("dsse", "dsse", lambda body: body["spec"]["signatures"][0], "verifier"), ("message", "hashedrekord", lambda body: body["spec"]["signature"]["publicKey"], "content"),
    ):  # fmt: skip
        for way, body in (*layouts(kind), *packed(place, name)):
            yield base, "body's form", "body", way, {"body": body}
    for member, value in {"url": "http://x", "content": "AA=="}.items():
        yield "message", "body's form", "data", f"with {member}", {"body": lambda body, member=member, value=value: {**body, "spec": {**body["spec"], "data": {**body["spec"]["data"], member: value}}}}
    for member, value in {"url": "http://x", "format": "x509"}.items():
        yield "message", "body's form", "signature", f"with {member}", {"body": lambda body, member=member, value=value: {**body, "spec": {**body["spec"], "signature": {**body["spec"]["signature"], member: value}}}}
    for member, value in {"proposedContent": {"envelope": "{}", "verifiers": []}, "envelopeHash": {"algorithm": "sha512", "value": "00" * 64}, "payloadHash": {"algorithm": "sha512", "value": "00" * 64}}.items():
        yield "dsse", "body's form", "spec", f"with another {member}", {"body": lambda body, member=member, value=value: {**body, "spec": {**body["spec"], member: value}}}
    yield "dsse", "body's form", "signatures", "twice", {"body": lambda body: {**body, "spec": {**body["spec"], "signatures": body["spec"]["signatures"] * 2}}}
