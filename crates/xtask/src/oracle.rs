//! `cargo xtask oracle`.

use crate::cargo::cargo;
use crate::tools;
use std::process::ExitCode;

/// Makes the machine ready and runs the whole comparison with a kernel.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    tools::provide(tools::FOR_TESTS);
    let task = ["run", "--release", "--package", "vpcsim-oracle", "--"];
    if cargo(&task, arguments) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
