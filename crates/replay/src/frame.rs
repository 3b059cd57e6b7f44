//! From a captured frame to the IPv4 packet in it.

use vpcsim_capture::LinkType;
use vpcsim_capture::Record;
use vpcsim_capture::link::{Link, Other, ipv4_payload};

/// What a captured frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// An IPv4 packet, without what the link put around it.
    Ipv4 {
        /// As much of it as was captured.
        bytes: &'a [u8],
        /// How long it was.
        original_len: u32,
    },
    /// Something else.
    NotIpv4(NotIpv4),
    /// The frame ends within its link header.
    Truncated { link_type: LinkType },
}

/// What a frame holds that is not IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NotIpv4 {
    /// Another protocol.
    Other(Other),
    /// A link type that is not read.
    LinkType(LinkType),
}

impl std::fmt::Display for NotIpv4 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Other(other) => other.fmt(f),
            Self::LinkType(link_type) => write!(f, "unsupported link type {link_type}"),
        }
    }
}

/// Finds the IPv4 packet of a record.
#[inline(always)]
pub(crate) fn frame<'a>(record: &Record<'a>) -> Frame<'a> {
    match ipv4_payload(record.link_type, record.data, record.original_len) {
        Link::Ipv4 { offset, .. } => packet(
            record.data.get(offset..).unwrap_or_default(),
            record.original_len.saturating_sub(offset as u32),
        ),
        Link::Other(other) => Frame::NotIpv4(NotIpv4::Other(other)),
        Link::Unsupported(link_type) => Frame::NotIpv4(NotIpv4::LinkType(link_type)),
        Link::Truncated { .. } => Frame::Truncated {
            link_type: record.link_type,
        },
    }
}

/// Cuts off what Ethernet pads and appends: all bytes after the packet's stated length. A stated
/// length of 0 means "as captured" (segmentation offload).
#[inline(always)]
fn packet(bytes: &[u8], on_link: u32) -> Frame<'_> {
    // Links name the protocol, but the header has the last word.
    if bytes.first().is_some_and(|first| first >> 4 == 6) {
        return Frame::NotIpv4(NotIpv4::Other(Other::Ipv6));
    }
    let stated = match bytes.get(2..4) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    };
    let (bytes, original_len) = match usize::from(stated) {
        0 => (bytes, on_link),
        len => (
            bytes.get(..len).unwrap_or(bytes),
            on_link.min(u32::from(stated)),
        ),
    };
    Frame::Ipv4 {
        bytes,
        original_len: original_len.max(bytes.len() as u32),
    }
}
