//! Step 8 for a certificate: at every proven time it was valid, for signing code, and leads to an authority of the trusted root.
//!
//! A certificate of Fulcio's kind lives for ten minutes, so all rests on when the signature was there. Proven is the time that a log signed for, and
//! that of a time stamp; the time it states and the end of its accuracy must lie inside. Every proven time must fit, not one of them. Where nothing proves a time,
//! nothing can be said. Revocation is asked for where lists are given: nobody revokes certificates that live for minutes, and others live longer.

use der::asn1::ObjectIdentifier;

use airtight_log::digest::Sha256Digest;

use crate::trust::authority::{Authority, ChainCertificate};

use super::certificate::{Identity, SigningCertificate};
use super::path::{self, PathRefusal};
use super::revocation::{self, Covering};
use super::{Input, Memory, Refusal, sct};

/// id-kp-codeSigning, 1.3.6.1.5.5.7.3.3, without tag and length, as paths are asked for it.
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
const CODE_SIGNING_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");

/// What a certificate establishes, after every step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Whom it names, and what it says of the holder.
    pub identity: Identity,
    /// What the trusted root calls the authority: a label.
    pub authority: String,
    /// From when on it is valid, seconds since the epoch, inclusive.
    pub not_before: u64,
    /// Up to when it is valid, seconds since the epoch, inclusive.
    pub not_after: u64,
    /// SHA-256 of the certificate.
    pub digest: Sha256Digest,
    /// The certificate transparency logs that promised to have it: labels.
    pub ct_logs: Vec<String>,
    /// The revocation lists that cover the certificate and those above it, in that order; `None` where none was asked for.
    pub revocation: Option<Vec<Covering>>,
    /// Whether a name was asked for; otherwise any would have passed.
    pub name_asked: bool,
    /// Whether an issuer was asked for; otherwise any would have passed.
    pub issuer_asked: bool,
}

/// Judges a certificate at the proven times.
pub(super) fn check(
    certificate: &SigningCertificate,
    times: &[u64],
    input: &Input<'_>,
    memory: &Memory,
) -> Result<Certified, Refusal> {
    let Some((first, rest)) = times.split_first() else { return Err(Refusal::CertificateTime {}) };
    check_usage(certificate)?;
    let tbs = &certificate.x509.tbs_certificate;
    let authorities = input.trusted_root.certificate_authorities();
    let issued = |above: &&ChainCertificate| above.certificate.tbs_certificate.subject == tbs.issuer;
    let mut refused = None;
    for authority in authorities {
        let Some(issuer) = authority.above().iter().find(issued) else { continue };
        let path = match along(certificate, authority, (*first, rest), memory) {
            Ok(path) => path,
            Err(refusal) => {
                refused.get_or_insert(refusal);
                continue;
            }
        };
        let ct_logs =
            sct::check(&certificate.x509, &issuer.certificate, input.trusted_root, input.policy.scts, input.now)?;
        let crls = input.policy.crls.as_deref();
        let covered = |crls| revocation::check(&certificate.x509, &path, crls, times, input.now, memory);
        let revocation = crls.map(covered).transpose()?;
        let (not_before, not_after) = certificate.validity();
        let (rule, is_named) = (input.policy.identity.as_ref(), !input.policy.identities.is_empty());
        return Ok(Certified {
            identity: certificate.identity.clone(),
            authority: authority.name().to_owned(),
            not_before,
            not_after,
            digest: certificate.digest(),
            ct_logs,
            revocation,
            name_asked: is_named || rule.is_some_and(|rule| rule.name.is_some()),
            issuer_asked: is_named || rule.is_some_and(|rule| rule.issuer.is_some()),
        });
    }
    let unknown =
        || Refusal::CertificateAuthority { issuer: tbs.issuer.to_string(), known: authorities.len(), time: *first };
    Err(refused.unwrap_or_else(unknown))
}

fn check_usage(certificate: &SigningCertificate) -> Result<(), Refusal> {
    let says = &certificate.says;
    if says.key_usage.is_some_and(|usage| !usage.digital_signature()) {
        return Err(Refusal::CertificateUsage { found: "a key that is not for signatures".to_owned() });
    }
    let found = match &says.usages {
        Some(usage) if usage.0.contains(&CODE_SIGNING_OID) => return Ok(()),
        Some(usage) => usage.0.iter().map(ObjectIdentifier::to_string).collect::<Vec<_>>().join(", "),
        None => "nothing it says".to_owned(),
    };
    Err(Refusal::CertificateUsage { found })
}

/// Follows a certificate to an authority's root, and asks for the validity of all on the way at each of the proven times.
fn along<'a>(
    certificate: &SigningCertificate,
    authority: &'a Authority,
    (first, rest): (u64, &[u64]),
    memory: &Memory,
) -> Result<Vec<&'a ChainCertificate>, Refusal> {
    let SigningCertificate { der, x509, .. } = certificate;
    let path = path::check(der, x509, authority, first, CODE_SIGNING, memory);
    let path = path.map_err(|refusal| refused_at(refusal, authority, first))?;
    for time in rest {
        path::check_validity(x509, authority, *time).map_err(|refusal| refused_at(refusal, authority, *time))?;
    }
    Ok(path)
}

fn refused_at(refusal: PathRefusal, authority: &Authority, time: u64) -> Refusal {
    let name = || authority.name().to_owned();
    match refusal {
        PathRefusal::CertificateValidity { subject, start, end } => {
            Refusal::CertificateValidity { subject, start, end, time }
        }
        PathRefusal::AuthorityValidity { validity } => {
            Refusal::CertificateAuthorityValidity { authority: name(), validity, time }
        }
        PathRefusal::Chain { cause } => Refusal::CertificateChain { authority: name(), cause },
    }
}
