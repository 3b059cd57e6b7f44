//! SEMANTICS §6: a reply to an accepted flow passes every stateful stage at the same nic; §2.5a:
//! and leaves by the door that the flow came in by.

use crate::dialogue::{Dialogue, Leg, Talk, dialogues, talk};
use crate::world::{Run, cases};
use proptest::prelude::*;
use vpcsim_dataplane::{Decision, Element, Outcome, Owner, Program, Source, Stage};
use vpcsim_packet::FlowKey;

proptest! {
    #![proptest_config(cases(160))]

    #[test]
    fn a_reply_to_an_accepted_flow_passes_every_stateful_stage(
        Dialogue { text, calls } in dialogues(),
    ) {
        let program = vpcsim_testkit::net(&text);
        for call in &calls {
            // Each alone: calls may share a flow, or fill a small gateway.
            let talk = talk(&mut Run::new(&program), call);
            let Some((first, later)) = talk.legs.split_first() else { continue };
            for leg in later {
                if let Some(drop) = leg.ended.dropped() {
                    let stateful = stateful_before(&program, &talk, first, leg, &call.key());
                    prop_assert!(!stateful.contains(&drop.stage), "{talk:#?}");
                }
                passes_as_known(&talk, leg)?;
            }
        }
    }

    #[test]
    fn a_reply_leaves_by_the_door_the_flow_came_in_by(
        Dialogue { text, calls } in dialogues(),
    ) {
        let program = vpcsim_testkit::net(&text);
        for call in &calls {
            let talk = talk(&mut Run::new(&program), call);
            let [first, reply, ..] = talk.legs.as_slice() else { continue };
            let Some(entry) = first.entry() else { continue };
            let routed = reply.noted.iter().any(|stop| stop.stage == Stage::Route);
            if routed && matches!(talk.server, Some(Source::Nic(_))) {
                let doors = reply.doors();
                prop_assert_eq!(doors.first(), Some(&entry), "{:#?}", talk);
            }
        }
    }
}

/// The stages that have seen the flow from where this packet meets them.
fn stateful_before(
    program: &Program,
    talk: &Talk,
    first: &Leg,
    leg: &Leg,
    key: &FlowKey,
) -> Vec<Stage> {
    let mut stages = Vec::new();
    let gateways = |leg: &Leg| {
        let met = leg
            .noted
            .iter()
            .filter(|stop| stop.stage == Stage::NatGateway);
        met.map(|stop| stop.element).collect::<Vec<Element>>()
    };
    let known = gateways(first);
    if gateways(leg).iter().all(|gateway| known.contains(gateway)) {
        stages.push(Stage::NatGateway);
    }
    // What leaves, leaves by a nic that it came in by, or left by before.
    stages.push(Stage::SecurityGroupEgress);
    // What comes back may come to another nic: that of the address.
    let back = match talk.client {
        Source::Nic(nic) => {
            let owner = program.owner(program.vpc_of(nic), key.source);
            owner == Some(Owner::Nic(nic))
        }
        _ => false,
    };
    // By other doors it comes with another source: no reply of this flow.
    let mut doors = leg.doors();
    doors.reverse();
    if leg.by_client || (back && doors == first.doors()) {
        stages.push(Stage::SecurityGroupIngress);
    }
    stages
}

/// At the nic of its sender a reply is one of a known flow, not one that rules let pass.
fn passes_as_known(talk: &Talk, leg: &Leg) -> Result<(), TestCaseError> {
    let egress = leg
        .noted
        .iter()
        .find(|stop| stop.stage == Stage::SecurityGroupEgress);
    if let Some(stop) = egress {
        let known = Decision::Pass(Outcome::Established);
        prop_assert_eq!(stop.decision, known, "{:#?}", talk);
    }
    Ok(())
}
