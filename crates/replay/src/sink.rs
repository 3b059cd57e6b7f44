//! Where packets go that ended.

use crate::names::drop_text;
use crate::places::Places;
use hashbrown::HashMap;
use std::io::{self, Write};
use vpcsim_capture::{LinkType, WriteError, Writer};
use vpcsim_dataplane::{Drop, Place, Program};
use vpcsim_flowlog::Record;

/// Takes the packets that ended. `()` takes none of them.
pub trait Sink {
    /// Whether it wants packets at all: else it is handed none. Asked once for many packets.
    fn wants_packets(&self) -> bool {
        true
    }

    /// A packet arrived: `bytes` is what it looks like there, from its IPv4 header on, of
    /// `original_len` bytes; `time` is in nanoseconds since 1970.
    ///
    /// # Errors
    /// When it cannot be taken: the replay ends.
    fn delivered(
        &mut self,
        place: Place,
        time: u64,
        original_len: u32,
        bytes: &[u8],
    ) -> io::Result<()>;

    /// A packet was dropped: `bytes` is what it looked like there. Called only where drops are
    /// asked for ([`crate::Options::keep_drops`]).
    ///
    /// # Errors
    /// When it cannot be taken: the replay ends.
    fn dropped(
        &mut self,
        drop: &Drop,
        time: u64,
        original_len: u32,
        bytes: &[u8],
    ) -> io::Result<()>;

    /// A flow-log record is complete. Called only where they are asked for
    /// ([`crate::Options::flow_log`]), in the order of their windows.
    ///
    /// # Errors
    /// When it cannot be taken: the replay ends.
    fn flow_record(&mut self, _record: &Record<'_>) -> io::Result<()> {
        Ok(())
    }

    /// The next packet has to be waited for: what was taken should be seen now.
    ///
    /// # Errors
    /// When it cannot be passed on: the replay ends.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for () {
    fn wants_packets(&self) -> bool {
        false
    }

    fn delivered(&mut self, _: Place, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn dropped(&mut self, _: &Drop, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// The name of the interface that dropped packets are written on.
const DROPPED: &str = "dropped";
/// The most that is written of one packet: only a super-packet without a stated length is longer.
const MOST_WRITTEN: usize = 8 << 20;

/// Writes pcapng: one interface per place, in the order in which they are first reached.
#[derive(Debug)]
pub struct PcapngSink<'p, W: Write> {
    program: &'p Program,
    writer: Writer<W>,
    places: Places,
    /// By the number of the place.
    interfaces: Vec<Option<u32>>,
    dropped: Option<u32>,
    /// What is said of each kind of drop, made once.
    comments: HashMap<Drop, String>,
}

/// Comments kept beyond this many kinds of drop would be memory for packets.
const MOST_COMMENTS: usize = 4096;

impl<'p, W: Write> PcapngSink<'p, W> {
    /// Starts a file.
    ///
    /// # Errors
    /// When the output refuses the header.
    pub fn new(program: &'p Program, out: W) -> io::Result<Self> {
        let places = Places::new(program);
        Ok(Self {
            program,
            writer: Writer::new(out).map_err(to_io)?,
            places,
            interfaces: vec![None; places.len()],
            dropped: None,
            comments: HashMap::new(),
        })
    }

    /// From here on a thread of its own hands bytes to the output; what that refuses, a later call says.
    pub fn write_behind(&mut self)
    where
        W: Send + 'static,
    {
        self.writer.write_behind();
    }

    /// Ends the file and gives the output back.
    ///
    /// # Errors
    /// When the output refuses the last bytes.
    pub fn finish(self) -> io::Result<W> {
        self.writer.finish().map_err(to_io)
    }
}

impl<W: Write> Sink for PcapngSink<'_, W> {
    fn delivered(
        &mut self,
        place: Place,
        time: u64,
        original_len: u32,
        bytes: &[u8],
    ) -> io::Result<()> {
        let known = &mut self.interfaces[self.places.number(place)];
        let interface = match *known {
            Some(interface) => interface,
            None => {
                let name = self.program.place_name(place);
                let added = self.writer.add_interface(&name, LinkType::RAW, 0, None);
                *known.insert(added.map_err(to_io)?)
            }
        };
        self.writer
            .write(interface, time, original_len, kept(bytes), None)
            .map_err(to_io)
    }

    fn dropped(
        &mut self,
        drop: &Drop,
        time: u64,
        original_len: u32,
        bytes: &[u8],
    ) -> io::Result<()> {
        let interface = match self.dropped {
            Some(interface) => interface,
            None => {
                let added = self.writer.add_interface(DROPPED, LinkType::RAW, 0, None);
                *self.dropped.insert(added.map_err(to_io)?)
            }
        };
        if self.comments.len() >= MOST_COMMENTS {
            self.comments.clear();
        }
        let comment = self
            .comments
            .entry(*drop)
            .or_insert_with(|| drop_text(self.program, drop));
        self.writer
            .write(interface, time, original_len, kept(bytes), Some(comment))
            .map_err(to_io)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(to_io)
    }
}

fn kept(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(MOST_WRITTEN)]
}

fn to_io(error: WriteError) -> io::Error {
    match error {
        WriteError::Io(error) => error,
        other => io::Error::other(other),
    }
}
