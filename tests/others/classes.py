"""The classes of disagreement between airtight and the clients of others, each with its rule and its reason.

Where airtight refuses and another accepts, the code of the refusal decides the class, and where a code has two causes the kind
of change does. Where airtight accepts and another refuses, the client, the kind of change and the client's own words do. Of
sigstore-go there is no such class, and there must be none: that is a surprise, always. docs/DIFFERENCES.md has the classes for people.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/DIFFERENCES.md"
BEGIN, END = "<!-- written by tests/others/run.sh -->", "<!-- end -->"
CLIENTS = ("sigstore-go", "cosign", "sigstore-js", "sigstore-python")


@dataclass(frozen=True)
class Stricter:
    """Refused here with one of these codes, and accepted there."""

    name: str
    codes: str
    why: str
    kinds: str = ""

    def covers(self, kind: str, code: str) -> bool:
        return code in self.codes.split() and (not self.kinds or kind in self.kinds.split(", "))


@dataclass(frozen=True)
class Laxer:
    """Accepted here, and refused there with words of this form."""

    name: str
    client: str
    words: str
    why: str
    kinds: str = ""

    def covers(self, kind: str, client: str, words: str) -> bool:
        return client == self.client and re.search(self.words, words) is not None and (not self.kinds or kind in self.kinds.split(", "))


STRICTER = (
    Stricter(
        "the same values in another spelling", "bundle_base64 bundle_integer bundle_member_type bundle_member_unknown bundle_member_twice "
        "bundle_member_missing bundle_media_type bundle_length bundle_not_json bundle_no_hint bundle_no_promise bundle_no_content bundle_chain_of_v03 "
        "bundle_envelope keyid_not_empty",
        "each parser reads JSON and base64 with a leniency of its own, so two of them can see two bundles in one text; here a changed text is another file",
    ),
    Stricter("a hint that names another key", "hint_other_key", "nobody binds the hint, and people read it"),
    Stricter("more or fewer than what is judged", "bundle_entry_count bundle_entry_twice bundle_signature_count bundle_chain_length bundle_root_in_chain certificate_root_foreign inclusion_proof_missing checkpoint_missing",
             "what nobody vouches for, or that proves nothing, does not ride along"),
    Stricter("a signature in another form", "signature_invalid", "the signer's ECDSA signature is DER; they also take r and s side by side in bare bytes", "signature"),
    Stricter(
        "an entry that is not what its log writes", "entry_body_malformed entry_signature_count entry_kind_differs entry_kind_unfit entry_kind_unsupported "
        "entry_key_differs entry_key_details entry_digest_differs entry_signature_differs entry_payload_differs entry_payload_type_differs",
        "the body is compared whole; sigstore-go and cosign rebuild the leaf of a Rekor v2 entry and never read its body or kind, and all four read single fields of a Rekor v1 body",
    ),
    Stricter(
        "a checkpoint in another form", "checkpoint_malformed checkpoint_extension checkpoint_signature_repeated checkpoint_signature_invalid checkpoint_style "
        "checkpoint_origin checkpoint_signature_foreign checkpoint_signature_missing",
        "the log signed it, and no log writes it so: its origin, the name below it, its numbers and base64 are read by people and by other programs",
    ),
    Stricter("numbers beside a checkpoint that says otherwise", "proof_tree_size proof_root_hash inclusion_invalid log_index_unbound",
             "sigstore-go and cosign take Rekor v2's from the checkpoint alone, sigstore-js and sigstore-python do not compare all of them; what is shown must be what was proven"),
    Stricter("a time or a promise that nothing signs", "integrated_time_unbound integrated_time_missing promise_invalid promise_unexpected",
             "a reader would believe it"),
    Stricter("a log key outside its validity", "log_key_not_yet_valid log_key_expired",
             "sigstore-go, cosign and sigstore-js ask for it only where the log signed for a time, sigstore-python nowhere", "window, time"),
    Stricter(
        "a promise in the certificate that does not hold", "sct_signature_invalid sct_malformed sct_in_future sct_outside_log_validity",
        "sigstore-go and cosign pass over one that does not hold where another does, and look at neither a time after now nor bytes behind a promise; sigstore-python does not ask when the log was believed. Somebody wrote it, and one that holds may have been put beside it",
    ),
    Stricter(
        "a certificate in another form", "certificate_malformed certificate_key_usage identity_ambiguous identity_issuer_ambiguous identity_differs identity_missing",
        "what it says, it says once, in DER, in extensions that are whole; sigstore-js reads few of them",
    ),
    Stricter("authorities that may not issue", "certificate_chain_invalid timestamp_chain_invalid",
             "each certificate of the chain in the trusted root is held to its constraints, usages and critical extensions, the root among them; sigstore-js looks at few of these, sigstore-python not at the root's"),
    Stricter(
        "a certificate or authority outside its validity", "certificate_outside_validity certificate_authority_validity",
        "every proven time must lie inside every window, of a time stamp also the end of its accuracy; they take one time, the stated one, and sigstore-python does not ask when the authority was believed",
    ),
    Stricter(
        "a time stamp that does not hold, beside what suffices", "timestamp_malformed timestamp_not_granted timestamp_too_many timestamp_twice timestamp_hash_unsupported "
        "timestamp_of_another_signature timestamp_key_usage timestamp_attributes timestamp_content_differs timestamp_other_certificate timestamp_algorithm_unsupported "
        "timestamp_signature_invalid timestamp_in_future timestamp_certificate_validity timestamp_authority_validity",
        "sigstore-go and cosign pass over it where the log's time is enough; none of the four holds all signed attributes to RFC 3161 and RFC 5035, or the token to DER",
    ),
    Stricter("a trusted root that does not say since when", "trusted_root_malformed", "sigstore-js takes a window without a start as open, and one that is no time as none", "window"),
)  # fmt: skip

LAXER = (
    Laxer("two promises of one log", "sigstore-js", "duplicate SCT", "they count for one here; there their number is an error", "promise"),
    Laxer("several promises", "sigstore-python", "Expected one certificate timestamp", "RFC 6962 allows a list; each is judged here", "promise"),
    Laxer("a promise of an unknown log beside one that holds", "sigstore-js", "SCT verification failed", "it is not counted here, as in sigstore-go", "promise"),
    Laxer("time signed for an intoto entry", "sigstore-python", "Integrated time only supported", "the log signs for the time of every kind of entry"),
    Laxer("the last second of an authority", "sigstore-python", "not enough sources of verified time", "ends are inclusive here, as the suite of sigstore-conformance has them"),
    Laxer("a window that is not there", "sigstore-python", "validation error for TrustedRoot", "it is open, as in sigstore-go", "window"),
    Laxer("authorities that say less of themselves", "sigstore-python", "Cert(ificate)?Val|failed to build timestamp certificate chain", "key usage and key identifiers may be left out of a certificate, as in sigstore-go", "authority, signed certificate"),
    Laxer("a root that another key signed", "sigstore-js", "could not be verified|Failed to verify certificate chain", "the trusted root says whose key it is, and nobody's signature under that says more, as in sigstore-go", "authority"),
    Laxer("a part too many in what an authority signed", "sigstore-python", "Malformed TimestampToken", "the authority signed it, and every part that is read is in its place, as in sigstore-go", "signed time stamp"),
)  # fmt: skip


def explain(mutant, client: str, ours, theirs) -> str | None:
    """The class of one disagreement; None where there is none for it."""
    if ours.verdict == "no":
        return next((one.name for one in STRICTER if one.covers(mutant.kind, ours.reason)), None)
    if client == "sigstore-go":
        return None
    return next((one.name for one in LAXER if one.covers(mutant.kind, client, theirs.reason)), None)


def rows(found: dict[str, Counter]) -> list[str]:
    lines = ["| refused here, accepted there | code here | " + " | ".join(CLIENTS) + " | why |", "|---|---|" + "---:|" * len(CLIENTS) + "---|"]
    for one in STRICTER:
        counts = [str(found[one.name][client]) if one.name in found else "0" for client in CLIENTS]
        codes = ", ".join(f"`{code}`" for code in one.codes.split())
        lines.append(f"| {one.name} | {codes} | {' | '.join(counts)} | {one.why} |")
    lines += ["", "| accepted here, refused there | by | times | why |", "|---|---|---:|---|"]
    for one in LAXER:
        count = found[one.name][one.client] if one.name in found else 0
        lines.append(f"| {one.name} | {one.client} | {count} | {one.why} |")
    return lines


def write(asked: int, agreed: Counter, found: dict[str, Counter]) -> None:
    """Puts the table into the page."""
    page = PAGE.read_text()
    head, rest = page.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    same = ", ".join(f"{agreed[client]:,} times with {client}" for client in CLIENTS)
    text = "\n".join([BEGIN, "", f"Of {asked:,} bundles the verdict was the same {same}. The other times:", "", *rows(found), "", END])
    PAGE.write_text(head + text + tail)


def missing(found: dict[str, Counter]) -> list[str]:
    """What was found and has no row on the page."""
    page = PAGE.read_text()
    return [f"docs/DIFFERENCES.md has no row for {name!r}" for name in found if f"| {name} |" not in page]
