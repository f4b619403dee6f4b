//! A file of bundles, judged: which of them are about the artifact, and what is found of each.
//!
//! A file may be one bundle, or one of the documents that others hand several out in ([`homes`]). Asked about an artifact, those of a document
//! answer that say they are about it, and are of the predicate type that was asked for; and those that cannot be read, for they may be. Where
//! all are about something else, that is the refusal; where none is of the type, all answer, and say so.

use std::borrow::Cow;
use std::collections::BTreeSet;

use airtight::bundle::homes::{self, HomeError, Housed};
use airtight::bundle::{Bundle, BundleError};
use airtight::statement::digests::{Digests, algorithm_of, text_of};
use airtight::verify::{self, Refusal, Report};
use airtight_keys::verifier::HashFunction;

use super::matching::{Said, said_unverified};

/// One bundle of a file, not judged yet.
#[derive(Clone)]
pub struct Filed<'t> {
    /// Where it stands in the file; empty where the file is the bundle.
    pub place: String,
    /// Its text.
    pub text: Cow<'t, [u8]>,
    /// What was read of the text; nothing where the text was written anew and stands in no file.
    pub bundle: Option<Result<Bundle<'t>, BundleError>>,
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

/// Names a bundle, for people and for findings: its file, and behind a comma where it stands there. A file that is called like a bundle of another
/// stands in quotation marks, and so does one whose name begins with one: no two bundles have one name.
pub fn label(file: &str, place: &str) -> String {
    let is_like_another = file.rsplit_once(", ").is_some_and(|(_, end)| homes::is_place(end)) || file.starts_with('"');
    let file = if is_like_another { Cow::Owned(format!("{file:?}")) } else { Cow::Borrowed(file) };
    if place.is_empty() { file.into_owned() } else { format!("{file}, {place}") }
}

impl<'t> Filed<'t> {
    fn of(place: String, text: &'t [u8], bundle: Result<Bundle<'t>, BundleError>) -> Filed<'t> {
        let said = bundle.as_ref().map(said_unverified).unwrap_or_default();
        Filed { place, text: Cow::Borrowed(text), bundle: Some(bundle), said }
    }

    fn housed(Housed { place, text }: Housed<'t>) -> Filed<'t> {
        match text {
            Cow::Borrowed(text) => Filed::of(place, text.as_bytes(), Bundle::parse(text.as_bytes())),
            Cow::Owned(text) => {
                let said = Bundle::parse(text.as_bytes()).as_ref().map(said_unverified).unwrap_or_default();
                Filed { place, text: Cow::Owned(text.into_bytes()), bundle: None, said }
            }
        }
    }

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
pub fn filed(text: &[u8]) -> Result<Vec<Filed<'_>>, HomeError> {
    let whole = Bundle::parse(text);
    // What reads as one bundle, where no member is unknown, is no document: nothing more is asked of most files.
    if whole.is_ok() {
        return Ok(vec![Filed::of(String::new(), text, whole)]);
    }
    match homes::housed(text) {
        Err(HomeError::NotJson(_)) => Ok(vec![Filed::of(String::new(), text, whole)]),
        Err(error) => Err(error),
        Ok(found) => Ok(found.into_iter().map(Filed::housed).collect()),
    }
}

/// Takes those of a predicate type, where there is one; else all.
pub fn of_type<'t>(found: Vec<Filed<'t>>, predicate_type: Option<&str>) -> Vec<Filed<'t>> {
    if !found.iter().any(|one| one.may_be_of(predicate_type)) {
        return found;
    }
    found.into_iter().filter(|one| one.may_be_of(predicate_type)).collect()
}

/// Says that every bundle of a file is about something else, where that is so.
pub fn about_others(found: &[Filed<'_>], artifact: Option<Digests>) -> Option<HomeError> {
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
    found: Result<Vec<Filed<'_>>, HomeError>,
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
    let judged = |one: Filed<'_>| Judged { report: judge(&one.text), place: one.place };
    of_type(found, predicate_type).into_iter().map(judged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_bundles_have_one_name() {
        let files =
            ["a", "a, b", "a, line 2", "a, line 2, line 2", "a, line 2.jsonl", "\"a", "\"a, line 2\"", "\"a\", line 2"];
        let places = ["", "line 2", "line 22", "attestations[0]"];
        let labels: BTreeSet<String> =
            files.iter().flat_map(|file| places.iter().map(|place| label(file, place))).collect();
        assert_eq!(labels.len(), files.len() * places.len(), "{labels:?}");
        // Nothing is changed where nothing is like it.
        for (file, place, expected) in [
            ("a, b", "", "a, b"),
            ("a, line 2.jsonl", "line 2", "a, line 2.jsonl, line 2"),
            ("a, line 2", "", "\"a, line 2\""),
        ] {
            assert_eq!(label(file, place), expected);
        }
    }
}
