//! Pictures of real networks and real replays.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod graph;
mod page;
