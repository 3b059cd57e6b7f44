//! The table against a list that does everything the slow way.

use super::super::{ConnectionId, Direction, Table, Zone};
use super::random::Random;
use super::table::{key, tracker};
use crate::Nanos;
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
        let mut gone: Vec<(Nanos, u64)> = self
            .0
            .iter()
            .filter(|known| known.deadline <= now)
            .map(|known| (known.deadline, known.value))
            .collect();
        gone.sort();
        self.0.retain(|known| known.deadline > now);
        gone.into_iter().map(|(_, value)| value).collect()
    }
}

#[test]
fn the_table_does_what_a_list_does() {
    for seed in 0..3_000 {
        // Short runs first, so that the first failure is a short one.
        run(seed, 4 + seed as usize / 20);
    }
}

fn run(seed: u64, steps: usize) {
    let mut random = Random(seed);
    let mut table = Table::new();
    let mut model = Model::default();
    let mut ids = Vec::new();
    let mut now = Nanos(1000);
    let mut peak = 0;
    for value in 0..steps as u64 {
        // Few keys, few times: they meet.
        let zone = Zone(random.below(2) as u32);
        let original = any_key(&mut random);
        let deadline = Nanos(now.0 + random.below(9));
        let id = match ids.len() {
            0 => None,
            known => Some(ids[random.below(known as u64) as usize]),
        };
        match (random.below(8), id) {
            (0..3, _) => {
                let reply = match random.below(2) {
                    0 => original.reversed(),
                    _ => any_key(&mut random),
                };
                let taken = [(original, Direction::Original), (reply, Direction::Reply)]
                    .into_iter()
                    .find_map(|(key, direction)| Some((direction, model.lookup(zone, &key)?)));
                match table.insert(zone, original, reply, tracker(), deadline, value) {
                    Ok(id) => {
                        assert_eq!(taken, None, "seed {seed}");
                        ids.push(id);
                        model.0.push(Known {
                            id,
                            zone,
                            original,
                            reply,
                            deadline,
                            value,
                        });
                    }
                    Err(occupied) => assert_eq!(
                        taken,
                        Some((occupied.key, (occupied.by, occupied.held))),
                        "seed {seed}"
                    ),
                }
            }
            (3, Some(id)) => {
                let place = model.0.iter().position(|known| known.id == id);
                let known = place.map(|place| model.0.remove(place).value);
                let gone = table.remove(id).map(|connection| connection.value);
                assert_eq!(gone, known, "seed {seed}");
            }
            (4 | 5, Some(id)) => {
                let known = model.0.iter_mut().find(|known| known.id == id);
                assert_eq!(table.set_deadline(id, deadline), known.is_some());
                if let Some(known) = known {
                    known.deadline = deadline;
                }
            }
            _ => {
                now.0 += random.below(4);
                let mut gone = Vec::new();
                table.expire(now, |_, connection| gone.push(connection.value));
                assert_eq!(gone, model.expire(now), "seed {seed}");
            }
        }
        let asked = any_key(&mut random);
        assert_eq!(table.lookup(zone, &asked), model.lookup(zone, &asked));
        assert_same(&table, &model);
        peak = peak.max(model.0.len());
        assert_eq!(table.peak(), peak);
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

fn any_key(random: &mut Random) -> FlowKey {
    key(random.below(3) as u16, random.below(3) as u16)
}
