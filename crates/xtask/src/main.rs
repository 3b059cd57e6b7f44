//! Development tasks, run as `cargo xtask TASK`.
#![forbid(unsafe_code)]

mod cargo;
mod oracle;
mod picture;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask TASK

Tasks:
  test [ARGUMENTS]  install what the tests need, then run all of them; ARGUMENTS
                    go to the test runner and select tests
  oracle [OPTIONS]  the full comparison with a Linux kernel (root): over a million
                    packets; OPTIONS go to it, --help lists them
  picture           draw docs/report.svg from what `vpcsim demo` prints";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("test") => test::run(&arguments.collect::<Vec<_>>()),
        Some("oracle") => oracle::run(&arguments.collect::<Vec<_>>()),
        Some("picture") => picture::run(),
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
