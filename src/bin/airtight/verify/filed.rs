//! A file of bundles, judged: which of them are about the artifact, and what is found of each.
//!
//! A file may be one bundle, or one of the documents that others hand several out in ([`homes`]). Asked about an artifact, those answer that
//! say they are about it, and those that cannot be read, for they may be. Where all are about something else, that is the refusal.

use airtight::bundle::homes::{self, HomeError};
use airtight::verify::{self, Refusal, Report};
use airtight_log::digest::Sha256Digest;

use super::matching::digests_unverified;

/// One bundle of a file, not judged yet.
pub struct Filed {
    /// Where it stands in the file; empty where the file is the bundle.
    pub place: String,
    /// Its text.
    pub text: Vec<u8>,
    /// The SHA-256 digests that it says it is about; none where it cannot be read, or has other digests only.
    pub digests: Vec<Sha256Digest>,
}

/// What was found of one bundle of a file.
pub struct Judged {
    /// Where it stands in the file; empty where the file is the bundle, and where nothing in it was judged.
    pub place: String,
    /// What was found.
    pub report: Report,
}

/// Takes the bundles out of a file; what is no document of anybody's is one bundle, for its own reader to refuse.
///
/// # Errors
/// [`HomeError`], but never that the text is no JSON.
pub fn filed(text: &[u8]) -> Result<Vec<Filed>, HomeError> {
    let one = |place, text: Vec<u8>| Filed { place, digests: digests_unverified(&text), text };
    match homes::housed(text) {
        Err(HomeError::NotJson(_)) => Ok(vec![one(String::new(), text.to_owned())]),
        Err(error) => Err(error),
        Ok(found) => Ok(found.into_iter().map(|housed| one(housed.place, housed.text.into_bytes())).collect()),
    }
}

/// Judges what a file holds about an artifact; at least one answer. Without an artifact every bundle of it is judged.
pub fn judged(text: &[u8], artifact: Option<Sha256Digest>, judge: impl Fn(&[u8]) -> Report) -> Vec<Judged> {
    let refused =
        |error: HomeError| vec![Judged { place: String::new(), report: verify::refused(Refusal::Home(error)) }];
    let found = match filed(text) {
        Ok(found) => found,
        Err(error) => return refused(error),
    };
    let may_be_about = |one: &&Filed| {
        let is_whole = one.place.is_empty() || one.digests.is_empty();
        is_whole || artifact.is_none_or(|artifact| one.digests.contains(&artifact))
    };
    let asked: Vec<&Filed> = found.iter().filter(may_be_about).collect();
    match (asked.is_empty(), artifact, found.first().and_then(|one| one.digests.first())) {
        (true, Some(artifact), Some(first)) => {
            refused(HomeError::AboutOthers { bundles: found.len(), artifact, first: *first })
        }
        _ => asked.into_iter().map(|one| Judged { place: one.place.clone(), report: judge(&one.text) }).collect(),
    }
}
