//! The table of refusals, as a whole.

use std::collections::BTreeSet;

use super::*;

#[test]
fn no_code_stands_for_two_facts() {
    let codes: BTreeSet<&str> = Refusal::ALL_CODES.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes.len(), Refusal::ALL_CODES.len());
    assert!(Refusal::ALL_CODES.iter().all(|(step, _)| (1..=9).contains(step)));
    assert!(codes.iter().all(|code| code.bytes().all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit())));
}
