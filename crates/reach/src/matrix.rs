//! Who reaches whom on what, for a whole network: by classes of hosts that nothing in the network
//! tells apart.

use crate::carry;
use crate::place::End;
use crate::reach::{Reach, Trip, Way};
use crate::set::Set;
use hashbrown::{HashMap, HashSet};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_network::{Cvm, CvmId, EipTarget, NextHop, NicId, SnatSource};

/// Ends that reach the same and are reached by the same, each as the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Who; the first one stands for all.
    pub members: Vec<End>,
}

/// Services by which each class reaches each other one.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Hosts in file order, then the internet, then the gateways at the edge.
    pub classes: Vec<Class>,
    /// Every set of services that occurs, once; the first is empty.
    services: Vec<Set>,
    /// By sender, then by receiver: which of them.
    cells: Vec<u32>,
}

impl Matrix {
    /// The services by which the members of one class reach those of another, or each other.
    /// Source ports and addresses are left out; a service counts when some address of the
    /// receiver is reached by it.
    ///
    /// # Panics
    /// With a number that no class has.
    pub fn services(&self, from: usize, to: usize) -> &Set {
        let cell = self.cells[from * self.classes.len() + to];
        &self.services[cell as usize]
    }

    /// Every pair of classes that has anything, with what it has.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize, &Set)> {
        let count = self.classes.len().max(1);
        let cells = self.cells.iter().enumerate();
        cells
            .filter(|(_, cell)| **cell > 0)
            .map(move |(at, &cell)| (at / count, at % count, &self.services[cell as usize]))
    }
}

/// What the network tells hosts apart by. Hosts of which any other thing is said stand alone.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Likeness {
    subnet: u32,
    groups: Vec<u32>,
    running: bool,
    forwards: (bool, bool),
    sysctl: (u8, bool, bool),
    /// What the address is to every rule list, and which routes within its subnet lead to it.
    lists: Vec<usize>,
    routes: Vec<bool>,
}

impl Reach<'_> {
    /// Who reaches whom on what, over all ends.
    pub fn matrix(&self, trip: Trip) -> Matrix {
        let classes = self.classes();
        // A class is reached at its first member, and by its own members at another one.
        let aims: Vec<Vec<End>> = classes
            .iter()
            .map(|class| class.members.iter().take(2).copied().collect())
            .collect();
        let mut at: HashMap<End, (usize, usize)> = HashMap::new();
        for (class, aims) in aims.iter().enumerate() {
            at.extend(
                aims.iter()
                    .enumerate()
                    .map(|(rank, &end)| (end, (class, rank))),
            );
        }
        let only = self.addresses_of(&aims);
        let mut rows = Rows::new(classes.len());
        for (from, class) in classes.iter().enumerate() {
            let Some(&sender) = class.members.first() else {
                continue;
            };
            let ways = self.ways(sender, trip, Some(&only));
            let row = self.row(&ways, |end| match at.get(&end) {
                Some(&(to, rank)) if to == from => (rank > 0 || sender != end).then_some(to),
                Some(&(to, rank)) => (rank == 0).then_some(to),
                None => None,
            });
            for (to, services) in row {
                rows.set(from, to, services);
            }
        }
        Matrix {
            classes,
            services: rows.services,
            cells: rows.cells,
        }
    }

    /// What arrives where, by class of receiver.
    fn row(&self, ways: &[Way], class_of: impl Fn(End) -> Option<usize>) -> Vec<(usize, Set)> {
        let chose = ways.iter().any(|way| way.path.chose);
        let mut ever: HashMap<usize, Vec<&Way>> = HashMap::new();
        for way in ways {
            if let carry::End::At(place) = way.end
                && let Some(class) = self.end_at(place).and_then(&class_of)
            {
                ever.entry(class).or_default().push(way);
            }
        }
        let mut row: Vec<(usize, Set)> = Vec::new();
        for (class, arriving) in ever {
            let services = if chose {
                let mut reached = Set::none();
                for way in &arriving {
                    reached = reached.or(&way.path.packets(&way.answered));
                }
                for way in ways {
                    let here = arriving.iter().any(|arriving| std::ptr::eq(*arriving, way));
                    let lost = if here { &way.unanswered } else { &way.path.set };
                    let lost = way.path.packets(lost).and(&reached);
                    reached = reached.without(&lost);
                }
                reached.services()
            } else {
                let services = arriving
                    .iter()
                    .map(|way| way.answered.services().and(&Set::opening(way.path.opens)));
                services.fold(Set::none(), |all, services| all.or(&services))
            };
            row.push((class, services.any_source_port()));
        }
        row
    }

    /// The private addresses of ends.
    pub(crate) fn addresses_of(&self, ends: &[Vec<End>]) -> HashSet<Ipv4Addr> {
        let cvms = ends.iter().flatten().filter_map(|end| match end {
            End::Cvm(cvm) => Some(cvm),
            End::Internet | End::External(_) => None,
        });
        cvms.flat_map(|cvm| &self.facts().hosts[cvm.index()].local)
            .map(|&(address, _)| address)
            .collect()
    }

    /// All ends, in classes.
    pub fn classes(&self) -> Vec<Class> {
        let network = self.program().network();
        let named = self.hosts_spoken_of();
        let fine: Vec<Ipv4Net> = self.fine_prefixes();
        let mut classes: Vec<Class> = Vec::new();
        let mut known: HashMap<Likeness, usize> = HashMap::new();
        for end in self.all_ends() {
            let likeness = match end {
                End::Cvm(cvm) if !named.contains(&cvm) => self.likeness(network.cvm(cvm), &fine),
                _ => None,
            };
            match likeness {
                None => classes.push(Class { members: vec![end] }),
                Some(likeness) => {
                    let class = *known.entry(likeness).or_insert_with(|| {
                        let members = Vec::new();
                        classes.push(Class { members });
                        classes.len() - 1
                    });
                    classes[class].members.push(end);
                }
            }
        }
        classes
    }

    /// A host's likeness, where it is an ordinary one: one nic, one address, nothing else.
    fn likeness(&self, cvm: &Cvm, fine: &[Ipv4Net]) -> Option<Likeness> {
        let network = self.program().network();
        let &[nic] = cvm.nics.as_slice() else {
            return None;
        };
        let plain = cvm.lo.is_empty() && cvm.routes.is_empty() && cvm.rules.is_empty();
        let nic = network.nic(nic);
        let &[own] = nic.addresses.as_slice() else {
            return None;
        };
        if !plain || !own.configured {
            return None;
        }
        let sysctl = vpcsim_network::InterfaceSysctl::effective(cvm.sysctl_all, nic.sysctl);
        Some(Likeness {
            subnet: nic.subnet.0,
            groups: nic.security_groups.iter().map(|id| id.0).collect(),
            running: cvm.running,
            forwards: (cvm.ip_forward, nic.forwarding),
            sysctl: (sysctl.rp_filter, sysctl.accept_local, sysctl.route_localnet),
            lists: self
                .facts()
                .lists()
                .iter()
                .map(|list| list.range_of(own.address))
                .collect(),
            routes: fine.iter().map(|net| net.contains(&own.address)).collect(),
        })
    }

    /// Hosts that something else in the network names.
    fn hosts_spoken_of(&self) -> HashSet<CvmId> {
        let network = self.program().network();
        let mut nics: Vec<NicId> = Vec::new();
        let mut hosts: HashSet<CvmId> = HashSet::new();
        for eip in &network.eips {
            if let Some(EipTarget::Address(nic, _)) = eip.target {
                nics.push(nic);
            }
        }
        nics.extend(network.havips.iter().filter_map(|havip| havip.holder));
        for route in network.route_tables.iter().flat_map(|table| &table.routes) {
            if let NextHop::Cvm(nic) | NextHop::Instance(nic) = route.next_hop {
                nics.push(nic);
            }
        }
        for gateway in &network.nat_gateways {
            hosts.extend(gateway.snat.iter().filter_map(|rule| match rule.source {
                SnatSource::Cvm(cvm) => Some(cvm),
                SnatSource::Subnet(_) => None,
            }));
            let owners = &self.facts().owners[gateway.vpc.index()];
            let inside = gateway.dnat.iter().filter_map(|rule| owners.get(&rule.to));
            nics.extend(inside.filter_map(|owner| owner.ok()));
        }
        hosts.extend(nics.into_iter().map(|nic| network.nic(nic).cvm));
        hosts
    }

    /// Prefixes that may tell addresses of one subnet apart.
    fn fine_prefixes(&self) -> Vec<Ipv4Net> {
        let network = self.program().network();
        let tables = network.route_tables.iter().flat_map(|table| &table.routes);
        let tables = tables.map(|route| route.destination);
        let hosts = network.cvms.iter().flat_map(|cvm| &cvm.routes);
        let hosts = hosts.map(|route| route.destination);
        let rules = network.cvms.iter().flat_map(|cvm| &cvm.rules);
        let rules = rules.map(|rule| rule.from);
        let behind = network
            .externals
            .iter()
            .flat_map(|external| &external.networks);
        let mut nets: Vec<Ipv4Net> = tables
            .chain(hosts)
            .chain(rules)
            .chain(behind.copied())
            .filter(|net| {
                let mut subnets = network.subnets.iter();
                subnets.any(|subnet| subnet.cidr.contains(net) && subnet.cidr != *net)
            })
            .collect();
        nets.sort_unstable();
        nets.dedup();
        nets
    }
}

/// Cells, each set of services kept once.
struct Rows {
    count: usize,
    services: Vec<Set>,
    known: HashMap<Set, u32>,
    cells: Vec<u32>,
}

impl Rows {
    fn new(count: usize) -> Self {
        Self {
            count,
            services: vec![Set::none()],
            known: [(Set::none(), 0)].into_iter().collect(),
            cells: vec![0; count * count],
        }
    }

    fn set(&mut self, from: usize, to: usize, services: Set) {
        let cell = match self.known.get(&services) {
            Some(&known) => known,
            None => {
                let cell = self.services.len() as u32;
                self.services.push(services.clone());
                self.known.insert(services, cell);
                cell
            }
        };
        self.cells[from * self.count + to] = cell;
    }
}
