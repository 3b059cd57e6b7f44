//! `vpcsim trace`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Follow one packet and its reply from stop to stop
///
/// The packet is the first of a flow: a TCP SYN, a UDP datagram or an ICMP echo request. What it leaves behind
/// (connections, NAT sessions) is there when the reply comes. A trace that does not arrive, or whose reply does
/// not, ends with status 1, and with the smallest changes to the network file that let both through: each has
/// been tried.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// Network file (YAML)
    pub(crate) network: PathBuf,

    /// Where the packet starts: CVM, CVM/NIC, address or `internet`
    pub(crate) from: String,

    /// Where it goes: CVM, CVM/NIC, address or `internet`
    pub(crate) to: String,

    /// Protocol [default: tcp where a port is given, else icmp]
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<Protocol>,

    /// Destination port [default: the first that the destination listens on, else 80 for tcp, 53 for udp]
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,

    /// Ask for everything that the destination listens on, instead of one protocol and port
    #[arg(long, conflicts_with_all = ["protocol", "port", "apply"])]
    pub(crate) all: bool,

    /// Changes to the network file to look for, at most, where it does not arrive; 0 is none
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) fixes: usize,

    /// Write the network file with fix N in it to --output
    #[arg(long, value_name = "N", requires = "output")]
    pub(crate) apply: Option<usize>,

    /// File that the changed network is written to; it may be the network file itself
    #[arg(short, long, value_name = "FILE", requires = "apply")]
    pub(crate) output: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Protocols that a trace can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// The first segment of a connection (SYN), and the SYN-ACK
    Tcp,
    /// A datagram, and one back
    Udp,
    /// An echo request, and the echo reply
    Icmp,
}
