//! Step 4 for `intoto` 0.0.2, what signers of envelopes entered before there was `dsse` 0.0.1: good ones, and each value that is
//! compared made another's.

use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::to_standard_base64 as base64;
use airtight_log::digest::sha256;
use airtight_log::entry::{Body, Intoto002};

use crate::forge::{Recipe, Signed, file_statement, statement, stranger};

use super::Cases;

const V: &str = "verified";

pub(super) fn add(cases: &mut Cases) {
    let mut case = |name: &str, expect, about: &str, change: fn(&mut Intoto002)| {
        let recipe = recipe();
        let mut body = entered(&recipe);
        change(&mut body);
        let logged = Some(Body::Intoto002(body).render());
        cases.add(
            format!("{}-intoto-{name}", if expect == V { V } else { "step4" }),
            expect,
            about,
            Recipe { logged, ..recipe }.make(),
        );
    };
    case("002", V, "The entry is of kind intoto 0.0.2, and holds no payload, as Rekor kept them.", |_| {});
    case("002-with-payload", V, "The entry is of kind intoto 0.0.2, and holds the payload too.", |body| {
        body.payload = Some(file_statement().into_bytes());
    });
    case(
        "002-hash-of-another-text",
        V,
        "What the envelope's text was when it was posted no bundle holds, so its hash is compared with nothing.",
        |body| {
            body.envelope_hash = sha256(b"another text of the same envelope");
        },
    );
    case("payload-hash", "entry_payload_differs", "The entry has the hash of another payload.", |body| {
        body.payload_hash = sha256(another().as_bytes());
    });
    case("payload", "entry_payload_differs", "The entry has the right hash, and holds another payload.", |body| {
        body.payload = Some(another().into_bytes());
    });
    case("payload-type", "entry_payload_type_differs", "The entry has another payload type.", |body| {
        body.payload_type = "application/json".to_owned();
    });
    case(
        "keyid",
        "entry_signature_differs",
        "The entry's signature has a keyid, and that of the bundle has none.",
        |body| {
            body.keyid = Some("SHA256:another".to_owned());
        },
    );
    case("signature", "entry_signature_differs", "The entry has another signature of the same key.", |body| {
        body.signature = Recipe::envelope(&another()).signature();
    });
    case("key", "entry_key_differs", "The entry has another key.", |body| {
        body.public_key_pem = stranger().public().spki_pem().as_bytes().to_vec();
    });
}

fn recipe() -> Recipe {
    Recipe { kind: ("intoto", "0.0.2"), ..Recipe::file() }
}

fn another() -> String {
    statement(&[("firmware.bin", b"another\n")], "null")
}

/// The body of an honest log.
fn entered(recipe: &Recipe) -> Intoto002 {
    let Signed::Payload(payload) = &recipe.signed else { unreachable!() };
    Intoto002 {
        payload: None,
        payload_type: recipe.payload_type.clone(),
        keyid: None,
        public_key_pem: recipe.public().spki_pem().as_bytes().to_vec(),
        signature: recipe.signature(),
        envelope_hash: sha256(posted(recipe).as_bytes()),
        payload_hash: sha256(payload.as_bytes()),
    }
}

/// What was posted: payload and signature are in base64 twice, and the key beside them.
fn posted(recipe: &Recipe) -> String {
    let Signed::Payload(payload) = &recipe.signed else { unreachable!() };
    let twice = |bytes: &[u8]| base64(base64(bytes).as_bytes());
    format!(
        r#"{{"payloadType":"{}","payload":"{}","signatures":[{{"sig":"{}","publicKey":"{}"}}]}}"#,
        recipe.payload_type,
        twice(payload.as_bytes()),
        twice(&recipe.signature()),
        base64(recipe.public().spki_pem().as_bytes())
    )
}
