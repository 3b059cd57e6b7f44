//! What a shard's state tells of a round: the connections that came and went, so that the most
//! there ever were of all states together is known exactly.

use super::round::Turn;
use crate::{Nanos, State};
use vpcsim_network::NatGatewayId;

/// Connections that came and went in one state.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// The packet that is walked, or was walked last.
    walked: Option<u64>,
    /// While connections end whose time has come: when that was.
    due: Option<Nanos>,
    events: Vec<Event>,
}

/// A connection came or went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    when: When,
    /// 0 for flows of nics, else a gateway and one.
    table: usize,
    opens: bool,
}

/// When a connection came or went.
#[derive(Debug, Clone, Copy)]
enum When {
    /// With the packet of this number.
    Packet(u64),
    /// Before the first packet at this time or later, of those after the packet that had set it.
    Due(Nanos, Option<u64>),
}

impl State {
    /// The packet of this number is walked.
    #[inline]
    pub(crate) fn journal_begin(&mut self, id: u64) {
        if let Some(journal) = &mut self.journal {
            journal.walked = Some(id);
        }
    }

    /// Connections end from here on because this time has come.
    pub(crate) fn journal_due(&mut self, since: Option<Nanos>) {
        if let Some(journal) = &mut self.journal {
            journal.due = since;
        }
    }

    /// A flow of a nic has come or gone.
    pub(crate) fn journal_flow(&mut self, opens: bool) {
        if let Some(journal) = &mut self.journal {
            journal.add(0, opens);
        }
    }

    /// A session of a gateway has come or gone.
    pub(crate) fn journal_session(&mut self, gateway: NatGatewayId, opens: bool) {
        if let Some(journal) = &mut self.journal {
            journal.add(1 + gateway.index(), opens);
        }
    }
}

impl Journal {
    fn add(&mut self, table: usize, opens: bool) {
        let when = match self.due {
            Some(deadline) => When::Due(deadline, self.walked),
            None => When::Packet(self.walked.unwrap_or(0)),
        };
        self.events.push(Event { when, table, opens });
    }

    /// Moves what came and went since the last time behind other events.
    pub(super) fn take(&mut self, into: &mut Vec<Event>) {
        into.append(&mut self.events);
    }

    /// Forgets what came and went since the last time.
    pub(super) fn forget(&mut self) {
        self.events.clear();
    }
}

/// Where in a round something happened: before the packet at this place, or with it.
fn place(turns: &[Turn], when: When) -> (usize, bool) {
    match when {
        When::Packet(id) => (turns.partition_point(|turn| turn.id < id), true),
        When::Due(deadline, after) => {
            let due = turns.partition_point(|turn| turn.clock < deadline);
            // A deadline that has come already when it is set ends with the next packet.
            let after = after.map_or(0, |id| turns.partition_point(|turn| turn.id <= id));
            (due.max(after), false)
        }
    }
}

/// Connections of nics, then of each gateway.
#[derive(Debug, Clone, Default)]
pub(super) struct Peaks {
    /// The most there were.
    pub(super) most: Vec<usize>,
    /// How many there are when a round begins.
    pub(super) begin: Vec<usize>,
}

impl Peaks {
    /// Takes into account what each of the states says of a round.
    pub(super) fn raise(&mut self, turns: &[Turn], states: &[&[Event]]) {
        let begin = &self.begin;
        let mut opened = vec![0; begin.len()];
        let mut ended = vec![false; begin.len()];
        for event in states.iter().copied().flatten() {
            opened[event.table] += usize::from(event.opens);
            ended[event.table] |= !event.opens;
        }
        // Where none ended there were never more than in the end.
        let mut exact = vec![false; begin.len()];
        for (table, peak) in self.most.iter_mut().enumerate() {
            let most = begin[table] + opened[table];
            exact[table] = ended[table] && most > *peak;
            if !exact[table] {
                *peak = (*peak).max(most);
            }
        }
        if exact.contains(&true) {
            let events = states.iter().copied().flatten();
            let events = events.filter(|event| exact[event.table]);
            let mut events: Vec<_> = events.map(|e| (place(turns, e.when), e)).collect();
            // Stable: one state tells of a packet, and in order.
            events.sort_by_key(|(place, _)| *place);
            let mut now = begin.clone();
            for (_, event) in events {
                let count = &mut now[event.table];
                if event.opens {
                    *count += 1;
                    self.most[event.table] = self.most[event.table].max(*count);
                } else {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Cost;
    use crate::shards::round::At;

    fn turn(id: u64, clock: u64) -> Turn {
        Turn {
            id,
            clock: Nanos(clock),
            time: Nanos(clock),
            cost: Cost::Once(0),
            at: At::Shard(0),
        }
    }

    fn events(events: &[(When, bool)]) -> Vec<Event> {
        let event = |&(when, opens)| Event {
            when,
            table: 0,
            opens,
        };
        events.iter().map(event).collect()
    }

    fn peak(begin: usize, turns: &[Turn], states: [&[Event]; 2]) -> usize {
        let mut peaks = Peaks {
            most: vec![begin],
            begin: vec![begin],
        };
        peaks.raise(turns, &states);
        peaks.most[0]
    }

    #[test]
    fn what_is_due_ends_before_the_first_packet_at_its_time() {
        let turns = [turn(10, 100), turn(11, 200), turn(12, 300)];
        for (due, most) in [(200, 2), (201, 3), (300, 3)] {
            let one = events(&[(When::Packet(10), true), (When::Packet(11), true)]);
            let other = events(&[(When::Due(Nanos(due), Some(3)), false)]);
            assert_eq!(peak(1, &turns, [&one, &other]), most, "due at {due}");
        }
    }

    #[test]
    fn what_ends_with_its_own_packet_ends_before_the_next() {
        // All at one time: the connection that packet 10 ends is there until packet 11 comes.
        let turns = [turn(10, 100), turn(11, 100)];
        for (last, most) in [(10, 1), (11, 2)] {
            let ending = events(&[(When::Due(Nanos(100), Some(last)), false)]);
            let opening = events(&[(When::Packet(11), true)]);
            assert_eq!(peak(1, &turns, [&ending, &opening]), most, "by {last}");
        }
    }
}
