//! The threads that carry packets.

use crossbeam_channel::{Receiver, RecvError, Sender, TryRecvError, bounded};
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{Builder, Scope, available_parallelism};
use std::time::{Duration, Instant};
use vpcsim_dataplane::{Program, Work};

/// Whether another core can do what is not this thread's to do.
pub fn has_cores() -> bool {
    cores() > 1
}

fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

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
    patience: Patience,
}

/// How long a thread looks for what comes next before it sleeps: to wake it takes some 50 µs, in which it
/// could carry a thousand packets. Where there is a core for each thread it costs nobody anything.
#[derive(Debug, Clone, Copy)]
struct Patience(Duration);

impl Patience {
    /// Of threads of which so many share the machine's cores.
    fn of(threads: usize) -> Self {
        Self(Duration::from_millis(if threads <= cores() {
            2
        } else {
            0
        }))
    }

    /// The next that comes.
    fn receive<T>(self, from: &Receiver<T>) -> Result<T, RecvError> {
        if self.0.is_zero() {
            return from.recv();
        }
        let began = Instant::now();
        loop {
            match from.try_recv() {
                Ok(next) => return Ok(next),
                Err(TryRecvError::Disconnected) => return Err(RecvError),
                Err(TryRecvError::Empty) if began.elapsed() < self.0 => {
                    (0..32).for_each(|_| std::hint::spin_loop());
                }
                Err(TryRecvError::Empty) => return from.recv(),
            }
        }
    }
}

impl Task {
    /// Works until nobody has any more.
    fn run(&self, program: &Program) {
        while let Ok(mut work) = self.patience.receive(&self.waiting) {
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
pub struct Workers {
    workers: Vec<Worker>,
    patience: Patience,
}

impl Workers {
    /// Rounds that may be under way: enough that no worker waits for another one or for whoever deals
    /// out, few enough that their packets stay in the second-level cache.
    pub const ROUNDS: usize = 8;

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
        let workers = workers.max(1);
        // And the one that deals out.
        let patience = Patience::of(workers + 1);
        let start = |number: usize| {
            // Of each round under way one work at most.
            let (jobs, waiting) = bounded(Self::ROUNDS);
            let (finished, done) = bounded(Self::ROUNDS);
            let thread = Builder::new().name(format!("worker {number}"));
            let task = Task {
                waiting,
                finished,
                patience,
            };
            start(thread, task)?;
            Ok(Worker { jobs, done })
        };
        let workers = (0..workers).map(start).collect::<io::Result<_>>()?;
        Ok(Self { workers, patience })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.workers.len()
    }

    /// Gives the works of a round out: each goes to the thread of its lane. There are no more than
    /// threads.
    ///
    /// # Errors
    /// When a thread has ended early: it has panicked.
    pub fn give(&self, works: Vec<Work>) -> io::Result<()> {
        works.into_iter().try_for_each(|work| {
            let worker = &self.workers[work.lane() % self.workers.len()];
            worker.jobs.send(work).map_err(|_| gone())
        })
    }

    /// Takes so many works of the round given out first back, those of the first lanes, as soon as they
    /// are done.
    ///
    /// # Errors
    /// When a thread has ended early: it has panicked.
    pub fn take(&self, works: usize) -> io::Result<Vec<Work>> {
        let workers = self.workers.iter().take(works);
        let done = workers.map(|worker| self.patience.receive(&worker.done));
        done.map(|work| work.map_err(|_| gone())).collect()
    }
}

fn gone() -> io::Error {
    io::Error::other("a worker has ended early")
}
