//! What no change to the file can do.

use super::scene::Scene;
use crate::trace::End;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{DropReason, Element, Policy};
use vpcsim_network::{Network, VpcId};

const TRANSIT: &str =
    "a peering carries only what its two vpcs own: no route leads through one vpc to a third";

/// Why the way that a packet took leads nowhere, whatever rules and routes say; `None` where
/// nothing of the kind is known.
pub(super) fn forbids(scene: &Scene) -> Option<String> {
    let key = scene.key()?;
    let network = scene.network();
    let destination = key.destination;
    let here = scene.way()?.sender().map(|nic| network.vpc_of(nic));
    match scene.run.end {
        End::Dropped(drop) => match drop.reason {
            DropReason::PeeringNotTransitive => Some(format!("{TRANSIT}. {}", direct(network, here, destination))),
            DropReason::NoRoute => unjoined(network, here, destination)
                .or_else(|| beyond(scene, here, destination)),
            DropReason::NoSuchHost => Some(missing(scene, drop.element, destination)),
            DropReason::NoSuchPublicAddress => {
                Some(format!("{destination} is no address of this network: no eip of the file has it"))
            }
            DropReason::NoNatSession if drop.policy == Some(Policy::Hairpin) => Some(
                "a nat gateway does not serve its own addresses from inside: use the private address".to_owned(),
            ),
            DropReason::TtlExceeded => Some(
                "the packet goes in a circle between routers: no rule is missing, a route leads back".to_owned(),
            ),
            DropReason::NatProtocol => {
                Some("nat gateways carry tcp, udp and icmp only: an eip carries every protocol".to_owned())
            }
            _ => None,
        },
        End::Elsewhere(_) => unjoined(network, here, destination),
        End::Reached | End::Deaf { .. } | End::Unanswered => None,
    }
}

/// The destination is in a vpc that no peering joins with the sender's.
fn unjoined(network: &Network, here: Option<VpcId>, destination: Ipv4Addr) -> Option<String> {
    let here = here?;
    let there = owner(network, here, destination)?;
    let joined = network
        .peerings
        .iter()
        .any(|peering| peering.other(here) == Some(there));
    (!joined).then(|| {
        let (one, other) = (&network.vpc(here).name, &network.vpc(there).name);
        let advice = direct(network, Some(here), destination);
        format!("no peering joins vpc {one} and vpc {other}, so no route leads from one to the other. {advice}")
    })
}

/// The destination lies behind a gateway of another vpc.
fn beyond(scene: &Scene, here: Option<VpcId>, destination: Ipv4Addr) -> Option<String> {
    let network = scene.network();
    let external = network.external(scene.program.external_of(destination)?);
    (here != Some(external.vpc)).then(|| {
        let (name, vpc) = (&external.name, &network.vpc(external.vpc).name);
        format!(
            "{destination} lies behind external {name} of vpc {vpc}, and {TRANSIT} or to a \
             network behind it"
        )
    })
}

/// Nobody has the destination where the packet came to.
fn missing(scene: &Scene, element: Element, destination: Ipv4Addr) -> String {
    let network = scene.network();
    let Element::Vpc(vpc) = element else {
        return format!("nobody has {destination}");
    };
    let vpc_name = &network.vpc(vpc).name;
    if network.vpc(vpc).contains(destination) {
        return format!(
            "nobody has {destination}: the file declares no cvm or havip with that address"
        );
    }
    format!("what comes by a gateway goes to its own vpc {vpc_name} and no further")
}

/// What joins two vpcs.
fn direct(network: &Network, here: Option<VpcId>, destination: Ipv4Addr) -> String {
    let there = here.and_then(|here| owner(network, here, destination));
    let (Some(here), Some(there)) = (here, there) else {
        return format!("No vpc of the file has {destination}.");
    };
    let (one, other) = (network.vpc(here), network.vpc(there));
    let overlap = one.cidrs.iter().any(|net| {
        let mut others = other.cidrs.iter();
        others.any(|other| net.contains(other) || other.contains(net))
    });
    let (one, other) = (&one.name, &other.name);
    if overlap {
        format!("Vpc {one} and vpc {other} cannot be peered either: their ranges overlap.")
    } else {
        format!("Peer vpc {one} and vpc {other} directly, with a route on both sides.")
    }
}

/// The other vpc that has an address.
fn owner(network: &Network, here: VpcId, address: Ipv4Addr) -> Option<VpcId> {
    let vpcs = (0..).map(VpcId).zip(&network.vpcs);
    let mut vpcs = vpcs.filter(|(id, vpc)| *id != here && vpc.contains(address));
    vpcs.next().map(|(id, _)| id)
}
