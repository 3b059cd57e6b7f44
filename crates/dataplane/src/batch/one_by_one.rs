//! The packets of a batch one after the other, each with its turn: where something comes up that may
//! matter to the next.

use super::ends::End;
use super::{Batch, CHUNK, Looked};
use crate::ahead::{Ahead, Found};
use crate::conntrack::Settings;
use crate::flow_cache::Entry;
use crate::observe::Observer;
use crate::walk::{Arrival, Fragment, Other, Walked, walk, walk_and_remember, walk_fragment};
use crate::{Nanos, Program, State};
use vpcsim_packet::Headers;

impl Batch {
    /// Walks every packet, and remembers nothing.
    pub(super) fn walk_all<O: Observer>(
        &mut self,
        program: &Program,
        state: &mut State,
        observer: &mut O,
    ) {
        for (index, slot) in self.packets.iter().enumerate() {
            let bytes = &mut self.arena[slot.range()];
            let arrival = slot.arrival();
            let fragment = take_fragment(&mut self.fragments, index);
            self.ends.add(index, |others| {
                walk_one(program, state, arrival, bytes, fragment, observer, others)
            });
        }
    }

    /// Lets the packets from this one on that were looked up have their turns: each takes the way that
    /// is remembered, else it is walked.
    pub(super) fn take_turns<O: Observer>(
        &mut self,
        first: usize,
        program: &Program,
        state: &mut State,
        observer: &mut O,
        looked: &[Option<Looked>],
    ) {
        self.prefetch(first, program, state, looked);
        let Self {
            arena,
            packets,
            fragments,
            ends,
            ..
        } = self;
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
                None => {
                    let fragment = take_fragment(fragments, index);
                    ends.add(index, |others| {
                        walk_one(program, state, arrival, bytes, fragment, observer, others)
                    });
                }
            }
            (due, must) = (state.next_due(), state.next_must());
        }
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
}

/// Walks a packet, a fragment with what is known of its datagram.
fn walk_one<O: Observer>(
    program: &Program,
    state: &mut State,
    arrival: Arrival,
    bytes: &mut [u8],
    fragment: Option<Fragment>,
    observer: &mut O,
    others: &mut Vec<Other>,
) -> Walked {
    match fragment {
        Some(fragment) => {
            walk_fragment(program, state, &arrival, bytes, fragment, observer, others)
        }
        None => walk(program, state, arrival, bytes, observer, others),
    }
}

/// What is known of the packet with this number, if it is such a fragment.
pub(super) fn take_fragment(
    fragments: &mut [(usize, Option<Fragment>)],
    index: usize,
) -> Option<Fragment> {
    let at = fragments.binary_search_by_key(&index, |(index, _)| *index);
    fragments[at.ok()?].1.take()
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
