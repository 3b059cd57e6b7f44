//! Synthetic traffic from a seed: same seed, same bytes, for ever.
//!
//! [`Traffic`] is so many flows between some clients and some servers: TCP with real handshakes,
//! sequence numbers and endings, UDP requests and answers, pings. [`Scene`] is what a capture
//! taken inside a given network would show, with conversations for every stage that packets meet
//! there. Both are iterators of [`Packet`]s in the order of time that hold only what is live.
//! [`generate`] writes either as a capture file.
//!
//! ```
//! use vpcsim_generate::{GenOptions, ProtocolMix, SizeMix, Traffic, generate};
//!
//! let options = GenOptions {
//!     traffic: Traffic {
//!         seed: 42,
//!         flows: 10,
//!         sizes: SizeMix::Min64,
//!         protocols: ProtocolMix { tcp: 0, udp: 1, icmp: 0 },
//!         ..Traffic::default()
//!     },
//!     ..GenOptions::default()
//! };
//! let mut file = Vec::new();
//! let summary = generate(&options, &mut file)?;
//! assert_eq!(summary.packets, 10 * 4 * 2);
//! # Ok::<(), vpcsim_generate::GenError>(())
//! ```
#![forbid(unsafe_code)]

mod address;
mod dialogue;
mod frame;
mod generate;
mod merge;
mod packet;
mod random;
mod scene;
mod size;
mod traffic;

pub use frame::Framing;
pub use generate::{Format, GenError, GenOptions, Summary, generate};
pub use packet::Packet;
pub use scene::Scene;
pub use size::{SizeMix, UnknownSizeMix};
pub use traffic::{Packets, ProtocolMix, Traffic};
