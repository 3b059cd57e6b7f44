//! UDP, ICMP, GRE and the rest (SEMANTICS §6).

use super::super::{Opening, Phase, Settings, Tracker};
use super::check;
use super::conversation::headers;
use crate::Nanos;
use vpcsim_network::{NatTimeouts, TcpWindow};
use vpcsim_packet::{Protocol, Transport};

#[test]
fn udp_is_a_stream_only_with_traffic_two_seconds_after_it_began() {
    check(
        "
        > udp              => UNREPLIED 30
        < udp              => REPLIED 30
        wait 2
        < udp              => REPLIED 30
        wait 0.001
        > udp              => ASSURED 120
        wait 119
        < udp              => ASSURED 120
        ",
    );
}

#[test]
fn the_first_answer_never_makes_a_stream() {
    check(
        "
        > udp              => UNREPLIED 30
        wait 29
        < udp              => REPLIED 30
        < udp              => ASSURED 120
        ",
    );
}

#[test]
fn unanswered_udp_lives_as_long_as_it_is_sent() {
    check(
        "
        > udp              => UNREPLIED 30
        wait 29
        > udp              => UNREPLIED 30
        wait 30
        > udp              => gone UNREPLIED 30
        ",
    );
}

#[test]
fn udp_with_a_length_beyond_its_packet_is_invalid() {
    check("> udp len=10 says=19 => Malformed");
    check("> udp len=10 says=7  => Malformed");
    check("> udp len=10 says=17 => UNREPLIED 30");
    check(
        "
        > udp              => UNREPLIED 30
        wait 1
        < udp says=9       => Malformed UNREPLIED 29
        ",
    );
}

#[test]
fn icmp_requests_open_and_everything_else_does_not() {
    for request in [8, 13, 15, 17] {
        check(&format!("> icmp:{request} => UNREPLIED 30"));
    }
    for other in [
        0, 14, 16, 18, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 19, 40, 255,
    ] {
        check(&format!("> icmp:{other} => NotAnOpening"));
    }
}

#[test]
fn every_icmp_query_and_reply_prolongs() {
    check(
        "
        > icmp:8           => UNREPLIED 30
        wait 20
        < icmp:0           => REPLIED 30
        wait 20
        > icmp:8           => REPLIED 30
        wait 30
        < icmp:0           => gone NotAnOpening
        ",
    );
}

#[test]
fn an_answered_gre_tunnel_lives_longer_from_the_second_packet_on() {
    check(
        "
        > gre              => UNREPLIED 30
        < gre              => REPLIED 30
        > gre              => ASSURED 180
        ",
    );
}

#[test]
fn protocols_without_ports_have_one_timeout() {
    check(
        "
        > esp              => UNREPLIED 600
        < esp              => REPLIED 600
        > esp              => REPLIED 600
        wait 600
        > esp              => gone UNREPLIED 600
        ",
    );
}

#[test]
fn a_later_fragment_opens_nothing() {
    let settings = Settings {
        window: TcpWindow::Track,
        loose: true,
    };
    let fragment = headers(Protocol::UDP, 100, Transport::LaterFragment);
    assert!(matches!(
        Tracker::open(&[], &fragment, Nanos(0), &settings),
        Opening::Invalid(_)
    ));
}

#[test]
fn nat_sessions_of_udp_live_as_semantics_9_says() {
    let settings = Settings {
        window: TcpWindow::Ignore,
        loose: true,
    };
    let esp = headers(Protocol::ESP, 100, Transport::Other);
    let Opening::Opens(tracker) = Tracker::open(&[], &esp, Nanos(0), &settings) else {
        panic!("not opened");
    };
    assert_eq!(tracker.phase(), Phase::Other);
    assert_eq!(tracker.nat_timeout(&NatTimeouts::default()), 180);
}
