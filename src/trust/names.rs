//! Distinguished names (RFC 5280, §4.1.2.4): each value is a text of its own kind.
//!
//! | kind | what may stand in it |
//! |---|---|
//! | UTF8String | UTF-8 |
//! | PrintableString | letters, digits, space and `'()+,-./:=?`, as in Go also `*` and `&` |
//! | NumericString | digits and space |
//! | IA5String | ASCII |
//! | TeletexString | any bytes, for nobody agrees on them |
//! | BMPString | whole characters of two bytes, no surrogates and none that Unicode calls no characters |
//!
//! Names are compared as bytes, and nothing rests on their text; but it is shown, and sigstore-go refuses a certificate that has another.

use cms::cert::x509::name::Name;
use der::{Tag, Tagged};

/// Holds each value of a name to its kind.
///
/// # Errors
/// In words.
pub(crate) fn check(name: &Name) -> Result<(), String> {
    let values = name.0.iter().flat_map(|side_by_side| side_by_side.0.iter());
    for one in values {
        if !is_text(one.value.tag(), one.value.value()) {
            return Err(format!("a name in it has a value for {} that is no text of its kind", one.oid));
        }
    }
    Ok(())
}

fn is_text(tag: Tag, bytes: &[u8]) -> bool {
    match tag {
        Tag::Utf8String => std::str::from_utf8(bytes).is_ok(),
        Tag::PrintableString => {
            bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(byte))
        }
        Tag::NumericString => bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '),
        Tag::Ia5String => bytes.is_ascii(),
        Tag::TeletexString => true,
        Tag::BmpString => {
            let (pairs, rest) = bytes.as_chunks::<2>();
            let is_character = |pair: &[u8; 2]| !matches!(u16::from_be_bytes(*pair), 0xd800..=0xdfff | 0xfdd0..=0xfdef | 0xfffe | 0xffff);
            rest.is_empty() && pairs.iter().all(is_character)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_of_its_kind() {
        for (tag, bytes, expected) in [
            (Tag::Utf8String, "\u{e4}".as_bytes(), true),
            (Tag::Utf8String, b"", true),
            (Tag::Utf8String, b"\xff", false),
            (Tag::PrintableString, b"A z0'()+,-./:=?*&", true),
            (Tag::PrintableString, b"a@b", false),
            (Tag::PrintableString, b"_", false),
            (Tag::NumericString, b"1 2", true),
            (Tag::NumericString, b"a", false),
            (Tag::Ia5String, b"a@b", true),
            (Tag::Ia5String, b"\x80", false),
            (Tag::TeletexString, b"\xe4", true),
            (Tag::BmpString, &[0, 0x78], true),
            (Tag::BmpString, &[0], false),
            (Tag::BmpString, &[0xd8, 0], false),
            (Tag::BmpString, &[0xff, 0xff], false),
            (Tag::OctetString, b"x", false),
            (Tag::Integer, &[5], false),
            (Tag::VisibleString, b"x", false),
        ] {
            assert_eq!(is_text(tag, bytes), expected, "{tag} {bytes:?}");
        }
    }
}
