//! Reading captures.

mod ahead;
mod compression;
mod options;
mod pcap;
mod pcapng;
mod reader;
mod window;

use std::io;

use crate::{CaptureError, Part};

pub use reader::{Reader, Record};

/// The longest packet record or pcapng packet, section or interface block, in bytes: 16 MiB.
///
/// The largest packets of today (Linux BIG TCP) have 512 KiB; a longer length is a lie. Blocks that are
/// skipped may be of any length.
pub const MAX_RECORD: usize = 16 << 20;

/// The most interfaces that one file may describe, over all its sections.
pub const MAX_INTERFACES: usize = 1 << 16;

/// A packet found in the window.
#[derive(Debug)]
struct Found {
    time: u64,
    interface: u32,
    original_len: u32,
    /// Where its bytes are, as the window counts.
    data: std::ops::Range<usize>,
}

/// Why a step gives no packet.
#[derive(Debug)]
enum Stop {
    /// The stream ended between two packets.
    End,
    /// The stream ended inside a part, `got` bytes after its start at `offset`.
    Cut {
        part: Part,
        offset: u64,
        wanted: u64,
        got: u64,
    },
    /// Reading the source failed; the step can be taken again.
    Io(io::Error),
    /// The file is damaged.
    Damaged(CaptureError),
}

impl From<CaptureError> for Stop {
    fn from(error: CaptureError) -> Self {
        Self::Damaged(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Makes sure that the window has `wanted` bytes of a part that starts here.
#[inline]
fn need(window: &mut window::Window, part: Part, wanted: usize) -> Result<(), Stop> {
    if window.fill(wanted)? {
        return Ok(());
    }
    let got = window.available().len() as u64;
    Err(Stop::Cut {
        part,
        offset: window.offset(),
        wanted: wanted as u64,
        got,
    })
}
