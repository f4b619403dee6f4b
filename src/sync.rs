//! The way to Rekor and back: what would be sent, who sends it, and what counts as an answer.
//!
//! | file | what |
//! |---|---|
//! | [`upload`] | the postman: takes an outbox pack, asks a log for each entry, writes the answers down |
//!
//! Nothing here holds a file or a socket. What reaches outside is a trait that the caller hands in; the one transport over
//! HTTP stands in `upload::http`, behind the feature `net`.

pub mod upload;
