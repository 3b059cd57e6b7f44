//! Calling cargo from a task.

use std::ffi::OsString;
use std::process::Command;

/// Runs a cargo task with further arguments; whether it went well.
pub(crate) fn cargo(task: &[&str], arguments: &[String]) -> bool {
    let status = Command::new(program()).args(task).args(arguments).status();
    match status {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("error: cannot run cargo: {error}");
            false
        }
    }
}

/// The cargo that runs this task.
pub(crate) fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
