//! `vpcsim bench`.

use super::{MOST_WORKERS, seconds};
use clap::{Args, ValueEnum};
use vpcsim_bench::MOST_FLOWS;

/// Measure how fast packets pass on this machine
///
/// Packets of live flows, half UDP, half TCP, in both directions, go through source check, security group, acl,
/// routes and a NAT gateway and back. Beside them, on the same packets, runs a bare loop: what no NAT can leave
/// out. A sample of what comes out is checked; if a packet is wrong, no number is shown and the status is 1.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Live flows, at most 10000000
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=MOST_FLOWS.into()))]
    pub(crate) flows: u32,

    /// Size of packets
    #[arg(long, value_enum, default_value_t = FrameSize::Least)]
    pub(crate) size: FrameSize,

    /// Rules of the security group; the last one matches
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rules: u32,

    /// How long live flows are measured, beside the time that it takes to open them
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pub(crate) seconds: u64,

    /// Threads that share the flows, at most 64
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MOST_WORKERS))]
    pub(crate) workers: u32,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Sizes of packets that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FrameSize {
    /// The smallest Ethernet frames
    #[value(name = "64")]
    Least,
    /// Frames of 512 bytes
    #[value(name = "512")]
    Middle,
    /// The largest IPv4 packets of an Ethernet
    #[value(name = "1500")]
    Most,
    /// Frames of 64, 594 and 1518 bytes, 7 : 4 : 1
    Imix,
}
