//! Packets written into one buffer, with right checksums.

use crate::flow::End;
use vpcsim_packet::checksum::{Delta, full, with_pseudo_header};
use vpcsim_packet::{Protocol, TcpFlags};

const IPV4: usize = 20;
const UDP: usize = 8;
const TCP: usize = 20;
/// The largest IPv4 packet that is written.
const MOST: usize = 1500;

/// RFC 9293, 7323, 2018: segments of 1460 bytes, windows scaled by 128, selective acknowledgment.
const SYN_OPTIONS: [u8; 12] = [2, 4, 0x05, 0xb4, 1, 3, 3, 7, 1, 1, 4, 2];

/// What follows the IPv4 header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Udp,
    /// A segment; a SYN has options and nothing else.
    Tcp {
        flags: TcpFlags,
        sequence: u32,
        acknowledgment: u32,
    },
}

/// One packet; its payload is zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) source: End,
    pub(crate) destination: End,
    pub(crate) content: Content,
    /// Length of the IPv4 packet; more if the headers need it.
    pub(crate) len: usize,
}

/// Payload bytes of a packet of `len` bytes.
pub(crate) fn payload(len: usize, tcp: bool) -> usize {
    len.saturating_sub(IPV4 + if tcp { TCP } else { UDP })
}

/// Writes packets, one at a time.
#[derive(Debug)]
pub(crate) struct Writer {
    packet: [u8; MOST],
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { packet: [0; MOST] }
    }

    /// The packet, until the next one is written.
    pub(crate) fn write(&mut self, wanted: &Wanted) -> &[u8] {
        let syn =
            matches!(wanted.content, Content::Tcp { flags, .. } if flags.contains(TcpFlags::SYN));
        let (protocol, transport) = match wanted.content {
            Content::Udp => (Protocol::UDP, UDP),
            Content::Tcp { .. } if syn => (Protocol::TCP, TCP + SYN_OPTIONS.len()),
            Content::Tcp { .. } => (Protocol::TCP, TCP),
        };
        let headers = IPV4 + transport;
        let len = if syn {
            headers
        } else {
            wanted.len.clamp(headers, MOST)
        };
        let segment_len = (len - IPV4) as u16;
        let (source, destination) = (wanted.source, wanted.destination);

        // Nothing of the packet before may be left where this one has payload.
        self.packet[..IPV4 + TCP + SYN_OPTIONS.len()].fill(0);
        let (ip, segment) = self.packet.split_at_mut(IPV4);
        ip[0] = 0x45;
        put16(ip, 2, len as u16);
        ip[6] = 0x40; // Don't fragment.
        ip[8] = 64;
        ip[9] = protocol.0;
        ip[12..16].copy_from_slice(&source.0.octets());
        ip[16..20].copy_from_slice(&destination.0.octets());
        let checksum = full(ip);
        put16(ip, 10, checksum);

        put16(segment, 0, source.1);
        put16(segment, 2, destination.1);
        let at = match wanted.content {
            Content::Udp => {
                put16(segment, 4, segment_len);
                6
            }
            Content::Tcp {
                flags,
                sequence,
                acknowledgment,
            } => {
                segment[4..8].copy_from_slice(&sequence.to_be_bytes());
                segment[8..12].copy_from_slice(&acknowledgment.to_be_bytes());
                segment[12] = ((transport / 4) << 4) as u8;
                segment[13] = flags.0;
                put16(segment, 14, u16::MAX);
                if syn {
                    segment[TCP..TCP + SYN_OPTIONS.len()].copy_from_slice(&SYN_OPTIONS);
                }
                16
            }
        };
        // Of the payload only its length counts: it is zeros.
        let checksum = with_pseudo_header(source.0, destination.0, protocol, &segment[..transport]);
        let checksum = Delta::NONE
            .replace16(transport as u16, segment_len)
            .apply(checksum);
        let checksum = match (wanted.content, checksum) {
            (Content::Udp, 0) => 0xffff,
            (_, checksum) => checksum,
        };
        put16(segment, at, checksum);
        &self.packet[..len]
    }
}

fn put16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpcsim_packet::{ChecksumReport, Headers, Verdict, verify_checksums};

    fn wanted(content: Content, len: usize) -> Wanted {
        Wanted {
            source: ([10, 0, 0, 10].into(), 40_000),
            destination: ([198, 18, 0, 1].into(), 443),
            content,
            len,
        }
    }

    #[test]
    fn packets_have_the_length_wanted_and_right_checksums() {
        let data = Content::Tcp {
            flags: TcpFlags::ACK | TcpFlags::PSH,
            sequence: 0xdead_beef,
            acknowledgment: 0xcafe_f00d,
        };
        let mut writer = Writer::new();
        for len in [46, 494, 576, 1500, 46] {
            for content in [Content::Udp, data] {
                let packet = writer.write(&wanted(content, len));
                assert_eq!(packet.len(), len);
                let headers = Headers::parse(packet).unwrap();
                let right = ChecksumReport {
                    ip: Verdict::Right,
                    transport: Verdict::Right,
                };
                assert_eq!(verify_checksums(packet, &headers), right);
                let headers_len = len - payload(len, content != Content::Udp);
                assert!(packet[headers_len..].iter().all(|&byte| byte == 0));
            }
        }
    }

    #[test]
    fn a_syn_has_options_and_no_payload() {
        let syn = Content::Tcp {
            flags: TcpFlags::SYN,
            sequence: 1,
            acknowledgment: 0,
        };
        let mut writer = Writer::new();
        let packet = writer.write(&wanted(syn, 1500));
        assert_eq!(packet.len(), 52);
        let headers = Headers::parse(packet).unwrap();
        assert_eq!(verify_checksums(packet, &headers).transport, Verdict::Right);
    }
}
