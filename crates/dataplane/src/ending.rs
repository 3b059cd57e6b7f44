//! The ends of connections: whose time has come, and what goes with them.
//!
//! A connection whose time has come is *over*: nobody finds it any more. It need not have *ended*, that is,
//! have left all tables. Of thousands that are over at once a few end whenever packets have their turn, so
//! that none of these waits for all of those; one that a packet meets ends there and then; as many as it takes
//! end before a ceiling or a peak is reached, and all before a port counts as taken. The kernel does the same
//! (`nf_ct_is_expired`, `gc_worker` in nf_conntrack_core.c).

use crate::conntrack::{AHEAD, Holder, TrackId};
use crate::flow_cache::Key;
use crate::state::Flow;
use crate::{Nanos, Program, State};

/// So many records are looked after before a chunk of packets or one that is walked: more than a packet
/// opens, and few enough that no batch is held up by what ends.
pub(crate) const ENDS_A_TURN: usize = 8;

/// What goes with flows that may end soon, in steps that are short of waiting.
#[derive(Default)]
struct Ending {
    tracks: [Option<TrackId>; AHEAD],
    /// Hashes of the destinations whose ports are held.
    destinations: [Option<u64>; AHEAD],
    count: usize,
}

impl Ending {
    fn add(&mut self, track: TrackId, destination: Option<u64>) {
        let at = self.count;
        if at < AHEAD {
            self.tracks[at] = Some(track);
            self.destinations[at] = destination;
            self.count += 1;
        }
    }

    /// Asks for entries and destinations, when what leads there is there, and for what finds those
    /// entries.
    fn prefetch(&self, state: &State) {
        for &hash in self.destinations[..self.count].iter().flatten() {
            state.sessions.prefetch_destination(hash);
        }
        let tracks = self.tracks[..self.count].iter().flatten();
        tracks
            .clone()
            .for_each(|&track| state.prefetch_entries(track));
        tracks.for_each(|&track| state.prefetch_lines(track));
    }
}

impl State {
    /// Ends the connections whose time has come, which costs what they do.
    pub fn end_due(&mut self, program: &Program) {
        self.end_some(program, usize::MAX);
    }

    /// Ends some of the connections whose time has come: those of so many records at most. Whether there
    /// may be more.
    pub(crate) fn end_some(&mut self, program: &Program, most: usize) -> bool {
        let mut left = most;
        // What timers do as time passes is work too.
        while left > 0
            && let Some(slot) = self.flows.due_within(self.now, &mut left)
        {
            let (tracks, sessions) = (&self.tracks, &self.sessions);
            let mut next = Ending::default();
            let also = |record: &Flow| {
                tracks.prefetch_all(record.track());
                next.add(record.track(), sessions.prefetch_held(record));
            };
            self.flows.prefetch_due(self.now, also);
            next.prefetch(self);
            self.visit(program, slot);
            left = left.saturating_sub(1);
        }
        left == 0
    }

    /// What is due then has to be dealt with before any packet: where ends wait, fragments alone.
    #[inline]
    pub(crate) fn next_must(&self) -> Nanos {
        if self.ends_a_turn == usize::MAX {
            self.next_due()
        } else {
            self.next_timeout()
        }
    }

    /// Ends connections whose time has come at `now`, before a packet that comes then. False
    /// where there is none, or where what else is due has to be told.
    pub(crate) fn end_connections(&mut self, program: &Program, now: Nanos) -> bool {
        let now = self.now.max(now);
        if now < self.next_due() || now >= self.next_timeout() {
            return false;
        }
        self.now = now;
        self.end_some(program, self.ends_a_turn);
        true
    }

    /// Whether a flow has an entry at `now`, when connections may be over: those that the entry stands for
    /// end then.
    pub(crate) fn outlives(&mut self, program: &Program, key: &Key, now: Nanos) -> bool {
        let Some(entry) = self.cache.find(key).map(|id| self.cache.get(id)) else {
            return false;
        };
        if entry.came_within(program.least_life(), now) {
            return true;
        }
        let Some((track, _)) = entry.track() else {
            return true;
        };
        self.now = now;
        !self.end_sharers(program, track)
    }

    /// Whether there may be connections that are over and have not ended.
    #[inline]
    pub(crate) fn is_behind(&self) -> bool {
        self.now >= self.next_end()
    }

    /// Ends connections that are over until there is room for another one, or to be counted as the most
    /// there ever were.
    #[inline]
    pub(crate) fn make_room(&mut self, program: &Program, has_room: impl Fn(&Self) -> bool) {
        let mut more = self.is_behind();
        while more && !has_room(self) {
            more = self.end_some(program, ENDS_A_TURN);
        }
    }

    /// Ends all connections that are over, before somebody counts; whether there may have been any.
    pub(crate) fn catch_up(&mut self, program: &Program) -> bool {
        let is_behind = self.is_behind();
        if is_behind {
            self.end_due(program);
        }
        is_behind
    }

    /// Ends a connection that a packet has found if it is over; whether it was.
    #[inline]
    pub(crate) fn end_if_over(&mut self, program: &Program, holder: Holder) -> bool {
        let is_over = self.is_behind() && self.is_over(program, holder);
        if is_over {
            self.end_connection(program, holder);
        }
        is_over
    }

    /// Ends the connections that are over of those that share a tracker; whether there were any.
    pub(crate) fn end_sharers(&mut self, program: &Program, track: TrackId) -> bool {
        let mut any = false;
        for holder in self.tracks.holders(track) {
            any |= self.end_if_over(program, holder);
        }
        any
    }

    /// Whether a connection's time has come, before the packet under way.
    pub(crate) fn is_over(&self, program: &Program, holder: Holder) -> bool {
        let held = self.held(holder);
        let deadline = held.map(|held| self.deadline(program, holder, held));
        deadline.is_some_and(|deadline| deadline <= self.now) && !self.leaving.contains(&holder)
    }

    /// A packet has set the deadline of a connection: if that has come already, the connection is
    /// remembered until the packet has passed.
    #[inline]
    pub(crate) fn stays_until_passed(&mut self, holder: Holder, deadline: Nanos) {
        if deadline <= self.now {
            self.leaving.push(holder);
        }
    }

    /// The packet under way has passed: what it has kept is looked after.
    #[inline]
    pub(crate) fn has_passed(&mut self) {
        while let Some(holder) = self.leaving.pop() {
            let slot = holder.slot();
            if self.flows.get(slot).is_some() {
                self.flows.set_timer(slot, Some(self.now));
            }
        }
    }

    /// A record's timer has come: ends the connections there whose time has, and sets the timer to where
    /// packets have moved the deadlines of the others since.
    fn visit(&mut self, program: &Program, slot: u32) {
        let (mut again, mut leaves) = (None, false);
        for holder in [Holder::Nic(slot), Holder::Gateway(slot)] {
            let Some(held) = self.held(holder) else {
                continue;
            };
            if self.leaving.contains(&holder) {
                leaves = true;
                continue;
            }
            let deadline = self.deadline(program, holder, held);
            if deadline <= self.now {
                self.journal_due(Some(deadline));
                self.end_connection(program, holder);
                self.journal_due(None);
                continue;
            }
            let earlier = again.map_or(deadline, |(_, again)| deadline.min(again));
            again = Some((held.0, earlier));
        }
        if leaves {
            return self.flows.set_timer(slot, None);
        }
        let Some((track, mut again)) = again else {
            return;
        };
        if self.tracks.is_remembered(track) {
            // A packet may bring a deadline nearer without a word.
            let least = self.least_timeout(program, track);
            again = again.min(self.now.after_seconds(least));
        }
        self.flows.defer(slot, self.early(slot, again));
    }

    /// When a connection's time comes, as its entries know, of its tracker and what was written down.
    fn deadline(
        &self,
        program: &Program,
        holder: Holder,
        (track, written): (TrackId, Nanos),
    ) -> Nanos {
        match self.last_seen(track) {
            Some(last) => self.deadline_after(program, holder, track, last),
            None => written,
        }
    }

    /// When to look after connection `number` for which nothing is due before `at`: up to an eighth of
    /// the time earlier, each connection at another moment. Thousands that began together would all be
    /// looked after together, again and again.
    pub(crate) fn early(&self, number: u32, at: Nanos) -> Nanos {
        const LEAST: u64 = 1_000_000_000;
        let time = at.0.saturating_sub(self.now.0);
        if time < LEAST {
            return at;
        }
        // Neighbours far apart: the golden ratio's fraction.
        let part = number.wrapping_mul(0x9e37_79b9) >> 16;
        Nanos(at.0 - (time >> 19) * u64::from(part))
    }

    /// The tracker and the deadline of a connection.
    pub(crate) fn held(&self, holder: Holder) -> Option<(TrackId, Nanos)> {
        self.flows.held(holder)
    }

    /// A connection ends.
    pub(crate) fn end_connection(&mut self, program: &Program, holder: Holder) {
        let Some((track, _)) = self.held(holder) else {
            return;
        };
        self.uncache(program, track);
        match holder {
            Holder::Nic(_) => {
                self.flows.remove(holder);
                self.journal_flow(false);
            }
            Holder::Gateway(slot) => {
                let gateway = self.flows.get(slot).and_then(Flow::gateway);
                self.sessions.remove(&mut self.flows, slot);
                if let Some(gateway) = gateway {
                    self.journal_session(gateway, false);
                }
            }
        }
        if self.tracks.release(track, holder) {
            self.forget_met(track);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpcsim_network::Network;

    #[test]
    fn connections_that_began_together_are_looked_after_apart() {
        let network =
            Network::from_yaml("test", "vpcs: {v: {cidr: 10.0.0.0/16}}").expect("a network");
        let state = State::new(&Program::new(network));
        let later = |millis: u64| Nanos(state.now.0 + millis * 1_000_000);
        let minute = later(60_000);
        let moments: Vec<_> = (0..1024).map(|slot| state.early(slot, minute)).collect();
        assert!(
            moments
                .iter()
                .all(|at| (later(52_500)..=minute).contains(at))
        );
        for tenth in 0..10_u64 {
            let span = later(52_500 + tenth * 750)..later(53_250 + tenth * 750);
            let within = moments.iter().filter(|at| span.contains(at)).count();
            assert!((90..=115).contains(&within), "{within} of 1024 in a tenth");
        }
        // Within a second nothing is gained.
        assert_eq!(state.early(7, later(999)), later(999));
    }
}
