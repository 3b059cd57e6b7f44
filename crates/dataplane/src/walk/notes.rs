//! What an observer is told of a walk.

use super::Walk;
use crate::Place;
use crate::observe::{Decision, FlowRule, Observer, Outcome, Stop};
use crate::packet::Packet;
use crate::verdict::{Drop, Element, Policy, Rule, Stage};

/// What happened at a stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) stage: Stage,
    pub(crate) element: Element,
    pub(crate) decision: Decision,
    pub(crate) rule: Option<Rule>,
    pub(crate) policy: Option<Policy>,
    pub(crate) flow: Option<FlowRule>,
}

impl Note {
    /// What no rule and no policy decided.
    pub(crate) fn new(stage: Stage, element: Element, decision: Decision) -> Self {
        Self {
            stage,
            element,
            decision,
            rule: None,
            policy: None,
            flow: None,
        }
    }
}

impl<O: Observer> Walk<'_, O> {
    /// Tells the observer how a packet passed a stage.
    pub(crate) fn note(
        &mut self,
        packet: &Packet<'_>,
        stage: Stage,
        element: Element,
        outcome: Outcome,
    ) {
        let note = Note::new(stage, element, Decision::Pass(outcome));
        self.observe(packet, &note);
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
        let note = Note {
            rule,
            policy,
            ..Note::new(stage, element, decision)
        };
        self.observe(packet, &note);
    }

    pub(super) fn note_drop(&mut self, packet: &Packet<'_>, drop: &Drop) {
        let note = Note {
            rule: drop.rule,
            policy: drop.policy,
            ..Note::new(drop.stage, drop.element, Decision::Drop(drop.reason))
        };
        self.observe(packet, &note);
    }

    pub(super) fn note_hold(&mut self, packet: &Packet<'_>) {
        let note = Note::new(Stage::Packet, Element::Packet, Decision::Hold);
        self.observe(packet, &note);
    }

    pub(super) fn note_delivery(&mut self, packet: &Packet<'_>, place: Place) {
        let (stage, element) = match place {
            Place::Nic(nic) => (Stage::Host, Element::Nic(nic)),
            Place::Internet => (Stage::Internet, Element::Internet),
            Place::External(external) => (Stage::External, Element::External(external)),
            Place::NatGateway(gateway) => (Stage::NatGateway, Element::NatGateway(gateway)),
        };
        self.observe(packet, &Note::new(stage, element, Decision::Deliver(place)));
    }

    /// Tells the observer all of it.
    pub(crate) fn observe(&mut self, packet: &Packet<'_>, note: &Note) {
        let Note {
            stage,
            element,
            decision,
            rule,
            policy,
            flow,
        } = *note;
        self.observer.stop(&Stop {
            id: packet.id,
            generated: packet.generated,
            time: self.state.now,
            nic: self.at,
            stage,
            element,
            decision,
            rule,
            policy,
            flow,
            key: packet.key,
            headers: packet.headers,
            bytes: packet.bytes,
        });
    }
}
