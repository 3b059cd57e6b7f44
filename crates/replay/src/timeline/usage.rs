//! How full tables are, counted without walking them.

use vpcsim_dataplane::{Program, State};
use vpcsim_network::NatGatewayId;

/// How full the tables were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Flows remembered at nics.
    pub connections: u64,
    /// Sessions of each NAT gateway, in file order.
    pub sessions: Vec<u64>,
}

impl Usage {
    pub(super) fn of(program: &Program, state: &State) -> Self {
        let gateways = 0..program.network().nat_gateways.len() as u32;
        let sessions = gateways.map(|id| state.sessions(NatGatewayId(id)) as u64);
        Self {
            connections: state.connections() as u64,
            sessions: sessions.collect(),
        }
    }

    /// The more of both, each count by itself.
    pub(super) fn or_more(mut self, other: Self) -> Self {
        self.connections = self.connections.max(other.connections);
        for (own, other) in self.sessions.iter_mut().zip(other.sessions) {
            *own = (*own).max(other);
        }
        self
    }
}
