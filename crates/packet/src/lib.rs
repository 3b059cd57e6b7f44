//! The bytes of an IPv4 packet: headers as a view, flow keys, incremental
//! checksums, rewriting in place, and building.
//!
//! A packet here starts at its IPv4 header and may be shorter than its header
//! says (a capture's snap length): headers decide, lengths come from them.
#![forbid(unsafe_code)]

mod flow_key;
mod headers;

pub use flow_key::FlowKey;
pub use headers::{Headers, Icmp, IcmpBody, Protocol, Quoted, Tcp, TcpFlags, Transport, Udp};
