//! Who is out there, and what a host listens for.

use crate::carry;
use crate::list::union;
use crate::reach::{Reach, Way};
use crate::set::{Field, Set, of_rule};
use ipnet::Ipv4Net;
use vpcsim_dataplane::Place;
use vpcsim_network::NOT_PUBLIC;

impl Reach<'_> {
    /// Public addresses that nobody of ours has.
    pub(crate) fn public(&self, field: Field) -> Set {
        let network = self.program().network();
        let vpcs = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
        let behind = network.externals.iter().flat_map(|it| &it.networks);
        let reserved = NOT_PUBLIC.iter();
        let reserved = reserved.filter_map(|(first, len)| Ipv4Net::new(*first, *len).ok());
        let taken = vpcs.chain(behind).copied().chain(reserved);
        let mut taken: Vec<Set> = taken.map(|net| Set::within(field, net)).collect();
        let eips = network.eips.iter();
        taken.extend(eips.map(|eip| Set::address(field, eip.address)));
        Set::anything().without(&union(&taken))
    }

    /// What whoever a way ends at listens for.
    pub(crate) fn hearable(&self, way: &Way) -> Set {
        let carry::End::At(Place::Nic(nic)) = way.end else {
            return Set::anything();
        };
        let network = self.program().network();
        let Some(services) = &network.cvm(network.nic(nic).cvm).listen else {
            return Set::anything();
        };
        let port = way.path.key.ports.destination;
        let services: Vec<Set> = services
            .iter()
            .map(|service| {
                let ports: Vec<Set> = service.ports.iter().map(|&r| port.among(r)).collect();
                of_rule(service.protocol).and(&union(&ports))
            })
            .collect();
        let portless = Set::anything().without(&Set::with_ports());
        portless.or(&union(&services))
    }
}
