//! `just fuzz settings`: the law is `settings` in `fuzz/laws.rs`.
#![no_main]

#[path = "../laws.rs"]
#[allow(dead_code, reason = "each target holds one law")]
mod laws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| laws::settings(data));
