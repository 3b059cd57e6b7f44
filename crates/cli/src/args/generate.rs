//! `vpcsim gen`.

use super::seconds;
use clap::{Args, ValueEnum};
use ipnet::Ipv4Net;
use std::path::PathBuf;
use vpcsim_generate::ProtocolMix;

/// Make synthetic traffic from a seed
///
/// The same arguments make the same bytes, on every machine. Without a network there are so many flows between
/// clients and servers. With one the traffic is what a capture taken inside it would show: conversations over
/// every route, address and rule, allowed or not.
#[derive(Debug, Args)]
pub(crate) struct Gen {
    /// Capture to write: pcap where the name ends in .pcap or .cap, else pcapng; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Network file (YAML) that the capture is taken in
    #[arg(long, conflicts_with_all = ["protocols", "no_handshakes", "no_replies", "clients", "servers"])]
    pub(crate) network: Option<PathBuf>,

    /// Number that everything random comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Flows; with a network, conversations
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) flows: u64,

    /// Packets with data that a client sends in one flow; with a network, at most
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) packets: u64,

    /// Size of packets with data
    #[arg(long, value_enum, default_value_t = Size::Imix)]
    pub(crate) size: Size,

    /// Seconds over which flows begin
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) duration: u64,

    /// Flows that begin in a second, instead of --duration
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    pub(crate) rate: Option<u64>,

    /// TCP segments with data that are sent twice, of a hundred
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    pub(crate) retransmissions: u8,

    /// Protocols, and how often each
    #[arg(long, value_name = "MIX", default_value = "tcp=70,udp=25,icmp=5", value_parser = protocols)]
    pub(crate) protocols: ProtocolMix,

    /// Leave out how TCP connections open and close
    #[arg(long)]
    pub(crate) no_handshakes: bool,

    /// Leave out what servers send
    #[arg(long)]
    pub(crate) no_replies: bool,

    /// Where clients live
    #[arg(
        long,
        value_name = "CIDR",
        value_delimiter = ',',
        default_value = "10.0.1.0/24"
    )]
    pub(crate) clients: Vec<Ipv4Net>,

    /// Where servers live
    #[arg(
        long,
        value_name = "CIDR",
        value_delimiter = ',',
        default_value = "198.51.100.0/24"
    )]
    pub(crate) servers: Vec<Ipv4Net>,

    /// Link header of each packet
    #[arg(long, value_enum, default_value_t = Link::Ethernet)]
    pub(crate) link: Link,
}

/// Sizes of packets with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Size {
    /// The smallest Ethernet frames
    #[value(name = "64")]
    Least,
    /// Frames of 64, 594 and 1518 bytes, 7 : 4 : 1
    Imix,
    /// The largest IPv4 packets of an Ethernet
    #[value(name = "1500")]
    Most,
}

/// Link headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Link {
    /// An Ethernet header
    Ethernet,
    /// None: IPv4 packets alone
    Raw,
}

/// `tcp`, `tcp,udp` or `tcp=70,udp=25,icmp=5`.
fn protocols(text: &str) -> Result<ProtocolMix, String> {
    let mut mix = ProtocolMix {
        tcp: 0,
        udp: 0,
        icmp: 0,
    };
    for part in text.split(',') {
        let (name, parts) = part.split_once('=').unwrap_or((part, "1"));
        let parts = parts
            .trim()
            .parse()
            .map_err(|_| format!("`{parts}` is no number: `{}=70` is wanted", name.trim()))?;
        match name.trim() {
            "tcp" => mix.tcp = parts,
            "udp" => mix.udp = parts,
            "icmp" => mix.icmp = parts,
            other => return Err(format!("`{other}` is none of tcp, udp and icmp")),
        }
    }
    if mix.tcp == 0 && mix.udp == 0 && mix.icmp == 0 {
        return Err("no protocol is left".to_owned());
    }
    Ok(mix)
}
