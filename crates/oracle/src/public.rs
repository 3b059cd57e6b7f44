//! What each side has made of inside ports, so that a free choice of the kernel is not a
//! difference.

use crate::bytes::{header_len, put, replace, word};
use crate::conversation::{Flow, Step};
use std::collections::BTreeMap;

/// The public port of each flow, on one side of the comparison.
#[derive(Debug, Default)]
pub(crate) struct PublicPorts(BTreeMap<Flow, u16>);

impl PublicPorts {
    /// The port that this side shows for a flow, if it has shown one.
    pub(crate) fn of(&self, flow: &Flow) -> Option<u16> {
        self.0.get(flow).copied()
    }

    /// A packet of the flow was seen outside with this port. Returns the port before, if it was
    /// another.
    pub(crate) fn learn(&mut self, flow: Flow, port: u16) -> Option<u16> {
        self.0.insert(flow, port).filter(|&before| before != port)
    }

    /// A flow is over.
    pub(crate) fn forget(&mut self, flow: &Flow) {
        self.0.remove(flow);
    }

    /// Another flow that the flow's end outside sees with this port.
    pub(crate) fn holder(&self, flow: &Flow, port: u16) -> Option<Flow> {
        let mut flows = self.0.iter();
        let (holder, _) = flows.find(|&(other, &theirs)| {
            other != flow
                && theirs == port
                && other.protocol == flow.protocol
                && other.outside == flow.outside
        })?;
        Some(*holder)
    }

    /// Whether a flow from the same inside end was given another port than its own.
    pub(crate) fn moved(&self, flow: &Flow) -> bool {
        self.0.iter().any(|(other, &port)| {
            other.protocol == flow.protocol && other.inside == flow.inside && port != flow.inside.1
        })
    }
}

/// The flow that a step belongs to: ICMP queries of
/// another identifier or type are of another flow.
pub(crate) fn flow_of(step: &Step) -> Flow {
    let shift = step.content.identifier_shift();
    let mut flow = step.flow;
    flow.inside.1 = flow.inside.1.wrapping_add(shift);
    if let Some(kind) = step.content.query_kind() {
        flow.outside.1 = kind;
    }
    flow
}

/// Where a packet keeps its own port, or identifier, and the checksum over it.
fn source_port_at(packet: &[u8], at: usize) -> Option<(usize, usize)> {
    match packet.get(9)? {
        6 => Some((at, at + 16)),
        17 => Some((at, at + 6)),
        1 => Some((at + 4, at + 2)),
        _ => None,
    }
}

/// The source port, or identifier, of a packet.
pub(crate) fn source_port(packet: &[u8]) -> Option<u16> {
    let (port, _) = source_port_at(packet, header_len(packet))?;
    Some(word(packet, port))
}

/// The packet as it would be with another source port.
pub(crate) fn with_source_port(packet: &mut [u8], port: u16) {
    if let Some((at, sum)) = source_port_at(packet, header_len(packet)) {
        if packet.get(9) == Some(&17) && word(packet, sum) == 0 {
            put(packet, at, port);
        } else {
            replace(packet, at, port, sum);
            never_zero(packet, sum);
        }
    }
}

/// The ICMP error as it would be if the packet that it quotes had another destination port.
pub(crate) fn with_quoted_destination_port(packet: &mut [u8], port: u16) {
    let icmp = header_len(packet);
    let quoted = icmp + 8;
    let Some(&first) = packet.get(quoted) else {
        return;
    };
    let transport = quoted + usize::from(first & 15) * 4;
    let (at, sum) = match packet.get(quoted + 9) {
        Some(6) => (transport + 2, Some(transport + 16)),
        Some(17) => (transport + 2, Some(transport + 6)),
        // Identifier and checksum of a quoted query.
        Some(1) => (transport + 4, Some(transport + 2)),
        _ => return,
    };
    let sum = sum.filter(|&sum| sum + 2 <= packet.len());
    if let Some(sum) = sum
        && !(packet.get(quoted + 9) == Some(&17) && word(packet, sum) == 0)
    {
        let mut changed = packet.to_vec();
        replace(&mut changed, at, port, sum);
        if packet.get(quoted + 9) == Some(&17) {
            never_zero(&mut changed, sum);
        }
        let value = word(&changed, sum);
        replace(packet, sum, value, icmp + 2);
    }
    replace(packet, at, port, icmp + 2);
}

/// RFC 768: a UDP checksum that comes out as zero is sent as all ones.
fn never_zero(packet: &mut [u8], sum: usize) {
    if packet.get(9) == Some(&17) && word(packet, sum) == 0 {
        put(packet, sum, 0xffff);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpcsim_packet::build;

    #[test]
    fn another_port_is_as_if_built_with_it() {
        let with = |port| build::udp(([10, 0, 0, 1], port), ([10, 0, 0, 2], 9), b"data").bytes();
        let mut packet = with(1000);
        with_source_port(&mut packet, 2000);
        assert_eq!(packet, with(2000));
        let error = |port| {
            let about = build::udp(([10, 0, 0, 1], 7), ([10, 0, 0, 2], port), b"data").bytes();
            build::icmp([10, 0, 0, 2], [10, 0, 0, 1], 3, 3, [0; 4], &about).bytes()
        };
        let mut packet = error(1000);
        with_quoted_destination_port(&mut packet, 2000);
        assert_eq!(packet, error(2000));
    }
}
