//! Several proven times, several entries, digests that belong together, and witnesses, as a policy asks for them.

use airtight::policy::times::{Clock, ProvenTime};
use airtight_keys::cosignature::CosignatureVerifier;

use super::*;

/// The attestation of a recipe with these times in place of its own.
fn timed<'a>(verified: &'a Verified, times: &[ProvenTime<'a>]) -> Attestation<'a> {
    Attestation { times: times.to_vec(), ..verified.attestation("a bundle") }
}

#[test]
fn of_several_proven_times_each_must_be_as_asked() {
    let day = 86_400;
    let log = |time| ProvenTime { by: Clock::Log(Log::v1().id()), earliest: time, latest: time };
    let stamp =
        |time, accuracy| ProvenTime { by: Clock::Authority("tsa"), earliest: time - accuracy, latest: time + accuracy };
    let verified = verified(&test());
    for (asked, times, now, expected) in [
        ("not_before: 2026-01-02T00:00:35Z", &[log(TIME), stamp(TIME + 9, 1)][..], NOW, None),
        ("not_before: 2026-01-02T00:00:35Z", &[log(TIME + 9), stamp(TIME, 1)], NOW, Some("required_not_before")),
        ("not_before: 2026-01-02T00:00:35Z", &[stamp(TIME + 9, 1), log(TIME - 1)], NOW, Some("required_not_before")),
        ("not_before: 2026-01-02T00:00:35Z", &[stamp(TIME + 1, 1)], NOW, None),
        ("not_after: 2026-01-02T00:00:35Z", &[log(TIME), stamp(TIME - 1, 1)], NOW, None),
        ("not_after: 2026-01-02T00:00:35Z", &[log(TIME), stamp(TIME, 1)], NOW, Some("required_not_after")),
        ("not_after: 2026-01-02T00:00:35Z", &[log(TIME + 1), stamp(TIME - 9, 1)], NOW, Some("required_not_after")),
        ("max_age_days: 1", &[log(TIME), stamp(TIME + day, 0)], TIME + day, None),
        ("max_age_days: 1", &[log(TIME), stamp(TIME + day, 0)], TIME + day + 1, Some("required_max_age")),
        ("max_age_days: 1", &[], NOW, Some("required_time_unproven")),
    ] {
        let policy = policy(&format!("{ONE}    {asked}\n"));
        let findings = policy.judge(&[timed(&verified, times)], now);
        let expected: Vec<_> = expected.map(|code| ("test", Standing::Weaker, code)).into_iter().collect();
        assert_eq!(short(&findings), expected, "{asked}: {times:?}");
        assert_eq!(findings[0].by[0].times.len(), times.len());
    }
    let policy = policy(&format!("{ONE}    not_after: 2026-01-02T00:00:35Z\n"));
    let times = [log(TIME - 9), stamp(TIME, 1)];
    let findings = policy.judge(&[timed(&verified, &times)], NOW);
    let said = ["2026-01-02T00:00:26Z by the word of site", "2026-01-02T00:00:34Z by a time stamp of \"tsa\""];
    assert_eq!(findings[0].by[0].times, said);
    let shortfall = findings[0].shortfall.as_ref().unwrap().to_string();
    assert!(shortfall.contains("is of 2026-01-02T00:00:36Z by a time stamp of \"tsa\", after"), "{shortfall}");
    // Where no time is asked for, none is told.
    assert!(judge(&super::policy(ONE), &[test()])[0].by[0].times.is_empty());
}

#[test]
fn a_key_that_counts_for_a_time_counts_for_every_proven_one() {
    let text = text(ONE);
    let at = text.find("  lab-2:").unwrap();
    let valid = "{ from: 2026-01-02T00:00:30Z, until: 2026-01-02T00:00:40Z }";
    let policy = read(&format!("{}    valid: {valid}\n{}", &text[..at], &text[at..])).unwrap();
    let verified = verified(&test());
    let stamp = |earliest, latest| ProvenTime { by: Clock::Authority("tsa"), earliest, latest };
    for (times, holds) in [
        (&[stamp(TIME - 5, TIME + 5)][..], true),
        (&[stamp(TIME - 6, TIME)], false),
        (&[stamp(TIME, TIME + 6)], false),
        (&[stamp(TIME, TIME), stamp(TIME, TIME + 6)], false),
        (&[], false),
    ] {
        let findings = policy.judge(&[timed(&verified, times)], NOW);
        let refused = ("test", Standing::Refused, "required_key_validity");
        assert_eq!(short(&findings), if holds { vec![] } else { vec![refused] }, "{times:?}");
    }
}

#[test]
fn every_entry_in_the_log_of_a_keys_validity_must_lie_in_it() {
    let text = text(ONE);
    let at = text.find("  lab-2:").unwrap();
    let policy = read(&format!("{}    valid: {{ log: site, last: 5 }}\n{}", &text[..at], &text[at..])).unwrap();
    let verified = verified(&test());
    let (site, public) = (Log::v1().id(), Log::v2().id());
    let entry = |log_id, index: u64| EntryIn { log_id, leaf_index: Some(index) };
    let promised = EntryIn { log_id: site, leaf_index: None };
    for (entries, holds) in [
        (vec![entry(site, 5)], true),
        (vec![entry(public, 9), entry(site, 5)], true),
        (vec![entry(site, 5), entry(site, 6)], false),
        (vec![entry(public, 5)], false),
        (vec![promised], false),
    ] {
        let attestation = Attestation { entries: entries.clone(), ..verified.attestation("a bundle") };
        assert_eq!(short(&policy.judge(&[attestation], NOW)).is_empty(), holds, "{entries:?}");
    }
}

/// A build and a package of one artifact, linked by their digests as asked.
fn linked(digests: &str, build: &str, package: &str) -> Vec<Finding> {
    let both = "require:\n  - { name: build, by: [lab], type: [\"a:build\"] }\n  - { name: package, by: [lab], type: [\"a:package\"] }\n";
    let link = format!(
        "links: [{{ one: build, at: /predicate/products, other: package, other_at: /predicate/materials, digests: {digests} }}]\n"
    );
    let said = |predicate_type: &str, member: &str, list: &str| {
        let statement = statement("any", predicate_type, &format!("{{\"{member}\":{list}}}"));
        Recipe { signer: lab(), ..Recipe::envelope(&statement) }
    };
    let recipes = [said("a:build", "products", build), said("a:package", "materials", package)];
    judge(&policy(&format!("{both}{link}")), &recipes)
}

#[test]
fn products_of_one_are_materials_of_another_by_their_digests() {
    const A: &str = r#"{"name":"a","digest":{"sha256":"aa"}}"#;
    const A_TOO: &str = r#"{"uri":"b","digest":{"sha256":"aa","sha1":"11"}}"#;
    const B: &str = r#"{"digest":{"sha512":"bb"}}"#;
    let list = |items: &[&str]| format!("[{}]", items.join(","));
    let (commit, weak) = (r#"{"digest":{"gitCommit":"c0"}}"#, r#"{"digest":{"sha1":"11"}}"#);
    for (build, package, equal, within) in [
        (list(&[A, B]), list(&[B, A_TOO]), true, true),
        (list(&[A]), list(&[A, B]), false, true),
        (list(&[A, B]), list(&[A]), false, false),
        (list(&[A, A]), list(&[A]), true, true),
        (list(&[commit]), list(&[commit]), true, true),
        // SHA-1 does not show what a thing is; nor does a name.
        (list(&[weak]), list(&[weak]), false, false),
        (list(&[weak]), list(&[A_TOO]), false, false),
        // One algorithm agrees, another does not.
        (list(&[A_TOO]), list(&[r#"{"digest":{"sha256":"aa","sha1":"12"}}"#]), false, false),
        (list(&[A]), list(&[B]), false, false),
        (list(&[]), list(&[]), false, false),
        (list(&[]), list(&[A]), false, false),
        (list(&[A]), list(&[A, r#"{"uri":"without a digest"}"#]), false, false),
        (list(&[A]), list(&[A, r#"{"digest":{}}"#]), false, false),
        (list(&[A]), "7".to_owned(), false, false),
        // One thing, its digest alone, and the paths of an older in-toto link.
        (A.to_owned(), list(&[A]), true, true),
        (r#"{"sha256":"aa"}"#.to_owned(), A.to_owned(), true, true),
        (list(&[A, B]), r#"{"src/a":{"sha256":"aa"},"b":{"sha512":"bb"}}"#.to_owned(), true, true),
        (list(&[A]), r#"{"src/a":{"sha256":"aa"},"b":"bb"}"#.to_owned(), false, false),
    ] {
        for (digests, name, holds) in [("equal", "build = package", equal), ("within", "build in package", within)] {
            let findings = linked(digests, &build, &package);
            let refused = (name, Standing::Refused, "required_link");
            assert_eq!(short(&findings), if holds { vec![] } else { vec![refused] }, "{build} {digests} {package}");
            assert_eq!(findings[2].by.len(), if holds { 2 } else { 0 });
        }
    }
    let said = linked("equal", &list(&[A, B]), &list(&[A]))[2].shortfall.as_ref().unwrap().to_string();
    let words = "/predicate/products of build and /predicate/materials of package: {\"sha512\":\"bb\"} of the former is not in the latter";
    assert_eq!(said, words);
}

#[test]
fn a_policy_of_witnesses_is_read_from_its_file_and_asks_for_their_quorum() {
    let key = forge::key(Algorithm::Ed25519, "policy, witness");
    let vkey = CosignatureVerifier::new("w.example", key.public()).unwrap();
    let file = format!("witness w {vkey}\nquorum w\n");
    let text = text(&format!("witnesses: w.policy\n{ONE}"));
    let parse = |file: &str| {
        Policy::parse(&text, &mut |path| if path == "w.policy" { Ok(file.to_owned()) } else { Err(path.to_owned()) })
    };
    let policy = parse(&file).unwrap();
    let verified = verified(&test());
    for (is_witnessed, expected) in [(true, vec![]), (false, vec![("test", Standing::Weaker, "required_witnesses")])] {
        let attestation = Attestation { is_witnessed, ..verified.attestation("a bundle") };
        assert_eq!(short(&policy.judge(&[attestation], NOW)), expected);
    }
    assert!(policy.explain().iter().any(|line| line.contains("that witnesses have cosigned, w;")));
    let malformed = parse("quorum w\n").unwrap_err();
    assert_eq!(malformed.code(), "policy_witnesses_malformed");
    assert!(malformed.to_string().starts_with("witnesses: w.policy: line 1: "), "{malformed}");
    assert_eq!(read(&text).unwrap_err().code(), "policy_key_unreadable");
}
