//! The trusted root: which logs a verifier believes, under which keys, and from when to when.
//!
//! It is Sigstore's `trusted_root.json`, version 0.1, so that one file serves this tool and the stock ones. What [`TrustedRoot::render`] writes of our own log (white space added):
//!
//! ```text
//! {"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1",
//!  "tlogs":[{"baseUrl":"https://log.example","hashAlgorithm":"SHA2_256",
//!            "publicKey":{"rawBytes":"<base64 SPKI>","keyDetails":"PKIX_ECDSA_P256_SHA_256",
//!                         "validFor":{"start":"2024-01-01T00:00:00Z"}},
//!            "logId":{"keyId":"<base64, 32 bytes>"}}],
//!  "certificateAuthorities":[],"ctlogs":[],"timestampAuthorities":[]}
//! ```
//!
//! A log is chosen by `logId.keyId`: SHA-256 of the SPKI for a P-256 key, and for the Ed25519 key of a Rekor v2 log the whole C2SP key hash. The id is a name, and no
//! proof is taken from it; what a checkpoint's signature line must begin with is computed from the key.
//!
//! # Reading
//!
//! Strict JSON; an unknown member, an empty `logId`, another media type or hash algorithm, and a missing `validFor.start` (sigstore-go's rule) refuse the whole file.
//! `timestampAuthorities` and `certificateAuthorities` are read in [`authority`], `ctlogs` in [`ctlog`]; `operator` and `checkpointKeyId` are kept and not used. A log's key is P-256, P-384, P-521,
//! Ed25519, or RSA of 2,048, 3,072 or 4,096 bits, as sigstore-go reads them; other `keyDetails` refuse the whole file, as they do there. Two different logs of one id refuse the file: nobody could say which was meant.
//!
//! `validFor` has both ends inclusive. Times are RFC 3339 and are compared in whole seconds: a start is rounded up, an end down.
//!
//! # Limits
//!
//! 8 MiB, 64 levels; the public one has 7 KiB.

pub mod authority;
pub(crate) mod constraints;
pub mod crl;
pub mod ctlog;
pub(crate) mod form;
mod names;
mod stated;
pub(crate) mod uri;

pub use self::crl::Crl;

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use airtight_keys::public::{PublicKey, PublicKeyError};
use airtight_keys::strict_json::{self, Limits, StrictJsonError};
use airtight_keys::verifier::{KeyKind, VerifierKey};

use self::authority::Authority;
use self::ctlog::CtLog;
use self::stated::StatedLog;

/// The only media type that is read or written; sigstore-go and sigstore-python refuse 0.2.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
/// The limits under which a trusted root is read.
pub const LIMITS: Limits = Limits::bytes(8 << 20);

/// Why a text is no trusted root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No strict JSON object of this shape.
    #[error("the trusted root is not read: {0}")]
    Json(#[from] StrictJsonError),
    /// Another media type.
    #[error("the media type is {found:?}, not {MEDIA_TYPE:?}")]
    MediaType {
        /// What stands there.
        found: String,
    },
    /// Another hash algorithm than SHA-256.
    #[error("log {base_url:?} has hash algorithm {found:?}, not \"SHA2_256\"")]
    HashAlgorithm {
        /// Which log.
        base_url: String,
        /// What stands there.
        found: String,
    },
    /// A byte string that is no canonical base64, or a log id that is not 32 bytes.
    #[error("log {base_url:?} has a {member} that is not {expected}")]
    Bytes {
        /// Which log.
        base_url: String,
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// `keyDetails` names an algorithm that is used here, but the key is another or none.
    #[error("log {base_url:?} has a key that is not {key_details}: {cause}")]
    Key {
        /// Which log.
        base_url: String,
        /// What `keyDetails` says.
        key_details: String,
        /// Why the key is none of that kind.
        cause: KeyFault,
    },
    /// `keyDetails` names no algorithm that sigstore-go reads.
    #[error("log {base_url:?} has keyDetails {found:?}, under which no key of a log is read")]
    KeyDetails {
        /// Which log.
        base_url: String,
        /// What stands there.
        found: String,
    },
    /// No `validFor.start`.
    #[error("log {base_url:?} has no validFor.start")]
    NoStart {
        /// Which log.
        base_url: String,
    },
    /// A time that is not RFC 3339 or lies before 1970.
    #[error("{base_url:?} has a time that is not RFC 3339 since 1970: {found:?}")]
    Time {
        /// Which log or authority.
        base_url: String,
        /// What stands there.
        found: String,
    },
    /// A time stamp authority without certificates, or with something else in their place.
    #[error("authority {uri:?} has {what}")]
    Authority {
        /// Which.
        uri: String,
        /// What stands there.
        what: String,
    },
    /// Two different logs of one id.
    #[error("two different logs have the id {id}")]
    IdTwice {
        /// The id, base64.
        id: String,
    },
}

/// Why `publicKey` does not hold the key that it announces.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// It is no key at all.
    #[error("{0}")]
    Unreadable(PublicKeyError),
    /// It is a key of another kind.
    #[error("it is {found}")]
    OtherKind {
        /// The kind that was found.
        found: KeyKind,
    },
}

/// When a key was valid, in seconds since the epoch, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From when on.
    pub start: u64,
    /// Up to when, or without end.
    pub end: Option<u64>,
}

impl fmt::Display for Validity {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(end) => write!(to, "{} to {end}", self.start),
            None => write!(to, "{} on", self.start),
        }
    }
}

/// A log that is believed.
#[derive(Debug, Clone)]
pub struct TrustedLog {
    base_url: String,
    id: [u8; 32],
    key: VerifierKey,
    key_details: String,
    validity: Validity,
}

impl TrustedLog {
    /// Returns `baseUrl`, which may be empty or have no scheme.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the host of `baseUrl`, without port; `None` where the URL has no scheme, as sigstore-go finds none there.
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.base_url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host.strip_prefix('[') {
            Some(literal) => literal.split(']').next()?,
            None => host.split(':').next()?,
        };
        if host.is_empty() { None } else { Some(host) }
    }

    /// Returns `logId.keyId`.
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// Returns the key.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Returns what the file calls the key: `keyDetails`.
    pub fn key_details(&self) -> &str {
        &self.key_details
    }

    /// Returns when the key was valid.
    pub fn validity(&self) -> Validity {
        self.validity
    }
}

/// A trusted root that was read.
#[derive(Debug, Clone, Default)]
pub struct TrustedRoot {
    logs: Vec<TrustedLog>,
    /// Each element of `tlogs` as it was written, in the order of the file, beside its id.
    log_texts: Vec<([u8; 32], String)>,
    /// The members that are kept as they were written, by [`KEPT`].
    kept: [Vec<String>; 3],
    /// What was read of the last of them.
    authorities: Vec<Authority>,
    /// What was read of the first.
    certificate_authorities: Vec<Authority>,
    /// What was read of the second.
    ct_logs: Vec<CtLog>,
}

/// The members that are carried along.
const KEPT: [&str; 3] = ["certificateAuthorities", "ctlogs", "timestampAuthorities"];

impl TrustedRoot {
    /// Makes the trusted root of one log with a P-256 key, valid from `start` (seconds since the epoch) on.
    pub fn of_log(base_url: &str, key: &PublicKey, start: u64) -> TrustedRoot {
        let id = *key.key_id().as_bytes();
        let start_text = i64::try_from(start)
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .unwrap_or(Timestamp::MAX)
            .to_string();
        let url_text = serde_json::to_string(base_url).expect("invariant: a string always has a JSON form");
        let text = format!(
            "{{\"baseUrl\":{url_text},\"hashAlgorithm\":\"SHA2_256\",\"publicKey\":{{\"rawBytes\":\"{}\",\"keyDetails\":\"{}\",\"validFor\":{{\"start\":\"{start_text}\"}}}},\"logId\":{{\"keyId\":\"{}\"}}}}",
            STANDARD.encode(key.spki_der()),
            key.algorithm().key_details(),
            STANDARD.encode(id),
        );
        let log = TrustedLog {
            base_url: base_url.to_owned(),
            id,
            key: key.clone().into(),
            key_details: key.algorithm().key_details().to_owned(),
            validity: Validity { start, end: None },
        };
        TrustedRoot { logs: vec![log], log_texts: vec![(id, text)], ..TrustedRoot::default() }
    }

    /// Reads a `trusted_root.json`.
    ///
    /// # Errors
    ///
    /// Each [`TrustError`].
    pub fn parse(text: &[u8]) -> Result<TrustedRoot, TrustError> {
        let wire: Wire<'_> = strict_json::parse(text, LIMITS)?;
        if wire.media_type != MEDIA_TYPE {
            return Err(TrustError::MediaType { found: wire.media_type.into_owned() });
        }
        let mut root = TrustedRoot::default();
        for raw in wire.tlogs.unwrap_or_default() {
            root.read_log(raw.get())?;
        }
        let others = [wire.certificate_authorities, wire.ctlogs, wire.timestamp_authorities];
        for (kept, other) in root.kept.iter_mut().zip(others) {
            kept.extend(other.unwrap_or_default().into_iter().map(|raw| raw.get().to_owned()));
        }
        root.read_authorities()?;
        Ok(root)
    }

    /// Adds what another trusted root names; what both name the same stays once.
    ///
    /// # Errors
    ///
    /// [`TrustError::IdTwice`] where the two name different logs by one id.
    pub fn merge(&mut self, other: &TrustedRoot) -> Result<(), TrustError> {
        let mut merged = self.clone();
        for (_, text) in &other.log_texts {
            merged.read_log(text)?;
        }
        for (kept, more) in merged.kept.iter_mut().zip(&other.kept) {
            for text in more {
                if !kept.iter().any(|before| same(before, text)) {
                    kept.push(text.clone());
                }
            }
        }
        merged.read_authorities()?;
        *self = merged;
        Ok(())
    }

    /// Renders the file; each log and each member that is carried along as it was written, the rest compact, a line feed at the end.
    pub fn render(&self) -> String {
        let logs: Vec<&str> = self.log_texts.iter().map(|(_, text)| text.as_str()).collect();
        let mut text = format!("{{\"mediaType\":\"{MEDIA_TYPE}\",\"tlogs\":[{}]", logs.join(","));
        for (name, kept) in KEPT.iter().zip(&self.kept) {
            text.push_str(&format!(",\"{name}\":[{}]", kept.join(",")));
        }
        text.push_str("}\n");
        text
    }

    /// Finds a log by its id.
    pub fn find(&self, id: &[u8; 32]) -> Option<&TrustedLog> {
        self.logs.iter().find(|log| log.id == *id)
    }

    /// Lists the logs.
    pub fn logs(&self) -> &[TrustedLog] {
        &self.logs
    }

    /// Lists the time stamp authorities.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// Lists the authorities that certify signers.
    pub fn certificate_authorities(&self) -> &[Authority] {
        &self.certificate_authorities
    }

    /// Lists the certificate transparency logs.
    pub fn ct_logs(&self) -> &[CtLog] {
        &self.ct_logs
    }

    fn read_authorities(&mut self) -> Result<(), TrustError> {
        let [certifying, ct_logs, texts] = &self.kept;
        self.certificate_authorities = certifying.iter().map(|text| Authority::read(text)).collect::<Result<_, _>>()?;
        let mut read: Vec<(CtLog, &str)> = Vec::with_capacity(ct_logs.len());
        for text in ct_logs {
            let log = CtLog::read(text)?;
            match read.iter().find(|(known, _)| known.id() == log.id()) {
                None => read.push((log, text)),
                Some((_, before)) if same(before, text) => {}
                // Of two windows for one key this would take the first, and sigstore-go the last.
                Some(_) => return Err(TrustError::IdTwice { id: STANDARD.encode(log.id()) }),
            }
        }
        self.ct_logs = read.into_iter().map(|(log, _)| log).collect();
        self.authorities = texts.iter().map(|text| Authority::read(text)).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn read_log(&mut self, raw: &str) -> Result<(), TrustError> {
        let log = StatedLog::read(raw)?;
        if let Some((_, before)) = self.log_texts.iter().find(|(known, _)| *known == log.id) {
            return if same(before, raw) { Ok(()) } else { Err(TrustError::IdTwice { id: STANDARD.encode(log.id) }) };
        }
        let key = log.key(|named, found| named == found)?;
        self.log_texts.push((log.id, raw.to_owned()));
        let StatedLog { base_url, id, validity, key_details, .. } = log;
        self.logs.push(TrustedLog { base_url, id, key, key_details, validity });
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Up,
    Down,
}

fn seconds(base_url: &str, text: &str, rounding: Rounding) -> Result<u64, TrustError> {
    let refused = || TrustError::Time { base_url: base_url.to_owned(), found: text.to_owned() };
    let time: Timestamp = text.parse().map_err(|_| refused())?;
    if time < Timestamp::UNIX_EPOCH {
        return Err(refused());
    }
    let whole = u64::try_from(time.as_second()).map_err(|_| refused())?;
    Ok(whole + u64::from(rounding == Rounding::Up && time.subsec_nanosecond() > 0))
}

/// Says whether two JSON texts hold the same value, whatever their white space.
fn same(one: &str, other: &str) -> bool {
    let value = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || value(one) == value(other)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    #[serde(borrow)]
    tlogs: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    certificate_authorities: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    ctlogs: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    timestamp_authorities: Option<Vec<&'a RawValue>>,
}

/// A string that borrows also inside an `Option`; `null` is absent, as protobuf's JSON has it.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireValidity {
    start: Option<String>,
    end: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "/vagXii/0SbR0Apo/IG5Z5vExUZ4IBv0sNTrm+A2sYE=";
    const TEXT: &str = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{"baseUrl":"https://log.example:8080/x","hashAlgorithm":"SHA2_256","publicKey":{"rawBytes":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEapFjrZN07K7MUgQhNBzC/LkceL6kTJmqE0S2GgXA8+MYmA/ZPGzRSUHmUaK5ELp7jgM1+tShnc5AAS2Yy0hpyw==","keyDetails":"PKIX_ECDSA_P256_SHA_256","validFor":{"start":"2024-01-01T00:00:00.5Z","end":"2025-01-01T00:00:00.5Z"}},"logId":{"keyId":"/vagXii/0SbR0Apo/IG5Z5vExUZ4IBv0sNTrm+A2sYE="}}],"certificateAuthorities":[],"ctlogs":[],"timestampAuthorities":[]}
"#;

    #[test]
    fn a_trusted_root_is_rendered_as_it_was_read_and_chosen_by_id() {
        let root = TrustedRoot::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(root.render(), TEXT);
        let id: [u8; 32] = STANDARD.decode(ID).unwrap().try_into().unwrap();
        let log = root.find(&id).unwrap();
        assert_eq!(log.host(), Some("log.example"));
        assert_eq!(log.validity(), Validity { start: 1_704_067_201, end: Some(1_735_689_600) });
        assert_eq!(log.key().key_id().as_bytes(), &id);
        assert!(root.find(&[0; 32]).is_none());
    }

    #[test]
    fn what_is_made_for_one_log_is_read_back() {
        let read = TrustedRoot::parse(TEXT.as_bytes()).unwrap();
        let key = read.logs()[0].key().as_public().unwrap();
        let made = TrustedRoot::of_log("https://log.example", key, 1_704_067_200);
        assert!(made.render().contains(r#""validFor":{"start":"2024-01-01T00:00:00Z"}"#));
        let back = TrustedRoot::parse(made.render().as_bytes()).unwrap();
        assert_eq!(back.logs()[0].validity(), Validity { start: 1_704_067_200, end: None });
        assert_eq!(back.render(), made.render());
    }

    #[test]
    fn a_log_whose_key_details_are_not_read_refuses_the_file_and_so_does_a_log_of_certificates() {
        for details in
            ["PKIX_RSA_PSS_4096_SHA256", "ML_DSA_65", "PKIX_ECDSA_P256_SHA_2567", "PKIX_ECDSA_P384_SHA_256", ""]
        {
            let other = TEXT.replace("PKIX_ECDSA_P256_SHA_256", details);
            let expected =
                TrustError::KeyDetails { base_url: "https://log.example:8080/x".to_owned(), found: details.to_owned() };
            assert_eq!(TrustedRoot::parse(other.as_bytes()).unwrap_err(), expected);
            let (before, logs) = other.split_once(r#""tlogs":["#).unwrap();
            let (log, behind) = logs.split_once("],").unwrap();
            let certifying =
                format!(r#"{before}"tlogs":[],{}"#, behind.replace(r#""ctlogs":[]"#, &format!(r#""ctlogs":[{log}]"#)));
            assert_eq!(TrustedRoot::parse(certifying.as_bytes()).unwrap_err(), expected);
        }
    }

    #[test]
    fn merging_keeps_one_of_what_is_equal_and_refuses_two_of_one_id() {
        let mut root = TrustedRoot::parse(TEXT.as_bytes()).unwrap();
        root.merge(&TrustedRoot::parse(TEXT.as_bytes()).unwrap()).unwrap();
        assert_eq!(root.render(), TEXT);
        let other = TrustedRoot::parse(TEXT.replace("2024-01", "2023-01").as_bytes()).unwrap();
        assert_eq!(root.merge(&other), Err(TrustError::IdTwice { id: ID.to_owned() }));
        assert_eq!(root.render(), TEXT);
    }

    #[test]
    fn a_log_of_certificates_has_one_key_and_one_window() {
        let (_, log) = TEXT.split_once(r#""tlogs":["#).unwrap();
        let (log, _) = log.split_once("],").unwrap();
        let of = |logs: &str| {
            TrustedRoot::parse(TEXT.replace(r#""ctlogs":[]"#, &format!(r#""ctlogs":[{logs}]"#)).as_bytes())
        };
        assert_eq!(of(log).unwrap().ct_logs().len(), 1);
        assert_eq!(of(&format!("{log}, {log}")).unwrap().ct_logs().len(), 1);
        let other = log.replace("2025-01", "2024-06");
        for logs in [format!("{log},{other}"), format!("{other},{log}")] {
            assert_eq!(of(&logs).unwrap_err(), TrustError::IdTwice { id: ID.to_owned() });
        }
    }

    #[test]
    fn each_fault_of_a_trusted_root_is_named() {
        let error = |from: &str, to: &str| TrustedRoot::parse(TEXT.replace(from, to).as_bytes()).unwrap_err();
        assert!(matches!(error("version=0.1", "version=0.2"), TrustError::MediaType { .. }));
        assert!(matches!(error("SHA2_256\",\"pub", "SHA2_512\",\"pub"), TrustError::HashAlgorithm { .. }));
        assert!(matches!(error("\"start\":\"2024-01-01T00:00:00.5Z\",", ""), TrustError::NoStart { .. }));
        assert!(matches!(error("2024-01-01T00:00:00.5Z", "yesterday"), TrustError::Time { .. }));
        assert!(matches!(error("2024-01-01T00:00:00.5Z", "1969-01-01T00:00:00Z"), TrustError::Time { .. }));
        assert!(matches!(error("sYE=\"", "sYE\""), TrustError::Bytes { member: "logId.keyId", .. }));
        assert!(matches!(error("ECDSA_P256_SHA_256", "ED25519"), TrustError::Key { .. }));
        assert!(matches!(error("\"ctlogs\"", "\"ctlog\""), TrustError::Json(_)));
        let authority = r#""timestampAuthorities":[{"uri":"u","certChain":{"certificates":[]}}]"#;
        assert!(matches!(error(r#""timestampAuthorities":[]"#, authority), TrustError::Authority { .. }));
        let certificate = authority.replace("[]}", r#"[{"rawBytes":"AAAA"}]}"#);
        assert!(matches!(error(r#""timestampAuthorities":[]"#, &certificate), TrustError::Authority { .. }));
        assert!(matches!(error("\"keyDetails\"", "\"rawBytes\":\"\",\"keyDetails\""), TrustError::Json(_)));
    }
}
