//! How long it remembers a session.

use crate::{
    INSIDE, OUTSIDE, REMOTE, closed, established, fin_inside, fin_outside, half_open, lives,
    network, source,
};
use vpcsim_dataplane::Nanos;
use vpcsim_testkit::{Craft, Lab, ping, pong, tcp, udp};

fn one_datagram(lab: &mut Lab) -> Craft {
    let _ = source(lab, udp(INSIDE, REMOTE));
    udp(REMOTE, OUTSIDE)
}

fn one_ping(lab: &mut Lab) -> Craft {
    let _ = source(lab, ping("10.0.1.10", "198.51.100.7"));
    pong("198.51.100.7", "203.0.113.1")
}

#[test]
fn timeouts_by_phase() {
    // nat-and-kernel-cases 10, 16, 48.
    lives("", 120, half_open);
    lives("", 10_800, established);
    lives("", 120, closed);
    lives("", 180, one_datagram);
    lives("", 30, one_ping);
    lives("", 120, |lab| {
        let reply = established(lab);
        let _ = source(lab, tcp(INSIDE, REMOTE).rst().sequence(1001));
        reply
    });
}

#[test]
fn timeouts_can_be_set() {
    lives("timeouts: {tcp_half_open: 7}", 7, half_open);
    lives("timeouts: {tcp_established: 50}", 50, established);
    lives("timeouts: {tcp_closing: 9}", 9, closed);
    lives("timeouts: {udp: 5}", 5, one_datagram);
    lives("timeouts: {icmp: 3}", 3, one_ping);
}

#[test]
fn closing_from_inside_from_outside_and_at_once() {
    // nat-and-kernel-cases 11, 12, 13.
    lives("", 120, |lab| {
        let reply = established(lab);
        let _ = source(lab, fin_inside());
        reply
    });
    lives("", 120, |lab| {
        let _ = established(lab);
        let fin = fin_outside().acknowledgment(1001);
        lab.from_internet(fin.clone()).delivered_at("a/eth0");
        fin
    });
    lives("", 120, |lab| {
        let _ = established(lab);
        let _ = source(lab, fin_inside());
        lab.from_internet(fin_outside().acknowledgment(1001))
            .delivered_at("a/eth0");
        let _ = source(
            lab,
            tcp(INSIDE, REMOTE)
                .ack()
                .sequence(1002)
                .acknowledgment(9002),
        );
        fin_outside()
    });
}

#[test]
fn a_syn_ack_sent_again_leaves_it_established() {
    // nat-and-kernel-cases 18.
    lives("", 10_800, |lab| {
        let reply = established(lab);
        let again = tcp(REMOTE, OUTSIDE)
            .syn_ack()
            .sequence(9000)
            .acknowledgment(1001);
        lab.from_internet(again).delivered_at("a/eth0");
        reply
    });
}

#[test]
fn rst_then_data_still_times_out() {
    // nat-and-kernel-cases 17.
    lives("", 120, |lab| {
        let reply = established(lab);
        let _ = lab.wait(5_000);
        let _ = source(lab, tcp(INSIDE, REMOTE).rst().sequence(1001));
        let _ = source(
            lab,
            tcp(INSIDE, REMOTE)
                .ack()
                .sequence(1001)
                .acknowledgment(9001)
                .filler(5),
        );
        reply
    });
}

#[test]
fn time_that_goes_back_is_held() {
    // §12: a packet of the past neither revives nor shortens anything.
    use vpcsim_dataplane::{Arrival, Source, State, walk};
    let program = vpcsim_testkit::net(&network("eips: [e1], timeouts: {udp: 10}", ""));
    let mut state = State::new(&program);
    let mut at = |seconds: u64, source, craft: Craft| {
        let arrival = Arrival {
            id: 0,
            time: Nanos(seconds * 1_000_000_000),
            source,
        };
        let mut bytes = craft.bytes();
        walk(
            &program,
            &mut state,
            arrival,
            &mut bytes,
            &mut (),
            &mut Vec::new(),
        )
        .verdict
    };
    let cvm = Source::Cvm(vpcsim_network::CvmId(0));
    let delivered = |verdict| matches!(verdict, vpcsim_dataplane::Verdict::Delivered(_));
    assert!(delivered(at(100, cvm, udp(INSIDE, REMOTE))));
    // A capture's clock that jumps back by 50 s: held at 100 s.
    assert!(delivered(at(50, cvm, udp(INSIDE, REMOTE))));
    assert!(delivered(at(109, Source::Internet, udp(REMOTE, OUTSIDE))));
    assert!(!delivered(at(119, Source::Internet, udp(REMOTE, OUTSIDE))));
}
