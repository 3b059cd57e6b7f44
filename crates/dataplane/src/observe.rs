//! What a watcher may see of a walk.

use crate::verdict::{DropReason, Element, Policy, Rule, Stage, named};
use crate::{Nanos, Place};
use std::fmt;
use vpcsim_network::NicId;
use vpcsim_packet::{FlowKey, Headers};

/// Watches a walk. `()` watches nothing and compiles away.
pub trait Observer {
    /// Whether it wants to see stops at all. What nobody watches need not be walked stop by stop
    /// where the outcome is remembered.
    const WATCHES: bool = true;

    /// Whether it can tell from the stops of one packet what the next ones of its flow meet. Then
    /// [`Batch`](crate::Batch) does not walk those that take a remembered way: it says
    /// [`repeat`](Self::repeat) of each, in order, and there are no stops.
    const REMEMBERS: bool = false;

    /// Called once for every stop of every packet, in order.
    fn stop(&mut self, stop: &Stop<'_>);

    /// The packet of the latest stops has arrived; it came as `before` and ended as `after`, and
    /// later packets of its flow will meet the same stops. Gives a number by which to know the
    /// way again; `None`: they are to be walked.
    fn remember(&mut self, _before: &FlowKey, _after: &FlowKey) -> Option<u32> {
        Some(0)
    }

    /// A packet has taken a way that is remembered.
    fn repeat(&mut self, _repeat: &Repeat) {}
}

impl Observer for () {
    const WATCHES: bool = false;

    #[inline(always)]
    fn stop(&mut self, _: &Stop<'_>) {}
}

impl<F: FnMut(&Stop<'_>)> Observer for F {
    fn stop(&mut self, stop: &Stop<'_>) {
        self(stop);
    }
}

/// A packet that took a remembered way: for an observer that [remembers](Observer::REMEMBERS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// The packet's number, as the caller gave it.
    pub id: u64,
    /// The virtual time.
    pub time: Nanos,
    /// The number that the observer gave to the way.
    pub way: u32,
    /// The packet's flow as it came.
    pub before: FlowKey,
    /// As it ended.
    pub after: FlowKey,
    /// Length as the IPv4 header says.
    pub total_len: u16,
}

/// What opened the flow that a packet belongs to: one remembered at a nic, or a session of a NAT
/// gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowRule {
    /// The element that the rule stands in.
    pub element: Element,
    /// The rule that let the flow in, or chose its translation. A position of `None` is the end of
    /// a gateway's `snat` list: all its eips.
    pub rule: Rule,
    /// Whether this packet opened it.
    pub opens: bool,
}

/// One stop of one packet.
#[derive(Debug, Clone, Copy)]
pub struct Stop<'a> {
    /// The packet's number, as the caller gave it.
    pub id: u64,
    /// Whether the network itself made this packet, on account of number `id`.
    pub generated: bool,
    /// The virtual time.
    pub time: Nanos,
    /// The nic that it is leaving, has left last, or is entering; `None` before the first, and
    /// again once it arrives from the internet.
    pub nic: Option<NicId>,
    /// The stage.
    pub stage: Stage,
    /// The element that decided.
    pub element: Element,
    /// What it decided.
    pub decision: Decision,
    /// The rule that decided, where one did.
    pub rule: Option<Rule>,
    /// The policy that decided, where one did.
    pub policy: Option<Policy>,
    /// The rule to which the packet's flow owes that it passes, where a stage knows flows. `None`
    /// too for a flow that an earlier program's rules let in.
    pub flow: Option<FlowRule>,
    /// The flow as the packet leaves the stage: of a later fragment that of its first one.
    pub key: FlowKey,
    /// The headers as they leave the stage.
    pub headers: &'a Headers,
    /// The packet as it leaves the stage, from its IPv4 header on.
    pub bytes: &'a [u8],
}

/// What a stage decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It passes; [`Outcome`] says how.
    Pass(Outcome),
    /// It ends here, arrived.
    Deliver(Place),
    /// It ends here, dropped.
    Drop(DropReason),
    /// It waits here for the first fragment.
    Hold,
}

named! {
    /// How a packet passed a stage.
    Outcome {
        /// The stage has nothing against it.
        Accepted = "accepted",
        /// A rule accepts it, and the flow is remembered.
        Opened = "opened",
        /// It belongs to a flow that was accepted before.
        Established = "established",
        /// It is an ICMP error about a flow that was accepted before.
        Related = "related",
        /// Nothing is bound here that could judge it.
        Unfiltered = "unfiltered",
        /// Same subnet: the acl does not see it (§2.3).
        SameSubnet = "same-subnet",
        /// The vpc's own route.
        Local = "local",
        /// A route of the table.
        Routed = "routed",
        /// It goes back by the way the flow came in (§2.5a).
        ReturnPath = "return-path",
        /// No route, but the sender has an eip (§2.5d).
        EipFallback = "eip-fallback",
        /// The source address was translated.
        SourceTranslated = "source-translated",
        /// The destination address was translated.
        DestinationTranslated = "destination-translated",
        /// A captured private destination got its public side back (§12).
        Untranslated = "untranslated",
        /// Carried as it is.
        Carried = "carried",
        /// The host sends or passes it on by this nic.
        Forwarded = "forwarded",
        /// It was cut to the link's size.
        Fragmented = "fragmented",
        /// The network made this packet.
        Generated = "generated",
    }
}
