//! SEMANTICS §2, steps 4 to 6, and §8: the acl on the way out, the route, the next hop.

use crate::hash::share;
use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::state::{Door, Entry};
use crate::verdict::{Drop, DropReason, Element, Policy, Rule, RuleList, Stage};
use crate::walk::{Approach, Onward, Step, Stopped, Walk};
use vpcsim_network::{EipId, NextHop, NicId, PeeringId, RouteTableId, VpcId};
use vpcsim_packet::icmp::{self, IcmpError};

/// What the route step chose.
struct Choice {
    outcome: Outcome,
    hop: Hop,
    rule: Option<Rule>,
}

enum Hop {
    Local,
    Entry(Entry),
    Declared(NextHop),
}

impl<O: Observer> Walk<'_, O> {
    /// A packet has left a nic for its subnet's router.
    pub(crate) fn route(
        &mut self,
        packet: &mut Packet<'_>,
        nic: NicId,
        back: Door,
    ) -> Result<Onward, Stopped> {
        // A piece of a packet that was cut starts here.
        self.at = Some(nic);
        let network = self.program.network();
        let subnet_id = self.program.subnet_of(nic);
        let subnet = network.subnet(subnet_id);
        self.acl_egress(packet, subnet_id)?;
        let table = Element::RouteTable(subnet.route_table);
        let choice = self.choose(packet, nic, subnet.route_table, back)?;
        self.fabric_ttl(packet, nic)?;
        self.note_decided(
            packet,
            Stage::Route,
            table,
            choice.outcome,
            choice.rule,
            None,
        );
        match choice.hop {
            Hop::Local => {
                let owner = self.private_owner(subnet.vpc, packet.key.destination, Stage::Route)?;
                Ok(Step::Enter(Approach::crossing(owner)).into())
            }
            Hop::Entry(Entry::Eip(eip)) => self.eip_outbound(packet, eip),
            Hop::Entry(Entry::NatGateway(gateway)) => self.nat_outbound(packet, gateway),
            Hop::Declared(hop) => {
                let by_rule = |drop: Drop| match choice.rule {
                    Some(rule) => drop.by_rule(rule),
                    None => drop,
                };
                self.next_hop(packet, nic, hop, by_rule)
            }
        }
    }

    /// §2.5
    fn choose(
        &self,
        packet: &Packet<'_>,
        nic: NicId,
        table: RouteTableId,
        back: Door,
    ) -> Result<Choice, Drop> {
        let network = self.program.network();
        if let Some(entry) = back.entry() {
            let (outcome, hop) = (Outcome::ReturnPath, Hop::Entry(entry));
            return Ok(Choice {
                outcome,
                hop,
                rule: None,
            });
        }
        let destination = packet.key.destination;
        if network.vpc(self.program.vpc_of(nic)).contains(destination) {
            return Ok(Choice {
                outcome: Outcome::Local,
                hop: Hop::Local,
                rule: None,
            });
        }
        let no_route = Drop::new(
            DropReason::NoRoute,
            Stage::Route,
            Element::RouteTable(table),
        );
        if destination.is_multicast() || destination.is_broadcast() {
            return Err(no_route);
        }
        let eip = self.eip_of_source(packet, nic);
        if let Some((hop, index)) = self.longest(packet, table, eip) {
            let line = network.route_table(table).routes[index as usize].mark.line;
            let rule = Rule {
                list: RuleList::Routes,
                position: Some(index + 1),
                line,
            };
            let hop = Hop::Declared(hop);
            return Ok(Choice {
                outcome: Outcome::Routed,
                hop,
                rule: Some(rule),
            });
        }
        match eip {
            Some(eip) => {
                let hop = Hop::Entry(Entry::Eip(eip));
                Ok(Choice {
                    outcome: Outcome::EipFallback,
                    hop,
                    rule: None,
                })
            }
            None => Err(no_route),
        }
    }

    /// The public side of a packet that leaves by a nic. It is the cvm's own: a packet that it
    /// forwards for another does not leave by the other's eip.
    fn eip_of_source(&self, packet: &Packet<'_>, nic: NicId) -> Option<EipId> {
        let sender = self.program.host(self.program.cvm_of(nic));
        sender.eip_of_source(packet.key.source)
    }

    /// §2.5c: the longest prefix; at equal prefix an `eip` route for those who have one, else
    /// one of the equal-cost routes by a fixed hash of the 5-tuple.
    fn longest(
        &self,
        packet: &Packet<'_>,
        table: RouteTableId,
        eip: Option<EipId>,
    ) -> Option<(NextHop, u32)> {
        let routes = &self.program.network().route_table(table).routes;
        let found = |index: u32| (routes[index as usize].next_hop, index);
        let mut prefixes = self.program.routes(table, packet.key.destination);
        prefixes.find_map(|equal| {
            let equal = || equal.iter().map(|&index| found(index));
            if eip.is_some()
                && let Some(own) = equal().find(|(hop, _)| *hop == NextHop::Eip)
            {
                return Some(own);
            }
            let usable = || equal().filter(|(hop, _)| *hop != NextHop::Eip);
            match usable().count() {
                0 | 1 => usable().next(),
                several => usable().nth(share(&packet.key, several)),
            }
        })
    }

    /// §2.6
    fn next_hop(
        &mut self,
        packet: &mut Packet<'_>,
        nic: NicId,
        hop: NextHop,
        by_rule: impl Fn(Drop) -> Drop,
    ) -> Result<Onward, Stopped> {
        let network = self.program.network();
        let unavailable = |element| {
            by_rule(Drop::new(
                DropReason::NextHopUnavailable,
                Stage::Route,
                element,
            ))
        };
        match hop {
            NextHop::Peering(peering) => {
                let vpc = self.program.vpc_of(nic);
                self.peering(packet, vpc, peering)
            }
            .map_err(by_rule),
            NextHop::NatGateway(gateway) => {
                if !network.nat_gateway(gateway).enabled {
                    return Err(unavailable(Element::NatGateway(gateway)).into());
                }
                return self.nat_outbound(packet, gateway);
            }
            NextHop::Eip => {
                let Some(eip) = self.eip_of_source(packet, nic) else {
                    return Err(unavailable(Element::Address(packet.key.source)).into());
                };
                return self.eip_outbound(packet, eip);
            }
            NextHop::Cvm(nic) | NextHop::Instance(nic) => Ok(nic),
            NextHop::Havip(havip) => {
                let unheld =
                    Drop::new(DropReason::HavipUnheld, Stage::Route, Element::Havip(havip));
                network.havip(havip).holder.ok_or_else(|| by_rule(unheld))
            }
            NextHop::External(external) => {
                if !network.external(external).enabled {
                    return Err(unavailable(Element::External(external)).into());
                }
                return Ok(Step::End(crate::Place::External(external)).into());
            }
        }
        .map(|nic| {
            let next_hop = !matches!(hop, NextHop::Peering(_));
            let approach = Approach {
                next_hop,
                ..Approach::crossing(nic)
            };
            Step::Enter(approach).into()
        })
        .map_err(Stopped::from)
    }

    /// §2.6, §8: into the peer vpc, whose route table is not consulted. Not transitive.
    fn peering(&mut self, packet: &Packet<'_>, vpc: VpcId, id: PeeringId) -> Result<NicId, Drop> {
        let network = self.program.network();
        let peering = network.peering(id);
        let element = Element::Peering(id);
        let drop = |reason| Drop::new(reason, Stage::Peering, element);
        if !peering.active {
            return Err(drop(DropReason::PeeringInactive));
        }
        let destination = packet.key.destination;
        let peer = peering
            .other(vpc)
            .filter(|&peer| network.vpc(peer).contains(destination));
        let Some(peer) = peer else {
            return Err(drop(DropReason::PeeringNotTransitive));
        };
        self.note(packet, Stage::Peering, element, Outcome::Carried);
        self.private_owner(peer, destination, Stage::Peering)
    }

    /// §11, policy `fabric_ttl`: what a vpc hop takes.
    fn fabric_ttl(&mut self, packet: &mut Packet<'_>, nic: NicId) -> Result<(), Drop> {
        let network = self.program.network();
        if network.policies.fabric_ttl == 0 {
            return Ok(());
        }
        if packet.headers.ttl <= 1 {
            let subnet_id = self.program.subnet_of(nic);
            let router = network.subnet(subnet_id).gateway();
            let error = icmp::error(
                packet.bytes,
                packet.headers,
                router,
                IcmpError::TimeExceeded,
            );
            let back = Approach {
                same_subnet: true,
                ..Approach::crossing(nic)
            };
            self.generate(packet, error, Step::Enter(back));
            let element = Element::Subnet(subnet_id);
            let drop = Drop::new(DropReason::TtlExceeded, Stage::Route, element);
            return Err(drop.by_policy(Policy::FabricTtl));
        }
        packet.decrement_ttl();
        Ok(())
    }
}
