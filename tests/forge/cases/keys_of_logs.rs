//! Steps 5 and 8 under log keys of other kinds than ours.

use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};

use crate::forge::foreign_logs::{
    P384, P384_C2SP, P384_C2SP_SHA256, P384_PROMISE, P384_V1, P521, P521_C2SP, P521_PROMISE, RSA, RSA_C2SP,
    RSA_PROMISE, RSA_V1, RSA_V1_PSS,
};
use crate::forge::json::text;

use super::Cases;

pub(super) fn add(cases: &mut Cases) {
    for (name, log, signature) in [("p384", P384, P384_C2SP), ("p521", P521, P521_C2SP), ("rsa", RSA, RSA_C2SP)] {
        let about = format!("A log in the manner of Rekor v2 with a key of {name} signed the checkpoint.");
        cases.add(format!("verified-log-key-{name}"), "verified", &about, log.v2(signature));
    }
    cases.broken(
        "verified-log-key-rsa-alone",
        "verified",
        "The trusted root has the RSA key of a log alone, without its algorithm, in the deprecated form PKCS1_RSA_PKCS1V5.",
        RSA.v2(RSA_C2SP),
        |scene| {
            let key = scene.root.at("/tlogs/0/publicKey/rawBytes");
            // Of a key of 2,048 bits, 24 bytes of SubjectPublicKeyInfo stand before it.
            *key = text(&base64(&standard_base64(&key.said()).unwrap()[24..]));
            *scene.root.at("/tlogs/0/publicKey/keyDetails") = text("PKCS1_RSA_PKCS1V5");
        },
    );
    cases.add(
        "verified-log-key-rsa-v1",
        "verified",
        "A log in the manner of Rekor v1 with an RSA key signed the checkpoint; there is no promise, which would be ECDSA.",
        RSA.v1(RSA_V1),
    );
    for (name, log, signature) in [("p384", P384, P384_PROMISE), ("p521", P521, P521_PROMISE)] {
        let about =
            format!("The promise of a log with a key of {name} is accepted in place of a proof: it is over SHA-256.");
        cases.add(format!("verified-promise-alone-{name}"), "verified", &about, log.promised(signature));
    }
    cases.add(
        "step5-log-key-p384-v1",
        "log_key_algorithm",
        "A checkpoint in the manner of Rekor v1 under a P-384 key, which no client verifies.",
        P384.v1(P384_V1),
    );
    cases.add(
        "step5-log-key-rsa-promise",
        "log_key_algorithm",
        "The checkpoint under an RSA key holds, and there is a promise by that key, which no client verifies.",
        RSA.promise(RSA.v1(RSA_V1), RSA_PROMISE),
    );
    cases.add(
        "step5-log-key-rsa-promise-alone",
        "log_key_algorithm",
        "A promise by an RSA key is to be accepted in place of a proof.",
        RSA.promised(RSA_PROMISE),
    );
    cases.add(
        "step5-log-key-p384-sha256",
        "checkpoint_signature_invalid",
        "A log in the manner of Rekor v2 with a P-384 key signed the checkpoint over SHA-256, not SHA-384.",
        P384.v2(P384_C2SP_SHA256),
    );
    cases.add(
        "step5-log-key-rsa-pss",
        "checkpoint_signature_invalid",
        "A log in the manner of Rekor v1 with an RSA key signed the checkpoint by PSS.",
        RSA.v1(RSA_V1_PSS),
    );
    cases.broken(
        "step5-log-key-rsa-signed-twice",
        "checkpoint_signature_repeated",
        "The one good line of a log with an RSA key stands twice.",
        RSA.v2(RSA_C2SP),
        |scene| {
            scene.rewrite_entry("/inclusionProof/checkpoint/envelope", |note| {
                let (_, line) = note.split_once("\n\n").unwrap();
                format!("{note}{line}")
            });
        },
    );
}
