//! SEMANTICS §11, MTU: what becomes of a packet larger than the link (policy `mtu`).

use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::state::Door;
use crate::verdict::{Drop, DropReason, Element, Policy, Stage};
use crate::walk::{Approach, Onward, Step, Stopped, Walk};
use vpcsim_network::{Mtu, NicId};
use vpcsim_packet::fragment;
use vpcsim_packet::icmp::{self, IcmpError};

impl<O: Observer> Walk<'_, O> {
    /// The link between a nic and its subnet's router. `back`: the public door of the flow that
    /// the packet answers (§2.5a).
    pub(crate) fn link_size(
        &mut self,
        packet: &Packet<'_>,
        nic: NicId,
        back: Door,
    ) -> Result<Onward, Stopped> {
        let network = self.program.network();
        let policy = network.policies.mtu;
        let subnet = network.subnet(self.program.subnet_of(nic));
        let mtu = network.vpc(subnet.vpc).mtu;
        if policy == Mtu::Ignore {
            return Ok(Step::Route { nic, back }.into());
        }
        if packet.headers.total_len <= usize::from(mtu) {
            self.recipe.limit_length(mtu);
            return Ok(Step::Route { nic, back }.into());
        }
        let element = Element::Nic(nic);
        if let Some(pieces) = fragment(packet.bytes, packet.headers, usize::from(mtu)) {
            let (cut, by) = (Outcome::Fragmented, Some(Policy::Mtu));
            self.note_decided(packet, Stage::Mtu, element, cut, None, by);
            let next = Step::Route { nic, back };
            return Err(Stopped::Cut { pieces, next });
        }
        if policy == Mtu::Icmp {
            let too_big = IcmpError::FragmentationNeeded { mtu };
            let error = icmp::error(packet.bytes, packet.headers, subnet.gateway(), too_big);
            let back = Approach {
                same_subnet: true,
                ..Approach::crossing(nic)
            };
            self.generate(packet, error, Step::Enter(back));
        }
        Err(Drop::new(DropReason::TooBig, Stage::Mtu, element)
            .by_policy(Policy::Mtu)
            .into())
    }
}
