//! Who sends what: every packet of an end, by the addresses that the network tells apart.

use crate::carry::{Path, Step};
use crate::key::{Address, Side};
use crate::list::union;
use crate::place::End;
use crate::reach::Reach;
use crate::set::{Field, Set, Span};
use hashbrown::HashSet;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use std::rc::Rc;
use vpcsim_network::{CvmId, VpcId};

/// Addresses, in order, and destinations that are none of them.
#[derive(Debug)]
pub(crate) struct Known {
    addresses: Vec<Ipv4Addr>,
    others: Set,
}

impl Reach<'_> {
    /// The addresses that an end sends from, in order.
    pub fn senders(&self, from: End) -> Vec<Span> {
        match from {
            End::Cvm(cvm) => {
                let own = &self.facts.hosts[cvm.index()].local;
                let own: Vec<Set> = own
                    .iter()
                    .map(|&(address, _)| Set::address(Field::SOURCE, address))
                    .collect();
                union(&own).source_spans()
            }
            End::Internet | End::External(_) => self.sources(from).source_spans(),
        }
    }

    /// Every packet that an end may send, by the addresses that the network tells apart. One of
    /// the two addresses of each is known.
    ///
    /// `also`: addresses that a host is to send from although its guest does not know them.
    pub(crate) fn sent_by(
        &self,
        from: End,
        also: &[Ipv4Addr],
        only: Option<&HashSet<Ipv4Addr>>,
    ) -> Vec<Path> {
        let (senders, step, side) = match from {
            End::Cvm(cvm) => {
                let own = &self.facts.hosts[cvm.index()].local;
                let mut own: Vec<_> = own.iter().map(|&(address, _)| address).collect();
                let unknown = also.iter().filter(|address| !own.contains(address));
                let unknown: Vec<_> = unknown.copied().collect();
                own.extend(unknown);
                (own, Step::Send(cvm), Side::Source)
            }
            End::Internet => {
                let eips = self.facts.eips.keys().copied().collect();
                (
                    eips,
                    Step::FromInternet { hairpin: None },
                    Side::Destination,
                )
            }
            End::External(external) => {
                let vpc = self.program.network().external(external).vpc;
                let owned = self.facts.owners[vpc.index()].keys();
                let wanted = |address: &&Ipv4Addr| only.is_none_or(|only| only.contains(*address));
                let owned: Vec<Ipv4Addr> = owned.filter(wanted).copied().collect();
                (owned, Step::FromExternal(external), Side::Destination)
            }
        };
        let also = also.iter().map(|&own| Set::address(Field::SOURCE, own));
        let sources = also.fold(self.sources(from), |all, own| all.or(&own));
        let mut paths = Vec::new();
        for opens in [true, false] {
            for &address in &senders {
                let start = Path::start(sources.clone(), opens, step).pinned(side, address);
                match from {
                    End::Cvm(cvm) => self.by_destination(&start, cvm, only, &mut paths),
                    End::Internet | End::External(_) => paths.push(start),
                }
            }
        }
        paths
    }

    /// A host's packets, apart for each address that the network knows, and the rest.
    fn by_destination(
        &self,
        path: &Path,
        cvm: CvmId,
        only: Option<&HashSet<Ipv4Addr>>,
        paths: &mut Vec<Path>,
    ) {
        let Some(&nic) = self.program.network().cvm(cvm).nics.first() else {
            return;
        };
        let known = self.known_from(self.program.vpc_of(nic));
        let own = self.facts.hosts[cvm.index()].local.iter();
        let own: Vec<Ipv4Addr> = own
            .map(|&(address, _)| address)
            .filter(|address| known.addresses.binary_search(address).is_err())
            .collect();
        for &address in known.addresses.iter().chain(&own) {
            let private = !self.facts.eips.contains_key(&address);
            if private && only.is_some_and(|only| !only.contains(&address)) {
                continue;
            }
            paths.push(path.pinned(Side::Destination, address));
        }
        let to = Address::Sent(Side::Destination);
        let others = own.iter().fold(known.others.clone(), |others, &address| {
            others.without(&to.is(address))
        });
        paths.push(path.only(&others));
    }

    /// The addresses that a vpc tells apart: its own, those of its peers, and the public ones.
    fn known_from(&self, vpc: VpcId) -> Rc<Known> {
        if let Some(known) = self.known.borrow().get(&vpc) {
            return Rc::clone(known);
        }
        let mut addresses: Vec<Ipv4Addr> = self.facts.eips.keys().copied().collect();
        for vpc in self.neighbours(vpc) {
            addresses.extend(self.facts.owners[vpc.index()].keys());
        }
        addresses.sort_unstable();
        addresses.dedup();
        let to = Address::Sent(Side::Destination);
        let each: Vec<Set> = addresses.iter().map(|&address| to.is(address)).collect();
        let others = Set::anything().without(&union(&each));
        let known = Rc::new(Known { addresses, others });
        self.known.borrow_mut().insert(vpc, Rc::clone(&known));
        known
    }

    /// A vpc and those that it has a peering with.
    fn neighbours(&self, vpc: VpcId) -> Vec<VpcId> {
        let peerings = self.program.network().peerings.iter();
        let active = peerings.filter(|peering| peering.active);
        let peers = active.filter_map(|peering| peering.other(vpc));
        [vpc].into_iter().chain(peers).collect()
    }

    /// The sources that an end sends from.
    pub(crate) fn sources(&self, from: End) -> Set {
        let network = self.program.network();
        match from {
            End::Cvm(_) => Set::anything(),
            End::Internet => self.strangers(),
            End::External(external) => {
                let networks = &network.external(external).networks;
                if networks.is_empty() {
                    return self.strangers();
                }
                let parts: Vec<Set> = networks
                    .iter()
                    .map(|&net| Set::within(Field::SOURCE, net))
                    .collect();
                union(&parts)
            }
        }
    }

    /// Unicast addresses that nobody in the network has: those of its vpcs, its public addresses
    /// and what lies behind its gateways are not.
    fn strangers(&self) -> Set {
        let network = self.program.network();
        let vpcs = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
        let externals = network
            .externals
            .iter()
            .flat_map(|external| &external.networks);
        let nets = vpcs.chain(externals).chain(&RESERVED);
        let mut own: Vec<Set> = nets.map(|&net| Set::within(Field::SOURCE, net)).collect();
        let eips = self.facts.eips.keys();
        own.extend(eips.map(|&address| Set::address(Field::SOURCE, address)));
        Set::anything().without(&union(&own))
    }
}

/// What nobody sends from: "this network", loopback, multicast, reserved and broadcast (RFC 6890).
pub(crate) const RESERVED: [Ipv4Net; 3] = [
    Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3),
];
