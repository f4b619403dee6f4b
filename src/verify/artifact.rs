//! Step 3: what was signed is about this artifact, and of the type that was asked for.
//!
//! One artifact is looked up by its digests among all subjects, under any name, as the stock clients do: a subject is the artifact where both have a digest of
//! one algorithm, and where every digest that both have is equal. A directory is compared both ways, name by name, so that a
//! file that was added, removed, changed or renamed is seen; and its symbolic links, where the predicate is ours and states them.

use std::collections::BTreeMap;
use std::sync::Arc;

use airtight_keys::envelope::IN_TOTO_PAYLOAD_TYPE;
use airtight_keys::verifier::HashFunction;
use airtight_log::digest::Sha256Digest;
use airtight_log::entry::ContentDigest;

use crate::bundle::Content;
use crate::statement::digests::{Digests, algorithm_of, text_of};
use crate::statement::{self, ArtifactPredicate, ParsedStatement, PredicateType, Symlink, kept};

use super::{Fact, Policy, Refusal, Subject};

/// A subject that is the artifact, or a file of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedSubject {
    /// What the statement calls it; empty for a signature over the artifact itself.
    pub name: String,
    /// What is known of it: the artifact's digests, or where no artifact was at hand those that are stated.
    pub digests: Digests,
}

/// What step 3 found.
#[derive(Debug, Clone)]
pub(super) struct About {
    /// `None` for a signature over the artifact itself.
    pub(super) predicate_type: Option<Arc<str>>,
    /// The number of subjects.
    pub(super) subjects: usize,
    /// The subjects that are the artifact, or the files of the directory, with their digests.
    pub(super) matched: Vec<MatchedSubject>,
    /// The statement covers one of several parts of the directory.
    pub(super) is_part: bool,
    /// There are symbolic links, and nothing signed states where they point.
    pub(super) symlinks_unstated: bool,
    /// A subject has digests of algorithms of which the artifact's is not known.
    pub(super) digests_unused: bool,
    /// The predicate was held to the schema of its type.
    pub(super) schema_checked: bool,
    /// No artifact was at hand: what is matched is what the bundle names.
    pub(super) as_stated: bool,
}

impl About {
    pub(super) fn fact(&self) -> Fact {
        match &self.predicate_type {
            Some(predicate_type) => Fact::Statement {
                predicate_type: Arc::clone(predicate_type),
                subjects: self.subjects,
                matched: self.matched.len(),
            },
            None => Fact::Message,
        }
    }
}

/// What was signed, read: one artifact after another may be looked up in it.
pub(super) enum Signed<'c> {
    /// A digest of the artifact itself.
    Message(&'c ContentDigest),
    /// A statement, of the type that was asked for.
    Statement {
        statement: ParsedStatement<'c>,
        /// Its predicate, where that is of our own type.
        predicate: Option<ArtifactPredicate>,
        /// The predicate was held to the schema of its type.
        schema_checked: bool,
    },
}

/// Reads what was signed, as far as no artifact is needed for it.
pub(super) fn read<'c>(content: &'c Content<'_>, policy: &Policy) -> Result<Signed<'c>, Refusal> {
    match content {
        Content::Message { digest, .. } => Ok(Signed::Message(digest)),
        Content::Envelope { envelope, .. } => {
            if envelope.payload_type() != IN_TOTO_PAYLOAD_TYPE {
                return Err(Refusal::PayloadType { found: envelope.payload_type().to_owned() });
            }
            // Step 2 verified these very bytes; the envelope holds the one decoding of them.
            let payload = envelope.payload_unverified();
            of_type(ParsedStatement::parse(payload)?, payload, policy)
        }
    }
}

impl Signed<'_> {
    /// Looks up what the question is about.
    pub(super) fn about(&self, subject: Subject<'_>, policy: &Policy) -> Result<About, Refusal> {
        match self {
            Signed::Message(stated) => message(stated, subject, policy),
            Signed::Statement { statement, predicate, schema_checked } => {
                of_statement(statement, predicate.as_ref(), *schema_checked, subject)
            }
        }
    }
}

fn message(stated: &ContentDigest, subject: Subject<'_>, policy: &Policy) -> Result<About, Refusal> {
    let artifact = match subject {
        Subject::Files { files, .. } => return Err(Refusal::MessageOneArtifact { files: files.len() }),
        other => other.artifact().unwrap_or(Digests::from(*stated)),
    };
    match artifact.of(algorithm_of(stated)) {
        Some(digest) if digest == *stated => {}
        Some(digest) => {
            return Err(Refusal::MessageDigest { artifact: text_of(&digest), stated: text_of(stated) });
        }
        None => {
            let (known, wanted) = (artifact.to_string(), algorithm_of(stated).name());
            return Err(Refusal::ArtifactDigestMissing { known, wanted });
        }
    }
    if let Some(wanted) = &policy.predicate_type {
        return Err(Refusal::PredicateType { found: String::new(), wanted: wanted.clone() });
    }
    Ok(About {
        predicate_type: None,
        subjects: 1,
        matched: vec![MatchedSubject { name: String::new(), digests: artifact }],
        is_part: false,
        symlinks_unstated: false,
        digests_unused: false,
        schema_checked: true,
        as_stated: matches!(subject, Subject::Stated),
    })
}

fn of_type<'c>(statement: ParsedStatement<'c>, payload: &[u8], policy: &Policy) -> Result<Signed<'c>, Refusal> {
    let predicate_type = statement.predicate_type();
    match &policy.predicate_type {
        Some(wanted) if wanted != predicate_type => {
            return Err(Refusal::PredicateType { found: predicate_type.to_owned(), wanted: wanted.clone() });
        }
        _ => {}
    }
    if predicate_type == PredicateType::KEPT_BUNDLE {
        kept::Kept::of(payload).map_err(|error| Refusal::PredicateSchema { cause: error.to_string() })?;
    }
    let predicate = if predicate_type == PredicateType::ARTIFACT {
        let text = statement
            .predicate()
            .ok_or_else(|| Refusal::PredicateSchema { cause: "there is no predicate".to_owned() })?;
        Some(ArtifactPredicate::parse(text).map_err(|cause| Refusal::PredicateSchema { cause })?)
    } else {
        None
    };
    let schema_checked = predicate.is_some() || predicate_type == PredicateType::KEPT_BUNDLE;
    Ok(Signed::Statement { statement, predicate, schema_checked })
}

fn of_statement(
    statement: &ParsedStatement<'_>,
    predicate: Option<&ArtifactPredicate>,
    schema_checked: bool,
    subject: Subject<'_>,
) -> Result<About, Refusal> {
    let is_part = predicate.is_some_and(ArtifactPredicate::is_part);
    let (matched, symlinks_unstated) = match subject {
        Subject::Digest(sha256) => (one(statement, Digests::from(sha256))?, false),
        Subject::Artifact(artifact) => (one(statement, artifact)?, false),
        Subject::Files { files, symlinks } => {
            let matched = all(statement, files, is_part)?;
            match predicate.and_then(ArtifactPredicate::symlinks) {
                Some(stated) => links(stated, symlinks, is_part)?,
                None if symlinks.is_empty() => {}
                None => return about(subject, statement, matched, is_part, true, schema_checked),
            }
            (matched, false)
        }
        Subject::Stated => (every(statement), false),
    };
    let about = about(subject, statement, matched, is_part, symlinks_unstated, schema_checked)?;
    Ok(About { as_stated: matches!(subject, Subject::Stated), ..about })
}

/// Lists the subjects that have a digest.
fn every(statement: &ParsedStatement<'_>) -> Vec<MatchedSubject> {
    let subject = |subject: &statement::ParsedSubject<'_>| MatchedSubject {
        name: subject.name().to_owned(),
        digests: *subject.digests(),
    };
    statement.subjects().iter().filter(|subject| !subject.digests().is_empty()).map(subject).collect()
}

fn about(
    subject_asked: Subject<'_>,
    statement: &ParsedStatement<'_>,
    matched: Vec<MatchedSubject>,
    is_part: bool,
    symlinks_unstated: bool,
    schema_checked: bool,
) -> Result<About, Refusal> {
    Ok(About {
        predicate_type: Some(Arc::from(statement.predicate_type())),
        subjects: statement.subjects().len(),
        matched,
        is_part,
        symlinks_unstated,
        digests_unused: statement.subjects().iter().any(|subject| {
            // Of the files of a directory SHA-256 is compared; where no artifact is at hand, it is what names the subject.
            let known = subject_asked.artifact();
            let is_compared =
                |algorithm| known.map_or(algorithm == HashFunction::Sha256, |all| all.of(algorithm).is_some());
            subject.digests_unused() > 0 || subject.digests().iter().any(|digest| !is_compared(algorithm_of(&digest)))
        }),
        schema_checked,
        as_stated: false,
    })
}

fn one(statement: &ParsedStatement<'_>, artifact: Digests) -> Result<Vec<MatchedSubject>, Refusal> {
    let subjects = statement.subjects();
    let matched: Vec<MatchedSubject> = subjects
        .iter()
        .filter(|subject| artifact.agrees(subject.digests()) == Some(true))
        .map(|subject| MatchedSubject { name: subject.name().to_owned(), digests: artifact })
        .collect();
    if !matched.is_empty() {
        return Ok(matched);
    }
    // Who compares the one digest sees the artifact there: the other has to be shown.
    let in_part = |subject: &statement::ParsedSubject<'_>| {
        let stated = subject.digests();
        let both = || artifact.iter().filter_map(|ours| Some((ours, stated.of(algorithm_of(&ours))?)));
        Some((both().find(|(ours, theirs)| ours == theirs)?.0, both().find(|(ours, theirs)| ours != theirs)?))
    };
    if let Some((equal, (ours, theirs))) = subjects.iter().find_map(in_part) {
        let first = format!("{}, beside the artifact's own {}", text_of(&theirs), algorithm_of(&equal).name());
        return Err(Refusal::SubjectNotFound { artifact: text_of(&ours), subjects: subjects.len(), first });
    }
    let stated = subjects.iter().find_map(|subject| subject.digests().iter().next());
    match stated {
        Some(stated) if subjects.iter().all(|subject| artifact.agrees(subject.digests()).is_none()) => {
            Err(Refusal::ArtifactDigestMissing { known: artifact.to_string(), wanted: algorithm_of(&stated).name() })
        }
        _ => Err(Refusal::SubjectNotFound {
            artifact: artifact.to_string(),
            subjects: subjects.len(),
            first: match subjects[0].digests() {
                digests if digests.is_empty() => "without sha256".to_owned(),
                digests => digests.to_string(),
            },
        }),
    }
}

fn all(
    statement: &ParsedStatement<'_>,
    files: &[statement::Subject],
    is_part: bool,
) -> Result<Vec<MatchedSubject>, Refusal> {
    let found: BTreeMap<&str, &Sha256Digest> = files.iter().map(|file| (file.name.as_str(), &file.sha256)).collect();
    let mut stated: BTreeMap<&str, Sha256Digest> = BTreeMap::new();
    for subject in statement.subjects() {
        let name = subject.name();
        let Some(digest) = subject.sha256() else {
            return Err(Refusal::SubjectWithoutSha256 { name: name.to_owned() });
        };
        if stated.insert(name, *digest).is_some() {
            return Err(Refusal::SubjectNameTwice { name: name.to_owned() });
        }
        match found.get(name) {
            None => return Err(Refusal::SubjectFileMissing { name: name.to_owned() }),
            Some(file) if *file != digest => {
                return Err(Refusal::SubjectDigest { name: name.to_owned(), stated: *digest, found: **file });
            }
            Some(_) => {}
        }
    }
    match found.keys().find(|name| !stated.contains_key(*name)) {
        Some(name) if !is_part => Err(Refusal::SubjectFileUnstated { name: (*name).to_owned() }),
        _ => {
            let matched =
                |(name, sha256): (&str, Sha256Digest)| MatchedSubject { name: name.to_owned(), digests: sha256.into() };
            Ok(stated.into_iter().map(matched).collect())
        }
    }
}

fn links(stated: &[Symlink], found: &[Symlink], is_part: bool) -> Result<(), Refusal> {
    let refused = |name: &str, stated: Option<&Symlink>, found: Option<&Symlink>| {
        let shown =
            |link: Option<&Symlink>| link.map_or_else(|| "nothing".to_owned(), |link| format!("{:?}", link.target));
        Err(Refusal::Symlink { name: name.to_owned(), stated: shown(stated), found: shown(found) })
    };
    let there = links_by_name(found);
    for link in stated {
        let found = there.get(link.name.as_str()).copied();
        if found != Some(link) {
            return refused(&link.name, Some(link), found);
        }
    }
    let stated = links_by_name(stated);
    match found.iter().find(|link| !stated.contains_key(link.name.as_str())) {
        Some(link) if !is_part => refused(&link.name, None, Some(link)),
        _ => Ok(()),
    }
}

/// Takes symbolic links by their names; of two with one name the first.
fn links_by_name(links: &[Symlink]) -> BTreeMap<&str, &Symlink> {
    links.iter().rev().map(|link| (link.name.as_str(), link)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_subject_that_is_the_artifact_in_part_the_digest_is_shown_that_is_another() {
        let (one_hex, other_hex) = ("0a".repeat(32), "0b".repeat(64));
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}},{{"digest":{{"sha256":"{one_hex}","sha512":"{other_hex}"}}}}],"predicateType":"https://a.example/b"}}"#,
            "0c".repeat(32),
        );
        let statement = ParsedStatement::parse(text.as_bytes()).unwrap();
        let known =
            |sha256: u8| Digests::from(ContentDigest::Sha256([sha256; 32])).with(ContentDigest::Sha512([9; 64]));
        let said = |sha256| one(&statement, known(sha256)).unwrap_err().to_string();
        let ours = format!("the artifact is sha512:{}, and none of 2 subjects is", "09".repeat(64));
        assert_eq!(said(0x0a), format!("{ours}, the first being sha512:{other_hex}, beside the artifact's own sha256"));
        let first = "0c".repeat(32);
        let other = format!("the artifact is sha256:{}, and none of 2 subjects is", "0d".repeat(32));
        assert_eq!(said(0x0d), format!("{other}, the first being sha256:{first}"));
    }
}
