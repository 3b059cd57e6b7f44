//! The threads that carry packets.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::sync::Arc;
use std::thread::{Builder, Scope};
use vpcsim_dataplane::{Program, Work};

/// One thread, with what it is to do and what it has done.
#[derive(Debug)]
struct Worker {
    jobs: Sender<Work>,
    done: Receiver<Work>,
}

/// The thread's side of it.
struct Task {
    waiting: Receiver<Work>,
    finished: Sender<Work>,
}

impl Task {
    /// Works until nobody has any more.
    fn run(&self, program: &Program) {
        for mut work in &self.waiting {
            work.run(program);
            if self.finished.send(work).is_err() {
                break;
            }
        }
    }
}

/// Threads that wait for work until nobody has any for them.
///
/// A state goes to the same thread every time, so that it stays in that core's caches.
#[derive(Debug)]
pub struct Workers(Vec<Worker>);

impl Workers {
    /// Rounds that may be under way: enough that no worker waits for another one or for whoever deals
    /// out, few enough that their packets stay in the second-level cache.
    pub const ROUNDS: usize = 4;

    /// Starts so many threads, at least one.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start<'scope, 'p: 'scope>(
        scope: &'scope Scope<'scope, '_>,
        program: &'p Program,
        workers: usize,
    ) -> io::Result<Self> {
        Self::each(workers, |thread, task| {
            let run = move || task.run(program);
            thread.spawn_scoped(scope, run).map(drop)
        })
    }

    /// The same on threads that end some time after the last of the workers is gone.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start_detached(program: &Arc<Program>, workers: usize) -> io::Result<Self> {
        Self::each(workers, |thread, task| {
            let program = Arc::clone(program);
            thread.spawn(move || task.run(&program)).map(drop)
        })
    }

    fn each(workers: usize, start: impl Fn(Builder, Task) -> io::Result<()>) -> io::Result<Self> {
        let start = |number: usize| {
            // Of each round under way one work at most.
            let (jobs, waiting) = bounded(Self::ROUNDS);
            let (finished, done) = bounded(Self::ROUNDS);
            let thread = Builder::new().name(format!("worker {number}"));
            start(thread, Task { waiting, finished })?;
            Ok(Worker { jobs, done })
        };
        let workers = (0..workers.max(1)).map(start);
        workers.collect::<io::Result<_>>().map(Self)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Gives the works of a round out: each goes to the thread of its lane. There are no more than
    /// threads.
    ///
    /// # Errors
    /// When a thread has ended early: it has panicked.
    pub fn give(&self, works: Vec<Work>) -> io::Result<()> {
        works.into_iter().try_for_each(|work| {
            let worker = &self.0[work.lane() % self.0.len()];
            worker.jobs.send(work).map_err(|_| gone())
        })
    }

    /// Takes so many works of the round given out first back, those of the first lanes, as soon as they
    /// are done.
    ///
    /// # Errors
    /// When a thread has ended early: it has panicked.
    pub fn take(&self, works: usize) -> io::Result<Vec<Work>> {
        let workers = self.0.iter().take(works);
        workers
            .map(|worker| worker.done.recv().map_err(|_| gone()))
            .collect()
    }
}

fn gone() -> io::Error {
    io::Error::other("a worker has ended early")
}
