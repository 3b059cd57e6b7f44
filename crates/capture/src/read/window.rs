//! The part of a stream that is in memory.

use std::{
    io::{self, Read},
    ops::Range,
};

use super::ahead::{Ahead, MARGIN};

/// How much is asked of the source at once, in bytes.
const START: usize = 256 << 10;

/// A buffer that slides over a stream.
///
/// It asks the source for more only when a caller wants more than it has, takes what one `read` gives, and
/// grows only when it is full of bytes that arrived: a length in a file never makes it allocate.
pub(super) struct Window {
    source: Source,
    buffer: Vec<u8>,
    /// The bytes not yet consumed are `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Offset in the stream of `buffer[start]`.
    offset: u64,
    ended: bool,
    cut: bool,
    /// Whether the source may be asked for more.
    may_read: bool,
}

enum Source {
    Stream(Box<dyn Read + Send>),
    /// Read by a thread of its own.
    Ahead(Ahead),
}

impl Window {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source: Source::Stream(source),
            buffer: vec![0; START],
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            cut: false,
            may_read: true,
        }
    }

    /// From here on a thread of its own reads the source ahead, where the system has one left.
    pub(super) fn read_ahead(&mut self) {
        let empty = Source::Stream(Box::new(io::empty()));
        self.source = match std::mem::replace(&mut self.source, empty) {
            Source::Stream(source) => match Ahead::start(source) {
                Ok(ahead) => Source::Ahead(ahead),
                Err(source) => Source::Stream(source),
            },
            ahead @ Source::Ahead(_) => ahead,
        };
    }

    /// Lets the source be asked for more, or not: then [`Self::fill`] fails where it would have to.
    #[inline]
    pub(super) fn allow_reading(&mut self, may_read: bool) {
        self.may_read = may_read;
    }

    /// Makes sure that `wanted` bytes are available; false when the stream ends before.
    #[inline]
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        if self.end - self.start >= wanted {
            Ok(true)
        } else {
            self.read_until(wanted)
        }
    }

    #[cold]
    fn read_until(&mut self, wanted: usize) -> io::Result<bool> {
        if !self.may_read {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        while self.end - self.start < wanted {
            if self.ended {
                return Ok(false);
            }
            match self.read_more() {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.ended = true;
                    self.cut = true;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Reads once: how much.
    fn read_more(&mut self) -> io::Result<usize> {
        if let Source::Ahead(ahead) = &self.source {
            let piece = ahead.next()?;
            return Ok(self.go_on_with(piece));
        }
        self.make_room(1);
        let read = match &mut self.source {
            Source::Stream(source) => source.read(&mut self.buffer[self.end..])?,
            Source::Ahead(_) => 0,
        };
        self.end += read;
        Ok(read)
    }

    /// Puts the rest of the buffer before a piece, where that is large enough, and goes on there.
    fn go_on_with(&mut self, piece: Vec<u8>) -> usize {
        let (rest, read) = (self.end - self.start, piece.len() - MARGIN);
        let used = if rest <= MARGIN {
            let used = std::mem::replace(&mut self.buffer, piece);
            self.buffer[MARGIN - rest..MARGIN].copy_from_slice(&used[self.start..self.end]);
            (self.start, self.end) = (MARGIN - rest, MARGIN + read);
            used
        } else {
            self.make_room(read);
            self.buffer[self.end..][..read].copy_from_slice(&piece[MARGIN..]);
            self.end += read;
            piece
        };
        if let Source::Ahead(ahead) = &self.source {
            ahead.is_used(used);
        }
        read
    }

    /// Makes room for so many bytes more.
    fn make_room(&mut self, more: usize) {
        let free = self.buffer.len() - self.end;
        if self.start > 0 && free < self.buffer.len() / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end + more > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    /// The bytes that are there and not consumed.
    #[inline]
    pub(super) fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Consumes `len` available bytes and says where they are: they stay there until the next `fill`.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Range<usize> {
        debug_assert!(len <= self.end - self.start);
        let taken = self.start..self.start + len;
        self.start = taken.end;
        self.offset += len as u64;
        taken
    }

    /// The bytes at a place that `take` returned, or within it.
    #[inline]
    pub(super) fn bytes(&self, place: Range<usize>) -> &[u8] {
        &self.buffer[place]
    }

    /// Consumes `left` bytes without keeping them, counting down as it goes so that it can be called again
    /// after an error; false when the stream ends before.
    pub(super) fn skip(&mut self, left: &mut u64) -> io::Result<bool> {
        while *left > 0 {
            if !self.fill(1)? {
                return Ok(false);
            }
            let here = self.available().len();
            let len = usize::try_from(*left).map_or(here, |left| left.min(here));
            self.take(len);
            *left -= len as u64;
        }
        Ok(true)
    }

    /// Offset in the stream of the first byte not consumed.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the source says that its own data ended too early.
    pub(super) fn cut(&self) -> bool {
        self.cut
    }

    /// The stream from here on, as a stream.
    pub(super) fn into_source(self) -> Box<dyn Read + Send> {
        let here = self.available().to_vec();
        match self.source {
            Source::Stream(source) => Box::new(io::Cursor::new(here).chain(source)),
            // Nobody reads ahead before it is known what there is to be read.
            Source::Ahead(_) => Box::new(io::Cursor::new(here)),
        }
    }
}
