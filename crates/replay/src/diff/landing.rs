//! Where a packet arrived, and as what.

use crate::flow::{PackedFlow, flow};
use vpcsim_dataplane::{Ended, Other, Place, Role, Verdict};
use vpcsim_packet::FlowKey;

/// RFC 791: an IPv4 header without options; where its addresses begin.
const IPV4_MIN: usize = 20;
const ADDRESSES: usize = 12;
/// Of the transport header: as much as every protocol with ports or identifiers needs for them.
const PORTS: usize = 8;

/// How a packet ended in one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) verdict: Verdict,
    /// Its addresses and ports where it arrived.
    pub(super) key: Option<FlowKey>,
}

impl Fate {
    /// Of a packet that nobody there has sent.
    pub(super) const NOBODYS: Self = Self {
        verdict: Verdict::Unattributed,
        key: None,
    };
    /// Of a fragment whose first one did not come before the captures ended.
    pub(super) const HELD: Self = Self {
        verdict: Verdict::Held,
        key: None,
    };

    pub(super) fn of(ended: &Ended<'_>) -> Self {
        let mut bytes = ended.bytes;
        if ended.walked.cut {
            let id = ended.arrival.id;
            bytes = piece(ended.others, id).unwrap_or(bytes);
        }
        Self::new(ended.walked.verdict, bytes)
    }

    /// Of a packet that was held until now. `others`: what ended with it.
    pub(super) fn of_held(other: &Other, others: &[Other]) -> Self {
        let mut bytes = other.bytes.as_slice();
        if other.cut {
            bytes = piece(others, other.id).unwrap_or(bytes);
        }
        Self::new(other.verdict, bytes)
    }

    fn new(verdict: Verdict, bytes: &[u8]) -> Self {
        let key = match verdict {
            Verdict::Delivered(_) => flow(bytes).ok().map(PackedFlow::key),
            _ => None,
        };
        Self { verdict, key }
    }

    /// Where it arrived.
    pub(super) fn place(&self) -> Option<Place> {
        match self.verdict {
            Verdict::Delivered(place) => Some(place),
            _ => None,
        }
    }
}

/// Of a packet that was cut nothing is left but its pieces.
fn piece(others: &[Other], id: u64) -> Option<&[u8]> {
    let mut pieces = others
        .iter()
        .filter(|other| other.id == id && other.role == Role::Piece);
    pieces.next().map(|piece| piece.bytes.as_slice())
}

/// Whether two packets have the same addresses and ports, told without reading them: `false` where
/// that takes more than a look.
#[inline]
pub(super) fn is_same_at_a_glance(a: &[u8], b: &[u8]) -> bool {
    let header_len = match a.first() {
        Some(first) => usize::from(first & 0x0f) * 4,
        None => return false,
    };
    let end = header_len.max(IPV4_MIN) + PORTS;
    match (a.get(ADDRESSES..end), b.get(ADDRESSES..end)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}
