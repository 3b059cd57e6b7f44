//! Slots with generations: a stale id finds nothing, a free slot is used again.

use super::ConnectionId;
use crate::memory::{Large, prefetch};

#[derive(Debug, Clone)]
pub(super) struct Slab<T> {
    slots: Large<Slot<T>>,
    /// Head of the list of free slots.
    free: Option<u32>,
    len: usize,
}

/// A cache line, where the content leaves room for it.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

#[derive(Debug, Clone)]
enum Content<T> {
    Taken(T),
    Free { next: Option<u32> },
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: Large::new(),
            free: None,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, value: T) -> ConnectionId {
        self.len += 1;
        if let Some(slot) = self.free
            && let Some(Slot {
                generation,
                content,
            }) = self.slots.get_mut(slot as usize)
            && let Content::Free { next } = *content
        {
            *content = Content::Taken(value);
            let id = ConnectionId {
                slot,
                generation: *generation,
            };
            self.free = next;
            if let Some(next) = next {
                self.prefetch(next);
            }
            return id;
        }
        // 2^32 connections would take half a terabyte.
        let slot = self.slots.len() as u32;
        let content = Content::Taken(value);
        let generation = 0;
        let new = Slot {
            generation,
            content,
        };
        self.slots.push(new);
        ConnectionId {
            slot,
            generation: 0,
        }
    }

    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<T> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        if slot.generation != id.generation || matches!(slot.content, Content::Free { .. }) {
            return None;
        }
        let freed = Content::Free { next: self.free };
        let Content::Taken(value) = std::mem::replace(&mut slot.content, freed) else {
            return None;
        };
        slot.generation = slot.generation.wrapping_add(1);
        self.free = Some(id.slot);
        self.len -= 1;
        Some(value)
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&T> {
        match self.slots.get(id.slot as usize)? {
            Slot {
                generation,
                content: Content::Taken(value),
            } if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut T> {
        match self.slots.get_mut(id.slot as usize)? {
            Slot {
                generation,
                content: Content::Taken(value),
            } if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    /// Asks for a slot ahead of its use.
    pub(super) fn prefetch(&self, slot: u32) {
        if let Some(slot) = self.slots.get(slot as usize) {
            prefetch(slot);
        }
    }

    /// The content of a taken slot, and its full name.
    pub(super) fn at(&self, slot: u32) -> Option<(ConnectionId, &T)> {
        match self.slots.get(slot as usize)? {
            Slot {
                generation,
                content: Content::Taken(value),
            } => Some((
                ConnectionId {
                    slot,
                    generation: *generation,
                },
                value,
            )),
            _ => None,
        }
    }

    /// How many slots exist, free ones included.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }
}
