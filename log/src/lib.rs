//! The transparency log: that a thing was said, and when it came in relation to everything else.
//!
//! The rooms, in the order in which each may import from those before it:
//!
//! | room | what it holds |
//! |---|---|
//! | [`digest`] | hashes, digests, leaf indexes and tree sizes, each a type of its own |
//! | [`tree`] | the RFC 6962 hash tree over a source of node hashes |
//! | [`proofs`] | inclusion and consistency proofs, made and checked |
//! | [`checkpoint`] | size and root of the log as signed notes: Rekor v1 and C2SP |
//! | [`quorum`] | which witnesses must have cosigned a checkpoint (C2SP tlog-policy) |
//! | [`tiles`] | the log as static files: hash tiles and entry bundles (C2SP tlog-tiles) |
//! | [`entry`] | what a leaf is: the canonical bodies of Rekor entries |
//! | `store` | one SQLite database and one head file: append, release, prove, check |
//!
//! `store` is there with the feature of the same name, a default; whoever only verifies leaves it out, and SQLite with it.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests are free of the ban list of clippy.toml"))]

pub mod digest;

pub mod tree;

pub mod proofs;

pub mod checkpoint;

pub mod quorum;

pub mod tiles;

pub mod entry;

#[cfg(feature = "store")]
pub mod store;
