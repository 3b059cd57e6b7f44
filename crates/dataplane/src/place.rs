//! Where a packet is: SEMANTICS §1.

use vpcsim_network::{CvmId, ExternalId, NatGatewayId, NicId};

/// Where a packet ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// At a nic, handed to its host.
    Nic(NicId),
    /// On the internet.
    Internet,
    /// Beyond a gateway that leaves the simulated world.
    External(ExternalId),
    /// At a NAT gateway itself, which answers pings to its addresses.
    NatGateway(NatGatewayId),
}

/// Where a packet starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// On a host; the host's routing decides the nic (§10).
    Cvm(CvmId),
    /// At a nic, whatever the host would have decided.
    Nic(NicId),
    /// On the internet.
    Internet,
    /// Behind a gateway at the edge of the simulated world.
    External(ExternalId),
}
