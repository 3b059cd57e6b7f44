//! SEMANTICS §7: the stateless acl at a subnet's edge.

use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::program::{AclVerdict, Travel};
use crate::verdict::{Drop, DropReason, Element, Policy, Rule, RuleList, Stage};
use crate::walk::Walk;
use vpcsim_network::{Action, SubnetId};

impl<O: Observer> Walk<'_, O> {
    /// Egress: the packet leaves the subnet, its other end is the destination.
    pub(crate) fn acl_egress(&mut self, packet: &Packet<'_>, subnet: SubnetId) -> Result<(), Drop> {
        self.acl(packet, subnet, Stage::AclEgress)
    }

    /// Ingress: the packet enters the subnet, its other end is the source.
    pub(crate) fn acl_ingress(
        &mut self,
        packet: &Packet<'_>,
        subnet: SubnetId,
    ) -> Result<(), Drop> {
        self.acl(packet, subnet, Stage::AclIngress)
    }

    fn acl(&mut self, packet: &Packet<'_>, subnet: SubnetId, stage: Stage) -> Result<(), Drop> {
        let network = self.program.network();
        let Some(id) = network.subnet(subnet).acl else {
            self.note(packet, stage, Element::Subnet(subnet), Outcome::Unfiltered);
            return Ok(());
        };
        let (travel, list) = if stage == Stage::AclEgress {
            (Travel::Egress, RuleList::Egress)
        } else {
            (Travel::Ingress, RuleList::Ingress)
        };
        let AclVerdict { hit, by_policy } = self.program.acl_rule(id, travel, &packet.key);
        let policy = by_policy.then_some(Policy::AclPort);
        let drop = Drop {
            policy,
            ..Drop::new(DropReason::AclDeny, stage, Element::Acl(id))
        };
        let Some((position, rule)) = hit else {
            return Err(drop.by_rule(Rule {
                list,
                position: None,
                line: network.acl(id).mark.line,
            }));
        };
        let decided = Rule {
            list,
            position: Some(position),
            line: rule.mark.line,
        };
        if rule.action == Action::Drop {
            return Err(drop.by_rule(decided));
        }
        let accepted = Outcome::Accepted;
        self.note_decided(
            packet,
            stage,
            Element::Acl(id),
            accepted,
            Some(decided),
            policy,
        );
        Ok(())
    }

    /// §2.3: within a subnet the acl is not consulted.
    pub(crate) fn acl_exempt(&mut self, packet: &Packet<'_>, subnet: SubnetId, stage: Stage) {
        if let Some(acl) = self.program.network().subnet(subnet).acl {
            self.note(packet, stage, Element::Acl(acl), Outcome::SameSubnet);
        }
    }
}
