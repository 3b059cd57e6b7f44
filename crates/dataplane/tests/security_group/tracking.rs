//! Groups are stateful, each nic for itself.

use crate::{CLIENT, guarded, network, open, shut, to_port};
use vpcsim_packet::Protocol;
use vpcsim_testkit::{Lab, other, ping, pong, tcp, udp};

#[test]
fn a_flow_passes_in_both_directions_without_rules() {
    // nat-and-kernel-cases 45: a reflexive rule against deny-all, both directions.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    let syn = lab.send(to_port(80));
    syn.delivered_at("server/eth0")
        .passed("security-group-ingress", "opened");
    let syn_ack = lab.reply_to(&syn);
    syn_ack
        .delivered_at("client/eth0")
        .passed("security-group-egress", "established");
    lab.reply_to(&syn_ack)
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
    let mut lab = guarded("  a: {egress: [accept udp 53 to any]}", "a");
    let query = lab.send(udp("10.0.2.10:999", "10.0.1.10:53"));
    lab.reply_to(&query)
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
    shut(&mut lab, udp("10.0.1.11:53", "10.0.2.10:999"));
}

#[test]
fn a_reply_that_leaves_by_another_nic_finds_no_flow_there() {
    let mut lab = Lab::new(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {web: {cidr: 10.0.1.0/24}, db: {cidr: 10.0.2.0/24}, far: {cidr: 10.0.3.0/24}}
security_groups:
  in: {ingress: [accept all from any]}
cvms:
  client: {subnet: far, address: 10.0.3.10}
  dual:
    nics:
      eth0: {subnet: web, address: 10.0.1.20, security_groups: [in]}
      eth1: {subnet: db, address: 10.0.2.20, security_groups: [in]}
    sysctl: {net.ipv4.conf.all.rp_filter: 0}
",
    );
    let ping = lab.send(ping("10.0.3.10", "10.0.2.20"));
    ping.delivered_at("dual/eth1");
    // By the host's default route it leaves by eth0.
    lab.reply_to(&ping)
        .dropped("security-group-deny", "security-group-egress", "in");
    lab.send_from("dual/eth1", pong("10.0.2.20", "10.0.3.10"))
        .delivered_at("client/eth0");
}

#[test]
fn every_protocol_has_flows() {
    let mut lab = guarded("  a: {ingress: [accept all from any]}", "a");
    for packet in [
        tcp(CLIENT, "10.0.2.10:80"),
        udp(CLIENT, "10.0.2.10:53"),
        ping("10.0.1.10", "10.0.2.10"),
        other(Protocol::GRE, "10.0.1.10", "10.0.2.10"),
        other(Protocol::ESP, "10.0.1.10", "10.0.2.10"),
        other(Protocol::SCTP, "10.0.1.10", "10.0.2.10"),
    ] {
        let first = lab.send(packet);
        first.delivered_at("server/eth0");
        lab.reply_to(&first)
            .delivered_at("client/eth0")
            .passed("security-group-egress", "established");
    }
}

#[test]
fn an_icmp_flow_is_one_identifier() {
    let mut lab = guarded("  a: {ingress: [accept icmp from any]}", "a");
    open(&mut lab, ping("10.0.1.10", "10.0.2.10").id(7));
    lab.send(pong("10.0.2.10", "10.0.1.10").id(7))
        .delivered_at("client/eth0");
    lab.send(pong("10.0.2.10", "10.0.1.10").id(8)).dropped(
        "security-group-deny",
        "security-group-egress",
        "a",
    );
}

#[test]
fn clearing_sessions_stops_replies() {
    // nat-and-kernel-cases 47: a new state knows nothing.
    let yaml = network("  a: {ingress: [accept tcp 80 from any]}", "a", "");
    let mut lab = Lab::new(&yaml);
    let syn = lab.send(to_port(80));
    let mut lab = Lab::new(&yaml);
    lab.reply_to(&syn)
        .dropped("security-group-deny", "security-group-egress", "a");
}
