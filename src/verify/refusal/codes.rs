//! Every code that a verdict can bear, gathered from the rooms that name them.

use crate::bundle::BundleError;
use crate::bundle::homes::HomeError;
use crate::statement::StatementError;
use crate::verify::anchor::AnchorRefusal;
use crate::verify::timestamp::TimestampRefusal;

use super::{OWN, Refusal};

/// The most characters of a sentence that are shown; two signatures of RSA in base64 have 1,400.
const SAID_MAX: usize = 2000;

const ALL_LEN: usize = HomeError::CODES.len()
    + BundleError::CODES.len()
    + StatementError::CODES.len()
    + OWN.len()
    + AnchorRefusal::CODES.len()
    + TimestampRefusal::CODES.len();

const ALL: [(u8, &str); ALL_LEN] = {
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

impl Refusal {
    /// Every code that a verdict can bear, with its step. The order is that of the steps' rooms.
    pub const ALL_CODES: &'static [(u8, &'static str)] = &ALL;

    /// The code, snake_case, stable.
    pub fn code(&self) -> &'static str {
        self.own().1
    }

    /// The sentence as it is shown: of one that holds a text of the bundle's, which may be as long as the bundle, the first 2,000 characters.
    pub fn said(&self) -> String {
        let said = self.to_string();
        match said.char_indices().nth(SAID_MAX) {
            None => said,
            Some((at, _)) => format!("{}… and {} bytes more", &said[..at], said.len() - at),
        }
    }

    /// The number of the step that refused, 1 to 9.
    pub fn step(&self) -> u8 {
        self.own().0
    }
}
