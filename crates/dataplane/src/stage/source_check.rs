//! SEMANTICS §2.1: the source address must belong to the sender.

use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::verdict::{Drop, DropReason, Element, Policy, Stage};
use crate::walk::Walk;
use std::net::Ipv4Addr;
use vpcsim_network::{NicId, SourceCheck};

impl<O: Observer> Walk<'_, O> {
    pub(crate) fn source_check(&mut self, packet: &Packet<'_>, nic: NicId) -> Result<(), Drop> {
        const STAGE: Stage = Stage::SourceCheck;
        let network = self.program.network();
        let sender = network.nic(nic);
        let cvm = network.cvm(sender.cvm);
        let source = packet.key.source;
        let element = Element::Nic(nic);
        let check = network.policies.source_check;
        let by_cvm = cvm.nics.iter().any(|&nic| self.nic_owns(nic, source));
        let forwards = cvm.ip_forward && sender.forwarding;
        let by_default = by_cvm || forwards;
        let passes = match check {
            SourceCheck::Off => true,
            SourceCheck::Nic => self.nic_owns(nic, source) || forwards,
            SourceCheck::Cvm => by_default,
        };
        // The policy decided where its default would have said otherwise.
        let policy = (passes != by_default).then_some(Policy::SourceCheck);
        if passes {
            self.note_decided(packet, STAGE, element, Outcome::Accepted, None, policy);
            return Ok(());
        }
        Err(Drop {
            policy,
            ..Drop::new(DropReason::SourceNotOwned, STAGE, element)
        })
    }

    fn nic_owns(&self, nic: NicId, address: Ipv4Addr) -> bool {
        let addresses = &self.program.network().nic(nic).addresses;
        addresses.iter().any(|own| own.address == address) || self.program.holds(nic, address)
    }
}
