//! Who sends the requests of a claim, and from which addresses.

use super::Prover;
use crate::list::union;
use crate::place::End;
use crate::set::{Field, Set};
use hashbrown::HashMap;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use vpcsim_network::{
    ClaimEnd, ClaimEnds, CvmId, EipMode, EipTarget, ExpectationEnd, ExternalId, HostTable, NicId,
};

/// Of hosts that nothing tells apart two stand for all: one that sends, one that is asked.
const REPRESENTATIVES: usize = 2;

/// An end that sends.
#[derive(Debug)]
pub(super) struct Speaker {
    pub(super) end: End,
    /// The sources that it is to send from; `None`: those that it chooses.
    pub(super) sources: Option<Set>,
}

impl Speaker {
    /// Sources from which nothing may get through.
    pub(super) fn any_source(&self) -> Set {
        self.sources.clone().unwrap_or_else(Set::anything)
    }
}

impl Prover<'_, '_> {
    /// Who sends, hosts first; of many that are alike a few. A nic whose guest knows no address of it is
    /// there all the same, with its primary one.
    pub(super) fn speakers(&self, from: &ClaimEnds) -> Vec<Speaker> {
        let mut found: BTreeMap<End, Option<Set>> = BTreeMap::new();
        for &end in &from.list {
            for Speaker { end, sources } in self.speakers_of(end) {
                let known = found.entry(end).or_insert_with(|| Some(Set::none()));
                *known = match (known.take(), sources) {
                    (Some(known), Some(more)) => Some(known.or(&more)),
                    _ => None,
                };
            }
        }
        let mut alike = HashMap::new();
        found
            .into_iter()
            .filter(|(end, _)| match end {
                End::Cvm(cvm) => self.stands_for_its_class(*cvm, &mut alike),
                End::Internet | End::External(_) => true,
            })
            .map(|(end, sources)| Speaker { end, sources })
            .collect()
    }

    /// Whether a host is one of the first of its class.
    pub(super) fn stands_for_its_class(
        &self,
        cvm: CvmId,
        seen: &mut HashMap<usize, usize>,
    ) -> bool {
        let Some(&class) = self.classes.get(&cvm) else {
            return true;
        };
        let seen = seen.entry(class).or_insert(0);
        *seen += 1;
        *seen <= REPRESENTATIVES
    }

    fn speakers_of(&self, end: ClaimEnd) -> Vec<Speaker> {
        let network = self.reach.program().network();
        let whole = |end| Speaker { end, sources: None };
        match end {
            ClaimEnd::One(ExpectationEnd::Cvm(cvm)) => vec![whole(End::Cvm(cvm))],
            ClaimEnd::One(ExpectationEnd::Internet) => vec![whole(End::Internet)],
            ClaimEnd::One(ExpectationEnd::External(id)) => vec![whole(End::External(id))],
            ClaimEnd::One(ExpectationEnd::Address(address)) => {
                let address = self.private_of(address);
                self.speakers_in(Ipv4Net::from(address))
            }
            ClaimEnd::Prefix(net) => self.speakers_in(net),
            ClaimEnd::Any => {
                let cvms = (0..network.cvms.len() as u32).map(|id| End::Cvm(CvmId(id)));
                let externals = (0..).map(ExternalId).zip(&network.externals);
                let externals = externals.filter(|(_, external)| !external.networks.is_empty());
                let externals = externals.map(|(id, _)| End::External(id));
                let ends = cvms.chain([End::Internet]).chain(externals);
                ends.map(whole).collect()
            }
            ClaimEnd::One(ExpectationEnd::Nic(_))
            | ClaimEnd::Group(_)
            | ClaimEnd::Subnet(_)
            | ClaimEnd::Vpc(_) => {
                let nics = self.nics_of(end).into_iter();
                nics.map(|nic| {
                    let primary = network.nic(nic).address();
                    let own = network.nic(nic).addresses.iter();
                    let own = own.filter(|own| own.configured || own.address == primary);
                    let own = own.map(|own| Set::address(Field::SOURCE, own.address));
                    Speaker {
                        end: End::Cvm(network.nic(nic).cvm),
                        sources: Some(union(&own.collect::<Vec<_>>())),
                    }
                })
                .collect()
            }
        }
    }

    /// The nics that an end names as such.
    pub(super) fn nics_of(&self, end: ClaimEnd) -> Vec<NicId> {
        let network = self.reach.program().network();
        let nics = (0..).map(NicId).zip(&network.nics);
        let nics = nics.filter(|(id, nic)| match end {
            ClaimEnd::One(ExpectationEnd::Nic(wanted)) => *id == wanted,
            ClaimEnd::Group(group) => nic.security_groups.contains(&group),
            ClaimEnd::Subnet(subnet) => nic.subnet == subnet,
            ClaimEnd::Vpc(vpc) => network.subnet(nic.subnet).vpc == vpc,
            ClaimEnd::Any => true,
            ClaimEnd::One(_) | ClaimEnd::Prefix(_) => false,
        });
        nics.map(|(id, _)| id).collect()
    }

    /// Everybody who sends from an address of a prefix.
    fn speakers_in(&self, net: Ipv4Net) -> Vec<Speaker> {
        let network = self.reach.program().network();
        let sources = Set::within(Field::SOURCE, net);
        let mut speakers = Vec::new();
        for (index, host) in (0..).zip(&self.reach.facts().hosts) {
            let nics = network.cvm(CvmId(index)).nics.iter();
            let primary = nics.map(|&nic| network.nic(nic).address());
            let own = host.local.iter().map(|&(address, _)| address);
            let own = own.chain(primary).filter(|address| net.contains(address));
            let own: Vec<Set> = own.map(|a| Set::address(Field::SOURCE, a)).collect();
            if !own.is_empty() {
                speakers.push(Speaker {
                    end: End::Cvm(CvmId(index)),
                    sources: Some(union(&own)),
                });
            }
        }
        let outside = [End::Internet].into_iter().chain(
            (0..)
                .map(ExternalId)
                .zip(&network.externals)
                .filter(|(_, external)| !external.networks.is_empty())
                .map(|(id, _)| End::External(id)),
        );
        for end in outside {
            let own = self.reach.sources(end).and(&sources);
            if !own.is_empty() {
                let sources = Some(own);
                speakers.push(Speaker { end, sources });
            }
        }
        speakers
    }

    /// The address that a host sends from who is known by this one: a public one stands for a
    /// private one.
    fn private_of(&self, address: Ipv4Addr) -> Ipv4Addr {
        let network = self.reach.program().network();
        let Some(eip) = self.reach.program().eip_of_public(address) else {
            return address;
        };
        let eip = network.eip(eip);
        match eip.target {
            _ if eip.mode == EipMode::Direct => address,
            Some(EipTarget::Address(_, private)) => private,
            Some(EipTarget::Havip(havip)) => network.havip(havip).address,
            Some(EipTarget::NatGateway(_)) | None => address,
        }
    }

    /// Packets, by the source that a host chooses for their destination: the address of the nic
    /// that the way there leads out of; towards strangers the eip that it carries itself.
    pub(super) fn as_chosen(&self, cvm: CvmId, packets: &Set) -> Set {
        let network = self.reach.program().network();
        let host = network.cvm(cvm);
        let tables = &self.reach.facts().hosts[cvm.index()].tables;
        // The source is chosen after the route, so rules see none.
        let rules = host.rules.iter();
        let rules = rules.filter(|rule| rule.from.contains(&Ipv4Addr::UNSPECIFIED));
        let order = rules.map(|rule| rule.table).chain([HostTable::MAIN]);
        let (mut left, mut chosen) = (packets.clone(), Vec::new());
        for (net, nic) in order.filter_map(|table| tables.get(&table)).flatten() {
            let part = left.and(&Set::within(Field::DESTINATION, *net));
            left = left.without(&part);
            chosen.push(self.sent_by_nic(*nic, &part));
        }
        if let Some(&first) = host.nics.first() {
            chosen.push(self.sent_by_nic(first, &left));
        }
        union(&chosen)
    }

    fn sent_by_nic(&self, nic: NicId, packets: &Set) -> Set {
        let network = self.reach.program().network();
        let own = Set::address(Field::SOURCE, network.nic(nic).address());
        let mut eips = network.eips.iter();
        let carried = eips.find(|eip| {
            let bound = matches!(eip.target, Some(EipTarget::Address(to, _)) if to == nic);
            bound && eip.mode == EipMode::Direct
        });
        let Some(eip) = carried else {
            return packets.and(&own);
        };
        let vpcs = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
        let behind = network.externals.iter().flat_map(|it| &it.networks);
        let ours = vpcs.chain(behind);
        let ours: Vec<Set> = ours
            .map(|&net| Set::within(Field::DESTINATION, net))
            .collect();
        let ours = union(&ours);
        let public = Set::address(Field::SOURCE, eip.address);
        let inside = packets.and(&ours).and(&own);
        inside.or(&packets.without(&ours).and(&public))
    }
}
