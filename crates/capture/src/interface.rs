//! What a capture says about the interfaces it was taken on.

use crate::{LinkType, TickRate};

/// An interface that packets were captured on. A classic pcap file has exactly one, without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// What its packets start with.
    pub link_type: LinkType,
    /// At most this many bytes of each packet were kept; 0 means no limit.
    pub snaplen: u32,
    /// Its name (`if_name`), such as `eth0`; at most 255 bytes are kept.
    pub name: Option<String>,
    /// Its description (`if_description`); at most 255 bytes are kept.
    pub description: Option<String>,
    /// The unit of the times in the file (`if_tsresol`).
    pub tick_rate: TickRate,
    /// Seconds to add to every time in the file (`if_tsoffset`); added already in [`crate::Record`].
    pub time_offset: i64,
}
