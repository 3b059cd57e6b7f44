//! Who is in which security group, and the addresses that a rule's peer stands for (§6, §8).

use crate::intervals::{Span, join};
use hashbrown::HashMap;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use std::rc::Rc;
use vpcsim_network::{
    AddressRange, AddressTemplateId, Network, Peer, SecurityGroupId, SgAcrossPeering, VpcId,
};

/// Members' private addresses by group and vpc, in order and joined.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    by_group: HashMap<(SecurityGroupId, VpcId), Box<[Span]>>,
}

impl Members {
    pub(super) fn new(network: &Network) -> Self {
        let mut by_group: HashMap<_, Vec<Span>> = HashMap::new();
        for nic in &network.nics {
            let vpc = network.subnet(nic.subnet).vpc;
            for &group in &nic.security_groups {
                let members = by_group.entry((group, vpc)).or_default();
                members.extend(nic.addresses.iter().map(|own| one(own.address)));
            }
        }
        let joined = |members| join(members).into();
        let by_group = by_group.into_iter().map(|(key, m)| (key, joined(m)));
        let by_group = by_group.collect();
        Self { by_group }
    }

    fn of(&self, group: SecurityGroupId, vpc: VpcId) -> &[Span] {
        self.by_group.get(&(group, vpc)).map_or(&[], |m| m)
    }

    /// Whether an address of the vpc is a member's.
    pub(super) fn contains(&self, group: SecurityGroupId, vpc: VpcId, address: Ipv4Addr) -> bool {
        let (members, address) = (self.of(group, vpc), u32::from(address));
        let after = members.partition_point(|span| span.first <= address);
        after > 0 && address <= members[after - 1].last
    }
}

/// The addresses of peers, each made once.
pub(super) struct Peers<'a> {
    network: &'a Network,
    members: &'a Members,
    templates: HashMap<AddressTemplateId, Rc<[Span]>>,
    groups: HashMap<(SecurityGroupId, VpcId), Rc<[Span]>>,
    any: Rc<[Span]>,
}

impl<'a> Peers<'a> {
    pub(super) fn new(network: &'a Network, members: &'a Members) -> Self {
        Self {
            network,
            members,
            templates: HashMap::new(),
            groups: HashMap::new(),
            any: Rc::new([Span::ALL]),
        }
    }

    /// What a rule's peer stands for at a nic of `vpc`.
    pub(super) fn of(&mut self, peer: &Peer, vpc: VpcId) -> Rc<[Span]> {
        match *peer {
            Peer::Any => self.any.clone(),
            Peer::Prefix(net) => prefix(net),
            Peer::Template(template) => {
                let of = self.templates.entry(template);
                let network = self.network;
                let members = || network.address_template(template).members.iter();
                of.or_insert_with(|| join(members().copied().filter_map(span).collect()).into())
                    .clone()
            }
            Peer::Group(group) => {
                let (network, members) = (self.network, self.members);
                let of = self.groups.entry((group, vpc));
                of.or_insert_with(|| group_peers(network, members, group, vpc))
                    .clone()
            }
        }
    }
}

/// §6: members of the same vpc; under `sg_across_peering: match` (§8) those of its peers too.
fn group_peers(
    network: &Network,
    members: &Members,
    group: SecurityGroupId,
    vpc: VpcId,
) -> Rc<[Span]> {
    let mut all = members.of(group, vpc).to_vec();
    if network.policies.sg_across_peering == SgAcrossPeering::Match {
        let active = network.peerings.iter().filter(|peering| peering.active);
        for peer in active.filter_map(|peering| peering.other(vpc)) {
            all.extend_from_slice(members.of(group, peer));
        }
    }
    join(all).into()
}

/// The addresses of a prefix.
pub(super) fn prefix(net: Ipv4Net) -> Rc<[Span]> {
    span(AddressRange::from(net)).into_iter().collect()
}

fn one(address: Ipv4Addr) -> Span {
    let number = u32::from(address);
    Span {
        first: number,
        last: number,
    }
}

fn span(range: AddressRange) -> Option<Span> {
    Span::new(range.first, range.last)
}
