//! What a site says about itself in its own log: the predicates of its control entries.
//!
//! | predicate type | what it says | when |
//! |---|---|---|
//! | `https://airtight.dev/transparency-decision/v1` | whether entries may be sent, from where on, why not | entry 0, and at each change |
//! | `https://airtight.dev/key/v1` | a key, its role and what it can do | when a key is made or imported |
//! | `https://airtight.dev/epoch/v1` | what is known of the log before this one | entry 0 of every epoch after the first |
//!
//! A control entry is an entry like any other, signed by a signer of the site; it is never sent to another log, and it is
//! never made for a user. None of the three carries a time, a host or a path: the same statement is the same leaf. What a
//! site says about other logs stands in `outward`.
//!
//! All members are always written; what is not known is `null`. An unknown member is refused on reading. One member more, `after`,
//! is written only where it is needed: a site that decides what it had decided before, after it had decided otherwise, would
//! make the very leaf that is in the log already, and nothing would be appended. `after` is the leaf index of the last entry of
//! the same type, and makes it another statement.

use airtight_keys::public::{Algorithm, Capabilities, KeyId};
use airtight_keys::role::Role;
use serde::{Deserialize, Serialize};

use super::outward::{
    TRANSPARENCY_ANCHOR_V1, TRANSPARENCY_APPROVAL_V1, TRANSPARENCY_EXCEPTION_V1, TRANSPARENCY_RECEIPTS_V1,
    TRANSPARENCY_TARGET_V1,
};
use super::{Decision, Sending, SkipReason};

/// The predicate type of [`TransparencyDecision`].
pub const TRANSPARENCY_DECISION_V1: &str = "https://airtight.dev/transparency-decision/v1";

/// The predicate type of [`KeyAnnouncement`].
pub const KEY_V1: &str = "https://airtight.dev/key/v1";

/// The predicate type of [`Epoch`].
pub const EPOCH_V1: &str = "https://airtight.dev/epoch/v1";

/// The longest note, in bytes. A note is a sentence for the reader of a log, not a document.
pub const NOTE_LEN_MAX: usize = 4096;

/// All of the site's own predicate types, in the order in which the store numbers them.
pub const CONTROL_TYPES: [&str; 8] = [
    TRANSPARENCY_DECISION_V1,
    TRANSPARENCY_RECEIPTS_V1,
    KEY_V1,
    EPOCH_V1,
    TRANSPARENCY_TARGET_V1,
    TRANSPARENCY_EXCEPTION_V1,
    TRANSPARENCY_ANCHOR_V1,
    TRANSPARENCY_APPROVAL_V1,
];

/// Tells whether a predicate type is one of the site's own.
pub fn is_control(predicate_type: &str) -> bool {
    CONTROL_TYPES.contains(&predicate_type)
}

/// A decision whether entries may be sent, as predicate.
///
/// `{"target":"default","enabled":false,"reason":"rekor_disabled","note":null,"from":0}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "WrittenDecision")]
pub struct TransparencyDecision {
    target: String,
    enabled: bool,
    reason: Option<SkipReason>,
    note: Option<String>,
    from: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
}

/// [`TransparencyDecision`] before its members were compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDecision {
    target: String,
    enabled: bool,
    reason: Option<SkipReason>,
    note: Option<String>,
    from: u64,
    #[serde(default)]
    after: Option<u64>,
}

/// Why a control predicate was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlPredicateError {
    /// Sending is enabled, and a reason says why it is not.
    #[error("enabled is true and reason is `{reason}`")]
    ReasonWhereEnabled {
        /// The reason met.
        reason: SkipReason,
    },
    /// Sending is not enabled, and nothing says why.
    #[error("enabled is false and reason is null")]
    NoReason,
    /// The reason is a fact about one entry or about progress, which nobody can decide.
    #[error("`{reason}` is not a reason that can be decided for all entries")]
    NotDecidable {
        /// The reason met.
        reason: SkipReason,
    },
    /// The reason is none that a single entry can have.
    #[error("`{reason}` is not a reason that can be given for single entries")]
    NotAnException {
        /// The reason met.
        reason: SkipReason,
    },
    /// A list of entries is empty or too long.
    #[error("a list of {count} rows, and one statement has 1 to {}", super::outward::ROWS_MAX)]
    Rows {
        /// How many there are.
        count: usize,
    },
    /// A list of entries does not ascend.
    #[error("the list of entries does not ascend at {index}")]
    NotAscending {
        /// Where it does not.
        index: u64,
    },
    /// A UUID or a digest is no lowercase hex of its length.
    #[error("the row of entry {index} has a UUID or digest that is no lowercase hex of its length")]
    NotHex {
        /// Which row.
        index: u64,
    },
    /// The note is too long.
    #[error("the note is {len} bytes, more than {NOTE_LEN_MAX}")]
    NoteTooLong {
        /// The length met.
        len: usize,
    },
    /// Of the size and the root of the log before, one is known and the other is not.
    #[error("size and root of the predecessor belong together, and one of them is null")]
    HalfAHead,
}

impl TransparencyDecision {
    /// Returns a decision about the entries of a target from leaf index `from` on.
    ///
    /// # Errors
    /// [`ControlPredicateError::NotDecidable`], [`ControlPredicateError::NoteTooLong`].
    pub fn new(
        target: &str,
        sending: Sending,
        from: u64,
        note: Option<&str>,
    ) -> Result<TransparencyDecision, ControlPredicateError> {
        let (enabled, reason) = match sending {
            Sending::Enabled => (true, None),
            Sending::NotEnabled(reason) => (false, Some(reason)),
        };
        WrittenDecision { target: target.into(), enabled, reason, note: note.map(str::to_owned), from, after: None }
            .try_into()
    }

    /// Returns the name of the target.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns what the operator noted.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Returns the same decision, said again after the entry with this leaf index.
    pub fn again(self, after: u64) -> TransparencyDecision {
        TransparencyDecision { after: Some(after), ..self }
    }

    /// Returns the decision for [`Standings`](super::Standings), once its own leaf index is known.
    pub fn at(&self, index: u64) -> Decision {
        let sending = match self.reason {
            None => Sending::Enabled,
            Some(reason) => Sending::NotEnabled(reason),
        };
        Decision { index, from: self.from, sending }
    }
}

impl TryFrom<WrittenDecision> for TransparencyDecision {
    type Error = ControlPredicateError;

    fn try_from(written: WrittenDecision) -> Result<TransparencyDecision, ControlPredicateError> {
        let WrittenDecision { target, enabled, reason, note, from, after } = written;
        match (enabled, reason) {
            (true, Some(reason)) => return Err(ControlPredicateError::ReasonWhereEnabled { reason }),
            (false, None) => return Err(ControlPredicateError::NoReason),
            (false, Some(reason)) if !reason.may_be_decided() => {
                return Err(ControlPredicateError::NotDecidable { reason });
            }
            _ => {}
        }
        check_note(note.as_deref())?;
        Ok(TransparencyDecision { target, enabled, reason, note, from, after })
    }
}

/// A key of the site, as predicate.
///
/// `{"name":"signer","role":"signer","algorithm":"ecdsa-p256","keyId":"…64 hex…","capabilities":{"rekorV1":true,"rekorV2":true,
/// "sigstoreClients":true,"witnessNetwork":false}}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyAnnouncement {
    /// The key's name in the keyring.
    pub name: String,
    /// What it may sign.
    pub role: Role,
    /// `ecdsa-p256` or `ed25519`.
    pub algorithm: String,
    /// SHA-256 of its SPKI DER, 64 lowercase hex digits.
    pub key_id: String,
    /// What can be done with it outside.
    pub capabilities: KeyCapabilities,
}

/// [`Capabilities`] as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyCapabilities {
    /// Rekor v1 takes an entry signed by it.
    pub rekor_v1: bool,
    /// Rekor v2 takes an entry signed by it.
    pub rekor_v2: bool,
    /// Stock Sigstore clients verify a bundle signed by it.
    pub sigstore_clients: bool,
    /// A C2SP witness takes a checkpoint signed by it.
    pub witness_network: bool,
}

impl KeyAnnouncement {
    /// Returns the announcement of a key.
    pub fn new(name: &str, role: Role, algorithm: Algorithm, key_id: &KeyId) -> KeyAnnouncement {
        KeyAnnouncement {
            name: name.into(),
            role,
            algorithm: algorithm.name().into(),
            key_id: key_id.to_string(),
            capabilities: algorithm.capabilities().into(),
        }
    }
}

impl From<Capabilities> for KeyCapabilities {
    fn from(capabilities: Capabilities) -> KeyCapabilities {
        let Capabilities { rekor_v1, rekor_v2, sigstore_clients, witness_network } = capabilities;
        KeyCapabilities { rekor_v1, rekor_v2, sigstore_clients, witness_network }
    }
}

/// The beginning of a log that follows another one, as predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "WrittenEpoch")]
pub struct Epoch {
    predecessor: EpochPredecessor,
    reason: String,
    note: Option<String>,
}

/// [`Epoch`] before its members were compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEpoch {
    predecessor: EpochPredecessor,
    reason: String,
    note: Option<String>,
}

/// What is known of the log before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EpochPredecessor {
    /// Its origin.
    pub origin: String,
    /// Its tree ID in decimal; a text, for JSON readers lose digits of numbers above 2^53.
    pub tree_id: String,
    /// Its last released checkpoint, the whole C2SP note, where there is one.
    pub last_checkpoint: Option<String>,
    /// How many of its entries are known to have been there.
    pub size: Option<u64>,
    /// Their root hash, in base64.
    pub root: Option<String>,
}

impl Epoch {
    /// Returns the beginning of a log: `reason` is the code of what was found, `note` the operator's own words.
    ///
    /// # Errors
    /// [`ControlPredicateError::HalfAHead`], [`ControlPredicateError::NoteTooLong`].
    pub fn new(
        predecessor: EpochPredecessor,
        reason: &str,
        note: Option<&str>,
    ) -> Result<Epoch, ControlPredicateError> {
        WrittenEpoch { predecessor, reason: reason.into(), note: note.map(str::to_owned) }.try_into()
    }

    /// Returns what is known of the log before.
    pub fn predecessor(&self) -> &EpochPredecessor {
        &self.predecessor
    }

    /// Returns the code of what was found when the epoch began.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns what the operator noted.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl TryFrom<WrittenEpoch> for Epoch {
    type Error = ControlPredicateError;

    fn try_from(written: WrittenEpoch) -> Result<Epoch, ControlPredicateError> {
        let WrittenEpoch { predecessor, reason, note } = written;
        if predecessor.size.is_some() != predecessor.root.is_some() {
            return Err(ControlPredicateError::HalfAHead);
        }
        check_note(note.as_deref())?;
        Ok(Epoch { predecessor, reason, note })
    }
}

pub(super) fn check_note(note: Option<&str>) -> Result<(), ControlPredicateError> {
    match note {
        Some(note) if note.len() > NOTE_LEN_MAX => Err(ControlPredicateError::NoteTooLong { len: note.len() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::*;

    const OFF: Sending = Sending::NotEnabled(SkipReason::RekorDisabled);

    fn announcement() -> KeyAnnouncement {
        KeyAnnouncement::new("signer", Role::Signer, Algorithm::P256, &KeyId::from_bytes([7; 32]))
    }

    fn epoch() -> Epoch {
        let predecessor = EpochPredecessor {
            origin: "log.site.example".into(),
            tree_id: "9223372036854775807".into(),
            last_checkpoint: None,
            size: Some(12),
            root: Some("gUukZZ25sRX2FH6W0BZXzpY59QUYs6j9U0NuO4j4A9o=".into()),
        };
        Epoch::new(predecessor, "database_lost", Some("the disk of the old host")).unwrap()
    }

    #[track_caller]
    fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str, wanted: &str) {
        let error = serde_json::from_str::<T>(text).expect_err(text).to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }

    #[test]
    fn a_decision_is_written_with_all_its_members() {
        let decision = TransparencyDecision::new("default", OFF, 0, None).unwrap();
        let text = serde_json::to_string(&decision).unwrap();
        assert_eq!(text, r#"{"target":"default","enabled":false,"reason":"rekor_disabled","note":null,"from":0}"#);
        assert_eq!(serde_json::from_str::<TransparencyDecision>(&text).unwrap(), decision);
        assert_eq!(decision.at(4), Decision { index: 4, from: 0, sending: OFF });
        let enabled = TransparencyDecision::new("default", Sending::Enabled, 9, Some("agreed")).unwrap();
        assert_eq!(enabled.at(9).sending, Sending::Enabled);
    }

    #[test]
    fn a_decision_that_contradicts_itself_is_refused() {
        let with = |enabled, reason| {
            format!(r#"{{"target":"default","enabled":{enabled},"reason":{reason},"note":null,"from":0}}"#)
        };
        refused::<TransparencyDecision>(&with(true, "\"air_gapped\""), "enabled is true and reason is `air_gapped`");
        refused::<TransparencyDecision>(&with(false, "null"), "enabled is false and reason is null");
        refused::<TransparencyDecision>(&with(false, "\"pending_upload\""), "not a reason that can be decided");
        refused::<TransparencyDecision>(&with(false, "\"air_gapped\",\"time\":1"), "unknown field");
        assert_eq!(
            TransparencyDecision::new("default", Sending::NotEnabled(SkipReason::ControlEntry), 0, None),
            Err(ControlPredicateError::NotDecidable { reason: SkipReason::ControlEntry })
        );
    }

    #[test]
    fn a_note_of_more_than_its_limit_is_refused() {
        let note = "x".repeat(NOTE_LEN_MAX + 1);
        let len = note.len();
        let wanted = ControlPredicateError::NoteTooLong { len };
        assert_eq!(TransparencyDecision::new("default", OFF, 0, Some(&note)), Err(wanted.clone()));
        assert_eq!(Epoch::new(epoch().predecessor().clone(), "x", Some(&note)), Err(wanted));
        assert!(TransparencyDecision::new("default", OFF, 0, Some(&note[1..])).is_ok());
    }

    #[test]
    fn an_epoch_knows_the_whole_head_before_it_or_nothing() {
        let text = serde_json::to_string(&epoch()).unwrap();
        assert_eq!(serde_json::from_str::<Epoch>(&text).unwrap(), epoch());
        refused::<Epoch>(&text.replace("\"size\":12", "\"size\":null"), "size and root");
        refused::<Epoch>(&text.replace("\"size\":12", "\"size\":-1"), "-1");
        refused::<Epoch>(&text.replace("\"9223372036854775807\"", "9223372036854775807"), "expected a string");
    }

    #[test]
    fn a_key_is_announced_with_what_it_can_do() {
        let value = serde_json::to_value(announcement()).unwrap();
        assert_eq!(value["role"], "signer");
        assert_eq!(value["algorithm"], "ecdsa-p256");
        assert_eq!(value["keyId"], "07".repeat(32));
        assert_eq!(value["capabilities"]["rekorV2"], true);
        refused::<KeyAnnouncement>(&value.to_string().replace("\"signer\"}", "\"boss\"}"), "boss");
        refused::<KeyAnnouncement>(&value.to_string().replace("rekorV2", "rekorV3"), "unknown field");
    }

    #[test]
    fn only_these_types_are_the_sites_own() {
        for predicate_type in CONTROL_TYPES {
            assert!(is_control(predicate_type));
            assert!(crate::statement::PredicateType::uri_of(predicate_type).unwrap().is_control(), "refused to a user");
        }
        for predicate_type in ["", "https://airtight.dev/artifact/v1", "https://airtight.dev/key/v1/", "key/v1"] {
            assert!(!is_control(predicate_type), "{predicate_type}");
        }
    }

    /// Compares the members a schema names and requires with those of an example, at every object of it.
    fn members_fit(schema: &Value, example: &Value, path: &str) {
        let Some(example) = example.as_object() else { return };
        let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("{path}: no properties"));
        let mut required: Vec<&str> =
            schema["required"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        required.sort_unstable();
        // What is said again, and only that, has a member more.
        let always = properties.keys().filter(|name| *name != "after");
        assert_eq!(always.collect::<Vec<_>>(), example.keys().collect::<Vec<_>>(), "{path}");
        assert_eq!(required, example.keys().collect::<Vec<_>>(), "{path}");
        assert_eq!(schema["additionalProperties"], false, "{path}");
        for (name, value) in example {
            members_fit(&properties[name], value, &format!("{path}.{name}"));
        }
    }

    #[test]
    fn the_schemas_name_and_require_exactly_the_members_written() {
        let decision = TransparencyDecision::new("default", OFF, 0, None).unwrap();
        let examples = [
            (
                include_str!("../../schemas/transparency-decision.v1.schema.json"),
                TRANSPARENCY_DECISION_V1,
                serde_json::to_value(&decision).unwrap(),
            ),
            (include_str!("../../schemas/key.v1.schema.json"), KEY_V1, serde_json::to_value(announcement()).unwrap()),
            (include_str!("../../schemas/epoch.v1.schema.json"), EPOCH_V1, serde_json::to_value(epoch()).unwrap()),
        ];
        for (schema, predicate_type, example) in examples {
            let schema: Value = serde_json::from_str(schema).unwrap();
            assert_eq!(schema["title"], predicate_type);
            members_fit(&schema, &example, predicate_type);
        }
    }

    #[test]
    fn a_decision_said_again_says_after_what_and_reads_back() {
        let decision = TransparencyDecision::new("default", OFF, 0, None).unwrap();
        let again = decision.clone().again(7);
        let text = serde_json::to_string(&again).unwrap();
        assert!(text.ends_with(r#""from":0,"after":7}"#), "{text}");
        assert_eq!(serde_json::from_str::<TransparencyDecision>(&text).unwrap(), again);
        assert_ne!(again, decision);
    }

    #[test]
    fn the_schema_lists_exactly_the_reasons_that_can_be_decided() {
        let schema: Value =
            serde_json::from_str(include_str!("../../schemas/transparency-decision.v1.schema.json")).unwrap();
        let mut wanted: Vec<Value> =
            SkipReason::ALL.iter().filter(|reason| reason.may_be_decided()).map(|r| r.as_str().into()).collect();
        wanted.push(Value::Null);
        assert_eq!(schema["properties"]["reason"]["enum"], Value::Array(wanted));
    }
}
