//! Inside hosts: who they are, what they are called.

use super::inside::is_public;
use super::known::service_name;
use super::rules::{Learned, OwnEip, Rules};
use super::subnets::{Home, Layout};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// What an inside address sent, while the capture is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sender {
    pub(super) packets: u64,
    /// It sent something else than ICMP errors: it is no mere router on the way.
    pub(super) is_host: bool,
}

/// A cvm to be.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// Its address in the capture.
    pub(super) captured: Ipv4Addr,
    pub(super) home: Home,
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) packets: u64,
    pub(super) learned: Learned,
    pub(super) way_out: WayOut,
}

impl Host {
    /// Whether it has the address that it has in the capture.
    pub(super) fn has_own_address(&self) -> bool {
        self.home.address == self.captured || self.way_out == WayOut::Direct
    }

    /// Whether it has a public address of its own.
    pub(super) fn has_eip(&self) -> bool {
        matches!(self.way_out, WayOut::Eip(..) | WayOut::Direct)
    }
}

/// How a host reaches the internet, and the internet it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WayOut {
    /// Not at all.
    None,
    /// By the nat gateway of its vpc.
    Gateway,
    /// By an eip of its own.
    Eip(Ipv4Addr, OwnEip),
    /// It carries a public address itself.
    Direct,
}

/// Public addresses for what has none in the capture, those kept for documentation first
/// (RFC 5737).
#[derive(Debug)]
pub(super) struct Eips<'a> {
    seen: &'a BTreeSet<Ipv4Addr>,
    next: u32,
    block: usize,
}

/// Where they are taken from, and how many there: the ranges for documentation, then what lies
/// behind the second of them.
const BLOCKS: [(Ipv4Addr, u32); 4] = [
    (Ipv4Addr::new(203, 0, 113, 10), 245),
    (Ipv4Addr::new(198, 51, 100, 10), 245),
    (Ipv4Addr::new(192, 0, 2, 10), 245),
    (Ipv4Addr::new(198, 51, 101, 1), 9_000_000),
];

impl<'a> Eips<'a> {
    /// `seen`: the addresses that the capture has.
    pub(super) fn new(seen: &'a BTreeSet<Ipv4Addr>) -> Self {
        Self {
            seen,
            next: 0,
            block: 0,
        }
    }
}

impl Iterator for Eips<'_> {
    type Item = Ipv4Addr;

    fn next(&mut self) -> Option<Ipv4Addr> {
        loop {
            let &(first, len) = BLOCKS.get(self.block)?;
            if self.next == len {
                (self.block, self.next) = (self.block + 1, 0);
                continue;
            }
            let address = Ipv4Addr::from(u32::from(first) + self.next);
            self.next += 1;
            if !self.seen.contains(&address) {
                return Some(address);
            }
        }
    }
}

/// The hosts of a layout, by address.
pub(super) fn hosts(
    layout: &Layout,
    senders: &BTreeMap<Ipv4Addr, Sender>,
    rules: &Rules,
    eips: &mut Eips<'_>,
) -> Vec<Host> {
    let hosts = layout.homes.iter().map(|(&captured, &home)| {
        let learned = rules.hosts.get(&captured).cloned().unwrap_or_default();
        let sender = senders.get(&captured).copied().unwrap_or_default();
        let role = role(&learned, sender);
        let [a, b, c, d] = captured.octets();
        let way_out = if is_public(captured) {
            WayOut::Direct
        } else {
            match (learned.online, learned.own_eip) {
                (false, _) => WayOut::None,
                (true, None) => WayOut::Gateway,
                (true, Some(why)) => eips
                    .next()
                    .map_or(WayOut::Gateway, |eip| WayOut::Eip(eip, why)),
            }
        };
        Host {
            captured,
            home,
            name: format!("{role}-{a}-{b}-{c}-{d}"),
            role,
            packets: sender.packets,
            learned,
            way_out,
        }
    });
    hosts.collect()
}

/// What people would call it: by what it is asked for most, `server` where that has no name,
/// `client` where it only asks, `router` where it only sent ICMP errors.
fn role(learned: &Learned, sender: Sender) -> &'static str {
    if !sender.is_host {
        return "router";
    }
    let mut words: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (&(_, port), count) in &learned.services {
        if let Some(word) = service_name(port) {
            *words.entry(word).or_default() += count;
        }
    }
    let most = words
        .iter()
        .max_by_key(|(word, count)| (**count, Reverse(**word)));
    if let Some((word, _)) = most {
        return word;
    }
    // A client's protocol may have it listen too, as FTP does for its data.
    let asked: u64 = learned.services.values().sum();
    let asks: u64 = learned
        .egress
        .values()
        .map(|stats| stats.conversations)
        .sum();
    match (asked, asks) {
        (0, 0) => "host",
        (asked, asks) if asked > asks => "server",
        _ => "client",
    }
}
