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
    # A part of the mutant's name, where neither its kind nor the client's words tell.
    named: str = ""

    def covers(self, mutant, client: str, words: str) -> bool:
        is_meant = not self.kinds or mutant.kind in self.kinds.split(", ")
        return is_meant and client == self.client and re.search(self.words, words) is not None and re.search(self.named, mutant.name) is not None


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
             "sigstore-go, cosign and sigstore-js ask for it only where the log signed for a time, sigstore-python nowhere; sigstore-go and cosign pass over an entry of such a log beside one that holds", "window, time, several in the bundle, several in the root"),
    Stricter(
        "a promise in the certificate that does not hold", "sct_signature_invalid sct_malformed sct_in_future sct_outside_log_validity",
        "sigstore-go and cosign pass over one that does not hold where another does, and look at neither a time after now nor bytes behind a promise; sigstore-python does not ask when the log was believed. Somebody wrote it, and one that holds may have been put beside it",
    ),
    Stricter(
        "a certificate in another form", "certificate_malformed certificate_key_usage identity_ambiguous identity_issuer_ambiguous identity_differs identity_missing",
        "what it says, it says once, in DER, in extensions that are whole, and its name as Go writes it; sigstore-js reads few of them, sigstore-go and cosign the first name that they know",
    ),
    Stricter("constraints on names that are not followed", "certificate_chain_invalid", "those of DNS names and IP addresses are followed here; sigstore-go and cosign follow those of URIs and email addresses too, sigstore-js none, sigstore-python none of a root's",
             "name constraint"),
    Stricter("authorities that may not issue", "certificate_chain_invalid timestamp_chain_invalid",
             "each certificate of the chain in the trusted root is held to its constraints, usages and critical extensions, the root among them, and the signer's to its version and critical extensions; sigstore-js looks at few of these, sigstore-python not at the root's"),
    Stricter(
        "a certificate or authority outside its validity", "certificate_outside_validity certificate_authority_validity",
        "every proven time must lie inside every window, of a time stamp also the end of its accuracy; they take one time, the stated one, and sigstore-python does not ask when the authority was believed",
    ),
    Stricter(
        "a time stamp that does not hold, beside what suffices", "timestamp_malformed timestamp_not_granted timestamp_too_many timestamp_twice timestamp_hash_unsupported "
        "timestamp_of_another_signature timestamp_key_usage timestamp_attributes timestamp_content_differs timestamp_other_certificate timestamp_algorithm_unsupported "
        "timestamp_signature_invalid timestamp_in_future timestamp_certificate_validity timestamp_authority_validity",
        "sigstore-go and cosign pass over it where the log's time is enough; none of the four holds all signed attributes to RFC 3161 and RFC 5035, or the token to DER, or asks which certificates it carries, which nobody signs",
    ),
    Stricter("a trusted root that does not say since when", "trusted_root_malformed", "sigstore-js takes a window without a start as open, and one that is no time as none", "window"),
    Stricter(
        "a statement in another form", "statement_shape statement_not_json statement_member_twice statement_digest_malformed statement_type_unknown predicate_not_json subject_not_found",
        "sigstore-go and cosign read it as protobuf's JSON, which has null for absent, two names of a member, two alphabets of base64, and hex in either case, and ask for no version; sigstore-js and sigstore-python leave it to their callers, which here read any JSON and of the digests `sha256` alone. Another reader may see another statement",
        "statement's digest, statement's text",
    ),
    Stricter(
        "a trusted root in another form", "trusted_root_malformed log_unknown sct_log_unknown",
        "one name is one log with one key and one window, and a key is what its details say, in words; sigstore-go and cosign take the last window and do not compare the details, sigstore-js reads any version and member, sigstore-python passes over a broken key and knows a log by its key alone. Nobody could say which was meant. And each certificate of an authority is of its form, needed or not: sigstore-go and cosign read on behind what they understand, sigstore-js and sigstore-python read few of the extensions",
        "several in the root, root's member, authority's field, authority's extension, authority beside, name constraint, token's frame",
    ),
    Stricter("a log without a host", "log_url_without_host", "the origin of a checkpoint of Rekor v2 is held to its log's address, as in sigstore-go; sigstore-js reads the address as the web does, sigstore-python does not ask", "root's member"),
    Stricter("an authority that cannot be read", "certificate_authority_unknown", "the length of path that it allows is no number, or too large, or stands twice; sigstore-go and cosign read on behind what they understand, and sigstore-js does not ask",
             "authority's extension"),
    Stricter("a key or a hash that no log enters", "certificate_key_unsupported entry_scheme_unsupported",
             "a key on secp256k1, a point in another form than the whole one, P-384 and P-521 over SHA-256 in Rekor v2: sigstore-js and sigstore-python take what their libraries take", "signer's key"),
)  # fmt: skip

LAXER = (
    Laxer("two promises of one log", "sigstore-js", "duplicate SCT", "they count for one here; there their number is an error", "promise"),
    Laxer("several promises", "sigstore-python", "Expected one certificate timestamp", "RFC 6962 allows a list; each is judged here", "promise, several in the root"),
    Laxer("a promise of an unknown log beside one that holds", "sigstore-js", "SCT verification failed", "it is not counted here, as in sigstore-go", "promise"),
    Laxer("time signed for an intoto entry", "sigstore-python", "Integrated time only supported", "the log signs for the time of every kind of entry"),
    Laxer("the last second of an authority", "sigstore-python", "not enough sources of verified time", "ends are inclusive here, as the suite of sigstore-conformance has them",
          named=r"-end-inclusive \|| \| (window|time|authority|token's content) \|"),
    Laxer("a window that is not there", "sigstore-python", "validation error for TrustedRoot", "it is open, as in sigstore-go", "window"),
    Laxer("authorities that say less of themselves", "sigstore-python", "Cert(ificate)?Val|failed to build timestamp certificate chain", "key usage and key identifiers may be left out of a certificate, as in sigstore-go", "authority, signed certificate"),
    Laxer("a root that another key signed", "sigstore-js", "could not be verified|Failed to verify certificate chain", "the trusted root says whose key it is, and nobody's signature under that says more, as in sigstore-go", "authority, authority's field, root's member", r"^(?!.*timestampAuthorities(\[0\]\[0\]|/0/certChain/certificates/0| ))"),
    Laxer("a root that does not name itself", "sigstore-python", "not enough sources of verified time", "its issuer and the identifiers of its key are not asked: the trusted root says that it is one, as in sigstore-go", "authority's field, root's member"),
    Laxer("a time stamp that nobody is asked for, of an authority that is not trusted", "sigstore-js", "timestamp could not be verified", "it is not counted here, as in sigstore-go", "authority's field, root's member"),
    Laxer("a time stamp that nobody is asked for, of an authority that is not trusted", "sigstore-python", "no Timestamp Authorities", "it is not counted here, as in sigstore-go", "root's member"),
    Laxer("a log without an address", "sigstore-js", "invalid checkpoint signature", "nothing of Rekor v1 is bound to it, as in sigstore-go", "root's member"),
    Laxer("a part too many in what an authority signed", "sigstore-python", "Malformed TimestampToken", "the authority signed it, and every part that is read is in its place, as in sigstore-go", "signed time stamp"),
    Laxer("several log entries", "sigstore-python", "expected exactly one log entry", "each is judged here, as in sigstore-go", "several in the bundle"),
    Laxer("an entry of an unknown log beside one that holds", "sigstore-js", "TLOG_INCLUSION|Failed to verify certificate chain", "it is not counted here, as in sigstore-go", "several in the bundle"),
    Laxer("no certificate behind the signer's in a chain", "sigstore-js", "invalid v0.[12] bundle", "the authorities are those of the trusted root, as in sigstore-go", "several in the bundle"),
    Laxer("no certificate behind the signer's in a chain", "sigstore-python", "error parsing asn1 value", "the authorities are those of the trusted root, as in sigstore-go", "several in the bundle"),
    Laxer("an authority without its root", "sigstore-js", "Failed to verify certificate chain", "what the trusted root has is trusted, as in sigstore-go", "several in the root"),
    Laxer("an authority or a log that says less of itself", "sigstore-python", "validation errors? for TrustedRoot", "its subject is not read, its window and its address may be left out, and no list is an empty one, as in sigstore-go", "several in the root, root's member"),
    Laxer("a certificate that is none of the web's", "sigstore-python", "CertValidationError", "there it is held to the rules of the web: no subject beside critical names, no critical extension of usages, no usage of authorities; here as in sigstore-go to RFC 5280 alone", "signer's field, signer's extension, signer's name"),
    Laxer("an extension that nothing hangs on", "sigstore-python", "^ValueError", "its library reads every extension and text that it knows; here those that something hangs on, and those that sigstore-go reads", "signer's field, signer's extension, authority's extension"),
    Laxer("what a certificate says of its place in a chain", "sigstore-js", "Failed to verify certificate chain", "the name and the signature make a chain, not the identifiers of keys, and a length of path is no word of the signer's, as in sigstore-go", "signer's extension"),
    Laxer("a name of Fulcio's own kind", "sigstore-js", "expected .*, got undefined", "it is read, as in sigstore-go", "signer's name, name constraint"),
    Laxer("a name of Fulcio's own kind", "sigstore-python", "SANs do not match", "it is read as the string that it is, as in sigstore-go; there as its DER", "signer's name, name constraint"),
    Laxer("an issuer in the newer extension alone", "sigstore-python", "does not contain OIDCIssuer", "it is enough, as in sigstore-go", "signer's name"),
    Laxer("a subject without a SHA-256", "sigstore-js", "reading 'sha256'|no subject of the statement", "their callers compare it, here plainly; a subject may have SHA-384 or SHA-512 alone, and one that has none stands beside", "statement's digest"),
    Laxer("a subject without a SHA-256", "sigstore-python", "^KeyError", "the same", "statement's digest"),
    Laxer("a signature on a larger curve, or of Ed25519", "sigstore-js", "signature verification failed", "an envelope is verified with SHA-256 there, whatever the key; here by the key's own hash, as in sigstore-go", "signer's key"),
    Laxer("a signature on a larger curve, or of Ed25519", "sigstore-python", "invalid signature|Ed25519PublicKey", "the same; Ed25519 it does not know", "signer's key"),
    Laxer("a fraction of a second", "sigstore-js", "invalid time", "RFC 3161 §2.4.2 has them", "token's content"),
    Laxer("parts of a time stamp outside their ranges", "sigstore-python", "Malformed TimestampToken", "milliseconds of 0 or 1,000, a negative nonce, a name that is none, no ordering in words, more behind a hash: the authority signed it, and what is read is in its place, as in sigstore-go", "token's content"),
    Laxer("what a time stamp's frame lists, or its authority may do beside", "sigstore-python", "not enough sources of verified time", "nobody signs the list of its algorithms; of an authority's uses time stamping is asked for, as in sigstore-go", "time stamp, token's frame"),
    Laxer("certificates of a time stamp out of order", "sigstore-python", "Invalid Timestamp Response", "nobody signs their order; they are read in any, as in sigstore-go", "token's frame"),
)  # fmt: skip


def explain(mutant, client: str, ours, theirs) -> str | None:
    """The class of one disagreement; None where there is none for it."""
    if ours.verdict == "no":
        return next((one.name for one in STRICTER if one.covers(mutant.kind, ours.reason)), None)
    if client == "sigstore-go":
        return None
    return next((one.name for one in LAXER if one.covers(mutant, client, theirs.reason)), None)


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
