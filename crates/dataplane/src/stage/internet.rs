//! SEMANTICS §3: arriving from the internet.

use crate::observe::Observer;
use crate::packet::Packet;
use crate::verdict::{Drop, DropReason, Element, Policy, Stage};
use crate::walk::{Onward, Stopped, Walk};
use vpcsim_network::{EipTarget, NatGatewayId};

impl<O: Observer> Walk<'_, O> {
    /// A packet with a public destination arrives. `hairpin`: the gateway that has just
    /// translated it on its way out (policy `hairpin`).
    pub(crate) fn arrive_from_internet(
        &mut self,
        packet: &mut Packet<'_>,
        hairpin: Option<NatGatewayId>,
    ) -> Result<Onward, Stopped> {
        self.at = None;
        let network = self.program.network();
        let Some(id) = self.program.eip_of_public(packet.key.destination) else {
            let (reason, element) = (DropReason::NoSuchPublicAddress, Element::Internet);
            return Err(Drop::new(reason, Stage::Internet, element).into());
        };
        if let (Some(gateway), Some(EipTarget::NatGateway(target))) =
            (hairpin, network.eip(id).target)
            && gateway == target
            && !network.policies.hairpin
        {
            let element = Element::NatGateway(gateway);
            let drop = Drop::new(DropReason::NoNatSession, Stage::NatGateway, element);
            return Err(drop.by_policy(Policy::Hairpin).into());
        }
        self.eip_inbound(packet, id)
    }
}
