//! Closing a connection, and opening it again.

use crate::{CLIENT, established, guarded, to_port};
use vpcsim_testkit::{Lab, tcp};

fn closed(lab: &mut Lab) {
    let _ = established(lab);
    let client = || tcp(CLIENT, "10.0.2.10:80");
    let server = || tcp("10.0.2.10:80", CLIENT);
    for packet in [
        client().fin().sequence(1001).acknowledgment(9001),
        server().fin().sequence(9001).acknowledgment(1002),
        client().ack().sequence(1002).acknowledgment(9002),
    ] {
        let _ = lab.send(packet);
    }
}

#[test]
fn after_fin_both_ways_it_passes_until_the_timeout() {
    // nat-and-kernel-cases 10, 48: TIME_WAIT is 120 s.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    closed(&mut lab);
    let late = || {
        tcp("10.0.2.10:80", CLIENT)
            .fin()
            .sequence(9001)
            .acknowledgment(1002)
    };
    let _ = lab.wait(119);
    lab.send(late()).delivered_at("client/eth0");
    let _ = lab.wait(120);
    assert_eq!(lab.send(late()).outcome(), "security-group-deny");
}

#[test]
fn a_syn_on_a_closed_connection_opens_a_new_one_by_the_rules() {
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    closed(&mut lab);
    lab.send(to_port(80).sequence(500_000))
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "opened");
    // From the server's side it would be a new connection outwards, and no rule lets it.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    closed(&mut lab);
    lab.send(tcp("10.0.2.10:80", CLIENT).syn().sequence(700_000))
        .dropped("security-group-deny", "security-group-egress", "a")
        .by_rule("egress implicit deny");
}
