//! Whom a certificate must name: rules over its subject, its issuer and its claims, for a policy's `identities` and for a caller's own question.
//!
//! Names are compared byte for byte. An expression must match from the first character to the last: the stock clients let one match in the
//! middle, so that `https://example.com/me` fits `https://evil.example/?https://example.com/me`.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// The claims that are read: the number under 1.3.6.1.4.1.57264.1, the name, and whether the value is a DER UTF8String.
pub const CLAIMS: [(u8, &str, bool); 19] = [
    (2, "github-workflow-trigger", false),
    (3, "github-workflow-sha", false),
    (4, "github-workflow-name", false),
    (5, "github-workflow-repository", false),
    (6, "github-workflow-ref", false),
    (9, "build-signer", true),
    (10, "build-signer-digest", true),
    (11, "runner-environment", true),
    (12, "source-repository", true),
    (13, "source-repository-digest", true),
    (14, "source-repository-ref", true),
    (15, "source-repository-identifier", true),
    (16, "source-repository-owner", true),
    (17, "source-repository-owner-identifier", true),
    (18, "build-config", true),
    (19, "build-config-digest", true),
    (20, "build-trigger", true),
    (21, "run-invocation", true),
    (22, "source-repository-visibility", true),
];

/// The most bytes that a compiled expression may take.
const EXPRESSION_LEN_MAX: usize = 1 << 20;

/// What a text must be.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// This text, byte for byte.
    Exactly(String),
    /// A text that this expression matches as a whole.
    Matching(Expression),
}

/// A regular expression for a whole text.
#[derive(Debug, Clone)]
pub struct Expression {
    said: String,
    compiled: Regex,
}

impl Expression {
    /// Compiles an expression (the syntax of Rust's `regex`, which is nearly RE2's; its classes `\w`, `\d` and `\s` are those of ASCII, as in RE2).
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(said: &str) -> Result<Expression, String> {
        let in_ascii = in_ascii(said);
        let compiled = RegexBuilder::new(&format!(r"\A(?:{in_ascii})\z")).size_limit(EXPRESSION_LEN_MAX).build();
        match compiled {
            Ok(compiled) if Regex::new(said).is_ok() => Ok(Expression { said: said.to_owned(), compiled }),
            Ok(_) => Err("the expression is none by itself".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Returns the expression as it was given.
    pub fn text(&self) -> &str {
        &self.said
    }
}

/// Writes `\w`, `\d`, `\s` and what is none of these as the classes that they are in Go: of ASCII. Here they would be of all scripts, and let a letter pass
/// that looks like another.
fn in_ascii(said: &str) -> String {
    let mut written = String::with_capacity(said.len());
    let mut rest = said.chars();
    while let Some(one) = rest.next() {
        let escaped = if one == '\\' { rest.next() } else { None };
        match (one, escaped) {
            ('\\', Some('w')) => written.push_str("[0-9A-Za-z_]"),
            ('\\', Some('W')) => written.push_str("[^0-9A-Za-z_]"),
            ('\\', Some('d')) => written.push_str("[0-9]"),
            ('\\', Some('D')) => written.push_str("[^0-9]"),
            ('\\', Some('s')) => written.push_str(r"[\t\n\f\r ]"),
            ('\\', Some('S')) => written.push_str(r"[^\t\n\f\r ]"),
            (one, escaped) => written.extend([Some(one), escaped].into_iter().flatten()),
        }
    }
    written
}

impl Pattern {
    /// Tells whether a text is as asked.
    pub fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Exactly(wanted) => wanted == text,
            Pattern::Matching(expression) => expression.compiled.is_match(text),
        }
    }
}

/// The text, or the expression between two slashes.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Exactly(wanted) => f.write_str(wanted),
            Pattern::Matching(expression) => write!(f, "/{}/", expression.said),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        match (self, other) {
            (Pattern::Exactly(one), Pattern::Exactly(other)) => one == other,
            (Pattern::Matching(one), Pattern::Matching(other)) => one.said == other.said,
            _ => false,
        }
    }
}

impl Eq for Pattern {}

/// Whom a certificate must name. With neither name nor issuer any identity is accepted, and the verdict says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityRule {
    /// The holder.
    pub name: Option<Pattern>,
    /// Who vouched for the holder.
    pub issuer: Option<Pattern>,
    /// Claims that must be there, each by a name of [`CLAIMS`] and its exact value.
    pub claims: Vec<(String, String)>,
}

/// What a certificate has of other things than a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It names someone else.
    Name {
        /// What would do.
        wanted: String,
    },
    /// Someone else vouched, or nobody is said to have.
    Issuer {
        /// What would do.
        wanted: String,
    },
    /// A claim is not there, or says something else.
    Claim {
        /// Its name.
        claim: String,
        /// What it says; empty where it is not there.
        found: String,
        /// What would do.
        wanted: String,
    },
}

impl IdentityRule {
    /// Returns the names that a claim may have.
    pub fn claim_names() -> impl Iterator<Item = &'static str> {
        CLAIMS.iter().map(|(_, name, _)| *name)
    }

    /// Holds what a certificate says to the rule.
    ///
    /// # Errors
    /// The first thing that is not as asked.
    pub fn check(&self, name: &str, issuer: Option<&str>, claims: &[(&'static str, String)]) -> Result<(), Misfit> {
        if let Some(wanted) = self.name.as_ref().filter(|wanted| !wanted.fits(name)) {
            return Err(Misfit::Name { wanted: wanted.to_string() });
        }
        if let Some(wanted) = self.issuer.as_ref().filter(|wanted| !issuer.is_some_and(|issuer| wanted.fits(issuer))) {
            return Err(Misfit::Issuer { wanted: wanted.to_string() });
        }
        for (claim, wanted) in &self.claims {
            let found = claims.iter().find(|(name, _)| name == claim).map(|(_, value)| value);
            if found != Some(wanted) {
                let (claim, found) = (claim.clone(), found.cloned().unwrap_or_default());
                return Err(Misfit::Claim { claim, found, wanted: wanted.clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_letters_digits_and_white_space_are_those_of_ascii() {
        let fits = |said: &str, text: &str| Pattern::Matching(Expression::new(said).unwrap()).fits(text);
        for (said, text, expected) in [
            (r"\w+", "a_9", true),
            (r"\w+", "b\u{f6}b", false),
            (r"[\w-]+", "a-b", true),
            (r"[\w-]+", "\u{430}-b", false),
            (r"[^\w]", "\u{f6}", true),
            (r"b\Wb", "b\u{f6}b", true),
            (r"\d\D", "1\u{661}", true),
            (r"\d", "\u{661}", false),
            (r"a\sb", "a\tb", true),
            (r"a\sb", "a\u{a0}b", false),
            (r"a\Sb", "a\u{a0}b", true),
            (r"\\w", r"\w", true),
            (r"\\\w", r"\a", true),
            (r".", "\u{f6}", true),
        ] {
            assert_eq!(fits(said, text), expected, "{said} {text}");
        }
        assert!(Expression::new("a\\").is_err());
    }
}
