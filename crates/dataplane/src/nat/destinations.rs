//! What is taken towards each destination of a gateway's public addresses (§9).

use super::taken::TakenPorts;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::hint::black_box;
use std::net::Ipv4Addr;
use vpcsim_network::EipId;
use vpcsim_packet::{FlowKey, Protocol};

/// Most connections of one (eip, protocol, destination address, destination port).
const MOST: usize = 55_000;

/// (eip, protocol, destination address, destination port).
type Destination = (EipId, Protocol, Ipv4Addr, u16);

/// The ports of each eip that connections from inside hold, by destination.
#[derive(Debug, Default)]
pub(super) struct Destinations {
    taken: HashMap<Destination, TakenPorts>,
    /// The most that were ever taken towards one.
    peak: usize,
}

fn destination(eip: EipId, inside: &FlowKey) -> Destination {
    (
        eip,
        inside.protocol,
        inside.destination,
        inside.destination_port,
    )
}

impl Destinations {
    /// The ports of an eip that a flow may have towards its destination, best first; none where
    /// the destination has all the connections that it may have.
    pub(super) fn free_ports(&self, eip: EipId, inside: &FlowKey) -> impl Iterator<Item = u16> {
        static NONE: TakenPorts = TakenPorts::NONE;
        let taken = self.taken.get(&destination(eip, inside)).unwrap_or(&NONE);
        let all = taken.free(inside.source_port);
        all.take(if taken.len() < MOST { usize::MAX } else { 0 })
    }

    /// Whether in all of these together a destination may come to its ceiling within so many
    /// connections more.
    pub(super) fn may_fill<'a>(all: impl Iterator<Item = &'a Self>, more: usize) -> bool {
        all.map(|one| one.peak).sum::<usize>() + more > MOST
    }

    /// A connection holds a port.
    pub(super) fn take(&mut self, eip: EipId, inside: &FlowKey, port: u16) {
        let destination = destination(eip, inside);
        let taken = self.taken.entry(destination).or_default();
        taken.take(port);
        self.peak = self.peak.max(taken.len());
    }

    /// Touches what giving back the port of a session touches, if it was opened from inside.
    pub(super) fn warm(&self, eip: EipId, inside: &FlowKey) {
        black_box(self.taken.get(&destination(eip, inside)));
    }

    /// It holds it no longer.
    pub(super) fn release(&mut self, eip: EipId, inside: &FlowKey, port: u16) {
        if let Entry::Occupied(mut taken) = self.taken.entry(destination(eip, inside)) {
            taken.get_mut().release(port);
            if taken.get().is_empty() {
                taken.remove();
            }
        }
    }
}
