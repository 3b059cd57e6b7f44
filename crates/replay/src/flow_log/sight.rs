//! Which nics see a packet, and what they do with it.
//!
//! A nic's log says what its security groups and its subnet's acl did, the two together. On the
//! way out the groups come first, and the acl's word is known at the next stop; on the way in the
//! acl comes first, and the groups have the last word. What other stages drop shows nowhere but
//! where it was accepted before.

use vpcsim_dataplane::{Decision, Outcome, Stage, Stop};
use vpcsim_network::NicId;
use vpcsim_packet::FlowKey;

/// A packet as a nic sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sighting {
    pub(crate) nic: NicId,
    pub(crate) flow: FlowKey,
    pub(crate) accepted: bool,
}

/// Follows a packet from nic to nic.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// The groups of a nic let the packet out; what comes next is not known yet.
    leaving: Option<(NicId, FlowKey)>,
}

impl Sight {
    /// A packet has come to a stop: `saw` hears of every nic that has now seen it.
    pub(crate) fn stop(&mut self, stop: &Stop<'_>, mut saw: impl FnMut(Sighting)) {
        let accepted = !matches!(stop.decision, Decision::Drop(_));
        let leaving = self.leaving.take();
        if let Some((nic, flow)) = leaving {
            // Of one that is cut, the pieces are what leaves.
            let is_cut = stop.decision == Decision::Pass(Outcome::Fragmented);
            if !is_cut {
                saw(Sighting {
                    nic,
                    flow,
                    accepted: accepted || stop.stage != Stage::AclEgress,
                });
            }
        }
        let (Some(nic), flow) = (stop.nic, stop.key) else {
            return;
        };
        let here = Sighting {
            nic,
            flow,
            accepted,
        };
        match stop.stage {
            Stage::SecurityGroupEgress if accepted => self.leaving = Some((nic, flow)),
            Stage::SecurityGroupEgress | Stage::SecurityGroupIngress => saw(here),
            // A piece of a packet that was cut: the groups have judged the whole.
            Stage::AclEgress if leaving.is_none() => saw(here),
            Stage::AclIngress if !accepted => saw(here),
            _ => {}
        }
    }
}
