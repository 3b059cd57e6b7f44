//! SEMANTICS §3: arriving from the internet.

use super::{Carry, End, Parts, Path, split};
use crate::key::Value;
use vpcsim_dataplane::{DropReason, Stage};
use vpcsim_network::{EipId, EipTarget, NatGatewayId};

impl Carry<'_> {
    pub(super) fn arrive_from_internet(&mut self, path: Path, hairpin: Option<NatGatewayId>) {
        let network = self.program.network();
        let parts = self.by_eip(path);
        for (path, _, id) in parts.found {
            if let (Some(gateway), Some(EipTarget::NatGateway(target))) =
                (hairpin, network.eip(id).target)
                && gateway == target
                && !network.policies.hairpin
            {
                self.drop(path, DropReason::NoNatSession, Stage::NatGateway);
                continue;
            }
            self.eip_inbound(path, id);
        }
        let Some(rest) = parts.rest else { return };
        // Nobody on the internet answers to a private address; what would have to be done with
        // such a packet, no question asks.
        let private = network
            .vpcs
            .iter()
            .flat_map(|vpc| &vpc.cidrs)
            .fold(crate::set::Set::none(), |all, &cidr| {
                all.or(&rest.key.destination.within(cidr))
            });
        let inside = rest.part(rest.set.and(&private));
        let outside = rest.part(rest.set.without(&private));
        self.end(inside, End::Undecided);
        self.drop(outside, DropReason::NoSuchPublicAddress, Stage::Internet);
    }

    /// Splits packets by the public address of ours that they go to.
    pub(super) fn by_eip(&self, path: Path) -> Parts<EipId> {
        let eips = &self.facts.eips;
        match path.key.destination {
            Value::Is(address) => {
                let eip = eips.get(&address).map(|&eip| (address, eip));
                split(path, |key| key.destination, eip)
            }
            Value::Sent(_) => {
                let eips = eips.iter().map(|(&address, &eip)| (address, eip));
                split(path, |key| key.destination, eips)
            }
        }
    }
}
