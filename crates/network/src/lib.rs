//! A cloud network as people declare it.
//!
//! [`Network`] is the validated graph: every reference is resolved to a dense
//! id, every rule is typed, and nothing in it contradicts the platform. It
//! knows nothing of packets and is immutable once made. The only way to make
//! one is to read a network file, so that a `Network` is always valid.
#![forbid(unsafe_code)]

mod model;

pub use model::*;
