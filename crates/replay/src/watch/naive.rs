//! The plain count: every stop of every packet, with maps of its own for what flows owe to whom.

use super::Decision;
use crate::names::element_text;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vpcsim_dataplane::{DropReason, Element, Nanos, Outcome, Program, Rule, RuleList, Stage, Stop};
use vpcsim_flowlog::Action;
use vpcsim_network::{NatGatewayId, NicId};
use vpcsim_packet::{FlowKey, Headers, IcmpBody, Protocol, Transport};

/// Packets and bytes by nic, flow, window and action.
pub(super) type Logged = BTreeMap<String, (u64, u64)>;

/// A stop, kept.
#[derive(Debug, Clone, Copy)]
struct Noted {
    packet: (u64, bool),
    nic: Option<NicId>,
    stage: Stage,
    decision: Decision,
    key: FlowKey,
    len: u64,
    time: Nanos,
}

#[derive(Debug, Default)]
struct Count {
    flows: BTreeSet<String>,
    packets: u64,
    judged: u64,
}

pub(super) struct Naive<'p> {
    program: &'p Program,
    notes: Vec<Noted>,
    rows: BTreeMap<String, Count>,
    lists: BTreeMap<String, (BTreeSet<String>, u64)>,
    /// Which row a nic's flow owes to.
    flows: HashMap<(NicId, String), String>,
    /// Which row a gateway's session owes to, by its inside and by its outside; `None`: to none.
    sessions: HashMap<(NatGatewayId, String), Option<String>>,
    /// The flow as it was before the stop.
    before: Option<FlowKey>,
}

/// The same for both directions.
fn both_ways(key: &FlowKey) -> String {
    let (one, other) = (key.to_string(), key.reversed().to_string());
    one.min(other)
}

impl<'p> Naive<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        Self {
            program,
            notes: Vec::new(),
            rows: BTreeMap::new(),
            lists: BTreeMap::new(),
            flows: HashMap::new(),
            sessions: HashMap::new(),
            before: None,
        }
    }

    /// A packet starts.
    pub(super) fn begin(&mut self, bytes: &[u8]) {
        let headers = Headers::parse(bytes).ok();
        self.before = headers.and_then(|headers| FlowKey::of(&headers));
    }

    pub(super) fn stop(&mut self, stop: &Stop<'_>) {
        self.notes.push(Noted {
            packet: (stop.id, stop.generated),
            nic: stop.nic,
            stage: stop.stage,
            decision: stop.decision,
            key: stop.key,
            len: stop.headers.total_len as u64,
            time: stop.time,
        });
        match stop.stage {
            Stage::AclEgress | Stage::AclIngress => {
                if let Some(rule) = stop.rule {
                    self.judged(stop, rule.list, &at(rule, "implicit deny"));
                }
            }
            Stage::SecurityGroupEgress | Stage::SecurityGroupIngress => self.group(stop),
            Stage::Route if matches!(stop.element, Element::RouteTable(_)) => self.route(stop),
            Stage::NatGateway => self.gateway(stop),
            _ => {}
        }
        self.before = Some(stop.key);
    }

    fn group(&mut self, stop: &Stop<'_>) {
        let Some(nic) = stop.nic else { return };
        let owed = (nic, both_ways(&spoken_of(stop)));
        match (stop.rule, stop.decision) {
            (Some(rule), decision) => {
                let row = self.judged(stop, rule.list, &at(rule, "implicit deny"));
                if decision == Decision::Pass(Outcome::Opened) {
                    self.flows.insert(owed, row);
                }
            }
            (None, Decision::Pass(Outcome::Established | Outcome::Related)) => {
                if let Some(row) = self.flows.get(&owed).cloned() {
                    self.rows.entry(row).or_default().packets += 1;
                }
            }
            _ => {}
        }
    }

    fn route(&mut self, stop: &Stop<'_>) {
        let end = match stop.decision {
            Decision::Pass(Outcome::Local) => "local: the vpc's own addresses".to_owned(),
            Decision::Pass(Outcome::EipFallback) => "no route: by the sender's eip".to_owned(),
            Decision::Pass(Outcome::ReturnPath) => {
                "return path: the way the flow came in".to_owned()
            }
            Decision::Drop(DropReason::NoRoute) => "no route: drop".to_owned(),
            _ => match stop.rule {
                Some(rule) => at(rule, ""),
                None => return,
            },
        };
        self.judged(stop, RuleList::Routes, &end);
    }

    fn gateway(&mut self, stop: &Stop<'_>) {
        let Element::NatGateway(id) = stop.element else {
            return;
        };
        let strict = self.program.network().nat_gateway(id).strict_snat;
        let end = if strict {
            "no rule: drop"
        } else {
            "no rule: any eip"
        };
        let session = (id, both_ways(&spoken_of(stop)));
        let known = self.sessions.get(&session).cloned();
        let row = match (stop.rule, stop.decision, known) {
            (Some(rule), ..) => self.judged(stop, rule.list, &at(rule, end)),
            (None, Decision::Drop(DropReason::SnatNoRule), _) => {
                self.judged(stop, RuleList::Snat, end)
            }
            (
                None,
                Decision::Pass(Outcome::SourceTranslated | Outcome::DestinationTranslated),
                Some(owed),
            ) => {
                if let Some(row) = owed {
                    self.rows.entry(row).or_default().packets += 1;
                }
                return;
            }
            (None, Decision::Pass(Outcome::SourceTranslated), None) => {
                self.judged(stop, RuleList::Snat, end)
            }
            // Beside a mapping of another session.
            (None, Decision::Pass(Outcome::DestinationTranslated), None) => {
                self.remember(session, None);
                return;
            }
            _ => return,
        };
        if matches!(stop.decision, Decision::Pass(_)) {
            self.remember(session, Some(row));
        }
    }

    fn remember(&mut self, session: (NatGatewayId, String), row: Option<String>) {
        let id = session.0;
        self.sessions.insert(session, row.clone());
        if let Some(before) = self.before {
            self.sessions.insert((id, both_ways(&before)), row);
        }
    }

    fn judged(&mut self, stop: &Stop<'_>, list: RuleList, at: &str) -> String {
        let list = format!(
            "{} {}",
            element_text(self.program, stop.element),
            list.name()
        );
        let row = format!("{list} {at}");
        let count = self.rows.entry(row.clone()).or_default();
        let flow = both_ways(&stop.key);
        count.flows.insert(flow.clone());
        count.packets += 1;
        count.judged += 1;
        let (flows, judged) = self.lists.entry(list).or_default();
        // Of several rules of a list that one flow meets, each decides about a part of it.
        flows.insert(format!("{at} {flow}"));
        *judged += 1;
        row
    }

    pub(super) fn rules(&self) -> BTreeMap<String, (u64, u64, u64)> {
        let rows = self.rows.iter().map(|(row, count)| {
            let untold = row.contains(" snat no rule");
            let judged = if untold { 0 } else { count.judged };
            (
                row.clone(),
                (count.flows.len() as u64, count.packets, judged),
            )
        });
        rows.collect()
    }

    /// Flows and packets that each list judged, but for `snat`.
    pub(super) fn judged_lists(&self) -> Vec<(String, (u64, u64))> {
        let lists = self.lists.iter();
        lists
            .filter(|(list, _)| !list.ends_with(" snat"))
            .map(|(list, (flows, judged))| (list.clone(), (flows.len() as u64, *judged)))
            .collect()
    }

    /// What a log of such windows has to say.
    pub(super) fn log(&self, window: u32) -> Logged {
        let mut logged = Logged::new();
        let mut see = |note: &Noted, action: Action| {
            let nic = note.nic.expect("the stops of a nic say which it is");
            let nic = self.program.nic_name(nic);
            let window = u64::from(window);
            let start = note.time.0 / 1_000_000_000 / window * window;
            let FlowKey {
                protocol,
                source,
                source_port,
                destination,
                destination_port,
            } = note.key;
            let port = if protocol == Protocol::ICMP {
                let [kind, code] = destination_port.to_be_bytes();
                u16::from(kind) | u16::from(code) << 8
            } else {
                destination_port
            };
            let (number, action) = (protocol.0, action.name());
            let key = format!(
                "{nic} {source} {destination} {source_port} {port} {number} {start} {action}"
            );
            let (packets, bytes) = logged.entry(key).or_default();
            *packets += 1;
            *bytes += note.len;
        };
        for (at, note) in self.notes.iter().enumerate() {
            let denied = matches!(note.decision, Decision::Drop(_));
            let action = if denied {
                Action::Reject
            } else {
                Action::Accept
            };
            let next = self.notes.get(at + 1);
            let next = next.filter(|next| next.packet == note.packet);
            let last = at.checked_sub(1).map(|at| &self.notes[at]);
            let after_group = last.is_some_and(|last| {
                last.packet == note.packet && last.stage == Stage::SecurityGroupEgress
            });
            match note.stage {
                Stage::SecurityGroupEgress if denied => see(note, action),
                Stage::SecurityGroupEgress => {
                    let next = next.expect("no packet ends by being let out");
                    match (next.stage, next.decision) {
                        (Stage::Mtu, Decision::Pass(Outcome::Fragmented)) => {}
                        (Stage::AclEgress, Decision::Drop(_)) => see(note, Action::Reject),
                        _ => see(note, Action::Accept),
                    }
                }
                Stage::AclEgress if !after_group => see(note, action),
                Stage::AclIngress if denied => see(note, action),
                Stage::SecurityGroupIngress => see(note, action),
                _ => {}
            }
        }
        logged
    }
}

/// A rule by its position, or the end of its list.
fn at(rule: Rule, end: &str) -> String {
    rule.position
        .map_or(end.to_owned(), |position| position.to_string())
}

/// The flow that a packet speaks of: its own, or the one that it quotes.
fn spoken_of(stop: &Stop<'_>) -> FlowKey {
    match stop.headers.transport {
        Transport::Icmp(icmp) => match icmp.body {
            IcmpBody::Error(quoted) => quoted.key,
            IcmpBody::Query { .. } | IcmpBody::Other => stop.key,
        },
        _ => stop.key,
    }
}
