//! What a packet meets in a cloud network: stages, connection tracking, NAT.
#![forbid(unsafe_code)]

pub mod conntrack;
mod time;

pub use time::Nanos;
