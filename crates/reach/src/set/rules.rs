//! A set as rules that people can read: minimal prefixes and port ranges.

use super::{Field, Set, space};
use biodivine_lib_bdd::{Bdd, BddNode, BddPointer};
use hashbrown::HashMap;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_packet::Protocol;

/// Values from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Lowest value.
    pub first: u32,
    /// Highest value.
    pub last: u32,
}

/// Some packets of a set: all that fit every list. An empty list fits everything.
///
/// The rules of a set ([`Set::rules`]) do not overlap, and together they are the set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Protocol numbers.
    pub protocols: Vec<Span>,
    /// Destination ports, of TCP and UDP.
    pub ports: Vec<Span>,
    /// ICMP messages, `type << 8 | code`.
    pub icmp: Vec<Span>,
    /// Source ports; for ICMP identifiers.
    pub source_ports: Vec<Span>,
    /// Source addresses.
    pub sources: Vec<Span>,
    /// Destination addresses.
    pub destinations: Vec<Span>,
}

impl Set {
    /// The sources that its packets have.
    pub(crate) fn source_spans(&self) -> Vec<Span> {
        let parts = split(&self.0, self.0.root_pointer(), Field::SOURCE);
        joined(parts.into_iter().flat_map(|(_, spans)| spans).collect())
    }

    /// The set as rules: by addresses, then by services, in ascending order.
    pub fn rules(&self) -> Vec<Rule> {
        let bdd = &*self.0;
        let mut rules = Vec::new();
        if self.is_empty() {
            return rules;
        }
        let mut services: HashMap<BddPointer, Vec<Service>> = HashMap::new();
        for (below, sources) in split(bdd, bdd.root_pointer(), Field::SOURCE) {
            for (below, destinations) in split(bdd, below, Field::DESTINATION) {
                let services = services
                    .entry(below)
                    .or_insert_with(|| services_of(bdd, below));
                rules.extend(services.iter().map(|service| Rule {
                    protocols: service.protocols.clone(),
                    ports: service.ports.clone(),
                    icmp: service.icmp.clone(),
                    source_ports: service.source_ports.clone(),
                    sources: unless_all(&sources, Field::SOURCE),
                    destinations: unless_all(&destinations, Field::DESTINATION),
                }));
            }
        }
        rules
    }
}

/// What is left of a rule below its addresses.
#[derive(Debug, Clone, PartialEq)]
struct Service {
    protocols: Vec<Span>,
    ports: Vec<Span>,
    icmp: Vec<Span>,
    source_ports: Vec<Span>,
}

impl Service {
    /// Every packet of these protocols.
    fn whole(&self) -> bool {
        self.ports.is_empty() && self.icmp.is_empty() && self.source_ports.is_empty()
    }
}

fn services_of(bdd: &Bdd, at: BddPointer) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for (below, protocols) in split(bdd, at, Field::PROTOCOL) {
        for found in services_of_protocols(bdd, below, &protocols) {
            let same = |known: &&mut Service| {
                known.ports == found.ports
                    && known.icmp == found.icmp
                    && known.source_ports == found.source_ports
            };
            match services.iter_mut().find(same) {
                Some(known) => known.protocols.extend(found.protocols),
                None => services.push(found),
            }
        }
    }
    for service in &mut services {
        service.protocols = joined(std::mem::take(&mut service.protocols));
        let all = [Span {
            first: 0,
            last: 255,
        }];
        if service.whole() && service.protocols == all {
            service.protocols.clear();
        }
    }
    services.sort_by(|a, b| (&a.protocols, &a.ports).cmp(&(&b.protocols, &b.ports)));
    services
}

/// Protocols that have the same function below them; those with ports, those without, and ICMP
/// read it differently.
fn services_of_protocols(bdd: &Bdd, below: BddPointer, protocols: &[Span]) -> Vec<Service> {
    let below = rooted(bdd, below);
    let number = |protocol: Protocol| u32::from(protocol.0);
    let contains = |protocol| {
        let number = number(protocol);
        protocols
            .iter()
            .any(|span| span.first <= number && number <= span.last)
    };
    let mut services = Vec::new();
    let ported: Vec<Span> = [Protocol::TCP, Protocol::UDP]
        .into_iter()
        .filter(|&protocol| contains(protocol))
        .map(|protocol| Span::of(number(protocol)))
        .collect();
    if !ported.is_empty() {
        for (source, ports) in by_value(&below, Field::DESTINATION_PORT) {
            for (_, source_ports) in by_value(&source, Field::SOURCE_PORT) {
                services.push(Service {
                    protocols: ported.clone(),
                    ports: unless_all(&ports, Field::DESTINATION_PORT),
                    icmp: Vec::new(),
                    source_ports: unless_all(&source_ports, Field::SOURCE_PORT),
                });
            }
        }
    }
    if contains(Protocol::ICMP) {
        services.extend(icmp_services(&below));
    }
    let three = [Protocol::ICMP, Protocol::TCP, Protocol::UDP].map(number);
    let rest: Vec<Span> = protocols
        .iter()
        .flat_map(|span| span.first..=span.last)
        .filter(|number| !three.contains(number))
        .map(Span::of)
        .collect();
    if !rest.is_empty() {
        services.push(Service {
            protocols: joined(rest),
            ports: Vec::new(),
            icmp: Vec::new(),
            source_ports: Vec::new(),
        });
    }
    services
}

fn icmp_services(below: &Bdd) -> Vec<Service> {
    let service = |icmp: Vec<Span>, source_ports| Service {
        protocols: vec![Span::of(u32::from(Protocol::ICMP.0))],
        ports: Vec::new(),
        icmp: unless_all(&icmp, Field::DESTINATION_PORT),
        source_ports,
    };
    let (mut usual, mut others) = (Vec::new(), Vec::new());
    for (identifiers, messages) in by_value(below, Field::DESTINATION_PORT) {
        for (_, spans) in by_value(&identifiers, Field::SOURCE_PORT) {
            let all = Span {
                first: 0,
                last: Field::SOURCE_PORT.max(),
            };
            for message in parts_by_kind(&messages) {
                // Messages without an identifier have 0 in its place.
                let queries = space::is_query(message.first >> 8);
                let whole = if queries { all } else { Span::of(0) };
                if spans == [whole] {
                    usual.push(message);
                } else {
                    others.push(service(vec![message], spans.clone()));
                }
            }
        }
    }
    let usual = (!usual.is_empty()).then(|| service(joined(usual), Vec::new()));
    usual.into_iter().chain(others).collect()
}

/// The same messages, cut where queries and others meet.
fn parts_by_kind(messages: &[Span]) -> Vec<Span> {
    let mut parts: Vec<Span> = Vec::new();
    for span in messages {
        let mut first = span.first;
        for kind in (span.first >> 8)..=(span.last >> 8) {
            let last = (kind << 8 | 0xff).min(span.last);
            let next = kind + 1;
            if last == span.last || space::is_query(kind) != space::is_query(next) {
                parts.push(Span { first, last });
                first = last + 1;
            }
        }
    }
    parts
}

/// What lies below a field: each function once, with the values that lead there.
fn split(bdd: &Bdd, at: BddPointer, field: Field) -> Vec<(BddPointer, Vec<Span>)> {
    let mut parts: Vec<(BddPointer, Vec<Span>)> = Vec::new();
    let mut known: HashMap<BddPointer, usize> = HashMap::new();
    // Depth first, low before high: values come in ascending order.
    let mut stack = vec![(at, 0_u16, 0_u32)];
    while let Some((at, depth, value)) = stack.pop() {
        if at.is_zero() {
            continue;
        }
        let index = if at.is_terminal() {
            u16::MAX
        } else {
            bdd.var_of(at).to_index() as u16
        };
        if index >= field.at + field.width {
            let free = field.width - depth;
            let first = (u64::from(value) << free) as u32;
            let last = (u64::from(first) + (1_u64 << free) - 1) as u32;
            let part = *known.entry(at).or_insert_with(|| {
                parts.push((at, Vec::new()));
                parts.len() - 1
            });
            match parts[part].1.last_mut() {
                Some(span) if span.last.wrapping_add(1) == first => span.last = last,
                _ => parts[part].1.push(Span { first, last }),
            }
            continue;
        }
        let (low, high) = if index == field.at + depth {
            (bdd.low_link_of(at), bdd.high_link_of(at))
        } else {
            (at, at)
        };
        stack.push((high, depth + 1, value << 1 | 1));
        stack.push((low, depth + 1, value << 1));
    }
    parts
}

/// As [`split`], for fields whose bits do not stand together: each function that a value of the
/// field leaves, once, with the values that leave it.
fn by_value(bdd: &Bdd, field: Field) -> Vec<(Bdd, Vec<Span>)> {
    let mut parts: Vec<(Bdd, Vec<Span>)> = Vec::new();
    let mut stack = vec![(bdd.clone(), 0_u16, 0_u32)];
    while let Some((bdd, depth, value)) = stack.pop() {
        if bdd.is_false() {
            continue;
        }
        let decides = depth < field.width && {
            let rest = (depth..field.width).map(|bit| field.variable(bit));
            let support = bdd.support_set();
            rest.into_iter().any(|variable| support.contains(&variable))
        };
        if decides {
            let variable = field.variable(depth);
            stack.push((bdd.var_restrict(variable, true), depth + 1, value << 1 | 1));
            stack.push((bdd.var_restrict(variable, false), depth + 1, value << 1));
            continue;
        }
        let free = field.width - depth;
        let first = value << free;
        let last = first + ((1_u32 << free) - 1);
        let known = parts.iter_mut().find(|(known, _)| *known == bdd);
        match known.map(|(_, spans)| spans) {
            Some(spans) => match spans.last_mut() {
                Some(span) if span.last + 1 == first => span.last = last,
                _ => spans.push(Span { first, last }),
            },
            None => parts.push((bdd, vec![Span { first, last }])),
        }
    }
    parts
}

/// The function at a node, on its own.
fn rooted(bdd: &Bdd, at: BddPointer) -> Bdd {
    if at.is_terminal() {
        return (*if at.is_one() {
            space::anything()
        } else {
            space::nothing()
        })
        .clone();
    }
    let mut moved: HashMap<BddPointer, BddPointer> = HashMap::new();
    moved.insert(BddPointer::zero(), BddPointer::zero());
    moved.insert(BddPointer::one(), BddPointer::one());
    let mut nodes = vec![
        BddNode::mk_zero(space::WIDTH),
        BddNode::mk_one(space::WIDTH),
    ];
    // Children before parents, low before high: the order in which the crate itself keeps them.
    let mut stack = vec![(at, false)];
    while let Some((at, below_done)) = stack.pop() {
        if moved.contains_key(&at) {
            continue;
        }
        let (low, high) = (bdd.low_link_of(at), bdd.high_link_of(at));
        if below_done {
            let node = BddNode::mk_node(bdd.var_of(at), moved[&low], moved[&high]);
            moved.insert(at, BddPointer::from_index(nodes.len()));
            nodes.push(node);
        } else {
            stack.extend([(at, true), (high, false), (low, false)]);
        }
    }
    Bdd::from_nodes(&nodes).unwrap_or_else(|_| (*space::nothing()).clone())
}

pub(super) fn unless_all(spans: &[Span], field: Field) -> Vec<Span> {
    let all = Span {
        first: 0,
        last: field.max(),
    };
    if spans == [all] {
        Vec::new()
    } else {
        spans.to_vec()
    }
}

/// Sorted, and neighbours made one.
pub(super) fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.first <= last.last.saturating_add(1) => {
                last.last = last.last.max(span.last);
            }
            _ => joined.push(span),
        }
    }
    joined
}

impl Span {
    pub(super) const fn of_kind(kind: u32) -> Self {
        Self {
            first: kind << 8,
            last: kind << 8 | 0xff,
        }
    }

    pub(super) fn of(value: u32) -> Self {
        Self {
            first: value,
            last: value,
        }
    }

    /// The fewest prefixes that make up a span of addresses.
    pub fn prefixes(self) -> Vec<Ipv4Net> {
        space::prefixes(Field::SOURCE, self.first, self.last)
            .into_iter()
            .filter_map(|(address, len)| Ipv4Net::new(Ipv4Addr::from(address), len as u8).ok())
            .collect()
    }
}
