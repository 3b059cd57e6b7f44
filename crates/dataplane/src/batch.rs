//! Many packets at once.
//!
//! The frames of a batch lie in one arena and are rewritten there, in place.

use crate::observe::Observer;
use crate::walk::{Arrival, Other, Walked, walk};
use crate::{Program, State};
use bytes::BytesMut;

/// Packets that travel together, in the order in which they were pushed.
///
/// ```text
/// while there are packets {
///     while !batch.is_full() { batch.push(arrival, bytes) }
///     batch.run(&program, &mut state, &mut ());
///     for ended in batch.ended() { … }
///     batch.clear();
/// }
/// ```
#[derive(Debug, Default)]
pub struct Batch {
    arena: BytesMut,
    packets: Vec<Slot>,
    /// By packet, the verdicts in order.
    walked: Vec<Walked>,
    /// What ended beside the packets, in the order in which it ended.
    others: Vec<Other>,
}

/// One packet of a batch.
#[derive(Debug, Clone, Copy)]
struct Slot {
    arrival: Arrival,
    /// Where it lies in the arena.
    start: usize,
    len: usize,
    /// How many of `others` had ended when it had.
    others_end: usize,
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

impl Batch {
    /// Packets of a full batch: enough that cache misses overlap, few enough that their headers
    /// stay in the first-level cache.
    pub const SIZE: usize = 256;

    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a packet: its bytes from the IPv4 header on, as [`walk`] takes them.
    pub fn push(&mut self, arrival: Arrival, bytes: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.packets.push(Slot {
            arrival,
            start,
            len: bytes.len(),
            others_end: 0,
        });
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Whether there are [`Self::SIZE`] or more: time to run.
    pub fn is_full(&self) -> bool {
        self.len() >= Self::SIZE
    }

    /// The bytes of the packet pushed as number `index`, to be changed before a run.
    pub fn bytes_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        let Slot { start, len, .. } = *self.packets.get(index)?;
        self.arena.get_mut(start..start + len)
    }

    /// Forgets all packets and keeps the room that they took.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.packets.clear();
        self.walked.clear();
        self.others.clear();
    }

    /// Carries every packet to its verdict, in order.
    ///
    /// The same verdicts, bytes and state as [`walk`] for each packet in turn.
    pub fn run<O: Observer>(&mut self, program: &Program, state: &mut State, observer: &mut O) {
        self.walked.clear();
        self.others.clear();
        for slot in &mut self.packets {
            let bytes = &mut self.arena[slot.start..slot.start + slot.len];
            let walked = walk(
                program,
                state,
                slot.arrival,
                bytes,
                observer,
                &mut self.others,
            );
            slot.others_end = self.others.len();
            self.walked.push(walked);
        }
    }

    /// What became of each packet, in order; nothing before [`Self::run`].
    pub fn ended(&self) -> impl Iterator<Item = Ended<'_>> {
        let mut others_start = 0;
        self.packets
            .iter()
            .zip(&self.walked)
            .map(move |(slot, &walked)| {
                let others = &self.others[others_start..slot.others_end];
                others_start = slot.others_end;
                Ended {
                    arrival: slot.arrival,
                    walked,
                    bytes: &self.arena[slot.start..slot.start + slot.len],
                    others,
                }
            })
    }
}
