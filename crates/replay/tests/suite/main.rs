//! Captures through declared networks.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

mod attribution;
mod corpus;
mod expect;
mod fixes;
mod hostile;
mod many_protocols;
mod memory;
mod output;
mod support;
mod trace_inside;
mod trace_public;
mod verdicts;
mod workers;
