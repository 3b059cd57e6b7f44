//! A stream that a thread of its own writes, behind whoever has something to write.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::io::{self, Write};
use std::thread::{Builder, JoinHandle};

/// Writes that wait at most.
const WAITING: usize = 4;

/// Writes on a thread of its own: [`write`](Write::write) copies what it is given, large pieces best,
/// and returns at once. An error is the next call's. [`flush`](Write::flush) waits until all is
/// written and flushed; so does dropping, which tells nobody of errors.
#[derive(Debug)]
pub struct Behind {
    /// None only when it is dropped.
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    waiting: usize,
    spare: Vec<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
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

impl Behind {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(mut stream: impl Write + Send + 'static) -> io::Result<Self> {
        let (jobs, waiting) = bounded(WAITING);
        let (finished, done) = bounded(WAITING);
        let run = move || {
            for job in waiting {
                let done = match job {
                    Job::Write(bytes) => Done {
                        result: stream.write_all(&bytes),
                        used: bytes,
                    },
                    Job::Flush => Done {
                        result: stream.flush(),
                        used: Vec::new(),
                    },
                };
                if finished.send(done).is_err() {
                    break;
                }
            }
        };
        let thread = Builder::new().name("writer".to_owned()).spawn(run)?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            waiting: 0,
            spare: Vec::new(),
            thread: Some(thread),
        })
    }

    fn give(&mut self, job: Job) -> io::Result<()> {
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).map_err(|_| gone())?;
        self.waiting += 1;
        Ok(())
    }

    /// Waits until no more than so many writes wait.
    fn wait(&mut self, most: usize) -> io::Result<()> {
        while self.waiting > most {
            let Done { used, result } = self.done.recv().map_err(|_| gone())?;
            self.waiting -= 1;
            self.spare.push(used);
            result?;
        }
        Ok(())
    }
}

impl Write for Behind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(WAITING - 1)?;
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(bytes);
        self.give(Job::Write(copy))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wait(WAITING - 1)?;
        self.give(Job::Flush)?;
        self.wait(0)
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.jobs = None;
        // What waits is written first. Those who want to know of errors have flushed.
        while self.done.recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that writes has ended early")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    /// Hands on what is written, and refuses what is longer than this.
    struct Stream(std::sync::mpsc::Sender<Vec<u8>>, usize);

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

    #[test]
    fn all_is_written_in_order_whoever_flushes_and_drops() {
        let (send, written) = channel();
        let mut behind = Behind::start(Stream(send, 100)).unwrap();
        for number in 0..20 {
            behind.write_all(&[number]).unwrap();
        }
        behind.flush().unwrap();
        let before: Vec<_> = written.try_iter().collect();
        assert_eq!(before.len(), 21, "all was there when flush returned");
        assert_eq!(before[20], b"flushed");
        behind.write_all(b"last").unwrap();
        drop(behind);
        let after: Vec<_> = written.try_iter().collect();
        let all: Vec<_> = before[..20].iter().map(|one| one[0]).collect();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
        assert_eq!(after, [b"last"]);
    }

    #[test]
    fn an_error_is_told_once_and_each_has_its_own() {
        let (send, written) = channel();
        let mut behind = Behind::start(Stream(send, 3)).unwrap();
        behind.write_all(b"too long").unwrap();
        let error = behind.flush().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        behind.flush().unwrap();
        let mut refused = 0;
        for _ in 0..20 {
            refused += usize::from(behind.write_all(b"again too long").is_err());
        }
        assert!(refused > 5, "{refused} of 20");
        drop(behind);
        assert!(written.iter().all(|bytes| bytes == b"flushed"));
    }
}
