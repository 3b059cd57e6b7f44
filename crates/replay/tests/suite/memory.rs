//! Memory is for what lives, not for what passed.

use crate::support::{OFFICE, SECOND, START, check, program};
use vpcsim_capture::{LinkType, Record};
use vpcsim_packet::TcpFlags;
use vpcsim_packet::build::{tcp, udp};
use vpcsim_replay::{Options, Replay};

/// Packets of the year; 10 million with `VPCSIM_LONG_TESTS` set.
fn packets() -> u64 {
    match std::env::var_os("VPCSIM_LONG_TESTS") {
        Some(_) => 10_000_000,
        None => 300_000,
    }
}

#[test]
fn a_year_of_packets_needs_tables_for_live_flows() {
    let program = program(OFFICE);
    let mut replay = Replay::new(&program, &Options::default());
    replay.begin_capture("made up", "none");
    let total = packets();
    let step = 365 * 86_400 * SECOND / total;
    for number in 0..total {
        // A query of its own flow each: client, port and server all move on.
        let port = 1024 + (number % 60_000) as u16;
        let server = [198, 51, 100, (number % 250) as u8];
        let query = udp(([172, 16, 1, 10], port), (server, 53), b"?").bytes();
        let record = Record {
            time: START + number * step,
            interface: 0,
            link_type: LinkType::RAW,
            original_len: query.len() as u32,
            data: &query,
        };
        replay.packet(&record, &mut ()).unwrap();
        if number % 50_000 == 0 {
            let usage = replay.usage();
            let live = live_flows(step);
            assert!(
                usage.connections <= live,
                "{} connections",
                usage.connections
            );
            assert!(usage.gateways[0].sessions <= live);
        }
    }
    let report = replay.finish(&mut ()).unwrap();
    check(&report);
    assert_eq!(report.verdicts.delivered, total);
    assert!(
        report.connections.peak <= live_flows(step) as u64,
        "{report:#?}"
    );
    assert!(
        report.nat[0].sessions_peak <= live_flows(step) as u64,
        "{report:#?}"
    );
}

/// How many flows can be alive at once: a gateway remembers UDP for 180 s.
fn live_flows(step: u64) -> usize {
    (180 * SECOND).div_ceil(step) as usize + 1
}

#[test]
fn a_scan_fills_no_table_of_the_report() {
    let program = program(OFFICE);
    let mut replay = Replay::new(&program, &Options::default());
    replay.begin_capture("made up", "none");
    for number in 0..100_000_u32 {
        // Addresses that nobody has, each once, and one that is knocked at again and again.
        let [a, b, c, d] = number.to_be_bytes();
        let nobody = [172, 16 + (a & 1), b.wrapping_add(3), c ^ d];
        let knock = tcp(([198, 51, 100, 1], 7), (nobody, 80), TcpFlags::SYN).bytes();
        let again = tcp(
            ([198, 51, 100, 2], 7),
            ([172, 16, 1, 10], 22),
            TcpFlags::SYN,
        )
        .bytes();
        for packet in [&knock, &again] {
            let record = Record {
                time: START + u64::from(number),
                interface: 0,
                link_type: LinkType::RAW,
                original_len: packet.len() as u32,
                data: packet,
            };
            replay.packet(&record, &mut ()).unwrap();
        }
    }
    let report = replay.finish(&mut ()).unwrap();
    check(&report);
    assert!(report.drops.len() < 20_000);
    assert_eq!(report.dropped_flows.len(), 10);
    assert_eq!(
        report.dropped_flows[0].flow,
        "tcp 198.51.100.2:7 > 172.16.1.10:22"
    );
    assert_eq!(report.dropped_flows[0].packets, 100_000);
    assert_eq!(report.dropped_flows[0].missed_at_most, 0);
}
