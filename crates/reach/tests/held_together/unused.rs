//! What is said to decide over no packet: no packet shows otherwise, and for what is not said to
//! there is a packet over which it decides. Lists and tables are the same for all packets between
//! two edges of their rules, so one packet for each pair of edges is enough.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{
    Arrival, Element, Nanos, Program, Rule, RuleList, Source, State, Stop, Travel, walk,
};
use vpcsim_network::{
    AclPort, AclRule, Lint, NicId, Peer, PortRange, RouteTableId, RuleProtocol, SecurityGroupRule,
    SourceCheck,
};
use vpcsim_packet::{FlowKey, Protocol, TcpFlags, build};
use vpcsim_reach::Reach;

/// Where rules and routes stand that are said to be without effect.
pub(crate) struct Said {
    covered: BTreeSet<u32>,
    unused: BTreeSet<u32>,
}

impl Said {
    pub(crate) fn of(reach: &Reach<'_>) -> Self {
        let found = reach.findings(&[]);
        let of = |lint: Lint| {
            let of_lint = found.iter().filter(|finding| finding.lint == lint);
            of_lint.map(|finding| finding.mark.offset).collect()
        };
        Self {
            covered: of(Lint::CoveredRule),
            unused: of(Lint::UnusedRoute),
        }
    }

    /// Whether what stands here is said to be without effect.
    pub(crate) fn has(&self, place: u32) -> bool {
        self.covered.contains(&place) || self.unused.contains(&place)
    }
}

/// Where a rule that decided stands; `None`: no line declares it.
pub(crate) fn place_of(program: &Program, element: Element, rule: Rule) -> Option<u32> {
    let at = rule.position? as usize - 1;
    let network = program.network();
    let mark = match (element, rule.list) {
        (Element::SecurityGroup(id), RuleList::Ingress) => {
            network.security_group(id).ingress[at].mark
        }
        (Element::SecurityGroup(id), RuleList::Egress) => {
            network.security_group(id).egress[at].mark
        }
        (Element::Acl(id), RuleList::Ingress) => network.acl(id).ingress[at].mark,
        (Element::Acl(id), RuleList::Egress) => network.acl(id).egress[at].mark,
        (Element::RouteTable(id), _) => network.route_table(id).routes[at].mark,
        _ => return None,
    };
    (mark.line > 0).then_some(mark.offset)
}

const PROTOCOLS: [Protocol; 5] = [
    Protocol::TCP,
    Protocol::UDP,
    Protocol::ICMP,
    Protocol::GRE,
    Protocol(99),
];

fn port_edges(ranges: impl Iterator<Item = PortRange>) -> Vec<u16> {
    let edges = ranges.flat_map(|range| [Some(range.first), range.last.checked_add(1)]);
    let edges: BTreeSet<u16> = edges.flatten().chain([0]).collect();
    edges.into_iter().collect()
}

fn address_edges(spans: impl Iterator<Item = (u32, u32)>) -> Vec<Ipv4Addr> {
    let edges = spans.flat_map(|(first, last)| [Some(first), last.checked_add(1)]);
    let edges: BTreeSet<u32> = edges.flatten().chain([0]).collect();
    edges.into_iter().map(Ipv4Addr::from).collect()
}

fn keys(peers: &[Ipv4Addr], ports: &[u16], both: bool) -> Vec<FlowKey> {
    let mut keys = Vec::new();
    for &peer in peers {
        for protocol in PROTOCOLS {
            let ported = matches!(protocol, Protocol::TCP | Protocol::UDP);
            for &port in if ported { ports } else { &[0] } {
                for &other in if ported && both { ports } else { &[1] } {
                    keys.push(FlowKey {
                        protocol,
                        source: peer,
                        destination: peer,
                        source_port: if ported { other } else { 0 },
                        destination_port: port,
                    });
                }
            }
        }
    }
    keys
}

/// Rules of groups and acls.
pub(crate) fn rules(program: &Program, said: &Said) -> Result<(), TestCaseError> {
    let network = program.network();
    let covered = &said.covered;
    for travel in [Travel::Ingress, Travel::Egress] {
        let of_group = |group: &vpcsim_network::SecurityGroup| match travel {
            Travel::Ingress => group.ingress.clone(),
            Travel::Egress => group.egress.clone(),
        };
        let (mut deciding, mut bound) = (BTreeSet::new(), Vec::new());
        for (id, nic) in (0..).map(NicId).zip(&network.nics) {
            let groups = nic.security_groups.iter();
            let rules: Vec<SecurityGroupRule> = groups
                .flat_map(|&group| of_group(network.security_group(group)))
                .collect();
            let services = rules.iter().flat_map(|rule| &rule.services);
            let ports = port_edges(services.flat_map(|service| service.ports.clone()));
            let peers = address_edges(rules.iter().flat_map(|rule| peers(program, &rule.peer)));
            for key in keys(&peers, &ports, false) {
                if let Some(hit) = program.group_rule(id, travel, &key) {
                    deciding.insert(hit.rule.mark.offset);
                }
            }
            bound.extend(rules);
        }
        for rule in bound.iter().filter(|rule| rule.mark.line > 0) {
            let offset = rule.mark.offset;
            // Without members it matches nobody: not because of earlier rules.
            let nobody = matches!(rule.peer, Peer::Group(_));
            let said = covered.contains(&offset);
            prop_assert!(
                said != deciding.contains(&offset) || (nobody && !said),
                "{rule:?} of a group, {travel:?}: said to be covered: {said}"
            );
        }
    }
    let which = network.policies.acl_port;
    for list in network
        .acls
        .iter()
        .flat_map(|acl| [&acl.ingress, &acl.egress])
    {
        let ports = port_edges(list.iter().map(|rule| rule.ports));
        let spans = list
            .iter()
            .map(|rule| (rule.peer.network().into(), rule.peer.broadcast().into()));
        let both = which != AclPort::Destination;
        let deciding: BTreeSet<u32> = keys(&address_edges(spans), &ports, both)
            .iter()
            .filter_map(|key| list.iter().find(|rule| matches(rule, key, which)))
            .map(|rule| rule.mark.offset)
            .collect();
        for rule in list.iter().filter(|rule| rule.mark.line > 0) {
            let said = covered.contains(&rule.mark.offset);
            prop_assert!(
                said != deciding.contains(&rule.mark.offset),
                "{rule:?} of an acl: said to be covered: {said}"
            );
        }
    }
    Ok(())
}

/// SEMANTICS §7.
fn matches(rule: &AclRule, key: &FlowKey, which: AclPort) -> bool {
    let protocol =
        rule.protocol == RuleProtocol::All || rule.protocol.number() == Some(key.protocol.0);
    let (to, from) = (
        rule.ports.contains(key.destination_port),
        rule.ports.contains(key.source_port),
    );
    let ported = matches!(key.protocol, Protocol::TCP | Protocol::UDP);
    let port = !ported
        || match which {
            AclPort::Destination => to,
            AclPort::Source => from,
            AclPort::Either => to || from,
        };
    protocol && port && rule.peer.contains(&key.source)
}

/// The addresses that a peer may stand for, as spans.
fn peers(program: &Program, peer: &Peer) -> Vec<(u32, u32)> {
    let network = program.network();
    match peer {
        Peer::Any => Vec::new(),
        Peer::Prefix(net) => vec![(net.network().into(), net.broadcast().into())],
        Peer::Template(id) => network
            .address_template(*id)
            .members
            .iter()
            .map(|range| (range.first.into(), range.last.into()))
            .collect(),
        Peer::Group(group) => network
            .nics
            .iter()
            .filter(|nic| nic.security_groups.contains(group))
            .flat_map(|nic| &nic.addresses)
            .map(|own| (own.address.into(), own.address.into()))
            .collect(),
    }
}

/// Routes: every nic sends to every edge of its table, where nothing filters.
pub(crate) fn routes(program: &Program, said: &Said) -> Result<(), TestCaseError> {
    let unused = &said.unused;
    let mut network = program.network().clone();
    for nic in &mut network.nics {
        nic.security_groups.clear();
    }
    for subnet in &mut network.subnets {
        subnet.acl = None;
    }
    for cvm in &mut network.cvms {
        cvm.running = true;
    }
    let open = Program::new(network);
    let network = open.network();
    let mut won: BTreeSet<(u32, u32)> = BTreeSet::new();
    let mut used: BTreeSet<u32> = BTreeSet::new();
    for (id, nic) in (0..).map(NicId).zip(&network.nics) {
        let table = network.subnet(nic.subnet).route_table;
        used.insert(table.0);
        let routes = &network.route_table(table).routes;
        let nets = routes.iter().map(|route| route.destination);
        let mut kinds: Vec<_> = nets.clone().collect();
        kinds.sort_unstable();
        kinds.dedup();
        // Among equal routes the ports choose.
        let ports = if kinds.len() < routes.len() { 24 } else { 1 };
        let vpcs = network.vpcs.iter().flat_map(|vpc| vpc.cidrs.clone());
        let multicast = "224.0.0.0/4".parse().ok();
        let nets = nets.chain(vpcs).chain(multicast);
        let edges = address_edges(nets.map(|net| (net.network().into(), net.broadcast().into())));
        for source in sources(&open, id) {
            for &to in &edges {
                for port in 1..=ports {
                    won.extend(decided(&open, id, source, to, port));
                }
            }
        }
    }
    for (id, table) in (0..).map(RouteTableId).zip(&network.route_tables) {
        for (position, route) in (1..).zip(&table.routes) {
            if !used.contains(&id.0) || !route.enabled || route.mark.line == 0 {
                continue;
            }
            let said = unused.contains(&route.mark.offset);
            prop_assert!(
                said != won.contains(&(id.0, position)),
                "{route:?} of {}: said to win never: {said}",
                table.name
            );
        }
    }
    Ok(())
}

/// Addresses that a nic may send from.
fn sources(program: &Program, id: NicId) -> Vec<Ipv4Addr> {
    let network = program.network();
    let nic = network.nic(id);
    let host = network.cvm(nic.cvm);
    let nics = host
        .nics
        .iter()
        .flat_map(|&nic| &network.nic(nic).addresses);
    let mut own: Vec<Ipv4Addr> = nics.map(|own| own.address).collect();
    let held = network.havips.iter().filter(|havip| {
        havip
            .holder
            .is_some_and(|holder| network.nic(holder).cvm == nic.cvm)
    });
    own.extend(held.map(|havip| havip.address));
    own.extend(network.eips.iter().map(|eip| eip.address));
    if network.policies.source_check == SourceCheck::Off || (host.ip_forward && nic.forwarding) {
        own.push([8, 8, 8, 8].into());
    }
    own
}

/// The route that decides where a packet goes first, by table and position.
fn decided(
    program: &Program,
    nic: NicId,
    from: Ipv4Addr,
    to: Ipv4Addr,
    port: u16,
) -> Option<(u32, u32)> {
    let mut bytes = build::tcp((from, 1_000 + port), (to, port), TcpFlags::SYN).bytes();
    let mut first = None;
    let mut observer = |stop: &Stop<'_>| {
        if let (Element::RouteTable(table), Some(rule), None) = (stop.element, stop.rule, first) {
            first = Some(rule.position.map(|position| (table.0, position)));
        }
    };
    let arrival = Arrival {
        id: 0,
        time: Nanos(0),
        source: Source::Nic(nic),
    };
    walk(
        program,
        &mut State::new(program),
        arrival,
        &mut bytes,
        &mut observer,
        &mut Vec::new(),
    );
    first.flatten()
}
