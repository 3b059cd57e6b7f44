//! `--flow-log`: what each nic saw.

use crate::support::{
    Frame, OFFICE, SECOND, START, capture, drops, go_on, input, packets, program, run,
};
use std::collections::BTreeMap;
use std::io;
use vpcsim_capture::LinkType;
use vpcsim_dataplane::{Drop, Place};
use vpcsim_flowlog::Record;
use vpcsim_packet::icmp::IcmpError;
use vpcsim_replay::{FlowLogOptions, Options, ReplayError, Sink, replay};
use vpcsim_testkit::{Craft, complaint, other, ping, pong, tcp, udp};

fn logging(window_seconds: u32) -> Options {
    Options {
        flow_log: Some(FlowLogOptions {
            window_seconds,
            ..FlowLogOptions::default()
        }),
        ..Options::default()
    }
}

fn at(time: u64, packet: &Craft) -> Frame {
    let data = packet.bytes();
    Frame {
        time,
        link_type: LinkType::RAW,
        original_len: data.len() as u32,
        data,
    }
}

/// The lines of a log without version, account, window and status, which are the same in all.
fn lines(yaml: &str, sent: impl IntoIterator<Item = Craft>) -> Vec<String> {
    let program = program(yaml);
    let frames = packets(sent.into_iter().map(|packet| packet.bytes()));
    let (report, kept) = run(&program, &logging(300), &frames);
    let log = report.flow_log.unwrap();
    assert_eq!(log.records, kept.flows.len() as u64);
    assert_eq!(log.split_windows, 0);
    kept.flows.iter().map(|line| short(line)).collect()
}

fn short(line: &str) -> String {
    let fields: Vec<_> = line.split(' ').collect();
    assert_eq!(fields.len(), 14, "{line}");
    assert_eq!([fields[0], fields[1], fields[13]], ["2", "default", "OK"]);
    [&fields[2..10], &fields[12..13]].concat().join(" ")
}

const PAIR: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets:
      web: {cidr: 10.0.1.0/24, acl: edge}
      app: {cidr: 10.0.2.0/24}
acls:
  edge: {ingress: [accept icmp from any, drop tcp 23 from any, accept tcp all from any], egress: [drop icmp to any, accept all to any]}
security_groups:
  web: {ingress: [accept icmp from any, accept tcp 80 from any], egress: [accept icmp to any, accept tcp all to any]}
cvms:
  web: {subnet: web, address: 10.0.1.10, security_groups: [web]}
  next: {subnet: web, address: 10.0.1.11}
  app: {subnet: app, address: 10.0.2.10}
";

/// The documented example: the group allows a ping in, the acl its reply out not.
#[test]
fn a_ping_in_and_no_reply_out_are_two_records() {
    let sent = [
        ping("10.0.2.10", "10.0.1.10").id(7).payload(&[0; 56]),
        pong("10.0.1.10", "10.0.2.10").id(7).payload(&[0; 56]),
    ];
    assert_eq!(
        lines(PAIR, sent),
        [
            "app/eth0 10.0.2.10 10.0.1.10 7 8 1 1 84 ACCEPT",
            "web/eth0 10.0.2.10 10.0.1.10 7 8 1 1 84 ACCEPT",
            "web/eth0 10.0.1.10 10.0.2.10 7 0 1 1 84 REJECT",
        ]
    );
}

#[test]
fn whoever_denies_says_reject_and_nobody_after_it_anything() {
    let sent = [
        // By the acl at the edge, on the way in.
        tcp("10.0.2.10:4000", "10.0.1.10:23"),
        // By the group.
        tcp("10.0.2.10:4000", "10.0.1.10:22"),
        tcp("10.0.2.10:4000", "10.0.1.10:22"),
        // By the group on the way out.
        udp("10.0.1.10:53", "10.0.2.10:53"),
        // Within the subnet no acl is asked.
        ping("10.0.1.10", "10.0.1.11").id(1),
    ];
    assert_eq!(
        lines(PAIR, sent),
        [
            "app/eth0 10.0.2.10 10.0.1.10 4000 23 6 1 40 ACCEPT",
            "web/eth0 10.0.2.10 10.0.1.10 4000 23 6 1 40 REJECT",
            "app/eth0 10.0.2.10 10.0.1.10 4000 22 6 2 80 ACCEPT",
            "web/eth0 10.0.2.10 10.0.1.10 4000 22 6 2 80 REJECT",
            "web/eth0 10.0.1.10 10.0.2.10 53 53 17 1 28 REJECT",
            "web/eth0 10.0.1.10 10.0.1.11 1 8 1 1 28 ACCEPT",
            "next/eth0 10.0.1.10 10.0.1.11 1 8 1 1 28 ACCEPT",
        ]
    );
}

#[test]
fn what_no_rule_drops_is_accepted_where_it_was() {
    let sent = [
        // No route leads there; nobody has the address; it is not the sender's own.
        tcp("10.0.2.10:4000", "10.9.0.1:80"),
        tcp("10.0.2.10:4001", "10.0.2.99:80"),
        tcp("10.0.2.10:4002", "10.0.3.1:80"),
    ];
    assert_eq!(
        lines(PAIR, sent),
        [
            "app/eth0 10.0.2.10 10.9.0.1 4000 80 6 1 40 ACCEPT",
            "app/eth0 10.0.2.10 10.0.2.99 4001 80 6 1 40 ACCEPT",
            "app/eth0 10.0.2.10 10.0.3.1 4002 80 6 1 40 ACCEPT",
        ]
    );
    let strict = format!("{PAIR}policies: {{source_check: nic}}\n");
    let (program, spoofed) = (program(&strict), tcp("10.0.9.9:1", "10.0.1.10:80"));
    let options = Options {
        at: Some(
            vpcsim_replay::Endpoint::parse(&program, "app")
                .unwrap()
                .source(&program),
        ),
        ..logging(300)
    };
    let (report, kept) = run(&program, &options, &packets([spoofed.bytes()]));
    assert!(drops(&report)[0].0.starts_with("source-not-owned"));
    assert_eq!(kept.flows, [""; 0], "it never passed the nic");
}

#[test]
fn a_nic_sees_its_own_side_of_a_translation() {
    let sent = [
        udp("172.16.1.10:4002", "198.51.100.9:53"),
        // As the capture inside has it, and as the internet has it.
        udp("198.51.100.9:53", "172.16.1.10:4002"),
        udp("198.51.100.9:53", "203.0.113.10:4002"),
        tcp("198.51.100.9:5000", "203.0.113.10:8080"),
        tcp("172.16.2.10:80", "198.51.100.9:5000").syn_ack(),
        tcp("198.51.100.9:5001", "203.0.113.20:80"),
    ];
    assert_eq!(
        lines(OFFICE, sent),
        [
            "client/eth0 172.16.1.10 198.51.100.9 4002 53 17 1 28 ACCEPT",
            "client/eth0 198.51.100.9 172.16.1.10 53 4002 17 2 56 ACCEPT",
            "web/eth0 198.51.100.9 172.16.2.10 5000 80 6 1 40 ACCEPT",
            "web/eth0 172.16.2.10 198.51.100.9 80 5000 6 1 40 ACCEPT",
            "web/eth0 198.51.100.9 172.16.2.10 5001 80 6 1 40 ACCEPT",
        ]
    );
}

#[test]
fn icmp_has_type_and_code_in_its_port_and_others_have_none() {
    let question = udp("10.0.2.10:4000", "10.0.1.11:53");
    let esp = other(vpcsim_packet::Protocol(50), "10.0.2.10", "10.0.1.11");
    let unreachable = IcmpError::FragmentationNeeded { mtu: 1400 };
    let about = complaint("10.0.1.11", unreachable, &question.bytes());
    let yaml = PAIR
        .replace(
            "edge: {ingress: [",
            "edge: {ingress: [accept all from any, ",
        )
        .replace("drop icmp to any, ", "");
    let lines = lines(&yaml, [question, about, esp]);
    let fields = |line: &String| {
        let fields: Vec<_> = line.split(' ').map(str::to_owned).collect();
        (fields[3].clone(), fields[4].clone(), fields[5].clone())
    };
    let told: Vec<_> = lines.iter().map(fields).collect();
    let (udp, icmp, esp) = (("4000", "53", "17"), ("0", "1027", "1"), ("0", "0", "50"));
    let expected = [udp, udp, icmp, icmp, esp, esp].map(|(source, destination, protocol)| {
        (
            source.to_owned(),
            destination.to_owned(),
            protocol.to_owned(),
        )
    });
    assert_eq!(told, expected);
    assert_eq!(1027, 3 | 4 << 8);
}

/// Begin, end and packets of each record.
fn windows(flows: &[String]) -> Vec<(u64, u64, u64)> {
    let windows = flows.iter().map(|line| {
        let fields: Vec<_> = line.split(' ').collect();
        let number = |at: usize| fields[at].parse().unwrap();
        (number(10), number(11), number(8))
    });
    windows.collect()
}

#[test]
fn a_window_begins_at_a_multiple_of_its_length_and_ends_before_the_next() {
    let program = program(PAIR);
    // 1 700 000 000 is 20 past a minute.
    let begin = 1_699_999_980;
    let edge = (begin + 60) * SECOND;
    let denied = udp("10.0.1.10:1", "10.0.2.10:2");
    let times = [
        START,
        edge - 1,
        edge,
        edge + 1,
        edge + 59 * SECOND,
        edge + 3 * 60 * SECOND,
    ];
    let frames: Vec<_> = times.iter().map(|&time| at(time, &denied)).collect();
    let (report, kept) = run(&program, &logging(60), &frames);
    assert_eq!(
        windows(&kept.flows),
        [
            (begin, begin + 60, 2),
            (begin + 60, begin + 120, 3),
            (begin + 240, begin + 300, 1)
        ]
    );
    assert_eq!(report.flow_log.unwrap().records, 3);
}

#[test]
fn a_clock_that_goes_back_goes_back_into_no_window() {
    let program = program(PAIR);
    let denied = udp("10.0.1.10:1", "10.0.2.10:2");
    let times = [
        START,
        START + 60 * SECOND,
        START - 600 * SECOND,
        0,
        START + 61 * SECOND,
    ];
    let frames: Vec<_> = times.iter().map(|&time| at(time, &denied)).collect();
    let (report, kept) = run(&program, &logging(60), &frames);
    let begin = 1_699_999_980;
    assert_eq!(
        windows(&kept.flows),
        [(begin, begin + 60, 1), (begin + 60, begin + 120, 4)]
    );
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
}

#[test]
fn a_remembered_flow_is_logged_in_every_window() {
    let program = program(OFFICE);
    // After two of each the cache knows the flow.
    let (there, back) = (
        udp("172.16.1.10:4002", "198.51.100.9:53"),
        udp("198.51.100.9:53", "172.16.1.10:4002"),
    );
    let frames: Vec<_> = (0..600)
        .map(|number| {
            let packet = if number % 2 == 0 { &there } else { &back };
            at(START + number * SECOND / 2, packet)
        })
        .collect();
    let (_, kept) = run(&program, &logging(100), &frames);
    let seen = windows(&kept.flows);
    assert_eq!(seen.len(), 6, "{seen:?}");
    for window in seen.chunks(2) {
        assert_eq!((window[0].2, window[1].2), (100, 100));
    }
}

#[test]
fn a_full_table_is_written_in_parts_and_loses_nothing() {
    let program = program(PAIR);
    let frames: Vec<_> = (0..100_u64)
        .map(|number| {
            let from = format!("10.0.1.10:{}", 1 + number % 10);
            at(START + number * SECOND / 4, &udp(&from, "10.0.2.10:2"))
        })
        .collect();
    let options = |most_flows| Options {
        flow_log: Some(FlowLogOptions {
            window_seconds: 60,
            most_flows,
        }),
        ..Options::default()
    };
    let (report, kept) = run(&program, &options(4), &frames);
    let log = report.flow_log.unwrap();
    assert_eq!(log.split_windows, 1);
    assert!(
        report.warnings[0].contains("in parts"),
        "{:?}",
        report.warnings
    );
    let parts = windows(&kept.flows);
    assert_eq!(parts.iter().map(|(.., packets)| packets).sum::<u64>(), 100);
    let begin = 1_699_999_980;
    assert_eq!((parts[0].0, parts.last().unwrap().1), (begin, begin + 60));
    // One part begins where the last one ended.
    let parts: Vec<_> = parts
        .chunk_by(|a, b| a.1 == b.1)
        .map(|part| part[0])
        .collect();
    assert!(parts.len() > 10);
    assert!(
        parts.windows(2).all(|pair| pair[1].0 == pair[0].1),
        "{parts:?}"
    );
    // With room for all of them there is one record for each.
    let (report, kept) = run(&program, &options(10), &frames);
    assert_eq!((report.warnings.len(), kept.flows.len()), (0, 10));
}

#[test]
fn the_log_adds_up_to_the_report() {
    let program = program(PAIR);
    let frames: Vec<_> = (0..3_000_u64)
        .map(|number| {
            let client = format!("10.0.2.10:{}", 1000 + number % 300);
            let port = [80, 22, 23][(number % 3) as usize];
            let there = tcp(&client, &format!("10.0.1.10:{port}"));
            let packet = match number / 900 {
                0 => there,
                _ if port == 80 && number % 2 == 0 => tcp("10.0.1.10:80", &client)
                    .syn_ack()
                    .filler(number as usize % 7),
                _ => there.ack().filler(number as usize % 100),
            };
            at(START + number * SECOND, &packet)
        })
        .collect();
    let (report, kept) = run(&program, &logging(300), &frames);
    let mut sums = BTreeMap::<(String, String, bool), (u64, u64)>::new();
    for line in &kept.flows {
        let fields: Vec<_> = line.split(' ').map(str::to_owned).collect();
        // Whether the nic is the packet's destination's.
        let inbound = (fields[2] == "web/eth0") == (fields[4] == "10.0.1.10");
        let key = (fields[2].clone(), fields[12].clone(), inbound);
        let sum = sums.entry(key).or_default();
        sum.0 += fields[8].parse::<u64>().unwrap();
        sum.1 += fields[9].parse::<u64>().unwrap();
    }
    let sum = |nic: &str, action: &str, inbound: bool| {
        let key = (nic.to_owned(), action.to_owned(), inbound);
        sums.get(&key).copied().unwrap_or_default()
    };
    for place in &report.places {
        let arrived = sum(&place.name, "ACCEPT", true);
        assert_eq!(arrived, (place.packets, place.bytes), "{}", place.name);
    }
    let rejected = |nic, inbound| sum(nic, "REJECT", inbound);
    let denied = report.drops.iter().fold((0, 0), |sum, row| {
        assert!(["acl-deny", "security-group-deny"].contains(&row.reason));
        (sum.0 + row.packets, sum.1 + row.bytes)
    });
    assert!(denied.0 > 0);
    assert_eq!(rejected("web/eth0", true), denied);
    assert_eq!(rejected("app/eth0", true), (0, 0));
    let sent = sum("app/eth0", "ACCEPT", false).0 + sum("web/eth0", "ACCEPT", false).0;
    assert_eq!(sent, 3_000);
    assert_eq!(report.places.len(), 2);
}

/// Takes no record.
struct Full;

impl Sink for Full {
    fn delivered(&mut self, _: Place, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn dropped(&mut self, _: &Drop, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn flow_record(&mut self, _: &Record<'_>) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn a_sink_that_takes_no_record_ends_the_replay() {
    let program = program(PAIR);
    let frames = packets([ping("10.0.1.10", "10.0.1.11").bytes()]);
    let inputs = vec![input("test", capture(&frames))];
    let result = replay(&program, inputs, &logging(300), &mut Full, &mut go_on);
    match result {
        Err(ReplayError::Sink(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    }
}
