//! How fast vpcsim's dataplane is on a machine, beside the bare loop that any NAT needs.
//!
//! [`measure`] is `vpcsim bench`; the criterion benches drive the same [`World`]: so many live
//! flows from sixteen inside hosts through every stage to the internet and back, half UDP, half
//! TCP, opened by real handshakes through the dataplane itself. What the gateway chose for a flow
//! is read from its first packet.
//!
//! Packets are random over the live flows and both directions. Their TCP segments go on where the
//! flow's last one ended and acknowledge what the other end has sent. They are written with right
//! checksums into a batch of 256, as `replay` does it, the batch is carried, and one packet of each
//! is checked: addresses, ports, both checksums. Only carrying is timed. The clock moves as at
//! 5 Gbit/s of the smallest packets. Several workers share rounds of 2 048 packets, which are
//! steered as they are written.
//!
//! [`Floor`] does on the same packets what no NAT can leave out, and nothing else.
//!
//! ```
//! use std::time::Duration;
//! use vpcsim_bench::{Options, Size, measure};
//!
//! let options = Options {
//!     flows: 1_000,
//!     size: Size::Least,
//!     rules: 100,
//!     workers: 1,
//!     duration: Duration::from_millis(20),
//! };
//! let measured = measure(&options, &mut |_| {})?;
//! assert!(measured.floor_ratio > 0.0);
//! # Ok::<(), vpcsim_bench::BenchError>(())
//! ```

mod capture;
mod carrier;
mod error;
mod expiry;
mod flood;
mod floor;
mod flow;
mod header;
mod live;
mod measure;
mod memory;
mod network;
mod opening;
mod pipeline;
mod prefetch;
mod random;
mod size;
mod traffic;
mod world;

pub use capture::write_capture;
pub use carrier::Way;
pub use error::BenchError;
pub use expiry::{Pauses, expiry};
pub use flood::Flood;
pub use floor::Floor;
pub use measure::{MOST_FLOWS, Measurement, Options, Progress, TARGET_GBPS, measure};
pub use network::{network, yaml};
pub use opening::{Connected, connect};
pub use size::Size;
pub use traffic::Traffic;
pub use world::{Counted, World, program};
