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
    /// Of all these states together.
    pub(crate) fn of<'a>(program: &Program, states: impl IntoIterator<Item = &'a State>) -> Self {
        let mut all = Self {
            connections: 0,
            sessions: vec![0; program.network().nat_gateways.len()],
        };
        for state in states {
            all.connections += state.connections() as u64;
            for (sessions, id) in all.sessions.iter_mut().zip(0..) {
                *sessions += state.sessions(NatGatewayId(id)) as u64;
            }
        }
        all
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
