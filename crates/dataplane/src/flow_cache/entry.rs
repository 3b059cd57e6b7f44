//! One direction of a flow, as the cache remembers it: one cache line.

use crate::conntrack::{Direction, TrackId};
use crate::hash::hash;
use crate::observe::Repeat;
use crate::{Nanos, Place, Source};
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, ExternalId, NatGatewayId, NicId};
use vpcsim_packet::checksum::Delta;
use vpcsim_packet::{Change, FlowKey, Glance, Protocol, Shape};

/// What is looked up: where a packet starts, and its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct Key {
    /// Source address, then destination address.
    addresses: u64,
    /// Ports, then whether it is TCP, then where it starts.
    rest: u64,
}

impl Key {
    #[inline]
    pub(crate) fn of(source: PackedSource, glance: &Glance) -> Self {
        Self::new(
            source,
            glance.addresses,
            glance.ports,
            glance.shape.is_tcp(),
        )
    }

    pub(crate) fn of_flow(source: Source, key: &FlowKey) -> Self {
        let PackedFlow { addresses, ports } = PackedFlow::of(key);
        let is_tcp = key.protocol == Protocol::TCP;
        Self::new(PackedSource::of(source), addresses, ports, is_tcp)
    }

    /// The flow.
    #[inline]
    pub(crate) fn flow(&self) -> FlowKey {
        let flow = PackedFlow {
            addresses: self.addresses,
            ports: (self.rest >> 32) as u32,
        };
        flow.unpack(self.is_tcp())
    }

    /// TCP; else UDP.
    #[inline]
    pub(crate) fn is_tcp(&self) -> bool {
        self.rest as u32 >> 31 == 1
    }

    /// Of TCP or UDP: nothing else is remembered.
    #[inline]
    fn new(source: PackedSource, addresses: u64, ports: u32, is_tcp: bool) -> Self {
        let tcp = u32::from(is_tcp) << 31;
        Self {
            addresses,
            rest: u64::from(ports) << 32 | u64::from(tcp | source.0),
        }
    }

    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        hash(self.addresses, self.rest)
    }
}

/// A limit that a packet's bytes are counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    /// A gateway's bandwidth.
    Gateway(NatGatewayId),
    /// An eip's, outbound.
    EipOutbound(vpcsim_network::EipId),
    /// An eip's, inbound.
    EipInbound(vpcsim_network::EipId),
}

/// Most limits that a remembered walk may be counted against.
pub(crate) const MOST_CHARGES: usize = 2;

/// What the cache remembers of a walk.
// In this order, so that the two differences, each just written alone, are not read together: that
// would wait.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Memory {
    pub(crate) ip: Delta,
    pub(crate) charges: [Option<Charge>; MOST_CHARGES],
    /// The connections that it kept alive or opened, and the way it went in them.
    pub(crate) track: Option<(TrackId, Direction)>,
    pub(crate) place: Place,
    /// The packet's flow as it ended.
    pub(crate) becomes: PackedFlow,
    pub(crate) transport: Delta,
    pub(crate) ttl_down: u8,
    /// It looked for a session in vain: one that begins changes its way.
    pub(crate) missed_session: bool,
    /// It opened all its connections.
    pub(crate) opened: bool,
    /// The longest packet that takes this way.
    pub(crate) max_len: u16,
}

impl Memory {
    /// Of a walk that has done nothing yet.
    pub(crate) const NOTHING: Self = Self {
        becomes: PackedFlow {
            addresses: 0,
            ports: 0,
        },
        ip: Delta::NONE,
        max_len: u16::MAX,
        transport: Delta::NONE,
        ttl_down: 0,
        charges: [None; MOST_CHARGES],
        place: Place::Internet,
        missed_session: false,
        track: None,
        opened: false,
    };
}

/// One direction of a flow: 64 bytes, so that a packet of it touches one line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Entry {
    key: Key,
    /// When a packet took it last, or was walked so that it was made.
    last: Nanos,
    track: u32,
    place: PackedPlace,
    /// What an observer calls the way; of a slot that nobody has, the next such one.
    way: u32,
    charges: [u16; MOST_CHARGES],
    max_len: u16,
    change: Change,
    direction: Direction,
    /// Whether a packet has taken it since that was last written back.
    taken: bool,
}

const _: () = assert!(size_of::<Entry>() == 64);

/// No connection.
const NO_TRACK: u32 = u32::MAX;

impl Entry {
    /// What fills a table where there is no entry.
    pub(super) const VACANT: Self = Self {
        // At an external gateway that cannot be: no packet has this key.
        key: Key {
            addresses: 0,
            rest: u64::MAX,
        },
        last: Nanos(0),
        track: NO_TRACK,
        place: PackedPlace::FIRST,
        way: 0,
        charges: [0; MOST_CHARGES],
        max_len: 0,
        change: Change::NONE,
        direction: Direction::Original,
        taken: false,
    };

    /// What is at a slot of the table that nobody has, with the next such one.
    pub(super) fn vacant(next: u32) -> Self {
        Self {
            way: next,
            ..Self::VACANT
        }
    }

    pub(super) fn is_vacant(&self) -> bool {
        self.key == Self::VACANT.key
    }

    /// The next slot that nobody has, of one that nobody has.
    pub(super) fn next_vacant(&self) -> u32 {
        self.way
    }

    /// Whether all numbers of a walk fit their fields: else it is not remembered.
    pub(super) fn holds(memory: &Memory) -> bool {
        let mut charges = memory.charges.iter().flatten();
        charges.all(|charge| fits(*charge)) && fits_place(memory.place)
    }

    /// What [holds](Self::holds). Always inlined, so that it is written where it stays: what is written
    /// field by field and copied a moment later waits until every store before it is done.
    #[inline(always)]
    pub(super) fn new(key: &Key, memory: &Memory, way: u32, now: Nanos) -> Self {
        let (track, direction) = match memory.track {
            Some((track, direction)) => (track.0, direction),
            None => (NO_TRACK, Direction::Original),
        };
        Self {
            key: *key,
            last: now,
            track,
            place: PackedPlace::of(memory.place),
            way,
            charges: memory.charges.map(|charge| charge.map_or(0, pack_charge)),
            max_len: memory.max_len,
            change: Change {
                addresses: memory.becomes.addresses.to_be_bytes(),
                ports: memory.becomes.ports.to_be_bytes(),
                ip: memory.ip.into(),
                transport: memory.transport.into(),
                ttl_down: memory.ttl_down,
            },
            direction,
            taken: false,
        }
    }

    #[inline]
    pub(crate) fn is_of(&self, key: &Key) -> bool {
        self.key == *key
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// The connections that it stands for.
    #[inline]
    pub(crate) fn track(&self) -> Option<(TrackId, Direction)> {
        (self.track != NO_TRACK).then_some((TrackId(self.track), self.direction))
    }

    /// When a packet took it last, if one did.
    pub(crate) fn last_taken(&self) -> Option<Nanos> {
        self.taken.then_some(self.last)
    }

    /// Whether a packet came this way less than so long ago.
    #[inline]
    pub(crate) fn came_within(&self, time: Nanos, now: Nanos) -> bool {
        now.0.saturating_sub(self.last.0) < time.0
    }

    /// What it knew of packets is known elsewhere.
    pub(crate) fn is_written_back(&mut self) {
        self.taken = false;
    }

    /// A packet takes it.
    #[inline]
    pub(crate) fn take(&mut self, now: Nanos) {
        self.last = now;
        self.taken = true;
    }

    /// Whether a packet of the flow may take the remembered way as far as its header decides.
    #[inline]
    pub(crate) fn admits(&self, shape: &Shape) -> bool {
        let down = self.change.ttl_down;
        let lives = (down == 0) | (shape.ttl() > down);
        (shape.total_len() <= self.max_len) & lives
    }

    /// Whether its packets are counted against a limit.
    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        self.charges[0] != 0
    }

    /// The limits that its packets are counted against.
    pub(crate) fn charges(&self) -> impl Iterator<Item = Charge> + Clone + use<> {
        self.charges.into_iter().filter_map(unpack_charge)
    }

    /// What becomes of the packet's fields.
    #[inline]
    pub(crate) fn change(&self) -> &Change {
        &self.change
    }

    /// What an observer is told of a packet that takes it.
    #[inline]
    pub(crate) fn repeat(&self, id: u64, time: Nanos, shape: &Shape) -> Repeat {
        Repeat {
            id,
            time,
            way: self.way,
            before: self.key.flow(),
            after: PackedFlow {
                addresses: u64::from_be_bytes(self.change.addresses),
                ports: u32::from_be_bytes(self.change.ports),
            }
            .unpack(shape.is_tcp()),
            total_len: shape.total_len(),
        }
    }

    /// Where its packets arrive.
    #[inline]
    pub(crate) fn place(&self) -> PackedPlace {
        self.place
    }
}

/// A [`Place`] in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PackedPlace(u32);

impl PackedPlace {
    /// How many bits of the word there are, from the lowest on.
    pub(crate) const BITS: u32 = ID_BITS + 2;

    /// The first nic.
    pub(crate) const FIRST: Self = Self(0);

    #[inline]
    pub(crate) fn of(place: Place) -> Self {
        let (kind, id) = place_parts(place);
        Self(kind << ID_BITS | id)
    }

    #[inline]
    pub(crate) fn to_bits(self) -> u32 {
        self.0
    }

    #[inline]
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// What kind of place it is (0: a nic), and its id.
    #[inline]
    pub(crate) fn parts(self) -> (u32, u32) {
        (self.0 >> ID_BITS, self.0 & ID)
    }

    #[inline]
    pub(crate) fn unpack(self) -> Place {
        let (kind, id) = self.parts();
        match kind {
            0 => Place::Nic(NicId(id)),
            1 => Place::Internet,
            2 => Place::External(ExternalId(id)),
            _ => Place::NatGateway(NatGatewayId(id)),
        }
    }
}

/// Places are packed as two bits that say what, and an id. A network has far fewer than 2^29 of
/// anything: its file would have gigabytes.
const ID_BITS: u32 = 29;
const ID: u32 = (1 << ID_BITS) - 1;

/// The ends of a flow of TCP or UDP, each source first, in words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedFlow {
    addresses: u64,
    ports: u32,
}

impl PackedFlow {
    // By field, which may just have been written so: a copy of the whole would wait.
    #[inline(always)]
    pub(crate) fn of(key: &FlowKey) -> Self {
        let [source, destination] =
            [key.source, key.destination].map(|end| u64::from(end.to_bits()));
        Self {
            addresses: source << 32 | destination,
            ports: u32::from(key.source_port) << 16 | u32::from(key.destination_port),
        }
    }

    #[inline]
    pub(crate) fn unpack(self, tcp: bool) -> FlowKey {
        let Self { addresses, ports } = self;
        FlowKey {
            protocol: if tcp { Protocol::TCP } else { Protocol::UDP },
            source: Ipv4Addr::from_bits((addresses >> 32) as u32),
            source_port: (ports >> 16) as u16,
            destination: Ipv4Addr::from_bits(addresses as u32),
            destination_port: ports as u16,
        }
    }
}

/// A [`Source`] in a word. Packed while it is still in registers: read from memory it would be told
/// apart by a branch, and which way a packet goes nobody can foresee.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedSource(u32);

impl PackedSource {
    #[inline]
    pub(crate) fn of(source: Source) -> Self {
        let (kind, id) = match source {
            Source::Cvm(CvmId(id)) => (0, id),
            Source::Nic(NicId(id)) => (1, id),
            Source::Internet => (2, 0),
            Source::External(ExternalId(id)) => (3, id),
        };
        Self(kind << ID_BITS | id)
    }

    #[inline]
    pub(crate) fn unpack(self) -> Source {
        let id = self.0 & ID;
        match self.0 >> ID_BITS {
            0 => Source::Cvm(CvmId(id)),
            1 => Source::Nic(NicId(id)),
            2 => Source::Internet,
            _ => Source::External(ExternalId(id)),
        }
    }
}

#[inline]
fn place_parts(place: Place) -> (u32, u32) {
    match place {
        Place::Nic(NicId(id)) => (0, id),
        Place::Internet => (1, 0),
        Place::External(ExternalId(id)) => (2, id),
        Place::NatGateway(NatGatewayId(id)) => (3, id),
    }
}

fn fits_place(place: Place) -> bool {
    place_parts(place).1 <= ID
}

/// Charges are packed as two bits that say what (none: 0), and an id.
const CHARGE_BITS: u32 = 14;

#[inline]
fn charge_parts(charge: Charge) -> (u32, u32) {
    match charge {
        Charge::Gateway(id) => (1, id.0),
        Charge::EipOutbound(id) => (2, id.0),
        Charge::EipInbound(id) => (3, id.0),
    }
}

fn fits(charge: Charge) -> bool {
    charge_parts(charge).1 >> CHARGE_BITS == 0
}

#[inline]
fn pack_charge(charge: Charge) -> u16 {
    let (kind, id) = charge_parts(charge);
    (kind << CHARGE_BITS | id) as u16
}

fn unpack_charge(packed: u16) -> Option<Charge> {
    let id = u32::from(packed) & ((1 << CHARGE_BITS) - 1);
    match packed >> CHARGE_BITS {
        1 => Some(Charge::Gateway(NatGatewayId(id))),
        2 => Some(Charge::EipOutbound(vpcsim_network::EipId(id))),
        3 => Some(Charge::EipInbound(vpcsim_network::EipId(id))),
        _ => None,
    }
}
