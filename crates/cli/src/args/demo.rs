//! `vpcsim demo`.

use super::Out;
use clap::Args;
use std::path::PathBuf;

/// Replay a built-in capture through a built-in network
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) out: Out,

    /// Write the network and the capture into a directory instead, to be changed and replayed
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "json"])]
    pub(crate) save: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
