//! What a trace says, for people and programs.

use serde::Serialize;

/// One packet and its reply through the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Where the request starts, as it was asked.
    pub from: String,
    /// Where it is to arrive, as it was asked.
    pub to: String,
    /// `tcp`, `udp` or `icmp`.
    pub protocol: String,
    /// The port that was asked for or chosen; none for ICMP.
    pub port: Option<u16>,
    /// Whether the request arrived, was answered, and the answer arrived where the request came
    /// from.
    pub reachable: bool,
    /// Why not, in one sentence.
    pub why: Option<String>,
    /// The request, and the reply where there is one.
    pub legs: Vec<Leg>,
}

/// One packet's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leg {
    /// `request` or `reply`.
    pub name: String,
    /// Where it starts: `web-1`, `web-1/eth0`, `internet`, `external:office`, `nat:gw`.
    pub start: String,
    /// The packet as it starts.
    pub packet: String,
    /// Every stop, in order.
    pub stops: Vec<StopView>,
    /// How it ended.
    pub verdict: VerdictView,
}

/// One stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StopView {
    /// The stage of the walk.
    pub stage: String,
    /// What decided there.
    pub element: ElementView,
    /// What it decided: an outcome such as `opened` or `routed`, `delivered`, `held`, or a drop
    /// reason.
    pub decision: String,
    /// Whether the packet was dropped here.
    pub dropped: bool,
    /// The rule that decided, where one did.
    pub rule: Option<RuleView>,
    /// The policy that decided, where one did.
    pub policy: Option<String>,
    /// What changed in the headers.
    pub changes: Vec<Change>,
}

/// An element of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ElementView {
    /// Its kind: `acl`, `nic`, `internet`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A rule, by its list and position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleView {
    /// `ingress`, `egress`, `routes`, `snat`, `dnat`.
    pub list: String,
    /// Position in the list, from 1; none: the end of the list.
    pub position: Option<u32>,
    /// Line in the network file, where one declares it.
    pub line: Option<u32>,
    /// The rule itself, as it is written; none at the end of a list.
    pub text: Option<String>,
}

/// A header field that a stop changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `source`, `source_port`, `destination`, `destination_port`, `identifier`, `ttl`.
    pub field: String,
    /// What it was.
    pub old: String,
    /// What it is.
    pub new: String,
}

/// How a leg ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerdictView {
    /// `delivered`, `dropped`, `held`, …
    pub verdict: String,
    /// Where it arrived.
    pub place: Option<String>,
    /// Why it was dropped.
    pub reason: Option<String>,
    /// At which stage.
    pub stage: Option<String>,
    /// By what.
    pub element: Option<ElementView>,
    /// By which rule.
    pub rule: Option<RuleView>,
    /// By which policy.
    pub policy: Option<String>,
    /// What else is known: what rp_filter saw.
    pub detail: Option<String>,
    /// The packet as it looks where it ended.
    pub packet: String,
}
