//! Who talked to whom.

use super::Fared;
use crate::places::Places;
use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Owner, Place, Program, Source};
use vpcsim_network::{CvmId, EipTarget, NatGatewayId, NicId};
use vpcsim_packet::FlowKey;

/// Most pairs that are counted apart.
const MOST_PAIRS: usize = 1 << 14;
/// Most ends that are named; the others are one.
const MOST_ENDS: usize = 24;

/// Who talked to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Talks {
    /// The ends that talked most, in the order of the network file: hosts, `internet`, `nat:gw`,
    /// `external:office`, `nobody`; where there are more than 24, last `others`.
    pub ends: Vec<String>,
    /// Pairs that sent anything, by sender, then by receiver.
    pub pairs: Vec<Talk>,
}

/// What one end sent to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Talk {
    /// The sender, by its place in [`Talks::ends`].
    pub from: usize,
    /// Where it arrived, or where it was to arrive.
    pub to: usize,
    /// Packets, those that were dropped included.
    pub packets: u64,
    /// Their bytes on the link.
    pub bytes: u64,
    /// How many of the packets were dropped.
    pub dropped: u64,
}

/// Counts pairs. Ends have numbers: the hosts', then those of the places that are no nics, then
/// nobody's.
#[derive(Debug)]
pub(super) struct Talking {
    hosts: usize,
    nics: Vec<CvmId>,
    places: Places,
    pairs: HashMap<(usize, usize), Fared>,
    rest: Fared,
}

impl Talking {
    pub(super) fn new(program: &Program) -> Self {
        let network = program.network();
        Self {
            hosts: network.cvms.len(),
            nics: network.nics.iter().map(|nic| nic.cvm).collect(),
            places: Places::new(program),
            pairs: HashMap::new(),
            rest: Fared::default(),
        }
    }

    fn host(&self, nic: NicId) -> usize {
        self.nics[nic.index()].index()
    }

    fn nobody(&self) -> usize {
        self.hosts + self.places.len() - self.nics.len()
    }

    pub(super) fn source(&self, source: Source) -> usize {
        match source {
            Source::Cvm(cvm) => cvm.index(),
            Source::Nic(nic) => self.host(nic),
            Source::Internet => self.place(Place::Internet),
            Source::External(external) => self.place(Place::External(external)),
        }
    }

    pub(super) fn place(&self, place: Place) -> usize {
        match place {
            Place::Nic(nic) => self.host(nic),
            other => self.hosts + self.places.number(other) - self.nics.len(),
        }
    }

    /// Who a packet that did not arrive was meant for.
    pub(super) fn aim(&self, program: &Program, flow: &FlowKey) -> usize {
        let address = flow.destination;
        if let Some(end) = self.owner(program, address) {
            return end;
        }
        let network = program.network();
        let gateway = |id: NatGatewayId| self.place(Place::NatGateway(id));
        match program.eip_of_public(address) {
            Some(eip) => match network.eip(eip).target {
                Some(EipTarget::Address(nic, _)) => self.host(nic),
                Some(EipTarget::Havip(id)) => {
                    let holder = network.havip(id).holder;
                    holder.map_or(self.nobody(), |nic| self.host(nic))
                }
                Some(EipTarget::NatGateway(id)) => {
                    let rules = network.nat_gateway(id).dnat.iter();
                    let mut rules = rules.filter(|rule| {
                        rule.eip == eip
                            && rule.port == flow.destination_port
                            && rule.protocol.number() == Some(flow.protocol.0)
                    });
                    let inside = rules.find_map(|rule| self.owner(program, rule.to));
                    inside.unwrap_or_else(|| gateway(id))
                }
                None => self.nobody(),
            },
            None => match program.external_of(address) {
                Some(external) => self.place(Place::External(external)),
                None if program.is_private(address) => self.nobody(),
                None => self.place(Place::Internet),
            },
        }
    }

    fn owner(&self, program: &Program, address: Ipv4Addr) -> Option<usize> {
        let (_, owner) = program.owner_anywhere(address)?;
        let nic = match owner {
            Owner::Nic(nic) => Some(nic),
            Owner::Havip(id) => program.network().havip(id).holder,
        };
        Some(nic.map_or(self.nobody(), |nic| self.host(nic)))
    }

    pub(super) fn add(&mut self, pair: (usize, usize), bytes: u32, dropped: bool) {
        if let Some(fared) = self.pairs.get_mut(&pair) {
            fared.add(bytes, dropped);
        } else if self.pairs.len() < MOST_PAIRS {
            self.pairs.entry(pair).or_default().add(bytes, dropped);
        } else {
            self.rest.add(bytes, dropped);
        }
    }

    fn name(&self, program: &Program, end: usize) -> String {
        if let Some(cvm) = program.network().cvms.get(end) {
            return cvm.name.clone();
        }
        let place = self.places.all().nth(end - self.hosts + self.nics.len());
        place.map_or_else(|| "nobody".to_owned(), |place| program.place_name(place))
    }

    pub(super) fn finish(self, program: &Program) -> Talks {
        let mut packets: HashMap<usize, u64> = HashMap::new();
        for (&(from, to), fared) in &self.pairs {
            *packets.entry(from).or_default() += fared.all.packets;
            *packets.entry(to).or_default() += fared.all.packets;
        }
        let mut busiest: Vec<(usize, u64)> = packets.into_iter().collect();
        busiest.sort_by_key(|&(end, packets)| (std::cmp::Reverse(packets), end));
        let crowded = busiest.len() > MOST_ENDS || self.rest.all.packets > 0;
        let mut named: Vec<usize> = busiest
            .iter()
            .take(MOST_ENDS)
            .map(|(end, _)| *end)
            .collect();
        named.sort_unstable();
        // Whoever is not named is the last one.
        let number = |end: usize| named.binary_search(&end).unwrap_or(named.len());
        let mut pairs: std::collections::BTreeMap<(usize, usize), Fared> = Default::default();
        for (&(from, to), &fared) in &self.pairs {
            let pair = pairs.entry((number(from), number(to))).or_default();
            pair.merge(fared);
        }
        if self.rest.all.packets > 0 {
            let others = (named.len(), named.len());
            pairs.entry(others).or_default().merge(self.rest);
        }
        let names = named.iter().map(|&end| self.name(program, end));
        let ends = names.chain(crowded.then(|| "others".to_owned())).collect();
        let pairs = pairs.into_iter().map(|((from, to), fared)| Talk {
            from,
            to,
            packets: fared.all.packets,
            bytes: fared.all.bytes,
            dropped: fared.dropped,
        });
        Talks {
            ends,
            pairs: pairs.collect(),
        }
    }
}
