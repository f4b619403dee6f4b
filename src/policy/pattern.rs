//! Patterns: a text in which `*` is any text, and which the whole value must fit.
//!
//! No more than that: a pattern of a policy is read aloud by people who answer for it, and it cannot be made to run for long.

use std::fmt;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Takes any text as a pattern.
    pub fn new(text: impl Into<String>) -> Pattern {
        Pattern(text.into())
    }

    /// Tells whether the whole value fits. Takes the first place that each part fits, which is the best for those after it.
    pub fn fits(&self, value: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == value };
        let Some(mut left) = value.strip_prefix(first) else { return false };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        for part in middle.split('*') {
            let Some(at) = left.find(part) else { return false };
            left = &left[at + part.len()..];
        }
        left.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, letter by letter.
    fn naive(pattern: &[u8], value: &[u8]) -> bool {
        match pattern.split_first() {
            None => value.is_empty(),
            Some((b'*', rest)) => (0..=value.len()).any(|at| naive(rest, &value[at..])),
            Some((c, rest)) => value.first() == Some(c) && naive(rest, &value[1..]),
        }
    }

    #[test]
    fn a_pattern_fits_as_its_definition_says() {
        let words = |letters: &[u8], len: u32| {
            let base = letters.len();
            let of = move |n: usize| (0..len).map(move |place| n / base.pow(place) % base);
            (0..base.pow(len)).map(|n| of(n).map(|at| char::from(letters[at])).collect::<String>()).collect::<Vec<_>>()
        };
        for pattern in (0..5).flat_map(|len| words(b"ab*", len)) {
            for value in (0..6).flat_map(|len| words(b"ab", len)) {
                let expected = naive(pattern.as_bytes(), value.as_bytes());
                assert_eq!(Pattern::new(pattern.as_str()).fits(&value), expected, "{pattern} {value}");
            }
        }
    }
}
