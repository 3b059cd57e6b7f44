//! What people meet, one case each.

use crate::round_trip::{checked, delivers, frames, inside, learned, network};
use std::net::Ipv4Addr;
use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{Headers, Protocol, TcpFlags};
use vpcsim_replay::learn::{LearnError, LearnOptions, Learned, Learner};

type End = ([u8; 4], u16);

const CLIENT: End = ([10, 0, 1, 10], 40_000);
const SERVER: End = ([10, 0, 2, 20], 443);
const PUBLIC: End = ([198, 51, 100, 7], 443);

const SYN: TcpFlags = TcpFlags::SYN;
const ACK: TcpFlags = TcpFlags::ACK;
const RST: TcpFlags = TcpFlags::RST;

fn segment(from: End, to: End, flags: TcpFlags) -> Vec<u8> {
    build::tcp(from, to, flags).bytes()
}

/// A handshake, a question, an answer.
fn connection(client: End, server: End) -> Vec<Vec<u8>> {
    vec![
        segment(client, server, SYN),
        segment(server, client, SYN | ACK),
        segment(client, server, ACK),
        build::tcp(client, server, ACK).payload(b"?").bytes(),
        build::tcp(server, client, ACK).payload(b"!").bytes(),
    ]
}

fn exchange(client: End, server: End) -> Vec<Vec<u8>> {
    vec![
        build::udp(client, server, b"?").bytes(),
        build::udp(server, client, b"!").bytes(),
    ]
}

#[track_caller]
fn learn(packets: Vec<Vec<u8>>) -> Learned {
    let frames = frames(packets);
    delivers("example", &frames, &LearnOptions::default());
    learned(&frames, &LearnOptions::default()).0.unwrap()
}

/// The rules of a file, without comments.
fn rules(text: &str) -> Vec<String> {
    let rules = text
        .lines()
        .filter(|line| line.trim_start().starts_with("- accept"));
    let rules = rules.map(|line| line.split("  #").next().unwrap_or(line).trim().to_owned());
    rules.collect()
}

#[test]
fn the_whole_file_is_one_that_a_person_would_keep() {
    let mut packets = Vec::new();
    for (last, port) in [(10, 40_000), (10, 40_001), (11, 40_000)] {
        packets.extend(connection(([10, 0, 1, last], port), SERVER));
        packets.extend(exchange(([10, 0, 1, last], port), ([10, 0, 2, 53], 53)));
    }
    packets.extend(exchange(([10, 0, 2, 53], 5353), ([198, 51, 100, 53], 53)));
    packets.extend(connection((PUBLIC.0, 50_000), SERVER));
    let text = learn(packets).network;
    assert_eq!(
        text,
        r#"# Learned by `vpcsim learn` from up.pcap
# (28 packets, 2023-11-14 22:13:20 to 2023-11-14 22:13:20).
#
# What completed conversations needed is allowed, and nothing else.
# Behind each rule stands what it was learned from; the times are UTC.

vpcs:
  vpc-10:
    cidr: 10.0.0.0/16
    route_table: vpc-10
    subnets:
      net-10-0-1: {cidr: 10.0.1.0/24}  # 2 hosts
      net-10-0-2: {cidr: 10.0.2.0/24}  # 2 hosts

security_groups:
  clients:  # 2 hosts
    ingress: []
    egress:
      - accept tcp 443 to web-10-0-2-20  # 3 connections, 15 packets, first 2023-11-14 22:13:20
      - accept udp 53 to dns-10-0-2-53   # 3 exchanges, 6 packets, first 2023-11-14 22:13:20
  web-10-0-2-20:
    ingress:
      - accept tcp 443 from clients       # 3 connections with 2 hosts, 15 packets, first 2023-11-14 22:13:20
      - accept tcp 443 from 198.51.100.7  # 1 connection, 5 packets, first 2023-11-14 22:13:20
    egress: []
  dns-10-0-2-53:
    ingress:
      - accept udp 53 from clients  # 3 exchanges with 2 hosts, 6 packets, first 2023-11-14 22:13:20
    egress:
      - accept udp 53 to 198.51.100.53  # 1 exchange, 2 packets, first 2023-11-14 22:13:20

route_tables:
  vpc-10:
    routes:
      - {to: 0.0.0.0/0, via: eip}     # who has an eip
      - {to: 0.0.0.0/0, via: nat/gw}  # everybody else

eips:
  gw: {address: 203.0.113.10, bandwidth: unlimited}  # made up; hosts that only ask the internet share it
  web-10-0-2-20: {address: 203.0.113.11, bind: web-10-0-2-20, bandwidth: unlimited}  # made up; the internet asks this host

nat_gateways:
  gw: {eips: [gw], bandwidth: unlimited}

cvms:
  client-10-0-1-10: {subnet: net-10-0-1, address: 10.0.1.10, security_groups: [clients]}  # sent 8 packets
  client-10-0-1-11: {subnet: net-10-0-1, address: 10.0.1.11, security_groups: [clients]}  # sent 4 packets
  web-10-0-2-20: {subnet: net-10-0-2, address: 10.0.2.20, security_groups: [web-10-0-2-20], listen: ["tcp:443"]}  # sent 8 packets
  dns-10-0-2-53: {subnet: net-10-0-2, address: 10.0.2.53, security_groups: [dns-10-0-2-53], listen: ["udp:53"]}  # sent 4 packets
"#
    );
}

#[test]
fn many_clients_of_one_service_are_one_rule() {
    let clients =
        (10..60_u8).map(|last| connection(([10, 0, 1, last], 40_000 + u16::from(last)), SERVER));
    let learned = learn(clients.flatten().collect());
    assert_eq!(
        rules(&learned.network),
        [
            "- accept tcp 443 to web-10-0-2-20",
            "- accept tcp 443 from clients"
        ]
    );
    assert!(
        learned
            .network
            .contains("# 50 connections with 50 hosts, 250 packets")
    );
}

#[test]
fn what_is_refused_or_unanswered_gets_no_rule() {
    let refused = vec![
        segment(CLIENT, SERVER, SYN),
        segment(SERVER, CLIENT, RST | ACK),
    ];
    let unanswered = vec![segment((CLIENT.0, 40_001), (SERVER.0, 22), SYN)];
    // A scan of half-open connections: the answer is answered by a reset.
    let scanner = (CLIENT.0, 40_002);
    let scan = vec![
        segment(scanner, SERVER, SYN),
        segment(SERVER, scanner, SYN | ACK),
        segment(scanner, SERVER, RST),
    ];
    let learned = learn([refused, unanswered, scan].concat());
    assert_eq!(rules(&learned.network), [""; 0]);
    let conversations = learned.summary.conversations;
    assert_eq!((conversations.completed, conversations.refused), (0, 2));
    assert_eq!(conversations.unanswered, 1);
    assert!(!learned.network.contains("listen"), "{}", learned.network);
}

#[test]
fn a_port_sweep_leaves_only_what_was_open() {
    let sweep = (1..500).flat_map(|port| {
        let (scanner, target) = ((CLIENT.0, 50_000), (SERVER.0, port));
        match port {
            22 => connection(scanner, target),
            _ => vec![
                segment(scanner, target, SYN),
                segment(target, scanner, RST | ACK),
            ],
        }
    });
    let learned = learn(sweep.collect());
    assert!(learned.network.contains("listen: [\"tcp:22\"]"));
    assert_eq!(
        rules(&learned.network),
        [
            "- accept tcp 22 to ssh-10-0-2-20",
            "- accept tcp 22 from client-10-0-1-10"
        ]
    );
}

/// The first packet that was captured comes from the server: by its port it is known as one, and
/// since no nic knows the flow yet, the client's rules accept that packet too.
#[test]
fn a_connection_under_way_is_a_clients_all_the_same() {
    let packets = vec![segment(SERVER, CLIENT, ACK), segment(CLIENT, SERVER, ACK)];
    let learned = learn(packets);
    assert!(learned.network.contains("listen: [\"tcp:443\"]"));
    assert_eq!(
        rules(&learned.network),
        [
            "- accept tcp 40000 from web-10-0-2-20",
            "- accept tcp 443 to web-10-0-2-20",
            "- accept tcp 443 from client-10-0-1-10",
            "- accept tcp 40000 to client-10-0-1-10",
        ]
    );
    assert!(
        learned
            .network
            .contains("answers of 1 connection under way")
    );
}

/// Neither port says who serves: the end that many talk to does.
#[test]
fn where_ports_say_nothing_the_busy_end_is_the_server() {
    let server = ([10, 0, 2, 20], 50_123);
    let packets = (0..5).flat_map(|n| {
        let client = ([10, 0, 1, 10 + n], 50_000 + u16::from(n));
        vec![segment(server, client, ACK), segment(client, server, ACK)]
    });
    assert!(
        learn(packets.collect())
            .network
            .contains("listen: [\"tcp:50123\"]")
    );
}

/// A nat gateway would have had no session for what comes in first.
#[test]
fn who_asks_the_internet_shares_an_address_and_who_cannot_has_one() {
    let asks = learn(connection(CLIENT, PUBLIC));
    assert!(
        asks.network
            .contains("nat_gateways:\n  gw: {eips: [gw], bandwidth: unlimited}")
    );
    assert!(!asks.network.contains("bind:"));
    let under_way = vec![segment(PUBLIC, CLIENT, ACK), segment(CLIENT, PUBLIC, ACK)];
    let under_way = learn(under_way);
    assert!(
        under_way.network.contains("bind: client-10-0-1-10"),
        "{}",
        under_way.network
    );
    assert!(!under_way.network.contains("nat_gateways"));
    let serves = learn(connection(PUBLIC, (CLIENT.0, 80)));
    assert!(serves.network.contains("bind: web-10-0-1-10"));
    let esp = |from, to| build::raw(Protocol::ESP, from, to, b"12345678").bytes();
    let tunnel = vec![esp(CLIENT.0, PUBLIC.0), esp(PUBLIC.0, CLIENT.0)];
    let tunnel = learn(tunnel);
    assert!(
        tunnel
            .network
            .contains("a nat gateway does not carry its protocol")
    );
    assert!(rules(&tunnel.network).contains(&"- accept all to 198.51.100.7".to_owned()));
}

#[test]
fn an_answer_after_a_silence_longer_than_flows_are_remembered_is_accepted() {
    let mut frames = frames([exchange(CLIENT, SERVER), exchange(SERVER, CLIENT)].concat());
    for late in &mut frames[2..] {
        late.time += 3_600_000_000_000;
    }
    assert_eq!(delivers("silence", &frames, &LearnOptions::default()), 4);
    let rules = rules(&network(&frames, &LearnOptions::default()));
    assert!(
        rules.contains(&"- accept udp 40000 from web-10-0-2-20".to_owned()),
        "{rules:?}"
    );
}

#[test]
fn pings_and_what_routers_say_of_them() {
    let ping =
        |echo, from: End, to: End| build::icmp_echo(echo, from.0, to.0, 7, 1, b"ping").bytes();
    let probe = ping(Echo::Request, CLIENT, PUBLIC);
    let headers = Headers::parse(&probe).unwrap();
    let hop = |from: [u8; 4]| {
        icmp::error(&probe, &headers, from.into(), IcmpError::TimeExceeded).unwrap()
    };
    let packets = vec![
        probe.clone(),
        // Within the vpc's range, and on the way through somebody else's network.
        hop([10, 0, 1, 254]),
        probe.clone(),
        hop([172, 20, 0, 9]),
        probe.clone(),
        ping(Echo::Reply, PUBLIC, CLIENT),
    ];
    let learned = learn(packets);
    assert!(
        learned.network.contains("router-10-0-1-254"),
        "{}",
        learned.network
    );
    assert!(!learned.network.contains("172-20"), "{}", learned.network);
    assert_eq!(learned.summary.belongs.completed, 6);
    assert!(rules(&learned.network).contains(&"- accept icmp to 198.51.100.7".to_owned()));
}

#[test]
fn fragments_belong_to_their_first() {
    let large = build::udp(CLIENT, (SERVER.0, 53), &[7; 4000])
        .identification(9)
        .fragments(1500);
    let answer = build::udp((SERVER.0, 53), CLIENT, b"!").bytes();
    let packets: Vec<_> = large.into_iter().chain([answer]).collect();
    let learned = learn(packets.clone());
    assert_eq!(learned.summary.belongs.completed, packets.len() as u64);
    // Without the first one nobody knows what they were.
    let learned = learn(packets[1..].to_vec());
    assert_eq!(learned.summary.belongs.fragments, 2);
}

#[test]
fn what_nobody_sends_is_nobody() {
    let noise = vec![
        build::udp(([0, 0, 0, 0], 68), ([255, 255, 255, 255], 67), b"discover").bytes(),
        build::udp((CLIENT.0, 5353), ([224, 0, 0, 251], 5353), b"mdns").bytes(),
        build::udp((CLIENT.0, 137), ([10, 0, 1, 255], 137), b"who").bytes(),
    ];
    let learned = learn(noise);
    assert_eq!(learned.summary.network.cvms, 1);
    assert_eq!(learned.summary.belongs.nobody, 2);
    assert_eq!(rules(&learned.network), [""; 0]);
}

#[test]
fn an_address_that_no_subnet_can_give_away_is_kept_as_captured() {
    let learned = learn(connection(([10, 0, 0, 1], 40_000), PUBLIC));
    let moved = &learned.summary.renumbered[0];
    assert_eq!(moved.address, Ipv4Addr::new(10, 0, 0, 2));
    assert_eq!(moved.cvm, "client-10-0-0-1");
    assert!(
        learned.network.contains("captured_as: [10.0.0.1]"),
        "{}",
        learned.network
    );
    // One whose subnet need only be wider is not.
    let learned = learn(exchange(([192, 168, 1, 7], 40_000), ([192, 168, 1, 1], 53)));
    assert_eq!(learned.summary.renumbered, []);
    assert!(learned.network.contains("{cidr: 192.168.0.0/23}"));
}

#[test]
fn blocks_that_talk_to_each_other_are_one_vpc_and_others_are_not() {
    let together = learn(connection(CLIENT, ([192, 168, 5, 5], 80)));
    assert!(
        together
            .network
            .contains("cidrs: [10.0.0.0/16, 192.168.0.0/16]")
    );
    let apart = [
        connection(CLIENT, SERVER),
        exchange(([192, 168, 5, 6], 4000), ([192, 168, 5, 5], 53)),
    ];
    let apart = learn(apart.concat());
    assert_eq!(apart.summary.network.vpcs, 2);
}

#[test]
fn where_all_is_public_the_error_names_who_talks_most() {
    let frames = frames(connection(PUBLIC, ([203, 0, 113, 80], 443)));
    match learned(&frames, &LearnOptions::default()).0 {
        Err(error @ LearnError::NobodyInside { .. }) => {
            assert!(
                error
                    .to_string()
                    .contains("5 between addresses that are not inside")
            );
            let LearnError::NobodyInside { busiest, .. } = error else {
                return;
            };
            assert_eq!(busiest[0], (Ipv4Addr::from(PUBLIC.0), 3));
        }
        other => panic!("{other:?}"),
    }
    // Told who is inside, it has that public address itself.
    let options = inside(&["203.0.113.80/32"]);
    assert_eq!(delivers("public", &frames, &options), 5);
    let text = network(&frames, &options);
    assert!(
        text.contains("address: 203.0.113.80, bind: web-203-0-113-80, mode: direct"),
        "{text}"
    );
}

/// A private host and one with a public address, both inside: untranslated, as captured.
#[test]
fn a_public_inside_host_is_reached_from_private_ones() {
    let frames = frames(connection(CLIENT, ([203, 0, 113, 80], 443)));
    let options = inside(&["10.0.0.0/8", "203.0.113.0/24"]);
    assert_eq!(delivers("both", &frames, &options), 5);
    let text = network(&frames, &options);
    assert!(
        text.contains("to: 203.0.113.80/32, via: instance/web-203-0-113-80"),
        "{text}"
    );
}

/// Link-local and carrier's addresses are neither private nor public: told that they are inside,
/// such hosts have private ones, and are captured as the others.
#[test]
fn hosts_that_are_neither_private_nor_public() {
    let (local, carrier) = (([169, 254, 3, 4], 40_000), ([100, 64, 9, 9], 80));
    let packets = [
        connection(local, carrier),
        connection((local.0, 40_001), PUBLIC),
    ];
    let frames = frames(packets.concat());
    let options = inside(&["169.254.0.0/16", "100.64.0.0/10"]);
    assert_eq!(delivers("neither", &frames, &options), 10);
    assert!(network(&frames, &options).contains("captured_as: [100.64.9.9]"));
}

/// Private addresses that are not inside are somebody's beyond the gateway.
#[test]
fn inside_can_be_less_than_what_is_private() {
    let frames = frames(connection(CLIENT, SERVER));
    let options = inside(&["10.0.1.0/24"]);
    assert_eq!(delivers("less", &frames, &options), 5);
    let text = network(&frames, &options);
    assert!(
        text.contains("accept tcp 443 to 10.0.2.20") && !text.contains("10-0-2-20"),
        "{text}"
    );
}

/// As FTP has it: data connections that the server opens, and the client's to any port.
#[test]
fn ports_without_a_name_are_listed_by_peer() {
    let control = connection(CLIENT, (SERVER.0, 21));
    let active = connection((SERVER.0, 20), (CLIENT.0, 40_500));
    let passive =
        [50_001, 50_002, 50_007].map(|port| connection((CLIENT.0, 41_000), (SERVER.0, port)));
    let learned = learn([control, active, passive.concat()].concat());
    assert_eq!(
        rules(&learned.network),
        [
            "- accept tcp 40500 from ftp-10-0-2-20",
            "- accept tcp 21,50001-50002,50007 to ftp-10-0-2-20",
            "- accept tcp 21,50001-50002,50007 from client-10-0-1-10",
            "- accept tcp 40500 to client-10-0-1-10",
        ]
    );
}

/// Captured on two interfaces, everything is there twice.
#[test]
fn packets_that_come_twice_change_no_rule() {
    let once = connection(CLIENT, PUBLIC);
    let twice = once
        .iter()
        .flat_map(|packet| [packet.clone(), packet.clone()])
        .collect();
    assert_eq!(rules(&learn(once).network), rules(&learn(twice).network));
}

/// A name is in a comment, and stays there.
#[test]
fn a_name_does_not_end_the_comment_that_it_is_in() {
    let mut learner = Learner::new(LearnOptions::default());
    learner.begin_capture("a\ncvms: {}\u{85}\u{2028}\u{7}b.pcap", "none");
    for frame in frames(connection(CLIENT, PUBLIC)) {
        learner.packet(&frame.record());
    }
    let text = learner.finish().unwrap().network;
    checked(&text);
    assert!(
        text.starts_with("# Learned by `vpcsim learn` from a?cvms: {}???b.pcap\n"),
        "{text}"
    );
}

/// A router of another block that speaks of a conversation is in the vpc of who hears it.
#[test]
fn errors_from_another_block_arrive() {
    let large = build::udp(CLIENT, (SERVER.0, 53), b"?").bytes();
    let headers = Headers::parse(&large).unwrap();
    let router = [192, 168, 7, 7];
    let error = icmp::error(&large, &headers, router.into(), IcmpError::TimeExceeded).unwrap();
    let answer = build::udp((SERVER.0, 53), CLIENT, b"!").bytes();
    let learned = learn(vec![large, error, answer]);
    assert!(
        learned.network.contains("router-192-168-7-7"),
        "{}",
        learned.network
    );
    assert_eq!(learned.summary.network.vpcs, 1);
}

#[test]
fn hostile_bytes_teach_nothing_and_break_nothing() {
    let whole = connection(CLIENT, PUBLIC).concat();
    let mut packets: Vec<Vec<u8>> = (0..whole.len())
        .map(|len| whole[..len.min(60)].to_vec())
        .collect();
    packets.extend((0..=255).map(|byte| vec![byte; 40]));
    let frames = frames(packets);
    delivers("hostile", &frames, &LearnOptions::default());
    assert!(learned(&[], &LearnOptions::default()).0.is_err());
}
