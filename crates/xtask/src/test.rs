//! `cargo xtask test`.

use crate::cargo::{cargo, program};
use crate::tools;
use std::process::{Command, ExitCode, Stdio};

/// Makes the machine ready and runs the tests, with nextest where it is there.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    tools::provide(tools::FOR_TESTS);

    // nextest runs no doctests; plain `cargo test` runs them with the rest.
    let passed = if has_nextest() {
        println!("tests: cargo nextest");
        if arguments.is_empty() {
            cargo(&["nextest", "run", "--workspace", "--no-fail-fast"], &[])
                && cargo(&["test", "--workspace", "--doc"], &[])
        } else {
            println!("doctests: left out, because the arguments select tests");
            cargo(
                &["nextest", "run", "--workspace", "--no-fail-fast"],
                arguments,
            )
        }
    } else {
        println!("tests: cargo test (cargo-nextest is not installed)");
        cargo(&["test", "--workspace", "--no-fail-fast"], arguments)
    };

    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn has_nextest() -> bool {
    Command::new(program())
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
