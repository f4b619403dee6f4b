//! The receipts pack: what a log answered to the requests of an outbox pack, in its own words, one answer a line.
//!
//! ```text
//! receipts.ndjson   {"index":5,"leafHash":"<64 hex>","status":201,"answer":{…what the server said…}}
//!                   {"index":6,"leafHash":"<64 hex>","refused":{"status":400,"message":"…"}}
//! ```
//!
//! Status 201 says that the log took the entry now, 409 that it had it. The answer is Rekor's own: for v1 the map of one
//! UUID to its entry, for v2 a TransparencyLogEntry. Lines stand in the order in which the answers came. Nothing here is
//! verified yet; a pack that is not whole yet (`remaining` above 0) is a pack all the same.

use std::path::Path;

use airtight_keys::strict_json::{self, Limits, Object};
use airtight_log::digest::Hash;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::container::Container;
use super::error::PackError;
use super::lines::Lines;
use super::{LINE_LEN_MAX, MANIFEST, Manifest, PackTarget, hex_hash, journal, parse_manifest};

/// What the manifest of a receipts pack says of its format.
pub const FORMAT: &str = "https://airtight.dev/receipts/v1";
/// The file with the answers.
pub const RECEIPTS: &str = "receipts.ndjson";
/// The longest message of a refusal, in bytes.
pub const MESSAGE_LEN_MAX: usize = 512;

/// What became of one request.
#[derive(Debug, Clone)]
pub struct ReceiptLine {
    /// The index in the site's log, 0-based.
    pub index: u64,
    /// The leaf hash in the site's log.
    pub leaf_hash: Hash,
    /// What the other log said.
    pub outcome: Outcome,
}

/// What a log said to a request.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The log has the entry.
    Answered {
        /// 201 or 409.
        status: u16,
        /// The server's answer, as it stood.
        answer: Box<RawValue>,
    },
    /// The log will not take the entry.
    Refused {
        /// 400, 413 or 422.
        status: u16,
        /// What was said about it, shortened.
        message: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawLine {
    index: u64,
    #[serde(with = "hex_hash")]
    leaf_hash: Hash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<RawRefused>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRefused {
    status: u16,
    message: String,
}

impl ReceiptLine {
    /// Returns the line, with its line feed.
    pub fn render(&self) -> Vec<u8> {
        let Self { index, leaf_hash, outcome } = self.clone();
        let raw = match outcome {
            Outcome::Answered { status, answer } => {
                RawLine { index, leaf_hash, status: Some(status), answer: Some(one_line(answer)), refused: None }
            }
            Outcome::Refused { status, message } => {
                let refused = Some(RawRefused { status, message });
                RawLine { index, leaf_hash, status: None, answer: None, refused }
            }
        };
        let mut line = serde_json::to_vec(&raw).expect("invariant: a line is numbers, texts and JSON");
        line.push(b'\n');
        line
    }

    /// Reads a line without its line feed.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(line: &[u8]) -> Result<ReceiptLine, String> {
        let parsed = strict_json::parse::<Object<RawLine>>(line, Limits::bytes(LINE_LEN_MAX as usize));
        let Object(RawLine { index, leaf_hash, status, answer, refused }) =
            parsed.map_err(|error| error.to_string())?;
        let outcome = match (status, answer, refused) {
            (Some(status @ (201 | 409)), Some(answer), None) if answer.get().starts_with('{') => {
                Outcome::Answered { status, answer }
            }
            (None, None, Some(RawRefused { status: status @ (400 | 413 | 422), message }))
                if message.len() <= MESSAGE_LEN_MAX =>
            {
                Outcome::Refused { status, message }
            }
            _ => return Err("it is neither an answer nor a refusal".to_owned()),
        };
        Ok(ReceiptLine { index, leaf_hash, outcome })
    }
}

/// Puts an answer on one line. A line feed can stand only between the parts of a JSON text, never within a string of it.
fn one_line(answer: Box<RawValue>) -> Box<RawValue> {
    if !answer.get().contains(['\n', '\r']) {
        return answer;
    }
    let flat = answer.get().replace(['\n', '\r'], " ");
    RawValue::from_string(flat).expect("invariant: white space between parts of JSON may be any")
}

/// The manifest of a receipts pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReceiptsManifest {
    /// [`FORMAT`].
    pub format: String,
    /// The id of the site's log, 64 lowercase hex digits.
    pub log_id: String,
    /// The log that answered.
    pub target: PackTarget,
    /// `set` of the outbox pack.
    pub set: String,
    /// The sum of the requests that were answered: those of one volume.
    pub requests: String,
    /// How many requests there were.
    pub entries: u64,
    /// How many entries the log has.
    pub answered: u64,
    /// How many it will not take.
    pub refused: u64,
    /// How many have no answer yet.
    pub remaining: u64,
}

impl Manifest for ReceiptsManifest {
    const FORMAT: &'static str = FORMAT;

    fn format(&self) -> &str {
        &self.format
    }

    fn check(&self) -> Result<(), &'static str> {
        self.target.check()?;
        let parts = self.answered.checked_add(self.refused).and_then(|sum| sum.checked_add(self.remaining));
        match self {
            _ if Hash::from_hex(&self.log_id).is_err() => Err("logId is not 64 lowercase hex digits"),
            _ if Hash::from_hex(&self.set).is_err() => Err("set is not 64 lowercase hex digits"),
            _ if Hash::from_hex(&self.requests).is_err() => Err("requests is not 64 lowercase hex digits"),
            _ if parts != Some(self.entries) => Err("answered, refused and remaining do not add up to entries"),
            _ => Ok(()),
        }
    }
}

/// A pack whose files and lines are what its manifest says. What the lines say is not verified.
#[derive(Debug)]
pub struct ReceiptsPack {
    container: Container,
    manifest: ReceiptsManifest,
}

impl ReceiptsPack {
    /// Opens a pack, goes over every line of it, and refuses it whole if anything is not as it should be.
    ///
    /// # Errors
    /// The codes at the head of [`super`]; `pack_other_site` from [`ReceiptsPack::check_site`].
    pub fn open(path: &Path) -> Result<ReceiptsPack, PackError> {
        let mut container = Container::open(path, RECEIPTS, &[journal::JOURNAL])?;
        let manifest: ReceiptsManifest = parse_manifest(&container.small(MANIFEST)?)?;
        let mut pack = ReceiptsPack { container, manifest };
        let (mut answered, mut refused) = (0, 0);
        for line in pack.lines()? {
            match line?.outcome {
                Outcome::Answered { .. } => answered += 1,
                Outcome::Refused { .. } => refused += 1,
            }
        }
        let ReceiptsManifest { answered: stated, refused: stated_refused, .. } = pack.manifest;
        if answered + refused < stated + stated_refused {
            let said =
                format!("there are {} lines, and the manifest says {}", answered + refused, stated + stated_refused);
            return Err(PackError::Truncated { said });
        }
        if (answered, refused) != (stated, stated_refused) {
            let said = format!("{answered} answers and {refused} refusals are not what the manifest says");
            return Err(PackError::Malformed { place: RECEIPTS.into(), said });
        }
        Ok(pack)
    }

    /// Refuses a pack of another site.
    ///
    /// # Errors
    /// [`PackError::OtherSite`].
    pub fn check_site(&self, log_id: &str) -> Result<(), PackError> {
        let found = &self.manifest.log_id;
        if found == log_id {
            return Ok(());
        }
        Err(PackError::OtherSite { found: found.clone(), ours: log_id.to_owned() })
    }

    /// Returns what the pack says of itself.
    pub fn manifest(&self) -> &ReceiptsManifest {
        &self.manifest
    }

    /// Goes over the answers, in the order in which they came.
    ///
    /// # Errors
    /// [`PackError::Unreadable`].
    pub fn lines(&mut self) -> Result<ReceiptLines<'_>, PackError> {
        let sum = self.container.sum(RECEIPTS).to_owned();
        Ok(ReceiptLines { lines: Lines::of(self.container.member(RECEIPTS), RECEIPTS, &sum)?, is_over: false })
    }
}

/// The answers of a pack, one after the other. An error is the last of them.
pub struct ReceiptLines<'p> {
    lines: Lines<'p>,
    is_over: bool,
}

impl Iterator for ReceiptLines<'_> {
    type Item = Result<ReceiptLine, PackError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let parsed = match self.lines.next() {
            Ok(None) => return None,
            Ok(Some(line)) => ReceiptLine::parse(line),
            Err(error) => {
                self.is_over = true;
                return Some(Err(error));
            }
        };
        let place = self.lines.place();
        Some(parsed.map_err(|said| PackError::Malformed { place, said }).inspect_err(|_| self.is_over = true))
    }
}
