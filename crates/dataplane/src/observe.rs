//! What a watcher may see of a walk.

use crate::Place;
use crate::verdict::{DropReason, Element, Policy, Rule, Stage, named};
use std::fmt;
use vpcsim_packet::Headers;

/// Watches a walk. `()` watches nothing and compiles away.
pub trait Observer {
    /// Whether it wants to see stops at all. What nobody watches need not be walked stop by stop
    /// where the outcome is remembered.
    const WATCHES: bool = true;

    /// Whether it can tell from the stops of one packet what the next ones of its flow meet. Then
    /// [`Batch`](crate::Batch) does not walk those that take a remembered way: there are no stops
    /// of them.
    const REMEMBERS: bool = false;

    /// Called once for every stop of every packet, in order.
    fn stop(&mut self, stop: &Stop<'_>);
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

/// One stop of one packet.
#[derive(Debug, Clone, Copy)]
pub struct Stop<'a> {
    /// The packet's number, as the caller gave it.
    pub id: u64,
    /// Whether the network itself made this packet, on account of number `id`.
    pub generated: bool,
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
