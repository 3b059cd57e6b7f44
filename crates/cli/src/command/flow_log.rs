//! The file that flow-log records go to.

use super::captures::is_same;
use crate::args::Watch;
use crate::failure::Failure;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use vpcsim_flowlog::{Format, Record, Writer};
use vpcsim_replay::FlowLogOptions;

/// A flow log being written.
#[derive(Debug)]
pub(super) struct FlowLogFile {
    pub(super) name: String,
    writer: Writer<File>,
}

/// How flows are to be logged, if they are.
pub(super) fn options(args: &Watch) -> Option<FlowLogOptions> {
    args.flow_log.as_ref().map(|_| FlowLogOptions {
        window_seconds: args.flow_log_window,
        ..FlowLogOptions::default()
    })
}

/// Says no to a log that would take the place of what is read, or written otherwise.
pub(super) fn check(
    args: &Watch,
    read: &[&[PathBuf]],
    output: Option<&Path>,
) -> Result<(), Failure> {
    let Some(path) = &args.flow_log else {
        return Ok(());
    };
    let name = path.display();
    Format::of(path).map_err(|error| Failure::new(error.to_string()).with_help(error.help()))?;
    if read
        .iter()
        .copied()
        .flatten()
        .any(|read| is_same(read, path))
    {
        return Err(
            Failure::new(format!("{name} would be overwritten by its own replay"))
                .with_help("write the flow log to another file"),
        );
    }
    if output.is_some_and(|output| output == path || is_same(output, path)) {
        return Err(Failure::new(format!(
            "{name} cannot hold both packets and the flow log"
        )));
    }
    Ok(())
}

impl FlowLogFile {
    /// Opens the file that the arguments name, if they do.
    pub(super) fn open(args: &Watch) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.flow_log else {
            return Ok(None);
        };
        let name = path.display().to_string();
        let cannot = |error: io::Error| Failure::new(format!("cannot write {name}: {error}"));
        let format = Format::of(path)
            .map_err(|error| Failure::new(error.to_string()).with_help(error.help()))?;
        let writer = File::create(path).and_then(|file| Writer::new(format, file));
        let writer = writer.map_err(cannot)?;
        Ok(Some(Self { name, writer }))
    }

    pub(super) fn write(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.writer.write(record)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.writer.finish().map(drop)
    }
}
