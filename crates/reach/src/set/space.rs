//! The variables of the diagrams: one for each bit of a packet's key.
//!
//! Addresses stand first: most sets are of a few addresses, and below each address what is left
//! is a set of services. The bits of the two ports take turns, or "both ports are equal" (a host
//! that calls itself through the internet) would need 200 000 nodes instead of 48.

use biodivine_lib_bdd::{Bdd, BddPartialValuation, BddVariable, BddVariableSet};
use std::sync::{Arc, OnceLock};
use vpcsim_packet::Protocol;

/// One field of a packet's key: the place of its highest bit, how many bits it has, and how far
/// apart they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Field {
    pub(crate) at: u16,
    pub(crate) width: u16,
    step: u16,
}

impl Field {
    pub(crate) const SOURCE: Self = Self::new(0, 32, 1);
    pub(crate) const DESTINATION: Self = Self::new(32, 32, 1);
    pub(crate) const PROTOCOL: Self = Self::new(64, 8, 1);
    /// Destination port; for ICMP type and code.
    pub(crate) const DESTINATION_PORT: Self = Self::new(72, 16, 2);
    /// Source port; for ICMP the identifier.
    pub(crate) const SOURCE_PORT: Self = Self::new(73, 16, 2);
    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self::SOURCE,
        Self::DESTINATION,
        Self::PROTOCOL,
        Self::DESTINATION_PORT,
        Self::SOURCE_PORT,
    ];

    const fn new(at: u16, width: u16, step: u16) -> Self {
        Self { at, width, step }
    }

    /// The largest value.
    pub(crate) fn max(self) -> u32 {
        u32::MAX >> (32 - self.width)
    }

    /// The variable of a bit, counted from the highest.
    pub(super) fn variable(self, bit: u16) -> BddVariable {
        BddVariable::from_index(usize::from(self.at + bit * self.step))
    }

    /// All its variables.
    pub(super) fn variables(self) -> impl Iterator<Item = BddVariable> {
        (0..self.width).map(move |bit| self.variable(bit))
    }

    /// The field and bit of a variable.
    pub(super) fn of_variable(index: u16) -> (usize, u16) {
        match index {
            0..32 => (0, index),
            32..64 => (1, index - 32),
            64..72 => (2, index - 64),
            _ if index.is_multiple_of(2) => (3, (index - 72) / 2),
            _ => (4, (index - 73) / 2),
        }
    }
}

/// All variables.
pub(super) const WIDTH: u16 = 104;

pub(super) fn variables() -> &'static BddVariableSet {
    static VARIABLES: OnceLock<BddVariableSet> = OnceLock::new();
    VARIABLES.get_or_init(|| BddVariableSet::new_anonymous(WIDTH))
}

pub(super) fn nothing() -> Arc<Bdd> {
    static NOTHING: OnceLock<Arc<Bdd>> = OnceLock::new();
    Arc::clone(NOTHING.get_or_init(|| Arc::new(variables().mk_false())))
}

pub(super) fn anything() -> Arc<Bdd> {
    static ANYTHING: OnceLock<Arc<Bdd>> = OnceLock::new();
    Arc::clone(ANYTHING.get_or_init(|| Arc::new(variables().mk_true())))
}

/// The keys that packets can have: protocols without ports have 0 in their place, and so have
/// ICMP messages without an identifier ([`vpcsim_packet::FlowKey`]).
pub(super) fn packets() -> Arc<Bdd> {
    static PACKETS: OnceLock<Arc<Bdd>> = OnceLock::new();
    Arc::clone(PACKETS.get_or_init(|| Arc::new(make_packets())))
}

/// Packets that open a connection, or those that never do: ICMP that is no request (RFC 792,
/// RFC 950).
pub(super) fn opening(opens: bool) -> Arc<Bdd> {
    static SPLIT: OnceLock<[Arc<Bdd>; 2]> = OnceLock::new();
    let split = SPLIT.get_or_init(|| {
        let requests = [8, 13, 15, 17]
            .iter()
            .fold(variables().mk_false(), |all, kind| {
                all.or(&prefix(Field::DESTINATION_PORT, kind << 8, 8))
            });
        let icmp = prefix(Field::PROTOCOL, u32::from(Protocol::ICMP.0), 8);
        let never = icmp.and_not(&requests);
        let packets = packets();
        [
            Arc::new(packets.and(&never)),
            Arc::new(packets.and_not(&never)),
        ]
    });
    Arc::clone(&split[usize::from(opens)])
}

/// RFC 792 and RFC 950: ICMP types with an identifier.
pub(super) fn is_query(kind: u32) -> bool {
    matches!(kind, 0 | 8 | 13..=18)
}

fn make_packets() -> Bdd {
    let protocol = |protocol: Protocol| prefix(Field::PROTOCOL, u32::from(protocol.0), 8);
    let ported = protocol(Protocol::TCP).or(&protocol(Protocol::UDP));
    let icmp = protocol(Protocol::ICMP);
    let (no_source, no_destination) = (
        prefix(Field::SOURCE_PORT, 0, 16),
        prefix(Field::DESTINATION_PORT, 0, 16),
    );
    let other = ported.or(&icmp).not().and(&no_source).and(&no_destination);
    let queries = (0..=255).filter(|&kind| is_query(kind));
    let queries = queries.fold(variables().mk_false(), |all, kind| {
        all.or(&prefix(Field::DESTINATION_PORT, kind << 8, 8))
    });
    let icmp = icmp.and(&queries.or(&no_source));
    ported.or(&icmp).or(&other)
}

/// The values of a field that begin with the first `len` bits of `value`.
pub(super) fn prefix(field: Field, value: u32, len: u16) -> Bdd {
    let mut clause = BddPartialValuation::empty();
    for bit in 0..len {
        let set = value >> (field.width - 1 - bit) & 1 == 1;
        clause.set_value(field.variable(bit), set);
    }
    variables().mk_conjunctive_clause(&clause)
}

/// The values of a field from `first` to `last`, both included.
pub(super) fn range(field: Field, first: u32, last: u32) -> Bdd {
    prefixes(field, first, last)
        .into_iter()
        .fold(variables().mk_false(), |all, (value, len)| {
            all.or(&prefix(field, value, len))
        })
}

/// The fewest prefixes that make up a range, in order.
pub(super) fn prefixes(field: Field, first: u32, last: u32) -> Vec<(u32, u16)> {
    let mut found = Vec::new();
    let (mut at, end) = (u64::from(first), u64::from(last) + 1);
    while at < end {
        let mut size = 1_u64;
        let mut len = field.width;
        while len > 0 && at % (size * 2) == 0 && at + size * 2 <= end {
            size *= 2;
            len -= 1;
        }
        found.push((at as u32, len));
        at += size;
    }
    found
}

/// Where two ports are equal.
pub(super) fn equal_ports() -> Arc<Bdd> {
    static EQUAL: OnceLock<Arc<Bdd>> = OnceLock::new();
    Arc::clone(EQUAL.get_or_init(|| {
        let (a, b) = (Field::DESTINATION_PORT, Field::SOURCE_PORT);
        let all = (0..16).fold(variables().mk_true(), |all, bit| {
            let (a, b) = (a.variable(bit), b.variable(bit));
            let same = variables().mk_var(a).iff(&variables().mk_var(b));
            all.and(&same)
        });
        Arc::new(all)
    }))
}
