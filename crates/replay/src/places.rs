//! Places counted by number: no packet that arrives needs a hash.

use vpcsim_dataplane::{Place, Program};
use vpcsim_network::{ExternalId, NatGatewayId, NicId};

/// The places of a network, numbered: nics, the internet, NAT gateways, externals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    nics: usize,
    gateways: usize,
    externals: usize,
}

impl Places {
    pub(crate) fn new(program: &Program) -> Self {
        let network = program.network();
        Self {
            nics: network.nics.len(),
            gateways: network.nat_gateways.len(),
            externals: network.externals.len(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.nics + 1 + self.gateways + self.externals
    }

    /// The number of a place, from 0.
    #[inline]
    pub(crate) fn number(&self, place: Place) -> usize {
        match place {
            Place::Nic(nic) => nic.index(),
            Place::Internet => self.nics,
            Place::NatGateway(gateway) => self.nics + 1 + gateway.index(),
            Place::External(external) => self.nics + 1 + self.gateways + external.index(),
        }
    }

    /// All places, in the order of their numbers.
    pub(crate) fn all(&self) -> impl Iterator<Item = Place> {
        let nics = (0..).map(NicId).take(self.nics).map(Place::Nic);
        let gateways = (0..).map(NatGatewayId).take(self.gateways);
        let externals = (0..).map(ExternalId).take(self.externals);
        nics.chain([Place::Internet])
            .chain(gateways.map(Place::NatGateway))
            .chain(externals.map(Place::External))
    }
}
