//! SEMANTICS §2.6 and §3.1: an eip, 1:1 between a private address and a public one.

use crate::flow_cache::Charge;
use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::state::{Door, Entry};
use crate::verdict::{Drop, DropReason, Element, Stage};
use crate::walk::{Approach, Onward, Step, Stopped, Walk};
use std::net::Ipv4Addr;
use vpcsim_network::{EipId, EipMode, EipTarget};
use vpcsim_packet::Rewrite;

const STAGE: Stage = Stage::Eip;

impl<O: Observer> Walk<'_, O> {
    /// Out by an eip: source private → public. In direct mode the source is public already.
    pub(crate) fn eip_outbound(
        &mut self,
        packet: &mut Packet<'_>,
        id: EipId,
    ) -> Result<Onward, Stopped> {
        let eip = self.program.network().eip(id);
        let element = Element::Eip(id);
        if self.charge(packet, &[Charge::EipOutbound(id)]).is_err() {
            return Err(Drop::new(DropReason::BandwidthExceeded, STAGE, element).into());
        }
        match eip.mode {
            EipMode::Direct => self.note(packet, STAGE, element, Outcome::Carried),
            EipMode::Nat => {
                let private = packet.key.source;
                translate(packet, Side::Source, private, eip.address);
                self.note(packet, STAGE, element, Outcome::SourceTranslated);
            }
        }
        Ok(self.reach_internet(packet, Some(Entry::Eip(id))))
    }

    /// In by an eip that is bound to a private address: destination public → private.
    pub(crate) fn eip_inbound(
        &mut self,
        packet: &mut Packet<'_>,
        id: EipId,
    ) -> Result<Onward, Stopped> {
        let network = self.program.network();
        let eip = network.eip(id);
        let element = Element::Eip(id);
        let drop = |reason| Drop::new(reason, STAGE, element);
        let (nic, private) = match eip.target {
            Some(EipTarget::Address(nic, address)) => (nic, address),
            Some(EipTarget::Havip(havip_id)) => {
                let havip = network.havip(havip_id);
                let unheld = Drop::new(DropReason::HavipUnheld, STAGE, Element::Havip(havip_id));
                (havip.holder.ok_or(unheld)?, havip.address)
            }
            Some(EipTarget::NatGateway(gateway)) => return self.nat_inbound(packet, id, gateway),
            None => return Err(drop(DropReason::PublicAddressUnbound).into()),
        };
        self.inbound_cap(packet, id)?;
        match eip.mode {
            EipMode::Direct => self.note(packet, STAGE, element, Outcome::Carried),
            EipMode::Nat => {
                translate(packet, Side::Destination, eip.address, private);
                self.note(packet, STAGE, element, Outcome::DestinationTranslated);
            }
        }
        let approach = Approach {
            entry: Door::of(Some(Entry::Eip(id))),
            ..Approach::crossing(nic)
        };
        Ok(Step::Enter(approach).into())
    }

    /// The inbound cap of an eip (§9).
    pub(crate) fn inbound_cap(&mut self, packet: &Packet<'_>, id: EipId) -> Result<(), Drop> {
        let exceeded = Drop::new(DropReason::BandwidthExceeded, STAGE, Element::Eip(id));
        self.charge(packet, &[Charge::EipInbound(id)])
            .map_err(|_| exceeded)
    }
}

/// Which address of a packet is translated; a quoted packet travelled the other way, so there
/// it is the other one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
}

/// Replaces one address 1:1, in the packet that an ICMP error quotes too (RFC 5508 §4).
pub(super) fn translate(packet: &mut Packet<'_>, side: Side, from: Ipv4Addr, to: Ipv4Addr) {
    let outer = match side {
        Side::Source => Rewrite {
            source: Some(to),
            ..Rewrite::default()
        },
        Side::Destination => Rewrite {
            destination: Some(to),
            ..Rewrite::default()
        },
    };
    let Some(quoted) = packet.quoted() else {
        return packet.rewrite(&outer);
    };
    let inner = match side {
        Side::Source if quoted.key.destination == from => Rewrite {
            destination: Some(to),
            ..Rewrite::default()
        },
        Side::Destination if quoted.key.source == from => Rewrite {
            source: Some(to),
            ..Rewrite::default()
        },
        Side::Source | Side::Destination => Rewrite::default(),
    };
    packet.rewrite_error(&outer, &inner);
}
