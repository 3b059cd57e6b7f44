//! Rule lists: what a list accepts is a set of services that depends on one address, the other
//! end's, and on nothing else of the packet.

use crate::key::{Address, Ports, Value, only_if};
use crate::set::{Field, Set, of_rule};
use hashbrown::HashMap;
use std::cell::RefCell;
use std::net::Ipv4Addr;
use vpcsim_dataplane::Program;
use vpcsim_network::{
    Acl, AclPort, AclRule, Action, AddressRange, NicId, Peer, PortRange, SecurityGroupId,
    SecurityGroupRule, SgAcrossPeering, VpcId,
};

/// A first-match list, the implicit deny at its end included.
#[derive(Debug)]
pub(crate) struct List {
    lines: Vec<Line>,
    /// The first address of each range within which no line tells one from another.
    starts: Vec<u32>,
    /// By range, the first one of which the same lines speak.
    alike: Vec<usize>,
    /// What is accepted from each such range, made when it is asked for.
    accepted: RefCell<HashMap<(usize, Ports), Set>>,
    /// What is accepted over all addresses of a field.
    whole: RefCell<HashMap<(Address, Ports), Set>>,
}

#[derive(Debug)]
struct Line {
    accept: bool,
    peers: Vec<AddressRange>,
    services: Vec<Service>,
}

#[derive(Debug)]
struct Service {
    protocol: Set,
    ports: Vec<PortRange>,
    which: AclPort,
}

impl List {
    /// The concatenated lists of a nic's groups; `None`: it has none, and nothing is filtered.
    pub(crate) fn of_nic(program: &Program, nic: NicId, ingress: bool) -> Option<Self> {
        let network = program.network();
        let groups = &network.nic(nic).security_groups;
        if groups.is_empty() {
            return None;
        }
        let vpc = program.vpc_of(nic);
        let rules = groups.iter().flat_map(|&group| {
            let group = network.security_group(group);
            if ingress {
                &group.ingress
            } else {
                &group.egress
            }
        });
        Some(Self::new(
            rules.map(|rule| Line::of_group(program, vpc, rule)),
        ))
    }

    /// One side of an acl.
    pub(crate) fn of_acl(acl: &Acl, which: AclPort, ingress: bool) -> Self {
        let rules = if ingress { &acl.ingress } else { &acl.egress };
        Self::new(rules.iter().map(|rule| Line::of_acl(rule, which)))
    }

    fn new(lines: impl Iterator<Item = Line>) -> Self {
        let lines: Vec<Line> = lines.collect();
        let ranges = lines.iter().flat_map(|line| &line.peers);
        let edges = ranges.flat_map(|range| {
            let after = u32::from(range.last).checked_add(1);
            [Some(u32::from(range.first)), after]
        });
        let mut starts: Vec<u32> = edges.flatten().chain([0]).collect();
        starts.sort_unstable();
        starts.dedup();
        let mut first: HashMap<Vec<usize>, usize> = HashMap::new();
        let ranges = starts.iter().enumerate();
        let alike = ranges.map(|(range, &start)| {
            let address = Ipv4Addr::from(start);
            let speaking = lines.iter().enumerate();
            let speaking = speaking.filter(|(_, line)| line.speaks_of(address));
            let speaking: Vec<usize> = speaking.map(|(line, _)| line).collect();
            *first.entry(speaking).or_insert(range)
        });
        Self {
            alike: alike.collect(),
            lines,
            starts,
            accepted: RefCell::default(),
            whole: RefCell::default(),
        }
    }

    /// Packets that the list accepts when their other end is `peer`.
    pub(crate) fn accepts(&self, peer: Address, ports: Ports) -> Set {
        match peer {
            Value::Is(address) => self.accepts_in(self.range_of(address), ports),
            Value::Sent(_) => {
                if let Some(known) = self.whole.borrow().get(&(peer, ports)) {
                    return known.clone();
                }
                let whole = self.accepts_anywhere(peer, ports);
                self.whole.borrow_mut().insert((peer, ports), whole.clone());
                whole
            }
        }
    }

    /// What an address is to the list: to equal ones the same lines speak.
    pub(crate) fn range_of(&self, address: Ipv4Addr) -> usize {
        let after = self
            .starts
            .partition_point(|&start| start <= u32::from(address));
        self.alike[after.saturating_sub(1)]
    }

    /// Of each line, in order, what it shares with earlier ones that match first: `None` where it
    /// decides over some packet, else the earlier lines that take all of its packets.
    pub(crate) fn covered(&self) -> Vec<Option<Vec<usize>>> {
        let ports = crate::key::Key::SENT.ports;
        let services: Vec<Set> = self
            .lines
            .iter()
            .map(|line| line.services(ports).and(&Set::all()))
            .collect();
        let mut decides = vec![false; self.lines.len()];
        let mut takers: Vec<Vec<usize>> = vec![Vec::new(); self.lines.len()];
        let kinds = self.alike.iter().enumerate();
        for (range, _) in kinds.filter(|(range, first)| range == *first) {
            let address = Ipv4Addr::from(self.starts[range]);
            let speaking = self.lines.iter().enumerate();
            let speaking = speaking.filter(|(_, line)| line.speaks_of(address));
            let mut taken: Vec<(usize, Set)> = Vec::new();
            for (at, _) in speaking {
                let mut left = services[at].clone();
                for (earlier, set) in &taken {
                    if left.is_empty() {
                        break;
                    }
                    if decides[at] {
                        left = left.without(set);
                        continue;
                    }
                    let both = left.and(set);
                    if !both.is_empty() {
                        takers[at].push(*earlier);
                        left = left.without(&both);
                    }
                }
                decides[at] |= !left.is_empty();
                if !left.is_empty() {
                    taken.push((at, left));
                }
            }
        }
        let lines = decides.into_iter().zip(takers);
        lines
            .map(|(decides, mut takers)| {
                takers.sort_unstable();
                takers.dedup();
                (!decides).then_some(takers)
            })
            .collect()
    }

    fn accepts_in(&self, range: usize, ports: Ports) -> Set {
        if let Some(known) = self.accepted.borrow().get(&(range, ports)) {
            return known.clone();
        }
        let address = Ipv4Addr::from(self.starts[range]);
        let (mut left, mut accepted) = (Set::anything(), Set::none());
        for line in self.lines.iter().filter(|line| line.speaks_of(address)) {
            let services = line.services(ports);
            if line.accept {
                accepted = accepted.or(&left.and(&services));
            }
            left = left.without(&services);
            if left.is_empty() {
                break;
            }
        }
        self.accepted
            .borrow_mut()
            .insert((range, ports), accepted.clone());
        accepted
    }

    fn accepts_anywhere(&self, peer: Address, ports: Ports) -> Set {
        let field = match peer {
            Value::Sent(crate::key::Side::Source) => Field::SOURCE,
            _ => Field::DESTINATION,
        };
        let lasts = self.starts.iter().skip(1).map(|&next| next - 1);
        let lasts = lasts.chain([u32::MAX]);
        let parts: Vec<Set> = self
            .starts
            .iter()
            .zip(lasts)
            .enumerate()
            .map(|(range, (&first, last))| {
                Set::range(field, first, last).and(&self.accepts_in(self.alike[range], ports))
            })
            .collect();
        union(&parts)
    }
}

/// Halves first, so that no set grows one part at a time.
pub(crate) fn union(parts: &[Set]) -> Set {
    match parts {
        [] => Set::none(),
        [one] => one.clone(),
        _ => {
            let (low, high) = parts.split_at(parts.len() / 2);
            union(low).or(&union(high))
        }
    }
}

impl Line {
    fn of_group(program: &Program, vpc: VpcId, rule: &SecurityGroupRule) -> Self {
        let network = program.network();
        let peers = match &rule.peer {
            Peer::Any => vec![EVERYWHERE],
            Peer::Prefix(net) => vec![AddressRange::from(*net)],
            Peer::Template(template) => network.address_template(*template).members.clone(),
            Peer::Group(group) => members(program, *group, vpc),
        };
        let services = rule.services.iter().map(|service| Service {
            protocol: of_rule(service.protocol),
            // §6: a rule for all protocols has no ports.
            ports: match service.protocol.number() {
                Some(_) => service.ports.clone(),
                None => vec![PortRange::ALL],
            },
            which: AclPort::Destination,
        });
        Self {
            accept: rule.action == Action::Accept,
            peers,
            services: services.collect(),
        }
    }

    fn of_acl(rule: &AclRule, which: AclPort) -> Self {
        Self {
            accept: rule.action == Action::Accept,
            peers: vec![AddressRange::from(rule.peer)],
            services: vec![Service {
                protocol: of_rule(rule.protocol),
                ports: vec![rule.ports],
                which,
            }],
        }
    }

    fn speaks_of(&self, address: Ipv4Addr) -> bool {
        self.peers.iter().any(|peer| peer.contains(address))
    }

    fn services(&self, ports: Ports) -> Set {
        let services = self.services.iter().map(|service| service.set(ports));
        services.fold(Set::none(), |all, service| all.or(&service))
    }
}

impl Service {
    fn set(&self, own: Ports) -> Set {
        let among = |range: &PortRange| match self.which {
            AclPort::Destination => own.destination.among(*range),
            AclPort::Source => own.source.among(*range),
            AclPort::Either => {
                let destination = own.destination.among(*range);
                destination.or(&own.source.among(*range))
            }
        };
        let ports = self.ports.iter().fold(only_if(false), |all, range| {
            if *range == PortRange::ALL {
                return Set::anything();
            }
            all.or(&among(range))
        });
        // Protocols without ports match whatever ports a rule has.
        let portless = Set::anything().without(&Set::with_ports());
        self.protocol.and(&ports.or(&portless))
    }
}

/// Addresses that a group stands for, seen from a nic in `vpc` (§6, §8).
fn members(program: &Program, group: SecurityGroupId, vpc: VpcId) -> Vec<AddressRange> {
    let network = program.network();
    let across = network.policies.sg_across_peering == SgAcrossPeering::Match;
    let peers = network
        .peerings
        .iter()
        .filter(|peering| peering.active && across);
    let vpcs: Vec<VpcId> = peers
        .filter_map(|peering| peering.other(vpc))
        .chain([vpc])
        .collect();
    let nics = network.nics.iter().filter(|nic| {
        nic.security_groups.contains(&group) && vpcs.contains(&network.subnet(nic.subnet).vpc)
    });
    nics.flat_map(|nic| &nic.addresses)
        .map(|own| AddressRange {
            first: own.address,
            last: own.address,
        })
        .collect()
}

const EVERYWHERE: AddressRange = AddressRange {
    first: Ipv4Addr::UNSPECIFIED,
    last: Ipv4Addr::BROADCAST,
};
