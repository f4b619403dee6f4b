//! The way from a certificate to an authority of the trusted root, at a proven time: one for signers and for time stamps.
//!
//! The chain is the authority's own; certificates that a bundle carries are no part of it. Each certificate of the chain, the root among them,
//! and the authority itself must be valid at the time. What each says of itself is read in `issuing`;
//! signatures, names, constraints and usages are `rustls-webpki`'s.

use std::time::Duration;

use cms::cert::x509::Certificate;
use der::asn1::ObjectIdentifier;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::trust::Validity;
use crate::trust::authority::{Authority, ChainCertificate};

use super::certificate::validity;
use super::{Memory, issuing};

/// Why a certificate does not lead to an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathRefusal {
    /// A certificate was not valid at the time.
    CertificateValidity { subject: String, start: u64, end: u64 },
    /// The authority was not believed at the time.
    AuthorityValidity { validity: Validity },
    /// A signature, a name or a constraint does not hold.
    Chain { cause: String },
}

/// Asks whether a certificate, those above it and the authority were valid at `time`. Nothing else of a path depends on the time: [`check`] is asked once, and
/// this for each further time.
pub(super) fn check_validity(certificate: &Certificate, authority: &Authority, time: u64) -> Result<(), PathRefusal> {
    for one in std::iter::once(certificate).chain(authority.above().iter().map(|above| &above.certificate)) {
        let (start, end) = validity(one);
        if time < start || time > end {
            return Err(PathRefusal::CertificateValidity { subject: subject(one), start, end });
        }
    }
    let validity = authority.validity();
    if time < validity.start || validity.end.is_some_and(|end| time > end) {
        return Err(PathRefusal::AuthorityValidity { validity });
    }
    Ok(())
}

/// Follows a certificate to the authority's root at `time`; `usage` is what it must say that it is for. Returns those above it: its issuer first, the root last.
pub(super) fn check<'a>(
    der: &[u8],
    certificate: &Certificate,
    authority: &'a Authority,
    time: u64,
    usage: &'static [u8],
    memory: &Memory,
) -> Result<Vec<&'a ChainCertificate>, PathRefusal> {
    check_validity(certificate, authority, time)?;
    let refused = |cause: &dyn std::fmt::Display| PathRefusal::Chain { cause: cause.to_string() };
    let der = CertificateDer::from(der);
    let end = EndEntityCert::try_from(&der).map_err(|error| refused(&error))?;
    let above: Vec<CertificateDer<'_>> =
        authority.above().iter().map(|above| CertificateDer::from(above.der.as_slice())).collect();
    let Some((root, between)) = above.split_last() else { return Err(refused(&"the chain is empty")) };
    let anchors = [anchor_from_trusted_cert(root).map_err(|error| refused(&error))?];
    let moment = UnixTime::since_unix_epoch(Duration::from_secs(time));
    // Asked of the certificate by who calls this; where a CA says what it is for, this must be among it.
    let required = KeyUsage::required_if_present(usage);
    let known = memory.signatures.algorithms();
    let known: Vec<&dyn SignatureVerificationAlgorithm> = known.iter().map(|one| one as _).collect();
    let path = end.verify_for_usage(&known, &anchors, between, moment, required, None, None);
    let path = path.map_err(|error| refused(&error))?;
    let used = |der: CertificateDer<'_>| {
        let found = authority.above().iter().find(|above| above.der == der.as_ref());
        found.expect("invariant: a path is made of the certificates that were given")
    };
    let above: Vec<_> =
        path.intermediate_certificates().map(|one| used(one.der())).chain(authority.above().last()).collect();
    let usage = ObjectIdentifier::from_bytes(usage).map_err(|error| refused(&error))?;
    issuing::check(certificate, &above, usage).map_err(|cause| refused(&cause))?;
    Ok(above)
}

/// Returns the subject's name, or for one without a name its serial number.
pub(super) fn subject(certificate: &Certificate) -> String {
    let name = certificate.tbs_certificate.subject.to_string();
    if name.is_empty() { format!("serial {}", certificate.tbs_certificate.serial_number) } else { name }
}
