//! What a capture taken inside a network would show.

use crate::{Packets, Traffic};
use vpcsim_network::Network;

/// Conversations of a network, as a capture taken inside it would show them.
#[derive(Debug, Clone)]
pub struct Scene<'n> {
    network: &'n Network,
    traffic: Traffic,
}

impl<'n> Scene<'n> {
    /// A scene of `network` with the seed, times, number of flows and sizes of `traffic`.
    pub fn new(network: &'n Network, traffic: &Traffic) -> Self {
        Self {
            network,
            traffic: traffic.clone(),
        }
    }

    /// The packets, in the order of time.
    pub fn packets(&self) -> Packets {
        let _ = self.network;
        self.traffic.packets()
    }
}
