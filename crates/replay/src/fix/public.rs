//! A public address for who has none.

use super::candidate::{ANYBODY, Candidate};
use super::gateway::{MOST_HOSTS, dnat, hosts};
use super::places::element;
use super::scene::Scene;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Drop, Element};
use vpcsim_network::edit::{Change, Yaml};
use vpcsim_network::{EipMode, EipTarget, NatGatewayId, NicId};

/// All ports of one address to everybody: what an eip opens, as far as groups and acls let it.
const ALL_PORTS: u32 = ANYBODY + 16;

/// The internet has no way to a private address: a forwarded port, or an eip.
pub(super) fn for_target(scene: &Scene) -> Vec<Candidate> {
    let network = scene.network();
    let Some(key) = scene.key() else {
        return Vec::new();
    };
    let Some(nic) = scene.nic_of(key.destination) else {
        return Vec::new();
    };
    let vpc = network.vpc_of(nic);
    let gateways = (0..).map(NatGatewayId).zip(&network.nat_gateways);
    let gateways = gateways.filter(|(_, gateway)| gateway.vpc == vpc && gateway.enabled);
    let mut list: Vec<_> = gateways
        .filter_map(|(id, gateway)| {
            let &eip = gateway.eips.first()?;
            dnat(scene, id, eip, key.protocol, key.destination_port, nic)
        })
        .collect();
    list.extend(eips(scene, nic, key.destination));
    list
}

/// A host without a public address sends to the internet, where no route takes it.
pub(super) fn for_sender(scene: &Scene) -> Vec<Candidate> {
    let Some(key) = scene.key() else {
        return Vec::new();
    };
    let inside = scene.program.is_private(key.destination)
        || scene.program.external_of(key.destination).is_some();
    match scene.nic_of(key.source) {
        Some(nic) if !inside => eips(scene, nic, key.source),
        _ => Vec::new(),
    }
}

/// An address that is bound to nothing.
pub(super) fn bound(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let (Element::Eip(eip), Some(key)) = (drop.element, scene.key()) else {
        return Vec::new();
    };
    let network = scene.network();
    let hosts = hosts(scene, key.protocol, key.destination_port, |cvm| {
        let first = network.cvm(cvm).nics.first();
        first.is_some_and(|&nic| of(scene, nic, network.nic(nic).address()).is_none())
    });
    let name = &network.eip(eip).name;
    let bind = |nic: NicId| bind(scene, name, nic, network.nic(nic).address());
    hosts
        .into_iter()
        .map(|(_, nic)| bind(nic))
        .take(MOST_HOSTS)
        .collect()
}

/// What gives a private address a public one.
fn eips(scene: &Scene, nic: NicId, address: Ipv4Addr) -> Vec<Candidate> {
    let network = scene.network();
    if let Some((name, mode)) = of(scene, nic, address) {
        // In direct mode it stands for no private address.
        let translate = Change::Set {
            path: element("eips", &name).key("mode"),
            value: Yaml::word("nat"),
        };
        let what = format!("eip {name}: translated by the platform (mode nat)");
        let direct = mode == EipMode::Direct;
        return direct
            .then(|| Candidate::one(what, 0, vec![translate]))
            .into_iter()
            .collect();
    }
    let spare = network.eips.iter().find(|eip| eip.target.is_none());
    let spare = spare.map(|eip| bind(scene, &eip.name, nic, address));
    spare
        .into_iter()
        .chain(declared(scene, nic, address))
        .collect()
}

/// The eip of a private address.
fn of(scene: &Scene, nic: NicId, address: Ipv4Addr) -> Option<(String, EipMode)> {
    let mut eips = scene.network().eips.iter();
    let eip = eips.find(|eip| eip.target == Some(EipTarget::Address(nic, address)))?;
    Some((eip.name.clone(), eip.mode))
}

fn bind(scene: &Scene, eip: &str, nic: NicId, address: Ipv4Addr) -> Candidate {
    let what = format!(
        "eip {eip}: bound to {} ({address})",
        scene.program.nic_name(nic)
    );
    let bind = Change::Set {
        path: element("eips", eip).key("bind"),
        value: scene.name_of(nic, address),
    };
    Candidate::one(what, ALL_PORTS, vec![bind])
}

/// An eip more, with an address that stands for the one that the platform assigns.
fn declared(scene: &Scene, nic: NicId, address: Ipv4Addr) -> Option<Candidate> {
    let network = scene.network();
    let cvm = &network.cvm(network.nic(nic).cvm).name;
    let mut names = std::iter::once(cvm.clone()).chain((2..).map(|n| format!("{cvm}-{n}")));
    let name = names.find(|name| network.find_eip(name).is_none())?;
    let public = free(scene)?;
    let what = format!(
        "eip {name}: a new one, bound to {} ({address}); the platform assigns the address, {public} stands for it",
        scene.program.nic_name(nic),
    );
    let declare = Change::Set {
        path: element("eips", &name),
        value: Yaml::inline([
            ("address", Yaml::word(public)),
            ("bind", scene.name_of(nic, address)),
        ]),
    };
    Some(Candidate::one(what, ALL_PORTS, vec![declare]))
}

/// A public address after those that the network has, or of the documentation (RFC 5737).
fn free(scene: &Scene) -> Option<Ipv4Addr> {
    let network = scene.network();
    let last = network.eips.iter().map(|eip| eip.address).max();
    let from = u32::from(last.unwrap_or(Ipv4Addr::new(203, 0, 113, 9)));
    let fits = |address: &Ipv4Addr| {
        let named = [scene.run.ways.first().and_then(|way| way.start)];
        let mut named = named.iter().flatten();
        !matches!(address.octets()[3], 0 | 255)
            && !scene.program.is_private(*address)
            && scene.program.external_of(*address).is_none()
            && network.eip_by_address(*address).is_none()
            && !named.any(|key| key.source == *address || key.destination == *address)
    };
    (1..=512)
        .map(|n| Ipv4Addr::from(from.wrapping_add(n)))
        .find(fits)
}
