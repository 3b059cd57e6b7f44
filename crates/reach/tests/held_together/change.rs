//! What the generated network files do not have: hosts as next hops, among equals too, hosts that
//! forward, and odd sysctls.

use proptest::prelude::*;
use std::net::Ipv4Addr;
use vpcsim_dataplane::Program;
use vpcsim_network::{
    DnatRule, Mark, Network, NextHop, NicId, Route, RuleProtocol, SnatRule, SnatSource,
};

/// One change, by numbers that stand for one of what there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    kind: u8,
    which: u8,
    what: u8,
    more: u8,
}

impl Arbitrary for Change {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;
    fn arbitrary_with((): ()) -> Self::Strategy {
        (0_u8..12, any::<u8>(), any::<u8>(), any::<u8>())
            .prop_map(|(kind, which, what, more)| Self {
                kind,
                which,
                what,
                more,
            })
            .boxed()
    }
}

/// The same program with changes.
pub(crate) fn changed(program: Program, changes: &[Change]) -> Program {
    let mut network = program.network().clone();
    for change in changes {
        change.make(&mut network);
    }
    Program::new(network)
}

impl Change {
    fn make(self, network: &mut Network) {
        let nic = usize::from(self.which) % network.nics.len();
        let cvm = network.nics[nic].cvm.index();
        match self.kind {
            0..=3 => self.add_route(network),
            4..=6 => {
                network.cvms[cvm].ip_forward = true;
                for id in network.cvms[cvm].nics.clone() {
                    network.nics[id.index()].forwarding = true;
                }
            }
            7 => {
                let sysctl = &mut network.nics[nic].sysctl;
                sysctl.accept_local = self.what & 1 == 1;
                sysctl.route_localnet = self.what & 2 == 2;
                sysctl.rp_filter = self.more % 3;
                network.cvms[cvm].sysctl_all.rp_filter = 0;
            }
            8 => {
                let addresses = &mut network.nics[nic].addresses;
                let which = usize::from(self.what) % addresses.len();
                addresses[which].configured = false;
            }
            9 => {
                network.policies.hairpin = true;
                if self.what & 1 == 1 {
                    network.policies.filtering = vpcsim_network::Filtering::EndpointIndependent;
                }
            }
            10 => self.add_dnat(network),
            _ => self.add_snat(network),
        }
    }

    /// A route by one to three hosts of the table's vpc, or by its virtual address.
    fn add_route(self, network: &mut Network) {
        let table = usize::from(self.which) % network.route_tables.len();
        let vpc = network.route_tables[table].vpc;
        let to = [
            "0.0.0.0/0",
            "198.51.100.0/24",
            "203.0.0.0/16",
            "10.0.0.0/8",
            "192.168.0.0/16",
        ];
        let destination = to[usize::from(self.what) % to.len()].parse().unwrap();
        let nics: Vec<NicId> = (0..network.nics.len() as u32)
            .map(NicId)
            .filter(|&id| network.subnet(network.nic(id).subnet).vpc == vpc)
            .collect();
        let havip = network
            .havips
            .iter()
            .position(|havip| network.subnet(havip.subnet).vpc == vpc);
        let mut hops = Vec::new();
        match (self.kind, havip) {
            (3, Some(havip)) => {
                hops.push(NextHop::Havip(vpcsim_network::HavipId(havip as u32)));
            }
            (2, _) => hops.push(NextHop::Cvm(nics[usize::from(self.more) % nics.len()])),
            _ => {
                for offset in 0..=usize::from(self.more % 3) {
                    let nic = nics[(usize::from(self.more) + offset) % nics.len()];
                    hops.push(NextHop::Instance(nic));
                }
            }
        }
        let routes = &mut network.route_tables[table].routes;
        if self.more & 16 == 16 {
            routes.retain(|route| route.destination != destination);
        }
        routes.extend(hops.into_iter().map(|next_hop| Route {
            destination,
            next_hop,
            enabled: true,
            mark: Mark::default(),
        }));
    }

    fn add_dnat(self, network: &mut Network) {
        if network.nat_gateways.is_empty() {
            return;
        }
        let which = usize::from(self.which) % network.nat_gateways.len();
        let gateway = &network.nat_gateways[which];
        let (eip, vpc) = (
            gateway.eips[usize::from(self.more) % gateway.eips.len()],
            gateway.vpc,
        );
        let inside: Vec<Ipv4Addr> = network
            .nics
            .iter()
            .filter(|nic| network.subnet(nic.subnet).vpc == vpc)
            .flat_map(|nic| nic.addresses.iter().map(|own| own.address))
            .collect();
        let port = [80, 443, 40_000][usize::from(self.what) % 3];
        let rule = DnatRule {
            eip,
            protocol: RuleProtocol::Tcp,
            port,
            to: inside[usize::from(self.more) % inside.len()],
            to_port: [port, 22][usize::from(self.more) % 2],
            mark: Mark::default(),
        };
        let rules = &mut network.nat_gateways[which].dnat;
        let taken = |known: &DnatRule| {
            (known.eip, known.protocol, known.port) == (rule.eip, rule.protocol, rule.port)
        };
        if !rules.iter().any(taken) {
            rules.push(rule);
        }
    }

    fn add_snat(self, network: &mut Network) {
        if network.nat_gateways.is_empty() {
            return;
        }
        let which = usize::from(self.which) % network.nat_gateways.len();
        let gateway = &mut network.nat_gateways[which];
        let vpc = gateway.vpc;
        let cvms: Vec<_> = network
            .nics
            .iter()
            .filter(|nic| network.subnets[nic.subnet.index()].vpc == vpc)
            .map(|nic| nic.cvm)
            .collect();
        let eip = gateway.eips[usize::from(self.more) % gateway.eips.len()];
        gateway.snat.push(SnatRule {
            source: SnatSource::Cvm(cvms[usize::from(self.what) % cvms.len()]),
            eips: vec![eip],
            mark: Mark::default(),
        });
    }
}
