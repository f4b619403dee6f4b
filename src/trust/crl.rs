//! Revocation lists of certificate authorities (RFC 5280 §5), as files that are carried in: read, and nothing of them judged.
//!
//! ```text
//! CertificateList   tbsCertList: issuer, thisUpdate, nextUpdate, the revoked (serial number, date, reason), extensions
//!                   signatureAlgorithm, signature by the issuer
//! ```
//!
//! A file is one list in DER, or any number of PEM blocks labelled `X509 CRL`. Read are whole lists of version 2: a delta list, one for other
//! issuers (indirect), one of some reasons alone, and one with a critical extension that is not known, are refused.
//! A list that says which certificates it is for (issuing distribution point, with a name) is held to that ([`Crl::is_for`]).
//!
//! # Limits
//!
//! 32 MiB a file; DER that would be written otherwise is refused.

use std::fmt;
use std::sync::Arc;

use cms::cert::x509::Certificate;
use cms::cert::x509::crl::CertificateList;
use cms::cert::x509::ext::pkix::crl::dp::IssuingDistributionPoint;
use cms::cert::x509::ext::pkix::name::{DistributionPointName, GeneralName};
use cms::cert::x509::ext::pkix::{BasicConstraints, CrlDistributionPoints};
use cms::cert::x509::name::Name;
use der::{Decode, Encode};
use webpki::{CertRevocationList, OwnedCertRevocationList, RevocationReason};

use airtight_keys::strict_json::standard_base64;

/// The most bytes that a file of revocation lists may have.
pub const CRL_LEN_MAX: usize = 32 << 20;

const BEGIN: &str = "-----BEGIN X509 CRL-----";
const END: &str = "-----END X509 CRL-----";

/// Why a file holds no revocation list that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// More bytes than [`CRL_LEN_MAX`].
    #[error("{len} bytes are more than {CRL_LEN_MAX}")]
    TooLarge {
        /// How many there are.
        len: usize,
    },
    /// Text without a PEM block, or one that is not whole.
    #[error("the text holds no whole block between {BEGIN:?} and {END:?}")]
    Pem,
    /// No list of this form.
    #[error("the revocation list is not read: {cause}")]
    Malformed {
        /// What is wrong.
        cause: String,
    },
}

/// A revocation list that was read. A clone shares it.
#[derive(Clone)]
pub struct Crl(Arc<Parts>);

struct Parts {
    der: Vec<u8>,
    list: CertificateList,
    signed: Vec<u8>,
    revoked: CertRevocationList<'static>,
    scope: Option<IssuingDistributionPoint>,
}

/// What a list says of a certificate that it revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// When it was revoked, or when it is said to have become invalid where that is earlier; seconds since the epoch.
    pub since: u64,
    /// The key of the certificate, or of an authority above it, is known or thought to be in other hands.
    pub is_compromised: bool,
}

impl Crl {
    /// Reads the lists of a file: at least one.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn parse(file: &[u8]) -> Result<Vec<Crl>, CrlError> {
        if file.len() > CRL_LEN_MAX {
            return Err(CrlError::TooLarge { len: file.len() });
        }
        // A list in DER begins with a SEQUENCE, and no text does.
        if file.first() == Some(&0x30) {
            return Ok(vec![Crl::from_der(file)?]);
        }
        let text = std::str::from_utf8(file).map_err(|_| CrlError::Pem)?;
        let mut lists = Vec::new();
        let mut block: Option<String> = None;
        for line in text.lines().map(str::trim_end) {
            match (line, &mut block) {
                (BEGIN, None) => block = Some(String::new()),
                (END, Some(base64)) => {
                    lists.push(Crl::from_der(&standard_base64(base64).map_err(|_| CrlError::Pem)?)?);
                    block = None;
                }
                (line, Some(base64)) => base64.push_str(line),
                (_, None) => {}
            }
        }
        if block.is_some() || lists.is_empty() { Err(CrlError::Pem) } else { Ok(lists) }
    }

    fn from_der(der: &[u8]) -> Result<Crl, CrlError> {
        let malformed = |cause: &dyn fmt::Display| CrlError::Malformed { cause: cause.to_string() };
        let list = CertificateList::from_der(der).map_err(|error| malformed(&error))?;
        if list.to_der().map_err(|error| malformed(&error))? != der {
            return Err(malformed(&"it is not in its canonical encoding"));
        }
        let signed = list.tbs_cert_list.to_der().map_err(|error| malformed(&error))?;
        let revoked = OwnedCertRevocationList::from_der(der).map_err(|error| malformed(&error))?;
        let revoked = CertRevocationList::from(revoked);
        let scope = revoked.issuing_distribution_point().map(IssuingDistributionPoint::from_der);
        let scope = scope.transpose().map_err(|error| malformed(&error))?;
        if scope.as_ref().is_some_and(|scope| scope.indirect_crl || scope.only_some_reasons.is_some()) {
            return Err(malformed(&"it is for other issuers, or of some reasons alone"));
        }
        Ok(Crl(Arc::new(Parts { der: der.to_vec(), list, signed, revoked, scope })))
    }

    /// Returns the issuer's name.
    pub fn issuer(&self) -> &Name {
        &self.0.list.tbs_cert_list.issuer
    }

    /// Returns since when it says what it says, seconds since the epoch.
    pub fn this_update(&self) -> u64 {
        self.0.list.tbs_cert_list.this_update.to_unix_duration().as_secs()
    }

    /// Returns by when there will be a newer one, seconds since the epoch.
    pub fn next_update(&self) -> Option<u64> {
        self.0.list.tbs_cert_list.next_update.map(|time| time.to_unix_duration().as_secs())
    }

    /// Returns the bytes that are signed, the algorithm in DER, and the signature.
    pub fn signed(&self) -> (&[u8], Vec<u8>, &[u8]) {
        let algorithm = self.0.list.signature_algorithm.to_der();
        let algorithm = algorithm.expect("invariant: it was written once when the list was read");
        (&self.0.signed, algorithm, self.0.list.signature.raw_bytes())
    }

    /// Tells whether it is for a certificate of its issuer: all are, unless the list says for which (RFC 5280 §6.3.3 (b)(2)).
    pub fn is_for(&self, certificate: &Certificate) -> bool {
        let Some(scope) = &self.0.scope else { return true };
        let tbs = &certificate.tbs_certificate;
        let is_ca = matches!(tbs.get::<BasicConstraints>(), Ok(Some((_, constraints))) if constraints.ca);
        if scope.only_contains_attribute_certs
            || (scope.only_contains_user_certs && is_ca)
            || (scope.only_contains_ca_certs && !is_ca)
        {
            return false;
        }
        let Some(point) = &scope.distribution_point else { return true };
        let ours = uris(point);
        match tbs.get::<CrlDistributionPoints>() {
            Ok(Some((_, points))) => {
                let theirs = points.0.iter().filter_map(|one| one.distribution_point.as_ref()).flat_map(uris);
                theirs.into_iter().any(|uri| ours.contains(&uri))
            }
            // Of a certificate that says nowhere where its list is, the issuer's is the list.
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Looks for a certificate of its issuer.
    ///
    /// # Errors
    /// What is wrong with the list, in words.
    pub fn find(&self, certificate: &Certificate) -> Result<Option<Revoked>, String> {
        let serial = certificate.tbs_certificate.serial_number.as_bytes();
        let found = self.0.revoked.find_serial(serial).map_err(|error| error.to_string())?;
        Ok(found.map(|found| {
            let since = found.invalidity_date.map_or(found.revocation_date, |date| date.min(found.revocation_date));
            let is_compromised = matches!(
                found.reason_code,
                Some(RevocationReason::KeyCompromise | RevocationReason::CaCompromise | RevocationReason::AaCompromise)
            );
            Revoked { since: since.as_secs(), is_compromised }
        }))
    }
}

fn uris(point: &DistributionPointName) -> Vec<&str> {
    let DistributionPointName::FullName(names) = point else { return Vec::new() };
    let mut uris = Vec::new();
    for name in names {
        if let GeneralName::UniformResourceIdentifier(uri) = name {
            uris.push(uri.as_str());
        }
    }
    uris
}

impl PartialEq for Crl {
    fn eq(&self, other: &Crl) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({} {})", self.issuer(), self.this_update())
    }
}
