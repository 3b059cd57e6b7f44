//! Which rule a flow owes it to that its packets pass: kept with the flow as one number, told to
//! observers.

use crate::nat::{Opened, Session};
use crate::observe::{FlowRule, Observer};
use crate::program::Travel;
use crate::state::NicFlow;
use crate::verdict::{Element, Rule, RuleList};
use crate::walk::Walk;
use vpcsim_network::{NicId, SecurityGroup, SecurityGroupRule};

/// A rule's position from 1; 0: no rule.
pub(super) fn position(rule: Option<Rule>) -> u32 {
    rule.and_then(|rule| rule.position).unwrap_or(0)
}

impl<O: Observer> Walk<'_, O> {
    /// A group rule's place, from 1, in the nic's concatenated lists; 0: no rule.
    pub(super) fn place_in_lists(
        &self,
        nic: NicId,
        travel: Travel,
        element: Element,
        rule: Option<Rule>,
    ) -> u32 {
        let (position, Element::SecurityGroup(group)) = (position(rule), element) else {
            return 0;
        };
        let network = self.program.network();
        let before = network.nic(nic).security_groups.iter();
        let before = before.take_while(|&&bound| bound != group);
        let before = before.map(|&bound| rules(network.security_group(bound), travel).len());
        before.sum::<usize>() as u32 + position
    }

    /// The rule that a nic's flow was let in by.
    pub(super) fn rule_of_flow(&self, nic: NicId, flow: &NicFlow) -> Option<FlowRule> {
        if !O::WATCHES {
            return None;
        }
        let (travel, list) = if flow.let_in.ingress() {
            (Travel::Ingress, RuleList::Ingress)
        } else {
            (Travel::Egress, RuleList::Egress)
        };
        let network = self.program.network();
        let mut at = flow.let_in.rule().checked_sub(1)? as usize;
        for &group in &network.nic(nic).security_groups {
            let rules = rules(network.security_group(group), travel);
            let Some(rule) = rules.get(at) else {
                at -= rules.len();
                continue;
            };
            let rule = Rule {
                list,
                position: Some(at as u32 + 1),
                line: rule.mark.line,
            };
            return Some(FlowRule {
                element: Element::SecurityGroup(group),
                rule,
                opens: false,
            });
        }
        None
    }

    /// The rule that a session owes its translation to. `opens`: the packet at hand opens it.
    pub(super) fn rule_of_session(&self, session: &Session, opens: bool) -> Option<FlowRule> {
        if !O::WATCHES {
            return None;
        }
        let gateway = self.program.network().nat_gateway(session.gateway);
        let at = session.rule.checked_sub(1)?;
        let index = at.checked_sub(1).map(|index| index as usize);
        let (list, declared) = match session.opened {
            Opened::Rule => {
                let rule = index.and_then(|index| gateway.dnat.get(index));
                (RuleList::Dnat, rule.map(|rule| rule.mark))
            }
            Opened::Inside | Opened::Mapping => {
                let rule = index.and_then(|index| gateway.snat.get(index));
                (RuleList::Snat, rule.map(|rule| rule.mark))
            }
        };
        let rule = Rule {
            list,
            position: index.map(|_| at),
            line: declared.unwrap_or(gateway.mark).line,
        };
        Some(FlowRule {
            element: Element::NatGateway(session.gateway),
            rule,
            opens,
        })
    }
}

fn rules(group: &SecurityGroup, travel: Travel) -> &[SecurityGroupRule] {
    match travel {
        Travel::Ingress => &group.ingress,
        Travel::Egress => &group.egress,
    }
}
