//! What holds in every network and for every conversation. Each property names its clause of
//! SEMANTICS.
//!
//! `PROPTEST_CASES` scales the number of cases: 256 runs them as they stand, 5120 twenty times
//! as many.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod accept_rule;
mod acl;
mod cached;
mod checksums;
mod clock;
mod conntrack;
mod counts;
mod crowd;
mod dialogue;
mod hostile;
mod nat;
mod nat_ports;
mod order;
mod peering;
mod private_source;
mod replies;
mod rp_filter;
mod same_bytes;
mod sharded;
mod world;
