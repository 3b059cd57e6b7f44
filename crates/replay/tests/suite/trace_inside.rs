//! Traces between hosts, and from hosts to the outside.

use crate::support::{OFFICE, program};
use vpcsim_dataplane::Program;
use vpcsim_packet::Protocol;
use vpcsim_replay::trace::{Leg, Question, Trace, TraceError};
use vpcsim_replay::{Endpoint, trace};

pub(crate) fn end(program: &Program, text: &str) -> Endpoint {
    Endpoint::parse(program, text).unwrap()
}

pub(crate) fn asked(program: &Program, from: &str, to: &str, question: Question) -> Trace {
    trace(program, end(program, from), end(program, to), question).unwrap()
}

pub(crate) fn tcp(port: u16) -> Question {
    Question {
        protocol: Some(Protocol::TCP),
        port: Some(port),
    }
}

pub(crate) fn udp(port: u16) -> Question {
    Question {
        protocol: Some(Protocol::UDP),
        port: Some(port),
    }
}

/// `stage element: decision, rule` of every stop.
pub(crate) fn stops(leg: &Leg) -> Vec<String> {
    let stops = leg.stops.iter().map(|stop| {
        let rule = stop.rule.as_ref().map_or(String::new(), |rule| {
            let position = rule.position.map_or("end".to_owned(), |at| at.to_string());
            format!(", {} {position}", rule.list)
        });
        let changes: Vec<_> = stop
            .changes
            .iter()
            .map(|change| format!(", {} {} -> {}", change.field, change.old, change.new))
            .collect();
        let (element, changes) = (&stop.element, changes.concat());
        format!(
            "{} {} {}: {}{rule}{changes}",
            stop.stage, element.kind, element.name, stop.decision
        )
    });
    stops.collect()
}

#[test]
fn a_request_and_its_answer_cross_an_acl() {
    let program = program(OFFICE);
    let trace = asked(&program, "client", "web", tcp(80));
    assert!(trace.reachable, "{trace:#?}");
    assert_eq!(trace.why, None);
    let [request, reply] = &trace.legs[..] else {
        panic!("two legs wanted: {trace:#?}");
    };
    assert_eq!(
        stops(request),
        [
            "host-egress nic client/eth0: forwarded",
            "source-check nic client/eth0: accepted",
            "security-group-egress security group clients: opened, egress 1",
            "acl-egress subnet clients: unfiltered",
            "route route table out: local",
            "acl-ingress acl edge: accepted, ingress 2",
            "security-group-ingress security group servers: opened, ingress 1",
            "host nic web/eth0: delivered",
        ]
    );
    assert_eq!(
        request.packet,
        "tcp 172.16.1.10:40000 > 172.16.2.10:80 [S], ttl 64"
    );
    assert_eq!(
        reply.packet,
        "tcp 172.16.2.10:80 > 172.16.1.10:40000 [S.], ttl 64"
    );
    assert_eq!((&*request.start, &*reply.start), ("client", "web"));
    let established = |stop: &&String| stop.ends_with("established");
    assert_eq!(stops(reply).iter().filter(established).count(), 2);
    assert_eq!(reply.verdict.place.as_deref(), Some("client/eth0"));
}

#[test]
fn the_default_question_is_a_ping_and_the_default_port_a_service() {
    let program = program(OFFICE);
    let ping = asked(&program, "client", "web", Question::default());
    assert_eq!(
        (&*ping.protocol, ping.port, ping.reachable),
        ("icmp", None, true)
    );
    let port = |protocol, to| {
        let question = Question {
            protocol: Some(protocol),
            port: None,
        };
        asked(&program, "client", to, question).port
    };
    assert_eq!(port(Protocol::TCP, "web"), Some(80));
    assert_eq!(port(Protocol::UDP, "web/eth0"), Some(53));
    assert_eq!(port(Protocol::TCP, "client-2"), Some(80));
    assert_eq!(port(Protocol::UDP, "internet"), Some(53));
    let only_port = Question {
        protocol: None,
        port: Some(80),
    };
    assert_eq!(asked(&program, "client", "web", only_port).protocol, "tcp");
}

#[test]
fn a_group_that_denies_is_named_with_its_rule() {
    let program = program(OFFICE);
    let trace = asked(&program, "client", "web", tcp(443));
    assert!(!trace.reachable);
    assert_eq!(trace.legs.len(), 1);
    assert_eq!(
        trace.why.as_deref(),
        Some(
            "the request is dropped at security-group-ingress: \
             no ingress rule of security group servers accepts tcp 443 from 172.16.1.10"
        )
    );
    let verdict = &trace.legs[0].verdict;
    assert_eq!(verdict.verdict, "dropped");
    assert_eq!(verdict.reason.as_deref(), Some("security-group-deny"));
    assert_eq!(verdict.element.as_ref().unwrap().kind, "security group");
    assert_eq!(verdict.rule.as_ref().unwrap().position, None);
    assert!(trace.legs[0].stops.last().unwrap().dropped);
}

#[test]
fn arriving_where_nothing_listens_is_not_reaching() {
    let program = program(OFFICE);
    let trace = asked(&program, "client", "web", udp(5353));
    assert!(!trace.reachable);
    assert_eq!(trace.legs[0].verdict.place.as_deref(), Some("web/eth0"));
    assert_eq!(
        trace.why.as_deref(),
        Some("the request arrives, but nothing on web listens on udp 5353")
    );
}

#[test]
fn a_stateless_acl_drops_the_reply() {
    let program = program(
        "
vpcs:
  a:
    cidr: 10.0.0.0/16
    subnets:
      one: {cidr: 10.0.1.0/24}
      two: {cidr: 10.0.2.0/24, acl: edge}
acls:
  edge:
    ingress: [accept tcp 80 from any]
cvms:
  a-1: {subnet: one, address: 10.0.1.10}
  a-2: {subnet: two, address: 10.0.2.10}
",
    );
    let trace = asked(&program, "a-1", "a-2", tcp(80));
    assert!(!trace.reachable);
    assert_eq!(trace.legs.len(), 2);
    assert_eq!(trace.legs[1].verdict.stage.as_deref(), Some("acl-egress"));
    assert_eq!(
        trace.why.as_deref(),
        Some(
            "the reply is dropped at acl-egress: no egress rule of acl edge accepts tcp 40000 to \
             10.0.1.10; an acl remembers nothing, so replies need rules of their own"
        )
    );
}

#[test]
fn to_the_internet_and_back_through_a_gateway() {
    let program = program(OFFICE);
    for question in [tcp(443), udp(53), Question::default()] {
        let trace = asked(&program, "client", "internet", question);
        assert!(trace.reachable, "{trace:#?}");
        let [request, reply] = &trace.legs[..] else {
            panic!("two legs wanted: {trace:#?}");
        };
        let translated = "source 172.16.1.10 -> 203.0.113.10";
        assert!(stops(request).iter().any(|stop| stop.contains(translated)));
        assert_eq!(reply.start, "internet");
        let back = "destination 203.0.113.10 -> 172.16.1.10";
        assert!(
            stops(reply).iter().any(|stop| stop.contains(back)),
            "{reply:#?}"
        );
        assert_eq!(reply.verdict.place.as_deref(), Some("client/eth0"));
    }
}

#[test]
fn beyond_the_edge_of_the_world_somebody_answers() {
    let program = program(OFFICE);
    let there = asked(&program, "client", "external:branch", tcp(80));
    assert_eq!(
        there.legs[0].verdict.place.as_deref(),
        Some("external:branch")
    );
    // The answer has a flow to come back to.
    assert!(there.reachable, "{there:#?}");
    let back = asked(&program, "external:branch", "web", tcp(80));
    assert!(back.reachable, "{back:#?}");
    assert_eq!(
        back.legs[1].verdict.place.as_deref(),
        Some("external:branch")
    );
    // An address behind it is there too.
    let address = asked(&program, "192.168.9.9", "web", tcp(80));
    assert!(address.reachable);
    assert_eq!(address.legs[0].start, "external:branch");
}

/// A host with two nics that sends to 10.0.2.0/24 and beyond out of the second.
const DUAL: &str = "
vpcs:
  a:
    cidr: 10.0.0.0/16
    subnets:
      one: {cidr: 10.0.1.0/24}
      two: {cidr: 10.0.2.0/24}
      three: {cidr: 10.0.3.0/24}
cvms:
  dual:
    nics:
      eth0: {subnet: one, address: 10.0.1.10}
      eth1: {subnet: two, address: 10.0.2.10}
    routes:
      - {to: 10.0.3.0/24, nic: eth1}
  far: {subnet: three, address: 10.0.3.10}
  near: {subnet: one, address: 10.0.1.11}
";

#[test]
fn a_host_sends_from_the_address_of_the_nic_it_sends_by() {
    let program = program(DUAL);
    let far = asked(&program, "dual", "far", tcp(80));
    assert!(
        far.legs[0].packet.starts_with("tcp 10.0.2.10:40000 > "),
        "{far:#?}"
    );
    assert!(far.reachable, "{far:#?}");
    let near = asked(&program, "dual", "near", tcp(80));
    assert!(near.legs[0].packet.starts_with("tcp 10.0.1.10:40000 > "));
    let nic = asked(&program, "dual/eth0", "near", tcp(80));
    assert_eq!(nic.legs[0].start, "dual/eth0");
    assert!(nic.reachable, "{nic:#?}");
    // An address that is asked for stays, whatever nic it leaves by.
    let address = asked(&program, "10.0.1.10", "far", tcp(80));
    assert!(address.legs[0].packet.starts_with("tcp 10.0.1.10:40000 > "));
}

#[test]
fn questions_that_cannot_be_put() {
    let program = program(OFFICE);
    let error = |from, to, protocol, port| {
        let (from, to) = (end(&program, from), end(&program, to));
        trace(&program, from, to, Question { protocol, port }).unwrap_err()
    };
    let icmp = Some(Protocol::ICMP);
    assert_eq!(
        error("client", "web", icmp, Some(80)),
        TraceError::PortOfIcmp
    );
    let gre = error("client", "web", Some(Protocol::GRE), None);
    assert_eq!(gre.to_string(), "a trace sends tcp, udp or icmp, not gre");
    for (from, text) in [
        (
            "172.16.1.77",
            "172.16.1.77 lies in a vpc, but nobody there has it: nothing can start there",
        ),
        (
            "224.0.0.5",
            "224.0.0.5 is no address that a host can send from",
        ),
        (
            "203.0.113.10",
            "203.0.113.10 is the address of a nat gateway or of nothing: nothing starts there",
        ),
    ] {
        assert_eq!(error(from, "web", None, None).to_string(), text);
    }
    for (text, wanted) in [
        ("wbe", "no cvm is called `wbe`: did you mean `web`?"),
        (
            "database",
            "no cvm is called `database`: known are `client`, `client-2`, `web`",
        ),
        (
            "web/eth9",
            "no nic is called `web/eth9`: did you mean `eth0`?",
        ),
        (
            "external:brunch",
            "no external is called `brunch`: did you mean `branch`?",
        ),
    ] {
        let error = Endpoint::parse(&program, text).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn a_trace_says_what_it_was_asked_and_is_the_same_every_time() {
    let program = program(OFFICE);
    let (first, second) = (
        asked(&program, "client", "web/eth0", tcp(80)),
        asked(&program, "client", "web/eth0", tcp(80)),
    );
    assert_eq!(first, second);
    let value = serde_json::to_value(&first).unwrap();
    assert_eq!(
        (&value["from"], &value["to"]),
        (&"client".into(), &"web/eth0".into())
    );
    assert_eq!(value["legs"][0]["stops"][2]["rule"]["line"], 11);
}
