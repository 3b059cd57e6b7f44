//! Where a packet is: SEMANTICS §1.

use crate::ArrivedAt;
use std::ops::AddAssign;
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

/// How many packets arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrived {
    /// On the internet.
    pub outside: usize,
    /// At nics.
    pub inside: usize,
}

impl FromIterator<Option<Place>> for Arrived {
    fn from_iter<I: IntoIterator<Item = Option<Place>>>(places: I) -> Self {
        let mut arrived = Self::default();
        places.into_iter().for_each(|place| {
            // Which way a packet goes nobody can foresee: no branch.
            arrived.outside += usize::from(place == Some(Place::Internet));
            arrived.inside += usize::from(matches!(place, Some(Place::Nic(_))));
        });
        arrived
    }
}

impl<'a> FromIterator<&'a ArrivedAt> for Arrived {
    fn from_iter<I: IntoIterator<Item = &'a ArrivedAt>>(sums: I) -> Self {
        let mut arrived = Self::default();
        for &ArrivedAt { place, packets, .. } in sums {
            match place {
                Place::Internet => arrived.outside += packets as usize,
                Place::Nic(_) => arrived.inside += packets as usize,
                Place::External(_) | Place::NatGateway(_) => {}
            }
        }
        arrived
    }
}

impl AddAssign for Arrived {
    fn add_assign(&mut self, other: Self) {
        self.outside += other.outside;
        self.inside += other.inside;
    }
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
