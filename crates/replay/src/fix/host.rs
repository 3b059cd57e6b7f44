//! The host: whether it runs, forwards, and believes where packets come from.

use super::candidate::{ANYBODY, Candidate, Variant};
use super::scene::Scene;
use ipnet::Ipv4Net;
use vpcsim_dataplane::{Drop, Element};
use vpcsim_network::edit::{Change, Yaml, holds};
use vpcsim_network::{CvmId, NicId};

fn set(path: vpcsim_network::edit::Path, value: impl ToString) -> Change {
    Change::Set {
        path,
        value: Yaml::word(value),
    }
}

fn cvm_of(scene: &Scene, drop: &Drop) -> Option<CvmId> {
    match drop.element {
        Element::Cvm(cvm) => Some(cvm),
        Element::Nic(nic) => Some(scene.network().nic(nic).cvm),
        _ => None,
    }
}

/// A stopped host runs.
pub(super) fn running(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let cvm = cvm_of(scene, drop);
    let candidate = cvm.map(|cvm| {
        let what = format!("cvm {}: running", scene.network().cvm(cvm).name);
        Candidate::one(what, 0, vec![set(scene.cvm_path(cvm).key("running"), true)])
    });
    candidate.into_iter().collect()
}

/// A next hop forwards.
pub(super) fn ip_forward(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let candidate = cvm_of(scene, drop).map(|cvm| {
        let what = format!(
            "cvm {}: it forwards (ip_forward)",
            scene.network().cvm(cvm).name
        );
        let path = scene.cvm_path(cvm);
        let sysctl = path.clone().key("sysctl").key("net.ipv4.ip_forward");
        let mut changes = Vec::new();
        if holds(&scene.text, &sysctl) {
            changes.push(set(sysctl, 1));
        }
        let key = path.key("ip_forward");
        if changes.is_empty() || holds(&scene.text, &key) {
            changes.push(set(key, true));
        }
        Candidate::one(what, ANYBODY, changes)
    });
    candidate.into_iter().collect()
}

/// A host that forwards may do so by the nic too.
pub(super) fn forwarding_nic(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let network = scene.network();
    let Element::Nic(id) = drop.element else {
        return Vec::new();
    };
    let nic = network.nic(id);
    if nic.forwarding || !network.cvm(nic.cvm).ip_forward {
        return Vec::new();
    }
    let what = format!(
        "nic {}: it may send what others sent (forwarding)",
        network.nic_name(id)
    );
    vec![Candidate::one(
        what,
        ANYBODY,
        vec![set(scene.nic_path(id).key("forwarding"), true)],
    )]
}

/// The host's own routing knows no way.
pub(super) fn routes(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let (Some(cvm), Some(key)) = (cvm_of(scene, drop), scene.key()) else {
        return Vec::new();
    };
    let network = scene.network();
    let nics = &network.cvm(cvm).nics;
    let configured = |nic: &NicId| network.nic(*nic).addresses.iter().any(|own| own.configured);
    let mut list = Vec::new();
    // Without an address on its first nic a host has no default route.
    let first = nics.first().filter(|nic| !configured(nic));
    list.extend(
        first.map(|&nic| super::address::configured(scene, nic, network.nic(nic).address())),
    );
    let nic = nics.iter().copied().find(configured);
    let by = nic.map(|id| {
        let nic = network.nic(id);
        let variants = [Ipv4Net::from(key.destination), Ipv4Net::default()].map(|to| Variant {
            what: format!(
                "cvm {}: a route to {to} by {}",
                network.cvm(cvm).name,
                nic.name
            ),
            opens: u32::from(32 - to.prefix_len()),
            changes: vec![Change::Insert {
                list: scene.cvm_path(cvm).key("routes"),
                before: None,
                item: Yaml::inline([
                    ("to", Yaml::word(to)),
                    ("via", Yaml::word(network.subnet(nic.subnet).gateway())),
                    ("nic", Yaml::word(&nic.name)),
                ]),
            }],
        });
        Candidate::new(variants.into())
    });
    list.extend(by.flatten());
    list
}

/// A looser rp_filter on the nic, and none. The larger of `all` and the nic's value is in force.
pub(super) fn rp_filter(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let (Element::Nic(id), Some(seen)) = (drop.element, drop.reverse_path) else {
        return Vec::new();
    };
    let network = scene.network();
    let nic = network.nic(id);
    let cvm = network.cvm(nic.cvm);
    let path = |interface: &str| {
        let sysctl = format!("net.ipv4.conf.{interface}.rp_filter");
        scene.cvm_path(nic.cvm).key("sysctl").key(sysctl)
    };
    let mut list = Vec::new();
    if seen.value == 1 {
        let what = format!("cvm {}: rp_filter of {} is 2, loose", cvm.name, nic.name);
        list.push(Candidate::one(what, ANYBODY, vec![set(path(&nic.name), 2)]));
    }
    let both = [
        ("all", cvm.sysctl_all.rp_filter),
        (nic.name.as_str(), nic.sysctl.rp_filter),
    ];
    let on: Vec<_> = both.into_iter().filter(|(_, value)| *value > 0).collect();
    let names: Vec<_> = on.iter().map(|(interface, _)| *interface).collect();
    let what = format!(
        "cvm {}: rp_filter of {} is 0, off",
        cvm.name,
        names.join(" and ")
    );
    let off = on.iter().map(|(interface, _)| set(path(interface), 0));
    list.push(Candidate::one(what, ANYBODY, off.collect()));
    list
}

/// Sources that the host takes for its own, or loopback addresses from outside.
pub(super) fn martian(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let (Element::Nic(id), Some(key)) = (drop.element, scene.key()) else {
        return Vec::new();
    };
    let network = scene.network();
    let nic = network.nic(id);
    let loopback = key.source.is_loopback() || key.destination.is_loopback();
    let name = if loopback {
        "route_localnet"
    } else {
        "accept_local"
    };
    let what = format!(
        "cvm {}: {name} of {} is 1",
        network.cvm(nic.cvm).name,
        nic.name
    );
    let sysctl = format!("net.ipv4.conf.{}.{name}", nic.name);
    let path = scene.cvm_path(nic.cvm).key("sysctl").key(sysctl);
    vec![Candidate::one(what, 0, vec![set(path, 1)])]
}
