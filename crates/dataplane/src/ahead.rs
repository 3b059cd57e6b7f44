//! What walks will most likely look up, asked for before the first of them does.
//!
//! A walk waits for memory a dozen times, and each wait depends on the one before. Those of packets
//! that stand one behind the other do not: asked for together they overlap. Nothing here changes
//! anything or has to be right: a wrong guess costs some nanoseconds.

use crate::conntrack::{Direction, TrackId, Zone};
use crate::nat::likely_outside;
use crate::program::{Owner, Program};
use crate::{Source, State};
use vpcsim_network::{EipTarget, NatGatewayId, NicId};
use vpcsim_packet::FlowKey;

/// Gateways that are asked for a session, of those that a network has.
const GATEWAYS: usize = 2;

/// Where a packet's flow may be found: hashes of its key.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ahead {
    at_nic: Option<u64>,
    at_gateways: [Option<u64>; GATEWAYS],
    /// The nic that it leaves by.
    leaves: Option<NicId>,
    /// It gets its public side back before it enters (§12).
    untranslates: bool,
}

/// Where it most likely is: slots.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    at_nic: Option<u32>,
    at_gateways: [Option<u32>; GATEWAYS],
    /// Where the port of a flow that is new will be searched: a hash.
    destination: Option<u64>,
    /// As in [`Ahead`].
    untranslates: bool,
}

impl State {
    /// Asks for what finds the flow at the nic and the session at the gateway that a packet may
    /// belong to.
    pub(crate) fn prefetch(&self, program: &Program, source: Source, key: &FlowKey) -> Ahead {
        let network = program.network();
        let mut ahead = Ahead::default();
        let nic = match source {
            Source::Cvm(cvm) => {
                ahead.leaves = network.cvm(cvm).nics.first().copied();
                ahead.leaves
            }
            Source::Nic(nic) => {
                ahead.leaves = Some(nic);
                ahead.leaves
            }
            Source::Internet | Source::External(_) => match arrives_at(program, key) {
                Arrives::Nic(nic) => {
                    ahead.untranslates = source == Source::Internet;
                    Some(nic)
                }
                Arrives::Gateway(gateway) => {
                    ahead.at_gateways[0] = Some(self.sessions.prefetch(gateway, key));
                    return ahead;
                }
                Arrives::Elsewhere => None,
            },
        };
        ahead.at_nic = nic.map(|nic| self.flows.prefetch(Zone(nic.0), key));
        let gateways = (0..network.nat_gateways.len() as u32).map(NatGatewayId);
        for (hash, gateway) in ahead.at_gateways.iter_mut().zip(gateways) {
            *hash = Some(self.sessions.prefetch(gateway, key));
        }
        ahead
    }

    /// Asks for the flow and the session themselves, when what finds them is there.
    pub(crate) fn prefetch_found(&self, program: &Program, ahead: &Ahead, key: &FlowKey) -> Found {
        let mut found = Found {
            at_nic: ahead
                .at_nic
                .and_then(|hash| self.flows.prefetch_found(hash)),
            at_gateways: ahead
                .at_gateways
                .map(|hash| self.sessions.prefetch_found(hash?)),
            destination: None,
            untranslates: ahead.untranslates,
        };
        if let (Some(nic), None) = (ahead.leaves, found.at_nic) {
            found.destination = self.prefetch_opening(program, nic, key);
        }
        found
    }

    /// Asks for what a flow needs that leaves by the first gateway of its vpc and is new.
    fn prefetch_opening(&self, program: &Program, nic: NicId, key: &FlowKey) -> Option<u64> {
        let vpc = program.vpc_of(nic);
        let gateways = &program.network().nat_gateways;
        let first = gateways.iter().position(|gateway| gateway.vpc == vpc)?;
        let gateway = NatGatewayId(first as u32);
        let (eip, outside) = likely_outside(program, gateway, key)?;
        Some(self.sessions.prefetch_free(gateway, eip, &outside))
    }

    /// Asks for what the flow and the session lead to, when they are there. Returns the tracker, whose
    /// entries may be [asked for](Self::prefetch_entries) when it is there.
    pub(crate) fn prefetch_rest(&self, found: &Found) -> Option<TrackId> {
        if let Some(hash) = found.destination {
            self.sessions.prefetch_destination(hash);
        }
        let nic = found.at_nic.and_then(|slot| self.flows.prefetch_rest(slot));
        let gateways = found.at_gateways.iter().flatten();
        let gateways = gateways.filter_map(|&slot| {
            if found.untranslates {
                self.sessions.prefetch_keys(slot);
            }
            self.sessions.prefetch_rest(slot)
        });
        let mut last = None;
        for track in nic.into_iter().chain(gateways) {
            self.tracks.prefetch_all(track);
            last = Some(track);
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

/// Where a packet from outside meets somebody who remembers.
enum Arrives {
    /// It was captured inside.
    Nic(NicId),
    Gateway(NatGatewayId),
    Elsewhere,
}

fn arrives_at(program: &Program, key: &FlowKey) -> Arrives {
    if let Some((_, Owner::Nic(nic))) = program.owner_anywhere(key.destination) {
        return Arrives::Nic(nic);
    }
    let eip = program.eip_of_public(key.destination);
    match eip.and_then(|eip| program.network().eip(eip).target) {
        Some(EipTarget::NatGateway(gateway)) => Arrives::Gateway(gateway),
        _ => Arrives::Elsewhere,
    }
}
