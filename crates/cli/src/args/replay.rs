//! `vpcsim replay`.

use super::MOST_WORKERS;
use super::Watch;
use clap::Args;
use std::path::PathBuf;

/// Run the packets of captures through a network and report what became of them
///
/// Each packet starts where it was captured: at the cvm whose address is its source, or on the internet when
/// its source is public. `--at` and `--map` say otherwise, for captures from elsewhere.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Network file (YAML)
    pub(crate) network: PathBuf,

    /// Captures (pcap or pcapng, plain, gzip or zstd), one after the other; `-` is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) out: Out,

    #[command(flatten)]
    pub(crate) watch: Watch,

    /// Place where all packets start: CVM, CVM/NIC or `internet`
    #[arg(long, value_name = "PLACE")]
    pub(crate) at: Option<String>,

    /// Take packets from or to ADDR for packets from or to CVM; may be repeated
    #[arg(long, value_name = "ADDR=CVM")]
    pub(crate) map: Vec<String>,

    /// Threads that carry packets beside the one that takes and counts them; 1: that one carries them too [default: 2,
    /// or 1 on a machine with one core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_WORKERS))]
    pub(crate) workers: Option<u32>,

    /// Drop packets with a wrong checksum
    #[arg(long)]
    pub(crate) verify_checksums: bool,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where packets go after a replay.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// Write delivered packets, as they look where they arrive, to a pcapng file with one interface per
    /// place; `-` is standard output, and the report then goes to standard error
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write dropped packets too, each with a comment that says why
    #[arg(long, requires = "output")]
    pub(crate) with_drops: bool,

    /// Write the report as one HTML page: a timeline, drops by rule, who talked to whom, who can reach whom, the
    /// network; it needs nothing but a browser
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}
