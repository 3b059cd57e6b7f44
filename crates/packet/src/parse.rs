//! Bytes to [`Headers`].

use crate::bytes::within;
use crate::{
    Fault, FlowKey, Headers, Icmp, IcmpBody, Layer, Malformed, Protocol, Quoted, Tcp, TcpFlags,
    Transport, Udp,
};
use std::net::Ipv4Addr;

/// RFC 791: a datagram has at most 65 535 bytes.
pub(crate) const MAX_DATAGRAM: usize = 65_535;
/// RFC 791: an IPv4 header without options.
pub(crate) const IPV4_MIN: usize = 20;
/// RFC 9293: a TCP header without options.
const TCP_MIN: usize = 20;
/// RFC 768.
const UDP_LEN: usize = 8;
/// RFC 792.
pub(crate) const ICMP_LEN: usize = 8;
/// RFC 792: what an error quotes of the transport at least.
const QUOTED_TRANSPORT: usize = 8;

impl Headers {
    /// Reads the headers of a packet that starts at its IPv4 header and may be cut short by a
    /// capture's snap length. Bytes after the packet's stated length are not looked at.
    ///
    /// A stated length of 0 means "as captured" (segmentation offload, BIG TCP). Checksums,
    /// options and the UDP length field are not judged. A first fragment may end inside its TCP
    /// options: at the smallest MTU of RFC 791 (68 bytes) it does.
    ///
    /// # Errors
    ///
    /// [`Malformed`] where there is no flow to be had: not version 4, a header length below 5
    /// words, a total length below the header's, a fragment that ends past 65 535 bytes, a TCP
    /// data offset below 5 words or past the end of the packet, an IPv4 header that is not
    /// captured in full, or less than 20 bytes of TCP, 8 of UDP or 8 of ICMP in a packet that is
    /// not a later fragment.
    pub fn parse(packet: &[u8]) -> Result<Self, Malformed> {
        let ip = Ipv4::parse(packet)?;
        let header_len = ip.header_len;
        let stated = usize::from(ip.total_len);
        let total_len = if stated == 0 { packet.len() } else { stated };
        if total_len < header_len {
            return Err(ipv4(
                2,
                Fault::TotalLength {
                    wanted: header_len,
                    got: total_len,
                },
            ));
        }
        let fragment_offset = ip.fragment_offset();
        let fragment_end = fragment_offset as usize + (total_len - header_len);
        if fragment_offset > 0 && fragment_end > MAX_DATAGRAM {
            return Err(ipv4(
                6,
                Fault::FragmentEnd {
                    wanted: MAX_DATAGRAM,
                    got: fragment_end,
                },
            ));
        }
        let more_fragments = ip.flags_and_offset & 0x2000 != 0;
        let packet = within(packet, total_len);
        let transport = if fragment_offset > 0 {
            Transport::LaterFragment
        } else {
            match ip.protocol {
                Protocol::TCP => {
                    let available = total_len - header_len;
                    Transport::Tcp(tcp(packet, header_len, available, more_fragments)?)
                }
                Protocol::UDP => Transport::Udp(udp(packet, header_len)?),
                Protocol::ICMP => Transport::Icmp(icmp(packet, header_len)?),
                _ => Transport::Other,
            }
        };
        Ok(Self {
            source: ip.source,
            destination: ip.destination,
            protocol: ip.protocol,
            ttl: ip.ttl,
            tos: ip.tos,
            identification: ip.identification,
            dont_fragment: ip.flags_and_offset & 0x4000 != 0,
            more_fragments,
            fragment_offset,
            header_len,
            total_len,
            transport,
        })
    }
}

/// The fixed part of an IPv4 header, with its options known to be there.
struct Ipv4 {
    header_len: usize,
    tos: u8,
    total_len: u16,
    identification: u16,
    flags_and_offset: u16,
    ttl: u8,
    protocol: Protocol,
    source: Ipv4Addr,
    destination: Ipv4Addr,
}

impl Ipv4 {
    #[inline]
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if let Some(first) = bytes.first()
            && first >> 4 != 4
        {
            let got = first >> 4;
            return Err(ipv4(0, Fault::Version { wanted: 4, got }));
        }
        let Some(ip) = bytes.first_chunk::<IPV4_MIN>() else {
            return Err(cut(Layer::Ipv4, 0, IPV4_MIN, bytes.len()));
        };
        let words = ip[0] & 0x0f;
        if words < 5 {
            return Err(ipv4(
                0,
                Fault::HeaderLength {
                    wanted: 5,
                    got: words,
                },
            ));
        }
        let header_len = usize::from(words) * 4;
        if header_len > bytes.len() {
            return Err(cut(Layer::Ipv4, 0, header_len, bytes.len()));
        }
        Ok(Self {
            header_len,
            tos: ip[1],
            total_len: u16::from_be_bytes([ip[2], ip[3]]),
            identification: u16::from_be_bytes([ip[4], ip[5]]),
            flags_and_offset: u16::from_be_bytes([ip[6], ip[7]]),
            ttl: ip[8],
            protocol: Protocol(ip[9]),
            source: Ipv4Addr::new(ip[12], ip[13], ip[14], ip[15]),
            destination: Ipv4Addr::new(ip[16], ip[17], ip[18], ip[19]),
        })
    }

    /// In bytes.
    fn fragment_offset(&self) -> u32 {
        u32::from(self.flags_and_offset & 0x1fff) * 8
    }
}

/// `available`: bytes from `at` to the packet's stated end.
#[inline]
fn tcp(packet: &[u8], at: usize, available: usize, more_fragments: bool) -> Result<Tcp, Malformed> {
    let tcp: &[u8; TCP_MIN] = header(packet, at, Layer::Tcp)?;
    let words = tcp[12] >> 4;
    let header_len = usize::from(words) * 4;
    let fault = if header_len < TCP_MIN {
        Some(Fault::DataOffsetLow {
            wanted: 5,
            got: words,
        })
    } else if header_len > available && !more_fragments {
        // At most 14, as `available` is below a `header_len` of at most 60.
        Some(Fault::DataOffsetHigh {
            wanted: (available / 4) as u8,
            got: words,
        })
    } else {
        None
    };
    if let Some(what) = fault {
        return Err(Malformed {
            layer: Layer::Tcp,
            offset: at + 12,
            what,
        });
    }
    Ok(Tcp {
        source_port: u16::from_be_bytes([tcp[0], tcp[1]]),
        destination_port: u16::from_be_bytes([tcp[2], tcp[3]]),
        sequence: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
        acknowledgment: u32::from_be_bytes([tcp[8], tcp[9], tcp[10], tcp[11]]),
        flags: TcpFlags(tcp[13]),
        window: u16::from_be_bytes([tcp[14], tcp[15]]),
        header_len,
        payload_len: available.saturating_sub(header_len),
    })
}

#[inline]
fn udp(packet: &[u8], at: usize) -> Result<Udp, Malformed> {
    let udp: &[u8; UDP_LEN] = header(packet, at, Layer::Udp)?;
    Ok(Udp {
        source_port: u16::from_be_bytes([udp[0], udp[1]]),
        destination_port: u16::from_be_bytes([udp[2], udp[3]]),
        length: u16::from_be_bytes([udp[4], udp[5]]),
    })
}

fn icmp(packet: &[u8], at: usize) -> Result<Icmp, Malformed> {
    let icmp: &[u8; ICMP_LEN] = header(packet, at, Layer::Icmp)?;
    let kind = icmp[0];
    let body = if is_query(kind) {
        IcmpBody::Query {
            identifier: u16::from_be_bytes([icmp[4], icmp[5]]),
            sequence: u16::from_be_bytes([icmp[6], icmp[7]]),
        }
    } else if is_error(kind) {
        quoted(packet, at + ICMP_LEN).map_or(IcmpBody::Other, IcmpBody::Error)
    } else {
        IcmpBody::Other
    };
    Ok(Icmp {
        kind,
        code: icmp[1],
        body,
    })
}

/// The packet quoted at `offset`; `None` when it does not name a flow. Protocols without ports
/// need no transport bytes. The quoted total length is not judged: senders get it wrong.
fn quoted(packet: &[u8], offset: usize) -> Option<Quoted> {
    let bytes = packet.get(offset..)?;
    let ip = Ipv4::parse(bytes).ok()?;
    let later_fragment = ip.fragment_offset() > 0;
    let ports =
        matches!(ip.protocol, Protocol::TCP | Protocol::UDP | Protocol::ICMP) && !later_fragment;
    let (source_port, destination_port) = if ports {
        let transport = bytes
            .get(ip.header_len..)?
            .first_chunk::<QUOTED_TRANSPORT>()?;
        let first = u16::from_be_bytes([transport[0], transport[1]]);
        let second = u16::from_be_bytes([transport[2], transport[3]]);
        if ip.protocol == Protocol::ICMP {
            let identifier = u16::from_be_bytes([transport[4], transport[5]]);
            (
                if is_query(transport[0]) {
                    identifier
                } else {
                    0
                },
                first,
            )
        } else {
            (first, second)
        }
    } else {
        (0, 0)
    };
    Some(Quoted {
        offset,
        header_len: ip.header_len,
        key: FlowKey {
            protocol: ip.protocol,
            source: ip.source,
            source_port,
            destination: ip.destination,
            destination_port,
        },
        later_fragment,
    })
}

/// RFC 792 and RFC 950: messages with an identifier.
pub(crate) fn is_query(kind: u8) -> bool {
    matches!(kind, 0 | 8 | 13..=18)
}

/// RFC 792 (and RFC 1122 §3.2.2): messages that quote a packet.
pub(crate) fn is_error(kind: u8) -> bool {
    matches!(kind, 3 | 4 | 5 | 11 | 12)
}

/// The `N` bytes of a transport header at `at`.
#[inline]
fn header<const N: usize>(packet: &[u8], at: usize, layer: Layer) -> Result<&[u8; N], Malformed> {
    let rest = packet.get(at..).unwrap_or_default();
    rest.first_chunk::<N>().ok_or(cut(layer, at, N, rest.len()))
}

#[cold]
fn ipv4(offset: usize, what: Fault) -> Malformed {
    Malformed {
        layer: Layer::Ipv4,
        offset,
        what,
    }
}

#[cold]
fn cut(layer: Layer, offset: usize, wanted: usize, got: usize) -> Malformed {
    Malformed {
        layer,
        offset,
        what: Fault::Cut { wanted, got },
    }
}
