//! The flow of a packet as it was captured.

use vpcsim_packet::{FlowKey, Headers, Malformed, Protocol};

/// The flow of a packet; without ports where only an earlier fragment knows them.
///
/// # Errors
/// When the packet is malformed, as [`Headers::parse`] says.
#[inline]
pub(crate) fn flow(packet: &[u8]) -> Result<FlowKey, Malformed> {
    match plain(packet) {
        Some(flow) => Ok(flow),
        None => Headers::parse(packet).map(|headers| flow_of(&headers)),
    }
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

/// The flow of what nearly all packets are: TCP or UDP, without IP options, whole. Says nothing
/// of a packet at which anything is special.
#[inline]
fn plain(packet: &[u8]) -> Option<FlowKey> {
    /// An IPv4 header without options, and the shortest transport header.
    const LEAST: usize = 28;
    let head = packet.first_chunk::<LEAST>()?;
    let stated = usize::from(u16::from_be_bytes([head[2], head[3]]));
    // Neither MF nor an offset.
    let fragment = u16::from_be_bytes([head[6], head[7]]) & 0x3fff != 0;
    if head[0] != 0x45 || fragment || stated < LEAST {
        return None;
    }
    let protocol = Protocol(head[9]);
    match protocol {
        Protocol::UDP => {}
        Protocol::TCP => {
            let words = packet.get(..40)?[32] >> 4;
            if words < 5 || 20 + usize::from(words) * 4 > stated {
                return None;
            }
        }
        _ => return None,
    }
    Some(FlowKey {
        protocol,
        source: [head[12], head[13], head[14], head[15]].into(),
        source_port: u16::from_be_bytes([head[20], head[21]]),
        destination: [head[16], head[17], head[18], head[19]].into(),
        destination_port: u16::from_be_bytes([head[22], head[23]]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpcsim_packet::TcpFlags;
    use vpcsim_packet::build::{Build, tcp, udp};

    const CLIENT: ([u8; 4], u16) = ([10, 0, 0, 1], 4000);
    const SERVER: ([u8; 4], u16) = ([198, 51, 100, 7], 443);

    fn parsed(packet: &[u8]) -> Result<FlowKey, Malformed> {
        Headers::parse(packet).map(|headers| flow_of(&headers))
    }

    #[test]
    fn plain_packets_are_told_without_parsing() {
        let segment = |flags| tcp(CLIENT, SERVER, flags);
        let packets: [Build; 4] = [
            segment(TcpFlags::SYN).tcp_options(&[2, 4, 5, 180]),
            segment(TcpFlags::ACK),
            udp(CLIENT, SERVER, b""),
            udp(CLIENT, SERVER, &[0; 1400]).dont_fragment(true),
        ];
        for packet in packets {
            let packet = packet.bytes();
            assert_eq!(plain(&packet), parsed(&packet).ok());
            assert!(plain(&packet).is_some());
        }
    }

    /// Every header byte with every value, at every length: told without parsing or with it, it is
    /// the same flow.
    #[test]
    fn what_is_told_without_parsing_is_what_parsing_tells() {
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
                        assert_eq!(flow(&packet[..len]), parsed(&packet[..len]));
                    }
                }
            }
        }
    }
}
