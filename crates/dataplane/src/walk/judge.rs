//! What a packet means for the connections it belongs to, judged once for all places that share
//! their protocol state (see [`crate::conntrack::Tracks`]).

use super::Walk;
use crate::State;
use crate::conntrack::{Direction, Holder, Judgement, Opening, TrackId, Tracker};
use crate::nat::Session;
use crate::observe::Observer;
use crate::packet::Packet;
use vpcsim_packet::FlowKey;

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
            match Tracker::open(packet.bytes, packet.headers, self.now(), &self.settings) {
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

    /// Whether a connection that the packet has found was over when it came; then it has ended now.
    #[inline]
    pub(crate) fn is_over(&mut self, holder: Holder) -> bool {
        self.state.end_if_over(self.program, holder)
    }

    /// Lets the packet count for a connection. Returns where the connection and its tracker are
    /// afterwards, and the judgement.
    pub(crate) fn judge(
        &mut self,
        packet: &Packet<'_>,
        mut holder: Holder,
        mut track: TrackId,
        direction: Direction,
    ) -> (Holder, TrackId, Judgement) {
        if let Some(met) = self.state.met.iter_mut().find(|met| met.track == track) {
            let bit = self.state.tracks.bit(track, holder);
            let anew = met.by & bit == 0;
            if anew && met.direction == direction {
                met.by |= bit;
                return (holder, track, met.judgement);
            }
            // The same place a second time, or against the direction: it counts there alone.
            let own = if anew {
                met.before
            } else {
                self.state.tracks.get(track).copied()
            };
            (holder, track) = self.state.part(holder, track, &own);
            self.recipe.spoil();
        } else {
            self.state.write_back(self.program, track);
        }
        let (now, settings) = (self.now(), self.settings);
        if let Some(opened) = &mut self.state.opened {
            opened.is_fresh &= opened.track != track;
        }
        let mut tracker = self.state.tracks.get_mut(track);
        let before = tracker.copied();
        let judgement = tracker.update(packet.bytes, packet.headers, direction, now, &settings);
        let by = self.state.tracks.bit(track, holder);
        self.state.met.push(Met {
            track,
            direction,
            before,
            judgement,
            by,
        });
        (holder, track, judgement)
    }

    /// The tracker of a connection that the packet [opens](Self::open): the one that it opened
    /// before on its way, if it is the same.
    pub(crate) fn open_track(&mut self, mid_stream: bool) -> TrackId {
        let state = &mut *self.state;
        if let Some(opened) = state.opened {
            let before = state.tracks.get(opened.track);
            let same = opened.is_fresh || before == self.begun.by_ref();
            if same && state.tracks.has_room(opened.track) {
                return opened.track;
            }
            if opened.is_fresh {
                self.begun = before.copied();
            }
        }
        let track = state.tracks.insert(&self.begun);
        state.opened = Some(Opened {
            track,
            mid_stream,
            is_fresh: true,
        });
        state.met.push(Met {
            track,
            direction: Direction::Original,
            before: self.begun,
            judgement: Judgement::Pass,
            by: 0,
        });
        track
    }

    /// A connection that the packet opened holds the tracker.
    pub(crate) fn hold_opened(&mut self, track: TrackId, holder: Holder) {
        let state = &mut *self.state;
        let bit = state.tracks.hold(track, holder);
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
            if all || state.tracks.get(met.track) == met.before.by_ref() {
                continue;
            }
            for holder in state.tracks.holders(met.track) {
                if met.by & state.tracks.bit(met.track, holder) == 0 {
                    state.part(holder, met.track, &met.before);
                }
            }
        }
        mets.clear();
        state.met = mets;
    }
}

impl State {
    /// The record that a nic's flow may join which has just been opened with this tracker: that of the
    /// gateway that it came through.
    pub(crate) fn beside_gateway(&self, track: TrackId, original: &FlowKey) -> Option<u32> {
        // The commonest case, and the cheapest to ask about.
        if !self.tracks.is_held(track) {
            return None;
        }
        let mut holders = self.tracks.holders(track);
        holders.find_map(|holder| match holder {
            Holder::Gateway(slot) if self.flows.takes_nic(slot, original) => Some(slot),
            _ => None,
        })
    }

    /// The same for a session: that of the nic that it left by.
    pub(crate) fn beside_nic(&self, track: TrackId, inside: &FlowKey) -> Option<u32> {
        let mut holders = self.tracks.holders(track);
        holders.find_map(|holder| match holder {
            Holder::Nic(slot) if self.flows.takes_gateway(slot, inside) => Some(slot),
            _ => None,
        })
    }

    /// A tracker is gone: the packet under way has met nothing there.
    pub(crate) fn forget_met(&mut self, track: TrackId) {
        self.met.retain(|met| met.track != track);
    }

    /// A holder goes on with a tracker of its own. Returns where both are afterwards.
    fn part(&mut self, holder: Holder, from: TrackId, tracker: &Tracker) -> (Holder, TrackId) {
        let alone = self.tracks.holders(from).all(|other| other == holder);
        if alone {
            self.tracks.get_mut(from).set(tracker);
            return (holder, from);
        }
        self.tracks.release(from, holder);
        let track = self.tracks.insert(tracker);
        let slot = self.flows.part(holder, track);
        let parted = match holder {
            Holder::Nic(_) => Holder::Nic(slot),
            Holder::Gateway(before) => {
                if let Some(session) = self.flows.get(slot).and_then(Session::of) {
                    self.sessions.has_moved(&session, before, slot);
                }
                Holder::Gateway(slot)
            }
        };
        self.tracks.hold(track, parted);
        for leaving in self.leaving.iter_mut().filter(|one| **one == holder) {
            *leaving = parted;
        }
        (parted, track)
    }
}
