//! Follows a packet and writes down every stop.

use super::rules::rule_view;
use super::run::{Pass, Way};
use super::view::{Change, ElementView, Leg, RuleView, StopView, VerdictView};
use crate::names::{detail_text, element_kind, source_text};
use std::net::Ipv4Addr;
use vpcsim_dataplane::{
    Arrival, Decision, Element, Nanos, Other, Program, Role, Source, Stage, State, Stop, Verdict,
    walk,
};
use vpcsim_network::{CvmId, NicId};
use vpcsim_packet::build::icmp_echo;
use vpcsim_packet::{FlowKey, Headers, Icmp, IcmpBody, Transport};

/// When the request starts; the reply starts this much later.
const STEP: u64 = 1_000_000;

/// A network with what earlier packets left behind.
pub(super) struct Follow<'p> {
    program: &'p Program,
    state: State,
    /// Packets so far.
    id: u64,
}

/// A packet that was followed to its end.
pub(super) struct Followed {
    pub(super) leg: Leg,
    pub(super) way: Way,
    pub(super) verdict: Verdict,
    /// As it looks where it ended.
    pub(super) bytes: Vec<u8>,
    /// The packet that the network made on account of it.
    pub(super) generated: Option<Box<Followed>>,
}

impl<'p> Follow<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        Self {
            program,
            state: State::new(program),
            id: 0,
        }
    }

    /// Carries a packet to its end.
    pub(super) fn packet(&mut self, name: &str, source: Source, bytes: Vec<u8>) -> Followed {
        self.id += 1;
        let arrival = Arrival {
            id: self.id,
            time: Nanos(self.id * STEP),
            source,
        };
        let (mut own, mut others) = (Notes::new(&bytes), Vec::new());
        let mut made: Option<Notes> = None;
        let mut bytes = bytes;
        let program = self.program;
        let mut observer = |stop: &Stop<'_>| {
            if stop.generated {
                let notes = made.get_or_insert_with(|| Notes::new(stop.bytes));
                notes.note(program, stop);
            } else {
                own.note(program, stop);
            }
        };
        let walked = walk(
            program,
            &mut self.state,
            arrival,
            &mut bytes,
            &mut observer,
            &mut others,
        );
        let start = source_text(program, source);
        let generated = others
            .into_iter()
            .find(|other| other.role == Role::Generated)
            .map(|other| self.generated(walked.verdict, made, other));
        let (leg, way) = own.finish(program, name, start, &walked.verdict, &bytes);
        Followed {
            leg,
            way,
            verdict: walked.verdict,
            bytes,
            generated,
        }
    }

    /// What the network answered by itself.
    fn generated(&self, cause: Verdict, made: Option<Notes>, other: Other) -> Box<Followed> {
        let start = match cause {
            Verdict::Delivered(place) => self.program.place_name(place),
            Verdict::Dropped(drop) => self.program.element_name(drop.element),
            _ => String::new(),
        };
        let notes = made.unwrap_or_else(|| Notes::new(&other.bytes));
        let (leg, way) = notes.finish(self.program, "reply", start, &other.verdict, &other.bytes);
        Box::new(Followed {
            leg,
            way,
            verdict: other.verdict,
            bytes: other.bytes,
            generated: None,
        })
    }
}

/// The nic that a host would send to `destination` by: the walk's own answer, to a packet of
/// nobody's that leaves no trace. The source address is chosen after the route, so the route is
/// looked up without one (Linux `ip_route_output_key`).
pub(super) fn egress_nic(program: &Program, cvm: CvmId, destination: Ipv4Addr) -> Option<NicId> {
    let unspecified = Ipv4Addr::UNSPECIFIED;
    let probe = icmp_echo(
        vpcsim_packet::build::Echo::Request,
        unspecified,
        destination,
        0,
        0,
        &[],
    );
    let mut nic = None;
    let mut observer = |stop: &Stop<'_>| {
        if let (Stage::HostEgress, Element::Nic(out), None) = (stop.stage, stop.element, nic) {
            nic = Some(out);
        }
    };
    let arrival = Arrival {
        id: 0,
        time: Nanos(0),
        source: Source::Cvm(cvm),
    };
    walk(
        program,
        &mut State::new(program),
        arrival,
        &mut probe.bytes(),
        &mut observer,
        &mut Vec::new(),
    );
    // To itself, or without a route: the first nic's address is as good as any.
    nic.or_else(|| program.network().cvm(cvm).nics.first().copied())
}

/// The stops of one packet.
struct Notes {
    packet: String,
    before: Option<Headers>,
    stops: Vec<StopView>,
    way: Way,
}

impl Notes {
    fn new(bytes: &[u8]) -> Self {
        let before = Headers::parse(bytes).ok();
        Self {
            packet: packet_text(bytes),
            way: Way::new(before.as_ref().and_then(FlowKey::of)),
            before,
            stops: Vec::new(),
        }
    }

    fn note(&mut self, program: &Program, stop: &Stop<'_>) {
        let (decision, dropped) = match stop.decision {
            Decision::Pass(outcome) => (outcome.name(), false),
            Decision::Deliver(_) => ("delivered", false),
            Decision::Drop(reason) => (reason.name(), true),
            Decision::Hold => ("held", false),
        };
        let before = self.before.replace(*stop.headers);
        let rule = stop
            .rule
            .map(|rule| rule_view(program, self.way.table(), stop.element, rule));
        self.way.passes.push(Pass {
            stage: stop.stage,
            element: stop.element,
            decision: stop.decision,
            rule: stop.rule,
            key: FlowKey::of(stop.headers),
        });
        self.stops.push(StopView {
            stage: stop.stage.to_string(),
            element: element_view(program, stop.element),
            decision: decision.to_owned(),
            dropped,
            rule,
            policy: stop.policy.map(|policy| policy.to_string()),
            changes: before.map_or_else(Vec::new, |before| changes(&before, stop.headers)),
        });
    }

    fn finish(
        self,
        program: &Program,
        name: &str,
        start: String,
        verdict: &Verdict,
        bytes: &[u8],
    ) -> (Leg, Way) {
        let last = self.stops.last().filter(|stop| stop.dropped);
        let rule = last.and_then(|stop| stop.rule.clone());
        let leg = Leg {
            name: name.to_owned(),
            start,
            packet: self.packet,
            stops: self.stops,
            verdict: verdict_view(program, verdict, rule, bytes),
        };
        (leg, self.way)
    }
}

fn element_view(program: &Program, element: Element) -> ElementView {
    ElementView {
        kind: element_kind(element).to_owned(),
        name: program.element_name(element),
    }
}

fn verdict_view(
    program: &Program,
    verdict: &Verdict,
    rule: Option<RuleView>,
    bytes: &[u8],
) -> VerdictView {
    let name = match verdict {
        Verdict::Delivered(_) => "delivered",
        Verdict::Dropped(_) => "dropped",
        Verdict::NotIpv4 => "not_ipv4",
        Verdict::Malformed(_) => "malformed",
        Verdict::Unattributed => "unattributed",
        Verdict::Held => "held",
    };
    let drop = match verdict {
        Verdict::Dropped(drop) => Some(drop),
        _ => None,
    };
    VerdictView {
        verdict: name.to_owned(),
        place: match verdict {
            Verdict::Delivered(place) => Some(program.place_name(*place)),
            _ => None,
        },
        reason: drop.map(|drop| drop.reason.to_string()),
        stage: drop.map(|drop| drop.stage.to_string()),
        element: drop.map(|drop| element_view(program, drop.element)),
        rule,
        policy: drop.and_then(|drop| drop.policy.map(|policy| policy.to_string())),
        detail: drop.and_then(|drop| detail_text(program, drop)),
        packet: packet_text(bytes),
    }
}

/// `tcp 10.0.0.1:40000 > 10.0.0.2:80 [S], ttl 64`.
fn packet_text(bytes: &[u8]) -> String {
    let Ok(headers) = Headers::parse(bytes) else {
        return String::new();
    };
    let flow = FlowKey::of(&headers).map_or_else(String::new, |key| key.to_string());
    let flags = match headers.transport {
        Transport::Tcp(tcp) => format!(" {}", tcp.flags),
        _ => String::new(),
    };
    format!("{flow}{flags}, ttl {}", headers.ttl)
}

/// The fields that differ, in the order of the headers.
fn changes(before: &Headers, after: &Headers) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut compare = |field: &str, old: String, new: String| {
        if old != new {
            let field = field.to_owned();
            changes.push(Change { field, old, new });
        }
    };
    let text = |address: Ipv4Addr| address.to_string();
    compare("ttl", before.ttl.to_string(), after.ttl.to_string());
    compare("source", text(before.source), text(after.source));
    compare(
        "destination",
        text(before.destination),
        text(after.destination),
    );
    for ((field, old), (_, new)) in ports(before).into_iter().zip(ports(after)) {
        compare(field, old.to_string(), new.to_string());
    }
    changes
}

/// The ports, or what stands for them.
fn ports(headers: &Headers) -> Vec<(&'static str, u16)> {
    match headers.transport {
        Transport::Tcp(tcp) => vec![
            ("source_port", tcp.source_port),
            ("destination_port", tcp.destination_port),
        ],
        Transport::Udp(udp) => vec![
            ("source_port", udp.source_port),
            ("destination_port", udp.destination_port),
        ],
        Transport::Icmp(Icmp {
            body: IcmpBody::Query { identifier, .. },
            ..
        }) => vec![("identifier", identifier)],
        _ => Vec::new(),
    }
}
