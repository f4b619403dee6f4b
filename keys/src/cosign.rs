//! cosign's private key files, read and written: import and export only, a site keeps PKCS#8.
//!
//! ```text
//! -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----            read also: ENCRYPTED COSIGN PRIVATE KEY (before 1.13)
//! base64 of {"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":"<base64, 32 bytes>"},
//!            "cipher":{"name":"nacl/secretbox","nonce":"<base64, 24 bytes>"},
//!            "ciphertext":"<base64: 16-byte tag ‖ encrypted PKCS#8 DER>"}
//! -----END ENCRYPTED SIGSTORE PRIVATE KEY-----
//! ```
//!
//! The key of the box is scrypt(passphrase, salt, N, r=8, p=1), 32 bytes; the box is XSalsa20-Poly1305, which
//! authenticates, so a wrong passphrase is always seen. Only the three values of N that cosign ever used are read:
//! 32768, 65536 and 131072; 65536 is written. An empty passphrase is legal in cosign, and here.
//!
//! Sources: cosign `pkg/cosign/keys.go`; go-securesystemslib `encrypted/encrypted.go`; NaCl secretbox.

use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use pkcs8::der::pem::{LineEnding, encode_string};
use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::pem::{Block, KEY_FILE_LEN_MAX, Passphrase, PemError, blocks, from_pkcs8_der, to_pkcs8_der};
use crate::sign::{Random, RandomUnavailable, SoftKey};
use crate::strict_json::{Base64Error, Limits, Object, StrictJsonError, parse, standard_base64, to_standard_base64};

/// The values of scrypt's N that cosign has used.
pub const SCRYPT_N: [u32; 3] = [32_768, 65_536, 131_072];

const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
const LABEL_BEFORE: &str = "ENCRYPTED COSIGN PRIVATE KEY";
const WRITTEN_N: u32 = 65_536;
const R: u32 = 8;
const P: u32 = 1;
const SALT_LEN: usize = 32;
const NONCE_LEN: usize = 24;

/// Why a text gives no key of cosign's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CosignError {
    /// The file as a PEM file, or the PKCS#8 inside it.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The text in the block is not the JSON of a key.
    #[error("the key file is not the JSON that cosign writes: {0}")]
    Json(#[from] StrictJsonError),
    /// A base64 member is not canonical.
    #[error("{member} is not canonical base64: {cause}")]
    Base64 {
        /// `salt`, `nonce` or `ciphertext`.
        member: &'static str,
        /// What is wrong with it.
        cause: Base64Error,
    },
    /// The key derivation or the cipher is another one.
    #[error("{member} is {found:?}, {expected:?} was expected")]
    Scheme {
        /// `kdf` or `cipher`.
        member: &'static str,
        /// As the file has it.
        found: String,
        /// What is read.
        expected: &'static str,
    },
    /// The work of scrypt is none of cosign's.
    #[error("scrypt with N={n} r={r} p={p}: N of 32768, 65536 or 131072 with r=8 p=1 was expected")]
    Work {
        /// As the file has it.
        n: u64,
        /// As the file has it.
        r: u64,
        /// As the file has it.
        p: u64,
    },
    /// The nonce has another length.
    #[error("the nonce has {len} bytes, {expected} were expected")]
    NonceLength {
        /// Its length.
        len: usize,
        /// The length of a secretbox nonce.
        expected: usize,
    },
    /// The box does not open: the passphrase is wrong, or the file was changed.
    #[error("the passphrase does not open the key")]
    PassphraseWrong,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    kdf: Object<KdfMember>,
    cipher: Object<CipherMember>,
    ciphertext: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KdfMember {
    name: String,
    params: Object<WorkMember>,
    salt: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkMember {
    #[serde(rename = "N")]
    n: u64,
    r: u64,
    p: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CipherMember {
    name: String,
    nonce: String,
}

/// True where the text holds a private key in cosign's own form. Nothing else is checked.
pub fn is_cosign_key(text: &str) -> bool {
    blocks(text).iter().any(|block| block.label == LABEL || block.label == LABEL_BEFORE)
}

/// Opens a private key file of cosign's, of either label.
///
/// # Errors
/// [`CosignError`], a variant per fact; a key of another algorithm than ours is [`PemError::Algorithm`].
pub fn import(text: &str, passphrase: &Passphrase) -> Result<SoftKey, CosignError> {
    if text.len() > KEY_FILE_LEN_MAX {
        return Err(PemError::TooLarge { len: text.len(), max: KEY_FILE_LEN_MAX }.into());
    }
    let found = blocks(text);
    let [block] = found.as_slice() else { return Err(PemError::NotOneKey { count: found.len() }.into()) };
    if block.label != LABEL && block.label != LABEL_BEFORE {
        return Err(PemError::Label { found: block.label.to_owned() }.into());
    }
    let file: KeyFile = parse(&Block::decode(block)?, Limits::bytes(KEY_FILE_LEN_MAX))?;
    let (Object(kdf), Object(cipher)) = (file.kdf, file.cipher);
    expect_scheme("kdf", kdf.name, "scrypt")?;
    expect_scheme("cipher", cipher.name, "nacl/secretbox")?;
    let Object(WorkMember { n, r, p }) = kdf.params;
    let n = SCRYPT_N
        .into_iter()
        .find(|&known| u64::from(known) == n && r == u64::from(R) && p == u64::from(P))
        .ok_or(CosignError::Work { n, r, p })?;
    let salt = decoded("salt", &kdf.salt)?;
    let nonce = decoded("nonce", &cipher.nonce)?;
    let nonce = <[u8; NONCE_LEN]>::try_from(nonce.as_slice())
        .map_err(|_| CosignError::NonceLength { len: nonce.len(), expected: NONCE_LEN })?;
    let ciphertext = decoded("ciphertext", &file.ciphertext)?;
    let plain = secretbox(passphrase, &salt, n)
        .decrypt(Nonce::from_slice(&nonce), ciphertext.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| CosignError::PassphraseWrong)?;
    Ok(from_pkcs8_der(&plain)?)
}

/// Writes a private key file that cosign reads: label `ENCRYPTED SIGSTORE PRIVATE KEY`, N=65536.
///
/// # Errors
/// [`RandomUnavailable`] where salt or nonce could not be drawn.
pub fn export(key: &SoftKey, passphrase: &Passphrase, random: &mut dyn Random) -> Result<String, RandomUnavailable> {
    let (mut salt, mut nonce) = ([0; SALT_LEN], [0; NONCE_LEN]);
    random.fill(&mut salt)?;
    random.fill(&mut nonce)?;
    let plain = to_pkcs8_der(key);
    let ciphertext = secretbox(passphrase, &salt, WRITTEN_N)
        .encrypt(Nonce::from_slice(&nonce), plain.as_bytes())
        .expect("invariant: a box of fewer than 2^32 bytes always closes");
    let json = format!(
        "{{\"kdf\":{{\"name\":\"scrypt\",\"params\":{{\"N\":{WRITTEN_N},\"r\":{R},\"p\":{P}}},\"salt\":\"{}\"}},\
         \"cipher\":{{\"name\":\"nacl/secretbox\",\"nonce\":\"{}\"}},\"ciphertext\":\"{}\"}}",
        to_standard_base64(&salt),
        to_standard_base64(&nonce),
        to_standard_base64(&ciphertext),
    );
    Ok(encode_string(LABEL, LineEnding::LF, json.as_bytes())
        .expect("invariant: a label of ours and fewer than 1,000 bytes always encode"))
}

fn expect_scheme(member: &'static str, found: String, expected: &'static str) -> Result<(), CosignError> {
    if found == expected { Ok(()) } else { Err(CosignError::Scheme { member, found, expected }) }
}

fn decoded(member: &'static str, text: &str) -> Result<Vec<u8>, CosignError> {
    standard_base64(text).map_err(|cause| CosignError::Base64 { member, cause })
}

/// The box that a passphrase opens. `n` is a power of two; at most 128 MiB and a quarter of a second.
fn secretbox(passphrase: &Passphrase, salt: &[u8], n: u32) -> XSalsa20Poly1305 {
    let work = u8::try_from(n.trailing_zeros())
        .ok()
        .and_then(|log_n| scrypt::Params::new(log_n, R, P).ok())
        .expect("invariant: N is one of three powers of two");
    let mut key = Zeroizing::new([0u8; 32]);
    scrypt::scrypt(passphrase.as_bytes(), salt, &work, key.as_mut()).expect("invariant: 32 bytes are a legal length");
    XSalsa20Poly1305::new(Key::from_slice(key.as_ref()))
}

#[cfg(test)]
mod tests {
    use pkcs8::der::pem::{LineEnding, encode_string};

    use super::{CosignError, LABEL, LABEL_BEFORE, Passphrase, export, import, is_cosign_key};
    use crate::pem::{PemError, blocks};
    use crate::public::{Algorithm, PublicKey};
    use crate::sign::tests::{Dry, Seeded};
    use crate::sign::{Sign, SoftKey};

    /// Made by cosign 3.1.3, 2.6.5 and 3.1.3 (imported Ed25519), passphrase `hello`; see the README beside them.
    const MADE_BY_COSIGN: [(&str, &str); 3] = [
        (include_str!("../tests/fixtures/cosign3.key"), include_str!("../tests/fixtures/cosign3.pub")),
        (include_str!("../tests/fixtures/cosign2.key"), include_str!("../tests/fixtures/cosign2.pub")),
        (include_str!("../tests/fixtures/cosign3-ed25519.key"), include_str!("../tests/fixtures/cosign3-ed25519.pub")),
    ];

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned())
    }

    fn refusal(text: &str) -> CosignError {
        import(text, &passphrase("hello")).map(|key| format!("{key:?}")).unwrap_err()
    }

    /// A key file with its JSON changed.
    fn changed(from: &str, to: &str) -> String {
        let json = blocks(MADE_BY_COSIGN[0].0)[0].decode().unwrap();
        let json = std::str::from_utf8(&json).unwrap().replace(from, to);
        encode_string(LABEL, LineEnding::LF, json.as_bytes()).unwrap()
    }

    #[test]
    fn a_key_that_cosign_made_is_imported() {
        for (private, public) in MADE_BY_COSIGN {
            assert!(is_cosign_key(private) && !is_cosign_key(public));
            let key = import(private, &passphrase("hello")).unwrap();
            assert_eq!(key.public(), &PublicKey::from_spki_pem(public).unwrap());
            let before = private.replace(LABEL, LABEL_BEFORE);
            assert_eq!(import(&before, &passphrase("hello")).unwrap().public(), key.public());
        }
    }

    #[test]
    fn what_was_exported_is_imported_even_with_an_empty_passphrase() {
        for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
            let key = SoftKey::from_secret(algorithm, &[5; 32]).unwrap();
            for text in ["", "hello"] {
                let file = export(&key, &passphrase(text), &mut Seeded::new(1)).unwrap();
                assert!(file.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
                assert_eq!(import(&file, &passphrase(text)).unwrap().public(), key.public());
            }
        }
        let key = SoftKey::from_secret(Algorithm::P256, &[5; 32]).unwrap();
        assert!(export(&key, &passphrase("p"), &mut Dry).is_err());
    }

    #[test]
    fn a_wrong_passphrase_or_a_changed_box_does_not_open() {
        let (file, _) = MADE_BY_COSIGN[0];
        let wrong = import(file, &passphrase("Hello")).map(|_| ());
        assert_eq!(wrong, Err(CosignError::PassphraseWrong));
        assert_eq!(refusal(&changed("\"ciphertext\":\"U", "\"ciphertext\":\"V")), CosignError::PassphraseWrong);
        assert_eq!(refusal(&changed("\"N\":65536", "\"N\":32768")), CosignError::PassphraseWrong);
    }

    #[test]
    fn only_the_work_and_the_schemes_of_cosign_are_read() {
        for (from, to, n, r, p) in [
            ("\"N\":65536", "\"N\":16384", 16384, 8, 1),
            ("\"N\":65536", "\"N\":262144", 262_144, 8, 1),
            ("\"r\":8", "\"r\":9", 65536, 9, 1),
            ("\"p\":1", "\"p\":2", 65536, 8, 2),
        ] {
            assert_eq!(refusal(&changed(from, to)), CosignError::Work { n, r, p });
        }
        let scheme = |member, found: &str, expected| CosignError::Scheme { member, found: found.to_owned(), expected };
        assert_eq!(refusal(&changed("\"scrypt\"", "\"argon\"")), scheme("kdf", "argon", "scrypt"));
        assert_eq!(refusal(&changed("nacl/secretbox", "none")), scheme("cipher", "none", "nacl/secretbox"));
        assert!(matches!(
            refusal(&changed("\"nonce\":\"", "\"nonce\":\"AAAA")),
            CosignError::NonceLength { len: 27, .. }
        ));
        assert!(matches!(refusal(&changed("\"salt\":\"", "\"salt\":\"!")), CosignError::Base64 { member: "salt", .. }));
        assert!(matches!(refusal(&changed("\"kdf\":{", "\"kdf\":{\"more\":1,")), CosignError::Json(_)));
        assert!(matches!(refusal(&changed("\"kdf\":{", "\"kdf\":{\"name\":\"scrypt\",")), CosignError::Json(_)));
    }

    #[test]
    fn a_file_of_another_kind_is_named() {
        let key = SoftKey::from_secret(Algorithm::P256, &[5; 32]).unwrap();
        assert_eq!(
            refusal(key.public().spki_pem()),
            CosignError::Pem(PemError::Label { found: "PUBLIC KEY".to_owned() })
        );
        assert_eq!(refusal(""), CosignError::Pem(PemError::NotOneKey { count: 0 }));
    }
}
