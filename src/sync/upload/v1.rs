//! One request to Rekor v1, and what came of it.
//!
//! ```text
//! POST {url}/api/v1/log/entries            201 {"<UUID>":{…}}      409 Location: /api/v1/log/entries/<UUID>
//! GET  {url}/api/v1/log/entries/<UUID>     200 {"<UUID>":{…}}      404 for a moment after a 409
//! ```
//!
//! 201 and 409 are both success: within a shard the log knows a leaf again, so whatever is in doubt is simply asked again. Of a
//! Location only the last segment is used, and only if it is the leaf that was sent: no other host is ever asked.

use airtight_log::digest::Hash;

use super::Errand;
use super::answer::{Posted, Reason, Trouble, is_uuid_of, of_other_status, take_v1};
use super::transport::{Call, Method};
use crate::sync::receipt::ANSWER_LIMITS;

/// The waits between looks for an entry that a 409 says is there: 0.1 s was seen to be enough, ten seconds are given.
const LOOKS_MS: [u64; 8] = [100, 200, 300, 600, 1000, 2000, 3000, 3000];

/// Posts a request and returns what came of it.
pub(super) fn post(errand: &Errand<'_>, request: &str, expected: &Hash) -> Posted {
    let url = format!("{}/api/v1/log/entries", errand.url);
    let call = Call { method: Method::Post, url: &url, body: request.as_bytes(), len_max: ANSWER_LIMITS.bytes_max };
    let reply = match errand.transport.call(&call) {
        Ok(reply) => reply,
        Err(error) => return Posted::Trouble(error.into()),
    };
    match reply.status {
        201 => match take_v1(&reply.body, expected) {
            Ok(answer) => Posted::Taken { status: 201, answer },
            Err(trouble) => Posted::Trouble(trouble),
        },
        409 => {
            let segment = reply.header("location").and_then(|location| location.rsplit('/').next());
            match segment {
                Some(uuid) if is_uuid_of(uuid, expected) => fetch(errand, uuid, expected),
                None => fetch(errand, &expected.to_hex(), expected),
                Some(other) => {
                    let other: String = other.chars().filter(char::is_ascii_graphic).take(80).collect();
                    let said =
                        format!("the log says that it has the entry as {other}, and the leaf {expected} was sent");
                    Posted::Trouble(Trouble::new(Reason::AnswerOfAnotherEntry, said))
                }
            }
        }
        _ => of_other_status(&reply),
    }
}

/// Gets an entry that the log says it has.
fn fetch(errand: &Errand<'_>, uuid: &str, expected: &Hash) -> Posted {
    let url = format!("{}/api/v1/log/entries/{uuid}", errand.url);
    let call = Call { method: Method::Get, url: &url, body: b"", len_max: ANSWER_LIMITS.bytes_max };
    let mut last =
        Trouble::new(Reason::AnswerMissing, format!("the log says that it has {uuid}, and does not show it"));
    for wait_ms in LOOKS_MS {
        match errand.transport.call(&call) {
            Ok(reply) if reply.status == 200 => match take_v1(&reply.body, expected) {
                Ok(answer) => return Posted::Taken { status: 409, answer },
                Err(trouble) if trouble.reason == Reason::AnswerOfAnotherEntry => return Posted::Trouble(trouble),
                Err(trouble) => last = trouble,
            },
            Ok(reply) if reply.status == 404 => {}
            Ok(reply) => match of_other_status(&reply) {
                Posted::Trouble(trouble) if trouble.is_lasting || trouble.reason == Reason::RateLimited => {
                    return Posted::Trouble(Trouble { may_be_in: true, ..trouble });
                }
                Posted::Trouble(trouble) => last = trouble,
                // A refusal of the question is none of the entry.
                Posted::Refused { message, .. } => last = Trouble::new(Reason::AnswerMissing, message),
                Posted::Taken { .. } => {}
            },
            Err(error) => last = error.into(),
        }
        if !errand.pace.nap(wait_ms) {
            break;
        }
    }
    Posted::Trouble(Trouble { may_be_in: true, ..last })
}
