//! Checkpoints that witnesses have cosigned, under a policy that names them: C2SP tlog-cosignature and tlog-policy.

use airtight_keys::cosignature::{CosignatureVerifier, cosignature_line};
use airtight_keys::note::NoteVerifier;
use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_keys::strict_json::{standard_base64, to_standard_base64};

use super::super::{Log, NOW, Recipe, Scene, TIME, key};
use super::Cases;

const V: &str = "verified";

/// What holds, and is weaker than the witnesses' policy asks.
const WEAKER: &str = "weaker";

/// A witness by its number: the name of its vkey, and its key.
pub fn witness(number: u8) -> (String, SoftKey) {
    (format!("w{number}.example/witness"), key(Algorithm::Ed25519, &format!("witness {number}")))
}

/// The policy: this log, and two of three witnesses.
pub fn policy() -> String {
    let log = Log::v2();
    let mut text = format!("# two of three\nlog {}\n", NoteVerifier::ed25519(log.name, log.key.public()).unwrap());
    for number in 1..=3 {
        let (name, key) = witness(number);
        let vkey = CosignatureVerifier::new(&name, key.public()).unwrap();
        text += &format!("witness w{number} {vkey} https://{name}\n");
    }
    text + "group two 2 w1 w2 w3\nquorum two\n"
}

/// The lines of these witnesses, each at its time, over a text.
fn lines(text: &str, by: &[(u8, u64)]) -> String {
    let line = |(number, time): &(u8, u64)| {
        let (name, key) = witness(*number);
        cosignature_line(text, &name, &key, *time).unwrap()
    };
    by.iter().map(line).collect()
}

/// Changes the signed checkpoint, which is handed over with its text.
fn noted(scene: &mut Scene, change: impl FnOnce(String, &str) -> String) {
    scene.rewrite_entry("/inclusionProof/checkpoint/envelope", |signed| {
        let text = signed.split("\n\n").next().unwrap().to_owned() + "\n";
        change(signed, &text)
    });
}

/// A scene in a log of the C2SP style whose checkpoint these have cosigned.
fn cosigned(by: &[(u8, u64)]) -> Scene {
    cosigned_of(&Recipe::file().in_v2(), by)
}

/// The same of a recipe's checkpoint.
pub fn cosigned_of(recipe: &Recipe, by: &[(u8, u64)]) -> Scene {
    let mut scene = recipe.make();
    scene.witness_policy = Some(policy());
    noted(&mut scene, |signed, text| signed + &lines(text, by));
    scene
}

/// Changes the bytes of the last signature line behind its key id.
fn altered(signed: String, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let (before, blob) = signed.trim_end().rsplit_once(' ').unwrap();
    let bytes = standard_base64(blob).unwrap();
    let (key_id, rest) = bytes.split_at(4);
    format!("{before} {}\n", to_standard_base64(&[key_id, &change(rest.to_vec())].concat()))
}

pub fn add(cases: &mut Cases) {
    let later = TIME + 60;
    cases.add(
        "verified-quorum-of-witnesses",
        V,
        "Two of the three witnesses that the policy names have cosigned the checkpoint, which is what it asks for.",
        cosigned(&[(1, later), (3, later + 1)]),
    );
    cases.add(
        "verified-quorum-beside-strangers",
        V,
        "Two of the witnesses have cosigned, and a stranger, whose line is passed over.",
        cosigned(&[(9, later), (2, later), (3, later)]),
    );
    cases.broken("verified-quorum-none", V, "The policy of witnesses asks for none.", cosigned(&[]), |scene| {
        scene.witness_policy = Some("quorum none\n".to_owned())
    });
    cases.add(
        "verified-cosignature-at-the-edge-of-now",
        V,
        "A cosignature is of 300 seconds after now, which is as far as another clock may be ahead.",
        cosigned(&[(1, NOW + 300), (2, later)]),
    );
    add_weaker(cases, later);
    add_refused(cases, later);
}

fn add_weaker(cases: &mut Cases, later: u64) {
    cases.add(
        "weaker-no-cosignature",
        WEAKER,
        "No witness has cosigned the checkpoint, and two were asked for.",
        cosigned(&[]),
    );
    cases.add(
        "weaker-one-witness-of-two",
        WEAKER,
        "One witness has cosigned, and two were asked for.",
        cosigned(&[(2, later)]),
    );
    cases.add(
        "weaker-one-witness-twice",
        WEAKER,
        "One witness has cosigned twice, and two were asked for.",
        cosigned(&[(2, later), (2, later + 1)]),
    );
    cases.broken(
        "weaker-policy-of-another-log",
        WEAKER,
        "Two witnesses have cosigned, and the policy is about another log.",
        cosigned(&[(1, later), (2, later)]),
        |scene| {
            let (own, other) = (Log::v2(), key(Algorithm::Ed25519, "another log"));
            let vkey = |key: &SoftKey| NoteVerifier::ed25519(own.name, key.public()).unwrap().to_string();
            scene.witness_policy = Some(policy().replace(&vkey(&own.key), &vkey(&other)));
        },
    );
    cases.broken(
        "weaker-entry-of-rekor-v1",
        WEAKER,
        "The entry is in a log in the manner of Rekor v1, whose checkpoints carry no cosignatures.",
        Recipe::file().make(),
        |scene| scene.witness_policy = Some(policy()),
    );
}

fn add_refused(cases: &mut Cases, later: u64) {
    let invalid = "cosignature_invalid";
    let mut changed = |name: &str, about: &str, change: fn(Vec<u8>) -> Vec<u8>| {
        cases.broken(name, invalid, about, cosigned(&[(1, TIME + 60), (2, TIME + 60)]), |scene| {
            noted(scene, |signed, _| altered(signed, change));
        });
    };
    changed("step6-cosignature-changed", "The last byte of a cosignature is changed.", |mut bytes| {
        bytes[71] ^= 1;
        bytes
    });
    changed("step6-cosignature-of-another-time", "The time in a cosignature is changed.", |mut bytes| {
        bytes[7] ^= 1;
        bytes
    });
    changed("step6-cosignature-cut-off", "A cosignature lacks its last byte.", |mut bytes| {
        bytes.pop();
        bytes
    });
    changed("step6-cosignature-without-time", "A cosignature is a signature alone.", |bytes| bytes[8..].to_vec());
    cases.broken(
        "step6-cosignature-of-another-checkpoint",
        invalid,
        "A witness has cosigned another checkpoint of the log, of the same size.",
        cosigned(&[(1, later)]),
        |scene| {
            noted(scene, |signed, text| {
                let mut parts: Vec<&str> = text.lines().collect();
                parts[2] = "kTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=";
                signed + &lines(&(parts.join("\n") + "\n"), &[(2, later)])
            });
        },
    );
    cases.broken(
        "step6-cosignature-bad-beside-a-quorum",
        invalid,
        "Two witnesses have cosigned, which would do, and a line of the third does not hold.",
        cosigned(&[(1, later), (2, later), (3, later)]),
        |scene| {
            noted(scene, |signed, _| {
                altered(signed, |mut bytes| {
                    bytes[8] ^= 1;
                    bytes
                })
            });
        },
    );
    cases.broken(
        "step6-signature-of-a-note-by-a-witness",
        invalid,
        "A witness has signed the checkpoint as a note, without a time.",
        cosigned(&[(1, later)]),
        |scene| {
            noted(scene, |signed, text| {
                let (_, key) = witness(2);
                let plain = key.sign(text.as_bytes()).unwrap();
                altered(signed + &lines(text, &[(2, later)]), |bytes| [&bytes[..8], &plain].concat())
            });
        },
    );
    cases.add(
        "step6-cosignature-of-time-0",
        invalid,
        "A cosignature says the time 0.",
        cosigned(&[(1, 0), (2, later)]),
    );
    cases.add(
        "step6-cosignature-in-future",
        "cosignature_in_future",
        "A cosignature is of 301 seconds after now.",
        cosigned(&[(1, NOW + 301), (2, later)]),
    );
}
