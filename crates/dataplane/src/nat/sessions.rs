//! What is counted of all sessions of all gateways: ports, mappings, and the most there were.

use super::destinations::{Destinations, Found};
use super::{GatewayFlow, Opened, Session};
use crate::conntrack::{Begun, Holder};
use crate::state::{Flow, Flows};
use hashbrown::HashMap;
use std::collections::VecDeque;
use vpcsim_network::{EipId, NatGatewayId};
use vpcsim_packet::{FlowKey, Protocol};

/// (eip, protocol, external port): one endpoint-independent mapping.
type Mapping = (EipId, Protocol, u16);

/// The sessions themselves are among the flows.
#[derive(Debug)]
pub(crate) struct Sessions {
    /// The ports of sessions opened from inside.
    destinations: Destinations,
    /// Records of sessions by mapping, oldest first; kept only for endpoint-independent filtering. A
    /// DNAT rule needs none.
    by_mapping: Option<HashMap<Mapping, VecDeque<u32>>>,
    peaks: Vec<usize>,
}

impl Sessions {
    pub(crate) fn new(gateways: usize, endpoint_independent: bool) -> Self {
        Self {
            destinations: Destinations::default(),
            by_mapping: endpoint_independent.then(HashMap::new),
            peaks: vec![0; gateways],
        }
    }

    /// Any session of a mapping, the oldest (policy `filtering: endpoint-independent`).
    pub(crate) fn of_mapping(
        &self,
        flows: &Flows,
        eip: EipId,
        protocol: Protocol,
        port: u16,
    ) -> Option<Session> {
        let mappings = self.by_mapping.as_ref()?;
        let slots = mappings.get(&(eip, protocol, port))?;
        Session::of(flows.get(*slots.front()?)?)
    }

    /// Where a flow's destination is among those of an eip.
    #[inline]
    pub(crate) fn destination(&self, eip: EipId, inside: &FlowKey) -> Found {
        self.destinations.look_up(eip, inside)
    }

    /// Whether no session opened from inside holds a port towards a destination, and one more may be.
    #[inline]
    pub(crate) fn is_free(&self, destination: Found, port: u16) -> bool {
        self.destinations.is_free(destination, port)
    }

    /// The ports for a flow from port `wanted` that no session opened from inside holds towards a
    /// destination, best first; none where there are as many as may be.
    pub(crate) fn free_ports(&self, destination: Found, wanted: u16) -> impl Iterator<Item = u16> {
        self.destinations.free_ports(destination, wanted)
    }

    /// The most sessions that a gateway ever had.
    pub(crate) fn gateway_peak(&self, gateway: NatGatewayId) -> usize {
        self.peaks[gateway.index()]
    }

    /// From now on at least this counts as the most there were.
    pub(crate) fn raise_gateway_peak(&mut self, gateway: NatGatewayId, to: usize) {
        let peak = &mut self.peaks[gateway.index()];
        *peak = (*peak).max(to);
    }

    /// The most connections that there ever were towards one destination.
    pub(crate) fn destination_peak(&self) -> usize {
        self.destinations.peak()
    }

    /// Remembers a session, whose keys were looked up and are free. `destination`: where its port was
    /// found free a moment ago, if that was asked. Returns its record.
    pub(crate) fn insert(
        &mut self,
        flows: &mut Flows,
        session: &Session,
        destination: Option<Found>,
        begun: &Begun,
    ) -> u32 {
        let gateway = session.gateway;
        let slot = flows.translate(gateway, &session.keys(), begun, GatewayFlow::of(session));
        if session.opened == Opened::Inside {
            let port = session.outside.source_port;
            let (eip, inside) = (session.eip, &session.inside);
            let found = destination.unwrap_or_else(|| self.destinations.look_up(eip, inside));
            self.destinations.take(found, eip, inside, port);
        }
        if let Some(mappings) = &mut self.by_mapping
            && session.opened != Opened::Rule
        {
            let slots = mappings.entry(mapping(session)).or_default();
            slots.push_back(slot);
        }
        self.raise_gateway_peak(gateway, flows.gateway_len(gateway));
        slot
    }

    /// Ends the session of a record.
    pub(crate) fn remove(&mut self, flows: &mut Flows, slot: u32) {
        let Some(session) = flows.get(slot).and_then(Session::of) else {
            return;
        };
        flows.remove(Holder::Gateway(slot));
        if session.opened == Opened::Inside {
            let port = session.outside.source_port;
            self.destinations
                .release(session.eip, &session.inside, port);
        }
        self.forget_mapping(&session, slot);
    }

    fn forget_mapping(&mut self, session: &Session, slot: u32) {
        if let Some(mappings) = &mut self.by_mapping
            && let Some(slots) = mappings.get_mut(&mapping(session))
        {
            // Most often the oldest one goes.
            if let Some(at) = slots.iter().position(|&other| other == slot) {
                slots.remove(at);
            }
            if slots.is_empty() {
                mappings.remove(&mapping(session));
            }
        }
    }

    /// A session has moved to another record.
    pub(crate) fn has_moved(&mut self, session: &Session, from: u32, to: u32) {
        if let Some(mappings) = &mut self.by_mapping
            && let Some(slots) = mappings.get_mut(&mapping(session))
        {
            let mut slots = slots.iter_mut();
            if let Some(slot) = slots.find(|slot| **slot == from) {
                *slot = to;
            }
        }
    }

    /// Asks for what says whether a new flow may have a port towards a destination. Returns by which hash
    /// that may be [asked for](Self::prefetch_destination) when it is there.
    pub(crate) fn prefetch_free(&self, eip: EipId, outside: &FlowKey) -> u64 {
        self.destinations.prefetch(eip, outside)
    }

    /// The same for the end of a record's session, if it holds a port.
    pub(crate) fn prefetch_held(&self, record: &Flow) -> Option<u64> {
        let session = Session::of(record)?;
        let holds = session.opened == Opened::Inside;
        holds.then(|| self.destinations.prefetch(session.eip, &session.inside))
    }

    /// Asks for what is taken towards a destination.
    pub(crate) fn prefetch_destination(&self, hash: u64) {
        self.destinations.prefetch_found(hash);
    }
}

fn mapping(session: &Session) -> Mapping {
    (
        session.eip,
        session.outside.protocol,
        session.outside.source_port,
    )
}
