//! Whom a certificate must name: the rule that a caller gives, and the comparison, part of step 2.
//!
//! Names are compared byte for byte. An expression must match from the first character to the last: the stock clients let one match in the
//! middle, so that `https://example.com/me` fits `https://evil.example/?https://example.com/me`.

use regex::{Regex, RegexBuilder};

use super::Refusal;
use super::certificate::{CLAIMS, Identity};

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
    /// Compiles an expression (the syntax of Rust's `regex`, which is nearly RE2's).
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(said: &str) -> Result<Expression, String> {
        let compiled = RegexBuilder::new(&format!(r"\A(?:{said})\z")).size_limit(EXPRESSION_LEN_MAX).build();
        match compiled {
            Ok(compiled) if Regex::new(said).is_ok() => Ok(Expression { said: said.to_owned(), compiled }),
            Ok(_) => Err("the expression is none by itself".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Exactly(wanted) => wanted == text,
            Pattern::Matching(expression) => expression.compiled.is_match(text),
        }
    }

    fn said(&self) -> String {
        match self {
            Pattern::Exactly(wanted) => wanted.clone(),
            Pattern::Matching(expression) => format!("/{}/", expression.said),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        matches!(
            (self, other),
            (Pattern::Exactly(_), Pattern::Exactly(_)) | (Pattern::Matching(_), Pattern::Matching(_))
        ) && self.said() == other.said()
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

impl IdentityRule {
    /// Returns the names that a claim may have.
    pub fn claim_names() -> impl Iterator<Item = &'static str> {
        CLAIMS.iter().map(|(_, name, _)| *name)
    }
}

pub(super) fn check(identity: &Identity, rule: &IdentityRule) -> Result<(), Refusal> {
    let name = identity.name.text();
    if let Some(wanted) = rule.name.as_ref().filter(|wanted| !wanted.fits(name)) {
        return Err(Refusal::IdentityDiffers { found: name.to_owned(), wanted: wanted.said() });
    }
    let issuer = identity.issuer.as_deref();
    if let Some(wanted) = rule.issuer.as_ref().filter(|wanted| !issuer.is_some_and(|issuer| wanted.fits(issuer))) {
        let found = issuer.unwrap_or_default().to_owned();
        return Err(Refusal::IdentityIssuer { found, wanted: wanted.said() });
    }
    for (claim, wanted) in &rule.claims {
        let found = identity.claims.iter().find(|(name, _)| name == claim).map(|(_, value)| value);
        if found != Some(wanted) {
            let found = found.cloned().unwrap_or_default();
            return Err(Refusal::IdentityClaim { claim: claim.clone(), found, wanted: wanted.clone() });
        }
    }
    Ok(())
}
