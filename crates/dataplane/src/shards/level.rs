//! How full states are, as far as it is known while rounds are under way.

use crate::{Program, State};
use vpcsim_network::NatGatewayId;

/// How full a state was after the last round that it has given back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Level {
    /// Connections of nics.
    pub(super) flows: usize,
    /// The same by nic.
    by_nic: Vec<u32>,
    /// Connections of each gateway.
    by_gateway: Vec<usize>,
    /// The most connections that a gateway's address ever had towards one destination.
    pub(super) destination_peak: usize,
}

impl Level {
    pub(super) fn of(program: &Program, state: &State) -> Self {
        let mut level = Self::default();
        level.set(program, state);
        level
    }

    /// Becomes [that](Self::of) of a state.
    pub(super) fn set(&mut self, program: &Program, state: &State) {
        let gateways = (0..program.network().nat_gateways.len() as u32).map(NatGatewayId);
        self.flows = state.flows.len();
        self.by_nic.clear();
        self.by_nic.extend_from_slice(state.flows.nic_lens());
        self.by_gateway.clear();
        let lens = gateways.map(|id| state.flows.gateway_len(id));
        self.by_gateway.extend(lens);
        self.destination_peak = state.sessions.destination_peak();
    }

    /// Connections of a nic.
    pub(super) fn of_nic(&self, nic: usize) -> usize {
        self.by_nic.get(nic).map_or(0, |&flows| flows as usize)
    }

    /// Connections of a gateway.
    pub(super) fn of_gateway(&self, gateway: usize) -> usize {
        self.by_gateway.get(gateway).copied().unwrap_or(0)
    }
}
