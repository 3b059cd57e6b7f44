//! A network that was learned from a capture delivers what the capture's conversations were, and
//! nothing that they were not.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

mod corpus;
mod examples;
mod least_privilege;
mod random;
mod round_trip;
mod scenes;
mod widened;
