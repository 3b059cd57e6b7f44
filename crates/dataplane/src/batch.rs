//! Many packets at once.
//!
//! The frames of a batch lie in one arena and are rewritten there, in place.

use crate::bucket::Bucket;
use crate::conntrack::{Direction, Judgement, Settings, TrackId};
use crate::flow_cache::{Charge, Key};
use crate::observe::Observer;
use crate::walk::{Arrival, Other, Walked, walk, walk_and_remember};
use crate::{Nanos, Place, Program, State, Verdict};
use bytes::BytesMut;
use vpcsim_packet::{Glance, Headers, Protocol};

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
    /// By packet, its flow; `None` for one that cannot be known at a glance.
    looked: Vec<Option<Looked>>,
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

/// A packet's flow, and where the cache has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looked {
    glance: Glance,
    key: Key,
    hash: u64,
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
    /// The same verdicts, bytes and state as [`walk`] for each packet in turn. A packet of a flow
    /// whose last packets all fared alike takes the way that they took, at the cost of one
    /// look-up, unless an observer watches.
    pub fn run<O: Observer>(&mut self, program: &Program, state: &mut State, observer: &mut O) {
        self.walked.clear();
        self.others.clear();
        if O::WATCHES || program.verify_checksums() {
            self.walk_all(program, state, observer);
        } else {
            self.look_up(state);
            self.act(program, state);
        }
    }

    fn walk_all<O: Observer>(&mut self, program: &Program, state: &mut State, observer: &mut O) {
        for slot in &mut self.packets {
            let bytes = &mut self.arena[slot.start..slot.start + slot.len];
            let others = &mut self.others;
            let walked = walk(program, state, slot.arrival, bytes, observer, others);
            slot.others_end = self.others.len();
            self.walked.push(walked);
        }
    }

    /// Reads every packet's flow, and asks memory for all that the act will touch, so that the
    /// waits overlap: first the tags that a flow's hash leads to, then the entry that they name,
    /// then the connection that the entry names.
    fn look_up(&mut self, state: &State) {
        let cache = &state.cache;
        self.looked.clear();
        for slot in &self.packets {
            let bytes = &self.arena[slot.start..slot.start + slot.len];
            let looked = Glance::of(bytes).map(|glance| {
                let key = Key::of(slot.arrival.source, &glance);
                let hash = key.hash();
                cache.prefetch(hash);
                Looked { glance, key, hash }
            });
            self.looked.push(looked);
        }
        for looked in self.looked.iter().flatten() {
            cache.guess(looked.hash);
        }
        for looked in self.looked.iter().flatten() {
            if looked.glance.protocol == Protocol::TCP
                && let Some(entry) = cache.guess(looked.hash)
                && let Some((track, _)) = entry.track()
            {
                state.tracks.prefetch(track);
            }
        }
    }

    /// Lets every packet have its turn.
    fn act(&mut self, program: &Program, state: &mut State) {
        for (slot, looked) in self.packets.iter_mut().zip(&self.looked) {
            let bytes = &mut self.arena[slot.start..slot.start + slot.len];
            let arrival = slot.arrival;
            let others = &mut self.others;
            let Some(looked) = looked else {
                let walked = walk(program, state, arrival, bytes, &mut (), others);
                slot.others_end = others.len();
                self.walked.push(walked);
                continue;
            };
            let walked = match state.repeat(program, looked, arrival.time, bytes) {
                Some(place) => Walked {
                    verdict: Verdict::Delivered(place),
                    cut: false,
                },
                None => walk_and_remember(program, state, arrival, bytes, &looked.key, others),
            };
            slot.others_end = others.len();
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

impl State {
    /// Lets a packet take the way that its flow's last packets took: where it arrives. `None`
    /// where no such way is known or the packet cannot take it; then nothing has happened.
    #[inline]
    fn repeat(
        &mut self,
        program: &Program,
        looked: &Looked,
        time: Nanos,
        bytes: &mut [u8],
    ) -> Option<Place> {
        let now = self.now.max(time);
        // Whatever ends before this packet may take its entry along.
        if now >= self.next_due() {
            return None;
        }
        let id = self.cache.find(looked.hash, &looked.key)?;
        let entry = *self.cache.get(id);
        if !entry.admits(&looked.glance) {
            return None;
        }
        let len = usize::from(looked.glance.total_len);
        if entry.is_limited()
            && !entry
                .charges()
                .all(|charge| self.bucket(charge).allows(len, now))
        {
            return None;
        }
        if looked.glance.protocol == Protocol::TCP
            && let Some((track, direction)) = entry.track()
            && !self.follow_tcp(program, track, direction, now, bytes)
        {
            return None;
        }
        self.now = now;
        if entry.is_limited() {
            for charge in entry.charges() {
                self.bucket(charge).take(len);
            }
        }
        self.cache.hits += 1;
        self.cache.get_mut(id).take(now);
        looked.glance.write(bytes, &entry.change());
        Some(entry.place())
    }

    /// Lets a segment of an established connection count; whether it was one that changes nothing
    /// but positions. Else nothing has happened.
    fn follow_tcp(
        &mut self,
        program: &Program,
        track: TrackId,
        direction: Direction,
        now: Nanos,
        bytes: &[u8],
    ) -> bool {
        let Ok(headers) = Headers::parse(bytes) else {
            return false;
        };
        let settings = Settings::of(program);
        let tracker = self.tracks.get_mut(track);
        let before = *tracker;
        let judgement = tracker.update(bytes, &headers, direction, now, &settings);
        let follows = judgement == Judgement::Pass && tracker.is_steady();
        if !follows {
            *tracker = before;
        }
        follows
    }

    /// Nothing is due before.
    fn next_due(&self) -> Nanos {
        let due = [
            self.flows.next_expiry(),
            self.sessions.next_expiry(),
            self.fragments.next_expiry(),
        ];
        due.into_iter().flatten().min().unwrap_or(Nanos(u64::MAX))
    }

    fn bucket(&mut self, charge: Charge) -> &mut Bucket {
        match charge {
            Charge::Gateway(id) => &mut self.gateway_buckets[id.index()],
            Charge::EipOutbound(id) => &mut self.eip_buckets[id.index()].outbound,
            Charge::EipInbound(id) => &mut self.eip_buckets[id.index()].inbound,
        }
    }
}
