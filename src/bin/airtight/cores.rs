//! Work on many things at once: on all cores, each thing by one core, the answers in the order of the things.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::progress::Progress;

/// How many things are done between two looks at the bar.
const STRIDE: usize = 16;

/// Does the same work on each thing; `counted` names the things on the progress bar.
pub fn each<T: Sync, R: Send>(counted: &'static str, things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // To ask how many there may be reads a dozen files.
    let threads = match things.len() {
        0 | 1 => 1,
        many => std::thread::available_parallelism().map_or(1, usize::from).min(many),
    };
    if threads <= 1 {
        return things.iter().map(work).collect();
    }
    let bar = Progress::of(counted);
    let next = AtomicUsize::new(0);
    let mut answers: Vec<Option<R>> = things.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (next, bar, work) = (&next, &bar, &work);
                scope.spawn(move || {
                    let mut done = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(thing) = things.get(at) else { return done };
                        if at.is_multiple_of(STRIDE) {
                            bar.at(at as u64, things.len() as u64);
                        }
                        done.push((at, work(thing)));
                    }
                })
            })
            .collect();
        for worker in workers {
            for (at, answer) in worker.join().expect("invariant: a worker that panics has ended the process") {
                answers[at] = Some(answer);
            }
        }
    });
    answers.into_iter().map(|answer| answer.expect("invariant: every thing was taken by a worker")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_in_the_order_of_the_things() {
        for len in [0, 1, 2, 17, 1_000] {
            let things: Vec<usize> = (0..len).collect();
            assert_eq!(each("things", &things, |thing| thing * 2), things.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
    }
}
