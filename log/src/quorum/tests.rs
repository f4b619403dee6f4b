//! Policies of witnesses: what is read, what is refused and why, and which sets of cosignatures are a quorum.

use airtight_keys::cosignature::cosignature_line;
use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_keys::strict_json::to_standard_base64;

use super::*;

const TEXT: &str = "log.example\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n";

fn key(seed: u8) -> SoftKey {
    SoftKey::from_secret(Algorithm::Ed25519, &[seed; 32]).unwrap()
}

/// The vkey of a witness whose name is its seed's.
fn vkey(seed: u8) -> String {
    CosignatureVerifier::new(&format!("w{seed}.example"), key(seed).public()).unwrap().to_string()
}

fn log_vkey(name: &str, seed: u8) -> String {
    NoteVerifier::ed25519(name, key(seed).public()).unwrap().to_string()
}

fn ml_dsa(name: &str) -> String {
    let material = [7; ML_DSA_44.1];
    let blob = [&[ML_DSA_44.0][..], &material].concat();
    let key_id = hex::encode(note::key_id(name, ML_DSA_44.0, &material));
    format!("{name}+{key_id}+{}", to_standard_base64(&blob))
}

/// A checkpoint that the witnesses of these seeds have cosigned, each at the time of its seed.
fn cosigned(seeds: &[u8]) -> SignedNote {
    let line = |seed: &u8| cosignature_line(TEXT, &format!("w{seed}.example"), &key(*seed), u64::from(*seed)).unwrap();
    let lines: String = seeds.iter().map(line).collect();
    let own = note::sign(TEXT, "log.example", &key(99), note::NoteStyle::Ed25519).unwrap();
    SignedNote::parse(&(own + &lines)).unwrap()
}

/// The example of the specification: two of three, and one of three.
fn example() -> String {
    let mut text = format!("log {}\n\n# houses\n", log_vkey("log.example", 99));
    for (house, seeds) in [("X", 1..4), ("Y", 4..7)] {
        for (number, seed) in (1..).zip(seeds) {
            text += &format!("witness {house}{number} {}\thttps://w{seed}.example/\n", vkey(seed));
        }
    }
    text + "group X-witnesses 2 X1 X2 X3\n  group Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

#[test]
fn a_quorum_is_what_the_groups_ask_for_over_every_set_of_witnesses() {
    let policy = WitnessPolicy::parse(example().as_bytes()).unwrap();
    assert_eq!(policy.to_string(), "2 of (2 of (X1, X2, X3), 1 of (Y1, Y2, Y3))");
    assert_eq!(policy.witnesses(), 6);
    for set in 0..1_u8 << 6 {
        let seeds: Vec<u8> = (1..7).filter(|seed| set >> (seed - 1) & 1 == 1).collect();
        let expected = seeds.iter().filter(|seed| **seed < 4).count() >= 2 && seeds.iter().any(|seed| *seed >= 4);
        let found = policy.witnessed(&cosigned(&seeds)).unwrap();
        assert_eq!(found.is_quorum, expected, "{seeds:?}");
        assert_eq!(found.by.iter().map(|one| one.first as u8).collect::<Vec<_>>(), seeds);
    }
    let one = format!("witness w {}\nquorum w\n", vkey(1));
    let one = WitnessPolicy::parse(one.as_bytes()).unwrap();
    assert!(one.witnessed(&cosigned(&[1])).unwrap().is_quorum);
    assert!(!one.witnessed(&cosigned(&[2])).unwrap().is_quorum);
    let none = WitnessPolicy::parse(b"quorum none").unwrap();
    assert!(none.witnessed(&cosigned(&[])).unwrap().is_quorum);
    assert_eq!(none.to_string(), "no witness");
}

#[test]
fn a_bad_line_of_a_known_witness_is_refused_whether_it_is_needed_or_not() {
    let policy = WitnessPolicy::parse(example().as_bytes()).unwrap();
    let stranger = cosignature_line("another text\n", "w6.example", &key(6), 6).unwrap();
    let note = cosigned(&[1, 2, 4]).to_string() + &stranger;
    let refused = policy.witnessed(&SignedNote::parse(&note).unwrap());
    assert!(matches!(refused, Err(CosignatureRefusal::Signature { index: 4, .. })), "{refused:?}");
    // The same below a name that the policy does not know is nobody's business.
    let other = cosignature_line("another text\n", "w7.example", &key(6), 6).unwrap();
    let note = cosigned(&[1, 2, 4]).to_string() + &other;
    assert!(policy.witnessed(&SignedNote::parse(&note).unwrap()).unwrap().is_quorum);
}

#[test]
fn a_policy_is_about_the_logs_it_names_or_about_any() {
    let log = |name, seed| NoteVerifier::ed25519(name, key(seed).public()).unwrap();
    let policy = WitnessPolicy::parse(example().as_bytes()).unwrap();
    assert!(policy.is_about(Some(&log("log.example", 99))));
    assert!(!policy.is_about(Some(&log("log2.example", 99))));
    assert!(!policy.is_about(Some(&log("log.example", 98))));
    assert!(WitnessPolicy::parse(b"quorum none\n").unwrap().is_about(Some(&log("log.example", 1))));
    // A log of a type that is not checked here is named, and is none of ours.
    let other = format!("log {}\nquorum none\n", ml_dsa("log.example"));
    assert!(!WitnessPolicy::parse(other.as_bytes()).unwrap().is_about(Some(&log("log.example", 1))));
}

#[test]
fn a_witness_whose_signatures_are_not_checked_here_never_counts() {
    let text = format!("witness a {}\nwitness b {}\ngroup g any a b\nquorum g\n", ml_dsa("w.example"), vkey(1));
    let policy = WitnessPolicy::parse(text.as_bytes()).unwrap();
    assert!(policy.witnessed(&cosigned(&[1])).unwrap().is_quorum);
    assert!(!policy.witnessed(&cosigned(&[2])).unwrap().is_quorum);
}

#[test]
fn each_fault_of_a_policy_names_its_line() {
    let said = |text: String| WitnessPolicy::parse(text.as_bytes()).unwrap_err().to_string();
    let (a, b) = (format!("witness a {}\n", vkey(1)), format!("witness b {}\n", vkey(2)));
    let renamed = CosignatureVerifier::new("other.example", key(1).public()).unwrap();
    for (text, begins) in [
        (String::new(), "the policy has 0 quorum lines"),
        ("quorum none\nquorum none\n".to_owned(), "the policy has 2 quorum lines"),
        ("quorum\n".to_owned(), "line 1 is none of"),
        ("quorum none # really\n".to_owned(), "line 1 is none of"),
        ("Quorum none\n".to_owned(), "line 1 is none of"),
        ("\nquorum none\r\n".to_owned(), "line 2 has the control character 0x0d"),
        ("quorum none\n# \u{7f}\n".to_owned(), "line 2 has the control character 0x7f"),
        ("quorum a\n".to_owned(), "line 1: no line above defines \"a\""),
        (format!("quorum a\n{a}"), "line 1: no line above defines"),
        (format!("{a}{a}quorum a\n"), "line 2 has a key that an earlier line has"),
        (format!("{a}witness b {renamed}\nquorum a\n"), "line 2 has a key that an earlier line has"),
        (format!("{a}witness a {}\nquorum a\n", vkey(2)), "line 2: \"a\" stands for something else already"),
        (format!("witness none {}\nquorum none\n", vkey(1)), "line 1: \"none\" stands"),
        (format!("{a}{b}group a any b\nquorum a\n"), "line 3: \"a\" stands"),
        (format!("{a}group g any\nquorum g\n"), "line 2 is none of"),
        (format!("{a}group g any a a\nquorum g\n"), "line 2: \"a\" is a member of a group already"),
        (format!("{a}{b}group g any a\ngroup h any a b\nquorum h\n"), "line 4: \"a\" is a member"),
        (format!("{a}group g any g\nquorum g\n"), "line 2: no line above defines \"g\""),
        (format!("{a}group g any none\nquorum g\n"), "line 2: no line above defines \"none\""),
        (format!("{a}group g 0 a\nquorum g\n"), "line 2: 0 of 1 members"),
        (format!("{a}group g 2 a\nquorum g\n"), "line 2: 2 of 1 members"),
        (format!("{a}group g 01 a\nquorum g\n"), "line 2: 01 of 1 members"),
        (format!("{a}group g ANY a\nquorum g\n"), "line 2: ANY of 1 members"),
        (
            format!("witness a {}\nquorum a\n", log_vkey("w", 1)),
            "line 1: a key of type 0x01 does not sign for a witness",
        ),
        (format!("log {}\nquorum none\n", vkey(1)), "line 1: a key of type 0x04 does not sign for a log"),
        (format!("witness a {}x\nquorum a\n", vkey(1)), "line 1: the key of the vkey is not canonical base64"),
        (format!("witness a {}\nquorum a\n", vkey(1).replacen("w1", "w2", 1)), "line 1: the vkey says key id"),
        (format!("log {0}\nlog {0}\nquorum none\n", log_vkey("l", 1)), "line 2 has a key"),
        (format!("log {}\nlog {}\nquorum none\n", log_vkey("l", 1), log_vkey("m", 1)), "line 2 has a key"),
        (format!("log {}\nquorum none\n", ml_dsa("l").replacen('l', "m", 1)), "line 1: the vkey says key id"),
        ("#".repeat(QUORUM_LEN_MAX + 1), "the policy is 1048577 bytes"),
    ] {
        let found = said(text.clone());
        assert!(found.starts_with(begins), "{text}: {found}");
    }
    let many: String = (0..=NAMES_MAX).map(|n| format!("log {}\n", log_vkey(&format!("l{n}"), 1))).collect();
    assert!(said(many).starts_with("line 2 has a key"));
    // As many of each kind as are read, and one more: keys of ML-DSA-44 are many at no cost, and a group may be a member.
    let of = |n: usize| {
        let material: Vec<u8> = (0..ML_DSA_44.1).map(|at| (n >> (8 * (at % 2))) as u8).collect();
        let name = format!("m{n}");
        let blob = [&[ML_DSA_44.0][..], &material].concat();
        format!("{name}+{}+{}", hex::encode(note::key_id(&name, ML_DSA_44.0, &material)), to_standard_base64(&blob))
    };
    let lines =
        |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>() + "quorum none\n";
    let groups = |n: usize| match n {
        0 => format!("{a}group g0 any a\n"),
        n => format!("group g{n} any g{}\n", n - 1),
    };
    for (before, line) in [
        (0, &(|n| format!("log {}\n", of(n))) as &dyn Fn(usize) -> String),
        (0, &|n| format!("witness {n} {}\n", of(n))),
        (1, &groups),
    ] {
        assert!(WitnessPolicy::parse(lines(NAMES_MAX, line).as_bytes()).is_ok());
        let wanted = format!("line {} is one more than the 256", NAMES_MAX + 1 + before);
        assert!(said(lines(NAMES_MAX + 1, line)).starts_with(&wanted), "{}", said(lines(NAMES_MAX + 1, line)));
    }
    // A name is bytes, and a key may stand for a log and a witness.
    let bytes = [b"witness \xff ".as_slice(), vkey(1).as_bytes(), b"\nquorum \xff\n"].concat();
    assert!(WitnessPolicy::parse(&bytes).is_ok());
}
