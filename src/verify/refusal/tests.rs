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

#[test]
fn a_sentence_is_shown_whole_unless_it_is_as_long_as_a_bundle_can_make_it() {
    let said = |len: usize| Refusal::KeyidNotEmpty { keyid: "\u{e4}".repeat(len) };
    let (short, long) = (said(1000), said(3_000_000));
    assert_eq!(short.said(), short.to_string());
    let shown = long.said();
    let (first, rest) = shown.split_once("… and ").unwrap();
    assert_eq!(first.chars().count(), 2000);
    assert!(long.to_string().starts_with(first));
    assert_eq!(rest, format!("{} bytes more", long.to_string().len() - first.len()));
}
