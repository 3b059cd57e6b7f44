//! Groups of nics: peers that name nobody, nics that have none.

use super::Lint;
use super::finding::{Found, Words};
use super::judge::Way;
use super::subject::Subject;
use crate::*;
use std::collections::{BTreeMap, BTreeSet};

/// `empty-group-peer`: a rule of a group that is in use names a group without a member that it
/// could match: one in the same vpc, or, where policy `sg_across_peering` says so, in a peer.
pub(super) fn empty_peer(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    let mut homes: BTreeMap<SecurityGroupId, BTreeSet<VpcId>> = BTreeMap::new();
    for nic in &network.nics {
        for &group in &nic.security_groups {
            homes
                .entry(group)
                .or_default()
                .insert(network.subnet(nic.subnet).vpc);
        }
    }
    let reaches = |from: VpcId, member: VpcId| {
        let across = network.policies.sg_across_peering == SgAcrossPeering::Match;
        let mut peerings = network.peerings.iter().filter(|peering| peering.active);
        from == member || (across && peerings.any(|peering| peering.other(from) == Some(member)))
    };
    for (&id, vpcs) in &homes {
        let group = network.security_group(id);
        for rule in Way::BOTH.iter().flat_map(|way| way.of_group(group)) {
            let Peer::Group(peer) = rule.peer else {
                continue;
            };
            let name = &network.security_group(peer).name;
            let members = homes.get(&peer);
            let matches = members.is_some_and(|members| {
                let mut pairs = vpcs
                    .iter()
                    .flat_map(|from| members.iter().map(move |m| (from, m)));
                pairs.any(|(from, member)| reaches(*from, *member))
            });
            if matches {
                continue;
            }
            let words = match members {
                None => Words {
                    message: format!("security group `{name}` has no members"),
                    why: "a group as a peer stands for the addresses of its members: the rule matches nobody".to_owned(),
                    help: format!("add `{name}` to the `security_groups` of the nics that are meant, or name another peer"),
                },
                Some(_) => Words {
                    message: format!("all members of security group `{name}` are in other vpcs than those of `{}`", group.name),
                    why: "a group as a peer stands for members in the same vpc: the rule matches nobody".to_owned(),
                    help: "name the other vpc's prefix instead; under policy `sg_across_peering: match` members in a peer vpc count".to_owned(),
                },
            };
            found.push(Lint::EmptyGroupPeer, rule.mark, "matches nobody", words);
        }
    }
}

/// `open-nic`
pub(super) fn open_nic(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for nic in &network.nics {
        if !nic.security_groups.is_empty() {
            continue;
        }
        let words = Words {
            message: format!("nic `{}/{}` has no security group", network.cvm(nic.cvm).name, nic.name),
            why: "a secondary nic without a group lets everything pass, in and out: only a primary one gets the vpc's default group".to_owned(),
            help: "add `security_groups: [NAME]`".to_owned(),
        };
        found.push(Lint::OpenNic, nic.mark, "open to all", words);
    }
}
