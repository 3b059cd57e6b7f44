//! All sessions of all gateways, and what is counted of them.

use super::{Opened, Session, zone};
use crate::Nanos;
use crate::conntrack::{Connection, ConnectionId, Direction, Table, TrackId};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use vpcsim_network::{EipId, NatGatewayId};
use vpcsim_packet::{FlowKey, Protocol};

/// Most connections of one (eip, protocol, destination address, destination port).
const MAX_PER_DESTINATION: u32 = 55_000;

/// (eip, protocol, destination address, destination port).
type Destination = (EipId, Protocol, Ipv4Addr, u16);
/// (eip, protocol, external port): one endpoint-independent mapping.
type Mapping = (EipId, Protocol, u16);

#[derive(Debug)]
pub(crate) struct Sessions {
    table: Table<Session>,
    /// Sessions opened from inside.
    per_destination: HashMap<Destination, u32>,
    /// Sessions by mapping, oldest first; kept only for endpoint-independent filtering. A DNAT
    /// rule needs none.
    by_mapping: Option<HashMap<Mapping, VecDeque<ConnectionId>>>,
    peaks: Vec<usize>,
}

impl Sessions {
    pub(crate) fn new(gateways: usize, endpoint_independent: bool) -> Self {
        Self {
            table: Table::new(),
            per_destination: HashMap::new(),
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

    /// Whether an eip may take one more connection towards this destination.
    pub(crate) fn destination_has_room(&self, eip: EipId, key: &FlowKey) -> bool {
        self.per_destination
            .get(&destination(eip, key))
            .is_none_or(|&n| n < MAX_PER_DESTINATION)
    }

    pub(crate) fn gateway_len(&self, gateway: NatGatewayId) -> usize {
        self.table.zone_len(zone(gateway))
    }

    pub(crate) fn gateway_peak(&self, gateway: NatGatewayId) -> usize {
        self.peaks[gateway.index()]
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
            *self
                .per_destination
                .entry(destination(session.eip, &session.inside))
                .or_insert(0) += 1;
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
            &mut self.per_destination,
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

fn destination(eip: EipId, inside: &FlowKey) -> Destination {
    (
        eip,
        inside.protocol,
        inside.destination,
        inside.destination_port,
    )
}

fn mapping(session: &Session) -> Mapping {
    (
        session.eip,
        session.outside.protocol,
        session.outside.source_port,
    )
}

fn forget(
    per_destination: &mut HashMap<Destination, u32>,
    by_mapping: Option<&mut HashMap<Mapping, VecDeque<ConnectionId>>>,
    id: ConnectionId,
    session: &Session,
) {
    if session.opened == Opened::Inside {
        let destination = destination(session.eip, &session.inside);
        if let Some(count) = per_destination.get_mut(&destination) {
            *count -= 1;
            if *count == 0 {
                per_destination.remove(&destination);
            }
        }
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
