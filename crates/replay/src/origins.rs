//! Attribution that remembers what it said of the addresses seen last.

use crate::attribution::{Attribution, Origin};
use std::net::Ipv4Addr;

/// Addresses remembered, as a power of two: a capture's busy ones, in a few pages.
const SLOTS_LOG: u32 = 11;

/// [`Attribution`] with a memory: by address, one slot each, the latest address wins.
#[derive(Debug)]
pub(crate) struct Origins<'p> {
    attribution: Attribution<'p>,
    slots: Vec<(Ipv4Addr, Origin)>,
}

impl<'p> Origins<'p> {
    pub(crate) fn new(attribution: Attribution<'p>) -> Self {
        let empty = Ipv4Addr::UNSPECIFIED;
        let slots = vec![(empty, attribution.of(empty)); 1 << SLOTS_LOG];
        Self { attribution, slots }
    }

    /// Where packets with this source came from.
    #[inline]
    pub(crate) fn of(&mut self, captured: Ipv4Addr) -> Origin {
        let (address, origin) = self.slots[slot(captured)];
        if address == captured {
            origin
        } else {
            self.ask(captured)
        }
    }

    #[cold]
    fn ask(&mut self, captured: Ipv4Addr) -> Origin {
        let origin = self.attribution.of(captured);
        self.slots[slot(captured)] = (captured, origin);
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
