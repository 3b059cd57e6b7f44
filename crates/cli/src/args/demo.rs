//! `vpcsim demo`.

use super::{Out, Watch};
use clap::Args;
use std::path::PathBuf;

/// Replay a built-in capture through a built-in network
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) out: Out,

    #[command(flatten)]
    pub(crate) watch: Watch,

    /// Write the network and the capture into a directory instead, to be changed and replayed
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "json", "rules", "flow_log"])]
    pub(crate) save: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
