//! Packet capture files: pcap and pcapng in and out, gzip and zstd, link layers.
//!
//! Three parts that do not know each other:
//!
//! - [`Reader`] turns a file or a stream into [`Record`]s, whatever the format and the
//!   compression, in bounded memory and without waiting for bytes it does not need.
//! - [`link::ipv4_payload`] finds the IPv4 packet inside a record.
//! - [`Writer`] makes pcapng with one interface per place, [`PcapWriter`] classic pcap.
//!
//! ```
//! use vpcsim_capture::{LinkType, Reader, Writer, link::{self, Link}};
//!
//! let mut writer = Writer::new(Vec::new())?;
//! let nic = writer.add_interface("web-1/eth0", LinkType::RAW, 0, None)?;
//! writer.write(nic, 1_700_000_000_000_000_001, 20, &[0x45; 20], Some("dropped: acl"))?;
//! let file = writer.finish()?;
//!
//! let mut reader = Reader::from_stream(std::io::Cursor::new(file))?;
//! while let Some(record) = reader.next_record()? {
//!     assert_eq!(record.time, 1_700_000_000_000_000_001);
//!     let found = link::ipv4_payload(record.link_type, record.data, record.original_len);
//!     assert_eq!(found, Link::Ipv4 { offset: 0, vlan: None });
//! }
//! assert!(reader.warnings().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Why the formats are read by hand
//!
//! `pcap-parser` 0.17 has its caller grow the buffer to what a length in the file claims, allocates for the
//! options of each packet and misses the lengths swapped before pcap 2.3; `pcap-file` 3.0-rc knows no
//! modified pcap. Neither skips a block larger than its buffer, nor says where a file was cut.
#![forbid(unsafe_code)]

mod byte_order;
mod error;
mod format;
mod interface;
pub mod link;
mod read;
mod thread;
mod time;
mod warning;
mod write;

pub use byte_order::ByteOrder;
pub use error::{CaptureError, Part};
pub use format::{Compression, FileKind, Format, PcapVariant};
pub use interface::Interface;
pub use link::LinkType;
pub use read::{MAX_INTERFACES, MAX_RECORD, Reader, Record};
pub use time::TickRate;
pub use warning::{Warning, WarningKind};
pub use write::{PcapWriter, Resolution, WriteError, Writer};
