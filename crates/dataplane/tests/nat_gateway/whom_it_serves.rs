//! Whom it serves: its own vpc, while it is enabled.

use crate::{INSIDE, REMOTE, network};
use vpcsim_network::Network;
use vpcsim_testkit::{Lab, ping, tcp, udp};

#[test]
fn a_disabled_gateway_forwards_nothing() {
    let mut lab = Lab::new(&network(
        "eips: [e1], enabled: false, dnat: [{eip: e1, protocol: tcp, port: 80, to: a}]",
        "",
    ));
    lab.send(tcp(INSIDE, REMOTE))
        .dropped("next-hop-unavailable", "route", "gw")
        .by_rule("routes 1");
    lab.from_internet(tcp("198.51.100.7:1", "203.0.113.1:80"))
        .dropped("next-hop-unavailable", "nat-gateway", "gw");
    lab.from_internet(ping("198.51.100.7", "203.0.113.1"))
        .dropped("next-hop-unavailable", "nat-gateway", "gw");
}

#[test]
fn a_gateway_serves_its_own_vpc_only() {
    // Another vpc cannot route to it: the file refuses.
    let yaml = network("eips: [e1], vpc: shop", "")
        .replace("route_tables: {out: {", "route_tables: {else: {vpc: office, routes: [{to: 0.0.0.0/0, via: nat/gw}]}, out: {vpc: shop, ")
        .replace("vpcs:\n", "vpcs:\n  office: {cidr: 10.9.0.0/16}\n");
    let refused = Network::from_yaml("test.yaml", &yaml).expect_err("not its vpc");
    assert!(format!("{refused:?}").contains("gw"), "{refused:?}");
    assert!(
        Network::from_yaml(
            "test.yaml",
            &yaml.replace(
                "{vpc: office, routes: [{to: 0.0.0.0/0, via: nat/gw}]}",
                "{vpc: office}"
            )
        )
        .is_ok()
    );
}

#[test]
fn a_gateway_is_not_reached_through_a_peering() {
    let mut lab = Lab::new(
        "
vpcs:
  hub: {cidr: 10.0.0.0/16, route_table: hub, subnets: {core: {cidr: 10.0.1.0/24}}}
  spoke: {cidr: 10.1.0.0/16, route_table: spoke, subnets: {edge: {cidr: 10.1.1.0/24}}}
route_tables:
  hub: {vpc: hub, routes: [{to: 0.0.0.0/0, via: nat/gw}, {to: 10.1.0.0/16, via: peering/p}]}
  spoke: {vpc: spoke, routes: [{to: 0.0.0.0/0, via: peering/p}]}
peerings: {p: {vpcs: [hub, spoke]}}
eips: {e1: {address: 203.0.113.1}}
nat_gateways: {gw: {vpc: hub, eips: [e1]}}
cvms:
  core: {subnet: core, address: 10.0.1.10}
  edge: {subnet: edge, address: 10.1.1.10}
",
    );
    lab.send(ping("10.1.1.10", "10.0.1.10"))
        .delivered_at("core/eth0");
    lab.send(ping("10.1.1.10", "198.51.100.7"))
        .dropped("peering-not-transitive", "peering", "p");
}

#[test]
fn clients_with_the_same_private_address_in_separate_vpcs() {
    // nat-and-kernel-cases 51.
    use std::fmt::Write;
    let sections = |each: &dyn Fn(u32) -> String| {
        (1..=30).fold(String::new(), |mut text, n| {
            writeln!(text, "{}", each(n)).expect("a string");
            text
        })
    };
    let yaml = format!(
        "vpcs:\n{}route_tables:\n{}eips:\n{}nat_gateways:\n{}cvms:\n{}",
        sections(&|n| format!(
            "  v{n}: {{cidr: 10.0.0.0/16, route_table: t{n}, subnets: {{s{n}: {{cidr: 10.0.1.0/24}}}}}}"
        )),
        sections(&|n| format!("  t{n}: {{vpc: v{n}, routes: [{{to: 0.0.0.0/0, via: nat/g{n}}}]}}")),
        sections(&|n| format!("  e{n}: {{address: 203.0.113.{n}}}")),
        sections(&|n| format!("  g{n}: {{vpc: v{n}, eips: [e{n}]}}")),
        sections(&|n| format!("  c{n}: {{subnet: s{n}, address: 10.0.1.10}}")),
    );
    let mut lab = Lab::new(&yaml);
    for n in 1..=30 {
        let out = lab.send_from(&format!("c{n}"), udp(INSIDE, REMOTE));
        out.delivered_at("internet");
        assert_eq!(out.flow(), format!("udp 203.0.113.{n}:40000 > {REMOTE}"));
        lab.reply_to(&out).delivered_at(&format!("c{n}/eth0"));
    }
}
