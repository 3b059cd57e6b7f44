//! A trace as places of the picture that it goes by.

use std::collections::BTreeSet;
use vpcsim_network::{
    Cvm, EipId, EipTarget, ExternalId, HavipId, NatGatewayId, Network, NicId, PeeringId, VpcId,
};
use vpcsim_replay::trace::{Leg, StopView, Trace};

/// A place of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    /// A nic: its host's box.
    Nic(NicId),
    /// Where a nic's packets leave and enter its subnet: acl, route table.
    Door(NicId),
    Havip(HavipId),
    Nat(NatGatewayId),
    Eip(EipId),
    /// One end of a peering.
    Peering(PeeringId, VpcId),
    External(ExternalId),
    /// The networks behind an external.
    Behind(ExternalId),
    Internet,
}

/// A trace over the picture.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) trace: Trace,
    /// The way of each leg.
    pub(super) ways: Vec<Way>,
}

/// The way of one leg.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// Places in the order in which they are passed, none twice in a row.
    pub(super) spots: Vec<Spot>,
    /// The numbers of the stops at each place, from 1.
    pub(super) stops: Vec<Vec<usize>>,
    /// Dropped, at the last place.
    pub(super) dropped: Option<String>,
}

impl Walk {
    pub(super) fn new(network: &Network, trace: &Trace) -> Self {
        let ways = trace.legs.iter().map(|leg| {
            let aim = if leg.name == "reply" {
                &trace.from
            } else {
                &trace.to
            };
            way(network, leg, aim)
        });
        Self {
            ways: ways.collect(),
            trace: trace.clone(),
        }
    }

    /// The nics that it goes by.
    pub(super) fn nics(&self) -> BTreeSet<NicId> {
        let spots = self.ways.iter().flat_map(|way| &way.spots);
        spots
            .filter_map(|spot| match spot {
                Spot::Nic(nic) | Spot::Door(nic) => Some(*nic),
                _ => None,
            })
            .collect()
    }

    /// What became of it, in one line.
    pub(super) fn headline(&self) -> String {
        let Trace {
            from,
            to,
            protocol,
            port,
            ..
        } = &self.trace;
        let port = port.map_or_else(String::new, |port| format!(" {port}"));
        let answer = match &self.trace.why {
            _ if self.trace.reachable => "reachable, and the reply comes back",
            Some(why) => why,
            None => "not reachable",
        };
        format!("{from} to {to} by {protocol}{port}: {answer}")
    }
}

impl Way {
    fn go(&mut self, spot: Spot, stop: Option<usize>) {
        if self.spots.last() != Some(&spot) {
            self.spots.push(spot);
            self.stops.push(Vec::new());
        }
        if let (Some(stops), Some(stop)) = (self.stops.last_mut(), stop) {
            stops.push(stop);
        }
    }
}

/// Where a leg goes by. `aim`: where it is to arrive.
fn way(network: &Network, leg: &Leg, aim: &str) -> Way {
    let mut way = Way::default();
    let mut here = None;
    match leg.start.split_once(':') {
        _ if leg.start == "internet" => way.go(Spot::Internet, None),
        Some(("external", name)) => {
            if let Some(external) = network.find_external(name) {
                way.go(Spot::Behind(external), None);
            }
        }
        Some(("nat", name)) => {
            if let Some(gateway) = network.find_nat_gateway(name) {
                way.go(Spot::Nat(gateway), None);
            }
        }
        _ => here = network.find_nic(&leg.start),
    }
    let mut finder = Finder { network, here };
    for (at, stop) in leg.stops.iter().enumerate() {
        let ahead = leg.stops[at + 1..]
            .iter()
            .find_map(|stop| nic(network, stop));
        let ahead = ahead.or_else(|| finder.aimed_at(stop, aim));
        // A stop with two ends is told at the near one.
        let mut number = Some(at + 1);
        for spot in finder.spots(stop, ahead) {
            way.go(spot, number.take());
        }
        if stop.dropped {
            way.dropped = Some(stop.decision.clone());
        }
    }
    way
}

/// The nic that a stop is at, where it says so.
fn nic(network: &Network, stop: &StopView) -> Option<NicId> {
    match stop.element.kind.as_str() {
        "nic" => network.find_nic(&stop.element.name),
        _ => None,
    }
}

struct Finder<'n> {
    network: &'n Network,
    /// The nic that the packet left last.
    here: Option<NicId>,
}

impl Finder<'_> {
    /// Where a stop is; `ahead`: the nic that the packet enters next.
    fn spots(&mut self, stop: &StopView, ahead: Option<NicId>) -> Vec<Spot> {
        let network = self.network;
        let name = stop.element.name.as_str();
        let inwards = stop.stage.ends_with("-ingress");
        let side = if inwards { ahead } else { self.here };
        let one = |spot: Option<Spot>| spot.into_iter().collect();
        match stop.element.kind.as_str() {
            "nic" => {
                self.here = network.find_nic(name);
                one(self.here.map(Spot::Nic))
            }
            "cvm" => {
                let host = network.find_cvm(name).map(|id| network.cvm(id));
                one(host.and_then(|host| self.nic_of(host)).map(Spot::Nic))
            }
            "security group" | "security groups" => one(side.map(Spot::Nic)),
            "acl" | "subnet" | "route table" => one(side.map(Spot::Door)),
            "havip" => one(network.find_havip(name).map(Spot::Havip)),
            "nat gateway" => one(network.find_nat_gateway(name).map(Spot::Nat)),
            "eip" => one(network.find_eip(name).map(|id| eip_spot(network, id))),
            "peering" => self.peering(stop),
            "external" => self.external(stop),
            "internet" => vec![Spot::Internet],
            _ if stop.stage == "internet" => vec![Spot::Internet],
            _ => one(side.map(Spot::Door)),
        }
    }

    fn nic_of(&self, host: &Cvm) -> Option<NicId> {
        let here = self.here.filter(|nic| host.nics.contains(nic));
        here.or_else(|| host.nics.first().copied())
    }

    /// Both ends, or the near one if it ends there.
    fn peering(&self, stop: &StopView) -> Vec<Spot> {
        let (Some(id), Some(here)) = (self.network.find_peering(&stop.element.name), self.here)
        else {
            return Vec::new();
        };
        let near = self.network.vpc_of(here);
        let far = self
            .network
            .peering(id)
            .other(near)
            .filter(|_| !stop.dropped);
        let ends = [Some(near), far];
        let ends = ends.into_iter().flatten();
        ends.map(|vpc| Spot::Peering(id, vpc)).collect()
    }

    fn external(&self, stop: &StopView) -> Vec<Spot> {
        let Some(id) = self.network.find_external(&stop.element.name) else {
            return Vec::new();
        };
        match (self.here, stop.dropped) {
            (Some(_), false) => vec![Spot::External(id), Spot::Behind(id)],
            _ => vec![Spot::External(id)],
        }
    }

    /// The nic that a packet was to enter where it ended before, as far as names tell.
    fn aimed_at(&self, stop: &StopView, aim: &str) -> Option<NicId> {
        let network = self.network;
        if let Ok(address) = aim.parse() {
            return network.nic_by_address(None, address).or_else(|| {
                match network.eip(network.eip_by_address(address)?).target {
                    Some(EipTarget::Address(nic, _)) => Some(nic),
                    _ => None,
                }
            });
        }
        let named = network.find_nic(aim)?;
        let host = network.cvm(network.nic(named).cvm);
        let fits = |nic: &NicId| {
            let subnet = network.subnet(network.nic(*nic).subnet);
            let acl = subnet.acl.map(|acl| network.acl(acl).name.as_str());
            [Some(subnet.name.as_str()), acl].contains(&Some(stop.element.name.as_str()))
        };
        host.nics.iter().copied().find(fits).or(Some(named))
    }
}

impl Spot {
    /// A name for it that every language takes.
    pub(super) fn id(self) -> String {
        match self {
            Self::Nic(nic) => format!("nic{}", nic.0),
            Self::Door(nic) => format!("door{}", nic.0),
            Self::Havip(id) => format!("havip{}", id.0),
            Self::Nat(id) => format!("nat{}", id.0),
            Self::Eip(id) => format!("eip{}", id.0),
            Self::Peering(id, vpc) => format!("peering{}_{}", id.0, vpc.0),
            Self::External(id) => format!("external{}", id.0),
            Self::Behind(id) => format!("behind{}", id.0),
            Self::Internet => "internet".to_owned(),
        }
    }
}

/// Where an eip is drawn: that of a gateway in the gateway's box.
fn eip_spot(network: &Network, id: EipId) -> Spot {
    match network.eip(id).target {
        Some(EipTarget::NatGateway(gateway)) => Spot::Nat(gateway),
        _ => Spot::Eip(id),
    }
}
