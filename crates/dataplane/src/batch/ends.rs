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

/// What became of the packets.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Of each, apart from the packets: who carries them writes here and nowhere beside them, who counts
    /// reads nothing else.
    each: Vec<End>,
    /// Those that were walked, each with the range of `others` that ended with it.
    walks: Vec<(Walked, Range<usize>)>,
    /// What ended beside the packets, in the order in which it ended.
    others: Vec<Other>,
}

impl Ends {
    /// So many packets have not ended yet.
    pub(super) fn begin(&mut self, packets: usize) {
        self.clear();
        self.each.resize(packets, End::WAITS);
    }

    /// The packet with this number and those after it.
    #[inline]
    pub(super) fn from(&mut self, first: usize) -> &mut [End] {
        &mut self.each[first..]
    }

    /// The packet with this number has ended.
    #[inline]
    pub(super) fn set(&mut self, number: usize, end: End) {
        self.each[number] = end;
    }

    /// The packet with this number is walked.
    pub(super) fn add(&mut self, number: usize, walk: impl FnOnce(&mut Vec<Other>) -> Walked) {
        let before = self.others.len();
        let walked = walk(&mut self.others);
        // Far fewer: each is a packet in memory.
        let walk = self.walks.len() as u32;
        self.walks.push((walked, before..self.others.len()));
        self.each[number] = End(WALKED | walk);
    }

    pub(super) fn clear(&mut self) {
        self.each.clear();
        self.walks.clear();
        self.others.clear();
    }

    /// How many packets [there are](Self::begin).
    pub(super) fn len(&self) -> usize {
        self.each.len()
    }

    /// How the packet with this number ended.
    #[inline]
    fn how(&self, number: usize) -> How {
        let end = self.each.get(number);
        end.map_or(How::NotYet, |end| end.unpack())
    }

    /// Where each packet arrived, if it did: what [`of`](Self::of) says, for those who only count.
    #[inline]
    pub(super) fn places(&self) -> impl Iterator<Item = Option<Place>> {
        self.each.iter().map(|end| match end.unpack() {
            How::NotYet => None,
            How::Repeated(place) => Some(place.unpack()),
            How::Walked(walk) => match self.walks[walk].0.verdict {
                Verdict::Delivered(place) => Some(place),
                _ => None,
            },
        })
    }

    /// Where a packet arrived if that is all that became of it.
    #[inline]
    pub(super) fn plain_place(&self, number: usize) -> Option<PackedPlace> {
        match self.how(number) {
            How::NotYet => None,
            How::Repeated(place) => Some(place),
            How::Walked(walk) => match &self.walks[walk] {
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
    pub(super) fn of(&self, number: usize) -> Option<(Walked, &[Other])> {
        let mut found = None;
        self.tell(number, |walked, others| found = Some((walked, others)));
        found
    }

    /// Tells what became of a packet, and what ended beside it, if it has ended. By two calls: what
    /// both wrote into one place and read from there would wait until it is written.
    #[inline(always)]
    pub(super) fn tell<'a>(&'a self, number: usize, tell: impl FnOnce(Walked, &'a [Other])) {
        match self.how(number) {
            How::NotYet => {}
            How::Repeated(place) => tell(arrived(place.unpack()), &[]),
            How::Walked(walk) => {
                let (walked, others) = &self.walks[walk];
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
