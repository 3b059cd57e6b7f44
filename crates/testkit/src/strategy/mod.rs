//! Generators for proptest: packets, bytes that mean harm, networks, and conversations in them.

mod conversation;
mod network;
mod packet;
mod render;

pub use conversation::{Sent, conversation_in, worlds};
pub use network::networks;
pub use packet::{address, hostile_bytes, packet, packet_between};
