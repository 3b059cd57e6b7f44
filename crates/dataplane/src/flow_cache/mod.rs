//! The memo of the walk: what became of a flow's last packet, so that the next one costs one
//! look-up.
//!
//! Only walks are remembered whose next packet would take the same way: every place knew the flow or
//! remembers it since, tracking let the packet pass, and nothing was made, held or cut on the way. (Who
//! watches is told of other stops where a flow begins, so that walk is not remembered for them.) What else
//! can change the outcome of such a walk is asked of each packet (its length, its time to live, the limits
//! it is counted against, what TCP tracking says of it, from the handshake on until the connection begins
//! to close), or ends the memory: a connection that ends, or that a walk changes, takes its entries along, and a
//! new program begins with an empty cache.
//!
//! While a connection's entries live, they alone know when its last packet came. The walk never
//! sees that: whatever it looks up is written back first ([`State::write_back`]).

mod entry;
mod table;

pub(crate) use crate::lines::Start;
pub(crate) use entry::{Charge, Entry, Key, Memory, PackedFlow, PackedPlace, PackedSource};
pub(crate) use table::EntryId;

use crate::conntrack::{Direction, Holder, TrackId};
use crate::state::Flow;
use crate::{Nanos, Program, Source, State};
use table::Table;
use vpcsim_packet::FlowKey;

/// Entries of all flows, both directions.
#[derive(Debug)]
pub(crate) struct FlowCache {
    table: Table,
    /// Most entries.
    limit: usize,
    /// Where the last entry had to make room.
    hand: EntryId,
    /// A walk is remembered that looked for a session in vain.
    missed_sessions: bool,
    /// Packets that took a remembered way.
    pub(crate) hits: u64,
}

impl FlowCache {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            table: Table::new(),
            limit,
            hand: EntryId::FIRST,
            missed_sessions: false,
            hits: 0,
        }
    }

    /// Entries.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether anything is remembered.
    pub(crate) fn is_on(&self) -> bool {
        self.limit > 0
    }

    /// Where a look-up starts and what it looks for; asks for what it will read first.
    #[inline]
    pub(crate) fn start(&self, hash: u64) -> Start {
        self.table.start(hash)
    }

    /// Where the entry is, most likely, from where its look-up [starts](Self::start); asks for it.
    #[inline]
    pub(crate) fn guess(&self, start: Start) -> EntryId {
        self.table.guess(start)
    }

    /// The entry of a key if it is where it was guessed.
    #[inline]
    pub(crate) fn at(&self, guess: EntryId, key: &Key) -> Option<&Entry> {
        self.table.at(guess, key)
    }

    #[inline]
    pub(crate) fn find(&self, key: &Key) -> Option<EntryId> {
        self.table.find(key.hash(), key)
    }

    #[inline]
    pub(crate) fn get(&self, id: EntryId) -> &Entry {
        self.table.get(id)
    }

    /// Asks for an entry ahead of its use.
    pub(crate) fn prefetch(&self, id: EntryId) {
        self.table.prefetch(id);
    }

    /// Asks for what finds an entry that is there.
    pub(crate) fn prefetch_line(&self, id: EntryId) {
        self.table.prefetch_line(id);
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: EntryId) -> &mut Entry {
        self.table.get_mut(id)
    }
}

impl State {
    /// Remembers a walk, whose way an observer calls `way`.
    pub(crate) fn remember(&mut self, program: &Program, key: &Key, memory: &Memory, way: u32) {
        let phase = |(track, _)| self.tracks.get(track).phase();
        let lasts = memory
            .track
            .map(phase)
            .is_none_or(|phase| program.lasts(phase));
        if !self.cache.is_on() || !lasts || !Entry::holds(memory) || self.cache.find(key).is_some()
        {
            return;
        }
        if let Some((track, direction)) = memory.track {
            // One entry a direction: the other one was of the same flow from another place.
            if let Some(other) = self.tracks.entry(track, direction) {
                self.drop_entry(program, other);
            }
        }
        if self.cache.len() >= self.cache.limit
            && let Some(oldest) = self.cache.table.next_after(self.cache.hand)
        {
            self.cache.hand = oldest;
            self.drop_entry(program, oldest);
        }
        let id = self.cache.table.make(key.hash());
        *self.cache.table.get_mut(id) = Entry::new(key, memory, way, self.now);
        if let Some((track, direction)) = memory.track {
            self.tracks.set_entry(track, direction, Some(id));
            // Of new ones the nics do already.
            if !memory.opened {
                self.hasten(program, track);
            }
        }
        self.cache.missed_sessions |= memory.missed_session;
    }

    /// Forgets an entry and all that stands for the same connections.
    fn drop_entry(&mut self, program: &Program, id: EntryId) {
        match self.cache.get(id).track() {
            Some((track, _)) => self.uncache(program, track),
            None => self.cache.table.remove(id),
        }
    }

    /// Writes back what the entries of a connection know and forgets them.
    pub(crate) fn uncache(&mut self, program: &Program, track: TrackId) {
        self.write_back(program, track);
        self.forget_entries(track);
    }

    /// Forgets the entries of a connection, which know nothing that is not written back.
    pub(crate) fn forget_entries(&mut self, track: TrackId) {
        for direction in [Direction::Original, Direction::Reply] {
            if let Some(id) = self.tracks.entry(track, direction) {
                self.cache.table.remove(id);
                self.tracks.set_entry(track, direction, None);
            }
        }
    }

    /// Writes back what the entries of a connection know: when its last packet came.
    pub(crate) fn write_back(&mut self, program: &Program, track: TrackId) {
        let Some(last) = self.last_seen(track) else {
            return;
        };
        for direction in [Direction::Original, Direction::Reply] {
            if let Some(id) = self.tracks.entry(track, direction) {
                self.cache.get_mut(id).is_written_back();
            }
        }
        self.tracks.get_mut(track).seen_at(last);
        for holder in self.tracks.holders(track) {
            let deadline = self.deadline_after(program, holder, track, last);
            self.flows.set_deadline(holder, deadline);
        }
    }

    /// Forgets everything, as [`Self::uncache`] does.
    pub(crate) fn uncache_all(&mut self, program: &Program) {
        let mut hand = EntryId::FIRST;
        while let Some(id) = self.cache.table.next_after(hand) {
            self.drop_entry(program, id);
            hand = id;
        }
    }

    /// When the last packet came, where entries know.
    pub(crate) fn last_seen(&self, track: TrackId) -> Option<Nanos> {
        let both = [Direction::Original, Direction::Reply];
        let entries = both.into_iter().filter_map(|d| self.tracks.entry(track, d));
        entries
            .filter_map(|id| self.cache.get(id).last_taken())
            .max()
    }

    /// The deadline that a packet at `last` gave a connection.
    pub(crate) fn deadline_after(
        &self,
        program: &Program,
        holder: Holder,
        track: TrackId,
        last: Nanos,
    ) -> Nanos {
        let mut tracker = self.tracks.get(track).copied();
        tracker.seen_at(last);
        let network = program.network();
        last.after_seconds(match holder {
            Holder::Nic(_) => tracker.timeout(&network.policies.conntrack),
            Holder::Gateway(slot) => match self.flows.get(slot).and_then(Flow::gateway) {
                Some(gateway) => tracker.nat_timeout(&network.nat_gateway(gateway).timeouts),
                None => 0,
            },
        })
    }

    /// From now on packets may shorten deadlines without a word: the nics look after the shortest.
    fn hasten(&mut self, program: &Program, track: TrackId) {
        let at = self.look_after(program, track);
        for holder in self.tracks.holders(track) {
            if let Holder::Nic(slot) = holder {
                self.flows.hasten(slot, at);
            }
        }
    }

    /// When a nic looks after a connection of which entries may know more.
    pub(crate) fn look_after(&self, program: &Program, track: TrackId) -> Nanos {
        let least = self.least_timeout(program, track);
        self.early(track.0, self.now.after_seconds(least))
    }

    /// The shortest deadline, in seconds, that a remembered packet can give at a nic.
    pub(crate) fn least_timeout(&self, program: &Program, track: TrackId) -> u32 {
        let timeouts = &program.network().policies.conntrack;
        self.tracks.get(track).least_timeout(timeouts)
    }

    /// A session begins: a packet whose walk looked for one in vain finds it now.
    pub(crate) fn forget_misses_of(&mut self, program: &Program, inside: &FlowKey) {
        if self.cache.missed_sessions {
            let key = Key::of_flow(Source::Internet, &inside.reversed());
            if let Some(id) = self.cache.find(&key) {
                self.drop_entry(program, id);
            }
        }
    }
}
