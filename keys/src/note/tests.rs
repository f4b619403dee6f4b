//! The laws of signed notes, and worked examples of others.

use super::{
    NOTE_LEN_MAX, NOTE_SIGNATURES_MAX, NoteError, NoteRefusal, NoteSignError, NoteStyle, NoteVerifier, SignedNote,
    VkeyError, sign, signature_line,
};
use crate::public::Algorithm;
use crate::sign::{Sign, SoftKey};
use crate::strict_json::Base64Error;

/// C2SP signed-note, the specification's example.
const SPEC_VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// transparency-dev/formats: the public key and a checkpoint of Rekor v1.
const REKOR_VKEY: &str = "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc=";
const REKOR_NOTE: &str = "Rekor\n798034\nf+7CoKgXKE/tNys9TTXcr/ad6U/K3xvznmzew9y6SP0=\n\n\u{2014} rekor.sigstore.dev wNI9ajBEAiARInWIWyCdyG27CO6LPnPekyw20qO0YJfoaPaowGp/XgIgc+qEHS3+GKVClgqq20uDLet7MCoTURUCRdxwWBHHufk=\n";

/// Made with Python's `cryptography`, independent of any code here: seed 00..1f, scalar 0102..20.
const NAME: &str = "log.example/airgap/2026";
const BODY: &str = "log.example/airgap/2026\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n";
const VKEY_ED25519: &str = "log.example/airgap/2026+8b298e6d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const VKEY_ECDSA: &str = "log.example/airgap/2026+f1d59449+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFFcPW6545a5BNP+yn9U/c0MwemXvzddylFa0KbDtANfRTa+OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q=";
const LINE_ED25519: &str = "\u{2014} log.example/airgap/2026 iymObSi6FEUugCNsFfeusdVLja3WAtMzW4qCrq4MGK/ZlMuWnyV4z+emFusDyJUetYl9L9O3oJYU3O1w3EN4i0tGPA4=\n";
const LINE_ECDSA: &str = "\u{2014} log.example/airgap/2026 8dWUSTBFAiEA2/LeKIWFsWFpReKPgvl5CodFRTG9ABWyWtKb07lxlhkCIBj7+lDvg9xKHvAsSieyEc9ALE8LNU5YHQF6qGGDxLUE\n";
const LINE_WITNESS: &str = "\u{2014} witness.example/w1 IDJKvgAAAABo53gAGHYf1zlPRq8TOLOE6ASd4soh2oaWt/sDRZ2mEmgPu2vTUFqs9Z9tsQhWxuTPlMmhWOxXaMFINaaQ4uvVOm42BA==\n";

fn ed25519() -> SoftKey {
    SoftKey::from_secret(Algorithm::Ed25519, &std::array::from_fn(|i| i as u8)).unwrap()
}

fn ecdsa() -> SoftKey {
    SoftKey::from_secret(Algorithm::P256, &std::array::from_fn(|i| i as u8 + 1)).unwrap()
}

fn verifier(vkey: &str) -> NoteVerifier {
    NoteVerifier::parse_vkey(vkey).unwrap()
}

fn parse(note: &str) -> SignedNote {
    SignedNote::parse(note).unwrap()
}

#[test]
fn the_examples_of_others_verify() {
    for (vkey, note) in [(SPEC_VKEY, SPEC_NOTE), (REKOR_VKEY, REKOR_NOTE)] {
        let parsed = parse(note);
        let verifiers = [verifier(vkey)];
        let verified = parsed.verify(&verifiers).unwrap();
        assert_eq!(verified.text(), &note[..note.find("\n\n").unwrap() + 1]);
        assert_eq!((verified.signed_by(), verified.unknown_lines()), (&[0][..], 0));
        assert_eq!(parsed.to_string(), note);
        assert_eq!(verifiers[0].to_string(), vkey);
    }
}

#[test]
fn what_we_sign_are_the_bytes_that_another_implementation_signs() {
    assert_eq!(NoteVerifier::ed25519(NAME, ed25519().public()).unwrap().to_string(), VKEY_ED25519);
    assert_eq!(NoteVerifier::ecdsa(NAME, ecdsa().public()).unwrap().to_string(), VKEY_ECDSA);
    assert_eq!(sign(BODY, NAME, &ed25519(), NoteStyle::Ed25519).unwrap(), format!("{BODY}\n{LINE_ED25519}"));
    assert_eq!(signature_line(BODY, NAME, &ecdsa(), NoteStyle::EcdsaSpki).unwrap(), LINE_ECDSA);
}

#[test]
fn unknown_lines_are_ignored_and_known_ones_counted_once() {
    let note = parse(&format!("{BODY}\n{LINE_WITNESS}{LINE_ED25519}{LINE_ECDSA}{LINE_ED25519}"));
    let known = [verifier(VKEY_ECDSA), verifier(SPEC_VKEY), verifier(VKEY_ED25519)];
    let verified = note.verify(&known).unwrap();
    assert_eq!((verified.signed_by(), verified.unknown_lines()), (&[2, 0][..], 1));
    assert_eq!(note.signatures().len(), 4);
    assert_eq!(note.signatures()[0].name, "witness.example/w1");
    assert_eq!(note.signatures()[0].signature.len(), 72);
}

#[test]
fn a_bad_line_of_a_known_key_refuses_the_whole_note() {
    let body = BODY.replace("7\n", "8\n");
    let note = parse(&format!("{body}\n{LINE_ED25519}"));
    let bad = NoteRefusal::BadSignature { index: 0, name: NAME.to_owned(), key_id: "8b298e6d".to_owned() };
    assert_eq!(note.verify(&[verifier(VKEY_ED25519)]), Err(bad));
    // A good line of another known key does not help, nor does a good one before it of the same key.
    let good = signature_line(&body, NAME, &ecdsa(), NoteStyle::EcdsaSpki).unwrap();
    let note = parse(&format!("{body}\n{good}{LINE_ED25519}"));
    let bad = NoteRefusal::BadSignature { index: 1, name: NAME.to_owned(), key_id: "8b298e6d".to_owned() };
    assert_eq!(note.verify(&[verifier(VKEY_ED25519), verifier(VKEY_ECDSA)]), Err(bad));
    assert!(note.verify(&[verifier(VKEY_ECDSA)]).is_ok());
    let good = signature_line(&body, NAME, &ed25519(), NoteStyle::Ed25519).unwrap();
    let note = parse(&format!("{body}\n{good}{LINE_ED25519}"));
    assert!(matches!(note.verify(&[verifier(VKEY_ED25519)]), Err(NoteRefusal::BadSignature { index: 1, .. })));
}

#[test]
fn a_note_without_a_known_signature_is_refused() {
    let note = parse(&format!("{BODY}\n{LINE_ED25519}"));
    for (verifiers, count) in [(vec![], 0), (vec![verifier(SPEC_VKEY), verifier(VKEY_ECDSA)], 2)] {
        assert_eq!(note.verify(&verifiers), Err(NoteRefusal::NoKnownSignature { signatures: 1, verifiers: count }));
    }
    // The same key under another name has another key id, and is not the same signer.
    let renamed = NoteVerifier::ed25519("log.example/other", ed25519().public()).unwrap();
    assert!(matches!(note.verify(&[renamed]), Err(NoteRefusal::NoKnownSignature { .. })));
    assert_eq!(
        note.verify(&[verifier(VKEY_ED25519), verifier(VKEY_ED25519)]),
        Err(NoteRefusal::AmbiguousVerifiers { name: NAME.to_owned(), key_id: "8b298e6d".to_owned() })
    );
}

#[test]
fn the_last_empty_line_parts_text_and_signatures() {
    for body in ["\n", "a\n\nb\n", "a\n\n", "\n\n", "a\n\n\u{2014} x AAAA\n"] {
        let note = sign(body, NAME, &ed25519(), NoteStyle::Ed25519).unwrap();
        let parsed = parse(&note);
        assert_eq!(parsed.text_unverified(), body);
        assert_eq!(parsed.to_string(), note);
        assert_eq!(parsed.verify(&[verifier(VKEY_ED25519)]).unwrap().text(), body);
    }
}

#[test]
fn a_text_that_is_no_note_is_refused() {
    let line = |line: &str| SignedNote::parse(&format!("a\n\n{line}"));
    for text in ["", "a\n", "a\n\n", "\n", "\n\n", "a\n\u{2014} x AAAAAAA=\n", "a\n\n\u{2014} x AAAAAAA="] {
        assert_eq!(SignedNote::parse(text), Err(NoteError::NoSignatures), "{text:?}");
    }
    for text in ["- x AAAAAAA=\n", "\u{2014}x AAAAAAA=\n", "\u{2014} x\n", "junk\n"] {
        assert_eq!(line(text), Err(NoteError::SignatureLine { index: 0 }), "{text:?}");
    }
    assert_eq!(line(&format!("{LINE_ED25519}junk\n")), Err(NoteError::SignatureLine { index: 1 }));
    for name in ["", "a+b", "a\u{a0}b", "a\u{2003}b"] {
        assert_eq!(
            line(&format!("\u{2014} {name} AAAAAAA=\n")),
            Err(NoteError::KeyName { index: 0, name: name.to_owned() })
        );
    }
    for (blob, cause) in [
        ("AAAAAAA", Base64Error::Length { len: 7 }),
        ("AAAAAAB=", Base64Error::TrailingBits { last: 'B' }),
        ("AAAAA A=", Base64Error::Character { at: 5, byte: b' ' }),
    ] {
        assert_eq!(line(&format!("\u{2014} x {blob}\n")), Err(NoteError::Base64 { index: 0, cause }));
    }
    for (blob, len) in [("", 0), ("AAAA", 3), ("AAAAAA==", 4)] {
        assert_eq!(line(&format!("\u{2014} x {blob}\n")), Err(NoteError::ShortSignature { index: 0, len }));
    }
    for byte in [0, 9, 13, 31u8] {
        let text = format!("a{}\n\n{LINE_ED25519}", char::from(byte));
        assert_eq!(SignedNote::parse(&text), Err(NoteError::ControlCharacter { at: 1, byte }));
    }
}

#[test]
fn the_limits_of_a_note_hold() {
    let full = format!("{BODY}\n{}", LINE_WITNESS.repeat(NOTE_SIGNATURES_MAX));
    assert_eq!(parse(&full).signatures().len(), 100);
    assert_eq!(
        SignedNote::parse(&format!("{full}{LINE_WITNESS}")),
        Err(NoteError::TooManySignatures { count: 101, max: 100 })
    );
    let fitting = format!("{}\n\n{LINE_ED25519}", "a".repeat(NOTE_LEN_MAX - 2 - LINE_ED25519.len()));
    assert_eq!(fitting.len(), NOTE_LEN_MAX);
    assert!(SignedNote::parse(&fitting).is_ok());
    assert_eq!(
        SignedNote::parse(&format!("a{fitting}")),
        Err(NoteError::TooLarge { len: NOTE_LEN_MAX + 1, max: NOTE_LEN_MAX })
    );
}

#[test]
fn no_byte_of_a_note_can_be_changed() {
    let note = format!("{BODY}\n{LINE_ED25519}");
    let verifiers = [verifier(VKEY_ED25519)];
    for at in 0..note.len() {
        for flip in [0x01, 0x20, 0x40] {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let stands = SignedNote::parse(&text).is_ok_and(|parsed| parsed.verify(&verifiers).is_ok());
            assert!(!stands, "byte {at}: {text}");
        }
    }
}

#[test]
fn a_vkey_that_does_not_fit_is_refused() {
    let refusal = |vkey: &str| NoteVerifier::parse_vkey(vkey).unwrap_err();
    assert_eq!(refusal("a+530d903a"), VkeyError::Shape);
    assert_eq!(refusal("a+530d903a+"), VkeyError::Shape);
    assert_eq!(refusal(""), VkeyError::Shape);
    assert!(matches!(refusal(&SPEC_VKEY.replace("example.com/foo", "")), VkeyError::Name { .. }));
    assert!(matches!(refusal(&SPEC_VKEY.replace("example.com", "example com")), VkeyError::Name { .. }));
    assert_eq!(
        refusal(&SPEC_VKEY.replace("530d", "530e")),
        VkeyError::KeyId { claimed: "530e903a".to_owned(), computed: "530d903a".to_owned() }
    );
    assert!(matches!(refusal(&SPEC_VKEY.replace("530d903a", "530D903A")), VkeyError::KeyId { .. }));
    assert!(matches!(refusal(&SPEC_VKEY.replace("foo", "bar")), VkeyError::KeyId { .. }));
    assert!(matches!(refusal(&format!("{SPEC_VKEY}=")), VkeyError::Base64(_)));
    // A witness's cosignature key, type 0x04.
    assert_eq!(
        refusal("witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"),
        VkeyError::Type { type_byte: 4 }
    );
    assert!(matches!(refusal("a+530d903a+AQAA"), VkeyError::Key(_)));
    assert_eq!(
        NoteVerifier::ed25519("a", ecdsa().public()),
        Err(VkeyError::Algorithm { expected: Algorithm::Ed25519, found: Algorithm::P256 })
    );
}

#[test]
fn what_could_not_be_read_is_not_signed() {
    let refusal = |text: &str, name: &str| sign(text, name, &ed25519(), NoteStyle::Ed25519).unwrap_err();
    assert_eq!(refusal("a", NAME), NoteSignError::Text(NoteError::TextEnd));
    assert_eq!(refusal("", NAME), NoteSignError::Text(NoteError::TextEnd));
    assert_eq!(refusal("a\r\n", NAME), NoteSignError::Text(NoteError::ControlCharacter { at: 1, byte: 13 }));
    assert!(matches!(refusal("a\n", "a b"), NoteSignError::Verifier(VkeyError::Name { .. })));
    assert!(matches!(
        sign("a\n", NAME, &ed25519(), NoteStyle::EcdsaSpki),
        Err(NoteSignError::Verifier(VkeyError::Algorithm { .. }))
    ));
}
