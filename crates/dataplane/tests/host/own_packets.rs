//! The packets that it sends itself.

use crate::{dual, dual_with, host_egress};
use vpcsim_testkit::{Lab, ping};

#[test]
fn a_stopped_cvm_neither_sends_nor_takes() {
    let mut lab = Lab::new(
        "
vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}}
cvms: {off: {subnet: web, address: 10.0.1.10, running: false}, on: {subnet: web, address: 10.0.1.11}}
",
    );
    lab.send(ping("10.0.1.10", "10.0.1.11"))
        .dropped("cvm-stopped", "host-egress", "off");
    lab.send(ping("10.0.1.10", "10.0.1.10"))
        .dropped("cvm-stopped", "host-egress", "off");
    lab.send(ping("10.0.1.10", "10.0.1.11").at("off/eth0"))
        .dropped("cvm-stopped", "host-egress", "off");
    lab.send(ping("10.0.1.11", "10.0.1.10"))
        .dropped("cvm-stopped", "host", "off");
}

#[test]
fn its_own_packets_leave_by_its_routing_not_by_their_source() {
    let mut lab =
        dual("routes: [{to: 192.168.0.0/16, via: 10.0.2.1}, {to: 192.168.7.7/32, nic: eth0}]");
    for (from, to, nic) in [
        // The default is the first nic's.
        ("10.0.1.10", "198.51.100.7", "dual/eth0"),
        ("10.0.2.10", "198.51.100.7", "dual/eth0"),
        // Its links.
        ("10.0.1.10", "10.0.2.20", "dual/eth1"),
        ("10.0.2.10", "10.0.1.20", "dual/eth0"),
        // Declared routes, the longest first.
        ("10.0.1.10", "192.168.1.1", "dual/eth1"),
        ("10.0.1.10", "192.168.7.7", "dual/eth0"),
    ] {
        assert_eq!(
            host_egress(&lab.send(ping(from, to))),
            Some(nic),
            "{from} > {to}"
        );
    }
}

#[test]
fn rules_stand_before_the_main_table_and_fall_through() {
    let mut lab = dual(
        "routes:
      - {to: 192.168.0.0/16, via: 10.0.2.1, table: 20}
      - {to: 0.0.0.0/0, via: 10.0.1.1, table: 10}
    rules: [{from: 10.0.2.10, table: 20}, {from: 10.0.2.0/24, table: 10}, {from: 10.0.1.10, table: 30}]",
    );
    for (from, to, nic) in [
        ("10.0.2.10", "192.168.1.1", "dual/eth1"),
        // Table 20 knows no way: the next rule, which even overrides the link.
        ("10.0.2.10", "10.0.2.20", "dual/eth0"),
        // An empty table: main.
        ("10.0.1.10", "10.0.2.20", "dual/eth1"),
        ("10.0.1.10", "192.168.1.1", "dual/eth0"),
    ] {
        assert_eq!(
            host_egress(&lab.send(ping(from, to))),
            Some(nic),
            "{from} > {to}"
        );
    }
}

#[test]
fn a_declared_route_stands_before_the_hosts_own_of_the_same_prefix() {
    let mut lab = dual("routes: [{to: 0.0.0.0/0, via: 10.0.2.1}]");
    assert_eq!(
        host_egress(&lab.send(ping("10.0.1.10", "198.51.100.7"))),
        Some("dual/eth1")
    );
}

#[test]
fn a_host_without_a_way_sends_nothing() {
    dual_with(
        "{address: 10.0.1.10, configured: false}",
        "10.0.2.10",
        "running: true",
    )
    .send(ping("10.0.2.10", "198.51.100.7"))
    .dropped("no-route", "host-egress", "dual");
}

#[test]
fn to_itself_it_never_enters_the_network() {
    let mut lab = dual("lo: [192.168.9.9]");
    for to in [
        "10.0.1.10",
        "10.0.2.10",
        "10.0.2.100",
        "192.168.9.9",
        "203.0.113.22",
        "127.0.0.1",
    ] {
        let end = lab.send(ping("10.0.1.10", to));
        end.delivered_at("dual/eth0")
            .never_at("source-check")
            .never_at("security-group-egress");
    }
}
