//! `trace`: what a packet and its reply meet.

use crate::harness::{Desk, line_of, top, vpcsim};

#[test]
fn a_trace_that_arrives_ends_with_0() {
    let desk = Desk::new();
    let arguments = [
        "trace",
        &desk.network(),
        "app-1",
        "internet",
        "--port",
        "443",
    ];
    vpcsim(arguments).status(0).shows(&[
        "app-1 to internet by tcp 443",
        "Request from app-1",
        &format!("egress 2 {}", line_of("accept all")),
        &format!("routes 1 {}", line_of("via: nat/gw")),
        "source 10.0.1.11 -> 203.0.113.10",
        "Reply from internet",
        "established",
        "destination 203.0.113.10 -> 10.0.1.11",
        "yes: app-1 reaches internet",
    ]);
}

#[test]
fn a_trace_that_does_not_arrive_ends_with_1_and_names_the_rule() {
    let desk = Desk::new();
    let arguments = [
        "trace",
        &desk.network(),
        "app-1",
        "internet",
        "--protocol",
        "udp",
    ];
    let ran = vpcsim(arguments).status(1).shows(&[
        "security-group-deny",
        "security group app",
        &format!("egress 1 {}", line_of("drop udp")),
        "no: the request is dropped at security-group-egress",
    ]);
    assert_eq!(ran.err, "");
}

#[test]
fn a_trace_whose_reply_does_not_arrive_ends_with_1() {
    let network = top().join("scenarios/acl-inbound-only/network.yaml");
    let arguments = [
        "trace",
        network.to_str().unwrap(),
        "client",
        "web-1",
        "--port",
        "80",
    ];
    vpcsim(arguments).status(1).shows(&[
        "Reply from web-1",
        "acl-deny",
        "no: the reply is dropped",
    ]);
}

#[test]
fn the_answer_is_in_the_json_too() {
    let desk = Desk::new();
    let trace = |protocol: &str, status: i32| {
        let network = desk.network();
        let arguments = [
            "trace",
            &network,
            "app-1",
            "internet",
            "--json",
            "--protocol",
            protocol,
        ];
        vpcsim(arguments).status(status).json()
    };
    assert_eq!(trace("icmp", 0)["reachable"], true);
    assert_eq!(trace("udp", 1)["reachable"], false);
}

#[test]
fn a_question_that_cannot_be_put_ends_with_2() {
    let desk = Desk::new();
    let trace = |more: &[&str]| {
        let network = desk.network();
        vpcsim(["trace", &network].iter().chain(more)).status(2)
    };
    trace(&["app-1", "nowhere"]).says(&["no cvm is called `nowhere`", "`app-1`, `app-2`"]);
    trace(&["app-1", "app-2", "--protocol", "icmp", "--port", "1"]).says(&["icmp has no ports"]);
    trace(&["10.0.1.200", "app-1"]).says(&["10.0.1.200"]);
}
