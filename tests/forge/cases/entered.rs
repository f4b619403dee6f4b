//! Step 4: entries that are of another envelope, signature or key, or in another form than a log makes.

use airtight_keys::envelope::pae;
use airtight_keys::public::Algorithm;
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};
use airtight_log::entry::{Body, BodySignature, ContentDigest, RekordVerifier};

use crate::forge::json::Json;
use crate::forge::{ARTIFACT, Recipe, Scene, digest, file_statement, key, statement, stranger, twin};

use super::Cases;

pub(super) fn add(cases: &mut Cases) {
    kinds(cases);
    bodies(cases);
    envelopes(cases);
    messages(cases);
}

/// Adds a case whose log entered another body than the honest one, with proof, checkpoint and promise over that body.
fn logged(
    cases: &mut Cases,
    name: &str,
    expect: &'static str,
    about: &str,
    recipe: Recipe,
    change: impl FnOnce(&mut Body),
) {
    let mut body = Body::parse(&recipe.body()).unwrap();
    change(&mut body);
    cases.add(name, expect, about, Recipe { logged: Some(body.render()), ..recipe }.make());
}

/// The same, changed as a text.
fn written(
    cases: &mut Cases,
    name: &str,
    expect: &'static str,
    about: &str,
    recipe: Recipe,
    change: impl FnOnce(String) -> String,
) {
    let body = String::from_utf8(recipe.body()).unwrap();
    let other = change(body.clone());
    assert_ne!(body, other, "{name}");
    cases.add(name, expect, about, Recipe { logged: Some(other.into_bytes()), ..recipe }.make());
}

fn kinds(cases: &mut Cases) {
    let kind = |cases: &mut Cases, name: &str, expect, about: &str, recipe: Recipe, kind: &str, version: &str| {
        cases.broken(name, expect, about, recipe.make(), |scene: &mut Scene| {
            *scene.entry().at("/kindVersion") = Json::parse(&format!(r#"{{"kind":"{kind}","version":"{version}"}}"#));
        });
    };
    let unsupported = "entry_kind_unsupported";
    kind(
        cases,
        "step4-intoto-002",
        "entry_kind_differs",
        "kindVersion says intoto 0.0.2.",
        Recipe::file(),
        "intoto",
        "0.0.2",
    );
    kind(cases, "step4-dsse-002", unsupported, "kindVersion says dsse 0.0.2.", Recipe::file(), "dsse", "0.0.2");
    let unfit = "entry_kind_unfit";
    kind(
        cases,
        "step4-kind-unfit",
        unfit,
        "kindVersion says hashedrekord 0.0.1, which logs no envelope.",
        Recipe::file(),
        "hashedrekord",
        "0.0.1",
    );
    kind(
        cases,
        "step4-message-as-dsse",
        unfit,
        "kindVersion says dsse 0.0.1 for a signature over the artifact itself.",
        Recipe::message(),
        "dsse",
        "0.0.1",
    );
    let differs = "entry_kind_differs";
    kind(
        cases,
        "step4-kind-differs",
        differs,
        "kindVersion says hashedrekord 0.0.2, and the body is dsse 0.0.1.",
        Recipe::file(),
        "hashedrekord",
        "0.0.2",
    );
    kind(
        cases,
        "step4-message-kind-differs",
        differs,
        "kindVersion says hashedrekord 0.0.1, and the body is 0.0.2.",
        Recipe::message().in_v2(),
        "hashedrekord",
        "0.0.1",
    );
}

fn bodies(cases: &mut Cases) {
    let malformed = "entry_body_malformed";
    written(cases, "step4-body-not-json", malformed, "The body that the log holds is no JSON.", Recipe::file(), |_| {
        "leaf 5".to_owned()
    });
    written(
        cases,
        "step4-body-white-space",
        malformed,
        "The body has a space that the canonical form does not have.",
        Recipe::file(),
        |body| body.replacen(':', ": ", 1),
    );
    written(cases, "step4-body-member-unknown", malformed, "The body has a member more.", Recipe::file(), |body| {
        body.replace("\"spec\":{", "\"spec\":{\"a\":\"\",")
    });
    written(
        cases,
        "step4-body-hex-upper-case",
        malformed,
        "The body has its payloadHash in upper-case hex.",
        Recipe::file(),
        |body| {
            let hex = digest(file_statement().as_bytes()).hex();
            body.replace(&hex, &hex.to_uppercase())
        },
    );
    written(
        cases,
        "step4-body-text-after",
        malformed,
        "The body has a line feed at its end.",
        Recipe::file(),
        |body| body + "\n",
    );
    logged(
        cases,
        "step4-body-two-signatures",
        "entry_signature_count",
        "The log's entry is of an envelope with two signatures, of which the bundle shows one.",
        Recipe::file(),
        |body| {
            let Body::Dsse001(dsse) = body else { unreachable!() };
            let other = key(Algorithm::P256, "second signer");
            dsse.signatures.push(BodySignature {
                signature: other.sign(&pae("application/vnd.in-toto+json", file_statement().as_bytes())).unwrap(),
                verifier_pem: other.public().spki_pem().as_bytes().to_vec(),
            });
        },
    );
}

fn envelopes(cases: &mut Cases) {
    logged(
        cases,
        "step4-other-payload",
        "entry_payload_differs",
        "The log's entry is of another payload.",
        Recipe::file(),
        |body| {
            let Body::Dsse001(dsse) = body else { unreachable!() };
            dsse.payload_hash = digest(b"other");
        },
    );
    logged(
        cases,
        "step4-other-signature",
        "entry_signature_differs",
        "The log's entry has another signature.",
        Recipe::file(),
        |body| {
            let Body::Dsse001(dsse) = body else { unreachable!() };
            dsse.signatures[0].signature[20] ^= 1;
        },
    );
    cases.broken(
        "step4-twin-signature",
        "entry_signature_differs",
        "The signature is the twin (r, n - s) of the one that was logged: good, but not the same bytes.",
        Recipe::file().make(),
        |scene| {
            scene.rewrite("/dsseEnvelope/signatures/0/sig", |sig| base64(&twin(&standard_base64(&sig).unwrap())));
        },
    );
    logged(
        cases,
        "step4-other-key",
        "entry_key_differs",
        "The log's entry has another key than the one that signed.",
        Recipe::file(),
        |body| {
            let Body::Dsse001(dsse) = body else { unreachable!() };
            dsse.signatures[0].verifier_pem = stranger().public().spki_pem().as_bytes().to_vec();
        },
    );
    logged(
        cases,
        "step4-key-other-pem",
        "entry_key_differs",
        "The log's entry has the key in a PEM without its last line feed, which no log writes.",
        Recipe::file(),
        |body| {
            let Body::Dsse001(dsse) = body else { unreachable!() };
            dsse.signatures[0].verifier_pem.pop();
        },
    );
    let elsewhere = Recipe::envelope(&statement(&[("other name", ARTIFACT)], r#"{"kind":"file","size":13}"#));
    let mut other = elsewhere.make();
    let entry = other.entry().clone();
    cases.broken(
        "step4-entry-of-another-bundle",
        "entry_payload_differs",
        "The whole log entry, proof and all, is of another bundle by the same signer.",
        Recipe::file().make(),
        |scene| {
            *scene.entry() = entry;
        },
    );
}

fn messages(cases: &mut Cases) {
    let digest_differs = "entry_digest_differs";
    logged(
        cases,
        "step4-message-other-digest",
        digest_differs,
        "The entry of hashedrekord 0.0.1 is of another digest.",
        Recipe::message(),
        |body| {
            let Body::HashedRekord001(rekord) = body else { unreachable!() };
            rekord.digest = ContentDigest::Sha256(*digest(b"other").as_bytes());
        },
    );
    logged(
        cases,
        "step4-v2-other-digest",
        digest_differs,
        "The entry of hashedrekord 0.0.2 is of another digest than the PAE's.",
        Recipe::file().in_v2(),
        |body| {
            let Body::HashedRekord002(rekord) = body else { unreachable!() };
            rekord.digest = ContentDigest::Sha256(*digest(file_statement().as_bytes()).as_bytes());
        },
    );
    logged(
        cases,
        "step4-v2-digest-sha512",
        digest_differs,
        "The entry of hashedrekord 0.0.2 has a SHA-512 digest.",
        Recipe::file().in_v2(),
        |body| {
            let Body::HashedRekord002(rekord) = body else { unreachable!() };
            rekord.digest = ContentDigest::Sha512([7; 64]);
        },
    );
    logged(
        cases,
        "step4-v2-other-signature",
        "entry_signature_differs",
        "The entry of hashedrekord 0.0.2 has another signature.",
        Recipe::file().in_v2(),
        |body| {
            let Body::HashedRekord002(rekord) = body else { unreachable!() };
            rekord.signature[20] ^= 1;
        },
    );
    logged(
        cases,
        "step4-v2-other-key",
        "entry_key_differs",
        "The entry of hashedrekord 0.0.2 has another key.",
        Recipe::file().in_v2(),
        |body| {
            let Body::HashedRekord002(rekord) = body else { unreachable!() };
            rekord.verifier = RekordVerifier::PublicKey(stranger().public().spki_der().to_vec());
        },
    );
    logged(
        cases,
        "step4-v2-key-details",
        "entry_key_details",
        "keyDetails in the entry name another algorithm than the key's.",
        Recipe::file().in_v2(),
        |body| {
            let Body::HashedRekord002(rekord) = body else { unreachable!() };
            rekord.key_details = "PKIX_ECDSA_P384_SHA_384".to_owned();
        },
    );
    logged(
        cases,
        "step4-v2-ed25519",
        "entry_ed25519_prehashed",
        "An entry of hashedrekord 0.0.2 with an Ed25519 key, which would be Ed25519ph; the signature is pure.",
        Recipe::file_ed25519().in_v2(),
        |body| {
            let Body::HashedRekord002(rekord) = body else { unreachable!() };
            rekord.key_details = "PKIX_ED25519_PH".to_owned();
        },
    );
    written(
        cases,
        "step4-v2-base64-unpadded",
        "entry_body_malformed",
        "The body of hashedrekord 0.0.2 has its digest without padding.",
        Recipe::file().in_v2(),
        |body| body.replacen("=\"", "\"", 1),
    );
}
