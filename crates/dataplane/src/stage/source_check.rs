//! SEMANTICS §2.1: the source address must belong to the sender.

use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::verdict::{Drop, DropReason, Element, Policy, Stage};
use crate::walk::Walk;
use vpcsim_network::{NicId, SourceCheck};

impl<O: Observer> Walk<'_, O> {
    pub(crate) fn source_check(&mut self, packet: &Packet<'_>, nic: NicId) -> Result<(), Drop> {
        const STAGE: Stage = Stage::SourceCheck;
        let network = self.program.network();
        let host = self.program.host(self.program.cvm_of(nic));
        let source = packet.key.source;
        let element = Element::Nic(nic);
        let check = network.policies.source_check;
        let forwards = || host.ip_forward && network.nic(nic).forwarding;
        let by_default = host.owns(source) || forwards();
        let passes = match check {
            SourceCheck::Off => true,
            SourceCheck::Nic => host.nic_owns(nic, source) || forwards(),
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
}
