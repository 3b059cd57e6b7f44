//! Ctrl-C ends a replay with a report, not without one.

use std::sync::atomic::{AtomicU8, Ordering};

/// What shells say of a command that an interrupt ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Interrupts so far.
static PRESSED: AtomicU8 = AtomicU8::new(0);

/// When an interrupt is to stop a replay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interrupt {
    /// The interrupt that stops reading.
    stops_at: u8,
}

impl Interrupt {
    /// Listens from now on. A live capture ends with its sender, which the same Ctrl-C reaches:
    /// `tcpdump -w - | vpcsim replay net.yaml -` is read to the end, so that nothing tcpdump still
    /// had is lost, and the second Ctrl-C stops it. A file is stopped by the first. Whatever does
    /// not stop is ended by one more.
    pub(crate) fn listen(live: bool) -> Self {
        let stops_at = if live { 2 } else { 1 };
        // Without a handler, Ctrl-C ends the process as ever.
        let _ = ctrlc::set_handler(move || {
            if PRESSED.fetch_add(1, Ordering::Relaxed) >= stops_at {
                std::process::exit(INTERRUPTED);
            }
        });
        Self { stops_at }
    }

    /// Whether to stop now.
    pub(crate) fn came(self) -> bool {
        PRESSED.load(Ordering::Relaxed) >= self.stops_at
    }
}
