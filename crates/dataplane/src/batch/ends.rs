//! How the packets of a batch ended.

use crate::flow_cache::PackedPlace;
use crate::walk::{Arrival, Other, Walked};
use crate::{Place, Verdict};
use std::ops::Range;

/// How a packet ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// It has not yet.
    Waits,
    /// It arrived by a way that was remembered.
    Repeated(PackedPlace),
    /// It was walked: this one of the walks.
    Walked(u32),
}

/// What became of the packets that were walked.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Each with the range of `others` that ended with it.
    walks: Vec<(Walked, Range<usize>)>,
    /// What ended beside the packets, in the order in which it ended.
    others: Vec<Other>,
}

/// A packet of a batch that has come to its end, or waits.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// How it started.
    pub arrival: Arrival,
    /// What became of it.
    pub walked: Walked,
    /// The packet as it looks where it ended, from its IPv4 header on.
    pub bytes: &'a [u8],
    /// What ended beside it.
    pub others: &'a [Other],
}

impl Ends {
    /// A packet is walked.
    pub(super) fn add(&mut self, walk: impl FnOnce(&mut Vec<Other>) -> Walked) -> End {
        let before = self.others.len();
        let walked = walk(&mut self.others);
        let number = self.walks.len() as u32;
        self.walks.push((walked, before..self.others.len()));
        End::Walked(number)
    }

    pub(super) fn clear(&mut self) {
        self.walks.clear();
        self.others.clear();
    }

    /// Where a packet arrived, if it did: what [`of`](Self::of) says, for those who only count.
    #[inline]
    pub(super) fn place(&self, end: End) -> Option<Place> {
        match end {
            End::Waits => None,
            End::Repeated(place) => Some(place.unpack()),
            End::Walked(number) => match self.walks[number as usize].0.verdict {
                Verdict::Delivered(place) => Some(place),
                _ => None,
            },
        }
    }

    /// What became of a packet, and what ended beside it; `None` before it has ended.
    #[inline]
    pub(super) fn of(&self, end: End) -> Option<(Walked, &[Other])> {
        let mut found = None;
        self.tell(end, |walked, others| found = Some((walked, others)));
        found
    }

    /// Tells what became of a packet, and what ended beside it, if it has ended. By two calls: what
    /// both wrote into one place and read from there would wait until it is written.
    #[inline(always)]
    pub(super) fn tell<'a>(&'a self, end: End, tell: impl FnOnce(Walked, &'a [Other])) {
        match end {
            End::Waits => {}
            End::Repeated(place) => tell(arrived(place.unpack()), &[]),
            End::Walked(number) => {
                let (walked, others) = &self.walks[number as usize];
                tell(*walked, &self.others[others.clone()]);
            }
        }
    }
}

fn arrived(place: Place) -> Walked {
    Walked {
        verdict: Verdict::Delivered(place),
        cut: false,
    }
}
