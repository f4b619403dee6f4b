//! Entries against the answers of real servers, and against every spelling that is not theirs.

use airtight_keys::public::Algorithm;
use airtight_keys::role::SignerKey;
use airtight_keys::sign::SoftKey;
use airtight_keys::strict_json::Limits;

use super::*;

/// An envelope as it was posted to a real Rekor v1 (1.5.4), what that server made of it, and the two keys.
const ENVELOPE: &str = r#"{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoiYXJ0aWZhY3QiLCJkaWdlc3QiOnsic2hhMjU2IjoiNWQ3NzUxZGIzODhhNmExMjczMzk2MTMyM2M5N2ZlZTM1YjMyMmJhMjlkNGNmMTRhZTU4ZDU1OTZmYjg4YmQxMSJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3Nsc2EuZGV2L3Byb3ZlbmFuY2UvdjEiLCJwcmVkaWNhdGUiOnsibm90ZSI6ImQzN2MwMmNhMGRlYSJ9fQ==","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MEYCIQD7Au7fMgTTqdTs1KuVGYJhXoMmvaNh8m2VwIPEMfy3vAIhALUfi5L4Loma0YWOFWeC0XQ4hQY8TsM0KE39FmkSGgHM"}]}"#;
const BODY: &str = r#"{"apiVersion":"0.0.1","kind":"dsse","spec":{"envelopeHash":{"algorithm":"sha256","value":"8053cf1cb036e0c5fd9eb20386715030a75491e11e4f1207c66059fe50d4e669"},"payloadHash":{"algorithm":"sha256","value":"3f5c376acdf873c785583a59d4916254177bed1a3667b174d9a76a7bde01513f"},"signatures":[{"signature":"MEYCIQD7Au7fMgTTqdTs1KuVGYJhXoMmvaNh8m2VwIPEMfy3vAIhALUfi5L4Loma0YWOFWeC0XQ4hQY8TsM0KE39FmkSGgHM","verifier":"LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFdUhudjlQQXhmRXZBNnMxNXNzbmF3amU5RU5BSApBMHNXL244emxEbEZ0N0RYekhaYmxINDlQZlRVcXpER0VvOXBFUTNRTGdnMWNtckpWczlGUGRtVU13PT0KLS0tLS1FTkQgUFVCTElDIEtFWS0tLS0tCg=="}]}}"#;
const UUID: &str = "7ce4d9bea20cabd9114400063b453118ecefcc84b4053fa8336c50d1a52ec59e90ba125b959d74f6";
const SET: &str = "MEYCIQDDzVY1AYhhiAF1o2WhMPq7t76bWtB5Te/Jcw0aaVmQQAIhANaP5Cnc4UkeLNMFEAmNV030kOn6fm10AK/P1OouCkiW";
const INTEGRATED_TIME: u64 = 1795226462;
const LOG_INDEX: u64 = 8;
const SIGNER_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEuHnv9PAxfEvA6s15ssnawje9ENAH\nA0sW/n8zlDlFt7DXzHZblH49PfTUqzDGEo9pEQ3QLgg1cmrJVs9FPdmUMw==\n-----END PUBLIC KEY-----\n";
const LOG_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZcLGSihMgBfRjBGzhPYfP/zPDXkL\nxvU1i1bHlp0Z0KuOHWrHvVr2j5tRn9ti+45zLqwPpfA6GNJwGo/oIsLbRA==\n-----END PUBLIC KEY-----\n";

/// A body as a real Rekor v2 (rekor-tiles 2.3.0) made it.
const BODY_V2: &str = r#"{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"UbwPwfGRBPpuic5Qvpqh9XwzRsHKUatJ9fAOFM6PgHY="},"signature":{"content":"MEYCIQCUfwOrkKzQ+DrFxSLns32H2rDH2NRj5dhg6n3tQv+SewIhAPQPzo5PjNKRVjKwCxzKMiKLYmMd+zNq737C1OjjjQZk","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENs48RczRVFfstBoGBBP0XbRlbQAVE8/CuxyfE7QYCs2grfZh8r1pmmZgW8APBG+b2S1tUzfo9082HF0pelmMig=="}}}}}}"#;

const HASHEDREKORD_V1: &str = r#"{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}},"signature":{"content":"c2ln","publicKey":{"content":"cGVt"}}}}"#;

fn envelope() -> Envelope {
    Envelope::parse(ENVELOPE.as_bytes(), Limits::bytes(1 << 20)).unwrap()
}

fn signer() -> PublicKey {
    PublicKey::from_spki_pem(SIGNER_PEM).unwrap()
}

/// What an RFC 8785 library makes of the same JSON.
fn canonical(json: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(json).unwrap();
    serde_json_canonicalizer::to_string(&value).unwrap()
}

fn parse(body: &str) -> Result<Body, BodyError> {
    Body::parse(body.as_bytes())
}

#[test]
fn an_entry_is_what_a_real_rekor_made_of_the_same_envelope() {
    let entry = Entry::of(&envelope(), &signer()).unwrap();
    assert_eq!(std::str::from_utf8(entry.body()), Ok(BODY));
    let tree_id = TreeId::new(8_999_557_368_178_846_681).unwrap();
    assert_eq!(uuid(tree_id, entry.leaf_hash()), UUID);
    let envelope = envelope();
    let signature = &envelope.signatures()[0].signature;
    assert_eq!(Entry::dsse(ENVELOPE, envelope.payload_unverified(), signature, &signer()), entry);
    assert_eq!(Entry::from_body(BODY.into()), entry);
}

#[test]
fn the_message_of_a_real_timestamp_verifies_and_is_canonical() {
    let log = PublicKey::from_spki_pem(LOG_PEM).unwrap();
    let signature = standard_base64(SET).unwrap();
    let index = LeafIndex::new(LOG_INDEX).unwrap();
    let message = set_message(BODY.as_bytes(), INTEGRATED_TIME, log.key_id(), index);
    assert_eq!(log.verify(&message, &signature), Ok(()));
    assert_eq!(canonical(&message).as_bytes(), message);
    let later = set_message(BODY.as_bytes(), INTEGRATED_TIME + 1, log.key_id(), index);
    assert!(log.verify(&later, &signature).is_err());
}

#[test]
fn every_body_is_canonical_json_and_comes_back() {
    for (body, kind, version) in
        [(BODY, "dsse", "0.0.1"), (HASHEDREKORD_V1, "hashedrekord", "0.0.1"), (BODY_V2, "hashedrekord", "0.0.2")]
    {
        let read = parse(body).unwrap();
        assert_eq!((read.kind(), read.version()), (kind, version));
        assert_eq!(read.render(), body.as_bytes());
        assert_eq!(canonical(body.as_bytes()), body);
    }
}

#[test]
fn a_rendered_body_is_canonical_for_signatures_of_every_length() {
    let (envelope_hash, payload_hash) = (sha256(b"envelope"), sha256(b"payload"));
    for len in 0..=73 {
        let signature: Vec<u8> = (0..len).map(|i| 0xff - i).collect();
        let body = dsse_body(&envelope_hash, &payload_hash, &signature, SIGNER_PEM);
        assert_eq!(canonical(&body).as_bytes(), body);
        let signatures = vec![BodySignature { signature, verifier_pem: SIGNER_PEM.into() }];
        assert_eq!(Body::parse(&body), Ok(Body::Dsse001(Dsse001 { envelope_hash, payload_hash, signatures })));
    }
}

#[test]
fn a_body_says_what_its_entry_was_made_of() {
    let Ok(Body::Dsse001(dsse)) = parse(BODY) else { panic!("{:?}", parse(BODY)) };
    assert_eq!(dsse.envelope_hash, sha256(ENVELOPE.as_bytes()));
    assert_eq!(dsse.payload_hash, sha256(envelope().payload_unverified()));
    let [one] = &dsse.signatures[..] else { panic!("{dsse:?}") };
    assert_eq!(one.signature, envelope().signatures()[0].signature);
    assert_eq!(one.verifier_pem, SIGNER_PEM.as_bytes());
    let Ok(Body::HashedRekord002(rekord)) = parse(BODY_V2) else { panic!("{:?}", parse(BODY_V2)) };
    assert_eq!(rekord.key_details, "PKIX_ECDSA_P256_SHA_256");
    assert!(PublicKey::from_spki_der(rekord.verifier.der()).is_ok());
}

#[test]
fn signatures_stand_in_the_order_of_their_base64() {
    let one = |signature: &[u8]| BodySignature { signature: signature.into(), verifier_pem: b"pem".into() };
    let of =
        |signatures| Body::Dsse001(Dsse001 { envelope_hash: sha256(b"e"), payload_hash: sha256(b"p"), signatures });
    // By their bytes they would stand the other way round: in ASCII digits come before letters.
    let (digit, letter) = ([0xd0, 0, 0], [0x68, 0, 0]);
    assert_eq!((to_standard_base64(&digit), to_standard_base64(&letter)), ("0AAA".into(), "aAAA".into()));
    let sorted = of(vec![one(&digit), one(&letter)]);
    let text = String::from_utf8(of(vec![one(&letter), one(&digit)]).render()).unwrap();
    assert_eq!(parse(&text), Ok(sorted));
    assert_eq!(canonical(text.as_bytes()), text);
    let swapped = text.replace("0AAA", "@").replace("aAAA", "0AAA").replace('@', "aAAA");
    assert_eq!(parse(&swapped), Err(BodyError::NotCanonical));
}

#[test]
fn a_body_of_another_spelling_is_refused() {
    let shape = |body: &str| assert!(matches!(parse(body), Err(BodyError::Shape { .. })), "{body}");
    shape("");
    shape("[]");
    shape(&format!(" {BODY}"));
    shape(&BODY.replace(r#"":""#, r#"": ""#));
    shape(&BODY.replace(r#","kind":"dsse""#, ""));
    shape(&BODY.replace(r#""algorithm":"sha256""#, r#""algorithm":"sha512""#));
    shape(&BODY.replace("\"signatures\":[{", "\"signatures\":[],\"more\":[{"));
    shape(&BODY.replace("}]}}", "},]}}"));
    shape(&BODY[..BODY.len() - 1]);
    shape(&HASHEDREKORD_V1.replace("publicKey", "publickey"));
    let Ok(Body::HashedRekord002(certified)) = parse(&BODY_V2.replace("publicKey", "x509Certificate")) else {
        panic!()
    };
    assert!(matches!(certified.verifier, RekordVerifier::Certificate(_)));
    shape(&BODY_V2.replace("publicKey", "x509certificate"));
    assert_eq!(parse(&format!("{BODY}\n")), Err(BodyError::Trailing { len: 1 }));
    assert_eq!(parse(&format!("{BODY_V2}{{}}")), Err(BodyError::Trailing { len: 2 }));
}

#[test]
fn a_value_of_another_spelling_is_refused() {
    let at = BODY.find("8053cf1c").unwrap();
    let hash = &BODY[at..at + 64];
    assert!(
        matches!(parse(&BODY.replace(hash, &hash.to_uppercase())), Err(BodyError::Digest { offset }) if offset == at)
    );
    assert!(matches!(parse(&BODY.replace(hash, &hash[1..])), Err(BodyError::Digest { offset }) if offset == at));
    let in_v1 = |from: &str, to: &str| parse(&HASHEDREKORD_V1.replace(from, to));
    assert!(matches!(in_v1("sha256", "sha384"), Err(BodyError::Digest { .. })));
    assert!(matches!(in_v1("sha256", "md5"), Err(BodyError::Digest { .. })));
    assert_eq!(in_v1("ba78", "BA78"), Err(BodyError::NotCanonical));
    assert_eq!(in_v1("sha256", "SHA2_256"), Err(BodyError::NotCanonical));
    assert!(matches!(in_v1("c2ln", "c2l"), Err(BodyError::Base64 { .. })));
    assert!(matches!(in_v1("c2ln", "c2k="), Ok(Body::HashedRekord001(_))));
    assert!(matches!(in_v1("c2ln", "c2l="), Err(BodyError::Base64 { .. })));
    assert!(matches!(in_v1("c2ln", "c2-_"), Err(BodyError::Base64 { .. })));
    assert!(matches!(in_v1("c2ln", "c2\\u006cn"), Err(BodyError::Value { .. })));
    assert!(matches!(in_v1("c2ln", "c2 ln"), Err(BodyError::Value { .. })));
    assert!(matches!(in_v1("c2ln", "c2é"), Err(BodyError::Value { .. })));
    assert!(matches!(parse(r#"{"apiVersion":"0.0.1"#), Err(BodyError::Value { offset: 15 })));
}

#[test]
fn a_body_of_another_kind_or_size_is_refused() {
    for (kind, version) in [("intoto", "0.0.1"), ("dsse", "0.0.2"), ("hashedrekord", "0.0.3"), ("", "")] {
        let body = format!(r#"{{"apiVersion":"{version}","kind":"{kind}","spec":{{}}}}"#);
        let refused = BodyError::UnknownKind { kind: kind.into(), version: version.into() };
        assert_eq!(parse(&body), Err(refused));
    }
    assert_eq!(Body::parse(&[b' '; ENTRY_LEN_MAX + 1]), Err(BodyError::TooLarge { len: ENTRY_LEN_MAX + 1 }));
    assert_eq!(Body::parse(b"{\xff"), Err(BodyError::NotUtf8 { offset: 1 }));
}

#[test]
fn a_change_of_any_byte_is_refused_or_is_another_body() {
    for body in [BODY, HASHEDREKORD_V1, BODY_V2] {
        let original = parse(body).unwrap();
        for at in 0..body.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut bytes = body.as_bytes().to_vec();
                bytes[at] ^= flip;
                if let Ok(read) = Body::parse(&bytes) {
                    assert_eq!(read.render(), bytes);
                    assert_ne!(read, original, "byte {at}");
                }
            }
            assert!(Body::parse(&body.as_bytes()[..at]).is_err(), "cut at {at}");
        }
    }
}

#[test]
fn an_envelope_with_two_signatures_makes_no_entry() {
    let key = |first: u8| {
        let secret = std::array::from_fn(|i| first + i as u8);
        SignerKey::new(SoftKey::from_secret(Algorithm::Ed25519, &secret).unwrap())
    };
    let sign = |key: &SignerKey| Envelope::sign("application/x", b"payload".to_vec(), key).unwrap();
    let (one, two) = (sign(&key(1)), sign(&key(2)));
    assert!(Entry::of(&one, key(1).public()).is_ok());
    let both = [one.signatures(), two.signatures()].concat();
    let both = Envelope::from_parts("application/x".into(), b"payload".to_vec(), both).unwrap();
    assert_eq!(Entry::of(&both, key(1).public()), Err(EntryError::SignatureCount { count: 2 }));
}
