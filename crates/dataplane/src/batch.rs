//! Many packets at once.
//!
//! The frames of a batch lie in one arena and are rewritten there, in place.

mod ends;
mod one_by_one;
mod told;

pub use told::{Ended, InOrder};

use crate::conntrack::{Direction, Settings, TrackId};
use crate::flow_cache::{EntryId, FlowCache, Key, PackedSource, Start};
use crate::memory::prefetch;
use crate::observe::Observer;
use crate::walk::{Arrival, Fragment};
use crate::{Nanos, Program, State};
use bytes::BytesMut;
use ends::{End, Ends};
use one_by_one::take_fragment;
use std::ops::Range;
use vpcsim_packet::{Glance, Shape};

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

    /// Adds a packet: its bytes from the IPv4 header on, as [`walk`](fn@crate::walk) takes them.
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

    /// Adds a packet, with what is known of its datagram if it is a fragment whose first one is known.
    pub(crate) fn push_known(
        &mut self,
        arrival: Arrival,
        bytes: &[u8],
        weight: u32,
        fragment: Option<Fragment>,
    ) {
        if fragment.is_some() {
            self.fragments.push((self.len(), fragment));
        }
        self.push_weighing(arrival, bytes, weight);
    }

    /// Moves the packet pushed as number `index` to the end of another batch.
    pub(crate) fn move_to(&mut self, index: usize, other: &mut Self) {
        let (slot, weight) = (self.packets[index], self.weights[index]);
        let fragment = take_fragment(&mut self.fragments, index);
        let bytes = &self.arena[slot.range()];
        other.push_known(slot.arrival(), bytes, weight, fragment);
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
    /// The same verdicts, bytes and state as [`walk`](fn@crate::walk) for each packet in turn. A packet
    /// of a flow whose last packets all fared alike takes the way that they took, at the cost of one
    /// look-up, unless an observer watches that does not [remember](Observer::REMEMBERS) itself.
    pub fn run<O: Observer>(&mut self, program: &Program, state: &mut State, observer: &mut O) {
        self.ends.begin(self.len());
        let all_stops = O::WATCHES && !O::REMEMBERS;
        if all_stops || program.verify_checksums() {
            return self.walk_all(program, state, observer);
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
                self.take_turns(next, program, state, observer, rest);
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
