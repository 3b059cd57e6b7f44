//! What has been written and not yet handed to the output.

use super::behind::Behind;
use std::io::{self, Write};

/// How much is handed to the output at once, in bytes.
const FULL: usize = 256 << 10;

/// Bytes on their way to an output, in large pieces.
#[derive(Debug)]
pub(super) struct Buffer<W: Write> {
    /// `None` only after [`Self::finish`].
    out: Option<Out<W>>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum Out<W> {
    Direct(W),
    /// Written by a thread of its own.
    Behind(Behind<W>),
}

impl<W: Write> Buffer<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out: Some(Out::Direct(out)),
            bytes: Vec::with_capacity(FULL),
        }
    }

    /// From here on a thread of its own writes, where the system has one left.
    pub(super) fn write_behind(&mut self)
    where
        W: Send + 'static,
    {
        self.out = match self.out.take() {
            Some(Out::Direct(out)) => Some(match Behind::start(out) {
                Ok(behind) => Out::Behind(behind),
                Err(out) => Out::Direct(out),
            }),
            other => other,
        };
    }

    /// Where the next `len` bytes go: whoever asks adds that many.
    #[inline]
    pub(super) fn room(&mut self, len: usize) -> io::Result<&mut Vec<u8>> {
        if self.bytes.len() + len > FULL {
            self.pass_on()?;
            self.bytes.reserve(len);
        }
        Ok(&mut self.bytes)
    }

    /// Hands everything to the output.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        match &mut self.out {
            Some(Out::Direct(out)) => out.flush(),
            Some(Out::Behind(behind)) => behind.flush(),
            None => Ok(()),
        }
    }

    /// Hands everything to the output and gives it back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        match self.out.take() {
            Some(Out::Direct(out)) => Ok(out),
            Some(Out::Behind(behind)) => behind.finish(),
            // It is there: only this takes it.
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    #[cold]
    fn pass_on(&mut self) -> io::Result<()> {
        // What an output has refused is not offered to it again.
        let written = match &mut self.out {
            Some(Out::Direct(out)) => out.write_all(&self.bytes),
            Some(Out::Behind(behind)) => {
                let written = behind.write(std::mem::take(&mut self.bytes));
                written.map(|room| self.bytes = room)
            }
            None => Ok(()),
        };
        self.bytes.clear();
        // One record larger than the rest is no reason to keep its room.
        self.bytes.shrink_to(FULL);
        self.bytes.reserve(FULL);
        written
    }
}

/// Like [`std::io::BufWriter`]: who does not finish has written all the same, if it can be.
impl<W: Write> Drop for Buffer<W> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = self.pass_on();
        }
    }
}
