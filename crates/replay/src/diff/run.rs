//! Whole captures, one after another on one clock.

use super::carry::{Diff, Side};
use super::report::DiffReport;
use crate::run::{Input, Progress, Take, read};
use std::convert::Infallible;
use std::ops::ControlFlow;
use vpcsim_capture::{CaptureError, Record};

/// Why a comparison ended early: a capture is damaged, or cannot be read on.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {source}")]
pub struct DiffError {
    /// The capture.
    pub name: String,
    /// What is wrong with it.
    pub source: CaptureError,
    /// What was counted up to there.
    pub report: Box<DiffReport>,
}

/// Carries captures through two networks, one capture after another on one clock, and says what
/// fares otherwise in the new one.
///
/// The report lists the `top` flows of each change. `on_progress` is called as [`replay`](crate::replay()) calls it.
///
/// # Errors
/// When a capture is damaged; the report up to there is in the error.
pub fn diff(
    old: &Side<'_>,
    new: &Side<'_>,
    inputs: Vec<Input>,
    top: usize,
    on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<DiffReport, DiffError> {
    let mut diff = Diff::new(old, new);
    let damage = match read(inputs, &mut diff, on_progress) {
        Ok(damage) => damage,
        Err(never) => match never {},
    };
    let report = diff.finish(top);
    match damage {
        None => Ok(report),
        Some((name, source)) => Err(DiffError {
            name,
            source,
            report: Box::new(report),
        }),
    }
}

impl Take for Diff<'_> {
    type Error = Infallible;

    fn begin_capture(&mut self, name: &str, format: &str) {
        Diff::begin_capture(self, name, format);
    }

    fn capture_warning(&mut self, text: String) {
        Diff::capture_warning(self, text);
    }

    fn packets(&self) -> u64 {
        Diff::packets(self)
    }

    fn packet(&mut self, record: &Record<'_>) -> Result<(), Infallible> {
        Diff::packet(self, record);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Diff::flush(self);
        Ok(())
    }
}
