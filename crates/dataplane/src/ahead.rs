//! What walks will most likely look up, asked for before the first of them does.
//!
//! A walk waits for memory a dozen times, and each wait depends on the one before. Those of packets
//! that stand one behind the other do not: asked for together they overlap. Nothing here changes
//! anything or has to be right: a wrong guess costs some nanoseconds.

use crate::conntrack::{Direction, LIKELY, TrackId};
use crate::nat::likely_outside;
use crate::program::Program;
use crate::{Source, State};
use vpcsim_network::{NatGatewayId, NicId};
use vpcsim_packet::FlowKey;

/// Where a packet's flow may be found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ahead {
    /// The hash of its key, at whatever place.
    hash: Option<u64>,
    /// The nic that it leaves by.
    leaves: Option<NicId>,
    /// It is looked for by its other key too: a gateway translates it, or it gets its public side back
    /// before it enters (§12).
    enters: bool,
}

/// Where it most likely is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    /// Slots.
    records: [Option<u32>; LIKELY],
    /// Where the port of a flow that is new will be searched: a hash.
    destination: Option<u64>,
    /// As in [`Ahead`].
    enters: bool,
}

impl State {
    /// Asks for what finds the flow that a packet may belong to, at a nic or a gateway.
    pub(crate) fn prefetch(&self, program: &Program, source: Source, key: &FlowKey) -> Ahead {
        Ahead {
            hash: Some(self.flows.prefetch(key)),
            leaves: match source {
                Source::Cvm(cvm) => program.network().cvm(cvm).nics.first().copied(),
                Source::Nic(nic) => Some(nic),
                Source::Internet | Source::External(_) => None,
            },
            enters: source == Source::Internet,
        }
    }

    /// Asks for what is remembered of the flow, when what finds it is there.
    pub(crate) fn prefetch_found(&self, program: &Program, ahead: &Ahead, key: &FlowKey) -> Found {
        let Some(hash) = ahead.hash else {
            return Found::default();
        };
        let mut found = Found {
            records: self.flows.prefetch_found(hash),
            destination: None,
            enters: ahead.enters,
        };
        if let (Some(nic), [None, ..]) = (ahead.leaves, found.records) {
            found.destination = self.prefetch_opening(program, nic, key);
        }
        found
    }

    /// Asks for what a flow needs that leaves by the first gateway of its vpc and is new.
    fn prefetch_opening(&self, program: &Program, nic: NicId, key: &FlowKey) -> Option<u64> {
        let vpc = program.vpc_of(nic);
        let gateways = &program.network().nat_gateways;
        let first = gateways.iter().position(|gateway| gateway.vpc == vpc)?;
        let (eip, outside) = likely_outside(program, NatGatewayId(first as u32), key)?;
        self.flows.prefetch(&outside);
        Some(self.sessions.prefetch_free(eip, &outside))
    }

    /// Asks for what the flow leads to, when that is there. Returns the tracker, whose
    /// entries may be [asked for](Self::prefetch_entries) when it is there.
    pub(crate) fn prefetch_rest(&self, found: &Found) -> Option<TrackId> {
        if let Some(hash) = found.destination {
            self.sessions.prefetch_destination(hash);
        }
        let mut last = None;
        for slot in found.records.into_iter().flatten() {
            if found.enters {
                self.flows.prefetch_keys(slot);
            }
            if let Some(track) = self.flows.prefetch_rest(slot) {
                self.tracks.prefetch_all(track);
                last = Some(track);
            }
        }
        last
    }

    /// Asks for the flow entries that stand for a tracker, when that is there.
    pub(crate) fn prefetch_entries(&self, track: TrackId) {
        for direction in [Direction::Original, Direction::Reply] {
            if let Some(id) = self.tracks.entry(track, direction) {
                self.cache.prefetch(id);
            }
        }
    }

    /// Asks for what finds the flow entries that stand for a tracker, when they are there.
    pub(crate) fn prefetch_lines(&self, track: TrackId) {
        for direction in [Direction::Original, Direction::Reply] {
            if let Some(id) = self.tracks.entry(track, direction) {
                self.cache.prefetch_line(id);
            }
        }
    }
}
