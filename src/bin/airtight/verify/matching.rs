//! Which bundle is about which artifact, asked of what the bundles say of themselves; the verdict asks again.
//!
//! A bundle belongs to each artifact whose SHA-256 is that of one of its subjects, whatever either is called. A bundle that names no
//! artifact that is there, or cannot be read, belongs to the artifact of its own name (`NAME.sigstore.json` to `NAME`): so what was
//! changed after it was signed is refused under its own name, and not merely missed. What belongs to nothing is an orphan.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use airtight::bundle::homes;
use airtight::bundle::{Bundle, Content};
use airtight::statement::{ParsedStatement, Subject};
use airtight::verify;
use airtight_log::digest::Sha256Digest;

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
    /// The SHA-256 digests that it is about; none where it cannot be read.
    pub digests: Vec<Sha256Digest>,
    /// The SHA-512 digests of those of its subjects that have no SHA-256.
    pub sha512s: Vec<[u8; 64]>,
    /// The predicate type of its statement.
    pub predicate_type: Option<String>,
}

/// What an artifact is known by.
#[derive(Clone, Copy)]
pub struct Known {
    /// Its SHA-256.
    pub sha256: Sha256Digest,
    /// Its SHA-512, where some statement asks for it and the artifact is at hand.
    pub sha512: Option<[u8; 64]>,
}

impl Known {
    /// Returns the question about it.
    pub fn subject(self) -> verify::Subject<'static> {
        match self.sha512 {
            Some(sha512) => verify::Subject::File { sha256: self.sha256, sha512 },
            None => verify::Subject::Digest(self.sha256),
        }
    }
}

impl Said {
    /// Tells whether the bundle says that it is about an artifact.
    pub fn is_about(&self, artifact: Known) -> bool {
        let by_sha512 = artifact.sha512.is_some_and(|sha512| self.sha512s.contains(&sha512));
        self.digests.contains(&artifact.sha256) || by_sha512
    }

    /// Tells whether it says at all what it is about.
    pub fn is_silent(&self) -> bool {
        self.digests.is_empty() && self.sha512s.is_empty()
    }
}

/// Returns what a bundle says of itself.
pub fn said_unverified(text: &[u8]) -> Said {
    let Ok(bundle) = Bundle::parse(text) else { return Said::default() };
    match bundle.content() {
        Content::Message { digest, .. } => Said { digests: vec![*digest], ..Said::default() },
        Content::Envelope { envelope, .. } => match ParsedStatement::parse(envelope.payload_unverified()) {
            Ok(statement) => Said {
                digests: statement.subjects().iter().filter_map(|subject| subject.sha256().copied()).collect(),
                sha512s: statement
                    .subjects()
                    .iter()
                    .filter(|subject| subject.sha256().is_none())
                    .filter_map(|subject| subject.sha512().copied())
                    .collect(),
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

/// Matches artifacts with bundles, each bundle given by the name of its file and what it says of itself. `sha512s` has the artifacts' SHA-512, in
/// their order, where they are known.
pub fn matched<'b>(
    artifacts: &[Subject],
    sha512s: &[Option<[u8; 64]>],
    bundles: impl Iterator<Item = (&'b str, &'b Said)>,
) -> Matched {
    let mut by_sha512: HashMap<&[u8; 64], Vec<usize>> = HashMap::new();
    for (at, sha512) in sha512s.iter().enumerate().filter_map(|(at, sha512)| Some((at, sha512.as_ref()?))) {
        by_sha512.entry(sha512).or_default().push(at);
    }
    let mut by_digest: HashMap<&[u8; 32], Vec<usize>> = HashMap::with_capacity(artifacts.len());
    let mut by_name: HashMap<&str, usize> = HashMap::with_capacity(artifacts.len());
    for (at, artifact) in artifacts.iter().enumerate() {
        by_digest.entry(artifact.sha256.as_bytes()).or_default().push(at);
        by_name.insert(&artifact.name, at);
    }
    let (mut pairs, mut stray) = (BTreeSet::new(), Vec::new());
    for (bundle, (name, said)) in bundles.enumerate() {
        let before = pairs.len();
        let about = said.digests.iter().filter_map(|digest| by_digest.get(digest.as_bytes())).flatten();
        let about_too = said.sha512s.iter().filter_map(|digest| by_sha512.get(digest)).flatten();
        pairs.extend(about.chain(about_too).map(|artifact| (*artifact, bundle)));
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
        let artifacts = ["a", "b", "c", "twin of a"].map(|name| Subject {
            name: name.to_owned(),
            sha256: sha256(if name.ends_with('a') { b"a" } else { name.as_bytes() }),
        });
        let of = |names: &[&str]| {
            let digests = names.iter().map(|name| sha256(name.as_bytes())).collect();
            Said { digests, ..Said::default() }
        };
        let of_npm = Said { sha512s: vec![[2; 64]], ..Said::default() };
        let bundles = [
            ("anything.sigstore.json", of(&["a"])),
            ("b.sigstore.json", of(&["b", "gone"])),
            ("b.sigstore.json", of(&["gone"])),
            ("b.more.sigstore.json", of(&["gone"])),
            ("c", of(&[])),
            ("npm.json", of_npm),
        ];
        let sha512s = [None, None, None, Some([2; 64])];
        let found = matched(&artifacts, &sha512s, bundles.iter().map(|(name, said)| (*name, said)));
        let pairs = vec![(0, 0), (1, 1), (1, 2), (3, 0), (3, 5)];
        assert_eq!(found, Matched { pairs, bare: vec![2], stray: vec![3, 4] });
    }
}
