//! Flow-log records as Tencent Cloud writes them for network interfaces: which flow had how many
//! packets at which nic within a window of time, and whether they were accepted.
//!
//! A [`Record`] has the fourteen documented fields; a [`Writer`] writes records as text (the
//! platform's lines), CSV or Parquet. Knows nothing of networks and packets: who counts is
//! `vpcsim-replay`.
//!
//! ```
//! use std::net::Ipv4Addr;
//! use vpcsim_flowlog::{Action, Format, Record, Writer};
//!
//! let record = Record {
//!     account_id: "1251762227",
//!     interface_id: "eni-lq6mkcis",
//!     source: Ipv4Addr::new(172, 31, 16, 139),
//!     destination: Ipv4Addr::new(172, 31, 16, 21),
//!     source_port: 20641,
//!     destination_port: 22,
//!     protocol: 6,
//!     packets: 20,
//!     bytes: 4249,
//!     start: 1_418_530_010,
//!     end: 1_418_530_070,
//!     action: Action::Accept,
//! };
//! let mut writer = Writer::new(Format::of("flows.log")?, Vec::new())?;
//! writer.write(&record)?;
//! assert_eq!(
//!     writer.finish()?,
//!     b"2 1251762227 eni-lq6mkcis 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 \
//!       1418530070 ACCEPT OK\n"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod csv;
mod format;
#[cfg(feature = "parquet")]
mod parquet;
mod record;
mod writer;

pub use format::{Format, FormatError};
pub use record::{Action, FIELDS, Record, VERSION};
pub use writer::Writer;
