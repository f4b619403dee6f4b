//! The laws of public keys.

use super::{Algorithm, KeyId, PublicKey, PublicKeyError, SignatureInvalid};
use crate::sign::{Sign, SoftKey};

/// Rekor's public key, as its vkey has it (transparency-dev/formats).
const P256_DER: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004\
                        d86d98fb6b5a6dd4d5e41706881231d1af5f005c2b9016e62d21ad92ce0bdea5\
                        fac98634cee7c19e10bc52bfe2cb9e468563fff40fdb6362e10b7d0cf7e458b7";

fn p256() -> PublicKey {
    PublicKey::from_spki_der(&hex::decode(P256_DER).unwrap()).unwrap()
}

fn ed25519() -> PublicKey {
    SoftKey::from_secret(Algorithm::Ed25519, &[7; 32]).unwrap().public().clone()
}

fn der_of(key: &PublicKey) -> Vec<u8> {
    key.spki_der().to_vec()
}

#[test]
fn a_key_comes_back_from_every_form_it_is_written_in() {
    for key in [p256(), ed25519()] {
        assert_eq!(PublicKey::from_spki_der(key.spki_der()), Ok(key.clone()));
        assert_eq!(PublicKey::from_spki_pem(key.spki_pem()), Ok(key.clone()));
        assert!(key.spki_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
        assert!(key.spki_pem().ends_with("-----END PUBLIC KEY-----\n"));
        let crlf = format!("\r\n{}\r\n", key.spki_pem().trim_end().replace('\n', "\r\n"));
        assert_eq!(PublicKey::from_spki_pem(&crlf), Ok(key.clone()));
        assert_eq!(key.key_id().to_string().parse(), Ok(*key.key_id()));
        assert_eq!(key.key_id().to_base64().len(), 44);
    }
    assert_eq!(PublicKey::from_p256_point(p256().raw()), Ok(p256()));
    assert_eq!(PublicKey::from_ed25519_bytes(ed25519().raw()), Ok(ed25519()));
    assert_eq!((p256().spki_der().len(), ed25519().spki_der().len()), (91, 44));
    // The log id of rekor.sigstore.dev.
    assert_eq!(p256().key_id().to_string(), "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d");
}

#[test]
fn a_key_id_has_one_spelling() {
    let id = *p256().key_id();
    assert_eq!(KeyId::from_bytes(*id.as_bytes()), id);
    let text = id.to_string();
    for wrong in [text.to_uppercase(), text[..63].to_owned(), format!("{text}0"), format!("{}g", &text[..63])] {
        assert!(wrong.parse::<KeyId>().is_err(), "{wrong}");
    }
}

#[test]
fn a_second_encoding_of_a_good_key_is_refused() {
    // The compressed point of the same key: header lengths 57/49, BIT STRING 34.
    let mut compressed = hex::decode("3039301306072a8648ce3d020106082a8648ce3d030107032200").unwrap();
    compressed.push(2 + (p256().raw()[64] & 1));
    compressed.extend_from_slice(&p256().raw()[1..33]);
    assert_eq!(
        PublicKey::from_spki_der(&compressed),
        Err(PublicKeyError::NotCanonical { algorithm: Algorithm::P256, len: 33, expected_len: 65 })
    );
    // Ed25519 with a NULL for its parameters, which must be absent (RFC 8410 §3).
    let mut with_null = hex::decode("302c300706032b65700500032100").unwrap();
    with_null.extend_from_slice(ed25519().raw());
    assert_eq!(
        PublicKey::from_spki_der(&with_null),
        Err(PublicKeyError::NotCanonical { algorithm: Algorithm::Ed25519, len: 46, expected_len: 44 })
    );
}

#[test]
fn every_second_spelling_of_an_ed25519_point_is_refused() {
    let mut not_canonical = 0;
    // The 19 values of y from p to 2^255 - 1, each with both signs of x.
    for low in 0xed..=0xffu8 {
        for sign in [0, 0x80] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, 0x7f | sign);
            match PublicKey::from_ed25519_bytes(&bytes).map(|_| ()).unwrap_err() {
                PublicKeyError::NotCanonical { len: 32, expected_len: 32, .. } => not_canonical += 1,
                // No point has this y, or it is one of small order.
                refusal => assert_eq!(refusal, PublicKeyError::Point { algorithm: Algorithm::Ed25519 }),
            }
        }
    }
    // The other 18 are no point, or one of small order.
    assert_eq!(not_canonical, 20);
}

#[test]
fn a_point_that_is_no_key_is_refused() {
    let mut off_curve = p256().raw().to_vec();
    off_curve[64] ^= 1;
    assert_eq!(PublicKey::from_p256_point(&off_curve), Err(PublicKeyError::Point { algorithm: Algorithm::P256 }));
    assert!(matches!(PublicKey::from_p256_point(&[0]), Err(PublicKeyError::NotCanonical { len: 1, .. })));
    let mut hybrid = p256().raw().to_vec();
    hybrid[0] = 6 + (hybrid[64] & 1);
    assert!(matches!(PublicKey::from_p256_point(&hybrid), Err(PublicKeyError::NotCanonical { .. })));
    // The eight points of small order, in their canonical encodings.
    for weak in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        let refused = PublicKey::from_ed25519_bytes(&hex::decode(weak).unwrap());
        assert_eq!(refused, Err(PublicKeyError::Point { algorithm: Algorithm::Ed25519 }), "{weak}");
    }
}

#[test]
fn what_is_no_key_of_ours_is_named() {
    // P-384 and RSA by their object identifiers; secp256k1 by its curve.
    let mut k256 = der_of(&p256());
    k256.splice(13..23, hex::decode("06052b8104000a").unwrap());
    k256[1] -= 3;
    k256[3] -= 3;
    assert_eq!(PublicKey::from_spki_der(&k256), Err(PublicKeyError::Algorithm { oid: "1.3.132.0.10".to_owned() }));
    let x25519 = {
        let mut der = der_of(&ed25519());
        der[8] = 0x6e;
        der
    };
    assert_eq!(PublicKey::from_spki_der(&x25519), Err(PublicKeyError::Algorithm { oid: "1.3.101.110".to_owned() }));

    let mut trailing = der_of(&p256());
    trailing.push(0);
    assert!(matches!(PublicKey::from_spki_der(&trailing), Err(PublicKeyError::Der { .. })));
    assert!(matches!(PublicKey::from_spki_der(b""), Err(PublicKeyError::Der { .. })));

    let pem = p256().spki_pem().to_owned();
    let relabelled = pem.replace("PUBLIC KEY", "CERTIFICATE");
    assert_eq!(PublicKey::from_spki_pem(&relabelled), Err(PublicKeyError::Label { found: "CERTIFICATE".to_owned() }));
    for damaged in [pem.replace("MFkw", "MF_w"), format!("x{pem}"), format!("{pem}{pem}"), String::new()] {
        assert!(matches!(PublicKey::from_spki_pem(&damaged), Err(PublicKeyError::Pem { .. })), "{damaged}");
    }
    let long = " ".repeat(super::PEM_LEN_MAX + 1);
    assert!(matches!(PublicKey::from_spki_pem(&long), Err(PublicKeyError::TooLarge { .. })));
}

#[test]
fn a_signature_of_another_form_is_refused() {
    let key = SoftKey::from_secret(Algorithm::P256, &[9; 32]).unwrap();
    let der = key.sign(b"m").unwrap();
    let raw = p256::ecdsa::Signature::from_der(&der).unwrap().to_bytes();
    let refused = |signature: &[u8]| {
        assert_eq!(
            key.public().verify(b"m", signature),
            Err(SignatureInvalid::DoesNotVerify {
                algorithm: Algorithm::P256,
                key_id: *key.public().key_id(),
                signature_len: signature.len()
            })
        );
    };
    refused(&raw);
    refused(b"");
    refused(&[&der[..], &[0]].concat());
    // A BER length in the long form.
    refused(&[&[0x30, 0x81], &der[1..]].concat());

    let ed25519 = SoftKey::from_secret(Algorithm::Ed25519, &[9; 32]).unwrap();
    assert!(matches!(
        ed25519.public().verify_sha256(&[0; 32], &[0; 64]),
        Err(SignatureInvalid::NoDigestForm { algorithm: Algorithm::Ed25519, .. })
    ));
    assert!(ed25519.public().verify(b"m", &[0; 63]).is_err());
}

#[test]
fn a_high_s_is_accepted_by_both_backends() {
    use p256::elliptic_curve::scalar::IsHigh;
    use sha2::Digest;
    let key = SoftKey::from_secret(Algorithm::P256, &[9; 32]).unwrap();
    let low = p256::ecdsa::Signature::from_der(&key.sign(b"m").unwrap()).unwrap();
    let high = p256::ecdsa::Signature::from_scalars(low.r(), -*low.s()).unwrap();
    assert!(bool::from(high.s().is_high()));
    let der = high.to_der();
    assert_eq!(key.public().verify(b"m", der.as_bytes()), Ok(()));
    assert_eq!(key.public().verify_sha256(&sha2::Sha256::digest(b"m").into(), der.as_bytes()), Ok(()));
}

#[test]
fn a_key_says_what_it_can_do() {
    assert_eq!(
        Algorithm::P256.capabilities().to_string(),
        "rekor v1 yes, rekor v2 yes, sigstore clients yes, witness network no"
    );
    assert_eq!(
        Algorithm::Ed25519.capabilities().to_string(),
        "rekor v1 yes, rekor v2 no, sigstore clients yes, witness network yes"
    );
    assert_eq!((Algorithm::P256.name(), Algorithm::Ed25519.name()), ("ecdsa-p256", "ed25519"));
    assert_eq!(Algorithm::P256.key_details(), "PKIX_ECDSA_P256_SHA_256");
    assert_eq!(Algorithm::Ed25519.key_details(), "PKIX_ED25519");
}
