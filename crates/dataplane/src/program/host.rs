//! The routing of each host: connected routes, the default by the first nic, what it adds.

use super::{Owner, Program};
use crate::lpm::Lpm;
use hashbrown::HashMap;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, HostTable, Network, NicId};

/// Where a host's route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostRouteChoice {
    /// Out of this nic.
    pub(crate) nic: NicId,
}

/// Every host's tables, by cvm.
pub(super) fn tables(network: &Network) -> Vec<HashMap<HostTable, Lpm<HostRouteChoice>>> {
    network
        .cvms
        .iter()
        .map(|cvm| {
            let mut routes: HashMap<HostTable, Vec<(Ipv4Net, HostRouteChoice)>> = HashMap::new();
            let main = routes.entry(HostTable::MAIN).or_default();
            // A declared route stands before what the host would have by itself: of two routes
            // to one prefix the one with the lower metric wins, and declared ones have none.
            for route in cvm
                .routes
                .iter()
                .filter(|route| route.table == HostTable::MAIN)
            {
                main.push((route.destination, HostRouteChoice { nic: route.nic }));
            }
            // A nic without a configured address has no connected route (Linux `fib_add_ifaddr`).
            let configured = |nic: &NicId| network.nic(*nic).addresses.iter().any(|a| a.configured);
            for &nic in cvm.nics.iter().filter(|nic| configured(nic)) {
                let connected = network.subnet(network.nic(nic).subnet).cidr;
                main.push((connected, HostRouteChoice { nic }));
            }
            // Nor can a router behind it be reached (`fib_check_nh`: invalid gateway).
            if let Some(&first) = cvm.nics.first().filter(|nic| configured(nic)) {
                main.push((Ipv4Net::default(), HostRouteChoice { nic: first }));
            }
            for route in cvm
                .routes
                .iter()
                .filter(|route| route.table != HostTable::MAIN)
            {
                let choice = HostRouteChoice { nic: route.nic };
                routes
                    .entry(route.table)
                    .or_default()
                    .push((route.destination, choice));
            }
            routes
                .into_iter()
                .map(|(table, routes)| (table, Lpm::new(routes)))
                .collect()
        })
        .collect()
}

impl Program {
    /// The host's route for a packet: policy rules by source in order, then the main table
    /// (Linux `fib_rules_lookup`: a table without a match falls through to the next rule).
    pub(crate) fn host_route(
        &self,
        cvm: CvmId,
        source: Ipv4Addr,
        destination: Ipv4Addr,
    ) -> Option<HostRouteChoice> {
        let tables = &self.hosts[cvm.index()];
        let rules = self.network().cvm(cvm).rules.iter();
        let by_rule = rules
            .filter(|rule| rule.from.contains(&source))
            .map(|rule| rule.table);
        by_rule
            .chain([HostTable::MAIN])
            .find_map(|table| tables.get(&table)?.longest(destination))
            .copied()
    }

    /// Whether an address is the host's own: 127/8, one on `lo`, a configured address of any nic,
    /// a virtual address it holds, or an eip in direct mode (weak host model, §10).
    pub(crate) fn is_local(&self, cvm: CvmId, address: Ipv4Addr) -> bool {
        let on_lo = self.network().cvm(cvm).lo.contains(&address);
        address.is_loopback() || on_lo || self.local_nic(cvm, address).is_some()
    }

    /// The nic on which the host has an address.
    pub(crate) fn local_nic(&self, cvm: CvmId, address: Ipv4Addr) -> Option<NicId> {
        let network = self.network();
        let mut nics = network.cvm(cvm).nics.iter().copied();
        nics.find(|&nic| {
            let mut own = network.nic(nic).addresses.iter();
            own.any(|own| own.configured && own.address == address) || self.holds(nic, address)
        })
    }

    /// Whether a nic holds a virtual address, or carries an eip in direct mode.
    pub(crate) fn holds(&self, nic: NicId, address: Ipv4Addr) -> bool {
        let vip = match self.owner(self.vpc_of(nic), address) {
            Some(Owner::Havip(havip)) => self.network().havip(havip).holder == Some(nic),
            Some(Owner::Nic(_)) | None => false,
        };
        vip || self.public().direct_nic(self.network(), address) == Some(nic)
    }
}
