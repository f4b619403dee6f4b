//! Holds each kind of key to signatures that OpenSSL made, and to RFC 8032 §7.3 for Ed25519ph.

use super::*;
use crate::strict_json::standard_base64;

/// What OpenSSL signed.
const MESSAGE: &[u8] = b"airtight";
const P384: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEhLRTbmzuraifnBcY0zMIsAcWpgtQyA0Va/eskXjJOU0pAVJnuO5ijrmGlamBeLfVPYpj0vTdbIwAmuKGhCIuZG4KJEpNVmDos0M3ZKNFlGKiMJ0//Bk956QQS5s8FPnR";
const P521: &str = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBhWbRbMVfB+ni7fPD1JKdIYWJF8dsO60c4opGCjHnfl5CS31zozDAAOKgR7J0fIwqEO892Oa+iG+QTz5WSig5Ht0BeTJYMmOGlrwq3Xv1H3IdG40tzgN7gvul3xQ9c/odWMIfiVx9Ny7tj90q4aHMJnOPUPnmOv2unyg2cZMNgaNi7S8=";
const RSA: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAt8lVBZfXSNSsvb8USoCZATQHeYjY/gwVdrAyvC7CtavzCaJGuGfAYzKwm1HSLiQa+GfxLe/F+ccuyC8axrEuWcEHG3QQqBCxgnny9+Iun0JxqtF72PkQYTEREDGCb2ESg0WlRH0OE617IQFhqIMVRAb+3+jLNXsD8SuUqDhKMphQYE6lrrgXa13y2l2pOEVWT++bd+p4SZpxT8/ldiMIF4kBp2FED7qnmFsq7g1FoKXx4XqvbA3sDB5kundhcfKC8yV0SqnL8ua8sy2IZJjjSAav5EOG4usDPi0A88eFx2TClYu/RSZ1T476F4hdM+19IKmndS0aLLPyu3y9PXVLxwIDAQAB";
/// Key, signature, and the scheme that it was made in.
const SIGNED: [(&str, &str, Scheme); 6] = [
    (
        P384,
        "MGYCMQCu4j5BwBlfqJja1LDvIoAp5U1K3IYisPWICDyQKPTLBO2sFfxMiPskfjMsAin4VmkCMQCDkeaS5b6hIRb9TN2OGvRVhTtuzLB+I4YshgA+TjnICQscgF/Ygp8U9dpkjQeIQ+0=",
        Scheme::P384(HashFunction::Sha384),
    ),
    (
        P384,
        "MGUCMFo6UMRl5ZPOtSclwW3XNu5PkPWOSJy2nGb3FZ3O52W+bFfXmFLyxYO/Wx3ECQ3ElQIxANdfDUn3bzEXPV7wV79PXSdgbMv7FcYy1IVwIIGHVily/O4rTXKMr7hGr1uStHOTzg==",
        Scheme::P384(HashFunction::Sha256),
    ),
    (
        P521,
        "MIGHAkIAnnU7C5cKCbIg8i0FFfX+CLuJhzkHIreDfsf1Mbvo+UDVVhVn8/PCggPLjHKMGXU0ePRy7gfn8QCYDoMjYcQqJP4CQWv34+u5S69JwB8yDsTlNcKiQHBxfhLF82lLUwYLg3pyaGsOO/Ctd0Go8TS34HmZvsH4RykhrY6tZCnmYXy14UBI",
        Scheme::P521(HashFunction::Sha512),
    ),
    (
        P521,
        "MIGHAkFgCWplHebuCu44Hu5yliv/8nCKyfVFPl6NJS8v3KblCAZv+JhbWNVB1j+hwiKg7dWuNKvdXRpHUqzeqrSgE/tCJgJCActcvj7DgqXoxcdeOPMN9xnAWbl+ixlAiELZDIndBnhuwlRGOjfuLXTQh+s0aFqhRDR5TSEYL2RzqaWnmardY4xP",
        Scheme::P521(HashFunction::Sha256),
    ),
    (
        RSA,
        "ZM9DaHDZ+i9clk9tjgibXMXOPN5LKHL6HmRVf150OGSgxD0Fhr93ApUmwBN27/42aKih1UN2WPXf6WZvvYd5Hxzu0CBdBUCWKHp4Sg25S4m7jIxuJYTGB8yPrPMMGp2nwskxZjQNm5fHcWHWR33f+ya/ZWXXWWoYR5Ns8rYf3iPzwrxrLqWgEYFxmRABa8U0aw4JIl7xsj27+qb4eu90qy+VVM8IGtFNZaBms9Gp8ydZA05XznpDo39sxna/qyLAv8X7PREJsQU2+Q5Dg3milV76FuokioyNxXI2QQhugqYuJd/vyFFjRG1pffwrD4H2Z3xyga1N5Ar4p3HuBeOOFA==",
        Scheme::RsaPkcs1(2048),
    ),
    (
        RSA,
        "Ek0ghx8j+7XfJTyF3xExpUbyyYyacoXWsBnldt4iHMA+ifMufJHtcz07k7hp8QvCPWUrDTRPlyZYVWlkPxCK8wHVoypKq7S7jaXvOxjRuP8o2rszBLU6QBQ7H5mHziCqx/MHvSeL7SPQcWN+4/aOwjS31CLLvcRlQIXE8GoeQAN+PQpIrcrEOMkQsqr2rgCcVjXFijaT2JjLhvoMA3J07MnlaUtnEEII5RNQBDGt9B9E5rKlkwcdsnlljgrnCefpLOb/k5O5Zoj5Lwr97cOrFNFsz5bPYRkryxl7vclWVaMq748eVsvJZEHDorYN2kw7mRWITGfdvvfcVKhYv9ZHeQ==",
        Scheme::RsaPss(2048),
    ),
];

fn bytes(text: &str) -> Vec<u8> {
    standard_base64(text).unwrap()
}

fn key(text: &str) -> VerifierKey {
    VerifierKey::from_spki_der(&bytes(text)).unwrap()
}

#[test]
fn each_signature_of_openssl_holds_in_the_scheme_it_was_made_in_and_in_no_other() {
    for (spki, signature, scheme) in SIGNED {
        let (key, signature) = (key(spki), bytes(signature));
        assert_eq!(key.verify(MESSAGE, &signature), Ok(scheme));
        assert!(key.verify(b"airtighu", &signature).is_err(), "{scheme:?}");
        let mut changed = signature.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(key.verify(MESSAGE, &changed).is_err(), "{scheme:?}");
        assert!(key.verify(MESSAGE, &signature[..signature.len() - 1]).is_err(), "{scheme:?}");
        let other = SIGNED.into_iter().find(|(other, ..)| *other != spki).unwrap().0;
        assert!(self::key(other).verify(MESSAGE, &signature).is_err(), "{scheme:?}");
    }
}

#[test]
fn a_digest_is_enough_but_for_rsa_in_pss() {
    for (spki, signature, scheme) in SIGNED {
        let (key, signature) = (key(spki), bytes(signature));
        for hash in [HashFunction::Sha256, HashFunction::Sha384, HashFunction::Sha512] {
            let holds = key.verify_digest(hash, &hash.hash(MESSAGE), &signature).ok();
            let is_pss = matches!(scheme, Scheme::RsaPss(_));
            assert_eq!(holds, (!is_pss && scheme.hash() == Some(hash)).then_some(scheme), "{scheme:?} {hash:?}");
            let of_another = key.verify_digest(hash, &hash.hash(b"airtighu"), &signature);
            assert!(of_another.is_err(), "{scheme:?} {hash:?}");
        }
    }
}

#[test]
fn ed25519ph_is_told_from_ed25519() {
    let raw = hex::decode("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf").unwrap();
    let signature = hex::decode("98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406").unwrap();
    let key = VerifierKey::from(PublicKey::from_ed25519_bytes(&raw).unwrap());
    assert_eq!(key.verify(b"abc", &signature), Ok(Scheme::Ed25519ph));
    assert!(key.verify(b"abd", &signature).is_err());
    let digest = HashFunction::Sha512.hash(b"abc");
    assert_eq!(key.verify_digest(HashFunction::Sha512, &digest, &signature), Ok(Scheme::Ed25519ph));
    assert!(key.verify_digest(HashFunction::Sha256, &HashFunction::Sha256.hash(b"abc"), &signature).is_err());
}

#[test]
fn an_rsa_key_that_stands_alone_is_the_key_that_holds_it() {
    // 24 bytes of SubjectPublicKeyInfo stand before it.
    let (spki, alone) = (bytes(RSA), bytes(RSA)[24..].to_vec());
    assert_eq!(VerifierKey::from_pkcs1_der(&alone).unwrap().spki_der(), spki);
    assert!(VerifierKey::from_pkcs1_der(&alone[..alone.len() - 1]).is_err());
    assert!(VerifierKey::from_pkcs1_der(&spki).is_err());
}

#[test]
fn a_key_is_given_back_as_it_was_read_and_other_encodings_are_refused() {
    for (text, kind) in [(P384, KeyKind::P384), (P521, KeyKind::P521), (RSA, KeyKind::Rsa(2048))] {
        let key = key(text);
        assert_eq!((key.kind(), key.spki_der()), (kind, &*bytes(text)));
        assert_eq!(VerifierKey::from_spki_pem(key.spki_pem()), Ok(key.clone()));
        assert_eq!(key.as_public(), None);
        assert!(VerifierKey::from_spki_der(&[&bytes(text)[..], &[0]].concat()).is_err());
        let mut changed = bytes(text);
        let last = changed.len() - 1;
        changed[last] ^= 1;
        // A point leaves its curve; an even exponent is none.
        assert!(VerifierKey::from_spki_der(&changed).is_err());
    }
}
