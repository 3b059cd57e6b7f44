//! `--widen`: ports and peers that belong together become one rule.

use super::inside::{Inside, Side};
use super::lines::{Line, Peers, is_service, without_covered};
use super::rules::Proto;
use ipnet::Ipv4Net;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// So many peers, or ports, are a kind.
const SEVERAL: usize = 3;
/// Ports that clients ask from, and that protocols agree on as they go (RFC 6056).
const HIGH: (u16, u16) = (1024, 65535);
/// Remote access and databases: what `open-to-world` warns of.
const GUARDED: [u16; 15] = [
    22, 23, 1433, 1521, 2379, 3306, 3389, 5432, 5900, 5984, 6379, 9042, 9200, 11211, 27017,
];

/// Lines that accept these and their like:
///
/// * ports that are no service's, three or more with one peer: all high ports;
/// * outside peers, three or more: everybody, but not where it would open remote access or a
///   database to the world;
/// * inside peers, three or more in a subnet: the subnet.
pub(super) fn widen(
    lines: Vec<Line>,
    ingress: bool,
    inside: &Inside,
    subnets: &[Ipv4Net],
) -> Vec<Line> {
    let mut together: BTreeMap<_, Line> = BTreeMap::new();
    for line in lines.into_iter().map(widen_ports) {
        // Lines of single peers whose ports had kept them apart.
        match together.entry((line.proto, line.ports.clone())) {
            Entry::Occupied(mut known) => known.get_mut().merge(&line),
            Entry::Vacant(free) => {
                free.insert(line);
            }
        }
    }
    let lines = together.into_values().flat_map(|line| {
        let world = line.proto != Proto::All && !(ingress && line.ports.iter().any(is_guarded));
        widen_peers(&line, world, inside, subnets)
    });
    without_covered(lines.collect())
}

/// Whether a range holds a port that the whole internet has no business at.
fn is_guarded(&(first, last): &(u16, u16)) -> bool {
    GUARDED.iter().any(|port| (first..=last).contains(port))
}

fn widen_ports(mut line: Line) -> Line {
    let high =
        |&(first, last): &(u16, u16)| first >= HIGH.0 && !(first == last && is_service(first));
    let count: u32 = line
        .ports
        .iter()
        .filter(|r| high(r))
        .map(|(a, b)| u32::from(b - a) + 1)
        .sum();
    if count as usize >= SEVERAL {
        // What begins below stays, and may overlap.
        line.ports.retain(|range| range.0 < HIGH.0);
        line.ports.push(HIGH);
    }
    line
}

/// `world`: whether many outside peers may become everybody.
fn widen_peers(line: &Line, world: bool, inside: &Inside, subnets: &[Ipv4Net]) -> Vec<Line> {
    let Peers::Addresses(all) = &line.peers else {
        return vec![line.clone()];
    };
    let part = |peers: Peers, addresses: &BTreeSet<Ipv4Addr>| Line {
        peers,
        seen: line
            .seen
            .iter()
            .filter(|(peer, _)| addresses.contains(peer))
            .map(|(peer, stats)| (*peer, *stats))
            .collect(),
        ..line.clone()
    };
    let mut lines = Vec::new();
    let mut left = all.clone();
    let outside: BTreeSet<_> = all
        .iter()
        .copied()
        .filter(|a| inside.of(*a) != Side::Inside)
        .collect();
    if world && outside.len() >= SEVERAL {
        left.retain(|address| !outside.contains(address));
        lines.push(part(Peers::Any, &outside));
    }
    for subnet in subnets {
        let own: BTreeSet<_> = left
            .iter()
            .copied()
            .filter(|a| subnet.contains(a))
            .collect();
        if own.len() >= SEVERAL {
            left.retain(|address| !own.contains(address));
            lines.push(part(Peers::Prefix(*subnet), &own));
        }
    }
    if !left.is_empty() {
        let addresses = left.clone();
        lines.push(part(Peers::Addresses(left), &addresses));
    }
    lines
}
