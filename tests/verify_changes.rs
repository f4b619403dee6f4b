//! Changes one thing of a bundle in every way that comes to mind, and holds that each is refused by a code of its step.
//!
//! White space, the order of members, the escapes of a string, and a hint that is no key's digest are no change. All else is.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use airtight::attest::{NewSite, Site};
use airtight::keyring::{KeyName, Protection, Unlock};
use airtight::statement::{PredicateType, Statement, Subject};
use airtight::trust::TrustedRoot;
use airtight::verify::{self, Input, Policy, Refusal, verify};
use airtight_keys::public::{Algorithm, PublicKey};
use airtight_keys::sign::{Random, RandomUnavailable};
use airtight_log::digest::sha256;
use airtight_log::store::Access;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

/// A counter in place of randomness, so that each run changes the same bytes.
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

struct Case {
    bundle: Value,
    keys: [PublicKey; 1],
    trusted_root: TrustedRoot,
}

impl Case {
    fn of(signer: Algorithm) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("site");
        let new = NewSite { origin: "log.example/a", signer, protection: Protection::Plain, note: None };
        Site::create(&home, &new, NOW, &mut Counting(0)).unwrap();
        let mut site = Site::open(&home, Access::Write).unwrap();
        let keys =
            site.unlock(&KeyName::signer(), &mut Unlock::new(|_| Err("no key is encrypted here".into()))).unwrap();
        let statements = (0..6).map(|n| {
            let subject = Subject { name: format!("part {n}"), sha256: sha256(&[n]) };
            Statement::new(&[subject], &PredicateType::artifact(), Some(r#"{"kind":"file","size":1}"#)).unwrap()
        });
        let proven = site.attest(statements.collect(), &keys, NOW, "test").unwrap();
        let identity = site.store().identity();
        let url = format!("https://{}", identity.origin());
        Case {
            bundle: serde_json::from_str(&proven[4].bundle).unwrap(),
            keys: [keys.signer.public().clone()],
            trusted_root: TrustedRoot::of_log(&url, &identity.keys().p256, site.store().created()),
        }
    }

    fn judge(&self, text: &str) -> Result<(), Refusal> {
        let report = verify(&Input {
            bundle: text.as_bytes(),
            subject: verify::Subject::Digest(sha256(&[4])),
            keys: &self.keys,
            trusted_root: &self.trusted_root,
            policy: Policy::default(),
            now: NOW + 100,
        });
        report.verdict().map(|_| ()).map_err(Clone::clone)
    }

    /// Holds that a changed text is refused by one of the steps that look at the place of the change.
    fn refused(&self, place: &str, what: &str, text: &str) {
        match self.judge(text) {
            Ok(()) if is_hint_of_no_key(place, text) => {}
            Ok(()) => panic!("{place}: {what} was accepted: {text}"),
            Err(refusal) => {
                let pair = (refusal.step(), refusal.code());
                assert!(Refusal::ALL_CODES.contains(&pair), "{pair:?} is not listed");
                assert!(steps(place).contains(&pair.0), "{place}: {what} was refused by {pair:?}: {refusal}");
            }
        }
    }
}

/// The steps that look at a place in the bundle; the shape of everything is step 1's.
fn steps(place: &str) -> &'static [u8] {
    let looked_at: [(&str, &[u8]); 10] = [
        ("/verificationMaterial/publicKey/hint", &[1, 2]),
        ("/verificationMaterial/tlogEntries/0/logIndex", &[1, 8]),
        ("/verificationMaterial/tlogEntries/0/logId", &[1, 5]),
        ("/verificationMaterial/tlogEntries/0/kindVersion", &[1, 4]),
        ("/verificationMaterial/tlogEntries/0/integratedTime", &[1, 8]),
        ("/verificationMaterial/tlogEntries/0/inclusionPromise", &[1, 8]),
        ("/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint", &[1, 5]),
        ("/verificationMaterial/tlogEntries/0/inclusionProof", &[1, 7]),
        // envelopeHash is bound by the leaf alone.
        ("/verificationMaterial/tlogEntries/0/canonicalizedBody", &[1, 4, 7]),
        ("/dsseEnvelope", &[1, 2]),
    ];
    looked_at.iter().find(|(prefix, _)| place.starts_with(prefix)).map_or(&[1], |(_, steps)| steps)
}

fn is_hint_of_no_key(place: &str, text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap();
    let hint = value.pointer("/verificationMaterial/publicKey/hint").and_then(Value::as_str);
    place == "/verificationMaterial/publicKey/hint"
        && hint.is_some_and(|hint| airtight_keys::strict_json::standard_base64(hint).map_or(true, |b| b.len() != 32))
}

/// Every place in the bundle, as a JSON pointer, the root excepted.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, inner)| (name.clone(), inner)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, inner)| (n.to_string(), inner)).collect(),
        _ => Vec::new(),
    };
    for (name, inner) in inner {
        let place = format!("{at}/{name}");
        places(inner, &place, into);
        into.push(place);
    }
}

fn with(bundle: &Value, place: &str, value: Value) -> String {
    let mut changed = bundle.clone();
    *changed.pointer_mut(place).unwrap() = value;
    changed.to_string()
}

fn without(bundle: &Value, place: &str) -> String {
    let mut changed = bundle.clone();
    let (parent, name) = place.rsplit_once('/').unwrap();
    match changed.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => unreachable!("only objects and lists hold something"),
    }
    changed.to_string()
}

/// The text with the member or item at `place` written twice.
fn doubled(bundle: &Value, place: &str) -> String {
    let mark = "\u{1}here\u{1}";
    let written = bundle.pointer(place).unwrap().to_string();
    let marked = with(bundle, place, json!(mark));
    let mark = json!(mark).to_string();
    let (parent, name) = place.rsplit_once('/').unwrap();
    let twice = match bundle.pointer(parent).unwrap() {
        Value::Object(_) => format!("{written},{}:{written}", json!(name)),
        _ => format!("{written},{written}"),
    };
    marked.replace(&mark, &twice)
}

fn cases() -> [Case; 2] {
    [Case::of(Algorithm::P256), Case::of(Algorithm::Ed25519)]
}

#[test]
fn every_member_dropped_retyped_or_doubled_is_refused() {
    for case in cases() {
        case.judge(&case.bundle.to_string()).unwrap();
        let mut all = Vec::new();
        places(&case.bundle, "", &mut all);
        assert!(all.len() > 30, "{all:?}");
        for place in &all {
            case.refused(place, "dropped", &without(&case.bundle, place));
            case.refused(place, "doubled", &doubled(&case.bundle, place));
            let was = case.bundle.pointer(place).unwrap();
            let numbered = was.as_str().and_then(|text| text.parse::<u64>().ok()).map_or(json!(7), |n| json!(n));
            for other in
                [json!(null), json!(true), numbered, json!(""), json!([]), json!({}), json!([was]), json!({"a": was})]
            {
                case.refused(place, &format!("as {other}"), &with(&case.bundle, place, other.clone()));
            }
            if let Value::Object(members) = was {
                // A list of the values, which a derived reader would take for the object.
                let list: Vec<&Value> = members.values().collect();
                case.refused(place, "as a list of its values", &with(&case.bundle, place, json!(list)));
                let mut more = members.clone();
                more.insert("more".to_owned(), json!(1));
                case.refused(place, "with an unknown member", &with(&case.bundle, place, Value::Object(more)));
            }
        }
    }
}

#[test]
fn every_string_changed_at_several_places_is_refused() {
    for case in cases() {
        let mut all = Vec::new();
        places(&case.bundle, "", &mut all);
        for place in &all {
            let Some(text) = case.bundle.pointer(place).unwrap().as_str() else { continue };
            let letters: Vec<char> = text.chars().collect();
            let step = (letters.len() / 41).max(1);
            for at in (0..letters.len()).step_by(step).chain([letters.len() - 1]) {
                for letter in ['A', 'b', '0', '1', '/', '=', '\n', 'é'] {
                    let mut changed = letters.clone();
                    if std::mem::replace(&mut changed[at], letter) == letter {
                        continue;
                    }
                    let changed: String = changed.into_iter().collect();
                    case.refused(
                        place,
                        &format!("letter {at} as {letter:?}"),
                        &with(&case.bundle, place, json!(changed)),
                    );
                }
            }
            for changed in [format!(" {text}"), format!("{text} "), format!("{text}\n"), format!("{text}{text}")] {
                case.refused(place, "lengthened", &with(&case.bundle, place, json!(changed)));
            }
            let shorter: String = letters[..letters.len() - 1].iter().collect();
            case.refused(place, "shortened", &with(&case.bundle, place, json!(shorter)));
        }
    }
}

/// The next base64 digit, which differs in its lowest bit only: the same bytes where that bit is padding.
fn next_digit(digit: char) -> char {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    DIGITS.chars().nth(DIGITS.find(digit).unwrap() ^ 1).unwrap()
}

#[test]
fn other_spellings_of_the_same_bytes_and_numbers_are_refused() {
    for case in cases() {
        let mut all = Vec::new();
        places(&case.bundle, "", &mut all);
        let (mut base64, mut numbers) = (0, 0);
        for place in &all {
            let Some(text) = case.bundle.pointer(place).unwrap().as_str() else { continue };
            let refused = |what: &str, changed: String| {
                if changed != text {
                    case.refused(place, what, &with(&case.bundle, place, json!(changed)));
                }
            };
            if text.parse::<u64>().is_ok() {
                numbers += 1;
                for changed in [
                    format!("0{text}"),
                    format!("+{text}"),
                    format!("-{text}"),
                    format!("{text}.0"),
                    format!("{text}e0"),
                ] {
                    refused("another spelling of a number", changed);
                }
            } else if text.len() > 40 && airtight_keys::strict_json::standard_base64(text).is_ok() {
                base64 += 1;
                refused("in the URL alphabet", text.replace('+', "-").replace('/', "_"));
                refused("without padding", text.trim_end_matches('=').to_owned());
                refused("with a line feed", format!("{}\n{}", &text[..20], &text[20..]));
                if text.ends_with('=') {
                    let bare = text.trim_end_matches('=');
                    let (head, last) = bare.split_at(bare.len() - 1);
                    let padding = &text[bare.len()..];
                    let last = next_digit(last.chars().next().unwrap());
                    refused("with other bits in the padding", format!("{head}{last}{padding}"));
                }
            }
        }
        assert!(base64 >= 9 && numbers == 4, "{base64} byte strings, {numbers} numbers");
    }
}

#[test]
fn white_space_order_escapes_and_a_free_hint_are_no_change() {
    for case in cases() {
        let compact = case.bundle.to_string();
        case.judge(&serde_json::to_string_pretty(&case.bundle).unwrap()).unwrap();
        case.judge(&format!("\r\n\t {compact} \n")).unwrap();
        // serde_json sorts the members; the bundle as it was written has another order and is judged elsewhere.
        case.judge(&compact.replace("mediaType", "media\\u0054ype").replace("sigstore", "sig\\u0073tore")).unwrap();
        case.judge(&with(&case.bundle, "/verificationMaterial/publicKey/hint", json!("build-01"))).unwrap();
        for text in
            [format!("{compact}x"), format!("{compact}{compact}"), format!("[{compact}]"), format!("\u{feff}{compact}")]
        {
            case.refused("", "text around it", &text);
        }
        for len in (0..compact.len()).step_by(97) {
            case.refused("", "cut short", &compact[..len]);
        }
    }
}

#[test]
fn hashes_in_another_order_are_refused() {
    for case in cases() {
        let place = "/verificationMaterial/tlogEntries/0/inclusionProof/hashes";
        let mut hashes = case.bundle.pointer(place).unwrap().as_array().unwrap().clone();
        assert!(hashes.len() > 1);
        hashes.reverse();
        case.refused(place, "reversed", &with(&case.bundle, place, json!(hashes)));
    }
}

#[test]
fn bytes_that_are_no_utf8_are_refused_and_do_not_crash() {
    for case in cases() {
        let mut text = case.bundle.to_string().into_bytes();
        for at in (0..text.len()).step_by(53) {
            let was = std::mem::replace(&mut text[at], 0xff);
            let report = verify(&Input {
                bundle: &text,
                subject: verify::Subject::Digest(sha256(&[4])),
                keys: &case.keys,
                trusted_root: &case.trusted_root,
                policy: Policy::default(),
                now: NOW,
            });
            assert_eq!(report.verdict().unwrap_err().code(), "bundle_not_json");
            text[at] = was;
        }
    }
}
