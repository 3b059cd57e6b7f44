//! Its own addresses, used from within its vpc.

use crate::{INSIDE, network};
use vpcsim_testkit::{Lab, ping, tcp, udp};

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
