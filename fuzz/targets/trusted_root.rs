//! `just fuzz trusted_root`: the law is `trusted_root` in `fuzz/laws.rs`.
#![no_main]

#[path = "../laws.rs"]
#[allow(dead_code, reason = "each target holds one law")]
mod laws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| laws::trusted_root(data));
