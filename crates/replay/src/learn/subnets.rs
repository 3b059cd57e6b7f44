//! Vpcs, their ranges and subnets, and where a host has its address.

use super::inside::{BLOCKS, Inside, LONGEST, block, net};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The shortest and the usual prefix of a subnet.
const SHORTEST: u8 = 16;
const USUAL: u8 = 24;
/// More ranges than these of one block become wider ones.
const MOST_RANGES: usize = 4;
/// Where hosts get private addresses that have none, in order of preference.
const SPARE: [Ipv4Addr; 4] = [
    Ipv4Addr::new(172, 31, 0, 0),
    Ipv4Addr::new(10, 255, 0, 0),
    Ipv4Addr::new(172, 30, 0, 0),
    Ipv4Addr::new(10, 254, 0, 0),
];

/// A vpc to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vpc {
    pub(super) name: String,
    pub(super) ranges: Vec<Ipv4Net>,
    pub(super) subnets: Vec<Subnet>,
}

/// A subnet to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subnet {
    pub(super) name: String,
    pub(super) cidr: Ipv4Net,
}

/// Where a host lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Home {
    /// Position of the vpc, and of the subnet in it.
    pub(super) vpc: usize,
    pub(super) subnet: usize,
    /// Its address in the network file.
    pub(super) address: Ipv4Addr,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) vpcs: Vec<Vpc>,
    /// By address in the capture.
    pub(super) homes: BTreeMap<Ipv4Addr, Home>,
}

/// Hosts that have no private address: a block of their own.
const PUBLIC: usize = BLOCKS.len();

/// The ranges of the private blocks that these hosts need.
pub(super) fn ranges(hosts: &BTreeSet<Ipv4Addr>, inside: &Inside) -> [Vec<Ipv4Net>; PUBLIC] {
    let mut ranges = [const { Vec::new() }; PUBLIC];
    for (number, ranges) in ranges.iter_mut().enumerate() {
        let own = hosts.iter().filter(|host| block(**host) == Some(number));
        let wanted = own.clone().filter_map(|&host| {
            let range = inside.range(host)?;
            net(host, range.prefix_len().clamp(SHORTEST, LONGEST))
        });
        let mut found: BTreeSet<Ipv4Net> = wanted.collect();
        if found.len() > MOST_RANGES {
            let shortest = BLOCKS[number].2;
            let widened = own.filter_map(|&host| {
                let range = inside.range(host)?;
                net(host, range.prefix_len().clamp(shortest, LONGEST))
            });
            found = widened.collect();
        }
        ranges.extend(found);
    }
    ranges
}

impl Layout {
    /// A layout for these hosts. Blocks whose hosts talk to each other (`pairs`) are one vpc, so
    /// that they reach each other as they did. `avoid`: ranges in which others have addresses.
    pub(super) fn new(
        hosts: &BTreeSet<Ipv4Addr>,
        ranges: [Vec<Ipv4Net>; PUBLIC],
        pairs: &BTreeSet<(Ipv4Addr, Ipv4Addr)>,
        avoid: &BTreeSet<Ipv4Net>,
    ) -> Self {
        let number = |address| block(address).unwrap_or(PUBLIC);
        let mut joined: [usize; PUBLIC + 1] = std::array::from_fn(|number| number);
        for &(one, other) in pairs {
            let (one, other) = (joined[number(one)], joined[number(other)]);
            let (low, high) = (one.min(other), one.max(other));
            joined
                .iter_mut()
                .filter(|n| **n == high)
                .for_each(|n| *n = low);
        }
        let mut layout = Self::default();
        let used: BTreeSet<usize> = hosts.iter().map(|&host| number(host)).collect();
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let own = ranges.iter().flatten();
        let taken: Vec<Ipv4Net> = own.chain(avoid).copied().collect();
        for &block in &used {
            let vpc = *places.entry(joined[block]).or_insert_with(|| {
                layout.vpcs.push(Vpc {
                    name: vpc_name(block),
                    ranges: Vec::new(),
                    subnets: Vec::new(),
                });
                layout.vpcs.len() - 1
            });
            let own = hosts.iter().copied().filter(|&host| number(host) == block);
            if block == PUBLIC {
                layout.settle_public(vpc, &own.collect::<Vec<_>>(), &taken);
                continue;
            }
            for &range in &ranges[block] {
                let own: BTreeSet<_> = own.clone().filter(|host| range.contains(host)).collect();
                layout.settle(vpc, range, own);
            }
        }
        layout
    }

    /// Subnets of a range in which each host can have its address, as far as that is possible.
    fn settle(&mut self, vpc: usize, range: Ipv4Net, mut hosts: BTreeSet<Ipv4Addr>) {
        let shortest = range.prefix_len().max(SHORTEST);
        let usual = range.prefix_len().max(USUAL);
        let everybody = hosts.clone();
        let mut misfits = Vec::new();
        let mut cidrs: BTreeSet<Ipv4Net> = hosts.iter().filter_map(|&h| net(h, usual)).collect();
        loop {
            let trouble = hosts.iter().find_map(|&host| {
                let cidr = holder(&cidrs, host)?;
                is_reserved(host, cidr).then_some((host, cidr))
            });
            let Some((host, cidr)) = trouble else { break };
            let fits = (shortest..cidr.prefix_len())
                .rev()
                .filter_map(|len| net(host, len))
                .find(|cidr| !is_reserved(host, *cidr));
            match fits {
                Some(wide) => {
                    cidrs.retain(|cidr| !wide.contains(cidr));
                    cidrs.insert(wide);
                }
                None => {
                    hosts.remove(&host);
                    misfits.push(host);
                }
            }
        }
        let ranges = &mut self.vpcs[vpc].ranges;
        ranges.push(range);
        let first = self.vpcs[vpc].subnets.len();
        for &cidr in &cidrs {
            let name = subnet_name(cidr);
            self.vpcs[vpc].subnets.push(Subnet { name, cidr });
        }
        let mut taken = everybody;
        let fitting = hosts.into_iter().map(|host| (host, true));
        for (host, fits) in fitting.chain(misfits.into_iter().map(|host| (host, false))) {
            let Some(cidr) = holder(&cidrs, host) else {
                continue;
            };
            let address = if fits { Some(host) } else { free(cidr, &taken) };
            let Some(address) = address else { continue };
            taken.insert(address);
            let subnet = first + cidrs.range(..cidr).count();
            let home = Home {
                vpc,
                subnet,
                address,
            };
            self.homes.insert(host, home);
        }
    }

    /// Private addresses for hosts that have public ones.
    fn settle_public(&mut self, vpc: usize, hosts: &[Ipv4Addr], taken: &[Ipv4Net]) {
        // Two of each subnet's addresses are lost at its beginning, one at its end, and a little
        // room is kept for the platform.
        const ROOM: usize = 250;
        let spare = SPARE.iter().filter_map(|&at| net(at, SHORTEST));
        let mut spare =
            spare.filter(|spare| !taken.iter().any(|t| t.contains(spare) || spare.contains(t)));
        for part in hosts.chunks(ROOM << (USUAL - SHORTEST)) {
            let Some(range) = spare.next() else { return };
            self.vpcs[vpc].ranges.push(range);
            for (chunk, cidr) in part
                .chunks(ROOM)
                .zip(range.subnets(USUAL).into_iter().flatten())
            {
                let name = subnet_name(cidr);
                self.vpcs[vpc].subnets.push(Subnet { name, cidr });
                let subnet = self.vpcs[vpc].subnets.len() - 1;
                for (&host, address) in chunk.iter().zip(cidr.hosts().skip(3)) {
                    self.homes.insert(
                        host,
                        Home {
                            vpc,
                            subnet,
                            address,
                        },
                    );
                }
            }
        }
    }
}

/// The prefix of several, none within another, that an address lies in.
fn holder(cidrs: &BTreeSet<Ipv4Net>, address: Ipv4Addr) -> Option<Ipv4Net> {
    let last = cidrs.range(..=Ipv4Net::from(address)).next_back().copied();
    last.filter(|cidr| cidr.contains(&address))
}

/// The platform keeps the first address of a subnet, the next and the last.
fn is_reserved(address: Ipv4Addr, cidr: Ipv4Net) -> bool {
    let gateway = u32::from(cidr.network()).saturating_add(1);
    address == cidr.network() || address == cidr.broadcast() || u32::from(address) == gateway
}

/// An address of a subnet that nobody has.
fn free(cidr: Ipv4Net, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let mut hosts = cidr.hosts();
    hosts.find(|host| !is_reserved(*host, cidr) && !taken.contains(host))
}

fn vpc_name(block: usize) -> String {
    match BLOCKS.get(block) {
        Some((_, 8, _)) => "vpc-10".to_owned(),
        Some((at, ..)) => {
            let [a, b, ..] = at.octets();
            format!("vpc-{a}-{b}")
        }
        None => "vpc-public".to_owned(),
    }
}

/// `net-10-0-1` for a /24, else with the length.
fn subnet_name(cidr: Ipv4Net) -> String {
    let [a, b, c, d] = cidr.network().octets();
    match cidr.prefix_len() {
        USUAL => format!("net-{a}-{b}-{c}"),
        len @ ..USUAL => format!("net-{a}-{b}-{c}-{len}"),
        len => format!("net-{a}-{b}-{c}-{d}-{len}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(hosts: &[[u8; 4]], asked: &[&str]) -> Layout {
        let asked: Vec<Ipv4Net> = asked.iter().map(|a| a.parse().unwrap()).collect();
        let hosts: BTreeSet<Ipv4Addr> = hosts.iter().map(|&h| h.into()).collect();
        let ranges = ranges(&hosts, &Inside::new(&asked));
        Layout::new(&hosts, ranges, &BTreeSet::new(), &BTreeSet::new())
    }

    fn cidrs(layout: &Layout) -> Vec<String> {
        let subnets = layout.vpcs.iter().flat_map(|vpc| &vpc.subnets);
        subnets.map(|subnet| subnet.cidr.to_string()).collect()
    }

    #[test]
    fn a_host_with_the_gateways_address_makes_the_subnet_wider() {
        let wide = layout(&[[192, 168, 1, 1], [192, 168, 1, 9]], &[]);
        assert_eq!(cidrs(&wide), ["192.168.0.0/23"]);
        let usual = layout(&[[192, 168, 1, 9]], &[]);
        assert_eq!(cidrs(&usual), ["192.168.1.0/24"]);
    }

    #[test]
    fn a_host_that_fits_in_no_subnet_gets_another_address() {
        let layout = layout(&[[10, 0, 0, 1], [10, 0, 0, 2]], &[]);
        let home = layout.homes[&Ipv4Addr::new(10, 0, 0, 1)];
        assert_eq!(home.address, Ipv4Addr::new(10, 0, 0, 3));
        assert_eq!(cidrs(&layout), ["10.0.0.0/24"]);
    }

    #[test]
    fn many_ranges_become_wider_ones() {
        let hosts: Vec<[u8; 4]> = (0..9).map(|n| [10, n * 3, 1, 9]).collect();
        let layout = layout(&hosts, &[]);
        let ranges: Vec<String> = layout.vpcs[0]
            .ranges
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(ranges, ["10.0.0.0/12", "10.16.0.0/12"]);
        assert_eq!(layout.homes.len(), 9);
    }

    #[test]
    fn a_public_host_gets_a_private_address_where_nobody_is() {
        let layout = layout(
            &[[203, 0, 113, 9], [172, 31, 4, 4]],
            &["203.0.113.0/24", "172.16.0.0/12"],
        );
        let home = layout.homes[&Ipv4Addr::new(203, 0, 113, 9)];
        assert_eq!(home.address, Ipv4Addr::new(10, 255, 0, 4));
        assert_eq!(layout.vpcs.len(), 2);
    }
}
