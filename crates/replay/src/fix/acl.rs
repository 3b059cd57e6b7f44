//! A rule in the acl that denied, in that direction.

use super::candidate::{Candidate, Variant};
use super::peers::peers;
use super::places::element;
use super::scene::{Scene, ports};
use vpcsim_dataplane::{Drop, Element, Stage};
use vpcsim_network::AclPort;
use vpcsim_network::edit::{Change, Yaml};

pub(super) fn candidates(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    rule(scene, drop).into_iter().collect()
}

fn rule(scene: &Scene, drop: &Drop) -> Option<Candidate> {
    let Element::Acl(acl) = drop.element else {
        return None;
    };
    let network = scene.network();
    let key = scene.key()?;
    let (list, word, address) = if drop.stage == Stage::AclIngress {
        ("ingress", "from", key.source)
    } else {
        ("egress", "to", key.destination)
    };
    // The port that the rule means is the service's or the one that the client chose.
    let reply = scene.is_reply();
    let (port, chosen) = match network.policies.acl_port {
        AclPort::Destination => (key.destination_port, reply),
        AclPort::Source => (key.source_port, !reply),
        AclPort::Either if reply => (key.source_port, false),
        AclPort::Either => (key.destination_port, false),
    };
    let (service, many) = ports(key.protocol, port, chosen)?;
    let name = &network.acl(acl).name;
    let before = drop
        .rule
        .and_then(|rule| rule.position)
        .map(|at| at as usize - 1);
    let variants = peers(scene, address, false).into_iter().map(|peer| {
        let rule = format!("accept {service} {word} {}", peer.text);
        Variant {
            what: format!("acl {name}, {list}: {rule}"),
            opens: peer.opens + many,
            changes: vec![Change::Insert {
                list: element("acls", name).key(list),
                before,
                item: Yaml::word(rule),
            }],
        }
    });
    Candidate::new(variants.collect())
}
