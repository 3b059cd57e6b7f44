//! Writing captures.

mod behind;
mod buffer;
mod error;
mod pcap;
mod pcapng;

pub use error::WriteError;
pub use pcap::{PcapWriter, Resolution};
pub use pcapng::Writer;
