//! Sees the packets that take no remembered way.

use super::ways::Note;
use vpcsim_dataplane::{Observer, Stop};

/// The stops of those packets of a batch that were walked, in the order in which they were.
#[derive(Debug, Default)]
pub(super) struct Watch {
    notes: Vec<Note>,
    /// Each packet's number, and where its stops begin.
    walks: Vec<(u64, usize)>,
}

impl Observer for Watch {
    const REMEMBERS: bool = true;

    fn stop(&mut self, stop: &Stop<'_>) {
        if stop.generated {
            return;
        }
        if self.walks.last().is_none_or(|(id, _)| *id != stop.id) {
            self.walks.push((stop.id, self.notes.len()));
        }
        self.notes.push(Note::of(stop));
    }
}

impl Watch {
    /// Forgets all packets and keeps the room that they took.
    pub(super) fn clear(&mut self) {
        self.notes.clear();
        self.walks.clear();
    }

    /// The stops of walk number `at`, and whose they are.
    pub(super) fn walk(&self, at: usize) -> Option<(u64, &[Note])> {
        let &(id, start) = self.walks.get(at)?;
        let end = self
            .walks
            .get(at + 1)
            .map_or(self.notes.len(), |next| next.1);
        Some((id, &self.notes[start..end]))
    }
}
