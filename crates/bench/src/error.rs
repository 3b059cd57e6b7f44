//! Why a measurement is worth nothing.

use vpcsim_dataplane::Arrived;
use vpcsim_network::NetworkErrors;

/// What went wrong while measuring.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A packet does not look as the first translation of its flow says.
    #[error("a packet of {flow} came out wrong: {what}")]
    Wrong {
        /// The flow, as its inside host knows it.
        flow: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// Packets of live flows did not arrive where they should.
    #[error(
        "of {} packets to the internet {} arrived, of {} to inside hosts {}{}",
        wanted.outside, arrived.outside, wanted.inside, arrived.inside,
        first.as_ref().map(|why| format!(" (the first that did not: {why})")).unwrap_or_default()
    )]
    Lost {
        /// How many were sent where.
        wanted: Arrived,
        /// How many arrived there.
        arrived: Arrived,
        /// What became of the first one that did not.
        first: Option<String>,
    },
    /// There is no network with so many rules.
    #[error("{0}")]
    Network(#[from] Box<NetworkErrors>),
    /// The system has no threads for the workers.
    #[error("cannot start workers: {0}")]
    Workers(#[from] std::io::Error),
    /// No memory for the bare loop's table.
    #[error("no memory for a table of {entries} entries: {source}")]
    Memory {
        /// Entries of 64 bytes.
        entries: usize,
        /// What the system said.
        source: std::io::Error,
    },
}
