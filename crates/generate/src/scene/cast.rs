//! Who can talk in a network, and from where.

use crate::random::Random;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_network::{
    EipId, EipMode, EipTarget, Network, NextHop, NicId, PortRange, Route, RouteTableId,
    RuleProtocol, SubnetId, VpcId,
};

/// A nic's primary address, if its guest has configured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Player {
    pub(super) nic: NicId,
    pub(super) address: Ipv4Addr,
    pub(super) subnet: SubnetId,
    pub(super) vpc: VpcId,
    /// Its host runs.
    pub(super) running: bool,
}

/// Who can talk.
#[derive(Debug, Clone)]
pub(super) struct Cast<'n> {
    pub(super) network: &'n Network,
    pub(super) players: Vec<Player>,
}

impl<'n> Cast<'n> {
    pub(super) fn new(network: &'n Network) -> Self {
        let nics = (0..).map(NicId).zip(&network.nics);
        let players = nics.filter_map(|(id, nic)| {
            let first = nic.addresses.iter().find(|address| address.configured)?;
            Some(Player {
                nic: id,
                address: first.address,
                subnet: nic.subnet,
                vpc: network.subnet(nic.subnet).vpc,
                running: network.cvm(nic.cvm).running,
            })
        });
        Self {
            players: players.collect(),
            network,
        }
    }

    /// One of the players whose hosts run and of whom `fits` is true.
    pub(super) fn player(
        &self,
        random: &mut Random,
        fits: impl Fn(&Player) -> bool,
    ) -> Option<Player> {
        let fitting: Vec<Player> = self
            .players
            .iter()
            .filter(|player| player.running && fits(player))
            .copied()
            .collect();
        random.pick(&fitting).copied()
    }

    /// A TCP port that a player's host listens at; 80 where it declares none.
    pub(super) fn tcp_port(&self, player: &Player, random: &mut Random) -> u16 {
        let cvm = self.network.cvm(self.network.nic(player.nic).cvm);
        let services = cvm.listen.iter().flatten();
        let ports: Vec<u16> = services
            .filter(|service| service.protocol == RuleProtocol::Tcp)
            .flat_map(|service| &service.ports)
            .filter(|&&range| range != PortRange::ALL)
            .map(|range| range.first)
            .collect();
        random.pick(&ports).copied().unwrap_or(80)
    }

    /// Whether an address is this network's in any way.
    fn is_ours(&self, address: Ipv4Addr) -> bool {
        let network = self.network;
        network.vpcs.iter().any(|vpc| vpc.contains(address))
            || network.eips.iter().any(|eip| eip.address == address)
            || network
                .externals
                .iter()
                .flat_map(|external| &external.networks)
                .any(|net| net.contains(&address))
    }

    /// An address somewhere on the internet, from the prefixes for documentation and benchmarks
    /// (RFC 5737, RFC 2544).
    pub(super) fn stranger(&self, random: &mut Random) -> Option<Ipv4Addr> {
        const BASES: [([u8; 4], u64); 3] = [
            ([198, 51, 100, 1], 250),
            ([192, 0, 2, 1], 250),
            ([198, 18, 0, 1], 130_000),
        ];
        (0..64).find_map(|_| {
            let &(base, count) = random.pick(&BASES)?;
            let address = u32::from(Ipv4Addr::from(base)) + random.below(count) as u32;
            Some(Ipv4Addr::from(address)).filter(|&address| !self.is_ours(address))
        })
    }

    /// An address in a prefix that is not in `vpc`; a stranger where the prefix is everything.
    pub(super) fn beyond(
        &self,
        vpc: VpcId,
        prefix: Ipv4Net,
        random: &mut Random,
    ) -> Option<Ipv4Addr> {
        if prefix.prefix_len() == 0 {
            return self.stranger(random);
        }
        let pool = crate::address::Pool::new(&[prefix]);
        let vpc = self.network.vpc(vpc);
        (0..64).find_map(|_| pool.any(random).filter(|&address| !vpc.contains(address)))
    }

    /// An address in a subnet that nobody has.
    pub(super) fn nobody(&self, subnet: SubnetId, random: &mut Random) -> Option<Ipv4Addr> {
        let network = self.network;
        let pool = crate::address::Pool::new(&[network.subnet(subnet).cidr]);
        let taken = |address: Ipv4Addr| {
            let nics = network.nics.iter().flat_map(|nic| &nic.addresses);
            nics.map(|own| own.address)
                .chain(network.havips.iter().map(|havip| havip.address))
                .chain(network.cvms.iter().flat_map(|cvm| cvm.lo.iter().copied()))
                .any(|own| own == address)
        };
        (0..64).find_map(|_| pool.any(random).filter(|&address| !taken(address)))
    }

    /// The address that a capture inside shows for an eip that is bound to a host: the private
    /// one behind it, or itself in direct mode.
    pub(super) fn inside_of(&self, id: EipId) -> Option<Ipv4Addr> {
        let eip = self.network.eip(id);
        match (eip.mode, eip.target?) {
            (EipMode::Direct, _) => Some(eip.address),
            (EipMode::Nat, EipTarget::Address(_, private)) => Some(private),
            (EipMode::Nat, EipTarget::Havip(havip)) => Some(self.network.havip(havip).address),
            (EipMode::Nat, EipTarget::NatGateway(_)) => None,
        }
    }

    /// The player whose nic an eip is bound to.
    pub(super) fn player_of(&self, id: EipId) -> Option<Player> {
        let nic = match self.network.eip(id).target? {
            EipTarget::Address(nic, _) => nic,
            EipTarget::Havip(havip) => self.network.havip(havip).holder?,
            EipTarget::NatGateway(_) => return None,
        };
        self.players
            .iter()
            .find(|player| player.nic == nic)
            .copied()
    }

    /// The table that steers what a player sends.
    pub(super) fn table_of(&self, player: &Player) -> RouteTableId {
        self.network.subnet(player.subnet).route_table
    }

    /// Whether a player has a way to the internet: a default route to a gateway, or an eip.
    pub(super) fn is_online(&self, player: &Player) -> bool {
        let is_way_out = |route: &Route| {
            let public = matches!(route.next_hop, NextHop::NatGateway(_) | NextHop::Eip);
            route.enabled && route.destination.prefix_len() == 0 && public
        };
        let table = self.network.route_table(self.table_of(player));
        table.routes.iter().any(is_way_out)
    }
}
