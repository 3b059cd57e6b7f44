//! What is taken towards each destination of a gateway's public addresses (§9).

use super::taken::TakenPorts;
use crate::hash::hash;
use crate::lines::{Hashed, Lines};
use crate::memory::{Large, prefetch};
use std::net::Ipv4Addr;
use vpcsim_network::EipId;
use vpcsim_packet::{FlowKey, Protocol};

/// Most connections of one destination.
pub(crate) const MOST: usize = 55_000;

/// One that has the connections of one eip and protocol to one address and port counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Destination {
    eip: EipId,
    protocol: Protocol,
    address: Ipv4Addr,
    port: u16,
}

impl Destination {
    fn of(eip: EipId, inside: &FlowKey) -> Self {
        Self {
            eip,
            protocol: inside.protocol,
            address: inside.destination,
            port: inside.destination_port,
        }
    }

    fn hash(&self) -> u64 {
        let end = u64::from(u32::from(self.address)) << 16 | u64::from(self.port);
        let rest = u64::from(self.eip.0) << 8 | u64::from(self.protocol.0);
        hash(end, rest)
    }
}

/// Where a destination's ports are.
#[derive(Debug)]
enum Place {
    Of(Destination, TakenPorts),
    /// Then the next free one.
    Free(Option<u32>),
}

const _: () = assert!(size_of::<Place>() <= 40);

impl Hashed for Large<Place> {
    fn hash_of(&self, place: u32) -> u64 {
        match &self[place as usize] {
            Place::Of(destination, _) => destination.hash(),
            Place::Free(_) => 0,
        }
    }

    fn prefetch_hash(&self, place: u32) {
        prefetch(&self[place as usize]);
    }
}

/// Where a destination was found, or that nothing is taken towards it; until something changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found(u32);

impl Found {
    /// There are fewer than 2^32 places.
    const NOWHERE: u32 = u32::MAX;

    fn place(self) -> Option<u32> {
        (self.0 != Self::NOWHERE).then_some(self.0)
    }
}

/// The ports of each eip that connections from inside hold, by destination.
#[derive(Debug, Default)]
pub(super) struct Destinations {
    lines: Lines,
    places: Large<Place>,
    /// The first free place.
    free: Option<u32>,
    /// The most that were ever taken towards one.
    peak: usize,
}

impl Destinations {
    fn find(&self, destination: &Destination) -> Option<u32> {
        let is_it =
            |place| matches!(&self.places[place as usize], Place::Of(of, _) if of == destination);
        self.lines.find(destination.hash(), is_it)
    }

    /// Where a flow's destination is.
    #[inline]
    pub(super) fn look_up(&self, eip: EipId, inside: &FlowKey) -> Found {
        let place = self.find(&Destination::of(eip, inside));
        Found(place.unwrap_or(Found::NOWHERE))
    }

    fn taken(&self, found: Found) -> &TakenPorts {
        static NONE: TakenPorts = TakenPorts::NONE;
        match found.place().map(|place| &self.places[place as usize]) {
            Some(Place::Of(_, taken)) => taken,
            Some(Place::Free(_)) | None => &NONE,
        }
    }

    /// Whether a destination may have one connection more, and by this port.
    #[inline]
    pub(super) fn is_free(&self, found: Found, port: u16) -> bool {
        let taken = self.taken(found);
        taken.is_empty() || (taken.len() < MOST && !taken.contains(port))
    }

    /// The ports that a flow from port `wanted` may have towards a destination, best first; none where
    /// the destination has all the connections that it may have.
    pub(super) fn free_ports(&self, found: Found, wanted: u16) -> impl Iterator<Item = u16> {
        let taken = self.taken(found);
        let all = taken.free(wanted);
        all.take(if taken.len() < MOST { usize::MAX } else { 0 })
    }

    /// The most connections that a destination ever had.
    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    /// A connection holds a port towards a destination that was just looked up.
    pub(super) fn take(&mut self, found: Found, eip: EipId, inside: &FlowKey, port: u16) {
        let Some(place) = found.place() else {
            return self.add(Destination::of(eip, inside), port);
        };
        if let Place::Of(_, taken) = &mut self.places[place as usize] {
            taken.take(port);
            self.peak = self.peak.max(taken.len());
        }
    }

    /// The first connection to a destination holds a port.
    fn add(&mut self, destination: Destination, port: u16) {
        let of = Place::Of(destination, TakenPorts::one(port));
        let place = if let Some(place) = self.free {
            let at = &mut self.places[place as usize];
            if let Place::Free(next) = *at {
                self.free = next;
            }
            *at = of;
            if let Some(next) = self.free {
                prefetch(&self.places[next as usize]);
            }
            place
        } else {
            self.places.push(of);
            // As many as connections at most, of which there are fewer than 2^32.
            self.places.len() as u32 - 1
        };
        self.lines.insert(destination.hash(), place, &self.places);
        self.peak = self.peak.max(1);
    }

    /// Asks for what finds a session's destination. Returns its hash, to
    /// [go on](Self::prefetch_found) with when that is there.
    pub(super) fn prefetch(&self, eip: EipId, inside: &FlowKey) -> u64 {
        let hash = Destination::of(eip, inside).hash();
        self.lines.prefetch(hash);
        hash
    }

    /// Asks for the destination that a hash most likely stands for.
    pub(super) fn prefetch_found(&self, hash: u64) {
        if let Some(place) = self.lines.find(hash, |_| true) {
            prefetch(&self.places[place as usize]);
        }
    }

    /// A connection holds a port no longer.
    pub(super) fn release(&mut self, eip: EipId, inside: &FlowKey, port: u16) {
        let destination = Destination::of(eip, inside);
        let Some(place) = self.find(&destination) else {
            return;
        };
        let at = &mut self.places[place as usize];
        if let Place::Of(_, taken) = at {
            taken.release(port);
            if taken.is_empty() {
                *at = Place::Free(self.free);
                self.free = Some(place);
                self.lines.remove(destination.hash(), place);
            }
        }
    }
}
