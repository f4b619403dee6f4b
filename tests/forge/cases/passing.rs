//! Bundles that are good: what must not be refused, at the edge of each rule.

use airtight::statement::Symlink;
use airtight_keys::note::{self, NoteStyle};
use airtight_keys::public::Algorithm;
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::to_standard_base64 as base64;
use airtight_log::entry::dsse_body;
use sha2::{Digest as _, Sha512};

use crate::forge::json::{Json, quoted, text, token};
use crate::forge::{
    ARTIFACT, Asked, Log, Recipe, START, Scene, Signed, TIME, digest, file_statement, key, signer_ed25519, signer_p256,
    statement, stranger, subject, trusted_root, trusted_rsa,
};

use super::Cases;

const V: &str = "verified";
/// The files of the directory that several cases are about.
pub(super) const FILES: [(&str, &[u8]); 2] = [("bin/tool", b"#!/bin/sh\n"), ("readme.txt", b"read me\n")];

/// Our statement about the directory, with these members at the end of its predicate.
pub(super) fn directory_statement(more: &str) -> String {
    let size: usize = FILES.iter().map(|(_, content)| content.len()).sum();
    statement(&FILES, &format!(r#"{{"kind":"directory","files":{},"size":{size}{more}}}"#, FILES.len()))
}

/// Asks about these files and links.
pub(super) fn ask(scene: &mut Scene, files: &[(&str, &[u8])], links: &[(&str, &str)]) {
    scene.asked = Asked::Files {
        files: files.iter().map(|(name, content)| subject(name, content)).collect(),
        links: links
            .iter()
            .map(|(name, target)| Symlink { name: (*name).to_owned(), target: (*target).to_owned() })
            .collect(),
    };
}

pub(super) fn add(cases: &mut Cases) {
    whole(cases);
    statements(cases);
    logs(cases);
    spellings(cases);
}

fn whole(cases: &mut Cases) {
    cases.add(
        "verified-dsse-p256",
        V,
        "A file's statement in an envelope, signed with P-256, in a log in the manner of Rekor v1: what airtight makes.",
        Recipe::file().make(),
    );
    cases.add("verified-dsse-ed25519", V, "The same, signed with Ed25519.", Recipe::file_ed25519().make());
    cases.add(
        "verified-dsse-without-promise",
        V,
        "There is an inclusion proof and a checkpoint, but no signed entry timestamp and no time.",
        Recipe { promise: false, ..Recipe::file() }.make(),
    );
    cases.add(
        "verified-message-hashedrekord-001",
        V,
        "A signature over the artifact itself, entered as hashedrekord 0.0.1.",
        Recipe::message().make(),
    );
    cases.add(
        "verified-message-hashedrekord-002",
        V,
        "A signature over the artifact itself, entered as hashedrekord 0.0.2 in a log in the manner of Rekor v2.",
        Recipe::message().in_v2().make(),
    );
    cases.add(
        "verified-dsse-hashedrekord-002",
        V,
        "An envelope entered as hashedrekord 0.0.2 over its PAE, with a C2SP checkpoint under an Ed25519 key.",
        Recipe::file().in_v2().make(),
    );
    cases.add(
        "verified-dsse-hashedrekord-002-p256-log",
        V,
        "The same, with the checkpoint under a P-256 key.",
        Recipe {
            log: Log { key: key(Algorithm::P256, "log, Rekor v2 style, P-256"), ..Log::v2() },
            ..Recipe::file().in_v2()
        }
        .make(),
    );
    cases.broken(
        "verified-key-among-others",
        V,
        "Three keys are believed, and one of them signed.",
        Recipe::file().make(),
        |scene| {
            scene.keys.insert(0, stranger().public().spki_pem().to_owned());
            scene.keys.push(signer_ed25519().public().spki_pem().to_owned());
        },
    );
    cases.broken(
        "verified-key-given-twice",
        V,
        "The key that signed is given twice, and counts once.",
        Recipe::file().make(),
        |scene| scene.keys.push(scene.keys[0].clone()),
    );
    let sha256 = |payload: &str| digest(payload.as_bytes());
    let logged_as = |text: &dyn Fn(&str, &str) -> String| {
        let recipe = Recipe::file();
        let (payload, sig) = (base64(file_statement().as_bytes()), base64(&recipe.signature()));
        let body = dsse_body(
            &sha256(&text(&payload, &sig)),
            &sha256(&file_statement()),
            &recipe.signature(),
            signer_p256().public().spki_pem(),
        );
        Recipe { logged: Some(body), ..recipe }.make()
    };
    cases.add(
        "verified-envelope-text-with-empty-keyid",
        V,
        "envelopeHash in the entry covers the envelope's text with an empty keyid after sig, as cosign posts it.",
        logged_as(&|payload, sig| {
            format!(
                r#"{{"payload":"{payload}","payloadType":"application/vnd.in-toto+json","signatures":[{{"sig":"{sig}","keyid":""}}]}}"#
            )
        }),
    );
    cases.add(
        "verified-envelope-text-unknown",
        V,
        "envelopeHash in the entry covers a text that nobody can make again from the bundle; payload, signature and key fit.",
        logged_as(&|payload, sig| format!("{payload} {sig}")),
    );
}

fn statements(cases: &mut Cases) {
    let links = [("latest", "bin/tool")];
    let with_link = directory_statement(r#","symlinks":[{"name":"latest","target":"bin/tool"}]"#);
    cases.broken(
        "verified-directory",
        V,
        "A directory of two files and a symbolic link: each file is a subject, each subject a file, the link points where it says.",
        Recipe::envelope(&with_link).make(),
        |scene| ask(scene, &FILES, &links),
    );
    cases.broken(
        "verified-file-of-a-directory",
        V,
        "One file of a directory's statement is the artifact.",
        Recipe::envelope(&with_link).make(),
        |scene| scene.asked = Asked::Artifact(FILES[1].1.to_vec()),
    );
    cases.broken(
        "verified-part-of-a-directory",
        V,
        "The statement is part 2 of 3, so the directory may have files that it does not name.",
        Recipe::envelope(&directory_statement(r#","part":{"number":2,"of":3}"#)).make(),
        |scene| {
            let more: [(&str, &[u8]); 3] = [FILES[0], FILES[1], ("src/main.c", b"int main;\n")];
            ask(scene, &more, &[]);
        },
    );
    cases.broken(
        "verified-links-unstated",
        V,
        "The predicate is not ours and says nothing of symbolic links, so the one that is there is not judged.",
        Recipe::envelope(
            &directory_statement("").replace("https://airtight.dev/artifact/v1", "https://example.com/survey/v1"),
        )
        .make(),
        |scene| ask(scene, &FILES, &links),
    );
    let set =
        statement(&[("firmware-1.0.bin", ARTIFACT), ("notes", b"notes\n")], r#"{"kind":"set","files":2,"size":19}"#);
    cases.add(
        "verified-set",
        V,
        "A statement about two files that were named together; the artifact is the first.",
        Recipe::envelope(&set).make(),
    );
    let names: Vec<String> = (0..1023).map(|n| n.to_string()).collect();
    let mut subjects: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    subjects.push(("firmware-1.0.bin", ARTIFACT));
    cases.add(
        "verified-subjects-1024",
        V,
        "A statement has the most subjects that clients verify, and the artifact is the last.",
        Recipe::envelope(&statement(&subjects, r#"{"kind":"set","files":1024,"size":13}"#)).make(),
    );
    cases.broken(
        "verified-type-asked-for",
        V,
        "A statement of another type than ours, without a predicate, and of the type that was asked for.",
        Recipe::envelope(
            &file_statement()
                .replace("https://airtight.dev/artifact/v1", "https://slsa.dev/provenance/v1")
                .replace(r#","predicate":{"kind":"file","size":13}"#, ""),
        )
        .make(),
        |scene| scene.predicate_type = Some("https://slsa.dev/provenance/v1".to_owned()),
    );
    cases.add(
        "verified-statement-v01",
        V,
        "_type is Statement/v0.1, as cosign still writes it.",
        Recipe::envelope(&file_statement().replace("Statement/v1", "Statement/v0.1")).make(),
    );
    let described = file_statement().replace(
        "\"}}]",
        r#""},"uri":"pkg:generic/firmware","mediaType":"application/octet-stream","downloadLocation":"https://example.com/","content":"AA==","annotations":{"a":[1,null]}}]"#,
    );
    cases.add(
        "verified-subject-described",
        V,
        "The subject has the other members of a ResourceDescriptor.",
        Recipe::envelope(&described).make(),
    );
    let sha512 = hex::encode(Sha512::digest(ARTIFACT));
    cases.add(
        "verified-subject-of-two-digests",
        V,
        "The subject has the artifact's SHA-512 beside its SHA-256.",
        Recipe::envelope(&file_statement().replace("\"}}]", &format!(r#"","sha512":"{sha512}"}}}}]"#))).make(),
    );
    cases.broken(
        "verified-empty-artifact",
        V,
        "The artifact is empty.",
        Recipe::envelope(&statement(&[("empty", b"")], r#"{"kind":"file","size":0}"#)).make(),
        |scene| scene.asked = Asked::Artifact(Vec::new()),
    );
}

fn logs(cases: &mut Cases) {
    let first = || Recipe { index: 0, size: 1, ..Recipe::file() };
    cases.add(
        "verified-first-entry",
        V,
        "The first entry of a log, under the checkpoint of size 1: the proof has no hashes.",
        first().make(),
    );
    cases.broken(
        "verified-first-entry-zeros-left-out",
        V,
        "The same as protobuf's JSON may write it: what is 0 or empty is left out.",
        first().make(),
        |scene| {
            scene.bundle.drop_member("/verificationMaterial/tlogEntries/0/logIndex");
            scene.bundle.drop_member("/verificationMaterial/tlogEntries/0/inclusionProof/logIndex");
            scene.bundle.drop_member("/verificationMaterial/tlogEntries/0/inclusionProof/hashes");
        },
    );
    cases.add(
        "verified-last-of-257",
        V,
        "The last entry of a log of 257: its proof has one hash, for 256 complete entries.",
        Recipe { index: 256, size: 257, ..Recipe::file() }.make(),
    );
    cases.add(
        "verified-first-of-257",
        V,
        "The first entry of a log of 257: its proof has nine hashes.",
        Recipe { index: 0, size: 257, ..Recipe::file() }.make(),
    );
    cases.add(
        "verified-index-over-shards",
        V,
        "The entry's own logIndex counts over all shards of the log; the signed entry timestamp binds it.",
        Recipe { global_index: Some(25_579_005), ..Recipe::file() }.make(),
    );
    cases.add(
        "verified-checkpoint-extension-v1",
        V,
        "A checkpoint in the manner of Rekor v1 has a line after the root, as old servers write it; the signature covers it.",
        Recipe { checkpoint: |text| text + "Timestamp: 1767312035000000000\n", ..Recipe::file() }.make(),
    );
    cases.broken(
        "verified-checkpoint-of-a-witness-too",
        V,
        "A C2SP checkpoint has a second line by a key that is not known, as a witness adds it; it is passed over.",
        Recipe::file().in_v2().make(),
        |scene| {
            let path = "/inclusionProof/checkpoint/envelope";
            scene.rewrite_entry(path, |signed| {
                let text = signed.split("\n\n").next().unwrap().to_owned() + "\n";
                let witness = key(Algorithm::Ed25519, "witness");
                let by = note::sign(&text, "witness.example/w1", &witness, NoteStyle::Ed25519).unwrap();
                signed + by.split("\n\n").nth(1).unwrap()
            });
        },
    );
    cases.broken(
        "verified-among-several-logs",
        V,
        "The trusted root names four logs, one of them with an RSA key; the entry's is found by its id.",
        Recipe::file().make(),
        |scene| {
            let other = Log { name: "other.example", key: key(Algorithm::P256, "another log"), ..Log::v1() };
            let rsa = trusted_rsa("rsa.example");
            scene.root = trusted_root(&[other.trusted(), rsa, Log::v1().trusted(), Log::v2().trusted()]);
        },
    );
    let valid = |name: &str, about: &str, cases: &mut Cases, time: u64, from: &str| {
        cases.broken(name, V, about, Recipe { time, ..Recipe::file() }.make(), |scene| {
            *scene.root.at("/tlogs/0/publicKey/validFor") = Json::parse(from);
        });
    };
    let year = r#"{"start":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"}"#;
    valid(
        "verified-first-second-of-the-key",
        "The log took the entry in the first second of its key.",
        cases,
        START,
        year,
    );
    valid(
        "verified-last-second-of-the-key",
        "The log took the entry in the last second of its key, which ended before it is judged.",
        cases,
        START + 86_400,
        year,
    );
    valid(
        "verified-key-of-another-time-zone",
        "The key's time is written with an offset and a fraction of a second.",
        cases,
        TIME,
        r#"{"start":"2026-01-01T02:00:00.000+02:00"}"#,
    );
    cases.broken(
        "verified-log-clock-ahead",
        V,
        "The log's clock is 300 seconds ahead of the verifier's, which is as much as is allowed.",
        Recipe::file().make(),
        |scene| scene.now = TIME - 300,
    );
    cases.broken(
        "verified-key-ended-and-no-time",
        V,
        "The log's key has ended and the entry has no signed time: verified, and the report says what is not established.",
        Recipe { promise: false, ..Recipe::file() }.make(),
        |scene| {
            scene.root.add("/tlogs/0/publicKey/validFor", "end", text("2026-01-03T00:00:00Z"));
        },
    );
}

fn spellings(cases: &mut Cases) {
    let hint = "/verificationMaterial/publicKey/hint";
    cases.broken(
        "verified-hint-of-any-text",
        V,
        "The hint is no digest of a key; nobody binds it, and it is passed over.",
        Recipe::file().make(),
        |scene| *scene.bundle.at(hint) = text("release key of 2026"),
    );
    cases.broken("verified-hint-empty", V, "The hint is empty.", Recipe::file().make(), |scene| {
        *scene.bundle.at(hint) = text("");
    });
    cases.broken(
        "verified-hint-in-hex",
        V,
        "The hint is the digest of the key that signed, in hex.",
        Recipe::file().make(),
        |scene| *scene.bundle.at(hint) = text(&signer_p256().public().key_id().to_string()),
    );
    for version in ["0.1", "0.2", "0.3"] {
        cases.broken(
            &format!("verified-media-type-{version}"),
            V,
            "The media type is in its older spelling.",
            Recipe::file().make(),
            |scene| {
                *scene.bundle.at("/mediaType") =
                    text(&format!("application/vnd.dev.sigstore.bundle+json;version={version}"));
            },
        );
    }
    cases.broken(
        "verified-other-white-space",
        V,
        "White space stands between all tokens.",
        Recipe::file().make(),
        |scene| scene.text = Some(scene.bundle.render_with("\r\n\t ").into_bytes()),
    );
    cases.broken(
        "verified-other-member-order",
        V,
        "The members of every object stand in reverse order.",
        Recipe::file().make(),
        |scene| {
            for (way, _) in scene.bundle.ways() {
                if let Json::Object(members) = scene.bundle.on(&way) {
                    members.reverse();
                    // The ways below this object are no longer what they were; one level is enough.
                    break;
                }
            }
            scene.entry().members().reverse();
            scene.entry().at("/inclusionProof").members().reverse();
        },
    );
    cases.broken(
        "verified-string-escapes",
        V,
        "Every string and every name is written in \\u escapes.",
        Recipe::file().make(),
        |scene| {
            let plain = scene.bundle.render();
            let mut out = String::new();
            let mut inside = false;
            let mut letters = plain.chars().peekable();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => (inside, out) = (!inside, out + "\""),
                    '\\' => out.extend(['\\', letters.next().unwrap()]),
                    _ if inside => {
                        letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04X}"))
                    }
                    _ => out.push(letter),
                }
            }
            scene.text = Some(out.into_bytes());
        },
    );
    cases.broken(
        "verified-nulls-and-zero-time",
        V,
        "Members that are absent are written out as protobuf's JSON has them: null, \"0\" and an empty keyid.",
        Recipe { promise: false, ..Recipe::file() }.make(),
        |scene| {
            scene.bundle.add("", "messageSignature", token("null"));
            scene.bundle.add("/verificationMaterial", "x509CertificateChain", token("null"));
            scene.bundle.add("/verificationMaterial", "certificate", token("null"));
            scene.bundle.add("/verificationMaterial/tlogEntries/0", "integratedTime", text("0"));
            scene.bundle.add("/verificationMaterial/tlogEntries/0", "inclusionPromise", token("null"));
            scene.bundle.add("/dsseEnvelope/signatures/0", "keyid", text(""));
        },
    );
    cases.broken(
        "verified-timestamp-not-judged",
        V,
        "There is something in the place of an RFC 3161 time stamp; the trusted root names no authority for one, so it is not read, and the report says so.",
        Recipe::file().make(),
        |scene| {
            let data =
                format!(r#"{{"rfc3161Timestamps":[{{"signedTimestamp":{}}}]}}"#, quoted(&base64(b"no timestamp")));
            let data = Json::parse(&data);
            scene.bundle.add("/verificationMaterial", "timestampVerificationData", data);
        },
    );
    let message = Recipe { signed: Signed::Message(Vec::new()), ..Recipe::message() };
    cases.broken(
        "verified-message-of-nothing",
        V,
        "A signature over an artifact without bytes.",
        message.make(),
        |scene| scene.asked = Asked::Artifact(Vec::new()),
    );
}
