//! What an answer means for the entry it was asked for, before anything is verified.
//!
//! Three questions decide what is done next: has the log the entry, will it never take it, and if neither, **may it be in all
//! the same**. A 500, a 502 or a connection that broke says nothing about that; a refused connection, a 429 and a full queue say
//! no. What is no answer of a log at all (a page for people, a redirect, a proxy that wants a password) is never taken for a
//! refusal of the entry: a refusal is final, and would be logged.

use std::collections::HashMap;

use airtight_keys::strict_json::{self, standard_base64};
use airtight_log::digest::Hash;
use airtight_log::tree::leaf_hash;
use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::transport::{Reply, Status, TransportError};
use crate::pack::receipts::MESSAGE_LEN_MAX;
use crate::sync::receipt::ANSWER_LIMITS;

/// The longest wait that a server may ask for, in milliseconds: ten minutes. Above it, the upload ends and says so.
pub const RETRY_AFTER_MAX_MS: u64 = 600_000;

/// Why an entry remains. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No connection can be made.
    Unreachable,
    /// Connections break, or take too long.
    ConnectionLost,
    /// The log asks to be asked less often.
    RateLimited,
    /// The budget of this hour is spent.
    BudgetExceeded,
    /// The log takes no entries any more.
    TargetFrozen,
    /// The log says that it failed.
    ServerError,
    /// Something answers that is not the log: a page, a redirect, a status that no log gives.
    UnexpectedAnswer,
    /// The answer cannot be read.
    AnswerMalformed,
    /// The answer is about another entry.
    AnswerOfAnotherEntry,
    /// The log says that it has the entry, and does not show it.
    AnswerMissing,
    /// The log's tiles cannot be read, so that nobody can tell whether it has an entry.
    TilesUnreadable,
}

impl Reason {
    /// Returns the stable name.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Unreachable => "unreachable",
            Reason::ConnectionLost => "connection_lost",
            Reason::RateLimited => "rate_limited",
            Reason::BudgetExceeded => "budget_exceeded",
            Reason::TargetFrozen => "target_frozen",
            Reason::ServerError => "server_error",
            Reason::UnexpectedAnswer => "unexpected_answer",
            Reason::AnswerMalformed => "answer_malformed",
            Reason::AnswerOfAnotherEntry => "answer_of_another_entry",
            Reason::AnswerMissing => "answer_missing",
            Reason::TilesUnreadable => "tiles_unreadable",
        }
    }
}

/// Where a leaf is to be looked for in a v2 log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sync) enum Place {
    /// Somewhere from this index on, if at all.
    From(u64),
    /// At this index.
    At(u64),
}

/// What stands between an entry and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sync) struct Trouble {
    pub(in crate::sync) reason: Reason,
    /// What was met, for a person.
    pub(in crate::sync) said: String,
    /// How long to wait at least, where the server says so.
    pub(in crate::sync) wait_ms: Option<u64>,
    /// Whether the log may have the entry all the same.
    pub(in crate::sync) may_be_in: bool,
    /// Where a v2 log says that it has it.
    pub(in crate::sync) place: Option<Place>,
    /// Whether asking again is of no use.
    pub(in crate::sync) is_lasting: bool,
}

impl Trouble {
    pub(in crate::sync) fn new(reason: Reason, said: impl Into<String>) -> Trouble {
        Trouble { reason, said: said.into(), wait_ms: None, may_be_in: true, place: None, is_lasting: false }
    }

    pub(in crate::sync) fn not_in(self) -> Trouble {
        Trouble { may_be_in: false, ..self }
    }

    pub(in crate::sync) fn lasting(self) -> Trouble {
        Trouble { is_lasting: true, ..self }
    }
}

impl From<TransportError> for Trouble {
    fn from(error: TransportError) -> Trouble {
        let said = error.to_string();
        match error {
            TransportError::Unreachable { .. } => Trouble::new(Reason::Unreachable, said).not_in(),
            TransportError::Lost { .. } => Trouble::new(Reason::ConnectionLost, said),
            TransportError::TooLarge { .. } => Trouble::new(Reason::AnswerMalformed, said),
        }
    }
}

/// What a request came to.
#[derive(Debug)]
pub(in crate::sync) enum Posted {
    /// The log has the entry, and says so in these words.
    Taken { status: u16, answer: Box<RawValue> },
    /// The log will not take the entry.
    Refused { status: u16, message: String },
    /// Neither.
    Trouble(Trouble),
}

/// Judges an answer that is neither 201 nor 409.
pub(in crate::sync) fn of_other_status(reply: &Reply) -> Posted {
    let said = described(reply);
    let is_page = is_page(&reply.body);
    let trouble = |reason| Trouble { wait_ms: retry_after(reply), ..Trouble::new(reason, said.clone()) };
    Posted::Trouble(match reply.status {
        status @ (400 | 422) if !is_page => return Posted::Refused { status, message: said },
        status @ 413 => return Posted::Refused { status, message: said },
        400 | 422 | 404 => trouble(Reason::UnexpectedAnswer).not_in(),
        405 => trouble(Reason::TargetFrozen).not_in().lasting(),
        429 => trouble(Reason::RateLimited).not_in(),
        503 if said.contains("pushback") => trouble(Reason::ServerError).not_in(),
        500..600 => trouble(Reason::ServerError),
        300..400 | 401 | 403 | 407 | 415 | 451 => trouble(Reason::UnexpectedAnswer).not_in().lasting(),
        _ => trouble(Reason::UnexpectedAnswer),
    })
}

/// Says what a server answered: its message, or the title of its page, or its first words; never more than a line.
pub(in crate::sync) fn described(reply: &Reply) -> String {
    #[derive(Deserialize)]
    struct Said {
        message: String,
    }
    let status = Status(reply.status);
    let text = String::from_utf8_lossy(&reply.body);
    let words = if let Ok(Said { message }) = serde_json::from_slice(&reply.body) {
        message
    } else if is_page(&reply.body) {
        match title(&text) {
            Some(title) => format!("an HTML page titled \"{title}\""),
            None => "an HTML page without a title".to_owned(),
        }
    } else {
        text.into_owned()
    };
    let moved = reply.header("location").filter(|_| (300..400).contains(&reply.status));
    let words = moved.map_or(words, |to| format!("it points to {to}, and redirects are not followed"));
    let flat: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let flat: String = flat.chars().filter(|c| !c.is_control()).take(200).collect();
    let said = if flat.is_empty() { status.to_string() } else { format!("{status}: {flat}") };
    debug_assert!(said.len() <= MESSAGE_LEN_MAX * 2);
    let end = (0..=MESSAGE_LEN_MAX.min(said.len())).rev().find(|at| said.is_char_boundary(*at));
    said[..end.unwrap_or(0)].to_owned()
}

fn is_page(body: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&body[..body.len().min(512)]).trim_start().to_ascii_lowercase();
    head.starts_with("<!doctype html") || head.starts_with("<html") || head.contains("<head") || head.contains("<title")
}

fn title(page: &str) -> Option<String> {
    // In ASCII the lower case has the same length, so positions of the one are positions of the other.
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title: String = page[start..end].trim().chars().take(120).collect();
    (!title.is_empty()).then_some(title)
}

/// Returns how long a server asks to wait: a number of seconds, or a date, which is taken by the server's own clock where it
/// says what that shows.
fn retry_after(reply: &Reply) -> Option<u64> {
    let wanted = reply.header("retry-after")?.trim();
    if let Ok(seconds) = wanted.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let moment = |text: &str| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_millisecond());
    let wait = moment(wanted)? - moment(reply.header("date")?)?;
    Some(u64::try_from(wait).unwrap_or(0))
}

/// Takes an answer of Rekor v1 that is about the leaf asked for: one UUID that ends in it, and a body that hashes to it.
pub(super) fn take_v1(body: &[u8], expected: &Hash) -> Result<Box<RawValue>, Trouble> {
    #[derive(Deserialize)]
    struct Entry {
        body: String,
    }
    let (answer, entries) = read::<HashMap<String, Entry>>(body)?;
    let mut entries = entries.into_iter();
    let (Some((uuid, entry)), None) = (entries.next(), entries.next()) else {
        return Err(Trouble::new(Reason::AnswerMalformed, "the answer is not one entry"));
    };
    if !is_uuid_of(&uuid, expected) {
        let uuid: String = uuid.chars().take(80).filter(char::is_ascii_graphic).collect();
        return Err(Trouble::new(
            Reason::AnswerOfAnotherEntry,
            format!("the answer is the entry {uuid}, and the leaf {expected} was sent"),
        ));
    }
    hold_body(&entry.body, expected)?;
    Ok(answer)
}

/// Tells whether a UUID of Rekor v1 (64 or 80 hex digits) ends in a leaf hash.
pub(super) fn is_uuid_of(uuid: &str, expected: &Hash) -> bool {
    let is_hex = uuid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hex && matches!(uuid.len(), 64 | 80) && uuid.ends_with(&expected.to_hex())
}

/// Takes an answer of Rekor v2 that is about the leaf asked for.
pub(super) fn take_v2(body: &[u8], expected: &Hash) -> Result<Box<RawValue>, Trouble> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        canonicalized_body: String,
    }
    let (answer, entry) = read::<Entry>(body)?;
    hold_body(&entry.canonicalized_body, expected)?;
    Ok(answer)
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<(Box<RawValue>, T), Trouble> {
    let malformed = |error: &dyn std::fmt::Display| {
        let reply = Reply { status: 201, headers: Vec::new(), body: body.to_owned() };
        let met = if is_page(body) { described(&reply) } else { error.to_string() };
        Trouble::new(Reason::AnswerMalformed, format!("the answer is no entry: {met}"))
    };
    let value = strict_json::parse::<T>(body, ANSWER_LIMITS).map_err(|error| malformed(&error))?;
    let raw: Box<RawValue> = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    Ok((raw, value))
}

fn hold_body(body: &str, expected: &Hash) -> Result<(), Trouble> {
    let body = standard_base64(body).map_err(|error| {
        Trouble::new(Reason::AnswerMalformed, format!("the body of the answer is no base64: {error}"))
    })?;
    let found = leaf_hash(&body);
    if found == *expected {
        return Ok(());
    }
    let said = format!("the answer is the leaf {found}, and {expected} was sent");
    Err(Trouble::new(Reason::AnswerOfAnotherEntry, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Reply { status, headers, body: body.as_bytes().to_vec() }
    }

    fn trouble(reply: &Reply) -> Trouble {
        match of_other_status(reply) {
            Posted::Trouble(trouble) => trouble,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_is_shown_as_what_it_is_and_refuses_no_entry() {
        let page = "<html>\r\n<head><title>400 Bad\r\n Request</title></head><body>…</body></html>";
        let met = trouble(&reply(400, &[], page));
        assert_eq!((met.reason, met.may_be_in), (Reason::UnexpectedAnswer, false));
        assert_eq!(met.said, "status 400: an HTML page titled \"400 Bad Request\"");
        assert_eq!(described(&reply(502, &[], "<!DOCTYPE html><p>x")), "status 502: an HTML page without a title");
        assert!(matches!(of_other_status(&reply(413, &[], page)), Posted::Refused { status: 413, .. }));
    }

    #[test]
    fn a_refusal_keeps_the_message_of_the_log_short_and_on_one_line() {
        let body = format!(r#"{{"code":400,"message":"error\u001b[2J\n processing {}"}}"#, "ä".repeat(600));
        let Posted::Refused { status, message } = of_other_status(&reply(400, &[], &body)) else { panic!() };
        assert_eq!(status, 400);
        assert!(message.starts_with("status 400: error[2J processing ää") && message.len() <= MESSAGE_LEN_MAX);
        assert!(matches!(of_other_status(&reply(422, &[], "{}")), Posted::Refused { status: 422, .. }));
    }

    #[test]
    fn what_may_be_in_is_told_from_what_cannot_be() {
        for (status, body, reason, may_be_in, is_lasting) in [
            (429, "", Reason::RateLimited, false, false),
            (500, r#"{"code":500,"message":"x"}"#, Reason::ServerError, true, false),
            (502, "", Reason::ServerError, true, false),
            (503, r#"{"code":14,"message":"reached max pushback; retry"}"#, Reason::ServerError, false, false),
            (503, "", Reason::ServerError, true, false),
            (405, "This log has been frozen", Reason::TargetFrozen, false, true),
            (302, "", Reason::UnexpectedAnswer, false, true),
            (407, "", Reason::UnexpectedAnswer, false, true),
            (404, "", Reason::UnexpectedAnswer, false, false),
            (200, "", Reason::UnexpectedAnswer, true, false),
        ] {
            let met = trouble(&reply(status, &[], body));
            assert_eq!((met.reason, met.may_be_in, met.is_lasting), (reason, may_be_in, is_lasting), "{status} {body}");
        }
        let moved = trouble(&reply(307, &[("location", "https://elsewhere.example/x")], ""));
        assert_eq!(moved.said, "status 307: it points to https://elsewhere.example/x, and redirects are not followed");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
        let wait = |headers: &[(&str, &str)]| trouble(&reply(429, headers, "")).wait_ms;
        assert_eq!(wait(&[("retry-after", "7")]), Some(7000));
        let date = ("date", "Sat, 21 Nov 2026 02:01:02 GMT");
        assert_eq!(wait(&[("retry-after", "Sat, 21 Nov 2026 02:01:32 GMT"), date]), Some(30_000));
        assert_eq!(wait(&[("retry-after", "Sat, 21 Nov 2026 02:00:32 GMT"), date]), Some(0));
        for nothing in ["", "soon", "-3", "Sat, 99 Nov 2026 02:00:32 GMT"] {
            assert_eq!(wait(&[("retry-after", nothing), date]), None, "{nothing}");
        }
    }

    #[test]
    fn an_answer_about_another_entry_is_kept_out() {
        let body = b"{\"a\":1}";
        let (leaf, other) = (leaf_hash(body), leaf_hash(b"{}"));
        let encoded = airtight_keys::strict_json::to_standard_base64(body);
        let v1 = |uuid: &str, body: &str| format!(r#"{{"{uuid}":{{"body":"{body}","logIndex":1}}}}"#);
        let tree = "108e9186e8c5677a";
        assert!(take_v1(v1(&format!("{tree}{leaf}"), &encoded).as_bytes(), &leaf).is_ok());
        assert!(take_v1(v1(&leaf.to_hex(), &encoded).as_bytes(), &leaf).is_ok());
        let reason = |text: &str| take_v1(text.as_bytes(), &leaf).unwrap_err().reason;
        assert_eq!(reason(&v1(&format!("{tree}{other}"), &encoded)), Reason::AnswerOfAnotherEntry);
        assert_eq!(reason(&v1(&format!("{tree}{leaf}"), "e30=")), Reason::AnswerOfAnotherEntry);
        assert_eq!(reason("{}"), Reason::AnswerMalformed);
        assert_eq!(reason("<html><title>Welcome</title>"), Reason::AnswerMalformed);
        assert_eq!(reason(&v1(&format!("{tree}{leaf}"), "e30")), Reason::AnswerMalformed);
        let v2 = |body: &str| format!(r#"{{"logIndex": "1", "canonicalizedBody": "{body}"}}"#);
        assert!(take_v2(v2(&encoded).as_bytes(), &leaf).is_ok());
        assert_eq!(take_v2(v2("e30=").as_bytes(), &leaf).unwrap_err().reason, Reason::AnswerOfAnotherEntry);
        assert_eq!(take_v2(b"{\"a\":1,\"a\":1}", &leaf).unwrap_err().reason, Reason::AnswerMalformed);
    }
}
