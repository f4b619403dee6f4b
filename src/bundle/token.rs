//! A time stamp token as a bundle holds it, RFC 3161: read, and nothing of it judged.
//!
//! What a bundle holds under `timestampVerificationData`, and what an authority answers, is a `TimeStampResp` in DER:
//!
//! ```text
//! TimeStampResp   status 0, granted, and then the token:
//! └ ContentInfo   signed-data
//!   └ SignedData  certificates, where they were asked for; one SignerInfo; and the content:
//!     └ TSTInfo   messageImprint: the digest of what was stamped, here of the SIGNATURE's bytes
//!                 genTime, and how accurate that is; the nonce of the request
//! ```
//!
//! CMS and X.509 are read by `cms`. The few shapes of RFC 3161 itself stand here: the crate for them reads no fraction of a
//! second, which authorities are free to write.
//!
//! # Limits
//!
//! 256 KiB; one with three certificates has 6. DER, nothing behind its end, no set of more than 64 members ([`super::sets`]); exactly one signer;
//! version 1; no extension that is critical, for none is known.

use cms::cert::CertificateChoices;
use cms::cert::x509::Certificate;
use cms::cert::x509::ext::Extensions;
use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedAttributes, SignedData, SignerIdentifier};
use der::asn1::{Any, BitString, Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::sets::{MEMBERS_MAX, has_long_set};

/// The most bytes that a token may have.
pub const TOKEN_LEN_MAX: usize = 256 << 10;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// id-ct-TSTInfo: what a token's content is, and what its signer must say that it is.
pub const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// id-sha256, under which we ask.
pub const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// Why bytes are no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// They are no `TimeStampResp`, or its token is none of the shape above.
    #[error("the time stamp is not read: {what}")]
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// The authority gave none.
    #[error("the authority gave no time stamp: status {status}{}{said}", if .said.is_empty() { "" } else { ", " })]
    NotGranted {
        /// PKIStatus: 1 granted with modifications, 2 rejected, 3 waiting, …
        status: u32,
        /// Its words.
        said: String,
    },
}

/// The digest of what was stamped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imprint {
    /// The hash algorithm.
    pub algorithm: ObjectIdentifier,
    /// The digest.
    pub digest: Vec<u8>,
}

/// A token that was read.
#[derive(Debug, Clone)]
pub struct Token {
    /// The digest of what was stamped.
    pub imprint: Imprint,
    /// genTime in seconds since the epoch, a fraction cut off.
    pub time: u64,
    /// The same, a fraction rounded up: what must not lie behind the end of anything.
    pub time_up: u64,
    /// The moment that genTime, its fraction and its stated accuracy do not go beyond, in seconds since the epoch.
    pub not_after: u64,
    /// The nonce of the request, big-endian two's complement.
    pub nonce: Option<Vec<u8>>,
    /// Who is said to have signed.
    pub signer: SignerIdentifier,
    /// The content, DER: what the message digest is of.
    pub content: Vec<u8>,
    /// The hash algorithm of the signature.
    pub digest_algorithm: ObjectIdentifier,
    /// The algorithm of the signature.
    pub signature_algorithm: ObjectIdentifier,
    /// What is signed.
    pub attributes: Option<SignedAttributes>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The certificates that came with it.
    pub certificates: Vec<Certificate>,
}

#[derive(Sequence)]
struct TimeStampResp {
    status: Status,
    #[asn1(optional = "true")]
    token: Option<ContentInfo>,
}

#[derive(Sequence)]
struct Status {
    status: u32,
    #[asn1(optional = "true")]
    words: Option<Vec<String>>,
    #[asn1(optional = "true")]
    failure: Option<BitString>,
}

#[derive(Sequence)]
struct MessageImprint {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

#[derive(Sequence)]
struct Stamp {
    version: u8,
    policy: ObjectIdentifier,
    imprint: MessageImprint,
    serial: Int,
    /// GeneralizedTime, whose fraction the crate does not read.
    time: Any,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "no")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    authority: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

fn no() -> bool {
    false
}

#[derive(Sequence)]
struct Accuracy {
    #[asn1(optional = "true")]
    seconds: Option<u64>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    micros: Option<u16>,
}

#[derive(Sequence)]
struct TimeStampReq {
    version: u8,
    imprint: MessageImprint,
    #[asn1(optional = "true")]
    policy: Option<ObjectIdentifier>,
    #[asn1(optional = "true")]
    nonce: Option<u64>,
    #[asn1(default = "no")]
    wants_certificates: bool,
}

fn malformed(what: impl ToString) -> TokenError {
    TokenError::Malformed { what: what.to_string() }
}

impl Token {
    /// Reads a `TimeStampResp`.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse(response: &[u8]) -> Result<Token, TokenError> {
        if response.len() > TOKEN_LEN_MAX {
            return Err(malformed(format!("{} bytes are more than {TOKEN_LEN_MAX}", response.len())));
        }
        if has_long_set(response) {
            return Err(malformed(format!("a set in it has more than {MEMBERS_MAX} members")));
        }
        let TimeStampResp { status, token } = TimeStampResp::from_der(response).map_err(malformed)?;
        if status.status > 0 {
            let said = status.words.unwrap_or_default().join(" ");
            let said = said.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(TokenError::NotGranted { status: status.status, said });
        }
        let token = token.ok_or_else(|| malformed("it is granted, and there is no token"))?;
        if token.content_type != SIGNED_DATA {
            return Err(malformed(format!("the token is of type {}, not signed-data", token.content_type)));
        }
        let signed: SignedData = token.content.decode_as().map_err(malformed)?;
        // The crate passes over parts that it does not expect; and it sorts certificates, which authorities do not.
        let (read, written) = (token.content.to_der().map_err(malformed)?, signed.to_der().map_err(malformed)?);
        if read.len() != written.len() {
            return Err(malformed(format!("{} bytes of the token are of no part", read.len().abs_diff(written.len()))));
        }
        if signed.encap_content_info.econtent_type != TST_INFO {
            let found = signed.encap_content_info.econtent_type;
            return Err(malformed(format!("the content is of type {found}, not a time stamp")));
        }
        let content: OctetString = match &signed.encap_content_info.econtent {
            Some(content) => content.decode_as().map_err(malformed)?,
            None => return Err(malformed("the token has no content")),
        };
        let stamp = Stamp::from_der(content.as_bytes()).map_err(malformed)?;
        if stamp.version != 1 {
            return Err(malformed(format!("version {} of a time stamp is not known", stamp.version)));
        }
        if let Some(critical) = stamp.extensions.iter().flatten().find(|extension| extension.critical) {
            return Err(malformed(format!("the extension {} is critical, and not known", critical.extn_id)));
        }
        let mut signers = signed.signer_infos.0.into_vec().into_iter();
        let (Some(signer), None) = (signers.next(), signers.next()) else {
            return Err(malformed("there is not exactly one signer"));
        };
        let (time, is_fraction) = seconds(&stamp.time)?;
        let certificates = signed.certificates.map(|set| set.0.into_vec()).unwrap_or_default();
        Ok(Token {
            imprint: Imprint {
                algorithm: stamp.imprint.algorithm.oid,
                digest: stamp.imprint.digest.as_bytes().to_vec(),
            },
            time,
            time_up: time.saturating_add(u64::from(is_fraction)),
            not_after: time.saturating_add(stamp.accuracy.map_or(u64::from(is_fraction), |a| a.seconds(is_fraction))),
            nonce: stamp.nonce.map(|nonce| nonce.as_bytes().to_vec()),
            signer: signer.sid,
            content: content.as_bytes().to_vec(),
            digest_algorithm: signer.digest_alg.oid,
            signature_algorithm: signer.signature_algorithm.oid,
            attributes: signer.signed_attrs,
            signature: signer.signature.as_bytes().to_vec(),
            certificates: certificates.into_iter().filter_map(certificate).collect(),
        })
    }
}

fn certificate(choice: CertificateChoices) -> Option<Certificate> {
    match choice {
        CertificateChoices::Certificate(certificate) => Some(certificate),
        CertificateChoices::Other(_) => None,
    }
}

impl Accuracy {
    /// How many seconds a moment may lie after the whole second of genTime: rounded up together with a fraction of that.
    fn seconds(&self, is_fraction: bool) -> u64 {
        let parts = self.millis.is_some_and(|millis| millis > 0) || self.micros.is_some_and(|micros| micros > 0);
        // Two fractions may be more than a second together.
        self.seconds.unwrap_or(0).saturating_add(u64::from(parts)).saturating_add(u64::from(is_fraction))
    }
}

/// Reads `YYYYMMDDhhmmss[.f…]Z`: seconds since the epoch, and whether there is a fraction, which is none of zeros.
fn seconds(time: &Any) -> Result<(u64, bool), TokenError> {
    let text = std::str::from_utf8(time.value()).unwrap_or_default();
    let refused = || malformed(format!("genTime {text:?} is not of the form YYYYMMDDhhmmss[.f]Z"));
    let (whole, fraction) = match text.strip_suffix('Z') {
        Some(rest) => rest.split_once('.').map_or((rest, None), |(whole, fraction)| (whole, Some(fraction))),
        None => return Err(refused()),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    // RFC 3161 §2.4.2 leaves zeros at the end away; the other clients read nanoseconds at most.
    let is_fraction = |text: &str| is_digits(text) && text.len() <= 9 && !text.ends_with('0');
    if time.tag() != Tag::GeneralizedTime || whole.len() != 14 || !is_digits(whole) || !fraction.is_none_or(is_fraction)
    {
        return Err(refused());
    }
    let part = |from: usize, to: usize| whole[from..to].parse::<i16>().map_err(|_| refused());
    let small = |from: usize| part(from, from + 2).and_then(|part| i8::try_from(part).map_err(|_| refused()));
    let civil = DateTime::new(part(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0);
    let moment = civil.and_then(|civil| TimeZone::UTC.to_timestamp(civil)).map_err(|_| refused())?;
    let seconds = u64::try_from(moment.as_second()).map_err(|_| refused())?;
    Ok((seconds, fraction.is_some()))
}

/// Writes a `TimeStampReq`, DER: for this SHA-256 digest, asking for the signer's certificate, with a nonce or without.
pub fn request(digest: &[u8; 32], nonce: Option<u64>) -> Vec<u8> {
    let digest = OctetString::new(digest.as_slice()).expect("invariant: 32 bytes fit");
    let algorithm = AlgorithmIdentifierOwned { oid: SHA256, parameters: Some(Any::null()) };
    let imprint = MessageImprint { algorithm, digest };
    let request = TimeStampReq { version: 1, imprint, policy: None, nonce, wants_certificates: true };
    request.to_der().expect("invariant: a request of some 60 bytes can be written")
}

/// Tells whether a token's nonce is this number.
pub fn is_nonce(token: &Token, nonce: u64) -> bool {
    let bytes = nonce.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let mut written = bytes[first..].to_vec();
    if written[0] >= 0x80 {
        written.insert(0, 0);
    }
    token.nonce.as_deref() == Some(written.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_a_second_has_at_most_nine_digits_and_no_zero_at_its_end() {
        let read = |text: &str| seconds(&Any::new(Tag::GeneralizedTime, text.as_bytes()).unwrap()).ok();
        let second = 1_767_225_601;
        for (text, expected) in [
            ("20260101000001Z", Some((second, false))),
            ("20260101000001.5Z", Some((second, true))),
            ("20260101000001.000000001Z", Some((second, true))),
            ("20260101000001.50Z", None),
            ("20260101000001.0Z", None),
            ("20260101000001.Z", None),
            ("20260101000001.0000000001Z", None),
            ("20260101000001,5Z", None),
            ("20260101000001+0000", None),
            ("202601010000Z", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
