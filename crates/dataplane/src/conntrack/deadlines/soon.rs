//! Timers that were set within the clock's tick or before it, exact to the nanosecond: a heap that knows
//! where each of them is.

use super::Due;
use super::place::{Place, Places};

/// Children per node: shallower than a binary heap, and siblings share lines.
const ARITY: usize = 4;

#[derive(Debug, Clone, Default)]
pub(super) struct Soon(Vec<Due>);

impl Soon {
    pub(super) fn first(&self) -> Option<Due> {
        self.0.first().copied()
    }

    pub(super) fn get(&self, index: usize) -> Due {
        self.0[index]
    }

    pub(super) fn push(&mut self, due: Due, places: &mut Places) {
        self.0.push(due);
        self.rise(self.0.len() - 1, places);
    }

    /// Takes the timer out that is at an index of the heap.
    pub(super) fn remove(&mut self, index: usize, places: &mut Places) {
        places.set(self.0[index].slot, Place::Off);
        self.0.swap_remove(index);
        if index < self.0.len() {
            let index = self.rise(index, places);
            self.sink(index, places);
        }
    }

    /// Moves a timer towards the root as far as it belongs; returns where it is then.
    fn rise(&mut self, mut index: usize, places: &mut Places) -> usize {
        let moving = self.0[index];
        while index > 0 {
            let parent = (index - 1) / ARITY;
            if self.0[parent].order() <= moving.order() {
                break;
            }
            self.put(index, self.0[parent], places);
            index = parent;
        }
        self.put(index, moving, places);
        index
    }

    fn sink(&mut self, mut index: usize, places: &mut Places) {
        let moving = self.0[index];
        loop {
            let first = index * ARITY + 1;
            let children = first..(first + ARITY).min(self.0.len());
            let Some(least) = children.min_by_key(|&child| self.0[child].order()) else {
                break;
            };
            if moving.order() <= self.0[least].order() {
                break;
            }
            self.put(index, self.0[least], places);
            index = least;
        }
        self.put(index, moving, places);
    }

    fn put(&mut self, index: usize, due: Due, places: &mut Places) {
        self.0[index] = due;
        places.set(due.slot, Place::Soon(index));
    }
}

#[cfg(test)]
impl Soon {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// No timer comes before its parent, and each is where it says.
    pub(super) fn assert_sound(&self, places: &Places) {
        for (index, due) in self.0.iter().enumerate() {
            assert!(index == 0 || self.0[(index - 1) / ARITY].order() <= due.order());
            assert_eq!(places.get(due.slot), Place::Soon(index));
        }
    }
}
