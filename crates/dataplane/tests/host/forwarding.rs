//! A host that forwards, and the errors that it sends back.

use crate::{dual, dual_with, host_egress};
use vpcsim_packet::{IcmpBody, Transport, verify_checksums};
use vpcsim_testkit::{Lab, ping, tcp};

const ROUTER: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets:
      web: {cidr: 10.0.1.0/24, route_table: web}
      edge: {cidr: 10.0.2.0/24, route_table: edge}
      loop: {cidr: 10.0.3.0/24, route_table: loop}
route_tables:
  web: {routes: [{to: 0.0.0.0/0, via: cvm/relay}]}
  edge: {routes: [{to: 0.0.0.0/0, via: vpn/office}]}
  loop: {routes: [{to: 0.0.0.0/0, via: instance/knot}]}
externals:
  office: {kind: vpn}
security_groups:
  asks: {ingress: [], egress: [accept all to any]}
  transit: {ingress: [accept all from any], egress: [accept all to 192.168.0.0/16]}
cvms:
  client: {subnet: web, address: 10.0.1.10, security_groups: [asks]}
  relay:
    ip_forward: true
    nics:
      eth0:
        subnet: edge
        addresses: [{address: 10.0.2.19, configured: false}, 10.0.2.20]
        security_groups: [transit]
  lost: {subnet: loop, address: 10.0.3.10, security_groups: [asks]}
  knot: {subnet: loop, address: 10.0.3.20, ip_forward: true}
";

#[test]
fn a_router_takes_one_from_the_time_to_live() {
    let end = Lab::new(ROUTER).send(ping("10.0.1.10", "192.168.0.1").ttl(2).filler(100));
    end.delivered_at("external:office")
        .passed("host", "forwarded");
    assert_eq!(end.headers().ttl, 1);
    let report = verify_checksums(end.bytes(), &end.headers());
    assert_eq!(
        [report.ip, report.transport],
        [vpcsim_packet::Verdict::Right; 2]
    );
    assert_eq!(
        host_egress(&end),
        Some("client/eth0"),
        "it forwards, it does not send"
    );
}

#[test]
fn at_time_to_live_1_a_time_exceeded_goes_back() {
    let mut lab = Lab::new(ROUTER);
    let sent = ping("10.0.1.10", "192.168.0.1").ttl(1).id(77).filler(1000);
    let bytes = sent.bytes();
    let end = lab.send(sent);
    end.dropped("ttl-exceeded", "host", "relay");
    let errors = end.generated();
    assert_eq!(errors.len(), 1);
    let error = &errors[0];
    // It passes both groups although neither has a rule for it: it is about a flow they know.
    error
        .delivered_at("client/eth0")
        .passed("security-group-egress", "related")
        .passed("security-group-ingress", "related");
    let headers = error.headers();
    assert_eq!(
        headers.source.to_string(),
        "10.0.2.20",
        "the first address that is configured"
    );
    assert_eq!(headers.destination.to_string(), "10.0.1.10");
    assert_eq!(headers.total_len, 576);
    let Transport::Icmp(icmp) = headers.transport else {
        panic!("{error}")
    };
    assert_eq!((icmp.kind, icmp.code), (11, 0));
    let IcmpBody::Error(quoted) = icmp.body else {
        panic!("{error}")
    };
    assert_eq!(quoted.key.source.to_string(), "10.0.1.10");
    assert_eq!(quoted.key.destination.to_string(), "192.168.0.1");
    assert_eq!(
        &error.bytes()[28..],
        &bytes[..548],
        "as it stood when it died, TTL 1 included"
    );
    let report = verify_checksums(error.bytes(), &headers);
    assert_eq!(
        [report.ip, report.transport],
        [vpcsim_packet::Verdict::Right; 2]
    );
}

#[test]
fn no_error_about_an_error() {
    let mut lab = Lab::new(ROUTER);
    let end = lab.send(ping("10.0.1.10", "192.168.0.1").ttl(1));
    let error = end.generated()[0].bytes().to_vec();
    let mut about = error;
    // Send it on from the client to the far side with TTL 1: time exceeded about time exceeded.
    about[8] = 1;
    about[12..16].copy_from_slice(&[10, 0, 1, 10]);
    about[16..20].copy_from_slice(&[192, 168, 0, 1]);
    let end = lab.send(about);
    end.dropped("ttl-exceeded", "host", "relay");
    assert!(end.others().is_empty());
}

#[test]
fn a_loop_ends_by_time_to_live_and_the_sender_hears_of_it() {
    let mut lab = Lab::new(ROUTER);
    let end = lab.send(tcp("10.0.3.10:40000", "192.168.0.1:80").ttl(20));
    end.dropped("ttl-exceeded", "host", "knot");
    let rounds = end
        .stops()
        .iter()
        .filter(|s| s.stage == "host" && s.decision == "forwarded");
    assert_eq!(rounds.count(), 19);
    let errors = end.generated();
    assert_eq!(errors.len(), 1);
    errors[0].delivered_at("lost/eth0");
    assert_eq!(errors[0].headers().source.to_string(), "10.0.3.20");
}

#[test]
fn a_routers_own_packets_into_its_own_loop_are_martian() {
    Lab::new(ROUTER)
        .send(ping("10.0.3.20", "192.168.0.1"))
        .dropped("martian", "host", "knot/eth0");
}

#[test]
fn a_router_without_a_way_says_so_before_it_looks_at_the_time_to_live() {
    for ttl in [1, 64] {
        // Its first nic is not configured: no default route.
        let mut lab = dual_with(
            "{address: 10.0.1.10, configured: false}",
            "10.0.2.10",
            "ip_forward: true\n    sysctl: {net.ipv4.conf.all.rp_filter: 0}",
        );
        let end = lab.send(ping("10.0.2.20", "198.51.100.7").ttl(ttl));
        end.dropped("no-route", "host", "dual");
        let errors = end.generated();
        assert_eq!(errors.len(), 1);
        errors[0].delivered_at("back/eth0");
        let Transport::Icmp(icmp) = errors[0].headers().transport else {
            panic!("{end}")
        };
        assert_eq!((icmp.kind, icmp.code), (3, 0));
        assert_eq!(errors[0].headers().source.to_string(), "10.0.2.10");
    }
}

#[test]
fn an_icmp_error_has_the_address_of_the_way_back_whatever_rules_say_of_its_cause() {
    let mut lab = dual(
        "ip_forward: true
    sysctl: {net.ipv4.conf.all.rp_filter: 0}
    routes: [{to: 0.0.0.0/0, via: 10.0.2.1, table: 20}]
    rules: [{from: 192.168.0.0/16, table: 20}]",
    );
    let end = lab.send(ping("10.0.1.20", "192.168.1.1").ttl(1));
    end.dropped("ttl-exceeded", "host", "dual");
    let error = &end.generated()[0];
    error.delivered_at("front/eth0");
    assert_eq!(error.headers().source.to_string(), "10.0.1.10");
}
