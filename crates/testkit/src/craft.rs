//! Packets that read well in a test.

use std::net::Ipv4Addr;
use vpcsim_packet::build::{self, Build, Echo};
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{Headers, Protocol, TcpFlags};

/// A packet in the making, and where it is sent from.
#[derive(Debug, Clone)]
pub struct Craft {
    content: Content,
    edits: Edits,
    at: Option<String>,
}

#[derive(Debug, Clone)]
enum Content {
    Tcp(End, End, TcpFlags),
    Udp(End, End),
    Echo(Echo, Ipv4Addr, Ipv4Addr),
    Other(Protocol, Ipv4Addr, Ipv4Addr),
    Bytes(Vec<u8>),
}

type End = (Ipv4Addr, u16);

#[derive(Debug, Clone)]
struct Edits {
    payload: Vec<u8>,
    ttl: u8,
    identification: u16,
    dont_fragment: bool,
    sequence: u32,
    acknowledgment: u32,
    echo_id: u16,
    echo_sequence: u16,
}

/// A TCP segment, a SYN unless told otherwise: `tcp("10.0.1.10:40000", "10.0.2.10:80").syn()`.
///
/// # Panics
/// When an end is not `ADDRESS:PORT`.
pub fn tcp(from: &str, to: &str) -> Craft {
    Craft::new(Content::Tcp(end(from), end(to), TcpFlags::SYN))
}

/// A UDP datagram: `udp("10.0.1.10:5353", "10.0.2.10:53")`.
///
/// # Panics
/// When an end is not `ADDRESS:PORT`.
pub fn udp(from: &str, to: &str) -> Craft {
    Craft::new(Content::Udp(end(from), end(to)))
}

/// An ICMP echo request: `ping("10.0.1.10", "10.0.2.10")`.
///
/// # Panics
/// When an end is not an address.
pub fn ping(from: &str, to: &str) -> Craft {
    Craft::new(Content::Echo(Echo::Request, address(from), address(to)))
}

/// An ICMP echo reply.
///
/// # Panics
/// When an end is not an address.
pub fn pong(from: &str, to: &str) -> Craft {
    Craft::new(Content::Echo(Echo::Reply, address(from), address(to)))
}

/// A packet of any other protocol: `other(Protocol::GRE, "10.0.1.10", "10.0.2.10")`.
///
/// # Panics
/// When an end is not an address.
pub fn other(protocol: Protocol, from: &str, to: &str) -> Craft {
    Craft::new(Content::Other(protocol, address(from), address(to)))
}

/// The ICMP error that `from` sends about a packet: `complaint("198.51.100.1", IcmpError::TimeExceeded,
/// end.bytes())`.
///
/// # Panics
/// When `from` is not an address, or the packet is one that nobody complains about.
#[track_caller]
pub fn complaint(from: &str, error: IcmpError, about: &[u8]) -> Craft {
    let Ok(headers) = Headers::parse(about) else {
        panic!("malformed: {about:?}");
    };
    match icmp::error(about, &headers, address(from), error) {
        Some(bytes) => bytes.into(),
        None => panic!("no error is sent about this: {headers:?}"),
    }
}

#[track_caller]
fn address(text: &str) -> Ipv4Addr {
    match text.parse() {
        Ok(address) => address,
        Err(_) => panic!("{text:?} is not an IPv4 address"),
    }
}

#[track_caller]
fn end(text: &str) -> End {
    let parsed: Result<std::net::SocketAddrV4, _> = text.parse();
    match parsed {
        Ok(end) => (*end.ip(), end.port()),
        Err(_) => panic!("{text:?} is not ADDRESS:PORT"),
    }
}

impl Craft {
    fn new(content: Content) -> Self {
        Self {
            content,
            edits: Edits {
                payload: Vec::new(),
                ttl: 64,
                identification: 0,
                dont_fragment: false,
                sequence: 1_000,
                acknowledgment: 0,
                echo_id: 1,
                echo_sequence: 1,
            },
            at: None,
        }
    }

    /// Where it is sent from: `web-1`, `web-1/eth0`, `internet`, `external:office`. Without this,
    /// where its source address belongs.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        self.at = Some(place.to_owned());
        self
    }

    /// The place set by [`Craft::at`].
    pub fn place(&self) -> Option<&str> {
        self.at.as_deref()
    }

    /// SYN.
    #[must_use]
    pub fn syn(self) -> Self {
        self.flags(TcpFlags::SYN)
    }

    /// SYN and ACK.
    #[must_use]
    pub fn syn_ack(self) -> Self {
        self.flags(TcpFlags::SYN | TcpFlags::ACK)
    }

    /// ACK.
    #[must_use]
    pub fn ack(self) -> Self {
        self.flags(TcpFlags::ACK)
    }

    /// FIN and ACK.
    #[must_use]
    pub fn fin(self) -> Self {
        self.flags(TcpFlags::FIN | TcpFlags::ACK)
    }

    /// RST.
    #[must_use]
    pub fn rst(self) -> Self {
        self.flags(TcpFlags::RST)
    }

    /// Any TCP flags; nothing for other protocols.
    #[must_use]
    pub fn flags(mut self, flags: TcpFlags) -> Self {
        if let Content::Tcp(_, _, old) = &mut self.content {
            *old = flags;
        }
        self
    }

    /// TCP sequence number (1000 unless set).
    #[must_use]
    pub fn sequence(mut self, sequence: u32) -> Self {
        self.edits.sequence = sequence;
        self
    }

    /// TCP acknowledgment number (0 unless set).
    #[must_use]
    pub fn acknowledgment(mut self, acknowledgment: u32) -> Self {
        self.edits.acknowledgment = acknowledgment;
        self
    }

    /// Identifier of a ping (1 unless set).
    #[must_use]
    pub fn id(mut self, identifier: u16) -> Self {
        self.edits.echo_id = identifier;
        self
    }

    /// Sequence number of a ping (1 unless set).
    #[must_use]
    pub fn number(mut self, sequence: u16) -> Self {
        self.edits.echo_sequence = sequence;
        self
    }

    /// What follows the transport header.
    #[must_use]
    pub fn payload(mut self, payload: &[u8]) -> Self {
        self.edits.payload = payload.to_vec();
        self
    }

    /// A payload of this many bytes.
    #[must_use]
    pub fn filler(self, bytes: usize) -> Self {
        self.payload(&vec![0x5a; bytes])
    }

    /// Time to live (64 unless set).
    #[must_use]
    pub fn ttl(mut self, ttl: u8) -> Self {
        self.edits.ttl = ttl;
        self
    }

    /// IP identification.
    #[must_use]
    pub fn identification(mut self, identification: u16) -> Self {
        self.edits.identification = identification;
        self
    }

    /// Sets DF.
    #[must_use]
    pub fn dont_fragment(mut self) -> Self {
        self.edits.dont_fragment = true;
        self
    }

    /// Its fragments for a link of `mtu` bytes, each sent from the same place.
    pub fn fragments(&self, mtu: usize) -> Vec<Self> {
        let pieces = match self.build() {
            Some(build) => build.fragments(mtu),
            None => vec![self.bytes()],
        };
        let pieces = pieces.into_iter().map(|bytes| Self {
            content: Content::Bytes(bytes),
            ..self.clone()
        });
        pieces.collect()
    }

    /// The packet, from its IPv4 header on.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            _ => self.build().map(|build| build.bytes()).unwrap_or_default(),
        }
    }

    fn build(&self) -> Option<Build> {
        let edits = &self.edits;
        let build = match &self.content {
            Content::Tcp(from, to, flags) => build::tcp(*from, *to, *flags)
                .sequence(edits.sequence)
                .acknowledgment(edits.acknowledgment),
            Content::Udp(from, to) => build::udp(*from, *to, &[]),
            Content::Echo(echo, from, to) => {
                build::icmp_echo(*echo, *from, *to, edits.echo_id, edits.echo_sequence, &[])
            }
            Content::Other(protocol, from, to) => build::raw(*protocol, *from, *to, &[]),
            Content::Bytes(_) => return None,
        };
        let build = build
            .payload(&edits.payload)
            .ttl(edits.ttl)
            .identification(edits.identification)
            .dont_fragment(edits.dont_fragment);
        Some(build)
    }
}

/// Bytes from the IPv4 header on, as they are.
impl From<Vec<u8>> for Craft {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(Content::Bytes(bytes))
    }
}

impl From<Build> for Craft {
    fn from(build: Build) -> Self {
        build.bytes().into()
    }
}
