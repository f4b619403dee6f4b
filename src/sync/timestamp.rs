//! Time stamps for upgraded bundles: what an authority is asked, and what of its answers counts.
//!
//! Rekor v2 signs for no time, and sigstore-js takes none of its entries without a time stamp. A token is over the bytes of
//! the envelope's signature (RFC 3161), so it says that the signature was there; it is kept for an entry and a target, beside
//! the receipt, and stands in the upgraded bundle.
//!
//! ```text
//! connected    ask.rs       POST application/timestamp-query to a URL, over a transport that is handed in
//! by files     INDEX.tsq    what `openssl ts -reply -queryfile` and authorities of a site's own read
//!              INDEX.tsr    their answer
//! ```
//!
//! A request has the SHA-256 digest of the signature and asks for the signer's certificate. A nonce, where there is one, is
//! that of the answer, or the answer is another's. An answer counts once [`crate::verify::timestamp`] has verified it under the
//! target's trusted root.

use airtight_log::digest::sha256;
use airtight_log::store::StoredEntry;

use crate::bundle::token::{self, Token};
use crate::verify::timestamp::{TimestampRefusal, VerifiedTimestamp, check};

use super::target::Target;

pub mod ask;

/// Why an authority's answer does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerRefusal {
    /// The token does not hold.
    #[error(transparent)]
    Timestamp(#[from] TimestampRefusal),
    /// The target's trusted root does not name the authority.
    #[error("none of the {known} time stamp authorities in the trusted root of {target} made it")]
    AuthorityUnknown {
        /// How many it names.
        known: usize,
        /// The name of the target.
        target: String,
    },
    /// It answers another request.
    #[error("the answer has another nonce than the request")]
    Nonce,
}

impl AnswerRefusal {
    /// The codes of this enum beside those of [`TimestampRefusal`].
    pub const CODES: [&'static str; 2] = ["timestamp_authority_unknown", "timestamp_nonce"];

    /// Returns the code.
    pub fn code(&self) -> &'static str {
        match self {
            AnswerRefusal::Timestamp(refusal) => refusal.code(),
            AnswerRefusal::AuthorityUnknown { .. } => "timestamp_authority_unknown",
            AnswerRefusal::Nonce => "timestamp_nonce",
        }
    }
}

/// Gives the bytes of an entry's signature: what is stamped. Nothing where only the leaf is kept.
pub fn signature(entry: &StoredEntry) -> Option<&[u8]> {
    let (_, envelope) = entry.envelope.as_ref()?;
    envelope.signatures().first().map(|signature| signature.signature.as_slice())
}

/// Writes the request for a signature, a `TimeStampReq` in DER.
pub fn request(signature: &[u8], nonce: Option<u64>) -> Vec<u8> {
    token::request(sha256(signature).as_bytes(), nonce)
}

/// Reads an authority's answer, and verifies it under the target's trusted root.
///
/// # Errors
/// [`AnswerRefusal`].
pub fn accept(
    answer: &[u8],
    signature: &[u8],
    nonce: Option<u64>,
    target: &Target,
    now: u64,
) -> Result<VerifiedTimestamp, AnswerRefusal> {
    let token = Token::parse(answer).map_err(TimestampRefusal::from)?;
    let unknown = || AnswerRefusal::AuthorityUnknown {
        known: target.trusted_root.authorities().len(),
        target: target.name.to_string(),
    };
    let verified = check(&token, signature, &target.trusted_root, now)?.ok_or_else(unknown)?;
    match nonce {
        Some(nonce) if !token::is_nonce(&token, nonce) => Err(AnswerRefusal::Nonce),
        _ => Ok(verified),
    }
}
