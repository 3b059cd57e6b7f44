//! The `vpcsim` command: arguments in, text or JSON out. The library crates do
//! the work.
#![forbid(unsafe_code)]

mod args;
mod command;
mod failure;
mod interrupt;
mod output;
mod progress;
mod render;

use args::{Cli, Command};
use clap::Parser;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.color);
    let json = cli.command.wants_json();
    let result = match &cli.command {
        Command::Replay(args) => command::replay::run(args, &output),
        Command::Diff(args) => command::diff::run(args, &output),
        Command::Trace(args) => command::trace::run(args, &output),
        Command::Reach(args) => command::reach::run(args, &output),
        Command::Graph(args) => command::graph::run(args, &output),
        Command::Check(args) => command::check::run(args, &output),
        Command::Learn(args) => command::learn::run(args, &output),
        Command::Demo(args) => command::demo::run(args, &output),
        Command::Gen(args) => command::generate::run(args, &output),
        Command::Bench(args) => command::bench::run(args, &output),
        Command::Schema => command::schema::run(&output),
        Command::Completions { shell } => command::manual::completions(*shell, &output),
        Command::Man { command } => command::manual::man(command.as_deref(), &output),
    };
    let status = result.unwrap_or_else(|failure| {
        output.failure(&failure, json);
        output::Status::BadInput
    });
    status.into()
}
