//! What is odd about a capture that can be read all the same.

use std::fmt;

use crate::Part;

/// Something odd that did not stop the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where it was seen first: bytes from the start of the (uncompressed) capture.
    pub offset: u64,
    /// How often it was seen; each kind is kept once, so that warnings cannot fill the memory.
    pub count: u64,
    /// What it is.
    pub kind: WarningKind,
}

/// The kinds of [`Warning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningKind {
    /// The capture ends in the middle of a part that starts at the offset.
    Truncated {
        /// Which part.
        part: Part,
        /// How many bytes it should have, as far as is known.
        wanted: u64,
        /// How many there are.
        got: u64,
    },
    /// The compressed data ends too early; the offset is where the uncompressed bytes end.
    CompressedTruncated,
    /// A time before 1970 or after 2554, held at the nearest time that can be told.
    TimeOutOfRange,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset;
        match self.kind {
            WarningKind::Truncated { part, wanted, got } => {
                write!(
                    f,
                    "cut short: {part} at offset {offset} has {got} of {wanted} bytes"
                )
            }
            WarningKind::CompressedTruncated => {
                write!(
                    f,
                    "cut short: the compressed data ends after {offset} uncompressed bytes"
                )
            }
            WarningKind::TimeOutOfRange => {
                write!(
                    f,
                    "{} time(s) outside 1970 to 2554, the first at offset {offset}",
                    self.count
                )
            }
        }
    }
}

/// The warnings of one reader: one of each kind.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<Warning>);

impl Warnings {
    /// Notes a warning, or counts it when its kind has been seen.
    pub(crate) fn add(&mut self, offset: u64, kind: WarningKind) {
        match self.0.iter_mut().find(|known| known.kind == kind) {
            Some(known) => known.count += 1,
            None => self.0.push(Warning {
                offset,
                count: 1,
                kind,
            }),
        }
    }

    /// All of them, in the order they were first seen.
    pub(crate) fn as_slice(&self) -> &[Warning] {
        &self.0
    }
}
