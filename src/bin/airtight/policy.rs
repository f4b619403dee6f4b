//! `airtight policy …`: a policy, read and said in sentences; and its reading for `airtight verify --policy`.

use std::path::{Path, PathBuf};

use airtight::policy::{POLICY_LEN_MAX, Policy, PolicyError};
use airtight_log::digest::{Sha256Digest, sha256};
use airtight_log::quorum::QUORUM_LEN_MAX;
use serde::Serialize;

use crate::artifacts;
use crate::cli::policy::PolicyCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// The most that is read of a file that a policy names: a key, or the policy of witnesses, which is the larger of the two.
const NAMED_LEN_MAX: usize = QUORUM_LEN_MAX;

/// A policy, and the files that it was read from.
pub struct Loaded {
    /// The policy.
    pub policy: Policy,
    /// SHA-256 of its own file.
    #[cfg_attr(
        not(feature = "site"),
        allow(dead_code, reason = "what is kept of a verdict is no part of a build that only verifies")
    )]
    pub sha256: Sha256Digest,
    /// Its own file, and those that it names.
    pub files: Vec<PathBuf>,
    /// Those of its revocation lists.
    pub crls: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Answer<'a> {
    title: Option<&'a str>,
    required: Vec<&'a str>,
    keys_by_id: Vec<KeyById<'a>>,
    sentences: Vec<String>,
}

#[derive(Serialize)]
struct KeyById<'a> {
    name: &'a str,
    key_id: String,
}

/// Runs one command about policies.
///
/// # Errors
/// As [`load`].
pub fn run(command: &PolicyCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    let (PolicyCommand::Check(args) | PolicyCommand::Explain(args)) = command;
    let Loaded { policy, .. } = load(&args.file)?;
    let keys = policy.keys_missing(&[]);
    let sentences = policy.explain();
    if call.output.is_json() {
        let keys_by_id = keys.into_iter().map(|(name, id)| KeyById { name, key_id: id.to_string() }).collect();
        let required = policy.required().collect();
        call.output.json(&Answer { title: policy.title(), required, keys_by_id, sentences });
        return Ok(Exit::Done);
    }
    match command {
        PolicyCommand::Check(_) => {
            let required: Vec<&str> = policy.required().collect();
            call.output.line(format_args!("{}: a policy that requires {}", args.file.display(), required.join(", ")));
        }
        PolicyCommand::Explain(_) => sentences.iter().for_each(|sentence| call.output.line(sentence)),
    }
    for (name, id) in keys {
        call.output.say(format_args!("the policy holds the id of {name} alone: hand its key over with --key ({id})"));
    }
    Ok(Exit::Done)
}

/// Reads a policy and the keys that it names; a relative path starts at the policy file.
///
/// # Errors
/// The codes of [`PolicyError`], or the file's own code.
pub fn load(path: &Path) -> Result<Loaded, Failure> {
    let bytes = artifacts::read_at_most(path, POLICY_LEN_MAX).map_err(|error| artifacts::unreadable(path, &error))?;
    let sha256 = sha256(&bytes);
    let malformed = |code, said: String| {
        Failure::new(Exit::Malformed, code, format!("{}: {said}", path.display()))
            .next("mend the policy; docs/FORMATS.md shows a whole one")
    };
    // Its end may be cut through a character where it is too long.
    let text = String::from_utf8(bytes).or_else(|error| match error.as_bytes().len() > POLICY_LEN_MAX {
        true => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        false => Err(error),
    });
    let text = text.map_err(|error| {
        malformed("policy_malformed", format!("no UTF-8 at byte {}", error.utf8_error().valid_up_to()))
    })?;
    let mut files = vec![path.to_owned()];
    let directory = path.parent().unwrap_or(Path::new(""));
    let policy = Policy::parse(&text, &mut |file| {
        let file = directory.join(file);
        let read = artifacts::read_text_at_most(&file, NAMED_LEN_MAX);
        let read = read.map_err(|error| format!("{}: {error}", file.display()));
        files.push(file);
        read
    });
    let policy = policy.map_err(|error| match error {
        PolicyError::KeyFile { .. } => {
            let message = format!("{}: {error}", path.display());
            Failure::new(Exit::NotFound, error.code(), message)
                .next("put the file where the policy says, or mend the path")
        }
        _ => malformed(error.code(), error.to_string()),
    })?;
    let crls: Vec<PathBuf> = policy.crls().iter().map(|file| directory.join(file)).collect();
    files.extend_from_slice(&crls);
    Ok(Loaded { policy, sha256, files, crls })
}
