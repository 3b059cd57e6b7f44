//! A replay from its inputs to its report.

use super::captures::{Captures, is_standard, unreadable};
use super::destination;
use crate::args::Out;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{Output, Status};
use crate::progress::Meter;
use crate::render;
use std::io;
use std::ops::ControlFlow;
use vpcsim_dataplane::Program;
use vpcsim_replay::{Options, PcapngSink, Progress, ReplayError, Report, Sink, replay};

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) program: &'a Program,
    pub(crate) options: &'a Options,
    pub(crate) out: &'a Out,
    pub(crate) json: bool,
}

/// Replays, writes what is to be written, and reports.
pub(crate) fn run(job: &Job<'_>, captures: Captures, output: &Output) -> Result<Status, Failure> {
    let (report, failure) = match replayed(job, captures) {
        Ok(report) => {
            let failure = nothing(&report);
            (report, failure)
        }
        Err(End::Cut(report, failure)) => (*report, Some(failure)),
        Err(End::ReaderGone) => return Ok(Status::Done),
        Err(End::Failed(failure)) => return Err(failure),
    };
    publish(job, &report, output)?;
    failure.map_or(Ok(Status::Done), Err)
}

/// Why there is no whole report.
enum End {
    /// A capture is damaged: what was counted until there.
    Cut(Box<Report>, Failure),
    /// Nobody reads the packets any more.
    ReaderGone,
    /// Nothing was done.
    Failed(Failure),
}

fn replayed(job: &Job<'_>, captures: Captures) -> Result<Report, End> {
    let mut meter = Meter::new(captures.size);
    let interrupt = Interrupt::listen(captures.size.is_none());
    let mut on_progress = |progress: Progress| {
        meter.show(progress);
        if interrupt.came() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let destination = job.out.output.as_deref().map(destination).transpose();
    let result = match destination.map_err(End::Failed)? {
        None => replay(
            job.program,
            captures.inputs,
            job.options,
            &mut (),
            &mut on_progress,
        ),
        Some((name, stream)) => {
            let mut sink =
                PcapngSink::new(job.program, stream).map_err(|error| unwritable(&name, error))?;
            let taken: &mut dyn Sink = &mut sink;
            let result = replay(
                job.program,
                captures.inputs,
                job.options,
                taken,
                &mut on_progress,
            );
            let finished = sink.finish().map_err(|error| unwritable(&name, error));
            match result {
                Err(ReplayError::Sink(error)) => return Err(unwritable(&name, error)),
                other => finished.and(Ok(other))?,
            }
        }
    };
    meter.clear();
    result.map_err(|error| match error {
        ReplayError::Capture {
            name,
            source,
            report,
        } => End::Cut(report, unreadable(&name, source)),
        ReplayError::Sink(error) => unwritable("the packets", error),
        error @ ReplayError::Workers(_) => End::Failed(Failure::new(error.to_string())),
    })
}

fn unwritable(name: &str, error: io::Error) -> End {
    match error.kind() {
        io::ErrorKind::BrokenPipe => End::ReaderGone,
        _ => End::Failed(Failure::new(format!("cannot write {name}: {error}"))),
    }
}

/// The report goes to standard output, unless the packets do.
fn publish(job: &Job<'_>, report: &Report, output: &Output) -> Result<(), Failure> {
    let taken = job.out.output.as_deref().is_some_and(is_standard);
    match (job.json, taken) {
        (true, false) => output.json(report),
        (true, true) => output.json_note(report),
        (false, false) => output.print(&render::report::text(report, output.width())),
        (false, true) => {
            output.note(&render::report::text(report, output.error_width()));
            Ok(())
        }
    }
}

/// Why no packet met the network, if none did: then something is amiss.
fn nothing(report: &Report) -> Option<Failure> {
    let verdicts = &report.verdicts;
    if verdicts.delivered + verdicts.dropped + verdicts.held > 0 {
        return None;
    }
    let why = render::report::why_nothing(report);
    let failure = Failure::new(format!("no packet was replayed: {why}"));
    Some(if verdicts.unattributed > 0 {
        failure.with_help(
            "say where they come from: --map ADDR=CVM for a host, --at PLACE for the whole capture",
        )
    } else {
        failure
    })
}
