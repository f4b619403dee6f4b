//! Steps 2 and 4: signatures in other schemes than ours.

use crate::forge::Recipe;
use crate::forge::foreign::{
    Foreign, P384_MESSAGE, P384_SHA256, P384_SHA384, P521_SHA256, P521_SHA512, RSA_PKCS1, RSA_PSS,
};

use super::Cases;

pub(super) fn add(cases: &mut Cases) {
    let by = |foreign: Foreign| Recipe { foreign: Some(foreign), ..Recipe::file() };
    cases.add(
        "step2-signature-rsa-pss",
        "signature_scheme_unsupported",
        "The signature is RSA-PSS, by the key that is believed; no log makes an entry for one, and no client checks a bundle so.",
        by(RSA_PSS).make(),
    );
    cases.add(
        "step4-v2-p384-sha256",
        "entry_scheme_unsupported",
        "An entry of Rekor v2 for a P-384 signature over SHA-256: Rekor v2 makes one over SHA-384 alone.",
        by(P384_SHA256).in_v2().make(),
    );
    cases.add(
        "step4-v2-p521-sha256",
        "entry_scheme_unsupported",
        "An entry of Rekor v2 for a P-521 signature over SHA-256: Rekor v2 makes one over SHA-512 alone.",
        by(P521_SHA256).in_v2().make(),
    );
    cases.add(
        "step4-v2-p384-message-sha256",
        "entry_scheme_unsupported",
        "The same for a P-384 signature over the artifact itself.",
        Recipe { foreign: Some(P384_MESSAGE), ..Recipe::message() }.in_v2().make(),
    );
    for (name, foreign) in [
        ("p384-sha384", P384_SHA384),
        ("p384-sha256", P384_SHA256),
        ("p521-sha512", P521_SHA512),
        ("p521-sha256", P521_SHA256),
        ("rsa", RSA_PKCS1),
    ] {
        let about = format!("An envelope signed as {}, in a log in the manner of Rekor v1.", foreign.key_details);
        cases.add(format!("verified-dsse-{name}"), "verified", &about, by(foreign).make());
    }
    for (name, foreign) in [("p384-sha384", P384_SHA384), ("p521-sha512", P521_SHA512), ("rsa", RSA_PKCS1)] {
        let about = format!("An envelope signed as {}, in a log in the manner of Rekor v2.", foreign.key_details);
        cases.add(format!("verified-dsse-{name}-hashedrekord-002"), "verified", &about, by(foreign).in_v2().make());
    }
}
