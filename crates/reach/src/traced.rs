//! Every way of every packet, for tests that hold questions and walk together.

use crate::carry;
use crate::place::End;
use crate::reach::{Reach, Trip};
use crate::set::Set;
use vpcsim_dataplane::{DropReason, Place, Stage};

/// How a packet ends, as a question sees it and as the walk does: for tests that hold the two
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It arrives here.
    At(Place),
    /// It is dropped for this reason at this stage.
    Dropped(DropReason, Stage),
    /// Not decided.
    Undecided,
}

/// Packets of one sender that may take one way.
#[derive(Debug, Clone)]
pub struct Traced {
    /// The packets.
    pub packets: Set,
    /// How the way ends.
    pub outcome: Outcome,
    /// Of them, those whose answer may come back.
    pub answered: Set,
    /// Of them, those whose answer may not.
    pub unanswered: Set,
}

impl Reach<'_> {
    /// Every way that packets of an end may take, with how it ends: together they are all
    /// packets that the end sends to anybody the network knows of. A packet that is on several
    /// ways takes one of them.
    pub fn traced(&self, from: End) -> Vec<Traced> {
        let ways = self.ways(from, Trip::Both, None);
        let traced = ways.into_iter().map(|way| Traced {
            packets: way.path.packets(&way.path.set),
            outcome: match way.end {
                carry::End::At(place) => Outcome::At(place),
                carry::End::Dropped(reason, stage) => Outcome::Dropped(reason, stage),
                carry::End::Undecided => Outcome::Undecided,
            },
            answered: way.path.packets(&way.answered),
            unanswered: way.path.packets(&way.unanswered),
        });
        traced.filter(|traced| !traced.packets.is_empty()).collect()
    }
}
