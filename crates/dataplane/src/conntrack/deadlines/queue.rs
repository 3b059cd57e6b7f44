//! The timers of the clock's tick in order, sorted once when the tick begins: known before the first of
//! them has its turn, so that what ending them touches can be asked for.

use super::Due;
use super::place::{Place, Places};

/// How many are named ahead.
pub(crate) const AHEAD: usize = 32;

/// No timer: one was taken from here.
const GONE: u32 = u32::MAX;
/// Room that is kept for later ticks, in timers. A jump of the clock may bring all that there are.
const KEPT: usize = 1 << 12;

/// Some timers, the first ones first.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    timers: Vec<Due>,
    /// Those before have had their turn.
    from: usize,
    /// Those before have been named.
    named: usize,
}

impl Queue {
    #[inline]
    pub(super) fn first(&self) -> Option<Due> {
        self.timers.get(self.from).copied()
    }

    pub(super) fn get(&self, index: usize) -> Due {
        self.timers[index]
    }

    /// Adds a timer where there was none; it is [sorted](Self::sort) before anything else happens here.
    pub(super) fn add(&mut self, due: Due) {
        self.timers.push(due);
    }

    /// Sorts the timers that were added.
    pub(super) fn sort(&mut self, places: &mut Places) {
        self.timers.sort_unstable_by_key(Due::order);
        for (index, due) in self.timers.iter().enumerate() {
            places.set(due.slot, Place::Queue(index));
        }
    }

    /// Takes the timer out that is at an index.
    pub(super) fn remove(&mut self, index: usize, places: &mut Places) {
        let gone = std::mem::replace(&mut self.timers[index].slot, GONE);
        places.set(gone, Place::Off);
        while self.first().is_some_and(|due| due.slot == GONE) {
            self.from += 1;
        }
        if self.from == self.timers.len() {
            self.timers.clear();
            self.timers.shrink_to(KEPT);
            (self.from, self.named) = (0, 0);
        }
    }

    /// Names the next few, once those that were named before have all had their turn.
    pub(super) fn name(&mut self) -> impl Iterator<Item = u32> {
        let from = self.from.max(self.named);
        if self.from >= self.named {
            self.named = self.timers.len().min(self.from + AHEAD);
        }
        let named = self.timers[from..from.max(self.named)].iter();
        named.map(|due| due.slot).filter(|&slot| slot != GONE)
    }
}

#[cfg(test)]
impl Queue {
    /// The timers are in order, the first one is there, and each is where it says; returns how many
    /// there are.
    pub(super) fn assert_sound(&self, places: &Places) -> usize {
        let timers = &self.timers[self.from..];
        assert!(timers.first().is_none_or(|due| due.slot != GONE));
        let there: Vec<_> = timers.iter().filter(|due| due.slot != GONE).collect();
        assert!(there.is_sorted_by_key(|due| due.order()));
        for (index, due) in (self.from..).zip(timers) {
            if due.slot != GONE {
                assert_eq!(places.get(due.slot), Place::Queue(index));
            }
        }
        there.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.timers.capacity()
    }
}
