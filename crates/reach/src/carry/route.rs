//! SEMANTICS §2, steps 4 to 6, and §8: the acl on the way out, the route, the next hop. Of
//! equal-cost routes every one is taken.

use super::{Approach, Carry, Chooser, End, Entry, Path, Step, split};
use crate::set::Set;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{DropReason, Place, Stage};
use vpcsim_network::{EipId, NextHop, NicId, PeeringId, RouteTableId, VpcId};

const MULTICAST: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4);

impl Carry<'_> {
    /// Packets have left a nic for its subnet's router.
    pub(super) fn route(&mut self, path: Path, nic: NicId, back: Option<Entry>) {
        let network = self.program.network();
        let subnet_id = self.subnet_of(nic);
        let subnet = network.subnet(subnet_id);
        let path = self.acl_egress(path, subnet_id);
        if let Some(entry) = back {
            let Some(path) = self.fabric_hop(path) else {
                return;
            };
            return match entry {
                Entry::Eip(eip) => self.eip_outbound(path, eip),
                Entry::NatGateway(gateway) => self.nat_outbound(path, gateway),
            };
        }
        let destination = path.key.destination;
        let cidrs = network.vpc(subnet.vpc).cidrs.iter();
        let local = cidrs.fold(Set::none(), |all, &cidr| all.or(&destination.within(cidr)));
        let local = path.set.and(&local);
        let outside = path.part(path.set.without(&local));
        if let Some(local) = self.fabric_hop(path.part(local)) {
            for (path, owner) in self.private_owner(local, subnet.vpc, Stage::Route) {
                self.go(path, Step::Enter(Approach::crossing(owner)));
            }
        }
        let many = destination
            .within(MULTICAST)
            .or(&destination.is(Ipv4Addr::BROADCAST));
        let unicast = outside.set.without(&many);
        let outside = self.only(outside, &unicast, DropReason::NoRoute, Stage::Route);
        if outside.set.is_empty() {
            return;
        }
        let cvm = network.nic(nic).cvm;
        let public = self.facts.hosts[cvm.index()].public.iter().copied();
        let parts = split(outside, |key| key.source, public);
        for (path, _, eip) in parts.found {
            self.by_table(path, nic, subnet.route_table, Some(eip));
        }
        if let Some(path) = parts.rest {
            self.by_table(path, nic, subnet.route_table, None);
        }
    }

    /// §2.5c, d: the longest prefix; at equal prefix an `eip` route for those who have one.
    fn by_table(&mut self, path: Path, nic: NicId, table: RouteTableId, eip: Option<EipId>) {
        let mut left = path.clone();
        for (net, hops) in self.facts.table(table) {
            let usable: Vec<NextHop> = hops
                .iter()
                .copied()
                .filter(|&hop| hop != NextHop::Eip || eip.is_some())
                .collect();
            let matched = left.set.and(&left.key.destination.within(*net));
            if usable.is_empty() || matched.is_empty() {
                continue;
            }
            left.set = left.set.without(&matched);
            let Some(path) = self.fabric_hop(path.part(matched)) else {
                continue;
            };
            if usable.contains(&NextHop::Eip) {
                self.next_hop(path, nic, NextHop::Eip, eip);
                continue;
            }
            for (path, chosen) in Self::choose(&path, Chooser::Table(table), usable.len()) {
                self.next_hop(path, nic, usable[chosen], eip);
            }
        }
        match eip {
            Some(eip) => {
                if let Some(left) = self.fabric_hop(left) {
                    self.eip_outbound(left, eip);
                }
            }
            None => self.drop(left, DropReason::NoRoute, Stage::Route),
        }
    }

    /// §2.6
    fn next_hop(&mut self, path: Path, nic: NicId, hop: NextHop, eip: Option<EipId>) {
        let network = self.program.network();
        let to = match hop {
            NextHop::Peering(peering) => {
                return self.peering(path, self.program.vpc_of(nic), peering);
            }
            NextHop::NatGateway(gateway) => {
                if !network.nat_gateway(gateway).enabled {
                    return self.drop(path, DropReason::NextHopUnavailable, Stage::Route);
                }
                return self.nat_outbound(path, gateway);
            }
            NextHop::Eip => match eip {
                Some(eip) => return self.eip_outbound(path, eip),
                None => return self.drop(path, DropReason::NextHopUnavailable, Stage::Route),
            },
            NextHop::External(external) => {
                if !network.external(external).enabled {
                    return self.drop(path, DropReason::NextHopUnavailable, Stage::Route);
                }
                return self.end(path, End::At(Place::External(external)));
            }
            NextHop::Cvm(nic) | NextHop::Instance(nic) => nic,
            NextHop::Havip(havip) => match network.havip(havip).holder {
                Some(nic) => nic,
                None => return self.drop(path, DropReason::HavipUnheld, Stage::Route),
            },
        };
        let approach = Approach {
            next_hop: true,
            ..Approach::crossing(to)
        };
        self.go(path, Step::Enter(approach));
    }

    /// §8: into the peer vpc, whose route table is not consulted. Not transitive.
    fn peering(&mut self, path: Path, vpc: VpcId, id: PeeringId) {
        const STAGE: Stage = Stage::Peering;
        let network = self.program.network();
        let peering = network.peering(id);
        if !peering.active {
            return self.drop(path, DropReason::PeeringInactive, STAGE);
        }
        let Some(peer) = peering.other(vpc) else {
            return self.drop(path, DropReason::PeeringNotTransitive, STAGE);
        };
        let cidrs = network.vpc(peer).cidrs.iter();
        let inside = cidrs.fold(Set::none(), |all, &cidr| {
            all.or(&path.key.destination.within(cidr))
        });
        let path = self.only(path, &inside, DropReason::PeeringNotTransitive, STAGE);
        for (path, owner) in self.private_owner(path, peer, STAGE) {
            self.go(path, Step::Enter(Approach::crossing(owner)));
        }
    }

    /// §11, policy `fabric_ttl`.
    fn fabric_hop(&mut self, path: Path) -> Option<Path> {
        if self.program.network().policies.fabric_ttl == 0 {
            return Some(path);
        }
        self.hop(path, Stage::Route)
    }
}
