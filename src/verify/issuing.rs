//! What a certificate must say of itself: extensions that are read stand once and are whole, and an authority may issue.
//!
//! `rustls-webpki` takes an authority's root for what the trusted root says it is and looks at its name and key alone. Here each certificate of a chain,
//! the root among them, must be one that may issue (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12), as sigstore-go asks: nothing passes that it refuses.

use cms::cert::x509::ext::pkix::PolicyConstraints;
use cms::cert::x509::{Certificate, Version};
use der::asn1::ObjectIdentifier;

use crate::trust::authority::ChainCertificate;
use crate::trust::constraints;
use crate::trust::form::{self, Says};

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

/// Reads the extensions of RFC 5280 that certificates of signers and authorities have.
///
/// # Errors
/// In words: one is not of its form, or asks for what nobody here does.
pub(super) fn read(certificate: &Certificate) -> Result<Says, String> {
    let says = form::read(certificate)?;
    let tbs = &certificate.tbs_certificate;
    let extensions = tbs.extensions.as_deref().unwrap_or_default();
    if extensions.iter().any(|one| RESOURCES.contains(&one.extn_id)) {
        return Err("it is for addresses and routes of the network".to_owned());
    }
    let asked =
        tbs.get::<PolicyConstraints>().map_err(|error| format!("its policy constraints are not read: {error}"))?;
    if asked.is_some_and(|(_, asked)| asked.require_explicit_policy.is_some()) {
        return Err("it asks for a certificate policy, and none are followed".to_owned());
    }
    Ok(says)
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
    form::check(certificate)?;
    read(certificate)?;
    constraints::has_any(certificate)?;
    if certificate.tbs_certificate.version != Version::V3 {
        return Err("it is not of version 3".to_owned());
    }
    Ok(())
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
