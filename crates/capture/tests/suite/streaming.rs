//! Streams that give little at a time, stop for a while, or fail in between.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use vpcsim_capture::{ByteOrder, CaptureError, Reader};

use crate::encode::{NgFile, PcapFile, three};

/// Gives one piece per read, and counts how many were asked for.
struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    asked: Arc<AtomicUsize>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let Some(mut piece) = self.pieces.pop_front() else {
            return Ok(0);
        };
        let len = piece.len().min(buffer.len());
        buffer[..len].copy_from_slice(&piece[..len]);
        if len < piece.len() {
            self.pieces.push_front(piece.split_off(len));
        }
        Ok(len)
    }
}

/// Checks that packet `n` comes out when piece `n + 1` (after the header) has been read, and not later.
fn comes_as_it_arrives(header: Vec<u8>, packets: Vec<Vec<u8>>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let pieces = std::iter::once(header).chain(packets).collect();
    let mut reader = Reader::from_stream(Pieces {
        pieces,
        asked: Arc::clone(&asked),
    })
    .unwrap();
    assert_eq!(
        asked.load(Ordering::Relaxed),
        1,
        "opening needs the header only"
    );
    for (index, packet) in three().into_iter().enumerate() {
        assert_eq!(reader.next_record().unwrap().unwrap().data, packet.data);
        assert_eq!(
            asked.load(Ordering::Relaxed),
            index + 2,
            "packet {index} waited for more"
        );
    }
    assert!(reader.next_record().unwrap().is_none());
}

#[test]
fn a_pcap_packet_comes_out_before_more_is_asked_for() {
    let encoder = PcapFile::new(ByteOrder::Little);
    comes_as_it_arrives(
        encoder.header(),
        three()
            .iter()
            .map(|packet| encoder.record(packet))
            .collect(),
    );
}

#[test]
fn a_pcapng_packet_comes_out_before_more_is_asked_for() {
    let mut file = NgFile::new(ByteOrder::Big);
    file.interface(1, 0, &[]);
    let header = std::mem::take(&mut file.bytes);
    let packets = three().into_iter().map(|packet| {
        file.enhanced(0, packet.time, &packet);
        std::mem::take(&mut file.bytes)
    });
    comes_as_it_arrives(header, packets.collect());
}

#[test]
fn a_compressed_packet_comes_out_when_its_compressed_bytes_have_arrived() {
    let encoder = PcapFile::new(ByteOrder::Little);
    let plain: Vec<Vec<u8>> = std::iter::once(encoder.header())
        .chain(three().iter().map(|packet| encoder.record(packet)))
        .collect();
    for compress in [crate::encode::gzip, crate::encode::zstd] {
        let asked = Arc::new(AtomicUsize::new(0));
        let pieces = plain.iter().map(|piece| compress(piece)).collect();
        let mut reader = Reader::from_stream(Pieces {
            pieces,
            asked: Arc::clone(&asked),
        })
        .unwrap();
        for (index, packet) in three().into_iter().enumerate() {
            assert_eq!(reader.next_record().unwrap().unwrap().data, packet.data);
            assert_eq!(
                asked.load(Ordering::Relaxed),
                index + 2,
                "packet {index} waited for more"
            );
        }
        assert!(reader.next_record().unwrap().is_none());
    }
}

#[test]
fn a_stream_of_single_bytes_reads_like_a_file() {
    for file in [
        PcapFile::new(ByteOrder::Big).encode(&three()),
        NgFile::of(ByteOrder::Little, &three()),
    ] {
        for bytes in [
            file.clone(),
            crate::encode::gzip(&file),
            crate::encode::zstd(&file),
        ] {
            let pieces = bytes.iter().map(|byte| vec![*byte]).collect();
            let mut reader = Reader::from_stream(Pieces {
                pieces,
                asked: Arc::default(),
            })
            .unwrap();
            let mut count = 0;
            while let Some(record) = reader.next_record().unwrap() {
                assert_eq!(record.data, three()[count].data);
                count += 1;
            }
            assert_eq!((count, reader.warnings()), (3, &[][..]));
        }
    }
}

#[test]
fn what_has_arrived_comes_out_without_asking_for_more() {
    let pcap = PcapFile::new(ByteOrder::Little).encode(&three());
    let mut skipped = NgFile::new(ByteOrder::Big);
    skipped.interface(1, 0, &[]);
    for packet in three() {
        skipped.block(0x0bad, &[7; 400]);
        skipped.enhanced(0, packet.time, &packet);
    }
    for file in [pcap, skipped.bytes] {
        for len in [1, 10, 100, file.len()] {
            let asked = Arc::new(AtomicUsize::new(0));
            let mut reader = Reader::from_stream(Pieces {
                pieces: file.chunks(len).map(<[u8]>::to_vec).collect(),
                asked: Arc::clone(&asked),
            })
            .unwrap();
            let mut packets = Vec::new();
            loop {
                let before = asked.load(Ordering::Relaxed);
                while let Some(record) = reader.next_buffered().unwrap() {
                    packets.push(record.data.to_vec());
                }
                assert_eq!(
                    asked.load(Ordering::Relaxed),
                    before,
                    "nothing was asked for"
                );
                match reader.next_record().unwrap() {
                    Some(record) => packets.push(record.data.to_vec()),
                    None => break,
                }
                assert!(
                    asked.load(Ordering::Relaxed) > before,
                    "there was nothing left"
                );
            }
            let wanted: Vec<_> = three().into_iter().map(|packet| packet.data).collect();
            assert_eq!(packets, wanted, "in pieces of {len}");
            assert!(reader.next_buffered().unwrap().is_none(), "after the end");
        }
    }
}

/// All of it is there at once, however often the buffer runs empty.
#[test]
fn a_file_is_never_waited_for() {
    let many: Vec<_> = three().into_iter().cycle().take(30_000).collect();
    let bytes = PcapFile::new(ByteOrder::Little).encode(&many);
    assert!(bytes.len() > 1 << 20, "more than any buffer at first");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    let mut reader = Reader::open(file.path()).unwrap();
    let mut packets = Vec::new();
    while let Some(record) = reader.next_buffered().unwrap() {
        packets.push(record.data.to_vec());
    }
    let wanted: Vec<_> = many.into_iter().map(|packet| packet.data).collect();
    assert!(packets == wanted, "{} packets", packets.len());
    assert!(reader.next_record().unwrap().is_none(), "after the end");
}

/// Fails once before every byte.
struct Stuttering {
    bytes: VecDeque<u8>,
    failed: bool,
    kind: io::ErrorKind,
}

impl Read for Stuttering {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.failed = !self.failed;
        if self.failed {
            return Err(self.kind.into());
        }
        let Some(byte) = self.bytes.pop_front() else {
            return Ok(0);
        };
        buffer[0] = byte;
        Ok(1)
    }
}

#[test]
fn an_interrupted_read_is_read_again() {
    let bytes = PcapFile::new(ByteOrder::Little).encode(&three()).into();
    let stream = Stuttering {
        bytes,
        failed: false,
        kind: io::ErrorKind::Interrupted,
    };
    let mut reader = Reader::from_stream(stream).unwrap();
    for packet in three() {
        assert_eq!(reader.next_record().unwrap().unwrap().data, packet.data);
    }
}

#[test]
fn after_a_failed_read_reading_can_go_on() {
    let mut file = NgFile::new(ByteOrder::Little);
    file.interface(1, 0, &[]);
    file.block(0x0bad, &[7; 40]);
    three()
        .iter()
        .for_each(|packet| file.enhanced(0, packet.time, packet));
    let header = file.bytes[..28].to_vec();
    let rest = Stuttering {
        bytes: file.bytes[28..].to_vec().into(),
        failed: false,
        kind: io::ErrorKind::WouldBlock,
    };
    let mut reader = Reader::from_stream(io::Cursor::new(header).chain(rest)).unwrap();
    let (mut packets, mut failures) = (Vec::new(), 0);
    loop {
        match reader.next_record() {
            Ok(Some(record)) => packets.push(record.data.to_vec()),
            Ok(None) => break,
            Err(CaptureError::Io { .. }) => failures += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(
        packets,
        three()
            .into_iter()
            .map(|packet| packet.data)
            .collect::<Vec<_>>()
    );
    assert!(failures > 100);
}
