//! What is written reads back.

use proptest::prelude::*;
use vpcsim_capture::{ByteOrder, LinkType, PcapWriter, Reader, Resolution, WriteError, Writer};

use crate::encode::{NgFile, ORDERS, Packet, PcapFile, gzip, read_clean, three, zstd};

fn packets() -> impl Strategy<Value = Vec<Packet>> {
    let packet = (
        1..u64::from(u32::MAX) * 1_000_000_000,
        0..3_u32,
        0..100_u32,
        prop::collection::vec(any::<u8>(), 0..300),
    );
    let packet = packet.prop_map(|(time, interface, more, data)| Packet {
        time,
        interface,
        original_len: data.len() as u32 + more,
        data,
    });
    prop::collection::vec(packet, 0..20)
}

fn write_ng(packets: &[Packet], comment: Option<&str>) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new()).unwrap();
    for (known, packet) in packets.iter().enumerate() {
        // Interfaces are added as they turn up, between packets.
        for interface in 0..=packet.interface {
            let added = packets[..known]
                .iter()
                .map(|packet| packet.interface + 1)
                .max()
                .unwrap_or(0);
            if interface >= added {
                let id = writer
                    .add_interface(
                        &format!("vm/eth{interface}"),
                        LinkType::RAW,
                        0,
                        Some("a nic"),
                    )
                    .unwrap();
                assert_eq!(id, interface);
            }
        }
        writer
            .write(
                packet.interface,
                packet.time,
                packet.original_len,
                &packet.data,
                comment,
            )
            .unwrap();
    }
    writer.finish().unwrap()
}

fn write_pcap(packets: &[Packet], resolution: Resolution) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), resolution, LinkType::RAW, 0).unwrap();
    for packet in packets {
        writer
            .write(packet.time, packet.original_len, &packet.data)
            .unwrap();
    }
    writer.finish().unwrap()
}

/// Every packet on interface 0, times rounded down to `tick`.
fn flattened(packets: &[Packet], tick: u64) -> Vec<Packet> {
    let flat = |packet: &Packet| Packet {
        interface: 0,
        time: packet.time / tick * tick,
        ..packet.clone()
    };
    packets.iter().map(flat).collect()
}

proptest! {
    #[test]
    fn pcapng_written_reads_back(packets in packets(), comment in prop::option::of(".{0,40}")) {
        let file = write_ng(&packets, comment.as_deref());
        prop_assert_eq!(read_clean(&file), packets.clone());
        prop_assert_eq!(read_clean(&gzip(&file)), packets.clone());
        prop_assert_eq!(read_clean(&zstd(&file)), packets);
    }

    #[test]
    fn pcap_written_reads_back(packets in packets()) {
        // All zeros is what a hole looks like.
        let packets: Vec<Packet> =
            packets.into_iter().filter(|packet| packet.original_len > 0 || packet.time >= 1000).collect();
        prop_assert_eq!(read_clean(&write_pcap(&packets, Resolution::Nanos)), flattened(&packets, 1));
        let micros = write_pcap(&packets, Resolution::Micros);
        prop_assert_eq!(read_clean(&gzip(&micros)), flattened(&packets, 1000));
        prop_assert_eq!(read_clean(&zstd(&micros)), flattened(&packets, 1000));
    }

    #[test]
    fn files_of_either_byte_order_read_the_same(packets in packets()) {
        let packets: Vec<Packet> = flattened(&packets, 1000);
        let packets: Vec<Packet> =
            packets.into_iter().filter(|packet| packet.original_len > 0 || packet.time > 0).collect();
        for order in ORDERS {
            prop_assert_eq!(&read_clean(&PcapFile::new(order).encode(&packets)), &packets);
            prop_assert_eq!(&read_clean(&NgFile::of(order, &packets)), &packets);
        }
    }
}

#[test]
fn the_pcap_writer_writes_what_the_draft_says() {
    let packets = three();
    for (resolution, magic, tick) in [
        (Resolution::Micros, 0xa1b2_c3d4, 1000),
        (Resolution::Nanos, 0xa1b2_3c4d, 1),
    ] {
        let encoder = PcapFile {
            magic,
            tick,
            link_type: 101,
            ..PcapFile::new(ByteOrder::Little)
        };
        let mut writer = PcapWriter::new(Vec::new(), resolution, LinkType::RAW, 65_535).unwrap();
        packets.iter().for_each(|packet| {
            writer
                .write(packet.time, packet.original_len, &packet.data)
                .unwrap()
        });
        assert_eq!(writer.finish().unwrap(), encoder.encode(&packets));
    }
}

#[test]
fn the_same_calls_write_the_same_bytes() {
    assert_eq!(
        write_ng(&three(), Some("twice")),
        write_ng(&three(), Some("twice"))
    );
}

#[test]
fn names_and_snaplen_of_written_interfaces_read_back() {
    let mut writer = Writer::new(Vec::new()).unwrap();
    writer
        .add_interface("web-1/eth0", LinkType::RAW, 4, Some("ein schöner Ort"))
        .unwrap();
    writer.write(0, 9, 6, &[1, 2, 3, 4, 5, 6], None).unwrap();
    let mut reader = Reader::from_stream(std::io::Cursor::new(writer.finish().unwrap())).unwrap();
    let record = reader.next_record().unwrap().unwrap();
    assert_eq!(
        (record.data, record.original_len),
        (&[1, 2, 3, 4][..], 6),
        "cut at the snaplen"
    );
    let interface = &reader.interfaces()[0];
    assert_eq!(interface.name.as_deref(), Some("web-1/eth0"));
    assert_eq!(interface.description.as_deref(), Some("ein schöner Ort"));
    assert_eq!((interface.snaplen, interface.link_type), (4, LinkType::RAW));
}

#[test]
fn a_text_too_long_for_an_option_is_cut_between_characters() {
    let text = "ö".repeat(40_000);
    let mut writer = Writer::new(Vec::new()).unwrap();
    writer.add_interface(&text, LinkType::RAW, 0, None).unwrap();
    writer.write(0, 1, 1, &[1], Some(&text)).unwrap();
    let mut reader = Reader::from_stream(std::io::Cursor::new(writer.finish().unwrap())).unwrap();
    assert!(reader.next_record().unwrap().is_some());
    let name = reader.interfaces()[0].name.clone().unwrap();
    assert!(name.len() <= 255 && name.starts_with("öö"));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let mut writer = Writer::new(Vec::new()).unwrap();
    assert!(matches!(
        writer.write(0, 0, 0, &[], None),
        Err(WriteError::UnknownInterface { got: 0, known: 0 })
    ));
    assert!(matches!(
        writer.add_interface("", LinkType(70_000), 0, None),
        Err(WriteError::LinkType { got: 70_000 })
    ));
    writer.add_interface("", LinkType::RAW, 0, None).unwrap();
    let long = vec![0; vpcsim_capture::MAX_RECORD];
    assert!(matches!(
        writer.write(0, 0, 0, &long, None),
        Err(WriteError::TooLong { .. })
    ));
    let mut pcap = PcapWriter::new(Vec::new(), Resolution::Nanos, LinkType::RAW, 0).unwrap();
    assert!(matches!(
        pcap.write(u64::MAX, 0, &[]),
        Err(WriteError::Time { .. })
    ));
}
