//! A capture through a declared network: attribution, verdicts, report.
//!
//! [`Replay`] takes packets one by one, as they were captured, and asks of each: where did it
//! come *from* ([`Attribution`], SEMANTICS §12), what did it meet on its way
//! ([`vpcsim_dataplane::walk`]), and where did it end? What ended goes to a [`Sink`], what was
//! counted into a [`Report`]. [`replay`] does that for whole captures, one after another on one
//! clock, and [`diff`] carries them through two networks at once. [`trace()`] follows one packet that nobody captured, and its answer, stop by stop;
//! [`fix`] looks for the change to the network with which it arrives, and [`expectations`] tries
//! what the network file says that it has to do. [`learn`](mod@learn) goes the other way, from a
//! capture to a network.
//!
//! Memory is for what lives, not for what passed: connections and sessions belong to the
//! [`State`](vpcsim_dataplane::State) and end there; every table of this crate that an input could
//! fill has a ceiling.
//!
//! ```
//! use vpcsim_capture::{LinkType, Record};
//! use vpcsim_dataplane::Program;
//! use vpcsim_network::Network;
//! use vpcsim_packet::{TcpFlags, build::tcp};
//! use vpcsim_replay::{Options, Replay};
//!
//! let network = Network::from_yaml("example.yaml", "
//! vpcs:
//!   shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}
//! cvms:
//!   web-1: {subnet: web, address: 10.0.1.10}
//!   web-2: {subnet: web, address: 10.0.1.11}
//! ")?;
//! let program = Program::new(network);
//! let mut replay = Replay::new(&program, &Options::default());
//! let packet = tcp(([10, 0, 1, 10], 4000), ([10, 0, 1, 11], 80), TcpFlags::SYN).bytes();
//! let record = Record {
//!     time: 1_700_000_000_000_000_000,
//!     interface: 0,
//!     link_type: LinkType::RAW,
//!     original_len: packet.len() as u32,
//!     data: &packet,
//! };
//! replay.packet(&record, &mut ())?;
//! let report = replay.finish(&mut ())?;
//! assert_eq!(report.verdicts.delivered, 1);
//! assert_eq!(report.places[0].name, "web-2/eth0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod attribution;
mod carrier;
mod counters;
pub mod diff;
mod drops;
mod endpoint;
mod expect;
pub mod fix;
mod flow;
mod flow_log;
mod frame;
mod intake;
pub mod learn;
mod ledger;
mod mapping;
mod names;
mod origins;
mod places;
mod replay;
mod report;
mod rules;
mod run;
mod sink;
mod strangers;
mod tally;
mod time;
mod timeline;
mod top_flows;
pub mod trace;
mod watch;
mod ways;
mod workers;

pub use attribution::{Attribution, Origin};
pub use endpoint::{Endpoint, EndpointError};
pub use expect::{Expected, disappointment, expectations};
pub use flow_log::{FlowLogOptions, FlowLogReport};
pub use mapping::{Mapping, MappingError};
pub use names::{drop_text, element_text, rule_text};
pub use replay::{Options, Replay};
pub use report::{
    CaptureReport, Connections, DropRow, EipRow, FlowRow, Generated, KindRow, LinkRow,
    MalformedRow, NatRow, PlaceRow, Report, Timing, Verdicts,
};
pub use rules::{RuleReport, RuleRow};
pub use run::{Input, Progress, ReplayError, replay};
pub use sink::{PcapngSink, Sink};
pub use time::rfc3339;
pub use timeline::{Step, Talk, Talks, Timeline, TimelineDrop, Usage};
pub use trace::{trace, trace_packet};
pub use workers::{Workers, has_cores};
