//! What a packet meets in a cloud network.
//!
//! [`walk`] carries one packet from where it starts ([`Source`]) through every
//! stop of SEMANTICS §2–§11 to its [`Verdict`]. What never changes while
//! packets move is a [`Program`], made once from a [`Network`]; what does
//! (connections, NAT sessions, fragments, token buckets) is a [`State`]. Time
//! is an argument, and an [`Observer`] sees every stop.
//!
//! On Linux tables of a megabyte or more lie on huge pages, in mappings of their own.
//!
//! [`Network`]: vpcsim_network::Network
#![deny(unsafe_code)]

mod ahead;
mod arrivals;
mod batch;
mod bucket;
mod classify;
pub mod conntrack;
mod ending;
mod flow_cache;
mod fragments;
mod hash;
mod intervals;
mod lanes;
mod lines;
mod lpm;
mod memory;
mod nat;
mod observe;
mod packet;
mod place;
mod program;
mod shards;
mod stage;
mod state;
mod steer;
mod swap;
mod time;
mod verdict;
mod walk;

pub use arrivals::{Arrivals, ArrivedAt};
pub use batch::{Batch, Ended, InOrder};
/// For the benches, which measure these alone; no part of the interface.
#[doc(hidden)]
pub use lpm::Lpm;
#[doc(hidden)]
pub use nat::TakenPorts;
pub use nat::ports_of_same_class;
pub use observe::{Decision, FlowRule, Observer, Outcome, Repeat, Stop};
pub use place::{Arrived, Place, Source};
#[doc(hidden)]
pub use program::{GroupRule, Travel};
pub use program::{Owner, Program};
pub use shards::{Round, Rounds, Shards, Work};
pub use state::{GatewayUse, State, Use};
pub use steer::SHARDS;
pub use time::Nanos;
pub use verdict::{Drop, DropReason, Element, Policy, ReversePath, Rule, RuleList, Stage, Verdict};
pub use walk::{Arrival, Other, Role, Walked, advance, walk};
