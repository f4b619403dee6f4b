//! Asks an authority over a transport: one request a signature, tried again as the uploader does.
//!
//! ```text
//! 200, 201, DER         verified: it counts; or it does not hold, and nobody is asked any more
//! 429, 5xx, lost, late  wait (doubling, half of it chance; as long as the server asks), again; after 8 in a row, over
//! anything else         over: the rest is asked for another time
//! ```
//!
//! Nothing is lost by asking twice: an authority keeps nothing of ours.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use airtight_log::digest::LeafIndex;

use super::{AnswerRefusal, accept, request};
use crate::bundle::token::TOKEN_LEN_MAX;
use crate::sync::target::Target;
use crate::sync::upload::answer::{Posted, Reason, Trouble, described, of_other_status};
use crate::sync::upload::is_enough;
use crate::sync::upload::pace::{Pace, Stop};
use crate::sync::upload::transport::{Call, Method, Powers, Transport};

/// What is asked.
pub struct Question<'q> {
    /// The authority's address.
    pub url: &'q str,
    /// Under whose trusted root answers count.
    pub target: &'q Target,
    /// How many requests are under way at once, at least 1.
    pub parallel: u16,
    /// Now, in seconds since the epoch.
    pub now: u64,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Asked {
    /// The tokens that count, by entry, in no order.
    pub tokens: Vec<(LeafIndex, Vec<u8>)>,
    /// Answers that do not.
    pub refused: Vec<(LeafIndex, AnswerRefusal)>,
    /// How many have none yet.
    pub remaining: u64,
    /// Why.
    pub stop: Option<Stop>,
}

/// Asks for a token over each signature.
pub fn ask(
    question: &Question<'_>,
    signatures: &[(LeafIndex, Vec<u8>)],
    (transport, powers): (&dyn Transport, &dyn Powers),
) -> Asked {
    let pace = Pace::new(powers, None, Default::default());
    let (next, asked) = (AtomicUsize::new(0), Mutex::new(Asked::default()));
    let work = || {
        while let Some((index, signature)) = signatures.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = one(question, signature, transport, powers, &pace);
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            match outcome {
                Some(Ok(token)) => asked.tokens.push((*index, token)),
                Some(Err(refusal)) => {
                    let said = format!("entry {index}: {refusal}");
                    pace.stop(Stop { reason: Reason::AnswerMalformed, said, again_ms: None });
                    asked.refused.push((*index, refusal));
                }
                None => {}
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..usize::from(question.parallel.max(1)).min(signatures.len()) {
            scope.spawn(work);
        }
    });
    let mut asked = asked.into_inner().unwrap_or_else(PoisonError::into_inner);
    asked.remaining = (signatures.len() - asked.tokens.len() - asked.refused.len()) as u64;
    asked.stop = pace.stopped().filter(|_| asked.refused.is_empty());
    asked
}

/// Asks until there is an answer; nothing where it is over.
fn one(
    question: &Question<'_>,
    signature: &[u8],
    transport: &dyn Transport,
    powers: &dyn Powers,
    pace: &Pace<'_>,
) -> Option<Result<Vec<u8>, AnswerRefusal>> {
    let mut failures = 0;
    while pace.wait_turn() {
        let nonce = powers.random();
        let body = request(signature, Some(nonce));
        let call = Call { method: Method::PostQuery, url: question.url, body: &body, len_max: TOKEN_LEN_MAX };
        let trouble = match transport.call(&call) {
            // A DER sequence, and no page of somebody between.
            Ok(reply) if matches!(reply.status, 200 | 201) && reply.body.first() == Some(&0x30) => {
                let accepted = accept(&reply.body, signature, Some(nonce), question.target, question.now);
                return Some(accepted.map(|_| reply.body));
            }
            Ok(reply) if matches!(reply.status, 200 | 201 | 404 | 405) => {
                Trouble::new(Reason::UnexpectedAnswer, described(&reply)).lasting()
            }
            Ok(reply) => match of_other_status(&reply) {
                Posted::Trouble(trouble) => trouble,
                Posted::Refused { message, .. } => Trouble::new(Reason::UnexpectedAnswer, message).lasting(),
                Posted::Taken { .. } => return None,
            },
            Err(error) => error.into(),
        };
        failures += 1;
        pace.heed(&trouble);
        if is_enough(&trouble, failures) {
            let Trouble { reason, said, .. } = trouble;
            pace.stop(Stop { reason, said, again_ms: None });
        } else {
            pace.back_off(failures);
        }
    }
    None
}
