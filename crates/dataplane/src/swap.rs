//! A new program under a live state: what a change of the network does to what is remembered.

use crate::conntrack::{Table, Zone};
use crate::nat::{Session, Sessions};
use crate::state::{Entry, NicFlow};
use crate::{Program, State};
use vpcsim_network::{EipId, NatGatewayId, NicId};

impl State {
    /// Goes on under a changed network. Nics, eips and gateways are the same ones as before if
    /// they have the same names.
    ///
    /// Flows of nics that are gone end; the others are judged by policy `on_rule_change` (§6)
    /// at their next packet. NAT sessions end with their gateway, with their eip, and when the
    /// eip changes its address or leaves the gateway (editing a gateway's addresses breaks live
    /// flows on the platform too). Token buckets begin full.
    pub fn adopt(&mut self, old: &Program, new: &Program) {
        let mut fresh = Self::new(new);
        fresh.now = self.now;
        fresh.generation = self.generation.wrapping_add(1);
        fresh.flows = flows(&self.flows, old, new);
        move_sessions(&self.sessions, &mut fresh.sessions, old, new);
        fresh.fragments = std::mem::take(&mut self.fragments);
        *self = fresh;
    }
}

fn flows(flows: &Table<NicFlow>, old: &Program, new: &Program) -> Table<NicFlow> {
    let mut moved = Table::new();
    for (_, flow) in flows.iter() {
        let Some(nic) = same_nic(old, new, NicId(flow.zone().0)) else {
            continue;
        };
        let entry = match flow.value.entry {
            Some(Entry::Eip(eip)) => same_eip(old, new, eip).map(Entry::Eip),
            Some(Entry::NatGateway(id)) => same_gateway(old, new, id).map(Entry::NatGateway),
            None => None,
        };
        let value = NicFlow {
            entry,
            ..flow.value
        };
        let (original, reply) = (flow.original(), flow.reply());
        // Keys cannot clash: zones map one to one.
        let _ = moved.insert(
            Zone(nic.0),
            original,
            reply,
            flow.tracker,
            flow.deadline(),
            value,
        );
    }
    moved
}

fn move_sessions(from: &Sessions, to: &mut Sessions, old: &Program, new: &Program) {
    for connection in from.connections() {
        let session = connection.value;
        let Some(gateway) = same_gateway(old, new, session.gateway) else {
            continue;
        };
        let Some(eip) = same_eip(old, new, session.eip) else {
            continue;
        };
        let kept = new.network().nat_gateway(gateway).eips.contains(&eip)
            && new.network().eip(eip).address == session.outside.source;
        if kept {
            let session = Session {
                gateway,
                eip,
                ..session
            };
            to.insert(session, connection.tracker, connection.deadline());
        }
    }
}

fn same_nic(old: &Program, new: &Program, id: NicId) -> Option<NicId> {
    let name = old.nic_name(id);
    (0..new.network().nics.len() as u32)
        .map(NicId)
        .find(|&id| new.nic_name(id) == name)
}

fn same_eip(old: &Program, new: &Program, id: EipId) -> Option<EipId> {
    let name = &old.network().eip(id).name;
    let found = new
        .network()
        .eips
        .iter()
        .position(|eip| eip.name == *name)?;
    Some(EipId(found as u32))
}

fn same_gateway(old: &Program, new: &Program, id: NatGatewayId) -> Option<NatGatewayId> {
    let name = &old.network().nat_gateway(id).name;
    let found = new
        .network()
        .nat_gateways
        .iter()
        .position(|gateway| gateway.name == *name)?;
    Some(NatGatewayId(found as u32))
}
