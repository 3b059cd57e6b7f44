//! What the network file expects, tried.

use crate::support::{OFFICE, program};
use vpcsim_dataplane::Stage;
use vpcsim_network::Network;
use vpcsim_replay::{Expected, expectations};

fn expected(lines: &[&str]) -> Vec<Expected> {
    let list: String = lines
        .iter()
        .map(|line| format!("  - {{{line}}}\n"))
        .collect();
    expectations(&program(&format!("{OFFICE}expect:\n{list}")))
}

#[track_caller]
fn one(line: &str) -> Expected {
    expected(&[line]).remove(0)
}

#[test]
fn what_is_so_holds() {
    let all = expected(&[
        "from: client, to: web, port: 80, is: reachable",
        "from: internet, to: web, protocol: tcp, port: 80, is: reachable",
        "from: internet, to: web, protocol: udp, port: 53, is: reachable",
        "from: client, to: internet, is: reachable",
        "from: client/eth0, to: 172.16.2.10, protocol: icmp, is: reachable",
        "from: client, to: external:branch, port: 443, is: reachable",
        "from: internet, to: web, port: 443, is: blocked, because: security-group-ingress",
        "from: client, to: web, port: 23, is: blocked, because: acl-ingress",
        "from: web, to: 172.16.9.9, port: 80, is: blocked, because: route",
        "from: client, to: client-2, port: 80, is: blocked",
        // It arrives, and nobody listens: blocked, but by no stage.
        "from: client, to: web, protocol: udp, port: 54, is: blocked",
    ]);
    for (line, expected) in all.iter().enumerate() {
        assert!(expected.holds, "{line}: {expected:#?}");
        assert_eq!(expected.why, None);
    }
}

#[test]
fn what_is_blocked_and_should_not_be_says_why() {
    let expected = one("from: internet, to: web, port: 443, is: reachable");
    assert!(!expected.holds);
    let why = "the request is dropped at security-group-ingress: \
               no ingress rule of security group servers accepts tcp 443 from 198.51.100.1";
    assert_eq!(expected.why.as_deref(), Some(why));
    assert_eq!(expected.trace.unwrap().legs.len(), 1);
}

#[test]
fn what_is_reachable_and_should_not_be_shows_both_ways() {
    let expected = one("from: client, to: web, port: 80, is: blocked");
    assert!(!expected.holds);
    let why = "the request arrives, and the reply comes back";
    assert_eq!(expected.why.as_deref(), Some(why));
    assert_eq!(expected.trace.unwrap().legs.len(), 2);
}

#[test]
fn another_stage_is_not_what_was_wanted() {
    let expected = one("from: client, to: web, port: 23, is: blocked, because: route");
    let why = "route does not block it: the request is dropped at acl-ingress: \
               ingress rule 1 of acl edge drops tcp 23 from 172.16.1.10";
    assert_eq!(expected.why.as_deref(), Some(why));
    let unheard = one("from: client, to: web, protocol: udp, port: 54, is: blocked, because: host");
    let why = "host does not block it: the request arrives, but nothing on web listens on udp 54";
    assert_eq!(unheard.why.as_deref(), Some(why));
}

#[test]
fn a_port_that_is_left_out_is_the_first_that_is_listened_on() {
    let tcp = one("from: client, to: web, protocol: tcp, is: reachable");
    assert_eq!((tcp.port, tcp.protocol.as_str()), (Some(80), "tcp"));
    let udp = one("from: client, to: web, protocol: udp, is: reachable");
    assert_eq!((udp.port, udp.holds), (Some(53), true));
    assert_eq!(one("from: client, to: web, is: reachable").protocol, "icmp");
}

#[test]
fn each_is_tried_in_a_network_without_connections() {
    let twice = ["from: client, to: web, port: 80, is: reachable"; 2];
    let all = expected(&twice);
    assert_eq!(all[0].trace, all[1].trace);
}

/// The network file names stages, and knows nothing of the walk.
#[test]
fn every_stage_can_be_named() {
    let schema = Network::schema();
    let named = &schema["$defs"]["expectation"]["properties"]["because"]["enum"];
    let stages: Vec<&str> = Stage::ALL.iter().map(|stage| stage.name()).collect();
    assert_eq!(*named, serde_json::json!(stages));
}
