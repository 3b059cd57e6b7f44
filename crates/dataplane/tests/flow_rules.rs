//! What an observer is told beyond the stop itself: the nic, the time, the rule that a flow owes
//! its passage to; and of packets that are not walked, the way that they take.

use std::collections::BTreeSet;
use vpcsim_dataplane::{
    Arrival, Batch, Element, FlowRule, Nanos, Observer, Outcome, Program, Repeat, RuleList, Source,
    Stage, State, Stop, walk,
};
use vpcsim_network::{NatGatewayId, NicId, SecurityGroupId};
use vpcsim_packet::{FlowKey, Headers};
use vpcsim_testkit::{Craft, attribute, net, tcp, udp};

const NETWORK: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {web: {cidr: 10.0.1.0/24}, app: {cidr: 10.0.2.0/24}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
eips: {gw: {address: 203.0.113.10}}
nat_gateways: {gw: {eips: [gw], dnat: [{eip: gw, protocol: tcp, port: 8080, to: web, to_port: 80}]}}
security_groups:
  none: {ingress: [accept tcp 22 from any, drop tcp 23 from any]}
  all: {ingress: [drop udp 9 from any, accept all from any], egress: [accept all to any]}
cvms:
  web: {subnet: web, address: 10.0.1.10, security_groups: [none, all]}
  app: {subnet: app, address: 10.0.2.10, security_groups: [all]}
";

const WEB: NicId = NicId(0);
const APP: NicId = NicId(1);
const GATEWAY: Element = Element::NatGateway(NatGatewayId(0));

/// What a stop says beside stage and decision.
#[derive(Debug, Clone, Copy)]
struct Told {
    id: u64,
    stage: Stage,
    time: Nanos,
    nic: Option<NicId>,
    key: FlowKey,
    flow: Option<FlowRule>,
}

fn arrival(program: &Program, id: u64, bytes: &[u8]) -> Arrival {
    let source = Headers::parse(bytes).expect("made here").source;
    Arrival {
        id,
        time: Nanos(1_000 * id),
        source: attribute(program, source).expect("somebody's"),
    }
}

fn walked(program: &Program, state: &mut State, sent: &[Craft]) -> Vec<Told> {
    let mut told = Vec::new();
    for (id, packet) in (1..).zip(sent) {
        let mut bytes = packet.bytes();
        let arrival = arrival(program, id, &bytes);
        let mut observer = |stop: &Stop<'_>| {
            told.push(Told {
                id: stop.id,
                stage: stop.stage,
                time: stop.time,
                nic: stop.nic,
                key: stop.key,
                flow: stop.flow,
            });
        };
        let others = &mut Vec::new();
        walk(program, state, arrival, &mut bytes, &mut observer, others);
    }
    told
}

/// Element, list and position of what a flow owes to, and whether the packet opened it.
fn owed(flow: Option<FlowRule>) -> Option<(Element, RuleList, Option<u32>, bool)> {
    flow.map(|flow| (flow.element, flow.rule.list, flow.rule.position, flow.opens))
}

fn at(told: &[Told], id: u64, stage: Stage) -> &Told {
    let mut stops = told
        .iter()
        .filter(|told| (told.id, told.stage) == (id, stage));
    stops.next().expect("it stopped there")
}

#[test]
fn stops_say_which_nic_and_when() {
    let program = net(NETWORK);
    let told = walked(
        &program,
        &mut State::new(&program),
        &[
            tcp("10.0.2.10:4000", "10.0.1.10:80"),
            tcp("198.51.100.9:4000", "203.0.113.10:8080"),
        ],
    );
    for (stage, nic) in [
        (Stage::SecurityGroupEgress, Some(APP)),
        (Stage::AclEgress, Some(APP)),
        (Stage::Route, Some(APP)),
        (Stage::AclIngress, Some(WEB)),
        (Stage::SecurityGroupIngress, Some(WEB)),
    ] {
        assert_eq!(at(&told, 1, stage).nic, nic, "{stage}");
    }
    assert_eq!(
        at(&told, 2, Stage::NatGateway).nic,
        None,
        "it is not inside yet"
    );
    assert_eq!(at(&told, 2, Stage::AclIngress).nic, Some(WEB));
    assert!(told.iter().all(|told| told.time == Nanos(1_000 * told.id)));
    let inside = at(&told, 2, Stage::SecurityGroupIngress).key;
    assert_eq!(inside.to_string(), "tcp 198.51.100.9:4000 > 10.0.1.10:80");
}

#[test]
fn what_a_flow_carries_owes_to_the_rule_that_let_it_in() {
    let program = net(NETWORK);
    let told = walked(
        &program,
        &mut State::new(&program),
        &[
            tcp("10.0.2.10:4000", "10.0.1.10:80"),
            tcp("10.0.1.10:80", "10.0.2.10:4000").syn_ack(),
            tcp("10.0.2.10:4000", "10.0.1.10:80").ack(),
            udp("10.0.2.10:4000", "198.51.100.9:53"),
            udp("10.0.2.10:4000", "198.51.100.9:53"),
            tcp("198.51.100.9:4000", "203.0.113.10:8080"),
            tcp("10.0.1.10:80", "198.51.100.9:4000").syn_ack(),
        ],
    );
    // The rule itself decides the first packet; the nic's second group is the one that has it.
    let all = Element::SecurityGroup(SecurityGroupId(1));
    let ingress = Some((all, RuleList::Ingress, Some(2), false));
    let egress = Some((all, RuleList::Egress, Some(1), false));
    assert_eq!(owed(at(&told, 1, Stage::SecurityGroupIngress).flow), None);
    assert_eq!(owed(at(&told, 2, Stage::SecurityGroupEgress).flow), ingress);
    assert_eq!(owed(at(&told, 2, Stage::SecurityGroupIngress).flow), egress);
    assert_eq!(
        owed(at(&told, 3, Stage::SecurityGroupIngress).flow),
        ingress
    );
    let snat = |opens| Some((GATEWAY, RuleList::Snat, None, opens));
    assert_eq!(owed(at(&told, 4, Stage::NatGateway).flow), snat(true));
    assert_eq!(owed(at(&told, 5, Stage::NatGateway).flow), snat(false));
    let dnat = |opens| Some((GATEWAY, RuleList::Dnat, Some(1), opens));
    assert_eq!(owed(at(&told, 6, Stage::NatGateway).flow), dnat(true));
    assert_eq!(owed(at(&told, 7, Stage::NatGateway).flow), dnat(false));
}

#[test]
fn a_flow_of_an_earlier_program_owes_to_no_rule_of_this_one() {
    let program = net(NETWORK);
    let mut state = State::new(&program);
    let question = udp("10.0.2.10:4000", "198.51.100.9:53");
    walked(&program, &mut state, std::slice::from_ref(&question));
    let changed = net(&NETWORK.replace(
        "egress: [accept all to any]",
        "egress: [drop tcp 1 to any, accept all to any]",
    ));
    state.adopt(&program, &changed);
    let told = walked(&changed, &mut state, &[question]);
    assert_eq!(owed(at(&told, 1, Stage::SecurityGroupEgress).flow), None);
    assert_eq!(owed(at(&told, 1, Stage::NatGateway).flow), None);
}

/// Remembers ways, or does not.
#[derive(Default)]
struct Remembering {
    refuses: bool,
    ways: Vec<(FlowKey, FlowKey)>,
    walked: BTreeSet<u64>,
    repeated: Vec<Repeat>,
}

impl Observer for Remembering {
    const REMEMBERS: bool = true;

    fn stop(&mut self, stop: &Stop<'_>) {
        self.walked.insert(stop.id);
        let opened = stop.decision == vpcsim_dataplane::Decision::Pass(Outcome::Opened);
        assert!(!opened || stop.rule.is_some(), "no flow opens unjudged");
    }

    fn remember(&mut self, before: &FlowKey, after: &FlowKey) -> Option<u32> {
        self.ways.push((*before, *after));
        (!self.refuses).then_some(self.ways.len() as u32 - 1)
    }

    fn repeat(&mut self, repeat: &Repeat) {
        self.repeated.push(*repeat);
    }
}

/// A conversation through the gateway, as a capture inside has it, in batches of 50.
fn converse(observer: &mut Remembering) -> Vec<(FlowKey, FlowKey)> {
    let program = net(NETWORK);
    let (mut state, mut batch) = (State::new(&program), Batch::new());
    let mut flows = Vec::new();
    let key = |bytes: &[u8]| {
        let headers = Headers::parse(bytes).expect("made here");
        FlowKey::of(&headers).expect("no fragment")
    };
    for chunk in 0..4_u64 {
        let sent: Vec<_> = (0..50)
            .map(|number| match number % 2 {
                0 => udp("10.0.2.10:4000", "198.51.100.9:53")
                    .filler(number)
                    .bytes(),
                _ => udp("198.51.100.9:53", "10.0.2.10:4000")
                    .filler(number)
                    .bytes(),
            })
            .collect();
        for (id, bytes) in (chunk * 50..).zip(&sent) {
            let arrival = arrival(&program, id, bytes);
            let internet = arrival.source == Source::Internet;
            assert_eq!(internet, id % 2 == 1);
            batch.push(arrival, bytes);
        }
        batch.run(&program, &mut state, observer);
        let ends = batch.ended().map(|ended| key(ended.bytes));
        flows.extend(sent.iter().map(|bytes| key(bytes)).zip(ends));
        batch.clear();
    }
    flows
}

#[test]
fn who_remembers_hears_of_every_packet_by_its_stops_or_by_its_way() {
    let mut observer = Remembering::default();
    let flows = converse(&mut observer);
    let repeated: BTreeSet<_> = observer.repeated.iter().map(|repeat| repeat.id).collect();
    assert!(observer.walked.is_disjoint(&repeated));
    assert_eq!(observer.walked.len() + repeated.len(), 200);
    assert!(repeated.len() > 190, "{}", repeated.len());
    assert!(observer.repeated.is_sorted_by_key(|repeat| repeat.id));
    for repeat in &observer.repeated {
        let (before, after) = flows[repeat.id as usize];
        assert_eq!((repeat.before, repeat.after), (before, after));
        assert_eq!(observer.ways[repeat.way as usize], (before, after));
        assert_eq!(repeat.time, Nanos(1_000 * repeat.id));
        assert_eq!(u64::from(repeat.total_len), 28 + repeat.id % 50);
    }
}

#[test]
fn a_way_that_nobody_wants_to_remember_is_walked() {
    let mut observer = Remembering {
        refuses: true,
        ..Remembering::default()
    };
    converse(&mut observer);
    assert_eq!(observer.walked.len(), 200);
    assert_eq!(observer.repeated, []);
}
