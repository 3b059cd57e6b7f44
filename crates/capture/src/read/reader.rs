//! The reader: one face for every format and compression.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Found, Stop, compression, need,
    pcap::{Magic, Pcap},
    pcapng::{PcapNg, SECTION_HEADER},
    window::Window,
};
use crate::{
    CaptureError, Compression, FileKind, Format, Interface, LinkType, Part, Warning, WarningKind,
    warning::Warnings,
};

/// A captured packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was captured, in nanoseconds since 1970-01-01 UTC, as the file says: times may go back.
    /// A pcapng simple packet block has none and gets the time of the packet before it (0 if first).
    pub time: u64,
    /// Which of [`Reader::interfaces`] it was captured on; counts on over the sections of a file.
    pub interface: u32,
    /// What its bytes start with.
    pub link_type: LinkType,
    /// How many bytes the packet had, as the file says; more than `data` has when it was captured in part.
    pub original_len: u32,
    /// The bytes that were captured.
    pub data: &'a [u8],
}

/// Reads the packets of a capture, in the order of the file.
///
/// The format and the compression are told by content. Memory is bounded: a buffer that grows with
/// bytes that arrived, up to the longest record ([`crate::MAX_RECORD`]), and at most 32 MiB for zstd. On a
/// stream, a packet is returned before anything beyond it is asked for.
pub struct Reader {
    window: Window,
    kind: Kind,
    format: Format,
    bytes_read: Arc<AtomicU64>,
    warnings: Warnings,
    finished: bool,
    /// A regular file: what it has is there.
    never_waits: bool,
}

enum Kind {
    Pcap(Pcap, Interface),
    PcapNg(PcapNg),
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("format", &self.format)
            .field("offset", &self.window.offset())
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a capture file.
    ///
    /// # Errors
    /// When the file cannot be opened, or what [`Reader::from_stream`] finds.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CaptureError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| CaptureError::Open {
            path: path.to_owned(),
            source,
        })?;
        Self::from_file(file)
    }

    /// Reads a capture from a file that is open. A regular file never has to be
    /// [waited for](Self::next_buffered); others are streams.
    ///
    /// # Errors
    /// As [`Reader::from_stream`].
    pub fn from_file(file: File) -> Result<Self, CaptureError> {
        let never_waits = file.metadata().is_ok_and(|about| about.is_file());
        let reader = Self::from_stream(file)?;
        Ok(Self {
            never_waits,
            ..reader
        })
    }

    /// From here on a thread of its own reads a file, and unpacks it where it is compressed, up to some
    /// 2 MiB ahead. A stream stays as it is: who reads it wants to know when it
    /// [has to wait](Self::next_buffered).
    pub fn read_ahead(&mut self) {
        if self.never_waits && !self.finished {
            self.window.read_ahead();
        }
    }

    /// Reads a capture from a stream: standard input, a pipe, bytes in memory.
    ///
    /// Blocks until the file header (pcap) or the first section header (pcapng) has arrived. Needs no
    /// buffering around the stream.
    ///
    /// # Errors
    /// When the stream cannot be read, is no capture, or has a header that is damaged or of an unknown
    /// version. A capture cut within its header is not an error but has no packets and a warning.
    pub fn from_stream(stream: impl Read + Send + 'static) -> Result<Self, CaptureError> {
        let (source, bytes_read) = compression::Counted::new(stream);
        let mut window = Window::new(Box::new(source));
        let fill = |window: &mut Window, compression| {
            window
                .fill(4)
                .map_err(|source| read_error(source, window.offset(), compression))
        };
        fill(&mut window, None)?;
        let compression = compression::sniff(window.available());
        if let Some(compression) = compression {
            let decoder =
                compression::decoder(compression, window.into_source()).map_err(|source| {
                    CaptureError::Compressed {
                        compression,
                        offset: 0,
                        source,
                    }
                })?;
            window = Window::new(decoder);
            fill(&mut window, Some(compression))?;
        }
        let Some(&first) = window.available().first_chunk::<4>() else {
            return Err(CaptureError::TooShort {
                got: window.available().len(),
            });
        };
        let mut warnings = Warnings::default();
        let (kind, file_kind, cut) = if let Some(magic) = Magic::from_bytes(first) {
            open_pcap(magic, &mut window)
        } else if u32::from_be_bytes(first) == SECTION_HEADER {
            open_pcapng(&mut window)
        } else {
            Err(Stop::Damaged(CaptureError::NotACapture { first }))
        }
        .or_else(|stop| {
            settle(stop, &window, compression, &mut warnings).map(|()| cut_short(first))
        })?;
        let format = Format {
            kind: file_kind,
            compression,
        };
        Ok(Self {
            window,
            kind,
            format,
            bytes_read,
            warnings,
            finished: cut,
            never_waits: false,
        })
    }

    /// The next packet, or `None` at the end.
    ///
    /// A capture that was cut short ends like any other, with a [`Warning`]. After an error about the data
    /// there is nothing more (`None`); after [`CaptureError::Io`] reading can be tried again.
    ///
    /// # Errors
    /// When the source cannot be read or the capture is damaged: what, at which offset, what was wanted
    /// and what is there instead.
    #[inline]
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        if self.finished {
            return Ok(None);
        }
        match self.step() {
            Ok(found) => Ok(Some(self.record(found))),
            Err(stop) => self.stopped(stop).map(|()| None),
        }
    }

    /// The next packet, if nobody has to be waited for; `None` where [`Reader::next_record`] would have
    /// to ask a stream for more, and at the end. Of a [file](Reader::from_file) all is there.
    ///
    /// For who has something to do before it waits: of a pipe nobody knows for how long.
    ///
    /// # Errors
    /// When the capture is damaged, as [`Reader::next_record`].
    #[inline(always)]
    pub fn next_buffered(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        if self.finished {
            return Ok(None);
        }
        self.window.allow_reading(self.never_waits);
        let found = self.step();
        self.window.allow_reading(true);
        match found {
            Ok(found) => Ok(Some(self.record(found))),
            // Not asked, or asked in vain: the step is taken again, and then says so.
            Err(Stop::Io(_)) => Ok(None),
            Err(stop) => self.stopped(stop).map(|()| None),
        }
    }

    #[inline(always)]
    fn step(&mut self) -> Result<Found, Stop> {
        match &mut self.kind {
            Kind::Pcap(pcap, _) => pcap.step(&mut self.window),
            Kind::PcapNg(pcapng) => pcapng.step(&mut self.window, &mut self.warnings),
        }
    }

    #[inline(always)]
    fn record(&self, found: Found) -> Record<'_> {
        let Found {
            time,
            interface,
            original_len,
            data,
        } = found;
        let link_type = match &self.kind {
            Kind::Pcap(_, only) => only.link_type,
            Kind::PcapNg(pcapng) => pcapng.interfaces()[interface as usize].link_type,
        };
        Record {
            time,
            interface,
            link_type,
            original_len,
            data: self.window.bytes(data),
        }
    }

    /// There is no packet: the end, or an error.
    #[cold]
    fn stopped(&mut self, stop: Stop) -> Result<(), CaptureError> {
        self.finished = !matches!(stop, Stop::Io(_));
        let settled = settle(
            stop,
            &self.window,
            self.format.compression,
            &mut self.warnings,
        );
        if let Err(CaptureError::Compressed { .. }) = settled {
            self.finished = true;
        }
        settled
    }

    /// What was odd so far: one warning of each kind. Complete once the end has been reached.
    pub fn warnings(&self) -> &[Warning] {
        self.warnings.as_slice()
    }

    /// How many bytes have been read of the file or the stream (compressed bytes if it is compressed):
    /// for progress. Ahead of the packets by what is buffered.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// The format and compression.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The interfaces seen so far. pcapng may describe more at any time before their first packet.
    pub fn interfaces(&self) -> &[Interface] {
        match &self.kind {
            Kind::Pcap(_, only) => std::slice::from_ref(only),
            Kind::PcapNg(pcapng) => pcapng.interfaces(),
        }
    }
}

/// A reader's kind, the format, and whether it ends in its header.
type Opened = (Kind, FileKind, bool);

fn open_pcap(magic: Magic, window: &mut Window) -> Result<Opened, Stop> {
    let len = magic.header_len();
    need(window, Part::PcapHeader, len)?;
    let (pcap, variant, interface) = Pcap::new(magic, &window.available()[..len])?;
    window.take(len);
    let kind = FileKind::Pcap {
        variant,
        byte_order: magic.byte_order,
    };
    Ok((Kind::Pcap(pcap, interface), kind, false))
}

fn open_pcapng(window: &mut Window) -> Result<Opened, Stop> {
    let mut pcapng = PcapNg::new();
    pcapng.first_section(window)?;
    let kind = FileKind::PcapNg {
        byte_order: pcapng.byte_order(),
    };
    Ok((Kind::PcapNg(pcapng), kind, false))
}

/// A capture that ends in its header: no interface, no packet.
fn cut_short(first: [u8; 4]) -> Opened {
    let pcapng = PcapNg::new();
    let byte_order = pcapng.byte_order();
    let kind = match Magic::from_bytes(first) {
        Some(Magic {
            variant,
            byte_order,
        }) => FileKind::Pcap {
            variant,
            byte_order,
        },
        None => FileKind::PcapNg { byte_order },
    };
    (Kind::PcapNg(pcapng), kind, true)
}

/// Turns the end of the packets into warnings, or into the error that it is.
#[cold]
fn settle(
    stop: Stop,
    window: &Window,
    compression: Option<Compression>,
    warnings: &mut Warnings,
) -> Result<(), CaptureError> {
    match stop {
        Stop::End => {}
        Stop::Cut {
            part,
            offset,
            wanted,
            got,
        } => warnings.add(offset, WarningKind::Truncated { part, wanted, got }),
        Stop::Io(error) => return Err(read_error(error, window.offset(), compression)),
        Stop::Damaged(error) => return Err(error),
    }
    if window.cut() {
        let offset = window.offset() + window.available().len() as u64;
        warnings.add(offset, WarningKind::CompressedTruncated);
    }
    Ok(())
}

fn read_error(source: io::Error, offset: u64, compression: Option<Compression>) -> CaptureError {
    match compression {
        Some(compression) if compression::is_about_data(&source) => CaptureError::Compressed {
            compression,
            offset,
            source,
        },
        _ => CaptureError::Io { offset, source },
    }
}
