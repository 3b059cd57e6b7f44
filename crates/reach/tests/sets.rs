//! Sets of packets: algebra, one packet out of many, and rules that people can read.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use ipnet::Ipv4Net;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use vpcsim_network::PortRange;
use vpcsim_packet::{FlowKey, Protocol};
use vpcsim_reach::{Set, ping, tcp, udp};

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn key(protocol: Protocol, from: (&str, u16), to: (&str, u16)) -> FlowKey {
    FlowKey {
        protocol,
        source: from.0.parse().unwrap(),
        source_port: from.1,
        destination: to.0.parse().unwrap(),
        destination_port: to.1,
    }
}

#[test]
fn a_set_has_the_packets_that_its_parts_say() {
    let web = Set::source(net("10.0.1.0/24")).and(&tcp(443));
    let syn = key(Protocol::TCP, ("10.0.1.9", 40_000), ("10.0.2.9", 443));
    assert!(web.contains(&syn));
    assert!(!web.contains(&FlowKey {
        destination_port: 80,
        ..syn
    }));
    assert!(!web.contains(&FlowKey {
        source: Ipv4Addr::new(10, 0, 2, 1),
        ..syn
    }));
    assert!(!web.not().contains(&syn));
    assert!(web.or(&web.not()) == Set::all());
    assert!(Set::all().covers(&web) && !web.covers(&Set::all()));
}

#[test]
fn what_no_packet_can_be_is_in_no_set() {
    // Without ports a key has 0 in their place.
    let gre = key(Protocol::GRE, ("10.0.1.9", 0), ("10.0.2.9", 0));
    assert!(Set::all().contains(&gre));
    assert!(!Set::all().contains(&FlowKey {
        source_port: 7,
        ..gre
    }));
    // An ICMP error has no identifier, a ping has one.
    let ping_of = key(Protocol::ICMP, ("10.0.1.9", 7), ("10.0.2.9", 8 << 8));
    assert!(Set::all().contains(&ping_of) && ping().contains(&ping_of));
    assert!(!Set::all().contains(&FlowKey {
        destination_port: 3 << 8,
        ..ping_of
    }));
}

#[test]
fn rules_are_minimal_and_read_well() {
    let from = |text| Set::source(net(text));
    let both = from("10.0.0.0/24").or(&from("10.0.1.0/24"));
    assert_eq!(both.to_string(), "all from 10.0.0.0/23");
    assert_eq!(both.not().to_string(), "all from any except 10.0.0.0/23");
    let services = tcp(22).or(&tcp(80..=90)).or(&udp(53));
    assert_eq!(services.to_string(), "tcp 22,80-90\nudp 53");
    let same = tcp(53).or(&udp(53));
    assert_eq!(same.to_string(), "tcp,udp 53");
    assert_eq!(ping().to_string(), "icmp echo-request");
    let gre = Set::protocol(Protocol::GRE);
    assert_eq!(gre.to_string(), "gre");
    let ephemeral = PortRange {
        first: 1024,
        last: 65_535,
    };
    let answers = tcp(443).and(&Set::source_ports(ephemeral));
    assert_eq!(answers.to_string(), "tcp 443, source port 1024-65535");
    assert_eq!(Set::none().to_string(), "nothing");
    assert_eq!(Set::all().to_string(), "all");
}

#[test]
fn what_nobody_sends_from_needs_no_exception() {
    let strangers = Set::source(net("10.0.0.0/8")).not();
    let senders = strangers.rules()[0].sources.clone();
    let told = |set: &Set| set.rules()[0].clone().told_of(&senders).to_string();
    assert_eq!(told(&strangers.and(&tcp(443))), "tcp 443");
    let office = Set::source(net("198.51.100.0/24"));
    assert_eq!(told(&office), "all from 198.51.100.0/24");
}

#[test]
fn a_picked_packet_is_one_that_people_know() {
    let picked = Set::all().pick().unwrap();
    assert_eq!(picked.protocol, Protocol::TCP);
    assert_eq!(picked.destination_port, 443);
    assert_eq!(picked.source_port, 40_000);
    assert_eq!(Set::none().pick(), None);
}

/// Sets as rules make them, put together in any way.
fn sets() -> impl Strategy<Value = Set> {
    let leaf = prop_oneof![
        (any::<u32>(), 0_u8..=32).prop_map(|(address, len)| {
            let address = Ipv4Addr::from(address & 0x0303_0303);
            Set::source(Ipv4Net::new(address, len).unwrap())
        }),
        (any::<u32>(), 0_u8..=32).prop_map(|(address, len)| {
            let address = Ipv4Addr::from(address & 0x0303_0303);
            Set::destination(Ipv4Net::new(address, len).unwrap())
        }),
        (any::<u16>(), any::<u16>()).prop_map(|(a, b)| tcp(a.min(b)..=a.max(b))),
        (any::<u16>(), any::<u16>()).prop_map(|(a, b)| udp(a.min(b)..=a.max(b))),
        any::<u16>().prop_map(|port| Set::source_ports(PortRange {
            first: port,
            last: port
        })),
        prop::sample::select(vec![1_u8, 6, 17, 47, 50]).prop_map(|p| Set::protocol(Protocol(p))),
        Just(ping()),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(&b)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.or(&b)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.without(&b)),
            inner.prop_map(|a| a.not()),
        ]
    })
}

proptest! {
    #[test]
    fn rules_are_the_set_and_do_not_overlap(set in sets()) {
        let mut together = Set::none();
        for rule in set.rules() {
            let part = rule.set();
            prop_assert!(part.and(&together).is_empty(), "{rule} overlaps");
            together = together.or(&part);
        }
        prop_assert!(together == set, "{set}");
    }

    #[test]
    fn drawn_packets_are_in_the_set(set in sets(), bits in any::<u128>()) {
        let drawn = set.draw(|bit| bits >> bit & 1 == 1);
        prop_assert_eq!(drawn.is_none(), set.is_empty());
        if let (Some(drawn), Some(picked)) = (drawn, set.pick()) {
            for key in [drawn, picked] {
                prop_assert!(set.contains(&key) && !set.not().contains(&key));
                prop_assert!(set.covers(&Set::packet(&key)));
            }
        }
    }

    #[test]
    fn the_algebra_is_that_of_sets(a in sets(), b in sets()) {
        prop_assert!(a.and(&b) == a.not().or(&b.not()).not());
        prop_assert!(a.without(&b) == a.and(&b.not()));
        prop_assert!(a.covers(&a.and(&b)) && a.or(&b).covers(&a));
    }
}
