//! What is said, kept, checked and sent: the rooms of `airtight` above its keys and its log.
//!
//! | floor | rooms |
//! |---|---|
//! | 3 | `durable`: files that appear whole or not at all |
//! | 4 | [`statement`], [`bundle`], [`trust`], `config`, `keyring`, `pack`, `disposition`, [`policy`] |
//! | 5 | [`verify`]: the judgement of a bundle, pure |
//! | 6 | `attest`: statement → envelope → leaf → bundle; sites, and batches |
//! | 7 | `sync`: the way to Rekor and back |
//!
//! A room imports from the floors below it only. The face, `bin/airtight`, stands above them all.
//!
//! The rooms with a link here are those of verification, and are always there. The others make and keep: they are there with
//! the feature `site`, a default. Without it nothing opens a database, reads a private key or writes a file.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests are free of the ban list of clippy.toml"))]

#[cfg(feature = "site")]
pub mod attest;
pub mod bundle;
#[cfg(feature = "site")]
pub mod config;
#[cfg(feature = "site")]
pub mod disposition;
#[cfg(feature = "site")]
pub mod durable;
#[cfg(feature = "site")]
pub mod keyring;
#[cfg(feature = "site")]
pub mod pack;
pub mod policy;
pub mod statement;
#[cfg(feature = "site")]
pub mod sync;
pub mod trust;
pub mod verify;

/// The examples of the developers' page, compiled and run as tests.
#[cfg(all(doctest, feature = "site"))]
#[doc = include_str!("../docs/developer.md")]
pub struct DeveloperPage;
