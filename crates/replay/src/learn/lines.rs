//! What a host's rules have to accept, put together to lines that a person would write.

use super::known::service_name;
use super::rules::{Fact, Proto, Stats};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Ports from here on are for nobody in particular.
const FIRST_HIGH: u16 = 1024;

/// One line: protocol and ports, and all peers that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) proto: Proto,
    /// First and last port, in order; empty where the protocol has none.
    pub(super) ports: Vec<(u16, u16)>,
    pub(super) peers: Peers,
    /// What it was learned from, by peer.
    pub(super) seen: BTreeMap<Ipv4Addr, Stats>,
}

/// Who is on the other side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Peers {
    /// These addresses.
    Addresses(BTreeSet<Ipv4Addr>),
    /// Everybody in this prefix.
    Prefix(Ipv4Net),
    /// Everybody.
    Any,
}

/// What two hosts have in common that share a group.
pub(super) type Signature = Vec<(Proto, Vec<(u16, u16)>, Peers)>;

impl Line {
    pub(super) fn signature(&self) -> (Proto, Vec<(u16, u16)>, Peers) {
        (self.proto, self.ports.clone(), self.peers.clone())
    }

    /// The sum of what it was learned from.
    pub(super) fn stats(&self) -> Option<Stats> {
        sum(self.seen.values())
    }

    /// `80`, `80,443`, `8000-8010`; empty where there are no ports.
    pub(super) fn ports_text(&self) -> String {
        let text = |&(first, last): &(u16, u16)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        let texts: Vec<String> = self.ports.iter().map(text).collect();
        texts.join(",")
    }

    /// A word for what it is about: `web-443`, `tcp-8081`, `icmp`.
    pub(super) fn service(&self) -> String {
        let word = self.proto.word();
        match self.ports.as_slice() {
            [] => word.to_owned(),
            [(first, _), ..] => {
                let name = service_name(*first).unwrap_or(word);
                format!("{name}-{first}")
            }
        }
    }

    /// Takes the peers of a line for the same ports.
    pub(super) fn merge(&mut self, other: &Self) {
        if let (Peers::Addresses(all), Peers::Addresses(more)) = (&mut self.peers, &other.peers) {
            all.extend(more);
        }
        self.merge_seen(&other.seen);
    }

    fn merge_seen(&mut self, other: &BTreeMap<Ipv4Addr, Stats>) {
        for (peer, stats) in other {
            let known = self.seen.entry(*peer);
            known.and_modify(|known| known.add(stats)).or_insert(*stats);
        }
    }
}

/// The sum of some.
pub(super) fn sum<'a>(all: impl IntoIterator<Item = &'a Stats>) -> Option<Stats> {
    all.into_iter().copied().reduce(|mut sum, next| {
        sum.add(&next);
        sum
    })
}

/// Lines that accept exactly these facts.
///
/// Ports of services (well-known ones, and those that several peers use) are taken together where
/// their peers are the same; other ports, such as those of FTP's data, by peer.
pub(super) fn lines(facts: &BTreeMap<Fact, Stats>) -> Vec<Line> {
    let mut by_port: BTreeMap<(Proto, u16), BTreeMap<Ipv4Addr, Stats>> = BTreeMap::new();
    for (fact, stats) in facts {
        let peers = by_port.entry((fact.proto, fact.port)).or_default();
        peers.insert(fact.peer, *stats);
    }
    type Together = (BTreeSet<u16>, BTreeMap<Ipv4Addr, Stats>);
    let mut by_peers: BTreeMap<(Proto, Vec<Ipv4Addr>), Together> = BTreeMap::new();
    let mut put = |proto, port, peers: &BTreeMap<Ipv4Addr, Stats>| {
        let key = (proto, peers.keys().copied().collect());
        let (ports, seen) = by_peers.entry(key).or_default();
        ports.insert(port);
        for (peer, stats) in peers {
            let known = seen.entry(*peer);
            known
                .and_modify(|known: &mut Stats| known.add(stats))
                .or_insert(*stats);
        }
    };
    for ((proto, port), peers) in &by_port {
        if is_service(*port) || peers.len() > 1 {
            put(*proto, *port, peers);
            continue;
        }
        for (peer, stats) in peers {
            put(*proto, *port, &BTreeMap::from([(*peer, *stats)]));
        }
    }
    let lines = by_peers
        .into_iter()
        .map(|((proto, _), (ports, seen))| Line {
            proto,
            ports: match proto {
                Proto::Tcp | Proto::Udp => runs(&ports),
                Proto::Icmp | Proto::Gre | Proto::All => Vec::new(),
            },
            peers: Peers::Addresses(seen.keys().copied().collect()),
            seen,
        });
    in_order(lines.collect())
}

/// Whether a port is one that services have.
pub(super) fn is_service(port: u16) -> bool {
    port < FIRST_HIGH || service_name(port).is_some()
}

/// Numbers as ranges.
fn runs(ports: &BTreeSet<u16>) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for &port in ports {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(port) => *last = port,
            _ => runs.push((port, port)),
        }
    }
    runs
}

/// By protocol, then port, then peer: `all` comes last, where it covers nothing that follows.
fn in_order(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by(|one, other| {
        let key = |line: &Line| (line.proto, line.ports.first().copied());
        key(one)
            .cmp(&key(other))
            .then_with(|| one.peers.cmp(&other.peers))
    });
    lines
}

/// Joins lines that say the same, and leaves out what another one covers.
pub(super) fn without_covered(lines: Vec<Line>) -> Vec<Line> {
    let mut kept: Vec<Line> = Vec::new();
    // The widest first, so that what they cover comes after them.
    let mut lines = lines;
    lines.sort_by_key(|line| std::cmp::Reverse((breadth(&line.peers), span(&line.ports))));
    for line in lines {
        match kept.iter_mut().find(|wide| covers(wide, &line)) {
            Some(wide) => wide.merge_seen(&line.seen),
            None => kept.push(line),
        }
    }
    in_order(kept)
}

fn breadth(peers: &Peers) -> u64 {
    match peers {
        Peers::Any => u64::MAX,
        Peers::Prefix(net) => 1 << (32 - net.prefix_len()),
        Peers::Addresses(addresses) => addresses.len() as u64,
    }
}

fn span(ports: &[(u16, u16)]) -> u32 {
    ports
        .iter()
        .map(|(first, last)| u32::from(last - first) + 1)
        .sum()
}

fn covers(wide: &Line, line: &Line) -> bool {
    let ports = || {
        line.ports.iter().all(|(first, last)| {
            wide.ports
                .iter()
                .any(|(from, to)| from <= first && last <= to)
        })
    };
    let peers = || match (&wide.peers, &line.peers) {
        (Peers::Any, _) => true,
        (Peers::Prefix(wide), Peers::Prefix(narrow)) => wide.contains(narrow),
        (Peers::Prefix(wide), Peers::Addresses(all)) => all.iter().all(|a| wide.contains(a)),
        (Peers::Addresses(wide), Peers::Addresses(narrow)) => narrow.is_subset(wide),
        (_, _) => false,
    };
    wide.proto == line.proto && ports() && peers()
}
