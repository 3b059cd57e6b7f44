//! SEMANTICS §9: which outside port a flow gets, and when there is none left.

use std::collections::HashSet;
use vpcsim_dataplane::{Arrival, DropReason, Nanos, Program, Source, State, Verdict, walk};
use vpcsim_network::{CvmId, NicId};
use vpcsim_packet::{FlowKey, Headers, Protocol, TcpFlags, build};
use vpcsim_testkit::{Lab, net, ping, pong, tcp, udp};

fn network(gateway: &str) -> String {
    let hosts: String = (10..60)
        .map(|n| format!("  h{n}: {{subnet: web, address: 10.0.1.{n}}}\n"))
        .collect();
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {{web: {{cidr: 10.0.1.0/24}}}}
route_tables: {{out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}}}
eips:
  e1: {{address: 203.0.113.1, bandwidth: unlimited}}
  e2: {{address: 203.0.113.2, bandwidth: unlimited}}
nat_gateways:
  gw: {{bandwidth: unlimited, {gateway}}}
cvms:
{hosts}"
    )
}

fn lab(gateway: &str) -> Lab {
    Lab::new(&network(gateway))
}

const REMOTE: &str = "198.51.100.7:443";

/// The outside key of what `host` sends from `port`.
#[track_caller]
fn outside(lab: &mut Lab, host: u8, port: u16, remote: &str) -> FlowKey {
    let end = lab.send(udp(&format!("10.0.1.{host}:{port}"), remote));
    end.delivered_at("internet").checksums_are_right();
    FlowKey::of(&end.headers()).expect("not a fragment")
}

/// DESIGN, idea 5: all 16 bits folded to six.
fn class(port: u16) -> u16 {
    (port ^ (port >> 6) ^ (port >> 12)) & 63
}

#[test]
fn a_port_is_kept_when_it_is_free() {
    // nat-and-kernel-cases 1, 2: whatever it is.
    let mut lab = lab("eips: [e1]");
    for port in [0, 1, 53, 1023, 1024, 40_000, 65_535] {
        assert_eq!(outside(&mut lab, 10, port, REMOTE).source_port, port);
    }
}

/// What a forwarding host sends with a stranger's address to an address of the gateway looks like the
/// stranger's answers there. So a flow to that stranger gets another port (`nf_nat_used_tuple`).
#[test]
fn what_comes_back_belongs_to_one_session() {
    let network = network("eips: [e1]");
    let mut lab = Lab::new(&format!(
        "policies: {{source_check: off}}\n{network}  router: {{subnet: web, address: 10.0.1.9, ip_forward: true}}\n"
    ));
    let router = lab.program().network().cvms.len() as u32 - 1;
    let stranger = udp(REMOTE, "203.0.113.1:4000");
    let sent = lab.send_at(Source::Cvm(CvmId(router)), stranger.bytes());
    assert_eq!(
        sent.outcome(),
        "no-nat-session",
        "translated, and then at the gateway's door"
    );
    assert_eq!(lab.state().usage(lab.program()).gateways[0].sessions, 1);
    assert_eq!(outside(&mut lab, 10, 4000, REMOTE).source_port, 4065);
}

#[test]
fn on_a_clash_the_next_free_one_of_its_class_at_1024_or_above() {
    // nat-and-kernel-cases 2, 3.
    for port in [0, 53, 1023, 1024, 40_000, 65_535] {
        let mut lab = lab("eips: [e1]");
        let mut seen = HashSet::new();
        for host in 10..60 {
            let key = outside(&mut lab, host, port, REMOTE);
            assert_eq!(
                class(key.source_port),
                class(port),
                "{port} > {}",
                key.source_port
            );
            assert!(host == 10 || key.source_port >= 1024);
            assert!(
                seen.insert(key),
                "two live flows look the same outside: {key}"
            );
        }
    }
}

#[test]
fn many_hosts_never_share_an_outside_tuple_and_every_reply_finds_its_host() {
    let mut lab = lab("eips: [e1, e2]");
    let mut seen = HashSet::new();
    for host in 10..60 {
        for port in [5000, 5001, 6000] {
            let end = lab.send(tcp(&format!("10.0.1.{host}:{port}"), REMOTE));
            end.delivered_at("internet");
            assert!(seen.insert(end.flow()), "{end}");
            let back = lab.reply_to(&end);
            back.delivered_at(&format!("h{host}/eth0"))
                .checksums_are_right();
            assert_eq!(back.flow(), format!("tcp {REMOTE} > 10.0.1.{host}:{port}"));
        }
    }
}

#[test]
fn one_outside_port_serves_many_destinations() {
    let mut lab = lab("eips: [e1]");
    for remote in 1..50 {
        for port in [80, 443] {
            let key = outside(
                &mut lab,
                10 + remote,
                40_000,
                &format!("198.51.100.{remote}:{port}"),
            );
            assert_eq!(key.source_port, 40_000);
        }
    }
    // The same address by another protocol is another destination too.
    let end = lab.send(tcp("10.0.1.59:40000", "198.51.100.1:80"));
    assert_eq!(end.flow(), "tcp 203.0.113.1:40000 > 198.51.100.1:80");
}

#[test]
fn an_icmp_identifier_is_mapped_like_a_port() {
    let mut lab = lab("eips: [e1]");
    let first = lab.send(ping("10.0.1.10", "198.51.100.7").id(700));
    let second = lab.send(ping("10.0.1.11", "198.51.100.7").id(700));
    let id = |end: &vpcsim_testkit::End| FlowKey::of(&end.headers()).map(|key| key.source_port);
    assert_eq!(id(&first), Some(700));
    assert_ne!(id(&second), Some(700));
    second.checksums_are_right();
    let back = lab.reply_to(&second);
    back.delivered_at("h11/eth0").checksums_are_right();
    assert_eq!(id(&back), Some(700), "its own again");
    lab.reply_to(&first).delivered_at("h10/eth0");
    lab.from_internet(pong("198.51.100.7", "203.0.113.1").id(9))
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn a_dnat_port_is_never_taken_by_snat() {
    let mut lab =
        lab("eips: [e1], dnat: [{eip: e1, protocol: udp, port: 5000, to: h59, to_port: 53}]");
    let key = outside(&mut lab, 10, 5000, REMOTE);
    assert_ne!(key.source_port, 5000);
    assert_eq!(class(key.source_port), class(5000));
    // The rule's port still leads where it says, from the same remote too.
    lab.from_internet(udp(REMOTE, "203.0.113.1:5000"))
        .delivered_at("h59/eth0");
    // Of another protocol it is free.
    let end = lab.send(tcp("10.0.1.10:5000", REMOTE));
    assert_eq!(end.flow(), format!("tcp 203.0.113.1:5000 > {REMOTE}"));
}

#[test]
fn a_port_is_free_again_when_its_session_has_expired() {
    // nat-and-kernel-cases 8.
    let mut lab = lab("eips: [e1], timeouts: {udp: 20}");
    let _ = outside(&mut lab, 10, 5000, REMOTE);
    assert_ne!(outside(&mut lab, 11, 5000, REMOTE).source_port, 5000);
    let _ = lab.wait(20);
    assert_eq!(outside(&mut lab, 12, 5000, REMOTE).source_port, 5000);
}

// --- exhaustion ----------------------------------------------------------------------------

/// Many flows, fast: no observer, no text.
struct Flood {
    program: Program,
    state: State,
    now: Nanos,
}

impl Flood {
    fn new(gateway: &str) -> Self {
        let program = net(&network(gateway));
        let state = State::new(&program);
        let now = Nanos(1_000_000_000);
        Self {
            program,
            state,
            now,
        }
    }

    fn send(&mut self, host: u8, port: u16, remote: (u8, u16)) -> Result<FlowKey, DropReason> {
        let to = ([198, 51, 100, remote.0], remote.1);
        let mut bytes = build::tcp(([10, 0, 1, host], port), to, TcpFlags::SYN).bytes();
        let arrival = Arrival {
            id: 0,
            time: self.now,
            source: Source::Nic(NicId(u32::from(host) - 10)),
        };
        let verdict = walk(
            &self.program,
            &mut self.state,
            arrival,
            &mut bytes,
            &mut (),
            &mut Vec::new(),
        )
        .verdict;
        match verdict {
            Verdict::Delivered(_) => {
                let headers = Headers::parse(&bytes).expect("as sent");
                Ok(FlowKey::of(&headers).expect("as sent"))
            }
            Verdict::Dropped(drop) => Err(drop.reason),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn at_most_55_000_connections_per_eip_protocol_and_destination() {
    // nat-and-kernel-cases 4, 5.
    let mut flood = Flood::new("eips: [e1]");
    assert_eq!(flood.program.network().cvm(CvmId(0)).nics, [NicId(0)]);
    let mut seen = HashSet::new();
    for n in 0..55_000u32 {
        let (host, port) = (10 + (n % 2) as u8, 1024 + n as u16);
        let key = flood.send(host, port, (7, 443)).expect("there is room");
        assert!(seen.insert((key.source, key.source_port)));
    }
    let exhausted = Err(DropReason::NatPortsExhausted);
    assert_eq!(flood.send(10, 60_000, (7, 443)), exhausted);
    assert_eq!(flood.send(12, 100, (7, 443)), exhausted);
    // Nothing live was evicted, and other destinations have room.
    assert!(flood.send(10, 1024, (7, 443)).is_ok());
    assert!(flood.send(10, 60_000, (7, 80)).is_ok());
    assert!(flood.send(10, 60_000, (8, 443)).is_ok());
    // Half-open sessions end after 120 s; their places are free again.
    flood.now = flood.now.after_seconds(120);
    assert!(flood.send(10, 60_000, (7, 443)).is_ok());
}

#[test]
fn one_class_of_ports_can_run_out_before() {
    // docs/architecture.md: 1008 ports of a class at 1024 or above, and the original one if below.
    let mut flood = Flood::new("eips: [e1]");
    let of_class: Vec<u16> = (1024..=65_535)
        .filter(|&port| class(port) == class(53))
        .collect();
    assert_eq!(of_class.len(), 1008);
    let mut seen = HashSet::new();
    for n in 0..1009u16 {
        // Each port of the class is asked for by several hosts.
        let (host, port) = (10 + (n % 50) as u8, of_class[usize::from(n / 50)]);
        match flood.send(host, port, (7, 443)) {
            Ok(key) => assert!(seen.insert(key.source_port)),
            Err(reason) => assert_eq!((n, reason), (1008, DropReason::NatPortsExhausted)),
        }
    }
    assert_eq!(seen.len(), 1008);
    // Port 53 itself is below 1024: kept if free.
    assert_eq!(
        flood.send(10, 53, (7, 443)).map(|key| key.source_port),
        Ok(53)
    );
    assert_eq!(
        flood.send(11, 53, (7, 443)),
        Err(DropReason::NatPortsExhausted)
    );
    // Another class is not concerned.
    assert!(flood.send(11, 54, (7, 443)).is_ok());
}

#[test]
fn exhaustion_recovers_when_an_address_is_added() {
    // nat-and-kernel-cases 5.
    let mut flood = Flood::new("eips: [e1], affinity: false");
    let ports: Vec<u16> = (1024..=65_535)
        .filter(|&port| class(port) == class(53))
        .collect();
    for n in 0..1008u16 {
        let (host, port) = (10 + (n % 50) as u8, ports[usize::from(n / 50)]);
        assert!(flood.send(host, port, (7, 443)).is_ok());
    }
    assert_eq!(
        flood.send(10, ports[900], (7, 443)),
        Err(DropReason::NatPortsExhausted)
    );
    let wider = net(&network("eips: [e1, e2], affinity: false"));
    flood.state.adopt(&flood.program, &wider);
    flood.program = wider;
    for host in 10..60 {
        let key = flood
            .send(host, ports[900], (7, 443))
            .expect("by the other address");
        assert_eq!(key.source.octets()[3], 2);
    }
}

#[test]
fn with_affinity_a_host_does_not_change_its_address_when_ports_run_out() {
    let mut flood = Flood::new("eips: [e1, e2]");
    let ports: Vec<u16> = (1024..=65_535)
        .filter(|&port| class(port) == class(53))
        .collect();
    let first = flood.send(10, ports[0], (7, 443)).expect("free").source;
    let mut exhausted = false;
    for host in 10..60 {
        for &port in &ports[..60] {
            match flood.send(host, port, (7, 443)) {
                Ok(key) if host == 10 => assert_eq!(key.source, first),
                Ok(_) => {}
                Err(reason) => {
                    assert_eq!(reason, DropReason::NatPortsExhausted);
                    exhausted = true;
                }
            }
        }
    }
    assert!(
        exhausted,
        "3 000 flows do not fit into two addresses' 2 016 ports of a class"
    );
}

#[test]
fn icmp_has_its_own_limit() {
    let mut lab = lab("eips: [e1]");
    let key = outside(&mut lab, 10, 700, REMOTE);
    assert_eq!(key.protocol, Protocol::UDP);
    let end = lab.send(ping("10.0.1.11", "198.51.100.7").id(700));
    assert_eq!(
        FlowKey::of(&end.headers()).map(|key| key.source_port),
        Some(700)
    );
}
