//! What a replay watches beside the verdicts.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use std::path::PathBuf;

/// What is watched beside the verdicts.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Count the packets and flows that each rule decides, and name the rules that none met: of security
    /// groups, acls, route tables and NAT gateways
    #[arg(long)]
    pub(crate) rules: bool,

    /// Write flow-log records of every nic in Tencent Cloud's format; the ending says how: .log (text),
    /// .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) flow_log: Option<PathBuf>,

    /// Length of a flow-log window, on the capture's clock
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "300",
        value_parser = RangedU64ValueParser::<u32>::new().range(1..=86_400),
        requires = "flow_log"
    )]
    pub(crate) flow_log_window: u32,
}
