//! What a certificate must say of itself: extensions that are read stand once and are whole, and an authority may issue.
//!
//! `rustls-webpki` takes an authority's root for what the trusted root says it is and looks at its name and key alone. Here each certificate of a chain,
//! the root among them, must be one that may issue (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12), as sigstore-go asks: nothing passes that it refuses.

use cms::cert::x509::Certificate;
use cms::cert::x509::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
};
use der::Encode;
use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid as _;

use crate::trust::authority::ChainCertificate;

const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
/// What a CA may say critically: key usage, basic constraints, name constraints, extended key usage. Others are not known.
const CRITICAL: [ObjectIdentifier; 4] = [
    ObjectIdentifier::new_unwrap("2.5.29.15"),
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.30"),
    ObjectIdentifier::new_unwrap("2.5.29.37"),
];

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
    let usages = tbs.get::<ExtendedKeyUsage>().map_err(|error| unread("extended key usage", error))?;
    let (key_usage, constraints) = (key_usage.map(|(_, usage)| usage), constraints.map(|(_, constraints)| constraints));
    Ok(Says { key_usage, constraints, usages: usages.map(|(_, usages)| usages) })
}

/// Holds the certificates above a signer's, the root last, to what lets each issue the one before it, for `usage`.
///
/// # Errors
/// In words.
pub(super) fn check(above: &[&ChainCertificate], usage: ObjectIdentifier) -> Result<(), String> {
    for (below, one) in above.iter().enumerate() {
        may_issue(&one.certificate, below, usage)
            .map_err(|cause| format!("{}: {cause}", one.certificate.tbs_certificate.subject))?;
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
