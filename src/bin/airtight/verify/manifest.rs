//! A list of digests, as `sha256sum`, `sha384sum` or `sha512sum` writes it: what many artifacts at once are, without the artifacts.
//!
//! ```text
//! 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  NAME          text mode
//! 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 *NAME          binary mode
//! \9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  A\nB\\C       a name with a line feed or a backslash
//! SHA256 (NAME) = 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08   the BSD form
//! ```
//!
//! The lines of the other two differ in the length of the digest, and in `SHA384` or `SHA512`; a list is in one algorithm.
//!
//! Stricter than `sha256sum --check`, which passes over lines that it does not understand: here every line counts, for a line that
//! is passed over is an artifact that nobody asked about. Empty lines are refused, capital digits too, and one name twice.
//! `./NAME` is NAME. At most 64 MiB.

use std::collections::BTreeSet;

use airtight::statement::digests::{ALGORITHMS, Digests, digest_of_hex};
use airtight_keys::verifier::HashFunction;

use super::matching::Candidate;

/// The largest list that is read, in bytes: some 700,000 artifacts.
pub const MANIFEST_LEN_MAX: usize = 64 << 20;

/// Reads a list.
///
/// # Errors
/// A sentence that names the line.
pub fn parse(text: &[u8]) -> Result<Vec<Candidate>, String> {
    if text.len() > MANIFEST_LEN_MAX {
        return Err(format!("{} bytes are more than {MANIFEST_LEN_MAX}", text.len()));
    }
    let text = std::str::from_utf8(text).map_err(|error| format!("no UTF-8 at byte {}", error.valid_up_to()))?;
    let (mut artifacts, mut names): (Vec<Candidate>, _) = (Vec::new(), BTreeSet::new());
    for (number, line) in (1..).zip(text.lines()) {
        let artifact = line_of(line).ok_or_else(|| {
            format!(
                "line {number} is neither `DIGEST  NAME` nor `SHA256 (NAME) = DIGEST`, with 64 lowercase hex digits, or 96 or 128"
            )
        })?;
        if !names.insert(artifact.name.clone()) {
            return Err(format!("line {number} names {:?} a second time", artifact.name));
        }
        if artifacts.first().is_some_and(|first| first.digests.agrees(&artifact.digests).is_none()) {
            return Err(format!("line {number} is in another algorithm than line 1"));
        }
        artifacts.push(artifact);
    }
    Ok(artifacts)
}

fn line_of(line: &str) -> Option<Candidate> {
    let (escaped, line) = line.strip_prefix('\\').map_or((false, line), |rest| (true, rest));
    let tagged = |algorithm: &HashFunction| {
        let rest = line.strip_prefix(&format!("{} (", algorithm.name().to_uppercase()))?;
        let (name, digest) = rest.rsplit_once(") = ")?;
        Some((digest_of_hex(*algorithm, digest)?, name))
    };
    let bare = |algorithm: &HashFunction| {
        let (digest, rest) = line.split_at_checked(2 * algorithm.len())?;
        let name = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"))?;
        Some((digest_of_hex(*algorithm, digest)?, name))
    };
    let (digest, name) = ALGORITHMS.iter().find_map(|algorithm| tagged(algorithm).or_else(|| bare(algorithm)))?;
    let name = if escaped { unescaped(name)? } else { name.to_owned() };
    let name = name.strip_prefix("./").map(str::to_owned).unwrap_or(name);
    (!name.is_empty()).then_some(Candidate { name, digests: Digests::from(digest) })
}

fn unescaped(name: &str) -> Option<String> {
    let (mut plain, mut chars) = (String::with_capacity(name.len()), name.chars());
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn names(text: &str) -> Result<Vec<String>, String> {
        parse(text.as_bytes()).map(|all| all.into_iter().map(|subject| subject.name).collect())
    }

    #[test]
    fn every_form_of_a_line_is_read() {
        let text = format!("{HEX}  a\n{HEX} *b c\n\\{HEX}  d\\ne\\\\f\nSHA256 (g) h) = {HEX}\n{HEX}  ./i/j\n");
        assert_eq!(names(&text).unwrap(), ["a", "b c", "d\ne\\f", "g) h", "i/j"]);
        for long in [format!("{HEX}{HEX}"), format!("{HEX}{}", &HEX[..32])] {
            let text = format!("{long}  a\n{long} *b c\nSHA{} (g) h) = {long}\n", 4 * long.len());
            assert_eq!(names(&text).unwrap(), ["a", "b c", "g) h"]);
            let first = &parse(text.as_bytes()).unwrap()[0];
            assert_eq!(first.digests.to_string(), format!("sha{}:{long}", 4 * long.len()));
        }
    }

    #[test]
    fn a_line_that_is_none_is_refused_and_never_passed_over() {
        for (text, said) in [
            (format!("{HEX}  a\n\n{HEX}  b\n"), "line 2 "),
            (format!("{HEX} a\n"), "line 1 "),
            (format!("{HEX}  \n"), "line 1 "),
            (format!("{}  a\n", HEX.to_uppercase()), "line 1 "),
            (format!("{}  a\n", &HEX[1..]), "line 1 "),
            (format!("\\{HEX}  a\\x\n"), "line 1 "),
            (format!("SHA256 (a) = {}\n", &HEX[1..]), "line 1 "),
            (format!("# a list\n{HEX}  a\n"), "line 1 "),
            (format!("{HEX}  a\n{HEX}{HEX}  b\n"), "line 2 is in another algorithm"),
            (format!("SHA512 (a) = {HEX}\n"), "line 1 "),
            (format!("{HEX}  a\n{HEX}  ./a\n"), "line 2 names \"a\" a second time"),
        ] {
            let error = names(&text).unwrap_err();
            assert!(error.starts_with(said), "{text:?}: {error}");
        }
        assert!(parse(b"\xff").is_err());
    }
}
