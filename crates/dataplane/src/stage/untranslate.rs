//! SEMANTICS §12: a capture taken inside shows replies from the internet with private
//! destinations. They get their public side back before they enter.

use super::eip::{Side, translate};
use crate::nat::Session;
use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::verdict::{Drop, DropReason, Element, Rule, RuleList, Stage};
use crate::walk::{Onward, Step, Stopped, Walk};
use vpcsim_network::{EipMode, NatGatewayId, VpcId};
use vpcsim_packet::{FlowKey, Rewrite};

const STAGE: Stage = Stage::Internet;

impl<O: Observer> Walk<'_, O> {
    /// The live session's public side if there is one, else the nic's eip, else the DNAT rule
    /// that maps there.
    pub(crate) fn untranslate(&mut self, packet: &mut Packet<'_>) -> Result<Onward, Stopped> {
        let destination = packet.key.destination;
        let nowhere = Drop::new(
            DropReason::NoPublicPath,
            STAGE,
            Element::Address(destination),
        );
        let vpc = self
            .program
            .owner_anywhere(destination)
            .map(|(vpc, _)| vpc)
            .ok_or(nowhere)?;
        let session = self.session_of_inside(packet, vpc);
        if session.is_none() || self.program.network().nat_gateways.len() > 1 {
            // One that begins, or one of another gateway, would stand for it.
            self.recipe.miss_session();
        }
        let (element, rule) = if let Some(session) = session {
            let public = Some(session.outside.source);
            match packet.quoted() {
                Some(_) => {
                    let outer = Rewrite {
                        destination: public,
                        ..Rewrite::default()
                    };
                    // The quoted packet had travelled outbound.
                    packet.rewrite_error(&outer, &session.outbound());
                }
                None => packet.becomes(&session.outside.reversed()),
            }
            (Element::NatGateway(session.gateway), None)
        } else if let Some(eip) = self.program.public().by_private(vpc, destination) {
            let public = self.program.network().eip(eip);
            debug_assert_eq!(public.mode, EipMode::Nat, "only these stand for an address");
            translate(packet, Side::Destination, destination, public.address);
            (Element::Eip(eip), None)
        } else if let Some((eip_address, port, element, rule)) = self.dnat_towards(packet, vpc) {
            let (destination, destination_port) = (Some(eip_address), Some(port));
            packet.rewrite(&Rewrite {
                destination,
                destination_port,
                ..Rewrite::default()
            });
            (element, Some(rule))
        } else {
            return Err(nowhere.into());
        };
        self.note_decided(packet, STAGE, element, Outcome::Untranslated, rule, None);
        Ok(Step::FromInternet { hairpin: None }.into())
    }

    /// The live session of any gateway of the vpc that an inside view belongs to.
    fn session_of_inside(&self, packet: &Packet<'_>, vpc: VpcId) -> Option<Session> {
        let outbound: FlowKey = match packet.quoted() {
            Some(quoted) if quoted.later_fragment => return None,
            // An error goes to the sender of what it quotes.
            Some(quoted) if quoted.key.source != packet.key.destination => return None,
            Some(quoted) => quoted.key,
            None => packet.key.reversed(),
        };
        let gateways = (0..)
            .map(NatGatewayId)
            .zip(&self.program.network().nat_gateways);
        gateways
            .filter(|(_, gateway)| gateway.vpc == vpc)
            .find_map(|(id, _)| self.session_by(id, &outbound))
    }

    /// The public side of the DNAT rule that leads to the packet's destination.
    fn dnat_towards(
        &self,
        packet: &Packet<'_>,
        vpc: VpcId,
    ) -> Option<(std::net::Ipv4Addr, u16, Element, Rule)> {
        let key = &packet.key;
        let network = self.program.network();
        let public = self.program.public();
        let target = public.dnat_to(vpc, key.protocol, key.destination, key.destination_port)?;
        let dnat = &network.nat_gateway(target.gateway).dnat[target.rule as usize];
        let (list, position) = (RuleList::Dnat, Some(target.rule + 1));
        let rule = Rule {
            list,
            position,
            line: dnat.mark.line,
        };
        let element = Element::NatGateway(target.gateway);
        Some((network.eip(dnat.eip).address, dnat.port, element, rule))
    }
}
