//! An output that a thread of its own writes to, behind whoever has something to write.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::thread;

/// Writes that wait at most: for an output that stops for once, as a disk does.
const WAITING: usize = 12;
/// Room that is kept for bytes to come.
const SPARE: usize = 3;

/// Bytes on their way to an output, and what became of those before.
///
/// An error is the next call's that waits. Dropping waits until all is written, and tells nobody of
/// errors.
#[derive(Debug)]
pub(super) struct Behind<W> {
    /// `None` only when it is over.
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Done>,
    waiting: usize,
    spare: Vec<Vec<u8>>,
    /// Gives the output back when there are no more jobs.
    thread: Option<JoinHandle<Option<W>>>,
}

#[derive(Debug)]
enum Job {
    Write(Vec<u8>),
    Flush,
}

#[derive(Debug)]
struct Done {
    used: Vec<u8>,
    result: io::Result<()>,
}

impl<W: Write + Send + 'static> Behind<W> {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread left; the output is given back.
    pub(super) fn start(out: W) -> Result<Self, W> {
        let (jobs, waiting) = sync_channel(WAITING);
        let (finished, done) = sync_channel(WAITING);
        let run = move |mut out| {
            write_all(&mut out, &waiting, &finished);
            out
        };
        let thread = thread::start("writer", out, run)?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            waiting: 0,
            spare: Vec::new(),
            thread: Some(thread),
        })
    }
}

fn write_all(out: &mut impl Write, waiting: &Receiver<Job>, finished: &SyncSender<Done>) {
    for job in waiting {
        let done = match job {
            Job::Write(bytes) => Done {
                result: out.write_all(&bytes),
                used: bytes,
            },
            Job::Flush => Done {
                result: out.flush(),
                used: Vec::new(),
            },
        };
        if finished.send(done).is_err() {
            break;
        }
    }
}

impl<W> Behind<W> {
    /// Has bytes written, in the order of the calls; waits only when too many others wait. Gives room
    /// for the next ones.
    pub(super) fn write(&mut self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        self.wait(WAITING - 1)?;
        self.give(Job::Write(bytes))?;
        Ok(self.spare.pop().unwrap_or_default())
    }

    /// Waits until all is written and flushed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.wait(WAITING - 1)?;
        self.give(Job::Flush)?;
        self.wait(0)
    }

    /// Waits until all is written, and gives the output back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.wait(0)?;
        self.end().ok_or_else(gone)
    }

    fn end(&mut self) -> Option<W> {
        self.jobs = None;
        while self.done.recv().is_ok() {}
        self.thread.take()?.join().ok()?
    }

    fn give(&mut self, job: Job) -> io::Result<()> {
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).map_err(|_| gone())?;
        self.waiting += 1;
        Ok(())
    }

    /// Waits until no more than so many wait.
    fn wait(&mut self, most: usize) -> io::Result<()> {
        while self.waiting > most {
            let Done { mut used, result } = self.done.recv().map_err(|_| gone())?;
            self.waiting -= 1;
            used.clear();
            if used.capacity() > 0 && self.spare.len() < SPARE {
                self.spare.push(used);
            }
            result?;
        }
        Ok(())
    }
}

impl<W> Drop for Behind<W> {
    fn drop(&mut self) {
        self.end();
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that writes has ended early")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Hands on what is written, and refuses what is longer than this.
    struct Stream(Sender<Vec<u8>>, usize);

    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.send(bytes.to_vec()).map_err(|_| gone())?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.send(b"flushed".to_vec()).map_err(|_| gone())
        }
    }

    fn start(most: usize) -> (Behind<Stream>, Receiver<Vec<u8>>) {
        let (send, written) = channel();
        let Ok(behind) = Behind::start(Stream(send, most)) else {
            panic!("a thread");
        };
        (behind, written)
    }

    #[test]
    fn all_is_written_in_order_whoever_flushes_and_drops() {
        let (mut behind, written) = start(100);
        for number in 0..20 {
            behind.write(vec![number]).unwrap();
        }
        behind.flush().unwrap();
        let before: Vec<_> = written.try_iter().collect();
        let mut all: Vec<_> = (0..20).map(|number| vec![number]).collect();
        all.push(b"flushed".to_vec());
        assert_eq!(before, all, "all was there when flush returned");
        behind.write(b"last".to_vec()).unwrap();
        drop(behind);
        assert_eq!(written.try_iter().collect::<Vec<_>>(), [b"last"]);
    }

    #[test]
    fn an_error_is_told_once_and_each_has_its_own() {
        let (mut behind, written) = start(3);
        behind.write(b"too long".to_vec()).unwrap();
        let error = behind.flush().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        behind.flush().unwrap();
        let again = (0..3 * WAITING).map(|_| behind.write(b"again too long".to_vec()));
        assert_eq!(again.filter(Result::is_err).count(), WAITING);
        assert!(behind.finish().is_err());
        assert!(written.iter().all(|bytes| bytes == b"flushed"));
    }
}
