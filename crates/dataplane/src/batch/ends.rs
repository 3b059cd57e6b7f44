//! How the packets of a batch ended.

use crate::flow_cache::PackedPlace;
use crate::walk::{Other, Walked};
use crate::{Place, Verdict};
use std::ops::Range;

/// How a packet ended, in a word: not yet, or it arrived by a way that was remembered, at a place, or it
/// was walked, as so many before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End(u32);

/// No place has this bit.
const WALKED: u32 = 1 << 31;
const _: () = assert!(PackedPlace::BITS <= 31);

impl End {
    /// It has not yet.
    pub(super) const WAITS: Self = Self(u32::MAX);

    /// It arrived by a way that was remembered.
    #[inline]
    pub(super) fn repeated(place: PackedPlace) -> Self {
        Self(place.to_bits())
    }

    #[inline]
    fn unpack(self) -> How {
        match self {
            Self::WAITS => How::NotYet,
            Self(word) if word & WALKED != 0 => How::Walked((word ^ WALKED) as usize),
            Self(word) => How::Repeated(PackedPlace::from_bits(word)),
        }
    }
}

enum How {
    NotYet,
    Repeated(PackedPlace),
    Walked(usize),
}

/// What became of the packets that were walked.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Each with the range of `others` that ended with it.
    walks: Vec<(Walked, Range<usize>)>,
    /// What ended beside the packets, in the order in which it ended.
    others: Vec<Other>,
}

impl Ends {
    /// A packet is walked.
    pub(super) fn add(&mut self, walk: impl FnOnce(&mut Vec<Other>) -> Walked) -> End {
        let before = self.others.len();
        let walked = walk(&mut self.others);
        // Far fewer: each is a packet in memory.
        let number = self.walks.len() as u32;
        self.walks.push((walked, before..self.others.len()));
        End(WALKED | number)
    }

    pub(super) fn clear(&mut self) {
        self.walks.clear();
        self.others.clear();
    }

    /// Where a packet arrived, if it did: what [`of`](Self::of) says, for those who only count.
    #[inline]
    pub(super) fn place(&self, end: End) -> Option<Place> {
        match end.unpack() {
            How::NotYet => None,
            How::Repeated(place) => Some(place.unpack()),
            How::Walked(number) => match self.walks[number].0.verdict {
                Verdict::Delivered(place) => Some(place),
                _ => None,
            },
        }
    }

    /// Where a packet arrived if that is all that became of it.
    #[inline]
    pub(super) fn plain_place(&self, end: End) -> Option<PackedPlace> {
        match end.unpack() {
            How::NotYet => None,
            How::Repeated(place) => Some(place),
            How::Walked(number) => match &self.walks[number] {
                (
                    Walked {
                        verdict: Verdict::Delivered(place),
                        cut: false,
                    },
                    others,
                ) if others.is_empty() => Some(PackedPlace::of(*place)),
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
        match end.unpack() {
            How::NotYet => {}
            How::Repeated(place) => tell(arrived(place.unpack()), &[]),
            How::Walked(number) => {
                let (walked, others) = &self.walks[number];
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
