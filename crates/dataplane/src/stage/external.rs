//! Gateways at the edge of the simulated world: packets from what lies behind them.

use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::verdict::{Drop, DropReason, Element, Stage};
use crate::walk::{Approach, Onward, Step, Stopped, Walk};
use vpcsim_network::ExternalId;

impl<O: Observer> Walk<'_, O> {
    /// A packet from behind a gateway enters the vpc that it is attached to. As with a peering,
    /// no route table is consulted: what is not in the vpc is nobody's.
    pub(crate) fn arrive_from_external(
        &mut self,
        packet: &Packet<'_>,
        external: ExternalId,
    ) -> Result<Onward, Stopped> {
        let gateway = self.program.network().external(external);
        let element = Element::External(external);
        if !gateway.enabled {
            return Err(Drop::new(DropReason::NextHopUnavailable, Stage::External, element).into());
        }
        let owner = self.private_owner(gateway.vpc, packet.key.destination, Stage::External)?;
        self.note(packet, Stage::External, element, Outcome::Carried);
        Ok(Step::Enter(Approach::crossing(owner)).into())
    }
}
