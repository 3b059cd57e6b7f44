//! A flow as it looks on one stretch of private network, and who remembers it there: a cache line.

use super::{Direction, TrackId};
use crate::Nanos;
use std::net::Ipv4Addr;
use vpcsim_network::{NatGatewayId, NicId};
use vpcsim_packet::{FlowKey, Protocol};

/// A flow between an inside host and a remote, the nic that remembers it, and the gateway that
/// translates it: both, or one of them. They judge its packets by one protocol state.
///
/// Each has a deadline of its own, and keeps what it likes with the flow.
// By words, which are read as they were written.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Record<N, G> {
    /// Those of the inside key.
    addresses: u64,
    ports: u32,
    /// The public address and the two ports of the outside key; the remote's address is the same.
    outside_address: u32,
    outside_ports: u32,
    /// The nic's number, then the protocol.
    nic: u32,
    /// The gateway's number, then flags.
    gateway: u32,
    /// The protocol state; of a record that is free, the next one that is.
    track: TrackId,
    nic_deadline: Nanos,
    gateway_deadline: Nanos,
    /// What the nic keeps with the flow.
    pub at_nic: N,
    /// What the gateway keeps with it.
    pub at_gateway: G,
}

const _: () = assert!(size_of::<Record<u64, u64>>() == 64);

/// A nic's or a gateway's number is behind so many bits. A network of 2^24 of them would have a file
/// of hundreds of megabytes.
const NUMBER: u32 = 8;

/// A nic remembers the flow.
const NIC: u32 = 1;
/// A gateway translates it.
const GATEWAY: u32 = 1 << 1;
/// The first packet that the nic saw came against the inside key.
const AGAINST: u32 = 1 << 2;
/// The first packet that the gateway saw came from outside.
const INBOUND: u32 = 1 << 3;

/// Which of a record's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The one on private network: of packets to the remote, where a gateway sends them there.
    Inside,
    /// What the gateway makes of it.
    Outside,
}

/// Addresses and ports of a key, the sender's in the upper halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    addresses: u64,
    ports: u32,
}

impl Ends {
    #[inline]
    fn of(key: &FlowKey) -> Self {
        Self {
            addresses: u64::from(key.source.to_bits()) << 32 | u64::from(key.destination.to_bits()),
            ports: u32::from(key.source_port) << 16 | u32::from(key.destination_port),
        }
    }

    #[inline]
    fn key(self, protocol: Protocol) -> FlowKey {
        FlowKey {
            protocol,
            source: Ipv4Addr::from_bits((self.addresses >> 32) as u32),
            source_port: (self.ports >> 16) as u16,
            destination: Ipv4Addr::from_bits(self.addresses as u32),
            destination_port: self.ports as u16,
        }
    }
}

/// A key that is looked for, and the same turned round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    protocol: Protocol,
    ends: Ends,
    turned: Ends,
}

impl Wanted {
    #[inline]
    pub(super) fn new(key: &FlowKey) -> Self {
        Self {
            protocol: key.protocol,
            ends: Ends::of(key),
            turned: Ends::of(&key.reversed()),
        }
    }
}

/// The direction of a packet whose key is these of a connection's. Where both keys are the same it is
/// [`Direction::Reply`], as in the kernel (`__nf_conntrack_hash_insert` puts the reply in front).
#[inline]
fn direction(is_original: bool, is_reply: bool) -> Option<Direction> {
    if is_reply {
        Some(Direction::Reply)
    } else {
        is_original.then_some(Direction::Original)
    }
}

impl<N, G> Record<N, G> {
    #[inline]
    fn has(&self, flag: u32) -> bool {
        self.gateway & flag != 0
    }

    #[inline]
    fn protocol(&self) -> Protocol {
        Protocol(self.nic as u8)
    }

    #[inline]
    fn ends(&self) -> Ends {
        Ends {
            addresses: self.addresses,
            ports: self.ports,
        }
    }

    #[inline]
    fn outside_ends(&self) -> Ends {
        let remote = u64::from(self.addresses as u32);
        Ends {
            addresses: u64::from(self.outside_address) << 32 | remote,
            ports: self.outside_ports,
        }
    }

    /// The nic that remembers the flow.
    #[inline]
    pub fn nic(&self) -> Option<NicId> {
        self.has(NIC).then_some(NicId(self.nic >> NUMBER))
    }

    /// The gateway that translates it.
    #[inline]
    pub fn gateway(&self) -> Option<NatGatewayId> {
        let gateway = NatGatewayId(self.gateway >> NUMBER);
        self.has(GATEWAY).then_some(gateway)
    }

    /// Its key on private network. Where a gateway translates it, that of packets to the remote; where
    /// none does, that of either direction.
    #[inline]
    pub fn inside(&self) -> FlowKey {
        self.ends().key(self.protocol())
    }

    /// What the gateway makes of the inside key.
    #[inline]
    pub fn outside(&self) -> FlowKey {
        self.outside_ends().key(self.protocol())
    }

    /// The key of the first packet that the nic saw.
    #[inline]
    pub fn original(&self) -> FlowKey {
        let inside = self.inside();
        if self.has(AGAINST) {
            inside.reversed()
        } else {
            inside
        }
    }

    /// Its protocol state.
    #[inline]
    pub fn track(&self) -> TrackId {
        self.track
    }

    /// When the nic forgets it: alive before, not then.
    #[inline]
    pub fn nic_deadline(&self) -> Option<Nanos> {
        self.has(NIC).then_some(self.nic_deadline)
    }

    /// When the gateway does.
    #[inline]
    pub fn gateway_deadline(&self) -> Option<Nanos> {
        self.has(GATEWAY).then_some(self.gateway_deadline)
    }

    /// The earlier of both.
    pub fn deadline(&self) -> Nanos {
        let deadlines = [self.nic_deadline(), self.gateway_deadline()];
        let earlier = deadlines.into_iter().flatten().min();
        earlier.unwrap_or(Nanos(u64::MAX))
    }

    /// Whether anybody remembers it; else the record is free.
    #[inline]
    pub(super) fn is_live(&self) -> bool {
        self.has(NIC | GATEWAY)
    }

    /// Whether a nic and a gateway do.
    #[inline]
    pub(super) fn is_shared(&self) -> bool {
        self.has(NIC) && self.has(GATEWAY)
    }

    /// The key by which it is found on a side, if by any other than the inside one.
    #[inline]
    pub(super) fn key(&self, side: Side) -> Option<FlowKey> {
        match side {
            Side::Inside => Some(self.inside()),
            Side::Outside => {
                let differs = self.has(GATEWAY) && self.outside_ends() != self.ends();
                differs.then(|| self.outside())
            }
        }
    }

    /// Of a packet with a key at a nic; `None` where it has no flow of this record there.
    #[inline]
    pub(super) fn direction_at_nic(&self, nic: NicId, wanted: &Wanted) -> Option<Direction> {
        let place = nic.0 << NUMBER | u32::from(wanted.protocol.0);
        if !self.has(NIC) || self.nic != place {
            return None;
        }
        let ends = self.ends();
        let (along, against) = (ends == wanted.ends, ends == wanted.turned);
        if self.has(AGAINST) {
            direction(against, along)
        } else {
            direction(along, against)
        }
    }

    /// The same at a gateway.
    #[inline]
    pub(super) fn direction_at_gateway(
        &self,
        gateway: NatGatewayId,
        wanted: &Wanted,
    ) -> Option<Direction> {
        let is_there = self.has(GATEWAY)
            && self.gateway >> NUMBER == gateway.0
            && self.protocol() == wanted.protocol;
        if !is_there {
            return None;
        }
        let outbound = self.ends() == wanted.ends;
        let inbound = self.outside_ends() == wanted.turned;
        if self.has(INBOUND) {
            direction(inbound, outbound)
        } else {
            direction(outbound, inbound)
        }
    }

    /// Whether a nic may remember a flow here that begins with this key.
    #[inline]
    pub(super) fn takes_nic(&self, original: &FlowKey) -> bool {
        let Wanted {
            protocol,
            ends,
            turned,
        } = Wanted::new(original);
        let same = self.ends() == ends || self.ends() == turned;
        self.is_live() && !self.has(NIC) && same && self.protocol() == protocol
    }

    /// Whether a gateway may translate a flow here that has this inside key.
    #[inline]
    pub(super) fn takes_gateway(&self, inside: &FlowKey) -> bool {
        let same = self.ends() == Ends::of(inside) && self.protocol() == inside.protocol;
        self.is_live() && !self.has(GATEWAY) && same
    }

    /// Begins anew with an inside key that nobody remembers yet.
    #[inline]
    pub(super) fn begin(&mut self, inside: &FlowKey, track: TrackId) {
        let Ends { addresses, ports } = Ends::of(inside);
        self.addresses = addresses;
        self.ports = ports;
        self.nic = u32::from(inside.protocol.0);
        self.gateway = 0;
        self.track = track;
    }

    #[inline]
    pub(super) fn set_nic(&mut self, nic: NicId, original: &FlowKey, deadline: Nanos, keeps: N) {
        self.nic |= nic.0 << NUMBER;
        let along = self.ends() == Ends::of(original);
        self.gateway |= if along { NIC } else { NIC | AGAINST };
        self.nic_deadline = deadline;
        self.at_nic = keeps;
    }

    #[inline]
    pub(super) fn set_gateway(
        &mut self,
        gateway: NatGatewayId,
        outside: &FlowKey,
        inbound: bool,
        deadline: Nanos,
        keeps: G,
    ) {
        let Ends { addresses, ports } = Ends::of(outside);
        self.outside_address = (addresses >> 32) as u32;
        self.outside_ports = ports;
        let flags = if inbound { GATEWAY | INBOUND } else { GATEWAY };
        self.gateway |= gateway.0 << NUMBER | flags;
        self.gateway_deadline = deadline;
        self.at_gateway = keeps;
    }

    /// The nic forgets it.
    pub(super) fn clear_nic(&mut self) {
        self.nic = u32::from(self.protocol().0);
        self.gateway &= !(NIC | AGAINST);
    }

    /// The gateway forgets it.
    pub(super) fn clear_gateway(&mut self) {
        self.gateway &= NIC | AGAINST;
    }

    /// Sets when the nic forgets it; returns when it would have.
    #[inline]
    pub(super) fn set_nic_deadline(&mut self, deadline: Nanos) -> Option<Nanos> {
        let before = std::mem::replace(&mut self.nic_deadline, deadline);
        self.has(NIC).then_some(before)
    }

    /// The same for the gateway.
    #[inline]
    pub(super) fn set_gateway_deadline(&mut self, deadline: Nanos) -> Option<Nanos> {
        let before = std::mem::replace(&mut self.gateway_deadline, deadline);
        self.has(GATEWAY).then_some(before)
    }

    pub(super) fn set_track(&mut self, track: TrackId) {
        self.track = track;
    }
}

impl<N: Default, G: Default> Record<N, G> {
    /// One that is free.
    pub(super) fn free() -> Self {
        Self {
            addresses: 0,
            ports: 0,
            outside_address: 0,
            outside_ports: 0,
            nic: 0,
            gateway: 0,
            track: TrackId(0),
            nic_deadline: Nanos(0),
            gateway_deadline: Nanos(0),
            at_nic: N::default(),
            at_gateway: G::default(),
        }
    }
}
