//! SEMANTICS §9: the NAT gateway: what it carries, whose address it lends, how long it remembers.

use vpcsim_dataplane::Nanos;
use vpcsim_network::Network;
use vpcsim_packet::Protocol;
use vpcsim_testkit::{Craft, Lab, other, ping, pong, tcp, udp};

/// Two subnets behind one gateway with two eips.
fn network(gateway: &str, policies: &str) -> String {
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {{web: {{cidr: 10.0.1.0/24}}, db: {{cidr: 10.0.2.0/24}}}}
route_tables: {{out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}}}
eips:
  e1: {{address: 203.0.113.1, bandwidth: unlimited}}
  e2: {{address: 203.0.113.2, bandwidth: unlimited}}
nat_gateways:
  gw: {{bandwidth: unlimited, {gateway}}}
cvms:
  a: {{subnet: web, address: 10.0.1.10}}
  b: {{subnet: web, address: 10.0.1.11}}
  c: {{subnet: db, address: 10.0.2.10}}
policies: {{{policies}}}
"
    )
}

fn one() -> Lab {
    Lab::new(&network("eips: [e1]", ""))
}

const INSIDE: &str = "10.0.1.10:40000";
const REMOTE: &str = "198.51.100.7:443";
const OUTSIDE: &str = "203.0.113.1:40000";

fn source(lab: &mut Lab, packet: Craft) -> String {
    let end = lab.send(packet);
    end.delivered_at("internet")
        .passed("nat-gateway", "source-translated");
    end.headers().source.to_string()
}

// --- protocols -----------------------------------------------------------------------------

#[test]
fn tcp_udp_and_icmp_are_carried_both_ways() {
    let mut lab = one();
    for packet in [
        tcp(INSIDE, REMOTE),
        udp(INSIDE, REMOTE),
        ping("10.0.1.10", "198.51.100.7"),
    ] {
        let out = lab.send(packet);
        out.delivered_at("internet").checksums_are_right();
        assert_eq!(out.headers().source.to_string(), "203.0.113.1");
        let back = lab.reply_to(&out);
        back.delivered_at("a/eth0").checksums_are_right();
        assert_eq!(back.headers().destination.to_string(), "10.0.1.10");
    }
}

#[test]
fn gre_and_unknown_protocols_are_not() {
    // nat-and-kernel-cases 28, 29.
    let mut lab = one();
    for protocol in [Protocol::GRE, Protocol::ESP, Protocol::SCTP, Protocol(253)] {
        lab.send(other(protocol, "10.0.1.10", "198.51.100.7"))
            .dropped("nat-protocol", "nat-gateway", "gw");
        lab.send(other(protocol, "10.0.1.10", "203.0.113.1"))
            .dropped("nat-protocol", "nat-gateway", "gw");
        lab.from_internet(other(protocol, "198.51.100.7", "203.0.113.1"))
            .dropped("no-nat-session", "nat-gateway", "gw");
    }
}

// --- which address -------------------------------------------------------------------------

#[test]
fn a_rule_for_the_cvm_comes_before_one_for_its_subnet() {
    let rules = "eips: [e1, e2], snat: [{from: subnet/web, eips: [e1]}, {from: cvm/a, eips: [e2]}]";
    let mut lab = Lab::new(&network(rules, ""));
    for remote in 1..20 {
        let remote = format!("198.51.100.{remote}:80");
        assert_eq!(source(&mut lab, tcp("10.0.1.10:1", &remote)), "203.0.113.2");
        assert_eq!(source(&mut lab, tcp("10.0.1.11:1", &remote)), "203.0.113.1");
    }
}

#[test]
fn a_source_without_a_rule_uses_all_eips() {
    let mut lab = Lab::new(&network(
        "eips: [e1, e2], snat: [{from: subnet/web, eips: [e1]}]",
        "",
    ));
    let mut used = std::collections::HashSet::new();
    for remote in 1..40 {
        used.insert(source(
            &mut lab,
            tcp("10.0.2.10:1", &format!("198.51.100.{remote}:80")),
        ));
    }
    assert_eq!(used.len(), 2);
}

#[test]
fn strict_snat_drops_a_source_without_a_rule() {
    let rules = "eips: [e1], strict_snat: true, snat: [{from: subnet/web, eips: [e1]}]";
    let mut lab = Lab::new(&network(rules, ""));
    lab.send(tcp("10.0.2.10:1", REMOTE))
        .dropped("snat-no-rule", "nat-gateway", "gw");
    assert_eq!(source(&mut lab, tcp(INSIDE, REMOTE)), "203.0.113.1");
}

#[test]
fn no_snat_without_a_matching_rule_whatever_the_reverse_flow_looks_like() {
    // nat-and-kernel-cases 53: a dnat session of the same host does not lend its address.
    let rules = "eips: [e1, e2], strict_snat: true, snat: [{from: cvm/a, eips: [e1]}],
      dnat: [{eip: e2, protocol: tcp, port: 80, to: c}]";
    let mut lab = Lab::new(&network(rules, ""));
    let syn = lab.from_internet(tcp("198.51.100.7:5000", "203.0.113.2:80"));
    lab.reply_to(&syn).delivered_at("internet");
    lab.send(tcp("10.0.2.10:80", "198.51.100.7:5001"))
        .dropped("snat-no-rule", "nat-gateway", "gw");
}

#[test]
fn with_affinity_one_host_keeps_one_eip_per_destination_address() {
    let mut lab = Lab::new(&network("eips: [e1, e2]", ""));
    let mut over_destinations = std::collections::HashSet::new();
    for remote in 1..40 {
        let mut used = std::collections::HashSet::new();
        for port in 1..20 {
            let packet = tcp(
                &format!("10.0.1.10:{port}"),
                &format!("198.51.100.{remote}:{port}"),
            );
            used.insert(source(&mut lab, packet));
        }
        assert_eq!(used.len(), 1, "destination {remote}");
        over_destinations.extend(used);
    }
    assert_eq!(over_destinations.len(), 2);
}

#[test]
fn without_affinity_sources_spread_over_the_pool() {
    // nat-and-kernel-cases 6.
    let mut lab = Lab::new(&network("eips: [e1, e2], affinity: false", ""));
    let mut count = std::collections::HashMap::new();
    for port in 1..201 {
        let used = source(&mut lab, tcp(&format!("10.0.1.10:{port}"), REMOTE));
        *count.entry(used).or_insert(0) += 1;
    }
    assert!(
        count.len() == 2 && count.values().all(|&n| n > 50),
        "{count:?}"
    );
}

// --- who may come in -----------------------------------------------------------------------

#[test]
fn filtering_is_endpoint_dependent() {
    let mut lab = one();
    let _ = source(&mut lab, udp(INSIDE, REMOTE));
    for stranger in ["198.51.100.7:444", "198.51.100.8:443"] {
        lab.from_internet(udp(stranger, OUTSIDE))
            .dropped("no-nat-session", "nat-gateway", "gw");
    }
    lab.from_internet(udp(REMOTE, OUTSIDE))
        .delivered_at("a/eth0");
}

#[test]
fn filtering_endpoint_independent_lets_any_remote_use_a_mapping() {
    let mut lab = Lab::new(&network("eips: [e1]", "filtering: endpoint-independent"));
    let _ = source(&mut lab, udp(INSIDE, REMOTE));
    for stranger in ["198.51.100.7:444", "198.51.100.8:443"] {
        let end = lab.from_internet(udp(stranger, OUTSIDE));
        end.delivered_at("a/eth0").checksums_are_right();
        assert!(
            end.stops()
                .iter()
                .any(|stop| stop.policy == Some("filtering")),
            "{end}"
        );
        let back = lab.reply_to(&end);
        back.delivered_at("internet");
        assert_eq!(back.flow(), format!("udp {OUTSIDE} > {stranger}"));
    }
    lab.from_internet(udp("198.51.100.8:443", "203.0.113.1:40001"))
        .dropped("no-nat-session", "nat-gateway", "gw");
    // The mapping of another protocol is another mapping.
    lab.from_internet(tcp("198.51.100.8:443", OUTSIDE)).dropped(
        "no-nat-session",
        "nat-gateway",
        "gw",
    );
    // It ends with its last session.
    let _ = lab.wait(180);
    lab.from_internet(udp("198.51.100.9:443", OUTSIDE)).dropped(
        "no-nat-session",
        "nat-gateway",
        "gw",
    );
}

#[test]
fn an_echo_identifier_is_no_port_that_strangers_may_use() {
    let mut lab = Lab::new(&network("eips: [e1]", "filtering: endpoint-independent"));
    let _ = source(&mut lab, ping("10.0.1.10", "198.51.100.7").id(700));
    lab.from_internet(ping("198.51.100.8", "203.0.113.1").id(700))
        .delivered_at("nat:gw");
}

#[test]
fn a_mapping_lives_as_long_as_a_session_of_it() {
    let mut lab = Lab::new(&network("eips: [e1]", "filtering: endpoint-independent"));
    let _ = source(&mut lab, udp(INSIDE, REMOTE));
    let _ = lab.wait(100);
    let stranger = lab.from_internet(udp("198.51.100.8:443", OUTSIDE));
    stranger.delivered_at("a/eth0");
    let _ = lab.wait(100);
    // The first session has ended, the stranger's has not.
    lab.from_internet(udp("198.51.100.9:443", OUTSIDE))
        .delivered_at("a/eth0");
}

// --- from a cvm with an eip ----------------------------------------------------------------

#[test]
fn a_cvm_with_an_eip_reaches_the_gateway_like_anybody_outside() {
    // §4: no hairpin, it leaves by its eip.
    let yaml = network(
        "eips: [e1], dnat: [{eip: e1, protocol: tcp, port: 80, to: a}]",
        "",
    )
    .replace("eips:\n", "eips:\n  own: {address: 203.0.113.9, bind: c}\n")
    .replace(
        "{to: 0.0.0.0/0, via: nat/gw}",
        "{to: 0.0.0.0/0, via: nat/gw}, {to: 203.0.113.0/24, via: eip}",
    );
    let mut lab = Lab::new(&yaml);
    let syn = lab.send(tcp("10.0.2.10:5", "203.0.113.1:80"));
    syn.delivered_at("a/eth0").checksums_are_right();
    assert_eq!(syn.flow(), "tcp 203.0.113.9:5 > 10.0.1.10:80");
    let reply = lab.reply_to(&syn);
    reply.delivered_at("c/eth0").checksums_are_right();
    assert_eq!(reply.flow(), "tcp 203.0.113.1:80 > 10.0.2.10:5");
    // The gateway's answer to a ping finds its way in again.
    let ping = lab.send(ping("10.0.2.10", "203.0.113.1"));
    ping.delivered_at("nat:gw");
    let answer = &ping.generated()[0];
    answer.delivered_at("c/eth0").checksums_are_right();
    assert_eq!(answer.headers().destination.to_string(), "10.0.2.10");
}

// --- hairpin -------------------------------------------------------------------------------

const HAIRPIN: &str = "eips: [e1], dnat: [{eip: e1, protocol: tcp, port: 8080, to: b, to_port: 80},
      {eip: e1, protocol: udp, port: 53, to: b}]";

#[test]
fn without_hairpin_the_gateway_does_not_serve_its_own_addresses_from_inside() {
    let mut lab = Lab::new(&network(HAIRPIN, ""));
    lab.send(tcp(INSIDE, "203.0.113.1:8080"))
        .dropped("no-nat-session", "nat-gateway", "gw")
        .by_policy("hairpin");
}

#[test]
fn with_hairpin_both_directions_are_translated_twice() {
    let mut lab = Lab::new(&network(HAIRPIN, "hairpin: true"));
    let syn = lab.send(tcp(INSIDE, "203.0.113.1:8080"));
    syn.delivered_at("b/eth0").checksums_are_right();
    assert_eq!(syn.flow(), "tcp 203.0.113.1:40000 > 10.0.1.11:80");
    let reply = lab.reply_to(&syn);
    reply.delivered_at("a/eth0").checksums_are_right();
    assert_eq!(reply.flow(), "tcp 203.0.113.1:8080 > 10.0.1.10:40000");
    let ack = lab.reply_to(&reply);
    ack.delivered_at("b/eth0");
    assert_eq!(ack.flow(), "tcp 203.0.113.1:40000 > 10.0.1.11:80");
}

#[test]
fn hairpin_to_the_host_itself_does_not_loop() {
    // nat-and-kernel-cases 39.
    let mut lab = Lab::new(&network(HAIRPIN, "hairpin: true"));
    let syn = lab.send(tcp("10.0.1.11:40000", "203.0.113.1:8080"));
    syn.delivered_at("b/eth0");
    assert_eq!(syn.flow(), "tcp 203.0.113.1:40000 > 10.0.1.11:80");
    lab.send(tcp(INSIDE, "203.0.113.1:9999"))
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn hairpinned_fragments() {
    // nat-and-kernel-cases 26.
    let mut lab = Lab::new(&network(HAIRPIN, "hairpin: true"));
    let pieces = udp(INSIDE, "203.0.113.1:53")
        .identification(9)
        .filler(3000)
        .fragments(1500);
    for piece in [1, 0, 2] {
        let end = lab.send(pieces[piece].clone());
        let ends = if piece == 1 {
            vec![]
        } else {
            [end.released(), vec![end]].concat()
        };
        for end in ends {
            end.delivered_at("b/eth0");
            assert_eq!(end.headers().source.to_string(), "203.0.113.1");
        }
    }
}

// --- the gateway itself --------------------------------------------------------------------

#[test]
fn the_gateway_answers_pings_to_its_addresses() {
    let mut lab = one();
    let ping = lab.from_internet(ping("198.51.100.7", "203.0.113.1").id(9).payload(b"hello"));
    ping.delivered_at("nat:gw");
    let made = ping.generated();
    assert_eq!(made.len(), 1);
    made[0].delivered_at("internet").checksums_are_right();
    assert_eq!(made[0].headers().source.to_string(), "203.0.113.1");
    assert_eq!(made[0].headers().destination.to_string(), "198.51.100.7");
    assert!(made[0].bytes().ends_with(b"hello"));
    assert!(made[0].flow().contains("id 9"), "{}", made[0].flow());
}

#[test]
fn icmp_proxy_false_answers_nothing() {
    let mut lab = Lab::new(&network("eips: [e1], icmp_proxy: false", ""));
    let end = lab.from_internet(ping("198.51.100.7", "203.0.113.1"));
    end.dropped("no-nat-session", "nat-gateway", "gw");
    assert!(end.others().is_empty());
}

#[test]
fn an_echo_in_fragments_arrives_at_the_gateway_whole() {
    let mut lab = one();
    for piece in ping("198.51.100.7", "203.0.113.1")
        .filler(3000)
        .fragments(1500)
    {
        lab.from_internet(piece).delivered_at("nat:gw");
    }
}

#[test]
fn an_echo_with_an_ethernet_trailer() {
    // nat-and-kernel-cases 22: bytes past the stated length are nobody's.
    let mut lab = one();
    let mut bytes = ping("10.0.1.10", "198.51.100.7").bytes();
    bytes.extend([0xee; 18]);
    let out = lab.send(bytes);
    out.delivered_at("internet").checksums_are_right();
    assert!(out.bytes().ends_with(&[0xee; 18]));
    let mut bytes = ping("198.51.100.7", "203.0.113.1").bytes();
    bytes.extend([0xee; 18]);
    let proxied = lab.from_internet(bytes);
    proxied.delivered_at("nat:gw");
    proxied.generated()[0]
        .delivered_at("internet")
        .checksums_are_right();
    assert_eq!(proxied.generated()[0].bytes().len(), 28);
}

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

// --- packets that open nothing -------------------------------------------------------------

#[test]
fn under_judge_a_segment_from_the_middle_takes_a_mapping() {
    let mut lab = one();
    let data = tcp(INSIDE, REMOTE).ack().sequence(5).filler(10);
    let out = lab.send(data);
    out.delivered_at("internet");
    assert!(
        out.stops()
            .iter()
            .any(|stop| stop.stage == "nat-gateway" && stop.policy == Some("mid_stream"))
    );
    lab.reply_to(&out).delivered_at("a/eth0");
}

#[test]
fn under_drop_it_is_invalid() {
    let mut yaml = network("eips: [e1]", "mid_stream: drop");
    // A secondary nic without a group, so that nothing before the gateway objects.
    yaml = yaml.replace(
        "cvms:",
        "cvms:\n  free: {nics: {eth0: {subnet: web, address: 10.0.1.20}, eth1: {subnet: web, address: 10.0.1.21}}}",
    );
    let mut lab = Lab::new(&yaml);
    lab.send_from("free/eth1", tcp("10.0.1.21:1", REMOTE).ack())
        .dropped("invalid-state", "nat-gateway", "gw")
        .by_policy("mid_stream");
    lab.send_from("free/eth1", tcp("10.0.1.21:1", REMOTE).syn())
        .delivered_at("internet");
}

#[test]
fn an_impossible_packet_of_a_live_session() {
    // A SYN against the direction of an established connection: carried under judge, without
    // prolonging anything, and dropped under drop.
    let against = || tcp(REMOTE, OUTSIDE).syn().sequence(77);
    let mut lab = one();
    let late = established(&mut lab);
    let _ = lab.wait(10_000);
    lab.from_internet(against()).delivered_at("a/eth0");
    let _ = lab.wait(800);
    lab.from_internet(late)
        .dropped("no-nat-session", "nat-gateway", "gw");
    let mut lab = Lab::new(&network("eips: [e1]", "mid_stream: drop"));
    let _ = established(&mut lab);
    lab.from_internet(against())
        .dropped("invalid-state", "nat-gateway", "gw")
        .by_policy("mid_stream");
}

#[test]
fn rst_syn_ack_and_echo_reply_never_take_a_mapping() {
    for packet in [
        tcp(INSIDE, REMOTE).rst(),
        tcp(INSIDE, REMOTE).syn_ack(),
        tcp(INSIDE, REMOTE).fin(),
        pong("10.0.1.10", "198.51.100.7"),
    ] {
        let mut lab = one();
        lab.send(packet)
            .dropped("invalid-state", "nat-gateway", "gw");
        assert_eq!(sessions(&lab), 0);
    }
}

fn sessions(lab: &Lab) -> usize {
    lab.state().usage(lab.program()).gateways[0].sessions
}

// --- ceilings ------------------------------------------------------------------------------

#[test]
fn max_connections_takes_no_more_and_evicts_nothing() {
    // nat-and-kernel-cases 7, 8.
    let mut lab = Lab::new(&network(
        "eips: [e1], max_connections: 2, timeouts: {udp: 50}, dnat: [{eip: e1, protocol: udp, port: 53, to: b}]",
        "",
    ));
    let first = lab.send(udp("10.0.1.10:1", REMOTE));
    let _ = lab.wait(20);
    let _ = source(&mut lab, udp("10.0.1.10:2", REMOTE));
    lab.send(udp("10.0.1.10:3", REMOTE))
        .dropped("nat-connections-exhausted", "nat-gateway", "gw");
    lab.from_internet(udp("198.51.100.9:1", "203.0.113.1:53"))
        .dropped("nat-connections-exhausted", "nat-gateway", "gw");
    let _ = lab.wait(20);
    lab.reply_to(&first).delivered_at("a/eth0");
    let _ = lab.wait(30);
    assert_eq!(sessions(&lab), 1, "the second timed out at 70 s");
    let _ = source(&mut lab, udp("10.0.1.10:3", REMOTE));
    lab.reply_to(&first).delivered_at("a/eth0");
}

#[test]
fn the_spec_sets_the_ceiling() {
    for (spec, most) in [
        ("small", 1_000_000),
        ("medium", 3_000_000),
        ("large", 10_000_000),
    ] {
        let lab = Lab::new(&network(&format!("eips: [e1], spec: {spec}"), ""));
        assert_eq!(
            lab.program().network().nat_gateways[0].max_connections,
            most
        );
    }
}

// --- timeouts ------------------------------------------------------------------------------

/// The session of a conversation ends after exactly `seconds` of silence.
#[track_caller]
fn lives(gateway: &str, seconds: u32, conversation: impl Fn(&mut Lab) -> Craft) {
    let yaml = network(&format!("eips: [e1], {gateway}"), "");
    let mut lab = Lab::new(&yaml);
    let reply = conversation(&mut lab);
    let _ = lab.wait(seconds - 1);
    lab.wait_nanos(999_999_999);
    assert_ne!(
        lab.from_internet(reply).outcome(),
        "no-nat-session",
        "before {seconds} s"
    );
    let mut lab = Lab::new(&yaml);
    let reply = conversation(&mut lab);
    let _ = lab.wait(seconds);
    lab.from_internet(reply)
        .dropped("no-nat-session", "nat-gateway", "gw");
}

fn half_open(lab: &mut Lab) -> Craft {
    let _ = source(lab, tcp(INSIDE, REMOTE).syn());
    tcp(REMOTE, OUTSIDE)
        .syn_ack()
        .sequence(9000)
        .acknowledgment(1001)
}

fn established(lab: &mut Lab) -> Craft {
    let reply = half_open(lab);
    lab.from_internet(reply).delivered_at("a/eth0");
    let _ = source(
        lab,
        tcp(INSIDE, REMOTE)
            .ack()
            .sequence(1001)
            .acknowledgment(9001),
    );
    tcp(REMOTE, OUTSIDE)
        .ack()
        .sequence(9001)
        .acknowledgment(1001)
}

fn fin_inside() -> Craft {
    tcp(INSIDE, REMOTE)
        .fin()
        .sequence(1001)
        .acknowledgment(9001)
}

fn fin_outside() -> Craft {
    tcp(REMOTE, OUTSIDE)
        .fin()
        .sequence(9001)
        .acknowledgment(1002)
}

fn closed(lab: &mut Lab) -> Craft {
    let _ = established(lab);
    let _ = source(lab, fin_inside());
    lab.from_internet(fin_outside()).delivered_at("a/eth0");
    let _ = source(
        lab,
        tcp(INSIDE, REMOTE)
            .ack()
            .sequence(1002)
            .acknowledgment(9002),
    );
    fin_outside()
}

fn one_datagram(lab: &mut Lab) -> Craft {
    let _ = source(lab, udp(INSIDE, REMOTE));
    udp(REMOTE, OUTSIDE)
}

fn one_ping(lab: &mut Lab) -> Craft {
    let _ = source(lab, ping("10.0.1.10", "198.51.100.7"));
    pong("198.51.100.7", "203.0.113.1")
}

#[test]
fn timeouts_by_phase() {
    // nat-and-kernel-cases 10, 16, 48.
    lives("", 120, half_open);
    lives("", 10_800, established);
    lives("", 120, closed);
    lives("", 180, one_datagram);
    lives("", 30, one_ping);
    lives("", 120, |lab| {
        let reply = established(lab);
        let _ = source(lab, tcp(INSIDE, REMOTE).rst().sequence(1001));
        reply
    });
}

#[test]
fn timeouts_can_be_set() {
    lives("timeouts: {tcp_half_open: 7}", 7, half_open);
    lives("timeouts: {tcp_established: 50}", 50, established);
    lives("timeouts: {tcp_closing: 9}", 9, closed);
    lives("timeouts: {udp: 5}", 5, one_datagram);
    lives("timeouts: {icmp: 3}", 3, one_ping);
}

#[test]
fn closing_from_inside_from_outside_and_at_once() {
    // nat-and-kernel-cases 11, 12, 13.
    lives("", 120, |lab| {
        let reply = established(lab);
        let _ = source(lab, fin_inside());
        reply
    });
    lives("", 120, |lab| {
        let _ = established(lab);
        let fin = fin_outside().acknowledgment(1001);
        lab.from_internet(fin.clone()).delivered_at("a/eth0");
        fin
    });
    lives("", 120, |lab| {
        let _ = established(lab);
        let _ = source(lab, fin_inside());
        lab.from_internet(fin_outside().acknowledgment(1001))
            .delivered_at("a/eth0");
        let _ = source(
            lab,
            tcp(INSIDE, REMOTE)
                .ack()
                .sequence(1002)
                .acknowledgment(9002),
        );
        fin_outside()
    });
}

#[test]
fn a_syn_ack_sent_again_leaves_it_established() {
    // nat-and-kernel-cases 18.
    lives("", 10_800, |lab| {
        let reply = established(lab);
        let again = tcp(REMOTE, OUTSIDE)
            .syn_ack()
            .sequence(9000)
            .acknowledgment(1001);
        lab.from_internet(again).delivered_at("a/eth0");
        reply
    });
}

#[test]
fn rst_then_data_still_times_out() {
    // nat-and-kernel-cases 17.
    lives("", 120, |lab| {
        let reply = established(lab);
        let _ = lab.wait(5_000);
        let _ = source(lab, tcp(INSIDE, REMOTE).rst().sequence(1001));
        let _ = source(
            lab,
            tcp(INSIDE, REMOTE)
                .ack()
                .sequence(1001)
                .acknowledgment(9001)
                .filler(5),
        );
        reply
    });
}

#[test]
fn after_the_closing_timeout_a_syn_opens_anew() {
    // nat-and-kernel-cases 16.
    let mut lab = one();
    let reply = closed(&mut lab);
    let _ = lab.wait(120);
    lab.from_internet(reply)
        .dropped("no-nat-session", "nat-gateway", "gw");
    let _ = established(&mut lab);
}

#[test]
fn a_syn_from_outside_does_not_reopen_a_closed_session() {
    // nat-and-kernel-cases 14: it would be a connection from outside that no rule lets in.
    let mut lab = one();
    let _ = closed(&mut lab);
    lab.from_internet(tcp(REMOTE, OUTSIDE).syn().sequence(700_000))
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn a_syn_from_inside_reopens_a_closed_session_for_as_long_as_a_new_one() {
    // nat-and-kernel-cases 15.
    lives("", 10_800, |lab| {
        let _ = closed(lab);
        established(lab)
    });
}

#[test]
fn a_session_that_was_reopened_is_counted_once() {
    let mut lab = one();
    let _ = closed(&mut lab);
    let _ = established(&mut lab);
    assert_eq!(sessions(&lab), 1);
}

#[test]
fn a_dnat_session_is_reopened_by_its_client() {
    let mut lab = Lab::new(&network(
        "eips: [e1], dnat: [{eip: e1, protocol: tcp, port: 80, to: a}]",
        "",
    ));
    let client = || tcp("198.51.100.7:5000", "203.0.113.1:80");
    let server = || tcp("10.0.1.10:80", "198.51.100.7:5000");
    for round in 0..2 {
        let base = 1000 + 100_000 * round;
        lab.from_internet(client().syn().sequence(base))
            .delivered_at("a/eth0");
        for (inside, packet) in [
            (
                true,
                server().syn_ack().sequence(9000).acknowledgment(base + 1),
            ),
            (
                false,
                client().ack().sequence(base + 1).acknowledgment(9001),
            ),
            (
                false,
                client().fin().sequence(base + 1).acknowledgment(9001),
            ),
            (true, server().fin().sequence(9001).acknowledgment(base + 2)),
            (
                false,
                client().ack().sequence(base + 2).acknowledgment(9002),
            ),
        ] {
            if inside {
                let end = lab.send(packet);
                end.delivered_at("internet");
                assert_eq!(end.flow(), "tcp 203.0.113.1:80 > 198.51.100.7:5000");
            } else {
                lab.from_internet(packet).delivered_at("a/eth0");
            }
        }
        let _ = lab.wait(30);
    }
}

#[test]
fn time_that_goes_back_is_held() {
    // §12: a packet of the past neither revives nor shortens anything.
    use vpcsim_dataplane::{Arrival, Source, State, walk};
    let program = vpcsim_testkit::net(&network("eips: [e1], timeouts: {udp: 10}", ""));
    let mut state = State::new(&program);
    let mut at = |seconds: u64, source, craft: Craft| {
        let arrival = Arrival {
            id: 0,
            time: Nanos(seconds * 1_000_000_000),
            source,
        };
        let mut bytes = craft.bytes();
        walk(
            &program,
            &mut state,
            arrival,
            &mut bytes,
            &mut (),
            &mut Vec::new(),
        )
        .verdict
    };
    let cvm = Source::Cvm(vpcsim_network::CvmId(0));
    let delivered = |verdict| matches!(verdict, vpcsim_dataplane::Verdict::Delivered(_));
    assert!(delivered(at(100, cvm, udp(INSIDE, REMOTE))));
    // A capture's clock that jumps back by 50 s: held at 100 s.
    assert!(delivered(at(50, cvm, udp(INSIDE, REMOTE))));
    assert!(delivered(at(109, Source::Internet, udp(REMOTE, OUTSIDE))));
    assert!(!delivered(at(119, Source::Internet, udp(REMOTE, OUTSIDE))));
}
