//! `vpcsim learn`.

use clap::Args;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// Make a network file for captures that have none
///
/// Inside hosts become cvms in subnets, with a nat gateway or eips where they talk to the internet, the services
/// that they accepted, and security groups that allow what completed conversations needed and nothing else. A replay
/// of the captures through it delivers every packet of those.
#[derive(Debug, Args)]
pub(crate) struct Learn {
    /// Captures (pcap or pcapng, plain, gzip or zstd), read one after the other; `-` is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    pub(crate) captures: Vec<PathBuf>,

    /// Network file to write; without it, or with `-`, it goes to standard output, and the summary to standard
    /// error
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Addresses that are inside, instead of the private ones; may be repeated
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = range)]
    pub(crate) inside: Vec<Ipv4Net>,

    /// Merge ports and peers that belong together: high ports, the hosts of a subnet, the internet
    #[arg(long)]
    pub(crate) widen: bool,

    /// Print the summary as one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `10.0.0.0/16`, or an address.
fn range(text: &str) -> Result<Ipv4Net, String> {
    let range: Result<Ipv4Net, _> = text.parse();
    let address = || text.parse::<Ipv4Addr>().map(Ipv4Net::from);
    match range {
        Ok(range) => Ok(range.trunc()),
        Err(_) => address().map_err(|_| "a prefix such as 10.0.0.0/16, or an address".to_owned()),
    }
}
