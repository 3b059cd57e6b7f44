//! Plain traffic: what its options say, exactly.

use std::collections::{BTreeMap, BTreeSet};
use vpcsim_generate::{Framing, GenError, GenOptions, ProtocolMix, SizeMix, Traffic, generate};
use vpcsim_packet::{FlowKey, Headers, TcpFlags, Transport, Verdict, verify_checksums};

/// TCP only.
const TCP: ProtocolMix = ProtocolMix {
    tcp: 1,
    udp: 0,
    icmp: 0,
};

fn headers(traffic: &Traffic) -> Vec<Headers> {
    let packets = traffic.packets();
    packets
        .map(|packet| Headers::parse(&packet.bytes).unwrap())
        .collect()
}

#[test]
fn a_seed_names_its_packets_for_ever() {
    // FNV-1a over the times and bytes. If this changes, the promise is broken.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for packet in Traffic::default().packets() {
        for byte in packet.time.to_be_bytes().iter().chain(&packet.bytes) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    assert_eq!(hash, GOLDEN, "{hash:#x}");
}

const GOLDEN: u64 = 0xdfa8_4cd6_5f73_be80;

#[test]
fn another_seed_makes_other_packets() {
    let other = Traffic {
        seed: 2,
        ..Traffic::default()
    };
    assert!(Traffic::default().packets().ne(other.packets()));
}

#[test]
fn packets_are_whole_in_order_and_checksummed() {
    let traffic = Traffic {
        flows: 300,
        retransmissions: 10,
        ..Traffic::default()
    };
    let mut last = 0;
    for packet in traffic.packets() {
        assert!(packet.time >= last);
        last = packet.time;
        let headers = Headers::parse(&packet.bytes).unwrap();
        let report = verify_checksums(&packet.bytes, &headers);
        assert_eq!([report.ip, report.transport], [Verdict::Right; 2]);
    }
}

#[test]
fn without_handshakes_and_replies_the_count_is_exact() {
    let traffic = Traffic {
        flows: 77,
        packets_per_flow: 13,
        handshakes: false,
        replies: false,
        ..Traffic::default()
    };
    assert_eq!(traffic.packets().count(), 77 * 13);
    let clients = &traffic.clients;
    assert!(
        headers(&traffic)
            .iter()
            .all(|h| clients[0].contains(&h.source))
    );
}

#[test]
fn sequence_numbers_fit_together() {
    let traffic = Traffic {
        flows: 100,
        protocols: TCP,
        ..Traffic::default()
    };
    // What each direction sends next.
    let mut next: BTreeMap<FlowKey, u32> = BTreeMap::new();
    let mut ends = BTreeSet::new();
    for headers in headers(&traffic) {
        let key = FlowKey::of(&headers).unwrap();
        let Transport::Tcp(tcp) = headers.transport else {
            panic!("{headers:?}");
        };
        if let Some(&expected) = next.get(&key) {
            assert_eq!(tcp.sequence, expected, "{key}");
        }
        if tcp.flags.contains(TcpFlags::ACK) {
            assert_eq!(tcp.acknowledgment, next[&key.reversed()], "{key}");
        }
        let flags = [TcpFlags::SYN, TcpFlags::FIN].map(|f| u32::from(tcp.flags.contains(f)));
        let counted = tcp.payload_len as u32 + flags[0] + flags[1];
        next.insert(key, tcp.sequence.wrapping_add(counted));
        for end in [TcpFlags::FIN, TcpFlags::RST] {
            if tcp.flags.contains(end) {
                ends.insert(end.0);
            }
        }
    }
    assert_eq!(next.len(), 200, "a hundred flows of two directions");
    assert_eq!(ends.len(), 2, "some end by FIN, some by RST");
}

#[test]
fn sizes_are_those_of_the_mix() {
    let lengths = |sizes| {
        let traffic = Traffic {
            sizes,
            flows: 3_000,
            handshakes: false,
            replies: false,
            ..Traffic::default()
        };
        let mut count: BTreeMap<usize, usize> = BTreeMap::new();
        for headers in headers(&traffic) {
            *count.entry(headers.total_len).or_default() += 1;
        }
        count
    };
    assert_eq!(lengths(SizeMix::Min64), BTreeMap::from([(46, 12_000)]));
    assert_eq!(lengths(SizeMix::Full1500), BTreeMap::from([(1500, 12_000)]));
    let imix = lengths(SizeMix::Imix);
    for (len, parts) in [(46, 7), (576, 4), (1500, 1)] {
        assert!(imix[&len].abs_diff(parts * 1000) < 200, "{imix:?}");
    }
}

#[test]
fn memory_is_for_live_flows() {
    let traffic = Traffic {
        flows: 10_000_000,
        ..Traffic::default()
    }
    .flows_per_second(1_000);
    let mut packets = traffic.packets();
    let mut most = 0;
    for _ in 0..50_000 {
        packets.next().unwrap();
        most = most.max(packets.live());
    }
    assert!(most < 1_000, "{most} live");
}

#[test]
fn the_smallest_frames_are_those_of_ethernet() {
    let options = GenOptions {
        traffic: Traffic {
            sizes: SizeMix::Min64,
            flows: 5,
            ..Traffic::default()
        },
        ..GenOptions::default()
    };
    let mut file = Vec::new();
    let summary = generate(&options, &mut file).unwrap();
    assert_eq!(summary.bytes, summary.packets * 60, "64 with the checksum");
    let raw = GenOptions {
        framing: Framing::Raw,
        ..options
    };
    let bare = generate(&raw, &mut Vec::new()).unwrap();
    assert_eq!(bare.packets, summary.packets);
    assert!(bare.bytes < summary.bytes);
}

#[test]
fn nothing_to_say_is_an_error_that_says_why() {
    let refuse = |traffic| {
        let options = GenOptions {
            traffic,
            ..GenOptions::default()
        };
        let mut file = Vec::new();
        let error = generate(&options, &mut file).unwrap_err();
        assert!(matches!(error, GenError::Nothing(_)));
        assert!(file.is_empty());
        error.to_string()
    };
    let clients = Vec::new();
    assert_eq!(
        refuse(Traffic {
            clients,
            ..Traffic::default()
        }),
        "nothing to generate: there are no clients"
    );
    assert_eq!(
        refuse(Traffic {
            flows: 0,
            ..Traffic::default()
        }),
        "nothing to generate: no flows are wanted"
    );
}
