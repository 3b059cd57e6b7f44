//! The command line: one module for the arguments of each command.

mod bench;
mod check;
mod demo;
mod diff;
mod generate;
mod graph;
mod learn;
mod reach;
mod replay;
mod trace;
mod watch;

pub(crate) use bench::{Bench, FrameSize};
pub(crate) use check::{Check, LintName};
pub(crate) use demo::Demo;
pub(crate) use diff::Diff;
pub(crate) use generate::{Gen, Link, Size};
pub(crate) use graph::{Graph, GraphFormat};
pub(crate) use learn::Learn;
pub(crate) use reach::{Reach, ReachProtocol};
pub(crate) use replay::{Out, Replay};
pub(crate) use trace::{Protocol, Trace};
pub(crate) use watch::Watch;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ColorChoice, Parser, Subcommand};
use clap_complete::Shell;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// How a run can end.
pub(crate) const STATUS: [(u8, &str); 3] = [
    (0, "done"),
    (
        1,
        "the answer is no: a traced packet does not arrive, nothing reaches one place from another, a flow is lost, an expectation does not hold, a denied lint fires, a measured packet is wrong",
    ),
    (
        2,
        "bad input or usage: mistakes in the network file, an unreadable capture, an unknown place, nothing replayed",
    ),
];

fn status() -> String {
    let lines = STATUS.map(|(number, meaning)| format!("  {number}  {meaning}"));
    format!("Exit status:\n{}", lines.join("\n"))
}

/// Run packets through your cloud network before you do.
///
/// vpcsim reads a network from a YAML file (vpcs, subnets, security groups, acls, route tables, NAT gateways,
/// eips, peerings, cvms) and says what every packet of a capture meets in it.
#[derive(Debug, Parser)]
#[command(name = "vpcsim", version, styles = STYLES, max_term_width = 100, after_help = status())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to use colours; `auto` is on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, display_order = 900, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Replay(Replay),
    Diff(Diff),
    Trace(Trace),
    Reach(Reach),
    Graph(Graph),
    Check(Check),
    Learn(Learn),
    Demo(Demo),
    Gen(Gen),
    Bench(Bench),
    /// Print the JSON Schema of the network file, for editors
    Schema,
    /// Print a completion script for a shell
    Completions {
        /// Shell to complete for
        shell: Shell,
    },
    /// Print the manual page, of vpcsim or of one of its commands
    Man {
        /// Command to print the page of
        command: Option<String>,
    },
}

impl Command {
    /// Whether errors are to be JSON too.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Replay(args) => args.json,
            Self::Diff(args) => args.json,
            Self::Trace(args) => args.json,
            Self::Reach(args) => args.json,
            Self::Check(args) => args.json,
            Self::Learn(args) => args.json,
            Self::Demo(args) => args.json,
            Self::Bench(args) => args.json,
            _ => false,
        }
    }
}

/// The most workers: each has a shard at least.
const MOST_WORKERS: i64 = vpcsim_dataplane::SHARDS as i64;

/// Seconds, in nanoseconds.
fn seconds(text: &str) -> Result<u64, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is wanted, such as 10 or 0.5".to_owned())?;
    // The range is what a u64 of nanoseconds holds, and keeps out NaN.
    if (0.0..1.8e10).contains(&seconds) {
        Ok((seconds * 1e9) as u64)
    } else {
        Err("from 0 to 18,000,000,000 seconds".to_owned())
    }
}
