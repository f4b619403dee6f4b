//! Checkpoints against fixtures that an independent program made, and against everything that must be refused.

use airtight_keys::public::Algorithm;
use airtight_keys::sign::SoftKey;

use super::*;
use crate::proofs::inclusion;
use crate::tree::tests::{entries, size};
use crate::tree::{Forest, root};

const ORIGIN: &str = "log.example/airgap/2026";
const VKEY: &str = "log.example/airgap/2026+8b298e6d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const ECDSA_VKEY: &str = "log.example/airgap/2026+f1d59449+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFFcPW6545a5BNP+yn9U/c0MwemXvzddylFa0KbDtANfRTa+OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q=";
const TEXT: &str = "log.example/airgap/2026\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n";
const LOG_LINE: &str = "— log.example/airgap/2026 iymObSi6FEUugCNsFfeusdVLja3WAtMzW4qCrq4MGK/ZlMuWnyV4z+emFusDyJUetYl9L9O3oJYU3O1w3EN4i0tGPA4=\n";
const WITNESS_LINE: &str = "— witness.example/w1 IDJKvgAAAABo53gAGHYf1zlPRq8TOLOE6ASd4soh2oaWt/sDRZ2mEmgPu2vTUFqs9Z9tsQhWxuTPlMmhWOxXaMFINaaQ4uvVOm42BA==\n";
const ECDSA_LINE: &str = "— log.example/airgap/2026 8dWUSTBFAiEA2/LeKIWFsWFpReKPgvl5CodFRTG9ABWyWtKb07lxlhkCIBj7+lDvg9xKHvAsSieyEc9ALE8LNU5YHQF6qGGDxLUE\n";
const ROOT_7: &str = "9139601cc1ca8ab2a7a0c2c134c04845f2b1ba549a83d6c845cfcda439cc585d";

/// A bundle's checkpoint of a real Rekor v1 server, and the key of that server.
const REKOR_V1: &str = "rekor.local - 8999557368178846681\n9\npM3sX0kcYZ7R8UPJ9eBDo8E8uiS7kQMx077QOnaU94k=\n\n— rekor.local CMBExjBFAiBFzUmbAxTETTm+2lWOQ1Eaw8jZLZ7gu7sHfTLVbWmjRQIhAJY1NppaxpCwPPO1nrwuJkUws6wX+kuPp9QE/HMMJglA\n";
const REKOR_V1_KEY: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZcLGSihMgBfRjBGzhPYfP/zPDXkL\nxvU1i1bHlp0Z0KuOHWrHvVr2j5tRn9ti+45zLqwPpfA6GNJwGo/oIsLbRA==\n-----END PUBLIC KEY-----\n";

fn secret(first: u8) -> [u8; 32] {
    std::array::from_fn(|i| first + i as u8)
}

fn log_key() -> LogKey {
    let p256 = SoftKey::from_secret(Algorithm::P256, &secret(1)).unwrap();
    let ed25519 = SoftKey::from_secret(Algorithm::Ed25519, &secret(0)).unwrap();
    LogKey::new(p256, ed25519).unwrap()
}

fn other_log_key() -> LogKey {
    let p256 = SoftKey::from_secret(Algorithm::P256, &secret(1)).unwrap();
    let ed25519 = SoftKey::from_secret(Algorithm::Ed25519, &secret(32)).unwrap();
    LogKey::new(p256, ed25519).unwrap()
}

fn identity() -> LogIdentity {
    let tree_id = TreeId::new(1_193_050_959_916_656_506).unwrap();
    LogIdentity::new(ORIGIN, tree_id, log_key().public().clone()).unwrap()
}

fn root_7() -> Hash {
    Hash::from_hex(ROOT_7).unwrap()
}

fn verify_c2sp(note: &str) -> Result<VerifiedCheckpoint, CheckpointRefusal> {
    SignedCheckpoint::parse(note).unwrap().verify(NoteRule::C2sp(identity().c2sp_verifier()))
}

fn verify_v1(note: &str) -> Result<VerifiedCheckpoint, CheckpointRefusal> {
    SignedCheckpoint::parse(note).unwrap().verify(NoteRule::RekorV1(&identity().keys().p256))
}

fn signed_v1() -> String {
    sign_v1(&identity(), size(7), root_7(), &log_key()).unwrap()
}

#[test]
fn the_c2sp_note_is_that_of_an_independent_program() {
    assert_eq!(identity().vkey(), VKEY);
    assert_eq!(sign_c2sp(&identity(), size(7), root_7(), &log_key()).unwrap(), format!("{TEXT}\n{LOG_LINE}"));
    assert_eq!(hex::encode(&identity().log_id().as_bytes()[..4]), "f1d59449");
    assert_eq!(NoteVerifier::parse_vkey(ECDSA_VKEY).unwrap().key(), &identity().keys().p256);
}

#[test]
fn the_p256_line_over_the_c2sp_text_is_that_of_an_independent_program() {
    let line = note::signature_line(TEXT, ORIGIN, log_key().p256(), NoteStyle::EcdsaSpki).unwrap();
    assert_eq!(line, ECDSA_LINE);
}

#[test]
fn a_c2sp_note_verifies_with_and_without_lines_of_others() {
    for lines in [
        LOG_LINE.to_owned(),
        format!("{LOG_LINE}{WITNESS_LINE}"),
        format!("{WITNESS_LINE}{LOG_LINE}"),
        format!("{LOG_LINE}{ECDSA_LINE}"),
    ] {
        let verified = verify_c2sp(&format!("{TEXT}\n{lines}")).unwrap();
        assert_eq!((verified.origin(), verified.size(), verified.root()), (ORIGIN, size(7), &root_7()));
    }
}

#[test]
fn a_c2sp_note_without_the_logs_line_or_with_a_bad_one_or_with_two_is_refused() {
    assert!(matches!(
        verify_c2sp(&format!("{TEXT}\n{WITNESS_LINE}{ECDSA_LINE}")),
        Err(CheckpointRefusal::Note(NoteRefusal::NoKnownSignature { .. }))
    ));
    let eight = TEXT.replace("\n7\n", "\n8\n");
    assert!(matches!(
        verify_c2sp(&format!("{eight}\n{LOG_LINE}")),
        Err(CheckpointRefusal::Note(NoteRefusal::BadSignature { .. }))
    ));
    assert_eq!(
        verify_c2sp(&format!("{TEXT}\n{LOG_LINE}{LOG_LINE}")),
        Err(CheckpointRefusal::RepeatedSignature { count: 2 })
    );
    let flipped = LOG_LINE.replace("Si6FEUug", "Si6FEUuh");
    assert!(matches!(
        verify_c2sp(&format!("{TEXT}\n{flipped}")),
        Err(CheckpointRefusal::Note(NoteRefusal::BadSignature { .. }))
    ));
}

#[test]
fn a_key_does_not_speak_for_another_origin() {
    let text = TEXT.replace(ORIGIN, "log.example/other");
    let note = note::sign(&text, ORIGIN, log_key().ed25519(), NoteStyle::Ed25519).unwrap();
    let refusal = CheckpointRefusal::OtherOrigin { origin: "log.example/other".into(), name: ORIGIN.into() };
    assert_eq!(verify_c2sp(&note), Err(refusal));
}

#[test]
fn extension_lines_are_read_in_v1_and_refused_in_c2sp() {
    let extended = format!("{TEXT}Timestamp: 1700000000000000000\n");
    let note = note::sign(&extended, ORIGIN, log_key().ed25519(), NoteStyle::Ed25519).unwrap();
    assert_eq!(verify_c2sp(&note), Err(CheckpointRefusal::Extension { count: 1 }));
    assert_eq!(Checkpoint::parse(&extended), Err(CheckpointError::Extension { count: 1 }));

    let extended = format!("{}Timestamp: 1\nmore\n", identity().v1_checkpoint(size(7), root_7()).text());
    let note = note::sign(&extended, ORIGIN, log_key().p256(), NoteStyle::EcdsaSpki).unwrap();
    assert_eq!(verify_v1(&note).unwrap().size(), size(7));
    // The whole text is signed, so such a line can be neither dropped nor changed.
    assert!(matches!(verify_v1(&note.replace("more\n", "")), Err(CheckpointRefusal::Signature(_))));
    assert!(matches!(verify_v1(&note.replace("stamp: 1", "stamp: 2")), Err(CheckpointRefusal::Signature(_))));
}

#[test]
fn a_v1_note_is_signed_by_the_p256_key_under_the_bare_origin() {
    let note = signed_v1();
    assert!(note.starts_with("log.example/airgap/2026 - 1193050959916656506\n7\nkTlg"), "{note}");
    assert!(note.contains("\n\n— log.example/airgap/2026 8dWUS"), "{note}");
    let verified = verify_v1(&note).unwrap();
    assert_eq!((verified.origin(), verified.size(), verified.root()), (&*identity().v1_origin(), size(7), &root_7()));
}

#[test]
fn a_checkpoint_of_a_real_rekor_server_verifies() {
    let key = PublicKey::from_spki_pem(REKOR_V1_KEY).unwrap();
    let signed = SignedCheckpoint::parse(REKOR_V1).unwrap();
    assert_eq!(signed.to_string(), REKOR_V1);
    let (host, tree_id) = signed.checkpoint_unverified().v1_parts().unwrap();
    assert_eq!((host, tree_id.get(), &*tree_id.to_hex()), ("rekor.local", 8999557368178846681, "7ce4d9bea20cabd9"));
    assert_eq!(signed.verify(NoteRule::RekorV1(&key)).unwrap().size(), size(9));
    assert!(matches!(verify_v1(REKOR_V1), Err(CheckpointRefusal::ForeignSignature { .. })));
}

#[test]
fn a_v1_note_carries_one_line_by_the_log_and_nothing_else() {
    let note = signed_v1();
    let line = note.split_once("\n\n").unwrap().1;
    let refusal = verify_v1(&format!("{note}{WITNESS_LINE}")).unwrap_err();
    assert!(matches!(refusal, CheckpointRefusal::ForeignSignature { name, .. } if name == "witness.example/w1"));
    let renamed = note.replace("— log.example", "— log-example");
    assert!(matches!(verify_v1(&renamed), Err(CheckpointRefusal::ForeignSignature { .. })));
    assert_eq!(verify_v1(&format!("{note}{line}")), Err(CheckpointRefusal::RepeatedSignature { count: 2 }));
}

#[test]
fn a_v1_note_with_another_text_or_signature_is_refused() {
    let note = signed_v1();
    for (from, to) in [("\n7\n", "\n8\n"), ("- 1193", "- 1194"), ("kTlgHM", "kTlgHN")] {
        assert!(matches!(verify_v1(&note.replace(from, to)), Err(CheckpointRefusal::Signature(_))), "{to}");
    }
    let c2sp = format!("{TEXT}\n{ECDSA_LINE}");
    assert_eq!(verify_v1(&c2sp), Err(CheckpointRefusal::NotRekorV1 { origin: ORIGIN.into() }));
}

#[test]
fn a_v1_first_line_has_one_form() {
    let parts = |origin: &str| Checkpoint::new(origin, size(0), root_7()).unwrap().v1_parts().map(|(_, id)| id.get());
    assert_eq!(parts("host - 1"), Some(1));
    assert_eq!(parts("a - 2 - 9223372036854775807"), Some(i64::MAX as u64));
    for origin in ["host", "host - ", " - 1", "host - 0", "host - 01", "host - +1", "host - -1", "host-1", "host -1"] {
        assert_eq!(parts(origin), None, "{origin:?}");
    }
    assert_eq!(parts("host - 9223372036854775808"), None);
}

#[test]
fn a_text_that_is_no_checkpoint_is_refused_by_its_line() {
    let parse = Checkpoint::parse;
    assert_eq!(parse(TEXT).unwrap().text(), TEXT);
    assert_eq!(parse(TEXT.trim_end()), Err(CheckpointError::TextEnd));
    assert_eq!(parse("log\n7\n"), Err(CheckpointError::Lines { count: 2 }));
    assert_eq!(parse("\n"), Err(CheckpointError::Lines { count: 1 }));
    assert_eq!(parse(&TEXT[ORIGIN.len()..]), Err(CheckpointError::Origin));
    assert_eq!(parse(&TEXT.replace(ORIGIN, "a\tb")), Err(CheckpointError::Origin));
    assert!(matches!(parse(&TEXT.replace("\n7\n", "\n07\n")), Err(CheckpointError::Size(_))));
    assert!(matches!(parse(&TEXT.replace("\n7\n", "\n\n")), Err(CheckpointError::Size(_))));
    assert!(matches!(parse(&TEXT.replace("\n7\n", "\n7\r\n")), Err(CheckpointError::Size(_))));
    assert!(matches!(parse(&TEXT.replace("WF0=", "WF0")), Err(CheckpointError::Root(_))));
    // Other trailing bits, same bytes.
    assert!(matches!(parse(&TEXT.replace("WF0=", "WF1=")), Err(CheckpointError::Root(_))));
    assert_eq!(parse(&format!("{TEXT}\nx\n")), Err(CheckpointError::EmptyExtension));
}

#[test]
fn only_a_signed_note_is_a_signed_checkpoint() {
    assert!(matches!(SignedCheckpoint::parse(TEXT), Err(CheckpointError::Note(_))));
    let note = note::sign("not\na checkpoint\n", ORIGIN, log_key().ed25519(), NoteStyle::Ed25519).unwrap();
    assert_eq!(SignedCheckpoint::parse(&note), Err(CheckpointError::Lines { count: 2 }));
}

#[test]
fn keys_of_another_log_do_not_sign() {
    let refused = sign_c2sp(&identity(), size(7), root_7(), &other_log_key()).unwrap_err();
    assert!(matches!(refused, CheckpointSignError::OtherKey { .. }));
    // The P-256 key alone would fit; the pair does not.
    let refused = sign_v1(&identity(), size(7), root_7(), &other_log_key()).unwrap_err();
    assert!(matches!(refused, CheckpointSignError::OtherKey { .. }));
    assert_eq!(log_key().p256().public(), other_log_key().p256().public());
}

#[test]
fn an_origin_that_cannot_name_a_key_is_refused() {
    let keys = log_key().public().clone();
    let tree_id = TreeId::new(1).unwrap();
    for origin in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
        let refused = LogIdentity::new(origin, tree_id, keys.clone());
        assert!(matches!(refused, Err(IdentityError::Origin(VkeyError::Name { .. }))), "{origin:?}");
    }
    assert!(LogIdentity::new(&"a".repeat(255), tree_id, keys.clone()).is_ok());
    let refused = LogIdentity::new(&"a".repeat(256), tree_id, keys);
    assert_eq!(refused, Err(IdentityError::OriginTooLong { len: 256 }));
    assert_eq!(TreeId::new(0), Err(IdentityError::TreeId { id: 0 }));
    assert_eq!(TreeId::new(1 << 63), Err(IdentityError::TreeId { id: 1 << 63 }));
}

#[test]
fn inclusion_is_judged_under_the_size_and_root_that_were_signed() {
    let leaves = entries(7);
    let mut forest: Forest = leaves.iter().copied().collect();
    assert_eq!(root(&mut forest, size(7)), Ok(root_7()));
    let index = LeafIndex::new(6).unwrap();
    let proof = inclusion(&mut forest, index, size(7)).unwrap();
    // The .tlog-proof fixture of the same log.
    assert_eq!(
        proof.iter().map(Hash::to_base64).collect::<Vec<_>>(),
        ["ShNqcAh7Y340w9Paps6naLHbE+xHWQLS4kC2Dj2ZnHo=", "JWueiCXl03CkrgBdCQHqKRl34pJ/XPjj5yZg3QlRnts=",]
    );
    let verified = verify_c2sp(&format!("{TEXT}\n{LOG_LINE}")).unwrap();
    assert_eq!(verified.check_inclusion(&leaves[6], index, &proof), Ok(()));
    assert!(matches!(verified.check_inclusion(&leaves[5], index, &proof), Err(InclusionRefusal::RootMismatch { .. })));
    assert!(matches!(
        verified.check_inclusion(&leaves[6], index, &proof[..1]),
        Err(InclusionRefusal::ProofLength { len: 1, expected: 2, .. })
    ));
}
