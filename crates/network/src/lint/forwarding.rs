//! `forwarding-loop`: a route leads to a host that forwards, and what the host forwards meets
//! a table that leads back to the host.

use super::Lint;
use super::finding::{Found, Words};
use super::set::Set;
use super::subject::Subject;
use crate::*;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Ranges without hosts that a packet could be for.
const NOT_HOSTS: [(Ipv4Addr, u8); 3] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

pub(super) fn lint(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for (id, table) in (0..).map(RouteTableId).zip(&network.route_tables) {
        if !subject.is_used(id) {
            continue;
        }
        for (position, route) in table.routes.iter().enumerate() {
            let Some(nic) = host_of(network, route.next_hop).filter(|_| route.enabled) else {
                continue;
            };
            let cvm = network.cvm(network.nic(nic).cvm);
            // Rules choose by the sender, of whom nothing is known here.
            if !cvm.ip_forward || !cvm.rules.is_empty() {
                continue;
            }
            let looped = samples(network, id, route, cvm)
                .find_map(|to| Some((to, circle(subject, id, nic, to)?)));
            let Some((to, back)) = looped else { continue };
            let (name, subnet) = (&cvm.name, network.subnet(network.nic(back.nic).subnet));
            let table = network.route_table(subnet.route_table);
            let words = Words {
                message: format!(
                    "`{name}` forwards what this route brings it into subnet `{}`, whose table `{}` sends it back to `{name}`",
                    subnet.name, table.name
                ),
                why: format!("a packet to {to} goes round until its time to live runs out"),
                help: format!(
                    "give the subnet of `{name}` a route table of its own, one that leads {} on; or let `{name}` forward out of another nic",
                    route.destination
                ),
            };
            let mark = subject.destination(id, position);
            let finding = found.push(Lint::ForwardingLoop, mark, "goes in circles", words);
            if back.route != route.mark {
                finding.also(back.route, "sends it back");
            }
            finding.also(cvm.mark, "forwards");
        }
    }
}

/// The nic of the host that a next hop is.
fn host_of(network: &Network, hop: NextHop) -> Option<NicId> {
    match hop {
        NextHop::Cvm(nic) | NextHop::Instance(nic) => Some(nic),
        NextHop::Havip(havip) => network.havip(havip).holder,
        NextHop::Peering(_) | NextHop::NatGateway(_) | NextHop::Eip | NextHop::External(_) => None,
    }
}

/// Addresses that a route decides over, out of its table's narrower ones and the vpc's own
/// ranges: one of every kind that the host and the tables of its subnets tell apart.
fn samples(
    network: &Network,
    table: RouteTableId,
    route: &Route,
    cvm: &Cvm,
) -> impl Iterator<Item = Ipv4Addr> + use<> {
    let table = network.route_table(table);
    let to = route.destination;
    let narrower = table.routes.iter().filter(|other| {
        other.enabled && to != other.destination && to.contains(&other.destination)
    });
    let taken: Vec<Ipv4Net> = narrower
        .map(|other| other.destination)
        .chain(network.vpc(table.vpc).cidrs.iter().copied())
        .chain(
            NOT_HOSTS
                .iter()
                .filter_map(|(net, len)| Ipv4Net::new(*net, *len).ok()),
        )
        .collect();
    let left = Set::of_prefixes(&[to]).minus(&Set::of_prefixes(&taken));
    let homes = cvm
        .nics
        .iter()
        .map(|&nic| network.subnet(network.nic(nic).subnet));
    let routes = homes.flat_map(|home| &network.route_table(home.route_table).routes);
    let known = routes
        .map(|route| route.destination)
        .chain(cvm.routes.iter().map(|route| route.destination));
    let kinds = left.representatives(known.map(|net| Set::of_prefixes(&[net])));
    // The first address of a network is nobody's.
    kinds.into_iter().map(move |first| {
        let next = Ipv4Addr::from(u32::from(first).saturating_add(1));
        if left.contains(next.into()) {
            next
        } else {
            first
        }
    })
}

/// Where a circle closes.
struct Back {
    /// The nic that the host forwards by.
    nic: NicId,
    /// The route that leads back.
    route: Mark,
}

/// Whether what the host of `nic` gets by a route of `table` and forwards to `to` comes back.
fn circle(subject: &Subject<'_>, table: RouteTableId, nic: NicId, to: Ipv4Addr) -> Option<Back> {
    let network = subject.network;
    let cvm = network.nic(nic).cvm;
    let out = egress(network, cvm, to)?;
    let used = network.subnet(network.nic(out).subnet).route_table;
    let mut decided = subject.deciding(used, to);
    // An `eip` route is for what the host sends as its own: a host that translates what it
    // forwards leaves by it.
    let has_eip = |nic: NicId| {
        let bound = |eip: &Eip| match eip.target {
            Some(EipTarget::Address(owner, _)) => owner == nic,
            Some(EipTarget::Havip(havip)) => network.havip(havip).holder == Some(nic),
            Some(EipTarget::NatGateway(_)) | None => false,
        };
        network.eips.iter().any(bound)
    };
    if decided.iter().any(|route| route.next_hop == NextHop::Eip) && has_eip(out) {
        return None;
    }
    decided.retain(|route| route.next_hop != NextHop::Eip);
    // Of several, each flow has one: the same one again only in the same table.
    if decided.len() > 1 && used != table {
        return None;
    }
    let back = decided.iter().find(|route| {
        host_of(network, route.next_hop).map(|nic| network.nic(nic).cvm) == Some(cvm)
    })?;
    Some(Back {
        nic: out,
        route: back.mark,
    })
}

/// The nic that a host without rules forwards by: its main table's longest prefix, declared
/// routes before connected ones before the default by the first nic (SEMANTICS §10).
fn egress(network: &Network, cvm: CvmId, to: Ipv4Addr) -> Option<NicId> {
    let cvm = network.cvm(cvm);
    let configured = |nic: &NicId| network.nic(*nic).addresses.iter().any(|own| own.configured);
    let declared = cvm
        .routes
        .iter()
        .filter(|route| route.table == HostTable::MAIN);
    let nics = cvm.nics.iter().copied().filter(configured);
    let connected = nics.map(|nic| (network.subnet(network.nic(nic).subnet).cidr, nic));
    let first = cvm.nics.first().copied().filter(configured);
    let routes: Vec<(Ipv4Net, NicId)> = declared
        .map(|route| (route.destination, route.nic))
        .chain(connected)
        .chain(first.map(|nic| (Ipv4Net::default(), nic)))
        .filter(|(net, _)| net.contains(&to))
        .collect();
    let longest = routes.iter().map(|(net, _)| net.prefix_len()).max()?;
    let chosen = routes.iter().find(|(net, _)| net.prefix_len() == longest)?;
    Some(chosen.1)
}
