//! The laws of the keyring, each with what breaks it.

use std::cell::Cell;
use std::os::unix::fs::PermissionsExt;

use airtight_keys::sign::RandomUnavailable;
use tempfile::TempDir;

use super::*;

/// Bytes that differ from call to call and are the same in each run.
struct Counted(u64);

impl Random for Counted {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), RandomUnavailable> {
        for byte in into {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

struct Site {
    home: TempDir,
    random: Counted,
}

impl Site {
    fn new() -> Site {
        Site { home: tempfile::tempdir().unwrap(), random: Counted(1) }
    }

    fn keyring(&self) -> Keyring {
        Keyring::of_site(self.home.path())
    }

    fn generate(&mut self, name: &str, algorithm: Algorithm) -> Result<KeyEntry, KeyringError> {
        self.keyring().generate(&named(name), algorithm, Protection::Plain, &mut self.random)
    }

    fn generate_under(&mut self, name: &str, passphrase: &str) -> Result<KeyEntry, KeyringError> {
        let passphrase = Passphrase::new(passphrase.into());
        self.keyring().generate(&named(name), Algorithm::P256, Protection::Passphrase(&passphrase), &mut self.random)
    }

    fn files(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(self.keyring().directory()) else { return Vec::new() };
        let mut names: Vec<String> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn named(name: &str) -> KeyName {
    name.parse().unwrap()
}

fn never<'a>() -> Unlock<'a> {
    Unlock::new(|name| panic!("asked for the passphrase of {name}"))
}

fn with(passphrase: &str) -> Unlock<'_> {
    Unlock::new(move |_| Ok(Passphrase::new(passphrase.into())))
}

#[track_caller]
fn code<T: std::fmt::Debug>(result: Result<T, KeyringError>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn a_key_is_two_files_of_the_right_modes_and_signs() {
    let mut site = Site::new();
    assert_eq!(site.keyring().list().unwrap(), Vec::new());
    let entry = site.generate("signer", Algorithm::P256).unwrap();
    assert_eq!(site.files(), ["signer.key", "signer.pub"]);
    for (path, bits) in [
        (site.keyring().private_path(&entry.name), 0o600),
        (site.keyring().public_path(&entry.name), 0o644),
        (site.keyring().directory().to_owned(), 0o700),
    ] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, bits, "{}", path.display());
    }
    assert_eq!(site.keyring().list().unwrap(), std::slice::from_ref(&entry));
    let key = site.keyring().load_signer(&entry.name, &mut never()).unwrap();
    let signature = key.sign(b"message").unwrap();
    entry.public.verify(b"message", &signature).unwrap();
}

#[test]
fn the_two_keys_of_a_log_are_loaded_together_and_asked_for_once() {
    let mut site = Site::new();
    let passphrase = Passphrase::new("correct horse".into());
    for (name, algorithm) in [("log", Algorithm::P256), ("log-ed25519", Algorithm::Ed25519)] {
        let protection = Protection::Passphrase(&passphrase);
        site.keyring().generate(&named(name), algorithm, protection, &mut site.random).unwrap();
    }
    let asked = Cell::new(0);
    let mut unlock = Unlock::new(|_| {
        asked.set(asked.get() + 1);
        Ok(Passphrase::new("correct horse".into()))
    });
    let key = site.keyring().load_log(&mut unlock).unwrap();
    assert_eq!(*key.public(), site.keyring().log_public().unwrap());
    drop(unlock);
    assert_eq!(asked.get(), 1);
}

#[test]
fn a_wrong_passphrase_and_none_at_all_are_told_apart() {
    let mut site = Site::new();
    let entry = site.generate_under("signer", "correct horse").unwrap();
    assert_eq!(entry.private, PrivateHalf::Encrypted);
    let keyring = site.keyring();
    assert_eq!(code(keyring.load_signer(&entry.name, &mut with("wrong"))), "passphrase_wrong");
    let mut refusing = Unlock::new(|_| Err("no terminal".into()));
    assert_eq!(code(keyring.load_signer(&entry.name, &mut refusing)), "passphrase_required");
    assert_eq!(code(keyring.load_signer(&entry.name, &mut refusing)), "passphrase_required");
    assert!(keyring.load_signer(&entry.name, &mut with("correct horse")).is_ok());
}

#[test]
fn all_keys_of_a_site_have_one_passphrase() {
    let mut site = Site::new();
    site.generate_under("signer", "correct horse").unwrap();
    assert_eq!(code(site.generate_under("second", "other")), "passphrase_wrong");
    assert_eq!(code(site.generate_under("second", "")), "passphrase_empty");
    assert_eq!(site.files(), ["signer.key", "signer.pub"]);
    site.generate_under("second", "correct horse").unwrap();
}

#[test]
fn nothing_is_overwritten() {
    let mut site = Site::new();
    site.generate("signer", Algorithm::P256).unwrap();
    let before = fs::read(site.keyring().private_path(&named("signer"))).unwrap();
    assert_eq!(code(site.generate("signer", Algorithm::P256)), "key_exists");
    fs::remove_file(site.keyring().public_path(&named("signer"))).unwrap();
    assert_eq!(code(site.generate("signer", Algorithm::P256)), "key_exists");
    assert_eq!(fs::read(site.keyring().private_path(&named("signer"))).unwrap(), before);
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    let mut site = Site::new();
    let entry = site.generate("signer", Algorithm::P256).unwrap();
    let path = site.keyring().private_path(&entry.name);
    for mode in [0o640, 0o604, 0o610, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = site.keyring().load_signer(&entry.name, &mut never()).unwrap_err();
        assert!(matches!(error, KeyringError::ReadableByOthers { mode: met, .. } if met == mode), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(site.keyring().load_signer(&entry.name, &mut never()).is_ok());
}

#[test]
fn halves_of_two_keys_are_refused() {
    let mut site = Site::new();
    let (one, two) = (named("one"), named("two"));
    site.generate("one", Algorithm::P256).unwrap();
    site.generate("two", Algorithm::P256).unwrap();
    let keyring = site.keyring();
    fs::copy(keyring.private_path(&two), keyring.private_path(&one)).unwrap();
    assert_eq!(code(keyring.load_signer(&one, &mut never())), "key_pair_mismatch");
    fs::copy(keyring.public_path(&two), keyring.public_path(&one)).unwrap();
    assert_eq!(code(keyring.load_signer(&one, &mut never())), "key_shared");
    assert_eq!(code(keyring.load_signer(&two, &mut never())), "key_shared");
}

#[test]
fn a_key_of_one_role_is_not_taken_into_another() {
    let mut site = Site::new();
    let entry = site.generate("log-ed25519", Algorithm::Ed25519).unwrap();
    let keyring = site.keyring();
    let key = Keyring::read_foreign(&keyring.private_path(&entry.name), &named("signer"), &mut never()).unwrap();
    for name in ["signer", "witness"] {
        assert_eq!(code(keyring.import(&named(name), &key, Protection::Plain, &mut site.random)), "key_shared");
    }
    assert_eq!(code(keyring.load_signer(&entry.name, &mut never())), "key_role_refused");
    assert_eq!(code(keyring.load_witness(&entry.name, &mut never())), "key_role_refused");
    assert_eq!(site.files(), ["log-ed25519.key", "log-ed25519.pub"]);
}

#[test]
fn a_name_that_asks_for_another_algorithm_is_refused() {
    let mut site = Site::new();
    assert_eq!(code(site.generate("log", Algorithm::Ed25519)), "key_algorithm_refused");
    assert_eq!(code(site.generate("log-ed25519", Algorithm::P256)), "key_algorithm_refused");
    assert_eq!(code(site.generate("witness-1", Algorithm::P256)), "key_algorithm_refused");
    assert_eq!(site.files(), Vec::<String>::new());
}

#[test]
fn a_half_that_is_missing_is_named() {
    let mut site = Site::new();
    let name = named("signer");
    let keyring = site.keyring();
    assert_eq!(code(keyring.load_signer(&name, &mut never())), "key_not_found");
    site.generate("signer", Algorithm::P256).unwrap();
    let text = fs::read(keyring.private_path(&name)).unwrap();
    fs::remove_file(keyring.private_path(&name)).unwrap();
    assert_eq!(keyring.entry(&name).unwrap().private, PrivateHalf::Absent);
    assert_eq!(code(keyring.load_signer(&name, &mut never())), "key_private_missing");
    durable::create_new(&keyring.private_path(&name), &text, Mode::Private).unwrap();
    fs::remove_file(keyring.public_path(&name)).unwrap();
    assert_eq!(code(keyring.load_signer(&name, &mut never())), "key_public_missing");
    assert_eq!(code(keyring.list()), "key_public_missing");
}

#[test]
fn files_that_are_no_keys_are_passed_over_or_named() {
    let mut site = Site::new();
    site.generate("signer", Algorithm::P256).unwrap();
    let keyring = site.keyring();
    fs::write(keyring.directory().join("README"), "x").unwrap();
    fs::write(keyring.directory().join("Other.pub"), "x").unwrap();
    assert_eq!(keyring.list().unwrap().len(), 1);
    fs::write(keyring.directory().join("broken.pub"), "x").unwrap();
    assert_eq!(code(keyring.list()), "key_public_malformed");
    fs::write(keyring.directory().join("broken.pub"), vec![b'x'; KEY_FILE_LEN_MAX as usize + 1]).unwrap();
    assert_eq!(code(keyring.list()), "key_file_too_large");
}

#[test]
fn a_key_goes_to_cosigns_form_and_comes_back() {
    let mut site = Site::new();
    let entry = site.generate_under("signer", "correct horse").unwrap();
    let text = site.keyring().export_cosign(&entry.name, &mut with("correct horse"), &mut site.random).unwrap();
    let path = site.home.path().join("cosign.key");
    fs::write(&path, text.as_bytes()).unwrap();
    assert_eq!(code(Keyring::read_foreign(&path, &entry.name, &mut with("wrong"))), "passphrase_wrong");
    let key = Keyring::read_foreign(&path, &entry.name, &mut with("correct horse")).unwrap();
    assert_eq!(key.public(), &entry.public);
    assert_eq!(
        code(site.keyring().export_cosign(&entry.name, &mut with("wrong"), &mut site.random)),
        "passphrase_wrong"
    );
}
