//! Development tasks, run as `cargo xtask TASK`.
#![forbid(unsafe_code)]

mod cargo;
mod instructions;
mod oracle;
mod picture;
mod plot;
mod shown;
mod test;
mod tools;
mod versus;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask TASK

Tasks:
  test [ARGUMENTS]  install what the tests need, then run all of them; ARGUMENTS
                    go to the test runner and select tests
  oracle [OPTIONS]  the full comparison with a Linux kernel (root): over a million
                    packets; OPTIONS go to it, --help lists them
  instructions      count what a packet of a live flow costs, and a new connection, under
                    valgrind, and fail above the bounds in crates/xtask/src/instructions.rs
  plot [measure]    draw docs/performance.svg from docs/performance.jsonl; `measure`
                    has `vpcsim bench` make that anew, which takes minutes
  versus            a replay beside tcpdump, tcprewrite and cp on the same captures
  picture           draw docs/report.svg from what `vpcsim demo` prints, docs/graph.svg by
                    `vpcsim graph`, and docs/html-report.png by `vpcsim demo --html`
                    and chromium";

/// Failure where either has failed.
fn both(one: ExitCode, other: ExitCode) -> ExitCode {
    if one == ExitCode::SUCCESS { other } else { one }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("test") => test::run(&arguments.collect::<Vec<_>>()),
        Some("oracle") => oracle::run(&arguments.collect::<Vec<_>>()),
        Some("instructions") => instructions::run(),
        Some("plot") => plot::run(arguments.next().as_deref()),
        Some("versus") => versus::run(),
        Some("picture") => both(picture::run(), shown::run()),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Some(other) => {
            eprintln!("error: there is no task `{other}`\n\n{USAGE}");
            ExitCode::from(2)
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
