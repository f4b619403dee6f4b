//! Authorities that are believed: `timestampAuthorities` and `certificateAuthorities` of a trusted root, in one form.
//!
//! ```text
//! {"subject":{"organization":"site.example","commonName":"tsa"},"uri":"https://tsa.site.example",
//!  "certChain":{"certificates":[{"rawBytes":"<base64 DER>"},…]},
//!  "validFor":{"start":"2024-01-01T00:00:00Z","end":"2027-01-01T00:00:00Z"}}
//! ```
//!
//! The chain has the signer's own certificate first and the root last. Where its first certificate is that of another
//! authority (a CA), the chain names no signer, and one comes with each token. `validFor` has both ends inclusive; without a
//! start or an end it is open there, as sigstore-go reads it.
//!
//! # Limits
//!
//! At most eight certificates a chain, each X.509 v3 in DER and of its form (`form`), whether a bundle needs it or not.

use std::borrow::Cow;

use cms::cert::x509::Certificate;
use cms::cert::x509::ext::pkix::BasicConstraints;
use der::Decode;
use serde::Deserialize;

use airtight_keys::strict_json::{self, Object, StrictJsonError};

use super::{Rounding, Text, TrustError, Validity, WireValidity, form, seconds};

/// The most certificates of a chain.
const CHAIN_MAX: usize = 8;

/// A certificate of a chain.
#[derive(Debug, Clone)]
pub struct ChainCertificate {
    /// As it stands in the file.
    pub der: Vec<u8>,
    /// What was read of it.
    pub certificate: Certificate,
}

/// A time stamp authority that is believed.
#[derive(Debug, Clone)]
pub struct Authority {
    name: String,
    uri: String,
    chain: Vec<ChainCertificate>,
    validity: Validity,
}

impl Authority {
    /// Returns what it is called: its `uri`, or the names in `subject`, or those of its first certificate. A label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its `uri`, which may be empty.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the signer's certificate; nothing where the chain begins with a CA, so that signers come with their tokens.
    pub fn signer(&self) -> Option<&ChainCertificate> {
        self.chain.first().filter(|first| !is_authority(&first.certificate))
    }

    /// Returns the certificates above the signer: the root last.
    pub fn above(&self) -> &[ChainCertificate] {
        // Of a chain of one, the signer is its own root.
        if self.signer().is_some() && self.chain.len() > 1 { &self.chain[1..] } else { &self.chain }
    }

    /// Returns when it was believed.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    pub(super) fn read(raw: &str) -> Result<Authority, TrustError> {
        let Object(wire): Object<WireAuthority<'_>> =
            serde_json::from_str(raw).map_err(|error| StrictJsonError::Shape { message: error.to_string() })?;
        let uri = wire.uri.map_or_else(String::new, |Text(uri)| uri.into_owned());
        let certificates = wire.cert_chain.0.certificates;
        let refused = |what: String| TrustError::Authority { uri: uri.clone(), what };
        if certificates.is_empty() || certificates.len() > CHAIN_MAX {
            return Err(refused(format!("a chain of {} certificates; 1 to {CHAIN_MAX} are read", certificates.len())));
        }
        let mut chain = Vec::new();
        for Object(WireCertificate { raw_bytes }) in &certificates {
            let der = strict_json::standard_base64(raw_bytes)
                .map_err(|_| refused("a rawBytes that is not canonical base64".to_owned()))?;
            let certificate = Certificate::from_der(&der)
                .map_err(|error| refused(format!("a certificate that is not read: {error}")))?;
            form::check(&certificate)
                .map_err(|cause| refused(format!("a certificate that is not of its form: {cause}")))?;
            chain.push(ChainCertificate { der, certificate });
        }
        let validity = wire.valid_for.map(|Object(valid_for)| valid_for);
        let (start, end) = validity.map_or((None, None), |valid_for| (valid_for.start, valid_for.end));
        let start = start.map(|start| seconds(&uri, &start, Rounding::Up)).transpose()?.unwrap_or(0);
        let end = end.map(|end| seconds(&uri, &end, Rounding::Down)).transpose()?;
        let name = wire.subject.map(|Object(subject)| subject).unwrap_or_default();
        let names: Vec<&str> =
            [&name.organization, &name.common_name].into_iter().flatten().map(|name| &**name).collect();
        let name = match (uri.is_empty(), names.is_empty()) {
            (false, _) => uri.clone(),
            (true, false) => names.join(", "),
            (true, true) => chain[0].certificate.tbs_certificate.subject.to_string(),
        };
        Ok(Authority { name, uri, chain, validity: Validity { start, end } })
    }
}

/// Tells whether a certificate may sign others.
fn is_authority(certificate: &Certificate) -> bool {
    matches!(certificate.tbs_certificate.get::<BasicConstraints>(), Ok(Some((_, constraints))) if constraints.ca)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireAuthority<'a> {
    #[serde(borrow, default)]
    subject: Option<Object<WireSubject<'a>>>,
    #[serde(borrow)]
    uri: Option<Text<'a>>,
    #[serde(borrow)]
    cert_chain: Object<WireChain<'a>>,
    valid_for: Option<Object<WireValidity>>,
    #[serde(borrow, rename = "operator")]
    _operator: Option<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireSubject<'a> {
    #[serde(borrow, default)]
    organization: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    common_name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChain<'a> {
    #[serde(borrow)]
    certificates: Vec<Object<WireCertificate<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireCertificate<'a> {
    #[serde(borrow)]
    raw_bytes: Cow<'a, str>,
}
