//! Predicate types by name, and the one predicate that is ours: what a file, a directory or a set of files is.
//!
//! The short names are cosign's, with cosign's meaning (`slsaprovenance` is 0.2); anything else has to be an absolute URI.
//! `https://airtight.dev/artifact/v1` holds nothing but what can be seen in the artifact itself: no time, no host, no path. So the same artifact
//! attested twice by one key is the same leaf. Its schema is `schemas/artifact.v1.schema.json`, its page `docs/predicates/artifact.md`.

use serde::{Deserialize, Serialize};

const ARTIFACT: &str = PredicateType::ARTIFACT;
const KEPT_BUNDLE: &str = PredicateType::KEPT_BUNDLE;
/// The types that only the log's own entries bear: a user who could sign these could speak for the log.
const CONTROL: [&str; 8] = [
    "https://airtight.dev/transparency-decision/v1",
    "https://airtight.dev/transparency-receipts/v1",
    "https://airtight.dev/key/v1",
    "https://airtight.dev/epoch/v1",
    "https://airtight.dev/transparency-target/v1",
    "https://airtight.dev/transparency-exception/v1",
    "https://airtight.dev/transparency-anchor/v1",
    "https://airtight.dev/transparency-approval/v1",
];
/// cosign's names and what they stand for.
const NAMES: [(&str, &str); 12] = [
    ("artifact", ARTIFACT),
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("kept-bundle", KEPT_BUNDLE),
    ("link", "https://in-toto.io/Link/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
];

/// A name that is neither a known short name nor an absolute URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is neither a known short name nor an absolute URI")]
pub struct UnknownPredicateType {
    /// What was given.
    pub found: String,
}

/// What kind of thing a predicate says: an absolute URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PredicateType {
    uri: String,
}

impl PredicateType {
    /// The predicate type of an attestation for which no predicate was given.
    pub const ARTIFACT: &'static str = "https://airtight.dev/artifact/v1";
    /// The predicate type of a bundle that others made and that was kept.
    pub const KEPT_BUNDLE: &'static str = "https://airtight.dev/kept-bundle/v1";

    /// Takes a short name (`slsaprovenance1`, `spdxjson`, `cyclonedx`, …) or an absolute URI.
    ///
    /// # Errors
    ///
    /// Neither of the two.
    pub fn parse(name_or_uri: &str) -> Result<PredicateType, UnknownPredicateType> {
        match NAMES.iter().find(|(name, _)| *name == name_or_uri) {
            Some((_, uri)) => Ok(PredicateType { uri: (*uri).to_owned() }),
            None => PredicateType::uri_of(name_or_uri),
        }
    }

    /// Takes an absolute URI: a scheme of RFC 3986 §3.1, a colon, something more, and neither space nor control character.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn uri_of(text: &str) -> Result<PredicateType, UnknownPredicateType> {
        let scheme_ok = |scheme: &str| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        };
        match text.split_once(':') {
            Some((scheme, rest))
                if scheme_ok(scheme)
                    && !rest.is_empty()
                    && !text.chars().any(|c| c.is_control() || c.is_whitespace()) =>
            {
                Ok(PredicateType { uri: text.to_owned() })
            }
            _ => Err(UnknownPredicateType { found: text.to_owned() }),
        }
    }

    /// Returns the type of our own default predicate, `https://airtight.dev/artifact/v1`.
    pub fn artifact() -> PredicateType {
        PredicateType { uri: ARTIFACT.to_owned() }
    }

    /// Returns the type of a bundle that was kept, `https://airtight.dev/kept-bundle/v1`.
    pub fn kept_bundle() -> PredicateType {
        PredicateType { uri: KEPT_BUNDLE.to_owned() }
    }

    /// Returns the URI, which is compared byte for byte.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Gives the URI away.
    pub fn into_uri(self) -> String {
        self.uri
    }

    /// Says whether this is our own default predicate's type.
    pub fn is_artifact(&self) -> bool {
        self.uri == ARTIFACT
    }

    /// Says whether only the log's own control entries may bear this type.
    pub fn is_control(&self) -> bool {
        CONTROL.contains(&self.uri.as_str())
    }

    /// Says whether a user may not make a statement of this type: those of control entries, and that of kept bundles, which says that a
    /// bundle was judged.
    pub fn is_reserved(&self) -> bool {
        self.is_control() || self.uri == KEPT_BUNDLE
    }

    /// Lists the short names with their URIs, for help texts.
    pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        NAMES.iter().copied()
    }
}

impl std::fmt::Display for PredicateType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.uri)
    }
}

/// The predicate of `https://airtight.dev/artifact/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum ArtifactPredicate {
    /// One file, which is the one subject.
    File {
        /// Bytes.
        size: u64,
    },
    /// A directory: every regular file below it is a subject, named by its path inside it.
    Directory {
        /// How many regular files the directory has, over all parts.
        files: u64,
        /// Bytes of all those files together.
        size: u64,
        /// The symbolic links, sorted by name; they are not followed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        symlinks: Vec<Symlink>,
        /// Which part of the directory this statement covers, where one statement could not hold it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<Part>,
    },
    /// Several artifacts that were named together.
    Set {
        /// How many files there are, over all parts.
        files: u64,
        /// Bytes of all those files together.
        size: u64,
        /// Which part of the set this statement covers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<Part>,
    },
}

/// A symbolic link of a directory: its path inside it, and the text it points with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    /// The path inside the directory, `/` between the parts.
    pub name: String,
    /// What the link holds, unresolved.
    pub target: String,
}

/// One of several statements over one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// 1-based.
    pub number: u32,
    /// How many parts there are.
    pub of: u32,
}

impl ArtifactPredicate {
    /// Says whether the statement covers one of several parts.
    pub fn is_part(&self) -> bool {
        matches!(
            self,
            ArtifactPredicate::Directory { part: Some(_), .. } | ArtifactPredicate::Set { part: Some(_), .. }
        )
    }

    /// Returns the symbolic links of a directory; nothing else states any.
    pub fn symlinks(&self) -> Option<&[Symlink]> {
        match self {
            ArtifactPredicate::Directory { symlinks, .. } => Some(symlinks),
            ArtifactPredicate::File { .. } | ArtifactPredicate::Set { .. } => None,
        }
    }

    /// Renders the predicate, compact, members in the order of the schema.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("invariant: strings and integers always have a JSON form")
    }

    /// Reads a predicate whose text has passed the strict check.
    ///
    /// # Errors
    ///
    /// The sentence says which member does not fit the schema.
    pub fn parse(text: &str) -> Result<ArtifactPredicate, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_means_what_cosign_means_by_it() {
        for (name, uri) in [
            ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
            ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
            ("spdx", "https://spdx.dev/Document"),
            ("spdxjson", "https://spdx.dev/Document"),
            ("urn:x:y", "urn:x:y"),
        ] {
            assert_eq!(PredicateType::parse(name).unwrap().uri(), uri);
        }
    }

    #[test]
    fn a_word_that_is_no_name_and_no_uri_is_refused() {
        for word in ["", "slsa", "natural-language-session/v1", ":x", "https:", "1a:b", "a b:c", "https://a b"] {
            assert_eq!(PredicateType::parse(word), Err(UnknownPredicateType { found: word.to_owned() }));
        }
    }

    #[test]
    fn the_artifact_predicate_comes_back_as_it_was_written() {
        let directory = ArtifactPredicate::Directory {
            files: 2,
            size: 9,
            symlinks: vec![Symlink { name: "l".to_owned(), target: "../x".to_owned() }],
            part: Some(Part { number: 1, of: 3 }),
        };
        for (predicate, text) in [
            (ArtifactPredicate::File { size: 4 }, r#"{"kind":"file","size":4}"#),
            (
                directory,
                r#"{"kind":"directory","files":2,"size":9,"symlinks":[{"name":"l","target":"../x"}],"part":{"number":1,"of":3}}"#,
            ),
            (ArtifactPredicate::Set { files: 1, size: 0, part: None }, r#"{"kind":"set","files":1,"size":0}"#),
        ] {
            assert_eq!(predicate.to_json(), text);
            assert_eq!(ArtifactPredicate::parse(text), Ok(predicate));
        }
        assert!(ArtifactPredicate::parse(r#"{"kind":"file","size":4,"host":"x"}"#).is_err());
        assert!(ArtifactPredicate::parse(r#"{"kind":"tape","size":4}"#).is_err());
    }
}
