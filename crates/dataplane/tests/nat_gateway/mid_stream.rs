//! Packets that open nothing.

use crate::{INSIDE, OUTSIDE, REMOTE, established, network, one, sessions};
use vpcsim_testkit::{Lab, pong, tcp};

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
