//! One remembered connection, and what it is called.

use super::tracks::TrackId;
use crate::Nanos;
use vpcsim_packet::FlowKey;

/// Which way a packet of a connection travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// As the first packet did.
    Original,
    /// Against it.
    Reply,
}

impl Direction {
    /// The other direction.
    pub fn opposite(self) -> Self {
        match self {
            Self::Original => Self::Reply,
            Self::Reply => Self::Original,
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Original => 0,
            Self::Reply => 1,
        }
    }
}

/// The place a connection is remembered at: a nic or a NAT gateway. The same
/// key in two zones is two connections. Zones are numbered from 0 on: a table counts by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Zone(pub u32);

/// The name of a connection in its [`Table`](super::Table). Never names a
/// later connection, even in the same slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl ConnectionId {
    /// Where its connection is, for as long as it is there.
    pub(crate) fn slot(self) -> u32 {
        self.slot
    }
}

/// A connection: its two keys, where its protocol state is, and what the caller keeps with it.
///
/// Keys and deadline are the table's to change, track and value the caller's.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection<V> {
    pub(super) zone: Zone,
    pub(super) original: FlowKey,
    pub(super) reply: FlowKey,
    pub(super) deadline: Nanos,
    /// Its protocol state.
    pub track: TrackId,
    /// What the caller keeps with the connection.
    pub value: V,
}

impl<V> Connection<V> {
    /// Where it is remembered.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// Key of packets in the original direction, as they arrive at the zone.
    pub fn original(&self) -> FlowKey {
        self.original
    }

    /// Key of packets in the reply direction, as they arrive at the zone. Under
    /// NAT it is not the reverse of [`original`](Self::original).
    pub fn reply(&self) -> FlowKey {
        self.reply
    }

    /// The direction of packets with a key; `None` where it is none of the connection's.
    #[inline]
    pub(super) fn direction_of(&self, key: &FlowKey) -> Option<Direction> {
        if self.reply == *key {
            Some(Direction::Reply)
        } else {
            (self.original == *key).then_some(Direction::Original)
        }
    }

    /// Key of packets in `direction`.
    pub fn key(&self, direction: Direction) -> FlowKey {
        match direction {
            Direction::Original => self.original,
            Direction::Reply => self.reply,
        }
    }

    /// The connection is gone at this time: alive before it, not at it.
    pub fn deadline(&self) -> Nanos {
        self.deadline
    }
}
