//! How far a replay or a measurement is, for who waits for it.

use crate::interrupt::Interrupt;
use crate::render::number::{counted, rate};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use vpcsim_replay::Progress;

/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar on standard error, where that is a terminal and the replay takes long
/// enough.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    /// Bytes of all captures, where they are files.
    size: Option<u64>,
    bar: Option<ProgressBar>,
    terminal: bool,
}

impl Meter {
    /// A meter for captures of `size` bytes in all; `None`: who knows.
    pub(crate) fn new(size: Option<u64>) -> Self {
        Self {
            began: Instant::now(),
            size,
            bar: None,
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Shows how far the replay is.
    pub(crate) fn show(&mut self, progress: Progress) {
        let elapsed = self.began.elapsed();
        if !self.terminal || elapsed < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| bar(self.size, elapsed));
        bar.set_position(progress.bytes_read);
        bar.set_message(format!(
            "{}, {}",
            counted(progress.packets, "packet"),
            rate(progress.packets, elapsed.as_secs_f64())
        ));
    }

    /// The same, and says to stop once somebody has interrupted.
    pub(crate) fn show_until(
        &mut self,
        progress: Progress,
        interrupt: &Interrupt,
    ) -> ControlFlow<()> {
        self.show(progress);
        if interrupt.came() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Takes the bar away again.
    pub(crate) fn clear(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar for what began `elapsed` ago.
fn bar(size: Option<u64>, elapsed: Duration) -> ProgressBar {
    let (bar, template) = match size {
        Some(size) => (
            ProgressBar::new(size),
            "{wide_bar} {percent:>3}%  {msg}  {eta} left",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {msg}, {binary_bytes} in {elapsed}",
        ),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let bar = bar.with_elapsed(elapsed);
    // Moves on while a pipe is silent.
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Steps of known length, one after another, as a bar.
#[derive(Debug)]
pub(crate) struct Steps {
    began: Instant,
    bar: Option<ProgressBar>,
    terminal: bool,
}

/// Parts of a step that a bar can tell apart.
const PARTS: f64 = 1000.0;

impl Steps {
    /// Nothing has been done.
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            bar: None,
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Shows how much of a step is done, from 0 to 1.
    pub(crate) fn show(&mut self, step: &'static str, part: f64) {
        if !self.terminal || self.began.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(PARTS as u64);
            bar.set_draw_target(ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg:15} {wide_bar} {percent:>3}%") {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position((part * PARTS) as u64);
        bar.set_message(step);
    }

    /// Takes the bar away again.
    pub(crate) fn clear(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
