//! Which bundle is about which artifact, asked of what the bundles say of themselves; the verdict asks again.
//!
//! A bundle belongs to each artifact that has a digest of one of its subjects, whatever either is called. A bundle that names no
//! artifact that is there, or cannot be read, belongs to the artifact of its own name (`NAME.sigstore.json` to `NAME`): so what was
//! changed after it was signed is refused under its own name, and not merely missed. What belongs to nothing is an orphan.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use airtight::bundle::homes;
use airtight::bundle::{Bundle, Content};
use airtight::statement::digests::{Digests, algorithm_of};
use airtight::statement::{ParsedStatement, Subject};
use airtight_keys::verifier::HashFunction;
use airtight_log::entry::ContentDigest;

/// How the name of a bundle's file ends; what else is one is asked of its content.
const SUFFIX: &str = ".sigstore.json";

/// The endings of names under which others hand bundles out, longest first: what is before one is the artifact's name.
const SUFFIXES: [&str; 9] = [
    ".publish.attestation",
    ".slsa.attestation",
    ".sigstore.jsonl",
    ".sigstore.json",
    ".provenance",
    ".attestation",
    ".sigstore",
    ".jsonl",
    ".json",
];

/// Up to this length a file of another name is read to see whether it holds bundles.
const LOOKED_AT_LEN_MAX: u64 = 16 << 20;

/// Tells whether a file holds bundles by its name alone: `*.sigstore.json`.
pub fn is_called_home(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

/// Tells whether a file's name is one that others give such files, so that its content is to be asked.
pub fn may_be_home(name: &str) -> bool {
    SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// Tells whether a file holds bundles, by its content.
pub fn holds_bundles(path: &Path) -> bool {
    let is_short = fs::metadata(path).is_ok_and(|metadata| metadata.len() <= LOOKED_AT_LEN_MAX);
    is_short && fs::read(path).is_ok_and(|text| homes::is_home(&text))
}

/// Returns the name of the artifact that a file of bundles is called after.
pub fn stem(name: &str) -> Option<&str> {
    SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).filter(|stem| !stem.is_empty())
}

/// What a bundle says of itself.
#[derive(Clone, Default)]
pub struct Said {
    /// The digests that it is about, of each subject all; none where it cannot be read.
    pub digests: Vec<ContentDigest>,
    /// The predicate type of its statement.
    pub predicate_type: Option<String>,
}

/// An artifact that is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Its path, or what a list calls it.
    pub name: String,
    /// What is known of it: one digest at least.
    pub digests: Digests,
}

impl From<Subject> for Candidate {
    fn from(Subject { name, sha256 }: Subject) -> Candidate {
        Candidate { name, digests: Digests::from(sha256) }
    }
}

impl Said {
    /// Tells whether the bundle says that it is about an artifact.
    pub fn is_about(&self, artifact: Digests) -> bool {
        artifact.iter().any(|digest| self.digests.contains(&digest))
    }

    /// Tells whether it says at all what it is about.
    pub fn is_silent(&self) -> bool {
        self.digests.is_empty()
    }
}

/// Returns what a bundle says of itself.
pub fn said_unverified(bundle: &Bundle<'_>) -> Said {
    match bundle.content() {
        Content::Message { digest, .. } => Said { digests: vec![*digest], ..Said::default() },
        Content::Envelope { envelope, .. } => match ParsedStatement::parse(envelope.payload_unverified()) {
            Ok(statement) => Said {
                digests: statement.subjects().iter().flat_map(|subject| subject.digests().iter()).collect(),
                predicate_type: Some(statement.predicate_type().to_owned()),
            },
            Err(_) => Said::default(),
        },
    }
}

/// A digest by which artifacts are looked up: its algorithm, and its bytes with zeros behind them.
type Key = (HashFunction, [u8; 64]);

fn key(digest: &ContentDigest) -> Key {
    let mut bytes = [0; 64];
    bytes[..digest.as_bytes().len()].copy_from_slice(digest.as_bytes());
    (algorithm_of(digest), bytes)
}

/// The artifacts, by what bundles know them by.
pub struct Index<'a> {
    by_digest: HashMap<Key, Vec<usize>>,
    by_name: HashMap<&'a str, usize>,
}

/// Whose a bundle is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// The places of the artifacts, ascending.
    pub artifacts: Vec<usize>,
    /// It says nothing of itself, and goes with the other bundles of its document.
    pub is_guest: bool,
}

impl<'a> Index<'a> {
    /// Takes in artifacts.
    pub fn of(artifacts: &'a [Candidate]) -> Index<'a> {
        let mut by_digest: HashMap<Key, Vec<usize>> = HashMap::with_capacity(artifacts.len());
        let mut by_name = HashMap::with_capacity(artifacts.len());
        for (at, artifact) in artifacts.iter().enumerate() {
            for digest in artifact.digests.iter() {
                by_digest.entry(key(&digest)).or_default().push(at);
            }
            by_name.insert(artifact.name.as_str(), at);
        }
        Index { by_digest, by_name }
    }

    /// Tells whose the bundles of a file are, each given by what it says of itself, in their order; nothing where that would be more than `max`
    /// pairs of a bundle and an artifact.
    pub fn whose<'s>(&self, file: &str, bundles: impl Iterator<Item = &'s Said>, max: usize) -> Option<Vec<Whose>> {
        let (mut found, mut all, mut pairs, mut guests) = (Vec::new(), BTreeSet::new(), 0, 0);
        for said in bundles {
            let artifacts = self.artifacts(file, said);
            all.extend(artifacts.iter().copied());
            pairs += artifacts.len();
            guests += usize::from(artifacts.is_empty() && said.is_silent());
            if pairs + guests * all.len() > max {
                return None;
            }
            found.push((artifacts, said.is_silent()));
        }
        let whose = |(artifacts, is_silent): (Vec<usize>, bool)| match artifacts.is_empty() && is_silent {
            // One that cannot be read may be about whatever the others of its document are about.
            true => Whose { artifacts: all.iter().copied().collect(), is_guest: true },
            false => Whose { artifacts, is_guest: false },
        };
        Some(found.into_iter().map(whose).collect())
    }

    fn artifacts(&self, file: &str, said: &Said) -> Vec<usize> {
        let about = said.digests.iter().filter_map(|digest| self.by_digest.get(&key(digest))).flatten();
        let mut artifacts: Vec<usize> = about.copied().collect();
        artifacts.sort_unstable();
        artifacts.dedup();
        if artifacts.is_empty() {
            artifacts.extend(stem(file).and_then(|name| self.by_name.get(name)));
        }
        artifacts
    }
}

#[cfg(test)]
mod tests {
    use airtight_log::digest::sha256;

    use super::*;

    #[test]
    fn a_bundle_belongs_to_its_digests_else_to_its_name_else_to_nobody() {
        let mut artifacts = ["a", "b", "c", "twin of a"].map(|name| Candidate {
            name: name.to_owned(),
            digests: sha256(if name.ends_with('a') { b"a" } else { name.as_bytes() }).into(),
        });
        artifacts[3].digests = artifacts[3].digests.with(ContentDigest::Sha512([2; 64]));
        let of = |names: &[&str]| {
            let digests = names.iter().map(|name| ContentDigest::Sha256(*sha256(name.as_bytes()).as_bytes())).collect();
            Said { digests, ..Said::default() }
        };
        let of_npm = Said { digests: vec![ContentDigest::Sha512([2; 64])], ..Said::default() };
        let index = Index::of(&artifacts);
        let found = |file: &str, bundles: &[Said]| {
            let whose = index.whose(file, bundles.iter(), 5).unwrap();
            whose.into_iter().map(|whose| (whose.artifacts, whose.is_guest)).collect::<Vec<_>>()
        };
        for (file, said, expected) in [
            ("anything.sigstore.json", of(&["a"]), vec![0, 3]),
            ("b.sigstore.json", of(&["b", "gone"]), vec![1]),
            ("b.sigstore.json", of(&["gone"]), vec![1]),
            ("b.more.sigstore.json", of(&["gone"]), vec![]),
            ("all.sigstore.json", of(&["b", "c", "b", "a"]), vec![0, 1, 2, 3]),
            ("npm.json", of_npm, vec![3]),
        ] {
            assert_eq!(found(file, &[said]), [(expected, false)], "{file}");
        }
        // A silent one belongs to the artifact of the file's name, else to those of the others beside it, else to nobody.
        assert_eq!(found("c.jsonl", &[of(&[])]), [(vec![2], false)]);
        let document = [of(&["b"]), of(&[]), of(&["gone"]), of(&["a"])];
        let expected = [(vec![1], false), (vec![0, 1, 3], true), (vec![], false), (vec![0, 3], false)];
        let pairs = index.whose("all.jsonl", document.iter(), 6).unwrap();
        let pairs: Vec<_> = pairs.into_iter().map(|whose| (whose.artifacts, whose.is_guest)).collect();
        assert_eq!(pairs, expected);
        assert_eq!(index.whose("all.jsonl", document.iter(), 5), None);
        assert_eq!(found("all.jsonl", &[of(&["gone"]), of(&[])]), [(vec![], false), (vec![], true)]);
        assert_eq!(index.whose("all.jsonl", [of(&["a"]), of(&["a"]), of(&["a"])].iter(), 5), None);
    }
}
