//! Sums: a number beside stored bytes, so that whoever reads them notices a flipped byte.
//!
//! The tree covers the leaves, and nothing else. What an index row says decides whether a statement counts as new, what an
//! entry's row says beside its leaf decides how it is filed: both are read long before `fsck` comes by. So each such row
//! has a sum of its own, compared wherever the row is read:
//!
//! | row | sum over | bits |
//! |---|---|---|
//! | `entry` | form, signer, predicate, dictionary, body | 8: the leaf hash covers what the row gives back |
//! | `fresh`, one for each index | first entry, kind, pairs | 64 |
//! | `bucket` | id, pairs | 64 |
//! | `run` | every column | 64 |
//!
//! A sum finds damage, never malice: who can write the database can write the sum. Each finds every change of one byte.

/// Any odd constant keeps each step a permutation; this one, the golden ratio's, spreads bits well.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sum of 64 bits in the making. Every step is a permutation of the state for a given word and of the word for a given
/// state, so a change inside one word always changes the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// Adds a number.
    #[must_use]
    pub fn number(self, number: i64) -> Self {
        Self((self.0.rotate_left(23) ^ number.cast_unsigned()).wrapping_mul(SPREAD))
    }

    /// Adds bytes and their count.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let summed = words.iter().fold(self, |sum, word| sum.number(i64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        summed.number(i64::from_le_bytes(last)).number(bytes.len() as i64)
    }

    /// Gives the sum as it is stored.
    #[must_use]
    pub fn stored(self) -> i64 {
        self.0.cast_signed()
    }
}

/// Sums up a row of `entry`.
///
/// Words are rotated and added without carry, then folded: the eight bits of one byte, wherever they are rotated to, fall
/// on eight different bits of the result, so no change of one byte cancels itself.
#[must_use]
pub fn of_entry(form: i64, signer: i64, predicate: i64, dictionary: i64, body: &[u8]) -> u8 {
    let step = |sum: u64, word: u64| sum.rotate_left(9) ^ word;
    let columns = [form, signer, predicate, dictionary, body.len() as i64];
    let sum = columns.iter().fold(0, |sum, column| step(sum, column.cast_unsigned()));
    let (words, rest) = body.as_chunks::<8>();
    let sum = words.iter().fold(sum, |sum, word| step(sum, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    step(sum, u64::from_le_bytes(last)).to_le_bytes().into_iter().fold(0, |folded, byte| folded ^ byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_one_byte_changes_both_sums() {
        let bytes: Vec<u8> = (0..61_u8).map(|i| i.wrapping_mul(37)).collect();
        let (wide, narrow) = (Sum::default().number(7).bytes(&bytes).stored(), of_entry(2, 0, 17, 1, &bytes));
        for at in 0..bytes.len() {
            for change in 1..=255 {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                assert_ne!(Sum::default().number(7).bytes(&changed).stored(), wide, "byte {at} by {change}");
                assert_ne!(of_entry(2, 0, 17, 1, &changed), narrow, "byte {at} by {change}");
            }
        }
        for bit in 0..63 {
            assert_ne!(Sum::default().number(7 ^ 1 << bit).bytes(&bytes).stored(), wide);
            for columns in [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]] {
                let [form, signer, predicate, dictionary] = columns.map(|column| column << bit);
                assert_ne!(of_entry(2 ^ form, signer, 17 ^ predicate, 1 ^ dictionary, &bytes), narrow);
            }
        }
    }

    #[test]
    fn pairs_that_are_cut_off_or_moved_to_another_row_have_another_sum() {
        let bytes = [0_u8; 40];
        for len in 0..40 {
            assert_ne!(Sum::default().bytes(&bytes[..len]).stored(), Sum::default().bytes(&bytes).stored());
        }
        assert_ne!(Sum::default().number(1).bytes(&bytes).stored(), Sum::default().number(2).bytes(&bytes).stored());
    }
}
