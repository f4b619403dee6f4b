//! What a certificate must say of itself: extensions that are read stand once and are whole, and an authority may issue.
//!
//! `rustls-webpki` takes an authority's root for what the trusted root says it is and looks at its name and key alone. Here each certificate of a chain,
//! the root among them, must be one that may issue (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12), as sigstore-go asks: nothing passes that it refuses.

use std::collections::BTreeSet;

use cms::cert::x509::ext::pkix::crl::dp::DistributionPoint;
use cms::cert::x509::ext::pkix::name::{DistributionPointName, GeneralName};
use cms::cert::x509::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlDistributionPoints,
    ExtendedKeyUsage, InhibitAnyPolicy, KeyUsage, PolicyConstraints, PolicyMappings, SubjectAltName,
    SubjectInfoAccessSyntax, SubjectKeyIdentifier,
};
use cms::cert::x509::{Certificate, Version};
use der::Encode;
use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid as _;

use crate::trust::authority::ChainCertificate;

use super::{constraints, names, uri};

const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
/// What a CA may say critically: key usage, basic constraints, name constraints, extended key usage. Others are not known.
const CRITICAL: [ObjectIdentifier; 4] = [
    ObjectIdentifier::new_unwrap("2.5.29.15"),
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.30"),
    ObjectIdentifier::new_unwrap("2.5.29.37"),
];

/// RFC 3779: addresses, and numbers of autonomous systems.
const RESOURCES: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.7"), ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.8")];

/// What a certificate says of its own use.
#[derive(Debug)]
pub(super) struct Says {
    pub(super) key_usage: Option<KeyUsage>,
    constraints: Option<BasicConstraints>,
    pub(super) usages: Option<ExtendedKeyUsage>,
}

/// Reads the extensions of RFC 5280 that certificates of signers and authorities have.
///
/// # Errors
/// In words: one stands there twice, or is not of its form to its last byte.
pub(super) fn read(certificate: &Certificate) -> Result<Says, String> {
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
    if extensions.iter().any(|one| RESOURCES.contains(&one.extn_id)) {
        return Err("it is for addresses and routes of the network".to_owned());
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
    let asked = tbs.get::<PolicyConstraints>().map_err(|error| unread("policy constraints", error))?;
    if asked.is_some_and(|(_, asked)| asked.require_explicit_policy.is_some()) {
        return Err("it asks for a certificate policy, and none are followed".to_owned());
    }
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

/// Holds the certificates above a holder's, the root last, to what lets each issue the one before it, for `usage`.
///
/// # Errors
/// In words.
pub(super) fn check(holder: &Certificate, above: &[&ChainCertificate], usage: ObjectIdentifier) -> Result<(), String> {
    let mut is_constrained = false;
    for (below, one) in above.iter().enumerate() {
        let refused = |cause: String| format!("{}: {cause}", one.certificate.tbs_certificate.subject);
        may_issue(&one.certificate, below, usage).map_err(refused)?;
        is_constrained |= constraints::has_any(&one.certificate).map_err(refused)?;
    }
    if is_constrained { constraints::check_holder(holder) } else { Ok(()) }
}

/// Holds a certificate that is carried along, and that nothing here rests on, to the form in which the other clients read it: they read all that is carried.
///
/// # Errors
/// In words.
pub(super) fn check_carried(certificate: &Certificate) -> Result<(), String> {
    read(certificate)?;
    constraints::has_any(certificate)?;
    let tbs = &certificate.tbs_certificate;
    if tbs.version != Version::V3 || tbs.signature != certificate.signature_algorithm {
        return Err("it is not of version 3, or states two algorithms".to_owned());
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

/// `below` counts the authorities between this certificate and the signer's.
fn may_issue(certificate: &Certificate, below: usize, usage: ObjectIdentifier) -> Result<(), String> {
    let Says { key_usage, constraints, usages } = read(certificate)?;
    let extensions = certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
    if let Some(one) = extensions.iter().find(|one| one.critical && !CRITICAL.contains(&one.extn_id)) {
        return Err(format!("its extension {} is critical, and not known", one.extn_id));
    }
    let Some(constraints) = constraints.filter(|constraints| constraints.ca) else {
        return Err("it does not say that it is an authority".to_owned());
    };
    if let Some(len) = constraints.path_len_constraint.filter(|len| below > usize::from(*len)) {
        return Err(format!("{below} authorities stand below it, and it allows {len}"));
    }
    if key_usage.is_some_and(|usage| !usage.key_cert_sign()) {
        return Err("its key is not for signing certificates".to_owned());
    }
    if usages.is_some_and(|usages| !usages.0.iter().any(|one| *one == usage || *one == ANY_USAGE)) {
        return Err(format!("its extended key usage does not have {usage}"));
    }
    Ok(())
}
