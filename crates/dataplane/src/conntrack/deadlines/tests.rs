//! The timer wheel against a sorted set of all timers, and what it promises beyond order.

use super::bucket::Bucket;
use super::{AHEAD, Deadlines, Due};
use crate::Nanos;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SECOND: u64 = 1_000_000_000;
const START: Nanos = Nanos(1_700_000_000 * SECOND);

#[derive(Debug, Clone)]
enum Step {
    /// Sets a slot's timer, where it is off.
    Insert(u32, u64),
    Remove(u32),
    Hasten(u32, u64),
    /// The clock goes on; what is due is deferred by this much each time, or removed. With or
    /// without a look ahead.
    Due(u64, Option<u64>, bool),
}

/// From one nanosecond to centuries: every level of the wheel.
fn any_span() -> impl Strategy<Value = u64> {
    (0..62_u32, any::<u64>()).prop_map(|(bits, random)| random & ((2 << bits) - 1))
}

fn any_step() -> impl Strategy<Value = Step> {
    let slot = 0..40_u32;
    prop_oneof![
        5 => (slot.clone(), any_span()).prop_map(|(slot, lives)| Step::Insert(slot, lives)),
        1 => slot.clone().prop_map(Step::Remove),
        2 => (slot, any_span()).prop_map(|(slot, lives)| Step::Hasten(slot, lives)),
        4 => (any_span(), proptest::option::of(any_span()), any::<bool>())
            .prop_map(|(passes, later, ahead)| Step::Due(passes, later, ahead)),
    ]
}

/// The wheel, and every timer in a sorted set.
struct Pair {
    wheel: Deadlines,
    timers: BTreeSet<(Nanos, u32)>,
    by_slot: BTreeMap<u32, Nanos>,
    now: Nanos,
}

impl Pair {
    fn new(now: Nanos) -> Self {
        Self {
            wheel: Deadlines::default(),
            timers: BTreeSet::new(),
            by_slot: BTreeMap::new(),
            now,
        }
    }

    fn after(&self, span: u64) -> Nanos {
        Nanos(self.now.0.saturating_add(span))
    }

    fn forget(&mut self, slot: u32) {
        if let Some(at) = self.by_slot.remove(&slot) {
            self.timers.remove(&(at, slot));
        }
    }

    fn know(&mut self, slot: u32, at: Nanos) {
        self.by_slot.insert(slot, at);
        self.timers.insert((at, slot));
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Insert(slot, lives) => {
                if !self.by_slot.contains_key(&slot) {
                    let at = self.after(lives);
                    self.wheel.insert(slot, at);
                    self.know(slot, at);
                }
            }
            Step::Remove(slot) => {
                self.wheel.remove(slot);
                self.forget(slot);
            }
            Step::Hasten(slot, lives) => {
                let at = self.after(lives);
                self.wheel.hasten(slot, at);
                if self.by_slot.get(&slot).is_some_and(|&before| at < before) {
                    self.forget(slot);
                    self.know(slot, at);
                }
            }
            Step::Due(passes, later, ahead) => {
                self.now = self.after(passes);
                self.take_due(later, ahead);
            }
        }
        assert_eq!(self.wheel.entries(), self.timers.len());
        if let Some((first, _)) = self.timers.first() {
            assert!(self.wheel.next() <= *first);
        }
    }

    fn take_due(&mut self, later: Option<u64>, ahead: bool) {
        // At the end of time nothing can be put off.
        let later = later.filter(|_| self.now < Nanos(u64::MAX));
        loop {
            if ahead {
                // In order, but for those that were set within the tick.
                let mut timers = self.timers.iter().map(|(_, slot)| *slot);
                self.wheel.due(self.now);
                let mut named = self.wheel.next_up(self.now);
                assert!(named.all(|slot| timers.any(|other| other == slot)));
            }
            let first = self.timers.first().filter(|(at, _)| *at <= self.now);
            let wanted = first.map(|&(at, slot)| Due { at, slot });
            assert_eq!(self.wheel.due(self.now), wanted);
            let Some(due) = wanted else {
                break;
            };
            self.forget(due.slot);
            match later {
                Some(later) => {
                    let at = self.after(later.max(1));
                    self.wheel.defer(due.slot, at);
                    self.know(due.slot, at);
                }
                None => self.wheel.remove(due.slot),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Same timers due at the same times in the same order, wherever the clock begins.
    #[test]
    fn the_wheel_does_what_a_sorted_set_does(
        start in prop_oneof![Just(START), Just(Nanos(0)), any::<u64>().prop_map(Nanos)],
        steps in vec(any_step(), 0..120),
    ) {
        let mut pair = Pair::new(start);
        for step in steps {
            pair.take(step);
        }
    }
}

#[test]
fn a_jump_over_years_brings_everything_in_order() {
    let mut wheel = Deadlines::default();
    let hour = 3600 * SECOND;
    let at = |slot: u32| Nanos(START.0 + u64::from(slot) * 40_503 % 65_537 * hour);
    for slot in 0..65_536 {
        wheel.insert(slot, at(slot));
    }
    let mut last = Nanos(0);
    let now = Nanos(START.0 + 65_537 * hour);
    let mut count = 0;
    while let Some(due) = wheel.due(now) {
        let Due { at: set, slot } = due;
        assert!(last <= set && set == at(slot));
        last = set;
        wheel.remove(due.slot);
        count += 1;
    }
    assert_eq!((count, wheel.entries()), (65_536, 0));
}

#[test]
fn no_moment_pays_for_a_whole_bucket() {
    // 65 536 timers within the two seconds of one bucket, 200 s ahead: as the clock comes near, it
    // is emptied over 4096 ticks.
    const TIMERS: u32 = 65_536;
    let mut wheel = Deadlines::default();
    assert_eq!(wheel.due(START), None);
    wheel.insert(TIMERS, START);
    assert!(wheel.due(START).is_some());
    wheel.remove(TIMERS);
    let bucket = Bucket::reaching(Nanos(START.0 + 200 * SECOND), START);
    let width = bucket.next().start().0 - bucket.start().0;
    for slot in 0..TIMERS {
        let within = u64::from(slot) * 40_503 % u64::from(TIMERS) * (width / u64::from(TIMERS));
        wheel.insert(slot, Nanos(bucket.start().0 + within));
    }
    let mut now = START;
    let mut waiting = wheel.wheel.len(bucket);
    assert_eq!(waiting, TIMERS);
    let mut most = 0;
    while now < bucket.start() {
        now.0 += 100_000;
        while let Some(due) = wheel.due(now) {
            wheel.remove(due.slot);
        }
        let left = wheel.wheel.len(bucket);
        most = most.max(waiting - left);
        waiting = left;
    }
    assert_eq!(waiting, 0);
    assert!(most <= 2 * TIMERS / 4096, "{most} moved at once");
}

#[test]
fn memory_follows_the_timers_in_a_clock_that_stands() {
    // Timers of the clock's own tick, set and taken again and again.
    let mut wheel = Deadlines::default();
    for slot in 0..8 {
        wheel.insert(slot, Nanos(u64::from(slot)));
    }
    for turn in 0..100_000_u32 {
        let slot = turn % 7 + 1;
        wheel.remove(slot);
        wheel.insert(slot, Nanos(u64::from(turn)));
    }
    assert_eq!(wheel.entries(), 8);
    assert!(wheel.capacity() < 512, "{}", wheel.capacity());
}

/// After a jump the clock goes as far as it is asked to, and nothing is passed over.
#[test]
fn a_jump_is_gone_in_parts() {
    let mut wheel = Deadlines::default();
    wheel.due(START);
    let at = |slot: u32| Nanos(START.0 + u64::from(slot) * 1_000_000_007);
    (1..200).for_each(|slot| wheel.insert(slot, at(slot)));
    let now = at(1_000);
    let (mut order, mut parts) = (Vec::new(), 0);
    while wheel.next() <= now {
        let mut ticks = 3;
        while let Some(due) = wheel.due_within(now, &mut ticks) {
            wheel.remove(due.slot);
            order.push(due.slot);
        }
        parts += 1;
    }
    assert!(order.into_iter().eq(1..200));
    assert!(parts > 199 / 3, "{parts}");
    assert_eq!(wheel.entries(), 0);
}

#[test]
fn as_many_as_there_is_room_for_are_named_ahead_once() {
    let mut wheel = Deadlines::default();
    let slots = AHEAD as u32 + 8;
    for slot in 0..slots {
        wheel.insert(slot, Nanos(START.0 + u64::from(slot)));
    }
    // None is due.
    assert_eq!(wheel.next_up(Nanos(START.0 - 1)).count(), 0);
    assert!(wheel.due(START).is_some());
    let named: Vec<u32> = wheel.next_up(START).collect();
    assert!(named.iter().copied().eq(0..AHEAD as u32));
    assert_eq!(wheel.next_up(START).count(), 0);
    // One that comes later and is earlier has its turn first.
    wheel.insert(slots, Nanos(START.0 - 1));
    let mut order = Vec::new();
    while let Some(due) = wheel.due(Nanos(START.0 + u64::from(slots))) {
        wheel.remove(due.slot);
        order.push(due.slot);
    }
    assert!(order.into_iter().eq([slots].into_iter().chain(0..slots)));
}
