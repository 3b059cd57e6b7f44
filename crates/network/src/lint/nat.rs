//! Eips, gateways and rules that nothing uses.

use super::Lint;
use super::finding::{Found, Words};
use super::subject::Subject;
use crate::*;

/// `unused-eip`
pub(super) fn unused_eip(subject: &Subject<'_>, found: &mut Found) {
    for eip in &subject.network.eips {
        if eip.target.is_some() {
            continue;
        }
        let name = &eip.name;
        let words = Words {
            message: format!("eip `{name}` ({}) is bound to nothing", eip.address),
            why: "what comes for it is dropped, and an idle address costs money".to_owned(),
            help: format!(
                "add `bind: CVM` to it, list it under a nat gateway's `eips`, or remove `{name}`"
            ),
        };
        found.push(Lint::UnusedEip, eip.mark, "used by nothing", words);
    }
}

/// `unused-nat-gateway`: a gateway with dnat rules needs no route, replies leave by the way the
/// flow came in (SEMANTICS §2.5a); one that is switched off is not expected to work.
pub(super) fn unused_gateway(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for (id, gateway) in (0..).map(NatGatewayId).zip(&network.nat_gateways) {
        if !gateway.enabled || !gateway.dnat.is_empty() {
            continue;
        }
        let tables = (0..).map(RouteTableId).zip(&network.route_tables);
        let mut routes = tables.flat_map(|(table, declared)| {
            let routes = declared.routes.iter();
            routes.map(move |route| (table, declared, route))
        });
        let here = |route: &Route| route.next_hop == NextHop::NatGateway(id);
        let pointing: Vec<_> = routes.by_ref().filter(|(_, _, r)| here(r)).collect();
        if pointing
            .iter()
            .any(|(table, _, route)| route.enabled && subject.is_used(*table))
        {
            continue;
        }
        let name = &gateway.name;
        let (message, help) = match pointing.first() {
            None => (
                format!("no route table points at nat gateway `{name}`"),
                format!(
                    "add `{{to: 0.0.0.0/0, via: nat/{name}}}` to the route table of the subnets that it is for"
                ),
            ),
            Some((_, _, route)) if !route.enabled => (
                format!("the only route to nat gateway `{name}` is disabled"),
                "enable the route, or remove the gateway".to_owned(),
            ),
            Some((_, table, _)) => (
                format!(
                    "the only route table that points at nat gateway `{name}` is `{}`, which no subnet uses",
                    table.name
                ),
                format!("give a subnet `route_table: {}`", table.name),
            ),
        };
        let words = Words {
            message,
            why: "no packet reaches it: the hosts that it is for have no way out, or another one"
                .to_owned(),
            help,
        };
        let finding = found.push(
            Lint::UnusedNatGateway,
            gateway.mark,
            "no packet comes here",
            words,
        );
        if let Some((_, _, route)) = pointing.first() {
            finding.also(route.mark, "the only route to it");
        }
    }
}

/// `unused-snat-rule`: the source's table leads to the gateway by no route, nor to a host that
/// might pass its packets on.
pub(super) fn unused_snat_rule(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for (id, gateway) in (0..).map(NatGatewayId).zip(&network.nat_gateways) {
        let leads_here = |table: RouteTableId| {
            let mut routes = network.route_table(table).routes.iter();
            routes.any(|route| {
                let hop = match route.next_hop {
                    NextHop::NatGateway(to) => to == id,
                    NextHop::Cvm(_) | NextHop::Instance(_) | NextHop::Havip(_) => true,
                    NextHop::Peering(_) | NextHop::Eip | NextHop::External(_) => false,
                };
                hop && route.enabled
            })
        };
        for rule in &gateway.snat {
            let (source, subnets) = match rule.source {
                SnatSource::Subnet(subnet) => (
                    format!("subnet `{}`", network.subnet(subnet).name),
                    vec![subnet],
                ),
                SnatSource::Cvm(cvm) => {
                    let cvm = network.cvm(cvm);
                    let homes = cvm.nics.iter().map(|&nic| network.nic(nic).subnet);
                    (format!("cvm `{}`", cvm.name), homes.collect())
                }
            };
            let mut tables = subnets.iter().map(|&id| network.subnet(id).route_table);
            let Some(table) = tables.clone().next() else {
                continue;
            };
            if !gateway.enabled || tables.any(leads_here) {
                continue;
            }
            let (gateway, table) = (&gateway.name, network.route_table(table));
            let words = Words {
                message: format!(
                    "this snat rule is for {source}, whose route table `{}` does not lead to nat gateway `{gateway}`",
                    table.name
                ),
                why: "the rule translates nothing: its source leaves by another way, or not at all"
                    .to_owned(),
                help: format!(
                    "add `{{to: 0.0.0.0/0, via: nat/{gateway}}}` to `{}`, or remove the rule",
                    table.name
                ),
            };
            let finding = found.push(Lint::UnusedSnatRule, rule.mark, "never used", words);
            finding.also(table.mark, "its table");
        }
    }
}
