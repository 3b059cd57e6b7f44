//! The key of a packet on its way, in terms of the packet as it was sent.
//!
//! A stage replaces a field by a constant or leaves it; an answer has its ends swapped. So every
//! field is a field of the packet that was sent, or a constant, and a condition on it is a set of
//! packets as they were sent.

use crate::set::{Field, Set};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_network::PortRange;
use vpcsim_packet::Protocol;

/// One of the two ends that a sent packet names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Source,
    Destination,
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Value<T> {
    /// What the packet was sent with, at this end.
    Sent(Side),
    /// This one.
    Is(T),
}

pub(crate) type Address = Value<Ipv4Addr>;
pub(crate) type Port = Value<u16>;

/// Both ports; for ICMP identifier and message, which no rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ports {
    pub(crate) source: Port,
    pub(crate) destination: Port,
}

/// A packet's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) source: Address,
    pub(crate) destination: Address,
    pub(crate) ports: Ports,
}

impl Side {
    pub(crate) fn address_field(self) -> Field {
        match self {
            Self::Source => Field::SOURCE,
            Self::Destination => Field::DESTINATION,
        }
    }
}

impl Address {
    /// Packets for which it lies in a prefix.
    pub(crate) fn within(self, net: Ipv4Net) -> Set {
        match self {
            Self::Sent(side) => Set::within(side.address_field(), net),
            Self::Is(address) => only_if(net.contains(&address)),
        }
    }

    /// Packets for which it is this one.
    pub(crate) fn is(self, address: Ipv4Addr) -> Set {
        match self {
            Self::Sent(side) => Set::address(side.address_field(), address),
            Self::Is(own) => only_if(own == address),
        }
    }

    fn equals(self, other: Self) -> Set {
        match (self, other) {
            (Self::Is(address), other) | (other, Self::Is(address)) => other.is(address),
            // One end of every packet is known (`Reach::sent_by`), so two that are not are one.
            (Self::Sent(a), Self::Sent(b)) => only_if(a == b),
        }
    }
}

impl Port {
    fn field(side: Side) -> Field {
        match side {
            Side::Source => Field::SOURCE_PORT,
            Side::Destination => Field::DESTINATION_PORT,
        }
    }

    /// Packets of TCP and UDP for which it is among these, and those of all other protocols.
    pub(crate) fn among(self, ports: PortRange) -> Set {
        match self {
            Self::Sent(side) => Set::ports(Self::field(side), ports),
            Self::Is(port) => only_if(ports.contains(port)),
        }
    }

    pub(crate) fn is(self, port: u16) -> Set {
        match self {
            Self::Sent(side) => Set::value(Self::field(side), u32::from(port)),
            Self::Is(own) => only_if(own == port),
        }
    }

    pub(crate) fn equals(self, other: Self) -> Set {
        match (self, other) {
            (Self::Is(port), other) | (other, Self::Is(port)) => other.is(port),
            (Self::Sent(a), Self::Sent(b)) if a == b => Set::anything(),
            // A request and its reply have different ICMP types, never the same key.
            (Self::Sent(_), Self::Sent(_)) => {
                Set::equal_ports().without(&Set::of_protocol(Protocol::ICMP))
            }
        }
    }
}

impl Key {
    /// As it was sent.
    pub(crate) const SENT: Self = Self {
        source: Value::Sent(Side::Source),
        destination: Value::Sent(Side::Destination),
        ports: Ports {
            source: Value::Sent(Side::Source),
            destination: Value::Sent(Side::Destination),
        },
    };

    /// The key of an answer.
    pub(crate) fn reversed(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            ports: Ports {
                source: self.ports.destination,
                destination: self.ports.source,
            },
        }
    }

    /// Packets of a set for which the two are the same.
    pub(crate) fn equals(self, other: Self, among: &Set) -> Set {
        let equal = among.and(&self.source.equals(other.source));
        let equal = equal.and(&self.destination.equals(other.destination));
        if equal.is_empty() {
            return equal;
        }
        let ports = self.ports.source.equals(other.ports.source);
        let ports = ports.and(&self.ports.destination.equals(other.ports.destination));
        equal.and(&ports)
    }

    /// The same key where an end that was sent is known to have this address.
    pub(crate) fn pinned(self, side: Side, address: Ipv4Addr) -> Self {
        let pin = |value: Address| match value {
            Value::Sent(sent) if sent == side => Value::Is(address),
            other => other,
        };
        Self {
            source: pin(self.source),
            destination: pin(self.destination),
            ..self
        }
    }
}

/// Everything or nothing.
pub(crate) fn only_if(condition: bool) -> Set {
    if condition {
        Set::anything()
    } else {
        Set::none()
    }
}
