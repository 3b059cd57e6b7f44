//! What an observer is told of a walk.

use super::Walk;
use crate::Place;
use crate::observe::{Decision, Observer, Outcome, Stop};
use crate::packet::Packet;
use crate::verdict::{Drop, Element, Policy, Rule, Stage};

impl<O: Observer> Walk<'_, O> {
    /// Tells the observer how a packet passed a stage.
    pub(crate) fn note(
        &mut self,
        packet: &Packet<'_>,
        stage: Stage,
        element: Element,
        outcome: Outcome,
    ) {
        self.note_decided(packet, stage, element, outcome, None, None);
    }

    /// Tells the observer how a packet passed a stage, and what decided.
    pub(crate) fn note_decided(
        &mut self,
        packet: &Packet<'_>,
        stage: Stage,
        element: Element,
        outcome: Outcome,
        rule: Option<Rule>,
        policy: Option<Policy>,
    ) {
        let decision = Decision::Pass(outcome);
        self.observe(packet, stage, element, decision, rule, policy);
    }

    pub(super) fn note_drop(&mut self, packet: &Packet<'_>, drop: &Drop) {
        let decision = Decision::Drop(drop.reason);
        self.observe(
            packet,
            drop.stage,
            drop.element,
            decision,
            drop.rule,
            drop.policy,
        );
    }

    pub(super) fn note_hold(&mut self, packet: &Packet<'_>) {
        self.observe(
            packet,
            Stage::Packet,
            Element::Packet,
            Decision::Hold,
            None,
            None,
        );
    }

    pub(super) fn note_delivery(&mut self, packet: &Packet<'_>, place: Place) {
        let (stage, element) = match place {
            Place::Nic(nic) => (Stage::Host, Element::Nic(nic)),
            Place::Internet => (Stage::Internet, Element::Internet),
            Place::External(external) => (Stage::External, Element::External(external)),
            Place::NatGateway(gateway) => (Stage::NatGateway, Element::NatGateway(gateway)),
        };
        self.observe(packet, stage, element, Decision::Deliver(place), None, None);
    }

    fn observe(
        &mut self,
        packet: &Packet<'_>,
        stage: Stage,
        element: Element,
        decision: Decision,
        rule: Option<Rule>,
        policy: Option<Policy>,
    ) {
        self.observer.stop(&Stop {
            id: packet.id,
            generated: packet.generated,
            stage,
            element,
            decision,
            rule,
            policy,
            headers: &packet.headers,
            bytes: packet.bytes,
        });
    }
}
