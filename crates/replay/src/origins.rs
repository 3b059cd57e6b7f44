//! Attribution that remembers what it said of the addresses seen last.

use crate::attribution::{Attribution, Origin};
use hashbrown::HashMap;
use std::net::Ipv4Addr;

/// Addresses remembered, as a power of two: a capture's busy ones, in 128 KiB.
const SLOTS_LOG: u32 = 14;

/// [`Attribution`] with a memory: by address, one slot each, the latest address wins.
#[derive(Debug)]
pub(crate) struct Origins<'p> {
    attribution: Attribution<'p>,
    /// Addresses, each with which of `origins` is its own.
    slots: Vec<(Ipv4Addr, u32)>,
    origins: Vec<Origin>,
    known: HashMap<Origin, u32>,
}

impl<'p> Origins<'p> {
    pub(crate) fn new(attribution: Attribution<'p>) -> Self {
        let empty = Ipv4Addr::UNSPECIFIED;
        let origin = attribution.of(empty);
        Self {
            attribution,
            slots: vec![(empty, 0); 1 << SLOTS_LOG],
            origins: vec![origin],
            known: HashMap::from_iter([(origin, 0)]),
        }
    }

    /// Where packets with this source came from.
    #[inline]
    pub(crate) fn of(&mut self, captured: Ipv4Addr) -> Origin {
        let (address, origin) = self.slots[slot(captured)];
        if address == captured {
            self.origins[origin as usize]
        } else {
            self.ask(captured)
        }
    }

    #[cold]
    fn ask(&mut self, captured: Ipv4Addr) -> Origin {
        let origin = self.attribution.of(captured);
        let number = *self.known.entry(origin).or_insert_with(|| {
            self.origins.push(origin);
            self.origins.len() as u32 - 1
        });
        self.slots[slot(captured)] = (captured, number);
        origin
    }

    /// What is asked.
    pub(crate) fn attribution(&self) -> &Attribution<'p> {
        &self.attribution
    }
}

/// Multiplicative hashing (Knuth, TAOCP 3, 6.4): neighbouring addresses fall far apart.
#[inline]
fn slot(address: Ipv4Addr) -> usize {
    (u32::from(address).wrapping_mul(0x9e37_79b9) >> (32 - SLOTS_LOG)) as usize
}
