//! All sessions of all gateways, and what is counted of them.

use super::destinations::Destinations;
use super::{Opened, Session, zone};
use crate::Nanos;
use crate::conntrack::{Connection, ConnectionId, Direction, Table, TrackId};
use hashbrown::HashMap;
use std::collections::VecDeque;
use vpcsim_network::{EipId, NatGatewayId};
use vpcsim_packet::{FlowKey, Protocol};

/// (eip, protocol, external port): one endpoint-independent mapping.
type Mapping = (EipId, Protocol, u16);

#[derive(Debug)]
pub(crate) struct Sessions {
    table: Table<Session>,
    /// The ports of sessions opened from inside.
    destinations: Destinations,
    /// Sessions by mapping, oldest first; kept only for endpoint-independent filtering. A DNAT
    /// rule needs none.
    by_mapping: Option<HashMap<Mapping, VecDeque<ConnectionId>>>,
    peaks: Vec<usize>,
}

impl Sessions {
    pub(crate) fn new(gateways: usize, endpoint_independent: bool) -> Self {
        Self {
            table: Table::new(),
            destinations: Destinations::default(),
            by_mapping: endpoint_independent.then(HashMap::new),
            peaks: vec![0; gateways],
        }
    }

    /// The session that a packet arriving at the gateway belongs to.
    pub(crate) fn lookup(
        &self,
        gateway: NatGatewayId,
        key: &FlowKey,
    ) -> Option<(ConnectionId, Direction)> {
        self.table.lookup(zone(gateway), key)
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection<Session>> {
        self.table.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection<Session>> {
        self.table.get_mut(id)
    }

    pub(crate) fn set_deadline(&mut self, id: ConnectionId, deadline: Nanos) {
        self.table.set_deadline(id, deadline);
    }

    /// Any session of a mapping, the oldest (policy `filtering: endpoint-independent`).
    pub(crate) fn of_mapping(&self, eip: EipId, protocol: Protocol, port: u16) -> Option<&Session> {
        let id = self
            .by_mapping
            .as_ref()?
            .get(&(eip, protocol, port))?
            .front()?;
        Some(&self.table.get(*id)?.value)
    }

    /// The ports of an eip that no session opened from inside holds towards a flow's destination,
    /// best first; none where there are as many as may be.
    pub(crate) fn free_ports(&self, eip: EipId, inside: &FlowKey) -> impl Iterator<Item = u16> {
        self.destinations.free_ports(eip, inside)
    }

    pub(crate) fn gateway_len(&self, gateway: NatGatewayId) -> usize {
        self.table.zone_len(zone(gateway))
    }

    pub(crate) fn gateway_peak(&self, gateway: NatGatewayId) -> usize {
        self.peaks[gateway.index()]
    }

    /// From now on at least this counts as the most there were.
    pub(crate) fn raise_gateway_peak(&mut self, gateway: NatGatewayId, to: usize) {
        let peak = &mut self.peaks[gateway.index()];
        *peak = (*peak).max(to);
    }

    /// Whether in all of these together a destination may come to the ceiling of its connections
    /// within so many more.
    pub(crate) fn may_fill<'a>(all: impl Iterator<Item = &'a Self>, more: usize) -> bool {
        Destinations::may_fill(all.map(|one| &one.destinations), more)
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &Connection<Session>> {
        self.table.iter().map(|(_, connection)| connection)
    }

    /// Remembers a session, whose keys were looked up and are free.
    pub(crate) fn insert(
        &mut self,
        session: Session,
        track: TrackId,
        deadline: Nanos,
    ) -> ConnectionId {
        let (original, reply) = session.keys();
        let at = zone(session.gateway);
        let table = &mut self.table;
        let id = table.insert_new(at, original, reply, track, deadline, session);
        if session.opened == Opened::Inside {
            let port = session.outside.source_port;
            self.destinations.take(session.eip, &session.inside, port);
        }
        if let Some(mappings) = &mut self.by_mapping
            && session.opened != Opened::Rule
        {
            mappings.entry(mapping(&session)).or_default().push_back(id);
        }
        let peak = &mut self.peaks[session.gateway.index()];
        *peak = (*peak).max(self.table.zone_len(at));
        id
    }

    /// Ends a session.
    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Connection<Session>> {
        let gone = self.table.remove(id)?;
        forget(
            &mut self.destinations,
            self.by_mapping.as_mut(),
            id,
            &gone.value,
        );
        Some(gone)
    }

    /// The session whose timer has come first; see [`Table::due`].
    pub(crate) fn due(&mut self, now: Nanos) -> Option<ConnectionId> {
        self.table.due(now).map(|(id, _)| id)
    }

    /// Sets the timer of a session that is due anew.
    pub(crate) fn defer(&mut self, id: ConnectionId, at: Nanos) {
        self.table.defer(id, at);
    }

    /// A time before which nothing is due.
    pub(crate) fn next_expiry(&self) -> Option<Nanos> {
        self.table.next_expiry()
    }
}

fn mapping(session: &Session) -> Mapping {
    (
        session.eip,
        session.outside.protocol,
        session.outside.source_port,
    )
}

fn forget(
    destinations: &mut Destinations,
    by_mapping: Option<&mut HashMap<Mapping, VecDeque<ConnectionId>>>,
    id: ConnectionId,
    session: &Session,
) {
    if session.opened == Opened::Inside {
        let port = session.outside.source_port;
        destinations.release(session.eip, &session.inside, port);
    }
    if let Some(mappings) = by_mapping
        && let Some(ids) = mappings.get_mut(&mapping(session))
    {
        // Most often the oldest one goes.
        if let Some(at) = ids.iter().position(|&other| other == id) {
            ids.remove(at);
        }
        if ids.is_empty() {
            mappings.remove(&mapping(session));
        }
    }
}
