//! `vpcsim diff`.

use clap::Args;
use std::path::PathBuf;

/// Run captures through two networks at once and say what a change would break
///
/// Every packet goes through both networks, in one pass. What arrived in the old one and does not in the new
/// one is lost; status 1 says that something is. Packets start where `vpcsim replay` has them start.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Network file (YAML) as it is
    pub(crate) old: PathBuf,

    /// Network file (YAML) as it is to be
    pub(crate) new: PathBuf,

    /// Captures (pcap or pcapng, plain, gzip or zstd), one after the other; `-` is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    pub(crate) captures: Vec<PathBuf>,

    /// Place where all packets start, in both networks: CVM, CVM/NIC or `internet`
    #[arg(long, value_name = "PLACE")]
    pub(crate) at: Option<String>,

    /// Take packets from or to ADDR for packets from or to CVM; may be repeated. In a network without that CVM
    /// its packets are nobody's
    #[arg(long, value_name = "ADDR=CVM")]
    pub(crate) map: Vec<String>,

    /// Drop packets with a wrong checksum
    #[arg(long)]
    pub(crate) verify_checksums: bool,

    /// List at most N flows that are lost, N that are newly allowed and N that take another way
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
