//! Whole captures, one after another on one clock.

use crate::replay::{Options, Replay};
use crate::report::Report;
use crate::sink::Sink;
use crate::workers::{Workers, has_cores};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};
use vpcsim_capture::{CaptureError, Reader, Record};
use vpcsim_dataplane::{Batch, Program, SHARDS};

/// A capture to be replayed.
#[derive(Debug)]
pub struct Input {
    /// What the report calls it.
    pub name: String,
    /// Where its packets come from.
    pub reader: Reader,
}

impl Input {
    /// Opens a file; the report calls it by its path.
    ///
    /// # Errors
    /// When it cannot be opened or is no capture.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CaptureError> {
        let path = path.as_ref();
        Ok(Self {
            name: path.display().to_string(),
            reader: Reader::open(path)?,
        })
    }
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Packets so far, of all captures.
    pub packets: u64,
    /// Bytes of the inputs read so far, of all captures, compressed as they are.
    pub bytes_read: u64,
    /// Which input is being replayed, from 0.
    pub input: usize,
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A capture is damaged, or cannot be read on.
    #[error("{name}: {source}")]
    Capture {
        /// The capture.
        name: String,
        /// What is wrong with it.
        source: CaptureError,
        /// What was counted up to there.
        report: Box<Report>,
    },
    /// The sink did not take a packet.
    #[error("cannot write packets: {0}")]
    Sink(#[from] io::Error),
    /// The system has no threads for the workers.
    #[error("cannot start workers: {0}")]
    Workers(#[source] io::Error),
}

/// Packets between two looks at the clock.
pub(crate) const LOOK_EVERY: u64 = Batch::SIZE as u64;
/// Time between two calls of `on_progress`.
pub(crate) const TELL_EVERY: Duration = Duration::from_millis(50);

/// Replays captures one after another on one clock: a later capture's earlier times are held at
/// the latest seen.
///
/// `on_progress` is called some twenty times a second while packets come, and at the end of each
/// capture. When it breaks, the rest is left unread: the report speaks of what was replayed until
/// then, and a warning in it says so.
///
/// # Errors
/// When a capture is damaged (the report up to there is in the error, and the sink has what ended
/// up to there), or when the sink takes no more.
pub fn replay(
    program: &Program,
    inputs: Vec<Input>,
    options: &Options,
    sink: &mut dyn Sink,
    on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Report, ReplayError> {
    // Who counts what rules decide sees the packets in order.
    let watches = options.rules || options.flow_log.is_some();
    if options.workers <= 1 || watches {
        return run(Replay::new(program, options), inputs, sink, on_progress);
    }
    std::thread::scope(|scope| {
        let workers = options.workers.min(SHARDS);
        let workers = Workers::start(scope, program, workers).map_err(ReplayError::Workers)?;
        let replay = Replay::with_workers(program, options, workers);
        run(replay, inputs, sink, on_progress)
    })
}

fn run(
    replay: Replay<'_>,
    inputs: Vec<Input>,
    sink: &mut dyn Sink,
    on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Report, ReplayError> {
    let mut replaying = Replaying { replay, sink };
    let damage = read(inputs, &mut replaying, on_progress)?;
    let report = replaying.replay.finish(sink)?;
    match damage {
        None => Ok(report),
        Some((name, source)) => Err(ReplayError::Capture {
            name,
            source,
            report: Box::new(report),
        }),
    }
}

/// Takes the packets of captures.
pub(crate) trait Take {
    /// Why it takes no more.
    type Error;

    /// The packets from here on are of another capture.
    fn begin_capture(&mut self, name: &str, format: &str);

    /// Something is odd about the capture begun last.
    fn capture_warning(&mut self, text: String);

    /// Packets so far.
    fn packets(&self) -> u64;

    /// Takes a packet.
    fn packet(&mut self, record: &Record<'_>) -> Result<(), Self::Error>;

    /// The next packet has to be waited for; those that are there do not wait.
    fn flush(&mut self) -> Result<(), Self::Error>;
}

/// A replay with the sink that takes what ends.
struct Replaying<'a, 'p> {
    replay: Replay<'p>,
    sink: &'a mut dyn Sink,
}

impl Take for Replaying<'_, '_> {
    type Error = io::Error;

    fn begin_capture(&mut self, name: &str, format: &str) {
        self.replay.begin_capture(name, format);
    }

    fn capture_warning(&mut self, text: String) {
        self.replay.capture_warning(text);
    }

    fn packets(&self) -> u64 {
        self.replay.packets()
    }

    fn packet(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.replay.packet(record, self.sink)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.replay.flush(self.sink)?;
        self.sink.flush()
    }
}

/// Reads captures to their ends, or until one of them is damaged: which one, and by what.
///
/// # Errors
/// When no more is taken.
pub(crate) fn read<T: Take>(
    inputs: Vec<Input>,
    take: &mut T,
    on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<(String, CaptureError)>, T::Error> {
    let mut read_before = 0;
    let mut told = Instant::now();
    for (input, Input { name, mut reader }) in inputs.into_iter().enumerate() {
        take.begin_capture(&name, &reader.format().to_string());
        if has_cores() {
            reader.read_ahead();
        }
        let progress = |take: &T, reader: &Reader| Progress {
            packets: take.packets(),
            bytes_read: read_before + reader.bytes_read(),
            input,
        };
        let mut stopped = false;
        let damage = loop {
            let mut waits = false;
            let record = match reader.next_buffered() {
                Ok(None) => {
                    take.flush()?;
                    waits = true;
                    reader.next_record()
                }
                other => other,
            };
            match record {
                Ok(Some(record)) => take.packet(&record)?,
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            let look = waits || take.packets().is_multiple_of(LOOK_EVERY);
            if look && told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                if on_progress(progress(take, &reader)).is_break() {
                    stopped = true;
                    break None;
                }
            }
        };
        for warning in reader.warnings() {
            take.capture_warning(warning.to_string());
        }
        if stopped {
            take.capture_warning("interrupted: the rest was not read".to_owned());
            break;
        }
        // What it says at the end of a capture stops nothing that is not done already.
        let _ = on_progress(progress(take, &reader));
        if let Some(source) = damage {
            take.capture_warning(source.to_string());
            return Ok(Some((name, source)));
        }
        read_before += reader.bytes_read();
    }
    Ok(None)
}
