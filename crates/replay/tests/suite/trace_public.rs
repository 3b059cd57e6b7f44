//! Traces from the internet, and to public addresses.

use crate::support::{OFFICE, program};
use crate::trace_inside::{asked, stops, tcp, udp};
use vpcsim_replay::trace::Question;

#[test]
fn the_internet_reaches_an_eip() {
    let program = program(OFFICE);
    let trace = asked(&program, "internet", "web", tcp(80));
    assert!(trace.reachable, "{trace:#?}");
    let request = stops(&trace.legs[0]);
    let into = "eip eip web: destination-translated, destination 203.0.113.20 -> 172.16.2.10";
    assert!(request.iter().any(|stop| stop == into), "{request:#?}");
    let reply = stops(&trace.legs[1]);
    let out = "eip eip web: source-translated, source 172.16.2.10 -> 203.0.113.20";
    assert!(reply.iter().any(|stop| stop == out), "{reply:#?}");
    assert_eq!(trace.legs[1].verdict.place.as_deref(), Some("internet"));
    // By its public address, and by its private one, it is the same.
    for to in ["203.0.113.20", "172.16.2.10", "web/eth0"] {
        assert!(asked(&program, "internet", to, tcp(80)).reachable, "{to}");
    }
}

#[test]
fn nobody_reaches_a_host_without_a_public_side() {
    let program = program(OFFICE);
    let trace = asked(&program, "internet", "client", tcp(22));
    assert_eq!(
        trace.why.as_deref(),
        Some(
            "the request is dropped at internet: \
             no eip and no dnat rule stand for 172.16.1.10 on the internet"
        )
    );
}

#[test]
fn dnat_is_found_by_the_port_that_it_leads_to() {
    let program = program(&OFFICE.replace(
        "  web: {address: 203.0.113.20, bind: web, bandwidth: unlimited}\n",
        "",
    ));
    let trace = asked(&program, "internet", "web", tcp(80));
    assert!(trace.reachable, "{trace:#?}");
    assert_eq!(trace.port, Some(80));
    assert_eq!(
        trace.legs[0].packet,
        "tcp 198.51.100.1:40000 > 203.0.113.10:8080 [S], ttl 64"
    );
    // A port that no rule leads to, and a protocol that none speaks of.
    for question in [tcp(443), udp(80), Question::default()] {
        let trace = asked(&program, "internet", "web", question);
        assert_eq!(
            trace.legs[0].verdict.reason.as_deref(),
            Some("no-public-path"),
            "{trace:#?}"
        );
    }
}

#[test]
fn a_gateway_answers_pings_itself() {
    let program = program(OFFICE);
    let trace = asked(&program, "internet", "203.0.113.10", Question::default());
    assert!(trace.reachable, "{trace:#?}");
    assert_eq!(trace.legs[0].verdict.place.as_deref(), Some("nat:gw"));
    let reply = &trace.legs[1];
    assert_eq!((&*reply.name, &*reply.start), ("reply", "nat:gw"));
    assert!(reply.packet.starts_with("icmp echo-reply"), "{reply:#?}");
    assert_eq!(reply.verdict.place.as_deref(), Some("internet"));

    let knock = asked(&program, "internet", "203.0.113.10", tcp(22));
    assert_eq!(
        knock.legs[0].verdict.reason.as_deref(),
        Some("no-nat-session")
    );
}

#[test]
fn an_address_that_is_not_ours_is_on_the_internet() {
    let program = program(OFFICE);
    let out = asked(&program, "client", "8.8.8.8", udp(53));
    assert!(out.reachable, "{out:#?}");
    assert_eq!(out.legs[0].verdict.place.as_deref(), Some("internet"));
    let back = asked(&program, "8.8.8.8", "web", tcp(80));
    assert!(back.reachable);
    assert!(
        back.legs[0]
            .packet
            .starts_with("tcp 8.8.8.8:40000 > 203.0.113.20:80")
    );
}

#[test]
fn from_a_public_address_of_ours_its_host_sends() {
    let program = program(OFFICE);
    let trace = asked(&program, "203.0.113.20", "internet", tcp(443));
    assert_eq!(trace.legs[0].start, "web");
    assert!(trace.legs[0].packet.starts_with("tcp 172.16.2.10:40000 > "));
}

#[test]
fn an_inside_host_reaches_another_by_its_eip() {
    let program = program(OFFICE);
    let trace = asked(&program, "client", "203.0.113.20", tcp(80));
    assert!(trace.reachable, "{trace:#?}");
    assert_eq!(trace.legs[0].verdict.place.as_deref(), Some("web/eth0"));
}

#[test]
fn an_eip_in_direct_mode_is_not_translated() {
    let program = program(
        "
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {one: {cidr: 10.0.1.0/24}}}
eips:
  own: {address: 203.0.113.5, bind: a-1, mode: direct}
cvms:
  a-1: {subnet: one, address: 10.0.1.10}
",
    );
    let trace = asked(&program, "internet", "a-1", tcp(80));
    assert!(trace.reachable, "{trace:#?}");
    for leg in &trace.legs {
        let changes = leg.stops.iter().flat_map(|stop| &stop.changes);
        assert_eq!(changes.count(), 0, "{leg:#?}");
    }
}

#[test]
fn a_host_asks_the_internet_from_the_eip_that_it_carries() {
    let program = program(
        "
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {one: {cidr: 10.0.1.0/24}}}
eips:
  own: {address: 203.0.113.5, bind: a-1, mode: direct}
cvms:
  a-1: {subnet: one, address: 10.0.1.10}
  a-2: {subnet: one, address: 10.0.1.11}
",
    );
    for from in ["a-1", "a-1/eth0"] {
        let trace = asked(&program, from, "internet", tcp(443));
        assert!(trace.reachable, "{trace:#?}");
        assert!(
            trace.legs[0].packet.contains("203.0.113.5:40000"),
            "{trace:#?}"
        );
        let inside = asked(&program, from, "a-2", tcp(443));
        assert!(inside.reachable, "{inside:#?}");
        assert!(
            inside.legs[0].packet.contains("10.0.1.10:40000"),
            "{inside:#?}"
        );
    }
}

#[test]
fn of_several_eips_the_one_of_the_first_nic_is_asked() {
    let program = program(
        "
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {one: {cidr: 10.0.1.0/24}, two: {cidr: 10.0.2.0/24}}}
eips:
  second: {address: 203.0.113.6, bind: a-1/eth1}
  first: {address: 203.0.113.5, bind: a-1/eth0}
cvms:
  a-1:
    nics:
      eth0: {subnet: one, address: 10.0.1.10}
      eth1: {subnet: two, address: 10.0.2.10}
",
    );
    let asked = |to| asked(&program, "internet", to, tcp(80));
    assert_eq!(
        asked("a-1").legs[0].verdict.place.as_deref(),
        Some("a-1/eth0")
    );
    assert!(asked("a-1").reachable);
    // The other one is strict about where packets come from.
    let second = asked("a-1/eth1");
    let verdict = &second.legs[0].verdict;
    assert_eq!(verdict.reason.as_deref(), Some("rp-filter"), "{second:#?}");
    assert_eq!(
        verdict.detail.as_deref(),
        Some("rp_filter 1, the way back leads out of a-1/eth0")
    );
}

#[test]
fn the_strangers_of_a_trace_are_nobody_of_ours() {
    // A network that has the addresses that a trace would use.
    let program = program(
        "
vpcs:
  a: {cidr: 10.0.0.0/16, route_table: out, subnets: {one: {cidr: 10.0.1.0/24}}}
route_tables:
  out: {vpc: a, routes: [{to: 0.0.0.0/0, via: eip}]}
eips:
  client: {address: 198.51.100.1, bind: a-1}
  server: {address: 203.0.113.1, bind: a-2}
cvms:
  a-1: {subnet: one, address: 10.0.1.10}
  a-2: {subnet: one, address: 10.0.1.11}
",
    );
    let inbound = asked(&program, "internet", "a-1", tcp(80));
    assert!(
        inbound.legs[0]
            .packet
            .starts_with("tcp 198.51.100.2:40000 > 198.51.100.1:80")
    );
    assert!(inbound.reachable, "{inbound:#?}");
    let outbound = asked(&program, "a-1", "internet", tcp(80));
    assert!(outbound.legs[0].packet.contains(" > 203.0.113.2:80"));
    assert!(outbound.reachable, "{outbound:#?}");
}
