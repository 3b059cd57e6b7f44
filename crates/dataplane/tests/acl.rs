//! SEMANTICS §7: the network acl.

use vpcsim_packet::Protocol;
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_testkit::{Lab, other, ping, pong, tcp, udp};

/// A client without an acl, a server behind one, eips for both, and policies at will.
fn edge(acl: &str, policies: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets:
      clients: {{cidr: 10.0.1.0/24, route_table: out}}
      servers: {{cidr: 10.0.2.0/24, acl: edge, route_table: out}}
route_tables:
  out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}
eips:
  gw: {{address: 203.0.113.10}}
  server: {{address: 203.0.113.20, bind: server}}
nat_gateways:
  gw: {{eips: [gw], dnat: [{{eip: gw, protocol: tcp, port: 8080, to: 10.0.2.10, to_port: 80}}]}}
acls:
  edge: {{{acl}}}
cvms:
  client: {{subnet: clients, address: 10.0.1.10}}
  other: {{subnet: clients, address: 10.0.1.11}}
  server: {{subnet: servers, address: 10.0.2.10}}
policies: {{{policies}}}
"
    ))
}

const CLIENT: &str = "10.0.1.10:40000";
const HTTP: &str = "10.0.2.10:80";
const OPEN_OUT: &str = "egress: [accept all to any]";

#[test]
fn none_bound_no_filtering() {
    let mut lab = edge(
        "ingress: [accept all from any], egress: [accept all to any]",
        "",
    );
    lab.send(ping("10.0.2.10", "10.0.1.10"))
        .delivered_at("client/eth0")
        .passed("acl-ingress", "unfiltered");
}

#[test]
fn the_first_match_wins() {
    let mut lab = edge(
        "ingress: [drop tcp 80 from 10.0.1.10, accept tcp 80 from 10.0.1.0/24, drop all from any]",
        "",
    );
    lab.send(tcp(CLIENT, HTTP))
        .dropped("acl-deny", "acl-ingress", "edge")
        .by_rule("ingress 1");
    let passed = lab.send(tcp("10.0.1.11:40000", HTTP));
    passed
        .delivered_at("server/eth0")
        .passed("acl-ingress", "accepted");
    let stop = passed
        .stops()
        .iter()
        .find(|stop| stop.stage == "acl-ingress");
    assert_eq!(
        stop.and_then(|stop| stop.rule.as_deref()),
        Some("ingress 2")
    );
    lab.send(tcp("10.0.1.11:40000", "10.0.2.10:22"))
        .dropped("acl-deny", "acl-ingress", "edge")
        .by_rule("ingress 3");
}

#[test]
fn an_implicit_deny_ends_both_lists() {
    let mut lab = edge("", "");
    lab.send(ping("10.0.1.10", "10.0.2.10"))
        .dropped("acl-deny", "acl-ingress", "edge")
        .by_rule("ingress implicit deny");
    lab.send(ping("10.0.2.10", "10.0.1.10"))
        .dropped("acl-deny", "acl-egress", "edge")
        .by_rule("egress implicit deny");
}

#[test]
fn it_remembers_nothing_replies_need_a_rule_of_their_own() {
    let mut lab = edge("ingress: [accept tcp 80 from any]", "");
    let syn = lab.send(tcp(CLIENT, HTTP).syn());
    syn.delivered_at("server/eth0");
    lab.reply_to(&syn)
        .dropped("acl-deny", "acl-egress", "edge")
        .by_rule("egress implicit deny");

    let mut lab = edge(
        "ingress: [accept tcp 80 from any], egress: [accept tcp 1024-65535 to any]",
        "",
    );
    let syn = lab.send(tcp(CLIENT, HTTP).syn());
    lab.reply_to(&syn)
        .delivered_at("client/eth0")
        .passed("acl-egress", "accepted");
}

#[test]
fn the_peer_is_the_source_on_the_way_in_and_the_destination_on_the_way_out() {
    let mut lab = edge(
        "ingress: [accept all from 10.0.1.10], egress: [accept all to 10.0.1.10]",
        "",
    );
    lab.send(ping("10.0.1.10", "10.0.2.10"))
        .delivered_at("server/eth0");
    lab.send(ping("10.0.2.10", "10.0.1.10"))
        .delivered_at("client/eth0");
    lab.send(ping("10.0.1.11", "10.0.2.10"))
        .dropped("acl-deny", "acl-ingress", "edge");
    lab.send(ping("10.0.2.10", "10.0.1.11"))
        .dropped("acl-deny", "acl-egress", "edge");
}

#[test]
fn a_protocol_matches_only_itself_and_all_matches_any() {
    let mut lab = edge("ingress: [accept udp from any]", "");
    lab.send(udp(CLIENT, "10.0.2.10:53"))
        .delivered_at("server/eth0");
    lab.send(tcp(CLIENT, "10.0.2.10:53"))
        .dropped("acl-deny", "acl-ingress", "edge");
    lab.send(ping("10.0.1.10", "10.0.2.10"))
        .dropped("acl-deny", "acl-ingress", "edge");

    let mut lab = edge("ingress: [accept icmp from any]", "");
    lab.send(ping("10.0.1.10", "10.0.2.10"))
        .delivered_at("server/eth0");
    lab.send(pong("10.0.1.10", "10.0.2.10"))
        .delivered_at("server/eth0");
    lab.send(udp(CLIENT, "10.0.2.10:53"))
        .dropped("acl-deny", "acl-ingress", "edge");
    lab.send(other(Protocol::GRE, "10.0.1.10", "10.0.2.10"))
        .dropped("acl-deny", "acl-ingress", "edge");

    let mut lab = edge("ingress: [accept all from any]", "");
    lab.send(other(Protocol::GRE, "10.0.1.10", "10.0.2.10"))
        .delivered_at("server/eth0");
}

/// Which of the ports 79 to 82 pass a rule, as (source, destination) with the other one at 9.
fn ports_that_pass(rule: &str, policies: &str) -> (Vec<u16>, Vec<u16>) {
    let mut lab = edge(&format!("ingress: [{rule}]"), policies);
    let mut passes = |from: u16, to: u16| {
        let packet = udp(&format!("10.0.1.10:{from}"), &format!("10.0.2.10:{to}"));
        lab.send(packet).outcome() == "server/eth0"
    };
    let sources = (79..=82).filter(|&port| passes(port, 9)).collect();
    let destinations = (79..=82).filter(|&port| passes(9, port)).collect();
    (sources, destinations)
}

#[test]
fn a_port_means_the_destination_by_default() {
    assert_eq!(
        ports_that_pass("accept udp 80 from any", ""),
        (vec![], vec![80])
    );
    assert_eq!(
        ports_that_pass("accept udp 80-81 from any", ""),
        (vec![], vec![80, 81])
    );
    let every = vec![79, 80, 81, 82];
    assert_eq!(
        ports_that_pass("accept udp all from any", ""),
        (every.clone(), every)
    );
}

#[test]
fn policy_acl_port_says_which_port_is_meant() {
    let rule = "accept udp 80-81 from any";
    assert_eq!(
        ports_that_pass(rule, "acl_port: source"),
        (vec![80, 81], vec![])
    );
    assert_eq!(
        ports_that_pass(rule, "acl_port: either"),
        (vec![80, 81], vec![80, 81])
    );
}

#[test]
fn policy_acl_port_is_named_where_it_decided() {
    let acl = "ingress: [accept tcp 80 from any, drop all from any]";
    let mut lab = edge(acl, "acl_port: source");
    let stop_of = |end: &vpcsim_testkit::End| {
        let stop = end.stops().iter().find(|stop| stop.stage == "acl-ingress");
        stop.map(|stop| (stop.rule.clone().unwrap_or_default(), stop.policy))
    };
    let from_80 = lab.send(tcp("10.0.1.10:80", "10.0.2.10:40000"));
    assert_eq!(
        stop_of(&from_80),
        Some(("ingress 1".to_owned(), Some("acl_port")))
    );
    lab.send(tcp(CLIENT, HTTP))
        .dropped("acl-deny", "acl-ingress", "edge")
        .by_rule("ingress 2")
        .by_policy("acl_port");
    // Under any policy the same rule: the policy decided nothing.
    let neither = lab.send(tcp("10.0.1.10:40000", "10.0.2.10:22"));
    assert_eq!(stop_of(&neither), Some(("ingress 2".to_owned(), None)));
    let mut lab = edge("ingress: [accept tcp 80 from any]", "acl_port: source");
    lab.send(tcp(CLIENT, HTTP))
        .by_rule("ingress implicit deny")
        .by_policy("acl_port");
}

#[test]
fn on_the_way_out_it_sees_the_address_before_snat() {
    let mut lab = edge("egress: [accept tcp 443 to 198.51.100.0/24]", "");
    let out = lab.send(tcp("10.0.2.10:40000", "198.51.100.7:443").syn());
    out.delivered_at("internet");
    let stop = out.stops().iter().find(|stop| stop.stage == "acl-egress");
    let seen = stop.map(|stop| stop.packet.as_str());
    assert_eq!(seen, Some("tcp 10.0.2.10:40000 > 198.51.100.7:443"));
    assert_eq!(out.flow(), "tcp 203.0.113.10:40000 > 198.51.100.7:443");
}

#[test]
fn on_the_way_in_it_sees_the_address_and_port_after_dnat() {
    let acl = format!("ingress: [drop tcp 8080 from any, accept tcp 80 from any], {OPEN_OUT}");
    let mut lab = edge(&acl, "");
    let inbound = lab.from_internet(tcp("198.51.100.7:50000", "203.0.113.10:8080").syn());
    inbound.delivered_at("server/eth0");
    let stop = inbound
        .stops()
        .iter()
        .find(|stop| stop.stage == "acl-ingress");
    let seen = stop.map(|stop| stop.packet.as_str());
    assert_eq!(seen, Some("tcp 198.51.100.7:50000 > 10.0.2.10:80"));
    assert_eq!(
        stop.and_then(|stop| stop.rule.as_deref()),
        Some("ingress 2")
    );
}

#[test]
fn it_judges_what_comes_and_goes_by_an_eip() {
    let mut lab = edge("ingress: [accept tcp 80 from 198.51.100.0/24]", "");
    let inbound = lab.from_internet(tcp("198.51.100.7:50000", "203.0.113.20:80").syn());
    inbound.delivered_at("server/eth0");
    lab.reply_to(&inbound)
        .dropped("acl-deny", "acl-egress", "edge")
        .by_rule("egress implicit deny")
        .never_at("eip");
    lab.from_internet(tcp("192.0.2.7:50000", "203.0.113.20:80").syn())
        .dropped("acl-deny", "acl-ingress", "edge")
        .by_rule("ingress implicit deny");
}

#[test]
fn the_answer_of_a_nat_gateway_needs_a_rule_too() {
    let mut lab = edge(OPEN_OUT, "");
    let query = lab.send(udp("10.0.2.10:40000", "198.51.100.53:53"));
    query.delivered_at("internet");
    lab.reply_to(&query)
        .dropped("acl-deny", "acl-ingress", "edge")
        .by_rule("ingress implicit deny");
}

#[test]
fn a_next_hop_in_the_same_subnet_is_reached_through_the_router() {
    // §2.3 exempts destinations in the subnet; this one lies elsewhere.
    let lab = |ingress: &str| {
        Lab::new(&format!(
            "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {{web: {{cidr: 10.0.1.0/24, acl: edge, route_table: out}}}}
route_tables: {{out: {{routes: [{{to: 192.168.0.0/16, via: instance/relay}}]}}}}
acls: {{edge: {{ingress: [{ingress}], egress: [accept all to any]}}}}
cvms:
  client: {{subnet: web, address: 10.0.1.10}}
  relay: {{subnet: web, address: 10.0.1.20, lo: [192.168.0.1]}}
"
        ))
    };
    lab("accept icmp from any")
        .send(ping("10.0.1.10", "192.168.0.1"))
        .delivered_at("relay/eth0")
        .passed("acl-egress", "accepted")
        .passed("acl-ingress", "accepted");
    lab("accept tcp from any")
        .send(ping("10.0.1.10", "192.168.0.1"))
        .dropped("acl-deny", "acl-ingress", "edge");
}

#[test]
fn an_icmp_error_needs_a_rule_too() {
    let error_about = |ingress: &str| {
        let mut lab = edge(&format!("ingress: [{ingress}], {OPEN_OUT}"), "");
        let out = lab.send(udp("10.0.2.10:40000", "10.0.1.10:53"));
        out.delivered_at("client/eth0");
        let host = std::net::Ipv4Addr::new(10, 0, 1, 10);
        let unreachable = icmp::error(
            out.bytes(),
            &out.headers(),
            host,
            IcmpError::PortUnreachable,
        );
        lab.send(unreachable.expect("it may be answered"))
    };
    error_about("accept icmp from any").delivered_at("server/eth0");
    error_about("accept udp from any")
        .dropped("acl-deny", "acl-ingress", "edge")
        .by_rule("ingress implicit deny");
}
