//! `unused-route`: a route that decides over no packet of the subnets that use its table.

use super::{Words, finding};
use crate::key::{Address, Side};
use crate::reach::Reach;
use crate::set::Set;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_network::{
    Finding, Lint, Network, NextHop, Nic, NicId, Route, RouteTable, RouteTableId, SourceCheck,
};

const MULTICAST: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4);

pub(super) fn find(reach: &Reach<'_>, found: &mut Vec<Finding>) {
    let network = reach.program().network();
    for (id, table) in (0..).map(RouteTableId).zip(&network.route_tables) {
        let used = network
            .subnets
            .iter()
            .any(|subnet| subnet.route_table == id);
        if !used {
            continue;
        }
        let winning = winning(reach, id);
        for route in table.routes.iter().filter(|route| route.enabled) {
            let this = (route.destination.trunc(), route.next_hop);
            if !winning.contains(&this) {
                found.push(report(network, table, route));
            }
        }
    }
}

/// The destinations and next hops of a table that decide over some packet.
fn winning(reach: &Reach<'_>, id: RouteTableId) -> Vec<(Ipv4Net, NextHop)> {
    let network = reach.program().network();
    let table = network.route_table(id);
    let to = Address::Sent(Side::Destination);
    let mut routed = Set::anything().without(&to.within(MULTICAST));
    routed = routed.without(&to.is(Ipv4Addr::BROADCAST));
    for &cidr in &network.vpc(table.vpc).cidrs {
        routed = routed.without(&to.within(cidr));
    }
    let mut winning = Vec::new();
    for has_eip in senders(reach, id) {
        let mut left = routed.clone();
        for (net, hops) in reach.facts().table(id) {
            let usable = hops.iter().filter(|hop| has_eip || **hop != NextHop::Eip);
            let usable: Vec<NextHop> = usable.copied().collect();
            let matched = left.and(&to.within(*net));
            if usable.is_empty() || matched.is_empty() {
                continue;
            }
            left = left.without(&matched);
            if usable.contains(&NextHop::Eip) {
                winning.push((*net, NextHop::Eip));
            } else {
                winning.extend(usable.into_iter().map(|hop| (*net, hop)));
            }
        }
    }
    winning
}

/// Whether senders that use a table have an eip: some, others, or both. Where nobody is there
/// yet, both may come.
fn senders(reach: &Reach<'_>, id: RouteTableId) -> Vec<bool> {
    let network = reach.program().network();
    let nics = network.nics.iter();
    let nics = nics.filter(|nic| network.subnet(nic.subnet).route_table == id);
    let nics: Vec<&Nic> = nics.collect();
    if nics.is_empty() {
        return vec![true, false];
    }
    let kinds = nics.iter().map(|nic| sends_with_eip(reach, nic));
    let (with, without): (Vec<bool>, Vec<bool>) = kinds.unzip();
    let both = [(true, with), (false, without)];
    let both = both.into_iter().filter(|(_, any)| any.contains(&true));
    both.map(|(has_eip, _)| has_eip).collect()
}

/// Whether a nic may send from an address that an eip stands for, and from another one.
fn sends_with_eip(reach: &Reach<'_>, nic: &Nic) -> (bool, bool) {
    let network = reach.program().network();
    let host = &reach.facts().hosts[nic.cvm.index()];
    let check = network.policies.source_check;
    if check == SourceCheck::Off || (network.cvm(nic.cvm).ip_forward && nic.forwarding) {
        return (!host.public.is_empty(), true);
    }
    let this = |other: NicId| std::ptr::eq(network.nic(other), nic);
    let owned = host.owned.iter();
    let owned = owned.filter(|(owner, _)| check == SourceCheck::Cvm || this(*owner));
    let has_eip = |own: &Ipv4Addr| host.public.iter().any(|(address, _)| address == own);
    let mut kinds = owned.flat_map(|(_, own)| own).map(has_eip);
    (kinds.clone().any(|has| has), kinds.any(|has| !has))
}

fn report(network: &Network, table: &RouteTable, route: &Route) -> Finding {
    let to = route.destination.trunc();
    let enabled = || table.routes.iter().filter(|other| other.enabled);
    let eip = |other: &&Route| other.destination.trunc() == to && other.next_hop == NextHop::Eip;
    let vpc = network.vpc(table.vpc);
    let longer: Vec<&Route> = enabled()
        .filter(|other| to != other.destination.trunc() && to.contains(&other.destination))
        .collect();
    let (because, help) = if vpc.cidrs.iter().any(|cidr| cidr.contains(&to)) {
        (
            format!(
                "{to} lies in vpc `{}` itself, whose local route comes first",
                vpc.name
            ),
            "remove it: what is inside a vpc is never routed elsewhere",
        )
    } else if route.next_hop == NextHop::Eip {
        (
            "nobody who uses this table has an eip, or narrower routes take it all".to_owned(),
            "bind an eip to a host there, or remove the route",
        )
    } else if enabled().any(|other| eip(&other)) {
        (
            "everybody who uses this table has an eip, and the `eip` route of the same prefix wins"
                .to_owned(),
            "remove one of the two",
        )
    } else {
        (
            "narrower routes and the vpc's own ranges take all of it".to_owned(),
            "remove it, or the narrower ones that should not be there",
        )
    };
    let words = Words {
        message: format!(
            "the route to {to} of table `{}` never wins: {because}",
            table.name
        ),
        why: "the longest prefix wins: who relies on this route, or changes it, changes nothing",
        help: help.to_owned(),
        label: "never wins",
    };
    let mut finding = finding(Lint::UnusedRoute, route.mark, words);
    finding.related = longer
        .iter()
        .take(3)
        .map(|other| (other.mark, "takes a part of it".to_owned()))
        .collect();
    finding
}
