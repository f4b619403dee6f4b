//! A target: the one log that entries go to, and the key that its answers are checked under.
//!
//! A target is made of two files of Sigstore's, kept as they were given: a signing config (v0.2), which says where to send,
//! and a trusted root (v0.1), which says what an answer must be signed with. No URL is built in.
//!
//! ```text
//! {"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json",
//!  "rekorTlogUrls":[{"url":"https://log2025-1.rekor.sigstore.dev","majorApiVersion":2,
//!                    "validFor":{"start":"2026-01-01T00:00:00Z","end":"2026-07-01T00:00:00Z"},"operator":"sigstore.dev"}],
//!  "rekorTlogConfig":{"selector":"ANY"}, …}
//! ```
//!
//! # Which log
//!
//! Of `rekorTlogUrls`, as sigstore-go selects: those whose `validFor` holds now; of these the highest `majorApiVersion` that is
//! spoken here (1 and 2); of these the newest start. Where none holds now but some did, the one that ended last is read, so that
//! its receipts can still be checked, and [`Target::check_open`] refuses to send there. `selector` and `operator` are not
//! looked at: a target is one log, and who must log in several names several targets.
//!
//! Its key is that of the log in the trusted root whose `baseUrl` has the URL's host; where none has, that of the only log there
//! is (a log on loopback is seldom named so). Of several, the one whose validity holds now, and of these the newest.
//!
//! # Where this is stricter than sigstore-go, and why
//!
//! * An unknown member of the signing config is refused, as in the trusted root: it might say when not to send.
//! * A URL has a scheme, a host and perhaps a port and a path; a user, a query, a fragment and white space are refused.
//! * A Rekor v1 log must have a P-256 key, for the stock clients verify no signed entry timestamp under another, and a
//!   Rekor v2 log a `baseUrl` with a host, for that is its checkpoint's origin. Both are said now and not after the upload.
//! * A target with a key of the site's own log is refused: a log is no witness of itself.
//!
//! # Limits
//!
//! A signing config of 1 MiB, a trusted root of 8 MiB; the public ones have 1 and 7 KiB.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use airtight_keys::public::KeyId;
use airtight_keys::strict_json::{self, Limits, Object, StrictJsonError};
use airtight_keys::verifier::KeyKind;
use airtight_log::checkpoint::LogIdentity;

use crate::config::targets::TargetName;
use crate::disposition::ApiVersion;
use crate::trust::{TrustError, TrustedLog, TrustedRoot};

/// The only media type of a signing config that is read.
pub const SIGNING_CONFIG_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
/// The limits under which a signing config is read.
pub const SIGNING_CONFIG_LIMITS: Limits = Limits::bytes(1 << 20);
/// The age from which on a target's files are warned about, in seconds: 30 days. Shards of the public log live for six months.
pub const AGE_WARNED_S: u64 = 30 * 86_400;

/// A log that entries can be sent to.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the site calls it.
    pub name: TargetName,
    /// How it is spoken to.
    pub api: ApiVersion,
    /// Where it is, without a slash at the end.
    pub url: String,
    /// Its name and key in the trusted root.
    pub log: TrustedLog,
    /// The trusted root that its answers are verified under, whole.
    pub trusted_root: TrustedRoot,
    /// When its two files were given to the site, seconds since the epoch.
    pub as_of: u64,
    /// The last second at which entries may be sent, where one is known: the URL's or the key's, whichever is earlier.
    pub ends: Option<u64>,
}

/// Why two files are no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The signing config is not read.
    #[error("the signing config is not read: {0}")]
    SigningConfig(#[from] SigningConfigError),
    /// The signing config names no log to send to.
    #[error("the signing config has no rekorTlogUrls")]
    NoUrl,
    /// The logs that it names speak other versions.
    #[error("the signing config's logs speak version {met} of the API, and 1 and 2 are spoken here")]
    ApiUnsupported {
        /// The versions, with commas.
        met: String,
    },
    /// None of its logs takes entries yet.
    #[error("{url} takes entries from {start} on, and it is {now}")]
    NotStarted {
        /// The first that will.
        url: String,
        /// Seconds since the epoch.
        start: u64,
        /// Seconds since the epoch.
        now: u64,
    },
    /// The log takes no entries any more.
    #[error("{url} took entries until {end}, and it is {now}")]
    Ended {
        /// Where it is.
        url: String,
        /// Seconds since the epoch.
        end: u64,
        /// Seconds since the epoch.
        now: u64,
    },
    /// The trusted root is not read.
    #[error("{0}")]
    TrustedRoot(#[from] TrustError),
    /// No log of the trusted root is the one at the URL.
    #[error("none of {logs} logs of the trusted root has the host {host:?}")]
    LogUnknown {
        /// The URL's host.
        host: String,
        /// How many logs there are.
        logs: usize,
    },
    /// The log's key is of an algorithm under which nothing of this API is verified.
    #[error("a log of API version {api} with a key of {key_details} cannot be verified")]
    LogKey {
        /// The version.
        api: ApiVersion,
        /// `keyDetails`.
        key_details: String,
    },
    /// The `baseUrl` has no host, so its checkpoints have no origin.
    #[error("the trusted root's baseUrl {base_url:?} has no scheme and host that could be the checkpoints' origin")]
    LogUrl {
        /// `baseUrl`.
        base_url: String,
    },
    /// The log's key is one of the site's own.
    #[error("the target's log has the key {key_id}, which is the key of this site's own log {origin:?}")]
    OwnKey {
        /// The key.
        key_id: KeyId,
        /// The origin of the site's log.
        origin: String,
    },
}

/// Why a text is no signing config.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningConfigError {
    /// No strict JSON of this shape.
    #[error("{0}")]
    Json(#[from] StrictJsonError),
    /// Another media type.
    #[error("the media type is {found:?}, not {SIGNING_CONFIG_MEDIA_TYPE:?}")]
    MediaType {
        /// What stands there.
        found: String,
    },
    /// A URL that is not used.
    #[error("{found:?} is no URL of http or https with a host and without user, query, fragment and white space")]
    Url {
        /// What stands there.
        found: String,
    },
    /// A time that is not RFC 3339 or lies before 1970.
    #[error("{url}: {found:?} is no RFC 3339 time since 1970")]
    Time {
        /// Of which log.
        url: String,
        /// What stands there.
        found: String,
    },
    /// No start.
    #[error("{url} has no validFor.start")]
    NoStart {
        /// Of which log.
        url: String,
    },
}

impl TargetError {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            TargetError::SigningConfig(_) => "target_signing_config",
            TargetError::NoUrl => "target_no_url",
            TargetError::ApiUnsupported { .. } => "target_api_unsupported",
            TargetError::NotStarted { .. } => "target_not_started",
            TargetError::Ended { .. } => "target_ended",
            TargetError::TrustedRoot(_) => "target_trusted_root",
            TargetError::LogUnknown { .. } => "target_log_unknown",
            TargetError::LogKey { .. } => "target_log_key",
            TargetError::LogUrl { .. } => "target_log_url",
            TargetError::OwnKey { .. } => "target_own_key",
        }
    }
}

impl Target {
    /// Reads the two files; `as_of` is when the site was given them, `now` the time at which a log is selected.
    ///
    /// What success does not mean: that the log still takes entries ([`Target::check_open`]), nor that its key is another than
    /// the site's own ([`Target::refuse_own`]).
    ///
    /// # Errors
    /// [`TargetError`], but for `Ended` and `OwnKey`.
    pub fn read(
        name: TargetName,
        signing_config: &[u8],
        trusted_root: &[u8],
        as_of: u64,
        now: u64,
    ) -> Result<Target, TargetError> {
        let service = select(read_services(signing_config)?, now)?;
        let trusted_root = TrustedRoot::parse(trusted_root)?;
        let log = find_log(&trusted_root, &service, now)?.clone();
        Ok(Target::of(name, service, log, trusted_root, as_of))
    }

    /// Reads the two files of a target that was selected before: the log at this URL with this id, whichever would be selected
    /// now. Nothing where the files have no such log.
    ///
    /// # Errors
    /// As [`Target::read`].
    pub fn read_selected(
        name: TargetName,
        signing_config: &[u8],
        trusted_root: &[u8],
        as_of: u64,
        (api, url, log_id): (ApiVersion, &str, &str),
    ) -> Result<Option<Target>, TargetError> {
        let services = read_services(signing_config)?.into_iter();
        let service = services.filter(|service| service.api == api && service.url == url).max_by_key(|one| one.start);
        let trusted_root = TrustedRoot::parse(trusted_root)?;
        let log = trusted_root.logs().iter().find(|log| KeyId::from_bytes(*log.id()).to_string() == log_id);
        let Some((service, log)) = service.zip(log.cloned()) else { return Ok(None) };
        check_log(&service, &log)?;
        Ok(Some(Target::of(name, service, log, trusted_root, as_of)))
    }

    fn of(name: TargetName, service: Service, log: TrustedLog, trusted_root: TrustedRoot, as_of: u64) -> Target {
        let ends = [service.end, log.validity().end].into_iter().flatten().min();
        Target { name, api: service.api, url: service.url, log, trusted_root, as_of, ends }
    }

    /// Returns the same target with another log of its trusted root; nothing where there is none of that id, or none of whose
    /// answers could be verified.
    pub(super) fn with_log(&self, api: ApiVersion, url: &str, log_id: &KeyId) -> Option<Target> {
        let log = self.trusted_root.logs().iter().find(|log| log.id() == log_id.as_bytes())?.clone();
        let service = Service { url: url.to_owned(), api, start: 0, end: None };
        check_log(&service, &log).ok()?;
        Some(Target::of(self.name.clone(), service, log, self.trusted_root.clone(), self.as_of))
    }

    /// Refuses to send to a log that has ended.
    ///
    /// # Errors
    /// [`TargetError::Ended`].
    pub fn check_open(&self, now: u64) -> Result<(), TargetError> {
        match self.ends {
            Some(end) if end < now => Err(TargetError::Ended { url: self.url.clone(), end, now }),
            _ => Ok(()),
        }
    }

    /// Refuses a log whose key is one of the site's own log.
    ///
    /// # Errors
    /// [`TargetError::OwnKey`].
    pub fn refuse_own(&self, own: &LogIdentity) -> Result<(), TargetError> {
        let key_id = self.log.key().key_id();
        if [&own.keys().p256, &own.keys().ed25519].into_iter().any(|own| own.key_id() == key_id) {
            return Err(TargetError::OwnKey { key_id: *key_id, origin: own.origin().to_owned() });
        }
        Ok(())
    }

    /// Returns the log's id, as its receipts state it.
    pub fn log_id(&self) -> KeyId {
        KeyId::from_bytes(*self.log.id())
    }

    /// Returns for how many seconds the site has had the two files; 0 where the clock went back.
    pub fn age(&self, now: u64) -> u64 {
        now.saturating_sub(self.as_of)
    }

    /// Says whether the files are so old that a person should look for newer ones.
    pub fn is_aged(&self, now: u64) -> bool {
        self.age(now) >= AGE_WARNED_S
    }
}

/// One element of `rekorTlogUrls` that could be used.
struct Service {
    url: String,
    api: ApiVersion,
    start: u64,
    end: Option<u64>,
}

fn read_services(text: &[u8]) -> Result<Vec<Service>, TargetError> {
    let wire: WireConfig<'_> = strict_json::parse(text, SIGNING_CONFIG_LIMITS).map_err(SigningConfigError::Json)?;
    if wire.media_type != SIGNING_CONFIG_MEDIA_TYPE {
        return Err(SigningConfigError::MediaType { found: wire.media_type.into_owned() }.into());
    }
    let listed = wire.rekor_tlog_urls.unwrap_or_default();
    if listed.is_empty() {
        return Err(TargetError::NoUrl);
    }
    let (mut services, mut others) = (Vec::new(), Vec::new());
    for Object(service) in listed {
        match ApiVersion::of_number(service.major_api_version) {
            Some(api) => services.push(read_service(service, api)?),
            None => others.push(service.major_api_version.to_string()),
        }
    }
    if services.is_empty() {
        return Err(TargetError::ApiUnsupported { met: others.join(", ") });
    }
    Ok(services)
}

fn read_service(wire: WireService<'_>, api: ApiVersion) -> Result<Service, SigningConfigError> {
    let url = wire.url.trim_end_matches('/').to_owned();
    if host_of(&url).is_none() {
        return Err(SigningConfigError::Url { found: wire.url.into_owned() });
    }
    let Some(Object(WireValidity { start: Some(start), end })) = wire.valid_for else {
        return Err(SigningConfigError::NoStart { url });
    };
    let seconds = |text: &str| {
        let time = text.parse::<Timestamp>().ok().and_then(|time| u64::try_from(time.as_second()).ok());
        time.ok_or_else(|| SigningConfigError::Time { url: url.clone(), found: text.to_owned() })
    };
    let (start, end) = (seconds(&start)?, end.map(|end| seconds(&end)).transpose()?);
    Ok(Service { url, api, start, end })
}

/// Returns the host of a URL that is used as it stands; `None` where it is none.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    if rest.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '?' | '#' | '\\' | '"')) {
        return None;
    }
    let authority = rest.split('/').next()?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(literal) => literal.split_once(']')?,
        None => authority.find(':').map_or((authority, ""), |colon| authority.split_at(colon)),
    };
    let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
    (port_fits && !host.is_empty()).then_some(host)
}

/// Selects the service that is used at `now`.
fn select(services: Vec<Service>, now: u64) -> Result<Service, TargetError> {
    let first = services.iter().map(|service| (service.start, service.url.clone())).min();
    let holds = |service: &Service| service.start <= now && service.end.is_none_or(|end| now <= end);
    let (current, rest): (Vec<_>, Vec<_>) = services.into_iter().partition(holds);
    let chosen = current.into_iter().max_by_key(|service| (service.api, service.start));
    let over = || rest.into_iter().filter(|service| service.start <= now).max_by_key(|service| service.end);
    chosen.or_else(over).ok_or_else(|| {
        let (start, url) = first.expect("invariant: read_services gives one at least");
        TargetError::NotStarted { url, start, now }
    })
}

fn find_log<'t>(root: &'t TrustedRoot, service: &Service, now: u64) -> Result<&'t TrustedLog, TargetError> {
    let host = host_of(&service.url).expect("invariant: read_service asked for one");
    let named: Vec<&TrustedLog> = root.logs().iter().filter(|log| log.host() == Some(host)).collect();
    let candidates = match (&named[..], root.logs()) {
        ([_, ..], _) => named,
        ([], [only]) => vec![only],
        ([], logs) => return Err(TargetError::LogUnknown { host: host.to_owned(), logs: logs.len() }),
    };
    let holds = |log: &TrustedLog| {
        let validity = log.validity();
        validity.start <= now && validity.end.is_none_or(|end| now <= end)
    };
    let best = candidates.into_iter().max_by_key(|log| (holds(log), log.validity().start));
    let log = best.expect("invariant: one candidate at least");
    check_log(service, log)?;
    Ok(log)
}

/// Refuses a log of which no answer could be verified.
fn check_log(service: &Service, log: &TrustedLog) -> Result<(), TargetError> {
    let is_used = match service.api {
        ApiVersion::V1 => log.key().kind() == KeyKind::P256,
        ApiVersion::V2 => log.key().as_public().is_some(),
    };
    if !is_used {
        return Err(TargetError::LogKey { api: service.api, key_details: log.key_details().to_owned() });
    }
    if service.api == ApiVersion::V2 && log.host().is_none() {
        return Err(TargetError::LogUrl { base_url: log.base_url().to_owned() });
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireConfig<'a> {
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    #[serde(borrow)]
    rekor_tlog_urls: Option<Vec<Object<WireService<'a>>>>,
    // What else the format has; kept in the file, and not used for sending.
    #[serde(borrow, rename = "rekorTlogConfig")]
    _rekor_tlog_config: Option<&'a RawValue>,
    #[serde(borrow, rename = "caUrls")]
    _ca_urls: Option<&'a RawValue>,
    #[serde(borrow, rename = "oidcUrls")]
    _oidc_urls: Option<&'a RawValue>,
    #[serde(borrow, rename = "tsaUrls")]
    _tsa_urls: Option<&'a RawValue>,
    #[serde(borrow, rename = "tsaConfig")]
    _tsa_config: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireService<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(default)]
    major_api_version: u64,
    valid_for: Option<Object<WireValidity>>,
    #[serde(borrow, rename = "operator")]
    _operator: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireValidity {
    start: Option<String>,
    end: Option<String>,
}

#[cfg(test)]
mod tests;
