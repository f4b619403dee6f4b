//! Steps 2 and 4: signatures in other schemes than ours.

use airtight_keys::strict_json::to_standard_base64 as base64;
use airtight_keys::verifier::HashFunction;
use airtight_log::entry::{Body, ContentDigest, HashedRekord001, HashedRekord002, RekordVerifier};

use crate::forge::foreign::{
    ED25519PH_MESSAGE, Foreign, P384_MESSAGE, P384_MESSAGE_SHA384, P384_SHA256, P384_SHA384, P521_MESSAGE_SHA256,
    P521_MESSAGE_SHA512, P521_SHA256, P521_SHA512, RSA_MESSAGE, RSA_PKCS1, RSA_PSS,
};
use crate::forge::json::{Json, text};
use crate::forge::{ARTIFACT, Asked, Recipe, digest, digests, file_statement};

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
    messages(cases);
}

/// Signatures over the artifact itself, from digests of other algorithms than SHA-256, or by keys that are no P-256.
fn messages(cases: &mut Cases) {
    let by = |foreign: Foreign| Recipe { foreign: Some(foreign), ..Recipe::message() };
    for (name, foreign) in [
        ("p384-sha384", P384_MESSAGE_SHA384),
        ("p384-sha256", P384_MESSAGE),
        ("p521-sha512", P521_MESSAGE_SHA512),
        ("p521-sha256", P521_MESSAGE_SHA256),
        ("rsa", RSA_MESSAGE),
        ("ed25519ph", ED25519PH_MESSAGE),
    ] {
        let about = format!(
            "A signature over the artifact itself, as {}, in a log in the manner of Rekor v1.",
            foreign.key_details
        );
        cases.add(format!("verified-message-{name}"), "verified", &about, by(foreign).make());
    }
    for (name, foreign) in [
        ("p384-sha384", P384_MESSAGE_SHA384),
        ("p521-sha512", P521_MESSAGE_SHA512),
        ("rsa", RSA_MESSAGE),
        ("ed25519ph", ED25519PH_MESSAGE),
    ] {
        let about = format!(
            "A signature over the artifact itself, as {}, in a log in the manner of Rekor v2.",
            foreign.key_details
        );
        cases.add(format!("verified-message-{name}-hashedrekord-002"), "verified", &about, by(foreign).in_v2().make());
    }
    cases.broken(
        "step2-message-sha512-by-p256",
        "message_key_unsupported",
        "The digest is SHA-512, and a P-256 key is believed, which signs over SHA-256 alone.",
        Recipe::message().make(),
        |scene| {
            *scene.bundle.at("/messageSignature/messageDigest") = scene_digest(&by(P521_MESSAGE_SHA512));
        },
    );
    cases.broken(
        "step2-message-digest-of-another",
        "signature_invalid",
        "The digest is the SHA-384 of another artifact, and the signature over that of the artifact.",
        by(P384_MESSAGE_SHA384).make(),
        |scene| {
            let other = HashFunction::Sha384.hash(b"firmware 1.1\n");
            *scene.bundle.at("/messageSignature/messageDigest/digest") = text(&base64(&other));
        },
    );
    cases.broken(
        "step2-message-sha256-beside-sha384",
        "signature_invalid",
        "The signature is over the SHA-384 of the artifact, and the digest beside it is its SHA-256: the digest is the one that was signed.",
        by(P384_MESSAGE_SHA384).make(),
        |scene| *scene.bundle.at("/messageSignature/messageDigest") = scene_digest(&Recipe::message()),
    );
    cases.broken(
        "step3-message-of-another-sha512",
        "message_digest",
        "The artifact is another than the one whose SHA-512 was signed.",
        by(P521_MESSAGE_SHA512).make(),
        |scene| scene.asked = Asked::Artifact(b"firmware 1.1\n".to_vec()),
    );
    let known = || Asked::Digest(digest(ARTIFACT).to_string());
    cases.broken(
        "step3-message-sha512-by-sha256",
        "artifact_digest_missing",
        "The signature is over the SHA-512 of the artifact, of which the SHA-256 alone is known.",
        by(P521_MESSAGE_SHA512).make(),
        |scene| scene.asked = known(),
    );
    let statement = |member: &str| file_statement().replace(r#""sha256""#, &format!("{member:?}"));
    for (name, algorithm) in [("sha384", HashFunction::Sha384), ("sha512", HashFunction::Sha512)] {
        let hex = hex::encode(algorithm.hash(ARTIFACT));
        let payload = statement(name).replace(&digest(ARTIFACT).hex(), &hex);
        cases.add(
            format!("verified-subject-of-{name}-alone"),
            "verified",
            &format!("The subject has a {name} digest and no other."),
            Recipe::envelope(&payload).make(),
        );
        cases.broken(
            &format!("step3-{name}-by-sha256"),
            "artifact_digest_missing",
            &format!("The subject has a {name} digest and no other, and of the artifact the SHA-256 alone is known."),
            Recipe::envelope(&payload).make(),
            |scene| scene.asked = known(),
        );
        cases.broken(
            &format!("step3-{name}-of-another"),
            "subject_not_found",
            &format!("The subject has the {name} digest of another artifact."),
            Recipe::envelope(&payload).make(),
            |scene| scene.asked = Asked::Artifact(b"firmware 1.1\n".to_vec()),
        );
        let both = file_statement().replace(r#""sha256""#, &format!("{name:?}:\"{hex}\",\"sha256\""));
        cases.add(
            format!("verified-subject-of-sha256-and-{name}"),
            "verified",
            &format!("The subject has the artifact's SHA-256 and its {name}."),
            Recipe::envelope(&both).make(),
        );
        let of_another = hex::encode(algorithm.hash(b"firmware 1.1\n"));
        cases.add(
            format!("step3-sha256-beside-{name}-in-upper-case"),
            "statement_digest_malformed",
            &format!("The subject has the artifact's SHA-256, and the {name} of another artifact in upper-case hex."),
            Recipe::envelope(&both.replace(&hex, &of_another.to_uppercase())).make(),
        );
        let by_protobuf = name.replace("sha", "SHA2_");
        cases.add(
            format!("step3-sha256-beside-{name}-by-another-name"),
            "statement_shape",
            &format!("The subject has the artifact's SHA-256, and under the name {by_protobuf} the {name} of another artifact."),
            Recipe::envelope(&both.replace(&format!("{name:?}"), &format!("{by_protobuf:?}")).replace(&hex, &of_another)).make(),
        );
        cases.add(
            format!("step3-sha256-beside-{name}-of-another"),
            "subject_not_found",
            &format!("The subject has the artifact's SHA-256, and the {name} of another artifact."),
            Recipe::envelope(&both.replace(&hex, &of_another)).make(),
        );
    }
    logged_otherwise(cases);
}

/// Step 4: entries of a signature over a longer digest that are of something else.
fn logged_otherwise(cases: &mut Cases) {
    let by = |foreign: Foreign| Recipe { foreign: Some(foreign), ..Recipe::message() };
    let sha256 = ContentDigest::Sha256(*digest(ARTIFACT).as_bytes());
    let sha512 = digests(ARTIFACT).of(HashFunction::Sha512).unwrap();
    let in_v1 = |foreign: Foreign, digest: ContentDigest| {
        let (recipe, key) = (by(foreign), foreign.key());
        let public_key_pem = key.spki_pem().as_bytes().to_vec();
        let body = HashedRekord001 { digest, signature: foreign.signature(), public_key_pem };
        Recipe { logged: Some(Body::HashedRekord001(body).render()), ..recipe }
    };
    let in_v2 = |foreign: Foreign, digest: ContentDigest, key_details: &str| {
        let (signature, key_details) = (foreign.signature(), key_details.to_owned());
        let verifier = RekordVerifier::PublicKey(foreign.key().spki_der().to_vec());
        let body = HashedRekord002 { digest, signature, key_details, verifier };
        Recipe { logged: Some(Body::HashedRekord002(body).render()), ..by(foreign).in_v2() }
    };
    cases.add(
        "step4-message-sha512-logged-as-sha256",
        "entry_digest_differs",
        "The signature is over the artifact's SHA-512, and the entry is of its SHA-256.",
        in_v1(P521_MESSAGE_SHA512, sha256).make(),
    );
    cases.add(
        "step4-v2-message-sha512-logged-as-sha256",
        "entry_digest_differs",
        "The same in a log in the manner of Rekor v2.",
        in_v2(P521_MESSAGE_SHA512, sha256, P521_MESSAGE_SHA512.key_details).make(),
    );
    cases.add(
        "step4-v2-message-ed25519ph-logged-as-ed25519",
        "entry_key_details",
        "The signature is Ed25519ph, and the entry says Ed25519.",
        in_v2(ED25519PH_MESSAGE, sha512, "PKIX_ED25519").make(),
    );
    cases.add(
        "step4-v2-message-p521-sha256",
        "entry_scheme_unsupported",
        "An entry of Rekor v2 for a P-521 signature over the artifact's SHA-256: Rekor v2 makes one over SHA-512 alone.",
        by(P521_MESSAGE_SHA256).in_v2().make(),
    );
}

/// The `messageDigest` of a recipe.
fn scene_digest(recipe: &Recipe) -> Json {
    recipe.make().bundle.at("/messageSignature/messageDigest").clone()
}
