//! The command from outside: its status, its text, its JSON, its files.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod bench;
mod captures_out;
mod diff;
mod documents;
mod expect;
mod flow_log;
mod graph;
mod harness;
mod input_errors;
mod json;
mod junit;
mod learn;
mod lints;
mod manual;
mod network_errors;
mod reach;
mod replay;
mod scenarios;
mod terminal;
mod trace;
