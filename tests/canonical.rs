//! Certificates and revocation lists that are signed, and written otherwise than DER has it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

mod forge;

use airtight::trust::Crl;

use forge::certified::{List, World, changed, oid, tlv};

/// An extension that nobody reads, which says that it is not critical, or leaves it out as DER does.
fn extension(is_said: bool) -> Vec<u8> {
    let said = if is_said { tlv(1, &[&[0]]) } else { Vec::new() };
    tlv(0x30, &[&oid("1.2.3.4"), &said, &tlv(4, &[&[5, 0]])])
}

#[test]
fn a_certificate_that_says_what_der_leaves_out_is_not_read() {
    let of = |is_said: bool| {
        changed(|world| {
            (world.promised, world.scts) = (None, 0);
            world.draft.rest = extension(is_said);
        })
    };
    assert_eq!(of(false), ("verified", 0));
    assert_eq!(of(true), ("certificate_malformed", 2));
}

#[test]
fn a_revocation_list_that_says_what_der_leaves_out_is_not_read() {
    let list = |is_said: bool| List { rest: extension(is_said), ..List::new() }.signed(&World::new().ca);
    assert!(Crl::parse(&list(false)).is_ok());
    let refusal = Crl::parse(&list(true)).unwrap_err().to_string();
    assert_eq!(refusal, "the revocation list is not read: it is not in its canonical encoding");
}
