//! Step 8 for a certificate, where revocation lists are asked for: no certificate on its way to the root was revoked when the signature was there.
//!
//! Each certificate below the root must be covered by a list of its issuer: one that the issuer signed, that is for such certificates, and that
//! was made no earlier than the last proven time, so that it would know. A certificate is refused
//!
//! | where a list of its issuer revokes it | code |
//! |---|---|
//! | at or before a proven time, or as invalid since then | `certificate_revoked` |
//! | at any time, because a key is in other hands: its holder may have signed before | `certificate_revoked` |
//!
//! One that was revoked later, for another reason, was good when it signed; the report says that it was revoked. A list that is older than the
//! proven times covers nothing, and what it revokes is revoked all the same. A list whose next one is due covers what it covers: the proven time
//! lies before it, and the report says that it has ended. Lists of other issuers are passed over.

use cms::cert::x509::Certificate;
use cms::cert::x509::ext::pkix::{KeyUsage, KeyUsages};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm as _};
use webpki::EndEntityCert;

use crate::trust::authority::ChainCertificate;
use crate::trust::crl::Crl;

use super::path::subject;
use super::{Memory, Refusal, SKEW_S};

/// A revocation list that covers a certificate of the way to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covering {
    /// Who made it.
    pub issuer: String,
    /// Since when it says what it says, seconds since the epoch.
    pub this_update: u64,
    /// By when there will be a newer one, seconds since the epoch.
    pub next_update: Option<u64>,
    /// Whether that is past.
    pub is_ended: bool,
    /// Whether it revokes the certificate after all proven times.
    pub revoked_later: Option<u64>,
}

/// Judges a certificate and those between it and the root; `issuers` are those above it, the root last. `times` are the proven ones, never empty.
pub(super) fn check(
    certificate: &Certificate,
    issuers: &[&ChainCertificate],
    crls: &[Crl],
    times: &[u64],
    now: u64,
    memory: &Memory,
) -> Result<Vec<Covering>, Refusal> {
    let last = times.iter().copied().max().unwrap_or_default();
    let below = std::iter::once(certificate).chain(issuers.iter().map(|issuer| &issuer.certificate));
    let mut covering = Vec::with_capacity(issuers.len());
    for (certificate, issuer) in below.zip(issuers) {
        covering.push(check_one(certificate, issuer, crls, (last, now), memory)?);
    }
    Ok(covering)
}

fn check_one(
    certificate: &Certificate,
    issuer: &ChainCertificate,
    crls: &[Crl],
    (last, now): (u64, u64),
    memory: &Memory,
) -> Result<Covering, Refusal> {
    let name = issuer.certificate.tbs_certificate.subject.to_string();
    let invalid = |cause: String| Refusal::CertificateCrl { issuer: name.clone(), cause };
    let is_of_issuer = |crl: &&Crl| *crl.issuer() == issuer.certificate.tbs_certificate.subject;
    let (mut lists, mut covering, mut revoked_later) = (0, None::<&Crl>, None);
    for crl in crls.iter().filter(is_of_issuer).filter(|crl| crl.is_for(certificate)) {
        lists += 1;
        check_signature(crl, issuer, memory).map_err(&invalid)?;
        if crl.this_update() > now.saturating_add(SKEW_S) {
            return Err(invalid(format!("it is of {}, after now, {now}", crl.this_update())));
        }
        if let Some(revoked) = crl.find(certificate).map_err(&invalid)? {
            if revoked.is_compromised || revoked.since <= last {
                let (subject, since, because) = (subject(certificate), revoked.since, reason(revoked.is_compromised));
                return Err(Refusal::CertificateRevoked { subject, since, time: last, because });
            }
            revoked_later = Some(revoked.since);
        }
        if crl.this_update() >= last && covering.is_none_or(|before| before.this_update() < crl.this_update()) {
            covering = Some(crl);
        }
    }
    let Some(crl) = covering else {
        return Err(Refusal::CertificateUncovered { subject: subject(certificate), issuer: name, lists, time: last });
    };
    let (this_update, next_update) = (crl.this_update(), crl.next_update());
    let is_ended = next_update.is_some_and(|next| next < now);
    Ok(Covering { issuer: name, this_update, next_update, is_ended, revoked_later })
}

fn reason(is_compromised: bool) -> &'static str {
    if is_compromised { ", because a key is in other hands" } else { "" }
}

/// Checks that the issuer signed the list, and may sign lists.
fn check_signature(crl: &Crl, issuer: &ChainCertificate, memory: &Memory) -> Result<(), String> {
    match issuer.certificate.tbs_certificate.get::<KeyUsage>() {
        Ok(Some((_, KeyUsage(usages)))) if !usages.contains(KeyUsages::CRLSign) => {
            return Err("its issuer's certificate is not for signing revocation lists".to_owned());
        }
        Ok(_) => {}
        Err(error) => return Err(error.to_string()),
    }
    let der = CertificateDer::from(issuer.der.as_slice());
    let key = EndEntityCert::try_from(&der).map_err(|error| error.to_string())?;
    let (signed, algorithm, signature) = crl.signed();
    // What stands inside the outer SEQUENCE, whose length takes one byte.
    let algorithm = algorithm.get(2..).unwrap_or_default();
    let known = memory.signatures.algorithms();
    let mut known = known.iter().filter(|known| *known.signature_alg_id() == *algorithm).peekable();
    if known.peek().is_none() {
        return Err("it is signed by an algorithm that is not used here".to_owned());
    }
    match known.any(|known| key.verify_signature(known, signed, signature).is_ok()) {
        true => Ok(()),
        false => Err("its issuer did not sign it".to_owned()),
    }
}
