//! How far a long command is: a bar on standard error, where that is a terminal; nothing anywhere else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that goes away when it is dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// Begins a bar for what is counted, like `entries`.
    pub fn of(counted: &'static str) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} {msg}");
        bar.set_style(style.expect("invariant: the template above is one"));
        bar.set_message(counted);
        Progress(bar)
    }

    /// Begins a bar that also shows how fast it goes and how long it will take; `done` was done before.
    #[cfg(feature = "net")]
    pub fn with_rate(counted: &'static str, done: u64, of: u64) -> Progress {
        let progress = Progress::of(counted);
        let bar = &progress.0;
        let style = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left");
        bar.set_style(style.expect("invariant: the template above is one"));
        bar.set_length(of);
        bar.set_position(done);
        // The rate is of what is done from here on.
        bar.reset_eta();
        progress
    }

    /// Says how much of how much is done.
    pub fn at(&self, done: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
