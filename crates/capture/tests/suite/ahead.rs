//! Whether a file is read ahead by a thread of its own or not: the same packets, errors and warnings.

use std::io::Write;

use proptest::prelude::*;
use vpcsim_capture::{ByteOrder, Reader};

use crate::encode::{Outcome, Packet, PcapFile, gzip, read_all, zstd};

fn read_ahead(bytes: &[u8], ahead: bool) -> Outcome {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read_all(Reader::open(file.path()).map(|mut reader| {
        if ahead {
            reader.read_ahead();
        }
        reader
    }))
}

fn assert_same(bytes: &[u8]) -> usize {
    let [one, other] = [false, true].map(|ahead| read_ahead(bytes, ahead));
    assert!(one.packets == other.packets, "other packets");
    assert_eq!(one.warnings, other.warnings);
    let texts = [one.error, other.error].map(|error| error.map(|error| error.to_string()));
    assert_eq!(texts[0], texts[1]);
    one.packets.len()
}

/// Packets of these lengths, no two of which have the same bytes. None is of the time zero: with no
/// bytes at all it would be a record of zeros, which is a hole in a file.
fn packets(lengths: &[usize]) -> Vec<Packet> {
    let packet = |(number, &len): (usize, &usize)| Packet {
        time: (number as u64 + 1) * 1_000,
        interface: 0,
        original_len: len as u32,
        data: (0..len).map(|at| (at * 7 + number * 31) as u8).collect(),
    };
    lengths.iter().enumerate().map(packet).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Packets that lie across pieces, some longer than what is kept free before a piece, some than a
    /// piece; a file that ends anywhere, is damaged anywhere, or is compressed.
    #[test]
    fn the_same_comes_out(
        lengths in proptest::collection::vec(
            prop_oneof![4 => 0..2_000_usize, 2 => 50_000..80_000_usize, 1 => 200_000..262_144_usize],
            1..60,
        ),
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let whole = PcapFile::new(ByteOrder::Little).encode(&packets(&lengths));
        prop_assert_eq!(assert_same(&whole), lengths.len());
        assert_same(&whole[..cut.index(whole.len())]);
        let mut damaged = whole.clone();
        damaged[flip.index(whole.len())] ^= 0xff;
        assert_same(&damaged);
        for compressed in [gzip(&whole), zstd(&whole)] {
            prop_assert_eq!(assert_same(&compressed), lengths.len());
            assert_same(&compressed[..cut.index(compressed.len())]);
        }
    }
}
