//! `verify_checksums`: SEMANTICS §11 `--verify-checksums`.

use crate::generate::{ends, shape};
use proptest::prelude::*;
use vpcsim_packet::build::{self, Build, Echo};
use vpcsim_packet::{ChecksumReport, Headers, Protocol, TcpFlags, Verdict, verify_checksums};

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];

fn report(packet: &[u8]) -> ChecksumReport {
    verify_checksums(packet, &Headers::parse(packet).unwrap())
}

fn packets() -> [Build; 3] {
    [
        build::tcp((A, 1), (B, 2), TcpFlags::ACK).payload(b"payload"),
        build::udp((A, 1), (B, 2), b"payload"),
        build::icmp_echo(Echo::Request, A, B, 1, 1, b"payload"),
    ]
}

proptest! {
    /// SEMANTICS §11: what etherparse builds is right, or has no checksum.
    #[test]
    fn built_packets_are_right(shape in shape(80), ends in ends()) {
        let report = report(&shape.between(ends).bytes());
        prop_assert_eq!(report.ip, Verdict::Right);
        prop_assert!(matches!(report.transport, Verdict::Right | Verdict::Absent));
    }
}

/// RFC 1071: one flipped bit is seen, wherever it is.
#[test]
fn a_flipped_bit_is_wrong() {
    for build in packets() {
        let good = build.bytes();
        let [right, wrong] = [Verdict::Right, Verdict::Wrong];
        assert_eq!(
            report(&good),
            ChecksumReport {
                ip: right,
                transport: right
            }
        );
        let mut payload = good.clone();
        payload[good.len() - 1] ^= 0x10;
        assert_eq!(
            report(&payload),
            ChecksumReport {
                ip: right,
                transport: wrong
            }
        );
        let mut header = good.clone();
        header[5] ^= 0x10;
        assert_eq!(
            report(&header),
            ChecksumReport {
                ip: wrong,
                transport: right
            }
        );
    }
}

/// SEMANTICS §11: what is not all there cannot be judged; a trailer does not matter.
#[test]
fn what_is_cut_is_unknown() {
    for build in packets() {
        let mut packet = build.bytes();
        assert_eq!(
            report(&packet[..packet.len() - 1]).transport,
            Verdict::Unknown
        );
        packet.extend([9; 5]);
        assert_eq!(report(&packet).transport, Verdict::Right);
        for piece in build.payload(&[1; 100]).fragments(68) {
            let report = report(&piece);
            assert_eq!(
                (report.ip, report.transport),
                (Verdict::Right, Verdict::Unknown)
            );
        }
    }
}

/// RFC 768: UDP with 0 has none, even cut; SEMANTICS §11: other protocols are not read.
#[test]
fn absent_is_absent() {
    let udp = build::udp((A, 1), (B, 2), b"payload")
        .without_checksum()
        .bytes();
    assert_eq!(report(&udp).transport, Verdict::Absent);
    assert_eq!(report(&udp[..28]).transport, Verdict::Absent);
    let sctp = build::raw(Protocol::SCTP, A, B, &[1; 12]).bytes();
    assert_eq!(report(&sctp).transport, Verdict::Absent);
}

/// RFC 768: the length field says what is covered; nonsense there is wrong.
#[test]
fn a_udp_length_out_of_range_is_wrong() {
    for length in [0, 7, 16, 0xffff_u16] {
        let mut packet = build::udp((A, 1), (B, 2), b"payload").bytes();
        packet[24..26].copy_from_slice(&length.to_be_bytes());
        assert_eq!(report(&packet).transport, Verdict::Wrong, "length {length}");
    }
}
