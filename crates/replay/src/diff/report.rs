//! What a comparison says: what `--json` prints. docs/diff.md says what each key means.

use super::changes::{Amount, Change, Differs};
use crate::report::{CaptureReport, Generated, KindRow, MalformedRow, Timing, Verdicts};
use crate::trace::RuleView;
use serde::Serialize;
use std::net::Ipv4Addr;

/// The same captures through two networks.
///
/// Everything but [`DiffReport::timing`] is the same on every run of the same inputs, order
/// included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiffReport {
    /// Packets of all captures.
    pub packets: u64,
    /// Bytes that they had on the link.
    pub bytes: u64,
    /// Flows, both directions one, of which somebody in one of the networks sent a packet.
    pub flows: u64,
    /// Flows that were silent for so long that they were forgotten: such a one is counted anew when
    /// it comes back.
    pub flows_forgotten: u64,
    /// What became of the packets in the old network.
    pub old: SideReport,
    /// What became of the packets in the new network.
    pub new: SideReport,
    /// Arrived in the old network, does not in the new one.
    pub lost: ChangeReport,
    /// Did not arrive in the old network, does in the new one.
    pub allowed: ChangeReport,
    /// Arrives in both, but not alike.
    pub moved: ChangeReport,
    /// Senders that are somebody else's in the new network; most packets first.
    pub senders: Vec<SenderRow>,
    /// Packets of such senders beyond those in `senders`.
    pub senders_beyond: u64,
    /// What was malformed, and where; most packets first.
    pub malformed: Vec<MalformedRow>,
    /// What was not IPv4; most packets first.
    pub not_ipv4: Vec<KindRow>,
    /// The captures, in the order in which they were read.
    pub captures: Vec<CaptureReport>,
    /// What was odd.
    pub warnings: Vec<String>,
    /// How long it took, and when it was captured.
    pub timing: Timing,
}

impl DiffReport {
    /// What changed in this way.
    pub fn change(&self, change: Change) -> &ChangeReport {
        match change {
            Change::Lost => &self.lost,
            Change::Allowed => &self.allowed,
            Change::Moved => &self.moved,
        }
    }
}

/// What became of the packets in one of the networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SideReport {
    /// The network file.
    pub network: String,
    /// What became of them: adds up to the packets, as in a replay.
    pub verdicts: Verdicts,
    /// Packets that the network itself made.
    pub generated: Generated,
}

/// What changed in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChangeReport {
    /// All of it.
    #[serde(flatten)]
    pub total: Amount,
    /// What made the difference, most packets first. The packets add up to all of them; a flow is
    /// counted with each cause that it meets.
    pub causes: Vec<CauseRow>,
    /// What has causes beyond those that are told apart.
    pub causes_beyond: Amount,
    /// The flows, most packets first.
    #[serde(rename = "by_flow")]
    pub flows: Vec<FlowRow>,
    /// Flows that are not listed.
    pub flows_beyond: u64,
}

/// What made the difference for packets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CauseRow {
    /// In what the packets differ, where they arrive in both networks.
    pub differs: Option<Differs>,
    /// In the old network.
    pub old: Reason,
    /// In the new network.
    pub new: Reason,
    /// How much.
    #[serde(flatten)]
    pub amount: Amount,
}

/// A flow of which something changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowRow {
    /// The flow, as it was captured, in the direction of its first packet.
    pub flow: String,
    /// Packets of it that changed in this way.
    pub packets: u64,
    /// Their bytes on the link.
    pub bytes: u64,
    /// The first of them.
    pub first: FirstPacket,
    /// What made the difference for it: the row of the causes, from 1; none where it is not told
    /// apart.
    pub cause: Option<usize>,
    /// In what it differs, where it arrives in both networks.
    pub differs: Option<Differs>,
    /// What became of it in the old network.
    pub old: Arrival,
    /// What became of it in the new network.
    pub new: Arrival,
}

/// The first packet of a flow that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstPacket {
    /// Its number in the captures, from 1.
    pub number: u64,
    /// When it was captured (RFC 3339).
    pub time: String,
    /// As it was captured: in the flow's direction or against it.
    pub packet: String,
}

/// What became of a packet in one of the networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Arrival {
    /// Where it arrived.
    pub place: Option<String>,
    /// What it looks like there.
    pub packet: Option<String>,
    /// What made the difference.
    pub reason: Reason,
}

/// What made the difference in one of the networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// `delivered`, `dropped`, `unattributed` (nobody there has sent it) or `held`.
    pub verdict: &'static str,
    /// Where the packet started, if it started elsewhere than in the other network.
    pub start: Option<String>,
    /// The stop that decided; none where it is not known any more.
    pub decided: Option<Decided>,
    /// Where it was dropped, if that is not the stop that made the difference.
    pub dropped: Option<Decided>,
}

/// A stop that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The stage of the walk.
    pub stage: &'static str,
    /// The element, with its kind.
    pub element: String,
    /// What it decided: an outcome such as `opened` or `routed`, `delivered`, or a drop reason.
    pub decision: &'static str,
    /// The rule, where one decided. Of a packet that passed as part of its flow: the one that let
    /// the flow in.
    pub rule: Option<RuleView>,
    /// The policy, where one decided.
    pub policy: Option<&'static str>,
    /// What else is known: what rp_filter saw.
    pub detail: Option<String>,
}

/// A sender that is somebody else's in the new network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SenderRow {
    /// Its address, as it was captured.
    pub address: Ipv4Addr,
    /// Where its packets start in the old network: a host, `internet`, `external:office`; none:
    /// nowhere, it is nobody's.
    pub old: Option<String>,
    /// Where they start in the new network.
    pub new: Option<String>,
    /// How many.
    pub packets: u64,
}
