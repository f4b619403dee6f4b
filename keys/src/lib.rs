//! Keys by role, and the two things a key may sign: a DSSE envelope and a signed note.
//!
//! ```text
//! strict_json   JSON that two readers cannot understand differently; canonical base64
//! public        public keys: SPKI in and out, key ids, verification
//! verifier      keys that others sign with, in more algorithms than ours
//! sign          the signing trait, randomness as an argument, software keys
//! role          signer, log, witness: one key, one role
//! pem           private key files: PKCS#8 plain and encrypted, SEC1
//! cosign        private key files of cosign
//! envelope      DSSE: an attestation's signature
//! note          C2SP signed note: a checkpoint's signature
//! cosignature   C2SP tlog-cosignature: a witness's signature below it
//! ```
//!
//! A room imports only from rooms above it in this list. Nothing here reads a clock, a file, the environment or a
//! socket; randomness comes in through [`sign::Random`]. Secrets are wiped when dropped, and no `Debug` prints one.
//!
//! `pem` and `cosign` are there with the feature `key-files`, a default; whoever only verifies leaves them out, and with
//! them the ciphers and key derivations of private keys.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests are free of the ban list of clippy.toml"))]

pub mod strict_json;

pub mod public;

pub mod verifier;

pub mod sign;

pub mod role;

#[cfg(feature = "key-files")]
pub mod pem;

#[cfg(feature = "key-files")]
pub mod cosign;

pub mod envelope;

pub mod note;

pub mod cosignature;
