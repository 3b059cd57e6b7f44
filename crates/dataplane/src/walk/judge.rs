//! What a packet means for the connections it belongs to, judged once for all places that share
//! their protocol state (see [`crate::conntrack::Tracks`]).

use super::Walk;
use crate::conntrack::{
    AHEAD, Connection, Direction, Holder, Judgement, Opening, TrackId, Tracker,
};
use crate::observe::Observer;
use crate::packet::Packet;
use crate::state::NicFlow;
use crate::{Nanos, Program, State};

/// A tracker that the packet under way has met.
#[derive(Debug, Clone)]
pub(crate) struct Met {
    track: TrackId,
    direction: Direction,
    /// As it was when the packet came.
    before: Tracker,
    judgement: Judgement,
    /// The holders at which the packet has passed it, as [`Tracks::bit`] names them.
    by: u8,
}

/// What a packet without a connection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// A connection, maybe picked up in the middle.
    Connection { mid_stream: bool },
    /// It opens none.
    Nothing,
}

/// The tracker that the packet under way has opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened {
    track: TrackId,
    mid_stream: bool,
    /// It is as it was opened: what the next place would open is the same.
    is_fresh: bool,
}

impl<O: Observer> Walk<'_, O> {
    /// What a packet without a connection begins. Every place on its way asks, and every one gets
    /// the same answer: nothing that it depends on is ever rewritten.
    pub(crate) fn open(&mut self, packet: &Packet<'_>) -> Begins {
        let mid_stream = if let Some(opened) = self.state.opened
            && opened.is_fresh
        {
            opened.mid_stream
        } else {
            match Tracker::open(packet.bytes, &packet.headers, self.now(), &self.settings) {
                Opening::Opens(tracker) => {
                    self.begun = tracker;
                    false
                }
                Opening::MidStream(tracker) => {
                    self.begun = tracker;
                    true
                }
                Opening::Invalid(_) => return Begins::Nothing,
            }
        };
        Begins::Connection { mid_stream }
    }

    /// Lets the packet count for a connection. Returns where the connection's tracker is
    /// afterwards, and the judgement.
    pub(crate) fn judge(
        &mut self,
        packet: &Packet<'_>,
        holder: Holder,
        mut track: TrackId,
        direction: Direction,
    ) -> (TrackId, Judgement) {
        if let Some(met) = self.state.met.iter_mut().find(|met| met.track == track) {
            let bit = self.state.tracks.bit(track, holder);
            let anew = met.by & bit == 0;
            if anew && met.direction == direction {
                met.by |= bit;
                return (track, met.judgement);
            }
            // The same place a second time, or against the direction: it counts there alone.
            let own = if anew {
                met.before
            } else {
                *self.state.tracks.get(track)
            };
            track = self.state.part(holder, track, own);
            self.recipe.spoil();
        } else {
            self.state.write_back(self.program, track);
        }
        let (now, settings) = (self.now(), self.settings);
        if let Some(opened) = &mut self.state.opened {
            opened.is_fresh &= opened.track != track;
        }
        let tracker = self.state.tracks.get_mut(track);
        let before = *tracker;
        let judgement = tracker.update(packet.bytes, &packet.headers, direction, now, &settings);
        let by = self.state.tracks.bit(track, holder);
        self.state.met.push(Met {
            track,
            direction,
            before,
            judgement,
            by,
        });
        (track, judgement)
    }

    /// The tracker of a connection that the packet [opens](Self::open): the one that it opened
    /// before on its way, if it is the same.
    pub(crate) fn open_track(&mut self, mid_stream: bool) -> TrackId {
        let state = &mut *self.state;
        if let Some(opened) = state.opened {
            let before = state.tracks.get(opened.track);
            let same = opened.is_fresh || *before == self.begun;
            if same && state.tracks.has_room(opened.track) {
                return opened.track;
            }
            if opened.is_fresh {
                self.begun = *before;
            }
        }
        let tracker = self.begun;
        let track = state.tracks.insert(tracker);
        state.opened = Some(Opened {
            track,
            mid_stream,
            is_fresh: true,
        });
        state.met.push(Met {
            track,
            direction: Direction::Original,
            before: tracker,
            judgement: Judgement::Pass,
            by: 0,
        });
        track
    }

    /// A connection that the packet opened holds the tracker.
    pub(crate) fn hold_opened(&mut self, track: TrackId, holder: Holder) {
        let state = &mut *self.state;
        state.tracks.hold(track, holder);
        let bit = state.tracks.bit(track, holder);
        for met in state.met.iter_mut().filter(|met| met.track == track) {
            met.by |= bit;
        }
    }

    /// The packet has ended: who shares a tracker that it changed and did not see the packet goes
    /// on with the tracker as it was.
    pub(super) fn settle(&mut self) {
        self.state.opened = None;
        match self.state.met.as_slice() {
            [] => return,
            // The rule: one tracker, and all who share it saw the packet.
            &[
                Met {
                    track,
                    direction,
                    judgement,
                    by,
                    ..
                },
            ] if by == self.state.tracks.bits(track) => {
                let tracker = self.state.tracks.get(track);
                if judgement == Judgement::Pass && tracker.can_go_on() {
                    self.recipe.kept_alive(track, direction);
                } else {
                    self.recipe.spoil();
                    self.state.forget_entries(track);
                }
                self.state.met.clear();
                return;
            }
            _ => {}
        }
        self.recipe.spoil();
        for at in 0..self.state.met.len() {
            let track = self.state.met[at].track;
            self.state.forget_entries(track);
        }
        let state = &mut *self.state;
        // By reference: what was written a moment ago in parts is not to be moved as a whole.
        let mut mets = std::mem::take(&mut state.met);
        for met in mets.iter().rev() {
            let all = met.by == state.tracks.bits(met.track);
            if all || *state.tracks.get(met.track) == met.before {
                continue;
            }
            for holder in state.tracks.holders(met.track) {
                if met.by & state.tracks.bit(met.track, holder) == 0 {
                    state.part(holder, met.track, met.before);
                }
            }
        }
        mets.clear();
        state.met = mets;
    }
}

/// Trackers whose last holder may end soon.
#[derive(Default)]
struct Ahead {
    tracks: [Option<TrackId>; AHEAD],
    count: usize,
}

impl Ahead {
    fn add(&mut self, track: TrackId) {
        if let Some(place) = self.tracks.get_mut(self.count) {
            *place = Some(track);
            self.count += 1;
        }
    }

    /// Asks for their entries, when they are there.
    fn prefetch(&self, state: &State) {
        for &track in self.tracks[..self.count].iter().flatten() {
            state.prefetch_entries(track);
        }
    }
}

impl State {
    /// A holder goes on with a tracker of its own. Returns where that is.
    fn part(&mut self, holder: Holder, from: TrackId, tracker: Tracker) -> TrackId {
        let alone = self.tracks.holders(from).all(|other| other == holder);
        if alone {
            *self.tracks.get_mut(from) = tracker;
            return from;
        }
        self.tracks.release(from, holder);
        let track = self.tracks.insert(tracker);
        self.tracks.hold(track, holder);
        match holder {
            Holder::Nic(slot) => {
                let id = self.flows.in_slot(slot);
                if let Some(flow) = id.and_then(|id| self.flows.get_mut(id)) {
                    flow.track = track;
                }
            }
            Holder::Gateway(slot) => {
                let id = self.sessions.in_slot(slot);
                if let Some(id) = id {
                    self.sessions.set_track(id, track);
                }
            }
        }
        track
    }

    /// Ends the connections whose time has come.
    pub(crate) fn end_due(&mut self, program: &Program) {
        loop {
            let (tracks, mut ahead) = (&self.tracks, Ahead::default());
            let also = |flow: &Connection<NicFlow>| {
                tracks.prefetch_all(flow.track);
                ahead.add(flow.track);
            };
            self.flows.prefetch_due(self.now, also);
            ahead.prefetch(self);
            let Some((id, _)) = self.flows.due(self.now) else {
                break;
            };
            self.visit(program, Holder::Nic(id.slot()));
        }
        loop {
            let mut ahead = Ahead::default();
            let also = |track| ahead.add(track);
            self.sessions.prefetch_due(self.now, &self.tracks, also);
            ahead.prefetch(self);
            let Some(id) = self.sessions.due(self.now) else {
                break;
            };
            self.visit(program, Holder::Gateway(id.slot()));
        }
    }

    /// A connection's timer has come: ends it, or sets the timer to where its packets have moved
    /// the deadline since.
    fn visit(&mut self, program: &Program, holder: Holder) {
        let Some((track, mut deadline)) = self.held(holder) else {
            return;
        };
        if let Some(last) = self.last_seen(track) {
            deadline = self.deadline_after(program, holder, track, last);
        }
        let mut again = deadline;
        if self.tracks.is_remembered(track) {
            // A packet may bring the deadline nearer without a word.
            let least = self.least_timeout(program, track);
            again = deadline.min(self.now.after_seconds(least));
        }
        if deadline <= self.now {
            self.journal_due(Some(deadline));
            self.end_connection(program, holder);
            self.journal_due(None);
            return;
        }
        match holder {
            Holder::Nic(slot) => self.flows.defer(slot, self.early(slot, again)),
            Holder::Gateway(slot) => self.sessions.defer(slot, self.early(slot, again)),
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
    fn held(&self, holder: Holder) -> Option<(TrackId, Nanos)> {
        match holder {
            Holder::Nic(slot) => {
                let flow = self.flows.get(self.flows.in_slot(slot)?)?;
                Some((flow.track, flow.deadline()))
            }
            Holder::Gateway(slot) => self.sessions.held(self.sessions.in_slot(slot)?),
        }
    }

    /// A connection ends.
    pub(crate) fn end_connection(&mut self, program: &Program, holder: Holder) {
        let Some((track, _)) = self.held(holder) else {
            return;
        };
        self.uncache(program, track);
        match holder {
            Holder::Nic(slot) => {
                if let Some(id) = self.flows.in_slot(slot) {
                    self.flows.remove(id);
                    self.journal_flow(false);
                }
            }
            Holder::Gateway(slot) => {
                if let Some(id) = self.sessions.in_slot(slot) {
                    let gateway = self.sessions.gateway_in(slot);
                    self.sessions.remove(id);
                    if let Some(gateway) = gateway {
                        self.journal_session(gateway, false);
                    }
                }
            }
        }
        if self.tracks.release(track, holder) {
            self.met.retain(|met| met.track != track);
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
