//! Who may come in through a mapping.

use crate::{INSIDE, OUTSIDE, REMOTE, network, one, source};
use vpcsim_testkit::{Lab, ping, tcp, udp};

#[test]
fn filtering_is_endpoint_dependent() {
    let mut lab = one();
    let _ = source(&mut lab, udp(INSIDE, REMOTE));
    for stranger in ["198.51.100.7:444", "198.51.100.8:443"] {
        lab.from_internet(udp(stranger, OUTSIDE))
            .dropped("no-nat-session", "nat-gateway", "gw");
    }
    lab.from_internet(udp(REMOTE, OUTSIDE))
        .delivered_at("a/eth0");
}

#[test]
fn filtering_endpoint_independent_lets_any_remote_use_a_mapping() {
    let mut lab = Lab::new(&network("eips: [e1]", "filtering: endpoint-independent"));
    let _ = source(&mut lab, udp(INSIDE, REMOTE));
    for stranger in ["198.51.100.7:444", "198.51.100.8:443"] {
        let end = lab.from_internet(udp(stranger, OUTSIDE));
        end.delivered_at("a/eth0").checksums_are_right();
        assert!(
            end.stops()
                .iter()
                .any(|stop| stop.policy == Some("filtering")),
            "{end}"
        );
        let back = lab.reply_to(&end);
        back.delivered_at("internet");
        assert_eq!(back.flow(), format!("udp {OUTSIDE} > {stranger}"));
    }
    lab.from_internet(udp("198.51.100.8:443", "203.0.113.1:40001"))
        .dropped("no-nat-session", "nat-gateway", "gw");
    // The mapping of another protocol is another mapping.
    lab.from_internet(tcp("198.51.100.8:443", OUTSIDE)).dropped(
        "no-nat-session",
        "nat-gateway",
        "gw",
    );
    // It ends with its last session.
    let _ = lab.wait(180);
    lab.from_internet(udp("198.51.100.9:443", OUTSIDE)).dropped(
        "no-nat-session",
        "nat-gateway",
        "gw",
    );
}

#[test]
fn an_echo_identifier_is_no_port_that_strangers_may_use() {
    let mut lab = Lab::new(&network("eips: [e1]", "filtering: endpoint-independent"));
    let _ = source(&mut lab, ping("10.0.1.10", "198.51.100.7").id(700));
    lab.from_internet(ping("198.51.100.8", "203.0.113.1").id(700))
        .delivered_at("nat:gw");
}

#[test]
fn a_mapping_lives_as_long_as_a_session_of_it() {
    let mut lab = Lab::new(&network("eips: [e1]", "filtering: endpoint-independent"));
    let _ = source(&mut lab, udp(INSIDE, REMOTE));
    let _ = lab.wait(100);
    let stranger = lab.from_internet(udp("198.51.100.8:443", OUTSIDE));
    stranger.delivered_at("a/eth0");
    let _ = lab.wait(100);
    // The first session has ended, the stranger's has not.
    lab.from_internet(udp("198.51.100.9:443", OUTSIDE))
        .delivered_at("a/eth0");
}
