//! Where a packet goes next.

use crate::Place;
use crate::state::Door;
use vpcsim_network::{CvmId, ExternalId, NatGatewayId, NicId};

/// Where a packet goes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A host sends it: its routing decides the nic.
    Send(CvmId),
    /// It leaves a nic (§2).
    Leave(NicId),
    /// It has left a nic and the link; acl and routes come next (§2.4). `back`: the public door
    /// of the flow that it answers (§2.5a).
    Route { nic: NicId, back: Door },
    /// It arrives from the internet with a public destination (§3). `hairpin`: the gateway that
    /// just translated it on its way out.
    FromInternet { hairpin: Option<NatGatewayId> },
    /// It was captured inside although it comes from the internet (§12).
    Untranslate,
    /// It arrives by a gateway at the edge of the simulated world.
    FromExternal(ExternalId),
    /// It enters a nic (§5).
    Enter(Approach),
    /// It ends.
    End(Place),
}

/// How a packet comes to a nic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Approach {
    pub(crate) nic: NicId,
    /// From within the subnet: no acl (§2.3), or from its router.
    pub(crate) same_subnet: bool,
    /// As a next hop, destination untouched (§2.6).
    pub(crate) next_hop: bool,
    /// The public door it came in by.
    pub(crate) entry: Door,
}

impl Approach {
    /// Crossing into the nic's subnet.
    pub(crate) fn crossing(nic: NicId) -> Self {
        Self {
            nic,
            same_subnet: false,
            next_hop: false,
            entry: Door::NONE,
        }
    }
}

/// A [`Step`] in a word, as stages hand it on: a value that is written field by field and copied a
/// moment later waits until every store before it is done.
///
/// From the lowest bit on: 3 of what it is, 2 flags, 28 of an id, 31 of a door or of what a place is.
/// A network has far fewer than 2^28 of anything: its file would have gigabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Onward(u64);

const FLAGS: u32 = 3;
const ID: u32 = 5;
const DOOR: u32 = 33;

const FIRST_FLAG: u64 = 1 << FLAGS;
const SECOND_FLAG: u64 = 2 << FLAGS;

impl From<Step> for Onward {
    #[inline(always)]
    fn from(step: Step) -> Self {
        let word = |what: u64, id: u32| {
            debug_assert!(id >> (DOOR - ID) == 0, "an id has 28 bits");
            what | u64::from(id) << ID
        };
        let flag = |is: bool, flag: u64| if is { flag } else { 0 };
        Self(match step {
            Step::Send(CvmId(id)) => word(0, id),
            Step::Leave(NicId(id)) => word(1, id),
            Step::Route {
                nic: NicId(id),
                back,
            } => word(2, id) | u64::from(back.to_bits()) << DOOR,
            Step::FromInternet { hairpin } => {
                let id = hairpin.map_or(0, |NatGatewayId(id)| id);
                word(3, id) | flag(hairpin.is_some(), FIRST_FLAG)
            }
            Step::Untranslate => word(4, 0),
            Step::FromExternal(ExternalId(id)) => word(5, id),
            Step::Enter(Approach {
                nic: NicId(id),
                same_subnet,
                next_hop,
                entry,
            }) => {
                let flags = flag(same_subnet, FIRST_FLAG) | flag(next_hop, SECOND_FLAG);
                word(6, id) | flags | u64::from(entry.to_bits()) << DOOR
            }
            Step::End(place) => {
                let (what, id): (u64, u32) = match place {
                    Place::Nic(NicId(id)) => (0, id),
                    Place::Internet => (1, 0),
                    Place::External(ExternalId(id)) => (2, id),
                    Place::NatGateway(NatGatewayId(id)) => (3, id),
                };
                word(7, id) | what << DOOR
            }
        })
    }
}

impl Onward {
    /// What it stands for.
    #[inline(always)]
    pub(crate) fn step(self) -> Step {
        let Self(word) = self;
        let id = (word >> ID) as u32 & ((1 << (DOOR - ID)) - 1);
        let last = (word >> DOOR) as u32;
        let (first_flag, second_flag) = (word & FIRST_FLAG != 0, word & SECOND_FLAG != 0);
        match word & (FIRST_FLAG - 1) {
            0 => Step::Send(CvmId(id)),
            1 => Step::Leave(NicId(id)),
            2 => Step::Route {
                nic: NicId(id),
                back: Door::from_bits(last),
            },
            3 => Step::FromInternet {
                hairpin: first_flag.then_some(NatGatewayId(id)),
            },
            4 => Step::Untranslate,
            5 => Step::FromExternal(ExternalId(id)),
            6 => Step::Enter(Approach {
                nic: NicId(id),
                same_subnet: first_flag,
                next_hop: second_flag,
                entry: Door::from_bits(last),
            }),
            _ => Step::End(match last {
                0 => Place::Nic(NicId(id)),
                1 => Place::Internet,
                2 => Place::External(ExternalId(id)),
                _ => Place::NatGateway(NatGatewayId(id)),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Entry;
    use proptest::prelude::*;
    use vpcsim_network::EipId;

    fn any_door() -> impl Strategy<Value = Door> {
        let entry = prop_oneof![
            (0..1_u32 << 28).prop_map(|id| Entry::Eip(EipId(id))),
            (0..1_u32 << 28).prop_map(|id| Entry::NatGateway(NatGatewayId(id))),
        ];
        proptest::option::of(entry).prop_map(Door::of)
    }

    fn any_step() -> impl Strategy<Value = Step> {
        let id = 0..1_u32 << 28;
        prop_oneof![
            id.clone().prop_map(|id| Step::Send(CvmId(id))),
            id.clone().prop_map(|id| Step::Leave(NicId(id))),
            (id.clone(), any_door()).prop_map(|(id, back)| Step::Route {
                nic: NicId(id),
                back
            }),
            proptest::option::of(id.clone()).prop_map(|id| Step::FromInternet {
                hairpin: id.map(NatGatewayId)
            }),
            Just(Step::Untranslate),
            id.clone().prop_map(|id| Step::FromExternal(ExternalId(id))),
            (id.clone(), any::<bool>(), any::<bool>(), any_door()).prop_map(
                |(id, same_subnet, next_hop, entry)| Step::Enter(Approach {
                    nic: NicId(id),
                    same_subnet,
                    next_hop,
                    entry
                })
            ),
            id.clone().prop_map(|id| Step::End(Place::Nic(NicId(id)))),
            Just(Step::End(Place::Internet)),
            id.clone()
                .prop_map(|id| Step::End(Place::External(ExternalId(id)))),
            id.prop_map(|id| Step::End(Place::NatGateway(NatGatewayId(id)))),
        ]
    }

    proptest! {
        #[test]
        fn a_step_in_a_word_stays_what_it_was(step in any_step()) {
            prop_assert_eq!(Onward::from(step).step(), step);
        }
    }
}
