//! Who reaches whom in a cloud network, decided for every packet at once.
//!
//! A trace answers for one packet; a [`Reach`] answers for all of them. Packets are kept in
//! [`Set`]s, decision diagrams over the header, and every stage of the walk has a symbolic twin
//! here that moves a set where `vpcsim_dataplane::walk` moves a packet. The two are held together
//! by tests that draw packets from the sets and walk them.
#![forbid(unsafe_code)]

mod carry;
mod claim;
mod facts;
mod key;
mod lint;
mod list;
mod matrix;
mod place;
mod reach;
mod senders;
mod set;
mod traced;

pub use claim::{Counter, Decided, Failure, Prover};
pub use matrix::{Class, Matrix};
pub use place::{End, NoSuchEnd};
pub use reach::{Found, Reach, Trip};
pub use set::{Ports, Rule, Set, Span, ping, tcp, udp};
pub use traced::{Outcome, Traced};
