//! Network → Program: everything that the walk looks up, made once.

mod filters;
mod host;
mod lasting;
mod members;
mod names;
mod nic;
mod owners;
mod public;
#[cfg(test)]
mod tests;

pub(crate) use filters::AclVerdict;
pub use filters::{GroupRule, Travel};
pub(crate) use host::Host;
pub use owners::Owner;

use crate::Nanos;
use crate::conntrack::Phase;
use crate::intervals::{Intervals, Span};
use crate::lpm::{Lpm, Matches};
use hashbrown::HashMap;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, EipId, ExternalId, Network, RouteTableId};

/// A network compiled for the walk: immutable, shared by `Arc` between workers.
#[derive(Debug, Clone)]
pub struct Program {
    network: Network,
    verify_checksums: bool,
    lasting: lasting::Lasting,
    owners: owners::Owners,
    /// Hosts by their addresses on `lo`; the first in file order where several have one.
    on_lo: HashMap<u32, CvmId>,
    tables: Vec<Lpm<u32>>,
    public: public::PublicAddresses,
    hosts: Box<[host::Host]>,
    nics: Box<[nic::NicFacts]>,
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
        let mut on_lo = HashMap::new();
        for (cvm_id, cvm) in (0..).map(CvmId).zip(&network.cvms) {
            for &address in &cvm.lo {
                on_lo.entry(address.into()).or_insert(cvm_id);
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
        let owners = owners::Owners::new(&network);
        let public = public::PublicAddresses::new(&network);
        let facts = |nic| nic::NicFacts::new(&network, nic);
        Self {
            verify_checksums: false,
            lasting: lasting::Lasting::of(&network),
            on_lo,
            tables,
            hosts: host::hosts(&network, &owners, &public),
            nics: network.nics.iter().map(facts).collect(),
            owners,
            public,
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

    /// Whether a connection that has come so far lasts, whatever packets come.
    pub(crate) fn lasts(&self, phase: Phase) -> bool {
        self.lasting.has(phase)
    }

    /// At least so long a connection that [lasts](Self::lasts) lives after a packet that keeps it alive,
    /// at all places that remember it.
    #[inline]
    pub(crate) fn least_life(&self) -> Nanos {
        self.lasting.least()
    }

    /// The network it was made from.
    pub fn network(&self) -> &Network {
        &self.network
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
