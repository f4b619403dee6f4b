//! What other clients let pass: refusals of ours that are stricter, client by client, as `tests/interop/vectors.py` sees them.
//!
//! Where a vector that can be put to them expects a refusal and stands in no list here, both cosigns refuse it too. What they verify
//! we verify or refuse with a reason that `docs/VERIFY.md` gives. `vectors.py --write` prints the lists.

/// Both verify these.
const BOTH: &[&str] = &[
    "step1-base64-trailing-bits",
    "step1-base64-unpadded",
    "step1-integer-exponent",
    "step1-integer-fraction",
    "step1-member-of-snake-case",
    "step1-no-hint",
    "step1-number-for-a-string",
    "step1-promise-alone-v01",
    "step2-hint-of-another-key",
    "step2-hint-of-another-key-in-hex",
    "step3-digest-upper-case",
    "step3-predicate-absent",
    "step3-predicate-null",
    "step3-predicate-schema",
    "step3-statement-type",
    "step4-body-hex-upper-case",
    "step4-body-member-unknown",
    "step4-body-text-after",
    "step4-body-white-space",
    "step4-dsse-002",
    "step4-intoto-002",
    "step4-intoto-keyid",
    "step4-intoto-payload-type",
    "step4-key-other-pem",
    "step4-kind-differs",
    "step4-kind-of-an-unknown-log",
    "step4-kind-unfit",
    "step4-message-as-dsse",
    "step4-message-kind-differs",
    "step5-checkpoint-extension-c2sp",
    "step5-log-key-rsa-signed-twice",
    "step5-second-line-bad",
    "step5-signed-twice",
    "step5-signed-twice-c2sp",
    "step5-signed-under-another-name",
    "step5-v2-entry-v1-checkpoint",
    "step7-index-unbound",
    "step7-tree-size",
    "step8-key-of-the-future",
    "step8-promise-empty",
    "step8-second-promise-of-another",
    "step8-time-without-promise",
    "step8-time-without-promise-v2",
    "step9-another-leaf",
    "step9-checkpoint-cut-off",
    "step9-checkpoint-of-a-stranger",
    "step9-checkpoint-root",
    "step9-format",
    "step9-in-itself",
    "step9-member-unknown",
    "step9-no-json",
    "step9-not-covering",
    "step9-of-another-log",
    "step9-of-another-tree",
    "step9-origin-differs",
    "step9-proof-hash",
    "step9-proof-missing",
    "step9-proof-of-another-entry",
    "step9-proof-short",
    "step9-receipt-before-the-key",
    "step9-receipt-checkpoint",
    "step9-receipt-index",
    "step9-receipt-log-unknown",
    "step9-receipt-of-another",
    "step9-receipt-of-another-v2",
    "step9-receipt-of-the-future",
    "step9-receipt-root",
    "step9-receipt-time-changed",
    "step9-size-differs",
    "step9-target-differs",
];

/// Both and sigstore-go verify these, which are judged where no log is asked for: none of them looks at an entry then.
const ALL: &[&str] = &[
    "step4-no-log-asked-entry-of-another",
    "step5-no-log-asked-checkpoint-of-a-stranger",
    "step7-no-log-asked-hash-changed",
    "step8-no-log-asked-promise-changed",
    "step9-no-entry-anchored",
    "step9-no-entry-stamped-in-future",
];

/// Only cosign 2 verifies these.
const COSIGN_2: &[&str] = &[
    "step1-digest-algorithm",
    "step1-digest-of-another-length",
    "step2-message-digest-changed",
    "step2-message-sha512-by-p256",
    "step3-sha256-beside-sha384-by-another-name",
    "step3-sha256-beside-sha384-in-upper-case",
    "step3-sha256-beside-sha384-of-another",
    "step3-sha256-beside-sha512-by-another-name",
    "step3-sha256-beside-sha512-in-upper-case",
    "step3-sha256-beside-sha512-of-another",
    "step4-body-of-an-unknown-log",
    "step4-intoto-payload-hash",
    "step4-no-log-asked-body-unread",
    "step4-other-payload",
    "step4-v2-base64-unpadded",
    "step4-v2-digest-sha512",
    "step4-v2-ed25519",
    "step4-v2-key-details",
    "step4-v2-message-p521-sha256",
    "step4-v2-other-digest",
    "step4-v2-p384-message-sha256",
    "step4-v2-p384-sha256",
    "step4-v2-p521-sha256",
    "step5-v1-entry-c2sp-checkpoint",
];

/// Only cosign 3 verifies these.
const COSIGN_3: &[&str] = &["step3-member-of-snake-case"];

/// Neither verifies these: both take SHA-256, or pure Ed25519, of whatever plain key they are given, and `verify-blob` has no way to say another.
const REFUSED_BY_BOTH: &[&str] = &[
    "verified-message-ed25519ph",
    "verified-message-ed25519ph-hashedrekord-002",
    "verified-message-p384-sha384",
    "verified-message-p384-sha384-hashedrekord-002",
    "verified-message-p521-sha512",
    "verified-message-p521-sha512-hashedrekord-002",
];

/// Cosign 2 does not verify these: it compares SHA-256 alone.
const REFUSED_BY_COSIGN_2: &[&str] = &["verified-subject-of-sha384-alone", "verified-subject-of-sha512-alone"];

/// The lines of the file `refused-by`: the clients that do not verify the case of this name, which we verify, and sigstore-go.
pub(super) fn refused_by(name: &str) -> &'static [&'static str] {
    if REFUSED_BY_BOTH.contains(&name) {
        &["cosign 3.1.3", "cosign 2.6.5"]
    } else if REFUSED_BY_COSIGN_2.contains(&name) {
        &["cosign 2.6.5"]
    } else {
        &[]
    }
}

/// The lines of the file `accepted-by`: the clients that verify the case of this name, which we refuse.
pub(super) fn accepted_by(name: &str) -> Vec<&'static str> {
    let mut clients = Vec::new();
    let is_all = ALL.contains(&name);
    if is_all || BOTH.contains(&name) || COSIGN_3.contains(&name) {
        clients.push("cosign 3.1.3");
    }
    if is_all || BOTH.contains(&name) || COSIGN_2.contains(&name) {
        clients.push("cosign 2.6.5");
    }
    if is_all {
        clients.push("sigstore-go 1.3.0");
    }
    clients
}

/// Every name in the lists.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    [ALL, BOTH, COSIGN_2, COSIGN_3].into_iter().flatten().copied()
}
