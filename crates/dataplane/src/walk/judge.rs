//! What a packet means for the connections it belongs to, judged once for all places that share
//! their protocol state (see [`crate::conntrack::Tracks`]).

use super::Walk;
use crate::conntrack::{Direction, Holder, Judgement, TrackId, Tracker};
use crate::observe::Observer;
use crate::packet::Packet;
use crate::{Program, State};

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

impl<O: Observer> Walk<'_, O> {
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

    /// The tracker of a connection that the packet opens: the one that it opened before on its
    /// way, if it is the same.
    pub(crate) fn open_track(&mut self, tracker: Tracker) -> TrackId {
        let state = &mut *self.state;
        let shared = state
            .opened
            .filter(|&track| *state.tracks.get(track) == tracker && state.tracks.has_room(track));
        shared.unwrap_or_else(|| {
            let track = state.tracks.insert(tracker);
            state.opened = Some(track);
            state.met.push(Met {
                track,
                direction: Direction::Original,
                before: tracker,
                judgement: Judgement::Pass,
                by: 0,
            });
            track
        })
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
        let opened = self.state.opened.take().is_some();
        match self.state.met.as_slice() {
            [] => {}
            [met] if !opened && self.can_be_repeated(met) => {
                self.recipe.kept_alive(met.track, met.direction);
            }
            _ => {
                self.recipe.spoil();
                for at in 0..self.state.met.len() {
                    let track = self.state.met[at].track;
                    self.state.forget_entries(track);
                }
            }
        }
        while let Some(met) = self.state.met.pop() {
            if *self.state.tracks.get(met.track) == met.before {
                continue;
            }
            for holder in self.state.tracks.holders(met.track) {
                if met.by & self.state.tracks.bit(met.track, holder) == 0 {
                    self.state.part(holder, met.track, met.before);
                }
            }
        }
    }

    /// Whether the next packet would be judged alike at the same places.
    fn can_be_repeated(&self, met: &Met) -> bool {
        let tracks = &self.state.tracks;
        met.judgement == Judgement::Pass
            && met.by == tracks.bits(met.track)
            && tracks.get(met.track).is_steady()
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
            Holder::Nic(id) => {
                if let Some(flow) = self.flows.get_mut(id) {
                    flow.track = track;
                }
            }
            Holder::Gateway(id) => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.track = track;
                }
            }
        }
        track
    }

    /// Ends the connections whose time has come.
    pub(crate) fn end_due(&mut self, program: &Program) {
        while let Some((id, _)) = self.flows.due(self.now) {
            self.visit(program, Holder::Nic(id));
        }
        while let Some(id) = self.sessions.due(self.now) {
            self.visit(program, Holder::Gateway(id));
        }
    }

    /// A connection's timer has come: ends it, or sets the timer to where its packets have moved
    /// the deadline since.
    fn visit(&mut self, program: &Program, holder: Holder) {
        let connection = match holder {
            Holder::Nic(id) => self.flows.get(id).map(|flow| (flow.track, flow.deadline())),
            Holder::Gateway(id) => {
                let session = self.sessions.get(id);
                session.map(|session| (session.track, session.deadline()))
            }
        };
        let Some((track, mut deadline)) = connection else {
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
            Holder::Nic(id) => self.flows.defer(id, again),
            Holder::Gateway(id) => self.sessions.defer(id, again),
        }
    }

    /// A connection ends.
    pub(crate) fn end_connection(&mut self, program: &Program, holder: Holder) {
        let track = match holder {
            Holder::Nic(id) => self.flows.get(id).map(|flow| flow.track),
            Holder::Gateway(id) => self.sessions.get(id).map(|session| session.track),
        };
        let Some(track) = track else { return };
        self.uncache(program, track);
        match holder {
            Holder::Nic(id) => {
                self.flows.remove(id);
                self.journal_flow(false);
            }
            Holder::Gateway(id) => {
                if let Some(session) = self.sessions.remove(id) {
                    self.journal_session(session.value.gateway, false);
                }
            }
        }
        if self.tracks.release(track, holder) {
            self.met.retain(|met| met.track != track);
        }
    }
}
