//! How fast the postman goes: back-off, waits that a server asks for, and a budget by the hour.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::answer::{RETRY_AFTER_MAX_MS, Reason, Trouble};
use super::transport::Powers;

/// The wait after the first failure, in milliseconds; it doubles with each further one.
const BACKOFF_FIRST_MS: u64 = 500;
/// The longest wait of our own choice, in milliseconds.
const BACKOFF_MAX_MS: u64 = 30_000;
/// Waits are slept in parts of this length, so that an upload that stops does not sleep to the end of them.
const NAP_MS: u64 = 250;
/// An hour holds the minute that runs and the sixty before it.
const MINUTES: u64 = 60;

/// Returns how long to wait after so many failures in a row, from 1: half of it sure, half of it chance, so that many who
/// failed together do not come again together.
pub(in crate::sync) fn backoff_ms(failures: u32, random: u64) -> u64 {
    let whole = BACKOFF_FIRST_MS.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_MAX_MS);
    whole / 2 + random % (whole / 2 + 1)
}

/// Why nothing more is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The reason of all that remains untried.
    pub reason: Reason,
    /// What was met.
    pub said: String,
    /// When to come again, in milliseconds since the epoch, where that is known.
    pub again_ms: Option<u64>,
}

/// What all workers heed: a moment before which nothing is asked, a budget, and whether it is over.
pub(in crate::sync) struct Pace<'p> {
    powers: &'p dyn Powers,
    state: Mutex<State>,
}

struct State {
    not_before_ms: u64,
    budget: Option<Budget>,
    stop: Option<Stop>,
}

/// A number of requests within any hour, counted by minutes.
#[derive(Clone, Debug)]
struct Budget {
    per_hour: u64,
    spent: BTreeMap<u64, u64>,
}

impl Budget {
    /// Takes one request out of the budget: the minute and what was spent in it, or when there will be one again.
    fn take(&mut self, now_ms: u64) -> Result<(u64, u64), u64> {
        let minute = now_ms / 60_000;
        // What a clock that ran ahead wrote down does not block for ever.
        self.spent.retain(|spent, _| *spent + MINUTES >= minute && *spent <= minute + MINUTES);
        if self.spent.values().sum::<u64>() >= self.per_hour {
            let oldest = self.spent.keys().next().copied().unwrap_or(minute);
            return Err((oldest + MINUTES + 1) * 60_000);
        }
        let spent = self.spent.entry(minute).or_default();
        *spent += 1;
        Ok((minute, *spent))
    }
}

impl<'p> Pace<'p> {
    pub(in crate::sync) fn new(powers: &'p dyn Powers, per_hour: Option<u64>, spent: BTreeMap<u64, u64>) -> Pace<'p> {
        let budget = per_hour.map(|per_hour| Budget { per_hour, spent });
        Pace { powers, state: Mutex::new(State { not_before_ms: 0, budget, stop: None }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the upload; what was said first holds.
    pub(in crate::sync) fn stop(&self, stop: Stop) {
        self.state().stop.get_or_insert(stop);
    }

    /// Returns why it is over, if it is.
    pub(in crate::sync) fn stopped(&self) -> Option<Stop> {
        self.state().stop.clone()
    }

    /// Waits until something may be asked; false where the upload is over.
    pub(in crate::sync) fn wait_turn(&self) -> bool {
        loop {
            let state = self.state();
            if state.stop.is_some() {
                return false;
            }
            let (now, until) = (self.powers.now_ms(), state.not_before_ms);
            drop(state);
            if until <= now {
                return true;
            }
            self.powers.sleep_ms((until - now).min(NAP_MS));
        }
    }

    /// Waits for something that only this worker waits for; false where the upload is over.
    pub(in crate::sync) fn nap(&self, ms: u64) -> bool {
        let until = self.powers.now_ms().saturating_add(ms);
        loop {
            if self.state().stop.is_some() {
                return false;
            }
            let now = self.powers.now_ms();
            if now >= until {
                return true;
            }
            self.powers.sleep_ms((until - now).min(NAP_MS));
        }
    }

    /// Heeds what a server asked for: everybody waits as long, or, where that is too long, it is over.
    pub(in crate::sync) fn heed(&self, trouble: &Trouble) {
        let Some(wait_ms) = trouble.wait_ms else { return };
        let until = self.powers.now_ms().saturating_add(wait_ms);
        if wait_ms > RETRY_AFTER_MAX_MS {
            let said = format!("{}; it asks to wait {} s", trouble.said, wait_ms / 1000);
            self.stop(Stop { reason: trouble.reason, said, again_ms: Some(until) });
            return;
        }
        let mut state = self.state();
        state.not_before_ms = state.not_before_ms.max(until);
    }

    /// Waits after a failure, spread by chance; false where the upload is over.
    pub(in crate::sync) fn back_off(&self, failures: u32) -> bool {
        self.nap(backoff_ms(failures, self.powers.random()))
    }

    /// Takes a request out of the budget: the minute and what was spent in it, to be written down; nothing without a budget.
    ///
    /// # Errors
    /// The reason why it is over, where the budget is spent.
    pub(in crate::sync) fn spend(&self) -> Result<Option<(u64, u64)>, Stop> {
        let mut state = self.state();
        let now_ms = self.powers.now_ms();
        let Some(budget) = &mut state.budget else { return Ok(None) };
        let per_hour = budget.per_hour;
        match budget.take(now_ms) {
            Ok(spent) => Ok(Some(spent)),
            Err(again_ms) => {
                let said = format!("{per_hour} requests were made within the hour");
                let stop = Stop { reason: Reason::BudgetExceeded, said, again_ms: Some(again_ms) };
                Err(state.stop.get_or_insert(stop).clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_to_a_ceiling_and_half_of_it_is_chance() {
        let spans: Vec<(u64, u64)> =
            (1..=9).map(|n| (backoff_ms(n, 0), backoff_ms(n, 250 << (n - 1).min(5)))).collect();
        assert_eq!(&spans[..3], [(250, 500), (500, 1000), (1000, 2000)]);
        assert_eq!(backoff_ms(40, 15_000), BACKOFF_MAX_MS);
        assert!((0..1000).all(|random| (250..=500).contains(&backoff_ms(1, random * 7919))));
    }

    #[test]
    fn no_hour_holds_more_requests_than_the_budget() {
        let mut budget = Budget { per_hour: 10, spent: BTreeMap::new() };
        let (mut times, mut now) = (Vec::new(), 3_600_000 * 400_000u64);
        let mut dice = 12345u64;
        for _ in 0..3000 {
            dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            now += (dice >> 33) % 240_000;
            match budget.take(now) {
                Ok(_) => times.push(now),
                Err(again) => assert!(again > now && again <= now + 61 * 60_000),
            }
        }
        assert!(times.len() > 300, "{} requests in {} hours", times.len(), 3000 * 120 / 3600);
        for window in times.windows(11) {
            assert!(window[10] - window[0] >= 3_600_000, "eleven within {} ms", window[10] - window[0]);
        }
    }

    #[test]
    fn a_clock_that_ran_ahead_does_not_block_for_ever() {
        let mut budget = Budget { per_hour: 1, spent: BTreeMap::from([(9_000_000, 1)]) };
        assert_eq!(budget.take(60_000_000 * 60), Ok((60_000_000 * 60 / 60_000, 1)));
    }
}
