//! Files cut at every byte: everything up to the cut, and a warning that says where.

use vpcsim_capture::{ByteOrder, CaptureError, Part, WarningKind};

use crate::encode::{NgFile, ORDERS, PcapFile, gzip, read, three, zstd};

/// Cuts a file everywhere; `ends` are the offsets at which a cut leaves a whole file.
fn cut_everywhere(file: &[u8], ends: &[usize]) {
    let whole = read(file).packets;
    for cut in 0..file.len() {
        let outcome = read(&file[..cut]);
        assert!(whole.starts_with(&outcome.packets), "cut at {cut}");
        if cut < 4 {
            assert!(matches!(outcome.error, Some(CaptureError::TooShort { got }) if got == cut));
            continue;
        }
        assert!(outcome.error.is_none(), "cut at {cut}: {:?}", outcome.error);
        let end = *ends.iter().rev().find(|end| **end <= cut).unwrap();
        if end == cut && cut > 0 {
            assert!(
                outcome.warnings.is_empty(),
                "cut at {cut}: {:?}",
                outcome.warnings
            );
        } else {
            let [warning] = &outcome.warnings[..] else {
                panic!("cut at {cut}: {:?}", outcome.warnings)
            };
            let WarningKind::Truncated { wanted, got, .. } = warning.kind else {
                panic!("{warning}")
            };
            assert_eq!(warning.offset, end as u64, "cut at {cut}");
            assert_eq!(got, (cut - end) as u64);
            assert!(wanted > got);
        }
    }
}

#[test]
fn pcap_cut_anywhere_gives_the_packets_before_the_cut() {
    for order in ORDERS {
        for (magic, extra) in [
            (0xa1b2_c3d4, 0),
            (0xa1b2_3c4d, 0),
            (0xa1b2_cd34, 8),
            (0x1c00_01ab, 0),
        ] {
            let encoder = PcapFile {
                magic,
                extra,
                ..PcapFile::new(order)
            };
            let mut file = encoder.header();
            let mut ends = vec![0, file.len()];
            for packet in three() {
                file.extend(encoder.record(&packet));
                ends.push(file.len());
            }
            cut_everywhere(&file, &ends);
        }
    }
}

#[test]
fn pcapng_cut_anywhere_gives_the_packets_before_the_cut() {
    for order in ORDERS {
        let mut file = NgFile::new(order);
        let mut ends = vec![0, file.bytes.len()];
        file.interface(1, 0, &[(2, b"eth0")]);
        ends.push(file.bytes.len());
        file.block(0x0bad, &[0; 20]);
        ends.push(file.bytes.len());
        for packet in three() {
            file.enhanced(0, packet.time / 1000, &packet);
            ends.push(file.bytes.len());
            file.simple(packet.original_len - 7, &packet.data);
            ends.push(file.bytes.len());
        }
        cut_everywhere(&file.bytes, &ends);
    }
}

#[test]
fn compressed_files_cut_anywhere_give_a_prefix_and_a_warning() {
    let file = NgFile::of(ByteOrder::Little, &three());
    let (head, tail) = file.split_at(100);
    for compress in [gzip, zstd] {
        // Two members or frames; a cut between them leaves nothing for the decoder to complain of.
        let first = compress(head);
        let compressed = [&first[..], &compress(tail)].concat();
        for cut in (0..compressed.len()).filter(|cut| *cut != first.len()) {
            let outcome = read(&compressed[..cut]);
            assert!(three().starts_with(&outcome.packets), "cut at {cut}");
            match outcome.error {
                Some(CaptureError::TooShort { .. }) => assert!(outcome.packets.is_empty()),
                Some(error) => panic!("cut at {cut}: {error}"),
                None => {
                    let last = outcome
                        .warnings
                        .last()
                        .unwrap_or_else(|| panic!("cut at {cut} is silent"));
                    assert_eq!(last.kind, WarningKind::CompressedTruncated);
                }
            }
        }
    }
}

#[test]
fn a_warning_reads_as_a_sentence() {
    let file = PcapFile::new(ByteOrder::Little).encode(&three());
    let warnings = read(&file[..50]).warnings;
    assert_eq!(
        warnings[0].to_string(),
        "cut short: pcap record at offset 41 has 9 of 16 bytes"
    );
    let WarningKind::Truncated { part, .. } = warnings[0].kind else {
        panic!()
    };
    assert_eq!(part, Part::PcapRecord);
}
