//! All that a replay writes: packets, flow logs.

use super::flow_log::FlowLogFile;
use std::io::{self, Write};
use vpcsim_dataplane::{Drop, Place, Program};
use vpcsim_flowlog::Record;
use vpcsim_replay::{PcapngSink, Sink, has_cores};

/// Where packets and records go that are wanted.
pub(super) struct Sinks<'p> {
    packets: Option<(String, PcapngSink<'p, Box<dyn Write + Send>>)>,
    flows: Option<FlowLogFile>,
    /// The file that took no more.
    failed: Option<String>,
}

/// A file that took no more, and why.
pub(super) type Refused = (String, io::Error);

impl<'p> Sinks<'p> {
    /// Begins to write: packets to a stream of this name, records to a file.
    pub(super) fn new(
        program: &'p Program,
        packets: Option<(String, Box<dyn Write + Send>)>,
        flows: Option<FlowLogFile>,
    ) -> Result<Self, Refused> {
        let packets = match packets {
            Some((name, stream)) => match PcapngSink::new(program, stream) {
                Ok(mut sink) => {
                    if has_cores() {
                        sink.write_behind();
                    }
                    Some((name, sink))
                }
                Err(error) => return Err((name, error)),
            },
            None => None,
        };
        Ok(Self {
            packets,
            flows,
            failed: None,
        })
    }

    /// The file that took no more.
    pub(super) fn failed(&self) -> String {
        self.failed
            .clone()
            .unwrap_or_else(|| "the packets".to_owned())
    }

    /// Ends the files.
    pub(super) fn finish(self) -> Result<(), Refused> {
        let packets = match self.packets {
            Some((name, sink)) => sink.finish().map(drop).map_err(|error| (name, error)),
            None => Ok(()),
        };
        let flows = match self.flows {
            Some(file) => {
                let name = file.name.clone();
                file.finish().map_err(|error| (name, error))
            }
            None => Ok(()),
        };
        packets.and(flows)
    }

    fn with_packets(
        &mut self,
        take: impl FnOnce(&mut dyn Sink) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some((name, sink)) = &mut self.packets else {
            return Ok(());
        };
        take(sink).inspect_err(|_| self.failed = Some(name.clone()))
    }

    fn with_flows(
        &mut self,
        take: impl FnOnce(&mut FlowLogFile) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(file) = &mut self.flows else {
            return Ok(());
        };
        take(file).inspect_err(|_| self.failed = Some(file.name.clone()))
    }
}

impl Sink for Sinks<'_> {
    fn wants_packets(&self) -> bool {
        self.packets.is_some()
    }

    fn delivered(&mut self, place: Place, time: u64, len: u32, bytes: &[u8]) -> io::Result<()> {
        self.with_packets(|sink| sink.delivered(place, time, len, bytes))
    }

    fn dropped(&mut self, drop: &Drop, time: u64, len: u32, bytes: &[u8]) -> io::Result<()> {
        self.with_packets(|sink| sink.dropped(drop, time, len, bytes))
    }

    fn flow_record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.with_flows(|file| file.write(record))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with_packets(|sink| sink.flush())?;
        self.with_flows(FlowLogFile::flush)
    }
}
