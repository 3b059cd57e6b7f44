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

use crate::conntrack::SessionKeys;
use crate::state::Flow;
use vpcsim_network::{EipId, NatGatewayId};
use vpcsim_packet::{FlowKey, Rewrite};

/// One translated connection.
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

/// What a gateway remembers of a session beyond its tracking.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GatewayFlow {
    eip: u32,
    /// The rule, then who opened it. A gateway has far fewer than 2^30 rules: its file would have
    /// gigabytes.
    owes: u32,
}

impl GatewayFlow {
    fn of(session: &Session) -> Self {
        let opened = match session.opened {
            Opened::Inside => 0,
            Opened::Rule => 1,
            Opened::Mapping => 2,
        };
        Self {
            eip: session.eip.0,
            owes: session.rule << 2 | opened,
        }
    }

    pub(crate) fn eip(self) -> EipId {
        EipId(self.eip)
    }

    pub(crate) fn opened(self) -> Opened {
        match self.owes & 3 {
            0 => Opened::Inside,
            1 => Opened::Rule,
            _ => Opened::Mapping,
        }
    }

    /// As [`Session::rule`].
    fn rule(self) -> u32 {
        self.owes >> 2
    }
}

impl Session {
    /// The session of a record, if it has one.
    #[inline]
    pub(crate) fn of(record: &Flow) -> Option<Self> {
        let gateway = record.gateway()?;
        Some(Self {
            gateway,
            eip: record.at_gateway.eip(),
            inside: record.inside(),
            outside: record.outside(),
            opened: record.at_gateway.opened(),
            rule: record.at_gateway.rule(),
        })
    }

    fn keys(&self) -> SessionKeys<'_> {
        SessionKeys {
            inside: &self.inside,
            outside: &self.outside,
            inbound: self.opened != Opened::Inside,
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
