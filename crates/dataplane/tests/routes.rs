//! SEMANTICS §2, steps 5 and 6: the route and the next hop.

use std::collections::BTreeMap;
use vpcsim_testkit::{Lab, ping, tcp, udp};

/// A subnet of clients with `routes`, and everything a route can point at.
fn world(routes: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidrs: [10.0.0.0/16, 172.16.8.0/22]
    subnets:
      web: {{cidr: 10.0.1.0/24, route_table: web}}
      back: {{cidr: 10.0.2.0/24, route_table: back}}
      spare: {{cidr: 172.16.8.0/24}}
  office:
    cidr: 10.9.0.0/16
    subnets: {{desks: {{cidr: 10.9.1.0/24, route_table: desks}}}}
route_tables:
  web: {{vpc: shop, routes: [{routes}]}}
  back: {{vpc: shop, routes: [{{to: 10.9.0.0/16, via: peering/pair}}]}}
  desks: {{vpc: office, routes: [{{to: 10.0.0.0/16, via: peering/pair}}]}}
peerings:
  pair: {{vpcs: [shop, office]}}
eips:
  gw-1: {{address: 203.0.113.10}}
  gw-2: {{address: 203.0.113.11}}
  off: {{address: 203.0.113.12}}
  public: {{address: 203.0.113.20, bind: public}}
nat_gateways:
  gw-1: {{vpc: shop, eips: [gw-1]}}
  gw-2: {{vpc: shop, eips: [gw-2], dnat: [{{eip: gw-2, protocol: tcp, port: 80, to: plain}}]}}
  off: {{vpc: shop, eips: [off], enabled: false}}
havips:
  held: {{subnet: back, address: 10.0.2.100, holder: relay}}
  free: {{subnet: back, address: 10.0.2.101}}
externals:
  office-vpn: {{kind: vpn, vpc: shop}}
  ssl: {{kind: sslvpn, vpc: shop}}
  line: {{kind: direct-connect, vpc: shop}}
  mesh: {{kind: ccn, vpc: shop}}
  private-nat: {{kind: intranat, vpc: shop}}
  cluster: {{kind: local-gateway, vpc: shop}}
  balancer: {{kind: gwlb-endpoint, vpc: shop}}
  closed: {{kind: vpn, vpc: shop, enabled: false}}
cvms:
  plain: {{subnet: web, address: 10.0.1.10}}
  public: {{subnet: web, address: 10.0.1.11}}
  server: {{subnet: back, address: 10.0.2.10}}
  spare: {{subnet: spare, address: 172.16.8.10}}
  desk: {{subnet: desks, address: 10.9.1.10}}
  relay: {{subnet: back, address: 10.0.2.20, ip_forward: true}}
  relay-2: {{subnet: back, address: 10.0.2.21, ip_forward: true}}
  deaf: {{subnet: back, address: 10.0.2.22}}
  stopped: {{subnet: back, address: 10.0.2.23, ip_forward: true, running: false}}
"
    ))
}

const PLAIN: &str = "10.0.1.10";
const PUBLIC: &str = "10.0.1.11";
const FAR: &str = "198.51.100.7";

/// The rule that decided at the route stage.
fn rule_of(end: &vpcsim_testkit::End) -> Option<&str> {
    let stop = end.stops().iter().find(|stop| stop.stage == "route");
    stop.and_then(|stop| stop.rule.as_deref())
}

#[test]
fn s2_5b_everything_in_the_vpc_is_local_whatever_the_table_says() {
    let mut lab = world("{to: 0.0.0.0/0, via: nat/gw-1}, {to: 10.0.0.0/8, via: vpn/office-vpn}");
    for (to, at) in [("10.0.2.10", "server/eth0"), ("172.16.8.10", "spare/eth0")] {
        lab.send(ping(PLAIN, to))
            .delivered_at(at)
            .passed("route", "local");
    }
    lab.send(ping(PLAIN, "10.0.7.7"))
        .dropped("no-such-host", "route", "shop");
    // Beside the vpc, the wider route is taken.
    lab.send(ping(PLAIN, "10.1.0.1"))
        .delivered_at("external:office-vpn");
}

#[test]
fn s2_5b_a_route_inside_the_vpc_is_refused_by_the_file() {
    let file = |to: &str| {
        format!(
            "
vpcs: {{shop: {{cidrs: [10.0.0.0/16, 172.16.8.0/22]}}}}
route_tables: {{t: {{routes: [{{to: {to}, via: vpn/x}}]}}}}
externals: {{x: {{kind: vpn}}}}
"
        )
    };
    for inside in [
        "10.0.2.0/24",
        "10.0.2.10/32",
        "10.0.0.0/16",
        "172.16.8.0/23",
    ] {
        let read = vpcsim_network::Network::from_yaml("test.yaml", &file(inside));
        assert!(read.is_err(), "{inside}");
    }
    for beside in ["10.0.0.0/8", "172.16.12.0/24"] {
        let read = vpcsim_network::Network::from_yaml("test.yaml", &file(beside));
        assert!(read.is_ok(), "{beside}");
    }
}

#[test]
fn s2_5c_the_longest_prefix_wins_wherever_it_stands() {
    let mut lab = world(
        "{to: 0.0.0.0/0, via: nat/gw-1},
         {to: 192.168.5.5/32, via: direct-connect/line},
         {to: 192.168.0.0/16, via: vpn/office-vpn},
         {to: 192.168.5.0/24, via: ccn/mesh}",
    );
    for (to, at, rule) in [
        ("192.168.5.5", "external:line", "routes 2"),
        ("192.168.5.6", "external:mesh", "routes 4"),
        ("192.168.6.1", "external:office-vpn", "routes 3"),
        (FAR, "internet", "routes 1"),
    ] {
        let end = lab.send(ping(PLAIN, to));
        end.delivered_at(at).passed("route", "routed");
        assert_eq!(rule_of(&end), Some(rule), "{end}");
    }
}

#[test]
fn s2_5c_a_disabled_route_is_not_there() {
    let mut lab = world(
        "{to: 192.168.5.0/24, via: ccn/mesh, enabled: false}, {to: 192.168.0.0/16, via: vpn/office-vpn}",
    );
    let end = lab.send(ping(PLAIN, "192.168.5.5"));
    end.delivered_at("external:office-vpn");
    assert_eq!(
        rule_of(&end),
        Some("routes 2"),
        "positions count disabled routes too"
    );
    world("{to: 0.0.0.0/0, via: nat/gw-1, enabled: false}")
        .send(ping(PLAIN, FAR))
        .dropped("no-route", "route", "web");
}

#[test]
fn s2_5c_at_equal_prefix_an_eip_route_wins_for_those_with_an_eip() {
    for routes in [
        "{to: 0.0.0.0/0, via: eip}, {to: 0.0.0.0/0, via: nat/gw-1}",
        "{to: 0.0.0.0/0, via: nat/gw-1}, {to: 0.0.0.0/0, via: eip}",
        "{to: 0.0.0.0/0, via: eip}, {to: 0.0.0.0/0, via: instance/relay}",
        "{to: 0.0.0.0/0, via: eip}, {to: 0.0.0.0/0, via: cvm/relay}",
    ] {
        let end = world(routes).send(ping(PUBLIC, FAR));
        end.delivered_at("internet")
            .passed("eip", "source-translated");
        assert_eq!(end.headers().source.to_string(), "203.0.113.20");
        let end = world(routes).send(ping(PLAIN, FAR));
        end.never_at("eip").passed("route", "routed");
    }
}

#[test]
fn s2_5c_an_eip_route_does_not_beat_a_longer_prefix() {
    let mut lab = world("{to: 0.0.0.0/0, via: eip}, {to: 198.51.100.0/24, via: nat/gw-1}");
    let end = lab.send(ping(PUBLIC, FAR));
    end.delivered_at("internet")
        .passed("nat-gateway", "source-translated");
    assert_eq!(end.headers().source.to_string(), "203.0.113.10");
}

#[test]
fn s2_5c_without_an_eip_an_eip_route_is_skipped_for_a_shorter_prefix_too() {
    let routes = "{to: 198.51.100.0/24, via: eip}, {to: 0.0.0.0/0, via: nat/gw-1}";
    let end = world(routes).send(ping(PLAIN, FAR));
    end.delivered_at("internet")
        .passed("nat-gateway", "source-translated");
    assert_eq!(rule_of(&end), Some("routes 2"));
    let end = world(routes).send(ping(PUBLIC, FAR));
    assert_eq!(rule_of(&end), Some("routes 1"));
    world("{to: 0.0.0.0/0, via: eip}")
        .send(ping(PLAIN, FAR))
        .dropped("no-route", "route", "web");
}

#[test]
fn s2_5d_the_eip_serves_only_where_nothing_matched() {
    let end = world("{to: 192.168.0.0/16, via: vpn/office-vpn}").send(ping(PUBLIC, FAR));
    end.delivered_at("internet").passed("route", "eip-fallback");
    assert_eq!(end.headers().source.to_string(), "203.0.113.20");
    let end = world("{to: 0.0.0.0/0, via: nat/gw-1}").send(ping(PUBLIC, FAR));
    end.delivered_at("internet").passed("route", "routed");
    assert_eq!(end.headers().source.to_string(), "203.0.113.10");
    // A route that matches and leads nowhere has matched all the same.
    world("{to: 0.0.0.0/0, via: nat/off}")
        .send(ping(PUBLIC, FAR))
        .dropped("next-hop-unavailable", "route", "off");
}

#[test]
fn s2_5d_an_eip_is_that_of_the_address_not_of_the_neighbour() {
    let mut lab = Lab::new(
        "
vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}}
eips: {one: {address: 203.0.113.20, bind: 10.0.1.11}, two: {address: 203.0.113.21, bind: havip/vip}}
havips: {vip: {subnet: web, address: 10.0.1.100, holder: a}}
cvms: {a: {subnet: web, addresses: [10.0.1.10, 10.0.1.11]}}
",
    );
    for (inside, outside) in [
        ("10.0.1.11", "203.0.113.20"),
        ("10.0.1.100", "203.0.113.21"),
    ] {
        let end = lab.send(ping(inside, FAR));
        end.delivered_at("internet").passed("route", "eip-fallback");
        assert_eq!(end.headers().source.to_string(), outside);
    }
    lab.send(ping("10.0.1.10", FAR))
        .dropped("no-route", "route", "shop/default");
}

#[test]
fn s2_5_what_a_host_forwards_does_not_leave_by_the_eip_of_its_sender() {
    let mut lab = world("{to: 198.51.100.0/24, via: instance/relay}");
    let end = lab.send(ping(PUBLIC, FAR));
    end.passed("host", "forwarded")
        .dropped("no-route", "route", "back")
        .never_at("eip");
}

#[test]
fn s2_5e_nothing_matches() {
    world("{to: 192.168.0.0/16, via: vpn/office-vpn}")
        .send(ping(PLAIN, FAR))
        .dropped("no-route", "route", "web");
    let mut lab = world("{to: 0.0.0.0/0, via: vpn/office-vpn}");
    lab.send(ping(PLAIN, "224.0.0.251"))
        .dropped("no-route", "route", "web");
    lab.send(ping(PLAIN, "255.255.255.255"))
        .dropped("no-route", "route", "web");
}

/// How many of 240 flows each of several equal next hops takes.
fn shares(routes: &str) -> BTreeMap<String, usize> {
    let mut lab = world(routes);
    let mut shares = BTreeMap::new();
    for port in 40_000..40_240 {
        let end = lab.send(udp(&format!("{PLAIN}:{port}"), &format!("{FAR}:53")));
        *shares
            .entry(rule_of(&end).unwrap_or_default().to_owned())
            .or_default() += 1;
    }
    shares
}

#[test]
fn s2_5c_equal_routes_share_the_flows() {
    for routes in [
        "{to: 0.0.0.0/0, via: nat/gw-1}, {to: 0.0.0.0/0, via: nat/gw-2}",
        "{to: 0.0.0.0/0, via: nat/gw-1}, {to: 0.0.0.0/0, via: instance/relay}",
        "{to: 0.0.0.0/0, via: havip/held}, {to: 0.0.0.0/0, via: havip/free}",
    ] {
        let shares = shares(routes);
        assert_eq!(shares.len(), 2, "{shares:?}");
        assert!(
            shares.values().all(|share| (80..=160).contains(share)),
            "{shares:?}"
        );
    }
    let four = shares(
        "{to: 0.0.0.0/0, via: instance/relay}, {to: 0.0.0.0/0, via: instance/relay-2},
         {to: 0.0.0.0/0, via: instance/deaf}, {to: 0.0.0.0/0, via: instance/stopped}",
    );
    assert!(
        four.len() == 4 && four.values().all(|&share| share > 30),
        "{four:?}"
    );
}

#[test]
fn s2_5c_the_choice_among_equal_routes_is_the_same_on_every_run() {
    let routes = "{to: 0.0.0.0/0, via: nat/gw-1}, {to: 0.0.0.0/0, via: nat/gw-2}";
    let run = || {
        let mut lab = world(routes);
        let flows = 40_000..40_100;
        let ends = flows.map(|port| lab.send(tcp(&format!("{PLAIN}:{port}"), "198.51.100.7:443")));
        ends.map(|end| end.flow()).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn s2_5c_each_part_of_the_five_tuple_can_change_the_choice() {
    let mut lab = world("{to: 0.0.0.0/0, via: nat/gw-1}, {to: 0.0.0.0/0, via: nat/gw-2}");
    type Make = fn(&str, &str) -> vpcsim_testkit::Craft;
    let mut choices = |make: Make, from: &str, to: &str, step: u16| {
        let flows = (0..32).map(|n| {
            let from = format!("{from}:{}", 40_000 + n);
            let end = lab.send(make(&from, &format!("{to}:{}", 53 + n * step)));
            rule_of(&end).unwrap_or_default().to_owned()
        });
        flows.collect::<Vec<_>>()
    };
    let udp_flows = choices(udp, PLAIN, FAR, 0);
    assert!(
        udp_flows.iter().any(|rule| *rule != udp_flows[0]),
        "the source port"
    );
    assert_ne!(
        udp_flows,
        choices(udp, PLAIN, FAR, 1),
        "the destination port"
    );
    assert_ne!(
        udp_flows,
        choices(udp, PLAIN, "198.51.100.8", 0),
        "the destination"
    );
    assert_ne!(udp_flows, choices(udp, PUBLIC, FAR, 0), "the source");
    assert_ne!(udp_flows, choices(tcp, PLAIN, FAR, 0), "the protocol");
    assert_eq!(udp_flows, choices(udp, PLAIN, FAR, 0), "and nothing else");
}

#[test]
fn s2_5c_a_flow_stays_with_its_gateway_and_so_do_its_answers() {
    let mut lab = world("{to: 0.0.0.0/0, via: nat/gw-1}, {to: 0.0.0.0/0, via: nat/gw-2}");
    for port in 40_000..40_020 {
        let syn = lab.send(tcp(&format!("{PLAIN}:{port}"), "198.51.100.7:443").syn());
        let outside = syn.flow();
        let syn_ack = lab.reply_to(&syn);
        syn_ack.delivered_at("plain/eth0");
        let ack = lab.reply_to(&syn_ack);
        ack.delivered_at("internet");
        assert_eq!(ack.flow(), outside);
    }
}

#[test]
fn s2_5a_a_reply_leaves_by_the_gateway_that_let_the_flow_in() {
    let mut lab = world("{to: 0.0.0.0/0, via: nat/gw-1}");
    let inbound = lab.from_internet(tcp("198.51.100.7:50000", "203.0.113.11:80").syn());
    inbound.delivered_at("plain/eth0");
    let reply = lab.reply_to(&inbound);
    reply
        .delivered_at("internet")
        .passed("route", "return-path");
    assert_eq!(reply.flow(), "tcp 203.0.113.11:80 > 198.51.100.7:50000");
}

#[test]
fn s2_5a_a_reply_leaves_by_the_eip_that_let_the_flow_in() {
    for routes in [
        "",
        "{to: 0.0.0.0/0, via: nat/gw-1}",
        "{to: 0.0.0.0/0, via: vpn/office-vpn}",
    ] {
        let mut lab = world(routes);
        let inbound = lab.from_internet(ping(FAR, "203.0.113.20"));
        inbound.delivered_at("public/eth0");
        let reply = lab.reply_to(&inbound);
        reply
            .delivered_at("internet")
            .passed("route", "return-path");
        assert_eq!(reply.headers().source.to_string(), "203.0.113.20");
    }
}

#[test]
fn s2_5a_is_about_flows_not_about_addresses() {
    let mut lab = world("{to: 0.0.0.0/0, via: vpn/office-vpn}");
    let _ = lab.from_internet(tcp("198.51.100.7:50000", "203.0.113.20:80").syn());
    // The same two hosts, a connection that begins inside.
    lab.send(tcp("10.0.1.11:40000", "198.51.100.7:443").syn())
        .delivered_at("external:office-vpn")
        .passed("route", "routed");
}

#[test]
fn s2_6_peering() {
    let mut lab = world("{to: 10.9.0.0/16, via: peering/pair}");
    let end = lab.send(ping(PLAIN, "10.9.1.10"));
    end.delivered_at("desk/eth0").passed("peering", "carried");
    lab.reply_to(&end).delivered_at("plain/eth0");
}

#[test]
fn s2_6_every_kind_of_external_ends_the_simulated_world() {
    for (via, name) in [
        ("vpn/office-vpn", "office-vpn"),
        ("sslvpn/ssl", "ssl"),
        ("direct-connect/line", "line"),
        ("ccn/mesh", "mesh"),
        ("intranat/private-nat", "private-nat"),
        ("local-gateway/cluster", "cluster"),
        ("gwlb-endpoint/balancer", "balancer"),
        ("external/office-vpn", "office-vpn"),
    ] {
        let end =
            world(&format!("{{to: 192.168.0.0/16, via: {via}}}")).send(ping(PLAIN, "192.168.1.1"));
        end.delivered_at(&format!("external:{name}"));
        let headers = end.headers();
        assert_eq!(headers.source.to_string(), PLAIN);
        assert_eq!(headers.destination.to_string(), "192.168.1.1");
    }
}

#[test]
fn s2_6_what_answers_from_behind_an_external_enters_its_vpc() {
    let mut lab = world("{to: 192.168.0.0/16, via: vpn/office-vpn}");
    let end = lab.send(ping(PLAIN, "192.168.1.1"));
    lab.reply_to(&end)
        .delivered_at("plain/eth0")
        .passed("external", "carried");
    lab.send(ping("192.168.1.1", "10.0.7.7").at("external:office-vpn"))
        .dropped("no-such-host", "external", "shop");
    lab.send(ping("192.168.1.1", "10.9.1.10").at("external:office-vpn"))
        .dropped("no-such-host", "external", "shop");
    lab.send(ping("192.168.1.1", "10.0.2.101").at("external:office-vpn"))
        .dropped("havip-unheld", "external", "free");
    lab.send(ping("192.168.1.1", PLAIN).at("external:closed"))
        .dropped("next-hop-unavailable", "external", "closed");
}

#[test]
fn s2_6_a_gateway_that_is_disabled() {
    for (via, element) in [("nat/off", "off"), ("vpn/closed", "closed")] {
        world(&format!(
            "{{to: 198.51.0.0/16, via: vpn/office-vpn}}, {{to: 198.51.100.0/24, via: {via}}}"
        ))
        .send(ping(PLAIN, FAR))
        .dropped("next-hop-unavailable", "route", element)
        .by_rule("routes 2");
    }
    world("").from_internet(ping(FAR, "203.0.113.12")).dropped(
        "next-hop-unavailable",
        "nat-gateway",
        "off",
    );
}

#[test]
fn s2_6_cvm_and_instance_take_the_packet_with_its_destination_untouched() {
    for kind in ["cvm", "instance"] {
        let mut lab = world(&format!("{{to: 10.9.0.0/16, via: {kind}/relay}}"));
        let end = lab.send(ping(PLAIN, "10.9.1.10"));
        end.passed("host", "forwarded").delivered_at("desk/eth0");
        let seen = end
            .stops()
            .iter()
            .find(|stop| stop.stage == "host")
            .map(|stop| &stop.packet);
        assert!(
            seen.is_some_and(|packet| packet.contains("10.0.1.10 > 10.9.1.10")),
            "{end}"
        );
        assert_eq!(end.headers().ttl, 63);
    }
}

#[test]
fn s2_6_cvm_and_instance_that_do_not_forward() {
    for kind in ["cvm", "instance"] {
        world(&format!("{{to: 0.0.0.0/0, via: {kind}/deaf}}"))
            .send(ping(PLAIN, FAR))
            .dropped("host-not-forwarding", "host", "deaf");
        // A stopped one is a black hole as well, and nothing takes its place.
        world(&format!("{{to: 0.0.0.0/0, via: {kind}/stopped}}"))
            .send(ping(PLAIN, FAR))
            .dropped("cvm-stopped", "host", "stopped");
    }
}

#[test]
fn s2_6_a_dead_instance_among_equals_keeps_its_share() {
    let mut lab =
        world("{to: 0.0.0.0/0, via: instance/relay}, {to: 0.0.0.0/0, via: instance/deaf}");
    let ends = (40_000..40_040).map(|port| {
        lab.send(udp(&format!("{PLAIN}:{port}"), "198.51.100.7:53"))
            .outcome()
    });
    let outcomes: std::collections::BTreeSet<_> = ends.collect();
    assert_eq!(
        outcomes.into_iter().collect::<Vec<_>>(),
        ["host-not-forwarding", "no-route"]
    );
}

#[test]
fn s2_6_havip_leads_to_its_holder() {
    world("{to: 10.9.0.0/16, via: havip/held}")
        .send(ping(PLAIN, "10.9.1.10"))
        .passed("host", "forwarded")
        .delivered_at("desk/eth0");
    world("{to: 10.9.0.0/16, via: havip/free}")
        .send(ping(PLAIN, "10.9.1.10"))
        .dropped("havip-unheld", "route", "free")
        .by_rule("routes 1");
}

#[test]
fn s2_6_a_havip_as_a_destination_is_its_holders() {
    let mut lab = world("");
    lab.send(ping(PLAIN, "10.0.2.100"))
        .delivered_at("relay/eth0");
    lab.send(ping("10.0.2.10", "10.0.2.100"))
        .delivered_at("relay/eth0");
    lab.send(ping(PLAIN, "10.0.2.101"))
        .dropped("havip-unheld", "route", "free");
    lab.send(ping("10.0.2.10", "10.0.2.101"))
        .dropped("havip-unheld", "route", "free");
}

#[test]
fn s2_6_eip_as_a_next_hop() {
    let end =
        world("{to: 198.51.100.0/24, via: eip}").send(tcp("10.0.1.11:40000", "198.51.100.7:443"));
    end.delivered_at("internet").passed("route", "routed");
    assert_eq!(end.flow(), "tcp 203.0.113.20:40000 > 198.51.100.7:443");
}

#[test]
fn s2_6_nat_as_a_next_hop() {
    let end = world("{to: 198.51.100.0/24, via: nat/gw-1}")
        .send(tcp("10.0.1.10:40000", "198.51.100.7:443"));
    end.delivered_at("internet")
        .passed("nat-gateway", "source-translated");
    assert_eq!(end.flow(), "tcp 203.0.113.10:40000 > 198.51.100.7:443");
}
