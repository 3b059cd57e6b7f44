//! The packet that a walk carries.

use crate::flow_cache::PackedFlow;
use vpcsim_packet::checksum::Delta;
use vpcsim_packet::{
    FlowKey, Headers, Icmp, IcmpBody, Quoted, Rewrite, Transport, Written, rewrite, rewrite_quoted,
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
    /// By reference: what was written field by field a moment ago is not to be copied.
    pub(crate) headers: &'a mut Headers,
    pub(crate) key: FlowKey,
    pub(crate) changes: Changes,
}

/// What has changed on the way: of a whole TCP or UDP packet all that a flow cache wants to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes {
    /// The flow that it is of by now: the packet's key, in words as soon as it is known.
    pub(crate) becomes: PackedFlow,
    /// By how much the checksums have changed, and the time to live.
    pub(crate) ip: Delta,
    pub(crate) transport: Delta,
    pub(crate) ttl_down: u8,
}

impl<'a> Packet<'a> {
    /// A captured packet that has not gone anywhere yet.
    #[inline(always)]
    pub(crate) fn new(
        id: u64,
        bytes: &'a mut [u8],
        headers: &'a mut Headers,
        key: FlowKey,
    ) -> Self {
        Self {
            id,
            generated: false,
            bytes,
            headers,
            key,
            changes: Changes {
                becomes: PackedFlow::of(&key),
                ip: Delta::NONE,
                transport: Delta::NONE,
                ttl_down: 0,
            },
        }
    }

    /// Whether the transport header is in an earlier fragment.
    pub(crate) fn is_later_fragment(&self) -> bool {
        matches!(self.headers.transport, Transport::LaterFragment)
    }

    /// The packet that this ICMP error quotes.
    pub(crate) fn quoted(&self) -> Option<Quoted> {
        match &self.headers.transport {
            Transport::Icmp(Icmp {
                body: IcmpBody::Error(quoted),
                ..
            }) => Some(*quoted),
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
        let Written { addresses, ports } = rewrite(self.bytes, self.headers, change);
        self.changes.ip = self.changes.ip.and(addresses);
        self.changes.transport = self.changes.transport.and(addresses).and(ports);
        let before = &self.key;
        let key = FlowKey {
            protocol: before.protocol,
            source: *change.source.as_ref().unwrap_or(&before.source),
            source_port: change.source_port.unwrap_or(before.source_port),
            destination: *change.destination.as_ref().unwrap_or(&before.destination),
            destination_port: change.destination_port.unwrap_or(before.destination_port),
        };
        self.changes.becomes = PackedFlow::of(&key);
        self.key = key;
    }

    /// One hop less to live.
    pub(crate) fn decrement_ttl(&mut self) {
        let word = |ttl: u8| u16::from_be_bytes([ttl, self.headers.protocol.0]);
        let before = word(self.headers.ttl);
        let after = word(self.headers.ttl.saturating_sub(1));
        self.changes.ip = self.changes.ip.replace16(before, after);
        self.changes.ttl_down = self.changes.ttl_down.saturating_add(1);
        vpcsim_packet::decrement_ttl(self.bytes, self.headers);
    }

    /// Rewrites an ICMP error: the outer addresses, and the quoted packet.
    pub(crate) fn rewrite_error(&mut self, outer: &Rewrite, quoted: &Rewrite) {
        rewrite_quoted(self.bytes, self.headers, quoted);
        self.rewrite(outer);
    }
}
