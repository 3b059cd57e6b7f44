//! A capture through a declared network: attribution, verdicts, report.
//!
//! [`Replay`] takes packets one by one, as they were captured, and asks of each: where did it
//! come *from* ([`Attribution`], SEMANTICS §12), what did it meet on its way
//! ([`vpcsim_dataplane::walk`]), and where did it end? What ended goes to a [`Sink`], what was
//! counted into a [`Report`]. [`replay`] does that for whole captures, one after another on one
//! clock. [`trace()`] follows one packet that nobody captured, and its answer, stop by stop.
//!
//! Memory is for what lives, not for what passed: connections and sessions belong to the
//! [`State`](vpcsim_dataplane::State) and end there; every table of this crate that an input could
//! fill has a ceiling.
#![forbid(unsafe_code)]

mod attribution;
mod counters;
mod drops;
mod endpoint;
mod frame;
mod mapping;
mod names;
mod replay;
mod report;
mod run;
mod sink;
mod tally;
mod time;
mod top_flows;
pub mod trace;

pub use attribution::{Attribution, Origin};
pub use endpoint::{Endpoint, EndpointError};
pub use mapping::{Mapping, MappingError};
pub use names::{drop_text, element_text, rule_text};
pub use replay::{Options, Replay};
pub use report::{
    CaptureReport, Connections, DropRow, EipRow, FlowRow, Generated, KindRow, LinkRow,
    MalformedRow, NatRow, PlaceRow, Report, Timing, Verdicts,
};
pub use run::{Input, Progress, ReplayError, replay};
pub use sink::{PcapngSink, Sink};
pub use trace::trace;
