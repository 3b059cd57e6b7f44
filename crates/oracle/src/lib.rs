//! The same packets through a real Linux kernel and through `vpcsim-dataplane`, in lock step.
//!
//! The kernel side lives in a network namespace that the calling thread makes for itself, with
//! TUN descriptors for ports; nothing of it is seen from outside, and nothing remains.
#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

mod area;
mod bytes;
mod compare;
mod conversation;
mod drive;
pub mod exceptions;
mod kernel;
mod public;
mod reassembly;
mod resets;
mod rng;
pub mod run;
mod shrink;
mod sim;
mod summary;
mod sys;
mod talk;

pub use drive::Report;
pub use summary::Summary;
