//! The postman: takes an outbox pack, asks a log to take each entry, and writes the answers down as they came.
//!
//! It has no site, no key and no database, and it judges no signature: what it brings home is verified inside. It keeps one
//! promise, that what a log has taken is not sent there again.
