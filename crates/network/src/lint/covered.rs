//! `covered-rule`: a rule that can never match, because an earlier one of its list matches
//! everything that it does.

use super::Lint;
use super::finding::{Found, Words};
use super::judge::{Way, addresses, speaks_of};
use super::set::Set;
use super::subject::Subject;
use crate::*;
use std::collections::HashMap;

/// No platform takes lists this long; what follows is not compared with more.
const MOST_COMPARED: usize = 1_000;

pub(super) fn lint(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    // A template's addresses are looked up once.
    let mut sets: HashMap<Peer, Set> = HashMap::new();
    for (id, group) in (0..).map(SecurityGroupId).zip(&network.security_groups) {
        if subject.group(id).is_none() {
            continue;
        }
        for way in Way::BOTH {
            let rules = way.of_group(group);
            for rule in rules {
                if !sets.contains_key(&rule.peer) {
                    let set = addresses(network, &rule.peer);
                    sets.insert(rule.peer.clone(), set);
                }
            }
            let views = rules.iter().map(|rule| View {
                peer: Who::Peer(&rule.peer),
                addresses: &sets[&rule.peer],
                services: rule.services.iter().map(Ports::of).collect(),
                action: rule.action,
                mark: rule.mark,
            });
            list(network, &views.collect::<Vec<_>>(), found);
        }
    }
    for acl in &network.acls {
        for way in Way::BOTH {
            let rules = way.of_acl(acl);
            let peers: Vec<Set> = rules
                .iter()
                .map(|rule| Set::of_prefixes(&[rule.peer]))
                .collect();
            let views = rules.iter().zip(&peers).map(|(rule, addresses)| View {
                peer: Who::Prefix,
                addresses,
                services: vec![Ports {
                    protocol: rule.protocol,
                    set: Set::of_ports(&[rule.ports]),
                }],
                action: rule.action,
                mark: rule.mark,
            });
            list(network, &views.collect::<Vec<_>>(), found);
        }
    }
}

/// A rule of either kind.
struct View<'a> {
    peer: Who<'a>,
    addresses: &'a Set,
    services: Vec<Ports>,
    action: Action,
    mark: Mark,
}

/// The peer of a rule.
#[derive(Clone, Copy)]
enum Who<'a> {
    /// Of a group's rule.
    Peer(&'a Peer),
    /// Of an acl's.
    Prefix,
}

/// A protocol and its ports.
struct Ports {
    protocol: RuleProtocol,
    set: Set,
}

impl Ports {
    fn of(service: &Service) -> Self {
        Self {
            protocol: service.protocol,
            set: Set::of_ports(&service.ports),
        }
    }
}

fn list(network: &Network, rules: &[View<'_>], found: &mut Found) {
    for (at, rule) in rules.iter().enumerate() {
        let mut earlier = rules[..at].iter().take(MOST_COMPARED);
        let Some(first) = earlier.find(|first| covers(network, first, rule)) else {
            continue;
        };
        let line = first.mark.line;
        let (message, why) = if first.action == rule.action {
            (
                format!("this rule does nothing: the one on line {line} covers it"),
                "the first match wins: who changes or trusts this rule changes nothing",
            )
        } else {
            (
                format!(
                    "this rule can never match: the one on line {line} covers it and does the opposite"
                ),
                "the first match wins: what this rule says does not happen",
            )
        };
        let help = if first.action == rule.action {
            "remove it, or the wider one if that is too wide".to_owned()
        } else {
            format!("move it before line {line}, or remove it")
        };
        let words = Words {
            message,
            why: why.to_owned(),
            help,
        };
        let finding = found.push(Lint::CoveredRule, rule.mark, "never matches", words);
        finding.also(first.mark, "matches first");
    }
}

/// Whether every packet that `later` matches is one that `first` matches.
fn covers(network: &Network, first: &View<'_>, later: &View<'_>) -> bool {
    peer_covers(network, first, later)
        && later.services.iter().all(|ports| {
            let same = first
                .services
                .iter()
                .filter(|s| speaks_of(s.protocol, ports.protocol));
            let mut left = ports.set.clone();
            for service in same {
                if service.protocol == RuleProtocol::All {
                    return true;
                }
                left = left.minus(&service.set);
            }
            left.is_empty()
        })
}

/// Members come and go: a prefix covers a group where it covers the vpcs of all its members.
fn peer_covers(network: &Network, first: &View<'_>, later: &View<'_>) -> bool {
    let group = |view: &View<'_>| match view.peer {
        Who::Peer(Peer::Group(id)) => Some(*id),
        Who::Peer(_) | Who::Prefix => None,
    };
    match (group(first), group(later)) {
        (Some(one), Some(other)) => one == other,
        (Some(_), None) => false,
        (None, Some(id)) => {
            let members = network.nics.iter();
            let mut members = members
                .filter(|nic| nic.security_groups.contains(&id))
                .peekable();
            let any = *first.addresses == Set::all();
            any || (members.peek().is_some()
                && members.all(|nic| {
                    let cidrs = &network.vpc(network.subnet(nic.subnet).vpc).cidrs;
                    first.addresses.covers(&Set::of_prefixes(cidrs))
                }))
        }
        (None, None) => first.addresses.covers(later.addresses),
    }
}
