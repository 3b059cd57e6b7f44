//! Whole captures, one after another on one clock.

use super::learner::Learner;
use super::{LearnError, LearnOptions, Learned};
use crate::run::{Input, LOOK_EVERY, Progress, TELL_EVERY};
use std::ops::ControlFlow;
use std::time::Instant;

/// Learns a network from captures. A later capture's earlier times are held at the latest seen;
/// the same address in several captures is one host.
///
/// `on_progress` is called some twenty times a second. When it breaks, the rest is left unread: the
/// network is learned from what was read, and a warning says so.
///
/// # Errors
/// When a capture is damaged, or no inside host was seen.
pub fn learn(
    inputs: Vec<Input>,
    options: LearnOptions,
    on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Learned, LearnError> {
    let mut learner = Learner::new(options);
    let mut read_before = 0;
    let mut told = Instant::now();
    for (input, Input { name, mut reader }) in inputs.into_iter().enumerate() {
        learner.begin_capture(&name, &reader.format().to_string());
        let mut stopped = false;
        loop {
            match reader.next_record() {
                Ok(Some(record)) => learner.packet(&record),
                Ok(None) => break,
                Err(source) => return Err(LearnError::Capture { name, source }),
            };
            if learner.packets().is_multiple_of(LOOK_EVERY) && told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let progress = Progress {
                    packets: learner.packets(),
                    bytes_read: read_before + reader.bytes_read(),
                    input,
                };
                if on_progress(progress).is_break() {
                    stopped = true;
                    break;
                }
            }
        }
        for warning in reader.warnings() {
            learner.capture_warning(&warning.to_string());
        }
        if stopped {
            learner.capture_warning("interrupted: the rest was not read");
            break;
        }
        read_before += reader.bytes_read();
    }
    learner.finish()
}
