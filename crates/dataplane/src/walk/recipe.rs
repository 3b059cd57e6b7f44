//! What of a walk can be remembered (see [`crate::flow_cache`]).

use super::Walk;
use crate::Place;
use crate::conntrack::{Direction, TrackId};
use crate::flow_cache::{Charge, Memory};
use crate::observe::Observer;
use crate::packet::{Changes, Packet};
use vpcsim_packet::FlowKey;

/// What a walk did to its packet, as far as the next packet of the flow would meet the same.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// Something happened that the next packet would not meet.
    spoiled: bool,
    /// The packet has arrived: the memory is whole.
    arrived: bool,
    /// Gathered where it stays: what is written in parts is not to be moved as a whole a moment later.
    memory: Memory,
}

impl Recipe {
    pub(super) fn new() -> Self {
        Self {
            spoiled: false,
            arrived: false,
            memory: Memory::NOTHING,
        }
    }

    /// The next packet of the flow may fare differently: this walk is not remembered.
    pub(crate) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// A longer packet fares differently.
    pub(crate) fn limit_length(&mut self, most: u16) {
        self.memory.max_len = self.memory.max_len.min(most);
    }

    /// The packet was counted against a limit.
    fn charge(&mut self, charge: Charge) {
        let charges = &mut self.memory.charges;
        let twice = charges.contains(&Some(charge));
        match charges.iter_mut().find(|place| place.is_none()) {
            Some(place) if !twice => *place = Some(charge),
            _ => self.spoil(),
        }
    }

    /// No session was found where one could have been.
    pub(crate) fn miss_session(&mut self) {
        self.memory.missed_session = true;
    }

    /// A place remembers from now on the connection that the packet opens, by these keys. The next packet
    /// takes the same way, but who watches would be told of other stops; and where both keys are one, it is
    /// an answer.
    #[inline(always)]
    pub(crate) fn open(&mut self, original: &FlowKey, reply: &FlowKey) {
        self.memory.opened = true;
        self.spoiled |= original == reply;
    }

    /// The packet kept these connections alive, travelling in this direction.
    pub(super) fn kept_alive(&mut self, track: TrackId, direction: Direction) {
        self.memory.track = Some((track, direction));
    }

    /// A packet sets out.
    pub(super) fn set_out(&mut self) {
        self.arrived = false;
    }

    /// The packet has arrived.
    #[inline(always)]
    pub(super) fn arrive(&mut self, packet: &Packet<'_>, place: Place) {
        let Changes {
            becomes,
            ip,
            transport,
            ttl_down,
        } = &packet.changes;
        let memory = &mut self.memory;
        memory.becomes = *becomes;
        memory.ip = *ip;
        memory.transport = *transport;
        memory.ttl_down = *ttl_down;
        memory.place = place;
        self.arrived = true;
    }

    /// What is to be remembered, if the walk is worth it; `watches`: every stop counts.
    pub(super) fn memory(&self, watches: bool) -> Option<&Memory> {
        let memory = &self.memory;
        // A session that it looked for in vain and then opened, the next one would find.
        let differs = memory.opened && (watches || memory.missed_session);
        (self.arrived && !self.spoiled && !differs).then_some(memory)
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
}
