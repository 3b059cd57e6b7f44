//! What of a walk can be remembered (see [`crate::flow_cache`]).

use super::Walk;
use crate::Place;
use crate::conntrack::{Direction, TrackId};
use crate::flow_cache::{Charge, MOST_CHARGES, Memory, PackedFlow};
use crate::observe::Observer;
use crate::packet::Packet;

/// What a walk did to its packet, as far as the next packet of the flow would meet the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    /// Something happened that the next packet would not meet.
    spoiled: bool,
    max_len: u16,
    charges: [Option<Charge>; MOST_CHARGES],
    missed_session: bool,
    /// A connection began.
    opened: bool,
    track: Option<(TrackId, Direction)>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            spoiled: false,
            max_len: u16::MAX,
            charges: [None; MOST_CHARGES],
            missed_session: false,
            opened: false,
            track: None,
        }
    }
}

impl Recipe {
    /// The next packet of the flow may fare differently: this walk is not remembered.
    pub(crate) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// A longer packet fares differently.
    pub(crate) fn limit_length(&mut self, most: u16) {
        self.max_len = self.max_len.min(most);
    }

    /// The packet was counted against a limit.
    fn charge(&mut self, charge: Charge) {
        let twice = self.charges.contains(&Some(charge));
        match self.charges.iter_mut().find(|place| place.is_none()) {
            Some(place) if !twice => *place = Some(charge),
            _ => self.spoil(),
        }
    }

    /// No session was found where one could have been.
    pub(crate) fn miss_session(&mut self) {
        self.missed_session = true;
    }

    /// A place remembers from now on the connection that the packet opens. The next packet takes the
    /// same way, but who watches would be told of other stops.
    pub(crate) fn open(&mut self) {
        self.opened = true;
    }

    /// The packet kept these connections alive, travelling in this direction.
    pub(super) fn kept_alive(&mut self, track: TrackId, direction: Direction) {
        self.track = Some((track, direction));
    }
}

impl<O: Observer> Walk<'_, O> {
    /// Counts the packet against all of these limits, or against none if one of them is reached.
    ///
    /// # Errors
    /// The first that is.
    pub(crate) fn charge(&mut self, packet: &Packet<'_>, charges: &[Charge]) -> Result<(), Charge> {
        let (now, len) = (self.now(), packet.headers.total_len);
        let buckets = &mut self.state.buckets;
        if charges.iter().all(|&charge| !buckets.is_limited(charge)) {
            return Ok(());
        }
        let reached = charges
            .iter()
            .find(|&&charge| !buckets.allows(charge, len, now));
        if let Some(&charge) = reached {
            return Err(charge);
        }
        for &charge in charges {
            if buckets.take(charge, len, now) {
                self.recipe.charge(charge);
            }
        }
        Ok(())
    }

    /// What is to be remembered of the walk of a packet that arrived.
    // As the walk's own, and by reference: what was written in parts is not to be copied as a whole.
    #[inline(always)]
    pub(super) fn memory(&self, packet: &Packet<'_>, place: Place) -> Option<Memory> {
        let &Recipe {
            spoiled,
            max_len,
            charges,
            missed_session,
            opened,
            track,
        } = &self.recipe;
        let changes = &packet.changes;
        // A session that it looked for in vain and then opened, the next one would find.
        let differs = opened && (O::WATCHES || missed_session);
        (!spoiled && !differs).then_some(Memory {
            becomes: PackedFlow::of(&packet.key),
            ttl_down: changes.ttl_down,
            ip: changes.ip,
            transport: changes.transport,
            max_len,
            charges,
            place,
            missed_session,
            track,
            opened,
        })
    }
}
