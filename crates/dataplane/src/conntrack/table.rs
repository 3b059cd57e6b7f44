//! The connection table: every live connection, found by either of its keys.

use super::connection::{Connection, ConnectionId, Direction, Zone};
use super::deadlines::Deadlines;
use super::hash::{ZoneHasher, hash};
use super::slab::Slab;
use super::tracks::TrackId;
use crate::Nanos;
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasherDefault;
use vpcsim_packet::FlowKey;

/// All live connections of all zones.
///
/// [`due`](Self::due) first, then the rest: nothing else looks at the time.
#[derive(Debug, Clone)]
pub struct Table<V> {
    connections: Slab<Connection<V>>,
    /// Two entries per connection, one for each key.
    keys: HashTable<Handle>,
    deadlines: Deadlines,
    per_zone: HashMap<u32, usize, BuildHasherDefault<ZoneHasher>>,
    peak: usize,
}

/// One key of a connection. With its hash, so that the table grows without a look at connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Handle {
    /// The slot, then whether it is the reply's key. 2^31 connections would take a quarter of a
    /// terabyte.
    place: u32,
    hash: u32,
}

impl Handle {
    fn new(slot: u32, direction: Direction, hash: u64) -> Self {
        Self {
            place: slot << 1 | u32::from(direction == Direction::Reply),
            hash: hash as u32,
        }
    }

    fn slot(self) -> u32 {
        self.place >> 1
    }

    fn direction(self) -> Direction {
        if self.place & 1 == 0 {
            Direction::Original
        } else {
            Direction::Reply
        }
    }

    /// What the table of handles is ordered by: the 32 bits that a handle keeps, spread over all.
    fn order(self) -> u64 {
        order(u64::from(self.hash))
    }
}

/// Spreads the lower half of a hash over all of it (an odd factor loses nothing).
fn order(hash: u64) -> u64 {
    (hash & 0xffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15)
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
            keys: HashTable::new(),
            deadlines: Deadlines::default(),
            per_zone: HashMap::default(),
            peak: 0,
        }
    }

    /// The connection that packets with `key` belong to in `zone`, and their
    /// direction. Where both keys of a connection are the same, the direction
    /// is [`Direction::Reply`], as in the kernel (`__nf_conntrack_hash_insert`
    /// puts the reply in front).
    pub fn lookup(&self, zone: Zone, key: &FlowKey) -> Option<(ConnectionId, Direction)> {
        let connections = &self.connections;
        let hash = hash(zone, key);
        let handle = self.keys.find(order(hash), |handle| {
            handle.hash == hash as u32 && owns(connections, *handle, zone, key)
        })?;
        let (id, _) = connections.at(handle.slot())?;
        Some((id, handle.direction()))
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
        Ok(self.insert_new(zone, original, reply, track, deadline, value))
    }

    /// The same where the caller has looked both keys up and found nothing.
    pub fn insert_new(
        &mut self,
        zone: Zone,
        original: FlowKey,
        reply: FlowKey,
        track: TrackId,
        deadline: Nanos,
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
        // Equal keys have one handle, and it is the reply's.
        if original != reply {
            self.insert_key(zone, &original, id.slot, Direction::Original);
        }
        self.insert_key(zone, &reply, id.slot, Direction::Reply);
        self.deadlines.insert(id.slot, deadline);
        *self.per_zone.entry(zone.0).or_default() += 1;
        self.peak = self.peak.max(self.connections.len());
        id
    }

    fn insert_key(&mut self, zone: Zone, key: &FlowKey, slot: u32, direction: Direction) {
        let handle = Handle::new(slot, direction, hash(zone, key));
        self.keys
            .insert_unique(handle.order(), handle, |handle| handle.order());
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
        for direction in [Direction::Original, Direction::Reply] {
            let handle = Handle::new(id.slot, direction, hash(zone, &connection.key(direction)));
            let found = self
                .keys
                .find_entry(handle.order(), |other| *other == handle);
            if let Ok(found) = found {
                found.remove();
            }
        }
        self.deadlines.remove(id.slot);
        if let Some(count) = self.per_zone.get_mut(&zone.0) {
            *count -= 1;
            if *count == 0 {
                self.per_zone.remove(&zone.0);
            }
        }
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
    /// [`remove`](Self::remove)s the connection or [`defer`](Self::defer)s its timer.
    #[inline]
    pub fn due(&mut self, now: Nanos) -> Option<(ConnectionId, Nanos)> {
        let due = self.deadlines.due(now)?;
        let (id, _) = self.connections.at(due.slot)?;
        Some((id, due.at()))
    }

    /// Forgets every connection whose deadline is `now` or earlier, and hands
    /// each to `on_gone`: by deadline, equal ones by id.
    pub fn expire(&mut self, now: Nanos, mut on_gone: impl FnMut(ConnectionId, Connection<V>)) {
        while let Some((id, timer)) = self.due(now) {
            match self.get(id).map(Connection::deadline) {
                Some(deadline) if deadline > timer => self.defer(id, deadline),
                _ => {
                    if let Some(connection) = self.remove(id) {
                        on_gone(id, connection);
                    }
                }
            }
        }
    }

    /// Sets the timer of a connection that is due anew.
    pub fn defer(&mut self, id: ConnectionId, at: Nanos) {
        self.deadlines.defer(id.slot, at);
    }

    /// Sets the timer of a connection to `at` at the latest; its deadline stays.
    pub fn hasten(&mut self, id: ConnectionId, at: Nanos) {
        self.deadlines.hasten(id.slot, at);
    }

    /// A time before which nothing is due.
    /// `None` if there is no connection.
    pub fn next_expiry(&self) -> Option<Nanos> {
        (!self.is_empty()).then(|| self.deadlines.next())
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
        self.per_zone.get(&zone.0).copied().unwrap_or(0)
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

fn owns<V>(connections: &Slab<Connection<V>>, handle: Handle, zone: Zone, key: &FlowKey) -> bool {
    connections
        .at(handle.slot())
        .is_some_and(|(_, connection)| {
            connection.zone == zone && connection.key(handle.direction()) == *key
        })
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
        assert_eq!(self.per_zone.values().sum::<usize>(), self.len());
        for (id, connection) in self {
            for direction in [Direction::Original, Direction::Reply] {
                let found = self.lookup(connection.zone, &connection.key(direction));
                assert_eq!(found.map(|(found, _)| found), Some(id));
            }
        }
    }
}
