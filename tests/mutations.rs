//! Changes one thing of a good bundle in every way that comes to mind, and holds that each is refused by a code of its step.
//!
//! White space, the order of members, the escapes of a string, and a hint that is no key's digest are no change; neither is
//! what protobuf's JSON may leave out, nor the twin (r, n - s) of the log's own signatures. `docs/VERIFY.md` has the list.
//! All else is a change. `cargo test --test mutations -- --nocapture` shows the counts.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests may print")]

mod forge;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use airtight::trust::TrustedRoot;
use airtight::verify::Refusal;
use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};
use airtight_keys::verifier::VerifierKey;
use serde_json::Value;

use forge::changes::{self, Change};
use forge::json::{Json, text, token};
use forge::{Recipe, Scene, verdict};

const HINT: &str = "/verificationMaterial/publicKey/hint";
const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
const BODY: &str = "/verificationMaterial/tlogEntries/0/canonicalizedBody";

/// A good bundle under change, and what its changes met.
struct Trial {
    name: &'static str,
    scene: Scene,
    keys: Vec<VerifierKey>,
    trusted_root: TrustedRoot,
    /// Whether there is a signed entry timestamp.
    promise: bool,
    /// How often each code refused, and how many changes of each kind there were.
    met: BTreeMap<(u8, &'static str), usize>,
    kinds: BTreeMap<&'static str, usize>,
}

impl Trial {
    fn of(name: &'static str, recipe: &Recipe) -> Trial {
        let scene = recipe.make();
        let keys = scene.keys.iter().map(|pem| VerifierKey::from_spki_pem(pem).unwrap()).collect();
        let trusted_root = TrustedRoot::parse(scene.root.render().as_bytes()).unwrap();
        let (met, kinds) = (BTreeMap::new(), BTreeMap::new());
        let trial = Trial { name, scene, keys, trusted_root, promise: recipe.promise, met, kinds };
        assert_eq!(trial.judge(&trial.scene.bundle_text()), ("verified", 0), "{name}");
        trial
    }

    /// The verdict on a text; a panic fails the test with the text.
    fn judge(&self, text: &[u8]) -> (&'static str, u8) {
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let report = self.scene.judge_with(text, &self.keys, &self.trusted_root);
            if text.len().is_multiple_of(8) {
                serde_json::to_string(&report).unwrap();
            }
            verdict(&report)
        }));
        judged.unwrap_or_else(|_| panic!("{}: a panic over {}", self.name, String::from_utf8_lossy(text)))
    }

    /// Holds that a change is refused by a code of one of these steps.
    fn refused(&mut self, change: &Change, steps: &[u8]) {
        let (code, step) = self.judge(&change.text);
        let shown = || {
            let Change { place, kind, text } = change;
            format!("{} {place}: {kind} met {code} (step {step}): {}", self.name, String::from_utf8_lossy(text))
        };
        if code == "verified" {
            assert!(change.place == HINT && is_free_hint(&change.text), "{}", shown());
        } else {
            assert!(Refusal::ALL_CODES.contains(&(step, code)), "{}", shown());
            assert!(steps.contains(&step), "{}", shown());
        }
        *self.met.entry((step, code)).or_default() += 1;
        *self.kinds.entry(change.kind).or_default() += 1;
    }

    /// The steps that look at a place; the shape of everything is step 1's, and an unknown member has no other.
    fn steps(&self, place: &str) -> &'static [u8] {
        let looked_at: [(&str, &'static [u8]); 10] = [
            ("/publicKey/hint", &[1, 2]),
            // Bound by the signed entry timestamp, or else by the proof.
            ("/tlogEntries/0/logIndex", if self.promise { &[1, 8] } else { &[1, 7] }),
            ("/tlogEntries/0/logId", &[1, 5]),
            ("/tlogEntries/0/kindVersion", &[1, 4]),
            ("/tlogEntries/0/integratedTime", &[1, 8]),
            ("/tlogEntries/0/inclusionPromise", &[1, 8]),
            ("/tlogEntries/0/inclusionProof/checkpoint", &[1, 5]),
            ("/tlogEntries/0/inclusionProof", &[1, 7]),
            // envelopeHash is bound by the leaf alone.
            ("/tlogEntries/0/canonicalizedBody", &[1, 4, 7]),
            ("", &[1]),
        ];
        if place.starts_with("/dsseEnvelope") || place.starts_with("/messageSignature") {
            return &[1, 2];
        }
        let below = place.strip_prefix("/verificationMaterial").unwrap_or("");
        looked_at.iter().find(|(prefix, _)| below.starts_with(prefix)).map_or(&[1], |(_, steps)| steps)
    }

    fn every_change(&mut self) {
        let bundle = self.scene.bundle.clone();
        for change in changes::of(&bundle) {
            self.refused(&change, self.steps(&change.place));
        }
        self.inside_the_body();
        self.signatures();
        self.every_byte();
        let total: usize = self.kinds.values().sum();
        println!("{}: {total} changes", self.name);
        for (kind, count) in &self.kinds {
            println!("    {count:>6}  {kind}");
        }
        for ((step, code), count) in &self.met {
            println!("    {count:>6}  step {step}  {code}");
        }
    }

    /// The log's body is JSON in base64: every change of that JSON, and other white space and order, which are changes there.
    fn inside_the_body(&mut self) {
        let said = self.scene.bundle.at(BODY).said();
        let body = Json::parse(&String::from_utf8(standard_base64(&said).unwrap()).unwrap());
        let mut inner = changes::of(&body);
        inner.extend(changes::twins(&body));
        let mut put = |text: Vec<u8>| inner.push(Change { place: String::new(), kind: "other form of the body", text });
        put(body.render_with(" ").into_bytes());
        put(body.render_with("\n").into_bytes());
        put((body.render() + "\n").into_bytes());
        let mut reversed = body.clone();
        reversed.members().reverse();
        put(reversed.render().into_bytes());
        put(body.render().replacen("kind", "\\u006bind", 1).into_bytes());
        for change in inner {
            let mut bundle = self.scene.bundle.clone();
            *bundle.at(BODY) = text(&base64(&change.text));
            let steps: &[u8] = if change.place.ends_with("/envelopeHash/value") { &[4, 7] } else { &[4] };
            self.refused(&Change { place: BODY.to_owned(), kind: change.kind, text: bundle.render().into() }, steps);
        }
    }

    /// Twin signatures: the signer's own stands in the leaf; the log's say the same to everybody.
    fn signatures(&mut self) {
        for change in changes::twins(&self.scene.bundle) {
            if change.place.starts_with(ENTRY) {
                assert_eq!(self.judge(&change.text), ("verified", 0), "{} {}", self.name, change.place);
            } else {
                self.refused(&change, &[4]);
            }
        }
    }

    /// Each byte of the text changed, dropped and doubled, and the text cut off there.
    fn every_byte(&mut self) {
        let good = self.scene.bundle_text();
        let same: Value = serde_json::from_slice(&good).unwrap();
        let mut put = |kind, text: Vec<u8>| {
            let (code, step) = self.judge(&text);
            if code == "verified" {
                let mut value: Value = serde_json::from_slice(&text).unwrap();
                if is_free_hint(&text) {
                    *value.pointer_mut(HINT).unwrap() = same.pointer(HINT).unwrap().clone();
                }
                assert!(value == same, "{}: {kind} was verified: {}", self.name, String::from_utf8_lossy(&text));
            } else {
                *self.met.entry((step, code)).or_default() += 1;
            }
            *self.kinds.entry(kind).or_default() += 1;
        };
        for at in 0..good.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut changed = good.clone();
                changed[at] ^= bit;
                put("byte of the text changed", changed);
            }
            let mut changed = good.clone();
            let was = changed.remove(at);
            put("byte of the text dropped", changed.clone());
            changed.splice(at..at, [was, was]);
            put("byte of the text doubled", changed);
            put("text cut off", good[..at].to_vec());
        }
        for (before, after) in
            [("[", "]"), ("", "x"), ("", "{}"), ("", ","), ("\u{feff}", ""), ("", "\0"), ("\u{b}", "")]
        {
            put("text around it", [before.as_bytes(), &good, after.as_bytes()].concat());
        }
        put("text twice", [&good[..], &good].concat());
    }
}

/// Says whether the text's hint is neither base64 nor hex of 32 bytes.
fn is_free_hint(text: &[u8]) -> bool {
    let value: Value = serde_json::from_slice(text).unwrap();
    let hint = value.pointer(HINT).and_then(Value::as_str).unwrap_or("");
    let bytes = standard_base64(hint).ok().or_else(|| hex::decode(hint).ok());
    bytes.is_none_or(|bytes| bytes.len() != 32)
}

#[test]
fn every_change_to_our_p256_bundle_is_refused() {
    Trial::of("dsse 0.0.1, P-256", &Recipe::file()).every_change();
}

#[test]
fn every_change_to_our_ed25519_bundle_is_refused() {
    Trial::of("dsse 0.0.1, Ed25519", &Recipe::file_ed25519()).every_change();
}

#[test]
fn every_change_to_a_bundle_without_promise_is_refused() {
    Trial::of("dsse 0.0.1 without promise", &Recipe { promise: false, ..Recipe::file() }).every_change();
}

#[test]
fn every_change_to_a_message_of_rekor_v1_is_refused() {
    Trial::of("message, hashedrekord 0.0.1", &Recipe::message()).every_change();
}

#[test]
fn every_change_to_a_message_of_rekor_v2_is_refused() {
    Trial::of("message, hashedrekord 0.0.2", &Recipe::message().in_v2()).every_change();
}

#[test]
fn every_change_to_an_envelope_of_rekor_v2_is_refused() {
    Trial::of("dsse, hashedrekord 0.0.2", &Recipe::file().in_v2()).every_change();
}

#[test]
fn white_space_order_escapes_and_a_free_hint_are_no_change() {
    for recipe in [Recipe::file(), Recipe::file_ed25519(), Recipe::message(), Recipe::file().in_v2()] {
        let mut trial = Trial::of("no change", &recipe);
        let verified = |trial: &Trial, text: &[u8]| {
            assert_eq!(trial.judge(text), ("verified", 0), "{}", String::from_utf8_lossy(text));
        };
        for between in ["\n", " ", "\t", "\r\n    "] {
            verified(&trial, trial.scene.bundle.render_with(between).as_bytes());
        }
        verified(&trial, trial.scene.bundle.render().as_bytes());
        // The members of each object in turn, reversed and rotated; each string and name in turn, escaped.
        for (way, _) in trial.scene.bundle.ways() {
            let mut changed = trial.scene.bundle.clone();
            match changed.on(&way) {
                Json::Object(members) => {
                    members.rotate_left(1);
                    verified(&trial, changed.render().as_bytes());
                    changed.on(&way).members().reverse();
                    verified(&trial, changed.render().as_bytes());
                    for number in 0..changed.on(&way).members().len() {
                        let mut changed = changed.clone();
                        let name = &mut changed.on(&way).members()[number].0;
                        *name = escaped(&token(name).said());
                        verified(&trial, changed.render().as_bytes());
                    }
                }
                Json::Array(_) => {}
                leaf @ Json::Leaf(_) => {
                    *leaf = token(&escaped(&leaf.said()));
                    verified(&trial, changed.render().as_bytes());
                }
            }
        }
        let far = "0".repeat(66);
        for hint in ["", "build-01", "YQ==", "\u{0}", "\u{1f511}", &far, &base64(&[7; 31]), &base64(&[7; 33])] {
            *trial.scene.bundle.at(HINT) = text(hint);
            verified(&trial, &trial.scene.bundle_text());
        }
    }
}

/// A string with every letter in an escape, the digits in upper and lower case by turns.
fn escaped(said: &str) -> String {
    let units: Vec<String> = said
        .encode_utf16()
        .enumerate()
        .map(|(n, unit)| if n % 2 == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") })
        .collect();
    format!("\"{}\"", units.concat())
}
