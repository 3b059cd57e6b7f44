//! Each format and each of its oddities, alone.

use vpcsim_capture::{
    ByteOrder, CaptureError, Compression, FileKind, LinkType, PcapVariant, Reader, WarningKind,
};

use crate::encode::{NgFile, ORDERS, Packet, PcapFile, gzip, read, read_clean, three, zstd};

#[test]
fn every_pcap_variant_reads_in_both_byte_orders() {
    for order in ORDERS {
        let base = || PcapFile::new(order);
        let files = [
            (base(), PcapVariant::Micros),
            (
                PcapFile {
                    magic: 0xa1b2_3c4d,
                    tick: 1,
                    ..base()
                },
                PcapVariant::Nanos,
            ),
            (
                PcapFile {
                    magic: 0xa1b2_cd34,
                    extra: 8,
                    ..base()
                },
                PcapVariant::Modified,
            ),
            (
                PcapFile {
                    magic: 0x1c00_01ac,
                    ..base()
                },
                PcapVariant::Ixia,
            ),
            (
                PcapFile {
                    magic: 0x1c00_01ab,
                    ..base()
                },
                PcapVariant::Ixia,
            ),
            (
                PcapFile {
                    version: (2, 2),
                    link_type: 6,
                    tick: 1,
                    swapped: true,
                    ..base()
                },
                PcapVariant::Aix,
            ),
        ];
        for (file, variant) in files {
            let bytes = file.encode(&three());
            assert_eq!(read_clean(&bytes), three(), "{variant:?} {order:?}");
            let reader = Reader::from_stream(std::io::Cursor::new(bytes)).unwrap();
            assert_eq!(
                reader.format().kind,
                FileKind::Pcap {
                    variant,
                    byte_order: order
                }
            );
            assert_eq!(reader.interfaces()[0].link_type, LinkType::ETHERNET);
        }
    }
}

#[test]
fn lengths_swapped_before_version_2_3_are_swapped_back() {
    for version in [(2, 0), (2, 1), (2, 2), (2, 3), (543, 0)] {
        let file = PcapFile {
            version,
            swapped: true,
            ..PcapFile::new(ByteOrder::Big)
        };
        assert_eq!(read_clean(&file.encode(&three())), three(), "{version:?}");
    }
    let file = PcapFile {
        version: (2, 3),
        ..PcapFile::new(ByteOrder::Big)
    };
    assert_eq!(read_clean(&file.encode(&three())), three());
}

#[test]
fn a_frame_check_sequence_in_the_link_type_is_set_aside() {
    let file = PcapFile {
        link_type: 0x2400_0001,
        ..PcapFile::new(ByteOrder::Little)
    };
    let mut reader = Reader::from_stream(std::io::Cursor::new(file.encode(&three()))).unwrap();
    assert_eq!(
        reader.next_record().unwrap().unwrap().link_type,
        LinkType::ETHERNET
    );
}

#[test]
fn pcap_before_version_2_is_refused() {
    let file = PcapFile {
        version: (1, 9),
        ..PcapFile::new(ByteOrder::Little)
    };
    let error = read(&file.encode(&three())).error.unwrap();
    assert!(
        matches!(
            error,
            CaptureError::Version {
                major: 1,
                minor: 9,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn every_kind_of_packet_block_reads() {
    for order in ORDERS {
        let packets = three();
        let mut file = NgFile::new(order);
        file.block(0x0bad, &[1, 2, 3, 4, 5]);
        file.interface(1, 0, &[]);
        file.enhanced(0, packets[0].time / 1000, &packets[0]);
        file.block(5, &[0; 12]);
        file.obsolete(0, packets[1].time / 1000, &packets[1]);
        file.block(4, &[]);
        file.simple(33, &packets[2].data);
        let read = read_clean(&file.bytes);
        assert_eq!(read[..2], packets[..2]);
        let held = Packet {
            time: packets[1].time,
            original_len: 33,
            ..packets[2].clone()
        };
        assert_eq!(read[2], held, "a simple packet has no time of its own");
    }
}

#[test]
fn a_simple_packet_ends_at_the_snaplen() {
    let mut file = NgFile::new(ByteOrder::Little);
    file.interface(1, 5, &[]);
    file.simple(100, &[9; 8]);
    file.simple(3, &[8; 4]);
    let packets = read_clean(&file.bytes);
    assert_eq!(
        (packets[0].original_len, &packets[0].data[..]),
        (100, &[9; 5][..])
    );
    assert_eq!(
        (packets[1].original_len, &packets[1].data[..]),
        (3, &[8; 3][..])
    );
    assert_eq!(packets[0].time, 0);
}

#[test]
fn sections_have_their_own_byte_order_and_interfaces() {
    let packets = three();
    let mut file = NgFile::new(ByteOrder::Little);
    file.interface(1, 0, &[(2, b"eth0")]);
    file.interface(101, 96, &[(2, b"tun0"), (3, b"the tunnel")]);
    file.enhanced(1, 5, &packets[0]);
    file.section(ByteOrder::Big);
    file.interface(0, 0, &[(2, b"lo0")]);
    file.enhanced(0, 6, &packets[1]);
    file.section(ByteOrder::Little);
    file.interface(113, 0, &[]);
    file.enhanced(0, 7, &packets[2]);
    let mut reader = Reader::from_stream(std::io::Cursor::new(file.bytes)).unwrap();
    let mut seen = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        seen.push((record.interface, record.link_type.0, record.time));
    }
    assert_eq!(seen, [(1, 101, 5000), (2, 0, 6000), (3, 113, 7000)]);
    let interfaces = reader.interfaces();
    assert_eq!(interfaces.len(), 4);
    assert_eq!(interfaces[1].name.as_deref(), Some("tun0"));
    assert_eq!(interfaces[1].description.as_deref(), Some("the tunnel"));
    assert_eq!((interfaces[1].snaplen, interfaces[2].snaplen), (96, 0));
    assert_eq!(interfaces[3].name, None);
}

#[test]
fn an_interface_of_an_earlier_section_is_unknown() {
    let mut file = NgFile::new(ByteOrder::Little);
    file.interface(1, 0, &[]);
    file.enhanced(0, 5, &three()[0]);
    file.section(ByteOrder::Little);
    file.enhanced(0, 6, &three()[1]);
    let outcome = read(&file.bytes);
    assert_eq!(outcome.packets.len(), 1);
    assert!(matches!(
        outcome.error,
        Some(CaptureError::UnknownInterface {
            got: 0,
            known: 0,
            ..
        })
    ));
}

#[test]
fn every_tick_rate_and_offset_gives_nanoseconds() {
    for order in ORDERS {
        for power in 0..=127_u8 {
            for (byte, base) in [(power, 10_u128), (power | 0x80, 2)] {
                // A second and a half, if a tick count can say so; else the most it can.
                let per_second = base.saturating_pow(power.into());
                let ticks = u64::try_from(per_second.saturating_mul(3) / 2).unwrap_or(u64::MAX);
                let wanted = if base == 2 {
                    ((u128::from(ticks) * 1_000_000_000) >> power) as u64
                } else {
                    // Exact below 10^29; beyond, no count of ticks makes a nanosecond.
                    (u128::from(ticks) * 1_000_000_000 / per_second) as u64
                };
                let mut file = NgFile::new(order);
                let offset = 1_700_000_000_u64;
                let offset = if order == ByteOrder::Big {
                    offset.to_be_bytes()
                } else {
                    offset.to_le_bytes()
                };
                file.interface(1, 0, &[(9, &[byte]), (14, &offset)]);
                file.enhanced(0, ticks, &three()[0]);
                let time = read_clean(&file.bytes)[0].time;
                assert_eq!(
                    time,
                    1_700_000_000_000_000_000 + wanted,
                    "if_tsresol {byte:#x}"
                );
            }
        }
    }
}

#[test]
fn a_time_out_of_range_is_held_and_told() {
    let mut file = NgFile::new(ByteOrder::Little);
    file.interface(1, 0, &[(14, &(-5_i64).to_le_bytes())]);
    file.enhanced(0, 1, &three()[0]);
    file.enhanced(0, 2, &three()[0]);
    file.enhanced(0, u64::MAX, &three()[0]);
    let outcome = read(&file.bytes);
    let times: Vec<u64> = outcome.packets.iter().map(|packet| packet.time).collect();
    assert_eq!(times, [0, 0, u64::MAX]);
    assert_eq!(outcome.warnings.len(), 1);
    assert_eq!(
        (outcome.warnings[0].kind, outcome.warnings[0].count),
        (WarningKind::TimeOutOfRange, 3)
    );
}

#[test]
fn compression_is_told_by_content_and_may_come_in_pieces() {
    let file = NgFile::of(ByteOrder::Little, &three());
    let (head, tail) = file.split_at(50);
    let gzip_members = [gzip(head), gzip(b""), gzip(tail)].concat();
    // A skippable frame (RFC 8878 §3.1.2) may come first.
    let skippable = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let zstd_frames = [&skippable[..], &zstd(head), &zstd(tail)].concat();
    for (bytes, compression) in [
        (gzip_members, Compression::Gzip),
        (zstd_frames, Compression::Zstd),
    ] {
        assert_eq!(read_clean(&bytes), three());
        let mut reader = Reader::from_stream(std::io::Cursor::new(bytes.clone())).unwrap();
        while reader.next_record().unwrap().is_some() {}
        assert_eq!(reader.format().compression, Some(compression));
        assert_eq!(
            reader.bytes_read(),
            bytes.len() as u64,
            "progress counts compressed bytes"
        );
    }
}

#[test]
fn a_file_opens_by_path_and_a_missing_one_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        file.path(),
        PcapFile::new(ByteOrder::Little).encode(&three()),
    )
    .unwrap();
    let mut reader = Reader::open(file.path()).unwrap();
    assert_eq!(reader.next_record().unwrap().unwrap().data, three()[0].data);
    let error = Reader::open("no/such/file.pcap").unwrap_err().to_string();
    assert!(
        error.starts_with("cannot open no/such/file.pcap: "),
        "{error}"
    );
}

#[test]
fn a_reader_can_be_moved_to_another_thread() {
    let stream = std::io::Cursor::new(PcapFile::new(ByteOrder::Little).encode(&three()));
    let mut reader = Reader::from_stream(stream).unwrap();
    let count = std::thread::spawn(move || {
        let mut count = 0;
        while reader.next_record().unwrap().is_some() {
            count += 1;
        }
        count
    });
    assert_eq!(count.join().unwrap(), 3);
}
