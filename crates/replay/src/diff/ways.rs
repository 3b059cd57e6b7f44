//! What packets met on their way through one of the networks: remembered once for all packets
//! that met the same.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hash, Hasher};
use vpcsim_dataplane::{Decision, Element, Outcome, Policy, Rule, Stage, Stop};
use vpcsim_network::NicId;

/// Most ways that are told apart: a network has no more of them unless it has very many hosts.
const MOST: usize = 1 << 16;

/// One stop on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Note {
    pub(super) stage: Stage,
    pub(super) element: Element,
    pub(super) decision: Decision,
    pub(super) rule: Option<Rule>,
    pub(super) policy: Option<Policy>,
    /// At the stops of a security group: the nic that it is bound to.
    pub(super) nic: Option<NicId>,
}

impl Note {
    pub(super) fn of(stop: &Stop<'_>) -> Self {
        Self {
            stage: stop.stage,
            element: stop.element,
            decision: stop.decision,
            rule: stop.rule,
            policy: stop.policy,
            nic: None,
        }
    }

    /// What keeps flows here: the nic or the gateway.
    fn keeper(&self) -> Option<Element> {
        match self.stage {
            Stage::SecurityGroupEgress | Stage::SecurityGroupIngress => self.nic.map(Element::Nic),
            Stage::NatGateway | Stage::Internet => {
                matches!(self.element, Element::NatGateway(_)).then_some(self.element)
            }
            _ => None,
        }
    }

    /// Whether the packet passed because of its flow, so that an earlier packet met the rule.
    fn is_owed_to_flow(&self) -> bool {
        let by_flow = [
            Outcome::Established,
            Outcome::SourceTranslated,
            Outcome::DestinationTranslated,
            Outcome::Untranslated,
        ];
        let Decision::Pass(outcome) = self.decision else {
            return false;
        };
        self.rule.is_none() && by_flow.contains(&outcome)
    }

    /// The stop as a reason: who judged the packet matters, and by which rule, not at which nic or
    /// whether it was the flow's first.
    pub(super) fn as_reason(self) -> Self {
        let accepted = [Outcome::Opened, Outcome::Established, Outcome::Accepted];
        let decision = match self.decision {
            Decision::Pass(outcome) if self.rule.is_some() && accepted.contains(&outcome) => {
                Decision::Pass(Outcome::Accepted)
            }
            other => other,
        };
        Self {
            decision,
            nic: None,
            ..self
        }
    }

    /// Whether the packet opened a flow here.
    pub(super) fn opens(&self) -> bool {
        matches!(self.decision, Decision::Pass(Outcome::Opened))
    }

    /// Whether the address or the port was translated here.
    pub(super) fn translates(&self) -> bool {
        let translations = [Outcome::SourceTranslated, Outcome::DestinationTranslated];
        matches!(self.decision, Decision::Pass(outcome) if translations.contains(&outcome))
    }
}

/// Completes what was seen of a packet with what is known of its flow: at which nics groups judged
/// it, and by which rules its flow was let in where it passed as part of one. `earlier`: ways of
/// the same flow, the likeliest first.
pub(super) fn complete(notes: &mut [Note], earlier: [&[Note]; 2]) {
    let mut leaving = None;
    for at in 0..notes.len() {
        let Note { stage, element, .. } = notes[at];
        match (stage, element) {
            (Stage::SourceCheck, Element::Nic(nic)) => leaving = Some(nic),
            (Stage::SecurityGroupEgress, _) => notes[at].nic = leaving,
            (Stage::SecurityGroupIngress, Element::Nic(nic) | Element::SecurityGroupsOf(nic)) => {
                notes[at].nic = Some(nic);
            }
            (Stage::SecurityGroupIngress, _) => {
                // The host comes next, and is at the nic.
                notes[at].nic = notes.get(at + 1).and_then(|next| match next.element {
                    Element::Nic(nic) => Some(nic),
                    _ => None,
                });
            }
            _ => {}
        }
        if !notes[at].is_owed_to_flow() {
            continue;
        }
        let keeper = notes[at].keeper();
        let mut known = earlier.iter().copied().flatten();
        let opened = known.find(|known| known.rule.is_some() && known.keeper() == keeper);
        if let (Some(opened), Some(_)) = (opened, keeper) {
            notes[at].rule = opened.rule;
            notes[at].element = opened.element;
        }
    }
}

/// A way, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct WayId(u32);

impl WayId {
    /// Not known.
    pub(super) const NONE: Self = Self(u32::MAX);
}

/// All ways that packets took through one network.
#[derive(Debug, Default)]
pub(super) struct Ways {
    numbers: HashTable<WayId>,
    ways: Vec<Box<[Note]>>,
    hashing: DefaultHashBuilder,
}

impl Ways {
    /// The number of a way. Where a packet was dropped or held, the way ends before that; of one
    /// that was cut it is that of the first piece.
    pub(super) fn number(&mut self, notes: &[Note]) -> WayId {
        let passes = |note: &&Note| matches!(note.decision, Decision::Pass(_));
        let passed = notes.iter().take_while(passes).count();
        let end = notes.get(passed).map(|note| note.decision);
        let arrives = matches!(end, Some(Decision::Deliver(_)));
        let notes = &notes[..passed + usize::from(arrives)];
        let Self {
            numbers,
            ways,
            hashing,
        } = self;
        let hash = hash(hashing, notes);
        let known = numbers.find(hash, |known| *ways[known.0 as usize] == *notes);
        if let Some(&known) = known {
            return known;
        }
        if ways.len() >= MOST {
            return WayId::NONE;
        }
        let number = WayId(ways.len() as u32);
        ways.push(notes.into());
        numbers.insert_unique(hash, number, |known| {
            self::hash(hashing, &ways[known.0 as usize])
        });
        number
    }

    /// The stops of a way; none of one that is not known.
    pub(super) fn get(&self, id: WayId) -> &[Note] {
        self.ways.get(id.0 as usize).map_or(&[], |way| way)
    }
}

/// Of what ways mostly differ in: a few words a stop.
fn hash(hashing: &DefaultHashBuilder, notes: &[Note]) -> u64 {
    let mut hasher = hashing.build_hasher();
    for note in notes {
        let position = note.rule.map_or(0, |rule| rule.line);
        hasher.write_u32(position << 8 | note.stage as u32);
        note.element.hash(&mut hasher);
    }
    hasher.finish()
}
