//! Courier packs: the files that carry requests out to a log and its answers home, readable, summed, and read strictly.
//!
//! ```text
//! outbox pack                                  receipts pack
//!   README.txt       for whoever carries it      README.txt
//!   SHA256SUMS       `sha256sum -c` checks it    SHA256SUMS
//!   manifest.json    what, from whom, to whom    manifest.json
//!   requests.ndjson  one request a line          receipts.ndjson   one answer a line, the log's own words
//! ```
//!
//! A pack is a directory, or one `.tar` of these four files: ustar, mode 0644, times and owners zero, names sorted, so that
//! the same entries give the same bytes. Volumes of one pack are packs of their own, `NAME-001-of-002`. The lines stand in
//! [`outbox`] and [`receipts`]; both manifests and both lines have a schema in `schemas/`.
//!
//! Whoever carries a pack may have changed it, so reading is strict and refuses the whole, before a line of it is acted on:
//!
//! | code | what was met |
//! |---|---|
//! | `pack_format` | something that is no pack, or a pack of a version that is not known |
//! | `pack_path` | a name that climbs, begins at the root, or has a backslash or a drive in it |
//! | `pack_link` | a link, a device, a pipe: whatever is no plain file |
//! | `pack_file_unknown`, `pack_file_twice` | a file that no pack has; one name for two files |
//! | `pack_truncated` | a file, a line or a part of the archive is not there |
//! | `pack_sum` | a file has other bytes than SHA256SUMS says, or SHA256SUMS is not what it should be |
//! | `pack_too_large` | more files or bytes than a pack has |
//! | `pack_malformed` | manifest or lines are not what they should be, or do not agree |
//! | `pack_other_site` | a pack of another site than the one that is asked to take it |
//!
//! The sums tell damage, not forgery: who can change a file can change its sum. What a pack brings home is verified entry
//! by entry; what it carries out is signed.

pub mod error;
pub mod journal;
pub mod outbox;
pub mod receipts;

mod container;
mod lines;
mod readme;
mod ustar;

use airtight_keys::strict_json::Object;
use airtight_log::digest::Hash;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::error::PackError;

/// The name of the file with the sums of all others.
pub const SUMS: &str = "SHA256SUMS";
/// The name of the file that says what a pack is.
pub const MANIFEST: &str = "manifest.json";
/// The name of the file for whoever carries it.
pub const README: &str = "README.txt";

/// The longest line, in bytes: the largest entry a log of ours takes (96 MiB), as a request.
pub const LINE_LEN_MAX: u64 = 112 << 20;
/// The largest file of a pack, in bytes: what the size field of ustar can say.
pub const FILE_LEN_MAX: u64 = (8 << 30) - 1;
/// The largest manifest, sums or README, in bytes: each is below one kibibyte or two.
pub const SMALL_LEN_MAX: u64 = 64 << 10;
/// The longest address of a log, in bytes.
pub const URL_LEN_MAX: usize = 2048;
/// The longest name of a target, in characters.
pub const TARGET_NAME_LEN_MAX: usize = 32;

/// The log that a pack is for, as its manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PackTarget {
    /// The target's name at its site: lowercase letters, digits and hyphens, at most 32.
    pub name: String,
    /// The version of Rekor's interface, 1 or 2.
    pub api_version: u8,
    /// The log's address, without a slash at its end.
    pub url: String,
    /// The log's id, 64 lowercase hex digits.
    pub log_id: String,
}

impl PackTarget {
    fn check(&self) -> Result<(), &'static str> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > TARGET_NAME_LEN_MAX || !self.name.chars().all(is_name) {
            return Err("target.name is not 1 to 32 lowercase letters, digits and hyphens");
        }
        if !matches!(self.api_version, 1 | 2) {
            return Err("target.apiVersion is neither 1 nor 2");
        }
        if !is_url(&self.url) {
            return Err("target.url is no address of a log");
        }
        if Hash::from_hex(&self.log_id).is_err() {
            return Err("target.logId is not 64 lowercase hex digits");
        }
        Ok(())
    }
}

/// Tells whether a text can be the address of a log: http or https, a host, nothing after a `?` or `#`, no slash at its end.
pub fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_clean = text.len() <= URL_LEN_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@' | b'\\' | b'"'));
    is_clean && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.ends_with('/'))
}

/// A manifest of either kind, and what both have.
trait Manifest: Serialize + for<'de> Deserialize<'de> {
    /// What its `format` must say.
    const FORMAT: &'static str;

    fn format(&self) -> &str;

    /// Says what its members cannot be.
    fn check(&self) -> Result<(), &'static str>;
}

/// Writes a manifest: indented, for it is also read by people.
fn render_manifest(manifest: &impl Manifest) -> String {
    serde_json::to_string_pretty(manifest).expect("invariant: a manifest is texts and numbers") + "\n"
}

fn parse_manifest<M: Manifest>(text: &[u8]) -> Result<M, PackError> {
    #[derive(Deserialize)]
    struct OnlyFormat {
        format: String,
    }
    let limits = airtight_keys::strict_json::Limits::bytes(SMALL_LEN_MAX as usize);
    let malformed = |source: airtight_keys::strict_json::StrictJsonError| PackError::Malformed {
        place: MANIFEST.to_owned(),
        said: source.to_string(),
    };
    // A later version may have other members: the version is looked at before them.
    let OnlyFormat { format } = airtight_keys::strict_json::parse(text, limits).map_err(malformed)?;
    if format != M::FORMAT {
        return Err(PackError::Format { said: format!("its format is {format:?}, and {:?} is read here", M::FORMAT) });
    }
    let Object(manifest) = airtight_keys::strict_json::parse::<Object<M>>(text, limits).map_err(malformed)?;
    debug_assert_eq!(manifest.format(), M::FORMAT);
    let refused = |said: &str| PackError::Malformed { place: MANIFEST.to_owned(), said: said.to_owned() };
    manifest.check().map_err(refused)?;
    Ok(manifest)
}

/// A hash as 64 lowercase hex digits in JSON.
mod hex_hash {
    use super::*;

    pub fn serialize<S: Serializer>(hash: &Hash, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hash.to_hex())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Hash, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Hash::from_hex(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
