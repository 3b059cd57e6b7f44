//! SEMANTICS §13: the closed list. Every reason is produced by a tiny network, with its stage, its
//! element and its rule, and every one is in docs/drop-reasons.md.

use std::collections::BTreeSet;
use vpcsim_dataplane::{DropReason, Verdict};
use vpcsim_packet::Protocol;
use vpcsim_testkit::{Craft, End, Lab, net, other, ping, tcp, udp};

const SHOP: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: main
    subnets:
      web: {cidr: 10.0.1.0/24}
      db: {cidr: 10.0.2.0/24, acl: edge}
  office: {cidr: 172.16.0.0/16, account: somebody, subnets: {desks: {cidr: 172.16.1.0/24}}}
  branch: {cidr: 172.17.0.0/16, subnets: {counter: {cidr: 172.17.1.0/24}}}
acls:
  edge: {vpc: shop, ingress: [drop tcp 22 from any, accept tcp from any]}
route_tables:
  main:
    vpc: shop
    routes:
      - {to: 198.51.100.0/24, via: nat/gw}
      - {to: 172.16.0.0/16, via: peering/waiting}
      - {to: 172.16.0.0/12, via: peering/near}
      - {to: 192.0.2.0/24, via: instance/idle}
      - {to: 198.18.0.0/24, via: havip/vip}
      - {to: 198.18.1.0/24, via: vpn/down}
      - {to: 198.18.2.0/24, via: instance/relay}
      - {to: 198.18.3.0/24, via: instance/off}
peerings:
  waiting: {vpcs: [shop, office]}
  near: {vpcs: [shop, branch]}
security_groups:
  open: {ingress: [accept all from any], egress: [accept all to any]}
  picky: {ingress: [drop tcp 23 from any, accept tcp 80 from any], egress: [accept all to any]}
eips:
  e1: {address: 203.0.113.1}
  slow: {address: 203.0.113.2, bandwidth: 1, bind: b}
  free: {address: 203.0.113.3}
  e4: {address: 203.0.113.4}
nat_gateways:
  gw:
    vpc: shop
    eips: [e1, e4]
    strict_snat: true
    max_connections: 1
    snat: [{from: cvm/a, eips: [e1]}]
havips: {vip: {subnet: web, address: 10.0.1.100}}
externals: {down: {kind: vpn, vpc: shop, enabled: false}}
cvms:
  a: {subnet: web, address: 10.0.1.10, security_groups: [open]}
  b: {subnet: web, address: 10.0.1.11, security_groups: [picky]}
  db: {subnet: db, address: 10.0.2.10, security_groups: [open]}
  idle: {subnet: web, address: 10.0.1.12, security_groups: [open]}
  off: {subnet: web, address: 10.0.1.13, security_groups: [open], running: false}
  relay: {subnet: web, address: 10.0.1.14, security_groups: [open], ip_forward: true}
  blind: {subnet: web, addresses: [10.0.1.15, {address: 10.0.1.16, configured: false}], security_groups: [open]}
  dual:
    nics:
      eth0: {subnet: web, address: 10.0.1.20, security_groups: [open]}
      eth1: {subnet: web, address: 10.0.1.21, security_groups: [open]}
";

/// How a drop comes about, and what it says of itself.
struct Case {
    reason: DropReason,
    stage: &'static str,
    element: &'static str,
    rule: Option<&'static str>,
    policies: &'static str,
    make: fn(&mut Lab) -> End,
}

const A: &str = "10.0.1.10:4000";

fn from_a(to: &str) -> Craft {
    tcp(A, to)
}

macro_rules! cases {
    ($($reason:ident $stage:literal $element:literal $([$rule:literal])? $({$policies:literal})? => $make:expr;)*) => {
        vec![$(
            Case {
                reason: DropReason::$reason,
                stage: $stage,
                element: $element,
                rule: [$($rule,)?].first().copied(),
                policies: [$($policies,)? ""][0],
                make: $make,
            },
        )*]
    };
}

fn cases() -> Vec<Case> {
    cases! {
        SourceNotOwned "source-check" "a/eth0" => |lab| lab.send_from("a/eth0", tcp("10.0.1.99:1", "10.0.1.11:80"));
        SecurityGroupDeny "security-group-ingress" "picky" ["ingress 1"] => |lab| lab.send(from_a("10.0.1.11:23"));
        InvalidState "security-group-egress" "open" {"mid_stream: drop"} => |lab| lab.send(from_a("10.0.1.11:80").ack());
        ConntrackFull "security-group-egress" "a/eth0" {"conntrack: {max: 1}"} => |lab| {
            let _ = lab.send(from_a("10.0.1.12:80"));
            lab.send(from_a("10.0.1.12:81"))
        };
        AclDeny "acl-ingress" "edge" ["ingress 1"] => |lab| lab.send(from_a("10.0.2.10:22"));
        NoRoute "route" "main" => |lab| lab.send(from_a("203.0.113.200:80"));
        NoSuchHost "route" "shop" => |lab| lab.send(from_a("10.0.9.9:80"));
        PeeringNotTransitive "peering" "near" ["routes 3"] => |lab| lab.send(from_a("172.18.0.1:80"));
        PeeringInactive "peering" "waiting" ["routes 2"] => |lab| lab.send(from_a("172.16.1.10:80"));
        HostNotForwarding "host" "idle" => |lab| lab.send(from_a("192.0.2.1:80"));
        HavipUnheld "route" "vip" ["routes 5"] => |lab| lab.send(from_a("198.18.0.1:80"));
        NextHopUnavailable "route" "down" ["routes 6"] => |lab| lab.send(from_a("198.18.1.1:80"));
        NoNatSession "nat-gateway" "gw" => |lab| lab.from_internet(tcp("198.51.100.7:1", "203.0.113.1:80"));
        NoSuchPublicAddress "internet" "internet" => |lab| lab.from_internet(tcp("198.51.100.7:1", "203.0.113.99:80"));
        PublicAddressUnbound "eip" "free" => |lab| lab.from_internet(tcp("198.51.100.7:1", "203.0.113.3:80"));
        NoPublicPath "internet" "10.0.1.10" => |lab| lab.from_internet(tcp("198.51.100.7:1", A));
        NatProtocol "nat-gateway" "gw" => |lab| lab.send(other(Protocol::ESP, "10.0.1.10", "198.51.100.7"));
        SnatNoRule "nat-gateway" "gw" => |lab| lab.send(tcp("10.0.1.12:1", "198.51.100.7:80"));
        NatConnectionsExhausted "nat-gateway" "gw" => |lab| {
            let _ = lab.send(from_a("198.51.100.7:80"));
            lab.send(from_a("198.51.100.7:81"))
        };
        BandwidthExceeded "eip" "slow" => |lab| {
            let datagram = || udp("198.51.100.7:1", "203.0.113.2:80").filler(12_500);
            let _ = lab.from_internet(datagram());
            lab.from_internet(datagram())
        };
        RpFilter "host" "dual/eth1" => |lab| lab.send(from_a("10.0.1.21:80"));
        Martian "host" "a/eth0" {"source_check: off"} => |lab| lab.send_from("idle/eth0", ping("127.0.0.1", "10.0.1.10"));
        NotLocal "host" "blind" => |lab| lab.send(from_a("10.0.1.16:80"));
        TtlExceeded "host" "relay" => |lab| lab.send(from_a("198.18.2.1:80").ttl(1));
        CvmStopped "host" "off" => |lab| lab.send(from_a("10.0.1.13:80"));
        FragmentTimeout "packet" "packet" => |lab| {
            let pieces = udp(A, "10.0.1.12:80").filler(3000).fragments(1500);
            lab.send(pieces[1].clone()).held();
            lab.wait(30).released().remove(0)
        };
        TooBig "mtu" "a/eth0" {"mtu: icmp"} => |lab| lab.send(udp(A, "10.0.2.10:80").filler(1473).dont_fragment());
        BadChecksum "packet" "packet" => |lab| {
            let strict = net(SHOP).verifying_checksums(true);
            let mut bytes = from_a("10.0.1.12:80").bytes();
            bytes[36] ^= 1;
            *lab = Lab::of(strict);
            lab.send(bytes)
        };
        // 1 008 ports of a class, 48 hosts' worth of clashes: see nat_ports.rs for the whole story.
        NatPortsExhausted "nat-gateway" "gw" ["snat 1"] => exhausted;
    }
}

/// All 1 008 ports of one class towards one destination, taken by way of several inside ports.
fn exhausted(lab: &mut Lab) -> End {
    let yaml = SHOP
        .replace("max_connections: 1", "max_connections: 1000000")
        .replace(
            "snat: [{from: cvm/a, eips: [e1]}]",
            "snat: [{from: subnet/web, eips: [e1]}]",
        );
    *lab = Lab::new(&yaml);
    let class = |port: u16| (port ^ (port >> 6) ^ (port >> 12)) & 63;
    let ports = (1024..=u16::MAX).filter(|&port| class(port) == 7);
    for port in ports {
        lab.send(udp(&format!("10.0.1.10:{port}"), "198.51.100.7:53"))
            .delivered_at("internet");
        lab.wait_nanos(1_000_000);
    }
    lab.send(udp("10.0.1.12:7", "198.51.100.7:53"))
        .delivered_at("internet");
    lab.send(udp("10.0.1.14:7", "198.51.100.7:53"))
}

#[test]
fn every_reason_with_its_stage_element_and_rule() {
    for case in cases() {
        let policies = format!("{SHOP}policies: {{{}}}\n", case.policies);
        let mut lab = Lab::new(&policies);
        let end = (case.make)(&mut lab);
        end.dropped(case.reason.name(), case.stage, case.element);
        let Verdict::Dropped(drop) = end.verdict() else {
            panic!("{end}")
        };
        let rule = drop.rule.map(|rule| rule.to_string());
        assert_eq!(rule.as_deref(), case.rule, "{end}");
        assert_eq!(
            drop.reverse_path.is_some(),
            case.reason == DropReason::RpFilter
        );
        if let Some(rule) = drop.rule {
            assert!(rule.line > 0, "{end}");
        }
    }
}

#[test]
fn every_drop_is_the_last_stop_of_its_trace() {
    for case in cases() {
        let policies = format!("{SHOP}policies: {{{}}}\n", case.policies);
        let end = (case.make)(&mut Lab::new(&policies));
        let own = end
            .stops()
            .iter()
            .rfind(|stop| !stop.generated)
            .expect("a stop");
        assert_eq!(own.decision, format!("dropped {}", case.reason));
        assert_eq!(
            (own.stage, own.element.as_str()),
            (case.stage, case.element)
        );
    }
}

#[test]
fn no_reason_is_without_a_test() {
    let tested: BTreeSet<_> = cases().iter().map(|case| case.reason.name()).collect();
    let all: BTreeSet<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(tested, all);
}

#[test]
fn the_page_lists_every_reason_and_no_other_and_every_stage() {
    let page = include_str!("../../../docs/drop-reasons.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            line.split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect()
        })
        .collect();
    let listed: BTreeSet<_> = rows.iter().map(|row| row[1]).collect();
    let all: BTreeSet<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(listed, all);
    assert_eq!(rows.len(), all.len(), "each once");
    for case in cases() {
        let row = rows
            .iter()
            .find(|row| row[1] == case.reason.name())
            .expect("listed");
        let stages = row[2].replace(
            "security groups",
            "security-group-egress, security-group-ingress",
        );
        assert!(
            stages.split(", ").any(|stage| stage == case.stage),
            "{} at {}",
            row[1],
            case.stage
        );
    }
}

#[test]
fn names_are_kebab_case() {
    for reason in DropReason::ALL {
        let name = reason.name();
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{name}"
        );
    }
}
