//! Routes over peerings.

use super::Lint;
use super::finding::{Found, Words};
use super::set::Set;
use super::subject::Subject;
use crate::*;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;

/// The routes of a table that lead over a peering, with their positions.
fn over(table: &RouteTable, peering: PeeringId) -> impl Iterator<Item = (usize, &Route)> {
    let enabled = table.routes.iter().enumerate();
    enabled.filter(move |(_, route)| route.enabled && route.next_hop == NextHop::Peering(peering))
}

fn overlaps(net: &Ipv4Net, cidrs: &[Ipv4Net]) -> bool {
    cidrs
        .iter()
        .any(|cidr| cidr.contains(net) || net.contains(cidr))
}

/// The prefixes of `cidrs` that lie in `net`, or `net` where it lies in one of them.
fn within(net: &Ipv4Net, cidrs: &[Ipv4Net]) -> Vec<Ipv4Net> {
    let both = cidrs.iter().filter(|cidr| overlaps(net, &[**cidr]));
    both.map(|cidr| if cidr.contains(net) { *net } else { *cidr })
        .collect()
}

fn listed(prefixes: &[Ipv4Net]) -> String {
    let words: Vec<String> = prefixes.iter().map(Ipv4Net::to_string).collect();
    words.join(", ")
}

/// `route-outside-peer`: what the peer does not own, the sender's own vpc does not keep and no
/// narrower route takes is dropped (SEMANTICS §2.6).
pub(super) fn outside_peer(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for (id, table) in (0..).map(RouteTableId).zip(&network.route_tables) {
        for (position, route) in table.routes.iter().enumerate() {
            let NextHop::Peering(peering) = route.next_hop else {
                continue;
            };
            let Some(peer) = network.peering(peering).other(table.vpc) else {
                continue;
            };
            if !route.enabled {
                continue;
            }
            let (to, peer) = (route.destination, network.vpc(peer));
            let narrower = table.routes.iter().filter(|other| {
                other.enabled && to != other.destination && to.contains(&other.destination)
            });
            let elsewhere: Vec<Ipv4Net> = narrower
                .map(|other| other.destination)
                .chain(network.vpc(table.vpc).cidrs.iter().copied())
                .chain(peer.cidrs.iter().copied())
                .collect();
            if Set::of_prefixes(&elsewhere).covers(&Set::of_prefixes(&[to])) {
                continue;
            }
            let reached = within(&to, &peer.cidrs);
            let name = &peer.name;
            let (message, help) = if reached.is_empty() {
                let beyond = network.vpcs.iter().find(|vpc| overlaps(&to, &vpc.cidrs));
                let help = match beyond {
                    Some(vpc) => format!(
                        "a peering is not transitive: join `{}` and `{}` by a peering of their own",
                        network.vpc(table.vpc).name,
                        vpc.name
                    ),
                    None => format!("vpc `{name}` has {}", listed(&peer.cidrs)),
                };
                (
                    format!("nothing of {to} is in vpc `{name}`, where this route leads"),
                    help,
                )
            } else {
                let message = format!(
                    "of {to} only {} is in vpc `{name}`, where this route leads",
                    listed(&reached)
                );
                let help = match reached.as_slice() {
                    [one] => format!("write `to: {one}`"),
                    several => format!("write a route for each of {}", listed(several)),
                };
                (message, help)
            };
            let words = Words {
                message,
                why: "a peering carries only what the peer owns: packets to the rest are dropped as `peering-not-transitive`".to_owned(),
                help,
            };
            let mark = subject.destination(id, position);
            let label = if reached.is_empty() {
                "outside the peer"
            } else {
                "wider than the peer"
            };
            found.push(Lint::RouteOutsidePeer, mark, label, words);
        }
    }
}

/// `one-way-peering`: packets get there by this route, and what answers them has none back. A
/// peering that is not active carries nothing either way.
pub(super) fn one_way(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for (id, peering) in (0..).map(PeeringId).zip(&network.peerings) {
        let [one, other] = peering.vpcs;
        if peering.active {
            one_direction(subject, id, one, other, found);
            one_direction(subject, id, other, one, found);
        }
    }
}

/// Routes of `from` over a peering whose answers do not come back from `to`.
fn one_direction(subject: &Subject<'_>, id: PeeringId, from: VpcId, to: VpcId, found: &mut Found) {
    let network = subject.network;
    let (here, there) = (network.vpc(from), network.vpc(to));
    let tables_of = |vpc: VpcId| {
        let tables = (0..).map(RouteTableId).zip(&network.route_tables);
        tables.filter(move |(id, table)| table.vpc == vpc && subject.is_used(*id))
    };
    let reaches = |route: &Route, vpc: &Vpc| overlaps(&route.destination, &vpc.cidrs);
    let back = tables_of(to).any(|(_, table)| over(table, id).any(|(_, r)| reaches(r, here)));
    for (table_id, table) in tables_of(from) {
        for (position, route) in over(table, id).filter(|(_, route)| reaches(route, there)) {
            let missing = if back {
                unanswered(subject, id, table_id, route, to)
            } else {
                Some(Missing::Side(from, to))
            };
            let Some(missing) = missing else { continue };
            let mark = subject.destination(table_id, position);
            report(network, id, mark, missing, found);
            if !back {
                // The whole side has no way back: once is enough.
                return;
            }
        }
    }
}

/// What does not lead back.
enum Missing<'a> {
    /// Packets of the first vpc get to the second, where no table leads over the peering.
    Side(VpcId, VpcId),
    /// Packets of the first subnet get to the second, whose table does not lead back to it.
    Table(&'a Subnet, &'a Subnet),
}

fn report(network: &Network, id: PeeringId, mark: Mark, missing: Missing<'_>, found: &mut Found) {
    let name = &network.peering(id).name;
    let routes = |cidrs: &[Ipv4Net]| {
        let route = |cidr: &Ipv4Net| format!("`{{to: {cidr}, via: peering/{name}}}`");
        cidrs.iter().map(route).collect::<Vec<_>>().join(" and ")
    };
    let (message, help, related, label) = match missing {
        Missing::Side(from, to) => {
            let (here, there) = (network.vpc(from), &network.vpc(to).name);
            (
                format!(
                    "vpc `{}` leads to `{there}` over peering `{name}`, and no table of `{there}` leads back",
                    here.name
                ),
                format!(
                    "add {} to the route tables of vpc `{there}`",
                    routes(&here.cidrs)
                ),
                network.peering(id).mark,
                "the peering",
            )
        }
        Missing::Table(sender, asked) => {
            let table = network.route_table(asked.route_table);
            (
                format!(
                    "subnet `{}` reaches `{}` by this route, and route table `{}` there does not lead back to it",
                    sender.name, asked.name, table.name
                ),
                format!("add {} to `{}`", routes(&[sender.cidr]), table.name),
                table.mark,
                "does not lead back",
            )
        }
    };
    let words = Words {
        message,
        why: "requests arrive and every answer is lost: a peering needs a route on both sides"
            .to_owned(),
        help,
    };
    found
        .push(Lint::OneWayPeering, mark, "no way back", words)
        .also(related, label);
}

/// A subnet with a host that sends by `route` to a host of `vpc`, whose answers the table there
/// sends nowhere or to the internet. What a host or an external does with them is not known.
fn unanswered<'a>(
    subject: &Subject<'a>,
    peering: PeeringId,
    table: RouteTableId,
    route: &Route,
    vpc: VpcId,
) -> Option<Missing<'a>> {
    let network = subject.network;
    // Who is asked by this route, one for each table that answers.
    let mut answering: BTreeMap<RouteTableId, &'a Subnet> = BTreeMap::new();
    let hosts = || network.cvms.iter().filter_map(|cvm| way_out(network, cvm));
    for nic in hosts() {
        let subnet = network.subnet(nic.subnet);
        let decided = subject.deciding(table, nic.address());
        if subnet.vpc == vpc && decided.iter().any(|r| std::ptr::eq(*r, route)) {
            answering.entry(subnet.route_table).or_insert(subnet);
        }
    }
    let comes_back = |table: RouteTableId, nic: &Nic| {
        let decided = subject.deciding(table, nic.address());
        decided.iter().any(|r| match r.next_hop {
            NextHop::Peering(by) => by == peering,
            NextHop::NatGateway(_) | NextHop::Eip => false,
            NextHop::Cvm(_) | NextHop::Instance(_) | NextHop::Havip(_) => true,
            NextHop::External(_) => true,
        })
    };
    let senders: Vec<&Nic> = hosts()
        .filter(|nic| network.subnet(nic.subnet).route_table == table)
        .collect();
    answering.iter().find_map(|(&answers, &asked)| {
        let lost = senders.iter().find(|nic| !comes_back(answers, nic))?;
        Some(Missing::Table(network.subnet(lost.subnet), asked))
    })
}

/// The nic by which a host sends to other vpcs, and by which alone it is asked here: its first,
/// unless routes or rules of its own say otherwise.
fn way_out<'a>(network: &'a Network, cvm: &Cvm) -> Option<&'a Nic> {
    let first = network.nic(*cvm.nics.first()?);
    let configured = first.addresses.iter().any(|own| own.configured);
    (configured && cvm.rules.is_empty() && cvm.routes.is_empty()).then_some(first)
}
