//! SEMANTICS §3: arriving from the internet, and §4: from a cvm to another cvm's eip.

use std::net::Ipv4Addr;
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{IcmpBody, Transport, Verdict, verify_checksums};
use vpcsim_testkit::{End, Lab, ping, tcp, udp};

const CLIENT: &str = "198.51.100.7:50000";

fn shop(policies: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets:
      web: {{cidr: 10.0.1.0/24}}
      app: {{cidr: 10.0.2.0/24, route_table: app}}
route_tables:
  app: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}
eips:
  one: {{address: 203.0.113.20, bind: one}}
  second: {{address: 203.0.113.21, bind: 10.0.1.11}}
  direct: {{address: 203.0.113.22, bind: direct, mode: direct}}
  vip: {{address: 203.0.113.23, bind: havip/held}}
  lost: {{address: 203.0.113.24, bind: havip/free}}
  unbound: {{address: 203.0.113.25}}
  strict: {{address: 203.0.113.26, bind: strict}}
  off: {{address: 203.0.113.27, bind: off}}
  dual: {{address: 203.0.113.28, bind: dual/eth1}}
  gw: {{address: 203.0.113.10}}
  mute: {{address: 203.0.113.11}}
nat_gateways:
  gw: {{eips: [gw], dnat: [{{eip: gw, protocol: tcp, port: 8443, to: one, to_port: 443}}]}}
  mute: {{eips: [mute], icmp_proxy: false}}
havips:
  held: {{subnet: web, address: 10.0.1.100, holder: one}}
  free: {{subnet: web, address: 10.0.1.101}}
security_groups:
  web: {{ingress: [accept all from any], egress: [accept all to any]}}
  friends:
    ingress: [accept tcp 80 from web, accept icmp from 203.0.113.0/24]
    egress: [accept all to any]
  to-friends: {{ingress: [accept all from any], egress: [accept tcp 80 to friends]}}
cvms:
  one: {{subnet: web, addresses: [10.0.1.10, 10.0.1.11], security_groups: [web]}}
  direct: {{subnet: web, address: 10.0.1.12}}
  strict: {{subnet: web, address: 10.0.1.13, security_groups: [friends]}}
  off: {{subnet: web, address: 10.0.1.14, running: false}}
  careful: {{subnet: web, address: 10.0.1.15, security_groups: [to-friends]}}
  dual:
    nics:
      eth0: {{subnet: web, address: 10.0.1.16}}
      eth1: {{subnet: app, address: 10.0.2.16}}
    sysctl: {{net.ipv4.conf.all.rp_filter: 0}}
  app: {{subnet: app, address: 10.0.2.10, security_groups: [web]}}
policies: {{{policies}}}
"
    ))
}

fn arriving(end: &End) -> String {
    let stop = end
        .stops()
        .iter()
        .find(|stop| stop.stage == "security-group-ingress");
    stop.map(|stop| stop.packet.clone()).unwrap_or_default()
}

#[test]
fn s3_1_an_eip_leads_to_the_private_address_it_is_bound_to() {
    let mut lab = shop("");
    for (public, private) in [
        ("203.0.113.20", "10.0.1.10"),
        ("203.0.113.21", "10.0.1.11"),
        ("203.0.113.23", "10.0.1.100"),
    ] {
        let end = lab.from_internet(tcp(CLIENT, &format!("{public}:80")).syn());
        end.delivered_at("one/eth0")
            .passed("eip", "destination-translated");
        assert_eq!(end.flow(), format!("tcp {CLIENT} > {private}:80"));
        let reply = lab.reply_to(&end);
        reply
            .delivered_at("internet")
            .passed("eip", "source-translated");
        assert_eq!(reply.flow(), format!("tcp {public}:80 > {CLIENT}"));
    }
}

#[test]
fn s3_1_in_direct_mode_nothing_is_rewritten() {
    let mut lab = shop("");
    let end = lab.from_internet(tcp(CLIENT, "203.0.113.22:80").syn());
    end.delivered_at("direct/eth0").passed("eip", "carried");
    assert_eq!(arriving(&end), format!("tcp {CLIENT} > 203.0.113.22:80"));
    let reply = lab.reply_to(&end);
    reply.delivered_at("internet").passed("eip", "carried");
    assert_eq!(reply.flow(), format!("tcp 203.0.113.22:80 > {CLIENT}"));
    let out = lab.send(ping("203.0.113.22", "198.51.100.7"));
    out.delivered_at("internet").passed("route", "eip-fallback");
}

#[test]
fn s3_1_an_eip_of_a_havip_that_nobody_holds() {
    shop("")
        .from_internet(ping("198.51.100.7", "203.0.113.24"))
        .dropped("havip-unheld", "eip", "free");
}

#[test]
fn s3_1_an_eip_that_is_bound_to_nothing() {
    shop("")
        .from_internet(ping("198.51.100.7", "203.0.113.25"))
        .dropped("public-address-unbound", "eip", "unbound");
}

#[test]
fn s3_1_then_it_enters_the_nic_as_any_packet() {
    let mut lab = shop("");
    lab.from_internet(tcp(CLIENT, "203.0.113.26:80"))
        .dropped("security-group-deny", "security-group-ingress", "friends")
        .by_rule("ingress implicit deny");
    lab.from_internet(ping("198.51.100.7", "203.0.113.27"))
        .dropped("cvm-stopped", "host", "off");
}

#[test]
fn s3_2_a_session_then_a_dnat_rule_then_the_gateway_itself() {
    let mut lab = shop("");
    let out = lab.send(udp("10.0.2.10:40000", "198.51.100.53:53"));
    assert_eq!(out.flow(), "udp 203.0.113.10:40000 > 198.51.100.53:53");
    lab.reply_to(&out)
        .delivered_at("app/eth0")
        .passed("nat-gateway", "destination-translated");
    let end = lab.from_internet(tcp(CLIENT, "203.0.113.10:8443").syn());
    end.delivered_at("one/eth0");
    assert_eq!(end.flow(), format!("tcp {CLIENT} > 10.0.1.10:443"));
    let proxied = lab.from_internet(ping("198.51.100.7", "203.0.113.10"));
    proxied.delivered_at("nat:gw");
    let answers = proxied.generated();
    assert_eq!(answers.len(), 1);
    answers[0].delivered_at("internet");
    assert_eq!(answers[0].headers().source.to_string(), "203.0.113.10");
    assert_eq!(answers[0].headers().destination.to_string(), "198.51.100.7");
}

#[test]
fn s3_2_otherwise_it_is_dropped() {
    let mut lab = shop("");
    // Another protocol and another port than the rule's.
    lab.from_internet(udp(CLIENT, "203.0.113.10:8443")).dropped(
        "no-nat-session",
        "nat-gateway",
        "gw",
    );
    lab.from_internet(tcp(CLIENT, "203.0.113.10:443")).dropped(
        "no-nat-session",
        "nat-gateway",
        "gw",
    );
    lab.from_internet(ping("198.51.100.7", "203.0.113.11"))
        .dropped("no-nat-session", "nat-gateway", "mute");
}

#[test]
fn s3_3_an_address_that_is_not_ours() {
    shop("")
        .from_internet(ping("198.51.100.7", "203.0.113.99"))
        .dropped("no-such-public-address", "internet", "internet");
}

#[test]
fn s2_5a_only_the_nic_that_the_flow_came_in_by_knows_the_way_back() {
    // In by eth1; the answer leaves by eth0, where no flow is known: it is routed like any packet.
    let mut lab = shop("");
    let end = lab.from_internet(tcp(CLIENT, "203.0.113.28:80").syn());
    end.delivered_at("dual/eth1");
    let reply = lab.reply_to(&end);
    let sent = reply
        .stops()
        .iter()
        .find(|stop| stop.stage == "host-egress");
    assert_eq!(sent.map(|stop| stop.element.as_str()), Some("dual/eth0"));
    reply
        .delivered_at("internet")
        .passed("route", "eip-fallback");
}

#[test]
fn s4_between_cvms_by_eip_both_addresses_are_public_on_the_way() {
    let mut lab = shop("");
    let end = lab.send(tcp("10.0.1.12:40000", "203.0.113.20:80").syn().at("direct"));
    end.dropped("no-route", "route", "shop/default");
    let end = lab.send(tcp("10.0.1.11:40000", "203.0.113.22:80").syn());
    end.delivered_at("direct/eth0")
        .passed("eip", "source-translated")
        .passed("internet", "carried");
    assert_eq!(end.flow(), "tcp 203.0.113.21:40000 > 203.0.113.22:80");
    let reply = lab.reply_to(&end);
    reply
        .delivered_at("one/eth0")
        .passed("eip", "destination-translated");
    assert_eq!(reply.flow(), "tcp 203.0.113.22:80 > 10.0.1.11:40000");
}

#[test]
fn s4_in_the_same_subnet_it_still_goes_around_by_the_internet() {
    let end = shop("").send(ping("10.0.1.10", "203.0.113.26"));
    end.delivered_at("strict/eth0")
        .passed("acl-egress", "unfiltered")
        .passed("internet", "carried");
    assert_eq!(end.headers().source.to_string(), "203.0.113.20");
    assert_eq!(end.headers().destination.to_string(), "10.0.1.13");
}

#[test]
fn s4_behind_a_nat_gateway_the_source_is_the_gateways() {
    let mut lab = shop("");
    let end = lab.send(tcp("10.0.2.10:40000", "203.0.113.20:80").syn());
    end.delivered_at("one/eth0")
        .passed("nat-gateway", "source-translated");
    assert_eq!(end.flow(), "tcp 203.0.113.10:40000 > 10.0.1.10:80");
    let reply = lab.reply_to(&end);
    reply
        .delivered_at("app/eth0")
        .passed("route", "return-path");
    assert_eq!(reply.flow(), "tcp 203.0.113.20:80 > 10.0.2.10:40000");
}

#[test]
fn s4_a_group_reference_does_not_match_a_public_address() {
    let mut lab = shop("");
    // one is in group web; by its private address it passes, by its eip it does not.
    lab.send(tcp("10.0.1.10:40000", "10.0.1.13:80").syn())
        .delivered_at("strict/eth0");
    lab.send(tcp("10.0.1.10:40001", "203.0.113.26:80").syn())
        .dropped("security-group-deny", "security-group-ingress", "friends")
        .by_rule("ingress implicit deny");
    lab.send(tcp("10.0.1.15:40000", "10.0.1.13:80").syn())
        .passed("security-group-egress", "opened");
    lab.send(tcp("10.0.1.15:40001", "203.0.113.26:80").syn())
        .dropped("security-group-deny", "security-group-egress", "to-friends")
        .by_rule("egress implicit deny");
}

#[test]
fn s4_to_a_public_address_that_is_bound_to_nothing() {
    shop("").send(ping("10.0.1.10", "203.0.113.25")).dropped(
        "public-address-unbound",
        "eip",
        "unbound",
    );
}

#[test]
fn s4_to_its_own_eip() {
    let mut lab = shop("");
    let end = lab.send(udp("10.0.1.10:40000", "203.0.113.21:53"));
    end.delivered_at("one/eth0");
    assert_eq!(end.flow(), "udp 203.0.113.20:40000 > 10.0.1.11:53");
}

/// The packet that an ICMP error quotes: `10.0.1.10 > 198.51.100.7`.
#[track_caller]
fn quoted(end: &End) -> String {
    let Transport::Icmp(icmp) = end.headers().transport else {
        panic!("{end}")
    };
    let IcmpBody::Error(quoted) = icmp.body else {
        panic!("{end}")
    };
    format!("{} > {}", quoted.key.source, quoted.key.destination)
}

#[track_caller]
fn whole(end: &End) {
    let report = verify_checksums(end.bytes(), &end.headers());
    assert_eq!([report.ip, report.transport], [Verdict::Right; 2], "{end}");
}

#[test]
fn s3_1_an_error_about_a_flow_by_an_eip_is_translated_with_what_it_quotes() {
    let mut lab = shop("");
    let out = lab.send(udp("10.0.1.10:40000", "198.51.100.7:53"));
    out.delivered_at("internet");
    let router = Ipv4Addr::new(192, 0, 2, 1);
    let error = icmp::error(out.bytes(), &out.headers(), router, IcmpError::TimeExceeded);
    let end = lab.from_internet(error.expect("it may be answered"));
    end.delivered_at("one/eth0")
        .passed("security-group-ingress", "related");
    assert_eq!(end.headers().source, router);
    assert_eq!(end.headers().destination.to_string(), "10.0.1.10");
    assert_eq!(quoted(&end), "10.0.1.10 > 198.51.100.7");
    whole(&end);
}

#[test]
fn s2_6_an_error_that_leaves_by_an_eip_is_translated_with_what_it_quotes() {
    let mut lab = shop("");
    let inbound = lab.from_internet(udp(CLIENT, "203.0.113.20:53"));
    inbound.delivered_at("one/eth0");
    let host = Ipv4Addr::new(10, 0, 1, 10);
    let error = icmp::error(
        inbound.bytes(),
        &inbound.headers(),
        host,
        IcmpError::PortUnreachable,
    );
    let end = lab.send(error.expect("it may be answered"));
    end.delivered_at("internet")
        .passed("security-group-egress", "related")
        .passed("route", "return-path");
    assert_eq!(end.headers().source.to_string(), "203.0.113.20");
    assert_eq!(quoted(&end), "198.51.100.7 > 203.0.113.20");
    whole(&end);
}

#[test]
fn translation_keeps_checksums_right() {
    let mut lab = shop("");
    for packet in [
        tcp(CLIENT, "203.0.113.20:80"),
        udp(CLIENT, "203.0.113.20:53").filler(9),
    ] {
        let end = lab.from_internet(packet);
        end.delivered_at("one/eth0");
        whole(&end);
        let reply = lab.reply_to(&end);
        reply.delivered_at("internet");
        whole(&reply);
    }
}
