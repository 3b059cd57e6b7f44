//! What a replay has counted so far.

use crate::drops::{DropCounts, OTHERS};
use crate::frame::NotIpv4;
use crate::names::element_text;
use crate::places::Places;
use crate::report::{
    CaptureReport, Connections, EipRow, FlowRow, Generated, KindRow, LinkRow, MalformedRow, NatRow,
    PlaceRow, Verdicts,
};
use crate::strangers::Strangers;
use crate::tally::{Count, Tally};
use crate::top_flows::TopFlows;
use std::net::Ipv4Addr;
use vpcsim_capture::LinkType;
use vpcsim_capture::link::{Link, ipv4_payload};
use vpcsim_dataplane::{ArrivedAt, Drop, Place, Program, Use};
use vpcsim_packet::{FlowKey, Malformed};

/// Flows whose drops are counted at once: see [`crate::top_flows`].
const COUNTED_FLOWS: usize = 1024;
/// Flows that the report names.
const NAMED_FLOWS: usize = 10;
/// Ways of being malformed, kinds of frame and link types that are told apart.
const MOST_KINDS: usize = 256;
/// Addresses that a warning names.
const MOST_NAMED: usize = 16;

/// How a packet is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// In the packet.
    Packet(Malformed),
    /// The frame ends within its link header.
    LinkHeader(LinkType),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Packet(malformed) => malformed.fmt(f),
            Self::LinkHeader(link_type) => write!(f, "cut within the {link_type} header"),
        }
    }
}

/// Everything that is counted. Its tables have ceilings.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) all: Count,
    pub(crate) verdicts: Verdicts,
    pub(crate) generated: Generated,
    pub(crate) drops: DropCounts,
    places: Places,
    /// By the number of the place.
    delivered: Vec<Count>,
    flows: TopFlows,
    malformed: Tally<Broken>,
    not_ipv4: Tally<NotIpv4>,
    link_types: Tally<LinkType>,
    captures: Vec<CaptureReport>,
    /// Packets before the capture begun last.
    earlier: u64,
    /// Packets whose time is before the latest seen.
    pub(crate) went_back: u64,
    pub(crate) strangers: Strangers,
    ambiguous: Vec<Ipv4Addr>,
    more_ambiguous: bool,
}

impl Counters {
    pub(crate) fn new(program: &Program) -> Self {
        let places = Places::new(program);
        Self {
            all: Count::default(),
            verdicts: Verdicts::default(),
            generated: Generated::default(),
            drops: DropCounts::default(),
            places,
            delivered: vec![Count::default(); places.len()],
            flows: TopFlows::new(COUNTED_FLOWS),
            malformed: Tally::new(MOST_KINDS),
            not_ipv4: Tally::new(MOST_KINDS),
            link_types: Tally::new(MOST_KINDS),
            captures: Vec::new(),
            earlier: 0,
            went_back: 0,
            strangers: Strangers::default(),
            ambiguous: Vec::new(),
            more_ambiguous: false,
        }
    }

    /// The packets from here on are of another capture.
    pub(crate) fn begin_capture(&mut self, name: &str, format: &str) {
        self.end_capture();
        self.captures.push(CaptureReport {
            name: name.to_owned(),
            format: format.to_owned(),
            packets: 0,
            warnings: Vec::new(),
        });
    }

    /// Something is odd about the capture begun last.
    pub(crate) fn capture_warning(&mut self, text: String) {
        if let Some(capture) = self.captures.last_mut() {
            capture.warnings.push(text);
        }
    }

    fn end_capture(&mut self) {
        if let Some(capture) = self.captures.last_mut() {
            capture.packets += self.all.packets - self.earlier;
        }
        self.earlier = self.all.packets;
    }

    /// The captures, in order.
    pub(crate) fn into_captures(mut self) -> Vec<CaptureReport> {
        self.end_capture();
        self.captures
    }

    /// A packet was read.
    #[inline]
    pub(crate) fn read(&mut self, link_type: LinkType, bytes: u32) {
        self.all.add(bytes);
        self.link_types.add(&link_type, bytes);
    }

    #[inline]
    pub(crate) fn delivered(&mut self, place: Place, bytes: u32) {
        self.verdicts.delivered += 1;
        self.delivered[self.places.number(place)].add(bytes);
    }

    /// Packets that simply arrived.
    pub(crate) fn arrived(&mut self, sum: ArrivedAt) {
        self.verdicts.delivered += sum.packets;
        self.delivered[self.places.number(sum.place)].add_all(Count {
            packets: sum.packets,
            bytes: sum.weight,
        });
    }

    #[inline(never)]
    pub(crate) fn dropped(&mut self, flow: FlowKey, drop: &Drop, bytes: u32) {
        self.verdicts.dropped += 1;
        self.drops.add(drop, bytes);
        self.flows.add(flow, drop, bytes);
    }

    pub(crate) fn malformed(&mut self, broken: Broken, bytes: u32) {
        self.verdicts.malformed += 1;
        self.malformed.add(&broken, bytes);
    }

    pub(crate) fn not_ipv4(&mut self, kind: NotIpv4, bytes: u32) {
        self.verdicts.not_ipv4 += 1;
        self.not_ipv4.add(&kind, bytes);
    }

    /// An address that several vpcs have: named once.
    pub(crate) fn ambiguous(&mut self, address: Ipv4Addr) {
        if self.ambiguous.contains(&address) {
            return;
        }
        if self.ambiguous.len() < MOST_NAMED {
            self.ambiguous.push(address);
        } else {
            self.more_ambiguous = true;
        }
    }

    pub(crate) fn place_rows(&self, program: &Program) -> Vec<PlaceRow> {
        let mut rows: Vec<_> = self
            .places
            .all()
            .zip(&self.delivered)
            .filter(|(_, count)| count.packets > 0)
            .map(|(place, count)| PlaceRow {
                name: program.place_name(place),
                packets: count.packets,
                bytes: count.bytes,
            })
            .collect();
        rows.sort_by(|a, b| {
            let packets = b.packets.cmp(&a.packets);
            packets.then_with(|| a.name.cmp(&b.name))
        });
        rows
    }

    pub(crate) fn flow_rows(&self, program: &Program) -> Vec<FlowRow> {
        let top = self.flows.top(NAMED_FLOWS);
        top.into_iter()
            .map(|flow| {
                let (key, drop) = flow.lost;
                FlowRow {
                    flow: key.to_string(),
                    reason: drop.reason.name(),
                    stage: drop.stage.name(),
                    element: element_text(program, drop.element),
                    packets: flow.packets,
                    bytes: flow.bytes,
                    missed_at_most: flow.missed_at_most,
                }
            })
            .collect()
    }

    pub(crate) fn malformed_rows(&self) -> Vec<MalformedRow> {
        let row = |(what, count)| MalformedRow { what, count };
        named(&self.malformed).into_iter().map(row).collect()
    }

    pub(crate) fn not_ipv4_rows(&self) -> Vec<KindRow> {
        let row = |(kind, packets)| KindRow { kind, packets };
        named(&self.not_ipv4).into_iter().map(row).collect()
    }

    pub(crate) fn link_rows(&self) -> Vec<LinkRow> {
        let mut kinds: Vec<_> = self.link_types.iter().collect();
        kinds.sort_by_key(|(link_type, _)| **link_type);
        let rows = kinds.into_iter().map(|(&link_type, count)| LinkRow {
            name: link_type.to_string(),
            supported: is_supported(link_type),
            packets: count.packets,
        });
        let rest = self.link_types.rest().packets;
        let rest = (rest > 0).then(|| LinkRow {
            name: OTHERS.to_owned(),
            supported: false,
            packets: rest,
        });
        rows.chain(rest).collect()
    }

    /// What the packets themselves gave reason to say.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for capture in &self.captures {
            let name = &capture.name;
            warnings.extend(
                capture
                    .warnings
                    .iter()
                    .map(|text| format!("{name}: {text}")),
            );
        }
        for row in self.link_rows().iter().filter(|row| !row.supported) {
            let (name, packets) = (&row.name, row.packets);
            warnings.push(format!(
                "link type {name} is not read: its {packets} packet(s) count as not IPv4"
            ));
        }
        warnings.extend(self.strangers.warning());
        if self.went_back > 0 {
            warnings.push(format!(
                "{} packet(s) have a time before that of an earlier packet: the clock was held",
                self.went_back
            ));
        }
        for address in &self.ambiguous {
            warnings.push(format!(
                "{address} is somebody's in several vpcs: its packets were taken as sent in the \
                 first of them in file order; --map or --at says otherwise"
            ));
        }
        if self.more_ambiguous {
            warnings.push("more addresses are somebody's in several vpcs".to_owned());
        }
        warnings
    }
}

/// How full the gateways are.
pub(crate) fn nat_rows(program: &Program, usage: &Use) -> Vec<NatRow> {
    let network = program.network();
    let rows = usage.gateways.iter().map(|gateway| {
        let declared = network.nat_gateway(gateway.gateway);
        let eips = gateway.by_eip.iter().map(|&(id, sessions)| {
            let eip = network.eip(id);
            EipRow {
                name: eip.name.clone(),
                address: eip.address,
                sessions: sessions as u64,
            }
        });
        NatRow {
            gateway: declared.name.clone(),
            sessions: gateway.sessions as u64,
            sessions_peak: gateway.sessions_peak as u64,
            max_connections: u64::from(declared.max_connections),
            eips: eips.collect(),
        }
    });
    rows.collect()
}

/// How full the nics are.
pub(crate) fn connections(usage: &Use) -> Connections {
    Connections {
        now: usage.connections as u64,
        peak: usage.connections_peak as u64,
    }
}

/// Kinds by name, most packets first; what was beyond the ceiling last.
fn named<K: ToString + Eq + std::hash::Hash + Clone>(tally: &Tally<K>) -> Vec<(String, u64)> {
    let kinds = tally.iter();
    let mut rows: Vec<_> = kinds
        .map(|(kind, count)| (kind.to_string(), count.packets))
        .collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rest = tally.rest().packets;
    rows.extend((rest > 0).then(|| (OTHERS.to_owned(), rest)));
    rows
}

/// Whether packets of a link type are read: an empty frame says so.
fn is_supported(link_type: LinkType) -> bool {
    !matches!(ipv4_payload(link_type, &[], 0), Link::Unsupported(_))
}
