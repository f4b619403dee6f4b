//! The laws of envelopes, and the vector that pins their bytes.

use p256::ecdsa::Signature;

use super::{
    Envelope, EnvelopeError, EnvelopeRefusal, EnvelopeSignError, EnvelopeSignature, IN_TOTO_PAYLOAD_TYPE,
    SIGNATURES_MAX, pae,
};
use crate::public::{Algorithm, PublicKey};
use crate::role::SignerKey;
use crate::sign::{Sign, SoftKey};
use crate::strict_json::{Base64Error, Limits, StrictJsonError};

const LIMITS: Limits = Limits::bytes(1 << 20);

fn key(algorithm: Algorithm, seed: u8) -> SoftKey {
    SoftKey::from_secret(algorithm, &[seed; 32]).unwrap()
}

fn public(algorithm: Algorithm, seed: u8) -> PublicKey {
    key(algorithm, seed).public().clone()
}

fn signature(key: &SoftKey, payload_type: &str, payload: &[u8]) -> EnvelopeSignature {
    EnvelopeSignature { signature: key.sign(&pae(payload_type, payload)).unwrap(), keyid: None }
}

/// An envelope of type `t` over `p`, signed by P-256 keys of these seeds.
fn signed_by(seeds: &[u8]) -> Envelope {
    let signatures = seeds.iter().map(|&seed| signature(&key(Algorithm::P256, seed), "t", b"p")).collect();
    Envelope::from_parts("t".to_owned(), b"p".to_vec(), signatures).unwrap()
}

fn parse(text: &str) -> Result<Envelope, EnvelopeError> {
    Envelope::parse(text.as_bytes(), LIMITS)
}

#[test]
fn the_pre_authentication_encoding_is_that_of_the_specification() {
    assert_eq!(
        pae("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
    // Lengths count bytes, not characters.
    assert_eq!(pae("ä", "ö€".as_bytes()), "DSSEv1 2 ä 5 ö€".as_bytes());
    assert_eq!(pae("t", b""), b"DSSEv1 1 t 0 ");
}

#[test]
fn a_p256_signature_is_the_one_that_the_specification_prints() {
    // DSSE protocol.md, Test Vectors: ECDSA P-256 and SHA-256 by RFC 6979; printed there as r‖s, ours is DER.
    let secret = hex::decode("d73ec437fd6346e3619c5ebfdfff0f6916804955ad32ac9ac492b0ede1f6ffb7").unwrap();
    let key = SignerKey::new(SoftKey::from_secret(Algorithm::P256, &secret.try_into().unwrap()).unwrap());
    let envelope = Envelope::sign("http://example.com/HelloWorld", b"hello world".to_vec(), &key).unwrap();
    let parsed = Signature::from_der(&envelope.signatures()[0].signature).unwrap();
    assert_eq!(
        crate::strict_json::to_standard_base64(&parsed.to_bytes()),
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    );
}

#[test]
fn the_bytes_of_an_envelope_are_pinned() {
    let payload = br#"{"_type":"https://in-toto.io/Statement/v1"}"#;
    let p256 =
        Envelope::sign(IN_TOTO_PAYLOAD_TYPE, payload.to_vec(), &SignerKey::new(key(Algorithm::P256, 1))).unwrap();
    assert_eq!(p256.to_json(), include_str!("../../tests/fixtures/envelope-p256.json").trim_end());
    let ed25519 =
        Envelope::sign(IN_TOTO_PAYLOAD_TYPE, payload.to_vec(), &SignerKey::new(key(Algorithm::Ed25519, 1))).unwrap();
    assert_eq!(ed25519.to_json(), include_str!("../../tests/fixtures/envelope-ed25519.json").trim_end());
}

#[test]
fn what_was_written_is_read_back_and_verified() {
    for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
        for payload in [&b""[..], b"p", b"pa", b"pay", &[0xff; 1000]] {
            for payload_type in ["t", "application/x; a=\"b\"\\", "ä/\u{1}"] {
                let signer = SignerKey::new(key(algorithm, 1));
                let made = Envelope::sign(payload_type, payload.to_vec(), &signer).unwrap();
                let json = made.to_json();
                let read = parse(&json).unwrap();
                assert_eq!(read, made);
                assert_eq!(read.to_json(), json);
                assert_eq!(read.payload_unverified(), payload);
                assert_eq!(read.payload_base64_unverified(), made.payload_base64_unverified());
                for envelope in [&read, &made] {
                    let verified = envelope.verify(&[signer.public()], 1).unwrap();
                    assert_eq!(verified.payload(), payload);
                    assert_eq!(verified.payload_type(), payload_type);
                    assert_eq!(verified.signers(), [*signer.public().key_id()]);
                }
            }
        }
    }
}

#[test]
fn the_payload_is_there_whether_it_is_asked_for_before_or_after_it_is_verified() {
    let json = signed_by(&[1]).to_json();
    let before = parse(&json).unwrap();
    assert_eq!(before.payload_unverified(), b"p");
    let key = public(Algorithm::P256, 1);
    assert_eq!(before.verify(&[&key], 1).unwrap().payload(), b"p");
    let after = parse(&json).unwrap();
    assert_eq!(after.verify(&[&key], 1).unwrap().payload(), b"p");
    assert_eq!(after.payload_unverified(), b"p");
}

#[test]
fn a_hint_is_kept_and_decides_nothing() {
    let other = public(Algorithm::P256, 2).key_id().to_string();
    let sig = crate::strict_json::to_standard_base64(&signed_by(&[1]).signatures()[0].signature);
    let text = format!(r#"{{"payload":"cA==","payloadType":"t","signatures":[{{"keyid":"{other}","sig":"{sig}"}}]}}"#);
    let envelope = parse(&text).unwrap();
    assert_eq!(envelope.to_json(), text);
    assert_eq!(envelope.signatures()[0].keyid.as_deref(), Some(&*other));
    let (one, two) = (public(Algorithm::P256, 1), public(Algorithm::P256, 2));
    assert_eq!(envelope.verify(&[&two, &one], 1).unwrap().signers(), [*one.key_id()]);
    assert_eq!(envelope.verify(&[&two], 1), Err(EnvelopeRefusal::NoValidSignature { signatures: 1, keys: 1 }));

    let empty = parse(&text.replace(&other, "")).unwrap();
    assert_eq!(empty.signatures()[0].keyid, None);
    assert_eq!(empty.to_json(), signed_by(&[1]).to_json());
}

#[test]
fn a_change_of_payload_type_or_signature_is_refused() {
    let key = public(Algorithm::P256, 1);
    let refusal = Err(EnvelopeRefusal::NoValidSignature { signatures: 1, keys: 1 });
    let good = signed_by(&[1]);
    let change = |payload_type: &str, payload: &[u8], signature: Vec<u8>| {
        let entry = EnvelopeSignature { signature, keyid: None };
        Envelope::from_parts(payload_type.to_owned(), payload.to_vec(), vec![entry]).unwrap()
    };
    let bytes = good.signatures()[0].signature.clone();
    assert!(change("t", b"p", bytes.clone()).verify(&[&key], 1).is_ok());
    assert_eq!(change("t", b"q", bytes.clone()).verify(&[&key], 1).map(|_| ()), refusal);
    assert_eq!(change("u", b"p", bytes.clone()).verify(&[&key], 1).map(|_| ()), refusal);
    assert_eq!(change("t", b"p", bytes[1..].to_vec()).verify(&[&key], 1).map(|_| ()), refusal);
    // Not even the border between type and payload can be moved.
    assert_eq!(change("t 1", b"", bytes).verify(&[&key], 1).map(|_| ()), refusal);
}

#[test]
fn a_threshold_counts_keys_and_not_signatures() {
    let keys: Vec<PublicKey> = (1..=3).map(|seed| public(Algorithm::P256, seed)).collect();
    let all: Vec<&PublicKey> = keys.iter().collect();
    let two = signed_by(&[3, 1]);
    assert_eq!(two.verify(&all, 2).unwrap().signers(), [*keys[0].key_id(), *keys[2].key_id()]);
    assert_eq!(two.verify(&all, 3), Err(EnvelopeRefusal::ThresholdNotMet { accepted: 2, threshold: 3 }));
    let one_twice = signed_by(&[1, 1]);
    assert_eq!(one_twice.verify(&all, 2), Err(EnvelopeRefusal::ThresholdNotMet { accepted: 1, threshold: 2 }));
    assert!(one_twice.verify(&all, 1).is_ok());
    let mixed = {
        let ed25519 = key(Algorithm::Ed25519, 9);
        let signatures = vec![signature(&ed25519, "t", b"p"), signature(&key(Algorithm::P256, 1), "t", b"p")];
        Envelope::from_parts("t".to_owned(), b"p".to_vec(), signatures).unwrap()
    };
    assert_eq!(mixed.verify(&[&keys[0], &public(Algorithm::Ed25519, 9)], 2).unwrap().signers().len(), 2);
}

#[test]
fn a_question_that_cannot_be_answered_is_refused() {
    let envelope = signed_by(&[1]);
    let key = public(Algorithm::P256, 1);
    assert_eq!(envelope.verify(&[&key], 0), Err(EnvelopeRefusal::ZeroThreshold));
    assert_eq!(
        envelope.verify::<PublicKey>(&[], 1),
        Err(EnvelopeRefusal::ThresholdAboveKeys { threshold: 1, keys: 0 })
    );
    assert_eq!(envelope.verify(&[&key], 2), Err(EnvelopeRefusal::ThresholdAboveKeys { threshold: 2, keys: 1 }));
    for threshold in [1, 2] {
        assert_eq!(
            envelope.verify(&[&key, &key.clone()], threshold),
            Err(EnvelopeRefusal::SameKeyTwice { key_id: *key.key_id() })
        );
    }
}

#[test]
fn parts_that_make_no_envelope_are_refused() {
    let entry = || EnvelopeSignature { signature: vec![1], keyid: None };
    let build = |payload_type: &str, signatures| {
        Envelope::from_parts(payload_type.to_owned(), Vec::new(), signatures).map(|_| ())
    };
    assert_eq!(build("t", vec![entry()]), Ok(()));
    assert_eq!(build("", vec![entry()]), Err(EnvelopeError::EmptyPayloadType));
    assert_eq!(build("t", vec![]), Err(EnvelopeError::NoSignatures));
    assert_eq!(
        build("t", vec![entry(); SIGNATURES_MAX + 1]),
        Err(EnvelopeError::TooManySignatures { count: 65, max: 64 })
    );
    let empty = EnvelopeSignature { signature: vec![], keyid: None };
    assert_eq!(build("t", vec![entry(), empty]), Err(EnvelopeError::EmptySignature { index: 1 }));
    assert_eq!(
        Envelope::sign("", vec![], &SignerKey::new(key(Algorithm::P256, 1))).map(|_| ()),
        Err(EnvelopeSignError::EmptyPayloadType)
    );
}

#[test]
fn json_of_another_shape_is_refused() {
    let good = signed_by(&[1]).to_json();
    assert!(parse(&good).is_ok());
    let shape = |text: &str| {
        let refusal = parse(text);
        assert!(matches!(refusal, Err(EnvelopeError::Json(StrictJsonError::Shape { .. }))), "{text} {refusal:?}");
    };
    shape(&good.replace("\"payload\":", "\"payload2\":"));
    shape(&good.replacen('{', "{\"more\":1,", 1));
    shape(&good.replace("[{", "[{\"cert\":\"\","));
    shape(&good.replace("[{", "[{\"keyid\":null,"));
    shape(&good.replace("\"payloadType\":\"t\"", "\"payloadType\":1"));
    shape(r#"{"payload":"cA==","payloadType":"t","signatures":[["AA=="]]}"#);
    shape(r#"{"payload":"cA==","payloadType":"t","signatures":{}}"#);
    shape(r#"{"payload":"cA==","payloadType":"t"}"#);
    shape("{}");
    assert!(matches!(
        parse(r#"["cA==","t",[{"sig":"AA=="}]]"#),
        Err(EnvelopeError::Json(StrictJsonError::NotObject { .. }))
    ));
    assert!(matches!(
        parse(&good.replacen('{', "{\"payload\":\"cA==\",", 1)),
        Err(EnvelopeError::Json(StrictJsonError::DuplicateMember { .. }))
    ));
    assert!(matches!(parse(&format!("{good}x")), Err(EnvelopeError::Json(StrictJsonError::Syntax { .. }))));
    assert!(matches!(
        Envelope::parse(good.as_bytes(), Limits::bytes(good.len() - 1)),
        Err(EnvelopeError::Json(StrictJsonError::TooLarge { .. }))
    ));
}

#[test]
fn base64_in_a_second_spelling_is_refused() {
    let good = signed_by(&[1]).to_json();
    for (from, to, cause) in [
        ("cA==", "cB==", Base64Error::TrailingBits { last: 'B' }),
        ("cA==", "cA", Base64Error::Length { len: 2 }),
        ("cA==", "c_-A", Base64Error::Character { at: 1, byte: b'_' }),
        ("cA==", "cA==\\n\\n\\n\\n", Base64Error::Character { at: 2, byte: b'=' }),
    ] {
        assert_eq!(parse(&good.replace(from, to)), Err(EnvelopeError::Base64 { member: "payload", cause }), "{to}");
    }
    let text = r#"{"payload":"cA==","payloadType":"t","signatures":[{"sig":"AB=="}]}"#;
    assert_eq!(
        parse(text),
        Err(EnvelopeError::Base64 { member: "sig", cause: Base64Error::TrailingBits { last: 'B' } })
    );
    let many = format!(
        r#"{{"payload":"","payloadType":"t","signatures":[{}{{"sig":"AA=="}}]}}"#,
        r#"{"sig":"AA=="},"#.repeat(SIGNATURES_MAX)
    );
    assert_eq!(parse(&many), Err(EnvelopeError::TooManySignatures { count: 65, max: 64 }));
}

#[test]
fn white_space_order_and_escapes_are_no_change() {
    let good = signed_by(&[1]);
    let sig = crate::strict_json::to_standard_base64(&good.signatures()[0].signature);
    let text = format!(
        " {{ \"signatures\" : [ {{ \"sig\" : \"{}\" }} ] ,\n \"payloadType\":\"\\u0074\", \"payload\":\"c\\u0041==\" }} ",
        sig.replace('/', "\\/")
    );
    assert_eq!(parse(&text).unwrap().to_json(), good.to_json());
}
