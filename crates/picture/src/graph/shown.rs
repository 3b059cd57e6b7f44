//! Which hosts have a box of their own, and where.

use super::text::{self, Label};
use super::walk::{Spot, Walk};
use std::collections::BTreeSet;
use vpcsim_network::{
    EipId, EipTarget, ExternalId, HavipId, NatGatewayId, Network, NicId, PeeringId, RegionId,
    SubnetId, VpcId, ZoneId,
};

/// Hosts up to which each has a box.
const ALL: usize = 60;
/// Hosts that a subnet of a larger network shows.
const FEW: usize = 2;

/// What stands in a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// A nic of a host.
    Nic(NicId),
    /// A virtual address.
    Havip(HavipId),
    /// Nics that have no box of their own.
    More(Vec<NicId>),
}

/// What is drawn of a network, in file order.
#[derive(Debug)]
pub(super) struct Shown {
    /// By subnet.
    cells: Vec<Vec<Cell>>,
    hidden: BTreeSet<NicId>,
}

impl Shown {
    pub(super) fn new(network: &Network, walk: Option<&Walk>) -> Self {
        let crowded = network.cvms.len() > ALL;
        let walked = walk.map(Walk::nics).unwrap_or_default();
        let mut by_subnet: Vec<Vec<NicId>> = vec![Vec::new(); network.subnets.len()];
        for nic in network.nic_ids() {
            by_subnet[network.nic(nic).subnet.index()].push(nic);
        }
        let mut cells: Vec<Vec<Cell>> = by_subnet
            .into_iter()
            .map(|nics| cells(nics, crowded, &walked))
            .collect();
        for (at, havip) in (0..).zip(&network.havips) {
            cells[havip.subnet.index()].push(Cell::Havip(HavipId(at)));
        }
        let hidden = cells.iter().flatten().flat_map(|cell| match cell {
            Cell::More(nics) => nics.clone(),
            Cell::Nic(_) | Cell::Havip(_) => Vec::new(),
        });
        Self {
            hidden: hidden.collect(),
            cells,
        }
    }

    /// Whether a place has no box of its own.
    pub(super) fn hides(&self, spot: Spot) -> bool {
        matches!(spot, Spot::Nic(nic) | Spot::Door(nic) if self.hidden.contains(&nic))
    }

    /// What stands in a subnet.
    pub(super) fn cells(&self, subnet: SubnetId) -> &[Cell] {
        &self.cells[subnet.index()]
    }
}

fn cells(nics: Vec<NicId>, crowded: bool, walked: &BTreeSet<NicId>) -> Vec<Cell> {
    if !crowded || nics.len() <= FEW + 1 {
        return nics.into_iter().map(Cell::Nic).collect();
    }
    // Who is walked over comes first; places stay in file order.
    let mut chosen: BTreeSet<NicId> = nics
        .iter()
        .copied()
        .filter(|n| walked.contains(n))
        .collect();
    for &nic in &nics {
        if chosen.len() < FEW {
            chosen.insert(nic);
        }
    }
    let (own, others): (Vec<_>, Vec<_>) = nics.into_iter().partition(|nic| chosen.contains(nic));
    let own = own.into_iter().map(Cell::Nic);
    own.chain((!others.is_empty()).then_some(Cell::More(others)))
        .collect()
}

/// The vpcs of a region.
pub(super) fn vpcs_of(network: &Network, region: RegionId) -> impl Iterator<Item = VpcId> + '_ {
    let vpcs = (0..).map(VpcId).zip(&network.vpcs);
    vpcs.filter(move |(_, vpc)| vpc.region == region)
        .map(|(id, _)| id)
}

/// The regions that have a vpc.
pub(super) fn regions(network: &Network) -> impl Iterator<Item = RegionId> + '_ {
    let regions = (0..network.regions.len() as u32).map(RegionId);
    regions.filter(|&region| vpcs_of(network, region).next().is_some())
}

/// The zones in which a vpc has subnets, each with those.
pub(super) fn zones_of(network: &Network, vpc: VpcId) -> Vec<(ZoneId, Vec<SubnetId>)> {
    let mut zones: Vec<(ZoneId, Vec<SubnetId>)> = Vec::new();
    for (id, subnet) in (0..).map(SubnetId).zip(&network.subnets) {
        if subnet.vpc != vpc {
            continue;
        }
        match zones.iter_mut().find(|(zone, _)| *zone == subnet.zone) {
            Some((_, subnets)) => subnets.push(id),
            None => zones.push((subnet.zone, vec![id])),
        }
    }
    zones
}

/// The gateways of a vpc: what joins it with anything else.
pub(super) fn gates(network: &Network, vpc: VpcId) -> Vec<(Spot, Label)> {
    let nats = (0..).map(NatGatewayId).zip(&network.nat_gateways);
    let nats = nats
        .filter(|(_, gateway)| gateway.vpc == vpc)
        .map(|(id, _)| (Spot::Nat(id), text::nat(network, id)));
    let eips = (0..).map(EipId).zip(&network.eips);
    let eips = eips
        .filter(|(_, eip)| match eip.target {
            Some(EipTarget::Address(nic, _)) => network.vpc_of(nic) == vpc,
            Some(EipTarget::Havip(id)) => network.subnet(network.havip(id).subnet).vpc == vpc,
            Some(EipTarget::NatGateway(_)) | None => false,
        })
        .map(|(id, _)| (Spot::Eip(id), text::eip(network, id)));
    let peerings = (0..).map(PeeringId).zip(&network.peerings);
    let peerings = peerings
        .filter(|(_, peering)| peering.vpcs.contains(&vpc))
        .map(|(id, _)| (Spot::Peering(id, vpc), text::peering(network, id, vpc)));
    let externals = externals(network)
        .filter(|&id| network.external(id).vpc == vpc)
        .map(|id| (Spot::External(id), text::external(network, id)));
    nats.chain(eips).chain(peerings).chain(externals).collect()
}

pub(super) fn externals(network: &Network) -> impl Iterator<Item = ExternalId> + use<> {
    (0..network.externals.len() as u32).map(ExternalId)
}

/// Eips that are bound to nothing.
pub(super) fn loose_eips(network: &Network) -> impl Iterator<Item = EipId> + '_ {
    let eips = (0..).map(EipId).zip(&network.eips);
    eips.filter(|(_, eip)| eip.target.is_none())
        .map(|(id, _)| id)
}
