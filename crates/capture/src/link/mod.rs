//! Link layers: where in a captured frame the IPv4 packet is.
//!
//! The numbers are those of <https://www.tcpdump.org/linktypes.html>. What counts as IPv4 is what a host in a
//! VPC could receive: VLAN tags and LLC/SNAP are looked through, tunnels are not. MPLS labels (and
//! PPPoE sessions) belong to a provider's core, which no VPC is: packets under them are [`Other::Mpls`].

mod ethernet;
mod link_type;
mod null;
mod other;
mod ppp;

use ethernet::{ethernet, linux_cooked, network_layer};
use null::{loopback, null};
use ppp::{cisco_hdlc, ppp, ppp_serial};

pub use link_type::LinkType;
pub use other::Other;

/// What a captured frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// An IPv4 packet from `offset` to wherever its own length says: Ethernet pads and appends trailers. It
    /// may be cut short, even to nothing (`offset` is at most the length of the data).
    Ipv4 {
        /// Bytes in front of the IPv4 header.
        offset: usize,
        /// The VLAN (0 to 4095), of the innermost tag when there are several.
        vlan: Option<u16>,
    },
    /// Something else.
    Other(Other),
    /// The data ends within the link header.
    Truncated {
        /// How many bytes the header needs, as far as was seen.
        wanted: usize,
        /// How many bytes there are.
        got: usize,
        /// Whether only the capture was cut: the packet itself was longer.
        by_capture: bool,
    },
    /// A link type that is not read here.
    Unsupported(LinkType),
}

/// Finds the IPv4 packet in a captured frame of `original_len` bytes, of which `data` was captured.
///
/// Never reads beyond `data`, whatever the headers say.
#[inline]
pub fn ipv4_payload(link_type: LinkType, data: &[u8], original_len: u32) -> Link {
    // What nearly all packets are, without a look at anything else.
    if link_type == LinkType::ETHERNET && data.get(12..14) == Some(&[0x08, 0x00]) {
        return Link::Ipv4 {
            offset: 14,
            vlan: None,
        };
    }
    any_payload(link_type, data, original_len)
}

fn any_payload(link_type: LinkType, data: &[u8], original_len: u32) -> Link {
    let result = match link_type {
        LinkType::ETHERNET => ethernet(data),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => raw(data),
        LinkType::IPV4 => Ok(Carried::IPV4),
        LinkType::IPV6 => Err(Odd::Other(Other::Ipv6)),
        LinkType::NULL => null(data),
        LinkType::LOOP => loopback(data),
        LinkType::LINUX_SLL => linux_cooked(data, 14, 16),
        LinkType::LINUX_SLL2 => linux_cooked(data, 0, 20),
        LinkType::PPP => ppp(data),
        LinkType::PPP_HDLC => ppp_serial(data),
        LinkType::C_HDLC => cisco_hdlc(data),
        other => return Link::Unsupported(other),
    };
    match result {
        Ok(Carried { offset, vlan }) => Link::Ipv4 { offset, vlan },
        Err(Odd::Other(other)) => Link::Other(other),
        Err(Odd::Short { wanted }) => {
            let got = data.len();
            Link::Truncated {
                wanted,
                got,
                by_capture: original_len as usize > got,
            }
        }
    }
}

/// Where an IPv4 packet was found.
#[derive(Debug, Clone, Copy)]
struct Carried {
    offset: usize,
    vlan: Option<u16>,
}

impl Carried {
    /// A packet without anything around it.
    const IPV4: Self = Self {
        offset: 0,
        vlan: None,
    };
}

/// Why none was found.
#[derive(Debug, Clone, Copy)]
enum Odd {
    Other(Other),
    Short { wanted: usize },
}

/// The big-endian 16-bit number at `at`.
#[inline]
fn u16_at(data: &[u8], at: usize) -> Result<u16, Odd> {
    match data.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Odd::Short { wanted: at + 2 }),
    }
}

/// The byte at `at`.
#[inline]
fn u8_at(data: &[u8], at: usize) -> Result<u8, Odd> {
    data.get(at).copied().ok_or(Odd::Short { wanted: at + 1 })
}

/// A packet whose first half byte says its version.
fn raw(data: &[u8]) -> Result<Carried, Odd> {
    match u8_at(data, 0)? >> 4 {
        4 => Ok(Carried::IPV4),
        6 => Err(Odd::Other(Other::Ipv6)),
        version => Err(Odd::Other(Other::IpVersion(version))),
    }
}

#[cfg(test)]
mod tests;
