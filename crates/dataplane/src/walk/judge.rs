//! What a packet means for the connections it belongs to, judged once for all places that share
//! their protocol state (see [`crate::conntrack::Tracks`]).

use super::Walk;
use crate::State;
use crate::conntrack::{Direction, Holder, Judgement, TrackId, Tracker};
use crate::observe::Observer;
use crate::packet::Packet;

/// A tracker that the packet under way has met.
#[derive(Debug, Clone)]
pub(crate) struct Met {
    track: TrackId,
    direction: Direction,
    /// As it was when the packet came.
    before: Tracker,
    judgement: Judgement,
    /// The places at which the packet has passed it.
    by: Vec<Holder>,
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
            let anew = !met.by.contains(&holder);
            if anew && met.direction == direction {
                met.by.push(holder);
                return (track, met.judgement);
            }
            // The same place a second time, or against the direction: it counts there alone.
            let own = if anew {
                met.before
            } else {
                *self.state.tracks.get(track)
            };
            track = self.state.part(holder, track, own);
        }
        let (now, settings) = (self.now(), self.settings);
        let tracker = self.state.tracks.get_mut(track);
        let before = *tracker;
        let judgement = tracker.update(packet.bytes, &packet.headers, direction, now, &settings);
        self.state.met.push(Met {
            track,
            direction,
            before,
            judgement,
            by: vec![holder],
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
                by: Vec::new(),
            });
            track
        })
    }

    /// A connection that the packet opened holds the tracker; `None`: it came to nothing.
    pub(crate) fn hold_opened(&mut self, track: TrackId, holder: Option<Holder>) {
        let state = &mut *self.state;
        if let Some(holder) = holder {
            state.tracks.hold(track, holder);
            for met in state.met.iter_mut().filter(|met| met.track == track) {
                met.by.push(holder);
            }
        } else if state.tracks.discard(track) {
            state.met.retain(|met| met.track != track);
            state.opened = None;
        }
    }

    /// The packet has ended: who shares a tracker that it changed and did not see the packet goes
    /// on with the tracker as it was.
    pub(super) fn settle(&mut self) {
        self.state.opened = None;
        while let Some(met) = self.state.met.pop() {
            if *self.state.tracks.get(met.track) == met.before {
                continue;
            }
            for holder in self.state.tracks.holders(met.track) {
                if !met.by.contains(&holder) {
                    self.state.part(holder, met.track, met.before);
                }
            }
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

    /// A connection ends.
    pub(crate) fn end_connection(&mut self, holder: Holder) {
        let track = match holder {
            Holder::Nic(id) => self.flows.remove(id).map(|gone| gone.track),
            Holder::Gateway(id) => self.sessions.remove(id).map(|gone| gone.track),
        };
        if let Some(track) = track
            && self.tracks.release(track, holder)
        {
            self.met.retain(|met| met.track != track);
        }
    }
}
