//! The body of an `intoto` 0.0.2 entry, which signers of DSSE envelopes made before `dsse` 0.0.1.
//!
//! ```text
//! {"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{
//!   "envelope":{"payload":"<base64 of the payload's base64>","payloadType":"application/vnd.in-toto+json",
//!               "signatures":[{"publicKey":"<base64 of a PEM>","sig":"<base64 of the signature's base64>"}]},
//!   "hash":{"algorithm":"sha256","value":"<hex>"},"payloadHash":{"algorithm":"sha256","value":"<hex>"}}}}
//! ```
//!
//! (without the line breaks and indents). Rekor drops `payload`; where it stands, it is read and given back. `hash` covers the text of the request's
//! envelope and is bound by the leaf alone. One signature; before `publicKey` it may have a `"keyid"`, as npm's registry writes it.

use airtight_keys::strict_json::{push_standard_base64, standard_base64, to_standard_base64};

use super::{BodyError, Reader, push_all, push_hex};
use crate::digest::Sha256Digest;

const ENVELOPE: &str = r#""content":{"envelope":{"#;
const PAYLOAD: &str = r#""payload":""#;
const PAYLOAD_END: &str = r#"","#;
const PAYLOAD_TYPE: &str = r#""payloadType":""#;
const SIGNATURES: &str = r#"","signatures":[{""#;
const KEYID: &str = r#"keyid":""#;
const KEYID_END: &str = r#"",""#;
const PUBLIC_KEY: &str = r#"publicKey":""#;
const SIGNATURE: &str = r#"","sig":""#;
const HASH: &str = r#""}]},"hash":{"algorithm":"sha256","value":""#;
const PAYLOAD_HASH: &str = r#""},"payloadHash":{"algorithm":"sha256","value":""#;
const END: &str = r#""}}}}"#;

/// What an `intoto` 0.0.2 entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intoto002 {
    /// The payload, where the log kept it.
    pub payload: Option<Vec<u8>>,
    /// The envelope's payload type.
    pub payload_type: String,
    /// What the signature calls its key, where it does.
    pub keyid: Option<String>,
    /// A PEM of a key or a certificate.
    pub public_key_pem: Vec<u8>,
    /// The signature over the PAE.
    pub signature: Vec<u8>,
    /// Of the text of the request's envelope.
    pub envelope_hash: Sha256Digest,
    /// Of the decoded payload.
    pub payload_hash: Sha256Digest,
}

impl Intoto002 {
    pub(super) fn render(&self, body: &mut String) {
        body.push_str(ENVELOPE);
        if let Some(payload) = &self.payload {
            body.push_str(PAYLOAD);
            push_standard_base64(to_standard_base64(payload).as_bytes(), body);
            body.push_str(PAYLOAD_END);
        }
        push_all(body, &[PAYLOAD_TYPE, &self.payload_type, SIGNATURES]);
        if let Some(keyid) = &self.keyid {
            push_all(body, &[KEYID, keyid, KEYID_END]);
        }
        body.push_str(PUBLIC_KEY);
        push_standard_base64(&self.public_key_pem, body);
        body.push_str(SIGNATURE);
        push_standard_base64(to_standard_base64(&self.signature).as_bytes(), body);
        body.push_str(HASH);
        push_hex(body, &self.envelope_hash);
        body.push_str(PAYLOAD_HASH);
        push_hex(body, &self.payload_hash);
        body.push_str(END);
    }
}

impl Reader<'_> {
    pub(super) fn intoto_002(&mut self) -> Result<Intoto002, BodyError> {
        self.literal(ENVELOPE)?;
        let payload = if self.is_next(PAYLOAD) {
            self.literal(PAYLOAD)?;
            let payload = self.base64_twice()?;
            self.literal(PAYLOAD_END)?;
            Some(payload)
        } else {
            None
        };
        self.literal(PAYLOAD_TYPE)?;
        let payload_type = self.value()?.to_owned();
        self.literal(SIGNATURES)?;
        let keyid = if self.is_next(KEYID) {
            self.literal(KEYID)?;
            let keyid = self.value()?.to_owned();
            self.literal(KEYID_END)?;
            Some(keyid)
        } else {
            None
        };
        self.literal(PUBLIC_KEY)?;
        let public_key_pem = self.base64()?;
        self.literal(SIGNATURE)?;
        let signature = self.base64_twice()?;
        self.literal(HASH)?;
        let envelope_hash = self.sha256_hex()?;
        self.literal(PAYLOAD_HASH)?;
        let payload_hash = self.sha256_hex()?;
        self.literal(END)?;
        Ok(Intoto002 { payload, payload_type, keyid, public_key_pem, signature, envelope_hash, payload_hash })
    }

    fn base64_twice(&mut self) -> Result<Vec<u8>, BodyError> {
        let offset = self.at;
        let outer = self.base64()?;
        let inner = std::str::from_utf8(&outer).map_err(|_| BodyError::Value { offset })?;
        standard_base64(inner).map_err(|cause| BodyError::Base64 { offset, cause })
    }
}
