//! Certificates of signers: read in step 2, where they say whose key it is; judged in step 8, where a time is proven.
//!
//! A certificate of Fulcio's kind is X.509 v3 in DER. It names its holder once, as subject alternative name (a URI, an email address, or Fulcio's
//! other name), and says in extensions under 1.3.6.1.4.1.57264.1 who vouched for the holder and what was running ([`CLAIMS`]). The older claims are
//! bytes of text, those from 8 on a DER UTF8String.
//!
//! Stricter than the stock clients: more than one subject alternative name is refused, for they compare one and a person may read the other; so are
//! two issuers that differ, an extension that stands there twice, a name that is empty, a URI in another spelling than Go's (`uri`), and DER that
//! would be written otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cms::cert::x509::Certificate;
use cms::cert::x509::ext::pkix::name::GeneralName;
use cms::cert::x509::ext::pkix::{NameConstraints, SubjectAltName};
use cms::cert::x509::time::Time;
use der::asn1::{ObjectIdentifier, Utf8StringRef};
use der::{Decode, Encode};

use airtight_keys::verifier::VerifierKey;
use airtight_log::digest::{Sha256Digest, sha256};

use crate::bundle::sets::{MEMBERS_MAX, has_long_set};
use crate::policy::identity::CLAIMS;
use crate::trust::form::Says;
use crate::trust::uri;

use super::Refusal;
use super::issuing;

/// What Fulcio's claims stand under, each with one number more.
const FULCIO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1");
const ISSUER: u8 = 1;
const ISSUER_V2: u8 = 8;
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// The name of a holder, as the certificate has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A URI, as of a workflow.
    Uri(String),
    /// An email address.
    Email(String),
    /// Fulcio's other name (1.3.6.1.4.1.57264.1.7), as of a user without an address.
    Other(String),
}

impl Name {
    /// Returns the name itself.
    pub fn text(&self) -> &str {
        match self {
            Name::Uri(text) | Name::Email(text) | Name::Other(text) => text,
        }
    }

    /// Returns what kind of name it is: `uri`, `email` or `other`.
    pub fn kind(&self) -> &'static str {
        match self {
            Name::Uri(_) => "uri",
            Name::Email(_) => "email",
            Name::Other(_) => "other",
        }
    }
}

/// What a certificate says; whether it is to be believed, step 8 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The holder.
    pub name: Name,
    /// Who vouched for the holder, a URL; `None` where the certificate does not say.
    pub issuer: Option<String>,
    /// The claims of [`CLAIMS`] that the certificate has, in that order.
    pub claims: Vec<(&'static str, String)>,
}

/// A certificate that was read.
#[derive(Debug)]
pub(super) struct SigningCertificate {
    pub(super) der: Vec<u8>,
    pub(super) x509: Certificate,
    pub(super) says: Says,
    pub(super) key: VerifierKey,
    pub(super) identity: Identity,
}

impl SigningCertificate {
    pub(super) fn read(der: &[u8]) -> Result<SigningCertificate, Refusal> {
        let malformed = |cause: &dyn std::fmt::Display| Refusal::CertificateMalformed { cause: cause.to_string() };
        if has_long_set(der) {
            return Err(malformed(&format_args!("a set in it has more than {MEMBERS_MAX} members")));
        }
        let x509 = Certificate::from_der(der).map_err(|error| malformed(&error))?;
        if x509.to_der().map_err(|error| malformed(&error))? != der {
            return Err(malformed(&"it is not in its canonical encoding"));
        }
        let tbs = &x509.tbs_certificate;
        let says = issuing::read(&x509).map_err(|cause| malformed(&cause))?;
        if tbs.get::<NameConstraints>().map_err(|error| malformed(&error))?.is_some() {
            return Err(malformed(&"it has name constraints, which are for authorities"));
        }
        // RFC 5280 §4.1.2.5. sigstore-go writes the certificate again to see its promises, with the shorter form.
        let is_early = |time: Time| matches!(time, Time::GeneralTime(time) if time.to_date_time().year() < 2050);
        if is_early(tbs.validity.not_before) || is_early(tbs.validity.not_after) {
            return Err(malformed(&"a time before 2050 has the longer form"));
        }
        let spki = tbs.subject_public_key_info.to_der().map_err(|error| malformed(&error))?;
        let key = VerifierKey::from_spki_der(&spki).map_err(|cause| Refusal::CertificateKey { cause })?;
        let identity = Identity { name: name(&x509)?, issuer: issuer(&x509)?, claims: claims(&x509)? };
        Ok(SigningCertificate { der: der.to_vec(), x509, says, key, identity })
    }

    /// Returns the PEM as Go writes it, lines of 64, which entries of Rekor v1 hold.
    pub(super) fn pem(&self) -> String {
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let base64 = STANDARD.encode(&self.der);
        for start in (0..base64.len()).step_by(64) {
            pem.push_str(&base64[start..base64.len().min(start + 64)]);
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
    }

    /// Returns the SHA-256 of the DER.
    pub(super) fn digest(&self) -> Sha256Digest {
        sha256(&self.der)
    }

    /// Returns the seconds from which on and up to which it is valid, both inclusive.
    pub(super) fn validity(&self) -> (u64, u64) {
        validity(&self.x509)
    }
}

/// Returns the seconds from which on and up to which a certificate is valid, both inclusive.
pub(super) fn validity(certificate: &Certificate) -> (u64, u64) {
    let validity = certificate.tbs_certificate.validity;
    (validity.not_before.to_unix_duration().as_secs(), validity.not_after.to_unix_duration().as_secs())
}

fn name(certificate: &Certificate) -> Result<Name, Refusal> {
    let names = match certificate.tbs_certificate.get::<SubjectAltName>() {
        Ok(Some((_, SubjectAltName(names)))) => names,
        Ok(None) => return Err(Refusal::IdentityMissing {}),
        Err(error) => return Err(Refusal::CertificateMalformed { cause: error.to_string() }),
    };
    let [name] = names.as_slice() else { return Err(Refusal::IdentityAmbiguous { names: names.len() }) };
    let name = match name {
        GeneralName::UniformResourceIdentifier(uri) => Ok(Name::Uri(uri.as_str().to_owned())),
        GeneralName::Rfc822Name(email) => Ok(Name::Email(email.as_str().to_owned())),
        GeneralName::OtherName(other) if other.type_id == OTHER_NAME => {
            let text = other.value.decode_as::<Utf8StringRef<'_>>();
            text.map(|text| Name::Other(text.as_str().to_owned()))
                .map_err(|error| Refusal::CertificateMalformed { cause: error.to_string() })
        }
        _ => Err(Refusal::IdentityMissing {}),
    }?;
    match &name {
        empty if empty.text().is_empty() => Err(Refusal::IdentityMissing {}),
        Name::Uri(text) if !uri::is_plain(text) => {
            Err(Refusal::CertificateMalformed { cause: format!("{text:?} is no URI, or not in its one spelling") })
        }
        _ => Ok(name),
    }
}

fn issuer(certificate: &Certificate) -> Result<Option<String>, Refusal> {
    let (older, newer) = (claim(certificate, ISSUER, false)?, claim(certificate, ISSUER_V2, true)?);
    match (older, newer) {
        (Some(older), Some(newer)) if older != newer => Err(Refusal::IdentityIssuers { older, newer }),
        (older, newer) => Ok(newer.or(older)),
    }
}

fn claims(certificate: &Certificate) -> Result<Vec<(&'static str, String)>, Refusal> {
    let mut claims = Vec::new();
    for (number, name, is_der) in CLAIMS {
        if let Some(value) = claim(certificate, number, is_der)? {
            claims.push((name, value));
        }
    }
    Ok(claims)
}

fn claim(certificate: &Certificate, number: u8, is_der: bool) -> Result<Option<String>, Refusal> {
    let extensions = certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
    // A number below 128 is one byte.
    let is_it = |oid: &ObjectIdentifier| oid.as_bytes().strip_prefix(FULCIO.as_bytes()) == Some(&[number]);
    let Some(extension) = extensions.iter().find(|extension| is_it(&extension.extn_id)) else { return Ok(None) };
    let value = extension.extn_value.as_bytes();
    let text = if is_der {
        Utf8StringRef::from_der(value).map(|text| text.as_str().to_owned()).map_err(|error| error.to_string())
    } else {
        std::str::from_utf8(value).map(str::to_owned).map_err(|error| error.to_string())
    };
    let oid = extension.extn_id;
    text.map(Some).map_err(|cause| Refusal::CertificateMalformed { cause: format!("extension {oid}: {cause}") })
}
