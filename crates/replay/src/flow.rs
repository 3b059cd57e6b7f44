//! The flow of a packet as it was captured.

use vpcsim_packet::{FlowKey, Glance, Headers, Malformed};

/// The flow of a packet; without ports where only an earlier fragment knows them.
///
/// # Errors
/// When the packet is malformed, as [`Headers::parse`] says.
#[inline(always)]
pub(crate) fn flow(packet: &[u8]) -> Result<FlowKey, Malformed> {
    match Glance::of(packet) {
        Some(glance) => Ok(glance.key()),
        None => parsed(packet),
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
                        assert_eq!(flow(&packet[..len]), parsed(&packet[..len]));
                    }
                }
            }
        }
    }
}
