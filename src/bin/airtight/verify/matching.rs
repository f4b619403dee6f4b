//! Which bundle is about which artifact, asked of what the bundles say of themselves; the verdict asks again.
//!
//! A bundle belongs to each artifact that has a digest of one of its subjects, whatever either is called. A bundle that names no
//! artifact that is there, or cannot be read, belongs to the artifact of its own name (`NAME.sigstore.json` to `NAME`): so what was
//! changed after it was signed is refused under its own name, and not merely missed. What belongs to nothing is an orphan.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use airtight::bundle::homes;
use airtight::bundle::{Bundle, Content};
use airtight::statement::digests::{Digests, algorithm_of};
use airtight::statement::{ParsedStatement, Subject};
use airtight_keys::verifier::HashFunction;
use airtight_log::entry::ContentDigest;

use crate::artifacts::Named;

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

/// Tells whether a file holds bundles: by its name, `*.sigstore.json`, or by its content, where its name is one that others give such files.
pub fn is_home((name, path, len): &Named) -> bool {
    let may_be = *len <= LOOKED_AT_LEN_MAX && SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    name.ends_with(SUFFIX) || may_be && fs::read(path).is_ok_and(|text| homes::is_home(&text))
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
pub fn said_unverified(text: &[u8]) -> Said {
    let Ok(bundle) = Bundle::parse(text) else { return Said::default() };
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

/// Who belongs to whom, by their places in the two lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Artifact and bundle, sorted.
    pub pairs: Vec<(usize, usize)>,
    /// Artifacts that no bundle is about.
    pub bare: Vec<usize>,
    /// Bundles that are about no artifact here.
    pub stray: Vec<usize>,
}

/// A digest by which artifacts are looked up: its algorithm, and its bytes with zeros behind them.
fn key(digest: &ContentDigest) -> (HashFunction, [u8; 64]) {
    let mut bytes = [0; 64];
    bytes[..digest.as_bytes().len()].copy_from_slice(digest.as_bytes());
    (algorithm_of(digest), bytes)
}

/// Matches artifacts with bundles, each bundle given by the name of its file and what it says of itself.
pub fn matched<'b>(artifacts: &[Candidate], bundles: impl Iterator<Item = (&'b str, &'b Said)>) -> Matched {
    let mut by_digest: HashMap<(HashFunction, [u8; 64]), Vec<usize>> = HashMap::with_capacity(artifacts.len());
    let mut by_name: HashMap<&str, usize> = HashMap::with_capacity(artifacts.len());
    for (at, artifact) in artifacts.iter().enumerate() {
        for digest in artifact.digests.iter() {
            by_digest.entry(key(&digest)).or_default().push(at);
        }
        by_name.insert(&artifact.name, at);
    }
    let (mut pairs, mut stray) = (BTreeSet::new(), Vec::new());
    for (bundle, (name, said)) in bundles.enumerate() {
        let before = pairs.len();
        let about = said.digests.iter().filter_map(|digest| by_digest.get(&key(digest))).flatten();
        pairs.extend(about.map(|artifact| (*artifact, bundle)));
        if pairs.len() == before {
            match stem(name).and_then(|name| by_name.get(name)) {
                Some(artifact) => drop(pairs.insert((*artifact, bundle))),
                None => stray.push(bundle),
            }
        }
    }
    let with: BTreeSet<usize> = pairs.iter().map(|(artifact, _)| *artifact).collect();
    let bare = (0..artifacts.len()).filter(|artifact| !with.contains(artifact)).collect();
    Matched { pairs: pairs.into_iter().collect(), bare, stray }
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
        let bundles = [
            ("anything.sigstore.json", of(&["a"])),
            ("b.sigstore.json", of(&["b", "gone"])),
            ("b.sigstore.json", of(&["gone"])),
            ("b.more.sigstore.json", of(&["gone"])),
            ("c", of(&[])),
            ("npm.json", of_npm),
        ];
        let found = matched(&artifacts, bundles.iter().map(|(name, said)| (*name, said)));
        let pairs = vec![(0, 0), (1, 1), (1, 2), (3, 0), (3, 5)];
        assert_eq!(found, Matched { pairs, bare: vec![2], stray: vec![3, 4] });
    }
}
