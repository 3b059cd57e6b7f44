//! The rule that decided at a stop, in its own words.

use super::view::RuleView;
use vpcsim_dataplane::{Element, Program, Rule, RuleList};
use vpcsim_network::RouteTableId;

/// A rule for output. `table`: the route table that was asked last, whose route it is if it is one.
pub(crate) fn rule_view(
    program: &Program,
    table: Option<RouteTableId>,
    element: Element,
    rule: Rule,
) -> RuleView {
    RuleView {
        list: rule.list.name().to_owned(),
        position: rule.position,
        line: (rule.line > 0).then_some(rule.line),
        text: words(program, table, element, rule),
    }
}

/// The rule that decided something, as it is written in the network file; none at the end of a
/// list. A route is known by its line.
pub(crate) fn rule_words(program: &Program, element: Element, rule: Rule) -> Option<String> {
    let at = rule.position?.checked_sub(1)? as usize;
    let mut tables = (0..).map(RouteTableId).zip(&program.network().route_tables);
    let table = tables.find(|(_, table)| {
        let route = table.routes.get(at);
        route.is_some_and(|route| route.mark.line == rule.line)
    });
    words(program, table.map(|(id, _)| id), element, rule)
}

fn words(
    program: &Program,
    table: Option<RouteTableId>,
    element: Element,
    rule: Rule,
) -> Option<String> {
    let network = program.network();
    let at = rule.position?.checked_sub(1)? as usize;
    let ingress = rule.list == RuleList::Ingress;
    match (element, rule.list) {
        (Element::SecurityGroup(id), RuleList::Ingress | RuleList::Egress) => {
            let group = network.security_group(id);
            let rules = if ingress {
                &group.ingress
            } else {
                &group.egress
            };
            Some(network.group_rule_words(rules.get(at)?, ingress))
        }
        (Element::Acl(id), RuleList::Ingress | RuleList::Egress) => {
            let acl = network.acl(id);
            let rules = if ingress { &acl.ingress } else { &acl.egress };
            Some(network.acl_rule_words(rules.get(at)?, ingress))
        }
        (Element::RouteTable(id), RuleList::Routes) => {
            Some(network.route_words(network.route_table(id).routes.get(at)?))
        }
        // What a route leads to was the last word.
        (_, RuleList::Routes) => {
            Some(network.route_words(network.route_table(table?).routes.get(at)?))
        }
        (Element::NatGateway(id), RuleList::Snat) => {
            Some(network.snat_rule_words(network.nat_gateway(id).snat.get(at)?))
        }
        (Element::NatGateway(id), RuleList::Dnat) => {
            Some(network.dnat_rule_words(network.nat_gateway(id).dnat.get(at)?))
        }
        _ => None,
    }
}
