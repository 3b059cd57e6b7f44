//! What a generator yields.

use std::net::Ipv4Addr;

/// A packet at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since 1970.
    pub time: u64,
    /// What it is, as an EtherType: 0x0800 for IPv4, which all but some noise is.
    pub ether_type: u16,
    /// The packet without a link header.
    pub bytes: Vec<u8>,
}

/// EtherTypes (IEEE 802).
pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const ARP: u16 = 0x0806;
pub(crate) const IPV6: u16 = 0x86dd;

impl Packet {
    pub(crate) fn ipv4(time: u64, bytes: Vec<u8>) -> Self {
        Self {
            time,
            ether_type: IPV4,
            bytes,
        }
    }

    /// Whether it is IPv4, be it well formed or not.
    pub fn is_ipv4(&self) -> bool {
        self.ether_type == IPV4
    }

    /// Source and destination, as far as an IPv4 header is there.
    pub(crate) fn ends(&self) -> Option<(Ipv4Addr, Ipv4Addr)> {
        let address = |at: usize| {
            let octets: [u8; 4] = self.bytes.get(at..at + 4)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets))
        };
        if self.is_ipv4() {
            Some((address(12)?, address(16)?))
        } else {
            None
        }
    }
}
