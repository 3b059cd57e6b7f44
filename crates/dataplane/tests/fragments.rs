//! SEMANTICS §11: fragments.

use vpcsim_packet::{FlowKey, Headers, Protocol, verify_checksums};
use vpcsim_testkit::{Craft, End, Lab, other, ping, tcp, udp};

const SHOP: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {web: {cidr: 10.0.1.0/24}, db: {cidr: 10.0.2.0/24}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
security_groups:
  db: {ingress: [accept udp 53 from any, accept icmp from any], egress: [accept all to any]}
eips: {e1: {address: 203.0.113.1, bandwidth: unlimited}}
nat_gateways:
  gw: {bandwidth: unlimited, eips: [e1], dnat: [{eip: e1, protocol: udp, port: 53, to: db-1}]}
cvms:
  a: {subnet: web, address: 10.0.1.10}
  b: {subnet: web, address: 10.0.1.11}
  db-1: {subnet: db, address: 10.0.2.10, security_groups: [db]}
";

fn lab() -> Lab {
    Lab::new(SHOP)
}

/// Three fragments of one datagram.
fn pieces(packet: Craft) -> [Craft; 3] {
    let pieces = packet.identification(77).filler(4000).fragments(1500);
    pieces.try_into().expect("three pieces")
}

fn query() -> [Craft; 3] {
    pieces(udp("10.0.1.10:4000", "10.0.2.10:53"))
}

/// The datagram that fragments make, as their receiver puts it together.
fn whole(ends: &[End]) -> Vec<u8> {
    let mut ends: Vec<&End> = ends.iter().collect();
    ends.sort_by_key(|end| end.headers().fragment_offset);
    let first = ends[0].headers();
    let mut packet = ends[0].bytes()[..first.header_len].to_vec();
    for end in ends {
        packet.extend(&end.bytes()[end.headers().header_len..]);
    }
    let total = (packet.len() as u16).to_be_bytes();
    packet[2..4].copy_from_slice(&total);
    packet[6..8].fill(0);
    packet[10..12].fill(0);
    packet
}

#[track_caller]
fn transport_is_right(ends: &[End]) -> FlowKey {
    let packet = whole(ends);
    let headers = Headers::parse(&packet).expect("whole");
    let report = verify_checksums(&packet, &headers);
    assert_eq!(report.transport, vpcsim_packet::Verdict::Right);
    FlowKey::of(&headers).expect("whole")
}

#[test]
fn later_fragments_follow_their_first_one() {
    // nat-and-kernel-cases 27: untranslated fragments.
    let mut lab = lab();
    let [first, second, third] = query();
    lab.send(first).delivered_at("db-1/eth0");
    for piece in [second, third] {
        let end = lab.send(piece);
        end.delivered_at("db-1/eth0")
            .passed("security-group-ingress", "established");
    }
}

#[test]
fn early_ones_are_held_and_released_after_the_first_in_their_order() {
    let mut lab = lab();
    let [first, second, third] = query();
    lab.send(third).held();
    lab.send(second).held();
    assert_eq!(lab.state().usage(lab.program()).fragments_held, 2);
    let end = lab.send(first);
    end.delivered_at("db-1/eth0");
    let offsets: Vec<u32> = end
        .released()
        .iter()
        .map(|end| end.headers().fragment_offset)
        .collect();
    assert_eq!(offsets, [2960, 1480], "as they came");
    let ids: Vec<u64> = end.others().iter().map(|other| other.id).collect();
    assert_eq!(ids, [0, 1]);
    for end in end.released() {
        end.delivered_at("db-1/eth0");
    }
    // The first one's stops come before theirs.
    let hosts: Vec<&str> = end
        .stops()
        .iter()
        .filter(|s| s.stage == "host")
        .map(|s| s.packet.as_str())
        .collect();
    assert!(hosts[0].starts_with("udp 10.0.1.10:4000"), "{hosts:?}");
    assert_eq!(lab.state().usage(lab.program()).fragments_held, 0);
}

#[test]
fn they_wait_thirty_seconds_and_no_longer() {
    let mut lab = lab();
    let [first, second, third] = query();
    lab.send(second.clone()).held();
    let _ = lab.wait(29);
    assert_eq!(lab.send(first.clone()).released().len(), 1);

    let mut lab = self::lab();
    lab.send(second).held();
    let _ = lab.wait(10);
    lab.send(third.clone()).held();
    let gone = lab.wait(20);
    assert_eq!(gone.released().len(), 2, "the datagram's time is up");
    for end in gone.released() {
        end.dropped("fragment-timeout", "packet", "packet");
    }
    // The first one may still come; what follows it follows it.
    let late = lab.send(first);
    late.delivered_at("db-1/eth0");
    assert!(late.released().is_empty());
    lab.send(third).delivered_at("db-1/eth0");
}

#[test]
fn at_most_sixty_four_of_a_datagram_are_held() {
    let mut lab = lab();
    let many = udp("10.0.1.10:4000", "10.0.2.10:53")
        .filler(8 * 80)
        .fragments(28);
    for piece in &many[1..65] {
        lab.send(piece.clone()).held();
    }
    lab.send(many[65].clone())
        .dropped("fragment-timeout", "packet", "packet");
    assert_eq!(lab.send(many[0].clone()).released().len(), 64);
    lab.send(many[65].clone()).delivered_at("db-1/eth0");
}

#[test]
fn at_most_four_megabytes_are_held_the_oldest_go() {
    // As Linux `net.ipv4.ipfrag_high_thresh`.
    let mut lab = lab();
    let later = udp("10.0.1.10:4000", "10.0.2.10:53")
        .filler(60_000)
        .fragments(1500);
    let mut dropped = Vec::new();
    for n in 0..3000 {
        let piece = later[1].clone();
        let mut bytes = piece.bytes();
        bytes[4..6].copy_from_slice(&(n as u16).to_be_bytes());
        let end = lab.send(bytes);
        end.held();
        dropped.extend(end.others().iter().map(|other| other.id));
    }
    assert!(dropped.len() > 100, "{} dropped", dropped.len());
    assert!(
        dropped.iter().zip(0..).all(|(&id, n)| id == n),
        "oldest first"
    );
    assert!(lab.state().usage(lab.program()).fragments_held * 1500 <= (4 << 20) + 1500);
}

#[test]
fn at_most_262_144_datagrams_are_remembered_the_oldest_go() {
    use vpcsim_dataplane::{Arrival, Nanos, Source, State, Verdict, walk};
    let program = vpcsim_testkit::net(SHOP);
    let mut state = State::new(&program);
    let [first, second, _] = pieces(udp("198.51.100.7:1", "192.0.2.1:1"));
    let (first, second) = (first.bytes(), second.bytes());
    let mut send = |bytes: &[u8], n: u32| {
        let mut bytes = bytes.to_vec();
        bytes[4..6].copy_from_slice(&(n as u16).to_be_bytes());
        bytes[18] = (n >> 16) as u8;
        let arrival = Arrival {
            id: 0,
            time: Nanos(0),
            source: Source::Internet,
        };
        walk(
            &program,
            &mut state,
            arrival,
            &mut bytes,
            &mut (),
            &mut Vec::new(),
        )
        .verdict
    };
    for n in 0..=1 << 18 {
        assert!(matches!(send(&first, n), Verdict::Dropped(_)));
    }
    assert!(
        matches!(send(&second, 1 << 18), Verdict::Dropped(_)),
        "the newest is known"
    );
    assert_eq!(send(&second, 0), Verdict::Held, "the oldest is forgotten");
}

#[test]
fn a_datagram_is_one_source_destination_protocol_and_identification() {
    let [first, second, _] = query();
    let other_of = |at: usize, value: u8| {
        let mut bytes = second.bytes();
        bytes[at] = value;
        bytes
    };
    for (name, bytes) in [
        ("source", other_of(15, 11)),
        ("destination", other_of(19, 11)),
        ("protocol", other_of(9, 6)),
        ("identification", other_of(5, 78)),
    ] {
        let mut lab = lab();
        lab.send(first.clone()).delivered_at("db-1/eth0");
        assert_eq!(lab.send(bytes).outcome(), "held", "another {name}");
    }
}

#[test]
fn the_same_datagram_at_another_place_is_another() {
    // A capture of two points shows the same fragments twice.
    let mut lab = lab();
    let [first, second, _] = query();
    lab.send_from("a", first.clone()).delivered_at("db-1/eth0");
    lab.send_from("a/eth0", second.clone()).held();
    lab.send_from("a", second).delivered_at("db-1/eth0");
    assert_eq!(lab.send_from("a/eth0", first).released().len(), 1);
}

#[test]
fn an_identification_used_again_names_a_new_datagram() {
    // Hosts that send many fragments go through all 65 536 within the 30 s.
    let mut lab = lab();
    let other = pieces(udp("10.0.1.10:4000", "10.0.2.10:54"));
    let [first, second, _] = query();
    lab.send(first.clone()).delivered_at("db-1/eth0");
    let _ = lab.wait(20);
    assert_eq!(lab.send(other[0].clone()).outcome(), "security-group-deny");
    assert_eq!(lab.send(other[1].clone()).outcome(), "security-group-deny");
    // Its own 30 s have begun with its own first fragment.
    let _ = lab.wait(20);
    assert_eq!(lab.send(other[2].clone()).outcome(), "security-group-deny");
    let _ = lab.wait(10);
    lab.send(second).held();
    assert_eq!(lab.send(first).released().len(), 1);
}

#[test]
fn later_fragments_of_a_denied_flow_are_denied() {
    // nat-and-kernel-cases 49.
    let mut lab = lab();
    let [first, second, third] = pieces(udp("10.0.1.10:4000", "10.0.2.10:54"));
    lab.send(third).held();
    let end = lab.send(first);
    end.dropped("security-group-deny", "security-group-ingress", "db");
    end.released()[0].dropped("security-group-deny", "security-group-ingress", "db");
    lab.send(second)
        .dropped("security-group-deny", "security-group-ingress", "db")
        .by_rule("ingress implicit deny");
}

#[test]
fn out_by_the_gateway_in_order_and_out_of_order() {
    // nat-and-kernel-cases 24, 25, 30.
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        for (packet, expected) in [
            (
                udp("10.0.1.10:4000", "198.51.100.7:53"),
                "udp 203.0.113.1:4000 > 198.51.100.7:53",
            ),
            (
                tcp("10.0.1.10:4000", "198.51.100.7:53"),
                "tcp 203.0.113.1:4000 > 198.51.100.7:53",
            ),
        ] {
            let mut lab = lab();
            let pieces = pieces(packet);
            let mut ends = Vec::new();
            for piece in order {
                let end = lab.send(pieces[piece].clone());
                ends.extend(end.released());
                if end.outcome() != "held" {
                    ends.push(end);
                }
            }
            assert_eq!(ends.len(), 3);
            for end in &ends {
                end.delivered_at("internet");
            }
            assert_eq!(transport_is_right(&ends).to_string(), expected);
        }
    }
}

#[test]
fn in_by_the_gateway_out_of_order() {
    let mut lab = lab();
    let [first, second, third] = pieces(udp("198.51.100.7:999", "203.0.113.1:53"));
    lab.from_internet(second).held();
    let end = lab.from_internet(first);
    let mut ends = end.released();
    ends.push(end);
    ends.push(lab.from_internet(third));
    for end in &ends {
        end.delivered_at("db-1/eth0");
    }
    assert_eq!(
        transport_is_right(&ends).to_string(),
        "udp 198.51.100.7:999 > 10.0.2.10:53"
    );
}

#[test]
fn fragments_without_a_session_are_dropped_with_their_first() {
    let mut lab = lab();
    let [first, second, _] = pieces(udp("198.51.100.7:999", "203.0.113.1:54"));
    lab.from_internet(first)
        .dropped("no-nat-session", "nat-gateway", "gw");
    lab.from_internet(second)
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn later_fragments_open_no_session() {
    // The first one is a RST, which takes no mapping; the others have nothing to follow.
    let mut lab = lab();
    let [first, second, _] = pieces(tcp("10.0.1.10:4000", "198.51.100.7:53").rst());
    lab.send(first)
        .dropped("invalid-state", "nat-gateway", "gw");
    lab.send(second)
        .dropped("no-nat-session", "nat-gateway", "gw");
    let yaml = SHOP.replace("protocol: udp", "protocol: tcp");
    let mut lab = Lab::new(&yaml);
    let [first, second, _] = pieces(tcp("198.51.100.7:9", "203.0.113.1:53").rst());
    lab.from_internet(first)
        .dropped("invalid-state", "nat-gateway", "gw");
    lab.from_internet(second)
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn a_changed_port_reaches_the_whole_datagram() {
    // The port stands in the first fragment only, the checksum covers all of them.
    let mut lab = lab();
    lab.send(udp("10.0.1.11:4000", "198.51.100.7:53"))
        .delivered_at("internet");
    let ends: Vec<End> = pieces(udp("10.0.1.10:4000", "198.51.100.7:53"))
        .into_iter()
        .map(|piece| lab.send(piece))
        .collect();
    let key = transport_is_right(&ends);
    assert_ne!(key.source_port, 4000);
    assert_eq!(key.source.to_string(), "203.0.113.1");
}

#[test]
fn a_ping_in_fragments() {
    let mut lab = lab();
    let ends: Vec<End> = pieces(ping("10.0.1.10", "198.51.100.7"))
        .into_iter()
        .map(|piece| lab.send(piece))
        .collect();
    for end in &ends {
        end.delivered_at("internet");
        assert_eq!(end.headers().source.to_string(), "203.0.113.1");
    }
    transport_is_right(&ends);
    for piece in pieces(ping("10.0.1.10", "10.0.2.10").id(3)) {
        lab.send(piece).delivered_at("db-1/eth0");
    }
}

#[test]
fn protocols_without_ports_in_fragments() {
    let mut lab = lab();
    let [first, second, _] = pieces(other(Protocol::GRE, "10.0.1.10", "10.0.1.11"));
    lab.send(second).held();
    let end = lab.send(first);
    end.delivered_at("b/eth0");
    end.released()[0].delivered_at("b/eth0");
}

#[test]
fn a_first_fragment_opens_a_flow_like_any_first_packet() {
    let yaml = format!("{SHOP}policies: {{mid_stream: drop}}\n");
    let mut lab = Lab::new(&yaml);
    let [first, second, _] = query();
    let end = lab.send(first);
    end.delivered_at("db-1/eth0")
        .passed("security-group-ingress", "opened");
    lab.send(second).delivered_at("db-1/eth0");
    lab.send(udp("10.0.2.10:53", "10.0.1.10:4000"))
        .delivered_at("a/eth0")
        .passed("security-group-egress", "established");
}
