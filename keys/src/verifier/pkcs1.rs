//! RSA signatures of PKCS #1 v1.5 whose message is not at hand, only its SHA-256: ring, which checks the others, takes messages alone.
//!
//! ```text
//! signature^exponent mod modulus  =  00 01 | ff … ff | 00 | DigestInfo of SHA-256 | 32 bytes of digest
//! ```
//!
//! The right side has one spelling for each digest and length of modulus, with NULL in the DigestInfo, so it is made and compared whole:
//! nothing of what a signature decodes to is ever parsed. The signature has exactly the bytes of the modulus, and is the smaller number. Everything
//! here is public, so nothing needs constant time.
//!
//! Source: RFC 8017 §8.2.2, §9.2. `keys/tests/wycheproof_others.rs` holds every vector to the same answer from ring.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};

/// What stands before a SHA-256 digest: `DigestInfo` with its algorithm, RFC 8017 §9.2 note 1.
const DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// Says whether a signature is one over this SHA-256. `modulus` has no leading zero byte, and 2,048 bits or more.
pub(super) fn holds(modulus: &[u8], exponent: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool {
    if signature.len() != modulus.len() || signature >= modulus {
        return false;
    }
    let Some(odd) = Odd::new(BoxedUint::from_be_slice_vartime(modulus)).into_option() else { return false };
    let params = BoxedMontyParams::new_vartime(odd);
    let power = BoxedMontyForm::new(BoxedUint::from_be_slice_vartime(signature), &params)
        .pow(&BoxedUint::from_be_slice_vartime(exponent))
        .retrieve();
    let bytes = power.to_be_bytes();
    // Whole limbs: what is above the modulus is zero.
    let (above, found) = bytes.split_at(bytes.len().saturating_sub(modulus.len()));
    let padding = modulus.len() - DIGEST_INFO.len() - digest.len() - 3;
    let expected = [&[0x00, 0x01][..], &vec![0xff; padding], &[0x00], &DIGEST_INFO, digest].concat();
    above.iter().all(|byte| *byte == 0) && found == expected
}
