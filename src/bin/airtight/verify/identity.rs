//! Whom a certificate must name, from the command line.

use airtight::verify::identity::{Expression, IdentityRule, Pattern};

use crate::cli::verify::IdentityArgs;
use crate::exit::Exit;
use crate::failure::Failure;

/// Reads the rule; nothing where no identity was asked for.
///
/// # Errors
/// `identity_required` where one of identity and issuer is left out, `expression_malformed`, `claim_malformed`.
pub fn rule(args: &IdentityArgs) -> Result<Option<IdentityRule>, Failure> {
    let name = pattern(args.certificate_identity.as_ref(), args.certificate_identity_regexp.as_ref())?;
    let issuer = pattern(args.certificate_oidc_issuer.as_ref(), args.certificate_oidc_issuer_regexp.as_ref())?;
    let claims = args.claim.iter().map(|claim| claim_of(claim)).collect::<Result<Vec<_>, _>>()?;
    match (&name, &issuer) {
        (None, None) if !args.any_identity && claims.is_empty() => Ok(None),
        (Some(_), Some(_)) => Ok(Some(IdentityRule { name, issuer, claims })),
        (None, None) if args.any_identity => Ok(Some(IdentityRule { name, issuer, claims })),
        _ => {
            let message = "a name says nothing without who vouched for it, and an issuer vouches for many";
            Err(Failure::new(Exit::Usage, "identity_required", message)
                .next("give --certificate-identity and --certificate-oidc-issuer, or --any-identity"))
        }
    }
}

fn pattern(exactly: Option<&String>, matching: Option<&String>) -> Result<Option<Pattern>, Failure> {
    match (exactly, matching) {
        (Some(text), _) => Ok(Some(Pattern::Exactly(text.clone()))),
        (None, Some(said)) => match Expression::new(said) {
            Ok(expression) => Ok(Some(Pattern::Matching(expression))),
            Err(cause) => Err(Failure::new(Exit::Usage, "expression_malformed", format!("{said:?}: {cause}"))
                .next("give an expression that matches the whole text, as https://github\\.com/o/.*")),
        },
        (None, None) => Ok(None),
    }
}

fn claim_of(text: &str) -> Result<(String, String), Failure> {
    let refused = |message: String| Failure::new(Exit::Usage, "claim_malformed", message);
    let Some((name, value)) = text.split_once('=') else {
        return Err(refused(format!("{text:?} is no claim")).next("give NAME=VALUE"));
    };
    if !IdentityRule::claim_names().any(|known| known == name) {
        let names: Vec<&str> = IdentityRule::claim_names().collect();
        return Err(refused(format!("{name:?} is no claim that is read")).next(format!("one of {}", names.join(", "))));
    }
    Ok((name.to_owned(), value.to_owned()))
}
