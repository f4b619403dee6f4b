//! Signed notes and checkpoints against signed_note and tlog_tiles, ports of Go's sumdb/note and checkpoint.

use airtight_keys::note::NoteVerifier;
use airtight_keys::public::Algorithm;
use airtight_keys::role::LogKey;
use airtight_keys::sign::SoftKey;
use airtight_log::checkpoint::{LogIdentity, NoteRule, SignedCheckpoint, TreeId, sign_c2sp};
use airtight_log::digest::{Hash, TreeSize};
use airtight_log::tree::empty_root;
use signed_note::{Note, Signer, StandardSigner, StandardVerifier, VerifierList};

const ORIGIN: &str = "log.example/airgap/2026";
/// The key whose seed is the bytes 00 to 1f, in the private form of Go's note.
const SKEY: &str = "PRIVATE+KEY+log.example/airgap/2026+8b298e6d+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

fn log_key() -> LogKey {
    let secret = |first: u8| std::array::from_fn(|i| first + i as u8);
    let p256 = SoftKey::from_secret(Algorithm::P256, &secret(1)).unwrap();
    LogKey::new(p256, SoftKey::from_secret(Algorithm::Ed25519, &secret(0)).unwrap()).unwrap()
}

fn identity() -> LogIdentity {
    LogIdentity::new(ORIGIN, TreeId::new(1).unwrap(), log_key().public().clone()).unwrap()
}

fn checkpoint(size: u64) -> String {
    sign_c2sp(&identity(), TreeSize::new(size).unwrap(), empty_root(), &log_key()).unwrap()
}

fn they_verify(note: &[u8]) -> bool {
    let verifier = StandardVerifier::new(&identity().vkey()).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    Note::from_bytes(note).is_ok_and(|note| note.verify(&known).is_ok())
}

fn we_verify(note: &[u8]) -> bool {
    let verifier = NoteVerifier::parse_vkey(&identity().vkey()).unwrap();
    let parsed = std::str::from_utf8(note).ok().and_then(|note| SignedCheckpoint::parse(note).ok());
    parsed.is_some_and(|parsed| parsed.verify(NoteRule::C2sp(&verifier)).is_ok())
}

#[test]
fn they_read_and_verify_our_checkpoints() {
    for size in [0, 1, 7, 70_000, 1 << 48] {
        let note = checkpoint(size);
        assert!(they_verify(note.as_bytes()) && we_verify(note.as_bytes()));
        let text = Note::from_bytes(note.as_bytes()).unwrap().text().to_vec();
        let theirs = tlog_tiles::Checkpoint::from_bytes(&text).unwrap();
        assert_eq!((theirs.origin(), theirs.size(), theirs.extension()), (ORIGIN, size, ""));
        assert_eq!(Hash::from_bytes(theirs.hash().0), empty_root());
        assert_eq!(theirs.to_bytes(), text);
    }
}

#[test]
fn they_sign_the_same_bytes_with_the_same_key() {
    let ours = checkpoint(7);
    let signer = StandardSigner::new(SKEY).unwrap();
    let text = ours.split_inclusive('\n').take(3).collect::<String>();
    let mut theirs = Note::new(text.as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&signer as &dyn Signer]).unwrap();
    assert_eq!(theirs.to_bytes(), ours.as_bytes());
}

#[test]
fn a_note_changed_in_any_byte_is_accepted_by_neither() {
    let note = checkpoint(7).into_bytes();
    for at in 0..note.len() {
        for flip in [0x01, 0x02, 0x20, 0x80] {
            let mut changed = note.clone();
            changed[at] ^= flip;
            assert!(!we_verify(&changed), "byte {at} ^ {flip:#x}");
            assert!(!they_verify(&changed), "byte {at} ^ {flip:#x}");
        }
    }
}
