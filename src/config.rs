//! The site's settings: `airtight.yaml` in the site directory, read strictly and written with comments.
//!
//! ```yaml
//! Signals:                          # the tree of the Signals provenance contract v1.0.0, section 9
//!   CAS:
//!     BucketPrefix: "cas://signals"
//!     WriteEnabled: true
//!     RetentionDays:
//!       RuntimeFacts: 90
//!       OrphanCallgraphs: 30
//!   Provenance:
//!     Enabled: true
//!     SignManifests: true
//!     AttestBatches: true
//!     RekorEnabled: false
//!   Signing:
//!     KeyId: "signer"
//!     Algorithm: "ECDSA-P256-SHA256"
//! Log:
//!   Origin: "log.site.example"
//!   TreeId: 1193050959916656506
//!   HeadNote: "head.note"
//!   Created: "2026-11-21T03:00:00Z"
//!   Epoch: 1
//! Sync: {}                          # see `sync`
//! ```
//!
//! An unknown member, a member given twice, a wrong type (`no` and `"false"` are not booleans), a second document and a
//! file of more than 64 KiB are refused, with the dotted path of the member. What is left out of `Signals` has the
//! contract's default, with one exception: `Signing.KeyId` names a key of the keyring, and so its default is the keyring's
//! (`signer`). `Log` has no defaults but for `HeadNote`: `airtight init` writes it, and a log whose name could be
//! guessed is no identity. `Sync` may be left out or empty.
//!
//! `RekorEnabled` is a permission, never a statement about the network. The contract's default, `true`, holds where it is
//! left out; what a site may send is still the stricter of this file and the last decision in its log.

use std::fmt;
use std::path::{Path, PathBuf};

use airtight_log::checkpoint::ORIGIN_LEN_MAX;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::durable;

pub use signals::{Cas, Provenance, RetentionDays, Signals, Signing, SigningAlgorithm};
pub use sync::{Budget, Interval, MAX_REQUEST_BYTES, NotThat, SyncSettings, TIMEOUT_S_MAX};

pub mod progress;
pub mod targets;

mod edit;
mod signals;
mod sync;

/// The name of the settings file in the site directory.
pub const FILE_NAME: &str = "airtight.yaml";

/// The largest settings file that is read, in bytes. A hundred times what `init` writes; a larger file is a mistake.
pub const FILE_LEN_MAX: u64 = 64 * 1024;

/// The largest tree ID: a positive signed 64-bit number, as Rekor v1 has it in its checkpoint origins and entry IDs.
pub const TREE_ID_MAX: u64 = i64::MAX as u64;

/// The whole of `airtight.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The settings that the Signals provenance contract defines.
    #[serde(rename = "Signals", default)]
    pub signals: Signals,
    /// The identity of the site's log.
    #[serde(rename = "Log")]
    pub log: LogSettings,
    /// How and how fast entries go to another log.
    #[serde(rename = "Sync", default)]
    pub sync: SyncSettings,
}

/// `Log`: the identity of the site's log, written once by `init`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct LogSettings {
    /// The name of the log: the first line of its C2SP checkpoints and its key name.
    pub origin: String,
    /// The tree ID: 1 to 2^63 - 1, chosen at random by `init`.
    pub tree_id: u64,
    /// The file of the last released checkpoint; a relative path starts at the site directory.
    #[serde(default = "head_note_default")]
    pub head_note: PathBuf,
    /// When the log was made.
    pub created: Created,
    /// The epoch: 1 for the first log of a site, one more for each log that was adopted after it.
    pub epoch: u32,
}

/// A moment in seconds since the epoch, written as RFC 3339 in UTC without a fraction (`2026-11-21T03:00:00Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Created(u64);

/// Why settings were not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is larger than [`FILE_LEN_MAX`].
    #[error("the settings are {len} bytes, more than {max}")]
    TooLarge {
        /// The length met, or the first length that was too large.
        len: u64,
        /// [`FILE_LEN_MAX`].
        max: u64,
    },
    /// The file is not UTF-8 text.
    #[error("the settings are not UTF-8 text at byte {offset}")]
    NotText {
        /// Where the first bad byte lies.
        offset: usize,
    },
    /// The text is no YAML, or not the YAML of this format; the message carries the dotted path, line and column.
    #[error("{0}")]
    Shape(#[from] yaml_serde::Error),
    /// A value has the right type and cannot be used.
    #[error("{path}: {met} is not {wanted}")]
    Value {
        /// The dotted path of the member.
        path: &'static str,
        /// What stands there.
        met: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// `RekorEnabled` does not stand on a line of its own, so that it could not be changed without touching what is around it.
    #[error(
        "`RekorEnabled: true` or `false` is no line of its own below `Signals:`, `Provenance:`; by hand it is `RekorEnabled: {wanted}`"
    )]
    NotEditable {
        /// What was to be written.
        wanted: bool,
    },
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ConfigError {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            ConfigError::TooLarge { .. } => "config_too_large",
            ConfigError::NotText { .. } => "config_not_text",
            ConfigError::Shape(_) => "config_malformed",
            ConfigError::Value { .. } => "config_value_refused",
            ConfigError::NotEditable { .. } => "config_not_editable",
            ConfigError::File { .. } => "config_unreadable",
        }
    }
}

impl Config {
    /// Returns the settings of a new site: the contract's defaults, with `RekorEnabled: false`.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for an origin, tree ID or head note that [`Config::parse`] would not read back.
    pub fn new(log: LogSettings, algorithm: SigningAlgorithm) -> Result<Config, ConfigError> {
        let mut signals = Signals::default();
        signals.provenance.rekor_enabled = false;
        signals.signing.algorithm = algorithm;
        let config = Config { signals, log, sync: SyncSettings::default() };
        config.check()?;
        Ok(config)
    }

    /// Reads settings from the text of `airtight.yaml`.
    ///
    /// # Errors
    /// [`ConfigError::TooLarge`], [`ConfigError::Shape`] for YAML that is not of this format, [`ConfigError::Value`]
    /// for a value that cannot be used.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let len = text.len() as u64;
        if len > FILE_LEN_MAX {
            return Err(ConfigError::TooLarge { len, max: FILE_LEN_MAX });
        }
        let config: Config = yaml_serde::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    /// Reads the settings of the site directory `home`.
    ///
    /// # Errors
    /// [`ConfigError::File`] where the file cannot be read, else as [`Config::parse`].
    pub fn load(home: &Path) -> Result<Config, ConfigError> {
        Config::parse(&edit::read_text(home)?)
    }

    /// Writes the settings of a new site into `home`; a file that is there already is never touched.
    ///
    /// # Errors
    /// [`ConfigError::File`]; of kind `AlreadyExists` where the site has settings.
    pub fn write_new(&self, home: &Path) -> Result<(), ConfigError> {
        let path = home.join(FILE_NAME);
        durable::create_new(&path, self.render().as_bytes(), durable::Mode::Public)
            .map_err(|source| ConfigError::File { path, source })
    }

    /// Writes the settings of `home` anew, the old file replaced in one step.
    ///
    /// Comments that an operator added are lost: this is for acts that change the log's identity (a new epoch).
    ///
    /// # Errors
    /// [`ConfigError::File`].
    pub fn replace(&self, home: &Path) -> Result<(), ConfigError> {
        let path = home.join(FILE_NAME);
        durable::replace(&path, self.render().as_bytes(), durable::Mode::Public)
            .map_err(|source| ConfigError::File { path, source })
    }

    /// Returns the text of `airtight.yaml`, with a comment for each section; [`Config::parse`] reads the same settings back.
    pub fn render(&self) -> String {
        let Signals { cas, provenance, signing } = &self.signals;
        format!(
            "\
# Settings of this airtight site. Unknown or misspelt members are refused, not ignored.

# What the Signals provenance contract v1.0.0 defines (its section 9).
Signals:
  CAS:
    BucketPrefix: {prefix}
    WriteEnabled: {write_enabled}
    RetentionDays:
      RuntimeFacts: {runtime_facts}
      OrphanCallgraphs: {orphan_callgraphs}
  Provenance:
    Enabled: {enabled}
    SignManifests: {sign_manifests}
    AttestBatches: {attest_batches}
    # Permission to send entries to Rekor. The stricter of this line and the last decision in the log holds.
    RekorEnabled: {rekor_enabled}
  Signing:
    # The signing key: keys/NAME.key in this directory.
    KeyId: {key_id}
    # ECDSA-P256-SHA256 or Ed25519.
    Algorithm: {algorithm}

# Who this log is. Every checkpoint carries it: changing it by hand makes another log of it.
Log:
  Origin: {origin}
  TreeId: {tree_id}
  # The last released checkpoint. Put it on another disk, and a lost or old database is noticed.
  HeadNote: {head_note}
  Created: {created}
  Epoch: {epoch}

# How entries go to another log, once that is permitted and a target is named.
Sync:
  # Nothing leaves without a signed approval of the plan.
  RequireApproval: {require_approval}
  # Requests an hour, or \"none\".
  Budget: {budget}
  # How often `airtight sync push --watch` looks: a number and s, m, h or d.
  Interval: {interval}
  # Seconds for one request.
  Timeout: {timeout}
  # Larger requests are not sent; the public log drops them.
  MaxRequestBytes: {max_request_bytes}
",
            prefix = quoted(&cas.bucket_prefix),
            write_enabled = cas.write_enabled,
            runtime_facts = cas.retention_days.runtime_facts,
            orphan_callgraphs = cas.retention_days.orphan_callgraphs,
            enabled = provenance.enabled,
            sign_manifests = provenance.sign_manifests,
            attest_batches = provenance.attest_batches,
            rekor_enabled = provenance.rekor_enabled,
            key_id = quoted(&signing.key_id),
            algorithm = quoted(signing.algorithm.name()),
            origin = quoted(&self.log.origin),
            tree_id = self.log.tree_id,
            head_note = quoted(&self.log.head_note.to_string_lossy()),
            created = quoted(&self.log.created.to_string()),
            epoch = self.log.epoch,
            require_approval = self.sync.require_approval,
            budget = quoted(&self.sync.budget.to_string()),
            interval = quoted(&self.sync.interval.to_string()),
            timeout = self.sync.timeout,
            max_request_bytes = self.sync.max_request_bytes,
        )
    }

    /// Refuses values that have the right type and cannot be used.
    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |path, met: &dyn ToString, wanted| Err(ConfigError::Value { path, met: met.to_string(), wanted });
        let cas = &self.signals.cas;
        if !cas.bucket_prefix.starts_with("cas://") || !is_printable(&cas.bucket_prefix) {
            return refuse("Signals.CAS.BucketPrefix", &cas.bucket_prefix, "a name that starts with cas://");
        }
        let RetentionDays { runtime_facts, orphan_callgraphs } = &cas.retention_days;
        if *runtime_facts == 0 {
            return refuse("Signals.CAS.RetentionDays.RuntimeFacts", runtime_facts, "a number of days from 1");
        }
        if *orphan_callgraphs == 0 {
            return refuse("Signals.CAS.RetentionDays.OrphanCallgraphs", orphan_callgraphs, "a number of days from 1");
        }
        let key_id = &self.signals.signing.key_id;
        if key_id.is_empty() || !is_printable(key_id) {
            return refuse("Signals.Signing.KeyId", &quoted(key_id), "the name of a key");
        }
        let LogSettings { origin, tree_id, head_note, epoch, .. } = &self.log;
        if !is_origin(origin) {
            return refuse(
                "Log.Origin",
                &quoted(origin),
                "a name of 1 to 255 bytes without spaces, control characters and `+`",
            );
        }
        if !(1..=TREE_ID_MAX).contains(tree_id) {
            return refuse("Log.TreeId", tree_id, "a number from 1 to 9223372036854775807");
        }
        let head_text = head_note.to_str().unwrap_or_default();
        if head_text.is_empty() || !is_printable(head_text) {
            return refuse("Log.HeadNote", &quoted(&head_note.to_string_lossy()), "the path of a file");
        }
        if *epoch == 0 {
            return refuse("Log.Epoch", epoch, "a number from 1");
        }
        let SyncSettings { timeout, max_request_bytes, .. } = &self.sync;
        if !(1..=TIMEOUT_S_MAX).contains(timeout) {
            return refuse("Sync.Timeout", timeout, "a number of seconds from 1 to 600");
        }
        if !MAX_REQUEST_BYTES.contains(max_request_bytes) {
            return refuse("Sync.MaxRequestBytes", max_request_bytes, "a number of bytes from 1024 to 100663296");
        }
        Ok(())
    }
}

impl LogSettings {
    /// Returns the path of the head note for the site directory `home`.
    pub fn head_note_path(&self, home: &Path) -> PathBuf {
        home.join(&self.head_note)
    }
}

impl Created {
    /// Returns the moment `seconds` after the epoch; `None` after the year 9999, which RFC 3339 cannot write.
    pub fn from_seconds(seconds: u64) -> Option<Created> {
        Timestamp::from_second(i64::try_from(seconds).ok()?).ok().map(|_| Created(seconds))
    }

    /// Returns the seconds since the epoch.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Created {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).expect("invariant: from_seconds took it through i64");
        let moment = Timestamp::from_second(seconds).expect("invariant: from_seconds asked jiff");
        write!(into, "{moment}")
    }
}

/// Tells whether a text can be an origin: a C2SP signed-note key name, and short.
///
/// C2SP signed-note: a key name is not empty and has neither Unicode spaces nor `+`. Control characters are refused too.
pub fn is_origin(text: &str) -> bool {
    (1..=ORIGIN_LEN_MAX).contains(&text.len())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// Tells whether a text can stand on a line of its own; a control character in a quoted value could hide what follows.
fn is_printable(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// Returns a text as a YAML double-quoted scalar. A JSON string without control characters is one.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("invariant: a str is always JSON")
}

fn head_note_default() -> PathBuf {
    PathBuf::from("head.note")
}

/// Reads a [`Created`] inside the visitor, where a refusal still gets the dotted path of the scalar.
struct CreatedVisitor;

impl serde::de::Visitor<'_> for CreatedVisitor {
    type Value = Created;

    fn expecting(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        into.write_str("a moment like 2026-11-21T03:00:00Z")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Created, E> {
        let seconds = text.parse::<Timestamp>().ok().and_then(|moment| u64::try_from(moment.as_second()).ok());
        // Accept only what would be written: no other zone, no fraction, no lower case.
        let created = seconds.and_then(Created::from_seconds).filter(|created| created.to_string() == text);
        created.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Created {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Created, D::Error> {
        deserializer.deserialize_str(CreatedVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn site() -> Config {
        let log = LogSettings {
            origin: "log.site.example".into(),
            tree_id: 1_193_050_959_916_656_506,
            head_note: "head.note".into(),
            created: Created::from_seconds(1_795_230_000).unwrap(),
            epoch: 1,
        };
        Config::new(log, SigningAlgorithm::EcdsaP256Sha256).unwrap()
    }

    fn error_of(text: &str) -> ConfigError {
        Config::parse(text).expect_err(text)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut config = site();
        assert_eq!(Config::parse(&config.render()).unwrap(), config);
        config.log.origin = "löc \"quoted\"\\#: yes".replace(' ', "_");
        config.log.head_note = "/mnt/other disk/head \"1\".note".into();
        config.log.tree_id = TREE_ID_MAX;
        config.signals.signing.algorithm = SigningAlgorithm::Ed25519;
        config.sync.budget = "none".parse().unwrap();
        config.sync.interval = "90s".parse().unwrap();
        (config.sync.require_approval, config.sync.timeout, config.sync.max_request_bytes) = (true, 600, 1024);
        assert_eq!(Config::parse(&config.render()).unwrap(), config);
        let empty = site().render().split("# How entries go").next().unwrap().to_owned();
        for sync in ["", "Sync: {}\n", "Sync: {Timeout: 30}\n"] {
            assert_eq!(Config::parse(&format!("{empty}{sync}")).unwrap(), site(), "{sync}");
        }
    }

    #[test]
    fn a_new_site_does_not_send() {
        assert!(!site().signals.provenance.rekor_enabled);
        assert!(site().render().contains("RekorEnabled: false"));
    }

    #[test]
    fn the_contracts_own_example_is_accepted_as_it_stands() {
        let text = "\
Signals:
  CAS:
    BucketPrefix: \"cas://signals\"
    WriteEnabled: true
    RetentionDays:
      RuntimeFacts: 90
      OrphanCallgraphs: 30

  Provenance:
    Enabled: true
    SignManifests: true
    AttestBatches: true
    RekorEnabled: true  # Set to false for air-gap

  Signing:
    KeyId: \"signals-signer-2025-001\"
    Algorithm: \"ECDSA-P256-SHA256\"
Log: {Origin: a, TreeId: 1, Created: \"2026-11-21T03:00:00Z\", Epoch: 1}
";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.signals.signing.key_id, "signals-signer-2025-001");
        let mut defaults = Signals::default();
        defaults.signing.key_id = "signals-signer-2025-001".into();
        assert_eq!(config.signals, defaults);
        assert_eq!(config.log.head_note, PathBuf::from("head.note"));
    }

    #[test]
    fn a_shape_that_is_not_ours_is_refused_with_its_dotted_path() {
        let whole = site().render();
        for (from, to, path) in [
            ("RekorEnabled: false", "RekorEnabled: \"false\"", "Signals.Provenance.RekorEnabled"),
            ("RekorEnabled: false", "RekorEnabled: no", "Signals.Provenance.RekorEnabled"),
            ("RekorEnabled: false", "RekorEnabeld: false", "Signals.Provenance"),
            ("RekorEnabled: false", "RekorEnabled: false\n    RekorEnabled: true", "Signals.Provenance"),
            ("RuntimeFacts: 90", "RuntimeFacts: -1", "Signals.CAS.RetentionDays.RuntimeFacts"),
            ("\"ECDSA-P256-SHA256\"", "\"RSA\"", "Signals.Signing.Algorithm"),
            ("TreeId: 1193050959916656506", "TreeId: 1.5", "Log.TreeId"),
            ("03:00:00Z", "03:00:00+00:00", "Log.Created"),
            ("03:00:00Z", "03:00:00.5Z", "Log.Created"),
            ("  RequireApproval: false", "  Targets: []", "Sync"),
            ("RequireApproval: false", "RequireApproval: maybe", "Sync.RequireApproval"),
            ("\"500/h\"", "500", "Sync.Budget"),
            ("\"500/h\"", "\"500/d\"", "Sync.Budget"),
            ("\"1h\"", "\"1 hour\"", "Sync.Interval"),
            ("Timeout: 30", "Timeout: -1", "Sync.Timeout"),
            ("MaxRequestBytes: 3500000", "MaxRequestBytes: 3.5e6", "Sync.MaxRequestBytes"),
            ("\nLog:", "\n---\nLog:", ""),
            ("Sync:", "Other:", ""),
        ] {
            assert!(whole.contains(from), "{from}");
            let error = error_of(&whole.replace(from, to));
            assert_eq!(error.code(), "config_malformed", "{to}: {error}");
            assert!(error.to_string().contains(path), "{to}: {error}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_is_refused_with_both_sides() {
        let whole = site().render();
        for (from, to, path) in [
            ("log.site.example", "log site", "Log.Origin"),
            ("log.site.example", "log+site", "Log.Origin"),
            ("log.site.example", "", "Log.Origin"),
            ("TreeId: 1193050959916656506", "TreeId: 0", "Log.TreeId"),
            ("TreeId: 1193050959916656506", "TreeId: 9223372036854775808", "Log.TreeId"),
            ("\"head.note\"", "\"\"", "Log.HeadNote"),
            ("Epoch: 1", "Epoch: 0", "Log.Epoch"),
            ("cas://signals", "s3://signals", "Signals.CAS.BucketPrefix"),
            ("RuntimeFacts: 90", "RuntimeFacts: 0", "Signals.CAS.RetentionDays.RuntimeFacts"),
            ("\"signer\"", "\"\"", "Signals.Signing.KeyId"),
            ("Timeout: 30", "Timeout: 0", "Sync.Timeout"),
            ("Timeout: 30", "Timeout: 601", "Sync.Timeout"),
            ("MaxRequestBytes: 3500000", "MaxRequestBytes: 1023", "Sync.MaxRequestBytes"),
        ] {
            assert!(whole.contains(from), "{from}");
            let error = error_of(&whole.replace(from, to));
            assert!(matches!(&error, ConfigError::Value { path: met, .. } if *met == path), "{to}: {error}");
        }
    }

    #[test]
    fn a_log_without_a_name_is_refused() {
        assert_eq!(error_of("Signals: {}").code(), "config_malformed");
        assert_eq!(error_of("").code(), "config_malformed");
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_before_it_is_read() {
        let text = format!("{}#{}", site().render(), "x".repeat(FILE_LEN_MAX as usize));
        assert_eq!(error_of(&text).code(), "config_too_large");
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE_NAME), &text).unwrap();
        assert_eq!(Config::load(home.path()).unwrap_err().code(), "config_too_large");
    }

    #[test]
    fn settings_are_written_once_and_never_overwritten() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Config::load(home.path()).unwrap_err().code(), "config_unreadable");
        site().write_new(home.path()).unwrap();
        assert_eq!(Config::load(home.path()).unwrap(), site());
        assert_eq!(site().write_new(home.path()).unwrap_err().code(), "config_unreadable");
    }
}
