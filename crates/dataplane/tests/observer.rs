//! What a watcher sees of a walk: every stop, in order, ending in the walk's own verdict.

use vpcsim_dataplane::{
    Arrival, Decision, Nanos, Observer, Other, Program, Source, Stage, State, Verdict, Walked, walk,
};
use vpcsim_network::{ExternalId, NicId};
use vpcsim_packet::Headers;
use vpcsim_testkit::{Craft, Lab, attribute, net, ping, pong, tcp, udp};

const NETWORK: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets:
      web: {cidr: 10.0.1.0/24, acl: web, route_table: web}
      app: {cidr: 10.0.2.0/24, route_table: app}
  office:
    cidr: 10.9.0.0/16
    subnets: {desks: {cidr: 10.9.1.0/24}}
route_tables:
  web:
    vpc: shop
    routes:
      - {to: 10.9.0.0/16, via: peering/pair}
      - {to: 192.168.0.0/16, via: instance/relay}
      - {to: 0.0.0.0/0, via: nat/gw}
  app: {vpc: shop, routes: [{to: 192.168.0.0/16, via: vpn/away}]}
peerings: {pair: {vpcs: [shop, office]}}
externals: {away: {kind: vpn, vpc: shop}}
eips:
  gw: {address: 203.0.113.10}
  app: {address: 203.0.113.20, bind: app}
nat_gateways: {gw: {vpc: shop, eips: [gw]}}
acls:
  web: {vpc: shop, ingress: [drop udp 53 from any, accept all from any], egress: [accept all to any]}
security_groups:
  app: {ingress: [accept tcp 80 from any, accept icmp from any], egress: [accept all to any]}
cvms:
  web: {subnet: web, address: 10.0.1.10}
  next: {subnet: web, address: 10.0.1.11}
  app: {subnet: app, address: 10.0.2.10, security_groups: [app]}
  relay: {subnet: app, address: 10.0.2.20, ip_forward: true}
  desk: {subnet: desks, address: 10.9.1.10}
";

/// One packet for every way through the network, ends good and bad.
fn packets() -> Vec<Craft> {
    let mut packets = vec![
        tcp("10.0.1.10:40000", "10.0.1.11:80"),
        tcp("10.0.1.10:40000", "10.0.2.10:80"),
        tcp("10.0.2.10:80", "10.0.1.10:40000").syn_ack(),
        tcp("10.0.1.10:40000", "10.0.2.10:22"),
        udp("10.0.2.10:53", "10.0.1.10:53"),
        ping("10.0.1.10", "10.9.1.10"),
        ping("10.9.1.10", "10.0.1.10"),
        ping("10.0.1.10", "192.168.0.1"),
        ping("10.0.1.10", "192.168.0.1").ttl(1),
        udp("10.0.1.10:40000", "198.51.100.53:53"),
        udp("198.51.100.53:53", "203.0.113.10:40000"),
        ping("198.51.100.7", "203.0.113.10"),
        pong("198.51.100.7", "203.0.113.10"),
        tcp("198.51.100.7:50000", "203.0.113.20:80"),
        tcp("10.0.2.10:80", "198.51.100.7:50000").syn_ack(),
        ping("10.0.2.10", "198.51.100.7"),
        tcp("10.0.1.10:40001", "203.0.113.20:80"),
        ping("10.0.1.10", "10.0.1.10"),
        ping("10.0.1.99", "10.0.1.10").at("web"),
        ping("198.51.100.7", "203.0.113.99"),
        ping("192.168.0.1", "10.0.2.10").at("external:away"),
    ];
    let mut pieces = udp("10.0.1.10:7", "10.0.2.20:7")
        .identification(9)
        .filler(3000)
        .fragments(1500);
    pieces.reverse();
    packets.extend(pieces);
    packets
}

/// What became of a packet: its verdict, its bytes, what ended beside it.
type End = (Walked, Vec<u8>, Vec<Other>);

/// Sends every packet, watched by `observer`.
fn run<O: Observer>(program: &Program, observer: &mut O) -> Vec<End> {
    let mut state = State::new(program);
    let walked = (0..).zip(packets()).map(|(id, packet)| {
        let mut bytes = packet.bytes();
        let source = match packet.place() {
            Some("web") => Source::Nic(NicId(0)),
            Some(_) => Source::External(ExternalId(0)),
            None => {
                let source = Headers::parse(&bytes).expect("made here").source;
                attribute(program, source).expect("somebody's")
            }
        };
        let (time, mut others) = (Nanos(1_000_000_000 * id), Vec::new());
        let arrival = Arrival { id, time, source };
        let walked = walk(
            program,
            &mut state,
            arrival,
            &mut bytes,
            observer,
            &mut others,
        );
        (walked, bytes, others)
    });
    walked.collect()
}

/// What was seen at one stop.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    id: u64,
    generated: bool,
    stage: Stage,
    decision: Decision,
    flow: String,
}

fn watched() -> (Vec<End>, Vec<Seen>) {
    let mut seen = Vec::new();
    let ends = run(&net(NETWORK), &mut |stop: &vpcsim_dataplane::Stop<'_>| {
        assert_eq!(
            Headers::parse(stop.bytes).as_ref(),
            Ok(stop.headers),
            "both tell one story"
        );
        seen.push(Seen {
            id: stop.id,
            generated: stop.generated,
            stage: stop.stage,
            decision: stop.decision,
            flow: format!("{} > {}", stop.headers.source, stop.headers.destination),
        });
    });
    (ends, seen)
}

#[test]
fn nobody_watching_changes_nothing() {
    let unwatched = run(&net(NETWORK), &mut ());
    assert_eq!(unwatched, watched().0);
}

#[test]
fn the_last_stop_of_every_packet_is_its_verdict() {
    let (ends, seen) = watched();
    let last = |id: u64, generated: bool| {
        let of_it = seen
            .iter()
            .filter(|stop| stop.id == id && stop.generated == generated);
        of_it.map(|stop| stop.decision).next_back()
    };
    let says = |verdict: Verdict| match verdict {
        Verdict::Delivered(place) => Some(Decision::Deliver(place)),
        Verdict::Dropped(drop) => Some(Decision::Drop(drop.reason)),
        Verdict::Held => Some(Decision::Hold),
        _ => None,
    };
    let mut generated = 0;
    for (id, (walked, _, others)) in (0..).zip(&ends) {
        if walked.verdict != Verdict::Held {
            assert_eq!(last(id, false), says(walked.verdict), "packet {id}");
        }
        for other in others {
            let made = other.role == vpcsim_dataplane::Role::Generated;
            generated += usize::from(made);
            assert_eq!(
                last(other.id, made),
                says(other.verdict),
                "on account of packet {id}"
            );
        }
    }
    assert_eq!(generated, 2, "a time exceeded and a proxied echo reply");
}

#[test]
fn only_the_last_stop_ends_a_packet() {
    let (ends, seen) = watched();
    for id in 0..ends.len() as u64 {
        for generated in [false, true] {
            let of_it = seen
                .iter()
                .filter(|stop| stop.id == id && stop.generated == generated);
            let ended: Vec<bool> = of_it
                .map(|stop| matches!(stop.decision, Decision::Deliver(_) | Decision::Drop(_)))
                .collect();
            let (last, before) = match ended.split_last() {
                Some((last, before)) => (*last, before),
                None => continue,
            };
            assert!(last && !before.contains(&true), "packet {id}: {ended:?}");
        }
    }
}

#[test]
fn stops_come_in_the_order_of_the_walk() {
    let stages = |packet: Craft| {
        let end = Lab::new(NETWORK).send(packet);
        end.stops()
            .iter()
            .map(|stop| stop.stage)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        stages(tcp("10.0.1.10:40000", "10.0.2.10:80")),
        [
            "host-egress",
            "source-check",
            "security-group-egress",
            "acl-egress",
            "route",
            "acl-ingress",
            "security-group-ingress",
            "host",
        ]
    );
    assert_eq!(
        stages(ping("10.0.1.10", "10.9.1.10"))[4..],
        [
            "route",
            "peering",
            "acl-ingress",
            "security-group-ingress",
            "host"
        ]
    );
    assert_eq!(
        stages(tcp("10.0.1.10:40001", "203.0.113.20:80"))[3..],
        [
            "acl-egress",
            "route",
            "nat-gateway",
            "internet",
            "eip",
            "acl-ingress",
            "security-group-ingress",
            "host",
        ]
    );
    assert_eq!(
        stages(ping("10.0.1.10", "192.168.0.1"))[4..],
        [
            "route",
            "acl-ingress",
            "security-group-ingress",
            "host",
            "source-check",
            "security-group-egress",
            "acl-egress",
            "route",
            "external",
        ]
    );
}

#[test]
fn a_stop_shows_the_packet_as_it_leaves_the_stage() {
    let (_, seen) = watched();
    // From web by the gateway to app's eip.
    let at = |stage| {
        let of_it = seen
            .iter()
            .filter(|stop| stop.id == 16 && stop.stage == stage);
        of_it.map(|stop| stop.flow.as_str()).next()
    };
    assert_eq!(at(Stage::Route), Some("10.0.1.10 > 203.0.113.20"));
    assert_eq!(at(Stage::NatGateway), Some("203.0.113.10 > 203.0.113.20"));
    assert_eq!(at(Stage::Eip), Some("203.0.113.10 > 10.0.2.10"));
}

#[test]
fn what_the_network_makes_is_marked_and_carries_the_number_of_its_cause() {
    let (_, seen) = watched();
    let made: Vec<&Seen> = seen.iter().filter(|stop| stop.generated).collect();
    assert!(
        made.iter()
            .any(|stop| stop.id == 8 && stop.flow == "10.0.2.20 > 10.0.1.10")
    );
    assert!(
        made.iter()
            .any(|stop| stop.id == 11 && stop.flow == "203.0.113.10 > 198.51.100.7")
    );
    // It comes after everything that its cause met.
    for cause in [8, 11] {
        let of_it = seen.iter().filter(|stop| stop.id == cause);
        let order: Vec<bool> = of_it.map(|stop| stop.generated).collect();
        assert!(order.is_sorted() && order.contains(&true), "{order:?}");
    }
}

#[test]
fn a_drop_names_its_stage_element_and_rule_in_the_stop_as_in_the_verdict() {
    let end = Lab::new(NETWORK).send(udp("10.0.2.10:53", "10.0.1.10:53"));
    end.dropped("acl-deny", "acl-ingress", "web")
        .by_rule("ingress 1");
    let last = end.stops().last().expect("it stopped somewhere");
    assert_eq!((last.stage, last.element.as_str()), ("acl-ingress", "web"));
    assert_eq!(last.rule.as_deref(), Some("ingress 1"));
    assert_eq!(last.decision, "dropped acl-deny");
}

#[test]
fn a_held_fragment_is_seen_to_wait() {
    let (ends, seen) = watched();
    let held = ends
        .iter()
        .filter(|(walked, _, _)| walked.verdict == Verdict::Held)
        .count();
    let holds = seen
        .iter()
        .filter(|stop| stop.decision == Decision::Hold)
        .count();
    assert_eq!((held, holds), (2, 2));
}
