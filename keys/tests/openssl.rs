//! What OpenSSL makes of our keys and signatures, and what we make of its files.
//!
//! Needs the `openssl` program, version 3; where there is none, each test says so and passes.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are free of the ban list"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use airtight_keys::pem::{Passphrase, PemError, from_pem, to_pem};
use airtight_keys::public::{Algorithm, PublicKey};
use airtight_keys::sign::{Random, RandomUnavailable, Sign, SoftKey};
use tempfile::TempDir;

const ALGORITHMS: [Algorithm; 2] = [Algorithm::P256, Algorithm::Ed25519];

/// Bytes that count upwards: as good as any for a test that others decrypt.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), RandomUnavailable> {
        for byte in into {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

/// A folder to work in, or None where OpenSSL 3 is absent.
fn with_openssl() -> Option<TempDir> {
    match Command::new("openssl").arg("version").output() {
        Ok(found) if found.stdout.starts_with(b"OpenSSL 3") => Some(TempDir::new().unwrap()),
        Ok(found) => {
            println!("not OpenSSL 3: {} (not asked)", String::from_utf8_lossy(&found.stdout).trim());
            None
        }
        Err(error) => {
            println!("openssl is absent: {error} (not asked)");
            None
        }
    }
}

fn openssl_unchecked(folder: &Path, arguments: &str) -> Output {
    Command::new("openssl").current_dir(folder).args(arguments.split_whitespace()).output().unwrap()
}

fn openssl(folder: &Path, arguments: &str) -> String {
    let output = openssl_unchecked(folder, arguments);
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn openssl_reads_our_keys_and_verifies_our_signatures() {
    let Some(folder) = with_openssl() else { return };
    let folder = folder.path();
    for algorithm in ALGORITHMS {
        let key = SoftKey::generate(algorithm, &mut Counting(7)).unwrap();
        fs::write(folder.join("plain.key"), to_pem(&key, None, &mut Counting(0)).unwrap().as_bytes()).unwrap();
        let closed = to_pem(&key, Some(&passphrase("hello")), &mut Counting(0)).unwrap();
        fs::write(folder.join("closed.key"), closed.as_bytes()).unwrap();
        fs::write(folder.join("our.pub"), key.public().spki_pem()).unwrap();
        fs::write(folder.join("message"), b"a message").unwrap();
        fs::write(folder.join("signature"), key.sign(b"a message").unwrap()).unwrap();

        for command in ["pkey -in plain.key -pubout", "pkey -in closed.key -passin pass:hello -pubout"] {
            assert_eq!(openssl(folder, command), key.public().spki_pem(), "{algorithm} {command}");
        }
        let wrong = openssl_unchecked(folder, "pkey -in closed.key -passin pass:wrong -pubout");
        assert!(!wrong.status.success());
        assert_eq!(openssl(folder, "pkey -pubin -in our.pub -pubout"), key.public().spki_pem());
        // OpenSSL's own rendering of the plain key is ours, byte for byte.
        assert_eq!(openssl(folder, "pkey -in plain.key"), *to_pem(&key, None, &mut Counting(0)).unwrap());

        let verify = match algorithm {
            Algorithm::P256 => "dgst -sha256 -verify our.pub -signature signature message",
            Algorithm::Ed25519 => "pkeyutl -verify -pubin -inkey our.pub -rawin -in message -sigfile signature",
        };
        openssl(folder, verify);
        fs::write(folder.join("message"), b"another message").unwrap();
        assert!(!openssl_unchecked(folder, verify).status.success());
    }
}

#[test]
fn we_read_the_keys_that_openssl_makes() {
    let Some(folder) = with_openssl() else { return };
    let folder = folder.path();
    let secret = passphrase("hello");
    for (algorithm, generate) in [
        (Algorithm::P256, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        (Algorithm::Ed25519, "genpkey -algorithm ed25519"),
    ] {
        openssl(folder, &format!("{generate} -out plain.key"));
        openssl(folder, "pkey -in plain.key -pubout -out their.pub");
        let public = PublicKey::from_spki_pem(&read(folder, "their.pub")).unwrap();
        assert_eq!(public.algorithm(), algorithm);
        assert_eq!(public.spki_pem(), read(folder, "their.pub"));
        let plain = from_pem(&read(folder, "plain.key"), None).unwrap();
        assert_eq!(plain.public(), &public);

        for encrypt in [
            "pkey -in plain.key -aes256 -passout pass:hello -out closed.key",
            "pkey -in plain.key -aes-128-cbc -passout pass:hello -out closed.key",
            "pkcs8 -topk8 -in plain.key -v2 aes-256-cbc -passout pass:hello -out closed.key",
            "pkcs8 -topk8 -in plain.key -v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 10000 -passout pass:hello -out closed.key",
            "pkcs8 -topk8 -in plain.key -scrypt -passout pass:hello -out closed.key",
        ] {
            openssl(folder, encrypt);
            let closed = read(folder, "closed.key");
            assert_eq!(from_pem(&closed, Some(&secret)).unwrap().public(), &public, "{encrypt}");
            let wrong = from_pem(&closed, Some(&passphrase("wrong"))).map(|_| ());
            assert_eq!(wrong, Err(PemError::PassphraseWrong), "{encrypt}");
        }
        fs::write(folder.join("message"), b"their message").unwrap();
        let sign = match algorithm {
            Algorithm::P256 => "dgst -sha256 -sign plain.key -out signature message",
            Algorithm::Ed25519 => "pkeyutl -sign -inkey plain.key -rawin -in message -out signature",
        };
        openssl(folder, sign);
        let signature = fs::read(folder.join("signature")).unwrap();
        assert_eq!(public.verify(b"their message", &signature), Ok(()));
        assert!(public.verify(b"another message", &signature).is_err());
    }
}

#[test]
fn we_read_sec1_and_name_what_we_do_not_read() {
    let Some(folder) = with_openssl() else { return };
    let folder = folder.path();
    openssl(folder, "ecparam -name prime256v1 -genkey -out sec1.key");
    let text = read(folder, "sec1.key");
    assert!(text.contains("BEGIN EC PARAMETERS") && text.contains("BEGIN EC PRIVATE KEY"));
    let public = openssl(folder, "ec -in sec1.key -pubout");
    assert_eq!(from_pem(&text, None).unwrap().public().spki_pem(), public);

    openssl(folder, "ec -in sec1.key -aes256 -passout pass:hello -out legacy.key");
    let refused = from_pem(&read(folder, "legacy.key"), Some(&passphrase("hello"))).map(|_| ());
    assert_eq!(refused, Err(PemError::LegacyEncryption));

    openssl(folder, "ec -in sec1.key -pubout -conv_form compressed -out compressed.pub");
    assert!(PublicKey::from_spki_pem(&read(folder, "compressed.pub")).is_err());

    for (generate, oid) in [
        ("ecparam -name secp384r1 -genkey -noout -out other.key", "1.3.132.0.34"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out other.key", "1.3.132.0.10"),
        ("genpkey -algorithm X25519 -out other.key", "1.3.101.110"),
    ] {
        openssl(folder, generate);
        let refused = from_pem(&read(folder, "other.key"), None).map(|_| ());
        assert_eq!(refused, Err(PemError::Algorithm { oid: oid.to_owned() }), "{generate}");
    }
    openssl(folder, "pkcs8 -topk8 -in sec1.key -v1 PBE-SHA1-3DES -passout pass:hello -out pbes1.key");
    let refused = from_pem(&read(folder, "pbes1.key"), Some(&passphrase("hello"))).map(|_| ());
    assert!(matches!(refused, Err(PemError::Encryption { .. } | PemError::Der { .. })), "{refused:?}");
}
