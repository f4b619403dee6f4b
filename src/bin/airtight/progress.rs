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
