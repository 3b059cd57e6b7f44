//! NAT gateways and externals: switched on, with rules for who uses them.

use super::candidate::{ANYBODY, Candidate, Variant};
use super::places::element;
use super::scene::Scene;
use vpcsim_dataplane::{Drop, Element, Policy};
use vpcsim_network::edit::{Change, Yaml};
use vpcsim_network::{CvmId, EipId, NatGatewayId, NicId};
use vpcsim_packet::Protocol;

/// Hosts that are tried where nobody says which is meant.
pub(super) const MOST_HOSTS: usize = 3;

/// A disabled gateway is enabled, or the route that led to it leads to another one.
pub(super) fn available(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let network = scene.network();
    let enable = |kind: &str, section: &str, name: &str| {
        let change = Change::Set {
            path: element(section, name).key("enabled"),
            value: Yaml::word(true),
        };
        Candidate::one(format!("{kind} {name}: enabled"), 0, vec![change])
    };
    match drop.element {
        Element::External(id) => {
            vec![enable("external", "externals", &network.external(id).name)]
        }
        Element::NatGateway(id) => {
            let gateway = network.nat_gateway(id);
            let mut list = vec![enable("nat gateway", "nat_gateways", &gateway.name)];
            list.extend(another(scene, drop, id));
            list
        }
        _ => Vec::new(),
    }
}

/// The route that decided, by another gateway of the vpc.
fn another(scene: &Scene, drop: &Drop, retired: NatGatewayId) -> Vec<Candidate> {
    let network = scene.network();
    let table = scene.way().and_then(|way| way.table());
    let position = drop.rule.and_then(|rule| rule.position);
    let (Some(table), Some(position)) = (table, position) else {
        return Vec::new();
    };
    let table = network.route_table(table);
    let at = position as usize - 1;
    let Some(route) = table.routes.get(at) else {
        return Vec::new();
    };
    let vpc = network.nat_gateway(retired).vpc;
    let others = network.nat_gateways.iter();
    let others = others.filter(|gateway| gateway.vpc == vpc && gateway.enabled);
    let others = others.map(|gateway| {
        let to = route.destination;
        let via = format!("nat/{}", gateway.name);
        let name = &table.name;
        let change = Change::Set {
            path: element("route_tables", name)
                .key("routes")
                .item(at)
                .key("via"),
            value: Yaml::word(&via),
        };
        let opens = u32::from(32 - to.prefix_len());
        Candidate::one(
            format!("route table {name}, route {position}: {to} via {via}"),
            opens,
            vec![change],
        )
    });
    others.collect()
}

/// A source that a strict gateway may serve.
pub(super) fn snat(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let (Element::NatGateway(id), Some(key)) = (drop.element, scene.key()) else {
        return Vec::new();
    };
    let network = scene.network();
    let gateway = network.nat_gateway(id);
    let (name, eip) = (&gateway.name, gateway.eips.first());
    let (Some(nic), Some(&eip)) = (scene.nic_of(key.source), eip) else {
        return Vec::new();
    };
    let nic = network.nic(nic);
    let subnet = network.subnet(nic.subnet);
    let eip = &network.eip(eip).name;
    let sources = [
        (format!("cvm/{}", network.cvm(nic.cvm).name), 0),
        (
            format!("subnet/{}", subnet.name),
            u32::from(32 - subnet.cidr.prefix_len()),
        ),
    ];
    let mut variants: Vec<_> = sources
        .into_iter()
        .map(|(from, opens)| Variant {
            what: format!("nat gateway {name}, snat: {from} by {eip}"),
            opens,
            changes: vec![Change::Insert {
                list: element("nat_gateways", name).key("snat"),
                before: None,
                item: Yaml::inline([
                    ("from", Yaml::word(from)),
                    ("eips", Yaml::List(vec![Yaml::word(eip)])),
                ]),
            }],
        })
        .collect();
    let vpc = network.vpc(subnet.vpc).cidrs.iter();
    variants.push(Variant {
        what: format!("nat gateway {name}: not strict, sources without a rule use all its eips"),
        opens: vpc
            .map(|cidr| u32::from(32 - cidr.prefix_len()))
            .max()
            .unwrap_or(ANYBODY),
        changes: vec![Change::Set {
            path: element("nat_gateways", name).key("strict_snat"),
            value: Yaml::word(false),
        }],
    });
    Candidate::new(variants).into_iter().collect()
}

/// A packet from the internet to a gateway's address: pings answered, or a port forwarded.
pub(super) fn inbound(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let (Element::NatGateway(id), Some(key)) = (drop.element, scene.key()) else {
        return Vec::new();
    };
    // The gateway's own policy towards its own vpc is the platform's.
    if drop.policy == Some(Policy::Hairpin) {
        return Vec::new();
    }
    let network = scene.network();
    let gateway = network.nat_gateway(id);
    let name = &gateway.name;
    if key.protocol == Protocol::ICMP {
        let proxy = Change::Set {
            path: element("nat_gateways", name).key("icmp_proxy"),
            value: Yaml::word(true),
        };
        let what = format!("nat gateway {name}: it answers pings to its addresses itself");
        return vec![Candidate::one(what, 0, vec![proxy])];
    }
    let Some(eip) = network.eip_by_address(key.destination) else {
        return Vec::new();
    };
    let port = key.destination_port;
    let hosts = hosts(scene, key.protocol, port, |cvm| {
        let first = network.cvm(cvm).nics.first();
        first.is_some_and(|&nic| network.vpc_of(nic) == gateway.vpc)
    });
    hosts
        .into_iter()
        .filter_map(|(_, nic)| dnat(scene, id, eip, key.protocol, port, nic))
        .collect()
}

/// Hosts that a public port or address may lead to, with their primary nics: the one that was
/// asked for, else those that say they listen there, else those that say nothing, else any.
pub(super) fn hosts(
    scene: &Scene,
    protocol: Protocol,
    port: u16,
    fits: impl Fn(CvmId) -> bool,
) -> Vec<(CvmId, NicId)> {
    let network = scene.network();
    let with_nic = |cvm: CvmId| Some((cvm, *network.cvm(cvm).nics.first()?));
    if let Some(target) = scene.target() {
        return with_nic(target)
            .filter(|_| fits(target))
            .into_iter()
            .collect();
    }
    let running = |cvm: &CvmId| network.cvm(*cvm).running && fits(*cvm);
    let listens = |cvm: &CvmId| {
        let mut services = network.cvm(*cvm).listen.iter().flatten();
        services.any(|service| {
            service.protocol.number() == Some(protocol.0)
                && service.ports.iter().any(|range| range.contains(port))
        })
    };
    let silent = |cvm: &CvmId| network.cvm(*cvm).listen.is_none();
    let all: Vec<_> = network.cvm_ids().filter(running).collect();
    let some = |fits: &dyn Fn(&CvmId) -> bool| all.iter().copied().filter(fits).collect::<Vec<_>>();
    let choices = [some(&listens), some(&silent), all.clone()];
    let chosen = choices.into_iter().find(|hosts| !hosts.is_empty());
    let chosen = chosen.unwrap_or_default().into_iter();
    chosen.filter_map(with_nic).take(MOST_HOSTS).collect()
}

/// A public port that leads to the same port of a nic.
pub(super) fn dnat(
    scene: &Scene,
    gateway: NatGatewayId,
    eip: EipId,
    protocol: Protocol,
    port: u16,
    nic: NicId,
) -> Option<Candidate> {
    if !matches!(protocol, Protocol::TCP | Protocol::UDP) {
        return None;
    }
    let network = scene.network();
    let gateway = network.nat_gateway(gateway);
    let taken = |public: u16| {
        gateway.dnat.iter().any(|rule| {
            rule.eip == eip && rule.port == public && rule.protocol.number() == Some(protocol.0)
        })
    };
    let public = (port..=u16::MAX).find(|&public| !taken(public))?;
    let eip = &network.eip(eip).name;
    let address = network.nic(nic).address();
    let to = scene.name_of(nic, address);
    let mut entries = vec![
        ("eip", Yaml::word(eip)),
        ("protocol", Yaml::word(protocol)),
        ("port", Yaml::word(public)),
        ("to", to),
    ];
    if public != port {
        entries.push(("to_port", Yaml::word(port)));
    }
    let entries = entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    let name = &gateway.name;
    let cvm = &network.cvm(network.nic(nic).cvm).name;
    let what =
        format!("nat gateway {name}, dnat: {protocol} {public} of {eip} to {cvm} port {port}");
    let insert = Change::Insert {
        list: element("nat_gateways", name).key("dnat"),
        before: None,
        item: Yaml::Inline(entries.collect()),
    };
    Some(Candidate::one(what, ANYBODY, vec![insert]))
}
