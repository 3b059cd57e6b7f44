//! What leads where: by declaration, and by a trace.

use super::Graph;
use super::legend::numbers;
use super::shown::externals;
use super::walk::{Spot, Walk};
use vpcsim_network::{EipId, EipTarget, HavipId, NatGatewayId, PeeringId};

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The way to an eip, to the internet, to what is behind an external.
    Way,
    Peering,
    /// A peering that is not active.
    Inactive,
    /// A virtual address and who holds it.
    Holds,
    /// Nics of one host.
    OneHost,
}

/// Lines between places that have boxes, in file order.
pub(super) fn links(graph: &Graph<'_>) -> Vec<(Spot, Spot, Kind)> {
    let network = graph.network;
    let mut links = Vec::new();
    for at in 0..network.nat_gateways.len() as u32 {
        links.push((Spot::Nat(NatGatewayId(at)), Spot::Internet, Kind::Way));
    }
    for (id, eip) in (0..).map(EipId).zip(&network.eips) {
        let inside = match eip.target {
            Some(EipTarget::Address(nic, _)) => Spot::Nic(nic),
            Some(EipTarget::Havip(havip)) => Spot::Havip(havip),
            Some(EipTarget::NatGateway(_)) | None => continue,
        };
        links.push((inside, Spot::Eip(id), Kind::Way));
        links.push((Spot::Eip(id), Spot::Internet, Kind::Way));
    }
    for (id, peering) in (0..).map(PeeringId).zip(&network.peerings) {
        let [a, b] = peering.vpcs;
        let kind = if peering.active {
            Kind::Peering
        } else {
            Kind::Inactive
        };
        links.push((Spot::Peering(id, a), Spot::Peering(id, b), kind));
    }
    for id in externals(network) {
        links.push((Spot::External(id), Spot::Behind(id), Kind::Way));
    }
    for (id, havip) in (0..).map(HavipId).zip(&network.havips) {
        let holder = havip.holder.map(Spot::Nic);
        links.extend(holder.map(|holder| (Spot::Havip(id), holder, Kind::Holds)));
    }
    for cvm in &network.cvms {
        let pairs = cvm.nics.windows(2);
        links.extend(pairs.map(|nics| (Spot::Nic(nics[0]), Spot::Nic(nics[1]), Kind::OneHost)));
    }
    // A box that is not drawn has no lines.
    links.retain(|&(from, to, _)| !graph.shown.hides(from) && !graph.shown.hides(to));
    links
}

/// A step of a trace from box to box.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) leg: usize,
    pub(super) from: Spot,
    /// Where to; or why it was dropped.
    pub(super) to: Result<Spot, String>,
    /// The numbers of the stops on the way.
    pub(super) numbers: String,
}

/// The steps of a trace. A subnet's door is no box: its stops are told on the arrow that leads
/// through it.
pub(super) fn arrows(walk: &Walk) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    for (leg, way) in walk.ways.iter().enumerate() {
        let mut waiting: Vec<usize> = Vec::new();
        let mut last: Option<Spot> = None;
        for (&spot, stops) in way.spots.iter().zip(&way.stops) {
            waiting.extend(stops);
            if matches!(spot, Spot::Door(_)) {
                continue;
            }
            if let Some(from) = last.filter(|&last| last != spot) {
                arrows.push(Arrow {
                    leg,
                    from,
                    to: Ok(spot),
                    numbers: numbers(leg, &std::mem::take(&mut waiting)),
                });
            }
            last = Some(spot);
        }
        if let (Some(reason), Some(from)) = (&way.dropped, last) {
            arrows.push(Arrow {
                leg,
                from,
                to: Err(reason.clone()),
                numbers: numbers(leg, &waiting),
            });
        }
    }
    arrows
}
