//! SEMANTICS §6: security groups, stateful per nic.

use crate::State;
use crate::conntrack::{Begun, Direction, Holder, Judgement, answer_to};
use crate::observe::{Decision, Observer, Outcome};
use crate::packet::Packet;
use crate::program::Travel;
use crate::state::{Door, Flow, LetIn, NicFlow};
use crate::verdict::{Drop, DropReason, Element, Policy, Rule, RuleList, Stage};
use crate::walk::{Begins, Note, Walk};
use vpcsim_network::{Action, MidStream, NicId, OnRuleChange};
use vpcsim_packet::FlowKey;

/// What the rules said of a packet that they accept.
#[derive(Debug, Clone, Copy)]
struct Accepted {
    element: Element,
    rule: Option<Rule>,
    policy: Option<Policy>,
}

/// Which flow of the nic a packet belongs to.
enum Membership {
    /// The one of this record.
    Member(u32, Direction),
    /// It has a flow's addresses and ports but does not belong to it; the door by which that
    /// flow came in, where this packet goes against it.
    Misfit(Door),
    /// None.
    Stranger,
}

impl<O: Observer> Walk<'_, O> {
    /// Judges a packet at a nic and remembers its flow. `entry`: the public door by which it
    /// came. Returns the door of the flow that it answers (§2.5a).
    pub(crate) fn security_group(
        &mut self,
        packet: &Packet<'_>,
        nic: NicId,
        travel: Travel,
        entry: Door,
    ) -> Result<Door, Drop> {
        let stage = stage_of(travel);
        let opening = match self.membership(packet, nic) {
            Membership::Member(slot, direction) => {
                return self.known_flow(packet, nic, stage, slot, direction);
            }
            Membership::Misfit(back) => {
                self.judge_stateless(packet, nic, travel, Some(Policy::MidStream))?;
                return Ok(back);
            }
            // A later fragment begins nothing.
            Membership::Stranger => (!packet.is_later_fragment()).then(|| self.open(packet)),
        };
        match opening {
            Some(Begins::Connection { mid_stream }) => {
                let mut accepted = self.rules(nic, travel, &packet.key)?;
                if mid_stream {
                    accepted.policy = accepted.policy.or(Some(Policy::MidStream));
                }
                self.remember(packet, nic, travel, entry, mid_stream, accepted)?;
            }
            // A later fragment whose first left no flow behind is judged as that was.
            None => self.judge_stateless(packet, nic, travel, None)?,
            Some(Begins::Nothing) => {
                self.judge_stateless(packet, nic, travel, Some(Policy::MidStream))?;
            }
        }
        Ok(Door::NONE)
    }

    /// Looks the packet's flow up and lets it follow the protocol.
    fn membership(&mut self, packet: &Packet<'_>, nic: NicId) -> Membership {
        if let Some(quoted) = packet.quoted() {
            let answer = answer_to(&quoted, packet.key.destination);
            let found = answer.and_then(|key| self.state.flows.at_nic(nic, &key));
            return match found {
                Some((slot, direction)) if !self.is_over(Holder::Nic(slot)) => {
                    Membership::Member(slot, direction)
                }
                _ => Membership::Stranger,
            };
        }
        let Some((slot, direction)) = self.state.flows.at_nic(nic, &packet.key) else {
            return Membership::Stranger;
        };
        if self.is_over(Holder::Nic(slot)) {
            return Membership::Stranger;
        }
        if packet.is_later_fragment() {
            return Membership::Member(slot, direction);
        }
        let Some(flow) = self.state.flows.get(slot) else {
            return Membership::Stranger;
        };
        let (track, back) = (flow.track(), door_of_reply(flow, direction));
        let (holder, track, judgement) = self.judge(packet, Holder::Nic(slot), track, direction);
        let before = self.state.held(holder);
        let before = before.map_or(self.now(), |(_, deadline)| deadline);
        let timeouts = &self.program.network().policies.conntrack;
        let tracker = self.state.tracks.get(track);
        let deadline = tracker.deadline(judgement, before, self.now(), timeouts);
        self.state.stays_until_passed(holder, deadline);
        match judgement {
            Judgement::Reopen => {
                self.state.end_connection(self.program, holder);
                return Membership::Stranger;
            }
            Judgement::Invalid(_) => {
                self.state.flows.set_deadline(holder, deadline);
                return Membership::Misfit(back);
            }
            // One that ends is remembered until its packet has passed: its deadline is now.
            Judgement::Pass | Judgement::Ignored | Judgement::Ends => {
                self.state.flows.set_deadline(holder, deadline);
            }
        }
        Membership::Member(holder.slot(), direction)
    }

    /// A packet of a flow that was accepted at this nic before.
    fn known_flow(
        &mut self,
        packet: &Packet<'_>,
        nic: NicId,
        stage: Stage,
        slot: u32,
        direction: Direction,
    ) -> Result<Door, Drop> {
        self.reevaluate(nic, slot, stage)?;
        let flow = self.state.flows.get(slot);
        let back = flow.map_or(Door::NONE, |flow| door_of_reply(flow, direction));
        let outcome = if packet.quoted().is_some() {
            Outcome::Related
        } else {
            Outcome::Established
        };
        let flow = flow.and_then(|flow| self.rule_of_flow(nic, &flow.at_nic));
        let (element, decision) = (Element::SecurityGroupsOf(nic), Decision::Pass(outcome));
        let note = Note {
            flow,
            ..Note::new(stage, element, decision)
        };
        self.observe(packet, &note);
        Ok(back)
    }

    /// Policy `on_rule_change: reevaluate`: a flow that other rules accepted is judged by the
    /// present ones.
    fn reevaluate(&mut self, nic: NicId, slot: u32, stage: Stage) -> Result<(), Drop> {
        let Some(record) = self.state.flows.get(slot) else {
            return Ok(());
        };
        let flow = record.at_nic;
        let policy = self.program.network().policies.on_rule_change;
        if flow.is_accepted() || policy == OnRuleChange::Keep {
            return Ok(());
        }
        let travel = if flow.let_in.ingress() {
            Travel::Ingress
        } else {
            Travel::Egress
        };
        let first = record.original();
        let accepted = match self.rules(nic, travel, &first) {
            Ok(accepted) => accepted,
            Err(denied) => {
                self.state.end_connection(self.program, Holder::Nic(slot));
                return Err(Drop { stage, ..denied }.by_policy(Policy::OnRuleChange));
            }
        };
        let rule = self.place_in_lists(nic, travel, accepted.element, accepted.rule);
        if let Some(at_nic) = self.state.flows.at_nic_mut(slot) {
            let let_in = LetIn::new(flow.let_in.ingress(), rule);
            *at_nic = NicFlow::new(flow.door(), let_in);
        }
        Ok(())
    }

    /// Judges a packet that belongs to no flow and leaves none behind. `by`: the policy that
    /// lets it be judged at all.
    fn judge_stateless(
        &mut self,
        packet: &Packet<'_>,
        nic: NicId,
        travel: Travel,
        by: Option<Policy>,
    ) -> Result<(), Drop> {
        self.recipe.spoil();
        let stage = stage_of(travel);
        let strict = self.program.network().policies.mid_stream == MidStream::Drop;
        if by.is_some() && strict && !self.is_unfiltered(nic) {
            let element = Element::SecurityGroupsOf(nic);
            let drop = Drop::new(DropReason::InvalidState, stage, element);
            return Err(drop.by_policy(Policy::MidStream));
        }
        let accepted = self.rules(nic, travel, &packet.key).map_err(|drop| Drop {
            policy: drop.policy.or(by),
            ..drop
        })?;
        let policy = accepted.policy.or(by);
        let outcome = if self.is_unfiltered(nic) {
            Outcome::Unfiltered
        } else {
            Outcome::Accepted
        };
        self.note_decided(
            packet,
            stage,
            accepted.element,
            outcome,
            accepted.rule,
            policy,
        );
        Ok(())
    }

    /// A flow that the rules accepted is remembered at the nic.
    fn remember(
        &mut self,
        packet: &Packet<'_>,
        nic: NicId,
        travel: Travel,
        entry: Door,
        mid_stream: bool,
        accepted: Accepted,
    ) -> Result<(), Drop> {
        let stage = stage_of(travel);
        let conntrack = &self.program.network().policies.conntrack;
        let is_full = |state: &State| state.flows.nic_len(nic) >= conntrack.max as usize;
        self.state.make_room(self.program, |state| {
            !is_full(state) && state.flows.len() < state.flows.peak()
        });
        let full = is_full(self.state);
        let unfiltered = self.is_unfiltered(nic);
        if full && !unfiltered {
            let drop = Drop::new(DropReason::ConntrackFull, stage, Element::Nic(nic));
            return Err(drop.by_policy(Policy::Conntrack));
        }
        if full {
            self.recipe.spoil();
        } else {
            let key = &packet.key;
            self.recipe.open(key, &key.reversed());
            let rule = self.place_in_lists(nic, travel, accepted.element, accepted.rule);
            let let_in = LetIn::new(travel == Travel::Ingress, rule);
            let track = self.open_track(mid_stream);
            let tracker = self.state.tracks.get(track);
            let deadline = self.now().after_seconds(tracker.timeout(conntrack));
            // What the cache will want, at once.
            let timer = if tracker.can_go_on() && self.state.cache.is_on() {
                deadline.min(self.state.look_after(self.program, track))
            } else {
                deadline
            };
            let begun = Begun {
                timer,
                beside: self.state.beside_gateway(track, key),
                ..Begun::new(track, deadline)
            };
            let flows = &mut self.state.flows;
            let slot = flows.remember(nic, key, &begun, NicFlow::new(entry, let_in));
            let holder = Holder::Nic(slot);
            self.hold_opened(track, holder);
            self.state.stays_until_passed(holder, deadline);
            self.state.journal_flow(true);
        }
        let outcome = if unfiltered {
            Outcome::Unfiltered
        } else {
            Outcome::Opened
        };
        let Accepted {
            element,
            rule,
            policy,
        } = accepted;
        self.note_decided(packet, stage, element, outcome, rule, policy);
        Ok(())
    }

    /// The rule lists of the nic's groups, concatenated in bound order: first match wins,
    /// nothing matched is a deny.
    fn rules(&self, nic: NicId, travel: Travel, key: &FlowKey) -> Result<Accepted, Drop> {
        if self.is_unfiltered(nic) {
            return Ok(Accepted {
                element: Element::Nic(nic),
                rule: None,
                policy: None,
            });
        }
        let list = match travel {
            Travel::Ingress => RuleList::Ingress,
            Travel::Egress => RuleList::Egress,
        };
        let deny = |element| Drop::new(DropReason::SecurityGroupDeny, stage_of(travel), element);
        let Some(hit) = self.program.group_rule(nic, travel, key) else {
            let (element, line) = self.implicit_deny(nic);
            return Err(deny(element).by_rule(Rule {
                list,
                position: None,
                line,
            }));
        };
        let element = Element::SecurityGroup(hit.group);
        let policy = hit.across.then_some(Policy::SgAcrossPeering);
        let decided = Rule {
            list,
            position: Some(hit.position),
            line: hit.rule.mark.line,
        };
        match hit.rule.action {
            Action::Accept => Ok(Accepted {
                element,
                rule: Some(decided),
                policy,
            }),
            Action::Drop => Err(Drop {
                policy,
                ..deny(element).by_rule(decided)
            }),
        }
    }

    /// The end of a nic's lists, and the line that stands for it: the group's, or the nic's
    /// where it has several.
    fn implicit_deny(&self, nic: NicId) -> (Element, u32) {
        let network = self.program.network();
        let bound = network.nic(nic);
        match bound.security_groups.as_slice() {
            [only] => (
                Element::SecurityGroup(*only),
                network.security_group(*only).mark.line,
            ),
            _ => (Element::SecurityGroupsOf(nic), bound.mark.line),
        }
    }

    /// A secondary nic without a group: everything passes.
    fn is_unfiltered(&self, nic: NicId) -> bool {
        self.program.is_unfiltered(nic)
    }
}

fn stage_of(travel: Travel) -> Stage {
    match travel {
        Travel::Ingress => Stage::SecurityGroupIngress,
        Travel::Egress => Stage::SecurityGroupEgress,
    }
}

fn door_of_reply(flow: &Flow, direction: Direction) -> Door {
    match direction {
        Direction::Original => Door::NONE,
        Direction::Reply => flow.at_nic.door(),
    }
}
