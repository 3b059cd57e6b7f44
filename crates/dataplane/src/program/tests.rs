//! What a program has made ready is what a search of the network finds.

use super::*;
use proptest::prelude::*;
use vpcsim_network::{EipMode, EipTarget, HavipId, HostTable, NicId, VpcId};
use vpcsim_testkit::strategy::networks;

const DEMO: &str = include_str!("../../../../scenarios/demo/network.yaml");
const REFERENCE: &str = include_str!("../../../../scenarios/reference/network.yaml");

/// Oddities: two vpcs with the same addresses, addresses on `lo` that a nic or another host has
/// too, a host without a configured address, rules that name tables without routes, externals
/// that overlap.
const ODD: &str = "
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {a1: {cidr: 10.0.0.0/24}, a2: {cidr: 10.0.1.0/24}}}
  b: {cidr: 10.0.0.0/16, subnets: {b1: {cidr: 10.0.0.0/24}}}
externals:
  narrow: {kind: vpn, vpc: a, networks: [192.168.7.0/24]}
  wide: {kind: vpn, vpc: b, networks: [192.168.0.0/16, 172.16.0.0/12]}
havips:
  held: {subnet: a2, address: 10.0.1.100, holder: a-1/eth1}
  unheld: {subnet: a2, address: 10.0.1.101}
eips:
  direct: {address: 203.0.113.1, bind: a-1/eth1, mode: direct}
  plain: {address: 203.0.113.2, bind: a-1}
  of-havip: {address: 203.0.113.3, bind: havip/held}
  unbound: {address: 203.0.113.4}
cvms:
  a-1:
    ip_forward: true
    lo: [10.0.0.6, 198.51.100.1]
    nics:
      eth0: {subnet: a1, addresses: [10.0.0.5, {address: 10.0.0.6, configured: false}]}
      eth1: {subnet: a2, address: 10.0.1.5}
    routes:
      - {to: 192.168.0.0/16, via: 10.0.1.1, nic: eth1}
      - {to: 0.0.0.0/0, via: 10.0.1.1, nic: eth1, table: 7}
      - {to: 10.0.0.0/24, nic: eth1, table: 8}
    rules:
      - {from: 10.0.1.0/24, table: 8}
      - {from: 10.0.1.5, table: 7}
      - {from: 10.0.0.5, table: 254}
  a-2:
    subnet: a1
    addresses: [{address: 10.0.0.7, configured: false}]
    lo: [198.51.100.1]
  b-1: {subnet: b1, address: 10.0.0.5}
";

fn network(text: &str) -> Network {
    match Network::from_yaml("test", text) {
        Ok(network) => network,
        Err(errors) => panic!("{errors}"),
    }
}

// The reference: the network's own lists, searched from the start.

struct Search<'a>(&'a Network);

impl Search<'_> {
    fn owner(&self, vpc: VpcId, address: Ipv4Addr) -> Option<Owner> {
        let has = |nic: &NicId| {
            self.0
                .nic(*nic)
                .addresses
                .iter()
                .any(|a| a.address == address)
        };
        let mut nics = self.0.nic_ids().filter(|&nic| self.0.vpc_of(nic) == vpc);
        let mut havips = (0..).map(HavipId).zip(&self.0.havips);
        let by_nic = nics.find(has).map(Owner::Nic);
        by_nic.or_else(|| {
            let found = havips.find(|(_, havip)| {
                self.0.subnet(havip.subnet).vpc == vpc && havip.address == address
            });
            found.map(|(id, _)| Owner::Havip(id))
        })
    }

    /// Nics come before havips, each in file order.
    fn vpcs_of(&self, address: Ipv4Addr) -> Vec<VpcId> {
        let nics = self.0.nics.iter();
        let nics = nics.filter(|nic| nic.addresses.iter().any(|own| own.address == address));
        let havips = self
            .0
            .havips
            .iter()
            .filter(|havip| havip.address == address);
        let subnets = nics
            .map(|nic| nic.subnet)
            .chain(havips.map(|havip| havip.subnet));
        let mut vpcs = Vec::new();
        for vpc in subnets.map(|subnet| self.0.subnet(subnet).vpc) {
            if !vpcs.contains(&vpc) {
                vpcs.push(vpc);
            }
        }
        vpcs
    }

    fn direct_nic(&self, address: Ipv4Addr) -> Option<NicId> {
        let eip = self.0.eip(self.0.eip_by_address(address)?);
        match (eip.mode, eip.target) {
            (EipMode::Direct, Some(EipTarget::Address(nic, _))) => Some(nic),
            _ => None,
        }
    }

    fn holds(&self, nic: NicId, address: Ipv4Addr) -> bool {
        let vip = match self.owner(self.0.vpc_of(nic), address) {
            Some(Owner::Havip(havip)) => self.0.havip(havip).holder == Some(nic),
            _ => false,
        };
        vip || self.direct_nic(address) == Some(nic)
    }

    fn nic_owns(&self, nic: NicId, address: Ipv4Addr) -> bool {
        let mut own = self.0.nic(nic).addresses.iter();
        own.any(|own| own.address == address) || self.holds(nic, address)
    }

    fn local_nic(&self, cvm: CvmId, address: Ipv4Addr) -> Option<NicId> {
        let mut nics = self.0.cvm(cvm).nics.iter().copied();
        nics.find(|&nic| {
            let mut own = self.0.nic(nic).addresses.iter();
            own.any(|own| own.configured && own.address == address) || self.holds(nic, address)
        })
    }

    fn is_local(&self, cvm: CvmId, address: Ipv4Addr) -> bool {
        let on_lo = self.0.cvm(cvm).lo.contains(&address);
        address.is_loopback() || on_lo || self.local_nic(cvm, address).is_some()
    }

    fn eip_of_source(&self, cvm: CvmId, source: Ipv4Addr) -> Option<EipId> {
        let vpc = self.0.vpc_of(*self.0.cvm(cvm).nics.first()?);
        let mut eips = (0..).map(EipId).zip(&self.0.eips);
        let carrier = |eip: &vpcsim_network::Eip| match eip.target? {
            EipTarget::Address(nic, _) => Some(nic),
            EipTarget::Havip(havip) => self.0.havip(havip).holder,
            EipTarget::NatGateway(_) => None,
        };
        let stands_for = |eip: &vpcsim_network::Eip| {
            eip.mode == EipMode::Nat && public::private_side(self.0, eip) == Some((vpc, source))
        };
        let by_private = eips.find(|(_, eip)| stands_for(eip)).map(|(id, _)| id);
        let itself = || self.direct_nic(source).and(self.0.eip_by_address(source));
        let eip = by_private.or_else(itself)?;
        let carrier = carrier(self.0.eip(eip))?;
        (self.0.nic(carrier).cvm == cvm).then_some(eip)
    }

    fn sender(&self, source: Ipv4Addr) -> Option<CvmId> {
        let cvm = |nic| self.0.nic(nic).cvm;
        if let Some(&vpc) = self.vpcs_of(source).first() {
            return match self.owner(vpc, source)? {
                Owner::Nic(nic) => Some(cvm(nic)),
                Owner::Havip(havip) => self.0.havip(havip).holder.map(cvm),
            };
        }
        let on_lo = |id: &CvmId| self.0.cvm(*id).lo.contains(&source);
        let direct = self.direct_nic(source).map(cvm);
        direct.or_else(|| self.0.cvm_ids().find(on_lo))
    }

    fn configured_address(&self, nic: NicId) -> Option<Ipv4Addr> {
        let mut own = self.0.nic(nic).addresses.iter();
        Some(own.find(|own| own.configured)?.address)
    }

    fn link(&self, nic: NicId) -> Ipv4Net {
        self.0.subnet(self.0.nic(nic).subnet).cidr
    }

    fn is_broadcast(&self, cvm: CvmId, address: Ipv4Addr) -> bool {
        let mut nics = self.0.cvm(cvm).nics.iter();
        nics.any(|&nic| {
            self.link(nic).broadcast() == address && self.configured_address(nic).is_some()
        })
    }

    fn table(&self, cvm: CvmId, table: HostTable, to: Ipv4Addr) -> Option<NicId> {
        let cvm = self.0.cvm(cvm);
        let declared = cvm.routes.iter().filter(|route| route.table == table);
        let mut routes: Vec<_> = declared.map(|r| (r.destination, r.nic)).collect();
        if table == HostTable::MAIN {
            let configured = |nic: &&NicId| self.configured_address(**nic).is_some();
            let nics = cvm.nics.iter().filter(configured);
            routes.extend(nics.map(|&nic| (self.link(nic), nic)));
            let first = cvm.nics.first().filter(configured);
            routes.extend(first.map(|&nic| (Ipv4Net::default(), nic)));
        }
        let matching = routes.iter().filter(|(net, _)| net.contains(&to));
        // Of equal prefixes the first.
        let longest = matching.rev().max_by_key(|(net, _)| net.prefix_len());
        longest.map(|&(_, nic)| nic)
    }

    fn route(&self, cvm: CvmId, from: Ipv4Addr, to: Ipv4Addr) -> Option<NicId> {
        let rules = self.0.cvm(cvm).rules.iter();
        let by_rule = rules.filter(|rule| rule.from.contains(&from));
        let mut tables = by_rule.map(|rule| rule.table).chain([HostTable::MAIN]);
        tables.find_map(|table| self.table(cvm, table, to))
    }
}

/// Every address that the network speaks of, those beside it, and some that it does not.
fn addresses(network: &Network) -> Vec<Ipv4Addr> {
    let nics = network.nics.iter().flat_map(|nic| &nic.addresses);
    let edges = |net: &Ipv4Net| [net.network(), net.broadcast()];
    let routes = network.cvms.iter().flat_map(|cvm| &cvm.routes);
    let externals = network
        .externals
        .iter()
        .flat_map(|external| &external.networks);
    let vpcs = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
    let spoken_of = (nics.map(|own| own.address))
        .chain(network.havips.iter().map(|havip| havip.address))
        .chain(network.eips.iter().map(|eip| eip.address))
        .chain(network.cvms.iter().flat_map(|cvm| cvm.lo.iter().copied()))
        .chain(
            network
                .subnets
                .iter()
                .flat_map(|subnet| edges(&subnet.cidr)),
        )
        .chain(routes.flat_map(|route| edges(&route.destination)))
        .chain(externals.chain(vpcs).flat_map(edges));
    let near = spoken_of.flat_map(|address| {
        let number = u32::from(address);
        [number, number.wrapping_sub(1), number.wrapping_add(1)]
    });
    let mut all: Vec<Ipv4Addr> = near.map(Ipv4Addr::from).collect();
    all.extend([
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(8, 8, 8, 8),
    ]);
    all.sort_unstable();
    all.dedup();
    all
}

fn check(network: Network) {
    let program = Program::new(network.clone());
    let (search, addresses) = (Search(&network), addresses(&network));
    for &address in &addresses {
        for vpc in (0..network.vpcs.len() as u32).map(VpcId) {
            assert_eq!(
                program.owner(vpc, address),
                search.owner(vpc, address),
                "{address}"
            );
        }
        let vpcs = search.vpcs_of(address);
        assert_eq!(
            program.owner_anywhere(address).map(|(vpc, _)| vpc),
            vpcs.first().copied()
        );
        assert_eq!(program.is_ambiguous(address), vpcs.len() > 1, "{address}");
        assert_eq!(program.sender(address), search.sender(address), "{address}");
        assert_eq!(
            program.eip_of_public(address),
            network.eip_by_address(address)
        );
        assert_eq!(
            program.public().direct_nic(address),
            search.direct_nic(address)
        );
        let private = network.vpcs.iter().any(|vpc| vpc.contains(address));
        assert_eq!(program.is_private(address), private, "{address}");
        let behind = |external: &vpcsim_network::External| {
            external.networks.iter().any(|net| net.contains(&address))
        };
        let external = network.externals.iter().position(behind);
        let external = external.map(|index| ExternalId(index as u32));
        assert_eq!(program.external_of(address), external, "{address}");
        for nic in network.nic_ids() {
            let host = program.host(program.cvm_of(nic));
            assert_eq!(
                host.nic_owns(nic, address),
                search.nic_owns(nic, address),
                "{address}"
            );
        }
        for cvm in network.cvm_ids() {
            let (host, name) = (program.host(cvm), &network.cvm(cvm).name);
            let mut nics = network.cvm(cvm).nics.iter();
            let owns = nics.any(|&nic| search.nic_owns(nic, address));
            assert_eq!(host.owns(address), owns, "{name} {address}");
            assert_eq!(
                host.is_local(address),
                search.is_local(cvm, address),
                "{name} {address}"
            );
            assert_eq!(
                host.local_nic(address),
                search.local_nic(cvm, address),
                "{name} {address}"
            );
            let eip = search.eip_of_source(cvm, address);
            assert_eq!(host.eip_of_source(address), eip, "{name} {address}");
            let broadcast = search.is_broadcast(cvm, address);
            assert_eq!(host.is_broadcast(address), broadcast, "{name} {address}");
            // Sources that rules can tell apart.
            for &from in addresses.iter().step_by(1 + addresses.len() / 20) {
                let route = search.route(cvm, from, address);
                assert_eq!(
                    host.route(from, address),
                    route,
                    "{name} {from} → {address}"
                );
            }
        }
    }
    for nic in network.nic_ids() {
        assert_eq!(program.vpc_of(nic), network.vpc_of(nic));
        assert_eq!(program.subnet_of(nic), network.nic(nic).subnet);
        assert_eq!(
            program.configured_address(nic),
            search.configured_address(nic)
        );
    }
}

#[test]
fn of_the_networks_of_the_scenarios() {
    check(network(DEMO));
    check(network(REFERENCE));
}

#[test]
fn of_an_odd_network() {
    check(network(ODD));
}

proptest! {
    #[test]
    fn of_any_network(text in networks()) {
        check(network(&text));
    }
}
