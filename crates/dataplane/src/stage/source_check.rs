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
        let owned = match check {
            SourceCheck::Off => true,
            SourceCheck::Nic => self.nic_owns(nic, source),
            SourceCheck::Cvm => cvm.nics.iter().any(|&nic| self.nic_owns(nic, source)),
        };
        if owned || (cvm.ip_forward && sender.forwarding) {
            let policy = (check != SourceCheck::Cvm).then_some(Policy::SourceCheck);
            self.note_decided(packet, STAGE, element, Outcome::Accepted, None, policy);
            return Ok(());
        }
        let drop = Drop::new(DropReason::SourceNotOwned, STAGE, element);
        let by_cvm = cvm.nics.iter().any(|&nic| self.nic_owns(nic, source));
        Err(if by_cvm {
            drop.by_policy(Policy::SourceCheck)
        } else {
            drop
        })
    }

    fn nic_owns(&self, nic: NicId, address: Ipv4Addr) -> bool {
        let addresses = &self.program.network().nic(nic).addresses;
        addresses.iter().any(|own| own.address == address) || self.program.holds(nic, address)
    }
}
