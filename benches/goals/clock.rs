//! Time: the wall, the process's CPU, medians, and pairs of operations taken in turn.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Reads the CPU time that this process has used, all threads, in microseconds.
pub fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// Times one call by the wall, in microseconds.
pub fn wall_us<T>(act: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let done = act();
    (us(begun.elapsed()), done)
}

/// Times one call by the process's CPU, in microseconds.
pub fn cpu_of<T>(act: impl FnOnce() -> T) -> (f64, T) {
    let begun = cpu_us();
    let done = act();
    (cpu_us() - begun, done)
}

/// Turns a duration into microseconds.
pub fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Gives the median, of at least one value.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + sorted[middle]) / 2.0 } else { sorted[middle] }
}

/// What the windows of one row gave: the median, and the least and the most.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

/// Sums up the windows of a row.
pub fn spread(windows: &[f64]) -> Spread {
    Spread {
        median: median(windows),
        least: windows.iter().copied().fold(f64::INFINITY, f64::min),
        most: windows.iter().copied().fold(0.0, f64::max),
    }
}
