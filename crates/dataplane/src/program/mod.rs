//! Network → Program: everything that the walk looks up, made once.

mod filters;
mod host;
mod members;
mod names;
mod public;

pub(crate) use filters::AclVerdict;
pub use filters::{GroupRule, Travel};
pub(crate) use host::HostRouteChoice;

use crate::intervals::{Intervals, Span};
use crate::lpm::{Lpm, Matches};
use hashbrown::HashMap;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_network::{
    CvmId, EipId, ExternalId, HavipId, HostTable, Network, NicId, RouteTableId, SubnetId, VpcId,
};

/// Who owns a private address of a vpc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A nic has it.
    Nic(NicId),
    /// It is a virtual address.
    Havip(HavipId),
}

/// A network compiled for the walk: immutable, shared by `Arc` between workers.
#[derive(Debug, Clone)]
pub struct Program {
    network: Network,
    verify_checksums: bool,
    owners: HashMap<(VpcId, Ipv4Addr), Owner>,
    /// Vpcs in which an address is somebody's, in file order.
    vpcs_of: HashMap<Ipv4Addr, Vec<VpcId>>,
    /// Hosts by their addresses on `lo`; the first in file order where several have one.
    on_lo: HashMap<Ipv4Addr, CvmId>,
    tables: Vec<Lpm<u32>>,
    public: public::PublicAddresses,
    hosts: Vec<HashMap<HostTable, Lpm<HostRouteChoice>>>,
    filters: filters::Filters,
    /// The first external that has an address behind it, or [`NOWHERE`].
    externals: Intervals,
    /// A vpc with an address in its CIDRs, or [`NOWHERE`].
    private: Intervals,
}

const NOWHERE: u32 = u32::MAX;

impl Program {
    /// Compiles a network. A [`Network`] is valid by construction, so this cannot fail.
    pub fn new(network: Network) -> Self {
        let mut owners = HashMap::new();
        let mut vpcs_of: HashMap<Ipv4Addr, Vec<VpcId>> = HashMap::new();
        let mut own = |vpc: VpcId, address: Ipv4Addr, owner: Owner| {
            owners.entry((vpc, address)).or_insert(owner);
            let vpcs = vpcs_of.entry(address).or_default();
            if !vpcs.contains(&vpc) {
                vpcs.push(vpc);
            }
        };
        for (nic_id, nic) in (0..).map(NicId).zip(&network.nics) {
            let vpc = network.subnet(nic.subnet).vpc;
            for address in &nic.addresses {
                own(vpc, address.address, Owner::Nic(nic_id));
            }
        }
        for (havip_id, havip) in (0..).map(HavipId).zip(&network.havips) {
            let vpc = network.subnet(havip.subnet).vpc;
            own(vpc, havip.address, Owner::Havip(havip_id));
        }
        let mut on_lo = HashMap::new();
        for (cvm_id, cvm) in (0..).map(CvmId).zip(&network.cvms) {
            for &address in &cvm.lo {
                on_lo.entry(address).or_insert(cvm_id);
            }
        }
        let tables = network
            .route_tables
            .iter()
            .map(|table| {
                let enabled = (0..).zip(&table.routes).filter(|(_, route)| route.enabled);
                Lpm::new(enabled.map(|(index, route)| (route.destination, index)))
            })
            .collect();
        Self {
            verify_checksums: false,
            owners,
            vpcs_of,
            on_lo,
            tables,
            public: public::PublicAddresses::new(&network),
            hosts: host::tables(&network),
            filters: filters::Filters::new(&network),
            externals: first_of(network.externals.iter().map(|e| &e.networks[..])),
            private: first_of(network.vpcs.iter().map(|vpc| &vpc.cidrs[..])),
            network,
        }
    }

    /// The same program, dropping packets with a wrong checksum (`--verify-checksums`, §11).
    #[must_use]
    pub fn verifying_checksums(mut self, verify: bool) -> Self {
        self.verify_checksums = verify;
        self
    }

    /// Whether wrong checksums drop.
    pub(crate) fn verify_checksums(&self) -> bool {
        self.verify_checksums
    }

    /// The network it was made from.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Who owns a private address in a vpc.
    pub fn owner(&self, vpc: VpcId, address: Ipv4Addr) -> Option<Owner> {
        self.owners.get(&(vpc, address)).copied()
    }

    /// Who owns a private address in any vpc; the first in file order where several vpcs
    /// use the same addresses.
    pub fn owner_anywhere(&self, address: Ipv4Addr) -> Option<(VpcId, Owner)> {
        let vpc = *self.vpcs_of.get(&address)?.first()?;
        Some((vpc, self.owner(vpc, address)?))
    }

    /// Whether several vpcs have somebody with this address.
    pub fn is_ambiguous(&self, address: Ipv4Addr) -> bool {
        self.vpcs_of
            .get(&address)
            .is_some_and(|vpcs| vpcs.len() > 1)
    }

    /// The host that a captured packet of this source was sent by (§12): the owner of the
    /// private address, the holder of the virtual one, a host with it on `lo`, or the owner of
    /// an eip in direct mode.
    pub fn sender(&self, source: Ipv4Addr) -> Option<CvmId> {
        match self.owner_anywhere(source) {
            Some((_, Owner::Nic(nic))) => return Some(self.network.nic(nic).cvm),
            Some((_, Owner::Havip(havip))) => {
                return self
                    .network
                    .havip(havip)
                    .holder
                    .map(|nic| self.network.nic(nic).cvm);
            }
            None => {}
        }
        if let Some(nic) = self.public.direct_nic(&self.network, source) {
            return Some(self.network.nic(nic).cvm);
        }
        self.on_lo.get(&source).copied()
    }

    /// The gateway at the edge of the simulated world behind which an address lies; the first in
    /// file order where several do.
    pub fn external_of(&self, address: Ipv4Addr) -> Option<ExternalId> {
        let external = self.externals.find(address.into());
        (external != NOWHERE).then_some(ExternalId(external))
    }

    /// Whether an address lies in the CIDRs of any vpc.
    #[inline]
    pub fn is_private(&self, address: Ipv4Addr) -> bool {
        self.private.find(address.into()) != NOWHERE
    }

    /// The eip with this public address.
    pub fn eip_of_public(&self, address: Ipv4Addr) -> Option<EipId> {
        self.public.by_public(address)
    }

    /// The vpc of a nic.
    pub fn vpc_of(&self, nic: NicId) -> VpcId {
        self.network.subnet(self.network.nic(nic).subnet).vpc
    }

    /// The subnet of a nic.
    pub(crate) fn subnet_of(&self, nic: NicId) -> SubnetId {
        self.network.nic(nic).subnet
    }

    /// The routes of a table that match, longest prefix first, in file order at equal prefix,
    /// by position in the table.
    pub(crate) fn routes(&self, table: RouteTableId, destination: Ipv4Addr) -> Matches<'_, u32> {
        self.tables[table.index()].matches(destination)
    }

    /// Public addresses.
    pub(crate) fn public(&self) -> &public::PublicAddresses {
        &self.public
    }
}

/// By address, the number of the first list that has it in a prefix.
fn first_of<'a>(lists: impl Iterator<Item = &'a [Ipv4Net]>) -> Intervals {
    let numbered = (0..).zip(lists);
    let spans = numbered.flat_map(|(number, nets)| {
        let spans = nets
            .iter()
            .filter_map(|net| Span::new(net.network(), net.broadcast()));
        spans.map(move |span| (span, number))
    });
    let spans: Vec<_> = spans.collect();
    Intervals::first_of(&spans, NOWHERE)
}
