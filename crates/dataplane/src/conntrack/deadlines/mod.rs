//! Which record is due next: a timer for each, on a wheel of virtual time.
//!
//! Almost every packet moves a deadline *later*. That touches nothing here: a timer may be early,
//! and is set back when it comes up (`defer`). Moving a deadline earlier than its timer moves the
//! timer (`hasten`).
//!
//! Setting and taking a timer costs the same however many there are. As the clock goes on, timers
//! move to finer buckets, and those of the tick that the clock is in to a queue, where they stand in
//! order, exact to the nanosecond, and are known before they have their turn; what is set within the
//! tick goes to a heap beside it. A jump of the clock goes from one tick in which there is something to
//! do to the next, as far as somebody asks for timers: it costs what is due, not the time jumped over, and
//! not all at once. There are never stale timers, so memory follows the live records: 17 bytes each.

mod bucket;
mod place;
mod queue;
mod soon;
#[cfg(test)]
mod tests;
mod wheel;

pub(crate) use queue::AHEAD;

use crate::Nanos;
use bucket::{Bucket, LEVELS, tick};
use place::{Place, Places};
use queue::Queue;
use soon::Soon;
use wheel::Wheel;

/// The timer of a connection, packed into 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(Rust, packed(4))]
pub(super) struct Due {
    at: Nanos,
    pub(super) slot: u32,
}

impl Due {
    /// Not later than the connection's deadline.
    #[inline]
    pub(super) fn at(&self) -> Nanos {
        self.at
    }

    /// By time, equal ones by slot: in one number, as they are compared a lot.
    #[inline]
    fn order(&self) -> u128 {
        (u128::from(self.at.0) << 32) | u128::from(self.slot)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Deadlines {
    places: Places,
    wheel: Wheel,
    /// Timers of the clock's tick and before.
    queue: Queue,
    /// The same that were set when it had begun.
    soon: Soon,
    /// The latest time that was asked about, or the tick of timers before it that are still there.
    clock: Nanos,
    next: Nanos,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            places: Places::default(),
            wheel: Wheel::default(),
            soon: Soon::default(),
            queue: Queue::default(),
            clock: Nanos(0),
            next: Nanos(u64::MAX),
        }
    }
}

impl Deadlines {
    /// A time before which nothing is due. Before a bucket of timers becomes due there are times
    /// at which it wants to be emptied bit by bit.
    #[inline]
    pub(super) fn next(&self) -> Nanos {
        self.next
    }

    /// The first of the timers that are set to `now` or earlier, equal ones by slot. It stays
    /// until it is deferred or removed.
    #[inline]
    pub(super) fn due(&mut self, now: Nanos) -> Option<Due> {
        self.due_within(now, &mut usize::MAX.clone())
    }

    /// The same, but the clock goes over so many ticks at most, of those in which there is something to
    /// do, and each is taken off. `None` before `now` if that was not enough: then
    /// [`next`](Self::next) is not after `now`.
    #[inline]
    pub(super) fn due_within(&mut self, now: Nanos, ticks: &mut usize) -> Option<Due> {
        if now < self.next {
            return None;
        }
        loop {
            let due = self.first().filter(|due| due.at() <= now);
            if due.is_some() {
                return due;
            }
            let wake = self.next_wake();
            if tick(now) <= tick(self.clock) {
                self.next = wake;
                return None;
            }
            *ticks = ticks.checked_sub(1)?;
            self.advance(wake.min(now));
        }
    }

    /// The first of the timers that have come.
    #[inline]
    fn first(&self) -> Option<Due> {
        let first = [self.queue.first(), self.soon.first()];
        first.into_iter().flatten().min_by_key(Due::order)
    }

    /// Where one is [due](Self::due) at `now`: the next ones of the same tick, [`AHEAD`] at most, but for those that
    /// were set within it. Nothing where those that were named before have not all had their turn.
    pub(super) fn next_up(&mut self, now: Nanos) -> impl Iterator<Item = u32> {
        let is_due = self.first().is_some_and(|due| due.at() <= now);
        is_due.then(|| self.queue.name()).into_iter().flatten()
    }

    /// Sets the timer of a new connection.
    #[inline]
    pub(super) fn insert(&mut self, slot: u32, at: Nanos) {
        self.places.make(slot);
        self.put(Due { at, slot });
    }

    /// Takes the timer of a connection.
    pub(super) fn remove(&mut self, slot: u32) {
        match self.places.get(slot) {
            Place::Off => {}
            Place::Soon(index) => self.soon.remove(index, &mut self.places),
            Place::Queue(index) => self.queue.remove(index, &mut self.places),
            Place::Chunk { chunk, index } => self.wheel.remove(chunk, index, &mut self.places),
        }
    }

    /// Makes sure that the timer of a connection comes up at `at` or before.
    pub(super) fn hasten(&mut self, slot: u32, at: Nanos) {
        if self.at(slot).is_some_and(|before| at < before) {
            self.remove(slot);
            self.put(Due { at, slot });
        }
    }

    /// Sets the timer of a connection back to `at`.
    pub(super) fn defer(&mut self, slot: u32, at: Nanos) {
        if self.at(slot).is_some() {
            self.remove(slot);
            self.put(Due { at, slot });
        }
    }

    /// Asks for what says where a slot's timer is.
    pub(super) fn prefetch_place(&self, slot: u32) {
        self.places.prefetch(slot);
    }

    /// Asks for a slot's timer.
    pub(super) fn prefetch_timer(&self, slot: u32) {
        if let Place::Chunk { chunk, index } = self.places.get(slot) {
            self.wheel.prefetch(chunk, index);
        }
    }

    fn at(&self, slot: u32) -> Option<Nanos> {
        match self.places.get(slot) {
            Place::Off => None,
            Place::Soon(index) => Some(self.soon.get(index).at()),
            Place::Queue(index) => Some(self.queue.get(index).at()),
            Place::Chunk { chunk, index } => Some(self.wheel.get(chunk, index).at()),
        }
    }

    /// Sets a timer that is off.
    #[inline]
    fn put(&mut self, due: Due) {
        let at = due.at();
        if tick(at) <= tick(self.clock) {
            self.soon.push(due, &mut self.places);
            self.next = self.next.min(at);
        } else {
            let bucket = Bucket::reaching(at, self.clock);
            self.wheel.push(due, bucket, &mut self.places);
            self.next = self.next.min(self.wake(bucket));
        }
    }

    /// Moves the clock on, to where timers want to be looked at at the latest, and timers with it. Those
    /// of the ticks before have all had their turn.
    fn advance(&mut self, now: Nanos) {
        let before = std::mem::replace(&mut self.clock, now);
        for level in 0..LEVELS {
            let (passed, reached) = (Bucket::of(level, before), Bucket::of(level, now));
            if passed == reached {
                break;
            }
            while let Some(bucket) = self.wheel.after(passed)
                && bucket.number <= reached.number
            {
                self.empty(bucket, u64::MAX);
            }
        }
        self.ease(tick(before));
        self.queue.sort(&mut self.places);
        if let Some(first) = self.queue.first() {
            self.next = self.next.min(first.at());
        }
    }

    /// Empties the next bucket of each level little by little, so that nothing is left of it when
    /// the clock comes to it: no single packet pays for a whole bucket.
    fn ease(&mut self, before: u64) {
        let now = tick(self.clock);
        for level in 1..LEVELS {
            let present = Bucket::of(level, self.clock);
            let len = self.wheel.len(present.next());
            if len > 0 {
                let ticks = present.ticks();
                let passed = now - before.max(ticks.start);
                let share = (u128::from(len) * u128::from(passed))
                    .div_ceil(u128::from(passed + ticks.end - 1 - now));
                self.empty(present.next(), share as u64);
            }
        }
    }

    /// Moves up to `most` timers of a bucket to where they belong now.
    fn empty(&mut self, bucket: Bucket, most: u64) {
        for _ in 0..most {
            let Some(due) = self.wheel.pop(bucket) else {
                break;
            };
            if tick(due.at()) <= tick(self.clock) {
                self.queue.add(due);
            } else {
                self.put(due);
            }
        }
    }

    fn next_wake(&self) -> Nanos {
        if let Some(due) = self.first() {
            // It is of the clock's tick, and no bucket wants anything before the next one.
            return due.at();
        }
        let later = (0..LEVELS).filter_map(|level| {
            let bucket = self.wheel.after(Bucket::of(level, self.clock))?;
            Some(self.wake(bucket))
        });
        later.min().unwrap_or(Nanos(u64::MAX))
    }

    /// When the timers of a bucket want to be looked at: at its beginning in the finest level; in
    /// others in every tick of the bucket before, while it is being emptied.
    #[inline]
    fn wake(&self, bucket: Bucket) -> Nanos {
        if bucket.level == 0 {
            return bucket.start();
        }
        let emptied_from = Bucket {
            number: bucket.number - 1,
            ..bucket
        };
        let next_tick = Bucket::of(0, self.clock).next();
        emptied_from.start().max(next_tick.start())
    }
}

#[cfg(test)]
impl Deadlines {
    /// How many timers are set; checks that all are where they belong.
    pub(super) fn entries(&self) -> usize {
        self.soon.assert_sound(&self.places);
        let queued = self.queue.assert_sound(&self.places);
        self.wheel.assert_sound(&self.places) + self.soon.len() + queued
    }

    pub(super) fn capacity(&self) -> usize {
        let soon = self.soon.capacity().max(self.queue.capacity());
        let timers = self.wheel.capacity().max(soon);
        self.places.capacity().max(timers)
    }
}
