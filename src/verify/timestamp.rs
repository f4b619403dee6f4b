//! Step 9, where a bundle holds time stamps: each shows that the signature was there no later than a time.
//!
//! A token (RFC 3161, [`crate::bundle::token`]) is over the bytes of the signature. It counts where a time stamp authority of
//! the trusted root made it:
//!
//! | what is checked | code |
//! |---|---|
//! | it is a granted token, and one that is read here | `timestamp_malformed`, `timestamp_not_granted` |
//! | the digest in it is SHA-256, SHA-384 or SHA-512 of this signature | `timestamp_hash_unsupported`, `timestamp_of_another_signature` |
//! | the signer's certificate is for time stamps, says so critically, and is for nothing else (RFC 3161 §2.3) | `timestamp_key_usage` |
//! | the signed attributes are there, say what they are of, and name that very certificate (RFC 5035) | `timestamp_attributes`, `timestamp_content_differs`, `timestamp_other_certificate` |
//! | the certificate's key signed them | `timestamp_algorithm_unsupported`, `timestamp_signature_invalid` |
//! | the time is not after now, and lies in the validity of each certificate and of the authority in the trusted root | `timestamp_in_future`, `timestamp_certificate_validity`, `timestamp_authority_validity` |
//! | the certificate leads to the authority's root, through the authority's own certificates alone | `timestamp_chain_invalid` |
//!
//! Whose a token is, its signer's name says: issuer and serial number, or key identifier, of the first certificate of an
//! authority's chain; or, where that chain has CAs only, a certificate in the token that one of them issued. A token of an
//! authority that the trusted root does not name is not counted: nothing can be said of it. One whose name says an authority
//! of the trusted root, and that does not hold, refuses the bundle. Where the trusted root names no authority at all, tokens
//! are not even read.
//!
//! All times are judged at genTime, so a token holds after its certificates have expired. Revocation is not asked for. No
//! nonce is needed: whoever makes a request compares it then (`sync::timestamp`).

use std::borrow::Cow;

use cms::cert::x509::ext::pkix::{ExtendedKeyUsage, SubjectKeyIdentifier};
use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use cms::cert::x509::time::Time;
use cms::cert::x509::{Certificate, TbsCertificate};
use cms::signed_data::{SignedAttributes, SignerIdentifier};
use der::asn1::{Any, ObjectIdentifier, OctetString};
use der::{Decode as _, Encode, Sequence};
use ring::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::{EndEntityCert, ring as algorithms};

use crate::bundle::token::{self, TST_INFO, Token, TokenError};
use crate::trust::authority::{Authority, ChainCertificate};
use crate::trust::{TrustedRoot, Validity};

use super::certificate::validity;
use super::path::{self, PathRefusal};
use super::{Input, Memory, SKEW_S, issuing};

/// The most tokens of a bundle: sigstore-go's limit.
pub const TOKENS_MAX: usize = 32;

const SHA384_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// What a token may say that it is signed by, each with the hash that the name has in it.
const ALGORITHMS: [(ObjectIdentifier, Option<ObjectIdentifier>); 7] = [
    (ECDSA_WITH_SHA256, Some(token::SHA256)),
    (ECDSA_WITH_SHA384, Some(SHA384_OID)),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"), None),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"), Some(token::SHA256)),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12"), Some(SHA384_OID)),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13"), Some(SHA512_OID)),
    (ED25519, None),
];
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
/// id-kp-timeStamping, 1.3.6.1.5.5.7.3.8, without tag and length, as paths are asked for it.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
const TIME_STAMPING_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// What a token that was verified establishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedTimestamp {
    /// The time in the token, in seconds since the epoch.
    pub time: u64,
    /// The signature was there at this time, in seconds since the epoch: genTime and the accuracy stated beside it.
    pub not_after: u64,
    /// What the trusted root calls the authority: a label.
    pub authority: String,
    /// Its `uri` in the trusted root, or nothing: by this authorities are told apart.
    pub uri: String,
}

/// The tokens of a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timestamps {
    /// Those that were verified.
    pub verified: Vec<VerifiedTimestamp>,
    /// How many are of authorities that the trusted root does not name.
    pub not_counted: usize,
}

/// Why a token does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampRefusal {
    /// It is none, or none was granted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There are more than are read.
    #[error("there are {count} time stamps, and {TOKENS_MAX} are read")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// Too few authorities made one.
    #[error("{authorities} authorities of the trusted root made a time stamp, not {wanted}")]
    Threshold {
        /// How many did.
        authorities: usize,
        /// How many are asked for.
        wanted: usize,
    },
    /// One token stands there twice.
    #[error("a time stamp stands there twice")]
    Twice,
    /// The digest is of another algorithm than SHA-256, SHA-384 and SHA-512.
    #[error("the time stamp is over a digest by {algorithm}, none of SHA-256, SHA-384 and SHA-512")]
    Hash {
        /// The algorithm's identifier.
        algorithm: ObjectIdentifier,
    },
    /// It is of other bytes than the signature's.
    #[error("the time stamp is of digest {stamped}, and the signature's is {signature}")]
    OfAnotherSignature {
        /// The digest in the token, hex.
        stamped: String,
        /// The signature's, hex.
        signature: String,
    },
    /// The certificate is not for time stamps alone.
    #[error("the signer's certificate is not for time stamps alone: {found}")]
    KeyUsage {
        /// What it is for.
        found: String,
    },
    /// A signed attribute that must be there is not, or not once.
    #[error("the time stamp has no single signed attribute {attribute}")]
    Attributes {
        /// Which.
        attribute: &'static str,
    },
    /// What is signed is about other content.
    #[error("the time stamp's content has digest {content}, and what is signed says {signed}")]
    ContentDiffers {
        /// The content's, hex.
        content: String,
        /// What the signed attributes say.
        signed: String,
    },
    /// What is signed names another certificate.
    #[error("the signer's certificate has digest {signer}, and what is signed names {named}")]
    OtherCertificate {
        /// The digest of the certificate, hex.
        signer: String,
        /// The digest in the attribute.
        named: String,
    },
    /// The signature is by an algorithm that is not used here.
    #[error("the time stamp is signed by {algorithm} over {hash}, which is not used here")]
    Algorithm {
        /// The algorithm of the signature.
        algorithm: ObjectIdentifier,
        /// The hash algorithm.
        hash: ObjectIdentifier,
    },
    /// The signer did not sign it.
    #[error("the key of {signer} did not sign the time stamp")]
    Signature {
        /// The subject of the certificate.
        signer: String,
    },
    /// The time lies after now.
    #[error("the time stamp's time {time} lies after now, {now}")]
    InFuture {
        /// Seconds since the epoch.
        time: u64,
        /// Seconds since the epoch.
        now: u64,
    },
    /// A certificate was not valid at the time.
    #[error("the certificate of {subject} is valid from {start} to {end}, and the time stamp's time is {time}")]
    CertificateValidity {
        /// Whose.
        subject: String,
        /// From when on.
        start: u64,
        /// Up to when.
        end: u64,
        /// Seconds since the epoch.
        time: u64,
    },
    /// The authority was not believed at the time.
    #[error("{authority} is believed from {} to {}, and the time stamp's time is {time}", .validity.start,
            .validity.end.map_or_else(|| "today".to_owned(), |end| end.to_string()))]
    AuthorityValidity {
        /// What the trusted root calls it.
        authority: String,
        /// When it is believed.
        validity: Validity,
        /// Seconds since the epoch.
        time: u64,
    },
    /// The certificate does not lead to the authority's root.
    #[error("the certificate of {signer} does not lead to the root of {authority}: {cause}")]
    Chain {
        /// The subject of the certificate.
        signer: String,
        /// What the trusted root calls the authority.
        authority: String,
        /// Where the path ends.
        cause: String,
    },
}

impl TimestampRefusal {
    /// The codes of this enum, in the order of the variants.
    pub const CODES: [&'static str; 17] = [
        "timestamp_malformed",
        "timestamp_not_granted",
        "timestamp_too_many",
        "timestamp_threshold_not_met",
        "timestamp_twice",
        "timestamp_hash_unsupported",
        "timestamp_of_another_signature",
        "timestamp_key_usage",
        "timestamp_attributes",
        "timestamp_content_differs",
        "timestamp_other_certificate",
        "timestamp_algorithm_unsupported",
        "timestamp_signature_invalid",
        "timestamp_in_future",
        "timestamp_certificate_validity",
        "timestamp_authority_validity",
        "timestamp_chain_invalid",
    ];

    /// The code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            TimestampRefusal::Token(TokenError::Malformed { .. }) => "timestamp_malformed",
            TimestampRefusal::Token(TokenError::NotGranted { .. }) => "timestamp_not_granted",
            TimestampRefusal::TooMany { .. } => "timestamp_too_many",
            TimestampRefusal::Threshold { .. } => "timestamp_threshold_not_met",
            TimestampRefusal::Twice => "timestamp_twice",
            TimestampRefusal::Hash { .. } => "timestamp_hash_unsupported",
            TimestampRefusal::OfAnotherSignature { .. } => "timestamp_of_another_signature",
            TimestampRefusal::KeyUsage { .. } => "timestamp_key_usage",
            TimestampRefusal::Attributes { .. } => "timestamp_attributes",
            TimestampRefusal::ContentDiffers { .. } => "timestamp_content_differs",
            TimestampRefusal::OtherCertificate { .. } => "timestamp_other_certificate",
            TimestampRefusal::Algorithm { .. } => "timestamp_algorithm_unsupported",
            TimestampRefusal::Signature { .. } => "timestamp_signature_invalid",
            TimestampRefusal::InFuture { .. } => "timestamp_in_future",
            TimestampRefusal::CertificateValidity { .. } => "timestamp_certificate_validity",
            TimestampRefusal::AuthorityValidity { .. } => "timestamp_authority_validity",
            TimestampRefusal::Chain { .. } => "timestamp_chain_invalid",
        }
    }
}

/// Judges all tokens of a bundle.
pub(super) fn check_all(
    tokens: &[Vec<u8>],
    signature: &[u8],
    input: &Input<'_>,
    memory: &Memory,
) -> Result<Timestamps, TimestampRefusal> {
    let timestamps = judge_all(tokens, signature, input.trusted_root, input.now, memory)?;
    let (authorities, wanted) = (timestamps.authorities(), input.policy.timestamps);
    if authorities < wanted { Err(TimestampRefusal::Threshold { authorities, wanted }) } else { Ok(timestamps) }
}

impl Timestamps {
    /// Counts the distinct authorities by their `uri`, as sigstore-go does: two that have none are one.
    fn authorities(&self) -> usize {
        let is_new = |(place, one): &(usize, &VerifiedTimestamp)| {
            !self.verified[..*place].iter().any(|before| before.uri == one.uri)
        };
        self.verified.iter().enumerate().filter(is_new).count()
    }
}

fn judge_all(
    tokens: &[Vec<u8>],
    signature: &[u8],
    root: &TrustedRoot,
    now: u64,
    memory: &Memory,
) -> Result<Timestamps, TimestampRefusal> {
    if tokens.len() > TOKENS_MAX {
        return Err(TimestampRefusal::TooMany { count: tokens.len() });
    }
    let mut timestamps = Timestamps::default();
    if root.authorities().is_empty() {
        timestamps.not_counted = tokens.len();
        return Ok(timestamps);
    }
    for (place, response) in tokens.iter().enumerate() {
        if tokens[..place].contains(response) {
            return Err(TimestampRefusal::Twice);
        }
        match check_among(&Token::parse(response)?, signature, root, now, memory)? {
            Some(verified) => timestamps.verified.push(verified),
            None => timestamps.not_counted += 1,
        }
    }
    Ok(timestamps)
}

/// Judges one token over a signature; nothing where it is of an authority that the trusted root does not name.
///
/// # Errors
/// [`TimestampRefusal`]: where several authorities could have made it, that of the first.
pub fn check(
    token: &Token,
    signature: &[u8],
    root: &TrustedRoot,
    now: u64,
) -> Result<Option<VerifiedTimestamp>, TimestampRefusal> {
    check_among(token, signature, root, now, &Memory::default())
}

fn check_among(
    token: &Token,
    signature: &[u8],
    root: &TrustedRoot,
    now: u64,
    memory: &Memory,
) -> Result<Option<VerifiedTimestamp>, TimestampRefusal> {
    let mut refused = None;
    for authority in root.authorities() {
        let Some(signer) = signer(token, authority) else { continue };
        match check_under(token, signature, (&signer, authority), now, memory) {
            Ok(()) => {
                let (uri, authority) = (authority.uri().to_owned(), authority.name().to_owned());
                return Ok(Some(VerifiedTimestamp { time: token.time, not_after: token.not_after, authority, uri }));
            }
            Err(refusal) => drop(refused.get_or_insert(refusal)),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// Finds the certificate of the token's signer, if the token says that it is by this authority.
fn signer<'a>(token: &Token, authority: &'a Authority) -> Option<Cow<'a, ChainCertificate>> {
    if let Some(signer) = authority.signer() {
        return is_named(&token.signer, &signer.certificate).then_some(Cow::Borrowed(signer));
    }
    let certificate = token.certificates.iter().find(|certificate| is_named(&token.signer, certificate))?;
    let issuer = &certificate.tbs_certificate.issuer;
    let is_issued = authority.above().iter().any(|above| above.certificate.tbs_certificate.subject == *issuer);
    let der = certificate.to_der().ok()?;
    is_issued.then(|| Cow::Owned(ChainCertificate { der, certificate: certificate.clone() }))
}

fn is_named(signer: &SignerIdentifier, certificate: &Certificate) -> bool {
    let certificate = &certificate.tbs_certificate;
    match signer {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            named.issuer == certificate.issuer && named.serial_number == certificate.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(named) => {
            matches!(certificate.get::<SubjectKeyIdentifier>(), Ok(Some((_, found))) if found == *named)
        }
    }
}

fn check_under(
    token: &Token,
    signature: &[u8],
    (signer, authority): (&ChainCertificate, &Authority),
    now: u64,
    memory: &Memory,
) -> Result<(), TimestampRefusal> {
    let imprint = &token.imprint;
    let hash = hash_of(&imprint.algorithm).ok_or(TimestampRefusal::Hash { algorithm: imprint.algorithm })?;
    let digest = digest::digest(hash, signature);
    if digest.as_ref() != imprint.digest {
        let (stamped, signature) = (hex::encode(&imprint.digest), hex::encode(digest));
        return Err(TimestampRefusal::OfAnotherSignature { stamped, signature });
    }
    check_usage(&signer.certificate)?;
    check_signed(token, signer)?;
    if token.time > now.saturating_add(SKEW_S) {
        return Err(TimestampRefusal::InFuture { time: token.time, now });
    }
    let refused = |time: u64| move |refusal: PathRefusal| refused_at(refusal, signer, authority, time);
    let (certificate, time) = (&signer.certificate, token.time);
    path::check(&signer.der, certificate, authority, time, TIME_STAMPING, memory).map_err(refused(time))?;
    check_carried(token, signer, authority)?;
    // A fraction behind the last second of a certificate, or of the authority's validity, is behind its end.
    path::check_validity(certificate, authority, token.time_up).map_err(refused(token.time_up))
}

fn hash_of(algorithm: &ObjectIdentifier) -> Option<&'static digest::Algorithm> {
    match *algorithm {
        token::SHA256 => Some(&SHA256),
        SHA384_OID => Some(&SHA384),
        SHA512_OID => Some(&SHA512),
        _ => None,
    }
}

/// Holds a signer's certificate to RFC 3161 §2.3: extended key usage, critical, time stamping and nothing else.
fn check_usage(certificate: &Certificate) -> Result<(), TimestampRefusal> {
    let found = match certificate.tbs_certificate.get::<ExtendedKeyUsage>() {
        Ok(Some((true, usage))) if usage.0 == [TIME_STAMPING_OID] => return Ok(()),
        Ok(Some((is_critical, usage))) => {
            let usages: Vec<String> = usage.0.iter().map(ObjectIdentifier::to_string).collect();
            format!("{}{}", usages.join(", "), if is_critical { "" } else { ", not critical" })
        }
        Ok(None) => "it says nothing of it".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(TimestampRefusal::KeyUsage { found })
}

#[derive(Sequence)]
struct SigningCertificateV2 {
    certificates: Vec<EssCertIdV2>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

#[derive(Sequence)]
struct EssCertIdV2 {
    #[asn1(optional = "true")]
    algorithm: Option<AlgorithmIdentifierOwned>,
    digest: OctetString,
    #[asn1(optional = "true")]
    issuer_serial: Option<Any>,
}

/// Checks the signed attributes and the signature over them.
fn check_signed(token: &Token, signer: &ChainCertificate) -> Result<(), TimestampRefusal> {
    let attributes = token.attributes.as_ref().ok_or(TimestampRefusal::Attributes { attribute: "of any kind" })?;
    let missing = |attribute| TimestampRefusal::Attributes { attribute };
    let content_type = single(attributes, &CONTENT_TYPE).ok_or(missing("contentType"))?;
    if content_type.decode_as() != Ok(TST_INFO) {
        return Err(missing("contentType that says it is a time stamp"));
    }
    let (algorithm, hash) = (token.signature_algorithm, token.digest_algorithm);
    let unsupported = TimestampRefusal::Algorithm { algorithm, hash };
    if !ALGORITHMS.iter().any(|(known, over)| *known == algorithm && over.is_none_or(|over| over == hash)) {
        return Err(unsupported);
    }
    let content = digest::digest(hash_of(&hash).ok_or_else(|| unsupported.clone())?, &token.content);
    let signed: Option<OctetString> = single(attributes, &MESSAGE_DIGEST).and_then(|value| value.decode_as().ok());
    let signed = signed.ok_or(missing("messageDigest"))?;
    if signed.as_bytes() != content.as_ref() {
        let (content, signed) = (hex::encode(content), hex::encode(signed.as_bytes()));
        return Err(TimestampRefusal::ContentDiffers { content, signed });
    }
    check_named_certificate(attributes, &signer.der)?;
    check_signing_time(attributes, &signer.certificate)?;
    let message = attributes.to_der().map_err(|_| missing("in DER"))?;
    let (certificate, subject) = (CertificateDer::from(signer.der.as_slice()), path::subject(&signer.certificate));
    let key = EndEntityCert::try_from(&certificate).map_err(|_| unsupported.clone())?;
    let mut is_used = false;
    for known in algorithms_of(&algorithm, &hash) {
        match key.verify_signature(*known, &message, &token.signature) {
            Ok(()) => return Ok(()),
            Err(webpki::Error::InvalidSignatureForPublicKey) => is_used = true,
            Err(_) => {}
        }
    }
    Err(if is_used { TimestampRefusal::Signature { signer: subject } } else { unsupported })
}

/// Holds the certificates that came with the token to the authority's own: nothing signs them, and a reader may take one for the signer's. One above
/// the signer may be another than the trusted root has, if it is of the same name and key, cross-signed by somebody else.
fn check_carried(token: &Token, signer: &ChainCertificate, authority: &Authority) -> Result<(), TimestampRefusal> {
    let malformed = |what: &str| TimestampRefusal::Token(TokenError::Malformed { what: what.to_owned() });
    let mut is_signer_there = token.certificates.is_empty();
    for carried in &token.certificates {
        let der = carried.to_der().map_err(|error| malformed(&error.to_string()))?;
        is_signer_there |= der == signer.der;
        if der == signer.der || authority.above().iter().any(|above| above.der == der) {
            continue;
        }
        if !is_above(&carried.tbs_certificate, signer, authority) {
            return Err(malformed("it carries a certificate that is none of its authority's"));
        }
        let (one, other) = (&carried.tbs_certificate, &signer.certificate.tbs_certificate);
        // By these the other clients find the signer's, and take the first.
        if one.issuer == other.issuer && one.serial_number == other.serial_number {
            return Err(malformed("it carries another certificate of its signer's issuer and serial number"));
        }
        issuing::check_carried(carried)
            .map_err(|cause| malformed(&format!("a certificate that it carries is not read: {cause}")))?;
    }
    if is_signer_there { Ok(()) } else { Err(malformed("it carries certificates, and not its signer's")) }
}

/// Tells whether a certificate has name and key of one above the signer, or the name of whoever issued the last of these.
fn is_above(carried: &TbsCertificate, signer: &ChainCertificate, authority: &Authority) -> bool {
    let known =
        || authority.above().iter().filter(|one| one.der != signer.der).map(|one| &one.certificate.tbs_certificate);
    let of = |one: &TbsCertificate| {
        (one.subject == carried.subject).then(|| one.subject_public_key_info == carried.subject_public_key_info)
    };
    match known().find_map(of) {
        Some(is_same_key) => is_same_key,
        None => known().next_back().is_some_and(|last| last.issuer == carried.subject),
    }
}

/// Returns the value of an attribute that stands there once and has one value.
fn single<'a>(attributes: &'a SignedAttributes, name: &ObjectIdentifier) -> Option<&'a Any> {
    let mut found = attributes.iter().filter(|attribute| attribute.oid == *name);
    match (found.next(), found.next()) {
        (Some(attribute), None) if attribute.values.len() == 1 => attribute.values.iter().next(),
        _ => None,
    }
}

/// Checks that what is signed names the signer's certificate by its digest: first in `signingCertificateV2`, or in the older
/// `signingCertificate`, which is SHA-1 by definition. The key that signs makes the certificate sure enough; this keeps a
/// second certificate of the same key from standing in its place.
fn check_named_certificate(attributes: &SignedAttributes, der: &[u8]) -> Result<(), TimestampRefusal> {
    let missing = || TimestampRefusal::Attributes { attribute: "signingCertificate" };
    let (value, default) = match single(attributes, &SIGNING_CERTIFICATE_V2) {
        Some(value) => (value, &SHA256),
        None => (single(attributes, &SIGNING_CERTIFICATE).ok_or_else(missing)?, &SHA1_FOR_LEGACY_USE_ONLY),
    };
    let named: SigningCertificateV2 = value.decode_as().map_err(|_| missing())?;
    let first = named.certificates.first().ok_or_else(missing)?;
    let algorithm = match &first.algorithm {
        Some(algorithm) => hash_of(&algorithm.oid).ok_or_else(missing)?,
        None => default,
    };
    let (signer, named) = (digest::digest(algorithm, der), first.digest.as_bytes());
    if signer.as_ref() == named {
        return Ok(());
    }
    Err(TimestampRefusal::OtherCertificate { signer: hex::encode(signer), named: hex::encode(named) })
}

/// Holds what the signer says of when it signed, where it says so, to the validity of its certificate, as sigstore-go does. Nothing here rests on it.
fn check_signing_time(attributes: &SignedAttributes, certificate: &Certificate) -> Result<(), TimestampRefusal> {
    if !attributes.iter().any(|attribute| attribute.oid == SIGNING_TIME) {
        return Ok(());
    }
    let said: Option<Time> =
        single(attributes, &SIGNING_TIME).and_then(|value| Time::from_der(&value.to_der().ok()?).ok());
    let said = said.ok_or(TimestampRefusal::Attributes { attribute: "signingTime" })?;
    let (time, (start, end)) = (said.to_unix_duration().as_secs(), validity(certificate));
    if (start..=end).contains(&time) {
        return Ok(());
    }
    Err(TimestampRefusal::CertificateValidity { subject: path::subject(certificate), start, end, time })
}

/// Lists the algorithms that a token may mean by this name and hash; which of them it is, the key of the certificate says. Nothing signs the name, so
/// one that is not of the key's kind is refused, as sigstore-go does.
fn algorithms_of(
    name: &ObjectIdentifier,
    hash: &ObjectIdentifier,
) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    static ED25519_ALONE: [&dyn SignatureVerificationAlgorithm; 1] = [algorithms::ED25519];
    static ECDSA_SHA256: [&dyn SignatureVerificationAlgorithm; 2] =
        [algorithms::ECDSA_P256_SHA256, algorithms::ECDSA_P384_SHA256];
    static ECDSA_SHA384: [&dyn SignatureVerificationAlgorithm; 2] =
        [algorithms::ECDSA_P256_SHA384, algorithms::ECDSA_P384_SHA384];
    static RSA_SHA256: [&dyn SignatureVerificationAlgorithm; 1] = [algorithms::RSA_PKCS1_2048_8192_SHA256];
    static RSA_SHA384: [&dyn SignatureVerificationAlgorithm; 1] = [algorithms::RSA_PKCS1_2048_8192_SHA384];
    static RSA_SHA512: [&dyn SignatureVerificationAlgorithm; 1] = [algorithms::RSA_PKCS1_2048_8192_SHA512];
    match (*name, *hash) {
        (ED25519, _) => &ED25519_ALONE,
        (ECDSA_WITH_SHA256 | ECDSA_WITH_SHA384, token::SHA256) => &ECDSA_SHA256,
        (ECDSA_WITH_SHA256 | ECDSA_WITH_SHA384, SHA384_OID) => &ECDSA_SHA384,
        (_, token::SHA256) => &RSA_SHA256,
        (_, SHA384_OID) => &RSA_SHA384,
        (_, SHA512_OID) => &RSA_SHA512,
        _ => &[],
    }
}

/// Says of a path why it does not lead to the authority's root at a time of the token: every certificate must be valid then, and the authority believed.
fn refused_at(refusal: PathRefusal, signer: &ChainCertificate, authority: &Authority, time: u64) -> TimestampRefusal {
    let name = || authority.name().to_owned();
    match refusal {
        PathRefusal::CertificateValidity { subject, start, end } => {
            TimestampRefusal::CertificateValidity { subject, start, end, time }
        }
        PathRefusal::AuthorityValidity { validity } => {
            TimestampRefusal::AuthorityValidity { authority: name(), validity, time }
        }
        PathRefusal::Chain { cause } => {
            TimestampRefusal::Chain { signer: path::subject(&signer.certificate), authority: name(), cause }
        }
    }
}

#[cfg(test)]
mod tests;
