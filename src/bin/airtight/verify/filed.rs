//! A file of bundles, judged: which of them are about the artifact, and what is found of each.
//!
//! A file may be one bundle, or one of the documents that others hand several out in ([`homes`]). Asked about an artifact, those of a document
//! answer that say they are about it, and are of the predicate type that was asked for; and those that cannot be read, for they may be. Where
//! all are about something else, that is the refusal; where none is of the type, all answer, and say so.

use std::collections::BTreeSet;

use airtight::bundle::homes::{self, HomeError};
use airtight::statement::digests::{Digests, algorithm_of, text_of};
use airtight::verify::{self, Refusal, Report};
use airtight_keys::verifier::HashFunction;

use super::matching::{Said, said_unverified};

/// One bundle of a file, not judged yet.
pub struct Filed {
    /// Where it stands in the file; empty where the file is the bundle.
    pub place: String,
    /// Its text.
    pub text: Vec<u8>,
    /// What it says of itself.
    pub said: Said,
}

/// What was found of one bundle of a file.
pub struct Judged {
    /// Where it stands in the file; empty where the file is the bundle, and where nothing in it was judged.
    pub place: String,
    /// What was found.
    pub report: Report,
}

impl Filed {
    /// Tells whether a question about an artifact is one for this bundle.
    pub fn may_be_about(&self, artifact: Option<Digests>) -> bool {
        let is_one = self.place.is_empty() || self.said.is_silent();
        is_one || artifact.is_none_or(|artifact| self.said.is_about(artifact))
    }

    fn may_be_of(&self, predicate_type: Option<&str>) -> bool {
        let (Some(asked), Some(said)) = (predicate_type, &self.said.predicate_type) else { return true };
        said == asked
    }
}

/// Takes the bundles out of a file; what is no document of anybody's is one bundle, for its own reader to refuse.
///
/// # Errors
/// [`HomeError`], but never that the text is no JSON.
pub fn filed(text: &[u8]) -> Result<Vec<Filed>, HomeError> {
    let one = |place, text: Vec<u8>| Filed { place, said: said_unverified(&text), text };
    match homes::housed(text) {
        Err(HomeError::NotJson(_)) => Ok(vec![one(String::new(), text.to_owned())]),
        Err(error) => Err(error),
        Ok(found) => Ok(found.into_iter().map(|housed| one(housed.place, housed.text.into_bytes())).collect()),
    }
}

/// Takes those of a predicate type, where there is one; else all.
pub fn of_type(found: Vec<Filed>, predicate_type: Option<&str>) -> Vec<Filed> {
    if !found.iter().any(|one| one.may_be_of(predicate_type)) {
        return found;
    }
    found.into_iter().filter(|one| one.may_be_of(predicate_type)).collect()
}

/// Says that every bundle of a file is about something else, where that is so.
pub fn about_others(found: &[Filed], artifact: Option<Digests>) -> Option<HomeError> {
    let Said { digests, .. } = &found.first().filter(|_| !found.iter().any(|one| one.may_be_about(artifact)))?.said;
    let first = text_of(digests.first()?);
    Some(HomeError::AboutOthers { bundles: found.len(), artifact: artifact?.to_string(), first })
}

/// Lists the algorithms other than SHA-256 of which bundles state digests.
pub fn algorithms<'f>(said: impl IntoIterator<Item = &'f Said>) -> BTreeSet<HashFunction> {
    let stated = said.into_iter().flat_map(|said| &said.digests).map(algorithm_of);
    stated.filter(|algorithm| *algorithm != HashFunction::Sha256).collect()
}

/// Judges what a file holds about an artifact; at least one answer. Without an artifact every bundle of it is judged.
pub fn judged(
    found: Result<Vec<Filed>, HomeError>,
    artifact: Option<Digests>,
    predicate_type: Option<&str>,
    judge: impl Fn(&[u8]) -> Report,
) -> Vec<Judged> {
    let refused =
        |error: HomeError| vec![Judged { place: String::new(), report: verify::refused(Refusal::Home(error)) }];
    let found = match found {
        Ok(found) => found,
        Err(error) => return refused(error),
    };
    if let Some(error) = about_others(&found, artifact) {
        return refused(error);
    }
    let found = found.into_iter().filter(|one| one.may_be_about(artifact)).collect();
    let judged = |one: Filed| Judged { report: judge(&one.text), place: one.place };
    of_type(found, predicate_type).into_iter().map(judged).collect()
}
