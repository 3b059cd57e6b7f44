//! The kinds of conversation, and which of them a network has parts for.

use super::cast::Cast;
use super::take::Take;
use super::{local, oddities, probes, public, routes};
use vpcsim_network::{
    CvmId, EipId, EipTarget, ExternalId, HavipId, NatGatewayId, Network, NicId, RouteTableId,
    SubnetId,
};

/// A kind of conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Two hosts of one subnet.
    Neighbours(SubnetId),
    /// From this subnet to another of its vpc.
    Across(SubnetId),
    /// By this route of a table.
    Route(RouteTableId, u32),
    /// From subnets of this table to where it has no route.
    Nowhere(RouteTableId),
    /// From the internet to an eip of a host.
    Eip(EipId),
    /// More than an eip's bandwidth.
    Burst(EipId),
    /// From the internet by a dnat rule.
    Dnat(NatGatewayId, u32),
    /// From the internet to a gateway's own addresses.
    Gateway(NatGatewayId),
    /// More connections than a small gateway takes.
    Crowd(NatGatewayId),
    /// To an eip that is bound to nothing.
    Unbound(EipId),
    /// From the internet to addresses without a public side, or that are nobody's.
    Stray,
    /// To a nic that is not its host's first.
    SecondNic(NicId),
    /// To an address of a nic that its guest has not configured.
    Unconfigured(NicId),
    /// To a host that is stopped.
    Stopped(CvmId),
    /// From an address on a host's `lo`.
    Loopback(CvmId),
    /// To a virtual address.
    Havip(HavipId),
    /// From behind a gateway of another kind.
    External(ExternalId),
    /// To addresses of a subnet that nobody has, and from them.
    Ghosts(SubnetId),
    /// A port scan inside.
    Scan(SubnetId),
    /// Probes with a growing time to live, and the routers' answers.
    Traceroute,
    /// Fragments in order, out of order, and without their first one.
    Fragments,
    /// Packets larger than any link, as a host with segmentation offload shows them.
    Offload,
    /// GRE and ESP to the internet.
    Tunnels,
    /// Segments and errors of flows that never were.
    Orphans,
    /// ARP and IPv6.
    Noise,
    /// IPv4 that is broken.
    Malformed,
    /// Sources that cannot be.
    Martians,
}

/// Every act that a network has parts for, with its weight: how often it happens after everything
/// has happened once.
pub(super) fn all(network: &Network) -> Vec<(Act, u64)> {
    let mut acts = Vec::new();
    for id in (0..network.subnets.len() as u32).map(SubnetId) {
        acts.extend([
            (Act::Neighbours(id), 12),
            (Act::Across(id), 8),
            (Act::Ghosts(id), 1),
            (Act::Scan(id), 1),
        ]);
    }
    for (id, table) in (0..).map(RouteTableId).zip(&network.route_tables) {
        let routes = (0..table.routes.len() as u32).filter(|&i| table.routes[i as usize].enabled);
        acts.extend(routes.map(|index| (Act::Route(id, index), 10)));
        acts.push((Act::Nowhere(id), 1));
    }
    for (id, eip) in (0..).map(EipId).zip(&network.eips) {
        match eip.target {
            Some(EipTarget::Address(..) | EipTarget::Havip(_)) => {
                acts.extend([(Act::Eip(id), 60), (Act::Burst(id), 1)]);
            }
            Some(EipTarget::NatGateway(_)) => {}
            None => acts.push((Act::Unbound(id), 1)),
        }
    }
    for (id, gateway) in (0..).map(NatGatewayId).zip(&network.nat_gateways) {
        let rules = 0..gateway.dnat.len() as u32;
        acts.extend(rules.map(|rule| (Act::Dnat(id, rule), 30)));
        acts.extend([(Act::Gateway(id), 2), (Act::Crowd(id), 1)]);
    }
    for id in (0..network.nics.len() as u32).map(NicId) {
        acts.extend([(Act::SecondNic(id), 6), (Act::Unconfigured(id), 1)]);
    }
    for id in (0..network.cvms.len() as u32).map(CvmId) {
        acts.extend([(Act::Stopped(id), 3), (Act::Loopback(id), 2)]);
    }
    let havips = (0..network.havips.len() as u32).map(HavipId);
    acts.extend(havips.map(|id| (Act::Havip(id), 4)));
    let externals = (0..network.externals.len() as u32).map(ExternalId);
    acts.extend(externals.map(|id| (Act::External(id), 4)));
    acts.extend([
        (Act::Stray, 2),
        (Act::Traceroute, 3),
        (Act::Fragments, 4),
        (Act::Offload, 2),
        (Act::Tunnels, 2),
        (Act::Orphans, 3),
        (Act::Noise, 6),
        (Act::Malformed, 1),
        (Act::Martians, 1),
    ]);
    acts
}

impl Act {
    /// Plays it; `None` where the network lacks the parts.
    pub(super) fn play(self, take: &mut Take<'_, '_>) -> Option<()> {
        match self {
            Self::Neighbours(subnet) => local::neighbours(take, subnet),
            Self::Across(subnet) => local::across(take, subnet),
            Self::SecondNic(nic) => local::second_nic(take, nic),
            Self::Unconfigured(nic) => local::unconfigured(take, nic),
            Self::Stopped(cvm) => local::stopped(take, cvm),
            Self::Havip(havip) => local::havip(take, havip),
            Self::Route(table, index) => routes::route(take, table, index),
            Self::Nowhere(table) => routes::nowhere(take, table),
            Self::External(external) => routes::external(take, external),
            Self::Eip(eip) => public::eip(take, eip),
            Self::Burst(eip) => public::burst(take, eip),
            Self::Dnat(gateway, rule) => public::dnat(take, gateway, rule),
            Self::Gateway(gateway) => public::gateway(take, gateway),
            Self::Crowd(gateway) => public::crowd(take, gateway),
            Self::Unbound(eip) => public::unbound(take, eip),
            Self::Stray => public::stray(take),
            Self::Scan(subnet) => probes::scan(take, subnet),
            Self::Traceroute => probes::traceroute(take),
            Self::Fragments => probes::fragments(take),
            Self::Offload => probes::offload(take),
            Self::Tunnels => probes::tunnels(take),
            Self::Orphans => probes::orphans(take),
            Self::Loopback(cvm) => oddities::loopback(take, cvm),
            Self::Ghosts(subnet) => oddities::ghosts(take, subnet),
            Self::Noise => oddities::noise(take),
            Self::Malformed => oddities::malformed(take),
            Self::Martians => oddities::martians(take),
        }
    }
}

/// The acts that can be played, as a trial shows.
pub(super) fn playable(cast: &Cast<'_>, style: super::take::Style) -> Vec<(Act, u64)> {
    let mut acts = all(cast.network);
    acts.retain(|(act, _)| {
        let mut trial = Take::new(cast, style, 0, crate::random::Random::stream(0, 0));
        act.play(&mut trial).is_some()
    });
    acts
}
