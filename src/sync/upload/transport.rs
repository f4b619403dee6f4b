//! What the postman needs of the world: somebody to ask, a clock, a way to wait, and dice.
//!
//! All four are handed in. A transport makes one exchange: it follows no redirect, tries nothing twice, and reads no more of
//! an answer than it was told to.

use std::fmt;

/// How something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Asks only.
    Get,
    /// Hands JSON over.
    Post,
    /// Hands a time stamp query over, RFC 3161 §3.4.
    PostQuery,
}

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'c> {
    /// How it is asked.
    pub method: Method,
    /// The whole address.
    pub url: &'c str,
    /// What is handed over; empty for [`Method::Get`].
    pub body: &'c [u8],
    /// The longest answer that is read, in bytes.
    pub len_max: usize,
}

/// One answer, of whatever status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns the first header of a name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(met, _)| met == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nothing was handed over: no such host, no route, refused, no trust.
    #[error("{said}")]
    Unreachable {
        /// What the system said.
        said: String,
    },
    /// The connection broke, or was given up, after something may have been handed over.
    #[error("{said}")]
    Lost {
        /// What the system said.
        said: String,
    },
    /// The answer is longer than is read.
    #[error("the answer is longer than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
}

/// Who is asked.
pub trait Transport: Sync {
    /// Makes one exchange.
    ///
    /// # Errors
    /// [`TransportError`].
    fn call(&self, call: &Call<'_>) -> Result<Reply, TransportError>;
}

/// The clock, waiting, and chance.
pub trait Powers: Sync {
    /// Returns the time, in milliseconds since the epoch.
    fn now_ms(&self) -> u64;

    /// Waits so many milliseconds.
    fn sleep_ms(&self, ms: u64);

    /// Returns any number; only the spreading of retries hangs on it.
    fn random(&self) -> u64;
}

/// Says a status in a sentence.
pub(super) struct Status(pub(super) u16);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.0)
    }
}
