//! The table against a list that does everything the slow way.

use super::super::{Begun, Direction, Holder, SessionKeys, TrackId};
use super::table::{TRACK, Table, key};
use crate::Nanos;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::{bool, collection::vec};
use vpcsim_network::{NatGatewayId, NicId};
use vpcsim_packet::FlowKey;

/// What one place remembers.
struct Known {
    holder: Holder,
    /// Of the nic or the gateway.
    place: u32,
    /// As they arrive at the place.
    original: FlowKey,
    reply: FlowKey,
    track: TrackId,
    deadline: Nanos,
    value: u64,
}

impl Known {
    fn is_at_nic(&self) -> bool {
        matches!(self.holder, Holder::Nic(_))
    }
}

/// In the order of insertion.
#[derive(Default)]
struct Model(Vec<Known>);

impl Model {
    fn lookup(&self, at_nic: bool, place: u32, key: &FlowKey) -> Option<(u32, Direction)> {
        self.0.iter().find_map(|known| {
            let direction = if known.reply == *key {
                Direction::Reply
            } else if known.original == *key {
                Direction::Original
            } else {
                return None;
            };
            let is_there = known.is_at_nic() == at_nic && known.place == place;
            is_there.then_some((known.holder.slot(), direction))
        })
    }

    fn expire(&mut self, now: Nanos) -> Vec<u64> {
        let due = self.0.iter().filter(|known| known.deadline <= now);
        let gone = due.map(|known| known.value).collect();
        self.0.retain(|known| known.deadline > now);
        gone
    }

    fn count(&self, at_nic: bool, place: Option<u32>) -> usize {
        let there = self.0.iter().filter(|known| known.is_at_nic() == at_nic);
        let there = there.filter(|known| place.is_none_or(|place| known.place == place));
        there.count()
    }
}

/// What is done to a table. Few keys, places and times, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Remember {
        nic: u32,
        original: FlowKey,
        lives: u64,
        timer: u64,
        /// Where it is taken.
        beside: bool,
    },
    Translate(Translate),
    Remove(Index),
    Part(Index),
    SetDeadline(Index, u64),
    Expire {
        after: u64,
    },
    Lookup(u32, FlowKey),
}

/// A gateway begins to translate a flow.
#[derive(Debug, Clone)]
struct Translate {
    gateway: u32,
    inside: FlowKey,
    /// The ports outside.
    ports: (u16, u16),
    inbound: bool,
    lives: u64,
    /// In the record of a nic, where it is taken.
    beside: bool,
}

fn any_key() -> impl Strategy<Value = FlowKey> {
    (0..3_u16, 0..3_u16).prop_map(|(from, to)| key(from, to))
}

fn any_step() -> impl Strategy<Value = Step> {
    let remember = (0..2_u32, any_key(), 0..9_u64, 0..9_u64, bool::ANY).prop_map(
        |(nic, original, lives, timer, beside)| Step::Remember {
            nic,
            original,
            lives,
            timer,
            beside,
        },
    );
    let ports = (0..3_u16, 0..3_u16);
    let translate = (0..2_u32, any_key(), ports, bool::ANY, 0..9_u64, bool::ANY).prop_map(
        |(gateway, inside, ports, inbound, lives, beside)| {
            Step::Translate(Translate {
                gateway,
                inside,
                ports,
                inbound,
                lives,
                beside,
            })
        },
    );
    prop_oneof![
        3 => remember,
        3 => translate,
        1 => any::<Index>().prop_map(Step::Remove),
        1 => any::<Index>().prop_map(Step::Part),
        2 => (any::<Index>(), 0..9_u64).prop_map(|(at, lives)| Step::SetDeadline(at, lives)),
        2 => (0..4_u64).prop_map(|after| Step::Expire { after }),
        1 => (0..2_u32, any_key()).prop_map(|(place, key)| Step::Lookup(place, key)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Same answers, the same ends, same counts and peak.
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
    table: Table,
    model: Model,
    next: u64,
    now: Nanos,
    peak: usize,
}

impl Pair {
    fn translate(&mut self, step: &Translate) {
        let (gateway, inside) = (step.gateway, step.inside);
        let outside = key(step.ports.0, step.ports.1);
        let takes = |table: &Table, slot| table.takes_gateway(slot, &inside);
        let begun = self.begun(step.lives, step.beside, takes);
        let [outbound, back] = [inside, outside.reversed()];
        let taken = |key| self.model.lookup(false, gateway, key).is_some();
        if [&outbound, &back].into_iter().any(taken) {
            return;
        }
        let session = SessionKeys {
            inside: &inside,
            outside: &outside,
            inbound: step.inbound,
        };
        let value = self.next;
        let slot = self
            .table
            .translate(NatGatewayId(gateway), &session, &begun, value);
        let keys = if step.inbound {
            [back, outbound]
        } else {
            [outbound, back]
        };
        self.add(Holder::Gateway(slot), gateway, keys, &begun);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Remember {
                nic,
                original,
                lives,
                timer,
                beside,
            } => {
                let reply = original.reversed();
                let takes = |table: &Table, slot| table.takes_nic(slot, &original);
                let mut begun = self.begun(lives, beside, takes);
                begun.timer = Nanos(begun.deadline.0.min(self.now.0 + timer));
                if self.model.lookup(true, nic, &original).is_none() {
                    let value = self.next;
                    let slot = self.table.remember(NicId(nic), &original, &begun, value);
                    self.add(Holder::Nic(slot), nic, [original, reply], &begun);
                }
            }
            Step::Translate(translate) => self.translate(&translate),
            Step::Remove(index) if !self.model.0.is_empty() => {
                let known = self.model.0.remove(index.index(self.model.0.len()));
                assert!(self.table.remove(known.holder));
                assert!(!self.table.remove(known.holder));
            }
            Step::Part(index) if !self.model.0.is_empty() => {
                let at = index.index(self.model.0.len());
                let known = &mut self.model.0[at];
                // Tracks are not shared here but by who shares a record.
                known.track = TrackId(self.next as u32 + 1);
                self.next += 1;
                let slot = self.table.part(known.holder, known.track);
                known.holder = match known.holder {
                    Holder::Nic(_) => Holder::Nic(slot),
                    Holder::Gateway(_) => Holder::Gateway(slot),
                };
            }
            Step::SetDeadline(index, lives) if !self.model.0.is_empty() => {
                let at = index.index(self.model.0.len());
                let deadline = Nanos(self.now.0 + lives);
                let known = &mut self.model.0[at];
                known.deadline = deadline;
                assert!(self.table.set_deadline(known.holder, deadline));
            }
            Step::Remove(_) | Step::Part(_) | Step::SetDeadline(..) => {}
            Step::Expire { after } => {
                self.now.0 += after;
                let mut gone = Vec::new();
                self.table.expire(self.now, |holder, record| {
                    gone.push(match holder {
                        Holder::Nic(_) => record.at_nic,
                        Holder::Gateway(_) => record.at_gateway,
                    });
                });
                gone.sort_unstable();
                assert_eq!(gone, self.model.expire(self.now));
            }
            Step::Lookup(place, key) => {
                let found = self.table.at_nic(NicId(place), &key);
                assert_eq!(found, self.model.lookup(true, place, &key));
                let found = self.table.at_gateway(NatGatewayId(place), &key);
                assert_eq!(found, self.model.lookup(false, place, &key));
            }
        }
        self.peak = self.peak.max(self.model.count(true, None));
        assert_eq!(self.table.peak(), self.peak);
    }

    /// In the first record that takes it, if it may.
    fn begun(&self, lives: u64, beside: bool, takes: impl Fn(&Table, u32) -> bool) -> Begun {
        let mut slots = self.table.iter().map(|(slot, _)| slot);
        let beside = slots.find(|&slot| beside && takes(&self.table, slot));
        let track = beside.and_then(|slot| self.table.get(slot));
        let track = track.map_or(TRACK, |record| record.track());
        Begun {
            beside,
            ..Begun::new(track, Nanos(self.now.0 + lives))
        }
    }

    fn add(&mut self, holder: Holder, place: u32, keys: [FlowKey; 2], begun: &Begun) {
        let [original, reply] = keys;
        let value = self.next;
        self.next += 1;
        if let Some(slot) = begun.beside {
            assert_eq!(holder.slot(), slot);
        }
        self.model.0.push(Known {
            holder,
            place,
            original,
            reply,
            track: begun.track,
            deadline: begun.deadline,
            value,
        });
    }
}

fn assert_same(table: &Table, model: &Model) {
    table.assert_sound();
    assert_eq!(table.len(), model.count(true, None));
    assert_eq!(table.is_empty(), model.0.is_empty());
    for place in [0, 1, 7] {
        let lens = (
            table.nic_len(NicId(place)),
            table.gateway_len(NatGatewayId(place)),
        );
        let known = |at_nic| model.count(at_nic, Some(place));
        assert_eq!(lens, (known(true), known(false)));
    }
    for known in &model.0 {
        let record = table.get(known.holder.slot()).expect("live");
        let held = Some((known.track, known.deadline));
        assert_eq!(table.held(known.holder), held);
        match known.holder {
            Holder::Nic(_) => {
                assert_eq!(record.nic(), Some(NicId(known.place)));
                assert_eq!(record.original(), known.original);
                assert_eq!(record.at_nic, known.value);
            }
            Holder::Gateway(_) => {
                assert_eq!(record.gateway(), Some(NatGatewayId(known.place)));
                let mut keys = [record.inside(), record.outside().reversed()];
                if keys[0] != known.original {
                    keys.reverse();
                }
                assert_eq!(keys, [known.original, known.reply]);
                assert_eq!(record.at_gateway, known.value);
            }
        }
    }
    let earliest = model.0.iter().map(|known| known.deadline).min();
    assert!(earliest.is_none_or(|earliest| table.next_due() <= earliest));
}
