//! SEMANTICS §2, steps 1 to 4: leaving a nic.

use vpcsim_packet::Protocol;
use vpcsim_testkit::{Lab, other, ping, tcp, udp};

/// A host with two nics, a plain one, one that forwards, and policies at will.
fn senders(policies: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets:
      front: {{cidr: 10.0.1.0/24}}
      back: {{cidr: 10.0.2.0/24}}
havips:
  held: {{subnet: front, address: 10.0.1.100, holder: dual}}
  free: {{subnet: front, address: 10.0.1.101}}
  others: {{subnet: front, address: 10.0.1.102, holder: plain}}
eips:
  direct: {{address: 203.0.113.20, bind: dual/eth0, mode: direct}}
  nat: {{address: 203.0.113.21, bind: plain}}
cvms:
  dual:
    nics:
      eth0: {{subnet: front, addresses: [10.0.1.10, {{address: 10.0.1.11, configured: false}}]}}
      eth1: {{subnet: back, address: 10.0.2.10}}
    lo: [10.0.9.9]
    sysctl: {{net.ipv4.conf.all.rp_filter: 0}}
  plain: {{subnet: front, address: 10.0.1.20, sysctl: {{net.ipv4.conf.all.rp_filter: 0}}}}
  relay:
    ip_forward: true
    nics:
      eth0: {{subnet: front, address: 10.0.1.30}}
      eth1: {{subnet: back, address: 10.0.2.30, forwarding: false}}
  shut:
    ip_forward: false
    nics:
      eth0: {{subnet: front, address: 10.0.1.40, forwarding: true}}
  peer: {{subnet: back, address: 10.0.2.20, sysctl: {{net.ipv4.conf.all.rp_filter: 0}}}}
policies: {{{policies}}}
"
    ))
}

const TO: &str = "10.0.2.20";

#[track_caller]
fn passes(lab: &mut Lab, source: &str, at: &str) {
    lab.send(ping(source, TO).at(at))
        .passed("source-check", "accepted");
}

#[track_caller]
fn refused(lab: &mut Lab, source: &str, at: &str) {
    lab.send(ping(source, TO).at(at))
        .dropped("source-not-owned", "source-check", at)
        .never_at("security-group-egress");
}

#[test]
fn s2_1_by_default_any_address_of_the_cvm_passes() {
    let mut lab = senders("");
    for source in ["10.0.1.10", "10.0.1.11", "10.0.2.10"] {
        passes(&mut lab, source, "dual/eth0");
        passes(&mut lab, source, "dual/eth1");
    }
}

#[test]
fn s2_1_an_address_of_another_or_of_nobody_does_not() {
    let mut lab = senders("");
    for source in [
        "10.0.1.20",
        "10.0.1.99",
        "198.51.100.7",
        "203.0.113.21",
        "127.0.0.1",
    ] {
        refused(&mut lab, source, "dual/eth0");
    }
}

#[test]
fn s2_1_an_address_that_is_only_on_lo_is_not_the_platforms() {
    refused(&mut senders(""), "10.0.9.9", "dual/eth0");
}

#[test]
fn s2_1_a_havip_passes_at_its_holder_only() {
    let mut lab = senders("");
    passes(&mut lab, "10.0.1.100", "dual/eth0");
    refused(&mut lab, "10.0.1.101", "dual/eth0");
    refused(&mut lab, "10.0.1.102", "dual/eth0");
    passes(&mut lab, "10.0.1.102", "plain/eth0");
    refused(&mut lab, "10.0.1.100", "plain/eth0");
}

#[test]
fn s2_1_an_eip_is_the_senders_own_in_direct_mode_only() {
    let mut lab = senders("");
    passes(&mut lab, "203.0.113.20", "dual/eth0");
    refused(&mut lab, "203.0.113.20", "plain/eth0");
    refused(&mut lab, "203.0.113.21", "plain/eth0");
}

#[test]
fn s2_1_forwarding_needs_both_the_cvm_and_the_nic() {
    let mut lab = senders("");
    passes(&mut lab, "198.51.100.7", "relay/eth0");
    refused(&mut lab, "198.51.100.7", "relay/eth1");
    refused(&mut lab, "198.51.100.7", "shut/eth0");
}

#[test]
fn s2_1_policy_nic_refuses_the_addresses_of_other_nics() {
    let mut lab = senders("source_check: nic");
    passes(&mut lab, "10.0.1.10", "dual/eth0");
    passes(&mut lab, "10.0.1.100", "dual/eth0");
    passes(&mut lab, "203.0.113.20", "dual/eth0");
    passes(&mut lab, "198.51.100.7", "relay/eth0");
    for (source, nic) in [
        ("10.0.2.10", "dual/eth0"),
        ("10.0.1.10", "dual/eth1"),
        ("10.0.1.100", "dual/eth1"),
        ("203.0.113.20", "dual/eth1"),
    ] {
        lab.send(ping(source, TO).at(nic))
            .dropped("source-not-owned", "source-check", nic)
            .by_policy("source_check");
    }
    refused(&mut lab, "10.0.1.99", "dual/eth0");
}

#[test]
fn s2_1_policy_off_lets_anything_pass() {
    let mut lab = senders("source_check: \"off\"");
    for source in ["10.0.1.20", "198.51.100.7", "10.0.1.101"] {
        passes(&mut lab, source, "dual/eth0");
    }
}

/// What the policy said at the source check: named where its default would have said otherwise.
fn policy_named(policies: &str, source: &str, at: &str) -> Option<&'static str> {
    let end = senders(policies).send(ping(source, TO).at(at));
    let stop = end.stops().iter().find(|stop| stop.stage == "source-check");
    stop.expect("it is checked").policy
}

#[test]
fn a_policy_is_named_where_it_decided() {
    let off = "source_check: \"off\"";
    assert_eq!(
        policy_named(off, "198.51.100.7", "dual/eth0"),
        Some("source_check")
    );
    assert_eq!(policy_named(off, "10.0.1.10", "dual/eth0"), None);
    assert_eq!(
        policy_named("source_check: nic", "10.0.1.10", "dual/eth0"),
        None
    );
    assert_eq!(
        policy_named("source_check: nic", "10.0.1.10", "dual/eth1"),
        Some("source_check")
    );
    assert_eq!(
        policy_named("source_check: nic", "10.0.1.99", "dual/eth1"),
        None
    );
    assert_eq!(policy_named("", "10.0.2.10", "dual/eth0"), None);
}

#[test]
fn s2_2_the_group_is_that_of_the_nic_it_really_leaves_by() {
    let mut lab = Lab::new(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {front: {cidr: 10.0.1.0/24}, back: {cidr: 10.0.2.0/24}, far: {cidr: 10.0.3.0/24}}
security_groups:
  shut: {}
cvms:
  dual:
    nics:
      eth0: {subnet: front, address: 10.0.1.10, security_groups: [shut]}
      eth1: {subnet: back, address: 10.0.2.10}
  far: {subnet: far, address: 10.0.3.10}
  back: {subnet: back, address: 10.0.2.20}
",
    );
    // From eth1's address, but the default route leads out of eth0.
    lab.send(ping("10.0.2.10", "10.0.3.10"))
        .dropped("security-group-deny", "security-group-egress", "shut")
        .by_rule("egress implicit deny");
    // From eth0's address, but eth1 is on the destination's link; eth1 has no group.
    lab.send(ping("10.0.1.10", "10.0.2.20"))
        .delivered_at("back/eth0")
        .passed("security-group-egress", "unfiltered");
}

const SAME_SUBNET: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: all-away
    subnets:
      web: {cidr: 10.0.1.0/24, acl: shut}
      app: {cidr: 10.0.2.0/24}
route_tables:
  all-away: {routes: [{to: 0.0.0.0/0, via: vpn/office}]}
externals:
  office: {kind: vpn}
acls:
  shut: {ingress: [drop all from any], egress: [drop all to any]}
security_groups:
  http: {ingress: [accept tcp 80 from any], egress: [accept all to any]}
  quiet: {ingress: [accept all from any], egress: [accept udp 53 to any]}
cvms:
  a: {subnet: web, address: 10.0.1.10}
  b: {subnet: web, address: 10.0.1.11, security_groups: [http]}
  quiet: {subnet: web, address: 10.0.1.12, security_groups: [quiet]}
  app: {subnet: app, address: 10.0.2.10}
";

#[test]
fn s2_3_within_a_subnet_neither_acl_nor_router() {
    let mut lab = Lab::new(SAME_SUBNET);
    let syn = lab.send(tcp("10.0.1.10:40000", "10.0.1.11:80").syn());
    syn.delivered_at("b/eth0")
        .passed("acl-egress", "same-subnet")
        .passed("acl-ingress", "same-subnet")
        .never_at("route");
    lab.reply_to(&syn).delivered_at("a/eth0").never_at("route");
}

#[test]
fn s2_3_within_a_subnet_security_groups_apply_on_both_sides() {
    let mut lab = Lab::new(SAME_SUBNET);
    lab.send(tcp("10.0.1.10:40000", "10.0.1.11:22").syn())
        .dropped("security-group-deny", "security-group-ingress", "http")
        .by_rule("ingress implicit deny");
    lab.send(tcp("10.0.1.12:40000", "10.0.1.11:80").syn())
        .dropped("security-group-deny", "security-group-egress", "quiet")
        .by_rule("egress implicit deny");
    lab.send(udp("10.0.1.12:40000", "10.0.1.10:53"))
        .delivered_at("a/eth0");
}

#[test]
fn s2_3_an_address_of_the_subnet_that_nobody_has() {
    Lab::new(SAME_SUBNET)
        .send(ping("10.0.1.10", "10.0.1.99"))
        .dropped("no-such-host", "route", "shop");
}

#[test]
fn s2_4_to_another_subnet_the_acl_stands_before_the_route() {
    let mut lab = Lab::new(SAME_SUBNET);
    for to in ["10.0.2.10", "10.0.2.99", "192.168.0.1"] {
        lab.send(ping("10.0.1.10", to))
            .dropped("acl-deny", "acl-egress", "shut")
            .by_rule("egress 1")
            .never_at("route");
    }
    lab.send(ping("10.0.2.10", "10.0.1.10"))
        .dropped("acl-deny", "acl-ingress", "shut")
        .by_rule("ingress 1");
}

#[test]
fn s2_2_the_group_stands_before_the_acl_on_the_way_out_and_after_it_on_the_way_in() {
    let mut lab = Lab::new(SAME_SUBNET);
    lab.send(tcp("10.0.1.12:40000", "10.0.2.10:80"))
        .dropped("security-group-deny", "security-group-egress", "quiet")
        .never_at("acl-egress");
    lab.send(tcp("10.0.2.10:40000", "10.0.1.11:22"))
        .dropped("acl-deny", "acl-ingress", "shut")
        .never_at("security-group-ingress");
}

#[test]
fn s11_any_protocol_leaves() {
    let mut lab = Lab::new(SAME_SUBNET);
    lab.send(other(Protocol::GRE, "10.0.1.10", "10.0.1.12"))
        .delivered_at("quiet/eth0");
}
