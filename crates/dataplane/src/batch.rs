//! Many packets at once.
//!
//! The frames of a batch lie in one arena and are rewritten there, in place.

mod ends;
mod told;

pub use told::{Ended, InOrder};

use crate::ahead::{Ahead, Found};
use crate::conntrack::{Direction, Settings, TrackId};
use crate::flow_cache::{Entry, EntryId, FlowCache, Key, PackedSource, Start};
use crate::memory::prefetch;
use crate::observe::Observer;
use crate::walk::{Arrival, Fragment, walk, walk_and_remember, walk_fragment};
use crate::{Nanos, Program, State};
use bytes::BytesMut;
use ends::{End, Ends};
use std::ops::Range;
use vpcsim_packet::{Glance, Headers, Shape};

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
    /// What each counts where it arrives.
    weights: Vec<u32>,
    /// What is known of fragments whose datagram's first is known, with the packet's number.
    fragments: Vec<(usize, Option<Fragment>)>,
    ends: Ends,
}

/// One packet of a batch: what whoever carries it reads, and never writes, since it often comes from
/// another core. Two fill a cache line.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Its [`Arrival`], in fewer bytes.
    id: u64,
    time: Nanos,
    from: PackedSource,
    len: u32,
    /// Where it lies in the arena.
    start: usize,
}

const _: () = assert!(size_of::<Slot>() == 32);

/// Most bytes of a packet, with what a capture has after it: far more than IPv4 allows.
const MOST_BYTES: usize = u32::MAX as usize;

impl Slot {
    fn arrival(&self) -> Arrival {
        Arrival {
            id: self.id,
            time: self.time,
            source: self.from.unpack(),
        }
    }

    #[inline]
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.len as usize
    }
}

/// Packets that are looked up together before the first of them acts: enough that the waits for
/// memory overlap, few enough that what was asked for is still near.
const CHUNK: usize = 64;

/// How many packets ahead the bytes of one are asked for, and its slot: where another core has written
/// them they are far, and the hardware does not look far enough.
const BYTES_AHEAD: usize = 16;
const SLOTS_AHEAD: usize = 2 * BYTES_AHEAD;

/// A packet's flow, and where the cache has it.
#[derive(Debug, Clone, Copy)]
struct Looked {
    key: Key,
    /// Where the look-up starts.
    start: Start,
    /// Where it ends, a guess.
    at: EntryId,
    shape: Shape,
}

const _: () = assert!(size_of::<Option<Looked>>() == 32);

/// A TCP segment: its number in the chunk, and its connection.
type Segment = (u8, Direction, TrackId);

const NO_SEGMENT: Segment = (0, Direction::Original, TrackId(0));

impl Batch {
    /// Packets of a full batch: enough that cache misses overlap, few enough that their headers
    /// stay in the first-level cache.
    pub const SIZE: usize = 256;

    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a packet: its bytes from the IPv4 header on, as [`walk`] takes them.
    #[inline]
    pub fn push(&mut self, arrival: Arrival, bytes: &[u8]) {
        self.push_weighing(arrival, bytes, 0);
    }

    /// Adds a packet that has a weight in [sums](Self::sum_up) of those that arrive.
    // Inlined, so that the arrival stays in registers: it is written in words and copied two at a time.
    #[inline]
    pub fn push_weighing(&mut self, arrival: Arrival, bytes: &[u8], weight: u32) {
        let bytes = bytes.get(..MOST_BYTES).unwrap_or(bytes);
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.packets.push(Slot {
            id: arrival.id,
            time: arrival.time,
            from: PackedSource::of(arrival.source),
            len: bytes.len() as u32,
            start,
        });
        self.weights.push(weight);
    }

    /// Adds a fragment whose datagram's flow is known.
    pub(crate) fn push_fragment(
        &mut self,
        arrival: Arrival,
        bytes: &[u8],
        weight: u32,
        fragment: Fragment,
    ) {
        self.fragments.push((self.len(), Some(fragment)));
        self.push_weighing(arrival, bytes, weight);
    }

    /// Moves the packet pushed as number `index` to the end of another batch.
    pub(crate) fn move_to(&mut self, index: usize, other: &mut Self) {
        let (slot, weight) = (self.packets[index], self.weights[index]);
        let (arrival, bytes) = (slot.arrival(), &self.arena[slot.range()]);
        match take_fragment(&mut self.fragments, index) {
            Some(fragment) => other.push_fragment(arrival, bytes, weight, fragment),
            None => other.push_weighing(arrival, bytes, weight),
        }
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
        let range = self.packets.get(index)?.range();
        self.arena.get_mut(range)
    }

    /// Forgets all packets and keeps the room that they took.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.packets.clear();
        self.weights.clear();
        self.fragments.clear();
        self.ends.clear();
    }

    /// Carries every packet to its verdict, in order.
    ///
    /// The same verdicts, bytes and state as [`walk`] for each packet in turn. A packet of a flow
    /// whose last packets all fared alike takes the way that they took, at the cost of one
    /// look-up, unless an observer watches that does not [remember](Observer::REMEMBERS) itself.
    pub fn run<O: Observer>(&mut self, program: &Program, state: &mut State, observer: &mut O) {
        self.ends.begin(self.len());
        let all_stops = O::WATCHES && !O::REMEMBERS;
        if all_stops || program.verify_checksums() {
            for (index, slot) in self.packets.iter().enumerate() {
                let bytes = &mut self.arena[slot.range()];
                let arrival = slot.arrival();
                let fragment = take_fragment(&mut self.fragments, index);
                self.ends.add(index, |others| match fragment {
                    Some(fragment) => {
                        walk_fragment(program, state, &arrival, bytes, fragment, observer, others)
                    }
                    None => walk(program, state, arrival, bytes, observer, others),
                });
            }
            return;
        }
        let mut looked = [None; CHUNK];
        let mut segments = [NO_SEGMENT; CHUNK];
        for first in (0..self.packets.len()).step_by(CHUNK) {
            let last = self.packets.len().min(first + CHUNK);
            state.end_connections(program, self.packets[first].time);
            self.look_up(first..last, &state.cache, &mut looked);
            let mut next = first;
            while next < last {
                let looked = &mut looked[next - first..last - first];
                let before = state.now;
                let done = self.repeat_all(next, state, program, looked, &mut segments);
                if O::REMEMBERS {
                    let repeated = self.packets[next..].iter().zip(&looked[..done]);
                    tell_repeats(before, repeated, &state.cache, observer);
                }
                next += done;
                let rest = &looked[done..];
                let (Some(stays), false) = (self.packets.get(next), rest.is_empty()) else {
                    break;
                };
                // What ends may be the rest's: where its entries are gone, none is found.
                if state.end_connections(program, stays.time) && !state.is_behind() {
                    continue;
                }
                self.prefetch(next, program, state, rest);
                self.act(next, program, state, observer, rest);
                break;
            }
        }
    }

    /// Reads the packets' flows and asks memory for what the act will touch, so that the waits
    /// overlap: first for the lines of tags that the hashes lead to, then for the entries that they name.
    fn look_up(
        &self,
        chunk: Range<usize>,
        cache: &FlowCache,
        looked: &mut [Option<Looked>; CHUNK],
    ) {
        let looked = &mut looked[..chunk.len()];
        // A full batch is still where it was written: in the first-level cache.
        if self.len() > Self::SIZE {
            self.read_flows::<true>(chunk, cache, looked);
        } else {
            self.read_flows::<false>(chunk, cache, looked);
        }
        for looked in looked.iter_mut().flatten() {
            looked.at = cache.guess(looked.start);
        }
    }

    /// The first half of a [look-up](Self::look_up). `FAR`: whether packets come from afar, decided once
    /// and not for each.
    #[inline(always)]
    fn read_flows<const FAR: bool>(
        &self,
        chunk: Range<usize>,
        cache: &FlowCache,
        looked: &mut [Option<Looked>],
    ) {
        for (index, looked) in chunk.zip(looked) {
            if FAR {
                self.prefetch_packets(index);
            }
            let slot = &self.packets[index];
            let bytes = &self.arena[slot.range()];
            *looked = Glance::of(bytes).map(|glance| {
                let key = Key::of(slot.from, &glance);
                Looked {
                    key,
                    start: cache.start(key.hash()),
                    at: EntryId::NONE,
                    shape: glance.shape,
                }
            });
        }
    }

    /// Asks for packets that come some time after this one.
    #[inline(always)]
    fn prefetch_packets(&self, index: usize) {
        if let Some(slot) = self.packets.get(index + SLOTS_AHEAD) {
            prefetch(slot);
        }
        let slot = self.packets.get(index + BYTES_AHEAD);
        if let Some(first) = slot.and_then(|slot| self.arena.get(slot.start)) {
            prefetch(first);
        }
    }

    /// The commonest case: every packet of a chunk takes a way that is remembered, and nothing is
    /// due before that it could matter to; else as many as there are before something is. Such packets
    /// touch nothing but their own flows, so that each step can be done for all of them before the
    /// next: no step waits for memory, none branches on what nobody can foresee. Returns how many
    /// packets, from the first on, have had their turn. What is in `segments` does not matter.
    ///
    /// Not a matter of who watches: compiled once, here, where all that it calls can be inlined.
    fn repeat_all(
        &mut self,
        first: usize,
        state: &mut State,
        program: &Program,
        looked: &mut [Option<Looked>],
        segments: &mut [Segment; CHUNK],
    ) -> usize {
        let packets = &self.packets[first..first + looked.len()];
        let arena = &mut self.arena[..];
        let (due, must) = (state.next_due(), state.next_must());
        let alive = program.least_life();
        let State { cache, tracks, .. } = state;
        let mut now = state.now;
        let mut before_due = looked.len();
        let mut tcp = 0;
        for (number, (slot, looked)) in packets.iter().zip(&mut *looked).enumerate() {
            let Some(looked) = looked else { return 0 };
            let Looked { key, at, shape, .. } = looked;
            let entry = match cache.at(*at, key) {
                Some(entry) => entry,
                // One in fifty: another entry of the line has the same tag.
                None => match cache.find(key) {
                    Some(found) => {
                        *at = found;
                        cache.get(found)
                    }
                    None => return 0,
                },
            };
            if entry.is_limited() | !entry.admits(shape) {
                return 0;
            }
            now = now.max(slot.time);
            if now >= due && (now >= must || !entry.came_within(alive, now)) {
                before_due = number;
                break;
            }
            if let Some((track, direction)) = entry.track() {
                segments[tcp] = (number as u8, direction, track);
                tcp += usize::from(shape.is_tcp());
                tracks.prefetch(track, shape.is_tcp());
            }
        }
        let State { cache, tracks, .. } = state;
        let settings = Settings::of(program);
        let mut goes_on = |&&(number, direction, track): &&Segment| {
            let number = usize::from(number);
            let (slot, Some(looked)) = (&packets[number], &looked[number]) else {
                return false;
            };
            let bytes = &arena[slot.range()];
            let mut tracker = tracks.get_mut(track);
            tracker.go_on(bytes, &looked.shape, direction, &settings)
        };
        let stopped = segments[..tcp].iter().find(|segment| !goes_on(segment));
        let done = stopped.map_or(before_due, |(number, ..)| usize::from(*number));
        let mut clock = state.now;
        let ends = &mut self.ends.from(first)[..done];
        for ((slot, looked), end) in packets[..done].iter().zip(&looked[..done]).zip(ends) {
            // There is one for each of these.
            let Some(looked) = looked else { continue };
            let bytes = &mut arena[slot.range()];
            clock = clock.max(slot.time);
            let entry = cache.get_mut(looked.at);
            entry.take(clock);
            looked.shape.write(bytes, entry.change());
            *end = End::repeated(entry.place());
        }
        state.now = clock;
        cache.hits += done as u64;
        done
    }

    /// Asks for what packets will touch when they have their turn.
    fn prefetch(&self, first: usize, program: &Program, state: &State, looked: &[Option<Looked>]) {
        let mut ahead = [Ahead::default(); CHUNK];
        let packets = self.packets[first..].iter().zip(looked);
        for ((slot, looked), ahead) in packets.zip(&mut ahead) {
            let Some(looked) = looked else { continue };
            match state.cache.at(looked.at, &looked.key) {
                Some(entry) => {
                    if let Some((track, _)) = entry.track() {
                        state.tracks.prefetch(track, looked.shape.is_tcp());
                    }
                }
                None => *ahead = state.prefetch(program, slot.from.unpack(), &looked.key.flow()),
            }
        }
        let mut found = [Found::default(); CHUNK];
        for ((looked, ahead), found) in looked.iter().zip(&ahead).zip(&mut found) {
            let Some(looked) = looked else { continue };
            *found = state.prefetch_found(program, ahead, &looked.key.flow());
        }
        let tracks = found.map(|found| state.prefetch_rest(&found));
        for track in tracks.into_iter().flatten() {
            state.prefetch_entries(track);
        }
    }

    /// Lets every packet have its turn: by the way that is remembered, else it is walked.
    fn act<O: Observer>(
        &mut self,
        first: usize,
        program: &Program,
        state: &mut State,
        observer: &mut O,
        looked: &[Option<Looked>],
    ) {
        let Self {
            arena,
            packets,
            fragments,
            ends,
            ..
        } = self;
        if looked.is_empty() {
            return;
        }
        let settings = Settings::of(program);
        let (mut due, mut must) = (state.next_due(), state.next_must());
        for (index, (slot, looked)) in (first..).zip(packets[first..].iter().zip(looked)) {
            let bytes = &mut arena[slot.range()];
            let arrival = slot.arrival();
            match looked {
                Some(looked) => {
                    let now = state.now.max(arrival.time);
                    // What is due ends before the packet has its turn, and may take its entry
                    // along.
                    let repeats =
                        now < due || now < must && state.outlives(program, &looked.key, now);
                    let repeated = repeats.then(|| state.repeat(looked, now, bytes, &settings));
                    if let Some(entry) = repeated.flatten() {
                        if O::REMEMBERS {
                            observer.repeat(&entry.repeat(arrival.id, now, &looked.shape));
                        }
                        let place = entry.place();
                        state.cache.hits += 1;
                        ends.set(index, End::repeated(place));
                        continue;
                    }
                    let key = &looked.key;
                    ends.add(index, |others| {
                        walk_and_remember(program, state, &arrival, bytes, key, observer, others)
                    });
                }
                None => match take_fragment(fragments, index) {
                    Some(fragment) => ends.add(index, |others| {
                        walk_fragment(program, state, &arrival, bytes, fragment, observer, others)
                    }),
                    None => ends.add(index, |others| {
                        walk(program, state, arrival, bytes, observer, others)
                    }),
                },
            }
            (due, must) = (state.next_due(), state.next_must());
        }
    }
}

/// What is known of the packet with this number, if it is such a fragment.
fn take_fragment(fragments: &mut [(usize, Option<Fragment>)], index: usize) -> Option<Fragment> {
    let at = fragments.binary_search_by_key(&index, |(index, _)| *index);
    fragments[at.ok()?].1.take()
}

/// Tells an observer of packets that took remembered ways, from the virtual time before the first.
fn tell_repeats<'a, O: Observer>(
    before: Nanos,
    repeated: impl Iterator<Item = (&'a Slot, &'a Option<Looked>)>,
    cache: &FlowCache,
    observer: &mut O,
) {
    let mut clock = before;
    for (slot, looked) in repeated {
        let Some(looked) = looked else { continue };
        clock = clock.max(slot.time);
        let entry = cache.get(looked.at);
        observer.repeat(&entry.repeat(slot.id, clock, &looked.shape));
    }
}

impl State {
    /// Lets a packet take the way that its flow's last packets took: the entry. `None` where no
    /// such way is known or the packet cannot take it; then nothing has happened.
    #[inline]
    fn repeat(
        &mut self,
        looked: &Looked,
        now: Nanos,
        bytes: &mut [u8],
        settings: &Settings,
    ) -> Option<&Entry> {
        let Looked { key, shape, .. } = looked;
        // An entry that came in the meantime is not where it was guessed.
        let id = self.cache.find(key)?;
        let entry = self.cache.get_mut(id);
        if !entry.admits(shape) {
            return None;
        }
        let limits = entry.is_limited().then(|| entry.charges());
        let len = usize::from(shape.total_len());
        if let Some(mut limits) = limits.clone()
            && !limits.all(|charge| self.buckets.allows(charge, len, now))
        {
            return None;
        }
        if shape.is_tcp()
            && let Some((track, direction)) = entry.track()
        {
            let mut tracker = self.tracks.get_mut(track);
            let goes_on = tracker.go_on(bytes, shape, direction, settings)
                || Headers::parse(bytes)
                    .is_ok_and(|headers| tracker.follow(bytes, &headers, direction, now, settings));
            if !goes_on {
                return None;
            }
        }
        for charge in limits.into_iter().flatten() {
            self.buckets.take(charge, len, now);
        }
        entry.take(now);
        shape.write(bytes, entry.change());
        self.now = now;
        Some(entry)
    }
}
