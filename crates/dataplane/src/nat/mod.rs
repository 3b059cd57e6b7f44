//! NAT sessions: what a gateway remembers of a connection that it translates (§9).

mod destinations;
mod mapping;
mod ports;
mod sessions;
mod taken;

pub(crate) use destinations::{Found, MOST as MOST_TO_A_DESTINATION};
pub(crate) use mapping::{free_remote_port, likely_outside, map_source};
pub(crate) use ports::class as port_class;
pub use ports::of_same_class as ports_of_same_class;
pub(crate) use sessions::Sessions;
pub use taken::TakenPorts;

use crate::conntrack::Zone;
use vpcsim_network::{EipId, NatGatewayId};
use vpcsim_packet::{FlowKey, Rewrite};

/// One translated connection.
///
/// In the table its two keys are what arrives at the gateway: a session opened from inside has
/// the inside packet as its original key, one opened by a DNAT rule the outside packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    pub(crate) gateway: NatGatewayId,
    pub(crate) eip: EipId,
    /// Inside host → remote, as the inside sees it.
    pub(crate) inside: FlowKey,
    /// Public address → remote, as the internet sees it.
    pub(crate) outside: FlowKey,
    /// Who opened it.
    pub(crate) opened: Opened,
    /// The rule that it owes its translation to, of `dnat` where [`Opened::Rule`], else of `snat`:
    /// its position from 1, plus 1. 1: the end of `snat`; 0: none, or not known any more.
    pub(crate) rule: u32,
}

/// Who opened a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened {
    /// A host inside.
    Inside,
    /// The outside, by a DNAT rule.
    Rule,
    /// The outside, by a mapping of another session (policy `filtering: endpoint-independent`).
    Mapping,
}

impl Session {
    /// The keys of the two directions as they arrive at the gateway, the opening one first.
    pub(crate) fn keys(&self) -> [FlowKey; 2] {
        let (outbound, inbound) = (self.inside, self.outside.reversed());
        if self.opened == Opened::Inside {
            [outbound, inbound]
        } else {
            [inbound, outbound]
        }
    }

    /// The session that has these [`keys`](Self::keys).
    pub(crate) fn of_keys(
        gateway: NatGatewayId,
        eip: EipId,
        (opened, rule): (Opened, u32),
        original: FlowKey,
        reply: FlowKey,
    ) -> Self {
        let (inside, inbound) = if opened == Opened::Inside {
            (original, reply)
        } else {
            (reply, original)
        };
        Self {
            gateway,
            eip,
            inside,
            outside: inbound.reversed(),
            opened,
            rule,
        }
    }

    /// What an outbound packet of the session needs.
    pub(crate) fn outbound(&self) -> Rewrite {
        Rewrite::between(&self.inside, &self.outside)
    }

    /// What an inbound packet of the session needs.
    pub(crate) fn inbound(&self) -> Rewrite {
        Rewrite::between(&self.outside.reversed(), &self.inside.reversed())
    }

    /// What the packet quoted by an outbound ICMP error needs: it had travelled inbound.
    pub(crate) fn quoted_outbound(&self) -> Rewrite {
        Rewrite::between(&self.inside.reversed(), &self.outside.reversed())
    }

    /// What the packet quoted by an inbound ICMP error needs: it had travelled outbound.
    pub(crate) fn quoted_inbound(&self) -> Rewrite {
        Rewrite::between(&self.outside, &self.inside)
    }
}

/// The conntrack zone of a gateway.
pub(crate) fn zone(gateway: NatGatewayId) -> Zone {
    Zone(gateway.0)
}
