//! All sessions of all gateways, and what is counted of them.

use super::destinations::{Destinations, Found};
use super::{Opened, Session, zone};
use crate::Nanos;
use crate::conntrack::{AHEAD, Connection, ConnectionId, Direction, Table, TrackId, Tracks};
use hashbrown::HashMap;
use std::collections::VecDeque;
use vpcsim_network::{EipId, NatGatewayId};
use vpcsim_packet::{FlowKey, Protocol};

/// (eip, protocol, external port): one endpoint-independent mapping.
type Mapping = (EipId, Protocol, u16);

/// What the table of sessions has not got already: the rest of a [`Session`] is in its keys.
#[derive(Debug, Clone, Copy)]
struct Record {
    eip: EipId,
    opened: Opened,
    rule: u32,
}

#[derive(Debug)]
pub(crate) struct Sessions {
    table: Table<Record>,
    /// The ports of sessions opened from inside.
    destinations: Destinations,
    /// Sessions by mapping, oldest first; kept only for endpoint-independent filtering. A DNAT
    /// rule needs none.
    by_mapping: Option<HashMap<Mapping, VecDeque<ConnectionId>>>,
    peaks: Vec<usize>,
    /// How many were opened by a rule or beside a mapping.
    from_outside: usize,
}

impl Sessions {
    pub(crate) fn new(gateways: usize, endpoint_independent: bool) -> Self {
        Self {
            table: Table::new(),
            destinations: Destinations::default(),
            by_mapping: endpoint_independent.then(HashMap::new),
            peaks: vec![0; gateways],
            from_outside: 0,
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

    pub(crate) fn get(&self, id: ConnectionId) -> Option<Session> {
        self.table.get(id).map(session)
    }

    /// The tracker and the deadline of a session.
    pub(crate) fn held(&self, id: ConnectionId) -> Option<(TrackId, Nanos)> {
        let connection = self.table.get(id)?;
        Some((connection.track, connection.deadline()))
    }

    /// The session that is in a slot.
    pub(crate) fn in_slot(&self, slot: u32) -> Option<ConnectionId> {
        self.table.in_slot(slot)
    }

    /// The gateway of the session that is in a slot.
    pub(crate) fn gateway_in(&self, slot: u32) -> Option<NatGatewayId> {
        let connection = self.table.get(self.table.in_slot(slot)?)?;
        Some(NatGatewayId(connection.zone().0))
    }

    /// A session goes on with another tracker.
    pub(crate) fn set_track(&mut self, id: ConnectionId, track: TrackId) {
        if let Some(connection) = self.table.get_mut(id) {
            connection.track = track;
        }
    }

    pub(crate) fn set_deadline(&mut self, id: ConnectionId, deadline: Nanos) {
        self.table.set_deadline(id, deadline);
    }

    /// Any session of a mapping, the oldest (policy `filtering: endpoint-independent`).
    pub(crate) fn of_mapping(&self, eip: EipId, protocol: Protocol, port: u16) -> Option<Session> {
        let id = self
            .by_mapping
            .as_ref()?
            .get(&(eip, protocol, port))?
            .front()?;
        self.get(*id)
    }

    /// Where a flow's destination is among those of an eip.
    #[inline]
    pub(crate) fn destination(&self, eip: EipId, inside: &FlowKey) -> Found {
        self.destinations.look_up(eip, inside)
    }

    /// Whether a session that was opened from outside looks like this there: those opened from inside
    /// [hold ports](Self::is_free).
    pub(crate) fn is_held_from_outside(&self, gateway: NatGatewayId, outside: &FlowKey) -> bool {
        self.from_outside > 0 && self.lookup(gateway, &outside.reversed()).is_some()
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

    /// The most connections that there ever were towards one destination.
    pub(crate) fn destination_peak(&self) -> usize {
        self.destinations.peak()
    }

    /// All sessions, each with its slot.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (u32, Session)> {
        let connections = self.table.iter();
        connections.map(|(id, connection)| (id.slot(), session(connection)))
    }

    /// All sessions, each with its tracker and deadline.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Session, TrackId, Nanos)> {
        let connections = self.table.iter().map(|(_, connection)| connection);
        connections.map(|held| (session(held), held.track, held.deadline()))
    }

    /// Remembers a session, whose keys were looked up and are free. `destination`: where its port was
    /// found free a moment ago, if that was asked.
    pub(crate) fn insert(
        &mut self,
        session: &Session,
        destination: Option<Found>,
        track: TrackId,
        deadline: Nanos,
    ) -> ConnectionId {
        let keys = session.keys();
        let at = zone(session.gateway);
        let table = &mut self.table;
        let record = Record {
            eip: session.eip,
            opened: session.opened,
            rule: session.rule,
        };
        let id = table.insert_new(at, keys, track, deadline, deadline, record);
        if session.opened == Opened::Inside {
            let port = session.outside.source_port;
            let (eip, inside) = (session.eip, &session.inside);
            let found = destination.unwrap_or_else(|| self.destinations.look_up(eip, inside));
            self.destinations.take(found, eip, inside, port);
        } else {
            self.from_outside += 1;
        }
        if let Some(mappings) = &mut self.by_mapping
            && session.opened != Opened::Rule
        {
            mappings.entry(mapping(session)).or_default().push_back(id);
        }
        let peak = &mut self.peaks[session.gateway.index()];
        *peak = (*peak).max(self.table.zone_len(at));
        id
    }

    /// Ends a session.
    pub(crate) fn remove(&mut self, id: ConnectionId) {
        if let Some(gone) = self.table.remove(id) {
            let (destinations, mappings) = (&mut self.destinations, self.by_mapping.as_mut());
            self.from_outside -= usize::from(gone.value.opened != Opened::Inside);
            forget(destinations, mappings, id, &session(&gone));
        }
    }

    /// The session whose timer has come first; see [`Table::due`].
    pub(crate) fn due(&mut self, now: Nanos) -> Option<ConnectionId> {
        self.table.due(now).map(|(id, _)| id)
    }

    /// See [`Table::prefetch`].
    pub(crate) fn prefetch(&self, gateway: NatGatewayId, key: &FlowKey) -> u64 {
        self.table.prefetch(zone(gateway), key)
    }

    /// Asks for what says whether a new session may look like `outside`. Returns by which hash its
    /// destination may be [asked for](Self::prefetch_destination) when that is there.
    pub(crate) fn prefetch_free(
        &self,
        gateway: NatGatewayId,
        eip: EipId,
        outside: &FlowKey,
    ) -> u64 {
        self.table.prefetch(zone(gateway), &outside.reversed());
        self.destinations.prefetch(eip, outside)
    }

    /// Asks for what is taken towards a destination.
    pub(crate) fn prefetch_destination(&self, hash: u64) {
        self.destinations.prefetch_found(hash);
    }

    /// See [`Table::prefetch_found`].
    pub(crate) fn prefetch_found(&self, hash: u64) -> Option<u32> {
        self.table.prefetch_found(hash)
    }

    /// See [`Table::prefetch_rest`].
    pub(crate) fn prefetch_rest(&self, slot: u32) -> Option<TrackId> {
        self.table.prefetch_rest(slot)
    }

    /// See [`Table::prefetch_keys`].
    pub(crate) fn prefetch_keys(&self, slot: u32) {
        self.table.prefetch_keys(slot);
    }

    /// See [`Table::prefetch_due`].
    pub(crate) fn prefetch_due(
        &mut self,
        now: Nanos,
        tracks: &Tracks,
        mut also: impl FnMut(TrackId),
    ) {
        let destinations = &self.destinations;
        let mut hashes = [0; AHEAD];
        let mut count = 0;
        self.table.prefetch_due(now, |connection| {
            tracks.prefetch_all(connection.track);
            also(connection.track);
            if connection.value.opened == Opened::Inside {
                let (eip, inside) = (connection.value.eip, connection.original());
                hashes[count] = destinations.prefetch(eip, &inside);
                count += 1;
            }
        });
        for &hash in &hashes[..count] {
            destinations.prefetch_found(hash);
        }
    }

    /// Sets the timer of a session that is due anew.
    pub(crate) fn defer(&mut self, slot: u32, at: Nanos) {
        self.table.defer(slot, at);
    }

    /// See [`Table::set_timer`].
    pub(crate) fn set_timer(&mut self, slot: u32, at: Option<Nanos>) {
        self.table.set_timer(slot, at);
    }

    /// A time before which nothing is due.
    #[inline]
    pub(crate) fn next_due(&self) -> Nanos {
        self.table.next_due()
    }
}

/// The session that a connection of the table stands for.
fn session(connection: &Connection<Record>) -> Session {
    let Record { eip, opened, rule } = connection.value;
    let gateway = NatGatewayId(connection.zone().0);
    Session::of_keys(
        gateway,
        eip,
        (opened, rule),
        connection.original(),
        connection.reply(),
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
