//! One packet that nobody captured, and its reply: every stop with what it decided.
//!
//! The stops are those of [`vpcsim_dataplane::walk`], seen through its
//! [`Observer`](vpcsim_dataplane::Observer): a trace cannot disagree with a replay.

mod answer;
mod cause;
mod choose;
mod follow;
mod given;
mod question;
mod rules;
mod run;
mod services;
mod view;

pub use given::trace_packet;
pub use question::{Question, TraceError};
pub(crate) use rules::{rule_view, rule_words};
pub(crate) use run::{End, Run, Way, run};
pub use services::Because;
pub(crate) use services::{Service, services};
pub use view::{Change, ElementView, Leg, RuleView, StopView, Trace, VerdictView};

use crate::Endpoint;
use vpcsim_dataplane::Program;

/// Follows one packet from `from` to `to`, and its reply back.
///
/// The packet is the first of a flow: a TCP SYN, a UDP datagram or an ICMP echo request. The reply
/// is made from the packet as it looks where it arrived, and meets the connections and sessions
/// that the packet left behind.
///
/// # Errors
/// When the question cannot be put: a port without a protocol that has ports, or an end that
/// nobody is at.
pub fn trace(
    program: &Program,
    from: Endpoint,
    to: Endpoint,
    question: Question,
) -> Result<Trace, TraceError> {
    run(program, from, to, question).map(|run| run.trace)
}
