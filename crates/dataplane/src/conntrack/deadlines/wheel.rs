//! Timers in buckets, and within a bucket in no order.
//!
//! A bucket is a pile of chunks. So a walk through a bucket reads memory in sequence, which a
//! linked list of timers would not, and a timer is taken from anywhere by putting the bucket's
//! last one in its place.

use super::Due;
use super::bucket::{Bucket, LEVELS, RING};
use super::place::{Place, Places, STRIDE};
use crate::memory::{Large, prefetch};

/// Timers of a chunk: with them it is four cache lines long.
const CHUNK: usize = 20;

/// No chunk.
const NONE: u32 = u32::MAX;

/// Some timers of a bucket.
#[derive(Debug, Clone)]
struct Chunk {
    timers: [Due; CHUNK],
    len: u32,
    /// The chunk below it in the pile; of a chunk that is not in use, the next such one.
    below: u32,
    /// The pile.
    pile: u32,
}

const _: () = assert!(size_of::<Chunk>() <= 256 && CHUNK <= STRIDE);

/// The chunks of a bucket: all but the top one are full.
#[derive(Debug, Clone, Copy)]
struct Pile {
    top: u32,
    len: u32,
}

const EMPTY: Pile = Pile { top: NONE, len: 0 };

#[derive(Debug, Clone)]
pub(super) struct Wheel {
    piles: Vec<Pile>,
    /// Which buckets of each level's ring have a timer.
    occupied: [u128; LEVELS as usize],
    chunks: Large<Chunk>,
    /// The first chunk that is not in use.
    unused: u32,
}

impl Default for Wheel {
    fn default() -> Self {
        Self {
            piles: vec![EMPTY; LEVELS as usize * RING as usize],
            occupied: [0; LEVELS as usize],
            chunks: Large::new(),
            unused: NONE,
        }
    }
}

fn pile_of(bucket: Bucket) -> usize {
    bucket.level as usize * RING as usize + bucket.on_ring() as usize
}

impl Wheel {
    #[inline]
    pub(super) fn push(&mut self, due: Due, bucket: Bucket, places: &mut Places) {
        let pile = pile_of(bucket);
        let Pile { top, len } = &mut self.piles[pile];
        *len += 1;
        let top = match self.chunks.get(*top as usize) {
            Some(chunk) if (chunk.len as usize) < CHUNK => *top,
            _ => self.heap_up(pile),
        };
        let chunk = &mut self.chunks[top as usize];
        let index = chunk.len as usize;
        chunk.timers[index] = due;
        chunk.len += 1;
        let chunk = top as usize;
        places.set(due.slot, Place::Chunk { chunk, index });
    }

    /// Puts an empty chunk on a pile.
    fn heap_up(&mut self, pile: usize) -> u32 {
        if self.unused == NONE {
            self.unused = self.chunks.len() as u32;
            let chunk = Chunk {
                timers: [Due::default(); CHUNK],
                len: 0,
                below: NONE,
                pile: 0,
            };
            self.chunks.push(chunk);
        }
        let top = self.unused;
        let chunk = &mut self.chunks[top as usize];
        let below = std::mem::replace(&mut self.piles[pile].top, top);
        self.unused = std::mem::replace(&mut chunk.below, below);
        chunk.pile = pile as u32;
        self.occupied[pile / RING as usize] |= 1 << (pile % RING as usize);
        top
    }

    /// Takes the last timer out of a bucket. Its place is to be set anew.
    #[inline]
    pub(super) fn pop(&mut self, bucket: Bucket) -> Option<Due> {
        self.pop_pile(pile_of(bucket))
    }

    #[inline]
    fn pop_pile(&mut self, pile: usize) -> Option<Due> {
        let Pile { top, len } = &mut self.piles[pile];
        let chunk = self.chunks.get_mut(*top as usize)?;
        *len -= 1;
        chunk.len -= 1;
        let due = chunk.timers[chunk.len as usize];
        if chunk.len == 0 {
            let emptied = std::mem::replace(top, chunk.below);
            chunk.below = std::mem::replace(&mut self.unused, emptied);
            if *top == NONE {
                self.occupied[pile / RING as usize] &= !(1 << (pile % RING as usize));
            }
        }
        Some(due)
    }

    /// Asks for a timer ahead of its use.
    pub(super) fn prefetch(&self, chunk: usize, index: usize) {
        if let Some(timer) = self.chunks.get(chunk).and_then(|one| one.timers.get(index)) {
            prefetch(timer);
        }
    }

    pub(super) fn get(&self, chunk: usize, index: usize) -> Due {
        self.chunks[chunk].timers[index]
    }

    /// Takes out the timer at an index of a chunk.
    pub(super) fn remove(&mut self, chunk: usize, index: usize, places: &mut Places) {
        let gone = self.get(chunk, index);
        if let Some(last) = self.pop_pile(self.chunks[chunk].pile as usize)
            && last.slot != gone.slot
        {
            self.chunks[chunk].timers[index] = last;
            places.set(last.slot, Place::Chunk { chunk, index });
        }
        places.set(gone.slot, Place::Off);
    }

    /// How many timers a bucket has.
    #[inline]
    pub(super) fn len(&self, bucket: Bucket) -> u32 {
        self.piles[pile_of(bucket)].len
    }

    /// The first bucket after this one on its ring that has a timer.
    #[inline]
    pub(super) fn after(&self, bucket: Bucket) -> Option<Bucket> {
        let occupied = self.occupied[bucket.level as usize];
        let first = bucket.next();
        let ahead = occupied.rotate_right(first.on_ring());
        (ahead != 0).then(|| Bucket {
            number: first.number + u64::from(ahead.trailing_zeros()),
            ..first
        })
    }
}

#[cfg(test)]
impl Wheel {
    /// How many timers there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.chunks.len() * CHUNK
    }

    /// Every timer is where it says, and every chunk in one pile or in none; returns how many
    /// timers there are.
    pub(super) fn assert_sound(&self, places: &Places) -> usize {
        let mut timers = 0;
        let mut chunks = 0;
        for (number, pile) in self.piles.iter().enumerate() {
            let bit = 1 << (number % RING as usize);
            let occupied = self.occupied[number / RING as usize] & bit != 0;
            assert_eq!(occupied, pile.len > 0);
            let mut len = 0;
            let mut at = pile.top;
            while let Some(chunk) = self.chunks.get(at as usize) {
                assert_eq!(chunk.pile as usize, number);
                assert!(chunk.len > 0 && (at == pile.top || chunk.len as usize == CHUNK));
                for (index, due) in chunk.timers[..chunk.len as usize].iter().enumerate() {
                    let chunk = at as usize;
                    assert_eq!(places.get(due.slot), Place::Chunk { chunk, index });
                }
                len += chunk.len;
                chunks += 1;
                at = chunk.below;
            }
            assert_eq!(len, pile.len);
            timers += len as usize;
        }
        let mut at = self.unused;
        while let Some(chunk) = self.chunks.get(at as usize) {
            chunks += 1;
            at = chunk.below;
        }
        assert_eq!(chunks, self.chunks.len());
        timers
    }
}
