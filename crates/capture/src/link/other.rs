//! What a frame can carry that is not IPv4.

use std::fmt;

/// What a frame carries that is not IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Other {
    /// ARP (RFC 826).
    Arp,
    /// IPv6.
    Ipv6,
    /// A packet under MPLS labels (RFC 3032), whatever it is.
    Mpls,
    /// PPP over Ethernet (RFC 2516), discovery or session.
    Pppoe,
    /// A type of <https://www.iana.org/assignments/ieee-802-numbers> that has no name here.
    Ethertype(u16),
    /// An 802.2 frame for this service access point (42: spanning tree).
    Llc(u8),
    /// A protocol of <https://www.iana.org/assignments/ppp-numbers>, such as c021 (LCP).
    Ppp(u16),
    /// An address family of the system that captured it.
    Family(u32),
    /// A raw packet with this version in its first half byte.
    IpVersion(u8),
}

impl Other {
    /// The meaning of an ethertype other than IPv4 and the VLAN tags.
    pub(super) fn from_ethertype(ethertype: u16) -> Self {
        match ethertype {
            0x0806 => Self::Arp,
            0x86dd => Self::Ipv6,
            0x8847 | 0x8848 => Self::Mpls,
            0x8863 | 0x8864 => Self::Pppoe,
            other => Self::Ethertype(other),
        }
    }
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arp => f.write_str("ARP"),
            Self::Ipv6 => f.write_str("IPv6"),
            Self::Mpls => f.write_str("MPLS"),
            Self::Pppoe => f.write_str("PPPoE"),
            Self::Ethertype(number) => match number {
                0x8035 => f.write_str("RARP"),
                0x8808 => f.write_str("Ethernet flow control"),
                0x8809 => f.write_str("LACP"),
                0x888e => f.write_str("EAPOL"),
                0x88cc => f.write_str("LLDP"),
                _ => write!(f, "ethertype 0x{number:04x}"),
            },
            Self::Llc(0x42) => f.write_str("spanning tree"),
            Self::Llc(sap) => write!(f, "LLC 0x{sap:02x}"),
            Self::Ppp(protocol) => write!(f, "PPP protocol 0x{protocol:04x}"),
            Self::Family(family) => write!(f, "address family {family}"),
            Self::IpVersion(version) => write!(f, "IP version {version}"),
        }
    }
}
