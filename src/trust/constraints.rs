//! Name constraints of authorities (RFC 5280, §4.2.1.10): of which kinds they may be, and of which names others can tell whether they fit.
//!
//! `rustls-webpki` holds names to constraints, but passes over kinds that it does not know, and over a certificate without a name of the kind. Go refuses a
//! chain with a kind that it does not follow, and one whose holder is a URI without a host by name, where there are constraints of any kind. So:
//!
//! | constraint | here |
//! |---|---|
//! | of DNS names, of IP addresses | followed; they must be of their form |
//! | of URIs, email addresses, directory names, others | the authority may not issue |
//! | none, in an extension for them | the same |
//!
//! A signer's certificate has none: they are for authorities alone.

use std::net::IpAddr;

use cms::cert::x509::Certificate;
use cms::cert::x509::ext::pkix::name::GeneralName;
use cms::cert::x509::ext::pkix::{NameConstraints, SubjectAltName};

use super::uri;

/// Tells whether name constraints, where a certificate has some, are of their form: of any kind, followed or not.
///
/// # Errors
/// In words.
pub(crate) fn check_form(certificate: &Certificate) -> Result<(), String> {
    trees(certificate).map(|_| ())
}

/// Tells whether a certificate has name constraints, after they were found to be of kinds that are followed.
///
/// # Errors
/// In words.
pub(crate) fn has_any(certificate: &Certificate) -> Result<bool, String> {
    let Some(bases) = trees(certificate)? else { return Ok(false) };
    let is_followed = |base: &GeneralName| matches!(base, GeneralName::DnsName(_) | GeneralName::IpAddress(_));
    if bases.iter().all(is_followed) {
        Ok(true)
    } else {
        Err("its name constraints are of a kind that is not followed".to_owned())
    }
}

/// Lists the names that constraints permit or exclude, each of its form.
fn trees(certificate: &Certificate) -> Result<Option<Vec<GeneralName>>, String> {
    let found = certificate.tbs_certificate.get::<NameConstraints>();
    let Some((_, constraints)) = found.map_err(|error| format!("its name constraints are not read: {error}"))? else {
        return Ok(None);
    };
    let trees = [constraints.permitted_subtrees, constraints.excluded_subtrees].into_iter().flatten().flatten();
    let bases: Vec<GeneralName> = trees.map(|tree| tree.base).collect();
    if bases.is_empty() {
        return Err("its name constraints are empty".to_owned());
    }
    let is_of_its_form = |base: &GeneralName| match base {
        GeneralName::DnsName(name) => is_domain(name.as_str()),
        GeneralName::IpAddress(address) => is_network(address.as_bytes()),
        GeneralName::UniformResourceIdentifier(name) => {
            is_domain(name.as_str()) && name.as_str().parse::<IpAddr>().is_err()
        }
        GeneralName::Rfc822Name(name) => match name.as_str().rsplit_once('@') {
            Some((mailbox, domain)) => is_mailbox(mailbox) && !domain.starts_with('.') && is_domain(domain),
            None => is_domain(name.as_str()),
        },
        _ => true,
    };
    match bases.iter().all(is_of_its_form) {
        true => Ok(Some(bases)),
        false => Err("a name constraint of it is not of its form".to_owned()),
    }
}

/// Holds the holder of a certificate under an authority with constraints to what can be held to them.
///
/// # Errors
/// In words.
pub(crate) fn check_holder(certificate: &Certificate) -> Result<(), String> {
    let names = certificate.tbs_certificate.get::<SubjectAltName>().map_err(|error| error.to_string())?;
    for name in names.iter().flat_map(|(_, SubjectAltName(names))| names) {
        match name {
            GeneralName::UniformResourceIdentifier(name) if !uri::has_named_host(name.as_str()) => {
                return Err(format!("its authority has name constraints, and {:?} has no host by name", name.as_str()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes a domain, or one behind a dot, or nothing, which is every domain.
fn is_domain(text: &str) -> bool {
    let domain = text.strip_prefix('.').unwrap_or(text);
    text.is_empty()
        || domain.split('.').all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Takes what stands before the `@` of an email address, in its plain form.
fn is_mailbox(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&byte))
        && text.split('.').all(|part| !part.is_empty())
}

/// Takes an address and a mask whose ones stand first.
fn is_network(bytes: &[u8]) -> bool {
    let (_, mask) = bytes.split_at(bytes.len() / 2);
    let mut rest = mask.iter().skip_while(|byte| **byte == 0xff);
    let is_prefix = rest.next().is_none_or(|byte| byte.leading_ones() == byte.count_ones());
    matches!(bytes.len(), 8 | 32) && is_prefix && rest.all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_networks_are_of_their_form() {
        for (text, expected) in [
            ("", true),
            ("a.example", true),
            (".example", true),
            ("a.", false),
            (".", false),
            ("..a", false),
            ("a b", false),
        ] {
            assert_eq!(is_domain(text), expected, "{text:?}");
        }
        for (bytes, expected) in [
            (&[10, 0, 0, 0, 255, 0, 0, 0][..], true),
            (&[0; 8], true),
            (&[10, 0, 0, 0, 255, 240, 0, 0], true),
            (&[1, 2, 3, 4, 255, 255, 255, 255], true),
            (&[0; 32], true),
            (&[1, 2, 3, 4, 255, 0, 255, 0], false),
            (&[1, 2, 3, 4, 255, 160, 0, 0], false),
            (&[10, 0, 0, 0], false),
            (&[], false),
        ] {
            assert_eq!(is_network(bytes), expected, "{bytes:?}");
        }
        for (text, expected) in
            [("a", true), ("a.b+c", true), ("", false), (".a", false), ("a b", false), ("\"a\"", false)]
        {
            assert_eq!(is_mailbox(text), expected, "{text:?}");
        }
    }
}
