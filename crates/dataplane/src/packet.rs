//! The packet that a walk carries.

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

    /// Rewrites addresses and ports, in the bytes and in what is known of them.
    pub(crate) fn rewrite(&mut self, change: &Rewrite) {
        rewrite(self.bytes, &mut self.headers, change);
        self.key = apply(&self.key, change);
    }

    /// One hop less to live.
    pub(crate) fn decrement_ttl(&mut self) {
        vpcsim_packet::decrement_ttl(self.bytes, &mut self.headers);
    }

    /// Rewrites an ICMP error: the outer addresses, and the quoted packet.
    pub(crate) fn rewrite_error(&mut self, outer: &Rewrite, quoted: &Rewrite) {
        rewrite_quoted(self.bytes, &mut self.headers, quoted);
        self.rewrite(outer);
    }
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
