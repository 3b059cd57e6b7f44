//! Which connection is due next: a heap with exactly one entry per connection.
//!
//! Almost every packet moves a deadline *later*. That touches nothing here: an
//! entry may be early, and is put back where it belongs when it comes up
//! (`defer`). Moving a deadline earlier than its entry moves the entry
//! (`hasten`). There are never stale entries, so memory follows the live
//! connections, and equal deadlines come out in the order of insertion.

use crate::Nanos;

/// Children per node: shallower than a binary heap, and siblings share lines.
const ARITY: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    /// Not later than the connection's deadline.
    pub(super) at: Nanos,
    /// Order of insertion.
    pub(super) sequence: u64,
    pub(super) slot: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Deadlines {
    heap: Vec<Due>,
    /// Where each slot's entry is in the heap; meaningless for free slots.
    places: Vec<u32>,
}

impl Deadlines {
    pub(super) fn first(&self) -> Option<Due> {
        self.heap.first().copied()
    }

    pub(super) fn insert(&mut self, due: Due) {
        let slot = due.slot as usize;
        if self.places.len() <= slot {
            self.places.resize(slot + 1, 0);
        }
        self.heap.push(due);
        self.rise(self.heap.len() - 1);
    }

    /// Removes the entry of a connection.
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(place) = self.place(slot) else {
            return;
        };
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.settle(place);
        }
    }

    /// Makes sure that the entry of a connection comes up at `at` or before.
    pub(super) fn hasten(&mut self, slot: u32, at: Nanos) {
        if let Some(place) = self.place(slot)
            && at < self.heap[place].at
        {
            self.heap[place].at = at;
            self.rise(place);
        }
    }

    /// Puts the entry of a connection back to `at`.
    pub(super) fn defer(&mut self, slot: u32, at: Nanos) {
        if let Some(place) = self.place(slot) {
            self.heap[place].at = at;
            self.settle(place);
        }
    }

    fn place(&self, slot: u32) -> Option<usize> {
        let place = *self.places.get(slot as usize)? as usize;
        (self.heap.get(place)?.slot == slot).then_some(place)
    }

    fn settle(&mut self, place: usize) {
        let place = self.rise(place);
        self.sink(place);
    }

    /// Moves an entry towards the root as far as it belongs; returns its place.
    fn rise(&mut self, mut place: usize) -> usize {
        let moving = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if self.heap[parent] <= moving {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        self.put(place, moving);
        place
    }

    fn sink(&mut self, mut place: usize) {
        let moving = self.heap[place];
        loop {
            let first = place * ARITY + 1;
            let children = first..(first + ARITY).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child]) else {
                break;
            };
            if moving <= self.heap[least] {
                break;
            }
            self.put(place, self.heap[least]);
            place = least;
        }
        self.put(place, moving);
    }

    fn put(&mut self, place: usize, due: Due) {
        self.heap[place] = due;
        self.places[due.slot as usize] = place as u32;
    }
}

#[cfg(test)]
impl Deadlines {
    pub(super) fn entries(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.heap.capacity().max(self.places.capacity())
    }
}
