//! Connection tracking: which packets belong together, in what state they are,
//! and how long to remember it (SEMANTICS §6, §9).
//!
//! Two halves that know nothing of each other:
//!
//! * [`Tracker`] is the protocol's state machine of one connection. It follows
//!   Linux nf_conntrack (kernel 6.18, `net/netfilter/nf_conntrack_proto_*.c`)
//!   and is shared by security groups and NAT gateways.
//! * [`Table`] is where connections are found again: by zone and [`FlowKey`],
//!   in either direction, until their deadline has come.
//!
//! Connections of one conversation at several places share a tracker: a [`TrackId`] is where it
//! is. A packet's way through both:
//!
//! ```text
//! while let Some(id) = table.due(now) { /* remove(id), or defer(id, later) */ }
//! match table.lookup(zone, &key) {
//!     Some((id, direction)) => match trackers[connection.track].update(…) {
//!         Pass | Ignored => let it pass, set_deadline(id, tracker.deadline(…))
//!         Ends           => let it pass, remove(id)
//!         Invalid(_)     => it has no flow; set_deadline(id, tracker.deadline(…))
//!         Reopen         => remove(id), go on as for a first packet
//!     },
//!     None => match Tracker::open(…) {
//!         Opens(tracker) | MidStream(tracker) => judge by rules, then insert
//!         Invalid(_)     => it has no flow and leaves none behind
//!     },
//! }
//! ```
//!
//! ICMP errors never meet a tracker: [`Table::lookup_error`] names the
//! connection of the packet they quote, and nothing about it changes.
//!
//! Time is an argument everywhere; the same input gives the same output, the
//! same order of expiry and the same iteration order on every run.
//!
//! [`FlowKey`]: vpcsim_packet::FlowKey

mod connection;
mod deadlines;
mod flags;
mod generic;
mod hash;
mod holders;
mod icmp;
mod judgement;
mod other;
mod related;
mod slab;
mod table;
mod tcp;
mod tcp_options;
mod tcp_segment;
mod tcp_states;
mod tcp_window;
#[cfg(test)]
mod tests;
mod tracker;
mod tracks;
mod udp;

pub use connection::{Connection, ConnectionId, Direction, Zone};
pub(crate) use deadlines::AHEAD;
pub(crate) use holders::Holder;
pub use judgement::{Invalid, Judgement, Opening, Settings};
pub use table::{Iter, Occupied, Table};
pub use tcp_states::TcpState;
pub use tracker::{Phase, Tracker};
pub use tracks::TrackId;
pub(crate) use tracks::Tracks;
