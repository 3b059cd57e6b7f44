//! Captures through declared networks.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

mod attribution;
mod corpus;
mod diff;
mod diff_hostile;
mod diff_kinds;
mod diff_properties;
mod expect;
mod fixes;
mod fixes_expected;
mod flow_log;
mod hostile;
mod many_protocols;
mod memory;
mod output;
mod rules;
mod support;
mod timeline;
mod trace_inside;
mod trace_public;
mod verdicts;
mod workers;
