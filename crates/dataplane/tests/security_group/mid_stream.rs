//! Packets that open nothing.

use crate::{CLIENT, established, guarded, network, shut};
use vpcsim_packet::TcpFlags;
use vpcsim_testkit::{Craft, Lab, ping, pong, tcp};

fn mid_stream() -> Vec<(&'static str, Craft)> {
    let segment = |flags| tcp(CLIENT, "10.0.2.10:80").flags(flags);
    vec![
        ("ACK", segment(TcpFlags::ACK)),
        ("SYN-ACK", segment(TcpFlags::SYN | TcpFlags::ACK)),
        ("RST", segment(TcpFlags::RST)),
        ("FIN", segment(TcpFlags::FIN | TcpFlags::ACK)),
        ("no flags", segment(TcpFlags(0))),
        ("SYN+FIN", segment(TcpFlags::SYN | TcpFlags::FIN)),
        ("SYN+RST", segment(TcpFlags::SYN | TcpFlags::RST)),
        ("echo reply", pong("10.0.1.10", "10.0.2.10")),
    ]
}

#[test]
fn mid_stream_judge_lets_the_rules_decide() {
    for (name, packet) in mid_stream() {
        let mut lab = guarded("  a: {ingress: [accept all from any]}", "a");
        let end = lab.send(packet.clone());
        end.delivered_at("server/eth0");
        let by_policy = end
            .stops()
            .iter()
            .any(|stop| stop.policy == Some("mid_stream"));
        assert!(by_policy, "{name}: the trace names the policy\n{end}");
        let mut lab = guarded("  a: {ingress: [drop all from any]}", "a");
        lab.send(packet)
            .dropped("security-group-deny", "security-group-ingress", "a")
            .by_rule("ingress 1");
    }
}

#[test]
fn mid_stream_drop_drops_them() {
    for (_, packet) in mid_stream() {
        let yaml = network(
            "  a: {ingress: [accept all from any]}",
            "a",
            "mid_stream: drop",
        );
        // The client's own nic is the first to see that it opens nothing.
        Lab::new(&yaml)
            .send(packet)
            .dropped("invalid-state", "security-group-egress", "open")
            .by_policy("mid_stream");
    }
}

#[test]
fn only_a_segment_with_ack_alone_is_picked_up_from_the_middle() {
    for (name, packet) in mid_stream() {
        let mut lab = guarded("  a: {ingress: [accept all from any]}", "a");
        lab.send(packet).delivered_at("server/eth0");
        let remembered = if name == "ACK" { 2 } else { 0 };
        assert_eq!(
            lab.state().usage(lab.program()).connections,
            remembered,
            "{name}"
        );
    }
}

#[test]
fn an_impossible_packet_of_a_live_flow_is_judged_and_not_remembered() {
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    let _ = established(&mut lab);
    // A SYN against the direction of the flow: the egress list is empty.
    lab.send(tcp("10.0.2.10:80", CLIENT).syn()).dropped(
        "security-group-deny",
        "security-group-egress",
        "a",
    );
    let yaml = network(
        "  a: {ingress: [accept tcp 80 from any]}",
        "a",
        "mid_stream: drop",
    );
    let mut lab = Lab::new(&yaml);
    let _ = established(&mut lab);
    lab.send(tcp("10.0.2.10:80", CLIENT).syn())
        .dropped("invalid-state", "security-group-egress", "a")
        .by_policy("mid_stream");
    let end = lab.send(
        tcp(CLIENT, "10.0.2.10:80")
            .ack()
            .sequence(1001)
            .acknowledgment(9001),
    );
    end.delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
}

#[test]
fn an_echo_reply_without_a_request_opens_nothing() {
    let mut lab = guarded("  a: {ingress: [accept all from any]}", "a");
    lab.send(pong("10.0.1.10", "10.0.2.10"))
        .delivered_at("server/eth0");
    shut(&mut lab, ping("10.0.2.10", "10.0.1.10"));
}
