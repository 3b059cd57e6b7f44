//! SEMANTICS §2.6 and §3.1: an eip, 1:1 between a private address and a public one.

use super::{Approach, Carry, Entry, Path, Step};
use crate::key::Value;
use vpcsim_dataplane::{DropReason, Stage};
use vpcsim_network::{EipId, EipMode, EipTarget};

const STAGE: Stage = Stage::Eip;

impl Carry<'_> {
    /// Out by an eip: the source becomes the public address.
    pub(super) fn eip_outbound(&mut self, mut path: Path, id: EipId) {
        let eip = self.program.network().eip(id);
        if eip.mode == EipMode::Nat {
            path.key.source = Value::Is(eip.address);
        }
        self.reach_internet(path, None);
    }

    /// In by an eip that is bound to a private address: that becomes the destination.
    pub(super) fn eip_inbound(&mut self, mut path: Path, id: EipId) {
        let network = self.program.network();
        let eip = network.eip(id);
        let (nic, private) = match eip.target {
            Some(EipTarget::Address(nic, address)) => (nic, address),
            Some(EipTarget::Havip(havip)) => {
                let havip = network.havip(havip);
                let Some(holder) = havip.holder else {
                    return self.drop(path, DropReason::HavipUnheld, STAGE);
                };
                (holder, havip.address)
            }
            Some(EipTarget::NatGateway(gateway)) => return self.nat_inbound(path, id, gateway),
            None => return self.drop(path, DropReason::PublicAddressUnbound, STAGE),
        };
        if eip.mode == EipMode::Nat {
            path.key.destination = Value::Is(private);
        }
        let approach = Approach {
            entry: Some(Entry::Eip(id)),
            ..Approach::crossing(nic)
        };
        self.go(path, Step::Enter(approach));
    }
}
