//! What a certificate and those above it may have in them though nothing here rests on it: what other clients read there is of its form, or refused.
//!
//! The authority is that of `forge/certified.rs`; `certificates.rs` has what everything rests on.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests may read files")]

mod forge;

use airtight::trust::{TrustError, TrustedRoot};
use airtight::verify::identity::IdentityRule;
use airtight_keys::public::Algorithm;
use airtight_keys::strict_json::to_standard_base64 as base64;

use forge::certified::{
    Draft, Issuer as _, SAN, SCT, World, drafted, generalized_time, oid, time, tlv, uri, utf8, vector,
};
use forge::{TIME, key, verdict};

#[test]
fn what_the_other_clients_read_of_a_certificate_is_of_its_form_though_nothing_rests_on_it() {
    let with = |id: &'static str, value: Vec<u8>| drafted(|draft| draft.put(id, false, value)).0;
    let policy = |text: &str| tlv(0x30, &[&oid(text)]);
    let (one, other) = (policy("1.2.3.4"), policy("1.2.3.5"));
    let access = tlv(0x30, &[&oid("1.3.6.1.5.5.7.48.2"), &uri("http://ca.example")]);
    for (id, good) in [
        ("1.3.6.1.5.5.7.1.1", tlv(0x30, &[&access])),
        ("1.3.6.1.5.5.7.1.11", tlv(0x30, &[&access])),
        ("2.5.29.32", tlv(0x30, &[&one, &other])),
        ("2.5.29.33", tlv(0x30, &[&tlv(0x30, &[&oid("1.2.3.4"), &oid("1.2.3.5")])])),
        ("2.5.29.36", tlv(0x30, &[&tlv(0x81, &[&[0]])])),
        ("2.5.29.54", tlv(2, &[&[0]])),
    ] {
        assert_eq!(with(id, good.clone()), "verified", "{id}");
        assert_eq!(with(id, [good, vec![0]].concat()), "certificate_malformed", "{id}");
    }
    assert_eq!(with("2.5.29.32", tlv(0x30, &[&one, &other, &one])), "certificate_malformed");
    // Read, and asking for what nobody here does: to follow policies; or nothing at all; or what is for authorities.
    assert_eq!(with("2.5.29.36", tlv(0x30, &[&tlv(0x80, &[&[0]])])), "certificate_malformed");
    assert_eq!(with("1.3.6.1.5.5.7.1.1", tlv(0x30, &[])), "certificate_malformed");
    assert_eq!(with("2.5.29.30", constrained(0x82, b"a.example")), "certificate_malformed");
    assert_eq!(with("1.3.6.1.5.5.7.1.11", tlv(0x30, &[])), "certificate_malformed");
    for resources in ["1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8"] {
        assert_eq!(with(resources, tlv(0x30, &[])), "certificate_malformed");
    }
    let point = |name: Vec<u8>| tlv(0x30, &[&tlv(0x30, &[&tlv(0xa0, &[&name])])]);
    assert_eq!(with("2.5.29.31", point(tlv(0xa0, &[&uri("http://ca.example/list")]))), "verified");
    let relative = tlv(0xa1, &[&tlv(0x30, &[&oid("2.5.4.3"), &utf8("list")])]);
    assert_eq!(with("2.5.29.31", point(relative)), "certificate_malformed");
}

#[test]
fn a_trusted_root_has_no_certificate_that_the_other_clients_do_not_read_whether_it_is_needed_or_not() {
    let beside = |id: &'static str, value: Vec<u8>| {
        let mut world = World::new();
        let root = key(Algorithm::P256, "another root");
        let draft = Draft::authority("another root", "another root", &root).put(id, false, value);
        let authority = serde_json::json!({
            "uri": "https://another.example",
            "certChain": { "certificates": [{ "rawBytes": base64(&draft.signed(&root)) }] },
        });
        let [certifying, stamping] = ["certificateAuthorities", "timestampAuthorities"].map(|member| {
            let before = world.root[member].clone();
            let own = before.as_array().cloned().unwrap_or_default();
            world.root[member] = own.into_iter().chain([authority.clone()]).collect();
            let read = TrustedRoot::parse(world.root.to_string().as_bytes()).map(|_| ());
            world.root[member] = before;
            read
        });
        assert_eq!(certifying, stamping);
        certifying
    };
    let names = |name: Vec<u8>| beside(SAN, tlv(0x30, &[&name]));
    for good in
        [uri("https://x.example/"), tlv(0x87, &[&[10, 0, 0, 1]]), tlv(0x81, &[b"a@x.example"]), tlv(0x82, &[b"x"])]
    {
        assert_eq!(names(good), Ok(()));
    }
    let latin = |tag: u8| tlv(tag, &[b"\xe4"]);
    for other in [uri("https://[::1"), tlv(0x87, &[&[1, 2, 3, 4, 5]]), latin(0x81), latin(0x82), latin(0x86)] {
        assert!(matches!(names(other), Err(TrustError::Authority { .. })));
    }
    for (tag, text, is_read) in [
        (0x82, &b"a.example"[..], true),
        (0x82, b"a.", false),
        (0x86, b".example", true),
        (0x86, b"1.2.3.4", false),
        (0x81, b"a@example", true),
        (0x81, b"a@b@c", false),
        (0x87, &[1, 2, 3, 4], false),
    ] {
        assert_eq!(beside("2.5.29.30", constrained(tag, text)).is_ok(), is_read, "{tag:x}");
    }
    assert!(beside("2.5.29.30", tlv(0x30, &[])).is_err());
    assert!(beside("1.3.6.1.5.5.7.1.1", tlv(0x30, &[])).is_err());
    assert!(beside("2.5.29.14", vec![4, 1, 7]).is_ok());
    assert!(beside("2.5.29.14", vec![4, 1, 7, 0]).is_err());
    let with_key = |spki: Vec<u8>| {
        let mut world = World::new();
        let root = key(Algorithm::P256, "another root");
        let whole = Draft::authority("another root", "another root", &root).signed(&root);
        let mut outer = parts_of(&whole);
        let mut inner = parts_of(&outer[0]);
        inner[6] = spki;
        outer[0] = tlv(0x30, &[&inner.concat()]);
        world.trust(&[tlv(0x30, &[&outer.concat()])]);
        TrustedRoot::parse(world.root.to_string().as_bytes()).map(|_| ())
    };
    let point = key(Algorithm::P256, "another").spki()[26..].to_vec();
    let mut beside_the_curve = point.clone();
    beside_the_curve[64] ^= 1;
    let on = |curve: &str, point: &[u8]| {
        tlv(0x30, &[&tlv(0x30, &[&oid("1.2.840.10045.2.1"), &oid(curve)]), &tlv(3, &[&[0], point])])
    };
    assert_eq!(with_key(on("1.2.840.10045.3.1.7", &point)), Ok(()));
    assert_eq!(with_key(tlv(0x30, &[&tlv(0x30, &[&oid("1.2.3.4")]), &tlv(3, &[&[0], b"x"])])), Ok(()));
    for other in [
        on("1.2.840.10045.3.1.7", &beside_the_curve),
        on("1.2.840.10045.3.1.7", &point[..64]),
        on("1.3.132.0.10", &point),
        tlv(0x30, &[&tlv(0x30, &[&oid("1.3.101.112")]), &tlv(3, &[&[0], &[7; 31]])]),
        tlv(0x30, &[&tlv(0x30, &[&oid("1.3.101.110")]), &tlv(3, &[&[0], &[7; 31]])]),
    ] {
        assert!(matches!(with_key(other), Err(TrustError::Authority { .. })));
    }
    // What none here follows is no fault of the file: who is issued under it is refused.
    assert_eq!(beside("2.5.29.36", tlv(0x30, &[&tlv(0x80, &[&[0]])])), Ok(()));
}

#[test]
fn promises_in_the_issuers_own_certificate_are_of_their_form_too() {
    let issued_under = |promises: Vec<u8>| {
        let mut world = World::new();
        let root = key(Algorithm::P256, "root");
        let between = Draft::authority("forge authority", "forge root", &world.ca).put(SCT, false, promises);
        let above = Draft::authority("forge root", "forge root", &root).signed(&root);
        world.trust(&[between.signed(&root), above]);
        world.code().0
    };
    let list = |promises: &[u8]| tlv(4, &[&vector(promises)]);
    let promise = [&[0][..], &[7; 32], &[0; 8], &[0, 0, 4, 3], &vector(&[1])].concat();
    assert_eq!(issued_under(list(&vector(&promise))), "verified");
    for other in [b"xx".to_vec(), tlv(4, &[b"xx"]), list(&[]), list(&vector(b"xx"))] {
        assert_eq!(issued_under(other), "sct_malformed");
    }
}

/// Name constraints that permit one name.
fn constrained(tag: u8, name: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0xa0, &[&tlv(0x30, &[&tlv(tag, &[name])])])])
}

#[test]
fn an_authority_with_name_constraints_issues_where_they_are_followed_and_can_be() {
    let under = |value: Vec<u8>, name: &str| {
        let mut world = World::new();
        let root = key(Algorithm::P256, "root");
        let between = Draft::authority("forge authority", "forge root", &world.ca).put("2.5.29.30", true, value);
        let above = Draft::authority("forge root", "forge root", &root).signed(&root);
        world.trust(&[between.signed(&root), above]);
        let extensions = std::mem::take(&mut world.draft.extensions);
        world.draft.extensions = extensions.into_iter().filter(|(id, ..)| *id != SAN).collect();
        world.draft.extensions.push((SAN, true, tlv(0x30, &[&uri(name)])));
        world.rule = Some(IdentityRule::default());
        match TrustedRoot::parse(world.root.to_string().as_bytes()) {
            Ok(_) => world.code().0,
            Err(_) => "trusted_root_malformed",
        }
    };
    for (tag, name) in [(0x82, &b"a.example"[..]), (0x82, b".example"), (0x87, &[10, 0, 0, 0, 255, 0, 0, 0])] {
        assert_eq!(under(constrained(tag, name), "https://forge.example/a"), "verified");
        assert_eq!(under(constrained(tag, name), "https://1.2.3.4/a"), "certificate_chain_invalid");
        assert_eq!(under(constrained(tag, name), "urn:forge:a"), "certificate_chain_invalid");
    }
    let other = [&oid("1.2.3.4")[..], &tlv(0xa0, &[&utf8("x")])].concat();
    for (tag, name) in [(0x82, &b"a."[..]), (0x87, &[1, 2, 3, 4, 255, 0, 255, 0])] {
        assert_eq!(under(constrained(tag, name), "https://forge.example/a"), "trusted_root_malformed", "{tag:x}");
    }
    for (tag, name) in [(0x88, &[0x2a, 3, 4][..]), (0xa0, &other), (0x81, b"a.example")] {
        assert_eq!(under(constrained(tag, name), "https://forge.example/a"), "certificate_chain_invalid", "{tag:x}");
    }
    assert_eq!(under(tlv(0x30, &[]), "https://forge.example/a"), "trusted_root_malformed");
    assert_eq!(under(constrained(0x86, b"forge.example"), "https://forge.example/a"), "certificate_chain_invalid");
}

#[test]
fn a_name_of_more_parts_side_by_side_than_are_read_is_refused_before_it_is_sorted() {
    // As the reader would find them: in order, so that a long one that is sorted first is no other case than this.
    let name = |parts: u8| {
        let part = |at: u8| tlv(0x30, &[&oid("2.5.4.3"), &tlv(0x0c, &[&[at]])]);
        let parts: Vec<Vec<u8>> = (b' '..b' ' + parts).map(part).collect();
        tlv(0x30, &[&tlv(0x31, &[&parts.concat()])])
    };
    let issued_under = |parts: u8| {
        let above = [tlv(0xa1, &[&tlv(0xa4, &[&name(parts)])]), tlv(0x82, &[&[1]])].concat();
        drafted(|draft| draft.put("2.5.29.35", false, tlv(0x30, &[&above]))).0
    };
    assert_eq!(issued_under(64), "verified");
    assert_eq!(issued_under(65), "certificate_malformed");
}

#[test]
fn the_name_of_a_holder_is_there_and_a_uri_has_the_spelling_that_go_writes() {
    let named = |name: Vec<u8>| drafted(|draft| draft.put(SAN, true, tlv(0x30, &[&name]))).0;
    for empty in [uri(""), tlv(0x81, &[]), tlv(0xa0, &[&oid("1.3.6.1.4.1.57264.1.7"), &tlv(0xa0, &[&utf8("")])])] {
        assert_eq!(named(empty), "identity_missing");
    }
    assert_eq!(named(uri("https://x.example/a%20b")), "identity_differs");
    for text in ["HTTPS://x/", "https://x./", "https://x/%zz", "https://x/a b", "https://x/a#", "https://[::1", "a/b"] {
        assert_eq!(named(uri(text)), "certificate_malformed", "{text}");
    }
}

/// Takes apart what stands in a part of DER.
fn parts_of(der: &[u8]) -> Vec<Vec<u8>> {
    let head = |bytes: &[u8]| match bytes[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        octets => {
            let behind = 2 + usize::from(octets & 0x7f);
            (behind, bytes[2..behind].iter().fold(0, |len, octet| len << 8 | usize::from(*octet)))
        }
    };
    let mut rest = &der[head(der).0..];
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (start, len) = head(rest);
        parts.push(rest[..start + len].to_vec());
        rest = &rest[start + len..];
    }
    parts
}

/// The verdict where a part of what an authority signs is another. It is not signed again: one that is read is not the one that was logged.
fn with_part(place: usize, part: &[u8]) -> &'static str {
    let world = World::new();
    let certificate = world.certificate();
    let mut outer = parts_of(&certificate);
    let mut inner = parts_of(&outer[0]);
    inner[place] = part.to_vec();
    outer[0] = tlv(0x30, &[&inner.concat()]);
    let changed = tlv(0x30, &[&outer.concat()]);
    verdict(&world.judge(world.bundle().replace(&base64(&certificate), &base64(&changed)).as_bytes())).0
}

#[test]
fn a_certificates_number_names_and_validity_are_of_their_form() {
    let subject = |tag: u8, text: &[u8]| {
        with_part(5, &tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&oid("2.5.4.3"), &tlv(tag, &[text])])])]))
    };
    for (tag, text) in [(0x0c, "\u{e4}".as_bytes()), (0x13, b"a name"), (0x14, b"\xe4"), (0x16, b"a@b")] {
        assert_eq!(subject(tag, text), "entry_key_differs", "{tag:x}");
    }
    for (tag, text) in [(0x0c, &b"\xff"[..]), (0x13, b"a@b"), (0x16, b"\x80"), (0x04, b"a"), (0x1e, b"a")] {
        assert_eq!(subject(tag, text), "certificate_malformed", "{tag:x}");
    }
    assert_eq!(with_part(1, &tlv(2, &[&[0]])), "entry_key_differs");
    assert_eq!(with_part(1, &tlv(2, &[&[0xff]])), "certificate_malformed");
    let valid = |from: Vec<u8>, to: Vec<u8>| with_part(4, &tlv(0x30, &[&from, &to]));
    let year_2050 = 2_524_608_000;
    assert_eq!(valid(time(TIME), generalized_time(year_2050)), "entry_key_differs");
    assert_eq!(valid(time(TIME), generalized_time(year_2050 - 1)), "certificate_malformed");
    assert_eq!(valid(generalized_time(TIME), time(TIME)), "certificate_malformed");
}
