//! Threads that do what another one need not wait for.

use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that is given something.
///
/// # Errors
/// When the system has no thread left; what it was to be given comes back.
pub(crate) fn start<T: Send + 'static, R: Send + 'static>(
    name: &str,
    given: T,
    run: impl FnOnce(T) -> R + Send + 'static,
) -> Result<JoinHandle<Option<R>>, T> {
    // By a channel: what is moved into a thread that does not start is lost.
    let (hand, taken) = sync_channel(1);
    let thread = Builder::new().name(name.to_owned());
    match thread.spawn(move || taken.recv().ok().map(run)) {
        Ok(thread) => hand.send(given).map(|()| thread).map_err(|lost| lost.0),
        Err(_) => Err(given),
    }
}
