//! `vpcsim graph`.

use super::Protocol;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Draw a network: regions, zones, vpcs, subnets, cvms, and what joins them
///
/// The ending of the file says in which language: .svg is a drawing for browsers and documents, .dot is for
/// Graphviz, .mmd for Mermaid. Of a network of more than 60 cvms each subnet shows a few.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// Network file (YAML)
    pub(crate) network: PathBuf,

    /// File to write; `-` and none are standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Language of the graph [default: what the file's ending says, else dot]
    #[arg(long, value_enum)]
    pub(crate) format: Option<GraphFormat>,

    /// Draw the walk of a packet and its reply over it: CVM, CVM/NIC, address, `external:NAME` or `internet`, twice
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"])]
    pub(crate) trace: Option<Vec<String>>,

    /// Protocol of the packet [default: tcp where a port is given, else icmp]
    #[arg(long, value_enum, requires = "trace")]
    pub(crate) protocol: Option<Protocol>,

    /// Destination port of the packet [default: the first that TO listens on, else 80 for tcp, 53 for udp]
    #[arg(long, value_name = "N", requires = "trace")]
    pub(crate) port: Option<u16>,
}

/// Languages that a graph can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A drawing
    Svg,
    /// Graphviz
    Dot,
    /// Mermaid
    Mmd,
}
