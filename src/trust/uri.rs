//! URIs that name a holder, in the one spelling that every client reads and shows as it stands (RFC 3986, §3).
//!
//! ```text
//! scheme ":" ["//" [user "@"] host [":" port]] path ["?" query] ["#" fragment]
//! ```
//!
//! sigstore-go and cosign read the name with Go's `net/url`, refuse the certificate where that refuses it, and compare and show what it writes again: a
//! scheme in capitals becomes small, an empty fragment is dropped, and a character that should be escaped is. So what is another text after that is
//! refused here, and a little more of what nobody writes: a relative name, an escape or a comma in the authority, an empty host before a port.
//! Fulcio writes its names by the same package.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What may stand in a path beside letters and digits; with `%` and two hex digits.
const MARKS: &[u8] = b"-._~!$&'()*+,;=:@/[]";

/// Tells whether a text is such a URI.
pub(crate) fn is_plain(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let (rest, fragment) = match rest.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (rest, None),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    is_scheme(scheme)
        && !(authority.is_empty() && path.is_empty())
        && (authority.is_empty() || is_authority(authority))
        && is_escaped(path, &[])
        && is_escaped(query, b"?")
        && fragment.is_none_or(|fragment| !fragment.is_empty() && is_escaped(fragment, b"?"))
}

/// Tells whether such a URI has a host, and that by its name.
pub(crate) fn has_named_host(text: &str) -> bool {
    let Some(rest) = text.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//")) else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    !host.is_empty() && !host.starts_with('[') && host.parse::<Ipv4Addr>().is_err()
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').map_or((None, text), |(user, host)| (Some(user), host));
    let (host, port) = match host.strip_prefix('[') {
        Some(literal) => {
            let Some((address, behind)) = literal.split_once(']') else { return false };
            return is_user(user) && address.parse::<Ipv6Addr>().is_ok() && is_port(behind);
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    is_user(user) && is_port(port) && host.split('.').all(|label| !label.is_empty() && label.bytes().all(is_unreserved))
}

fn is_user(user: Option<&str>) -> bool {
    // Behind the first colon is a password, in which another would be escaped.
    user.is_none_or(|user| user.splitn(2, ':').all(|part| part.bytes().all(is_unreserved)))
}

/// Takes what stands behind a host: nothing, or a colon and digits.
fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':');
    text.is_empty() || digits.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn is_escaped(text: &str, more: &[u8]) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        byte => byte.is_ascii_alphanumeric() || MARKS.contains(byte) || more.contains(byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_has_the_spelling_that_go_writes() {
        for text in [
            "https://github.com/o/r/.github/workflows/release.yml@refs/heads/main",
            "https://x.example/a%2Fb/%c3%a4/[x]?q=%20&r=?#f",
            "https://u:p@x.example:8080/",
            "https://[2001:db8::1]:443/a",
            "https://a_b.example",
            "spiffe://x.example/a",
            "file:///a",
            "mailto:a@b.example",
            "x:y",
            "x:/y",
        ] {
            assert!(is_plain(text), "{text}");
        }
        for text in [
            "",
            "x",
            "x:",
            "/a/b",
            "a/b",
            ":a",
            "1x:y",
            "HTTPS://x/",
            "https://",
            "https://x y/",
            "https://x/a b",
            "https://x/\n",
            "https://x/\0",
            "https://x/%zz",
            "https://x/%4",
            "https://x/a#",
            "https://x/a#b#c",
            "https://x./a",
            "https://.x/a",
            "https://a..b/",
            "https://x:port/",
            "https://x:/",
            "https://:80/",
            "https://[::1",
            "https://[::1]x/",
            "https://[1.2.3.4]/",
            "https://a:1:2/",
            "https://%41/",
            "https://a%41@x/",
            "https://a@b@x/",
            "https://u:p:q@x/",
            "https://x/<a>",
            "https://x/\"",
            "https://x/a^b",
            "https://x/{a}",
            "https://x/a|b",
            "https://x/a\\b",
            "https://x/`",
            "https://x/\u{e4}",
            "https://x/\u{7f}",
        ] {
            assert!(!is_plain(text), "{text:?}");
        }
    }

    #[test]
    fn a_host_has_a_name_or_is_an_address_or_is_not_there() {
        for (text, expected) in [
            ("https://x.example:80/a", true),
            ("https://u@x.example", true),
            ("https://x?q", true),
            ("https://1.2.3.4/", false),
            ("https://1.2.3.4:80/", false),
            ("https://[2001:db8::1]:443/", false),
            ("file:///a", false),
            ("urn:x", false),
            ("x:a?b://c", false),
        ] {
            assert_eq!(has_named_host(text), expected, "{text}");
        }
    }
}
