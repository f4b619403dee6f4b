//! Whom a certificate must name: the comparison, part of step 2. The rules themselves are those of [`crate::policy::identity`].

pub use crate::policy::identity::{Expression, IdentityRule, Pattern};

use crate::policy::identity::Misfit;

use super::certificate::Identity;
use super::{Policy, Refusal};

/// Holds what a certificate says to the caller's own rule, and to the identities of a policy, of which one must fit.
pub(super) fn check(identity: &Identity, policy: &Policy) -> Result<(), Refusal> {
    if let Some(rule) = &policy.identity {
        fits(identity, rule).map_err(|misfit| match misfit {
            Misfit::Name { wanted } => Refusal::IdentityDiffers { found: identity.name.text().to_owned(), wanted },
            Misfit::Issuer { wanted } => {
                Refusal::IdentityIssuer { found: identity.issuer.clone().unwrap_or_default(), wanted }
            }
            Misfit::Claim { claim, found, wanted } => Refusal::IdentityClaim { claim, found, wanted },
        })?;
    }
    let named = &policy.identities;
    if named.is_empty() || named.iter().any(|(_, rule)| fits(identity, rule).is_ok()) {
        return Ok(());
    }
    let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    Err(Refusal::IdentityUnknown {
        found: identity.name.text().to_owned(),
        issuer: identity.issuer.clone().unwrap_or_default(),
        known: names.join(", "),
    })
}

fn fits(identity: &Identity, rule: &IdentityRule) -> Result<(), Misfit> {
    rule.check(identity.name.text(), identity.issuer.as_deref(), &identity.claims)
}
