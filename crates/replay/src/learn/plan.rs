//! The network to be, from what was seen.

use super::conversations::Conversations;
use super::groups::{Group, Member, Rule, Template, groups, rules, unique};
use super::hosts::{Eips, Host, Sender, WayOut, hosts};
use super::inside::{Inside, Side, is_public};
use super::lines::lines;
use super::rules::Rules;
use super::subnets::{Layout, Vpc, ranges};
use super::widen::widen;
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// All that a network file is written from.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) vpcs: Vec<Vpc>,
    pub(super) hosts: Vec<Host>,
    pub(super) groups: Vec<Group>,
    /// Ingress and egress of each group.
    pub(super) rules: Vec<[Vec<Rule>; 2]>,
    pub(super) templates: Vec<Template>,
    /// The group of each host.
    pub(super) group_of: Vec<usize>,
    pub(super) gateways: Vec<Gateway>,
    /// Hosts with public addresses of their own that private ones of the same vpc talk to.
    pub(super) detours: Vec<usize>,
}

/// A nat gateway to be, with its eip; both have this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gateway {
    pub(super) name: String,
    pub(super) vpc: usize,
    pub(super) eip: Ipv4Addr,
}

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) conversations: &'a Conversations,
    pub(super) senders: &'a BTreeMap<Ipv4Addr, Sender>,
    pub(super) inside: &'a Inside,
    /// Ranges in which private addresses that are not inside were seen.
    pub(super) avoid: &'a BTreeSet<Ipv4Net>,
}

impl Plan {
    pub(super) fn new(seen: &Seen<'_>, is_wide: bool) -> Self {
        let found = Rules::of(seen.conversations, seen.inside);
        let layout = layout(seen, &found);
        let public = public_addresses(seen);
        let mut eips = Eips::new(&public);
        let gateways = gateways(&layout, &found, &mut eips);
        let hosts = hosts(&layout, seen.senders, &found, &mut eips);
        let subnets: Vec<Ipv4Net> = layout
            .vpcs
            .iter()
            .flat_map(|vpc| vpc.subnets.iter().map(|subnet| subnet.cidr))
            .collect();
        let own_lines = hosts.iter().map(|host| {
            let ways = [(true, &host.learned.ingress), (false, &host.learned.egress)];
            ways.map(|(ingress, facts)| {
                let exact = lines(facts);
                if is_wide {
                    widen(exact, ingress, seen.inside, &subnets)
                } else {
                    exact
                }
            })
        });
        let groups = groups(&hosts, own_lines.collect());
        let mut group_of = vec![0; hosts.len()];
        for (number, group) in groups.iter().enumerate() {
            group
                .members
                .iter()
                .for_each(|&host| group_of[host] = number);
        }
        let members = members(&hosts, &groups, &group_of);
        let mut names: BTreeSet<String> = groups.iter().map(|group| group.name.clone()).collect();
        let mut templates = Vec::new();
        let all = groups.iter().map(|group| {
            [("from", &group.ingress), ("to", &group.egress)].map(|(word, lines)| {
                let written = lines.iter().flat_map(|line| {
                    let mut template = |service: &str, addresses| {
                        let name = format!("{}-{word}-{service}", group.name);
                        let name = unique(&mut names, name);
                        let proto = line.proto;
                        templates.push(Template {
                            name: name.clone(),
                            proto,
                            addresses,
                        });
                        name
                    };
                    rules(line, &members, &mut template)
                });
                written.collect()
            })
        });
        let rules = all.collect();
        let detours = detours(&hosts, &found);
        Self {
            vpcs: layout.vpcs,
            hosts,
            groups,
            rules,
            templates,
            group_of,
            gateways,
            detours,
        }
    }
}

/// Who is a host, and where it lives. A private address that only sent ICMP errors is a router on
/// the way, unless it lies in a range of ours or speaks of what happens among ours.
fn layout(seen: &Seen<'_>, found: &Rules) -> Layout {
    let own = seen.senders.iter().filter(|(_, sender)| sender.is_host);
    let mut hosts: BTreeSet<Ipv4Addr> = own.map(|(address, _)| *address).collect();
    hosts.extend(seen.conversations.errors().keys().filter_map(|key| {
        let conversation = &seen.conversations.list()[key.conversation as usize];
        let ends = [conversation.key.source, conversation.key.destination];
        let local = ends.iter().all(|end| seen.inside.of(*end) == Side::Inside);
        let ours =
            local && conversation.is_completed() && seen.inside.of(key.sender) == Side::Inside;
        ours.then_some(key.sender)
    }));
    let ranges = ranges(&hosts, seen.inside);
    let within = |address: Ipv4Addr| {
        ranges
            .iter()
            .flatten()
            .any(|range| range.contains(&address))
    };
    hosts.extend(seen.senders.keys().filter(|&&address| within(address)));
    Layout::new(&hosts, ranges, &found.pairs, seen.avoid)
}

/// Addresses of the capture that no made-up eip may have.
fn public_addresses(seen: &Seen<'_>) -> BTreeSet<Ipv4Addr> {
    let keys = seen.conversations.list().iter().map(|c| c.key);
    let ends = keys.flat_map(|key| [key.source, key.destination]);
    ends.filter(|address| is_public(*address)).collect()
}

/// A nat gateway for each vpc with hosts that ask the internet and need no address of their own.
fn gateways(layout: &Layout, found: &Rules, eips: &mut Eips<'_>) -> Vec<Gateway> {
    let shared = layout.homes.iter().filter(|(address, _)| {
        let learned = found.hosts.get(address);
        !is_public(**address) && learned.is_some_and(|l| l.online && l.own_eip.is_none())
    });
    let vpcs: BTreeSet<usize> = shared.map(|(_, home)| home.vpc).collect();
    let named = vpcs.into_iter().filter_map(|vpc| {
        let name = match layout.vpcs.len() {
            1 => "gw".to_owned(),
            _ => format!("gw-{}", layout.vpcs[vpc].name),
        };
        let eip = eips.next()?;
        Some(Gateway { name, vpc, eip })
    });
    named.collect()
}

/// How inside hosts stand in rules. Who carries a public address is seen with that, which a group
/// does not match.
fn members(hosts: &[Host], groups: &[Group], group_of: &[usize]) -> BTreeMap<Ipv4Addr, Member> {
    let private = hosts.iter().zip(group_of);
    let private = private.filter(|(host, _)| host.way_out != WayOut::Direct);
    let members = private.map(|(host, &group)| {
        let group = &groups[group];
        let member = Member {
            group: group.name.clone(),
            size: group.members.len(),
            address: host.home.address,
        };
        (host.captured, member)
    });
    members.collect()
}

/// Hosts with public addresses of their own that private ones talk to: those need a route that
/// does not translate them.
fn detours(hosts: &[Host], found: &Rules) -> Vec<usize> {
    let talks = |address: Ipv4Addr| {
        found.pairs.iter().any(|&(one, other)| {
            let peer = if one == address { other } else { one };
            (one == address || other == address) && !is_public(peer)
        })
    };
    let direct = hosts.iter().enumerate();
    let direct = direct.filter(|(_, host)| host.way_out == WayOut::Direct && talks(host.captured));
    direct.map(|(number, _)| number).collect()
}
