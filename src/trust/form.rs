//! Certificates in the form in which every client reads them (RFC 5280, §4.1 and §4.2): asked of each that an authority of a trusted root has, whether a
//! bundle needs it or not, of a signer's, and of those that come with a time stamp.
//!
//! sigstore-go reads all of a trusted root before it judges, and refuses the whole file for one certificate that Go's `crypto/x509` does not read. Nothing
//! here rests on most of it; what an authority may do is asked where it is used.

use std::collections::BTreeSet;

use cms::cert::x509::Certificate;
use cms::cert::x509::ext::pkix::crl::dp::DistributionPoint;
use cms::cert::x509::ext::pkix::name::{DistributionPointName, GeneralName};
use cms::cert::x509::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlDistributionPoints,
    ExtendedKeyUsage, InhibitAnyPolicy, KeyUsage, PolicyConstraints, PolicyMappings, SubjectAltName,
    SubjectInfoAccessSyntax, SubjectKeyIdentifier,
};
use der::Encode;
use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid as _;

use airtight_keys::verifier::VerifierKey;

use super::{constraints, names, uri};

/// Kinds of keys that Go reads with a certificate, and refuses it for: elliptic curves, RSA, Ed25519, X25519, DSA. Of these the first three are read here;
/// the key of another kind is nobody's business until something rests on it.
const KEYS: [ObjectIdentifier; 5] = [
    ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
    ObjectIdentifier::new_unwrap("1.3.101.112"),
    ObjectIdentifier::new_unwrap("1.3.101.110"),
    ObjectIdentifier::new_unwrap("1.2.840.10040.4.1"),
];

/// What a certificate says of its own use.
#[derive(Debug)]
pub(crate) struct Says {
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) constraints: Option<BasicConstraints>,
    pub(crate) usages: Option<ExtendedKeyUsage>,
}

/// Reads the extensions of RFC 5280 that certificates of signers and authorities have.
///
/// # Errors
/// In words: one stands there twice, or is not of its form to its last byte.
pub(crate) fn read(certificate: &Certificate) -> Result<Says, String> {
    let tbs = &certificate.tbs_certificate;
    let extensions = tbs.extensions.as_deref().unwrap_or_default();
    // Sorted, and not each held to each: nobody vouches yet for a certificate that may have as many as it has bytes for.
    let mut ids: Vec<&ObjectIdentifier> = extensions.iter().map(|one| &one.extn_id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("an extension stands there twice".to_owned());
    }
    let unread = |name: &str, error: der::Error| format!("its {name} is not read: {error}");
    tbs.get::<SubjectKeyIdentifier>().map_err(|error| unread("subject key identifier", error))?;
    tbs.get::<AuthorityKeyIdentifier>().map_err(|error| unread("authority key identifier", error))?;
    let key_usage = tbs.get::<KeyUsage>().map_err(|error| unread("key usage", error))?;
    if let Some((_, usage)) = &key_usage {
        // The crate does not look at the bits behind the last.
        let written = usage.to_der().map_err(|error| unread("key usage", error))?;
        if !extensions.iter().any(|one| one.extn_id == KeyUsage::OID && one.extn_value.as_bytes() == written) {
            return Err("its key usage is not in its canonical encoding".to_owned());
        }
    }
    let constraints = tbs.get::<BasicConstraints>().map_err(|error| unread("basic constraints", error))?;
    // Nothing here rests on those, but the other clients read them: what is none of them, they refuse.
    names::check(&tbs.issuer)?;
    names::check(&tbs.subject)?;
    if tbs.serial_number.as_bytes().first().is_some_and(|first| *first >= 0x80) {
        return Err("its serial number is negative".to_owned());
    }
    let access = tbs.get::<AuthorityInfoAccessSyntax>();
    let access = access.map_err(|error| unread("authority information access", error))?;
    let offered = tbs.get::<SubjectInfoAccessSyntax>();
    let offered = offered.map_err(|error| unread("subject information access", error))?;
    if access.is_some_and(|(_, ways)| ways.0.is_empty()) || offered.is_some_and(|(_, ways)| ways.0.is_empty()) {
        return Err("its information access is empty".to_owned());
    }
    let lists = tbs.get::<CrlDistributionPoints>();
    let lists = lists.map_err(|error| unread("list of places of revocation lists", error))?;
    let is_relative = |one: &DistributionPoint| {
        matches!(one.distribution_point, Some(DistributionPointName::NameRelativeToCRLIssuer(_)))
    };
    if lists.is_some_and(|(_, CrlDistributionPoints(places))| places.iter().any(is_relative)) {
        return Err("a place of revocation lists is named relative to another".to_owned());
    }
    tbs.get::<PolicyMappings>().map_err(|error| unread("policy mappings", error))?;
    tbs.get::<PolicyConstraints>().map_err(|error| unread("policy constraints", error))?;
    tbs.get::<InhibitAnyPolicy>().map_err(|error| unread("inhibit-any-policy", error))?;
    let policies = tbs.get::<CertificatePolicies>().map_err(|error| unread("certificate policies", error))?;
    if let Some((_, CertificatePolicies(policies))) = &policies {
        let distinct: BTreeSet<&ObjectIdentifier> = policies.iter().map(|one| &one.policy_identifier).collect();
        if distinct.len() < policies.len() {
            return Err("a certificate policy stands there twice".to_owned());
        }
    }
    let usages = tbs.get::<ExtendedKeyUsage>().map_err(|error| unread("extended key usage", error))?;
    let (key_usage, constraints) = (key_usage.map(|(_, usage)| usage), constraints.map(|(_, constraints)| constraints));
    Ok(Says { key_usage, constraints, usages: usages.map(|(_, usages)| usages) })
}

/// Holds all of a certificate to its form: what [`read`] reads, its key, its alternative names, its name constraints.
///
/// # Errors
/// In words.
pub(crate) fn check(certificate: &Certificate) -> Result<(), String> {
    read(certificate)?;
    constraints::check_form(certificate)?;
    let tbs = &certificate.tbs_certificate;
    if tbs.signature != certificate.signature_algorithm {
        return Err("it states two algorithms".to_owned());
    }
    let key = &tbs.subject_public_key_info;
    if KEYS.contains(&key.algorithm.oid) {
        let spki = key.to_der().map_err(|error| format!("its key is not read: {error}"))?;
        VerifierKey::from_spki_der(&spki).map_err(|error| format!("its key is not read: {error}"))?;
    }
    let names = tbs.get::<SubjectAltName>().map_err(|error| format!("its alternative names are not read: {error}"))?;
    let is_of_its_form = |name: &GeneralName| match name {
        GeneralName::UniformResourceIdentifier(name) => uri::is_plain(name.as_str()),
        GeneralName::IpAddress(address) => matches!(address.as_bytes().len(), 4 | 16),
        _ => true,
    };
    match names.iter().flat_map(|(_, SubjectAltName(names))| names).all(is_of_its_form) {
        true => Ok(()),
        false => Err("an alternative name of it is not of its form".to_owned()),
    }
}
