//! One packet out of a set.

use super::{Field, Set, space};
use std::net::Ipv4Addr;
use vpcsim_network::PortRange;
use vpcsim_packet::{FlowKey, Protocol};

impl Set {
    /// A packet of the set, such as people know: where it has one, TCP to a well-known port, from
    /// a port that a host would choose. The same set gives the same packet.
    pub fn pick(&self) -> Option<FlowKey> {
        let chosen = PortRange {
            first: 40_000,
            last: 60_999,
        };
        let wishes = [
            Self::of_protocol(Protocol::TCP),
            Self::of_protocol(Protocol::UDP),
            super::ping(),
            Self::ports(Field::SOURCE_PORT, chosen),
            Self::value(Field::DESTINATION_PORT, 443),
            Self::value(Field::DESTINATION_PORT, 80),
            Self::value(Field::DESTINATION_PORT, 22),
            Self::among_documentation(Field::SOURCE),
            Self::among_documentation(Field::DESTINATION),
        ];
        let mut narrowed = self.clone();
        for wish in &wishes {
            let fits = narrowed.and(wish);
            if !fits.is_empty() {
                narrowed = fits;
            }
        }
        narrowed.draw(|_| false)
    }

    /// A packet of the set, each bit that is free by `bit`; told which it is, counted from the
    /// first of the key.
    pub fn draw(&self, mut bit: impl FnMut(u16) -> bool) -> Option<FlowKey> {
        if self.is_empty() {
            return None;
        }
        let mut values = [0_u32; 5];
        let mut at = self.0.root_pointer();
        for index in 0..space::WIDTH {
            let decided = !at.is_terminal() && self.0.var_of(at).to_index() == usize::from(index);
            let set = if decided {
                let (low, high) = (self.0.low_link_of(at), self.0.high_link_of(at));
                let set = low.is_zero() || (!high.is_zero() && bit(index));
                at = if set { high } else { low };
                set
            } else {
                bit(index)
            };
            let (field, _) = Field::of_variable(index);
            values[field] = values[field] << 1 | u32::from(set);
        }
        let [source, destination, protocol, destination_port, source_port] = values;
        Some(FlowKey {
            source: Ipv4Addr::from(source),
            destination: Ipv4Addr::from(destination),
            protocol: Protocol(protocol as u8),
            destination_port: destination_port as u16,
            source_port: source_port as u16,
        })
    }

    /// Whether the diagram says yes to these values.
    pub(super) fn follow(&self, value: impl Fn(Field) -> u32) -> bool {
        let values = Field::ALL.map(value);
        let mut at = self.0.root_pointer();
        while !at.is_terminal() {
            let (field, bit) = Field::of_variable(self.0.var_of(at).to_index() as u16);
            let set = values[field] >> (Field::ALL[field].width - 1 - bit) & 1 == 1;
            at = if set {
                self.0.high_link_of(at)
            } else {
                self.0.low_link_of(at)
            };
        }
        at.is_one()
    }

    /// 198.51.100.0/24: an address that readers know for an example (RFC 5737).
    fn among_documentation(field: Field) -> Self {
        let first = u32::from(Ipv4Addr::new(198, 51, 100, 7));
        Self::value(field, first)
    }
}
