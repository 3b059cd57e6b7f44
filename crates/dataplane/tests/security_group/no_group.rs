//! No group, an empty group, the default group.

use crate::CLIENT;
use vpcsim_packet::Protocol;
use vpcsim_testkit::{Lab, other, ping, tcp, udp};

const TWO_NICS: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {web: {cidr: 10.0.1.0/24}, db: {cidr: 10.0.2.0/24}}
security_groups:
  shut: {}
cvms:
  client: {subnet: web, address: 10.0.1.10}
  dual:
    nics:
      eth0: {subnet: web, address: 10.0.1.20, security_groups: [shut]}
      eth1: {subnet: db, address: 10.0.2.20}
    sysctl: {net.ipv4.conf.all.rp_filter: 0}
    routes: [{to: 10.0.1.10/32, via: 10.0.2.1, nic: eth1}]
eips:
  second: {address: 203.0.113.20, bind: dual/10.0.2.20}
";

#[test]
fn a_group_without_rules_denies_everything() {
    let mut lab = Lab::new(TWO_NICS);
    lab.send(tcp(CLIENT, "10.0.1.20:80"))
        .dropped("security-group-deny", "security-group-ingress", "shut")
        .by_rule("ingress implicit deny");
    lab.send_from("dual/eth0", ping("10.0.1.20", "10.0.1.10"))
        .dropped("security-group-deny", "security-group-egress", "shut");
}

#[test]
fn a_secondary_nic_without_a_group_passes_everything() {
    let mut lab = Lab::new(TWO_NICS);
    for packet in [
        tcp(CLIENT, "10.0.2.20:80"),
        tcp(CLIENT, "10.0.2.20:81").rst(),
        udp(CLIENT, "10.0.2.20:53"),
        ping("10.0.1.10", "10.0.2.20"),
        other(Protocol::GRE, "10.0.1.10", "10.0.2.20"),
    ] {
        lab.send(packet)
            .delivered_at("dual/eth1")
            .passed("security-group-ingress", "unfiltered");
    }
    lab.send_from("dual/eth1", ping("10.0.2.20", "10.0.1.10"))
        .delivered_at("client/eth0")
        .passed("security-group-egress", "unfiltered");
}

#[test]
fn a_secondary_nic_without_a_group_remembers_by_which_eip_a_flow_came() {
    // §2.5a needs it: the table of this vpc has no way out at all.
    let mut lab = Lab::new(TWO_NICS);
    let syn = lab.from_internet(tcp("198.51.100.7:5000", "203.0.113.20:80").syn());
    syn.delivered_at("dual/eth1");
    let reply = tcp("10.0.2.20:80", "198.51.100.7:5000").syn_ack();
    let reply = lab.send_from("dual/eth1", reply);
    reply
        .delivered_at("internet")
        .passed("route", "return-path");
    assert_eq!(reply.flow(), "tcp 203.0.113.20:80 > 198.51.100.7:5000");
}

#[test]
fn mid_stream_drop_does_not_concern_a_nic_without_a_group() {
    let mut lab = Lab::new(&format!("{TWO_NICS}\npolicies: {{mid_stream: drop}}\n"));
    lab.from_internet(tcp("198.51.100.7:5000", "203.0.113.20:80").ack())
        .delivered_at("dual/eth1");
}

#[test]
fn a_primary_nic_that_names_none_gets_the_default_group() {
    let unnamed = "
vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}}
cvms:
  a: {subnet: web, address: 10.0.1.10}
  b: {subnet: web, address: 10.0.1.11}
";
    Lab::new(unnamed)
        .send(tcp("10.0.1.10:40000", "10.0.1.11:80"))
        .delivered_at("b/eth0");
    // Editable: declared, it says what is declared.
    let edited =
        format!("{unnamed}security_groups: {{default: {{egress: [accept all to any]}}}}\n");
    Lab::new(&edited)
        .send(tcp("10.0.1.10:40000", "10.0.1.11:80"))
        .dropped("security-group-deny", "security-group-ingress", "default");
}
