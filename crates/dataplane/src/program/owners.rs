//! Whose a private address is.

use super::Program;
use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, HavipId, Network, NicId, VpcId};

/// Who owns a private address of a vpc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A nic has it.
    Nic(NicId),
    /// It is a virtual address.
    Havip(HavipId),
}

impl Owner {
    /// The cvm that answers for the address; `None` for a virtual one that nobody holds.
    fn cvm(self, network: &Network) -> Option<CvmId> {
        let nic = match self {
            Self::Nic(nic) => nic,
            Self::Havip(havip) => network.havip(havip).holder?,
        };
        Some(network.nic(nic).cvm)
    }
}

/// A private address in one number, which hashes faster than its parts.
#[inline]
pub(super) fn private(vpc: VpcId, address: Ipv4Addr) -> u64 {
    u64::from(vpc.0) << 32 | u64::from(u32::from(address))
}

#[derive(Debug, Clone, Default)]
pub(super) struct Owners {
    by_vpc: HashMap<u64, Owner>,
    anywhere: HashMap<u32, Anywhere>,
}

/// The first vpc in which an address is somebody's.
#[derive(Debug, Clone, Copy)]
struct Anywhere {
    vpc: VpcId,
    owner: Owner,
    /// Whether it is also somebody's in another.
    is_ambiguous: bool,
}

impl Owners {
    pub(super) fn new(network: &Network) -> Self {
        let mut owners = Self::default();
        for (id, nic) in (0..).map(NicId).zip(&network.nics) {
            let vpc = network.subnet(nic.subnet).vpc;
            for own in &nic.addresses {
                owners.add(vpc, own.address, Owner::Nic(id));
            }
        }
        for (id, havip) in (0..).map(HavipId).zip(&network.havips) {
            let vpc = network.subnet(havip.subnet).vpc;
            owners.add(vpc, havip.address, Owner::Havip(id));
        }
        owners
    }

    fn add(&mut self, vpc: VpcId, address: Ipv4Addr, owner: Owner) {
        self.by_vpc.entry(private(vpc, address)).or_insert(owner);
        let first = Anywhere {
            vpc,
            owner,
            is_ambiguous: false,
        };
        let anywhere = self.anywhere.entry(address.into()).or_insert(first);
        anywhere.is_ambiguous |= anywhere.vpc != vpc;
    }

    #[inline]
    pub(super) fn of(&self, vpc: VpcId, address: Ipv4Addr) -> Option<Owner> {
        self.by_vpc.get(&private(vpc, address)).copied()
    }
}

impl Program {
    /// Who owns a private address in a vpc.
    #[inline]
    pub fn owner(&self, vpc: VpcId, address: Ipv4Addr) -> Option<Owner> {
        self.owners.of(vpc, address)
    }

    /// Who owns a private address in any vpc; the first in file order where several vpcs
    /// use the same addresses.
    #[inline]
    pub fn owner_anywhere(&self, address: Ipv4Addr) -> Option<(VpcId, Owner)> {
        let found = self.owners.anywhere.get(&u32::from(address))?;
        Some((found.vpc, found.owner))
    }

    /// Whether several vpcs have somebody with this address.
    pub fn is_ambiguous(&self, address: Ipv4Addr) -> bool {
        let found = self.owners.anywhere.get(&u32::from(address));
        found.is_some_and(|found| found.is_ambiguous)
    }

    /// The host that a captured packet of this source was sent by (§12): the owner of the
    /// private address, the holder of the virtual one, a host with it on `lo`, or the owner of
    /// an eip in direct mode.
    pub fn sender(&self, source: Ipv4Addr) -> Option<CvmId> {
        if let Some((_, owner)) = self.owner_anywhere(source) {
            return owner.cvm(&self.network);
        }
        if let Some(nic) = self.public.direct_nic(source) {
            return Some(self.cvm_of(nic));
        }
        self.on_lo.get(&u32::from(source)).copied()
    }
}
