//! However large a file is or says it is, reading takes less than 64 MiB.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]
// An allocator cannot be written without; the crate itself forbids it.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{self, Cursor, Read, Write},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use vpcsim_capture::{CaptureError, Reader, WarningKind};

const LIMIT: usize = 64 << 20;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system allocator unchanged; the counters are beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time, and what it took.
struct Measure {
    _one: MutexGuard<'static, ()>,
    /// Bytes of the process in memory at the start, where the system tells and lets us reset the peak.
    resident: Option<usize>,
}

/// Measures from here on.
fn measure() -> Measure {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    PEAK.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
    let mut measure = Measure {
        _one: one,
        resident: None,
    };
    measure.restart();
    measure
}

impl Measure {
    /// Forgets what was taken so far.
    fn restart(&mut self) {
        PEAK.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
        // proc_pid_clear_refs(5): 5 resets the peak.
        let reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        self.resident = reset.then(|| status("VmRSS:")).flatten();
    }

    /// Asserts on the Rust side's peak and, as zstd's C library allocates for itself, on the process's.
    fn assert_small(&self) {
        let peak = PEAK.load(Ordering::Relaxed);
        assert!(peak < LIMIT, "{peak} bytes were allocated");
        if let (Some(before), Some(peak)) = (self.resident, status("VmHWM:")) {
            let taken = peak.saturating_sub(before);
            assert!(taken < LIMIT, "{taken} bytes more were resident");
        }
    }
}

/// A line of Linux's /proc/self/status, in bytes.
fn status(line: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let value = status
        .lines()
        .find_map(|candidate| candidate.strip_prefix(line))?;
    Some(value.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}

/// Reads to the end: packets, bytes, the error if there is one.
fn drain(reader: &mut Reader) -> (u64, u64, Option<CaptureError>) {
    let (mut packets, mut bytes) = (0, 0);
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                packets += 1;
                bytes += record.data.len() as u64;
            }
            Ok(None) => return (packets, bytes, None),
            Err(error) => return (packets, bytes, Some(error)),
        }
    }
}

fn pcap_header() -> Vec<u8> {
    let mut header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    header.resize(16, 0);
    header.extend([0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    header
}

fn pcapng_header() -> Vec<u8> {
    let mut header = vec![
        0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
    ];
    header.extend([0xff; 8]);
    header.extend([28, 0, 0, 0]);
    header
}

fn sparse(start: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(start).unwrap();
    file.as_file().set_len(4 << 30).unwrap();
    file
}

#[test]
fn a_sparse_file_of_4_gib_is_refused_at_its_hole() {
    let measure = measure();
    assert!(matches!(
        Reader::open(sparse(b"").path()),
        Err(CaptureError::NotACapture { .. })
    ));
    let mut pcap = Reader::open(sparse(&pcap_header()).path()).unwrap();
    assert!(matches!(
        drain(&mut pcap),
        (0, 0, Some(CaptureError::ZeroFilled { offset: 24 }))
    ));
    let mut pcapng = Reader::open(sparse(&pcapng_header()).path()).unwrap();
    assert!(matches!(
        drain(&mut pcapng),
        (0, 0, Some(CaptureError::LengthTooSmall { offset: 28, .. }))
    ));
    measure.assert_small();
}

#[test]
fn a_block_of_4_gib_is_skipped_without_being_kept() {
    let measure = measure();
    let len = u32::try_from((4_u64 << 30) - 28).unwrap();
    let start = [
        &pcapng_header()[..],
        &0xbad_u32.to_le_bytes(),
        &len.to_le_bytes(),
    ]
    .concat();
    let body = io::repeat(0).take(u64::from(len) - 12);
    let stream = Cursor::new(start)
        .chain(body)
        .chain(Cursor::new(len.to_le_bytes()));
    let mut reader = Reader::from_stream(stream).unwrap();
    assert!(matches!(drain(&mut reader), (0, 0, None)));
    assert!(reader.warnings().is_empty());
    assert_eq!(reader.bytes_read(), 4 << 30);
    measure.assert_small();
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    let _measure = measure();
    for len in [
        16_u32 << 20,
        (16 << 20) - 16,
        1 << 31,
        u32::MAX,
        u32::MAX - 3,
    ] {
        let word = len.to_le_bytes();
        let record = [&pcap_header()[..], &[1; 8], &word, &word, &[7; 100]].concat();
        let header = pcapng_header();
        let mut files = vec![record];
        for kind in [1_u32, 2, 3, 6, 5, 0x0a0d_0d0a] {
            let body = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[0; 60]].concat();
            files.push([&header[..], &kind.to_le_bytes(), &word, &body].concat());
        }
        // The length of the very first block, too.
        files.push([&header[..4], &word, &header[8..]].concat());
        for file in files {
            if let Ok(mut reader) = Reader::from_stream(Cursor::new(file)) {
                let (packets, _, error) = drain(&mut reader);
                let cut = reader
                    .warnings()
                    .iter()
                    .any(|w| matches!(w.kind, WarningKind::Truncated { .. }));
                assert!(packets == 0 && (error.is_some() || cut), "length {len}");
            }
        }
    }
    let peak = PEAK.load(Ordering::Relaxed);
    assert!(peak < 4 << 20, "{peak} bytes were allocated for a length");
}

#[test]
fn the_longest_packet_fits() {
    let measure = measure();
    let len = vpcsim_capture::MAX_RECORD as u32;
    let start = [
        &pcap_header()[..],
        &[1; 8],
        &len.to_le_bytes(),
        &len.to_le_bytes(),
    ]
    .concat();
    let stream = Cursor::new(start).chain(io::repeat(5).take(len.into()));
    assert!(matches!(
        drain(&mut Reader::from_stream(stream).unwrap()),
        (1, 0x100_0000, None)
    ));
    measure.assert_small();
}

/// A pcap file of `count` packets of 64 KiB of zeros, which compresses a thousandfold.
fn bomb(count: usize, mut out: impl Write) {
    out.write_all(&pcap_header()).unwrap();
    let record = [&[1; 8][..], &[0, 0, 1, 0, 0, 0, 1, 0], &vec![0; 1 << 16]].concat();
    (0..count).for_each(|_| out.write_all(&record).unwrap());
}

#[test]
fn a_bomb_goes_off_one_packet_at_a_time() {
    let measure = measure();
    let count = 8192;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bomb(count, &mut gzip);
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    bomb(count, &mut zstd);
    for file in [gzip.finish().unwrap(), zstd.finish().unwrap()] {
        assert!(file.len() < 8 << 20);
        let mut reader = Reader::from_stream(Cursor::new(file)).unwrap();
        assert!(
            matches!(drain(&mut reader), (8192, 0x2000_0000, None)),
            "512 MiB in 8192 packets"
        );
    }
    measure.assert_small();
}

#[test]
fn a_zstd_window_larger_than_32_mib_is_refused() {
    let mut measure = measure();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0];
    frame.push(17 << 3); // Window of 2^27 bytes (RFC 8878 §3.1.1.1.2).
    frame.extend([1, 0, 0]);
    let error = Reader::from_stream(Cursor::new(frame)).unwrap_err();
    assert!(matches!(error, CaptureError::Compressed { .. }), "{error}");
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(25).unwrap();
    bomb(1024, &mut encoder);
    let file = encoder.finish().unwrap();
    measure.restart();
    let mut reader = Reader::from_stream(Cursor::new(file)).unwrap();
    assert!(matches!(drain(&mut reader), (1024, _, None)));
    measure.assert_small();
}

#[test]
fn a_year_of_packets_takes_no_memory() {
    let _measure = measure();
    let before = NOW.load(Ordering::Relaxed);
    let record = [&[1; 8][..], &[4, 0, 0, 0, 4, 0, 0, 0], &[0x45; 4]].concat();
    let million = Cursor::new(record.repeat(1_000_000));
    let size = NOW.load(Ordering::Relaxed);
    let mut reader = Reader::from_stream(Cursor::new(pcap_header()).chain(million)).unwrap();
    PEAK.store(size, Ordering::Relaxed);
    assert!(matches!(drain(&mut reader), (1_000_000, 4_000_000, None)));
    let peak = PEAK.load(Ordering::Relaxed);
    assert!(
        peak - size < 1 << 20,
        "{} bytes for reading beside the {} of the input",
        peak - size,
        size - before
    );
}
