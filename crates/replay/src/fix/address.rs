//! Addresses that the platform knows and the guest does not, or the other way round.

use super::candidate::Candidate;
use super::gateway::MOST_HOSTS;
use super::places::element;
use super::scene::Scene;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Drop, DropReason, Element};
use vpcsim_network::edit::{Change, Yaml, holds};
use vpcsim_network::{CvmId, NicId};

/// The guest configures an address that is bound to its nic, on the nic or on `lo`.
pub(super) fn not_local(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let (Element::Cvm(cvm), Some(key)) = (drop.element, scene.key()) else {
        return Vec::new();
    };
    let network = scene.network();
    let address = key.destination;
    let has = |nic: &NicId| {
        let mut addresses = network.nic(*nic).addresses.iter();
        addresses.any(|own| own.address == address && !own.configured)
    };
    let nic = network.cvm(cvm).nics.iter().copied().find(has);
    let on_nic = nic.map(|nic| configured(scene, nic, address));
    on_nic
        .into_iter()
        .chain([on_lo_of(scene, cvm, address)])
        .collect()
}

/// An address of a nic, configured in the guest.
pub(super) fn configured(scene: &Scene, nic: NicId, address: Ipv4Addr) -> Candidate {
    let network = scene.network();
    let path = scene.nic_path(nic);
    let position = network
        .nic(nic)
        .addresses
        .iter()
        .position(|own| own.address == address);
    let list = path.clone().key("addresses");
    let item = match position {
        Some(position) if holds(&scene.text, &list) => list.item(position),
        _ => path.key("address"),
    };
    let what = format!(
        "nic {}: {address} is configured in the guest",
        network.nic_name(nic)
    );
    let change = Change::Set {
        path: item.key("configured"),
        value: Yaml::word(true),
    };
    Candidate::one(what, 0, vec![change])
}

fn on_lo_of(scene: &Scene, cvm: CvmId, address: Ipv4Addr) -> Candidate {
    let what = format!("cvm {}: {address} on lo", scene.network().cvm(cvm).name);
    let change = Change::Insert {
        list: scene.cvm_path(cvm).key("lo"),
        before: None,
        item: Yaml::word(address),
    };
    Candidate::one(what, 0, vec![change])
}

/// An address that a guest has on `lo` becomes one of its nic, so that the platform knows it too.
pub(super) fn on_lo(scene: &Scene) -> Vec<Candidate> {
    let network = scene.network();
    let Some(key) = scene.key() else {
        return Vec::new();
    };
    let unknown = match scene.run.end {
        crate::trace::End::Dropped(drop) if drop.reason == DropReason::SourceNotOwned => key.source,
        _ => key.destination,
    };
    let hosts = network.cvms.iter().filter(|cvm| cvm.lo.contains(&unknown));
    let nics = hosts.flat_map(|cvm| &cvm.nics).copied();
    let fitting = nics.filter(|&nic| {
        let subnet = network.subnet(network.nic(nic).subnet);
        subnet.cidr.contains(&unknown)
    });
    fitting
        .map(|nic| on_nic(scene, nic, unknown))
        .take(MOST_HOSTS)
        .collect()
}

fn on_nic(scene: &Scene, id: NicId, address: Ipv4Addr) -> Candidate {
    let nic = scene.network().nic(id);
    let item = |address: Ipv4Addr, configured: bool| {
        if configured {
            return Yaml::word(address);
        }
        Yaml::inline([
            ("address", Yaml::word(address)),
            ("configured", Yaml::word(false)),
        ])
    };
    let path = scene.nic_path(id);
    let (one, list) = (path.clone().key("address"), path.key("addresses"));
    let changes = if holds(&scene.text, &list) {
        vec![Change::Insert {
            list,
            before: None,
            item: item(address, false),
        }]
    } else {
        let own = nic
            .addresses
            .iter()
            .map(|own| item(own.address, own.configured));
        let items: Vec<_> = own.chain([item(address, false)]).collect();
        vec![
            Change::Set {
                path: one.clone(),
                value: Yaml::List(items),
            },
            Change::Rename {
                path: one,
                key: "addresses".to_owned(),
            },
        ]
    };
    let name = scene.network().nic_name(id);
    Candidate::one(
        format!("nic {name}: {address} is one of its addresses, which the guest has on lo"),
        0,
        changes,
    )
}

/// Somebody holds a virtual address.
pub(super) fn holder(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let Element::Havip(id) = drop.element else {
        return Vec::new();
    };
    let network = scene.network();
    let havip = network.havip(id);
    let nics = network
        .nic_ids()
        .filter(|&nic| network.nic(nic).subnet == havip.subnet);
    let running = nics.filter(|&nic| network.cvm(network.nic(nic).cvm).running);
    let holders = running.map(|nic| {
        let what = format!("havip {}: held by {}", havip.name, network.nic_name(nic));
        let hold = Change::Set {
            path: element("havips", &havip.name).key("holder"),
            value: scene.name_of(nic, network.nic(nic).address()),
        };
        Candidate::one(what, 0, vec![hold])
    });
    holders.take(MOST_HOSTS).collect()
}
