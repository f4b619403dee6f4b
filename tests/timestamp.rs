//! Time stamps by OpenSSL (`tests/timestamps/make.sh`), judged: each that holds, and each way in which one does not.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests may read files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use airtight::bundle::Bundle;
use airtight::bundle::token::{self, Token};
use airtight::policy::times::{Clock, ProvenTime};
use airtight::trust::TrustedRoot;
use airtight::verify::timestamp::{TimestampRefusal, Timestamps, VerifiedTimestamp, check};
use airtight::verify::{Input, Outcome, Policy, Report, Subject, verify};
use airtight_keys::sign::Sign as _;
use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::sha256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cms::cert::CertificateChoices;
use cms::cert::x509::attr::Attribute;
use cms::cert::x509::ext::Extension;
use cms::cert::x509::name::Name;
use cms::cert::x509::serial_number::SerialNumber;
use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use cms::cert::x509::{Certificate, Version};
use cms::content_info::ContentInfo;
use cms::signed_data::{CertificateSet, SignedData, SignerIdentifier, SignerInfo, SignerInfos};
use der::asn1::{Any, OctetString, SetOfVec};
use der::{Decode as _, Encode as _};
use serde_json::{Value, json};

const NAME: &str = "https://tsa.example";

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/timestamps").join(name)).unwrap()
}

fn of_bundle(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/verified-dsse-hashedrekord-002");
    fs::read(folder.join(name)).unwrap()
}

/// When the tokens were made, in seconds since the epoch.
fn made() -> u64 {
    String::from_utf8(file("made")).unwrap().trim().parse().unwrap()
}

fn signature() -> Vec<u8> {
    Bundle::parse(&of_bundle("bundle.sigstore.json")).unwrap().content().signature().to_vec()
}

/// An element of `timestampAuthorities` with these certificates.
fn authority(chain: &[&str], valid_for: Value) -> Value {
    let certificate = |name: &&str| {
        let pem = String::from_utf8(file(&format!("{name}.pem"))).unwrap();
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        json!({ "rawBytes": lines })
    };
    let certificates: Vec<Value> = chain.iter().map(certificate).collect();
    json!({ "uri": NAME, "certChain": { "certificates": certificates }, "validFor": valid_for })
}

fn root_of(authorities: &[Value]) -> TrustedRoot {
    let mut root: Value = serde_json::from_slice(&of_bundle("trusted_root.json")).unwrap();
    root["timestampAuthorities"] = json!(authorities);
    TrustedRoot::parse(root.to_string().as_bytes()).unwrap()
}

fn believed(chain: &[&str]) -> TrustedRoot {
    root_of(&[authority(chain, json!({ "start": "2024-01-01T00:00:00Z" }))])
}

const CHAIN: [&str; 3] = ["tsa", "between", "root"];

fn judged(token: &[u8], root: &TrustedRoot, now: u64) -> Result<Option<VerifiedTimestamp>, TimestampRefusal> {
    check(&Token::parse(token)?, &signature(), root, now)
}

#[test]
fn what_openssl_stamps_holds() {
    let cases: [(&str, &[&str]); 10] = [
        ("plain", &CHAIN),
        ("with-certificate", &CHAIN),
        ("sha384", &CHAIN),
        ("sha512", &CHAIN),
        ("older", &CHAIN),
        ("p384", &["tsa384", "root"]),
        ("rsa", &["tsarsa", "root"]),
        // A chain of CAs alone: the signer's certificate comes with the token.
        ("with-certificate", &["between", "root"]),
        ("rsa", &["root"]),
        ("sha384", &["between"]),
    ];
    for (name, chain) in cases {
        let found = judged(&file(&format!("{name}.tsr")), &believed(chain), made() + 1000);
        let VerifiedTimestamp { not_after, authority, .. } =
            found.unwrap_or_else(|error| panic!("{name}: {error}")).unwrap();
        assert_eq!(authority, NAME);
        assert!(not_after.abs_diff(made()) < 60, "{name}: {not_after}");
    }
}

#[test]
fn a_fraction_and_a_stated_accuracy_are_rounded_away_from_the_signature() {
    let (plain, exact) = (Token::parse(&file("plain.tsr")).unwrap(), Token::parse(&file("exact.tsr")).unwrap());
    assert_eq!(plain.not_after, plain.time);
    assert_eq!(exact.not_after, exact.time + 3, "a second, half a second, and what genTime has behind its point");
    assert!(judged(&file("exact.tsr"), &believed(&CHAIN), exact.time).unwrap().is_some());
    // The second in which the authority ends is over before the fraction.
    let ending = |end: u64| {
        let end = jiff::Timestamp::from_second(end as i64).unwrap().to_string();
        let root = root_of(&[authority(&CHAIN, json!({ "end": end }))]);
        judged(&file("exact.tsr"), &root, exact.time + 10).map(|_| ()).map_err(|refusal| refusal.code())
    };
    assert_eq!(ending(exact.time), Err("timestamp_authority_validity"));
    assert_eq!(ending(exact.time + 1), Ok(()));
}

#[test]
fn a_request_is_what_openssl_writes() {
    let digest = *sha256(&signature()).as_bytes();
    assert_eq!(token::request(&digest, None), file("request.tsq"));
    for nonce in [0u64, 1, 0x7f, 0x80, 0xff00, u64::MAX] {
        let request = token::request(&digest, Some(nonce));
        let written = Token { nonce: Some(nonce_of(&request)), ..Token::parse(&file("plain.tsr")).unwrap() };
        assert!(token::is_nonce(&written, nonce), "{nonce:x}");
        assert!(!token::is_nonce(&written, nonce ^ 1), "{nonce:x}");
    }
    assert!(
        !token::is_nonce(&Token::parse(&file("plain.tsr")).unwrap(), 0),
        "a token without a nonce answers no request"
    );
}

/// The nonce of a request: behind the 51 bytes of the imprint, before the three of `certReq`.
fn nonce_of(request: &[u8]) -> Vec<u8> {
    let at = request.windows(2).position(|two| two == [0x04, 0x20]).unwrap() + 34;
    assert_eq!(request[at], 0x02);
    request[at + 2..at + 2 + usize::from(request[at + 1])].to_vec()
}

/// A token in which the nth place that holds these bytes holds others.
fn altered(name: &str, from: &[u8], to: &[u8], nth: usize) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut token = file(name);
    let places: Vec<usize> = (0..token.len() - from.len()).filter(|at| token[*at..].starts_with(from)).collect();
    token[places[nth]..][..to.len()].copy_from_slice(to);
    token
}

/// An object identifier with tag and length.
fn oid(text: &str) -> Vec<u8> {
    let oid = der::asn1::ObjectIdentifier::new_unwrap(text);
    let mut bytes = vec![6, u8::try_from(oid.as_bytes().len()).unwrap()];
    bytes.extend(oid.as_bytes());
    bytes
}

#[test]
fn each_fault_of_a_token_has_its_code_and_each_code_its_fault() {
    let (now, ours) = (made() + 1000, believed(&CHAIN));
    let with = |name: &str| file(&format!("{name}.tsr"));
    let message_digest = "1.2.840.113549.1.9.4";
    let sha256_oid = oid("2.16.840.1.101.3.4.2.1");
    let cut = with("plain").split_last().unwrap().1.to_vec();
    let mut longer = with("plain");
    longer.push(0);
    let mut unsigned = with("plain");
    *unsigned.last_mut().unwrap() ^= 1;
    let ended = json!({ "start": "2024-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z" });
    let not_yet = json!({ "start": "2124-01-01T00:00:00Z" });
    let leaf = |name| believed(&[name, "between", "root"]);
    let cases: Vec<(&str, Vec<u8>, TrustedRoot, u64)> = vec![
        ("timestamp_malformed", cut, ours.clone(), now),
        ("timestamp_malformed", longer, ours.clone(), now),
        ("timestamp_malformed", Vec::new(), ours.clone(), now),
        (
            "timestamp_malformed",
            altered("plain.tsr", &oid("1.2.840.113549.1.7.2"), &oid("1.2.840.113549.1.7.1"), 0),
            ours.clone(),
            now,
        ),
        ("timestamp_malformed", vec![0x30; token::TOKEN_LEN_MAX + 1], ours.clone(), now),
        ("timestamp_not_granted", with("rejected"), ours.clone(), now),
        // Granted with modifications: nothing signs that, and sigstore-go refuses it.
        ("timestamp_not_granted", altered("plain.tsr", &[0x30, 3, 2, 1, 0], &[0x30, 3, 2, 1, 1], 0), ours.clone(), now),
        // The certificate that came with it is not the authority's.
        (
            "timestamp_malformed",
            altered("with-certificate.tsr", &oid("1.3.6.1.5.5.7.3.8"), &oid("1.3.6.1.5.5.7.3.9"), 0),
            ours.clone(),
            now,
        ),
        ("timestamp_hash_unsupported", with("sha1"), ours.clone(), now),
        ("timestamp_of_another_signature", with("other"), ours.clone(), now),
        ("timestamp_key_usage", with("plain"), leaf("not_critical"), now),
        ("timestamp_key_usage", with("plain"), leaf("for_more"), now),
        ("timestamp_key_usage", with("plain"), leaf("for_nothing"), now),
        (
            "timestamp_attributes",
            altered("plain.tsr", &oid(message_digest), &oid("1.2.840.113549.1.9.99"), 0),
            ours.clone(),
            now,
        ),
        (
            "timestamp_attributes",
            altered("plain.tsr", &oid("1.2.840.113549.1.9.16.2.47"), &oid("1.2.840.113549.1.9.16.2.48"), 0),
            ours.clone(),
            now,
        ),
        (
            "timestamp_content_differs",
            altered("plain.tsr", &oid("1.3.6.1.4.1.99999.1"), &oid("1.3.6.1.4.1.99999.2"), 0),
            ours.clone(),
            now,
        ),
        ("timestamp_other_certificate", with("plain"), leaf("twin"), now),
        ("timestamp_other_certificate", with("older"), leaf("twin"), now),
        ("timestamp_algorithm_unsupported", with("p521"), believed(&["tsa521", "root"]), now),
        (
            "timestamp_algorithm_unsupported",
            altered("plain.tsr", &sha256_oid, &oid("2.16.840.1.101.3.4.2.4"), 2),
            ours.clone(),
            now,
        ),
        ("timestamp_signature_invalid", unsigned, ours.clone(), now),
        ("timestamp_in_future", with("plain"), ours.clone(), made() - 400),
        ("timestamp_certificate_validity", with("ended"), believed(&["ended", "root"]), now),
        ("timestamp_authority_validity", with("plain"), root_of(&[authority(&CHAIN, ended)]), now),
        ("timestamp_authority_validity", with("plain"), root_of(&[authority(&CHAIN, not_yet)]), now),
        ("timestamp_chain_invalid", with("plain"), believed(&["tsa", "between", "otherroot"]), now),
        ("timestamp_chain_invalid", with("plain"), believed(&["tsa", "root"]), now),
        ("timestamp_chain_invalid", with("p384"), believed(&["tsa384", "otherroot"]), now),
    ];
    for (place, (code, token, root, now)) in cases.iter().enumerate() {
        match judged(token, root, *now) {
            Err(refusal) => assert_eq!(refusal.code(), *code, "case {place}: {refusal}"),
            Ok(found) => panic!("case {place}, {code}: {found:?}"),
        }
    }
    let mut seen: BTreeSet<&str> = cases.iter().map(|(code, ..)| *code).collect();
    // Bundles have these three: below.
    seen.extend(["timestamp_too_many", "timestamp_threshold_not_met", "timestamp_twice"]);
    assert_eq!(seen, TimestampRefusal::CODES.into_iter().collect());
}

#[test]
fn a_token_of_an_authority_that_nobody_named_is_not_counted() {
    let now = made() + 1000;
    // Another signer, and another CA, than those that are believed.
    for (name, chain) in [("p384", &["tsa", "between", "root"][..]), ("p384", &["between"]), ("plain", &["between"])] {
        assert_eq!(judged(&file(&format!("{name}.tsr")), &believed(chain), now), Ok(None), "{name}");
    }
}

/// A token whose `SignedData` is changed where nothing signs it.
fn changed(name: &str, change: impl FnOnce(&mut SignedData)) -> Vec<u8> {
    let response = file(name);
    let [0x30, 0x82, _, _, 0x30, 3, 2, 1, 0, token @ ..] = &response[..] else { panic!("{name} is of another form") };
    let mut info = ContentInfo::from_der(token).unwrap();
    let mut signed: SignedData = info.content.decode_as().unwrap();
    change(&mut signed);
    info.content = Any::encode_from(&signed).unwrap();
    let token = info.to_der().unwrap();
    let len = u16::try_from(token.len() + 5).unwrap().to_be_bytes();
    [&[0x30, 0x82, len[0], len[1], 0x30, 3, 2, 1, 0], &token[..]].concat()
}

fn certificates_of(names: &[&str]) -> CertificateSet {
    let one = |name: &&str| {
        let pem = String::from_utf8(file(name)).unwrap();
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        CertificateChoices::Certificate(Certificate::from_der(&STANDARD.decode(lines).unwrap()).unwrap())
    };
    CertificateSet(SetOfVec::try_from(names.iter().map(one).collect::<Vec<_>>()).unwrap())
}

#[test]
fn what_nobody_signs_in_a_token_is_held_to_what_it_names() {
    let now = made() + 1000;
    let code = |token: Vec<u8>| match judged(&token, &believed(&CHAIN), now) {
        Ok(found) => {
            if found.is_some() {
                "verified"
            } else {
                "not counted"
            }
        }
        Err(refusal) => refusal.code(),
    };
    let carrying =
        |names: &[&str]| code(changed("plain.tsr", |signed| signed.certificates = Some(certificates_of(names))));
    assert_eq!(code(changed("plain.tsr", |_| ())), "verified");
    assert_eq!(carrying(&["tsa.pem", "between.pem", "root.pem"]), "verified");
    // As many hash algorithms as are read, and one more.
    let hashing = |count: u8| {
        let oid = |last: u8| der::asn1::ObjectIdentifier::from_bytes(&[0x2a, 3, last]).unwrap();
        let algorithms = (0..count).map(|last| AlgorithmIdentifierOwned { oid: oid(last), parameters: None });
        let algorithms = SetOfVec::try_from(algorithms.collect::<Vec<_>>()).unwrap();
        code(changed("plain.tsr", |signed| signed.digest_algorithms = algorithms))
    };
    assert_eq!(hashing(64), "verified");
    assert_eq!(hashing(65), "timestamp_malformed");
    // One of somebody else's among them, or all but the signer's.
    assert_eq!(carrying(&["tsa.pem", "otherroot.pem"]), "timestamp_malformed");
    assert_eq!(carrying(&["between.pem", "root.pem"]), "timestamp_malformed");
    // One above the signer that somebody else cross-signed; one of its name with another key; one that takes the signer's name and key.
    let beside = |chain: &[&str], name: &str, key: &str| {
        let [mut carried, of_key] = [name, key].map(|name| certificates_of(&[name]).0.as_slice()[0].clone());
        let (CertificateChoices::Certificate(one), CertificateChoices::Certificate(other)) = (&mut carried, of_key)
        else {
            unreachable!()
        };
        one.tbs_certificate.issuer = Name::default();
        one.tbs_certificate.serial_number = SerialNumber::new(&[9]).unwrap();
        one.tbs_certificate.subject_public_key_info = other.tbs_certificate.subject_public_key_info;
        let token = changed("with-certificate.tsr", |signed| {
            let mut all = signed.certificates.take().unwrap().0.into_vec();
            all.push(carried);
            signed.certificates = Some(CertificateSet(SetOfVec::try_from(all).unwrap()));
        });
        judged(&token, &believed(chain), now).map(|found| found.is_some()).map_err(|refusal| refusal.code())
    };
    let refused = Err("timestamp_malformed");
    for chain in [&CHAIN[..], &CHAIN[1..]] {
        assert_eq!(beside(chain, "root.pem", "root.pem"), Ok(true));
        assert_eq!(beside(chain, "between.pem", "between.pem"), Ok(true));
        assert_eq!(beside(chain, "root.pem", "otherroot.pem"), refused);
        assert_eq!(beside(chain, "tsa.pem", "tsa.pem"), refused);
        assert_eq!(beside(chain, "tsa384.pem", "root.pem"), refused);
    }
    // Where the trusted root ends below the authority's root, that one may be carried, and nothing but its name is known.
    assert_eq!(beside(&["tsa", "between"], "root.pem", "root.pem"), Ok(true));
    assert_eq!(beside(&["between"], "root.pem", "root.pem"), Ok(true));
    assert_eq!(beside(&["between"], "tsa.pem", "between.pem"), refused);
    let signed_by = |change: &dyn Fn(&mut SignerInfo)| {
        code(changed("plain.tsr", |signed| {
            let mut signer = signed.signer_infos.0.as_slice()[0].clone();
            change(&mut signer);
            signed.signer_infos = SignerInfos(SetOfVec::try_from(vec![signer]).unwrap());
        }))
    };
    let named = |issuer: bool, signer: &mut SignerInfo| {
        let SignerIdentifier::IssuerAndSerialNumber(named) = &mut signer.sid else { panic!("named by its key") };
        match issuer {
            true => named.issuer = Name::default(),
            false => named.serial_number = SerialNumber::new(&[9]).unwrap(),
        }
    };
    assert_eq!(signed_by(&|signer| named(true, signer)), "not counted");
    assert_eq!(signed_by(&|signer| named(false, signer)), "not counted");
    // The name of the algorithm is of another hash, or of another kind of key.
    for name in ["1.2.840.10045.4.3.3", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11", "1.3.101.112"] {
        let name = der::asn1::ObjectIdentifier::new_unwrap(name);
        let code = signed_by(&|signer| signer.signature_algorithm.oid = name);
        assert_eq!(code, "timestamp_algorithm_unsupported", "{name}");
    }
}

/// What the authority would have signed had it written its attributes otherwise: `tsa.key` signs them again.
fn signed_again(change: impl FnOnce(&mut Vec<Attribute>)) -> Vec<u8> {
    changed("plain.tsr", |signed| {
        let mut signer = signed.signer_infos.0.as_slice()[0].clone();
        let mut attributes = signer.signed_attrs.take().unwrap().into_vec();
        change(&mut attributes);
        let attributes = SetOfVec::try_from(attributes).unwrap();
        let key = airtight_keys::pem::from_pem(&String::from_utf8(file("tsa.key")).unwrap(), None).unwrap();
        let signature = key.sign(&attributes.to_der().unwrap()).unwrap();
        signer.signature = OctetString::new(signature).unwrap();
        signer.signed_attrs = Some(attributes);
        signed.signer_infos = SignerInfos(SetOfVec::try_from(vec![signer]).unwrap());
    })
}

/// What is found of a token that carries its authority's root too, changed: nobody signs that.
fn crossed(change: &dyn Fn(&mut Certificate, &Certificate)) -> Result<bool, &'static str> {
    let certificate = |name: &str| match certificates_of(&[name]).0.as_slice() {
        [CertificateChoices::Certificate(one)] => one.clone(),
        _ => unreachable!(),
    };
    let (mut root, signer) = (certificate("root.pem"), certificate("tsa.pem"));
    root.tbs_certificate.issuer = signer.tbs_certificate.issuer.clone();
    root.tbs_certificate.serial_number = SerialNumber::new(&[9]).unwrap();
    change(&mut root, &signer);
    let token = changed("with-certificate.tsr", |signed| {
        let mut all = signed.certificates.take().unwrap().0.into_vec();
        all.push(CertificateChoices::Certificate(root));
        signed.certificates = Some(CertificateSet(SetOfVec::try_from(all).unwrap()));
    });
    judged(&token, &believed(&CHAIN), made() + 1000).map(|found| found.is_some()).map_err(|refusal| refusal.code())
}

#[test]
fn what_is_carried_and_was_never_signed_for_is_what_the_other_clients_read_and_take_for_no_signers() {
    let refused = Err("timestamp_malformed");
    assert_eq!(crossed(&|_, _| ()), Ok(true));
    let serial = |one: &mut Certificate, other: &Certificate| {
        one.tbs_certificate.serial_number = other.tbs_certificate.serial_number.clone();
    };
    assert_eq!(crossed(&serial), refused);
    assert_eq!(crossed(&|root, _| root.tbs_certificate.version = Version::V1), refused);
    assert_eq!(crossed(&|root, _| root.signature_algorithm.parameters = Some(Any::null())), refused);
    let saying = |id: &str, value: &[u8]| {
        let extn_id = der::asn1::ObjectIdentifier::new(id).unwrap();
        let extension = Extension { extn_id, critical: false, extn_value: OctetString::new(value).unwrap() };
        crossed(&|root, _| root.tbs_certificate.extensions.get_or_insert_default().push(extension.clone()))
    };
    assert_eq!(saying("1.2.3.4", &[]), Ok(true));
    assert_eq!(saying("2.5.29.17", b"\x30\x05\x86\x03x:y"), Ok(true));
    assert_eq!(saying("2.5.29.17", b"\x30\x05\x86\x03X:y"), refused);
    assert_eq!(saying("2.5.29.17", &[0x30, 5, 0x87, 3, 1, 2, 3]), refused);
    assert_eq!(saying("2.5.29.30", &[0x30, 0]), refused);
    assert_eq!(saying("1.3.6.1.5.5.7.1.1", &[0x30, 0]), refused);
}

#[test]
fn each_attribute_that_an_authority_signs_is_there_once_with_one_value() {
    let judged = |token: Vec<u8>| judged(&token, &believed(&CHAIN), made() + 1000);
    let (content_type, digest) = ("1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4");
    let certificate = "1.2.840.113549.1.9.16.2.47";
    assert!(judged(signed_again(|_| ())).unwrap().is_some());
    let at = |name: &str, attributes: &[Attribute]| {
        attributes.iter().position(|one| one.oid.to_string() == name).unwrap_or_else(|| panic!("there is no {name}"))
    };
    let refused = |what: &str, token: Vec<u8>| {
        let refusal = judged(token).expect_err(what);
        assert_eq!(refusal.code(), "timestamp_attributes", "{what}");
    };
    for name in [content_type, digest, certificate] {
        refused(name, signed_again(|all| drop(all.remove(at(name, all)))));
        // The right value first or last, for a set is sorted.
        for other in [&[4, 0][..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]] {
            let other = Any::new(der::Tag::OctetString, other).unwrap();
            refused(
                name,
                signed_again(|all| {
                    let place = at(name, all);
                    let values = [all[place].values.as_slice(), std::slice::from_ref(&other)].concat();
                    all[place].values = SetOfVec::try_from(values).unwrap();
                }),
            );
            refused(
                name,
                signed_again(|all| {
                    let values = SetOfVec::try_from(vec![other.clone()]).unwrap();
                    all.push(Attribute { values, ..all[at(name, all)].clone() });
                }),
            );
        }
    }
    // It is over something that is no time stamp.
    let data = Any::encode_from(&der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1")).unwrap();
    refused(
        "data",
        signed_again(|all| {
            let place = at(content_type, all);
            all[place].values = SetOfVec::try_from(vec![data]).unwrap();
        }),
    );
}

#[test]
fn of_two_authorities_with_one_signer_one_must_hold() {
    let valid = |start: &str, end: &str| authority(&CHAIN, json!({ "start": start, "end": end }));
    let (past, present) =
        (valid("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"), valid("2024-01-01T00:00:00Z", "2124-01-01T00:00:00Z"));
    let token = file("plain.tsr");
    for root in [root_of(&[past.clone(), present.clone()]), root_of(&[present, past.clone()])] {
        assert!(judged(&token, &root, made() + 1000).unwrap().is_some());
    }
    let refusal = judged(&token, &root_of(&[past]), made() + 1000).unwrap_err();
    assert_eq!(refusal.code(), "timestamp_authority_validity");
}

/// The verdict on the bundle with these tokens.
fn verdict(tokens: &[Vec<u8>], root: &TrustedRoot) -> Report {
    verdict_of(tokens, root, 0)
}

/// The same, where this many authorities are asked for.
fn verdict_of(tokens: &[Vec<u8>], root: &TrustedRoot, timestamps: usize) -> Report {
    let mut bundle: Value = serde_json::from_slice(&of_bundle("bundle.sigstore.json")).unwrap();
    let one = |token: &Vec<u8>| json!({ "signedTimestamp": STANDARD.encode(token) });
    let tokens: Vec<Value> = tokens.iter().map(one).collect();
    bundle["verificationMaterial"]["timestampVerificationData"] = json!({ "rfc3161Timestamps": tokens });
    verify(&Input {
        bundle: bundle.to_string().as_bytes(),
        subject: Subject::Digest(sha256(&of_bundle("artifact"))),
        keys: &[VerifierKey::from_spki_pem(&String::from_utf8(of_bundle("key.pub")).unwrap()).unwrap()],
        trusted_root: root,
        policy: &Policy { timestamps, ..Policy::default() },
        now: made() + 1000,
    })
}

#[test]
fn as_many_authorities_must_have_made_a_time_stamp_as_are_asked_for() {
    let (first, second) = (file("plain.tsr"), file("p384.tsr"));
    let elsewhere = |mut authority: Value| {
        authority["uri"] = json!("https://tsa2.example");
        authority
    };
    let other = authority(&["tsa384", "root"], json!({}));
    let two = root_of(&[authority(&CHAIN, json!({})), elsewhere(other.clone())]);
    // Two signers of one authority, told by its name.
    let one = root_of(&[authority(&CHAIN, json!({})), other]);
    let both = [first.clone(), second];
    let twice = [first, file("sha384.tsr")];
    let refused = Err("timestamp_threshold_not_met");
    for (tokens, root, wanted, expected) in [
        (&both[..], &two, 2, Ok(())),
        (&both[..], &two, 3, refused),
        (&both[..1], &two, 1, Ok(())),
        (&both[..1], &two, 2, refused),
        (&twice[..], &two, 2, refused),
        (&both[..], &one, 2, refused),
        (&[][..], &two, 1, refused),
        (&both[..], &root_of(&[]), 1, refused),
    ] {
        let report = verdict_of(tokens, root, wanted);
        assert_eq!(report.verdict().map(|_| ()).map_err(|refusal| refusal.code()), expected, "{wanted}");
    }
}

#[test]
fn a_verdict_says_by_when_something_was_signed_and_by_whose_word() {
    let report = verdict(&[file("plain.tsr"), file("p384.tsr")], &believed(&CHAIN));
    let time = Token::parse(&file("plain.tsr")).unwrap().time;
    let (authority, uri) = (NAME.to_owned(), NAME.to_owned());
    let verified = VerifiedTimestamp { time, not_after: time, authority, uri };
    assert_eq!(*report.verdict().unwrap().timestamps(), Timestamps { verified: vec![verified], not_counted: 1 });
    let check = &report.checks()[8];
    assert_eq!(check.outcome, Outcome::Passed);
    let said = check.fact.to_string();
    assert!(
        said.starts_with("signed not after 20") && said.contains("by \"https://tsa.example\"; 1 present"),
        "{said}"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["facts"]["timestamps"], json!([{ "not_after": time, "authority": NAME }]));
    assert_eq!(json["facts"]["timestamps_not_counted"], json!(1));
    let not_established = report.not_established().join("\n");
    assert!(not_established.contains("a time stamp shows that it was not later"), "{not_established}");
    assert!(!not_established.contains("there is no signed time"), "{not_established}");
}

#[test]
fn a_policy_is_told_how_early_and_how_late_a_time_stamp_may_be() {
    for (name, accuracy) in [("plain.tsr", 0), ("exact.tsr", 3)] {
        let time = Token::parse(&file(name)).unwrap().time;
        let verified = verdict(&[file(name)], &believed(&CHAIN)).into_verdict().unwrap();
        let (earliest, latest) = (time - accuracy, time + accuracy);
        assert_eq!(verified.proven_times(), [ProvenTime { by: Clock::Authority(NAME), earliest, latest }], "{name}");
    }
}

#[test]
fn a_bundle_with_a_token_that_does_not_hold_is_refused_whatever_else_it_holds() {
    let root = believed(&CHAIN);
    let code = |tokens: &[Vec<u8>], root: &TrustedRoot| match verdict(tokens, root).verdict() {
        Ok(verified) => format!("verified, {} not counted", verified.timestamps().not_counted),
        Err(refusal) => {
            assert_eq!(refusal.step(), 9);
            refusal.code().to_owned()
        }
    };
    let plain = file("plain.tsr");
    assert_eq!(code(&[plain.clone(), file("other.tsr")], &root), "timestamp_of_another_signature");
    assert_eq!(code(&[plain.clone(), plain.clone()], &root), "timestamp_twice");
    assert_eq!(code(&vec![plain.clone(); 33], &root), "timestamp_too_many");
    assert_eq!(code(&[plain, b"no token".to_vec()], &root), "timestamp_malformed");
    assert_eq!(code(&[file("p384.tsr")], &root), "verified, 1 not counted");
    // Where no authority is believed, nobody can say anything of a token, not even whether it is one.
    assert_eq!(code(&[file("other.tsr"), b"no token".to_vec()], &root_of(&[])), "verified, 2 not counted");
    assert_eq!(code(&vec![file("plain.tsr"); 33], &root_of(&[])), "timestamp_too_many");
    assert_eq!(code(&vec![file("plain.tsr"); 32], &root_of(&[])), "verified, 32 not counted");
}

#[test]
fn no_byte_of_a_token_can_be_altered_unseen_but_what_no_one_signs() {
    let (root, plain) = (believed(&CHAIN), file("plain.tsr"));
    let expected = judged(&plain, &root, made() + 1000).unwrap().unwrap();
    let mut unseen = BTreeSet::new();
    for at in 0..plain.len() {
        for bit in 0..8 {
            let mut other = plain.clone();
            other[at] ^= 1 << bit;
            match judged(&other, &root, made() + 1000) {
                // It names another signer, so it is nobody's.
                Err(_) | Ok(None) => {}
                Ok(Some(found)) => {
                    assert_eq!(found, expected);
                    unseen.insert(at);
                }
            }
        }
    }
    // Versions, and the set of digest algorithms.
    assert!(unseen.len() < 20, "{unseen:?}");
}
