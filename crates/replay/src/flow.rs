//! The flow of a packet as it was captured.

use std::net::Ipv4Addr;
use vpcsim_packet::{FlowKey, Glance, Headers, Malformed, Protocol};

/// A flow in words. What is written field by field and copied as a whole a moment later waits until the
/// fields are there; this is written and copied in the same parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PackedFlow {
    /// Source, then destination.
    addresses: u64,
    /// Likewise.
    ports: u32,
    protocol: u32,
}

impl PackedFlow {
    /// Where the packet comes from.
    #[inline(always)]
    pub(crate) fn source(self) -> Ipv4Addr {
        Ipv4Addr::from_bits((self.addresses >> 32) as u32)
    }

    /// The flow.
    pub(crate) fn key(self) -> FlowKey {
        FlowKey {
            protocol: Protocol(self.protocol as u8),
            source: self.source(),
            source_port: (self.ports >> 16) as u16,
            destination: Ipv4Addr::from_bits(self.addresses as u32),
            destination_port: self.ports as u16,
        }
    }
}

impl From<FlowKey> for PackedFlow {
    fn from(key: FlowKey) -> Self {
        let [source, destination] = [key.source, key.destination].map(|a| u64::from(a.to_bits()));
        Self {
            addresses: source << 32 | destination,
            ports: u32::from(key.source_port) << 16 | u32::from(key.destination_port),
            protocol: key.protocol.0.into(),
        }
    }
}

/// The flow of a packet; without ports where only an earlier fragment knows them.
///
/// # Errors
/// When the packet is malformed, as [`Headers::parse`] says.
pub(crate) fn flow(packet: &[u8]) -> Result<PackedFlow, Malformed> {
    flow_at(Glance::of(packet).as_ref(), packet)
}

/// The same of a packet of which it is known what a [glance](Glance::of) at it says.
///
/// # Errors
/// As [`flow`].
#[inline(always)]
pub(crate) fn flow_at(glance: Option<&Glance>, packet: &[u8]) -> Result<PackedFlow, Malformed> {
    match glance {
        Some(glance) => Ok(PackedFlow {
            addresses: glance.addresses,
            ports: glance.ports,
            protocol: if glance.shape.is_tcp() {
                Protocol::TCP.0.into()
            } else {
                Protocol::UDP.0.into()
            },
        }),
        None => parsed(packet).map(PackedFlow::from),
    }
}

#[cold]
fn parsed(packet: &[u8]) -> Result<FlowKey, Malformed> {
    Headers::parse(packet).map(|headers| flow_of(&headers))
}

/// The flow that parsed headers name.
pub(crate) fn flow_of(headers: &Headers) -> FlowKey {
    FlowKey::of(headers).unwrap_or(FlowKey {
        protocol: headers.protocol,
        source: headers.source,
        source_port: 0,
        destination: headers.destination,
        destination_port: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpcsim_packet::TcpFlags;
    use vpcsim_packet::build::{tcp, udp};

    const CLIENT: ([u8; 4], u16) = ([10, 0, 0, 1], 4000);
    const SERVER: ([u8; 4], u16) = ([198, 51, 100, 7], 443);

    /// Every header byte with every value, at every length: told at a glance or parsed, it is the
    /// same flow.
    #[test]
    fn what_a_glance_tells_is_what_parsing_tells() {
        for packet in [
            tcp(CLIENT, SERVER, TcpFlags::SYN).tcp_options(&[2, 4, 5, 180]),
            udp(CLIENT, SERVER, b"any"),
        ] {
            let packet = packet.bytes();
            for at in 0..packet.len() {
                for value in 0..=255 {
                    let mut packet = packet.clone();
                    packet[at] = value;
                    for len in 0..=packet.len() {
                        let told = flow(&packet[..len]).map(PackedFlow::key);
                        assert_eq!(told, parsed(&packet[..len]));
                    }
                }
            }
        }
    }
}
