//! Packets of flows, as steps that each side can be given with its own ports.

use crate::bytes::{header_len, put, word};
use std::fmt;
use std::net::Ipv4Addr;
use vpcsim_packet::{Protocol, TcpFlags, build};

/// One end of a flow.
pub(crate) type End = (Ipv4Addr, u16);

/// A flow between a host inside and one outside, as the inside sees it. For ICMP both ports are
/// the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Flow {
    /// Protocol.
    pub(crate) protocol: Protocol,
    /// The end inside.
    pub(crate) inside: End,
    /// The end outside.
    pub(crate) outside: End,
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The host inside.
    Inside,
    /// The host outside.
    Outside,
}

impl Side {
    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Inside => Self::Outside,
            Self::Outside => Self::Inside,
        }
    }
}

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A TCP segment.
    Tcp {
        /// Flags.
        flags: TcpFlags,
        /// Sequence number.
        sequence: u32,
        /// Acknowledgment number.
        acknowledgment: u32,
        /// Window, unscaled.
        window: u16,
        /// Options.
        options: Vec<u8>,
        /// Bytes of payload.
        length: usize,
    },
    /// A UDP datagram.
    Udp {
        /// Bytes of payload.
        length: usize,
        /// Added to the length field.
        lie: u16,
        /// Whether it carries a checksum.
        checksum: bool,
    },
    /// An ICMP query or reply.
    Query {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Added to the flow's identifier.
        shift: u16,
        /// Sequence number.
        number: u16,
        /// Bytes of payload.
        length: usize,
    },
    /// An ICMP error about a packet that the sender's side received.
    Error {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// What the quoted packet carries.
        quoted: Box<Content>,
        /// Bytes quoted beyond the IPv4 header.
        quote: usize,
        /// Who complains: an address on the way; none: the end itself.
        router: Option<Ipv4Addr>,
        /// Added to the quoted packet's ports: a flow that nobody knows.
        shift: u16,
    },
    /// Any other protocol.
    Other {
        /// Bytes of payload.
        length: usize,
    },
}

impl Content {
    /// By how much the identifier of an ICMP query differs from that of its flow.
    pub(crate) fn identifier_shift(&self) -> u16 {
        match self {
            Self::Query { shift, .. } => *shift,
            Self::Error { quoted, shift, .. } => quoted.identifier_shift().wrapping_add(*shift),
            _ => 0,
        }
    }

    /// What tells ICMP queries with one identifier apart: the type of the request, and the code.
    pub(crate) fn query_kind(&self) -> Option<u16> {
        match self {
            Self::Query { kind, code, .. } => {
                let request = match kind {
                    0 => 8,
                    14 => 13,
                    16 => 15,
                    18 => 17,
                    other => *other,
                };
                Some(u16::from_be_bytes([request, *code]))
            }
            Self::Error { quoted, .. } => quoted.query_kind(),
            _ => None,
        }
    }

    /// Whether it is a TCP segment with this flag, and no ACK where it is a SYN.
    pub(crate) fn is(&self, flag: TcpFlags) -> bool {
        match self {
            Self::Tcp { flags, .. } => {
                let answer = flag == TcpFlags::SYN && flags.contains(TcpFlags::ACK);
                flags.contains(flag) && !answer
            }
            _ => false,
        }
    }
}

/// One packet of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The flow it belongs to.
    pub(crate) flow: Flow,
    /// Who sends it.
    pub(crate) from: Side,
    /// What it carries.
    pub(crate) content: Content,
    /// IP identification.
    pub(crate) identification: u16,
    /// TOS.
    pub(crate) tos: u8,
    /// DF.
    pub(crate) dont_fragment: bool,
    /// Whether its transport checksum is wrong.
    pub(crate) spoiled: bool,
}

impl Step {
    /// The packet as its sender sees it. `public`: what the inside end looks like from outside.
    pub(crate) fn packet(&self, public: End) -> Vec<u8> {
        let inside = match self.from {
            Side::Inside => self.flow.inside,
            Side::Outside => public,
        };
        let (from, to) = match self.from {
            Side::Inside => (inside, self.flow.outside),
            Side::Outside => (self.flow.outside, inside),
        };
        let mut packet = self.built(&self.content, from, to);
        if self.spoiled {
            spoil(&mut packet);
        }
        packet
    }

    /// The packet as it looks behind a right translation between `inside` and `public`.
    pub(crate) fn translated(&self, inside: End, public: End) -> Vec<u8> {
        match self.from {
            Side::Outside => self.packet(inside),
            Side::Inside => {
                let mut seen = self.clone();
                seen.flow.inside = public;
                seen.packet(public)
            }
        }
    }

    fn built(&self, content: &Content, from: End, to: End) -> Vec<u8> {
        let filler = |length| vec![0x5a; length];
        let built = match content {
            Content::Tcp {
                flags,
                sequence,
                acknowledgment,
                window,
                options,
                length,
            } => build::tcp(from, to, *flags)
                .sequence(*sequence)
                .acknowledgment(*acknowledgment)
                .window(*window)
                .tcp_options(options)
                .payload(&filler(*length)),
            Content::Udp {
                length, checksum, ..
            } => {
                let datagram = build::udp(from, to, &filler(*length));
                if *checksum {
                    datagram
                } else {
                    datagram.without_checksum()
                }
            }
            Content::Query {
                kind,
                code,
                shift,
                number,
                length,
            } => {
                // From outside the identifier is that of the inside end as seen there.
                let identifier = match self.from {
                    Side::Inside => from.1,
                    Side::Outside => to.1,
                };
                let [a, b] = identifier.wrapping_add(*shift).to_be_bytes();
                let [c, d] = number.to_be_bytes();
                build::icmp(from.0, to.0, *kind, *code, [a, b, c, d], &filler(*length))
            }
            Content::Error {
                kind,
                code,
                quoted,
                quote,
                router,
                shift,
            } => {
                let shifted = |end: End| (end.0, end.1.wrapping_add(*shift));
                let mut about = Self {
                    from: self.from.other(),
                    ..self.clone()
                }
                .built(quoted, shifted(to), shifted(from));
                about.truncate(header_len(&about) + quote);
                let rest = if (*kind, *code) == (3, 4) {
                    [0, 0, 5, 0]
                } else {
                    [0; 4]
                };
                build::icmp(router.unwrap_or(from.0), to.0, *kind, *code, rest, &about)
            }
            Content::Other { length } => {
                build::raw(self.flow.protocol, from.0, to.0, &vec![0; *length])
            }
        };
        let mut packet = built
            .identification(self.identification)
            .tos(self.tos)
            .dont_fragment(self.dont_fragment)
            .bytes();
        if let Content::Udp { lie, .. } = content {
            let at = header_len(&packet) + 4;
            let length = word(&packet, at).wrapping_add(*lie);
            put(&mut packet, at, length);
        }
        packet
    }
}

/// Makes the transport checksum wrong.
fn spoil(packet: &mut [u8]) {
    let at = header_len(packet)
        + match packet.get(9) {
            Some(6) => 16,
            Some(17) => 6,
            Some(1) => 2,
            _ => return,
        };
    // By a fixed difference, whatever the packet: what NAT makes of it is comparable. UDP's zero
    // means "none" and stays.
    let right = word(packet, at);
    if right == 0 && packet.get(9) == Some(&17) {
        return;
    }
    let sum = u32::from(right) + 0x1234;
    put(packet, at, ((sum & 0xffff) + (sum >> 16)) as u16);
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Flow {
            protocol,
            inside,
            outside,
        } = self.flow;
        let arrow = match self.from {
            Side::Inside => '>',
            Side::Outside => '<',
        };
        write!(
            f,
            "{protocol} {}:{} {arrow} {}:{} {}",
            inside.0, inside.1, outside.0, outside.1, self.content
        )?;
        if self.spoiled {
            f.write_str(" wrong checksum")?;
        }
        Ok(())
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp {
                flags,
                sequence,
                acknowledgment,
                window,
                options,
                length,
            } => {
                write!(
                    f,
                    "{flags} seq {sequence} ack {acknowledgment} win {window} len {length}"
                )?;
                if !options.is_empty() {
                    write!(f, " options {options:02x?}")?;
                }
                Ok(())
            }
            Self::Udp {
                length,
                lie,
                checksum,
            } => write!(f, "udp len {length}+{lie} checksum {checksum}"),
            Self::Query {
                kind,
                code,
                shift,
                number,
                length,
            } => write!(
                f,
                "icmp type {kind} code {code} id+{shift} seq {number} len {length}"
            ),
            Self::Error {
                kind,
                code,
                quoted,
                quote,
                router,
                shift,
            } => write!(
                f,
                "icmp error {kind}/{code} by {router:?} about [{quoted}] ports+{shift}, {quote} bytes"
            ),
            Self::Other { length } => write!(f, "len {length}"),
        }
    }
}
