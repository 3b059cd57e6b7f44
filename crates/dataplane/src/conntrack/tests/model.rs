//! The table against a list that does everything the slow way.

use super::super::{ConnectionId, Direction, Table, Zone};
use super::table::{TRACK, key};
use crate::Nanos;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use vpcsim_packet::FlowKey;

struct Known {
    id: ConnectionId,
    zone: Zone,
    original: FlowKey,
    reply: FlowKey,
    deadline: Nanos,
    value: u64,
}

/// Live connections in the order of insertion.
#[derive(Default)]
struct Model(Vec<Known>);

impl Model {
    fn lookup(&self, zone: Zone, key: &FlowKey) -> Option<(ConnectionId, Direction)> {
        self.0.iter().find_map(|known| {
            let direction = if known.reply == *key {
                Direction::Reply
            } else if known.original == *key {
                Direction::Original
            } else {
                return None;
            };
            (known.zone == zone).then_some((known.id, direction))
        })
    }

    fn expire(&mut self, now: Nanos) -> Vec<u64> {
        let mut gone: Vec<(Nanos, ConnectionId, u64)> = self
            .0
            .iter()
            .filter(|known| known.deadline <= now)
            .map(|known| (known.deadline, known.id, known.value))
            .collect();
        gone.sort();
        self.0.retain(|known| known.deadline > now);
        gone.into_iter().map(|(.., value)| value).collect()
    }
}

/// What is done to a table. Few keys, zones and times, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Insert {
        zone: Zone,
        original: FlowKey,
        /// The reversed original if none.
        reply: Option<FlowKey>,
        lives: u64,
    },
    Remove(Index),
    SetDeadline(Index, u64),
    Expire {
        after: u64,
    },
    Lookup(Zone, FlowKey),
}

fn any_zone() -> impl Strategy<Value = Zone> {
    (0..2_u32).prop_map(Zone)
}

fn any_key() -> impl Strategy<Value = FlowKey> {
    (0..3_u16, 0..3_u16).prop_map(|(from, to)| key(from, to))
}

fn any_step() -> impl Strategy<Value = Step> {
    let insert = (any_zone(), any_key(), option::of(any_key()), 0..9_u64).prop_map(
        |(zone, original, reply, lives)| Step::Insert {
            zone,
            original,
            reply,
            lives,
        },
    );
    prop_oneof![
        4 => insert,
        1 => any::<Index>().prop_map(Step::Remove),
        2 => (any::<Index>(), 0..9_u64).prop_map(|(id, lives)| Step::SetDeadline(id, lives)),
        2 => (0..4_u64).prop_map(|after| Step::Expire { after }),
        1 => (any_zone(), any_key()).prop_map(|(zone, key)| Step::Lookup(zone, key)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Same answers, same order of expiry, same count, peak and memory.
    #[test]
    fn the_table_does_what_a_list_does(steps in vec(any_step(), 0..150)) {
        let mut pair = Pair::default();
        for step in steps {
            pair.take(step);
            assert_same(&pair.table, &pair.model);
        }
    }
}

#[derive(Default)]
struct Pair {
    table: Table<u64>,
    model: Model,
    /// Every id there ever was.
    ids: Vec<ConnectionId>,
    now: Nanos,
    peak: usize,
}

impl Pair {
    fn take(&mut self, step: Step) {
        match step {
            Step::Insert {
                zone,
                original,
                reply,
                lives,
            } => self.insert(zone, original, reply.unwrap_or(original.reversed()), lives),
            Step::Remove(index) if !self.ids.is_empty() => {
                let id = *index.get(&self.ids);
                let place = self.model.0.iter().position(|known| known.id == id);
                let known = place.map(|place| self.model.0.remove(place).value);
                let gone = self.table.remove(id).map(|connection| connection.value);
                assert_eq!(gone, known);
            }
            Step::SetDeadline(index, lives) if !self.ids.is_empty() => {
                let id = *index.get(&self.ids);
                let deadline = Nanos(self.now.0 + lives);
                let known = self.model.0.iter_mut().find(|known| known.id == id);
                assert_eq!(self.table.set_deadline(id, deadline), known.is_some());
                if let Some(known) = known {
                    known.deadline = deadline;
                }
            }
            Step::Remove(_) | Step::SetDeadline(..) => {}
            Step::Expire { after } => {
                self.now.0 += after;
                let mut gone = Vec::new();
                self.table
                    .expire(self.now, |_, connection| gone.push(connection.value));
                assert_eq!(gone, self.model.expire(self.now));
            }
            Step::Lookup(zone, key) => {
                let found = self.table.lookup(zone, &key);
                assert_eq!(found, self.model.lookup(zone, &key));
            }
        }
        self.peak = self.peak.max(self.model.0.len());
        assert_eq!(self.table.peak(), self.peak);
    }

    fn insert(&mut self, zone: Zone, original: FlowKey, reply: FlowKey, lives: u64) {
        let deadline = Nanos(self.now.0 + lives);
        let value = self.ids.len() as u64;
        let taken = [(original, Direction::Original), (reply, Direction::Reply)]
            .into_iter()
            .find_map(|(key, direction)| Some((direction, self.model.lookup(zone, &key)?)));
        match self
            .table
            .insert(zone, original, reply, TRACK, deadline, value)
        {
            Ok(id) => {
                assert_eq!(taken, None);
                self.ids.push(id);
                self.model.0.push(Known {
                    id,
                    zone,
                    original,
                    reply,
                    deadline,
                    value,
                });
            }
            Err(occupied) => {
                let by = (occupied.key, (occupied.by, occupied.held));
                assert_eq!(taken, Some(by));
            }
        }
    }
}

fn assert_same(table: &Table<u64>, model: &Model) {
    table.assert_sound();
    assert_eq!(table.len(), model.0.len());
    assert_eq!(table.is_empty(), model.0.is_empty());
    for zone in [Zone(0), Zone(1), Zone(7)] {
        let known = model.0.iter().filter(|known| known.zone == zone).count();
        assert_eq!(table.zone_len(zone), known);
    }
    for known in &model.0 {
        let connection = table.get(known.id).expect("live");
        assert_eq!(connection.zone(), known.zone);
        assert_eq!(connection.original(), known.original);
        assert_eq!(connection.reply(), known.reply);
        assert_eq!(connection.deadline(), known.deadline);
        assert_eq!(connection.value, known.value);
    }
    let earliest = model.0.iter().map(|known| known.deadline).min();
    assert_eq!(table.next_expiry().is_some(), earliest.is_some());
    assert!(table.next_expiry() <= earliest);
}
