//! The bytes of an IPv4 packet: headers as a view, flow keys, incremental
//! checksums, rewriting in place, and building.
//!
//! A packet here starts at its IPv4 header and may be shorter than its header
//! says (a capture's snap length): headers decide, lengths come from them.
//! Bytes past the stated length (Ethernet padding) are never read or changed.
//! Nothing here panics, whatever the bytes.
#![forbid(unsafe_code)]

pub mod build;
mod bytes;
pub mod checksum;
mod display;
mod flow_key;
mod fragment;
mod glance;
mod headers;
pub mod icmp;
mod malformed;
mod parse;
mod rewrite;
mod verify;

pub use flow_key::FlowKey;
pub use fragment::fragment;
pub use glance::{Change, Glance, Shape};
pub use headers::{Headers, Icmp, IcmpBody, Protocol, Quoted, Tcp, TcpFlags, Transport, Udp};
pub use malformed::{Fault, Layer, Malformed};
pub use rewrite::{Rewrite, Written, decrement_ttl, rewrite, rewrite_quoted};
pub use verify::{ChecksumReport, Verdict, verify_checksums};
