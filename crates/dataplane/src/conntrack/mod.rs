//! Connection tracking: which packets belong together, in what state they are,
//! and how long to remember it (SEMANTICS §6, §9).
//!
//! Two halves that know nothing of each other:
//!
//! * [`Tracker`] is the protocol's state machine of one connection. It follows
//!   Linux nf_conntrack (kernel 6.18, `net/netfilter/nf_conntrack_proto_*.c`)
//!   and is shared by security groups and NAT gateways.
//! * [`Table`] is where flows are found again: by place and [`FlowKey`], in either
//!   direction, until their deadline has come. Its places are nics, for security groups,
//!   and NAT gateways. What a nic and the gateway behind it remember of a flow is one
//!   [`Record`] there.
//!
//! Flows of one conversation at several places share a tracker: a [`TrackId`] is where it
//! is, each of them is a [`Holder`] of it. A packet's way through both:
//!
//! ```text
//! while let Some(slot) = table.due(now) { /* remove(holder), or defer(slot, later) */ }
//! match table.at_nic(nic, &key) {
//!     Some((slot, direction)) => match trackers[record.track()].update(…) {
//!         Pass | Ignored => let it pass, set_deadline(holder, tracker.deadline(…))
//!         Ends           => let it pass, remove(holder)
//!         Invalid(_)     => it has no flow; set_deadline(holder, tracker.deadline(…))
//!         Reopen         => remove(holder), go on as for a first packet
//!     },
//!     None => match Tracker::open(…) {
//!         Opens(tracker) | MidStream(tracker) => judge by rules, then remember
//!         Invalid(_)     => it has no flow and leaves none behind
//!     },
//! }
//! ```
//!
//! ICMP errors never meet a tracker: [`answer_to`] names the flow of the packet
//! they quote, and nothing about it changes.
//!
//! Time is an argument everywhere; the same input gives the same output, the
//! same order of expiry and the same iteration order on every run.
//!
//! [`FlowKey`]: vpcsim_packet::FlowKey

mod counts;
mod deadlines;
mod direction;
mod flags;
mod generic;
mod hash;
mod holders;
mod icmp;
mod judgement;
mod keys;
mod other;
mod prefetch;
mod record;
mod records;
mod related;
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

pub(crate) use deadlines::AHEAD;
pub use direction::Direction;
pub use holders::Holder;
pub use judgement::{Invalid, Judgement, Opening, Settings};
pub(crate) use prefetch::LIKELY;
pub use record::Record;
pub use related::answer_to;
pub use table::{Begun, SessionKeys, Table};
pub use tcp_states::TcpState;
pub use tracker::{Phase, Tracker};
pub use tracks::TrackId;
pub(crate) use tracks::Tracks;
