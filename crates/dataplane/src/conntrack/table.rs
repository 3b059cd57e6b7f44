//! The connection table: every live connection, found by either of its keys.

use super::connection::{Connection, ConnectionId, Direction, Zone};
use super::deadlines::{AHEAD, Deadlines};
use super::hash::hash;
use super::slab::Slab;
use super::tracks::TrackId;
use crate::Nanos;
use crate::lines::{Hashed, Lines};
use vpcsim_packet::FlowKey;

/// All live connections of all zones.
///
/// [`due`](Self::due) first, then the rest: nothing else looks at the time.
#[derive(Debug, Clone)]
pub struct Table<V> {
    connections: Slab<Connection<V>>,
    /// Where keys are found, by [handle](handles): once for each connection that nobody translates, else once for
    /// each of its two keys.
    keys: Lines,
    deadlines: Deadlines,
    /// Connections by zone.
    per_zone: Vec<u32>,
    peak: usize,
}

/// A new connection would share a key with a live one.
///
/// Only a translation can bring this about: without one, whoever has the
/// reply's key would have been found by the first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {key:?} key of the new connection belongs to the {held:?} direction of a live one")]
pub struct Occupied {
    /// Which key of the new connection is taken; the original one if both are.
    pub key: Direction,
    /// The connection that has it.
    pub by: ConnectionId,
    /// In which direction it has it.
    pub held: Direction,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> Table<V> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            connections: Slab::new(),
            keys: Lines::default(),
            deadlines: Deadlines::default(),
            per_zone: Vec::new(),
            peak: 0,
        }
    }

    /// The connection that packets with `key` belong to in `zone`, and their
    /// direction. Where both keys of a connection are the same, the direction
    /// is [`Direction::Reply`], as in the kernel (`__nf_conntrack_hash_insert`
    /// puts the reply in front).
    pub fn lookup(&self, zone: Zone, key: &FlowKey) -> Option<(ConnectionId, Direction)> {
        let mut found = None;
        self.keys.find(hash(zone, key), |handle| {
            if let Some((id, connection)) = self.connections.at(slot_of(handle))
                && connection.zone == zone
            {
                found = connection.direction_of(key).map(|way| (id, way));
            }
            found.is_some()
        });
        found
    }

    /// Asks for what looking a key up will read first. Returns the key's hash, to
    /// [go on](Self::prefetch_found) with when that is there.
    pub(crate) fn prefetch(&self, zone: Zone, key: &FlowKey) -> u64 {
        let hash = hash(zone, key);
        self.keys.prefetch(hash);
        hash
    }

    /// Asks for the connection that looking a key up will most likely find. Returns its slot, to
    /// [go on](Self::prefetch_rest) with when that is there.
    pub(crate) fn prefetch_found(&self, hash: u64) -> Option<u32> {
        let slot = slot_of(self.keys.find(hash, |_| true)?);
        self.connections.prefetch(slot);
        self.deadlines.prefetch_place(slot);
        Some(slot)
    }

    /// Asks for a connection's timer. Returns where its protocol state is, to be asked for too.
    pub(crate) fn prefetch_rest(&self, slot: u32) -> Option<TrackId> {
        self.deadlines.prefetch_timer(slot);
        self.connections.at(slot).map(|(_, one)| one.track)
    }

    /// Asks for what looking up either key of the connection in a slot will read first.
    pub(crate) fn prefetch_keys(&self, slot: u32) {
        if let Some((_, connection)) = self.connections.at(slot) {
            self.prefetch_keys_of(connection);
        }
    }

    fn prefetch_keys_of(&self, connection: &Connection<V>) {
        let (first, second) = hashes(connection.zone, &connection.original, &connection.reply);
        self.keys.prefetch(first);
        if let Some(second) = second {
            self.keys.prefetch(second);
        }
    }

    /// Remembers a connection until `deadline`. `original` and `reply` are the
    /// keys of its packets as they arrive at the zone; if a live connection
    /// there has either, nothing happens (`__nf_conntrack_confirm`).
    pub fn insert(
        &mut self,
        zone: Zone,
        original: FlowKey,
        reply: FlowKey,
        track: TrackId,
        deadline: Nanos,
        value: V,
    ) -> Result<ConnectionId, Occupied> {
        for (key, direction) in [(&original, Direction::Original), (&reply, Direction::Reply)] {
            if let Some((by, held)) = self.lookup(zone, key) {
                return Err(Occupied {
                    key: direction,
                    by,
                    held,
                });
            }
        }
        Ok(self.insert_new(zone, [original, reply], track, deadline, deadline, value))
    }

    /// The same where the caller has looked both keys up and found nothing. `timer`: when to look after
    /// the connection, at its deadline at the latest.
    pub(crate) fn insert_new(
        &mut self,
        zone: Zone,
        [original, reply]: [FlowKey; 2],
        track: TrackId,
        deadline: Nanos,
        timer: Nanos,
        value: V,
    ) -> ConnectionId {
        debug_assert_eq!(self.lookup(zone, &original), None);
        debug_assert_eq!(self.lookup(zone, &reply), None);
        let id = self.connections.insert(Connection {
            zone,
            original,
            reply,
            deadline,
            track,
            value,
        });
        let (first, second) = hashes(zone, &original, &reply);
        let [by_original, by_reply] = handles(id.slot);
        self.keys.insert(first, by_original, &self.connections);
        if let Some(second) = second {
            self.keys.insert(second, by_reply, &self.connections);
        }
        self.deadlines.insert(id.slot, timer);
        let at = zone.0 as usize;
        if self.per_zone.len() <= at {
            self.per_zone.resize(at + 1, 0);
        }
        self.per_zone[at] += 1;
        self.peak = self.peak.max(self.connections.len());
        id
    }

    /// The connection that is in a slot.
    pub(crate) fn in_slot(&self, slot: u32) -> Option<ConnectionId> {
        self.connections.at(slot).map(|(id, _)| id)
    }

    /// A connection, unless it is gone.
    pub fn get(&self, id: ConnectionId) -> Option<&Connection<V>> {
        self.connections.get(id)
    }

    /// A connection to change, unless it is gone.
    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection<V>> {
        self.connections.get_mut(id)
    }

    /// Forgets a connection.
    pub fn remove(&mut self, id: ConnectionId) -> Option<Connection<V>> {
        let connection = self.connections.get(id)?;
        let zone = connection.zone;
        let (first, second) = hashes(zone, &connection.original, &connection.reply);
        let [by_original, by_reply] = handles(id.slot);
        self.keys.remove(first, by_original);
        if let Some(second) = second {
            self.keys.remove(second, by_reply);
        }
        self.deadlines.remove(id.slot);
        self.per_zone[zone.0 as usize] -= 1;
        self.connections.remove(id)
    }

    /// Sets when a connection is gone; later costs nothing.
    /// False if it is gone already.
    pub fn set_deadline(&mut self, id: ConnectionId, deadline: Nanos) -> bool {
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        let before = std::mem::replace(&mut connection.deadline, deadline);
        if deadline < before {
            self.deadlines.hasten(id.slot, deadline);
        }
        true
    }

    /// The connection whose timer has come first, and when: at `now` or earlier, equal ones by id.
    /// The timer may be early: a deadline that was moved later is found out now. Whoever asks
    /// [`remove`](Self::remove)s the connection or sets its timer anew.
    #[inline]
    pub fn due(&mut self, now: Nanos) -> Option<(ConnectionId, Nanos)> {
        let due = self.deadlines.due(now)?;
        let (id, _) = self.connections.at(due.slot)?;
        Some((id, due.at()))
    }

    /// Where a connection is [due](Self::due), asks for what ending it and the next ones will
    /// touch, unless it was asked for before. `also` is told of each, to ask for what else there
    /// is. One after the other they would wait for memory a dozen times each; so the waits overlap.
    #[inline]
    pub(crate) fn prefetch_due(&mut self, now: Nanos, also: impl FnMut(&Connection<V>)) {
        let mut slots = [0; AHEAD];
        let mut count = 0;
        for (slot, next) in slots.iter_mut().zip(self.deadlines.next_up(now)) {
            *slot = next;
            count += 1;
        }
        if count > 0 {
            self.prefetch_all(&slots[..count], also);
        }
    }

    fn prefetch_all(&self, slots: &[u32], mut also: impl FnMut(&Connection<V>)) {
        for &slot in slots {
            self.connections.prefetch(slot);
        }
        for &slot in slots {
            let Some((_, connection)) = self.connections.at(slot) else {
                continue;
            };
            also(connection);
            self.prefetch_keys_of(connection);
        }
    }

    /// Forgets every connection whose deadline is `now` or earlier, and hands
    /// each to `on_gone`: by deadline, equal ones by id.
    pub fn expire(&mut self, now: Nanos, mut on_gone: impl FnMut(ConnectionId, Connection<V>)) {
        while let Some((id, timer)) = self.due(now) {
            match self.get(id).map(Connection::deadline) {
                Some(deadline) if deadline > timer => self.defer(id.slot, deadline),
                _ => {
                    if let Some(connection) = self.remove(id) {
                        on_gone(id, connection);
                    }
                }
            }
        }
    }

    /// Sets the timer of a connection that is due anew.
    pub(crate) fn defer(&mut self, slot: u32, at: Nanos) {
        self.deadlines.defer(slot, at);
    }

    /// Sets the timer of a connection to `at` at the latest; its deadline stays.
    pub(crate) fn hasten(&mut self, slot: u32, at: Nanos) {
        self.deadlines.hasten(slot, at);
    }

    /// Sets the timer of a connection, or takes it away for a while.
    pub(crate) fn set_timer(&mut self, slot: u32, at: Option<Nanos>) {
        self.deadlines.remove(slot);
        if let Some(at) = at {
            self.deadlines.insert(slot, at);
        }
    }

    /// A time before which nothing is due.
    /// `None` if there is no connection.
    pub fn next_expiry(&self) -> Option<Nanos> {
        (!self.is_empty()).then(|| self.deadlines.next())
    }

    /// A time before which nothing is due, in a word: any where there is no connection.
    #[inline]
    pub(crate) fn next_due(&self) -> Nanos {
        self.deadlines.next()
    }

    /// How many connections are remembered.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many connections are remembered in one zone.
    pub fn zone_len(&self, zone: Zone) -> usize {
        let count = self.per_zone.get(zone.0 as usize);
        count.map_or(0, |&count| count as usize)
    }

    /// How many are remembered in each zone; none in those beyond the last.
    pub(crate) fn zone_lens(&self) -> &[u32] {
        &self.per_zone
    }

    /// The most connections there ever were at once.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// From now on at least this counts as the most there were.
    pub(crate) fn raise_peak(&mut self, to: usize) {
        self.peak = self.peak.max(to);
    }

    /// All connections, in an order that depends on nothing but the calls so far.
    pub fn iter(&self) -> Iter<'_, V> {
        Iter {
            table: self,
            slot: 0,
        }
    }
}

/// The handles of a connection's keys, the original one first: its slot, then which of the two it is. 2^31
/// connections would take a tenth of a terabyte.
#[inline]
fn handles(slot: u32) -> [u32; 2] {
    [slot << 1, slot << 1 | 1]
}

/// The slot of the connection whose key a handle stands for.
#[inline]
fn slot_of(handle: u32) -> u32 {
    handle >> 1
}

impl<V> Hashed for Slab<Connection<V>> {
    #[inline]
    fn hash_of(&self, handle: u32) -> u64 {
        let direction = match handle & 1 {
            0 => Direction::Original,
            _ => Direction::Reply,
        };
        let connection = self.at(slot_of(handle));
        connection.map_or(0, |(_, one)| hash(one.zone, &one.key(direction)))
    }

    #[inline]
    fn prefetch_hash(&self, handle: u32) {
        self.prefetch(slot_of(handle));
    }
}

/// The hashes by which a connection is found: one where the reply's key is the original one turned
/// round.
#[inline]
fn hashes(zone: Zone, original: &FlowKey, reply: &FlowKey) -> (u64, Option<u64>) {
    let first = hash(zone, original);
    let second = (*reply != original.reversed()).then(|| hash(zone, reply));
    (first, second)
}

impl<'a, V> IntoIterator for &'a Table<V> {
    type Item = (ConnectionId, &'a Connection<V>);
    type IntoIter = Iter<'a, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The connections of a [`Table`].
#[derive(Debug, Clone)]
pub struct Iter<'a, V> {
    table: &'a Table<V>,
    slot: u32,
}

impl<'a, V> Iterator for Iter<'a, V> {
    type Item = (ConnectionId, &'a Connection<V>);

    fn next(&mut self) -> Option<Self::Item> {
        while (self.slot as usize) < self.table.connections.slots() {
            let slot = self.slot;
            self.slot += 1;
            if let Some(found) = self.table.connections.at(slot) {
                return Some(found);
            }
        }
        None
    }
}

#[cfg(test)]
impl<V> Table<V> {
    /// The larger of what slots, keys and deadlines have room for, per connection.
    pub(super) fn room(&self) -> usize {
        self.connections
            .slots()
            .max(self.keys.capacity() / 2)
            .max(self.deadlines.capacity())
    }

    /// Every connection has one deadline and is found by its keys.
    pub(super) fn assert_sound(&self) {
        assert_eq!(self.deadlines.entries(), self.len());
        assert_eq!(self.per_zone.iter().sum::<u32>() as usize, self.len());
        for (id, connection) in self {
            for direction in [Direction::Original, Direction::Reply] {
                let found = self.lookup(connection.zone, &connection.key(direction));
                assert_eq!(found.map(|(found, _)| found), Some(id));
            }
        }
    }
}
