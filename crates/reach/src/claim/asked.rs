//! Where the requests of a claim go: to the address at which each receiver is asked.

use super::speakers::Speaker;
use super::{Prover, There, sent_to, service};
use crate::list::union;
use crate::place::End;
use crate::reach::Way;
use crate::senders::RESERVED;
use crate::set::{Field, Set};
use hashbrown::{HashMap, HashSet};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_dataplane::Place;
use vpcsim_network::{
    Claim, ClaimEnd, ClaimEnds, CvmId, EipTarget, ExpectationEnd, ExternalId, NicId, PortRange,
    RuleProtocol, VpcId,
};
use vpcsim_packet::Protocol;

/// Requests to one receiver.
#[derive(Debug)]
pub(super) struct Ask {
    /// The packets, whatever their source.
    pub(super) packets: Set,
    /// The address that they all go to, where it is one.
    pub(super) address: Option<Ipv4Addr>,
    pub(super) there: There,
}

impl Ask {
    /// Whether any of its packets may take a way.
    pub(super) fn may_be_of(&self, way: &Way) -> bool {
        match (self.address, sent_to(way)) {
            (Some(asked), Some(sent)) => asked == sent,
            _ => true,
        }
    }
}

/// Somebody who is not to be reached.
#[derive(Debug)]
pub(super) enum Target {
    Cvm(CvmId),
    /// Nics with their addresses: those of a group, say.
    Nics(HashSet<NicId>, HashSet<Ipv4Addr>),
    Prefix(Ipv4Net),
    Internet,
    External(ExternalId),
}

impl Prover<'_, '_> {
    /// The packets of an ask as its sender sends them.
    pub(super) fn requests(&self, speaker: &Speaker, ask: &Ask) -> Set {
        match (&speaker.sources, speaker.end) {
            (Some(sources), _) => ask.packets.and(sources),
            (None, End::Cvm(cvm)) => self.as_chosen(cvm, &ask.packets),
            (None, End::Internet) => ask.packets.and(&self.reach.public(Field::SOURCE)),
            (None, end @ End::External(_)) => ask.packets.and(&self.reach.sources(end)),
        }
    }

    /// The requests of a claim that somebody sends, by receiver.
    pub(super) fn asks(&self, speaker: &Speaker, claim: &Claim) -> Vec<Ask> {
        let network = self.reach.program().network();
        let asking = Asking {
            outside: speaker.end == End::Internet,
            vpc: match speaker.end {
                End::Cvm(cvm) => {
                    let first = network.cvm(cvm).nics.first();
                    first.map(|&nic| self.reach.program().vpc_of(nic))
                }
                End::External(id) => Some(network.external(id).vpc),
                End::Internet => None,
            },
            protocol: claim.protocol,
            ports: &claim.ports,
        };
        let (mut asks, mut alike) = (Vec::new(), HashMap::new());
        let myself = |cvm: CvmId| speaker.end == End::Cvm(cvm);
        for &end in &claim.to.list {
            match end {
                ClaimEnd::One(ExpectationEnd::Cvm(cvm)) => {
                    if !myself(cvm) && self.stands_for_its_class(cvm, &mut alike) {
                        let nics = &network.cvm(cvm).nics;
                        asks.extend(self.at_host(&asking, nics, None, There::Cvm(cvm)));
                    }
                }
                ClaimEnd::One(ExpectationEnd::Internet) => asks.push(self.at_internet(&asking)),
                ClaimEnd::One(ExpectationEnd::External(id)) => {
                    if speaker.end != End::External(id) {
                        asks.push(self.at_external(&asking, id));
                    }
                }
                ClaimEnd::One(ExpectationEnd::Address(address)) => {
                    asks.extend(self.at_address(&asking, address));
                }
                ClaimEnd::Prefix(net) => {
                    asks.extend(self.in_prefix(&asking, net, speaker.end, &mut alike));
                }
                ClaimEnd::One(ExpectationEnd::Nic(_))
                | ClaimEnd::Group(_)
                | ClaimEnd::Subnet(_)
                | ClaimEnd::Vpc(_)
                | ClaimEnd::Any => {
                    for nic in self.nics_of(end) {
                        let cvm = network.nic(nic).cvm;
                        if !myself(cvm) && self.stands_for_its_class(cvm, &mut alike) {
                            let there = match end {
                                ClaimEnd::One(_) => There::Place(Place::Nic(nic)),
                                _ => There::Cvm(cvm),
                            };
                            asks.extend(self.at_host(&asking, &[nic], None, there));
                        }
                    }
                    if end == ClaimEnd::Any {
                        if !asking.outside {
                            asks.push(self.at_internet(&asking));
                        }
                        let externals = (0..).map(ExternalId).zip(&network.externals);
                        for (id, external) in externals {
                            let other = speaker.end != End::External(id);
                            if other && !external.networks.is_empty() {
                                asks.push(self.at_external(&asking, id));
                            }
                        }
                    }
                }
            }
        }
        asks
    }

    /// A host is asked at the address of its first nic of these; from the internet, at its eip or
    /// the port that a dnat rule leads to it from.
    fn at_host(
        &self,
        asking: &Asking<'_>,
        nics: &[NicId],
        only: Option<Ipv4Addr>,
        there: There,
    ) -> Vec<Ask> {
        let network = self.reach.program().network();
        let Some(&first) = nics.first() else {
            return Vec::new();
        };
        let private = only.unwrap_or_else(|| network.nic(first).address());
        if !asking.outside {
            return vec![asking.at(private, asking.packets(), there)];
        }
        if let Some(eip) = self.eip_of(nics, only) {
            return vec![asking.at(eip, asking.packets(), there)];
        }
        let (mut left, mut asks) = (asking.packets(), Vec::new());
        let vpc = self.reach.program().vpc_of(first);
        let gateways = network.nat_gateways.iter();
        let rules = gateways.filter(|it| it.vpc == vpc).flat_map(|it| &it.dnat);
        for rule in rules {
            let own = |nic: &NicId| {
                let mut own = network.nic(*nic).addresses.iter();
                own.any(|own| own.address == rule.to)
            };
            let wanted = only.map_or_else(|| nics.iter().any(own), |only| only == rule.to);
            let Some(number) = rule.protocol.number().filter(|_| wanted) else {
                continue;
            };
            let protocol = Set::of_protocol(Protocol(number));
            let port = |port: u16| {
                let port = u32::from(port);
                protocol.and(&Set::value(Field::DESTINATION_PORT, port))
            };
            let inside = left.and(&port(rule.to_port));
            if inside.is_empty() {
                continue;
            }
            left = left.without(&inside);
            let public = network.eip(rule.eip).address;
            asks.push(asking.at(public, Set::all().and(&port(rule.port)), there));
        }
        if !left.is_empty() {
            // A private address without a public side: nothing gets there.
            asks.push(asking.at(private, left, there));
        }
        asks
    }

    /// The eip by which the internet reaches nics: that of the first.
    fn eip_of(&self, nics: &[NicId], only: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        let network = self.reach.program().network();
        let eips = network.eips.iter().filter_map(|eip| {
            let nic = match eip.target? {
                EipTarget::Address(nic, private) => {
                    only.is_none_or(|only| only == private).then_some(nic)
                }
                EipTarget::Havip(havip) => network.havip(havip).holder.filter(|_| only.is_none()),
                EipTarget::NatGateway(_) => None,
            }?;
            Some((nics.iter().position(|&own| own == nic)?, eip.address))
        });
        eips.min_by_key(|(position, _)| *position)
            .map(|(_, eip)| eip)
    }

    fn at_internet(&self, asking: &Asking<'_>) -> Ask {
        Ask {
            packets: asking.packets().and(&self.reach.public(Field::DESTINATION)),
            address: None,
            there: There::Place(Place::Internet),
        }
    }

    fn at_external(&self, asking: &Asking<'_>, id: ExternalId) -> Ask {
        let networks = &self.reach.program().network().external(id).networks;
        let networks: Vec<Set> = networks
            .iter()
            .map(|&net| Set::within(Field::DESTINATION, net))
            .collect();
        Ask {
            packets: asking.packets().and(&union(&networks)),
            address: None,
            there: There::Place(Place::External(id)),
        }
    }

    /// Who has an address is asked at it, and nobody on the internet who might have it too.
    fn at_address(&self, asking: &Asking<'_>, address: Ipv4Addr) -> Vec<Ask> {
        let Some(nic) = self.owner(asking.vpc, address) else {
            return vec![asking.at(address, asking.packets(), There::Anywhere)];
        };
        let there = There::Cvm(self.reach.program().network().nic(nic).cvm);
        if asking.outside {
            return self.at_host(asking, &[nic], Some(address), there);
        }
        vec![asking.at(address, asking.packets(), there)]
    }

    /// The nic that answers for an address, in a vpc rather than in others.
    fn owner(&self, vpc: Option<VpcId>, address: Ipv4Addr) -> Option<NicId> {
        let owners = &self.reach.facts().owners;
        let here = vpc.and_then(|vpc| owners[vpc.index()].get(&address));
        let anywhere = || owners.iter().find_map(|owners| owners.get(&address));
        here.or_else(anywhere)?.ok()
    }

    /// Everybody who has an address of a prefix; of what no vpc has, every address.
    fn in_prefix(
        &self,
        asking: &Asking<'_>,
        net: Ipv4Net,
        from: End,
        alike: &mut HashMap<usize, usize>,
    ) -> Vec<Ask> {
        let program = self.reach.program();
        let network = program.network();
        let facts = self.reach.facts();
        let owners = facts.owners.iter().flatten();
        let owned: HashMap<Ipv4Addr, Option<CvmId>> = owners
            .filter(|(address, _)| net.contains(*address))
            .map(|(&address, owner)| (address, owner.ok().map(|nic| network.nic(nic).cvm)))
            .collect();
        let mut owned: Vec<_> = owned.into_iter().collect();
        owned.sort_unstable();
        let mut asks = Vec::new();
        for (address, cvm) in owned {
            let alone = cvm
                .is_none_or(|cvm| from != End::Cvm(cvm) && self.stands_for_its_class(cvm, alike));
            if alone {
                asks.extend(self.at_address(asking, address));
            }
        }
        for &eip in facts.eips.keys().filter(|eip| net.contains(*eip)) {
            asks.push(asking.at(eip, asking.packets(), There::Anywhere));
        }
        let vpcs = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
        let mut taken: Vec<Set> = vpcs
            .chain(&RESERVED)
            .map(|&cidr| Set::within(Field::DESTINATION, cidr))
            .collect();
        let eips = facts.eips.keys();
        taken.extend(eips.map(|&eip| Set::address(Field::DESTINATION, eip)));
        let own = match from {
            End::Cvm(cvm) => facts.hosts[cvm.index()].local.as_slice(),
            End::Internet | End::External(_) => &[],
        };
        taken.extend(
            own.iter()
                .map(|&(own, _)| Set::address(Field::DESTINATION, own)),
        );
        let outside = Set::within(Field::DESTINATION, net).without(&union(&taken));
        if !outside.is_empty() {
            asks.push(Ask {
                packets: asking.packets().and(&outside),
                address: None,
                there: There::Anywhere,
            });
        }
        asks
    }
}

/// What is asked, by whom.
struct Asking<'a> {
    /// Whether it comes from the internet.
    outside: bool,
    /// The vpc that it comes from.
    vpc: Option<VpcId>,
    protocol: RuleProtocol,
    ports: &'a [PortRange],
}

impl Asking<'_> {
    fn packets(&self) -> Set {
        let ports = self.ports.iter();
        let ports: Vec<Set> = ports
            .map(|&range| Set::ports(Field::DESTINATION_PORT, range))
            .collect();
        let service = service(self.protocol);
        match self.protocol {
            RuleProtocol::Tcp | RuleProtocol::Udp => service.and(&union(&ports)),
            _ => service,
        }
    }

    fn at(&self, address: Ipv4Addr, packets: Set, there: There) -> Ask {
        Ask {
            packets: packets.and(&Set::address(Field::DESTINATION, address)),
            address: Some(address),
            there,
        }
    }
}

/// Who is not to be reached.
impl Prover<'_, '_> {
    pub(super) fn targets(&self, to: &ClaimEnds) -> Vec<Target> {
        let network = self.reach.program().network();
        let (mut targets, mut alike) = (Vec::new(), HashMap::new());
        for &end in &to.list {
            match end {
                ClaimEnd::One(ExpectationEnd::Cvm(cvm)) => targets.push(Target::Cvm(cvm)),
                ClaimEnd::One(ExpectationEnd::Internet) => targets.push(Target::Internet),
                ClaimEnd::One(ExpectationEnd::External(id)) => targets.push(Target::External(id)),
                ClaimEnd::One(ExpectationEnd::Address(address)) => {
                    targets.push(Target::Prefix(address.into()));
                }
                ClaimEnd::Prefix(net) => targets.push(Target::Prefix(net)),
                ClaimEnd::Any => {
                    let cvms = (0..network.cvms.len() as u32).map(CvmId);
                    let cvms = cvms.filter(|cvm| self.stands_for_its_class(*cvm, &mut alike));
                    targets.extend(cvms.map(Target::Cvm));
                    targets.push(Target::Internet);
                    let externals = 0..network.externals.len() as u32;
                    targets.extend(externals.map(|id| Target::External(ExternalId(id))));
                }
                ClaimEnd::One(ExpectationEnd::Nic(_))
                | ClaimEnd::Group(_)
                | ClaimEnd::Subnet(_)
                | ClaimEnd::Vpc(_) => {
                    let nics = self.nics_of(end).into_iter();
                    let nics: HashSet<NicId> = nics
                        .filter(|&nic| {
                            let cvm = network.nic(nic).cvm;
                            self.stands_for_its_class(cvm, &mut alike)
                        })
                        .collect();
                    let own = nics.iter().flat_map(|&nic| &network.nic(nic).addresses);
                    let own = own.map(|own| own.address).collect();
                    targets.push(Target::Nics(nics, own));
                }
            }
        }
        targets
    }

    /// The private addresses by which targets are reached.
    pub(super) fn addresses_of(&self, targets: &[Target]) -> HashSet<Ipv4Addr> {
        let facts = self.reach.facts();
        let network = self.reach.program().network();
        let mut addresses = HashSet::new();
        let host = |cvm: CvmId| facts.hosts[cvm.index()].local.iter().map(|&(own, _)| own);
        for target in targets {
            match target {
                Target::Cvm(cvm) => addresses.extend(host(*cvm)),
                Target::Nics(nics, own) => {
                    addresses.extend(own);
                    let hosts = nics.iter().map(|&nic| network.nic(nic).cvm);
                    addresses.extend(hosts.flat_map(host));
                }
                Target::Prefix(net) => {
                    let owners = facts.owners.iter().flat_map(|owners| owners.keys());
                    let local = (0..network.cvms.len() as u32).flat_map(|id| host(CvmId(id)));
                    let all = owners.copied().chain(local);
                    addresses.extend(all.filter(|address| net.contains(address)));
                }
                Target::Internet | Target::External(_) => {}
            }
        }
        addresses
    }

    /// Packets of a way that reach a target where they arrive. Who sends to itself reaches nobody.
    pub(super) fn hits(&self, target: &Target, way: &Way, place: Place, from: End) -> Set {
        let network = self.reach.program().network();
        if self.reach.end_at(place) == Some(from) {
            return Set::none();
        }
        let all = || way.path.set.clone();
        let none = Set::none;
        let (sent, arriving) = (way.path.sent.destination, way.path.key.destination);
        match (target, place) {
            (Target::Cvm(cvm), Place::Nic(nic)) if network.nic(nic).cvm == *cvm => all(),
            (Target::Nics(nics, _), Place::Nic(nic)) if nics.contains(&nic) => all(),
            (Target::Nics(_, own), Place::Nic(_)) => {
                let own: Vec<Set> = own.iter().map(|&own| arriving.is(own)).collect();
                union(&own)
            }
            (Target::Prefix(net), Place::Nic(_) | Place::NatGateway(_)) => {
                sent.within(*net).or(&arriving.within(*net))
            }
            (Target::Prefix(net), Place::Internet | Place::External(_)) => {
                // A private address that leaves the cloud has not reached who has it.
                let vpcs = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
                let private: Vec<Set> = vpcs.map(|&cidr| sent.within(cidr)).collect();
                sent.within(*net).without(&union(&private))
            }
            (Target::Internet, Place::Internet) => all(),
            (Target::External(wanted), Place::External(external)) if external == *wanted => all(),
            _ => none(),
        }
    }
}
