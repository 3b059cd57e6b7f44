//! Policy rules on a host with several nics: each address answers by its own nic.

use super::candidate::Candidate;
use super::scene::Scene;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Drop, Element};
use vpcsim_network::edit::{Change, Yaml};
use vpcsim_network::{Cvm, HostTable, NicId};

/// A reply left by another nic than the one that has its source address.
pub(super) fn for_reply(scene: &Scene) -> Vec<Candidate> {
    let network = scene.network();
    let sender = scene.way().and_then(|way| way.sender());
    let (Some(key), Some(sender)) = (scene.key(), sender) else {
        return Vec::new();
    };
    let nics = network.cvm(network.nic(sender).cvm).nics.iter().copied();
    let mut others = nics.filter(|&nic| nic != sender && has(scene, nic, key.source));
    let owner = others.next().filter(|_| scene.is_reply());
    owner
        .and_then(|nic| rules(scene, nic, key.source))
        .into_iter()
        .collect()
}

/// A request came in by a nic that the way back does not lead out of.
pub(super) fn for_arrival(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    match (drop.element, scene.key()) {
        (Element::Nic(nic), Some(key)) if has(scene, nic, key.destination) => {
            rules(scene, nic, key.destination).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn has(scene: &Scene, nic: NicId, address: Ipv4Addr) -> bool {
    let mut addresses = scene.network().nic(nic).addresses.iter();
    addresses.any(|own| own.address == address)
}

/// What an address sends leaves by its nic: a table with a default route out of it, and a rule
/// that leads there.
fn rules(scene: &Scene, nic_id: NicId, address: Ipv4Addr) -> Option<Candidate> {
    let network = scene.network();
    let nic = network.nic(nic_id);
    let cvm = network.cvm(nic.cvm);
    let (name, host) = (&nic.name, &cvm.name);
    if cvm.nics.len() < 2 {
        return None;
    }
    let of_nic = |route: &&vpcsim_network::HostRoute| {
        let default = route.destination.prefix_len() == 0 && route.table != HostTable::MAIN;
        default && route.nic == nic_id
    };
    let declared = cvm.routes.iter().find(of_nic).map(|route| route.table);
    let table = declared.or_else(|| free_table(cvm, nic_id))?;
    let leads = |rule: &vpcsim_network::HostRule| rule.from.contains(&address);
    if cvm
        .rules
        .iter()
        .any(|rule| leads(rule) && rule.table == table)
    {
        return None;
    }
    let mut changes = Vec::new();
    if declared.is_none() {
        let gateway = network.subnet(nic.subnet).gateway();
        changes.push(Change::Insert {
            list: scene.cvm_path(nic.cvm).key("routes"),
            before: None,
            item: Yaml::inline([
                ("to", Yaml::word("0.0.0.0/0")),
                ("via", Yaml::word(gateway)),
                ("nic", Yaml::word(name)),
                ("table", Yaml::word(table.0)),
            ]),
        });
    }
    changes.push(Change::Insert {
        list: scene.cvm_path(nic.cvm).key("rules"),
        // A rule that takes it elsewhere would come first.
        before: cvm.rules.iter().position(leads),
        item: Yaml::inline([
            ("from", Yaml::word(address)),
            ("table", Yaml::word(table.0)),
        ]),
    });
    let what = format!("cvm {host}: a policy rule, so that what {address} sends leaves by {name}");
    Some(Candidate::one(what, 0, changes))
}

/// 10 for the first nic, 20 for the second, or the next number that is free.
fn free_table(cvm: &Cvm, nic: NicId) -> Option<HostTable> {
    let position = cvm.nics.iter().position(|&own| own == nic)?;
    let from = u32::try_from(position + 1).ok()?.checked_mul(10)?;
    let taken = |table: HostTable| {
        cvm.routes.iter().any(|route| route.table == table)
            || cvm.rules.iter().any(|rule| rule.table == table)
    };
    // Linux has the tables from 253 on for itself.
    (from..253).map(HostTable).find(|&table| !taken(table))
}
