//! Random packets: nothing panics, and what must never happen never does.

use super::super::{Direction, Invalid, Judgement, Opening, Settings, Tracker};
use super::conversation::headers;
use crate::Nanos;
use std::net::Ipv4Addr;
use vpcsim_network::{Conntrack, NatTimeouts, TcpWindow};
use vpcsim_packet::{
    FlowKey, Headers, Icmp, IcmpBody, Protocol, Quoted, Tcp, TcpFlags, Transport, Udp,
};

/// A small generator (splitmix64): the same seed gives the same run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// Headers that contradict themselves in every way, and some that do not.
fn wild(random: &mut Random) -> Headers {
    let lengths = [0, 1, 7, 8, 19, 20, 21, 40, 60, 1500, 65_535, usize::MAX];
    let protocol = Protocol(random.one_of(&[1, 6, 17, 47, 50, 255]));
    let query = IcmpBody::Query {
        identifier: random.below(3) as u16,
        sequence: 0,
    };
    let quoted = IcmpBody::Error(Quoted {
        offset: random.one_of(&lengths),
        header_len: random.one_of(&lengths),
        key: FlowKey {
            protocol,
            source: Ipv4Addr::LOCALHOST,
            source_port: 0,
            destination: Ipv4Addr::LOCALHOST,
            destination_port: 0,
        },
        later_fragment: random.below(2) == 0,
    });
    let transport = match random.below(8) {
        0..4 => Transport::Tcp(segment(random, &lengths)),
        4 => Transport::Udp(Udp {
            source_port: 1,
            destination_port: 2,
            length: random.next() as u16,
        }),
        5 => Transport::Icmp(Icmp {
            kind: random.below(20) as u8,
            code: 0,
            body: random.one_of(&[query, quoted, IcmpBody::Other]),
        }),
        6 => Transport::Other,
        _ => Transport::LaterFragment,
    };
    Headers {
        header_len: random.one_of(&lengths),
        total_len: random.one_of(&lengths),
        ..headers(protocol, 0, transport)
    }
}

fn segment(random: &mut Random, lengths: &[usize]) -> Tcp {
    // Numbers near each other and near the wrap, so that they meet.
    let near = |random: &mut Random| {
        random
            .one_of(&[0_u32, 5, 1000, 70_000, u32::MAX - 3])
            .wrapping_add(random.below(5) as u32)
    };
    Tcp {
        source_port: 1,
        destination_port: 2,
        sequence: near(random),
        acknowledgment: near(random),
        flags: TcpFlags(random.below(256) as u8),
        window: random.one_of(&[0, 1, 1000, 65_535]),
        header_len: random.one_of(lengths),
        payload_len: random.one_of(lengths),
    }
}

/// A segment whose lengths agree.
fn sane_segment(random: &mut Random) -> (Headers, Vec<u8>) {
    let options_len = random.below(11) as usize * 4;
    let payload_len = random.one_of(&[0, 0, 1, 1000]);
    let mut packet = vec![0; 40];
    packet.extend((0..options_len).map(|_| random.below(12) as u8));
    let flags = random.one_of(&[0x02, 0x12, 0x10, 0x10, 0x18, 0x11, 0x04, 0x14]);
    let tcp = Tcp {
        flags: TcpFlags(flags),
        header_len: 20 + options_len,
        payload_len,
        ..segment(random, &[20])
    };
    let length = tcp.header_len + payload_len;
    (headers(Protocol::TCP, length, Transport::Tcp(tcp)), packet)
}

fn settings(random: &mut Random) -> Settings {
    Settings {
        window: random.one_of(&[TcpWindow::Ignore, TcpWindow::Track]),
        loose: random.below(2) == 0,
    }
}

#[test]
fn no_headers_make_a_tracker_panic() {
    let timeouts = Conntrack::default();
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let settings = settings(&mut random);
        let mut now = Nanos(random.one_of(&[0, 1 << 60, u64::MAX]));
        let packet: Vec<u8> = (0..80).map(|_| random.below(12) as u8).collect();
        let mut tracker = None;
        for _ in 0..12 {
            let headers = wild(&mut random);
            now.0 = now.0.saturating_add(random.below(3_000_000_000));
            let direction = random.one_of(&[Direction::Original, Direction::Reply]);
            let Some(tracker) = &mut tracker else {
                match Tracker::open(&packet, &headers, now, &settings) {
                    Opening::Opens(new) | Opening::MidStream(new) => tracker = Some(new),
                    Opening::Invalid(reason) => assert!(!reason.to_string().is_empty()),
                }
                continue;
            };
            let judgement = tracker.update(&packet, &headers, direction, now, &settings);
            tracker.deadline(judgement, now, now, &timeouts);
            tracker.nat_deadline(judgement, now, now, &NatTimeouts::default());
            assert!(!tracker.state_name().is_empty());
        }
    }
}

#[test]
fn only_a_packet_that_passes_prolongs() {
    let timeouts = Conntrack::default();
    tcp_runs(TcpWindow::Track, |tracker, judgement, _, now| {
        let current = now.after_seconds(1000);
        let after = tracker.deadline(judgement, current, now, &timeouts);
        if judgement != Judgement::Pass {
            assert!(after <= current, "{judgement:?}");
        }
        assert!(after <= now.after_seconds(timeouts.tcp_established));
    });
}

#[test]
fn under_ignore_no_sequence_number_is_invalid_and_every_rst_closes() {
    // SEMANTICS §6, `tcp_window: ignore`.
    tcp_runs(TcpWindow::Ignore, |tracker, judgement, flags, _| {
        let numbers = [
            Invalid::SequenceAhead,
            Invalid::AcknowledgmentAhead,
            Invalid::OldReset,
        ];
        assert!(!numbers.map(Judgement::Invalid).contains(&judgement));
        assert!(judgement != Judgement::Ends || flags.contains(TcpFlags::RST));
        if flags.contains(TcpFlags::RST) {
            assert_eq!(tracker.state_name(), "CLOSE");
        }
    });
}

/// Random segments in one connection after another.
fn tcp_runs(window: TcpWindow, mut look: impl FnMut(&Tracker, Judgement, TcpFlags, Nanos)) {
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let settings = Settings {
            window,
            loose: true,
        };
        let mut tracker = None;
        for second in 0..30 {
            let now = Nanos(0).after_seconds(second);
            let (headers, packet) = sane_segment(&mut random);
            let Transport::Tcp(tcp) = headers.transport else {
                continue;
            };
            let direction = random.one_of(&[Direction::Original, Direction::Reply]);
            let Some(open) = &mut tracker else {
                match Tracker::open(&packet, &headers, now, &settings) {
                    Opening::Opens(new) | Opening::MidStream(new) => tracker = Some(new),
                    Opening::Invalid(_) => {}
                }
                continue;
            };
            let judgement = open.update(&packet, &headers, direction, now, &settings);
            look(open, judgement, tcp.flags, now);
            if matches!(judgement, Judgement::Ends | Judgement::Reopen) {
                tracker = None;
            }
        }
    }
}
