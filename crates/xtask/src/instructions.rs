//! `cargo xtask instructions`: what a packet of a live flow costs, and a new connection, in instructions.
//!
//! Times depend on the machine and on what else it does; these counts do not, so they can be held to
//! bounds. What is counted is the work on a batch alone: not the making of packets, and not what comes
//! before, which a second run without packets takes off.

use crate::cargo::program;
use crate::tools;
use std::process::{Command, ExitCode};

/// The most that a packet of a live flow may cost, and that a new connection may: what it was when this
/// line was last changed, and a third more.
const MOST: u64 = 560;
const MOST_NEW: u64 = 8_000;

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
    match count() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("error: more instructions than there may be");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says what there are; whether they are few enough.
fn count() -> Result<bool, String> {
    let live = per_packet("live", "Pipeline")?;
    let floor = per_packet("floor", "Floor")?;
    println!("instructions per packet: {live} (bare loop: {floor}; at most: {MOST})");
    let new = per_packet("new", "Pipeline")?;
    println!("instructions per new connection: {new} (at most: {MOST_NEW})");
    Ok(live <= MOST && new <= MOST_NEW)
}

/// Instructions for each packet that a carrier, a type's name, carries.
fn per_packet(what: &str, carrier: &str) -> Result<u64, String> {
    let before = collected(what, carrier, 0)?;
    let all = collected(what, carrier, BATCHES)?;
    let packets = BATCH * BATCHES;
    match all.checked_sub(before) {
        Some(counted) if counted > 0 => Ok(counted.div_ceil(packets)),
        _ => Err(format!("no instruction of {carrier}::carry was counted")),
    }
}

/// Instructions in `CARRIER::carry` while so many batches are carried.
fn collected(what: &str, carrier: &str, batches: u64) -> Result<u64, String> {
    let runner = format!(
        "target.'cfg(all())'.runner=['valgrind', '--tool=callgrind', \
         '--callgrind-out-file=/dev/null', '--toggle-collect=*{carrier}*carry*']"
    );
    let output = Command::new(program())
        .args(["run", "--quiet", "--release", "--package", "vpcsim-bench"])
        .args(["--example", "counted", "--config", &runner, "--"])
        .args([what, &batches.to_string()])
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
