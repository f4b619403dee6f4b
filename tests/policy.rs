//! Policies: what is asked of all attestations of an artifact together; each taken away, swapped, or signed by another is refused by name.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod forge;
#[path = "policy/proven.rs"]
mod proven;

use airtight::policy::{Attestation, EntryIn, Finding, Policy, PolicyError, Shortfall, Signatory, Standing};
use airtight::trust::TrustedRoot;
use airtight::verify::{self, Input, Verified, verify};
use airtight_keys::public::{Algorithm, KeyId};
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::sha256;
use forge::{ARTIFACT, Log, NOW, Recipe, START, TIME};
use serde_json::Value;

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const SBOM: &str = "https://cyclonedx.org/bom";
const TEST: &str = "https://in-toto.io/attestation/test-result/v0.1";

const REQUIRE: &str = r#"
require:
  - name: provenance
    by: [builder]
    type: ["https://slsa.dev/provenance/v1"]
    subject: ["firmware-*.bin"]
    fields:
      - { at: /predicate/builder, equals: "https://forge.example" }
      - { at: /predicate/ref, matches: "refs/tags/v*" }
  - name: sbom
    by: [librarian]
    type: ["https://cyclonedx.org/bom"]
    fields: [{ at: /predicate/format, one_of: ["1.5", "1.6"] }]
  - name: test
    by: [lab, lab-2]
    type: ["https://in-toto.io/attestation/test-result/v0.1"]
    fields: [{ at: /predicate/result, equals: PASSED }]
links:
  - { one: provenance, at: /predicate/source, other: test, other_at: /predicate/tested }
"#;

fn builder() -> SoftKey {
    forge::key(Algorithm::P256, "policy, builder")
}

fn librarian() -> SoftKey {
    forge::key(Algorithm::Ed25519, "policy, librarian")
}

fn lab() -> SoftKey {
    forge::key(Algorithm::P256, "policy, lab")
}

fn lab_2() -> SoftKey {
    forge::key(Algorithm::P256, "policy, lab 2")
}

fn keys() -> [SoftKey; 5] {
    [builder(), librarian(), lab(), lab_2(), forge::stranger()]
}

/// The keys and logs of the test, with more below them.
fn text(more: &str) -> String {
    let key = |name: &str, key: &SoftKey| {
        let lines: Vec<String> = key.public().spki_pem().lines().map(|line| format!("      {line}\n")).collect();
        format!("  {name}:\n    pem: |\n{}", lines.concat())
    };
    format!(
        "policy: 1\ntitle: firmware\nkeys:\n{}{}{}{}logs:\n  site: {{ id: {} }}\n  public: {{ id: {}, public: true }}\n{more}",
        key("builder", &builder()),
        key("librarian", &librarian()),
        key("lab", &lab()),
        key("lab-2", &lab_2()),
        Log::v1().id(),
        Log::v2().id(),
    )
}

fn read(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text, &mut |path| Err(format!("{path}: no file here")))
}

fn policy(more: &str) -> Policy {
    read(&text(more)).unwrap()
}

fn statement(name: &str, predicate_type: &str, predicate: &str) -> String {
    let digest = sha256(ARTIFACT).hex();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{name}","digest":{{"sha256":"{digest}"}}}}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#
    )
}

fn provenance() -> Recipe {
    let predicate = r#"{"builder":"https://forge.example","ref":"refs/tags/v1.0","source":{"gitCommit":"ab"}}"#;
    Recipe { signer: builder(), ..Recipe::envelope(&statement("firmware-1.0.bin", PROVENANCE, predicate)) }
}

fn sbom() -> Recipe {
    Recipe { signer: librarian(), ..Recipe::envelope(&statement("any", SBOM, r#"{"format":"1.6"}"#)) }
}

fn test() -> Recipe {
    let predicate = r#"{"result":"PASSED","tested":{"gitCommit":"ab"}}"#;
    Recipe { signer: lab(), ..Recipe::envelope(&statement("any", TEST, predicate)) }
}

fn saying(recipe: Recipe, from: &str, to: &str) -> Recipe {
    let forge::Signed::Payload(payload) = &recipe.signed else { panic!("no envelope") };
    assert!(payload.contains(from));
    Recipe { signed: forge::Signed::Payload(payload.replace(from, to)), ..recipe }
}

fn verified(recipe: &Recipe) -> Verified {
    let scene = recipe.make();
    let keys: Vec<VerifierKey> = keys().iter().map(|key| key.public().clone().into()).collect();
    let trusted_root = TrustedRoot::parse(scene.root.render().as_bytes()).unwrap();
    let subject = verify::Subject::Digest(sha256(ARTIFACT));
    let (bundle, policy) = (scene.bundle_text(), verify::Policy::default());
    let input = Input { bundle: &bundle, subject, keys: &keys, trusted_root: &trusted_root, policy: &policy, now: NOW };
    verify(&input).into_verdict().unwrap()
}

fn judge_at(policy: &Policy, recipes: &[Recipe], now: u64) -> Vec<Finding> {
    let all: Vec<Verified> = recipes.iter().map(verified).collect();
    let attestations: Vec<_> = all.iter().map(|verified| verified.attestation("a bundle")).collect();
    policy.judge(&attestations, now)
}

fn judge(policy: &Policy, recipes: &[Recipe]) -> Vec<Finding> {
    judge_at(policy, recipes, NOW)
}

/// The findings that are not met: name, standing, code.
fn short(findings: &[Finding]) -> Vec<(&str, Standing, &'static str)> {
    let short = findings.iter().filter(|finding| finding.standing != Standing::Met);
    short.map(|one| (one.name.as_str(), one.standing, one.shortfall.as_ref().unwrap().code())).collect()
}

#[test]
fn a_set_is_met_when_each_is_there_in_any_order_beside_others() {
    let policy = policy(REQUIRE);
    let findings = judge(&policy, &[provenance(), sbom(), test()]);
    assert_eq!(short(&findings), []);
    let by: Vec<&str> = findings.iter().flat_map(|finding| &finding.by).map(|one| one.signer.as_str()).collect();
    assert_eq!(by, ["builder", "librarian", "lab", "builder", "lab"]);
    let other = Recipe { signer: forge::stranger(), ..provenance() };
    let again = [test(), other, Recipe { signer: lab_2(), ..test() }, sbom(), provenance(), Recipe::file()];
    assert_eq!(short(&judge(&policy, &again[..5])), []);
}

#[test]
fn each_that_is_taken_away_is_refused_by_name() {
    use Standing::Refused;
    let policy = policy(REQUIRE);
    let link = ("provenance = test", Refused, "required_link");
    for (recipes, expected) in [
        (vec![sbom(), test()], vec![("provenance", Refused, "required_missing"), link]),
        (vec![provenance(), test()], vec![("sbom", Refused, "required_missing")]),
        (vec![provenance(), sbom()], vec![("test", Refused, "required_missing"), link]),
        (
            vec![],
            vec![
                ("provenance", Refused, "required_missing"),
                ("sbom", Refused, "required_missing"),
                ("test", Refused, "required_missing"),
                link,
            ],
        ),
    ] {
        assert_eq!(short(&judge(&policy, &recipes)), expected);
    }
}

#[test]
fn each_that_another_signed_or_that_says_something_else_is_refused_by_name() {
    let policy = policy(REQUIRE);
    let by = |signer, recipe| Recipe { signer, ..recipe };
    for (recipes, name, code) in [
        (vec![by(librarian(), provenance()), sbom(), test()], "provenance", "required_signer"),
        (vec![provenance(), by(builder(), sbom()), test()], "sbom", "required_signer"),
        (vec![provenance(), sbom(), by(forge::stranger(), test())], "test", "required_signer"),
        (
            vec![saying(provenance(), "firmware-1.0.bin", "pump-1.0.bin"), sbom(), test()],
            "provenance",
            "required_subject",
        ),
        (vec![saying(provenance(), "forge.example", "forge.evil"), sbom(), test()], "provenance", "required_field"),
        (
            vec![saying(provenance(), "refs/tags/v1.0", "refs/heads/v1.0"), sbom(), test()],
            "provenance",
            "required_field",
        ),
        (vec![provenance(), saying(sbom(), "\"1.6\"", "1.6"), test()], "sbom", "required_field"),
        (vec![provenance(), saying(sbom(), "format", "Format"), test()], "sbom", "required_field"),
        (vec![provenance(), sbom(), saying(test(), "PASSED", "FAILED")], "test", "required_field"),
        // The type of one, the content of another.
        (vec![provenance(), saying(provenance(), PROVENANCE, SBOM), test()], "sbom", "required_signer"),
    ] {
        let findings = judge(&policy, &recipes);
        assert_eq!(short(&findings)[0], (name, Standing::Refused, code));
    }
    let swapped = [provenance(), sbom(), saying(test(), "\"gitCommit\":\"ab\"", "\"gitCommit\":\"cd\"")];
    assert_eq!(short(&judge(&policy, &swapped)), [("provenance = test", Standing::Refused, "required_link")]);
}

#[test]
fn nothing_is_no_value() {
    // A policy that asks for nothing would be met by nothing.
    let error = read("policy: 1\nrequire: []\n").unwrap_err();
    assert!(matches!(&error, PolicyError::Value { path, .. } if path == "require"), "{error}");
    // Nor is what was left empty asked of nobody, or what stands there twice once.
    let keys = format!("policy: 1\nkeys: {{ k: {{ id: {} }} }}\n", "ab".repeat(32));
    let one = "require:\n  - name: r\n    by: [k]\n    type: [\"a:b\"]\n";
    assert!(read(&format!("{keys}{one}    fields: [{{ at: /x, equals: }}, {{ at: /y, one_of: [null] }}]\n")).is_ok());
    for (more, at) in [
        ("    not_before:\n", "require[0].not_before"),
        ("    fields:\n", "require[0].fields"),
        ("    signers: ~\n", "require[0].signers"),
        ("    fields: [{ at: /x, matches: }]\n", "require[0].fields[0].matches"),
        ("witnesses:\n", "witnesses"),
        ("crls:\n", "crls"),
        ("title:\n", "title"),
    ] {
        let error = read(&format!("{keys}{one}{more}")).unwrap_err();
        assert!(matches!(&error, PolicyError::Value { path, .. } if path == at), "{more}: {error}");
    }
    // A key may have the name of a member that takes null.
    for name in ["k", "equals", "one_of"] {
        let empty = keys.replacen(" }", ", valid: }", 1).replacen("{ k:", &format!("{{ {name}:"), 1);
        let error = read(&format!("{empty}{}", one.replace("[k]", &format!("[{name}]")))).unwrap_err();
        let at = format!("keys.{name}.valid");
        assert!(matches!(&error, PolicyError::Value { path, .. } if *path == at), "{error}");
    }
    // One id is written in one way.
    let error = read(&format!("{}{one}", keys.replace("ab", "aB"))).unwrap_err();
    assert!(matches!(&error, PolicyError::Value { path, .. } if path == "keys.k.id"), "{error}");
    let twice = read(&format!("{keys}{one}    fields: [{{ at: /x, equals: {{ a: 1, a: 2 }} }}]\n")).unwrap_err();
    assert_eq!(twice.code(), "policy_malformed");
    let asked = |at: &str| policy(&format!("{ONE}    fields: [{{ at: {at} }}]\n"));
    let null = || saying(test(), "\"PASSED\"", "null");
    assert_eq!(short(&judge(&asked("/predicate/result"), &[test()])), []);
    let refused = [("test", Standing::Refused, "required_field")];
    assert_eq!(short(&judge(&asked("/predicate/result"), &[null()])), refused);
    assert_eq!(short(&judge(&asked("/predicate/none"), &[test()])), refused);
    // What neither says is nothing that both say.
    let unsaid = policy(
        &REQUIRE.replace("/predicate/source", "/predicate/none").replace("/predicate/tested", "/predicate/none"),
    );
    let refused = [("provenance = test", Standing::Refused, "required_link")];
    assert_eq!(short(&judge(&unsaid, &[provenance(), sbom(), test()])), refused);
}

#[test]
fn what_is_weaker_than_asked_links_no_more_than_it_meets() {
    let timed =
        REQUIRE.replace("    by: [lab, lab-2]\n", "    by: [lab, lab-2]\n    not_before: 2026-01-02T00:00:36Z\n");
    let policy = policy(&timed);
    let later = |recipe| Recipe { time: TIME + 1, index: 3, ..recipe };
    let other = || saying(test(), "\"gitCommit\":\"ab\"", "\"gitCommit\":\"cd\"");
    assert_eq!(short(&judge(&policy, &[provenance(), sbom(), later(test())])), []);
    // The fresh one is of other sources, and the one of these sources is not fresh.
    let link = ("provenance = test", Standing::Weaker, "required_not_before");
    assert_eq!(short(&judge(&policy, &[provenance(), sbom(), test(), later(other())])), [link]);
    // One that is whole beside it is enough, in whatever order.
    for [first, second] in [[test(), later(test())], [later(test()), test()]] {
        assert_eq!(short(&judge(&policy, &[provenance(), first, sbom(), second])), []);
    }
    let refused = [("provenance = test", Standing::Refused, "required_link")];
    assert_eq!(short(&judge(&policy, &[provenance(), sbom(), later(other())])), refused);
}

#[test]
fn signers_are_counted_by_their_keys() {
    let two = REQUIRE.replace("by: [lab, lab-2]", "by: [lab, lab-2]\n    signers: 2");
    let policy = policy(&two);
    let other = || Recipe { signer: lab_2(), ..test() };
    assert_eq!(short(&judge(&policy, &[provenance(), sbom(), test(), other()])), []);
    let refused = [("test", Standing::Refused, "required_threshold")];
    assert_eq!(short(&judge(&policy, &[provenance(), sbom(), test(), test()])), refused);
    let later = Recipe { time: TIME + 1, index: 3, ..test() };
    assert_eq!(short(&judge(&policy, &[provenance(), sbom(), test(), later])), refused);
    let failed = saying(other(), "PASSED", "FAILED");
    assert_eq!(short(&judge(&policy, &[provenance(), sbom(), test(), failed])), refused);
    // One key under two names is one signer, and cannot be asked for as two.
    let id = lab().public().key_id().to_string();
    let twice = text(&two).replace("  librarian:", &format!("  lab-again: {{ id: {id} }}\n  librarian:"));
    let error = read(&twice.replace("[lab, lab-2]", "[lab, lab-again]")).unwrap_err();
    assert!(matches!(&error, PolicyError::Value { path, .. } if path == "require[2].signers"), "{error}");
}

#[test]
fn distinct_signers_are_distinct_holders_under_distinct_names() {
    let text = |by: &str, signers: usize| {
        let matching = "subject_matches: \".*@acme\", issuer: i";
        format!(
            "policy: 1\nkeys: {{ k: {{ id: {} }} }}\nidentities:\n  ann: {{ subject: ann@acme, issuer: i }}\n  staff: {{ {matching} }}\n  again: {{ {matching} }}\nrequire: [{{ name: r, by: [{by}], signers: {signers}, type: [\"a:b\"] }}]\n",
            "ab".repeat(32),
        )
    };
    let by = |subject| Signatory::Identity { subject, issuer: Some("i"), claims: &[] };
    let key = Signatory::Key(KeyId::from_bytes([0xab; 32]));
    let (ann, bob) = (by("ann@acme"), by("bob@acme"));
    for (names, signers, signed, expected) in [
        ("ann, staff", 2, &[ann, bob][..], None),
        ("ann, staff", 2, &[bob, ann], None),
        // She leaves the wider name to him, who has no other.
        ("staff, ann", 2, &[ann, bob], None),
        // Two names of one rule are one, whoever fits them.
        ("staff, again, ann", 2, &[bob, by("cid@acme")], Some("required_threshold")),
        // She fits both names and is one person; an expression counts once, whoever fits it.
        ("ann, staff", 2, &[ann, ann], Some("required_threshold")),
        ("ann, staff", 2, &[bob, by("cid@acme")], Some("required_threshold")),
        // A key is one signer more, and no identity.
        ("ann, staff, k", 3, &[key, ann, bob], None),
        ("staff, k", 2, &[key, key], Some("required_threshold")),
        ("ann, k", 2, &[bob, key], Some("required_threshold")),
        ("ann", 1, &[Signatory::Identity { subject: "ann@acme", issuer: None, claims: &[] }], Some("required_signer")),
    ] {
        let attestation = |signatory: &Signatory<'static>| Attestation {
            label: "a bundle",
            signatory: *signatory,
            predicate_type: Some("a:b"),
            subject_names: Vec::new(),
            statement: None,
            entries: vec![EntryIn { log_id: KeyId::from_bytes([0; 32]), leaf_index: Some(0) }],
            times: Vec::new(),
            is_witnessed: false,
            anchored_in: None,
        };
        let attestations: Vec<Attestation<'_>> = signed.iter().map(attestation).collect();
        let findings = read(&text(names, signers)).unwrap().judge(&attestations, NOW);
        let expected: Vec<_> = expected.map(|code| ("r", Standing::Refused, code)).into_iter().collect();
        assert_eq!(short(&findings), expected, "{names}: {signed:?}");
    }
    // One subject by the word of two issuers is two holders.
    let two = "policy: 1\nidentities:\n  a: { subject: ann@acme, issuer: i }\n  b: { subject: ann@acme, issuer: j }\nrequire: [{ name: r, by: [a, b], signers: 2, type: [\"a:b\"] }]\n";
    let of = |issuer| Attestation {
        label: "a bundle",
        signatory: Signatory::Identity { subject: "ann@acme", issuer: Some(issuer), claims: &[] },
        predicate_type: Some("a:b"),
        subject_names: Vec::new(),
        statement: None,
        entries: vec![EntryIn { log_id: KeyId::from_bytes([0; 32]), leaf_index: Some(0) }],
        times: Vec::new(),
        is_witnessed: false,
        anchored_in: None,
    };
    assert_eq!(short(&read(two).unwrap().judge(&[of("i"), of("j")], NOW)), []);
    // Two names of one rule are one signer, and cannot be asked for as two.
    let error = read(&text("staff, again", 2)).unwrap_err();
    assert!(error.to_string().starts_with("require[0].signers: "), "{error}");
}

const ONE: &str =
    "require:\n  - name: test\n    by: [lab]\n    type: [\"https://in-toto.io/attestation/test-result/v0.1\"]\n";

#[test]
fn what_holds_and_lies_elsewhere_or_is_not_fresh_is_weaker_and_never_refused() {
    let (day, in_v2) = (86_400, || test().in_v2());
    for (asked, recipe, now, expected) in [
        ("logged_in: [site]", test(), NOW, None),
        ("logged_in: [public, site]", test(), NOW, None),
        ("logged_in: [public]", test(), NOW, Some("required_log")),
        ("publicly_logged: true", in_v2(), NOW, None),
        ("publicly_logged: true", test(), NOW, Some("required_public_log")),
        ("not_before: 2026-01-02T00:00:35Z", test(), NOW, None),
        ("not_before: 2026-01-02T00:00:36Z", test(), NOW, Some("required_not_before")),
        // What is held to it has whole seconds, and the one before the fraction is before it.
        ("not_before: 2026-01-02T00:00:34.5Z", test(), NOW, None),
        ("not_before: 2026-01-02T00:00:35.5Z", test(), NOW, Some("required_not_before")),
        ("not_after: 2026-01-02T00:00:35.5Z", test(), NOW, None),
        ("not_after: 2026-01-02T00:00:35Z", test(), NOW, None),
        ("not_after: 2026-01-02T00:00:34Z", test(), NOW, Some("required_not_after")),
        ("max_age_days: 2", test(), TIME + 2 * day, None),
        ("max_age_days: 2", test(), TIME + 2 * day + 1, Some("required_max_age")),
        ("max_age_days: 2", in_v2(), TIME, Some("required_time_unproven")),
    ] {
        let policy = policy(&format!("{ONE}    {asked}\n"));
        let findings = judge_at(&policy, std::slice::from_ref(&recipe), now);
        let expected: Vec<_> = expected.map(|code| ("test", Standing::Weaker, code)).into_iter().collect();
        assert_eq!(short(&findings), expected, "{asked}");
        // One that is whole beside it is enough, and another's does not help.
        let other = Recipe { signer: forge::stranger(), ..test() };
        assert_eq!(short(&judge_at(&policy, &[recipe, other], now)), expected, "{asked}");
    }
    assert_eq!(START + 86_435, TIME);
}

#[test]
fn a_key_counts_where_and_when_the_policy_says() {
    let valid = |valid: &str| {
        let text = text(ONE);
        let at = text.find("  lab-2:").unwrap();
        format!("{}    valid: {valid}\n{}", &text[..at], &text[at..])
    };
    for (counts, holds) in [
        ("{ log: site, first: 5, last: 5 }", true),
        ("{ log: site }", true),
        ("{ log: site, first: 6 }", false),
        ("{ log: site, last: 4 }", false),
        ("{ log: public }", false),
        ("{ from: 2026-01-02T00:00:35Z, until: 2026-01-02T00:00:35Z }", true),
        ("{ from: 2026-01-02T00:00:36Z }", false),
        ("{ until: 2026-01-02T00:00:34Z }", false),
    ] {
        let findings = judge(&read(&valid(counts)).unwrap(), &[test()]);
        let refused = ("test", Standing::Refused, "required_key_validity");
        assert_eq!(short(&findings), if holds { vec![] } else { vec![refused] }, "{counts}");
    }
    let no_time = judge(&read(&valid("{ from: 2026-01-01T00:00:00Z }")).unwrap(), &[test().in_v2()]);
    assert_eq!(short(&no_time), [("test", Standing::Refused, "required_key_validity")]);
    for (counts, path) in [
        ("{}", "keys.lab.valid"),
        ("{ log: site, from: 2026-01-01T00:00:00Z }", "keys.lab.valid"),
        ("{ log: nowhere }", "keys.lab.valid.log"),
        ("{ log: site, first: 2, last: 1 }", "keys.lab.valid.last"),
        ("{ from: yesterday }", "keys.lab.valid.from"),
        ("{ from: 2026-01-02T00:00:00Z, until: 2026-01-01T00:00:00Z }", "keys.lab.valid.until"),
    ] {
        assert!(read(&valid(counts)).unwrap_err().to_string().starts_with(&format!("{path}: ")), "{counts}");
    }
}

/// A change of the whole policy that makes it none, the code, what the sentence begins with, and whether the schema sees it too.
const FAULTS: &[(&str, &str, &str, &str, bool)] = &[
    ("policy: 1", "policy: 2", "policy_value_refused", "policy: 2 ", true),
    ("policy: 1", "policy: one", "policy_malformed", "policy: ", true),
    ("title: firmware", "tittle: firmware", "policy_malformed", "unknown field `tittle`", true),
    ("title: firmware", "title: firmware\ntitle: again", "policy_malformed", "duplicate", false),
    ("name: sbom", "name: sbom\n    weight: 1", "policy_malformed", "require[1]: unknown field `weight`", true),
    ("name: sbom", "name: provenance", "policy_name_twice", "require[1].name: ", false),
    ("name: sbom", "name: the sbom", "policy_value_refused", "require[1].name: ", true),
    ("by: [librarian]", "by: librarian", "policy_malformed", "require[1].by: ", true),
    ("by: [librarian]", "by: []", "policy_value_refused", "require[1].by: ", true),
    ("by: [librarian]", "by: [nobody]", "policy_name_unknown", "require[1].by[0]: ", false),
    ("by: [librarian]", "by: [lab, lab]", "policy_name_twice", "require[1].by[1]: ", true),
    ("by: [librarian]", "by: [librarian]\n    signers: 2", "policy_value_refused", "require[1].signers: ", false),
    ("by: [librarian]", "by: [librarian]\n    signers: 0", "policy_value_refused", "require[1].signers: ", true),
    ("type: [\"https://cyclonedx.org/bom\"]", "type: [cyclonedx]", "policy_value_refused", "require[1].type: ", true),
    ("type: [\"https://cyclonedx.org/bom\"]", "type: []", "policy_value_refused", "require[1].type: ", true),
    ("at: /predicate/format", "at: predicate.format", "policy_value_refused", "require[1].fields[0].at: ", true),
    ("at: /predicate/format", "at: /a~2", "policy_value_refused", "require[1].fields[0].at: ", true),
    ("one_of: [\"1.5\", \"1.6\"]", "one_of: []", "policy_value_refused", "require[1].fields[0].one_of: ", true),
    ("equals: PASSED", "equals: PASSED, matches: \"P*\"", "policy_value_refused", "require[2].fields[0]: ", true),
    ("name: test", "name: test\n    logged_in: [nowhere]", "policy_name_unknown", "require[2].logged_in[0]: ", false),
    (
        "name: test",
        "name: test\n    publicly_logged: \"yes\"",
        "policy_malformed",
        "require[2].publicly_logged: ",
        true,
    ),
    ("name: test", "name: test\n    not_before: soon", "policy_value_refused", "require[2].not_before: ", true),
    ("name: test", "name: test\n    max_age_days: 0", "policy_value_refused", "require[2].max_age_days: ", true),
    (", public: true", "", "", "", true),
    ("other: test", "other: tests", "policy_name_unknown", "links[0].other: ", false),
    (
        "lab-2:\n    pem:",
        "lab-2:\n    id: ab\n    pem:",
        "policy_value_refused",
        "keys.lab-2: 2 of file, pem and id",
        true,
    ),
    (
        "lab-2:\n    pem:",
        "lab-2:\n    file: gone.pub\n    xpem:",
        "policy_malformed",
        "keys.lab-2: unknown field `xpem`",
        true,
    ),
    ("-----BEGIN PUBLIC", "-----BEGIN PRIVATE", "policy_key_malformed", "keys.builder.pem: ", false),
    (
        "logs:\n",
        "identities:\n  lab: { subject: a, issuer: b }\nlogs:\n",
        "policy_name_twice",
        "identities.lab: ",
        false,
    ),
    (
        "logs:\n",
        "identities:\n  ci: { subject: a }\nlogs:\n",
        "policy_value_refused",
        "identities.ci: 0 of issuer and issuer_matches is not",
        true,
    ),
    (
        "logs:\n",
        "identities:\n  ci: { subject: a, subject_matches: a, issuer: b }\nlogs:\n",
        "policy_value_refused",
        "identities.ci: 2 of subject and subject_matches is not",
        true,
    ),
    (
        "logs:\n",
        "identities:\n  ci: { subject_matches: \"(\", issuer: b }\nlogs:\n",
        "policy_expression_malformed",
        "identities.ci.subject_matches: \"(\" is no expression",
        false,
    ),
    (
        "logs:\n",
        "identities:\n  ci: { subject: a, issuer: b, claims: { repository: c } }\nlogs:\n",
        "policy_value_refused",
        "identities.ci.claims.repository: ",
        false,
    ),
    ("logs:\n", "crls: authority.crl\nlogs:\n", "policy_malformed", "crls: ", true),
    ("logs:\n", "crls: [\"\"]\nlogs:\n", "policy_value_refused", "crls: ", true),
    ("logs:\n", "crls: [authority.crl]\nlogs:\n", "", "", true),
    ("logs:\n", "logs:\n  other: { id: AB }\n", "policy_value_refused", "logs.other.id: ", true),
    ("logs:\n", "logs:\n  public: { id: ab }\n", "policy_malformed", "logs: duplicate name `public`", false),
];

#[test]
fn each_fault_of_a_policy_is_named_by_its_path_and_seen_by_the_schema_where_that_can() {
    let schema: Value = serde_json::from_str(include_str!("../schemas/policy.schema.json")).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let whole = text(REQUIRE);
    let as_json = |text: &str| yaml_serde::from_str::<Value>(text);
    assert!(schema.is_valid(&as_json(&whole).unwrap()));
    for (from, to, code, begins, in_schema) in FAULTS {
        assert!(whole.contains(from), "{from}");
        let changed = whole.replacen(from, to, 1);
        match read(&changed) {
            Ok(_) => assert_eq!(*code, "", "{to}"),
            Err(error) => {
                assert_eq!(error.code(), *code, "{to}: {error}");
                assert!(error.to_string().starts_with(begins), "{to}: {error}");
            }
        }
        if let Ok(value) = as_json(&changed) {
            let fits = schema.validate(&value);
            assert_eq!(fits.is_ok(), !in_schema || code.is_empty(), "{to}");
        }
    }
    let file = whole.replacen("lab-2:\n    pem:", "lab-2:\n    file: gone.pub\n  lab-3:\n    pem:", 1);
    assert_eq!(read(&file).unwrap_err().code(), "policy_key_unreadable");
    assert_eq!(read(&format!("{whole}#{}", " ".repeat(1 << 20))).unwrap_err().code(), "policy_too_large");
    assert_eq!(read(&format!("{whole}---\n{whole}")).unwrap_err().code(), "policy_malformed");
    let public = whole.replace(", public: true", "").replacen("name: test", "name: test\n    publicly_logged: true", 1);
    assert!(read(&public).unwrap_err().to_string().starts_with("require[2].publicly_logged: "));
}

#[test]
fn keys_that_only_their_ids_stand_for_are_named_until_they_are_given() {
    let id = lab().public().key_id().to_string();
    let policy = read(&format!("policy: 1\nkeys: {{ lab: {{ id: {id} }} }}\n{ONE}")).unwrap();
    assert_eq!(policy.keys_missing(&[builder().public().clone().into()]), [("lab", *lab().public().key_id())]);
    assert_eq!(policy.keys_missing(&[lab().public().clone().into()]), []);
    assert_eq!(short(&judge(&policy, &[test()])), []);
}

#[test]
fn a_policy_is_explained_in_sentences_that_hold_everything_it_asks() {
    let asked = ONE.to_owned()
        + "    subject: [\"f*\"]\n    fields: [{ at: /a, equals: null }, { at: /b }]\n    logged_in: [site]\n    publicly_logged: true\n    not_before: 2026-01-01T00:00:00Z\n    not_after: 2027-01-01T00:00:00Z\n    max_age_days: 30\n";
    let lines = policy(&asked).explain();
    assert_eq!(lines[..2], ["firmware", "Of an artifact one thing is asked:"]);
    let said = lines.join("\n");
    for part in [
        "1. test: an attestation of type https://in-toto.io/attestation/test-result/v0.1.",
        "It is signed by lab (key ",
        "It calls the artifact \"f*\".",
        "It says null at /a.",
        "It says something at /b.",
        "is logged in site (",
        "is in a public log (public)",
        "was not there before 2026-01-01T00:00:00Z",
        "was there by 2027-01-01T00:00:00Z",
        "is at most 30 days old",
        "else it is weaker than asked",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn no_code_of_a_shortfall_stands_twice_and_each_is_in_the_book() {
    let book = include_str!("../docs/VERIFY.md");
    for code in Shortfall::CODES {
        assert_eq!(Shortfall::CODES.iter().filter(|other| **other == code).count(), 1);
        assert!(book.contains(&format!("| `{code}` |")), "{code}");
    }
}
