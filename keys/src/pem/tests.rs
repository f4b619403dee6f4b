//! The laws of private key files. What OpenSSL makes of them is asked in `tests/openssl.rs`.

use pkcs8::der::Encode;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::{LineEnding, encode_string};
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};

use super::{
    KEY_FILE_LEN_MAX, PBKDF2_ROUNDS_MAX, Passphrase, PemError, PemWriteError, SCRYPT_WORK_MAX, from_pem,
    from_pkcs8_der, is_encrypted, to_pem, to_pkcs8_der,
};
use crate::public::Algorithm;
use crate::sign::tests::{Dry, Seeded};
use crate::sign::{RandomUnavailable, Sign, SoftKey};

fn key(algorithm: Algorithm) -> SoftKey {
    SoftKey::from_secret(algorithm, &[5; 32]).unwrap()
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

fn refusal(text: &str, passphrase: Option<&Passphrase>) -> PemError {
    from_pem(text, passphrase).map(|key| format!("{key:?}")).unwrap_err()
}

#[test]
fn a_key_comes_back_from_its_file() {
    for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
        let key = key(algorithm);
        let plain = to_pem(&key, None, &mut Dry).unwrap();
        assert!(plain.starts_with("-----BEGIN PRIVATE KEY-----\n") && plain.ends_with("-----END PRIVATE KEY-----\n"));
        assert!(!is_encrypted(&plain));
        assert_eq!(from_pem(&plain, None).unwrap().public(), key.public());
        assert_eq!(from_pem(&plain, Some(&passphrase("not needed"))).unwrap().public(), key.public());

        let secret = passphrase("pässwort");
        let closed = to_pem(&key, Some(&secret), &mut Seeded::new(1)).unwrap();
        assert!(closed.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n") && is_encrypted(&closed));
        assert_eq!(from_pem(&closed, Some(&secret)).unwrap().public(), key.public());
        assert_eq!(closed, to_pem(&key, Some(&secret), &mut Seeded::new(1)).unwrap(), "all randomness is handed in");
        assert_ne!(closed, to_pem(&key, Some(&secret), &mut Seeded::new(2)).unwrap());
    }
}

#[test]
fn ed25519_is_written_as_version_1() {
    // RFC 8410 §10.3 with another seed: 48 bytes, version 0, no public key.
    let der = to_pkcs8_der(&key(Algorithm::Ed25519));
    assert_eq!(hex::encode(der.as_bytes()), format!("302e020100300506032b657004220420{}", "05".repeat(32)));
}

#[test]
fn the_examples_of_rfc_8410_are_read() {
    let v1 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    let public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    let read = from_pem(v1, None).unwrap();
    assert_eq!(hex::encode(read.public().raw()), public);
    // Version 2 with its public key, and with the public key of another.
    let v2 = |public: &str| {
        hex::decode(format!(
            "3051020101300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842812100{public}"
        ))
        .unwrap()
    };
    assert_eq!(from_pkcs8_der(&v2(public)).unwrap().public(), read.public());
    let other = hex::encode(key(Algorithm::Ed25519).public().raw());
    let refused = from_pkcs8_der(&v2(&other)).map(|_| ());
    assert_eq!(refused, Err(PemError::Secret { algorithm: Algorithm::Ed25519 }));
}

#[test]
fn a_wrong_passphrase_is_one_refusal_and_a_missing_one_another() {
    let closed = to_pem(&key(Algorithm::P256), Some(&passphrase("right")), &mut Seeded::new(3)).unwrap();
    assert_eq!(refusal(&closed, None), PemError::PassphraseNeeded);
    for wrong in ["", "wrong", "Right", "right "] {
        assert_eq!(refusal(&closed, Some(&passphrase(wrong))), PemError::PassphraseWrong, "{wrong:?}");
    }
}

#[test]
fn a_passphrase_that_leaves_good_padding_is_still_a_wrong_one() {
    // The padding of CBC is good for one wrong passphrase in 256: then the DER below must say it. The work is small
    // here so that hundreds can be tried.
    let work = scrypt::Params::new(1, 1, 1).unwrap();
    let parameters = Parameters::generate_scrypt_aes256cbc(work, &[1; 16], [2; 16]).unwrap();
    let plain = to_pkcs8_der(&key(Algorithm::Ed25519));
    let closed =
        PrivateKeyInfoRef::try_from(plain.as_bytes()).unwrap().encrypt_with_params(parameters, "right").unwrap();
    let text = closed.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
    assert!(from_pem(&text, Some(&passphrase("right"))).is_ok());
    let info = EncryptedPrivateKeyInfoRef::try_from(closed.as_bytes()).unwrap();
    let mut good_padding = 0;
    for wrong in 0..2000 {
        let wrong = format!("wrong {wrong}");
        good_padding += u32::from(info.encryption_algorithm.decrypt(&wrong, info.encrypted_data.as_bytes()).is_ok());
        assert_eq!(refusal(&text, Some(&passphrase(&wrong))), PemError::PassphraseWrong);
    }
    assert!(good_padding > 0);
}

#[test]
fn no_file_gets_more_work_than_the_limit() {
    let file = |parameters: Parameters| {
        let info = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: parameters.into(),
            encrypted_data: OctetStringRef::new(&[0; 64]).unwrap(),
        };
        encode_string("ENCRYPTED PRIVATE KEY", LineEnding::LF, &info.to_der().unwrap()).unwrap()
    };
    let scrypt = |log_n, r, p| {
        let work = scrypt::Params::new(log_n, r, p).unwrap();
        file(Parameters::generate_scrypt_aes256cbc(work, &[1; 16], [2; 16]).unwrap())
    };
    let pbkdf2 = |rounds| file(Parameters::generate_pbkdf2_sha256_aes256cbc(rounds, &[1; 16], [2; 16]).unwrap());
    let asked = |text: &str| refusal(text, Some(&passphrase("p")));
    let (kdf, max) = ("scrypt", SCRYPT_WORK_MAX);
    assert_eq!(asked(&scrypt(19, 8, 1)), PemError::CostTooHigh { kdf, cost: 1 << 22, max });
    assert_eq!(asked(&scrypt(14, 127, 127)), PemError::CostTooHigh { kdf, cost: 16384 * 127 * 127, max });
    assert_eq!(asked(&scrypt(53, 1, 1)), PemError::CostTooHigh { kdf, cost: 1 << 53, max });
    let (kdf, max) = ("pbkdf2", u64::from(PBKDF2_ROUNDS_MAX));
    assert_eq!(asked(&pbkdf2(PBKDF2_ROUNDS_MAX + 1)), PemError::CostTooHigh { kdf, cost: max + 1, max });
    assert_eq!(asked(&pbkdf2(2)), PemError::PassphraseWrong);
}

#[test]
fn an_empty_passphrase_closes_nothing() {
    let key = key(Algorithm::P256);
    assert_eq!(
        to_pem(&key, Some(&passphrase("")), &mut Seeded::new(1)).map(|_| ()),
        Err(PemWriteError::EmptyPassphrase)
    );
    assert_eq!(
        to_pem(&key, Some(&passphrase("p")), &mut Dry).map(|_| ()),
        Err(PemWriteError::Random(RandomUnavailable { reason: "the well is dry".to_owned() }))
    );
}

#[test]
fn a_text_that_holds_no_key_of_ours_is_named() {
    let key = key(Algorithm::P256);
    let plain = to_pem(&key, None, &mut Dry).unwrap();
    assert_eq!(refusal("", None), PemError::NotOneKey { count: 0 });
    assert_eq!(refusal("no key", None), PemError::NotOneKey { count: 0 });
    assert_eq!(refusal(&format!("{}{}", *plain, *plain), None), PemError::NotOneKey { count: 2 });
    assert_eq!(refusal(key.public().spki_pem(), None), PemError::Label { found: "PUBLIC KEY".to_owned() });
    let cosign = plain.replace("PRIVATE", "ENCRYPTED SIGSTORE PRIVATE");
    assert_eq!(refusal(&cosign, None), PemError::Label { found: "ENCRYPTED SIGSTORE PRIVATE KEY".to_owned() });
    assert!(matches!(refusal(&plain.replace("MIG", "M_G"), None), PemError::Pem { .. }));
    assert!(matches!(refusal(&plain[..100], None), PemError::Pem { .. }));
    assert!(matches!(refusal("-----BEGIN PRIVATE KEY-----", None), PemError::Pem { .. }));
    assert_eq!(
        refusal(&" ".repeat(KEY_FILE_LEN_MAX + 1), None),
        PemError::TooLarge { len: KEY_FILE_LEN_MAX + 1, max: KEY_FILE_LEN_MAX }
    );
    let der = to_pkcs8_der(&key).as_bytes().to_vec();
    assert!(matches!(from_pkcs8_der(&der[..der.len() - 1]).map(|_| ()), Err(PemError::Der { .. })));
    // X25519 beside Ed25519, secp256k1 in the place of P-256.
    let x25519 = hex::decode(format!("302e020100300506032b656e04220420{}", "05".repeat(32))).unwrap();
    assert_eq!(from_pkcs8_der(&x25519).map(|_| ()), Err(PemError::Algorithm { oid: "1.3.101.110".to_owned() }));
    let other_curve = hex::encode(&der).replace("06082a8648ce3d030107", "06082a8648ce3d030106");
    assert_eq!(
        from_pkcs8_der(&hex::decode(other_curve).unwrap()).map(|_| ()),
        Err(PemError::Algorithm { oid: "1.2.840.10045.3.1.6".to_owned() })
    );
}

#[test]
fn a_public_half_of_another_key_is_refused() {
    let der = to_pkcs8_der(&key(Algorithm::P256)).as_bytes().to_vec();
    let other = SoftKey::from_secret(Algorithm::P256, &[6; 32]).unwrap();
    let mut mixed = der.clone();
    let start = der.len() - 65;
    mixed[start..].copy_from_slice(other.public().raw());
    let refused = from_pkcs8_der(&mixed).map(|_| ());
    assert_eq!(refused, Err(PemError::Secret { algorithm: Algorithm::P256 }));
    // A secret of zero.
    let zero = hex::encode(&der).replace(&"05".repeat(32), &"00".repeat(32));
    let refused = from_pkcs8_der(&hex::decode(zero).unwrap()).map(|_| ());
    assert_eq!(refused, Err(PemError::Secret { algorithm: Algorithm::P256 }));
}

#[test]
fn sec1_is_read_where_its_curve_is_named() {
    let sec1 = |parameters: &str| {
        let body = format!("0201010420{}{parameters}", "05".repeat(32));
        let der = hex::decode(format!("30{:02x}{body}", body.len() / 2)).unwrap();
        encode_string("EC PRIVATE KEY", LineEnding::LF, &der).unwrap()
    };
    let named = sec1("a00a06082a8648ce3d030107");
    assert_eq!(from_pem(&named, None).unwrap().public(), key(Algorithm::P256).public());
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    assert!(from_pem(&format!("{parameters}{named}"), None).is_ok());
    assert!(matches!(refusal(&sec1(""), None), PemError::Der { .. }));
    assert_eq!(refusal(&sec1("a00706052b8104000a"), None), PemError::Algorithm { oid: "1.3.132.0.10".to_owned() });
    let legacy = named.replace("KEY-----\nM", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nM");
    assert_eq!(refusal(&legacy, Some(&passphrase("p"))), PemError::LegacyEncryption);
}

#[test]
fn debug_does_not_show_a_passphrase() {
    assert_eq!(format!("{:?}", passphrase("hunter2")), "Passphrase(not shown)");
}
