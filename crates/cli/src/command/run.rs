//! A replay from its inputs to its report.

use super::captures::{Captures, is_standard, unreadable};
use super::destination;
use super::flow_log::FlowLogFile;
use super::sinks::{Refused, Sinks};
use crate::args::{Out, Watch};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{Output, Status};
use crate::progress::Meter;
use crate::render;
use std::io::{self, Write};
use std::path::Path;
use vpcsim_dataplane::Program;
use vpcsim_replay::{Options, Progress, ReplayError, Report, Verdicts, replay};

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) program: &'a Program,
    /// What the network is called.
    pub(crate) network: &'a str,
    pub(crate) options: &'a Options,
    pub(crate) out: &'a Out,
    pub(crate) watch: &'a Watch,
    pub(crate) json: bool,
}

/// Replays, writes what is to be written, and reports.
pub(crate) fn run(job: &Job<'_>, captures: Captures, output: &Output) -> Result<Status, Failure> {
    // Whether it can be written is known before the work is done.
    let page = job.out.html.as_deref().map(page_file).transpose()?;
    let (report, failure) = match replayed(job, captures) {
        Ok(report) => {
            let failure = nothing(&report);
            (report, failure)
        }
        Err(End::Cut(report, failure)) => (*report, Some(failure)),
        Err(End::ReaderGone) => return Ok(Status::Done),
        Err(End::Failed(failure)) => return Err(failure),
    };
    if let Some((name, mut file)) = page {
        let page = vpcsim_picture::page(job.program, job.network, &report);
        file.write_all(page.as_bytes())
            .map_err(|error| Failure::new(format!("cannot write {name}: {error}")))?;
    }
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
    let mut on_progress = |progress: Progress| meter.show_until(progress, &interrupt);
    let packets = job.out.output.as_deref().map(destination).transpose();
    let flows = FlowLogFile::open(job.watch).map_err(End::Failed)?;
    let mut sinks =
        Sinks::new(job.program, packets.map_err(End::Failed)?, flows).map_err(unwritable)?;
    let result = replay(
        job.program,
        captures.inputs,
        job.options,
        &mut sinks,
        &mut on_progress,
    );
    let failed = sinks.failed();
    let finished = sinks.finish().map_err(unwritable);
    meter.clear();
    let result = result.map_err(|error| match error {
        ReplayError::Capture {
            name,
            source,
            report,
        } => End::Cut(report, unreadable(&name, source)),
        ReplayError::Sink(error) => unwritable((failed, error)),
        error @ ReplayError::Workers(_) => End::Failed(Failure::new(error.to_string())),
    });
    match result {
        Err(End::Failed(_) | End::ReaderGone) => result,
        other => finished.and(other),
    }
}

fn unwritable((name, error): Refused) -> End {
    match error.kind() {
        io::ErrorKind::BrokenPipe => End::ReaderGone,
        _ => End::Failed(Failure::new(format!("cannot write {name}: {error}"))),
    }
}

/// Opens what the page is written to.
fn page_file(path: &Path) -> Result<(String, Box<dyn Write + Send>), Failure> {
    if is_standard(path) {
        return Err(
            Failure::new("the page needs a file: standard output has the report")
                .with_help("`--html report.html`"),
        );
    }
    destination(path)
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
    let captures = report.captures.len();
    Some(no_packet(report.packets, captures, verdicts))
}

/// That no packet met the network, and why.
pub(super) fn no_packet(packets: u64, captures: usize, verdicts: &Verdicts) -> Failure {
    let why = render::report::why_nothing(packets, captures, verdicts);
    let failure = Failure::new(format!("no packet was replayed: {why}"));
    if verdicts.unattributed > 0 {
        failure.with_help(
            "say where they come from: --map ADDR=CVM for a host, --at PLACE for the whole capture",
        )
    } else {
        failure
    }
}
