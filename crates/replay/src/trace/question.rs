//! What a trace is asked.

use std::net::Ipv4Addr;
use vpcsim_packet::Protocol;

/// What kind of packet a trace sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Question {
    /// TCP, UDP or ICMP. Without one: TCP where a port is given, else ICMP.
    pub protocol: Option<Protocol>,
    /// The destination port. Without one: the first that the destination listens on, else 80 for
    /// TCP and 53 for UDP.
    pub port: Option<u16>,
}

/// Why a question cannot be put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// A port with ICMP.
    #[error("icmp has no ports: leave the port out, or ask for tcp or udp")]
    PortOfIcmp,
    /// Another protocol.
    #[error("a trace sends tcp, udp or icmp, not {0}")]
    Protocol(Protocol),
    /// An address inside a vpc that nobody has.
    #[error("{0} lies in a vpc, but nobody there has it: nothing can start there")]
    NobodyHas(Ipv4Addr),
    /// No host can send from it.
    #[error("{0} is no address that a host can send from")]
    NotAHost(Ipv4Addr),
    /// A gateway's own address starts nothing.
    #[error("{0} is the address of a nat gateway or of nothing: nothing starts there")]
    GatewayAddress(Ipv4Addr),
    /// A gateway that leads to no networks.
    #[error("external {0} declares no networks: nobody can be named behind it")]
    NothingBehind(String),
}
