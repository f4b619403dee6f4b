//! Steps 2 and 3: who signed, and what was said of which artifact.

use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};

use crate::forge::json::text;
use crate::forge::{ARTIFACT, Asked, Recipe, digest, file_statement, signer_ed25519, statement, stranger, subject};

use super::Cases;
use super::passing::{FILES, ask, directory_statement};

const SIG: &str = "/dsseEnvelope/signatures/0/sig";

pub(super) fn add(cases: &mut Cases) {
    step_2(cases);
    step_3(cases);
    step_3_directories(cases);
}

/// Changes one byte of what a base64 text says.
pub(super) fn flipped(text: &str, place: usize) -> String {
    let mut bytes = standard_base64(text).unwrap();
    bytes[place] ^= 1;
    base64(&bytes)
}

fn step_2(cases: &mut Cases) {
    cases.broken("step2-no-key", "key_missing", "No key is believed.", Recipe::file().make(), |scene| {
        scene.keys.clear()
    });
    let invalid = "signature_invalid";
    cases.broken(
        "step2-wrong-key",
        invalid,
        "Another key is believed than the one that signed.",
        Recipe::file().make(),
        |scene| {
            scene.keys = vec![stranger().public().spki_pem().to_owned()];
        },
    );
    cases.broken(
        "step2-key-of-other-algorithm",
        invalid,
        "An Ed25519 key is believed, and a P-256 key signed.",
        Recipe::file().make(),
        |scene| scene.keys = vec![signer_ed25519().public().spki_pem().to_owned()],
    );
    cases.broken(
        "step2-payload-changed",
        invalid,
        "One byte of the payload is another.",
        Recipe::file().make(),
        |scene| {
            scene.rewrite("/dsseEnvelope/payload", |payload| flipped(&payload, 40));
        },
    );
    cases.broken(
        "step2-payload-of-another-statement",
        invalid,
        "The payload is a good statement about the artifact that nobody signed.",
        Recipe::file().make(),
        |scene| {
            let other = statement(&[("other name", ARTIFACT)], r#"{"kind":"file","size":13}"#);
            *scene.bundle.at("/dsseEnvelope/payload") = text(&base64(other.as_bytes()));
        },
    );
    cases.broken(
        "step2-payload-type-changed",
        invalid,
        "The payload type was changed after signing.",
        Recipe::file().make(),
        |scene| {
            *scene.bundle.at("/dsseEnvelope/payloadType") = text("application/json");
        },
    );
    cases.broken(
        "step2-signature-changed",
        invalid,
        "One byte of the signature is another.",
        Recipe::file().make(),
        |scene| {
            scene.rewrite(SIG, |sig| flipped(&sig, 20));
        },
    );
    cases.broken(
        "step2-signature-changed-ed25519",
        invalid,
        "One byte of an Ed25519 signature is another.",
        Recipe::file_ed25519().make(),
        |scene| scene.rewrite(SIG, |sig| flipped(&sig, 20)),
    );
    cases.broken(
        "step2-signature-not-der",
        invalid,
        "The P-256 signature is r and s in 64 bytes, and not ASN.1 DER.",
        Recipe::file().make(),
        |scene| {
            scene.rewrite(SIG, |sig| {
                let der = standard_base64(&sig).unwrap();
                let (r, s) = der[4..].split_at(usize::from(der[3]));
                base64(&[&r[r.len() - 32..], &s[s.len() - 32..]].concat())
            });
        },
    );
    cases.broken(
        "step2-signature-der-long-length",
        invalid,
        "The P-256 signature is BER: its length is written in two bytes where one is enough.",
        Recipe::file().make(),
        |scene| {
            scene.rewrite(SIG, |sig| {
                let mut der = standard_base64(&sig).unwrap();
                der.insert(1, 0x81);
                base64(&der)
            });
        },
    );
    cases.broken(
        "step2-signature-over-the-payload",
        invalid,
        "The signature is over the payload alone, and not over the PAE.",
        Recipe::file().make(),
        |scene| {
            let recipe = Recipe::file();
            let raw = recipe.signer.sign(file_statement().as_bytes()).unwrap();
            *scene.bundle.at(SIG) = text(&base64(&raw));
        },
    );
    cases.broken(
        "step2-message-signature-changed",
        invalid,
        "One byte of the signature over the artifact is another.",
        Recipe::message().make(),
        |scene| scene.rewrite("/messageSignature/signature", |sig| flipped(&sig, 20)),
    );
    cases.broken(
        "step2-message-digest-changed",
        invalid,
        "The digest beside the signature over the artifact is another.",
        Recipe::message().make(),
        |scene| scene.rewrite("/messageSignature/messageDigest/digest", |sig| flipped(&sig, 20)),
    );
    let keyid = "keyid_not_empty";
    cases.broken(
        "step2-keyid",
        keyid,
        "The signature has a keyid; stock clients pass over such a one.",
        Recipe::file().make(),
        |scene| {
            scene.bundle.add("/dsseEnvelope/signatures/0", "keyid", text("release"));
        },
    );
    cases.broken(
        "step2-keyid-of-the-signer",
        keyid,
        "The signature has the keyid of the key that signed.",
        Recipe::file().make(),
        |scene| {
            let id = Recipe::file().signer.public().key_id().to_string();
            scene.bundle.add("/dsseEnvelope/signatures/0", "keyid", text(&id));
        },
    );
    let threshold = "threshold_not_met";
    cases.broken(
        "step2-threshold",
        threshold,
        "Two keys must sign, and one of the two did.",
        Recipe::file().make(),
        |scene| {
            scene.keys.push(stranger().public().spki_pem().to_owned());
            scene.threshold = Some(2);
        },
    );
    cases.broken(
        "step2-threshold-one-key-twice",
        threshold,
        "Two keys must sign, and the one that did is given twice.",
        Recipe::file().make(),
        |scene| {
            scene.keys.push(scene.keys[0].clone());
            scene.threshold = Some(2);
        },
    );
    cases.broken(
        "step2-threshold-message",
        threshold,
        "Two keys must sign an artifact, and one did.",
        Recipe::message().make(),
        |scene| {
            scene.keys.push(stranger().public().spki_pem().to_owned());
            scene.threshold = Some(2);
        },
    );
    let hint = "hint_other_key";
    cases.broken(
        "step2-hint-of-another-key",
        hint,
        "The hint is the digest of another key.",
        Recipe::file().make(),
        |scene| {
            let other = stranger().public().key_id().to_base64();
            *scene.bundle.at("/verificationMaterial/publicKey/hint") = text(&other);
        },
    );
    cases.broken(
        "step2-hint-of-another-key-in-hex",
        hint,
        "The same, in upper-case hex.",
        Recipe::file().make(),
        |scene| {
            let other = stranger().public().key_id().to_string().to_uppercase();
            *scene.bundle.at("/verificationMaterial/publicKey/hint") = text(&other);
        },
    );
    cases.broken(
        "step2-message-by-ed25519",
        "message_key_unsupported",
        "An Ed25519 key is believed, which cannot be checked from a digest.",
        Recipe { signer: signer_ed25519(), ..Recipe::message() }.make(),
        |_| (),
    );
}

/// Adds a case of an envelope over this payload, about [`ARTIFACT`].
fn payload(cases: &mut Cases, name: &str, expect: &'static str, about: &str, payload: &str) {
    cases.add(name, expect, about, Recipe::envelope(payload).make());
}

fn step_3(cases: &mut Cases) {
    let good = file_statement();
    let predicate = r#"{"kind":"file","size":13}"#;
    cases.add(
        "step3-payload-type",
        "payload_type",
        "The signer signed the statement as text/plain.",
        Recipe { payload_type: "text/plain".to_owned(), ..Recipe::file() }.make(),
    );
    payload(cases, "step3-not-json", "statement_not_json", "The signer signed a text that is no JSON.", "approved\n");
    payload(
        cases,
        "step3-list",
        "statement_not_json",
        "The signer signed a list of one statement.",
        &format!("[{good}]"),
    );
    let twice = "statement_member_twice";
    let doubled = good.replace("\"size\":13", "\"size\":13,\"size\":14");
    payload(
        cases,
        "step3-predicate-member-twice",
        twice,
        "The predicate has a member twice, with two values.",
        &doubled,
    );
    let doubled = good.replace("\"predicateType\"", "\"predicateType\":\"https://example.com/x/v1\",\"predicateType\"");
    payload(cases, "step3-predicate-type-twice", twice, "The statement has two predicate types.", &doubled);
    let shape = "statement_shape";
    let more = good.replace("{\"_type\"", "{\"approved\":true,\"_type\"");
    payload(cases, "step3-member-unknown", shape, "The statement has a member that in-toto does not have.", &more);
    let more = good.replace("{\"name\"", "{\"size\":13,\"name\"");
    payload(cases, "step3-subject-member-unknown", shape, "A subject has a member that in-toto does not have.", &more);
    let snake = good.replace("predicateType", "predicate_type");
    payload(cases, "step3-member-of-snake-case", shape, "predicateType is written predicate_type.", &snake);
    let list = good.replace(predicate, "[13]");
    payload(cases, "step3-predicate-list", "predicate_not_json", "The predicate is a list.", &list);
    let null = good.replace(predicate, "null");
    payload(
        cases,
        "step3-predicate-null",
        "predicate_schema",
        "The predicate of our own type is null, which is as if there were none.",
        &null,
    );
    let v2 = good.replace("Statement/v1", "Statement/v2");
    payload(cases, "step3-statement-type", "statement_type_unknown", "_type is Statement/v2.", &v2);
    let none = statement(&[], predicate);
    payload(cases, "step3-no-subject", "statement_without_subject", "The statement is about nothing.", &none);
    let names: Vec<String> = (0..1024).map(|n| n.to_string()).collect();
    let mut many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    many.push(("firmware-1.0.bin", ARTIFACT));
    let many = statement(&many, r#"{"kind":"set","files":1025,"size":13}"#);
    payload(
        cases,
        "step3-subjects-1025",
        "statement_too_many_subjects",
        "There is one subject more than clients verify.",
        &many,
    );
    let hex = digest(ARTIFACT).hex();
    let malformed = "statement_digest_malformed";
    payload(
        cases,
        "step3-digest-upper-case",
        malformed,
        "The subject's digest is in upper-case hex.",
        &good.replace(&hex, &hex.to_uppercase()),
    );
    payload(
        cases,
        "step3-digest-short",
        malformed,
        "The subject's digest has 62 digits.",
        &good.replace(&hex, &hex[2..]),
    );
    let absent = "subject_not_found";
    payload(
        cases,
        "step3-other-artifact",
        absent,
        "The statement is about another artifact.",
        &good.replace(&hex, &digest(b"other").hex()),
    );
    payload(
        cases,
        "step3-no-sha256",
        absent,
        "The subject has a digest of another algorithm alone.",
        &good.replace("\"sha256\"", "\"sha1\""),
    );
    cases.broken("step3-artifact-changed", absent, "The artifact has one more byte.", Recipe::file().make(), |scene| {
        scene.asked = Asked::Artifact([ARTIFACT, b"\n"].concat());
    });
    let other = "predicate_type";
    cases.broken(
        "step3-type-not-asked-for",
        other,
        "Another predicate type was asked for.",
        Recipe::file().make(),
        |scene| {
            scene.predicate_type = Some("https://slsa.dev/provenance/v1".to_owned());
        },
    );
    cases.broken(
        "step3-type-by-case",
        other,
        "The predicate type differs from what was asked for by the case of a letter.",
        Recipe::file().make(),
        |scene| {
            scene.predicate_type = Some("https://Airtight.dev/artifact/v1".to_owned());
        },
    );
    cases.broken(
        "step3-type-of-a-message",
        other,
        "A predicate type was asked for, and the signature is over the artifact itself.",
        Recipe::message().make(),
        |scene| {
            scene.predicate_type = Some("https://airtight.dev/artifact/v1".to_owned());
        },
    );
    let schema = "predicate_schema";
    let host = good.replace("\"size\":13", "\"size\":13,\"host\":\"build7\"");
    payload(
        cases,
        "step3-predicate-schema",
        schema,
        "The predicate is of our type and has a member that its schema does not have.",
        &host,
    );
    let bare = good.replace(&format!(",\"predicate\":{predicate}"), "");
    payload(
        cases,
        "step3-predicate-absent",
        schema,
        "The predicate is of our type, whose schema asks for one, and there is none.",
        &bare,
    );
    cases.broken(
        "step3-message-of-another",
        "message_digest",
        "The signature is over another artifact.",
        Recipe::message().make(),
        |scene| {
            scene.asked = Asked::Artifact(b"other".to_vec());
        },
    );
}

fn step_3_directories(cases: &mut Cases) {
    let directory =
        || Recipe::envelope(&directory_statement(r#","symlinks":[{"name":"latest","target":"bin/tool"}]"#)).make();
    let links = [("latest", "bin/tool")];
    let judged =
        |cases: &mut Cases, name: &str, expect, about: &str, files: &[(&str, &[u8])], links: &[(&str, &str)]| {
            cases.broken(name, expect, about, directory(), |scene| ask(scene, files, links));
        };
    let changed: [(&str, &[u8]); 2] = [("bin/tool", b"#!/bin/sh\nrm\n"), FILES[1]];
    judged(
        cases,
        "step3-file-changed",
        "subject_digest",
        "A file of the directory has another content.",
        &changed,
        &links,
    );
    judged(
        cases,
        "step3-file-missing",
        "subject_file_missing",
        "A file of the directory is not there.",
        &FILES[..1],
        &links,
    );
    let more: [(&str, &[u8]); 3] = [FILES[0], FILES[1], ("bin/other", b"new\n")];
    judged(
        cases,
        "step3-file-added",
        "subject_file_unstated",
        "The directory has a file that the statement does not name.",
        &more,
        &links,
    );
    let renamed: [(&str, &[u8]); 2] = [("bin/Tool", FILES[0].1), FILES[1]];
    judged(
        cases,
        "step3-file-renamed",
        "subject_file_missing",
        "A file of the directory has another name.",
        &renamed,
        &links,
    );
    let swapped: [(&str, &[u8]); 2] = [("bin/tool", FILES[1].1), ("readme.txt", FILES[0].1)];
    judged(
        cases,
        "step3-files-swapped",
        "subject_digest",
        "Two files of the directory have each other's content.",
        &swapped,
        &links,
    );
    let symlink = "symlink";
    judged(
        cases,
        "step3-link-changed",
        symlink,
        "A symbolic link points elsewhere.",
        &FILES,
        &[("latest", "/etc/passwd")],
    );
    judged(cases, "step3-link-missing", symlink, "A symbolic link is not there.", &FILES, &[]);
    judged(
        cases,
        "step3-link-added",
        symlink,
        "There is a symbolic link that the predicate does not name.",
        &FILES,
        &[links[0], ("more", "x")],
    );
    let bare =
        directory_statement("").replace(&format!(r#"{{"sha256":"{}"}}"#, digest(FILES[1].1).hex()), r#"{"sha1":"00"}"#);
    cases.broken(
        "step3-file-without-sha256",
        "subject_without_sha256",
        "A subject that is to be compared with a file has no sha256.",
        Recipe::envelope(&bare).make(),
        |scene| {
            ask(scene, &FILES, &[]);
        },
    );
    let twice = statement(&[FILES[0], FILES[1], FILES[0]], r#"{"kind":"directory","files":2,"size":18}"#);
    cases.broken(
        "step3-name-twice",
        "subject_name_twice",
        "Two subjects have one name.",
        Recipe::envelope(&twice).make(),
        |scene| {
            ask(scene, &FILES, &[]);
        },
    );
    let part = Recipe::envelope(&directory_statement(r#","part":{"number":2,"of":3}"#)).make();
    cases.broken(
        "step3-part-file-changed",
        "subject_digest",
        "The statement is one of three parts, and a file that it names has another content.",
        part,
        |scene| {
            ask(scene, &changed, &[]);
        },
    );
    cases.broken(
        "step3-files-by-one-signature",
        "message_one_artifact",
        "A directory was asked about, and the signature is over one artifact.",
        Recipe::message().make(),
        |scene| {
            scene.asked = Asked::Files { files: vec![subject("firmware-1.0.bin", ARTIFACT)], links: Vec::new() };
        },
    );
}
