//! A closed session, and who opens it again.

use crate::{OUTSIDE, REMOTE, closed, established, lives, network, one, sessions};
use vpcsim_testkit::{Lab, tcp};

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
