//! How long a flow is remembered.

use crate::{CLIENT, established, guarded, network, syn_only};
use vpcsim_packet::Protocol;
use vpcsim_testkit::{Craft, Lab, other, ping, pong, tcp, udp};

/// Ends the flow of `first` after exactly `seconds`: the reply passes just before, not at it.
#[track_caller]
fn lives(policies: &str, seconds: u32, conversation: impl Fn(&mut Lab) -> Craft) {
    let yaml = network("  a: {ingress: [accept all from any]}", "a", policies);
    let mut lab = Lab::new(&yaml);
    let reply = conversation(&mut lab);
    let _ = lab.wait(seconds - 1);
    lab.wait_nanos(999_999_999);
    lab.send(reply).delivered_at("client/eth0");
    let mut lab = Lab::new(&yaml);
    let reply = conversation(&mut lab);
    let _ = lab.wait(seconds);
    lab.send(reply)
        .dropped("security-group-deny", "security-group-egress", "a");
}

fn answer() -> Craft {
    udp("10.0.2.10:53", CLIENT)
}

fn udp_once(lab: &mut Lab) -> Craft {
    lab.send(udp(CLIENT, "10.0.2.10:53"))
        .delivered_at("server/eth0");
    answer()
}

fn udp_stream(lab: &mut Lab) -> Craft {
    let _ = udp_once(lab);
    let _ = lab.send(answer());
    lab.wait_nanos(2_500_000_000);
    udp_once(lab)
}

fn gre_once(lab: &mut Lab) -> Craft {
    lab.send(other(Protocol::GRE, "10.0.1.10", "10.0.2.10"))
        .delivered_at("server/eth0");
    other(Protocol::GRE, "10.0.2.10", "10.0.1.10")
}

#[test]
fn timeouts_are_the_kernels() {
    lives("", 30, udp_once);
    lives("", 120, udp_stream);
    lives("", 120, syn_only);
    lives("", 432_000, established);
    lives("", 30, gre_once);
    lives("", 30, |lab| {
        lab.send(ping("10.0.1.10", "10.0.2.10"))
            .delivered_at("server/eth0");
        pong("10.0.2.10", "10.0.1.10")
    });
    lives("", 600, |lab| {
        lab.send(other(Protocol::ESP, "10.0.1.10", "10.0.2.10"))
            .delivered_at("server/eth0");
        other(Protocol::ESP, "10.0.2.10", "10.0.1.10")
    });
}

#[test]
fn timeouts_can_be_set() {
    lives("conntrack: {udp: 7}", 7, udp_once);
    lives("conntrack: {udp_stream: 9}", 9, udp_stream);
    lives("conntrack: {tcp_syn_sent: 5}", 5, syn_only);
    lives("conntrack: {tcp_established: 11}", 11, established);
    lives("conntrack: {gre: 6}", 6, gre_once);
    lives("conntrack: {tcp_close: 4}", 4, |lab| {
        let reply = established(lab);
        lab.send(tcp(CLIENT, "10.0.2.10:80").rst().sequence(1001))
            .delivered_at("server/eth0");
        reply
    });
    lives("conntrack: {tcp_fin_wait: 13}", 13, |lab| {
        let reply = established(lab);
        let fin = tcp(CLIENT, "10.0.2.10:80")
            .fin()
            .sequence(1001)
            .acknowledgment(9001);
        lab.send(fin).delivered_at("server/eth0");
        reply
    });
}

#[test]
fn an_idle_connection_expires_behind_an_active_one() {
    // nat-and-kernel-cases 46.
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let idle = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let active = lab.send(udp("10.0.1.11:40000", "10.0.2.10:53"));
    for _ in 0..4 {
        let _ = lab.wait(20);
        lab.reply_to(&active).delivered_at("other/eth0");
    }
    lab.reply_to(&idle)
        .dropped("security-group-deny", "security-group-egress", "a");
}

#[test]
fn a_syn_ack_sent_again_does_not_leave_it_half_open() {
    // nat-and-kernel-cases 18.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    let again = |lab: &mut Lab| {
        let reply = tcp("10.0.2.10:80", CLIENT)
            .syn_ack()
            .sequence(9000)
            .acknowledgment(1001);
        lab.send(reply).delivered_at("client/eth0");
    };
    let _ = syn_only(&mut lab);
    again(&mut lab);
    again(&mut lab);
    let _ = established(&mut lab);
    again(&mut lab);
    let _ = lab.wait(400_000);
    lab.send(
        tcp("10.0.2.10:80", CLIENT)
            .ack()
            .sequence(9001)
            .acknowledgment(1001),
    )
    .delivered_at("client/eth0");
}

#[test]
fn a_lost_ack_does_not_stall() {
    // nat-and-kernel-cases 61: the handshake's last ACK was lost, data comes instead.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    let reply = syn_only(&mut lab).sequence(9000);
    lab.send(reply).delivered_at("client/eth0");
    let data = tcp(CLIENT, "10.0.2.10:80")
        .ack()
        .sequence(1001)
        .acknowledgment(9001)
        .filler(100);
    lab.send(data).delivered_at("server/eth0");
    lab.send(
        tcp("10.0.2.10:80", CLIENT)
            .ack()
            .sequence(9001)
            .acknowledgment(1101),
    )
    .delivered_at("client/eth0");
    let _ = lab.wait(400_000);
    lab.send(
        tcp("10.0.2.10:80", CLIENT)
            .ack()
            .sequence(9001)
            .acknowledgment(1101),
    )
    .delivered_at("client/eth0");
}
