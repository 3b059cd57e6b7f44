//! What a rule matches.

use crate::{CLIENT, guarded, open, shut, to_port};
use vpcsim_packet::Protocol;
use vpcsim_testkit::{Lab, other, ping, tcp, udp};

#[test]
fn rules_tell_protocols_apart() {
    let packets = [
        ("tcp", tcp(CLIENT, "10.0.2.10:80")),
        ("udp", udp(CLIENT, "10.0.2.10:80")),
        ("icmp", ping("10.0.1.10", "10.0.2.10")),
        ("gre", other(Protocol::GRE, "10.0.1.10", "10.0.2.10")),
        ("sctp", other(Protocol::SCTP, "10.0.1.10", "10.0.2.10")),
    ];
    for protocol in ["tcp", "udp", "icmp", "gre", "all"] {
        let rule = format!("  a: {{ingress: [accept {protocol} from any]}}");
        let mut lab = guarded(&rule, "a");
        for (name, packet) in &packets {
            let passes = *name == protocol || protocol == "all";
            let passed = lab.send(packet.clone()).outcome() == "server/eth0";
            assert_eq!(passed, passes, "{name} by {rule}");
        }
    }
}

#[test]
fn ports_are_all_one_a_range_or_several_of_both() {
    let passes = |ports: &str, expected: [bool; 6]| {
        let rule = format!(
            "  a: {{ingress: [{{action: accept, protocol: tcp, ports: \"{ports}\", from: any}}]}}"
        );
        let mut lab = guarded(&rule, "a");
        for (port, expected) in [79, 80, 85, 90, 443, 8080].into_iter().zip(expected) {
            let passed = lab.send(to_port(port)).outcome() == "server/eth0";
            assert_eq!(passed, expected, "port {port} by {ports}");
        }
    };
    passes("all", [true; 6]);
    passes("80", [false, true, false, false, false, false]);
    passes("80-90", [false, true, true, true, false, false]);
    passes("80,443", [false, true, false, false, true, false]);
    passes("80,85-100", [false, true, true, true, false, false]);
}

#[test]
fn a_port_is_the_destination_port_of_the_flows_first_packet_in_both_directions() {
    let mut lab = guarded(
        "  a: {ingress: [accept udp 53 from any], egress: [accept udp 123 to any]}",
        "a",
    );
    // Source port 53 is not destination port 53.
    shut(&mut lab, udp("10.0.1.10:53", "10.0.2.10:99"));
    let query = lab.send(udp("10.0.1.10:99", "10.0.2.10:53"));
    query.delivered_at("server/eth0");
    // The answer leaves to port 99, which no egress rule names.
    lab.reply_to(&query)
        .delivered_at("client/eth0")
        .passed("security-group-egress", "established");
    lab.send(udp("10.0.2.10:123", "10.0.1.10:99")).dropped(
        "security-group-deny",
        "security-group-egress",
        "a",
    );
    lab.send(udp("10.0.2.10:99", "10.0.1.10:123"))
        .delivered_at("client/eth0");
}

#[test]
fn the_peer_is_the_source_for_ingress_and_the_destination_for_egress() {
    let mut lab = guarded(
        "  a: {ingress: [accept tcp from 10.0.1.10], egress: [accept tcp to 10.0.1.11]}",
        "a",
    );
    open(&mut lab, to_port(80));
    shut(&mut lab, tcp("10.0.1.11:40000", "10.0.2.10:80"));
    lab.send(tcp("10.0.2.10:40000", "10.0.1.11:80"))
        .delivered_at("other/eth0");
    lab.send(tcp("10.0.2.10:40000", "10.0.1.10:80")).dropped(
        "security-group-deny",
        "security-group-egress",
        "a",
    );
}

#[test]
fn zero_with_any_length_is_any() {
    for length in [0, 1, 8, 24, 32] {
        let rule = format!("  a: {{ingress: [accept all from 0.0.0.0/{length}]}}");
        open(&mut guarded(&rule, "a"), to_port(80));
    }
}

#[test]
fn a_template_stands_for_its_members() {
    let groups = "
  a:
    ingress:
      - {action: accept, services: web, from: office}
address_templates: {office: [10.0.1.11, 10.0.1.32/28, 10.0.1.8-10.0.1.10]}
service_templates: {web: [\"tcp:80,443\", \"udp:6000-6010\", icmp]}
";
    let mut lab = guarded(groups, "a");
    open(&mut lab, to_port(80));
    open(&mut lab, to_port(443));
    shut(&mut lab, to_port(81));
    open(&mut lab, udp(CLIENT, "10.0.2.10:6010"));
    shut(&mut lab, udp(CLIENT, "10.0.2.10:6011"));
    open(&mut lab, ping("10.0.1.10", "10.0.2.10"));
    open(&mut lab, tcp("10.0.1.11:1", "10.0.2.10:80"));
    let narrow = groups.replace("10.0.1.8-10.0.1.10", "10.0.1.8-10.0.1.9");
    shut(&mut guarded(&narrow, "a"), to_port(80));
}

const MEMBERS: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {web: {cidr: 10.0.1.0/24}, db: {cidr: 10.0.2.0/24}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: eip}]}}
security_groups:
  web: {egress: [accept all to any]}
  open: {ingress: [accept all from any], egress: [accept all to any]}
  db: {ingress: [accept tcp 5432 from web]}
eips:
  web-1: {address: 203.0.113.1, bind: web-1}
  db-1: {address: 203.0.113.2, bind: db-1}
cvms:
  web-1: {subnet: web, addresses: [10.0.1.10, 10.0.1.12], security_groups: [web]}
  else: {subnet: web, address: 10.0.1.11, security_groups: [open]}
  db-1: {subnet: db, address: 10.0.2.10, security_groups: [db]}
";

#[test]
fn a_group_as_peer_is_the_private_addresses_of_its_members_only() {
    let mut lab = Lab::new(MEMBERS);
    for source in ["10.0.1.10", "10.0.1.12"] {
        lab.send(tcp(&format!("{source}:40000"), "10.0.2.10:5432"))
            .delivered_at("db-1/eth0");
    }
    lab.send(tcp("10.0.1.11:40000", "10.0.2.10:5432")).dropped(
        "security-group-deny",
        "security-group-ingress",
        "db",
    );
    // §4: the same member by way of its eip is a stranger.
    let roundabout = lab.send(tcp("10.0.1.10:40000", "203.0.113.2:5432"));
    roundabout.dropped("security-group-deny", "security-group-ingress", "db");
    assert_eq!(roundabout.flow(), "tcp 203.0.113.1:40000 > 10.0.2.10:5432");
}

#[test]
fn members_of_one_group_do_not_reach_each_other_unless_a_rule_says_so() {
    let network = |rule: &str| {
        format!(
            "
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}}}
security_groups: {{web: {{ingress: [{rule}], egress: [accept all to any]}}}}
cvms:
  a: {{subnet: web, address: 10.0.1.10, security_groups: [web]}}
  b: {{subnet: web, address: 10.0.1.11, security_groups: [web]}}
"
        )
    };
    let ping = || ping("10.0.1.10", "10.0.1.11");
    assert_eq!(
        Lab::new(&network("")).send(ping()).outcome(),
        "security-group-deny"
    );
    Lab::new(&network("accept all from web"))
        .send(ping())
        .delivered_at("b/eth0");
}

#[test]
fn drops_are_silent() {
    let end = guarded("  a: {}", "a").send(to_port(80));
    assert!(end.others().is_empty(), "no RST, no ICMP error: {end}");
}
