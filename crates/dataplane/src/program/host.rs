//! What is asked of a host with every packet: which addresses are its own, which way its routing
//! sends a packet, which eip stands for a source.

use super::Program;
use super::owners::{Owner, Owners};
use super::public::PublicAddresses;
use crate::lpm::Lpm;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_network::{Cvm, CvmId, EipId, EipMode, EipTarget, HavipId, HostTable, Network, NicId};

/// A cvm, as its packets see it.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    /// A stopped one drops with `cvm-stopped`.
    pub(crate) running: bool,
    pub(crate) ip_forward: bool,
    /// Whether it has policy rules.
    pub(crate) has_rules: bool,
    /// In order of address, then of nics.
    addresses: Box<[Own]>,
    /// The eips that stand for its sources, in order of source.
    eips: Box<[(Ipv4Addr, EipId)]>,
    /// The broadcast addresses of the links that it has configured.
    broadcasts: Box<[Ipv4Addr]>,
    routing: Routing,
}

/// An address of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Own {
    address: Ipv4Addr,
    /// The nic that has it; none: it is on `lo`.
    nic: Option<NicId>,
    /// Whether the guest has it: a nic's address may not be configured.
    is_local: bool,
}

/// Prefixes, and the nics that they lead out of.
type Routes = Vec<(Ipv4Net, NicId)>;

/// Policy rules and tables.
#[derive(Debug, Clone)]
struct Routing {
    /// Sources, and which table they use.
    rules: Box<[(Ipv4Net, usize)]>,
    /// The main table first.
    tables: Box<[Lpm<NicId>]>,
}

impl Host {
    fn new(network: &Network, cvm: &Cvm, lent: Lent) -> Self {
        let Lent { held, mut eips } = lent;
        eips.sort_unstable();
        let configured = |nic: &&NicId| is_configured(network, **nic);
        let broadcasts = cvm.nics.iter().filter(configured);
        let broadcasts = broadcasts.map(|&nic| link(network, nic).broadcast());
        Self {
            running: cvm.running,
            ip_forward: cvm.ip_forward,
            has_rules: !cvm.rules.is_empty(),
            addresses: addresses(network, cvm, &held),
            eips: eips.into(),
            broadcasts: broadcasts.collect(),
            routing: Routing::new(network, cvm),
        }
    }

    /// Where the host has an address.
    #[inline]
    fn having(&self, address: Ipv4Addr) -> impl Iterator<Item = &Own> {
        let from = self.addresses.partition_point(|own| own.address < address);
        let rest = self.addresses[from..].iter();
        rest.take_while(move |own| own.address == address)
    }

    /// Whether an address is the host's own: 127/8, one on `lo`, a configured address of any nic,
    /// a virtual address it holds, or an eip in direct mode (weak host model, §10).
    #[inline]
    pub(crate) fn is_local(&self, address: Ipv4Addr) -> bool {
        address.is_loopback() || self.having(address).any(|own| own.is_local)
    }

    /// The nic on which the host has an address.
    #[inline]
    pub(crate) fn local_nic(&self, address: Ipv4Addr) -> Option<NicId> {
        let mut local = self.having(address).filter(|own| own.is_local);
        local.find_map(|own| own.nic)
    }

    /// Whether any of its nics may send from an address: its own, a virtual one that it holds, an
    /// eip in direct mode (§2.1).
    #[inline]
    pub(crate) fn owns(&self, address: Ipv4Addr) -> bool {
        self.having(address).any(|own| own.nic.is_some())
    }

    /// Whether this nic may.
    #[inline]
    pub(crate) fn nic_owns(&self, nic: NicId, address: Ipv4Addr) -> bool {
        self.having(address).any(|own| own.nic == Some(nic))
    }

    /// The public side of what the host sends from an address: the eip that stands for it, or the
    /// one that it is (direct mode).
    #[inline]
    pub(crate) fn eip_of_source(&self, source: Ipv4Addr) -> Option<EipId> {
        let at = self.eips.binary_search_by_key(&source, |&(own, _)| own);
        at.ok().map(|at| self.eips[at].1)
    }

    /// Whether an address is the broadcast address of a link that the host has configured.
    #[inline]
    pub(crate) fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        self.broadcasts.contains(&address)
    }

    /// The nic that the host's routing sends a packet out of: policy rules by source in order,
    /// then the main table (Linux `fib_rules_lookup`: a table without a match falls through to the
    /// next rule).
    #[inline]
    pub(crate) fn route(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Option<NicId> {
        let Routing { rules, tables } = &self.routing;
        let by_rule = rules.iter().filter(|(from, _)| from.contains(&source));
        let mut tables = by_rule
            .map(|&(_, table)| table)
            .chain([0])
            .map(|t| &tables[t]);
        tables.find_map(|table| table.longest(destination)).copied()
    }
}

/// All hosts, by cvm.
pub(super) fn hosts(network: &Network, owners: &Owners, public: &PublicAddresses) -> Box<[Host]> {
    let mut lent: Vec<Lent> = network.cvms.iter().map(|_| Lent::default()).collect();
    for (id, havip) in (0..).map(HavipId).zip(&network.havips) {
        let Some(nic) = havip.holder else { continue };
        let owner = owners.of(network.vpc_of(nic), havip.address);
        if owner == Some(Owner::Havip(id)) {
            lent[network.nic(nic).cvm.index()].hold(havip.address, nic);
        }
    }
    for (id, eip) in (0..).map(EipId).zip(&network.eips) {
        let carrier = match eip.target {
            Some(EipTarget::Address(nic, _)) => Some(nic),
            Some(EipTarget::Havip(havip)) => network.havip(havip).holder,
            Some(EipTarget::NatGateway(_)) | None => None,
        };
        let Some(carrier) = carrier else { continue };
        let cvm = network.nic(carrier).cvm;
        let (vpc, lent) = (network.vpc_of(carrier), &mut lent[cvm.index()]);
        match eip.mode {
            EipMode::Nat => {
                if let Some((_, private)) = super::public::private_side(network, eip)
                    && public.by_private(vpc, private) == Some(id)
                {
                    lent.eips.push((private, id));
                }
            }
            EipMode::Direct => {
                if public.direct_nic(eip.address) != Some(carrier) {
                    continue;
                }
                lent.hold(eip.address, carrier);
                // Where an eip stands for the address itself, that one is the public side.
                if public.by_private(vpc, eip.address).is_none() {
                    lent.eips.push((eip.address, id));
                }
            }
        }
    }
    let cvms = network.cvms.iter().zip(lent);
    cvms.map(|(cvm, lent)| Host::new(network, cvm, lent))
        .collect()
}

/// What a host has beyond the addresses of its nics and `lo`.
#[derive(Default)]
struct Lent {
    /// Virtual addresses, and eips in direct mode.
    held: Vec<Own>,
    /// What stands for its sources.
    eips: Vec<(Ipv4Addr, EipId)>,
}

impl Lent {
    fn hold(&mut self, address: Ipv4Addr, nic: NicId) {
        self.held.push(Own {
            address,
            nic: Some(nic),
            is_local: true,
        });
    }
}

fn addresses(network: &Network, cvm: &Cvm, held: &[Own]) -> Box<[Own]> {
    let mut all = Vec::new();
    for &nic in &cvm.nics {
        let addresses = network.nic(nic).addresses.iter();
        all.extend(addresses.map(|own| Own {
            address: own.address,
            nic: Some(nic),
            is_local: own.configured,
        }));
        all.extend(held.iter().filter(|own| own.nic == Some(nic)));
    }
    all.extend(cvm.lo.iter().map(|&address| Own {
        address,
        nic: None,
        is_local: true,
    }));
    // Stable: the first nic of several that have an address comes first.
    all.sort_by_key(|own| own.address);
    all.into()
}

impl Routing {
    fn new(network: &Network, cvm: &Cvm) -> Self {
        let mut named = vec![HostTable::MAIN];
        let others = cvm.routes.iter().map(|route| route.table);
        for table in others {
            if !named.contains(&table) {
                named.push(table);
            }
        }
        let number = |table| named.iter().position(|&named| named == table);
        let rules = cvm.rules.iter();
        let rules = rules.filter_map(|rule| Some((rule.from, number(rule.table)?)));
        let tables = named.iter().map(|&table| {
            // A declared route stands before what the host would have by itself: of two routes
            // to one prefix the one with the lower metric wins, and declared ones have none.
            let declared = cvm.routes.iter().filter(|route| route.table == table);
            let mut routes: Routes = declared.map(|r| (r.destination, r.nic)).collect();
            if table == HostTable::MAIN {
                routes.extend(implied(network, cvm));
            }
            Lpm::new(routes)
        });
        Self {
            rules: rules.collect(),
            tables: tables.collect(),
        }
    }
}

/// Connected routes, and the default by the first nic.
fn implied(network: &Network, cvm: &Cvm) -> Routes {
    // A nic without a configured address has no connected route (Linux `fib_add_ifaddr`).
    let configured = |nic: &&NicId| is_configured(network, **nic);
    let connected = cvm.nics.iter().filter(configured);
    let mut routes: Routes = connected.map(|&nic| (link(network, nic), nic)).collect();
    // Nor can a router behind it be reached (`fib_check_nh`: invalid gateway).
    let first = cvm.nics.first().filter(configured);
    routes.extend(first.map(|&nic| (Ipv4Net::default(), nic)));
    routes
}

fn is_configured(network: &Network, nic: NicId) -> bool {
    network.nic(nic).addresses.iter().any(|own| own.configured)
}

fn link(network: &Network, nic: NicId) -> Ipv4Net {
    network.subnet(network.nic(nic).subnet).cidr
}

impl Program {
    /// What packets see of a cvm.
    #[inline]
    pub(crate) fn host(&self, cvm: CvmId) -> &Host {
        &self.hosts[cvm.index()]
    }
}
