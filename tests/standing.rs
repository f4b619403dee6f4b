//! Where entries stand: counted all at once, listed, and asked one by one, the three must agree.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use airtight::disposition::{ApiVersion, Sending, SkipReason, TARGET_DEFAULT};
use airtight_keys::public::Algorithm;
use airtight_keys::role::SignerKey;
use airtight_keys::sign::SoftKey;
use airtight_log::digest::LeafIndex;

mod busy;
mod seeded;

use busy::Busy;

#[test]
fn a_busy_sites_counts_are_those_of_its_entries_after_each_thing_it_says() {
    let mut busy = Busy::new(Algorithm::P256);
    busy.attest(20);
    busy.decide(TARGET_DEFAULT, Sending::Enabled, 5);
    busy.name("one", ApiVersion::V1, false);
    busy.name("two", ApiVersion::V2, false);
    busy.attest(5);
    busy.received("one", &[5, 6, 9, 20]);
    busy.received("one", &[6, 7]);
    busy.received("two", &[8]);
    busy.except("one", Some(SkipReason::OperatorHold), &[2, 6, 10, 11]);
    busy.except("one", None, &[10]);
    busy.except("two", Some(SkipReason::PolicyPrivate), &[8, 9, 21]);
    busy.decide("two", Sending::NotEnabled(SkipReason::AirGapped), 10);
    busy.anchored("two", 12);
    busy.attest(4);
    // What speaks of later entries, or of control entries, says nothing.
    busy.received("one", &[12, 900]);
    busy.except("two", Some(SkipReason::NotSelected), &[0, 500]);
    busy.name("one", ApiVersion::V1, true);
    busy.name("two", ApiVersion::V2, true);
    busy.decide(TARGET_DEFAULT, Sending::NotEnabled(SkipReason::RekorDisabled), 0);
    assert!(busy.site.store_mut().fsck(2, &mut |_, _| {}).unwrap().standing_rows > 10);
}

#[test]
fn the_last_word_holds_also_where_it_was_said_before() {
    let mut busy = Busy::new(Algorithm::P256);
    busy.attest(4);
    let off = Sending::NotEnabled(SkipReason::RekorDisabled);
    let pending = |busy: &mut Busy, target: &str| busy.count(target).get(&SkipReason::PendingUpload).copied();
    for _ in 0..3 {
        busy.decide(TARGET_DEFAULT, Sending::Enabled, 0);
        assert_eq!(pending(&mut busy, TARGET_DEFAULT), Some(4));
        busy.decide(TARGET_DEFAULT, off, 0);
        assert_eq!(pending(&mut busy, TARGET_DEFAULT), None);
    }
    busy.decide(TARGET_DEFAULT, Sending::Enabled, 0);
    for _ in 0..2 {
        busy.name("one", ApiVersion::V1, false);
        busy.except("one", Some(SkipReason::OperatorHold), &[1, 2]);
        assert_eq!(pending(&mut busy, "one"), Some(2));
        busy.except("one", None, &[1, 2]);
        assert_eq!(pending(&mut busy, "one"), Some(4));
        busy.name("one", ApiVersion::V1, true);
        assert_eq!(pending(&mut busy, TARGET_DEFAULT), Some(4));
    }
    // The same word twice in a row is one.
    let size = busy.site.store_mut().read().unwrap().size();
    busy.name("one", ApiVersion::V1, true);
    assert_eq!(busy.site.store_mut().read().unwrap().size(), size);
}

#[test]
fn what_is_held_before_there_is_a_target_is_held_from_each_that_is_named() {
    let mut busy = Busy::new(Algorithm::P256);
    busy.attest(6);
    busy.decide(TARGET_DEFAULT, Sending::Enabled, 0);
    busy.except(TARGET_DEFAULT, Some(SkipReason::PolicyPrivate), &[1, 2, 3]);
    busy.name("one", ApiVersion::V1, false);
    busy.name("two", ApiVersion::V2, false);
    assert_eq!(busy.count("one").get(&SkipReason::PolicyPrivate), Some(&3));
    busy.except("one", None, &[2]);
    busy.except("two", Some(SkipReason::OperatorHold), &[3, 4]);
    busy.received("two", &[2, 5]);
    assert_eq!(busy.count("one").get(&SkipReason::PolicyPrivate), Some(&2));
    assert_eq!(busy.count("two").get(&SkipReason::PolicyPrivate), Some(&1));
    busy.except(TARGET_DEFAULT, Some(SkipReason::NotSelected), &[2, 3]);
    busy.except(TARGET_DEFAULT, None, &[1]);
    assert_eq!(busy.count("one").get(&SkipReason::NotSelected), Some(&2));
    assert_eq!(busy.count("two").get(&SkipReason::NotSelected), Some(&1));
}

#[test]
fn keys_that_a_target_does_not_take_wait_nowhere() {
    let mut busy = Busy::new(Algorithm::Ed25519);
    busy.attest(6);
    busy.name("one", ApiVersion::V1, false);
    busy.name("two", ApiVersion::V2, false);
    busy.decide(TARGET_DEFAULT, Sending::Enabled, 0);
    assert_eq!(busy.count("two").get(&SkipReason::UnsupportedKey), Some(&6));
    assert_eq!(busy.count("one").get(&SkipReason::PendingUpload), Some(&6));
    // A second key, which it takes.
    busy.keys.signer = SignerKey::new(SoftKey::from_secret(Algorithm::P256, &[9; 32]).unwrap());
    busy.attest(3);
    busy.received("two", &[2, 11]);
    assert_eq!(busy.count("two").get(&SkipReason::PendingUpload), Some(&2));
    assert_eq!(busy.count("two").get(&SkipReason::UnsupportedKey), Some(&5));
}

#[test]
fn the_same_receipts_again_change_nothing_and_bring_back_a_text_that_was_lost() {
    let mut busy = Busy::new(Algorithm::P256);
    busy.attest(3);
    busy.name("one", ApiVersion::V1, false);
    busy.received("one", &[1, 2]);
    let size = busy.site.store_mut().read().unwrap().size();
    busy.received("one", &[1, 2]);
    let snapshot = busy.site.store_mut().read().unwrap();
    assert_eq!(snapshot.size(), size);
    assert_eq!(snapshot.receipt("one", LeafIndex::new(2).unwrap()).unwrap().as_deref(), Some("receipt 2"));
    assert_eq!(snapshot.receipt("one", LeafIndex::new(3).unwrap()).unwrap(), None);
    assert_eq!(snapshot.receipt("two", LeafIndex::new(2).unwrap()).unwrap(), None);
}
