//! Which protocols it carries.

use crate::{INSIDE, REMOTE, one};
use vpcsim_packet::Protocol;
use vpcsim_testkit::{other, ping, tcp, udp};

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
