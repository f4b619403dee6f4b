//! The bundles of a file: read once, whose they are asked, and judged on the spot, so that of most files nothing is held but what was found.
//!
//! Two kinds of file wait for a second round, and are read again then: those with a bundle that states digests other than SHA-256, for
//! which of these anybody must compute is known when all files were read; and those that ask for more judgements than one core should be left with.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use airtight::bundle::Bundle;
use airtight::bundle::homes::HomeError;
use airtight::statement::digests::Digests;
use airtight::verify::{self, MatchedSubject, Refusal, Report, Verified};
use airtight_keys::verifier::HashFunction;

use crate::artifacts::{self, Named};
use crate::cores;
use crate::exit::Exit;
use crate::failure::Failure;

use super::filed::{self, Filed};
use super::many::{BundleLine, Judge};
use super::matching::{Candidate, Index, Said, Whose};

/// The most judgements that a file asks of one core; those of a larger document are spread over all.
const ON_ONE_CORE: usize = 64;
/// The most judgements that documents larger than that may ask for together. Each answer takes half a kilobyte, and a document of 50 KB could ask for
/// millions: one line that names a thousand files, and thousands of lines that nobody can read.
const JUDGEMENTS_MAX: usize = 1 << 18;
/// The most artifacts that a bundle is judged about at once: as many as a statement names. Of more, as of a thousand copies of one, each such part is
/// judged by itself, on whichever core is free.
const TOGETHER_MAX: usize = 1_024;
/// What was verified of a bundle up to this length, for each artifact that it is about, is kept until a policy is held to it; a larger one is judged
/// again then.
const KEPT_LEN_MAX: usize = 256 << 10;

/// What is asked of every file.
pub struct Asking<'a> {
    pub judge: &'a Judge,
    pub artifacts: &'a [Candidate],
    pub index: Index<'a>,
    /// The one artifact that each bundle was named as one about, whatever it says of itself.
    pub about: Option<Digests>,
    /// Whether this is the second round.
    pub is_again: bool,
    /// How many judgements larger documents have asked for so far.
    pub spread: AtomicUsize,
}

/// What became of a file.
pub enum Asked {
    /// Its bundles were judged.
    Judged(Answers),
    /// It waits for the second round.
    Waits {
        /// The algorithms other than SHA-256 of which its bundles state digests.
        algorithms: BTreeSet<HashFunction>,
        /// Whether its judgements are to be spread over all cores.
        is_large: bool,
    },
}

/// What was found of the bundles of a file.
pub struct Answers {
    /// How many bundles it has.
    pub bundles: usize,
    /// Whether none of them is anybody's.
    pub is_stray: bool,
    /// In the order of the bundles, and of the artifacts of each.
    pub found: Vec<Found>,
}

/// What was found of a bundle, asked about an artifact.
pub struct Found {
    /// The place of the artifact.
    pub artifact: usize,
    /// Whether the bundle says nothing of itself, and stands here for what is beside it.
    pub is_guest: bool,
    pub line: BundleLine,
    pub kept: Kept,
}

/// What a policy is held to.
pub enum Kept {
    /// Nothing was verified, or no policy asks.
    Nothing,
    Verified(Box<Verified>),
    /// Of a bundle about many artifacts, one for all of them.
    Shared {
        verified: Arc<Verified>,
        /// The subjects that are this artifact.
        matched: Box<[MatchedSubject]>,
    },
    /// Too large to be kept; where it stands in its file.
    Again {
        place: String,
    },
}

impl Answers {
    /// Tells whether some bundle was refused.
    pub fn is_refused(&self) -> bool {
        self.found.iter().any(|found| !found.line.is_verified())
    }
}

impl Asking<'_> {
    /// Reads a file, and judges its bundles about the artifacts that they are of.
    ///
    /// # Errors
    /// Those of the file.
    pub fn file(&self, Named { name, path, .. }: &Named) -> Result<Asked, Failure> {
        let text = read(path)?;
        let found = match self.taken(&text) {
            Ok(found) => found,
            Err(error) => return Ok(Asked::Judged(self.refused(name, &error))),
        };
        let whose = match self.about {
            Some(_) => vec![Whose { artifacts: vec![0], is_guest: false }; found.len()],
            None => {
                let whose = self.index.whose(name, found.iter().map(|one| &one.said), JUDGEMENTS_MAX);
                whose.ok_or_else(|| too_many(path))?
            }
        };
        let judgements = whose.iter().map(|whose| whose.artifacts.len()).sum::<usize>();
        let is_large = judgements > ON_ONE_CORE;
        if !self.is_again {
            let algorithms = filed::algorithms(found.iter().map(|one| &one.said));
            if is_large || !algorithms.is_empty() {
                return Ok(Asked::Waits { algorithms, is_large });
            }
        }
        if is_large && self.spread.fetch_add(judgements, Ordering::Relaxed) + judgements > JUDGEMENTS_MAX {
            return Err(too_many(path));
        }
        let bundles = found.len();
        let is_stray = judgements == 0;
        let found = match is_large {
            true => self.on_all_cores(name, &found, &whose),
            false => {
                let each = |(one, whose): (_, &Whose)| self.judged(name, one, whose);
                found.into_iter().zip(&whose).flat_map(each).collect()
            }
        };
        Ok(Asked::Judged(Answers { bundles, is_stray, found }))
    }

    /// Takes the bundles out of a file that are about the artifact, where one is given, and of the type.
    fn taken<'t>(&self, text: &'t [u8]) -> Result<Vec<Filed<'t>>, HomeError> {
        let found = filed::filed(text)?;
        if let Some(error) = filed::about_others(&found, self.about) {
            return Err(error);
        }
        let found = found.into_iter().filter(|one| one.may_be_about(self.about)).collect();
        Ok(filed::of_type(found, self.judge.policy.predicate_type.as_deref()))
    }

    /// Answers for a file that holds no bundle at all: it belongs to the artifact of its own name.
    fn refused(&self, name: &str, error: &HomeError) -> Answers {
        let artifacts = match self.about {
            Some(_) => vec![0],
            None => {
                let whose = self.index.whose(name, [&Said::default()].into_iter(), JUDGEMENTS_MAX);
                whose.unwrap_or_default().into_iter().flat_map(|whose| whose.artifacts).collect()
            }
        };
        let report = verify::refused(Refusal::Home(error.clone()));
        let found = |artifact: &usize| {
            let line = BundleLine::new(filed::label(name, ""), &report);
            Found { artifact: *artifact, is_guest: false, line, kept: Kept::Nothing }
        };
        Answers { bundles: 1, is_stray: artifacts.is_empty(), found: artifacts.iter().map(found).collect() }
    }

    fn on_all_cores(&self, name: &str, found: &[Filed<'_>], whose: &[Whose]) -> Vec<Found> {
        let each = |(one, whose): (_, &Whose)| {
            let is_guest = whose.is_guest;
            let parts = whose.artifacts.chunks(TOGETHER_MAX);
            parts.map(|part| (one, Whose { artifacts: part.to_vec(), is_guest })).collect::<Vec<_>>()
        };
        let asked: Vec<(&Filed<'_>, Whose)> = found.iter().zip(whose).flat_map(each).collect();
        let found = cores::each("bundles judged", &asked, |(one, whose)| self.judged(name, (*one).clone(), whose));
        found.into_iter().flatten().collect()
    }

    /// Judges a bundle about the artifacts that it is of.
    fn judged(&self, name: &str, one: Filed<'_>, whose: &Whose) -> Vec<Found> {
        match whose.artifacts[..] {
            [] => Vec::new(),
            [artifact] => vec![self.judged_about_one(name, one, artifact, whose.is_guest)],
            _ => self.judged_about_each(name, one, whose),
        }
    }

    fn judged_about_one(&self, name: &str, one: Filed<'_>, artifact: usize, is_guest: bool) -> Found {
        let (place, len) = (one.place.clone(), one.text.len());
        let label = filed::label(name, &place);
        let report = self.report(one, artifact);
        let line = BundleLine::new(label, &report);
        let kept = match report.verdict() {
            Ok(_) if self.judge.asked.is_some() && len > KEPT_LEN_MAX => Kept::Again { place },
            Ok(_) if self.judge.asked.is_some() => {
                report.into_verdict().map_or(Kept::Nothing, |verified| Kept::Verified(Box::new(verified)))
            }
            _ => Kept::Nothing,
        };
        Found { artifact, is_guest, line, kept }
    }

    /// Judges a bundle once about many artifacts: a statement may name a thousand, and was read and verified a thousand times.
    fn judged_about_each(&self, name: &str, one: Filed<'_>, whose: &Whose) -> Vec<Found> {
        let Filed { place, text, bundle, .. } = one;
        let label = filed::label(name, &place);
        let (mut artifacts, mut found) = (whose.artifacts.iter(), Vec::with_capacity(whose.artifacts.len()));
        let is_kept = text.len() / whose.artifacts.len() <= KEPT_LEN_MAX;
        let mut shared = None;
        let mut tell = |report: &Report| {
            let line = BundleLine::new(label.clone(), report);
            let kept = match report.verdict() {
                Ok(_) if self.judge.asked.is_some() && !is_kept => Kept::Again { place: place.clone() },
                Ok(verified) if self.judge.asked.is_some() => {
                    let all = shared.get_or_insert_with(|| Arc::new(verified.clone()));
                    Kept::Shared { verified: Arc::clone(all), matched: verified.matched().into() }
                }
                _ => Kept::Nothing,
            };
            let told =
                artifacts.next().map(|artifact| Found { artifact: *artifact, is_guest: whose.is_guest, line, kept });
            found.extend(told);
        };
        let known: Vec<Digests> = whose.artifacts.iter().map(|artifact| self.artifacts[*artifact].digests).collect();
        match bundle.unwrap_or_else(|| Bundle::parse(&text)) {
            Ok(bundle) => self.judge.judge_about_each(bundle, &known, &mut tell),
            Err(error) => {
                let report = verify::refused(error.into());
                known.iter().for_each(|_| tell(&report));
            }
        }
        found
    }

    fn report(&self, one: Filed<'_>, artifact: usize) -> Report {
        let subject = verify::Subject::Artifact(self.artifacts[artifact].digests);
        match one.bundle {
            Some(Ok(bundle)) => self.judge.judge_parsed(bundle, subject),
            Some(Err(error)) => verify::refused(error.into()),
            None => self.judge.judge(&one.text, subject),
        }
    }

    /// Judges a bundle again that was too large to be kept; of a file that has changed since, nothing holds.
    ///
    /// # Errors
    /// Those of the file.
    pub fn again(&self, Named { path, .. }: &Named, place: &str, artifact: usize) -> Result<Option<Verified>, Failure> {
        let text = read(path)?;
        let found = filed::filed(&text).unwrap_or_default();
        let one = found.into_iter().find(|one| one.place == place);
        Ok(one.and_then(|one| self.report(one, artifact).into_verdict().ok()))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    artifacts::bundle_text(path).map_err(|error| artifacts::unreadable(path, &error))
}

fn too_many(path: &Path) -> Failure {
    let message = format!(
        "{} makes it more than {JUDGEMENTS_MAX} judgements, each of one bundle about one artifact",
        path.display()
    );
    Failure::new(Exit::Malformed, "too_many_judgements", message)
        .next("take the file away, or apart; or ask about fewer artifacts at once")
}
