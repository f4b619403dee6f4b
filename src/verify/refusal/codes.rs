//! Every code that a verdict can bear, gathered from the rooms that name them.

use crate::bundle::BundleError;
use crate::bundle::homes::HomeError;
use crate::statement::StatementError;
use crate::verify::anchor::AnchorRefusal;
use crate::verify::timestamp::TimestampRefusal;

use super::OWN;

const ALL_LEN: usize = HomeError::CODES.len()
    + BundleError::CODES.len()
    + StatementError::CODES.len()
    + OWN.len()
    + AnchorRefusal::CODES.len()
    + TimestampRefusal::CODES.len();

pub(super) const ALL: [(u8, &str); ALL_LEN] = {
    let mut all = [(0, ""); ALL_LEN];
    let (mut to, mut from) = (0, 0);
    while from < HomeError::CODES.len() {
        all[to] = (1, HomeError::CODES[from]);
        (to, from) = (to + 1, from + 1);
    }
    from = 0;
    while from < BundleError::CODES.len() {
        all[to] = (1, BundleError::CODES[from]);
        (to, from) = (to + 1, from + 1);
    }
    from = 0;
    while from < StatementError::CODES.len() {
        all[to] = (3, StatementError::CODES[from]);
        (to, from) = (to + 1, from + 1);
    }
    from = 0;
    while from < OWN.len() {
        all[to] = OWN[from];
        (to, from) = (to + 1, from + 1);
    }
    from = 0;
    while from < AnchorRefusal::CODES.len() {
        all[to] = (9, AnchorRefusal::CODES[from]);
        (to, from) = (to + 1, from + 1);
    }
    from = 0;
    while from < TimestampRefusal::CODES.len() {
        all[to] = (9, TimestampRefusal::CODES[from]);
        (to, from) = (to + 1, from + 1);
    }
    all
};
