//! A rule in the group that denied.

use super::candidate::{Candidate, Variant};
use super::peers::peers;
use super::places::element;
use super::scene::{Scene, ports};
use vpcsim_dataplane::{Drop, Element, Stage};
use vpcsim_network::SecurityGroupId;
use vpcsim_network::edit::{Change, Yaml};

pub(super) fn candidates(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let network = scene.network();
    let mut groups = match drop.element {
        Element::SecurityGroup(group) => vec![group],
        // At the end of several lists a rule in any of them will do: first the one that fewest
        // share.
        Element::SecurityGroupsOf(nic) => network.nic(nic).security_groups.clone(),
        _ => Vec::new(),
    };
    groups.retain(|&id| network.security_group(id).mark.line > 0);
    groups.sort_by_key(|&id| scene.members(id));
    let rules = groups
        .into_iter()
        .filter_map(|group| rule(scene, drop, group));
    rules.collect()
}

fn rule(scene: &Scene, drop: &Drop, group: SecurityGroupId) -> Option<Candidate> {
    let key = scene.key()?;
    let (list, word, address) = if drop.stage == Stage::SecurityGroupIngress {
        ("ingress", "from", key.source)
    } else {
        ("egress", "to", key.destination)
    };
    // A reply is judged as if it opened a flow where the request was not seen.
    let (service, many) = ports(key.protocol, key.destination_port, scene.is_reply())?;
    let name = &scene.network().security_group(group).name;
    let before = drop
        .rule
        .and_then(|rule| rule.position)
        .map(|at| at as usize - 1);
    let variants = peers(scene, address, true).into_iter().map(|peer| {
        let rule = format!("accept {service} {word} {}", peer.text);
        Variant {
            what: format!("security group {name}, {list}: {rule}"),
            opens: peer.opens + many,
            changes: vec![Change::Insert {
                list: element("security_groups", name).key(list),
                before,
                item: Yaml::word(rule),
            }],
        }
    });
    Candidate::new(variants.collect())
}
