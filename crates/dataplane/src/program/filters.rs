//! The rule lists of groups and acls, compiled (§6, §7).

#[cfg(test)]
mod tests;

use super::Program;
use super::members::{Members, Peers};
use crate::classify::{Classifier, Pattern, service};
use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_network::{
    Acl, AclId, AclPort, AclRule, Network, NicId, Peer, SecurityGroup, SecurityGroupId,
    SecurityGroupRule, SgAcrossPeering, VpcId,
};
use vpcsim_packet::FlowKey;

/// Which way a packet passes a nic, or a subnet's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Travel {
    /// Towards the host.
    Ingress,
    /// Away from it.
    Egress,
}

/// The rule of a group that decides about a flow.
#[derive(Debug, Clone, Copy)]
pub struct GroupRule<'a> {
    /// The group.
    pub group: SecurityGroupId,
    /// Position in the group's list, from 1.
    pub position: u32,
    /// The rule.
    pub rule: &'a SecurityGroupRule,
    /// Whether policy `sg_across_peering` decided that it matches.
    pub across: bool,
}

/// The rule of an acl that decides about a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AclVerdict<'a> {
    /// Position in the list, from 1, and the rule; `None`: the implicit end.
    pub(crate) hit: Option<(u32, &'a AclRule)>,
    /// Whether policy `acl_port` decided: its default would have chosen another rule.
    pub(crate) by_policy: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Filters {
    /// By nic, which of `lists` its groups are.
    nics: Box<[u32]>,
    /// Groups in bound order. Nics of one vpc with the same groups share a list.
    lists: Box<[Box<[Bound]>]>,
    /// Where lists of groups have been compiled; what no peer makes different is there once for
    /// all vpcs.
    groups: Box<[Classifier]>,
    acls: Box<[BothWays<Classifier>]>,
    members: Members,
}

/// A group of a list.
#[derive(Debug, Clone, Copy)]
struct Bound {
    group: SecurityGroupId,
    compiled: BothWays<u32>,
}

#[derive(Debug, Clone, Copy)]
struct BothWays<T> {
    ingress: T,
    egress: T,
}

impl<T> BothWays<T> {
    fn new(mut make: impl FnMut(Travel) -> T) -> Self {
        Self {
            ingress: make(Travel::Ingress),
            egress: make(Travel::Egress),
        }
    }

    fn get(&self, travel: Travel) -> &T {
        match travel {
            Travel::Ingress => &self.ingress,
            Travel::Egress => &self.egress,
        }
    }
}

impl Filters {
    pub(super) fn new(network: &Network) -> Self {
        let members = Members::new(network);
        let mut compiler = Compiler {
            network,
            peers: Peers::new(network, &members),
            groups: Vec::new(),
            known: HashMap::new(),
        };
        let mut lists = Vec::new();
        let mut known: HashMap<(VpcId, &[SecurityGroupId]), u32> = HashMap::new();
        let mut nics = Vec::with_capacity(network.nics.len());
        for nic in &network.nics {
            let vpc = network.subnet(nic.subnet).vpc;
            let list = known.entry((vpc, &nic.security_groups));
            nics.push(*list.or_insert_with(|| {
                let bound = |&group| compiler.bound(group, vpc);
                lists.push(nic.security_groups.iter().map(bound).collect());
                lists.len() as u32 - 1
            }));
        }
        Self {
            nics: nics.into(),
            lists: lists.into(),
            groups: compiler.groups.into(),
            acls: network.acls.iter().map(acl).collect(),
            members,
        }
    }
}

/// Compiles the lists of groups as nics want them.
struct Compiler<'a> {
    network: &'a Network,
    peers: Peers<'a>,
    groups: Vec<Classifier>,
    /// By group, direction and vpc, where that matters.
    known: HashMap<(SecurityGroupId, bool, Option<VpcId>), u32>,
}

impl Compiler<'_> {
    fn bound(&mut self, group: SecurityGroupId, vpc: VpcId) -> Bound {
        let compiled = BothWays::new(|travel| self.compile(group, travel, vpc));
        Bound { group, compiled }
    }

    fn compile(&mut self, group: SecurityGroupId, travel: Travel, vpc: VpcId) -> u32 {
        let rules = group_rules(self.network.security_group(group), travel);
        let by_vpc = rules.iter().any(|rule| matches!(rule.peer, Peer::Group(_)));
        let key = (group, travel == Travel::Ingress, by_vpc.then_some(vpc));
        *self.known.entry(key).or_insert_with(|| {
            let pattern = |rule: &SecurityGroupRule| {
                let services = service::of_group_rule(&rule.services);
                Pattern::new(services, self.peers.of(&rule.peer, vpc))
            };
            let patterns: Vec<_> = rules.iter().map(pattern).collect();
            self.groups.push(Classifier::new(&patterns));
            self.groups.len() as u32 - 1
        })
    }
}

fn acl(acl: &Acl) -> BothWays<Classifier> {
    BothWays::new(|travel| {
        let pattern = |rule: &AclRule| {
            let peers = super::members::prefix(rule.peer);
            Pattern::new(service::of_acl_rule(rule), peers)
        };
        let patterns: Vec<_> = acl_rules(acl, travel).iter().map(pattern).collect();
        Classifier::new(&patterns)
    })
}

fn group_rules(group: &SecurityGroup, travel: Travel) -> &[SecurityGroupRule] {
    match travel {
        Travel::Ingress => &group.ingress,
        Travel::Egress => &group.egress,
    }
}

fn acl_rules(acl: &Acl, travel: Travel) -> &[AclRule] {
    match travel {
        Travel::Ingress => &acl.ingress,
        Travel::Egress => &acl.egress,
    }
}

/// The other end of a packet: who sends what arrives, who receives what leaves.
fn peer(key: &FlowKey, travel: Travel) -> Ipv4Addr {
    match travel {
        Travel::Ingress => key.source,
        Travel::Egress => key.destination,
    }
}

impl Program {
    /// Whether a nic has no group: everything passes.
    #[inline]
    pub(crate) fn is_unfiltered(&self, nic: NicId) -> bool {
        self.groups_of(nic).is_empty()
    }

    #[inline]
    fn groups_of(&self, nic: NicId) -> &[Bound] {
        let filters = &self.filters;
        &filters.lists[filters.nics[nic.index()] as usize]
    }

    /// The first rule that matches in the lists of the nic's groups, concatenated in bound
    /// order; `None`: the implicit deny.
    #[doc(hidden)]
    pub fn group_rule(&self, nic: NicId, travel: Travel, key: &FlowKey) -> Option<GroupRule<'_>> {
        let (service, peer) = (service::by_destination(key), peer(key, travel));
        self.groups_of(nic).iter().find_map(|bound| {
            let compiled = &self.filters.groups[*bound.compiled.get(travel) as usize];
            let index = compiled.first(service, peer.into())?;
            let group = bound.group;
            let rule = &group_rules(self.network.security_group(group), travel)[index];
            Some(GroupRule {
                group,
                position: index as u32 + 1,
                rule,
                across: self.is_across(&rule.peer, peer, nic),
            })
        })
    }

    /// Whether a rule's peer holds an address by policy `sg_across_peering` alone (§8).
    fn is_across(&self, peer: &Peer, address: Ipv4Addr, nic: NicId) -> bool {
        match *peer {
            Peer::Group(group)
                if self.network.policies.sg_across_peering == SgAcrossPeering::Match =>
            {
                let vpc = self.vpc_of(nic);
                !self.filters.members.contains(group, vpc, address)
            }
            _ => false,
        }
    }

    /// The first rule of an acl that matches (§7).
    pub(crate) fn acl_rule(&self, id: AclId, travel: Travel, key: &FlowKey) -> AclVerdict<'_> {
        let compiled = self.filters.acls[id.index()].get(travel);
        let peer = u32::from(peer(key, travel));
        let by_destination = || compiled.first(service::by_destination(key), peer);
        let by_source = || compiled.first(service::by_source(key), peer);
        let (hit, by_policy) = match self.network.policies.acl_port {
            AclPort::Destination => (by_destination(), false),
            AclPort::Source => {
                let hit = by_source();
                (hit, hit != by_destination())
            }
            AclPort::Either => {
                let usual = by_destination();
                // The first rule that either port matches is the earlier of the two.
                let hit = usual.into_iter().chain(by_source()).min();
                (hit, hit != usual)
            }
        };
        let rules = acl_rules(self.network.acl(id), travel);
        let hit = hit.map(|index| (index as u32 + 1, &rules[index]));
        AclVerdict { hit, by_policy }
    }
}
