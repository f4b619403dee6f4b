//! Promises of certificate transparency logs in a certificate (RFC 6962 §3.2 and §3.3), part of step 8.
//!
//! ```text
//! extension 1.3.6.1.4.1.11129.2.4.2   OCTET STRING of: u16 length, then for each promise: u16 length and
//!   version 0 · log id 32 bytes · u64 milliseconds · u16 length, extensions · hash 4 (SHA-256) · signature 1 or 3 · u16 length, signature
//! signed       version 0 · 0 · the milliseconds · u16 1 (precertificate) · SHA-256 of the issuer's SPKI ·
//!              u24 length, the certificate's TBS without that extension · u16 length, extensions
//! ```
//!
//! A log's key is P-256, or RSA (PKCS #1 v1.5), and the promise is labelled so: sigstore-go verifies no other. Its time is held to the log's validity by the millisecond.
//!
//! One promise by a log of the trusted root is enough; one by a log that it does not name is not counted. One that a named log is said to have
//! made, and did not make, refuses the certificate: stricter than the stock clients, which pass over it.

use cms::cert::x509::Certificate;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode};

use airtight_keys::verifier::{Scheme, VerifierKey};
use airtight_log::digest::sha256;

use crate::trust::TrustedRoot;

use super::{Refusal, SKEW_S};

const PROMISES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// A promise that was read.
#[derive(Debug)]
struct Promise<'a> {
    log_id: [u8; 32],
    milliseconds: u64,
    extensions: &'a [u8],
    /// How it says that it is signed: 1 RSA, 3 ECDSA.
    algorithm: u8,
    signature: &'a [u8],
}

/// Checks the promises in a certificate that `issuer` issued, and names the logs whose promises hold.
pub(super) fn check(
    certificate: &Certificate,
    issuer: &Certificate,
    root: &TrustedRoot,
    wanted: usize,
    now: u64,
) -> Result<Vec<String>, Refusal> {
    let malformed = |cause: String| Refusal::SctMalformed { cause };
    let Some(promises) = listed(certificate).map_err(malformed)? else {
        return if wanted == 0 { Ok(Vec::new()) } else { Err(Refusal::SctMissing {}) };
    };
    // sigstore-go reads the issuer's certificate by the same rules, and where that is not read, no promise is one.
    listed(issuer).map_err(|cause| malformed(format!("in the issuer's own certificate: {cause}")))?;
    let mut tbs = certificate.tbs_certificate.clone();
    if let Some(extensions) = &mut tbs.extensions {
        extensions.retain(|extension| extension.extn_id != PROMISES);
    }
    let tbs = tbs.to_der().map_err(|error| malformed(error.to_string()))?;
    let spki = issuer.tbs_certificate.subject_public_key_info.to_der().map_err(|error| malformed(error.to_string()))?;
    let (mut logs, mut keys): (Vec<String>, Vec<&VerifierKey>) = (Vec::new(), Vec::new());
    for promise in &promises {
        let Some(log) = root.ct_logs().iter().find(|log| *log.id() == promise.log_id) else { continue };
        let key = log.key();
        let log_name = || log.base_url().to_owned();
        let signed = signed(promise, sha256(&spki).as_bytes(), &tbs);
        match key.verify(&signed, promise.signature) {
            Ok(Scheme::P256(_)) if promise.algorithm == 3 => {}
            Ok(Scheme::RsaPkcs1(_)) if promise.algorithm == 1 => {}
            _ => return Err(Refusal::SctSignature { log: log_name(), key_id: *key.key_id() }),
        }
        let time = promise.milliseconds / 1000;
        if time > now.saturating_add(SKEW_S) {
            return Err(Refusal::SctFuture { log: log_name(), time, now });
        }
        let validity = log.validity();
        let is_behind = |end: u64| promise.milliseconds > end.saturating_mul(1000);
        if time < validity.start || validity.end.is_some_and(is_behind) {
            return Err(Refusal::SctLogValidity { log: log_name(), validity, time });
        }
        // What is signed has no name of a log in it: one promise would serve for every name that its key has.
        if !logs.contains(&log_name()) && !keys.contains(&key) {
            logs.push(log_name());
            keys.push(key);
        }
    }
    if logs.len() < wanted {
        return Err(Refusal::SctLogUnknown { promises: promises.len(), hold: logs.len(), wanted });
    }
    Ok(logs)
}

/// Reads the promises in a certificate; nothing where it has no place for any.
fn listed(certificate: &Certificate) -> Result<Option<Vec<Promise<'_>>>, String> {
    let extensions = certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
    let Some(extension) = extensions.iter().find(|extension| extension.extn_id == PROMISES) else { return Ok(None) };
    let list = OctetStringRef::from_der(extension.extn_value.as_bytes()).map_err(|error| error.to_string())?.as_bytes();
    read(list).map(Some).ok_or_else(|| "the list is not of the form of RFC 6962".to_owned())
}

fn signed(promise: &Promise<'_>, issuer_key_hash: &[u8; 32], tbs: &[u8]) -> Vec<u8> {
    let mut signed = Vec::with_capacity(64 + tbs.len());
    signed.extend_from_slice(&[0, 0]);
    signed.extend_from_slice(&promise.milliseconds.to_be_bytes());
    signed.extend_from_slice(&[0, 1]);
    signed.extend_from_slice(issuer_key_hash);
    // A TBS of 2^24 bytes does not fit a bundle's limits; a length that is cut makes a signature that does not hold.
    signed.extend_from_slice(&(tbs.len() as u64).to_be_bytes()[5..]);
    signed.extend_from_slice(tbs);
    signed.extend_from_slice(&(promise.extensions.len() as u64).to_be_bytes()[6..]);
    signed.extend_from_slice(promise.extensions);
    signed
}

/// Reads the list; `None` where a length does not fit, or a promise is of another form.
fn read(list: &[u8]) -> Option<Vec<Promise<'_>>> {
    let mut rest = list;
    let mut list = vector(&mut rest)?;
    let mut promises = Vec::new();
    while !list.is_empty() {
        let mut one = vector(&mut list)?;
        let [version] = take::<1>(&mut one)?;
        let log_id = take::<32>(&mut one)?;
        let milliseconds = u64::from_be_bytes(take::<8>(&mut one)?);
        let extensions = vector(&mut one)?;
        let [hash, algorithm] = take::<2>(&mut one)?;
        let signature = vector(&mut one)?;
        if version != 0 || hash != 4 || !matches!(algorithm, 1 | 3) || !one.is_empty() {
            return None;
        }
        promises.push(Promise { log_id, milliseconds, extensions, algorithm, signature });
    }
    (rest.is_empty() && !promises.is_empty()).then_some(promises)
}

fn take<const LEN: usize>(rest: &mut &[u8]) -> Option<[u8; LEN]> {
    let (taken, left) = rest.split_first_chunk::<LEN>()?;
    *rest = left;
    Some(*taken)
}

fn vector<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u16::from_be_bytes(take::<2>(rest)?);
    let (taken, left) = rest.split_at_checked(usize::from(len))?;
    *rest = left;
    Some(taken)
}
