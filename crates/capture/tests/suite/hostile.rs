//! Files that lie.

use proptest::prelude::*;
use vpcsim_capture::{ByteOrder, CaptureError, MAX_RECORD};

use crate::encode::{NgFile, PcapFile, gzip, read, three, u32_of, zstd};

fn error_of(bytes: &[u8]) -> String {
    read(bytes).error.expect("an error").to_string()
}

#[test]
fn what_is_no_capture_is_refused_with_what_it_starts_with() {
    assert_eq!(
        error_of(b"GET / HTTP/1.1"),
        "not a capture: it starts with 47 45 54 20, neither pcap nor pcapng"
    );
    assert_eq!(
        error_of(b""),
        "not a capture: it has only 0 bytes, a capture starts with 4 that name its format"
    );
    assert!(
        error_of(&gzip(&gzip(&NgFile::of(ByteOrder::Little, &three()))))
            .starts_with("not a capture")
    );
    assert!(
        error_of(&gzip(&[0; 100_000])).starts_with("not a capture: it starts with 00 00 00 00")
    );
}

#[test]
fn a_lying_record_length_is_an_error_after_the_packets_before_it() {
    for got in [MAX_RECORD as u32 + 1, u32::MAX] {
        let mut file = PcapFile::new(ByteOrder::Little).encode(&three());
        let offset = file.len();
        for word in [5, 5, got, got] {
            file.extend(u32_of(ByteOrder::Little, word));
        }
        let outcome = read(&file);
        assert_eq!(outcome.packets, three());
        assert_eq!(
            outcome.error.unwrap().to_string(),
            format!(
                "pcap record at offset {offset}: length of at most 16777216 bytes wanted, got {got}"
            )
        );
    }
}

#[test]
fn a_hole_in_a_pcap_file_is_an_error_not_a_flood_of_empty_packets() {
    let mut file = PcapFile::new(ByteOrder::Little).encode(&three());
    file.resize(file.len() + 4096, 0);
    let outcome = read(&file);
    assert_eq!(outcome.packets, three());
    assert!(
        matches!(
            outcome.error,
            Some(CaptureError::ZeroFilled { offset: 166 })
        ),
        "{:?}",
        outcome.error
    );
}

#[test]
fn lying_block_lengths_are_errors_after_the_packets_before_them() {
    let good = NgFile::of(ByteOrder::Little, &three());
    let block = |kind: u32, len: u32, body: &[u8]| {
        let order = ByteOrder::Little;
        [&good[..], &u32_of(order, kind), &u32_of(order, len), body].concat()
    };
    for (file, wanted) in [
        (
            block(6, 0, &[]),
            "length of at least 32 bytes wanted, got 0",
        ),
        (
            block(6, 31, &[]),
            "length of at least 32 bytes wanted, got 31",
        ),
        (
            block(6, 33, &[]),
            "length that is a multiple of 4 wanted, got 33",
        ),
        (
            block(1, 16, &[]),
            "length of at least 20 bytes wanted, got 16",
        ),
        (
            block(3, 12, &[]),
            "length of at least 16 bytes wanted, got 12",
        ),
        (
            block(77, 8, &[]),
            "length of at least 12 bytes wanted, got 8",
        ),
        (
            block(6, 0xffff_fffc, &[]),
            "length of at most 16777216 bytes wanted, got 4294967292",
        ),
        (
            block(77, 16, &[0; 8]),
            "starts with length 16 but ends with length 0",
        ),
        (
            block(1, 20, &[0; 12]),
            "starts with length 20 but ends with length 0",
        ),
        (
            block(0x0a0d_0d0a, 28, &[0; 20]),
            "byte-order mark 1a2b3c4d wanted in either order, got 00000000",
        ),
    ] {
        let outcome = read(&file);
        assert_eq!(outcome.packets, three(), "{wanted}");
        let error = outcome.error.expect(wanted).to_string();
        assert!(
            error.contains(wanted) && error.contains(&format!("offset {}", good.len())),
            "{error}"
        );
    }
}

#[test]
fn a_packet_larger_than_its_block_is_an_error() {
    let mut file = NgFile::new(ByteOrder::Big);
    file.interface(1, 0, &[]);
    file.block(
        6,
        &[[0; 12].as_slice(), &[0, 0, 0, 9], &[0, 0, 0, 9], &[1; 8]].concat(),
    );
    assert!(error_of(&file.bytes).ends_with("length of at most 8 bytes wanted, got 9"));
    let mut file = NgFile::new(ByteOrder::Big);
    file.interface(1, 0, &[]);
    file.simple(1000, &[0; 8]);
    assert!(error_of(&file.bytes).ends_with("length of at most 8 bytes wanted, got 1000"));
    let mut file = NgFile::new(ByteOrder::Big);
    file.simple(8, &[0; 8]);
    assert!(matches!(
        read(&file.bytes).error,
        Some(CaptureError::UnknownInterface { .. })
    ));
}

#[test]
fn an_option_larger_than_its_block_is_an_error() {
    let mut file = NgFile::new(ByteOrder::Little);
    file.block(
        1,
        &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 200, 0, b'e', b't', b'h', b'0'],
    );
    assert!(error_of(&file.bytes).ends_with("length of at most 4 bytes wanted, got 200"));
}

#[test]
fn interfaces_without_end_are_an_error() {
    let mut file = NgFile::new(ByteOrder::Little);
    for _ in 0..=vpcsim_capture::MAX_INTERFACES {
        file.interface(1, 0, &[]);
    }
    assert!(error_of(&file.bytes).ends_with("more than 65536 interfaces"));
}

#[test]
fn damaged_compressed_data_is_an_error_of_the_compression() {
    let file = PcapFile::new(ByteOrder::Little).encode(&three());
    let mut checksum = gzip(&file);
    let crc = checksum.len() - 8;
    checksum[crc] ^= 1;
    let outcome = read(&checksum);
    assert!(three().starts_with(&outcome.packets));
    assert!(
        matches!(outcome.error, Some(CaptureError::Compressed { .. })),
        "{:?}",
        outcome.error
    );
    let mut frame = zstd(&file);
    frame[4] |= 0x08; // A reserved bit (RFC 8878 §3.1.1.1.1.4).
    assert!(error_of(&frame).starts_with("damaged zstd data after 0 uncompressed bytes: "));
}

/// Files to damage, one of each kind.
fn seeds() -> Vec<Vec<u8>> {
    let mut rich = NgFile::new(ByteOrder::Big);
    rich.interface(
        1,
        64,
        &[(2, b"eth0"), (9, &[0x94]), (14, &[0, 0, 0, 0, 0, 0, 0, 9])],
    );
    three()
        .iter()
        .for_each(|packet| rich.enhanced(0, packet.time, packet));
    rich.simple(20, &[3; 20]);
    rich.section(ByteOrder::Little);
    rich.interface(101, 0, &[]);
    rich.obsolete(0, 5, &three()[1]);
    rich.block(0x0bad, &[5; 9]);
    let pcap = PcapFile::new(ByteOrder::Little).encode(&three());
    let modified = PcapFile {
        magic: 0xa1b2_cd34,
        extra: 8,
        ..PcapFile::new(ByteOrder::Big)
    }
    .encode(&three());
    vec![
        gzip(&rich.bytes),
        zstd(&rich.bytes),
        rich.bytes,
        pcap,
        modified,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), start in 0..6_usize) {
        let starts: [&[u8]; 6] = [
            b"",
            &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0],
            &[0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4],
            &[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 28],
            &[0x1f, 0x8b, 8, 0],
            &[0x28, 0xb5, 0x2f, 0xfd],
        ];
        read(&[starts[start], &bytes].concat());
    }

    #[test]
    fn mutated_files_never_panic(
        seed in 0..5_usize,
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut file = seeds().swap_remove(seed);
        for (place, byte) in mutations {
            let place = place.index(file.len());
            file[place] = byte;
        }
        let outcome = read(&file);
        let bytes: usize = outcome.packets.iter().map(|packet| packet.data.len()).sum();
        prop_assert!(bytes <= 4096, "packets out of nothing");
    }
}
