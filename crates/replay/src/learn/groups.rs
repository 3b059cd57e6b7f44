//! Security groups: hosts whose rules are the same share one.

use super::hosts::Host;
use super::lines::{Line, Peers, Signature, sum};
use super::rules::{Proto, Stats};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// More addresses than these are a template.
const MOST_ADDRESSES: usize = 3;

/// A group to be.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) name: String,
    /// Positions of its hosts.
    pub(super) members: Vec<usize>,
    pub(super) ingress: Vec<Line>,
    pub(super) egress: Vec<Line>,
}

/// A rule as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) proto: Proto,
    pub(super) ports: String,
    pub(super) peer: String,
    pub(super) stats: Option<Stats>,
    /// How many addresses the peer is.
    pub(super) addresses: usize,
}

/// How an inside host stands in a rule.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its group, and how many are in that.
    pub(super) group: String,
    pub(super) size: usize,
    /// Its address in the network file.
    pub(super) address: Ipv4Addr,
}

/// A template to be: addresses with what was seen of each.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) name: String,
    pub(super) proto: Proto,
    pub(super) addresses: BTreeMap<Ipv4Addr, Stats>,
}

/// The groups of hosts, given the lines of each, ingress and egress. Hosts of different vpcs do
/// not share one: a group as a peer is who is in it in one vpc.
pub(super) fn groups(hosts: &[Host], lines: Vec<[Vec<Line>; 2]>) -> Vec<Group> {
    type Key = (usize, Signature, Signature);
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for (number, [ingress, egress]) in lines.into_iter().enumerate() {
        let signature = |lines: &[Line]| lines.iter().map(Line::signature).collect();
        let key = (
            hosts[number].home.vpc,
            signature(&ingress),
            signature(&egress),
        );
        let at = *places.entry(key).or_insert_with(|| {
            groups.push(Group {
                name: String::new(),
                members: Vec::new(),
                ingress: Vec::new(),
                egress: Vec::new(),
            });
            groups.len() - 1
        });
        let group = &mut groups[at];
        if group.members.is_empty() {
            (group.ingress, group.egress) = (ingress, egress);
        } else {
            join(&mut group.ingress, &ingress);
            join(&mut group.egress, &egress);
        }
        group.members.push(number);
    }
    let mut names = BTreeSet::new();
    for group in &mut groups {
        let silent = group.ingress.is_empty() && group.egress.is_empty();
        let name = match group.members.as_slice() {
            [only] => hosts[*only].name.clone(),
            [_, ..] if silent => "silent".to_owned(),
            [first, ..] => plural(hosts[*first].role),
            [] => continue,
        };
        group.name = unique(&mut names, name);
    }
    groups
}

fn join(lines: &mut [Line], more: &[Line]) {
    for (line, other) in lines.iter_mut().zip(more) {
        line.merge(other);
    }
}

fn plural(role: &str) -> String {
    match role {
        "client" | "server" | "host" | "router" => format!("{role}s"),
        service => format!("{service}-servers"),
    }
}

/// A name that nobody has.
pub(super) fn unique(names: &mut BTreeSet<String>, name: String) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.clone())
        .chain(numbered)
        .find(|name| !names.contains(name));
    let free = free.unwrap_or(name);
    names.insert(free.clone());
    free
}

/// The rules of a line, each with one peer. Inside hosts stand there by their group where all of it
/// is meant, many addresses by a template.
pub(super) fn rules(
    line: &Line,
    members: &BTreeMap<Ipv4Addr, Member>,
    template: &mut dyn FnMut(&str, BTreeMap<Ipv4Addr, Stats>) -> String,
) -> Vec<Rule> {
    let rule = |peer: String, stats: Option<Stats>, addresses: usize| Rule {
        proto: line.proto,
        ports: line.ports_text(),
        peer,
        stats,
        addresses,
    };
    let addresses = match &line.peers {
        Peers::Any => return vec![rule("any".to_owned(), line.stats(), line.seen.len())],
        Peers::Prefix(net) => return vec![rule(net.to_string(), line.stats(), line.seen.len())],
        Peers::Addresses(addresses) => addresses,
    };
    let mut rules = Vec::new();
    let mut by_group: BTreeMap<&str, Vec<(Ipv4Addr, &Member)>> = BTreeMap::new();
    let mut others = BTreeMap::new();
    for address in addresses {
        let Some(&stats) = line.seen.get(address) else {
            continue;
        };
        match members.get(address) {
            Some(member) => {
                let group = by_group.entry(&member.group).or_default();
                group.push((*address, member));
            }
            None => {
                others.insert(*address, stats);
            }
        }
    }
    for (group, found) in by_group {
        let seen = found
            .iter()
            .filter_map(|(captured, _)| line.seen.get(captured));
        if found.iter().all(|(_, member)| member.size == found.len()) {
            rules.push(rule(group.to_owned(), sum(seen), found.len()));
        } else {
            others.extend(found.iter().map(|(_, m)| m.address).zip(seen.copied()));
        }
    }
    if others.len() > MOST_ADDRESSES {
        let (stats, len) = (sum(others.values()), others.len());
        let name = template(&line.service(), others);
        rules.push(rule(name, stats, len));
    } else {
        let single = others.iter();
        rules.extend(single.map(|(address, stats)| rule(address.to_string(), Some(*stats), 1)));
    }
    rules
}
