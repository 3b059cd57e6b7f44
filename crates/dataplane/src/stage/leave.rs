//! SEMANTICS §2, steps 1 to 3, and §5: leaving a nic and entering one.

use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::program::{Owner, Travel};
use crate::state::{Door, Entry};
use crate::verdict::{Drop, DropReason, Element, Stage};
use crate::walk::{Approach, Onward, Step, Stopped, Walk};
use std::net::Ipv4Addr;
use vpcsim_network::{NicId, VpcId};

impl<O: Observer> Walk<'_, O> {
    /// §2: a packet leaves a nic.
    pub(crate) fn leave(&mut self, packet: &mut Packet<'_>, nic: NicId) -> Result<Onward, Stopped> {
        self.at = Some(nic);
        let network = self.program.network();
        let cvm = self.program.cvm_of(nic);
        if !self.program.host(cvm).running {
            let drop = Drop::new(DropReason::CvmStopped, Stage::HostEgress, Element::Cvm(cvm));
            return Err(drop.into());
        }
        self.source_check(packet, nic)?;
        let back = self.security_group(packet, nic, Travel::Egress, Door::NONE)?;
        let subnet = self.program.subnet_of(nic);
        if network
            .subnet(subnet)
            .cidr
            .contains(&packet.key.destination)
        {
            self.acl_exempt(packet, subnet, Stage::AclEgress);
            let vpc = network.subnet(subnet).vpc;
            let owner = self.private_owner(vpc, packet.key.destination, Stage::Route)?;
            let approach = Approach {
                same_subnet: true,
                ..Approach::crossing(owner)
            };
            return Ok(Step::Enter(approach).into());
        }
        self.link_size(packet, nic, back)
    }

    /// The nic that answers for a private address: its owner, or the holder of a virtual one.
    pub(crate) fn private_owner(
        &self,
        vpc: VpcId,
        address: Ipv4Addr,
        stage: Stage,
    ) -> Result<NicId, Drop> {
        match self.program.owner(vpc, address) {
            Some(Owner::Nic(nic)) => Ok(nic),
            Some(Owner::Havip(havip)) => {
                let unheld = Drop::new(DropReason::HavipUnheld, stage, Element::Havip(havip));
                self.program.network().havip(havip).holder.ok_or(unheld)
            }
            None => Err(Drop::new(DropReason::NoSuchHost, stage, Element::Vpc(vpc))),
        }
    }

    /// §5: a packet enters a nic.
    pub(crate) fn enter(
        &mut self,
        packet: &mut Packet<'_>,
        approach: Approach,
    ) -> Result<Onward, Stopped> {
        self.at = Some(approach.nic);
        let subnet = self.program.subnet_of(approach.nic);
        if approach.same_subnet {
            self.acl_exempt(packet, subnet, Stage::AclIngress);
        } else {
            self.acl_ingress(packet, subnet)?;
        }
        self.security_group(packet, approach.nic, Travel::Ingress, approach.entry)?;
        self.host(packet, approach)
    }

    /// A packet has reached the internet; if its destination is one of our public addresses it
    /// comes right back (§4). `by`: the gateway that translated it.
    pub(crate) fn reach_internet(&mut self, packet: &Packet<'_>, by: Option<Entry>) -> Onward {
        if self.program.eip_of_public(packet.key.destination).is_none() {
            return Step::End(crate::Place::Internet).into();
        }
        self.note(packet, Stage::Internet, Element::Internet, Outcome::Carried);
        let hairpin = match by {
            Some(Entry::NatGateway(gateway)) => Some(gateway),
            Some(Entry::Eip(_)) | None => None,
        };
        Step::FromInternet { hairpin }.into()
    }
}
