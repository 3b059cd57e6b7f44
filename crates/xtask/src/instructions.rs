//! `cargo xtask instructions`: what a packet of a live flow costs, in instructions.
//!
//! Times depend on the machine and on what else it does; this count does not, so it can be held to
//! a bound. What is counted is the work on a batch alone: not the making of packets, and not the
//! opening of flows, which a second run without packets takes off.

use crate::cargo::program;
use crate::tools;
use std::process::{Command, ExitCode};

/// The most that a packet may cost: what it was when this line was last changed, and a third more.
const MOST: u64 = 560;

/// Packets of a batch, and batches that are counted: every one of 1024 flows is met sixteen times.
const BATCH: u64 = 256;
const BATCHES: u64 = 64;

/// Counts and compares.
pub(crate) fn run() -> ExitCode {
    if !tools::provide(tools::FOR_INSTRUCTIONS) {
        return if std::env::var_os("CI").is_some() {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        };
    }
    match (
        per_packet("pipeline", "Pipeline"),
        per_packet("floor", "Floor"),
    ) {
        (Ok(ours), Ok(floor)) => {
            println!("instructions per packet: {ours} (bare loop: {floor}; at most: {MOST})");
            if ours <= MOST {
                ExitCode::SUCCESS
            } else {
                eprintln!("error: a packet of a live flow costs more instructions than it may");
                ExitCode::FAILURE
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Instructions per packet of one carrier, whose type is called `name`.
fn per_packet(carrier: &str, name: &str) -> Result<u64, String> {
    let opening = collected(carrier, name, 0)?;
    let all = collected(carrier, name, BATCHES)?;
    let packets = BATCH * BATCHES;
    match all.checked_sub(opening) {
        Some(counted) if counted > 0 => Ok(counted.div_ceil(packets)),
        _ => Err(format!("no instruction of {name}::carry was counted")),
    }
}

/// Instructions in `NAME::carry` while so many batches are carried.
fn collected(carrier: &str, name: &str, batches: u64) -> Result<u64, String> {
    let runner = format!(
        "target.'cfg(all())'.runner=['valgrind', '--tool=callgrind', \
         '--callgrind-out-file=/dev/null', '--toggle-collect=*{name}*carry*']"
    );
    let output = Command::new(program())
        .args(["run", "--quiet", "--release", "--package", "vpcsim-bench"])
        .args(["--example", "hit_path", "--config", &runner, "--"])
        .args([carrier, &batches.to_string()])
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(text.into_owned());
    }
    // ==1234== Collected : 5678
    let counted = text.lines().find_map(|line| {
        let (_, number) = line.split_once("Collected :")?;
        number.trim().parse().ok()
    });
    counted.ok_or_else(|| format!("callgrind says no number: {text}"))
}
