//! `vpcsim reach`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Say who reaches whom and on what, for every packet at once
///
/// The answer is exact: what is not in it does not arrive. Reachable means that the answer comes back too, whichever
/// of equal ways both take. Without --from and --to it is a table of everybody; with both, a question that nothing
/// answers ends with status 1. PLACE is a cvm, `internet`, `external:NAME`, `group:NAME`, `subnet:NAME`, `vpc:NAME`
/// or `any`.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// Network file (YAML); with --diff the old one and the new one
    #[arg(required = true, num_args = 1..=2, value_name = "NETWORK")]
    pub(crate) networks: Vec<PathBuf>,

    /// Say what became reachable from one network file to another, and what was lost; status 1 if anything
    #[arg(long)]
    pub(crate) diff: bool,

    /// Who sends
    #[arg(long, value_name = "PLACE")]
    pub(crate) from: Option<String>,

    /// Who is to be reached
    #[arg(long, value_name = "PLACE")]
    pub(crate) to: Option<String>,

    /// Packets of this protocol only
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<ReachProtocol>,

    /// Packets to this port only, or to ports such as 8000-8100
    #[arg(long, value_name = "PORTS", value_parser = ports)]
    pub(crate) port: Option<(u16, u16)>,

    /// Ask for the first packet alone, whether or not there is an answer
    #[arg(long)]
    pub(crate) one_way: bool,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Protocols that a question can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReachProtocol {
    /// Connections
    Tcp,
    /// Datagrams
    Udp,
    /// ICMP messages
    Icmp,
    /// Tunnels
    Gre,
}

/// `80` or `8000-8100`.
fn ports(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err("a port such as 443, or ports such as 8000-8100".to_owned()),
    }
}
