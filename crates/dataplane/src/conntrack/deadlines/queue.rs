//! The next few timers of the clock's tick, in order: known before the first of them has its turn, so
//! that what ending them touches can be asked for.

use super::Due;
use super::place::{Place, Places};

/// How many are named ahead.
pub(crate) const AHEAD: usize = 32;

/// No timer: one was taken from here.
const GONE: u32 = u32::MAX;

/// Some timers, the first ones first.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    timers: [Due; AHEAD],
    /// Those before have had their turn.
    from: usize,
    to: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            timers: [Due::default(); AHEAD],
            from: 0,
            to: 0,
        }
    }
}

impl Queue {
    #[inline]
    pub(super) fn first(&self) -> Option<Due> {
        self.timers[self.from..self.to].first().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    pub(super) fn get(&self, index: usize) -> Due {
        self.timers[index]
    }

    /// Adds a timer that comes after all that are there; false where there is no room.
    pub(super) fn push(&mut self, due: Due, places: &mut Places) -> bool {
        if self.is_empty() {
            (self.from, self.to) = (0, 0);
        }
        let Some(timer) = self.timers.get_mut(self.to) else {
            return false;
        };
        *timer = due;
        places.set(due.slot, Place::Queue(self.to));
        self.to += 1;
        true
    }

    /// Takes the timer out that is at an index.
    pub(super) fn remove(&mut self, index: usize, places: &mut Places) {
        let gone = std::mem::replace(&mut self.timers[index].slot, GONE);
        places.set(gone, Place::Off);
        while self.from < self.to && self.timers[self.from].slot == GONE {
            self.from += 1;
        }
    }

    /// Those that are there.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        let slots = self.timers[self.from..self.to].iter().map(|due| due.slot);
        slots.filter(|&slot| slot != GONE)
    }
}

#[cfg(test)]
impl Queue {
    /// The timers are in order, the first one is there, and each is where it says; returns how many
    /// there are.
    pub(super) fn assert_sound(&self, places: &Places) -> usize {
        let timers = &self.timers[self.from..self.to];
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
}
