//! PPP (RFC 1661), with and without HDLC-like framing (RFC 1662), and Cisco's HDLC.

use super::{Carried, Odd, Other, network_layer, u8_at, u16_at};

/// PPP protocol numbers: <https://www.iana.org/assignments/ppp-numbers>.
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
const PPP_MPLS_UNICAST: u16 = 0x0281;
const PPP_MPLS_MULTICAST: u16 = 0x0283;

/// "All stations" and "unnumbered information": the framing of RFC 1662 §3.1.
const FRAMING: [u8; 2] = [0xff, 0x03];

/// PPP: the framing may be there or not.
pub(super) fn ppp(data: &[u8]) -> Result<Carried, Odd> {
    let at = if data.starts_with(&FRAMING) { 2 } else { 0 };
    // An odd first byte is a protocol compressed to that byte (RFC 1661 §2): real ones are even, then odd.
    let (protocol, offset) = match u8_at(data, at)? {
        first if first & 1 == 1 => (u16::from(first), at + 1),
        _ => (u16_at(data, at)?, at + 2),
    };
    match protocol {
        PPP_IPV4 => Ok(Carried { offset, vlan: None }),
        PPP_IPV6 => Err(Odd::Other(Other::Ipv6)),
        PPP_MPLS_UNICAST | PPP_MPLS_MULTICAST => Err(Odd::Other(Other::Mpls)),
        other => Err(Odd::Other(Other::Ppp(other))),
    }
}

/// PPP on a serial line, or Cisco HDLC when the address byte is one of its two.
pub(super) fn ppp_serial(data: &[u8]) -> Result<Carried, Odd> {
    match u8_at(data, 0)? {
        0x0f | 0x8f => cisco_hdlc(data),
        _ => ppp(data),
    }
}

/// Cisco HDLC: address, control, then an ethertype.
pub(super) fn cisco_hdlc(data: &[u8]) -> Result<Carried, Odd> {
    match u16_at(data, 2)? {
        // Cisco's own protocols use numbers (0x2000 discovery, 0x8035 keep-alive) beside the registered.
        length if length <= 1500 => Err(Odd::Other(Other::Ethertype(length))),
        ethertype => network_layer(data, ethertype, 4),
    }
}
