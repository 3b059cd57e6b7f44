//! Conversations judged packet by packet, the table against a naive model,
//! and random input.

mod conversation;
mod model;
mod other_protocols;
mod random;
mod recorded;
mod table;
mod tcp_close;
mod tcp_middle;
mod tcp_open;
mod tcp_window;
mod tracks;

use conversation::{check, check_tracked};
