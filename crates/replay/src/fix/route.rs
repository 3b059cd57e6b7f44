//! A route where none led to the destination, or one led elsewhere.

use super::candidate::{ANYBODY, Candidate, Variant};
use super::places::element;
use super::scene::Scene;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Element, Stage};
use vpcsim_network::edit::{Change, Path, Yaml};
use vpcsim_network::{NextHop, RouteTableId, VpcId};

/// A next hop that leads to the destination, and the networks beyond it that have it, the
/// smallest first.
struct Way {
    hop: NextHop,
    networks: Vec<Ipv4Net>,
    /// Whether nothing but these networks can be reached by it.
    only: bool,
}

/// Where the packet was routed, or was not.
struct At {
    table: RouteTableId,
    vpc: VpcId,
    destination: Ipv4Addr,
}

pub(super) fn candidates(scene: &Scene) -> Vec<Candidate> {
    let Some(at) = at(scene) else {
        return Vec::new();
    };
    let mut ways = ways(scene, &at);
    ways.retain(|way| !way.networks.is_empty());
    let mut list = Vec::new();
    for way in &ways {
        list.extend(mended(scene, &at, way));
    }
    list.extend(ways.iter().filter_map(|way| added(scene, &at, way)));
    list
}

fn at(scene: &Scene) -> Option<At> {
    let way = scene.way()?;
    let asked = way
        .passes
        .iter()
        .rev()
        .find(|pass| pass.stage == Stage::Route)?;
    let table = match asked.element {
        Element::RouteTable(table) => table,
        _ => return None,
    };
    Some(At {
        table,
        vpc: scene.network().route_table(table).vpc,
        destination: asked.key?.destination,
    })
}

fn ways(scene: &Scene, at: &At) -> Vec<Way> {
    let network = scene.network();
    let destination = at.destination;
    if network.vpc(at.vpc).contains(destination) {
        return Vec::new();
    }
    let mut ways = Vec::new();
    for (id, peering) in (0..).map(vpcsim_network::PeeringId).zip(&network.peerings) {
        let Some(peer) = peering.other(at.vpc) else {
            continue;
        };
        let subnets = network.subnets.iter().filter(|subnet| subnet.vpc == peer);
        let subnets = subnets.map(|subnet| subnet.cidr);
        let mut networks: Vec<_> = subnets
            .chain(network.vpc(peer).cidrs.iter().copied())
            .collect();
        networks.retain(|net| net.contains(&destination));
        ways.push(Way {
            hop: NextHop::Peering(id),
            networks,
            only: true,
        });
    }
    for (id, external) in (0..)
        .map(vpcsim_network::ExternalId)
        .zip(&network.externals)
    {
        if external.vpc == at.vpc {
            let networks = external.networks.iter().copied();
            ways.push(Way {
                hop: NextHop::External(id),
                networks: networks.filter(|net| net.contains(&destination)).collect(),
                only: false,
            });
        }
    }
    let outside =
        !scene.program.is_private(destination) && scene.program.external_of(destination).is_none();
    for (id, gateway) in (0..)
        .map(vpcsim_network::NatGatewayId)
        .zip(&network.nat_gateways)
    {
        if outside && gateway.vpc == at.vpc {
            // Somebody who stands for the internet is reached as all of it is.
            let named = scene.stands_for(destination).is_none();
            let host = named.then(|| Ipv4Net::from(destination));
            ways.push(Way {
                hop: NextHop::NatGateway(id),
                networks: host.into_iter().chain([Ipv4Net::default()]).collect(),
                only: false,
            });
        }
    }
    ways
}

/// Routes of the table that were meant to lead there: disabled ones, ones that carry nothing
/// because the peer has no such network, ones that lead the same network elsewhere.
fn mended(scene: &Scene, at: &At, way: &Way) -> Vec<Candidate> {
    let network = scene.network();
    let table = network.route_table(at.table);
    let path = |position: usize| {
        element("route_tables", &table.name)
            .key("routes")
            .item(position)
    };
    let set = |path: Path, value: Yaml| vec![Change::Set { path, value }];
    let Some(&widest) = way.networks.last() else {
        return Vec::new();
    };
    let hop = network.next_hop_words(way.hop);
    let name = &table.name;
    let mut list = Vec::new();
    for (position, route) in table.routes.iter().enumerate() {
        let (number, to) = (position + 1, route.destination);
        let there = to.contains(&at.destination);
        let carries = way
            .networks
            .iter()
            .any(|net| to.contains(net) || net.contains(&to));
        if !route.enabled && there && route.next_hop == way.hop {
            let what = format!("route table {name}, route {number}: enabled ({to} via {hop})");
            list.push(Candidate::one(
                what,
                0,
                set(path(position).key("enabled"), Yaml::word(true)),
            ));
        } else if route.next_hop == way.hop && way.only && !carries {
            let what = format!(
                "route table {name}, route {number}: to {widest} instead of {to}, which {hop} does not lead to"
            );
            list.push(Candidate::one(
                what,
                0,
                set(path(position).key("to"), Yaml::word(widest)),
            ));
        } else if route.enabled
            && there
            && route.next_hop != way.hop
            && widest.contains(&to)
            && way.only
        {
            let old = network.next_hop_words(route.next_hop);
            let what =
                format!("route table {name}, route {number}: {to} via {hop} instead of {old}");
            let opens = u32::from(32 - to.prefix_len());
            list.push(Candidate::one(
                what,
                opens,
                set(path(position).key("via"), Yaml::word(&hop)),
            ));
        }
    }
    list
}

fn added(scene: &Scene, at: &At, way: &Way) -> Option<Candidate> {
    let network = scene.network();
    let hop = network.next_hop_words(way.hop);
    let variants = way.networks.iter().map(|to| {
        let (name, changes) = add(scene, at, *to, &hop);
        Variant {
            what: format!("{name}: {to} via {hop}"),
            opens: u32::from(32 - to.prefix_len()).min(ANYBODY),
            changes,
        }
    });
    Candidate::new(variants.collect())
}

/// A route more in a table. The table that a vpc has by itself stands in no file: one is
/// declared.
fn add(scene: &Scene, at: &At, to: Ipv4Net, hop: &str) -> (String, Vec<Change>) {
    let network = scene.network();
    let table = network.route_table(at.table);
    let route = Yaml::inline([("to", Yaml::word(to)), ("via", Yaml::word(hop))]);
    if table.mark.line > 0 {
        let list = element("route_tables", &table.name).key("routes");
        let insert = Change::Insert {
            list,
            before: None,
            item: route,
        };
        return (format!("route table {}", table.name), vec![insert]);
    }
    let vpc = &network.vpc(at.vpc).name;
    let free = |name: &String| network.find_route_table(name).is_none();
    let names = std::iter::once(vpc.clone()).chain((2..).map(|n| format!("{vpc}-{n}")));
    let name = names.into_iter().find(free).unwrap_or_default();
    let declared = Yaml::Map(vec![
        ("vpc".to_owned(), Yaml::word(vpc)),
        ("routes".to_owned(), Yaml::List(vec![route])),
    ]);
    let changes = vec![
        Change::Set {
            path: element("vpcs", vpc).key("route_table"),
            value: Yaml::word(&name),
        },
        Change::Set {
            path: element("route_tables", &name),
            value: declared,
        },
    ];
    (format!("a route table for vpc {vpc}"), changes)
}
