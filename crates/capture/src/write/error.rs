//! Why a capture cannot be written.

use std::io;

/// Why a capture cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The output refused the bytes.
    #[error("cannot write the capture: {0}")]
    Io(#[from] io::Error),
    /// A packet for an interface that has not been added.
    #[error("interface {got} wanted, {known} have been added")]
    UnknownInterface {
        /// The interface.
        got: u32,
        /// How many there are.
        known: u32,
    },
    /// A link type that has no 16-bit number, which is all that fits.
    #[error("link type of at most 65535 wanted, got {got}")]
    LinkType {
        /// Its number.
        got: u32,
    },
    /// A packet longer than what [`crate::Reader`] reads back.
    #[error("packet of at most {limit} bytes wanted, got {got}")]
    TooLong {
        /// The most that fits, in bytes.
        limit: usize,
        /// How many bytes it has.
        got: usize,
    },
    /// A time after 2106-02-07, when the 32-bit seconds of classic pcap end.
    #[error("time before 2106-02-07 wanted (pcap has 32-bit seconds), got {got} s after 1970")]
    Time {
        /// Seconds since 1970.
        got: u64,
    },
}
