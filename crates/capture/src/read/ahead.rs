//! A stream that a thread of its own reads, and unpacks, ahead of whoever wants it.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::thread;

/// How much is asked of the source at once, in bytes.
const PIECE: usize = 256 << 10;
/// Pieces that wait at most.
const PIECES: usize = 3;
/// Free bytes before what was read, for the rest of the piece before: so a piece is used where it lies.
pub(super) const MARGIN: usize = 64 << 10;

/// What has been read of a source, piece by piece, in order. Each has a [`MARGIN`]; an empty one is the
/// end.
pub(super) struct Ahead {
    pieces: Receiver<io::Result<Vec<u8>>>,
    /// Pieces that have been used up go back.
    used: SyncSender<Vec<u8>>,
}

impl Ahead {
    /// Starts the thread; it ends with the source, or when nobody wants any more.
    ///
    /// # Errors
    /// When the system has no thread left; the source is given back.
    pub(super) fn start(source: Box<dyn Read + Send>) -> Result<Self, Box<dyn Read + Send>> {
        let (send, pieces) = sync_channel(PIECES);
        let (used, spare) = sync_channel(PIECES);
        // It ends by itself.
        let run = move |source| read(source, &send, &spare);
        thread::start("reader", source, run)?;
        Ok(Self { pieces, used })
    }

    /// The next piece.
    ///
    /// # Errors
    /// What the source said instead of giving one; it is asked again.
    pub(super) fn next(&self) -> io::Result<Vec<u8>> {
        // Nobody sends any more after the end.
        self.pieces.recv().unwrap_or_else(|_| Ok(vec![0; MARGIN]))
    }

    /// A piece is used up.
    pub(super) fn is_used(&self, piece: Vec<u8>) {
        // Where that is no use to anybody it is freed.
        let _ = self.used.try_send(piece);
    }
}

fn read(
    mut source: Box<dyn Read + Send>,
    send: &SyncSender<io::Result<Vec<u8>>>,
    spare: &Receiver<Vec<u8>>,
) {
    loop {
        let mut piece = spare.try_recv().unwrap_or_default();
        piece.resize(MARGIN + PIECE, 0);
        let read = source.read(&mut piece[MARGIN..]).map(|read| {
            piece.truncate(MARGIN + read);
            piece
        });
        let ended = matches!(&read, Ok(piece) if piece.len() == MARGIN);
        if ended || send.send(read).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives some bytes at a time, errors in between, and then ends early.
    struct Source(Vec<io::Result<Vec<u8>>>);

    impl Read for Source {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(next) = self.0.pop() else {
                return Ok(0);
            };
            let next = next?;
            buffer[..next.len()].copy_from_slice(&next);
            Ok(next.len())
        }
    }

    #[test]
    fn bytes_and_errors_come_in_their_order() {
        let steps = vec![
            Ok(vec![4]),
            Err(io::ErrorKind::Interrupted.into()),
            Ok(vec![2, 3]),
            Err(io::ErrorKind::PermissionDenied.into()),
            Ok(vec![1; 100_000]),
        ];
        let Ok(ahead) = Ahead::start(Box::new(Source(steps))) else {
            panic!("a thread");
        };
        let read = || {
            let read = ahead.next().map(|piece| piece[MARGIN..].to_vec());
            read.map_err(|error| error.kind())
        };
        assert_eq!(read(), Ok(vec![1; 100_000]));
        assert_eq!(read(), Err(io::ErrorKind::PermissionDenied));
        assert_eq!(read(), Ok(vec![2, 3]));
        assert_eq!(read(), Err(io::ErrorKind::Interrupted));
        assert_eq!(read(), Ok(vec![4]));
        assert_eq!(read(), Ok(vec![]));
        assert_eq!(read(), Ok(vec![]), "the end stays the end");
    }
}
