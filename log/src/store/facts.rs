//! What the store itself reads out of a statement: the predicate type and the subjects' SHA-256 digests, for its indexes.
//!
//! An index is a way to find entries and proves nothing, so this reads leniently: an in-toto Statement gives its
//! `predicateType` and each `subject[].digest.sha256` that is 64 hex digits; whatever else is logged gives none, and is
//! found by its leaf hash and its number alone. `log fsck` reads every entry again through this same door.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::sent::Marks;
use crate::digest::{Sha256Digest, hex_of_any_case};

/// What is indexed of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The predicate type, empty where the payload is no statement.
    pub predicate_type: String,
    /// The subjects' digests, in the statement's order.
    pub subjects: Vec<Sha256Digest>,
    /// What a control entry says of single entries.
    pub marks: Option<Marks>,
}

#[derive(Deserialize)]
struct Statement<'a> {
    #[serde(borrow, rename = "predicateType")]
    predicate_type: Cow<'a, str>,
    #[serde(borrow, default)]
    subject: Vec<Subject<'a>>,
    #[serde(borrow, default)]
    predicate: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Subject<'a> {
    #[serde(borrow, default)]
    digest: Option<Digests<'a>>,
}

#[derive(Deserialize)]
struct Digests<'a> {
    #[serde(borrow, default)]
    sha256: Option<Cow<'a, str>>,
}

impl Facts {
    /// Reads the facts of a payload.
    #[must_use]
    pub fn of(payload: &[u8]) -> Self {
        let Ok(statement) = serde_json::from_slice::<Statement<'_>>(payload) else { return Self::default() };
        let digest = |subject: &Subject<'_>| {
            let hex = subject.digest.as_ref()?.sha256.as_deref()?;
            hex_of_any_case(hex.as_bytes()).map(Sha256Digest::from_bytes)
        };
        let marks = statement.predicate.and_then(|predicate| Marks::of(&statement.predicate_type, predicate.get()));
        Self {
            subjects: statement.subject.iter().filter_map(digest).collect(),
            predicate_type: statement.predicate_type.into_owned(),
            marks,
        }
    }
}
