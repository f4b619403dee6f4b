//! `just fuzz quorum`: the law is `quorum` in `fuzz/laws.rs`.
#![no_main]

#[path = "../laws.rs"]
#[allow(dead_code, reason = "each target holds one law")]
mod laws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| laws::quorum(data));
