//! The report: what `--json` prints. docs/report.md says what each key means.

use crate::flow_log::FlowLogReport;
use crate::rules::RuleReport;
use crate::timeline::Timeline;
use serde::Serialize;
use std::net::Ipv4Addr;

/// What became of the packets of a replay.
///
/// Everything but [`Report::timing`] is the same on every run of the same inputs, order included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Packets of all captures.
    pub packets: u64,
    /// Bytes that they had on the link, whatever of them was captured.
    pub bytes: u64,
    /// What became of them: adds up to `packets`.
    pub verdicts: Verdicts,
    /// Packets that the network itself made.
    pub generated: Generated,
    /// Dropped packets by stage, reason, element and rule; most packets first.
    pub drops: Vec<DropRow>,
    /// Delivered packets by place; most packets first. Adds up to `verdicts.delivered`.
    pub places: Vec<PlaceRow>,
    /// NAT gateways, in file order.
    pub nat: Vec<NatRow>,
    /// Flows remembered at nics.
    pub connections: Connections,
    /// The ten flows that lost most packets.
    pub dropped_flows: Vec<FlowRow>,
    /// What was malformed, and where; most packets first.
    pub malformed: Vec<MalformedRow>,
    /// What was not IPv4; most packets first.
    pub not_ipv4: Vec<KindRow>,
    /// Link types, by number.
    pub link_types: Vec<LinkRow>,
    /// The captures, in the order in which they were replayed.
    pub captures: Vec<CaptureReport>,
    /// What was odd.
    pub warnings: Vec<String>,
    /// What each rule decided, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<RuleReport>,
    /// What was logged of flows, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_log: Option<FlowLogReport>,
    /// How long it took, and when it was captured.
    pub timing: Timing,
    /// What happened when, where that was asked for; not for `--json`.
    #[serde(skip)]
    pub timeline: Option<Box<Timeline>>,
}

/// The six verdicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    /// Arrived.
    pub delivered: u64,
    /// Dropped.
    pub dropped: u64,
    /// Not IPv4.
    pub not_ipv4: u64,
    /// Too broken to have a flow.
    pub malformed: u64,
    /// Their source is nobody's.
    pub unattributed: u64,
    /// Fragments that still waited for their first one at the end.
    pub held: u64,
}

impl Verdicts {
    /// All of them.
    pub fn total(&self) -> u64 {
        let Self {
            delivered,
            dropped,
            not_ipv4,
            malformed,
            unattributed,
            held,
        } = self;
        delivered + dropped + not_ipv4 + malformed + unattributed + held
    }
}

/// Packets that the network itself made: ICMP errors, proxied echo replies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Generated {
    /// All of them.
    pub total: u64,
    /// Those that arrived.
    pub delivered: u64,
    /// Those that were dropped.
    pub dropped: u64,
}

/// Packets dropped for one reason at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DropRow {
    /// The stage of the walk.
    pub stage: &'static str,
    /// The reason.
    pub reason: &'static str,
    /// The element, with its kind.
    pub element: String,
    /// The rule, where one decided.
    pub rule: Option<String>,
    /// The policy, where one decided.
    pub policy: Option<&'static str>,
    /// What else is known: what rp_filter saw.
    pub detail: Option<String>,
    /// How many.
    pub packets: u64,
    /// Their bytes on the link.
    pub bytes: u64,
}

impl DropRow {
    /// What rows of equal counts are sorted by.
    pub(crate) fn names(&self) -> impl Ord + '_ {
        (
            self.stage,
            self.reason,
            &self.element,
            &self.rule,
            &self.policy,
            &self.detail,
        )
    }
}

/// Packets delivered at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceRow {
    /// `web-1/eth0`, `internet`, `external:office`, `nat:gw`.
    pub name: String,
    /// How many.
    pub packets: u64,
    /// Their bytes on the link.
    pub bytes: u64,
}

/// How full a NAT gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NatRow {
    /// Its name.
    pub gateway: String,
    /// Sessions at the end.
    pub sessions: u64,
    /// The most there ever were.
    pub sessions_peak: u64,
    /// How many it may have.
    pub max_connections: u64,
    /// Its public addresses.
    pub eips: Vec<EipRow>,
}

/// How full an eip of a NAT gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EipRow {
    /// Its name.
    pub name: String,
    /// Its public address.
    pub address: Ipv4Addr,
    /// Sessions at the end.
    pub sessions: u64,
}

/// Flows remembered at nics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// At the end.
    pub now: u64,
    /// The most there ever were.
    pub peak: u64,
}

/// A flow that lost packets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowRow {
    /// `tcp 10.0.0.1:1234 > 10.0.0.2:80`, as it was before any translation.
    pub flow: String,
    /// Why.
    pub reason: &'static str,
    /// Where.
    pub stage: &'static str,
    /// At what.
    pub element: String,
    /// Packets counted.
    pub packets: u64,
    /// Their bytes on the link.
    pub bytes: u64,
    /// Packets that may have been missed, since only so many flows are counted at once.
    pub missed_at_most: u64,
}

/// Packets that were malformed in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MalformedRow {
    /// Which layer, where, what was wanted and what is there.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// Packets that were not IPv4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindRow {
    /// What they were instead.
    pub kind: String,
    /// How many.
    pub packets: u64,
}

/// Packets of a link type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkRow {
    /// Name and number.
    pub name: String,
    /// Whether it is read; packets of others count as not IPv4.
    pub supported: bool,
    /// How many.
    pub packets: u64,
}

/// A capture that was replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaptureReport {
    /// Its name.
    pub name: String,
    /// Its format, byte order and compression.
    pub format: String,
    /// Packets read from it.
    pub packets: u64,
    /// What was odd about it.
    pub warnings: Vec<String>,
}

/// How long a replay took, and when its packets were captured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Seconds on the clock of this machine.
    pub elapsed_seconds: f64,
    /// Packets per second of this machine's time.
    pub packets_per_second: f64,
    /// The earliest time in the captures (RFC 3339).
    pub capture_start: Option<String>,
    /// The latest time in the captures (RFC 3339).
    pub capture_end: Option<String>,
}
