//! What walks will most likely look up, touched before the first of them does.
//!
//! A walk waits for memory a dozen times, and each wait depends on the one before. Those of packets
//! that stand one behind the other do not: touched together they overlap. Nothing here changes
//! anything or has to be right: a wrong guess costs some nanoseconds.

use crate::conntrack::Zone;
use crate::nat::zone;
use crate::program::{Owner, Program};
use crate::{Source, State};
use vpcsim_network::{EipTarget, NatGatewayId, NicId};
use vpcsim_packet::FlowKey;

/// Gateways that are asked for a session, of those that a network has.
const GATEWAYS: u32 = 2;

impl State {
    /// Touches the flow at the nic and the session at the gateway that a packet may belong to.
    pub(crate) fn touch_ahead(&self, program: &Program, source: Source, key: &FlowKey) {
        let network = program.network();
        let nic = match source {
            Source::Cvm(cvm) => network.cvm(cvm).nics.first().copied(),
            Source::Nic(nic) => Some(nic),
            Source::Internet | Source::External(_) => match arrives_at(program, key) {
                Arrives::Nic(nic) => Some(nic),
                Arrives::Gateway(gateway) => return self.sessions.touch(zone(gateway), key),
                Arrives::Elsewhere => None,
            },
        };
        if let Some(nic) = nic {
            self.flows.touch(Zone(nic.0), key);
        }
        let gateways = (network.nat_gateways.len() as u32).min(GATEWAYS);
        for gateway in (0..gateways).map(NatGatewayId) {
            self.sessions.touch(zone(gateway), key);
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
