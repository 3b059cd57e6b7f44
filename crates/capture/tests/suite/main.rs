//! The reader and the writers against encoders of the tests' own.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

mod ahead;
mod encode;
mod formats;
mod hostile;
mod round_trip;
mod streaming;
mod truncation;
