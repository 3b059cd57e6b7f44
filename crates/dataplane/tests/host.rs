//! SEMANTICS §10: the host is Linux. Reverse path filter, local or forward, its own routing.

use vpcsim_dataplane::Verdict;
use vpcsim_packet::{IcmpBody, Transport, verify_checksums};
use vpcsim_testkit::{End, Lab, ping, tcp};

/// A host with two nics and more, a client in each of their subnets, one far away, and a sender
/// of anything.
fn dual(host: &str) -> Lab {
    dual_with("10.0.1.10", "10.0.2.10", host)
}

fn dual_with(eth0: &str, eth1: &str, host: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets:
      front: {{cidr: 10.0.1.0/24}}
      back: {{cidr: 10.0.2.0/24}}
      far: {{cidr: 10.0.3.0/24}}
route_tables:
  out:
    routes:
      - {{to: 192.168.1.0/24, via: instance/dual/eth0}}
      - {{to: 192.168.2.0/24, via: instance/dual/eth1}}
      - {{to: 127.0.0.0/8, via: instance/dual/eth0}}
      - {{to: 0.0.0.0/0, via: cvm/dual/eth1}}
eips:
  direct: {{address: 203.0.113.22, bind: dual/eth1, mode: direct}}
havips:
  vip: {{subnet: back, address: 10.0.2.100, holder: dual/eth1}}
cvms:
  dual:
    nics:
      eth0: {{subnet: front, address: {eth0}}}
      eth1: {{subnet: back, address: {eth1}}}
    {host}
  front: {{subnet: front, address: 10.0.1.20}}
  back: {{subnet: back, address: 10.0.2.20}}
  far: {{subnet: far, address: 10.0.3.10}}
policies: {{source_check: \"off\"}}
"
    ))
}

/// What rp_filter saw: the effective value, and where the way back leads.
#[track_caller]
fn reverse_path(lab: &Lab, end: &End) -> (u8, Option<String>) {
    let Verdict::Dropped(drop) = end.verdict() else {
        panic!("{end}")
    };
    let reverse = drop.reverse_path.expect("rp_filter says what it saw");
    (
        reverse.value,
        reverse.nic.map(|nic| lab.program().nic_name(nic)),
    )
}

fn host_egress(end: &End) -> Option<&str> {
    let stop = end.stops().iter().find(|stop| stop.stage == "host-egress");
    stop.map(|stop| stop.element.as_str())
}

#[test]
fn rp_filter_is_the_larger_of_all_and_the_nic() {
    for all in 0..=2_u8 {
        for nic in 0..=2_u8 {
            let sysctl = format!(
                "sysctl: {{net.ipv4.conf.all.rp_filter: {all}, net.ipv4.conf.eth1.rp_filter: {nic}}}"
            );
            let mut lab = dual(&sysctl);
            let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
            if all.max(nic) == 1 {
                end.dropped("rp-filter", "host", "dual/eth1");
                assert_eq!(reverse_path(&lab, &end), (1, Some("dual/eth0".to_owned())));
            } else {
                end.delivered_at("dual/eth1");
            }
            // The way back leads out of the nic itself.
            lab.send(ping("10.0.2.20", "10.0.2.10"))
                .delivered_at("dual/eth1");
            lab.send(ping("10.0.3.10", "10.0.1.10"))
                .delivered_at("dual/eth0");
        }
    }
}

#[test]
fn rp_filter_is_1_on_all_where_the_file_says_nothing() {
    let mut lab = dual("running: true");
    let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
    end.dropped("rp-filter", "host", "dual/eth1");
    assert_eq!(reverse_path(&lab, &end).0, 1);
}

#[test]
fn default_seeds_only_nics_without_their_own_value() {
    let with = |lines: &str| {
        let mut lab = dual(&format!(
            "sysctl: {{net.ipv4.conf.all.rp_filter: 0, {lines}}}"
        ));
        lab.send(ping("10.0.3.10", "10.0.2.10")).outcome()
    };
    assert_eq!(with("net.ipv4.conf.default.rp_filter: 1"), "rp-filter");
    assert_eq!(with("net.ipv4.conf.default.rp_filter: 0"), "dual/eth1");
    let (eth1, seed) = (
        "net.ipv4.conf.eth1.rp_filter: 0",
        "net.ipv4.conf.default.rp_filter: 1",
    );
    assert_eq!(with(&format!("{eth1}, {seed}")), "dual/eth1");
    assert_eq!(with(&format!("{seed}, {eth1}")), "dual/eth1");
    // It seeds, it is not a third value beside the two.
    let mut lab =
        dual("sysctl: {net.ipv4.conf.all.rp_filter: 1, net.ipv4.conf.default.rp_filter: 0}");
    lab.send(ping("10.0.3.10", "10.0.2.10"))
        .dropped("rp-filter", "host", "dual/eth1");
}

const RULES: &str = "
    routes:
      - {to: 0.0.0.0/0, via: 10.0.1.1, nic: eth0, table: 10}
      - {to: 0.0.0.0/0, via: 10.0.2.1, nic: eth1, table: 20}
    rules: [{from: 10.0.1.10, table: 10}, {from: 10.0.2.10, table: 20}]";

#[test]
fn rules_count_in_the_reverse_lookup() {
    let mut lab = dual(RULES);
    let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
    end.delivered_at("dual/eth1");
    let reply = lab.reply_to(&end);
    reply.delivered_at("far/eth0");
    assert_eq!(host_egress(&reply), Some("dual/eth1"));
    // They are asked with the packet's destination as source: its other address has no rule here.
    let one = RULES.replace(", {from: 10.0.2.10, table: 20}", "");
    dual(&one)
        .send(ping("10.0.3.10", "10.0.2.10"))
        .dropped("rp-filter", "host", "dual/eth1");
}

#[test]
fn loose_wants_any_route_and_strict_says_when_there_is_none() {
    // eth0 is not configured, so the host has no default route, only eth1's link.
    let lab = |rp_filter: u8| {
        let sysctl = format!("sysctl: {{net.ipv4.conf.all.rp_filter: {rp_filter}}}");
        dual_with(
            "{address: 10.0.1.10, configured: false}",
            "10.0.2.10",
            &sysctl,
        )
    };
    for rp_filter in [1, 2] {
        let mut lab = lab(rp_filter);
        let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
        end.dropped("rp-filter", "host", "dual/eth1");
        assert_eq!(reverse_path(&lab, &end), (rp_filter, None));
        lab.send(ping("10.0.2.20", "10.0.2.10"))
            .delivered_at("dual/eth1");
    }
    lab(0)
        .send(ping("10.0.3.10", "10.0.2.10"))
        .delivered_at("dual/eth1");
}

#[test]
fn a_nic_without_an_address_passes_neither_strict_nor_loose() {
    let lab = |rp_filter: u8| {
        let host =
            format!("lo: [192.168.2.2], sysctl: {{net.ipv4.conf.all.rp_filter: {rp_filter}}}");
        dual_with(
            "10.0.1.10",
            "{address: 10.0.2.10, configured: false}",
            &host.replace(", sysctl", "\n    sysctl"),
        )
    };
    for rp_filter in [1, 2] {
        lab(rp_filter)
            .send(ping("10.0.3.10", "192.168.2.2"))
            .dropped("rp-filter", "host", "dual/eth1");
    }
    lab(0)
        .send(ping("10.0.3.10", "192.168.2.2"))
        .delivered_at("dual/eth1");
}

#[test]
fn an_address_that_is_not_configured_has_no_connected_route() {
    // Without eth1's link the way back to its neighbour leads out of eth0.
    let mut lab = dual_with(
        "10.0.1.10",
        "{address: 10.0.2.10, configured: false}",
        "lo: [192.168.2.2]",
    );
    let end = lab.send(ping("10.0.2.20", "192.168.2.2"));
    end.dropped("rp-filter", "host", "dual/eth1");
    assert_eq!(reverse_path(&lab, &end).1.as_deref(), Some("dual/eth0"));
    let own = lab.send(ping("10.0.1.10", "10.0.2.20"));
    assert_eq!(host_egress(&own), Some("dual/eth0"));
    let mut lab = dual("lo: [192.168.2.2]");
    lab.send(ping("10.0.2.20", "192.168.2.2"))
        .delivered_at("dual/eth1");
    assert_eq!(
        host_egress(&lab.send(ping("10.0.1.10", "10.0.2.20"))),
        Some("dual/eth1")
    );
}

#[test]
fn two_nics_on_one_link_answer_by_the_first() {
    let mut lab = Lab::new(
        "
vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {front: {cidr: 10.0.1.0/24}}}}
cvms:
  twin:
    nics:
      eth0: {subnet: front, address: 10.0.1.10}
      eth1: {subnet: front, address: 10.0.1.11}
  client: {subnet: front, address: 10.0.1.20}
",
    );
    lab.send(ping("10.0.1.20", "10.0.1.10"))
        .delivered_at("twin/eth0");
    let end = lab.send(ping("10.0.1.20", "10.0.1.11"));
    end.dropped("rp-filter", "host", "twin/eth1");
    assert_eq!(reverse_path(&lab, &end).1.as_deref(), Some("twin/eth0"));
}

/// Sources that cannot be, whatever rp_filter says.
const MARTIANS: [&str; 9] = [
    "10.0.1.10",
    "10.0.2.10",
    "10.0.2.100",
    "203.0.113.22",
    "192.168.9.9",
    "127.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
];

#[test]
fn martians_whatever_rp_filter_says() {
    for rp_filter in 0..=2 {
        let host =
            format!("lo: [192.168.9.9]\n    sysctl: {{net.ipv4.conf.all.rp_filter: {rp_filter}}}");
        for source in MARTIANS {
            dual(&host)
                .send(ping(source, "10.0.1.10").at("front/eth0"))
                .dropped("martian", "host", "dual/eth0");
        }
    }
}

#[test]
fn linux_takes_unusual_sources_that_are_no_martians() {
    let mut lab = dual("sysctl: {net.ipv4.conf.all.rp_filter: 0}");
    // A subnet's broadcast is looked up, and refused, only under rp_filter or rules.
    for source in ["0.1.2.3", "240.0.0.1", "169.254.1.1", "10.0.1.255"] {
        lab.send(ping(source, "10.0.1.10").at("front/eth0"))
            .delivered_at("dual/eth0");
    }
    for host in [
        "sysctl: {net.ipv4.conf.all.rp_filter: 2}",
        &format!("sysctl: {{net.ipv4.conf.all.rp_filter: 0}}{RULES}"),
    ] {
        dual(host)
            .send(ping("10.0.1.255", "10.0.1.10").at("front/eth0"))
            .dropped("martian", "host", "dual/eth0");
    }
    // With accept_local Linux does not look, rules or not.
    let sysctl = "net.ipv4.conf.all.rp_filter: 0, net.ipv4.conf.all.accept_local: 1";
    dual(&format!("sysctl: {{{sysctl}}}{RULES}"))
        .send(ping("10.0.1.255", "10.0.1.10").at("front/eth0"))
        .delivered_at("dual/eth0");
}

#[test]
fn accept_local_lets_own_addresses_in() {
    let from_eth0 = || tcp("10.0.1.10:40000", "10.0.2.10:80").at("dual/eth0");
    for accept in [
        "net.ipv4.conf.all.accept_local: 1",
        "net.ipv4.conf.eth1.accept_local: 1",
    ] {
        let mut lab = dual(&format!(
            "sysctl: {{net.ipv4.conf.all.rp_filter: 0, {accept}}}"
        ));
        lab.send(from_eth0()).delivered_at("dual/eth1");
    }
    // On the other nic it does not help.
    dual("sysctl: {net.ipv4.conf.all.rp_filter: 0, net.ipv4.conf.eth0.accept_local: 1}")
        .send(from_eth0())
        .dropped("martian", "host", "dual/eth1");
}

#[test]
fn under_accept_local_strict_wants_the_nic_that_has_the_address() {
    let mut lab = dual("sysctl: {net.ipv4.conf.all.accept_local: 1}");
    let end = lab.send(tcp("10.0.1.10:40000", "10.0.2.10:80").at("dual/eth0"));
    end.dropped("rp-filter", "host", "dual/eth1");
    assert_eq!(reverse_path(&lab, &end), (1, Some("dual/eth0".to_owned())));
    lab.send(ping("10.0.2.10", "10.0.2.10").at("back/eth0"))
        .delivered_at("dual/eth1");
    dual("sysctl: {net.ipv4.conf.all.accept_local: 1, net.ipv4.conf.all.rp_filter: 2}")
        .send(tcp("10.0.1.10:40000", "10.0.2.10:80").at("dual/eth0"))
        .delivered_at("dual/eth1");
}

#[test]
fn route_localnet_lets_loopback_destinations_in() {
    let to_loopback = || ping("10.0.1.20", "127.0.0.1").at("front/eth0");
    dual("running: true")
        .send(to_loopback())
        .dropped("martian", "host", "dual/eth0");
    dual("sysctl: {net.ipv4.conf.eth0.route_localnet: 1}")
        .send(to_loopback())
        .delivered_at("dual/eth0");
    dual("sysctl: {net.ipv4.conf.all.route_localnet: 1}")
        .send(to_loopback())
        .delivered_at("dual/eth0");
    // As a source it is the host's own all the same.
    dual("sysctl: {net.ipv4.conf.all.route_localnet: 1, net.ipv4.conf.all.rp_filter: 0}")
        .send(ping("127.0.0.1", "10.0.1.10").at("front/eth0"))
        .dropped("martian", "host", "dual/eth0");
    // The rest of 127/8 is so only to a look-up.
    for (rp_filter, passes) in [(0, true), (2, false)] {
        let sysctl = format!(
            "net.ipv4.conf.all.route_localnet: 1, net.ipv4.conf.all.rp_filter: {rp_filter}"
        );
        let mut lab = dual(&format!("sysctl: {{{sysctl}}}"));
        let end = lab.send(ping("127.9.9.9", "10.0.1.10").at("front/eth0"));
        if passes {
            end.delivered_at("dual/eth0");
        } else {
            end.dropped("martian", "host", "dual/eth0");
        }
    }
}

#[test]
fn any_address_of_the_host_is_local_on_any_nic() {
    let host = "lo: [192.168.1.1, 192.168.2.2]\n    sysctl: {net.ipv4.conf.all.rp_filter: 0}";
    let mut lab = dual(host);
    for (to, nic) in [
        ("192.168.1.1", "dual/eth0"),
        ("192.168.2.2", "dual/eth1"),
        ("10.0.2.100", "dual/eth1"),
        ("10.0.1.10", "dual/eth0"),
    ] {
        lab.send(ping("10.0.3.10", to)).delivered_at(nic);
    }
    lab.from_internet(ping("198.51.100.7", "203.0.113.22"))
        .delivered_at("dual/eth1");
    // The route to 192.168.1.0/24 leads to eth0; the same address on eth1's side is as local.
    let swapped = "lo: [192.168.1.1, 192.168.2.2, 198.51.100.9]\n    sysctl: {net.ipv4.conf.all.rp_filter: 0}";
    dual(swapped)
        .send(ping("10.0.3.10", "198.51.100.9"))
        .delivered_at("dual/eth1");
}

#[test]
fn an_address_that_is_not_configured_is_not_local() {
    let unknown = "{address: 10.0.1.10, configured: false}";
    let open = "sysctl: {net.ipv4.conf.all.rp_filter: 0}";
    dual_with(unknown, "10.0.2.10", open)
        .send(ping("10.0.1.20", "10.0.1.10"))
        .dropped("not-local", "host", "dual");
    let on_lo = format!("lo: [10.0.1.10]\n    {open}");
    dual_with(unknown, "10.0.2.10", &on_lo)
        .send(ping("10.0.1.20", "10.0.1.10"))
        .delivered_at("dual/eth0");
}

#[test]
fn not_local_is_not_forwarded_unless_the_host_forwards() {
    // As a next hop it is host-not-forwarding, as its own destination not-local.
    dual("ip_forward: false")
        .send(ping("10.0.1.20", "192.168.1.1"))
        .dropped("host-not-forwarding", "host", "dual");
    dual_with(
        "10.0.1.10",
        "{address: 10.0.2.10, configured: false}",
        "sysctl: {net.ipv4.conf.all.rp_filter: 0}",
    )
    .send(ping("10.0.3.10", "10.0.2.10"))
    .dropped("not-local", "host", "dual");
}

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
