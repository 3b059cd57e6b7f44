//! What every test shares: a lab that sends packets through a network one by one, packets that
//! read well, and generators of packets, networks and conversations for proptest.
//!
//! It panics on purpose: it is for tests only and is not published.
#![forbid(unsafe_code)]

mod craft;
pub mod fuzz;
mod lab;
mod large;
pub mod strategy;

pub use craft::{Craft, complaint, other, ping, pong, tcp, udp};
pub use lab::{End, Lab, Seen, attribute, net};
pub use large::Size;
