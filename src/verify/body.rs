//! Step 4: the log's entry is of this envelope, this signature and this key.
//!
//! The body that the log must hold is made again from the bundle and compared as a whole. Only where the two differ is the log's body
//! read, to say which member does not fit. What cannot be made again is `envelopeHash`: it covers the envelope's text as it was posted,
//! and a bundle holds the envelope's values, not that text. The texts that known signers post are tried; if none fits, the hash stands unproven and the report says so.

use airtight_keys::envelope::{Envelope, IN_TOTO_PAYLOAD_TYPE, pae};
use airtight_keys::verifier::{HashFunction, Scheme};
use airtight_log::digest::{Hash, sha256};
use airtight_log::entry::{
    Body, BodyError, ContentDigest, Dsse001, HashedRekord001, HashedRekord002, Intoto002, RekordVerifier, dsse_body,
};
use airtight_log::tree::leaf_hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bundle::{Content, LogEntry};
use crate::statement::digests;

use super::Refusal;
use super::signer::{RSA_BITS, SignedBy};

/// The kinds of entry that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dsse001,
    HashedRekord001,
    HashedRekord002,
    Intoto002,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Dsse001 => "dsse 0.0.1",
            Kind::HashedRekord001 => "hashedrekord 0.0.1",
            Kind::HashedRekord002 => "hashedrekord 0.0.2",
            Kind::Intoto002 => "intoto 0.0.2",
        }
    }

    /// Says whether Rekor v1 makes such entries; Rekor v2 makes the others.
    pub(super) fn is_v1(self) -> bool {
        self != Kind::HashedRekord002
    }
}

/// The leaf, after it was found to be of this bundle.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) kind: Kind,
    pub(super) hash: Hash,
    /// The text that `envelopeHash` covers was found again, or the kind has no such hash.
    pub(super) envelope_reproduced: bool,
}

/// Reads the body of an entry that is not judged, for nothing but that it is one; returns its kind.
pub(super) fn readable(entry: &LogEntry<'_>) -> Result<Kind, Refusal> {
    let kind = kind_of(entry)?;
    let body = read(&entry.body(), kind)?;
    if format!("{} {}", body.kind(), body.version()) == kind.name() {
        return Ok(kind);
    }
    Err(kind_differs(kind, body.kind(), body.version()))
}

fn kind_of(entry: &LogEntry<'_>) -> Result<Kind, Refusal> {
    match (entry.kind.as_ref(), entry.version.as_ref()) {
        ("dsse", "0.0.1") => Ok(Kind::Dsse001),
        ("hashedrekord", "0.0.1") => Ok(Kind::HashedRekord001),
        ("hashedrekord", "0.0.2") => Ok(Kind::HashedRekord002),
        ("intoto", "0.0.2") => Ok(Kind::Intoto002),
        (kind, version) => Err(Refusal::EntryKind { kind: kind.to_owned(), version: version.to_owned() }),
    }
}

pub(super) fn check(entry: &LogEntry<'_>, content: &Content<'_>, signer: &SignedBy) -> Result<Leaf, Refusal> {
    let kind = kind_of(entry)?;
    let (hash, envelope_reproduced) = match (kind, content) {
        (Kind::Dsse001, Content::Envelope { envelope, .. }) => dsse(entry, envelope, signer)?,
        (Kind::Intoto002, Content::Envelope { envelope, .. }) => (intoto(&entry.body(), envelope, signer)?, false),
        (Kind::HashedRekord001, Content::Message { digest, signature, .. }) => {
            (hashedrekord_001(&entry.body(), digest, signature, signer)?, true)
        }
        (Kind::HashedRekord002, Content::Message { digest, signature, .. }) => {
            (hashedrekord_002(&entry.body(), digest, signature, signer)?, true)
        }
        (Kind::HashedRekord002, Content::Envelope { envelope, .. }) => {
            let pae = pae(envelope.payload_type(), envelope.payload_unverified());
            let Some(digest) = digest_of(signer.scheme, &pae) else {
                return Err(Refusal::EntryEd25519 { entry: kind.name().to_owned() });
            };
            (hashedrekord_002(&entry.body(), &digest, signature_of(envelope), signer)?, true)
        }
        (kind, content) => {
            let content = match content {
                Content::Envelope { .. } => "dsseEnvelope",
                Content::Message { .. } => "messageSignature",
            };
            return Err(Refusal::EntryKindUnfit { entry: kind.name().to_owned(), content });
        }
    };
    Ok(Leaf { kind, hash, envelope_reproduced })
}

/// Compares a `dsse` 0.0.1 body; returns the leaf's hash, and whether `envelopeHash` was found again.
fn dsse(entry: &LogEntry<'_>, envelope: &Envelope, signer: &SignedBy) -> Result<(Hash, bool), Refusal> {
    let payload_hash = sha256(envelope.payload_unverified());
    let signature = signature_of(envelope);
    let ours = sha256(envelope.to_json().as_bytes());
    let expected = dsse_body(&ours, &payload_hash, signature, &signer.pem());
    if is_base64_of(&entry.body_base64, &expected) {
        return Ok((leaf_hash(&expected), true));
    }
    let body = entry.body();
    let Dsse001 { envelope_hash, payload_hash: logged, signatures } = match read(&body, Kind::Dsse001)? {
        Body::Dsse001(dsse) => dsse,
        other => return Err(kind_differs(Kind::Dsse001, other.kind(), other.version())),
    };
    let [logged_signature] = &signatures[..] else {
        return Err(Refusal::EntrySignatureCount { count: signatures.len() });
    };
    if logged != payload_hash {
        return Err(Refusal::EntryPayload { body: logged, payload: payload_hash });
    }
    same_signature(&logged_signature.signature, signature)?;
    same_key(&logged_signature.verifier_pem, signer.pem().as_bytes(), signer)?;
    let reproduced = others_texts(envelope).iter().any(|text| sha256(text.as_bytes()) == envelope_hash);
    Ok((leaf_hash(&body), reproduced))
}

/// Says whether `text`, canonical base64, is that of `bytes`. Encoding ours on the stack costs less than decoding theirs into memory.
fn is_base64_of(text: &str, bytes: &[u8]) -> bool {
    // A body of ours has about 900 bytes, 1,200 in base64.
    let mut room = [0; 1536];
    match STANDARD.encode_slice(bytes, &mut room) {
        Ok(len) => room[..len] == *text.as_bytes(),
        Err(_) => STANDARD.encode(bytes) == text,
    }
}

fn hashedrekord_001(body: &[u8], digest: &ContentDigest, signature: &[u8], signer: &SignedBy) -> Result<Hash, Refusal> {
    let HashedRekord001 { digest: logged, signature: logged_signature, public_key_pem } =
        match read(body, Kind::HashedRekord001)? {
            Body::HashedRekord001(rekord) => rekord,
            other => return Err(kind_differs(Kind::HashedRekord001, other.kind(), other.version())),
        };
    same_digest(&logged, digest)?;
    same_signature(&logged_signature, signature)?;
    same_key(&public_key_pem, signer.pem().as_bytes(), signer)?;
    Ok(leaf_hash(body))
}

fn hashedrekord_002(body: &[u8], digest: &ContentDigest, signature: &[u8], signer: &SignedBy) -> Result<Hash, Refusal> {
    let HashedRekord002 { digest: logged, signature: logged_signature, key_details, verifier } =
        match read(body, Kind::HashedRekord002)? {
            Body::HashedRekord002(rekord) => rekord,
            other => return Err(kind_differs(Kind::HashedRekord002, other.kind(), other.version())),
        };
    if signer.scheme == Scheme::Ed25519 {
        return Err(Refusal::EntryEd25519 { entry: Kind::HashedRekord002.name().to_owned() });
    }
    check_scheme(signer.scheme)?;
    same_digest(&logged, digest)?;
    same_signature(&logged_signature, signature)?;
    if key_details != signer.scheme.key_details() {
        return Err(Refusal::EntryKeyDetails { body: key_details, signer: signer.scheme.key_details() });
    }
    match (&verifier, &signer.certificate) {
        (RekordVerifier::PublicKey(der), None) => same_key(der, signer.key.spki_der(), signer)?,
        (RekordVerifier::Certificate(der), Some(certificate)) => same_key(der, &certificate.der, signer)?,
        (other, _) => same_key(other.der(), &[], signer)?,
    }
    Ok(leaf_hash(body))
}

/// Rekor v2 makes an entry for the one scheme that a key has by default, and sigstore-go takes no other.
fn check_scheme(scheme: Scheme) -> Result<(), Refusal> {
    let is_default = match scheme {
        Scheme::P384(hash) => hash == HashFunction::Sha384,
        Scheme::P521(hash) => hash == HashFunction::Sha512,
        Scheme::RsaPkcs1(bits) => RSA_BITS.contains(&bits),
        // Step 2 lets Ed25519ph pass over an artifact alone.
        Scheme::P256(_) | Scheme::Ed25519 | Scheme::Ed25519ph => true,
        Scheme::RsaPss(_) => false,
    };
    if is_default {
        return Ok(());
    }
    Err(Refusal::EntryScheme { entry: Kind::HashedRekord002.name().to_owned(), scheme: scheme.key_details() })
}

fn read(body: &[u8], stated: Kind) -> Result<Body, Refusal> {
    Body::parse(body).map_err(|cause| match cause {
        BodyError::UnknownKind { kind, version } => kind_differs(stated, &kind, &version),
        cause => Refusal::EntryBody { cause },
    })
}

fn kind_differs(stated: Kind, kind: &str, version: &str) -> Refusal {
    Refusal::EntryKindDiffers { stated: stated.name().to_owned(), body: format!("{kind} {version}") }
}

fn same_digest(logged: &ContentDigest, signed: &ContentDigest) -> Result<(), Refusal> {
    if logged == signed {
        return Ok(());
    }
    Err(Refusal::EntryDigest { body: hex::encode(logged.as_bytes()), signed: hex::encode(signed.as_bytes()) })
}

/// Returns the digest that a `hashedrekord` of this scheme is over; nothing for pure Ed25519, which is over no digest.
fn digest_of(scheme: Scheme, message: &[u8]) -> Option<ContentDigest> {
    let hash = scheme.hash()?;
    digests::digest_of(hash, &hash.hash(message))
}

/// Drops the ends of lines.
fn unwrapped(pem: &[u8]) -> Vec<u8> {
    pem.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

/// Compares an `intoto` 0.0.2 body. Its hash covers a text that no bundle holds.
fn intoto(body: &[u8], envelope: &Envelope, signer: &SignedBy) -> Result<Hash, Refusal> {
    let Intoto002 { payload, payload_type, keyid, public_key_pem, signature, payload_hash, .. } =
        match read(body, Kind::Intoto002)? {
            Body::Intoto002(intoto) => intoto,
            other => return Err(kind_differs(Kind::Intoto002, other.kind(), other.version())),
        };
    let ours = sha256(envelope.payload_unverified());
    if payload_hash != ours {
        return Err(Refusal::EntryPayload { body: payload_hash, payload: ours });
    }
    if let Some(payload) = payload.filter(|payload| payload != envelope.payload_unverified()) {
        return Err(Refusal::EntryPayload { body: sha256(&payload), payload: ours });
    }
    if payload_type != envelope.payload_type() {
        return Err(Refusal::EntryPayloadType { body: payload_type, envelope: envelope.payload_type().to_owned() });
    }
    let called = envelope.signatures().first().and_then(|signature| signature.keyid.as_ref());
    if keyid.as_ref() != called {
        let named = |keyid: Option<&String>| {
            keyid.map_or_else(|| "without keyid".to_owned(), |keyid| format!("keyid {keyid:?}"))
        };
        return Err(Refusal::EntrySignature { body: named(keyid.as_ref()), bundle: named(called) });
    }
    same_signature(&signature, signature_of(envelope))?;
    // Such entries hold the PEM as it was posted, in lines of any length.
    same_key(&unwrapped(&public_key_pem), &unwrapped(signer.pem().as_bytes()), signer)?;
    Ok(leaf_hash(body))
}

fn same_signature(logged: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    if logged == signature {
        return Ok(());
    }
    Err(Refusal::EntrySignature { body: STANDARD.encode(logged), bundle: STANDARD.encode(signature) })
}

fn same_key(logged: &[u8], expected: &[u8], signer: &SignedBy) -> Result<(), Refusal> {
    if logged == expected {
        return Ok(());
    }
    Err(Refusal::EntryKeyDiffers { body: sha256(logged), signer: *signer.key.key_id() })
}

fn signature_of(envelope: &Envelope) -> &[u8] {
    let [signature] = envelope.signatures() else { unreachable!("invariant: step 1 lets one signature pass") };
    &signature.signature
}

/// The texts that other signers post for this envelope, where they are not ours: with an empty `keyid` after `sig`, and go-securesystemslib's member order.
fn others_texts(envelope: &Envelope) -> [String; 2] {
    let payload = envelope.payload_base64_unverified();
    let sig = STANDARD.encode(signature_of(envelope));
    [
        format!(
            r#"{{"payload":"{payload}","payloadType":"{IN_TOTO_PAYLOAD_TYPE}","signatures":[{{"sig":"{sig}","keyid":""}}]}}"#
        ),
        format!(
            r#"{{"payloadType":"{IN_TOTO_PAYLOAD_TYPE}","payload":"{payload}","signatures":[{{"keyid":"","sig":"{sig}"}}]}}"#
        ),
    ]
}
