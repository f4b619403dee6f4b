//! What a site says in its own log about other logs: the predicates of the control entries that a sync makes.
//!
//! | predicate type | what it says | when |
//! |---|---|---|
//! | `https://airtight.dev/transparency-target/v1` | a log to send to, by name, and what its answers are checked against | a target is added or removed |
//! | `https://airtight.dev/transparency-receipts/v1` | which entries another log holds, and where | receipts were imported and verified |
//! | `https://airtight.dev/transparency-exception/v1` | why single entries are not sent, or that they may be again | somebody holds, skips or releases, or the other log refuses |
//! | `https://airtight.dev/transparency-anchor/v1` | that another log holds a checkpoint of this one | an anchor's receipt was verified |
//! | `https://airtight.dev/transparency-approval/v1` | the plan that somebody approved | before anything leaves, where the settings ask for it |
//!
//! All members are always written, but for `after` (`control`), which a target and an exception can have; what is not known is
//! `null`. An unknown member is refused on reading. Lists of leaf indexes ascend, none twice, and hold at most [`ROWS_MAX`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::control::check_note;
use super::{ControlPredicateError, SkipReason};

/// The predicate type of [`TransparencyReceipts`].
pub const TRANSPARENCY_RECEIPTS_V1: &str = "https://airtight.dev/transparency-receipts/v1";
/// The predicate type of [`TransparencyTarget`].
pub const TRANSPARENCY_TARGET_V1: &str = "https://airtight.dev/transparency-target/v1";
/// The predicate type of [`TransparencyException`].
pub const TRANSPARENCY_EXCEPTION_V1: &str = "https://airtight.dev/transparency-exception/v1";
/// The predicate type of [`TransparencyAnchor`].
pub const TRANSPARENCY_ANCHOR_V1: &str = "https://airtight.dev/transparency-anchor/v1";
/// The predicate type of [`TransparencyApproval`].
pub const TRANSPARENCY_APPROVAL_V1: &str = "https://airtight.dev/transparency-approval/v1";

/// The most rows of one statement: what a reader still takes in at once, and far below every limit of a statement.
pub const ROWS_MAX: usize = 1_000;

/// The version of the other log's interface. As JSON its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// Rekor v1: `dsse` 0.0.1 entries, signed entry timestamps.
    V1,
    /// Rekor v2: `hashedrekord` 0.0.2 entries, C2SP checkpoints.
    V2,
}

impl ApiVersion {
    /// Returns the number, 1 or 2.
    pub fn number(self) -> u8 {
        match self {
            ApiVersion::V1 => 1,
            ApiVersion::V2 => 2,
        }
    }

    /// Returns the version of a number.
    pub fn of_number(number: u64) -> Option<ApiVersion> {
        match number {
            1 => Some(ApiVersion::V1),
            2 => Some(ApiVersion::V2),
            _ => None,
        }
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.number())
    }
}

impl Serialize for ApiVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for ApiVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ApiVersion, D::Error> {
        let number = u64::deserialize(deserializer)?;
        let wanted = || serde::de::Error::custom(format!("the interface's version is {number}, and 1 and 2 are known"));
        ApiVersion::of_number(number).ok_or_else(wanted)
    }
}

/// A log to send to, as predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TransparencyTarget {
    /// Its name at this site.
    pub name: String,
    /// Which interface it has.
    pub api_version: ApiVersion,
    /// Where entries are posted.
    pub url: String,
    /// The log's id: 64 lowercase hex digits.
    pub log_id: String,
    /// SHA-256 of the signing config that named it, 64 lowercase hex digits.
    pub signing_config_sha256: String,
    /// SHA-256 of the trusted root that its answers are checked against, 64 lowercase hex digits.
    pub trusted_root_sha256: String,
    /// The moment for which both are taken as current, RFC 3339.
    pub as_of: String,
    /// Whether nothing is to be sent there any more.
    pub removed: bool,
    /// The entry of this type before it, where the same words stand in the log already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// Which entries another log holds, as predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "WrittenReceipts", rename_all = "camelCase")]
pub struct TransparencyReceipts {
    target: String,
    api_version: ApiVersion,
    log_id: String,
    receipts: Vec<ReceiptRow>,
}

/// One entry that another log holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReceiptRow {
    /// The leaf index here.
    pub index: u64,
    /// The id there: 80 hex digits on v1, 64 on v2.
    pub rekor_uuid: String,
    /// The index there; on v1 the one over all shards.
    pub log_index: u64,
    /// What the other log signed as time, in seconds since the epoch; v2 signs none.
    pub integrated_time: Option<u64>,
    /// SHA-256 of the receipt's text, 64 lowercase hex digits.
    pub sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenReceipts {
    target: String,
    api_version: ApiVersion,
    log_id: String,
    receipts: Vec<ReceiptRow>,
}

impl TransparencyReceipts {
    /// Returns the statement of these rows, which ascend by index.
    ///
    /// # Errors
    /// [`ControlPredicateError::Rows`].
    pub fn new(
        target: &str,
        api_version: ApiVersion,
        log_id: &str,
        receipts: Vec<ReceiptRow>,
    ) -> Result<TransparencyReceipts, ControlPredicateError> {
        WrittenReceipts { target: target.into(), api_version, log_id: log_id.into(), receipts }.try_into()
    }

    /// Returns the rows.
    pub fn rows(&self) -> &[ReceiptRow] {
        &self.receipts
    }
}

impl TryFrom<WrittenReceipts> for TransparencyReceipts {
    type Error = ControlPredicateError;

    fn try_from(written: WrittenReceipts) -> Result<TransparencyReceipts, ControlPredicateError> {
        let WrittenReceipts { target, api_version, log_id, receipts } = written;
        check_rows(receipts.iter().map(|row| row.index))?;
        let is_hex = |text: &str, len: &[usize]| {
            len.contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        for row in &receipts {
            if !is_hex(&row.rekor_uuid, &[64, 80]) || !is_hex(&row.sha256, &[64]) {
                return Err(ControlPredicateError::NotHex { index: row.index });
            }
        }
        Ok(TransparencyReceipts { target, api_version, log_id, receipts })
    }
}

/// Why single entries are not sent, or that they may be again, as predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "WrittenException")]
pub struct TransparencyException {
    target: String,
    reason: Option<SkipReason>,
    status: Option<u16>,
    note: Option<String>,
    indexes: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenException {
    target: String,
    reason: Option<SkipReason>,
    status: Option<u16>,
    note: Option<String>,
    indexes: Vec<u64>,
    #[serde(default)]
    after: Option<u64>,
}

impl TransparencyException {
    /// Returns the exception of these entries, by ascending index. Without a reason they are released: what else is said
    /// of them holds again. `status` is what the other log answered where it refused them.
    ///
    /// # Errors
    /// [`ControlPredicateError::Rows`], [`ControlPredicateError::NotAnException`], [`ControlPredicateError::NoteTooLong`].
    pub fn new(
        target: &str,
        reason: Option<SkipReason>,
        status: Option<u16>,
        note: Option<&str>,
        indexes: Vec<u64>,
    ) -> Result<TransparencyException, ControlPredicateError> {
        WrittenException { target: target.into(), reason, status, note: note.map(str::to_owned), indexes, after: None }
            .try_into()
    }

    /// Returns the same exception, said again after the entry with this leaf index.
    pub fn again(self, after: u64) -> TransparencyException {
        TransparencyException { after: Some(after), ..self }
    }

    /// Returns the leaf indexes it is about.
    pub fn indexes(&self) -> &[u64] {
        &self.indexes
    }
}

impl TryFrom<WrittenException> for TransparencyException {
    type Error = ControlPredicateError;

    fn try_from(written: WrittenException) -> Result<TransparencyException, ControlPredicateError> {
        let WrittenException { target, reason, status, note, indexes, after } = written;
        check_rows(indexes.iter().copied())?;
        if let Some(reason) = reason.filter(|reason| !reason.may_be_an_exception()) {
            return Err(ControlPredicateError::NotAnException { reason });
        }
        check_note(note.as_deref())?;
        Ok(TransparencyException { target, reason, status, note, indexes, after })
    }
}

/// That another log holds a checkpoint of this one, as predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TransparencyAnchor {
    /// The name of the target.
    pub target: String,
    /// Which interface it has.
    pub api_version: ApiVersion,
    /// Its log's id, 64 lowercase hex digits.
    pub log_id: String,
    /// The tree size of the checkpoint: every entry below it is covered.
    pub size: u64,
    /// The id there: 80 hex digits on v1, 64 on v2.
    pub rekor_uuid: String,
    /// The index there.
    pub log_index: u64,
    /// What the other log signed as time, in seconds since the epoch.
    pub integrated_time: Option<u64>,
    /// SHA-256 of the receipt's text, 64 lowercase hex digits.
    pub sha256: String,
}

/// The plan that somebody approved, as predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TransparencyApproval {
    /// The name of the target.
    pub target: String,
    /// The log that it was, 64 lowercase hex digits: an approval is for no other that takes its place.
    pub log_id: String,
    /// What is sent: each entry, or one anchor.
    pub mode: PlanMode,
    /// SHA-256 over the requests of the plan, 64 lowercase hex digits.
    pub plan_sha256: String,
    /// How many requests.
    pub entries: u64,
    /// The leaf indexes in it, as pairs of a first and a last one, ascending, at most [`ROWS_MAX`] pairs. Of an anchor, the
    /// one pair of the tree it covers.
    pub ranges: Vec<[u64; 2]>,
}

impl TransparencyApproval {
    /// Tells whether an entry is in the plan.
    pub fn holds(&self, index: u64) -> bool {
        self.ranges.iter().any(|[first, last]| (*first..=*last).contains(&index))
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanMode {
    /// Each pending entry.
    Entries,
    /// One checkpoint, which covers every entry below it.
    Anchor,
}

fn check_rows(indexes: impl ExactSizeIterator<Item = u64>) -> Result<(), ControlPredicateError> {
    let count = indexes.len();
    let mut before = None;
    for index in indexes {
        if before.is_some_and(|before| before >= index) {
            return Err(ControlPredicateError::NotAscending { index });
        }
        before = Some(index);
    }
    match count {
        1..=ROWS_MAX => Ok(()),
        count => Err(ControlPredicateError::Rows { count }),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn row(index: u64) -> ReceiptRow {
        ReceiptRow { index, rekor_uuid: "0a".repeat(40), log_index: 9, integrated_time: None, sha256: "0b".repeat(32) }
    }

    #[track_caller]
    fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str, wanted: &str) {
        let error = serde_json::from_str::<T>(text).expect_err(text).to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }

    #[test]
    fn receipts_come_back_as_they_were_written_and_every_member_is_there() {
        let receipts =
            TransparencyReceipts::new("public", ApiVersion::V1, &"0c".repeat(32), vec![row(3), row(5)]).unwrap();
        let text = serde_json::to_string(&receipts).unwrap();
        assert!(text.starts_with(r#"{"target":"public","apiVersion":1,"logId":"0c0c"#), "{text}");
        assert!(text.contains(r#""logIndex":9,"integratedTime":null,"sha256":"0b0b"#), "{text}");
        assert_eq!(serde_json::from_str::<TransparencyReceipts>(&text).unwrap(), receipts);
        refused::<TransparencyReceipts>(&text.replace("\"apiVersion\":1", "\"apiVersion\":3"), "1 and 2 are known");
        refused::<TransparencyReceipts>(&text.replace("0a0a", "0A0a"), "entry 3");
        refused::<TransparencyReceipts>(&text.replace("\"index\":5", "\"index\":3"), "ascend");
        refused::<TransparencyReceipts>(&text.replace("\"logIndex\"", "\"at\""), "unknown field");
    }

    #[test]
    fn a_list_has_one_to_a_thousand_rows() {
        let of = |count: u64| TransparencyReceipts::new("t", ApiVersion::V2, "", (0..count).map(row).collect());
        assert_eq!(of(0), Err(ControlPredicateError::Rows { count: 0 }));
        assert!(of(1_000).is_ok());
        assert_eq!(of(1_001), Err(ControlPredicateError::Rows { count: 1_001 }));
    }

    #[test]
    fn an_exception_has_a_reason_that_a_single_entry_can_have_or_releases() {
        let of = |reason| TransparencyException::new("t", reason, None, None, vec![1, 2]);
        for reason in SkipReason::ALL {
            let wanted = matches!(
                reason,
                SkipReason::OperatorHold
                    | SkipReason::PolicyPrivate
                    | SkipReason::NotSelected
                    | SkipReason::EntryTooLarge
                    | SkipReason::UnsupportedKey
                    | SkipReason::RejectedByLog
            );
            assert_eq!(of(Some(reason)).is_ok(), wanted, "{reason}");
        }
        let released = of(None).unwrap();
        let text = serde_json::to_string(&released).unwrap();
        assert_eq!(text, r#"{"target":"t","reason":null,"status":null,"note":null,"indexes":[1,2]}"#);
        assert_eq!(serde_json::from_str::<TransparencyException>(&text).unwrap(), released);
        refused::<TransparencyException>(
            &text.replace("null,\"status\"", "\"control_entry\",\"status\""),
            "control_entry",
        );
        refused::<TransparencyException>(&text.replace("[1,2]", "[2,1]"), "ascend");
        refused::<TransparencyException>(&text.replace("[1,2]", "[]"), "0 rows");
    }
}
