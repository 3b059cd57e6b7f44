//! Echoes: the gateway answers them itself.

use crate::{network, one};
use vpcsim_testkit::{Lab, ping};

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
