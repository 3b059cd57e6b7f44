//! Whatever bytes come: no panic, and the counts add up.

use crate::support::{Frame, OFFICE, START, json, program, run};
use vpcsim_capture::LinkType;
use vpcsim_packet::TcpFlags;
use vpcsim_packet::build::{Echo, icmp, icmp_echo, tcp, udp};
use vpcsim_replay::{Endpoint, FlowLogOptions, Mapping, Options};

/// xorshift64 (Marsaglia 2003): the same numbers on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Packets that take every way through the office, to be damaged.
fn sound() -> Vec<Vec<u8>> {
    let client = [172, 16, 1, 10];
    let web = [172, 16, 2, 10];
    let gateway = [203, 0, 113, 10];
    let stranger = [198, 51, 100, 9];
    let query = udp((client, 4000), (stranger, 53), &[7; 3000]);
    let mut packets = vec![
        tcp((client, 4000), (stranger, 80), TcpFlags::SYN).bytes(),
        tcp(
            (stranger, 80),
            (client, 4000),
            TcpFlags::SYN | TcpFlags::ACK,
        )
        .bytes(),
        tcp((stranger, 4000), (gateway, 8080), TcpFlags::SYN).bytes(),
        udp((client, 4000), (web, 53), b"?").bytes(),
        icmp_echo(Echo::Request, stranger, gateway, 9, 1, b"hello").bytes(),
        icmp(stranger, client, 3, 3, [0; 4], &query.bytes()[..28]).bytes(),
        icmp(web, client, 11, 0, [0; 4], &query.bytes()[..28]).bytes(),
    ];
    packets.extend(query.fragments(1500));
    packets
}

/// Packets with damage of every link type, back and forth in time.
pub(crate) fn damaged(number: u64) -> Vec<Frame> {
    let mut numbers = Numbers(0x5eed);
    let sound = sound();
    let links = [0, 1, 9, 12, 14, 50, 101, 104, 108, 113, 127, 228, 229, 276].map(LinkType);
    let mut frames = Vec::new();
    for number in 0..number {
        let mut data = sound[numbers.below(sound.len())].clone();
        for _ in 0..numbers.below(4) {
            let at = numbers.below(data.len().min(64));
            data[at] = numbers.next() as u8;
        }
        if numbers.below(4) == 0 {
            data.truncate(numbers.below(data.len()));
        }
        let link_type = match numbers.below(3) {
            0 => links[numbers.below(links.len())],
            _ => LinkType::RAW,
        };
        frames.push(Frame {
            // Back and forth, some of it by more than a fragment may wait.
            time: START + number * 1_000_000 + numbers.next() % 40_000_000_000,
            link_type,
            original_len: (data.len() + numbers.below(3) * 700) as u32,
            data,
        });
    }
    frames
}

#[test]
fn damaged_packets_of_every_link_type_add_up() {
    let frames = damaged(40_000);
    for policies in [
        "",
        "policies: {mid_stream: drop, mtu: icmp, fabric_ttl: 1}\n",
    ] {
        let program = program(&format!("{OFFICE}{policies}"));
        let map = vec![Mapping::parse(&program, "198.51.100.9=client-2").unwrap()];
        for (at, map) in [
            (None, Vec::new()),
            (None, map.clone()),
            (Some("client"), Vec::new()),
            (Some("internet"), map),
        ] {
            let place = |text| Endpoint::parse(&program, text).unwrap().source(&program);
            let options = Options {
                at: at.map(place),
                map,
                keep_drops: true,
                timeline: true,
                ..Options::default()
            };
            let (report, kept) = run(&program, &options, &frames);
            assert_eq!(report.packets, 40_000);
            assert!(report.verdicts.delivered > 0, "{report:#?}");
            // Being watched changes nothing.
            let watching = Options {
                rules: true,
                flow_log: Some(FlowLogOptions::default()),
                ..options
            };
            let (mut watched, seen) = run(&program, &watching, &frames);
            assert!(watched.rules.take().is_some_and(|rules| rules.flows_exact));
            assert!(watched.flow_log.take().is_some_and(|log| log.records > 0));
            assert_eq!(json(&watched), json(&report));
            assert_eq!(seen.delivered, kept.delivered);
            assert_eq!(seen.dropped, kept.dropped);
        }
    }
}
