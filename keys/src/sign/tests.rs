//! The laws of signing, and the seeded randomness that the tests of other rooms use.

use p256::ecdsa::Signature;
use sha2::{Digest, Sha256};

use super::{DRAWS_MAX, Random, RandomUnavailable, SecretError, Sign, SoftKey};
use crate::public::Algorithm;

/// SHA-256 of a seed and a counter: as random as a test needs, and the same every time.
pub(crate) struct Seeded {
    pub(crate) seed: u64,
    pub(crate) drawn: u64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }
}

impl Random for Seeded {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), RandomUnavailable> {
        for chunk in into.chunks_mut(32) {
            let block = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(self.drawn.to_le_bytes());
            chunk.copy_from_slice(&block.finalize()[..chunk.len()]);
            self.drawn += 1;
        }
        Ok(())
    }
}

/// A source that has nothing to give.
pub(crate) struct Dry;

impl Random for Dry {
    fn fill(&mut self, _into: &mut [u8]) -> Result<(), RandomUnavailable> {
        Err(RandomUnavailable { reason: "the well is dry".to_owned() })
    }
}

/// A source that fills every byte with one value.
struct Stuck(u8);

impl Random for Stuck {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), RandomUnavailable> {
        into.fill(self.0);
        Ok(())
    }
}

fn key(algorithm: Algorithm, secret: &str) -> SoftKey {
    SoftKey::from_secret(algorithm, &hex::decode(secret).unwrap().try_into().unwrap()).unwrap()
}

#[test]
fn ed25519_signs_as_rfc_8032_prints_it() {
    // RFC 8032 §7.1, tests 1 to 3.
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let key = key(Algorithm::Ed25519, seed);
        assert_eq!(hex::encode(key.public().raw()), public);
        let message = hex::decode(message).unwrap();
        assert_eq!(hex::encode(key.sign(&message).unwrap()), signature);
        assert_eq!(key.public().verify(&message, &hex::decode(signature).unwrap()), Ok(()));
    }
}

#[test]
fn p256_draws_its_nonce_by_rfc_6979_and_lowers_s() {
    // RFC 6979 appendix A.2.5. "test" has a low s there; the s of "sample" is high, ours is the order less that.
    let key = key(Algorithm::P256, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let signature = |message: &[u8]| Signature::from_der(&key.sign(message).unwrap()).unwrap().to_bytes();
    assert_eq!(
        hex::encode(signature(b"test")),
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
    );
    assert_eq!(
        hex::encode(signature(b"sample")),
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf37160834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9"
    );
}

#[test]
fn a_signature_stands_under_both_backends_and_falls_with_one_bit() {
    for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
        let mut random = Seeded::new(1);
        for round in 0..20u8 {
            let key = SoftKey::generate(algorithm, &mut random).unwrap();
            let message = vec![round; usize::from(round) * 7];
            let signature = key.sign(&message).unwrap();
            assert_eq!(signature, key.sign(&message).unwrap(), "deterministic");
            assert_eq!(key.public().verify(&message, &signature), Ok(()));
            if algorithm == Algorithm::P256 {
                assert_eq!(key.public().verify_sha256(&Sha256::digest(&message).into(), &signature), Ok(()));
                let parsed = Signature::from_der(&signature).unwrap();
                assert_eq!(parsed, parsed.normalize_s(), "low s");
            }
            for at in 0..signature.len() {
                let mut changed = signature.clone();
                changed[at] ^= 1;
                assert!(key.public().verify(&message, &changed).is_err(), "{algorithm} byte {at}");
            }
            let mut longer = message.clone();
            longer.push(0);
            assert!(key.public().verify(&longer, &signature).is_err());
        }
    }
}

#[test]
fn a_secret_out_of_range_is_refused() {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for secret in ["00".repeat(32), order.to_owned(), "ff".repeat(32)] {
        let bytes = hex::decode(&secret).unwrap().try_into().unwrap();
        let refused = SoftKey::from_secret(Algorithm::P256, &bytes).map(|key| key.public().clone());
        assert_eq!(refused, Err(SecretError::OutOfRange { algorithm: Algorithm::P256 }), "{secret}");
    }
}

#[test]
fn no_key_is_made_without_randomness() {
    for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
        let dry = SoftKey::generate(algorithm, &mut Dry).map(|_| ());
        assert_eq!(dry, Err(RandomUnavailable { reason: "the well is dry".to_owned() }));
        let stuck = SoftKey::generate(algorithm, &mut Stuck(0)).map(|_| ());
        assert_eq!(
            stuck,
            Err(RandomUnavailable { reason: format!("{DRAWS_MAX} draws gave no usable {algorithm} key") })
        );
    }
    assert!(SoftKey::generate(Algorithm::P256, &mut Stuck(0xff)).is_err());
}

#[test]
fn debug_does_not_show_the_secret() {
    let secret = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
        let shown = format!("{:?}", key(algorithm, secret));
        assert!(!shown.contains("c9afa9d8") && !shown.contains("201, 175"), "{shown}");
        assert!(shown.contains("secret not shown"), "{shown}");
    }
}
