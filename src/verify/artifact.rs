//! Step 3: what was signed is about this artifact, and of the type that was asked for.
//!
//! One artifact is looked up by its SHA-256 (or, where a statement has none, its SHA-512) among all subjects, under any name, as the stock clients do. A directory is compared both ways, name by name, so that a
//! file that was added, removed, changed or renamed is seen; and its symbolic links, where the predicate is ours and states them.

use std::collections::BTreeMap;
use std::sync::Arc;

use airtight_keys::envelope::IN_TOTO_PAYLOAD_TYPE;
use airtight_log::digest::Sha256Digest;

use crate::bundle::Content;
use crate::statement::{self, ArtifactPredicate, ParsedStatement, PredicateType, Symlink, kept};

use super::{Fact, Input, Refusal, Subject};

/// What step 3 found.
#[derive(Debug, Clone)]
pub(super) struct About {
    /// `None` for a signature over the artifact itself.
    pub(super) predicate_type: Option<Arc<str>>,
    /// The number of subjects.
    pub(super) subjects: usize,
    /// The subjects that are the artifact, or the files of the directory, with their digests.
    pub(super) matched: Vec<statement::Subject>,
    /// The statement covers one of several parts of the directory.
    pub(super) is_part: bool,
    /// There are symbolic links, and nothing signed states where they point.
    pub(super) symlinks_unstated: bool,
    /// A subject has digests of algorithms that nothing here computes.
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

pub(super) fn check(content: &Content<'_>, input: &Input<'_>) -> Result<About, Refusal> {
    match content {
        Content::Message { digest, .. } => message(digest, input),
        Content::Envelope { envelope, .. } => {
            if envelope.payload_type() != IN_TOTO_PAYLOAD_TYPE {
                return Err(Refusal::PayloadType { found: envelope.payload_type().to_owned() });
            }
            // Step 2 verified these very bytes; the envelope holds the one decoding of them.
            let payload = envelope.payload_unverified();
            statement(&ParsedStatement::parse(payload)?, payload, input)
        }
    }
}

fn message(stated: &Sha256Digest, input: &Input<'_>) -> Result<About, Refusal> {
    let artifact = match input.subject {
        Subject::Digest(digest) | Subject::File { sha256: digest, .. } => digest,
        Subject::Files { files, .. } => return Err(Refusal::MessageOneArtifact { files: files.len() }),
        Subject::Stated => *stated,
    };
    if artifact != *stated {
        return Err(Refusal::MessageDigest { artifact, stated: *stated });
    }
    if let Some(wanted) = &input.policy.predicate_type {
        return Err(Refusal::PredicateType { found: String::new(), wanted: wanted.clone() });
    }
    Ok(About {
        predicate_type: None,
        subjects: 1,
        matched: vec![statement::Subject { name: String::new(), sha256: artifact }],
        is_part: false,
        symlinks_unstated: false,
        digests_unused: false,
        schema_checked: true,
        as_stated: matches!(input.subject, Subject::Stated),
    })
}

fn statement(statement: &ParsedStatement<'_>, payload: &[u8], input: &Input<'_>) -> Result<About, Refusal> {
    let predicate_type = statement.predicate_type();
    match &input.policy.predicate_type {
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
    let is_part = predicate.as_ref().is_some_and(ArtifactPredicate::is_part);
    let (matched, symlinks_unstated) = match input.subject {
        Subject::Digest(artifact) => (one(statement, artifact, None)?, false),
        Subject::File { sha256, sha512 } => (one(statement, sha256, Some(&sha512))?, false),
        Subject::Files { files, symlinks } => {
            let matched = all(statement, files, is_part)?;
            match predicate.as_ref().and_then(ArtifactPredicate::symlinks) {
                Some(stated) => links(stated, symlinks, is_part)?,
                None if symlinks.is_empty() => {}
                None => return about(input.subject, statement, matched, is_part, true, schema_checked),
            }
            (matched, false)
        }
        Subject::Stated => (every(statement), false),
    };
    let about = about(input.subject, statement, matched, is_part, symlinks_unstated, schema_checked)?;
    Ok(About { as_stated: matches!(input.subject, Subject::Stated), ..about })
}

/// Lists the subjects that have a SHA-256.
fn every(statement: &ParsedStatement<'_>) -> Vec<statement::Subject> {
    let subject = |subject: &statement::ParsedSubject<'_>| {
        Some(statement::Subject { name: subject.name().to_owned(), sha256: *subject.sha256()? })
    };
    statement.subjects().iter().filter_map(subject).collect()
}

fn about(
    subject_asked: Subject<'_>,
    statement: &ParsedStatement<'_>,
    matched: Vec<statement::Subject>,
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
            let is_compared = matches!(subject_asked, Subject::File { .. });
            subject.digests_unused() > 0 || subject.sha512().is_some() && !is_compared
        }),
        schema_checked,
        as_stated: false,
    })
}

fn one(
    statement: &ParsedStatement<'_>,
    artifact: Sha256Digest,
    sha512: Option<&[u8; 64]>,
) -> Result<Vec<statement::Subject>, Refusal> {
    let is_artifact = |subject: &&statement::ParsedSubject<'_>| match (subject.sha256(), subject.sha512(), sha512) {
        (Some(stated), Some(stated_512), Some(sha512)) => *stated == artifact && stated_512 == sha512,
        (Some(stated), _, _) => *stated == artifact,
        (None, Some(stated_512), Some(sha512)) => stated_512 == sha512,
        (None, _, _) => false,
    };
    let matched: Vec<statement::Subject> = statement
        .subjects()
        .iter()
        .filter(is_artifact)
        .map(|subject| statement::Subject { name: subject.name().to_owned(), sha256: artifact })
        .collect();
    if matched.is_empty() {
        let first = statement.subjects()[0].sha256();
        return Err(Refusal::SubjectNotFound {
            artifact,
            subjects: statement.subjects().len(),
            first: first.map_or_else(|| "without sha256".to_owned(), |digest| digest.to_string()),
        });
    }
    Ok(matched)
}

fn all(
    statement: &ParsedStatement<'_>,
    files: &[statement::Subject],
    is_part: bool,
) -> Result<Vec<statement::Subject>, Refusal> {
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
            Ok(stated.into_iter().map(|(name, sha256)| statement::Subject { name: name.to_owned(), sha256 }).collect())
        }
    }
}

fn links(stated: &[Symlink], found: &[Symlink], is_part: bool) -> Result<(), Refusal> {
    let refused = |name: &str, stated: Option<&Symlink>, found: Option<&Symlink>| {
        let shown =
            |link: Option<&Symlink>| link.map_or_else(|| "nothing".to_owned(), |link| format!("{:?}", link.target));
        Err(Refusal::Symlink { name: name.to_owned(), stated: shown(stated), found: shown(found) })
    };
    for link in stated {
        let there = found.iter().find(|other| other.name == link.name);
        if there != Some(link) {
            return refused(&link.name, Some(link), there);
        }
    }
    match found.iter().find(|link| !stated.iter().any(|other| other.name == link.name)) {
        Some(link) if !is_part => refused(&link.name, None, Some(link)),
        _ => Ok(()),
    }
}
