//! The link header around a packet.

use crate::Packet;
use std::net::Ipv4Addr;
use vpcsim_capture::LinkType;

/// How packets are framed in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Framing {
    /// Ethernet. Each address has a locally administered MAC of its own: 02:00 and the four
    /// bytes of the address. Short frames are padded to 60 bytes, as they are seen on a wire.
    #[default]
    Ethernet,
    /// No link header (`LINKTYPE_RAW`). What is neither IPv4 nor IPv6 is left out.
    Raw,
}

/// Frames are at least this long, without their checksum (IEEE 802.3).
const SHORTEST: usize = 60;

impl Framing {
    pub(crate) fn link_type(self) -> LinkType {
        match self {
            Self::Ethernet => LinkType::ETHERNET,
            Self::Raw => LinkType::RAW,
        }
    }

    /// Puts the packet as it stands in the file into `frame`; false: it has no such form.
    pub(crate) fn frame(self, packet: &Packet, frame: &mut Vec<u8>) -> bool {
        frame.clear();
        match self {
            Self::Raw => {
                if packet.ether_type == crate::packet::ARP {
                    return false;
                }
                frame.extend_from_slice(&packet.bytes);
            }
            Self::Ethernet => {
                let (source, destination) = match packet.ends() {
                    Some((source, destination)) => (mac(source), mac(destination)),
                    None => ([2, 0, 0, 0, 0, 1], [0xff; 6]),
                };
                frame.extend_from_slice(&destination);
                frame.extend_from_slice(&source);
                frame.extend_from_slice(&packet.ether_type.to_be_bytes());
                frame.extend_from_slice(&packet.bytes);
                frame.resize(frame.len().max(SHORTEST), 0);
            }
        }
        true
    }
}

fn mac(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [2, 0, a, b, c, d]
}
