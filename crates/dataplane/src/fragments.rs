//! Later fragments and the first one they belong to: SEMANTICS §11.

use crate::{Nanos, Source};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use vpcsim_packet::{FlowKey, Headers, Protocol};

/// How long fragments wait for their first one, and how long the first is remembered:
/// 30 s of virtual time (RFC 791 names 15 s; Linux `net.ipv4.ipfrag_time` is 30).
const LIFETIME_SECONDS: u32 = 30;
/// Most early fragments of one datagram.
const MAX_HELD: usize = 64;
/// Most bytes held in all, as Linux `net.ipv4.ipfrag_high_thresh`; beyond it the oldest
/// datagram's go.
const MAX_BYTES: usize = 4 << 20;
/// Most datagrams remembered at once; beyond it the oldest go.
const MAX_DATAGRAMS: usize = 1 << 18;

/// One datagram's fragments at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Datagram {
    place: Source,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: Protocol,
    identification: u16,
}

impl Datagram {
    fn of(place: Source, headers: &Headers) -> Self {
        Self {
            place,
            source: headers.source,
            destination: headers.destination,
            protocol: headers.protocol,
            identification: headers.identification,
        }
    }
}

/// A fragment that came before the first one.
#[derive(Debug)]
pub(crate) struct HeldFragment {
    pub(crate) id: u64,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    /// The flow that the first fragment named, before any translation.
    first: Option<FlowKey>,
    held: Vec<HeldFragment>,
    /// Distinguishes this use of the key from earlier ones in `ages`.
    serial: u64,
}

/// What to do with a later fragment.
#[derive(Debug)]
pub(crate) enum Later {
    /// Its first one named this flow.
    Follow(FlowKey),
    /// It is held.
    Held,
    /// Too many wait already.
    Overflow,
}

#[derive(Debug, Default)]
pub(crate) struct Fragments {
    datagrams: HashMap<Datagram, Entry>,
    /// In the order in which they began, with the time at which each ends.
    ages: VecDeque<(Nanos, u64, Datagram)>,
    next_serial: u64,
    held: usize,
    held_bytes: usize,
    /// Those whose place is gone; they end at the next occasion.
    homeless: Vec<HeldFragment>,
}

impl Fragments {
    /// Whether nothing is remembered that could end.
    pub(crate) fn is_empty(&self) -> bool {
        self.ages.is_empty() && self.homeless.is_empty()
    }

    /// Fragments that wait now.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// A time before which nothing ends.
    #[inline]
    pub(crate) fn next_expiry(&self) -> Option<Nanos> {
        if self.is_empty() {
            return None;
        }
        self.next_end()
    }

    #[cold]
    fn next_end(&self) -> Option<Nanos> {
        let over = self.held_bytes > MAX_BYTES || self.datagrams.len() > MAX_DATAGRAMS;
        if over || !self.homeless.is_empty() {
            return Some(Nanos(0));
        }
        self.ages.front().map(|&(ends, ..)| ends)
    }

    /// A first fragment came: remembers its flow from now on and gives back those that waited for
    /// it, in the order in which they came. Hosts that send many fragments use an identification
    /// again within its lifetime: the newest first one counts, for a lifetime of its own.
    pub(crate) fn first(
        &mut self,
        place: Source,
        headers: &Headers,
        key: FlowKey,
        now: Nanos,
    ) -> Vec<HeldFragment> {
        let datagram = Datagram::of(place, headers);
        let serial = self.next_serial;
        self.entry(datagram, now);
        if serial == self.next_serial {
            // There was one already: it begins anew.
            self.next_serial += 1;
            let ends = now.after_seconds(LIFETIME_SECONDS);
            self.ages.push_back((ends, serial, datagram));
        }
        let entry = self.entry(datagram, now);
        entry.serial = serial;
        entry.first = Some(key);
        let released = std::mem::take(&mut entry.held);
        self.forget(&released);
        released
    }

    /// A later fragment came.
    pub(crate) fn later(
        &mut self,
        place: Source,
        headers: &Headers,
        id: u64,
        bytes: &[u8],
        now: Nanos,
    ) -> Later {
        let entry = self.entry(Datagram::of(place, headers), now);
        if let Some(first) = entry.first {
            return Later::Follow(first);
        }
        if entry.held.len() >= MAX_HELD {
            return Later::Overflow;
        }
        entry.held.push(HeldFragment {
            id,
            bytes: bytes.to_vec(),
        });
        self.held += 1;
        self.held_bytes += bytes.len();
        Later::Held
    }

    /// Ends what is older than its lifetime at `now` or beyond the ceilings; what still waited
    /// is given to `timed_out`.
    pub(crate) fn expire(&mut self, now: Nanos, mut timed_out: impl FnMut(HeldFragment)) {
        let homeless = std::mem::take(&mut self.homeless);
        self.forget(&homeless);
        homeless.into_iter().for_each(&mut timed_out);
        while let Some(&(ends, serial, datagram)) = self.ages.front() {
            let over = self.held_bytes > MAX_BYTES || self.datagrams.len() > MAX_DATAGRAMS;
            if ends > now && !over {
                break;
            }
            self.ages.pop_front();
            if self
                .datagrams
                .get(&datagram)
                .is_some_and(|entry| entry.serial == serial)
            {
                let gone = self.datagrams.remove(&datagram).map(|entry| entry.held);
                let gone = gone.unwrap_or_default();
                self.forget(&gone);
                gone.into_iter().for_each(&mut timed_out);
            }
        }
    }

    /// Goes on where places have other numbers: `moved` gives the new place of an old one, `None`
    /// where it is gone.
    pub(crate) fn relocate(&mut self, moved: impl Fn(Source) -> Option<Source>) {
        let rename = |datagram: Datagram| {
            let place = moved(datagram.place)?;
            Some(Datagram { place, ..datagram })
        };
        let mut before = std::mem::take(&mut self.datagrams);
        // In the order in which they began, so that the same input gives the same order.
        for (ends, serial, datagram) in std::mem::take(&mut self.ages) {
            let live = before.get(&datagram).is_some_and(|e| e.serial == serial);
            let Some(entry) = live.then(|| before.remove(&datagram)).flatten() else {
                continue;
            };
            match rename(datagram) {
                Some(renamed) => {
                    self.ages.push_back((ends, serial, renamed));
                    self.datagrams.insert(renamed, entry);
                }
                None => self.homeless.extend(entry.held),
            }
        }
    }

    fn entry(&mut self, datagram: Datagram, now: Nanos) -> &mut Entry {
        self.datagrams.entry(datagram).or_insert_with(|| {
            let serial = self.next_serial;
            self.next_serial += 1;
            self.ages
                .push_back((now.after_seconds(LIFETIME_SECONDS), serial, datagram));
            Entry {
                first: None,
                held: Vec::new(),
                serial,
            }
        })
    }

    fn forget(&mut self, released: &[HeldFragment]) {
        self.held -= released.len();
        self.held_bytes -= released
            .iter()
            .map(|fragment| fragment.bytes.len())
            .sum::<usize>();
    }
}
