//! How many members a set of DER has, asked before it is read.
//!
//! ```text
//! SET OF        31 …     the values of an attribute; the parts of a name that stand side by side
//! [n] IMPLICIT  A0 …     in CMS the certificates of a token, and the attributes that are signed
//! ```
//!
//! The crate that reads DER sorts the members of a set by insertion, and what is handed over decides in which order they stand: a token of 256 KiB
//! with 45,000 of them, the last first, would take the better part of a minute. So whatever is constructed and no SEQUENCE has at most
//! [`MEMBERS_MAX`] members. sigstore-go has no such limit; no signer and no authority comes near it, but for a SEQUENCE: that is read in its order.
//!
//! What is packed in an OCTET STRING is looked at too, for extensions and the content of a token are read from there. Bytes that are no DER are passed
//! over with what follows them on their level: so are they by the reader, which stops there.

/// The most members of a set. A name has one or two parts side by side, a token three to six signed attributes and at most a chain of certificates.
pub const MEMBERS_MAX: usize = 64;

const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const CONSTRUCTED: u8 = 0x20;

/// Tells whether a set in these bytes, at any depth, has more members than [`MEMBERS_MAX`]. Takes time in proportion to the bytes, and no stack.
pub fn has_long_set(der: &[u8]) -> bool {
    let mut open = vec![der];
    while let Some(content) = open.pop() {
        for (tag, value) in parts(content) {
            let is_set = tag & CONSTRUCTED != 0 && tag != SEQUENCE;
            if is_set && parts(value).nth(MEMBERS_MAX).is_some() {
                return true;
            }
            if tag & CONSTRUCTED != 0 || tag == OCTET_STRING {
                open.push(value);
            }
        }
    }
    false
}

/// Lists tags and contents, up to where the bytes are no DER.
fn parts(content: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = content;
    std::iter::from_fn(move || {
        let (tag, value, behind) = part(rest)?;
        rest = behind;
        Some((tag, value))
    })
}

/// Takes one part off: its tag, its content, and what follows it. The tags and lengths that are read here are all that the reader takes.
fn part(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = bytes.split_first_chunk::<2>()?;
    let (len, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (octets.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (value, behind) = rest.split_at_checked(len)?;
    Some((tag, value, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x84], &len[..], content].concat()
    }

    fn members(count: usize) -> Vec<u8> {
        [2, 1, 7].repeat(count)
    }

    #[test]
    fn a_set_has_at_most_so_many_members_wherever_it_stands() {
        for tag in [0x31, 0xa0, 0xa1] {
            let (whole, long) = (of(tag, &members(MEMBERS_MAX)), of(tag, &members(MEMBERS_MAX + 1)));
            assert!(!has_long_set(&whole), "{tag:x}");
            for packed in [0x30, 0x31, 0xa3, 0x04] {
                assert!(has_long_set(&of(packed, &long)), "{tag:x} in {packed:x}");
                // What stands before it and is no DER hides nothing behind it.
                assert!(has_long_set(&of(packed, &[of(0x30, &[0xff; 9]), long.clone()].concat())));
            }
        }
        assert!(!has_long_set(&of(SEQUENCE, &members(1000))), "a sequence is read in its order");
        assert!(!has_long_set(&of(0x05, &of(0x31, &members(1000)))), "what is primitive is not read");
    }

    #[test]
    fn what_is_no_der_ends_the_look_at_its_level() {
        let long = of(0x31, &members(MEMBERS_MAX + 1));
        for bytes in [
            &[][..],
            &[0x31],
            &[0x31, 5, 1],
            &[0x31, 0x80],
            &[0x31, 0x85, 0, 0, 0, 0, 1],
            &[0x31, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(!has_long_set(bytes));
            assert!(!has_long_set(&long[..long.len() - 1]));
        }
        // A depth that would be too much for a stack: each length is that of all that follows.
        let len_max = 60_000;
        let deep: Vec<u8> = (1..=len_max / 6)
            .rev()
            .flat_map(|left| [&[0x30, 0x84], &u32::to_be_bytes((left - 1) * 6)[..]].concat())
            .collect();
        assert!(!has_long_set(&deep));
        assert!(has_long_set(&[of(0x30, &deep), long].concat()));
    }
}
