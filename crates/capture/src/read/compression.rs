//! Compressed streams, told by their first bytes.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::read::MultiGzDecoder;
use zstd::stream::read::Decoder;

use crate::Compression;

/// The largest zstd window, as a power of two: 32 MiB. Levels up to 20 need no more; `--ultra -22` and
/// `--long` may ask for 128 MiB and are refused by the decoder.
const ZSTD_WINDOW_LOG_MAX: u32 = 25;

/// Which compression a stream that starts with `first` has.
pub(super) fn sniff(first: &[u8]) -> Option<Compression> {
    match first {
        // RFC 1952 §2.3.1.
        [0x1f, 0x8b, ..] => Some(Compression::Gzip),
        // RFC 8878 §3.1.1, and the skippable frames of §3.1.2 that some tools put first.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Some(Compression::Zstd)
        }
        _ => None,
    }
}

/// The uncompressed stream inside `source`.
pub(super) fn decoder(
    compression: Compression,
    source: Box<dyn Read + Send>,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
        Compression::Zstd => {
            let mut decoder = Decoder::new(source)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    })
}

/// Whether an error of a decoder is about its data, not about reading it.
pub(super) fn is_about_data(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other};
    error.raw_os_error().is_none() && matches!(error.kind(), InvalidData | InvalidInput | Other)
}

/// A source that counts what is read of it.
pub(super) struct Counted<R> {
    source: R,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// The source and its count, in bytes.
    pub(super) fn new(source: R) -> (Self, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        (
            Self {
                source,
                count: Arc::clone(&count),
            },
            count,
        )
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
