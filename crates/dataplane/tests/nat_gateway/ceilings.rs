//! How many sessions it holds.

use crate::{REMOTE, network, sessions, source};
use vpcsim_testkit::{Lab, udp};

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
