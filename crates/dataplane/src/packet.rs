//! The packet that a walk carries.

use vpcsim_packet::checksum::Delta;
use vpcsim_packet::{
    FlowKey, Headers, IcmpBody, Quoted, Rewrite, Transport, rewrite, rewrite_quoted,
};

/// A packet on its walk: its bytes, what they say, and the flow it belongs to.
///
/// A later fragment carries no ports; its `key` has those of the first fragment of its
/// datagram, so that every stage judges it as it judged the first (§11).
#[derive(Debug)]
pub(crate) struct Packet<'a> {
    /// The caller's number.
    pub(crate) id: u64,
    /// Made by the network itself.
    pub(crate) generated: bool,
    pub(crate) bytes: &'a mut [u8],
    pub(crate) headers: Headers,
    pub(crate) key: FlowKey,
    pub(crate) changes: Changes,
}

/// By how much the checksums and the time to live have changed on the way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Changes {
    pub(crate) ip: Delta,
    pub(crate) transport: Delta,
    pub(crate) ttl_down: u8,
}

impl Packet<'_> {
    /// Whether the transport header is in an earlier fragment.
    pub(crate) fn is_later_fragment(&self) -> bool {
        matches!(self.headers.transport, Transport::LaterFragment)
    }

    /// The packet that this ICMP error quotes.
    pub(crate) fn quoted(&self) -> Option<Quoted> {
        match self.headers.transport {
            Transport::Icmp(icmp) => match icmp.body {
                IcmpBody::Error(quoted) => Some(quoted),
                IcmpBody::Query { .. } | IcmpBody::Other => None,
            },
            _ => None,
        }
    }

    /// Makes it a packet of another flow: addresses and ports, in the bytes and in what is known of
    /// them. Of ICMP queries the identifier.
    pub(crate) fn becomes(&mut self, flow: &FlowKey) {
        let change = Rewrite::between(&self.key, flow);
        self.rewrite(&change);
    }

    /// Rewrites addresses and ports, in the bytes and in what is known of them.
    // As `vpcsim_packet::rewrite` is.
    #[inline(always)]
    pub(crate) fn rewrite(&mut self, change: &Rewrite) {
        rewrite(self.bytes, &mut self.headers, change);
        let before = self.key;
        self.key = apply(&before, change);
        let (addresses, ports) = differences(&before, &self.key);
        self.changes.ip = self.changes.ip.and(addresses);
        self.changes.transport = self.changes.transport.and(addresses).and(ports);
    }

    /// One hop less to live.
    pub(crate) fn decrement_ttl(&mut self) {
        let word = |ttl: u8| u16::from_be_bytes([ttl, self.headers.protocol.0]);
        let before = word(self.headers.ttl);
        let after = word(self.headers.ttl.saturating_sub(1));
        self.changes.ip = self.changes.ip.replace16(before, after);
        self.changes.ttl_down = self.changes.ttl_down.saturating_add(1);
        vpcsim_packet::decrement_ttl(self.bytes, &mut self.headers);
    }

    /// Rewrites an ICMP error: the outer addresses, and the quoted packet.
    pub(crate) fn rewrite_error(&mut self, outer: &Rewrite, quoted: &Rewrite) {
        rewrite_quoted(self.bytes, &mut self.headers, quoted);
        self.rewrite(outer);
    }
}

/// What changing one flow into another adds to a checksum over addresses, and over ports.
fn differences(from: &FlowKey, to: &FlowKey) -> (Delta, Delta) {
    let addresses = Delta::NONE
        .replace32(from.source.to_bits(), to.source.to_bits())
        .replace32(from.destination.to_bits(), to.destination.to_bits());
    let ports = Delta::NONE
        .replace16(from.source_port, to.source_port)
        .replace16(from.destination_port, to.destination_port);
    (addresses, ports)
}

fn apply(key: &FlowKey, change: &Rewrite) -> FlowKey {
    FlowKey {
        protocol: key.protocol,
        source: change.source.unwrap_or(key.source),
        source_port: change.source_port.unwrap_or(key.source_port),
        destination: change.destination.unwrap_or(key.destination),
        destination_port: change.destination_port.unwrap_or(key.destination_port),
    }
}
