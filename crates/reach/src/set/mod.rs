//! Sets of packets.

mod choose;
mod rules;
mod space;
mod text;

pub use rules::{Rule, Span};
pub(crate) use space::Field;

use biodivine_lib_bdd::Bdd;
use ipnet::Ipv4Net;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use vpcsim_network::{PortRange, RuleProtocol};
use vpcsim_packet::{FlowKey, Protocol};

/// A set of packets, told apart by their [`FlowKey`]: source, destination, protocol, and ports or
/// ICMP identifier, type and code. Exact, however many packets are in it.
///
/// ```
/// use vpcsim_reach::{Set, tcp};
///
/// let office = Set::source("198.51.100.0/24".parse()?);
/// let allowed = office.and(&tcp(443).or(&tcp(22)));
/// assert!(allowed.and(&tcp(80)).is_empty());
/// assert_eq!(allowed.to_string(), "tcp 22,443 from 198.51.100.0/24");
/// # Ok::<(), ipnet::AddrParseError>(())
/// ```
#[derive(Clone)]
pub struct Set(Arc<Bdd>);

impl Set {
    /// No packet.
    pub fn none() -> Self {
        Self(space::nothing())
    }

    /// Every packet.
    pub fn all() -> Self {
        Self(space::packets())
    }

    /// Packets with a source in this prefix.
    pub fn source(net: Ipv4Net) -> Self {
        Self::all().and(&Self::within(Field::SOURCE, net))
    }

    /// Packets with a destination in this prefix.
    pub fn destination(net: Ipv4Net) -> Self {
        Self::all().and(&Self::within(Field::DESTINATION, net))
    }

    /// Packets of a protocol.
    pub fn protocol(protocol: Protocol) -> Self {
        Self::all().and(&Self::of_protocol(protocol))
    }

    /// Packets of TCP or UDP with a source port in this range.
    pub fn source_ports(ports: PortRange) -> Self {
        Self::all().and(&Self::ported(Field::SOURCE_PORT, ports))
    }

    /// Packets of TCP or UDP with a destination port in this range.
    pub fn destination_ports(ports: PortRange) -> Self {
        Self::all().and(&Self::ported(Field::DESTINATION_PORT, ports))
    }

    /// The packet with this key alone; nothing where no packet can have it.
    pub fn packet(key: &FlowKey) -> Self {
        let fields = [
            (Field::SOURCE, key.source.into()),
            (Field::DESTINATION, key.destination.into()),
            (Field::PROTOCOL, u32::from(key.protocol.0)),
            (Field::SOURCE_PORT, u32::from(key.source_port)),
            (Field::DESTINATION_PORT, u32::from(key.destination_port)),
        ];
        let fields = fields.map(|(field, value)| Self::value(field, value));
        fields.iter().fold(Self::all(), |set, field| set.and(field))
    }

    /// Packets in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        if self.is_empty() || other.0.is_true() {
            return self.clone();
        }
        if other.is_empty() || self.0.is_true() {
            return other.clone();
        }
        Self(Arc::new(self.0.and(&other.0)))
    }

    /// Packets in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        if self.is_empty() || other.0.is_true() {
            return other.clone();
        }
        if other.is_empty() || self.0.is_true() {
            return self.clone();
        }
        Self(Arc::new(self.0.or(&other.0)))
    }

    /// Packets in this one and not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return self.clone();
        }
        if other.0.is_true() {
            return Self::none();
        }
        Self(Arc::new(self.0.and_not(&other.0)))
    }

    /// All other packets.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn not(&self) -> Self {
        Self::all().without(self)
    }

    /// Whether there is no packet in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_false()
    }

    /// Whether every packet of the other one is in it.
    pub fn covers(&self, other: &Self) -> bool {
        other.without(self).is_empty()
    }

    /// Whether the packet with this key is in it.
    pub fn contains(&self, key: &FlowKey) -> bool {
        self.follow(|field| match field {
            Field::SOURCE => key.source.into(),
            Field::DESTINATION => key.destination.into(),
            Field::PROTOCOL => u32::from(key.protocol.0),
            Field::DESTINATION_PORT => u32::from(key.destination_port),
            _ => u32::from(key.source_port),
        })
    }

    /// The same services between any addresses.
    #[must_use]
    pub fn services(&self) -> Self {
        let addresses = [Field::SOURCE, Field::DESTINATION];
        let addresses: Vec<_> = addresses.into_iter().flat_map(Field::variables).collect();
        Self(Arc::new(self.0.exists(&addresses)))
    }

    /// The same packets from any source port; ICMP with any identifier.
    #[must_use]
    pub(crate) fn any_source_port(&self) -> Self {
        let ports: Vec<_> = Field::SOURCE_PORT.variables().collect();
        Self::all().and(&Self(Arc::new(self.0.exists(&ports))))
    }

    /// How large its diagram is, in nodes.
    pub fn size(&self) -> usize {
        self.0.size()
    }
}

/// Parts of keys, whether or not packets have them.
impl Set {
    pub(crate) fn anything() -> Self {
        Self(space::anything())
    }

    pub(crate) fn within(field: Field, net: Ipv4Net) -> Self {
        if net.prefix_len() == 0 {
            return Self::anything();
        }
        let (value, len) = (net.network().into(), u16::from(net.prefix_len()));
        Self(Arc::new(space::prefix(field, value, len)))
    }

    pub(crate) fn address(field: Field, address: Ipv4Addr) -> Self {
        Self::value(field, address.into())
    }

    /// Those with this address in a field, of which they then say nothing any more.
    pub(crate) fn with_address(&self, field: Field, address: Ipv4Addr) -> Self {
        let root = self.0.root_pointer();
        if root.is_terminal()
            || self.0.var_of(root).to_index() >= usize::from(field.at + field.width)
        {
            return self.clone();
        }
        let value = u32::from(address);
        let bits = (0..field.width).map(|bit| {
            let set = value >> (field.width - 1 - bit) & 1 == 1;
            (field.variable(bit), set)
        });
        Self(Arc::new(self.0.restrict(&bits.collect::<Vec<_>>())))
    }

    /// Packets that open a connection, or those that never do: ICMP that is no request.
    pub(crate) fn opening(opens: bool) -> Self {
        Self(space::opening(opens))
    }

    pub(crate) fn value(field: Field, value: u32) -> Self {
        Self(Arc::new(space::prefix(field, value, field.width)))
    }

    pub(crate) fn range(field: Field, first: u32, last: u32) -> Self {
        if first == 0 && last == field.max() {
            return Self::anything();
        }
        Self(Arc::new(space::range(field, first, last)))
    }

    pub(crate) fn of_protocol(protocol: Protocol) -> Self {
        Self::value(Field::PROTOCOL, u32::from(protocol.0))
    }

    pub(crate) fn ports(field: Field, ports: PortRange) -> Self {
        Self::range(field, u32::from(ports.first), u32::from(ports.last))
    }

    /// Packets whose two ports are equal.
    pub(crate) fn equal_ports() -> Self {
        Self(space::equal_ports())
    }

    /// TCP and UDP.
    pub(crate) fn with_ports() -> Self {
        Self::of_protocol(Protocol::TCP).or(&Self::of_protocol(Protocol::UDP))
    }

    fn ported(field: Field, ports: PortRange) -> Self {
        Self::with_ports().and(&Self::ports(field, ports))
    }
}

/// Two sets are equal when the same packets are in them.
impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Set {}

impl std::hash::Hash for Set {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// Its rules, one a line; `nothing` where it is empty.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules();
        if rules.is_empty() {
            return f.write_str("nothing");
        }
        for (index, rule) in rules.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{rule}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Set({self})")
    }
}

/// TCP to a port, or to ports: `tcp(443)`, `tcp(8000..=8100)`.
pub fn tcp(ports: impl Into<Ports>) -> Set {
    Set::protocol(Protocol::TCP).and(&Set::destination_ports(ports.into().0))
}

/// UDP to a port, or to ports.
pub fn udp(ports: impl Into<Ports>) -> Set {
    Set::protocol(Protocol::UDP).and(&Set::destination_ports(ports.into().0))
}

/// Pings: ICMP echo requests.
pub fn ping() -> Set {
    let echo = 8 << 8;
    Set::protocol(Protocol::ICMP).and(&Set::range(Field::DESTINATION_PORT, echo, echo | 0xff))
}

/// What a rule's protocol stands for.
pub(crate) fn of_rule(protocol: RuleProtocol) -> Set {
    protocol
        .number()
        .map_or_else(Set::anything, |number| Set::of_protocol(Protocol(number)))
}

/// Ports, as a caller writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports(PortRange);

impl From<u16> for Ports {
    fn from(port: u16) -> Self {
        Self(PortRange {
            first: port,
            last: port,
        })
    }
}

impl From<std::ops::RangeInclusive<u16>> for Ports {
    fn from(ports: std::ops::RangeInclusive<u16>) -> Self {
        Self(PortRange {
            first: *ports.start(),
            last: *ports.end(),
        })
    }
}

impl From<PortRange> for Ports {
    fn from(ports: PortRange) -> Self {
        Self(ports)
    }
}
