//! Step 1: texts that are no key-signed bundle, or spell a value in a second way.

use airtight_keys::strict_json::to_standard_base64 as base64;

use crate::forge::json::{Json, text, token};
use crate::forge::{Recipe, Scene};

use super::Cases;

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
const PROOF: &str = "/verificationMaterial/tlogEntries/0/inclusionProof";

pub(super) fn add(cases: &mut Cases) {
    texts(cases);
    members(cases);
    values(cases);
    contents(cases);
}

/// Adds a case that is the first bundle with its text changed.
fn spelled(cases: &mut Cases, name: &str, expect: &'static str, about: &str, change: impl FnOnce(String) -> Vec<u8>) {
    cases.broken(name, expect, about, Recipe::file().make(), |scene| {
        scene.text = Some(change(scene.bundle.render() + "\n"));
    });
}

/// Adds a case that is the first bundle with its tree changed.
fn changed(cases: &mut Cases, name: &str, expect: &'static str, about: &str, change: impl FnOnce(&mut Scene)) {
    cases.broken(name, expect, about, Recipe::file().make(), change);
}

fn texts(cases: &mut Cases) {
    let code = "bundle_not_json";
    spelled(cases, "step1-empty", code, "The file is empty.", |_| Vec::new());
    spelled(cases, "step1-cut-off", code, "The last brace is missing.", |text| {
        text.trim_end().strip_suffix('}').unwrap().as_bytes().to_vec()
    });
    spelled(cases, "step1-in-a-list", code, "The bundle stands in a list of one.", |text| format!("[{text}]").into());
    spelled(cases, "step1-text-after-the-end", code, "A second object follows the bundle.", |text| {
        (text + "{}").into()
    });
    spelled(cases, "step1-byte-order-mark", code, "A byte order mark stands before the bundle.", |text| {
        ("\u{feff}".to_owned() + &text).into()
    });
    spelled(cases, "step1-not-utf8", code, "The hint has a byte that is not UTF-8.", |text| {
        let mut bytes = text.into_bytes();
        let place = bytes.windows(8).position(|seen| seen == b"\"hint\":\"").unwrap() + 8;
        bytes[place] = 0xff;
        bytes
    });
    spelled(cases, "step1-comma-before-the-end", code, "A comma stands before the last brace.", |text| {
        (text.trim_end().strip_suffix('}').unwrap().to_owned() + ",}\n").into()
    });
    spelled(cases, "step1-lone-surrogate", code, "The hint has half of a surrogate pair.", |text| {
        text.replace("\"hint\":\"", "\"hint\":\"\\ud800").into()
    });
    changed(cases, "step1-too-deep", code, "An unknown member holds lists nested 100 deep.", |scene| {
        scene.bundle.add("", "deep", token(&("[".repeat(100) + &"]".repeat(100))));
    });
}

fn members(cases: &mut Cases) {
    let twice = "bundle_member_twice";
    changed(cases, "step1-member-twice", twice, "mediaType stands twice, with the same value.", |scene| {
        let members = scene.bundle.members();
        members.push(members[0].clone());
    });
    changed(
        cases,
        "step1-member-twice-below",
        twice,
        "The proof has rootHash twice, first with other bytes.",
        |scene| {
            let members = scene.bundle.at(PROOF).members();
            members.insert(0, ("\"rootHash\"".to_owned(), text(&base64(&[0; 32]))));
        },
    );
    changed(
        cases,
        "step1-member-twice-by-escape",
        twice,
        "The payload stands twice, once with its name in an escape.",
        |scene| {
            let members = scene.bundle.at("/dsseEnvelope").members();
            members.insert(0, ("\"p\\u0061yload\"".to_owned(), text("e30=")));
        },
    );
    let unknown = "bundle_member_unknown";
    changed(
        cases,
        "step1-member-unknown",
        unknown,
        "The bundle has a member that the format does not have.",
        |scene| {
            scene.bundle.add("", "comment", text("approved"));
        },
    );
    changed(cases, "step1-member-unknown-below", unknown, "The log's entry has a member of another format.", |scene| {
        scene.bundle.add(ENTRY, "uuid", text("00"));
    });
    changed(cases, "step1-member-of-snake-case", unknown, "mediaType is written media_type.", |scene| {
        let value = scene.bundle.drop_member("/mediaType");
        scene.bundle.add("", "media_type", value);
    });
    let missing = "bundle_member_missing";
    changed(cases, "step1-member-missing", missing, "There is no mediaType.", |scene| {
        scene.bundle.drop_member("/mediaType");
    });
    changed(cases, "step1-body-missing", missing, "The log's entry has no canonicalizedBody.", |scene| {
        scene.bundle.drop_member(&format!("{ENTRY}/canonicalizedBody"));
    });
    let kind = "bundle_member_type";
    changed(cases, "step1-number-for-a-string", kind, "treeSize is a JSON number.", |scene| {
        *scene.bundle.at(&format!("{PROOF}/treeSize")) = token("7");
    });
    changed(cases, "step1-list-for-an-object", kind, "kindVersion is a list of its two values.", |scene| {
        *scene.bundle.at(&format!("{ENTRY}/kindVersion")) = Json::Array(vec![text("dsse"), text("0.0.1")]);
    });
    changed(cases, "step1-null-for-a-string", kind, "rootHash is null.", |scene| {
        *scene.bundle.at(&format!("{PROOF}/rootHash")) = token("null");
    });
    changed(cases, "step1-object-for-a-list", kind, "tlogEntries is the one entry itself.", |scene| {
        let entry = scene.entry().clone();
        *scene.bundle.at("/verificationMaterial/tlogEntries") = entry;
    });
}

fn values(cases: &mut Cases) {
    changed(cases, "step1-media-type", "bundle_media_type", "The media type is that of a trusted root.", |scene| {
        *scene.bundle.at("/mediaType") = text("application/vnd.dev.sigstore.trustedroot+json;version=0.1");
    });
    changed(
        cases,
        "step1-media-type-04",
        "bundle_media_type",
        "The media type is of a version that is not known.",
        |scene| {
            *scene.bundle.at("/mediaType") = text("application/vnd.dev.sigstore.bundle.v0.4+json");
        },
    );
    for (name, about, value) in [
        ("leading-zero", "treeSize has a leading zero.", "07"),
        ("plus", "treeSize has a plus sign.", "+7"),
        ("negative", "treeSize is negative.", "-7"),
        ("space", "treeSize has a space before it.", " 7"),
        ("exponent", "treeSize has an exponent.", "7e0"),
        ("fraction", "treeSize has a fraction.", "7.0"),
        ("empty", "treeSize is an empty string.", ""),
        ("above-63-bits", "treeSize is 2^63.", "9223372036854775808"),
        ("above-48-bits", "treeSize is 2^48 + 1, larger than any tree.", "281474976710657"),
        ("other-digits", "treeSize is written in Arabic-Indic digits.", "\u{0667}"),
    ] {
        changed(cases, &format!("step1-integer-{name}"), "bundle_integer", about, |scene| {
            *scene.bundle.at(&format!("{PROOF}/treeSize")) = text(value);
        });
    }
    let base = "bundle_base64";
    let letters = |cases: &mut Cases, name: &str, about: &str, change: fn(String) -> String| {
        changed(cases, name, base, about, |scene| scene.rewrite("/dsseEnvelope/payload", change));
    };
    letters(cases, "step1-base64-unpadded", "The payload is base64 without padding.", |payload| {
        assert!(payload.ends_with('='));
        payload.trim_end_matches('=').to_owned()
    });
    letters(
        cases,
        "step1-base64-trailing-bits",
        "The payload's last base64 letter has bits that no byte uses.",
        |payload| {
            let (head, pad) = payload.split_at(payload.find('=').unwrap());
            let (head, last) = head.split_at(head.len() - 1);
            format!("{head}{}{pad}", char::from(last.as_bytes()[0] + 1))
        },
    );
    letters(cases, "step1-base64-line-break", "The payload's base64 is broken into two lines.", |payload| {
        let (one, other) = payload.split_at(76);
        format!("{one}\n{other}")
    });
    changed(cases, "step1-base64-url-safe", base, "The body is in the URL-safe alphabet.", |scene| {
        scene.rewrite_entry("/canonicalizedBody", |body| {
            let other = body.replace('+', "-").replace('/', "_").replacen('e', "-", 1);
            assert_ne!(body, other);
            other
        });
    });
    let length = "bundle_length";
    changed(cases, "step1-hash-of-31-bytes", length, "The proof's root has 31 bytes.", |scene| {
        *scene.bundle.at(&format!("{PROOF}/rootHash")) = text(&base64(&[7; 31]));
    });
    changed(cases, "step1-log-id-of-33-bytes", length, "The log's id has 33 bytes.", |scene| {
        *scene.bundle.at(&format!("{ENTRY}/logId/keyId")) = text(&base64(&[7; 33]));
    });
    changed(cases, "step1-proof-hash-empty", length, "A hash of the proof is an empty string.", |scene| {
        *scene.bundle.at(&format!("{PROOF}/hashes/0")) = text("");
    });
}

fn contents(cases: &mut Cases) {
    changed(cases, "step1-two-signers", "bundle_two_signers", "A certificate stands beside the key's hint.", |scene| {
        scene.bundle.add("/verificationMaterial", "certificate", Json::parse(r#"{"rawBytes":"MAA="}"#));
    });
    changed(
        cases,
        "step1-chain-of-v03",
        "bundle_chain_of_v03",
        "A bundle of v0.3 has a chain of certificates.",
        |scene| {
            scene.bundle.drop_member("/verificationMaterial/publicKey");
            let chain = Json::parse(r#"{"certificates":[{"rawBytes":"MAA="}]}"#);
            scene.bundle.add("/verificationMaterial", "x509CertificateChain", chain);
        },
    );
    changed(
        cases,
        "step1-chain-of-none",
        "bundle_chain_length",
        "The chain of a bundle of v0.2 has no certificate.",
        |scene| {
            *scene.bundle.at("/mediaType") = text("application/vnd.dev.sigstore.bundle+json;version=0.2");
            scene.bundle.drop_member("/verificationMaterial/publicKey");
            scene.bundle.add("/verificationMaterial", "x509CertificateChain", Json::parse(r#"{"certificates":[]}"#));
        },
    );
    changed(
        cases,
        "step1-no-promise",
        "bundle_no_promise",
        "A bundle of v0.1 has no signed entry timestamp.",
        |scene| {
            *scene.bundle.at("/mediaType") = text("application/vnd.dev.sigstore.bundle+json;version=0.1");
            scene.bundle.drop_member(&format!("{ENTRY}/inclusionPromise"));
        },
    );
    changed(cases, "step1-no-signer", "bundle_no_signer", "Nothing says who signed.", |scene| {
        scene.bundle.drop_member("/verificationMaterial/publicKey");
    });
    changed(
        cases,
        "step2-certificate",
        "certificate_unexpected",
        "A certificate names the signer, and only a key is believed.",
        |scene| {
            scene.bundle.drop_member("/verificationMaterial/publicKey");
            scene.bundle.add("/verificationMaterial", "certificate", Json::parse(r#"{"rawBytes":"MAA="}"#));
        },
    );
    changed(cases, "step1-no-hint", "bundle_no_hint", "publicKey has no hint.", |scene| {
        scene.bundle.drop_member("/verificationMaterial/publicKey/hint");
    });
    changed(cases, "step1-no-content", "bundle_no_content", "There is neither an envelope nor a signature.", |scene| {
        scene.bundle.drop_member("/dsseEnvelope");
    });
    changed(
        cases,
        "step1-two-contents",
        "bundle_two_contents",
        "There are both an envelope and a signature, each good.",
        |scene| {
            let message = Recipe::message().make().bundle.drop_member("/messageSignature");
            scene.bundle.add("", "messageSignature", message);
        },
    );
    changed(cases, "step1-no-entry", "bundle_entry_count", "tlogEntries is empty.", |scene| {
        scene.bundle.at("/verificationMaterial/tlogEntries").elements().clear();
    });
    changed(cases, "step1-two-entries", "bundle_entry_twice", "The one good entry stands twice.", |scene| {
        let entry = scene.entry().clone();
        scene.bundle.at("/verificationMaterial/tlogEntries").elements().push(entry);
    });
    changed(cases, "step1-no-signature", "bundle_signature_count", "The envelope has no signature.", |scene| {
        scene.bundle.at("/dsseEnvelope/signatures").elements().clear();
    });
    changed(cases, "step1-two-signatures", "bundle_signature_count", "The one good signature stands twice.", |scene| {
        let signatures = scene.bundle.at("/dsseEnvelope/signatures").elements();
        signatures.push(signatures[0].clone());
    });
    changed(
        cases,
        "step1-signature-empty",
        "bundle_envelope",
        "The envelope's signature is an empty string.",
        |scene| {
            *scene.bundle.at("/dsseEnvelope/signatures/0/sig") = text("");
        },
    );
    changed(
        cases,
        "step1-payload-type-empty",
        "bundle_envelope",
        "The envelope's payload type is an empty string.",
        |scene| {
            *scene.bundle.at("/dsseEnvelope/payloadType") = text("");
        },
    );
    changed(
        cases,
        "step1-promise-alone",
        "inclusion_proof_missing",
        "There is a signed entry timestamp and no inclusion proof.",
        |scene| {
            scene.bundle.drop_member(PROOF);
        },
    );
    changed(cases, "step1-proof-null", "inclusion_proof_missing", "The inclusion proof is null.", |scene| {
        *scene.bundle.at(PROOF) = token("null");
    });
    changed(cases, "step1-no-checkpoint", "checkpoint_missing", "The inclusion proof has no checkpoint.", |scene| {
        scene.bundle.drop_member(&format!("{PROOF}/checkpoint"));
    });
    cases.broken(
        "step1-digest-algorithm",
        "message_digest_algorithm",
        "The digest of a signature over the artifact is said to be SHA3-256.",
        Recipe::message().make(),
        |scene| *scene.bundle.at("/messageSignature/messageDigest/algorithm") = text("SHA3_256"),
    );
    cases.broken(
        "step1-digest-of-another-length",
        "bundle_length",
        "The digest of a signature over the artifact is said to be SHA-384, and has 32 bytes.",
        Recipe::message().make(),
        |scene| *scene.bundle.at("/messageSignature/messageDigest/algorithm") = text("SHA2_384"),
    );
}
